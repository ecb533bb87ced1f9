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
#include <stdbool.h>
#include <stdint.h>

struct db;

/* Opens (creates 0600) the file. ERR_STATE when it is damaged, not ours, from a newer version, locked by another
 * process or not writable: the message names the file, the mend says what to do. NULL with err. While it is open a
 * second db_open() is refused at once (by a lock on PATH-lock, which stays behind, empty), but other programs may read
 * it: `sqlite3 PATH`, `.backup`. One of them that writes delays us by 2 s at the most, then we fail. */
struct db *db_open(const char *path, struct err *err);

/* A second connection that only reads, for another thread or a file that nobody writes: what it sees is one moment's
 * from its first reading to db_end_reading(), it delays no writer, and no writer delays it. Claims nothing and checks
 * nothing but that it can be opened. NULL with err. */
struct db *db_open_reader(const char *path, struct err *err);
int db_begin_reading(struct db *db, struct err *err);
void db_end_reading(struct db *db);

/* A plain file that is being made or looked through by us alone: no log, no locks, nothing synced. NULL with err. */
struct db *db_open_copy(const char *path, struct err *err);

/* Asks go_on(arg) every few milliseconds of work; false ends what is running with an error. NULL: asks no more. */
void db_ask(struct db *db, bool (*go_on)(void *arg), void *arg);

/* PRAGMA quick_check or, thorough, integrity_check (indexes against their tables, too). ERR_STATE says what is wrong,
 * and the mend how to restore a backup. */
int db_check(struct db *db, bool thorough, struct err *err);

/* Is it one of ours, and of which version (user_version)? ERR_STATE when it is another program's. 0 in an empty one. */
int db_version(struct db *db, int64_t *version, struct err *err);

/* Checkpoints and closes. */
void db_close(struct db *db);

/* A transaction (it takes the write lock at once), and savepoints within it, one at a time. Each returns 0 or a
 * negative code with err. Statements left unfinished are reset by db_commit() and db_rollback(). When db_rollback_to()
 * fails, the whole transaction is rolled back. */
int db_begin(struct db *db, struct err *err);
int db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db);
int db_savepoint(struct db *db, struct err *err);
int db_release(struct db *db, struct err *err);
void db_rollback_to(struct db *db);

/* False also after a failure (disk full, I/O error) at which SQLite rolled the whole transaction back by itself. */
bool db_in_transaction(const struct db *db);

/* Runs statements that yield no rows; `doing` is for the message. */
int db_exec(struct db *db, const char *sql, const char *doing, struct err *err);

/* The prepared statement for a static SQL text, made once, reset and with cleared bindings. NULL with err. Borrowed. */
sqlite3_stmt *db_statement(struct db *db, const char *sql, struct err *err);

/* Turns SQLite's last error into err: ERR_STATE with the mend that fits (disk full, locked, read-only, corrupt).
 * "PATH: adding a room failed: …" when doing is "adding a room". */
int db_fail(struct db *db, struct err *err, const char *doing);

/* What messages call it from now on, where that is not its path. NULL is not allowed. 0 or -1 (out of memory). */
int db_call(struct db *db, const char *name);

/* Its connection, for SQLite's own functions. */
sqlite3 *db_sqlite(const struct db *db);

/* As given to db_open(), or to db_call(). */
const char *db_path(const struct db *db);

/* Wall clock in milliseconds since 1970 (UTC), the time that rows carry. */
int64_t db_now_ms(void);

#endif
