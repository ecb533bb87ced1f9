/* query.h - one use of a prepared statement: begin, bind, step, end
 *
 * The first failure sticks, so that it is looked at once, at the end:
 *
 *     query_begin(&q, db, "reading a room", "SELECT id FROM room WHERE name = ?", err);
 *     query_text(&q, name);
 *     while (query_row(&q))
 *         id = sqlite3_column_int64(q.statement, 0);
 *     return query_end(&q);
 *
 * query_end() always has to be called: it resets the statement, and one that is left open keeps SQLite from ever
 * emptying its log. Same thread as the db.
 */
#ifndef SALOTTO_STORAGE_QUERY_H
#define SALOTTO_STORAGE_QUERY_H

#include "storage/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct query {
    struct db *db;
    sqlite3_stmt *statement; /* columns of the row that query_row() found are read from it */
    const char *doing;
    struct err *err;
    int bound;
    int code; /* 0, or the first failure */
};

/* sql and doing are static texts. */
void query_begin(struct query *q, struct db *db, const char *doing, const char *sql, struct err *err);

/* The next parameter. Text and blob are borrowed until query_end(). query_id() binds NULL for 0, the operator. */
void query_int(struct query *q, int64_t value);
void query_id(struct query *q, int64_t id);
void query_real(struct query *q, double value);
void query_text(struct query *q, const char *text);
void query_blob(struct query *q, const void *bytes, size_t len);

/* The next row; false at the end, or on failure. */
bool query_row(struct query *q);

/* Copies a text column, cut at a whole UTF-8 character where it does not fit into max (with NUL). */
void query_copy_text(struct query *q, int column, char *out, size_t max);

/* Copies a blob column that must have that length; otherwise the query fails. */
void query_copy_blob(struct query *q, int column, void *out, size_t len);

/* A malloc'd array with room for rows[count]: the old one, or a larger one. NULL when out of memory: then the query has
 * failed and the old array is still there. */
void *query_grow(struct query *q, void *rows, size_t count, size_t row_bytes);

/* Resets the statement. 0 or the first failure's code. */
int query_end(struct query *q);

/* Steps to the end and ends: for statements that only write. */
int query_run(struct query *q);

#endif
