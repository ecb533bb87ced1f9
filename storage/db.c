/* db.c - the database file: open, migrate, transact (see db.h)
 *
 * One connection, without SQLite's own mutexes: whoever holds the struct is alone with it. Statements are prepared once
 * and found again by the address of their text.
 */
#include "storage/db.h"
#include "storage/dbfile.h"
#include "storage/migrate.h"
#include "storage/query.h"
#include "storage/schema.h"
#include "storage/spare.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define APPLICATION_ID 0x53616c6f /* "Salo", set by schema/001-start.sql */
#define BUSY_MS        2000
#define ASK_STEPS      10000 /* of SQLite's virtual machine, about 1 ms */

struct statement {
    const char *sql;
    sqlite3_stmt *prepared;
};

struct db {
    sqlite3 *sqlite;
    char *path;
    int claim; /* descriptor of dbfile_claim(), or -1 */
    bool (*go_on)(void *arg);
    void *go_on_arg;
    struct statement *statements;
    size_t count, capacity;
};

static int read_number(struct db *db, const char *sql, const char *doing, int64_t *number, struct err *err)
{
    struct query q;

    query_begin(&q, db, doing, sql, err);
    if (query_row(&q))
        *number = sqlite3_column_int64(q.statement, 0);
    return query_end(&q);
}

int db_version(struct db *db, int64_t *version, struct err *err)
{
    int64_t id = 0, tables = 0;
    int rc = read_number(db, "PRAGMA application_id", "reading whose it is", &id, err);

    if (rc == 0)
        rc = read_number(db, "SELECT count(*) FROM sqlite_schema", "reading its tables", &tables, err);
    if (rc == 0)
        rc = read_number(db, "PRAGMA user_version", "reading its version", version, err);
    if (rc < 0 || id == APPLICATION_ID || (id == 0 && tables == 0))
        return rc;
    return err_set(err, ERR_STATE, "it was left as it is: move it away, or name another file or state folder",
                   "%s is the database of another program", db->path);
}

int db_check(struct db *db, bool thorough, struct err *err)
{
    struct query q;

    query_begin(&q, db, "checking it", thorough ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)", err);
    if (query_row(&q)) {
        const char *found = (const char *)sqlite3_column_text(q.statement, 0);

        if (found == NULL || strcmp(found, "ok") != 0) {
            q.code = err_set(err, ERR_STATE, NULL, "%s is damaged: %s", db->path,
                             found != NULL ? found : err_words(ERR_TEXT("unreadable")));
            spare_mend(err, db->path);
        }
    }
    return query_end(&q);
}

static int use_wal(struct db *db, struct err *err)
{
    struct query q;

    query_begin(&q, db, "switching to write-ahead logging", "PRAGMA journal_mode = WAL", err);
    if (query_row(&q)) {
        const char *mode = (const char *)sqlite3_column_text(q.statement, 0);

        if (mode == NULL || strcmp(mode, "wal") != 0)
            q.code = err_set(err, ERR_STATE, "keep the state folder on a local disk",
                             "%s: its file system cannot do write-ahead logging", db->path);
    }
    return query_end(&q);
}

