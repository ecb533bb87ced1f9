/* checkup.c - is the database sound? (see checkup.h) */
#include "storage/checkup.h"
#include "storage/audit.h"
#include "storage/query.h"
#include "storage/spare.h"

#include <string.h>

int64_t checkup_count(struct db *db, const char *sql)
{
    struct query q;
    int64_t n = -1;

    query_begin(&q, db, "counting", sql, NULL);
    if (query_row(&q))
        n = sqlite3_column_int64(q.statement, 0);
    return query_end(&q) < 0 ? -1 : n;
}

static int check_references(struct db *db, struct err *err)
{
    struct query q;

    query_begin(&q, db, "checking references", "PRAGMA foreign_key_check", err);
    if (query_row(&q)) {
        q.code =
            err_set(err, ERR_STATE, NULL, "%s: row %lld of the table %s refers to a %s that is not there", db_path(db),
                    (long long)sqlite3_column_int64(q.statement, 1), (const char *)sqlite3_column_text(q.statement, 0),
                    (const char *)sqlite3_column_text(q.statement, 2));
        spare_mend(err, db_path(db));
    }
    return query_end(&q);
}

static int check_part(struct checkup *c, struct db *db, enum checkup_part part, struct err *err)
{
    switch (part) {
    case CHECKUP_PAGES:
        return db_check(db, true, err);
    case CHECKUP_REFERENCES:
        return check_references(db, err);
    case CHECKUP_AUDIT:
        break;
    }
    return audit_verify(db, &c->audit_rows, c->audit_head, err);
}

int checkup_run(struct checkup *out, struct db *db, void (*next)(void *arg, enum checkup_part part), void *arg)
{
    struct err *pages = &out->found[CHECKUP_PAGES];
    int rc, worst = 0;

    memset(out, 0, sizeof *out);
    rc = db_begin_reading(db, pages);
    if (rc < 0) {
        out->rooms = out->people = out->audit_rows = -1;
        return rc;
    }
    out->pages = checkup_count(db, "PRAGMA page_count");
    out->page_bytes = checkup_count(db, "PRAGMA page_size");
    out->free_pages = checkup_count(db, "PRAGMA freelist_count");
    for (int part = 0; part < CHECKUP_PARTS && worst != -ERR_INTERRUPTED; part++) {
        if (next != NULL)
            next(arg, (enum checkup_part)part);
        rc = check_part(out, db, (enum checkup_part)part, &out->found[part]);
        if (rc < 0)
            worst = rc;
    }
    out->rooms = checkup_count(db, "SELECT count(*) FROM room");
    out->people = checkup_count(db, "SELECT count(*) FROM person");
    if (out->found[CHECKUP_AUDIT].code != ERR_NONE)
        out->audit_rows = checkup_count(db, "SELECT count(*) FROM audit");
    db_end_reading(db);
    return worst;
}
