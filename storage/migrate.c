/* migrate.c - bring a database to the version this program knows (see migrate.h)
 *
 * The caller has foreign keys switched off, as SQLite asks of scripts that rebuild tables ("ALTER TABLE", section 7);
 * instead all references are checked at the end, still inside the transaction.
 */
#include "storage/migrate.h"
#include "storage/backup.h"
#include "storage/dbfile.h"
#include "storage/query.h"
#include "storage/spare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_BYTES 4096
#define GO_BACK        ERR_TEXT("nothing was changed: install the salottod that wrote it, and report this")

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
        q.code = err_set(err, ERR_STATE, GO_BACK, "%s: table %s would refer to what is not there", db_path(db),
                         (const char *)sqlite3_column_text(q.statement, 0));
    return query_end(&q);
}

static int run_missing(struct db *db, const char *const *scripts, unsigned from, unsigned count, struct err *err)
{
    char text[64];

    for (unsigned n = from; n < count; n++) {
        snprintf(text, sizeof text, "migration %u", n + 1);
        if (db_exec(db, scripts[n], text, err) < 0) {
            if (err != NULL && err->mend[0] == '\0')
                err_mend(err, GO_BACK);
            return -(int)ERR_STATE;
        }
    }
    snprintf(text, sizeof text, "PRAGMA user_version = %u", count);
    if (db_exec(db, text, "noting the version", err) < 0)
        return -(int)ERR_STATE;
    return check_references(db, err);
}

static int sync_folder_of(const char *path)
{
    char folder[NAME_MAX_BYTES];
    const char *slash = strrchr(path, '/');

    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1, slash == NULL ? "." : path);
    return dbfile_sync_folder(folder);
}

/* Keeps the database as it is, for who wants the old program back, or in case the new one does harm. */
static int keep_old(struct db *db, int64_t version, unsigned count, struct err *err)
{
    char name[NAME_MAX_BYTES], part[NAME_MAX_BYTES];
    struct err why = {0};
    int rc = -1;

    if (spare_upgrade_name(name, sizeof name - 5, db_path(db), version)) {
        snprintf(part, sizeof part, "%.*s" SPARE_UNFINISHED, NAME_MAX_BYTES - 5, name);
        rc = backup_write(db, part, NULL, NULL, NULL, &why);
        if (rc == 0 && (rename(part, name) != 0 || sync_folder_of(name) != 0)) {
            rc = err_set(&why, ERR_STATE, NULL, "%s: %s", name, err_reason(errno));
            unlink(part);
        }
    }
    if (rc == 0) {
        spare_prune(db_path(db));
        return 0;
    }
    err_set(err, ERR_STATE, why.mend,
            "%s stays at version %lld: before it becomes %u a copy is made, and that failed: %s", db_path(db),
            (long long)version, count, why.message);
    if (why.mend[0] == '\0')
        err_mend(err, "make the folder of %s writable, with as much free space as the file has", db_path(db));
    return -(int)ERR_STATE;
}

int migrate_run(struct db *db, const char *const *scripts, unsigned count, struct err *err)
{
    int64_t version = 0;
    int rc = read_version(db, &version, err);

    if (rc < 0)
        return rc;
    if (version < 0 || version > count) {
        char spare[NAME_MAX_BYTES];

        err_set(err, ERR_STATE,
                "install the salottod that wrote it, or restore a backup from before: salottod --restore FILE",
                "%s is from a newer version (its schema is %lld, this program knows up to %u)", db_path(db),
                (long long)version, count);
        if (spare_newest(spare, sizeof spare, db_path(db)))
            err_mend(err,
                     "install the salottod that wrote it, or go back to the newest older copy: salottod --restore %s",
                     spare);
        return -(int)ERR_STATE;
    }
    if (version == count)
        return 0;
    rc = version > 0 ? keep_old(db, version, count, err) : 0;
    if (rc == 0)
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
