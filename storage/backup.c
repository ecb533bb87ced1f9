/* backup.c - a whole copy of a database in one file (see backup.h) */
#include "storage/backup.h"
#include "storage/query.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STEP_PAGES 256 /* 1 MiB between two questions whether to go on */

/* Only copies have it, so that the schema knows nothing of it. */
#define MAKE_INFO                                                                                                      \
    "CREATE TABLE backup_info ("                                                                                       \
    " made_at_ms INTEGER NOT NULL,"                                                                                    \
    " version TEXT NOT NULL,"                                                                                          \
    " server_key BLOB CHECK (length(server_key) = 32)) STRICT"

struct progress {
    backup_go_on *go_on;
    void *arg;
};

static int make_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set(err, ERR_STATE, "look at the folder: is it there, writable, and its disk not full?",
                       "%s cannot be made: %s", path, err_reason(errno));
    return fd;
}

static int interrupted(struct err *err)
{
    return err_set(err, ERR_INTERRUPTED, "nothing was changed; type it again", "the copy was given up");
}

static int copy_pages(struct db *from, struct db *to, const struct progress *p, struct err *err)
{
    sqlite3_backup *b = sqlite3_backup_init(db_sqlite(to), "main", db_sqlite(from), "main");
    bool gave_up = false;
    int rc;

    if (b == NULL)
        return db_fail(to, err, "beginning the copy");
    do {
        rc = sqlite3_backup_step(b, STEP_PAGES);
        if (p->go_on != NULL && rc == SQLITE_OK) {
            int64_t all = sqlite3_backup_pagecount(b);

            gave_up = !p->go_on(p->arg, all - sqlite3_backup_remaining(b), all);
        }
    } while (rc == SQLITE_OK && !gave_up);
    /* A fault of either side is the copy's now. */
    if (sqlite3_backup_finish(b) != SQLITE_OK || (rc != SQLITE_DONE && !gave_up))
        return db_fail(to, err, "copying the database");
    return gave_up ? interrupted(err) : 0;
}

static int write_info(struct db *to, const struct backup_info *info, struct err *err)
{
    struct query q;
    int rc = db_exec(to, MAKE_INFO, "writing what the copy is", err);

    if (rc < 0)
        return rc;
    query_begin(&q, to, "writing what the copy is",
                "INSERT INTO backup_info (made_at_ms, version, server_key) VALUES (?, ?, ?)", err);
    query_int(&q, info->made_at_ms);
    query_text(&q, info->version);
    if (info->has_key)
        query_blob(&q, info->key, sizeof info->key);
    else
        query_id(&q, 0);
    return query_run(&q);
}

static bool ask_again(void *arg)
{
    const struct progress *p = arg;

    return p->go_on(p->arg, 0, 0);
}

/* The first page was copied with the mark of write-ahead logging; another connection is needed to see and change it. */
static int finish(const char *path, const struct backup_info *info, struct progress *p, struct err *err)
{
    struct db *copy = db_open_copy(path, err);
    int rc = copy != NULL ? db_exec(copy, "PRAGMA journal_mode = DELETE", "making it one file", err) : -(int)ERR_STATE;

    if (rc == 0 && p->go_on != NULL)
        db_ask(copy, ask_again, p);
    if (rc == 0 && info != NULL)
        rc = write_info(copy, info, err);
    if (rc == 0)
        rc = db_check(copy, false, err);
    db_close(copy);
    return rc;
}

int backup_write(struct db *from, const char *path, const struct backup_info *info, backup_go_on *go_on, void *arg,
                 struct err *err)
{
    struct progress p = {go_on, arg};
    struct db *to;
    int fd = make_file(path, err);
    int rc;

    if (fd < 0)
        return fd;
    to = db_open_copy(path, err);
    rc = to != NULL ? copy_pages(from, to, &p, err) : -(int)ERR_STATE;
    db_close(to);
    if (rc == 0)
        rc = finish(path, info, &p, err);
    if (rc == 0 && fsync(fd) != 0)
        rc = err_set(err, ERR_STATE, "look for the disk's own complaint: journalctl -k", "%s cannot be written: %s",
                     path, err_reason(errno));
    close(fd);
    if (rc < 0)
        unlink(path);
    return rc;
}

int backup_read_info(struct db *db, struct backup_info *info, struct err *err)
{
    struct query q;
    int found = 0;

    memset(info, 0, sizeof *info);
    query_begin(&q, db, "reading what the copy is", "SELECT 1 FROM sqlite_schema WHERE name = 'backup_info'", err);
    if (query_row(&q))
        found = 1;
    if (query_end(&q) < 0 || found == 0)
        return q.code;
    query_begin(&q, db, "reading what the copy is", "SELECT made_at_ms, version, server_key FROM backup_info", err);
    if (query_row(&q)) {
        info->made_at_ms = sqlite3_column_int64(q.statement, 0);
        query_copy_text(&q, 1, info->version, sizeof info->version);
        info->has_key = sqlite3_column_type(q.statement, 2) != SQLITE_NULL;
        if (info->has_key)
            query_copy_blob(&q, 2, info->key, sizeof info->key);
    }
    return query_end(&q) < 0 ? q.code : 1;
}

int backup_drop_info(struct db *db, struct err *err)
{
    return db_exec(db, "PRAGMA secure_delete = ON; DROP TABLE IF EXISTS backup_info", "taking the key out", err);
}
