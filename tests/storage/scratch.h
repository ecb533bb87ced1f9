/* scratch.h - a folder for one test program's databases, gone when it ends
 */
#ifndef SALOTTO_TESTS_STORAGE_SCRATCH_H
#define SALOTTO_TESTS_STORAGE_SCRATCH_H

#include "storage/db.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch_folder[64];
static char scratch_path[128]; /* of the database of the test that runs */

static inline void scratch_empty(void)
{
    DIR *d = opendir(scratch_folder);

    assert_non_null(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        if (e->d_name[0] != '.')
            assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
    closedir(d);
}

/* Group set-up and tear-down. */
static inline int scratch_begin(void **state)
{
    (void)state;
    snprintf(scratch_folder, sizeof scratch_folder, "/tmp/salotto-storage-XXXXXX");
    if (mkdtemp(scratch_folder) == NULL)
        return -1;
    snprintf(scratch_path, sizeof scratch_path, "%s/salotto.db", scratch_folder);
    return 0;
}

static inline int scratch_end(void **state)
{
    (void)state;
    scratch_empty();
    return rmdir(scratch_folder);
}

/* Test set-up: an empty folder. */
static inline int scratch_fresh(void **state)
{
    (void)state;
    scratch_empty();
    return 0;
}

static inline struct db *scratch_open(void)
{
    struct err err = {0};
    struct db *db = db_open(scratch_path, &err);

    if (db == NULL)
        fail_msg("%s", err.message);
    return db;
}

/* Test set-up and tear-down with an open database in *state. */
static inline int scratch_db(void **state)
{
    scratch_empty();
    *state = scratch_open();
    return 0;
}

static inline int scratch_close(void **state)
{
    db_close(*state);
    return 0;
}

/* The first column of the first row of a static text, -1 when there is none. */
static inline int64_t scratch_number(struct db *db, const char *sql)
{
    sqlite3_stmt *s = db_statement(db, sql, NULL);
    int64_t n = -1;

    assert_non_null(s);
    if (sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return n;
}

static inline void scratch_exec(struct db *db, const char *sql)
{
    struct err err = {0};

    if (db_exec(db, sql, "test", &err) != 0)
        fail_msg("%s", err.message);
}

#endif