static int connect_to(struct db *db, int how, struct err *err)
{
    if (sqlite3_open_v2(db->path, &db->sqlite, how | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return db_fail(db, err, "opening it");
    sqlite3_extended_result_codes(db->sqlite, 1);
    sqlite3_busy_timeout(db->sqlite, BUSY_MS);
    return 0;
}

static int set_up(struct db *db, struct err *err)
{
    int64_t version = 0;
    int rc = connect_to(db, SQLITE_OPEN_READWRITE, err);

    if (rc < 0)
        return rc;
    /* secure_delete: an erased text is overwritten, not only unlinked. journal_size_limit: a log that one busy evening
     * blew up is cut back. trusted_schema, cell_size_check: what a tampered file may do to us stays small. */
    rc = db_exec(db,
                 "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL;"
                 "PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 4194304; PRAGMA temp_store = MEMORY;"
                 "PRAGMA foreign_keys = OFF;",
                 "setting it up", err);
    if (rc == 0)
        rc = db_version(db, &version, err);
    /* Every page is read once (0.5 s for 100 MB): better a slower start than a damage that is found out in the middle
     * of an evening. */
    if (rc == 0)
        rc = db_check(db, false, err);
    if (rc == 0)
        rc = use_wal(db, err);
    if (rc == 0)
        rc = migrate_run(db, schema_sql, schema_sql_count, err);
    if (rc == 0)
        rc = db_exec(db, "PRAGMA foreign_keys = ON", "setting it up", err);
    return rc;
}

static struct db *db_new(const char *path, struct err *err)
{
    struct db *db = calloc(1, sizeof *db);

    if (db != NULL) {
        db->claim = -1;
        db->path = strdup(path);
    }
    if (db == NULL || db->path == NULL)
        err_set(err, ERR_INTERNAL, NULL, "%s: out of memory", path);
    else if (sodium_init() < 0) /* for the hashes and tokens of the nouns; may be called again and again */
        err_set(err, ERR_INTERNAL, NULL, "libsodium does not start");
    else
        return db;
    db_close(db);
    return NULL;
}

struct db *db_open(const char *path, struct err *err)
{
    struct db *db = db_new(path, err);

    if (db == NULL)
        return NULL;
    db->claim = dbfile_claim(path, err);
    if (db->claim >= 0)
        spare_sweep(path);
    if (db->claim >= 0 && set_up(db, err) == 0)
        return db;
    db_close(db);
    return NULL;
}

static struct db *open_with(const char *path, int how, const char *settings, struct err *err)
{
    struct db *db = db_new(path, err);

    if (db == NULL)
        return NULL;
    if (connect_to(db, how, err) == 0 &&
        db_exec(db, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY",
                "setting it up", err) == 0 &&
        db_exec(db, settings, "setting it up", err) == 0)
        return db;
    db_close(db);
    return NULL;
}

struct db *db_open_reader(const char *path, struct err *err)
{
    return open_with(path, SQLITE_OPEN_READONLY, "PRAGMA query_only = ON", err);
}

struct db *db_open_copy(const char *path, struct err *err)
{
    return open_with(path, SQLITE_OPEN_READWRITE,
                     "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY", err);
}

/* A transaction that begins as reading has no moment of its own before it has read. */
int db_begin_reading(struct db *db, struct err *err)
{
    return db_exec(db, "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1", "beginning to read", err);
}

void db_end_reading(struct db *db)
{
    db_rollback(db);
}

static int ask(void *arg)
{
    struct db *db = arg;

    return db->go_on(db->go_on_arg) ? 0 : 1;
}

void db_ask(struct db *db, bool (*go_on)(void *arg), void *arg)
{
    db->go_on = go_on;
    db->go_on_arg = arg;
    sqlite3_progress_handler(db->sqlite, ASK_STEPS, go_on != NULL ? ask : NULL, db);
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < db->count; i++)
        sqlite3_finalize(db->statements[i].prepared);
    /* The last connection's close checkpoints and removes the log. With a reader still there the log stays, complete:
     * whoever opens next reads it. */
    sqlite3_close(db->sqlite);
    if (db->claim >= 0)
        close(db->claim);
    free(db->statements);
    free(db->path);
    free(db);
}

int db_call(struct db *db, const char *name)
{
    char *copy = strdup(name);

    if (copy == NULL)
        return -1;
    free(db->path);
    db->path = copy;
    return 0;
}

sqlite3 *db_sqlite(const struct db *db)
{
    return db->sqlite;
}

const char *db_path(const struct db *db)
{
    return db->path;
}

/* A statement that was left in the middle holds its read transaction open. */
static void reset_all(struct db *db)
{
    for (size_t i = 0; i < db->count; i++)
        if (sqlite3_stmt_busy(db->statements[i].prepared))
            sqlite3_reset(db->statements[i].prepared);
}

static int run(struct db *db, const char *sql, const char *doing, struct err *err)
{
    struct query q;

    query_begin(&q, db, doing, sql, err);
    return query_run(&q);
}

/* Immediate: a transaction that begins by reading and then wants to write can't wait for another writer, it fails. */
int db_begin(struct db *db, struct err *err)
{
    return run(db, "BEGIN IMMEDIATE", "beginning a transaction", err);
}

int db_commit(struct db *db, struct err *err)
{
    reset_all(db);
    return run(db, "COMMIT", "committing", err);
}

void db_rollback(struct db *db)
{
    reset_all(db);
    /* Fails only where no transaction is left. */
    if (db_in_transaction(db))
        run(db, "ROLLBACK", "rolling back", NULL);
}

int db_savepoint(struct db *db, struct err *err)
{
    return run(db, "SAVEPOINT part", "setting a savepoint", err);
}

int db_release(struct db *db, struct err *err)
{
    return run(db, "RELEASE part", "releasing a savepoint", err);
}

void db_rollback_to(struct db *db)
{
    reset_all(db);
    if (!db_in_transaction(db))
        return;
    if (run(db, "ROLLBACK TO part", "rolling back", NULL) < 0 || db_release(db, NULL) < 0)
        db_rollback(db);
}

bool db_in_transaction(const struct db *db)
{
    return sqlite3_get_autocommit(db->sqlite) == 0;
}

int db_exec(struct db *db, const char *sql, const char *doing, struct err *err)
{
    if (sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
        return db_fail(db, err, doing);
    return 0;
}

sqlite3_stmt *db_statement(struct db *db, const char *sql, struct err *err)
{
    sqlite3_stmt *prepared = NULL;

    for (size_t i = 0; i < db->count; i++)
        if (db->statements[i].sql == sql) {
            sqlite3_reset(db->statements[i].prepared);
            sqlite3_clear_bindings(db->statements[i].prepared);
            return db->statements[i].prepared;
        }
    if (db->count == db->capacity) {
        size_t capacity = db->capacity == 0 ? 32 : 2 * db->capacity;
        struct statement *more = realloc(db->statements, capacity * sizeof *more);

        if (more == NULL) {
            err_set(err, ERR_STATE, NULL, "%s: out of memory", db->path);
            return NULL;
        }
        db->statements = more;
        db->capacity = capacity;
    }
    if (sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, NULL) != SQLITE_OK) {
        db_fail(db, err, "preparing a statement");
        return NULL;
    }
    db->statements[db->count++] = (struct statement){sql, prepared};
    return prepared;
}

/* Of the errors of write() SQLite calls only ENOSPC "full"; a quota or a file size limit is an I/O error to it, whose
 * cause is still in errno (sqlite3_system_errno() is not set by a failing COMMIT). */
static bool disk_is_full(int code, int cause)
{
    return (code & 0xff) == SQLITE_FULL || (code == SQLITE_IOERR_WRITE && (cause == EDQUOT || cause == EFBIG));
}

int db_fail(struct db *db, struct err *err, const char *doing)
{
    int cause = errno;
    int code = db->sqlite != NULL ? sqlite3_extended_errcode(db->sqlite) : SQLITE_NOMEM;
    const char *reason = db->sqlite != NULL ? sqlite3_errmsg(db->sqlite) : "out of memory";

    if (disk_is_full(code, cause)) {
        err_set(err, ERR_STATE, NULL, "%s: %s failed: the disk is full", db->path, err_words(doing));
        err_mend(err, "free some space on the disk that holds %s; nothing was changed", db->path);
        return -(int)ERR_STATE;
    }
    if ((code & 0xff) == SQLITE_INTERRUPT)
        return err_set(err, ERR_INTERRUPTED, "nothing was changed; type it again", "%s: %s was given up", db->path,
                       err_words(doing));
    err_set(err, ERR_STATE, NULL, "%s: %s failed: %s", db->path, err_words(doing), reason);
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        err_mend(err, "end the program that writes to it (fuser -v %s names it), then try again", db->path);
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        err_mend(err, "give the file and its folder to the user that salottod runs as");
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        spare_mend(err, db->path);
        break;
    case SQLITE_IOERR:
        err_mend(err, "look for the disk's own complaint: journalctl -k");
        break;
    default:
        break;
    }
    return -(int)ERR_STATE;
}

int64_t db_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
