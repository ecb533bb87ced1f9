/* query.c - one use of a prepared statement (see query.h) */
#include "storage/query.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void check(struct query *q, int rc)
{
    if (rc != SQLITE_OK)
        q->code = db_fail(q->db, q->err, q->doing);
}

void query_begin(struct query *q, struct db *db, const char *doing, const char *sql, struct err *err)
{
    *q = (struct query){.db = db, .doing = doing, .err = err};
    q->statement = db_statement(db, sql, err);
    if (q->statement == NULL)
        q->code = -(int)ERR_STATE;
}

void query_int(struct query *q, int64_t value)
{
    if (q->code == 0)
        check(q, sqlite3_bind_int64(q->statement, ++q->bound, value));
}

void query_id(struct query *q, int64_t id)
{
    if (id != 0)
        query_int(q, id);
    else if (q->code == 0)
        check(q, sqlite3_bind_null(q->statement, ++q->bound));
}

void query_real(struct query *q, double value)
{
    if (q->code == 0)
        check(q, sqlite3_bind_double(q->statement, ++q->bound, value));
}

void query_text(struct query *q, const char *text)
{
    if (q->code == 0)
        check(q, sqlite3_bind_text64(q->statement, ++q->bound, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8));
}

void query_blob(struct query *q, const void *bytes, size_t len)
{
    if (q->code == 0)
        check(q, sqlite3_bind_blob64(q->statement, ++q->bound, bytes, len, SQLITE_STATIC));
}

bool query_row(struct query *q)
{
    int rc;

    if (q->code != 0)
        return false;
    rc = sqlite3_step(q->statement);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        check(q, rc);
    return rc == SQLITE_ROW;
}

void query_copy_text(struct query *q, int column, char *out, size_t max)
{
    const unsigned char *text = sqlite3_column_text(q->statement, column);
    int bytes = sqlite3_column_bytes(q->statement, column);
    size_t len = text != NULL && bytes > 0 ? (size_t)bytes : 0;

    if (text != NULL && len >= max) {
        len = max - 1;
        while (len > 0 &&
               (text[len] & 0xc0) == 0x80) /* the first byte left out continues a character: drop all of it */
            len--;
    }
    if (len > 0)
        memcpy(out, text, len);
    out[len] = '\0';
    err_plain(out); /* somebody may have been in the file by hand */
}

void query_copy_blob(struct query *q, int column, void *out, size_t len)
{
    const void *blob = sqlite3_column_blob(q->statement, column);

    if (blob != NULL && sqlite3_column_bytes(q->statement, column) == (int)len)
        memcpy(out, blob, len);
    else if (q->code == 0)
        q->code = err_set(q->err, ERR_STATE, "restore the database from a backup", "%s: a value of the wrong length",
                          err_words(q->doing));
}

void *query_grow(struct query *q, void *rows, size_t count, size_t row_bytes)
{
    void *more = rows;

    if ((count & (count - 1)) != 0) /* capacity is 1, then the powers of two: full only at those */
        return rows;
    if (count <= SIZE_MAX / 2 / row_bytes)
        more = realloc(rows, (count == 0 ? 1 : 2 * count) * row_bytes);
    else
        more = NULL;
    if (more == NULL)
        q->code = err_set(q->err, ERR_INTERNAL, NULL, "%s: out of memory", err_words(q->doing));
    return more;
}

int query_end(struct query *q)
{
    if (q->statement != NULL) {
        /* Both return the failure that was already seen at sqlite3_step(), or nothing. */
        sqlite3_reset(q->statement);
        sqlite3_clear_bindings(q->statement);
    }
    return q->code;
}

int query_run(struct query *q)
{
    while (query_row(q))
        ;
    return query_end(q);
}
