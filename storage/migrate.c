/* migrate.c - bring a database to the version this program knows (see migrate.h)
 *
 * The caller has foreign keys switched off, as SQLite asks of scripts that rebuild tables ("ALTER TABLE", section 7);
 * instead all references are checked at the end, still inside the transaction.
 */
#include "storage/migrate.h"
#include "storage/query.h"

#include <stdio.h>

static int read_version(struct db *db, int64_t *version, struct err *err)
{
    struct query q;

    query_begin(&q, db, "reading its version", "PRAGMA user_version", err);
    if (query_row(&q))
        *version = sqlite3_column_int64(q.statement, 0);
    return query_end(&q);
}

static int check_references(struct db *db, struct err *err)
{
    struct query q;

    query_begin(&q, db, "checking references", "PRAGMA foreign_key_check", err);
    if (query_row(&q))
        q.code = err_set(err, ERR_STATE, NULL, "%s: table %s would refer to what is not there", db_path(db),
                         (const char *)sqlite3_column_text(q.statement, 0));
    return query_end(&q);
}

static int run_missing(struct db *db, const char *const *scripts, unsigned from, unsigned count, struct err *err)
{
    char text[64];

    for (unsigned n = from; n < count; n++) {
        snprintf(text, sizeof text, "migration %u", n + 1);
        if (db_exec(db, scripts[n], text, err) < 0)
            return -(int)ERR_STATE;
    }
    snprintf(text, sizeof text, "PRAGMA user_version = %u", count);
    if (db_exec(db, text, "noting the version", err) < 0)
        return -(int)ERR_STATE;
    return check_references(db, err);
}

int migrate_run(struct db *db, const char *const *scripts, unsigned count, struct err *err)
{
    int64_t version = 0;
    int rc = read_version(db, &version, err);

    if (rc < 0)
        return rc;
    if (version < 0 || version > count) {
        err_set(err, ERR_STATE, "install the salottod that wrote it, or restore a backup from before",
                "%s is from a newer version (its schema is %lld, this program knows up to %u)", db_path(db),
                (long long)version, count);
        return -(int)ERR_STATE;
    }
    if (version == count)
        return 0;
    rc = db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = run_missing(db, scripts, (unsigned)version, count, err);
    if (rc == 0)
        rc = db_commit(db, err);
    if (rc < 0)
        db_rollback(db);
    return rc;
}
