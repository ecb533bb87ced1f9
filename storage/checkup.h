/* checkup.h - is the database sound?
 *
 * Reads all of it, so it belongs on a connection and a thread of its own (db_open_reader()): writers are not delayed.
 */
#ifndef SALOTTO_STORAGE_CHECKUP_H
#define SALOTTO_STORAGE_CHECKUP_H

#include "storage/db.h"

#include <stdint.h>

#define CHECKUP_PARTS 3

enum checkup_part {
    CHECKUP_PAGES,      /* every page, and every index against its table */
    CHECKUP_REFERENCES, /* no row refers to what is not there */
    CHECKUP_AUDIT,      /* the log's chain is whole */
};

struct checkup {
    int64_t pages, page_bytes, free_pages;
    int64_t rooms, people, audit_rows; /* -1: could not be counted */
    uint8_t audit_head[32];
    struct err found[CHECKUP_PARTS]; /* code ERR_NONE: sound. Otherwise message and mend */
};

/* Looks at one moment's state. 0 when all is sound, ERR_STATE when something is not, and another code when it was given
 * up (db_ask()): out then holds what is known. next(arg, n) is called before part n; NULL: nobody is told. */
int checkup_run(struct checkup *out, struct db *db, void (*next)(void *arg, enum checkup_part part), void *arg);

/* Rows of a table; -1 when they can't be counted. `sql` is a static text. */
int64_t checkup_count(struct db *db, const char *sql);

#endif
