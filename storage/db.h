/* db.h - the database file: open, migrate, transact
 *
 * SQLite in WAL mode with foreign keys on, synchronous FULL: what a committed transaction changed survives power loss.
 * `user_version` counts the migrations (schema/NNN-*.sql, embedded at build) that have been applied; those that are
 * missing run in order inside one transaction at open. One thread at a time; in the daemon that is the storage thread.
 */
#ifndef SALOTTO_STORAGE_DB_H
#define SALOTTO_STORAGE_DB_H

#include "mixer/err.h"

#include <sqlite3.h>
#include <stdint.h>

struct db;

/* Opens (creates 0600) the file. ERR_STATE when it is damaged, not ours, from a newer version, locked by another
 * process or not writable: the message names the file, the mend says what to do. NULL with err. */
struct db *db_open(const char *path, struct err *err);

/* Checkpoints and closes. */
void db_close(struct db *db);

/* A transaction, and savepoints within it. Each returns 0 or a negative code with err. */
int db_begin(struct db *db, struct err *err);
int db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db);
int db_savepoint(struct db *db, struct err *err);
int db_release(struct db *db, struct err *err);
void db_rollback_to(struct db *db);

/* The prepared statement for a static SQL text, made once, reset and with cleared bindings. NULL with err. Borrowed. */
sqlite3_stmt *db_statement(struct db *db, const char *sql, struct err *err);

/* Turns SQLite's last error into err: ERR_STATE with the mend that fits (disk full, locked, read-only, corrupt). */
int db_fail(struct db *db, struct err *err, const char *doing);

/* Wall clock in milliseconds since 1970 (UTC), the time that rows carry. */
int64_t db_now_ms(void);

#endif
