/* audit.c - who did what to whom, when and why: append-only and hash-chained (see audit.h)
 *
 * A row's hash is SHA-256 over these 184 bytes, integers big-endian, texts filled up with zeros:
 *
 *     at   bytes
 *      0   32     hash of the row before; zeros for the first
 *     32    8     number: 1, 2, 3 … without a gap
 *     40    8     at_ms
 *     48    8     room
 *     56    8     actor
 *     64    8     target
 *     72   24     act
 *     96   24     detail
 *    120   32     personal: SHA-256(salt, 32 bytes ‖ text)
 *    152   32     "salotto audit 1", so that nothing else that is hashed or signed can be taken for a row
 *
 * What the chain alone cannot show is that the newest rows are missing. SQLite's own count of the numbers given out
 * shows it for a careless hand; against a careful one there is the head, which the server signs and others keep.
 */
#include "storage/audit.h"
#include "storage/query.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define HASH_BYTES  32
#define SALT_BYTES  32
#define ROW_BYTES   184
#define COLUMNS     "a.number, a.at_ms, a.room, a.actor, a.target, a.act, a.detail, a.personal"
#define FROM_BACKUP ERR_TEXT("somebody or something changed the database: compare it with a backup")

struct chain_row {
    int64_t number, at_ms, room, actor, target;
    char act[AUDIT_ACT_MAX + 1], detail[AUDIT_ACT_MAX + 1];
    uint8_t personal[HASH_BYTES];
};

static void put_int(uint8_t *at, int64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
}

static void hash_row(uint8_t hash[HASH_BYTES], const uint8_t before[HASH_BYTES], const struct chain_row *r)
{
    static const char kind[] = "salotto audit 1";
    uint8_t row[ROW_BYTES] = {0};

    memcpy(row, before, HASH_BYTES);
    put_int(row + 32, r->number);
    put_int(row + 40, r->at_ms);
    put_int(row + 48, r->room);
    put_int(row + 56, r->actor);
    put_int(row + 64, r->target);
    memcpy(row + 72, r->act, strlen(r->act));
    memcpy(row + 96, r->detail, strlen(r->detail));
    memcpy(row + 120, r->personal, HASH_BYTES);
    memcpy(row + 152, kind, sizeof kind);
    crypto_hash_sha256(hash, row, sizeof row);
}

static void hash_personal(uint8_t hash[HASH_BYTES], const uint8_t salt[SALT_BYTES], const void *text, size_t len)
{
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, salt, SALT_BYTES);
    crypto_hash_sha256_update(&state, text, len);
    crypto_hash_sha256_final(&state, hash);
}

/* The newest row's number and hash; zeros in an empty audit. */
static int read_head(struct db *db, int64_t *number, uint8_t hash[HASH_BYTES], struct err *err)
{
    struct query q;

    *number = 0;
    memset(hash, 0, HASH_BYTES);
    query_begin(&q, db, "reading the audit's head", "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1", err);
    if (query_row(&q)) {
        *number = sqlite3_column_int64(q.statement, 0);
        query_copy_blob(&q, 1, hash, HASH_BYTES);
    }
    return query_end(&q);
}

static int insert(struct db *db, const struct chain_row *r, const uint8_t hash[HASH_BYTES], struct err *err)
{
    struct query q;

    query_begin(&q, db, "writing the audit",
                "INSERT INTO audit (number, at_ms, room, actor, target, act, detail, personal, hash)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                err);
    query_int(&q, r->number);
    query_int(&q, r->at_ms);
    query_int(&q, r->room);
    query_int(&q, r->actor);
    query_int(&q, r->target);
    query_text(&q, r->act);
    query_text(&q, r->detail);
    query_blob(&q, r->personal, HASH_BYTES);
    query_blob(&q, hash, HASH_BYTES);
    return query_run(&q);
}

static int insert_text(struct db *db, int64_t number, const uint8_t salt[SALT_BYTES], const char *text, struct err *err)
{
    struct query q;

    query_begin(&q, db, "writing the audit", "INSERT INTO audit_text (number, salt, text) VALUES (?, ?, ?)", err);
    query_int(&q, number);
    query_blob(&q, salt, SALT_BYTES);
    query_text(&q, text);
    return query_run(&q);
}

int audit_append(struct db *db, int64_t room, const char *act, int64_t actor, int64_t target, const char *detail,
                 const char *why, struct err *err)
{
    struct chain_row r = {.at_ms = db_now_ms(), .room = room, .actor = actor, .target = target};
    uint8_t before[HASH_BYTES], hash[HASH_BYTES], salt[SALT_BYTES];
    int rc;

    detail = detail != NULL ? detail : "";
    why = why != NULL ? why : "";
    if (strlen(act) > AUDIT_ACT_MAX || strlen(detail) > AUDIT_ACT_MAX || strlen(why) > AUDIT_TEXT_MAX)
        return err_set(err, ERR_USAGE, "shorten it",
                       "too long for the audit: act and detail have at most %d bytes, a reason %d", AUDIT_ACT_MAX,
                       AUDIT_TEXT_MAX);
    memcpy(r.act, act, strlen(act));
    memcpy(r.detail, detail, strlen(detail));
    /* A row without reason has a salted empty one, so that an erased row looks no different. */
    randombytes_buf(salt, sizeof salt);
    hash_personal(r.personal, salt, why, strlen(why));
    rc = read_head(db, &r.number, before, err);
    if (rc < 0)
        return rc;
    r.number++;
    hash_row(hash, before, &r);
    rc = insert(db, &r, hash, err);
    return rc < 0 ? rc : insert_text(db, r.number, salt, why, err);
}

static void read_row(struct query *q, struct audit_row *out)
{
    *out = (struct audit_row){
        .number = sqlite3_column_int64(q->statement, 0),
        .at_ms = sqlite3_column_int64(q->statement, 1),
    };
    query_copy_text(q, 2, out->act, sizeof out->act);
    query_copy_text(q, 3, out->actor, sizeof out->actor);
    query_copy_text(q, 4, out->target, sizeof out->target);
    query_copy_text(q, 5, out->detail, sizeof out->detail);
    query_copy_text(q, 6, out->why, sizeof out->why);
}

int audit_list(struct db *db, int64_t room, unsigned limit, struct audit_row **rows, size_t *count, struct err *err)
{
    struct audit_row *list = NULL;
    struct query q;
    size_t n = 0;

    /* Somebody who is no longer in the database is shown by their number. */
    query_begin(&q, db, "reading the audit",
                "SELECT a.number, a.at_ms, a.act,"
                " iif(a.actor = 0, 'operator', coalesce(actor.handle, '#' || a.actor)),"
                " iif(a.target = 0, '', coalesce(target.handle, '#' || a.target)), a.detail, coalesce(t.text, '')"
                " FROM (SELECT * FROM audit WHERE room = ? ORDER BY number DESC LIMIT ?) a"
                " LEFT JOIN person actor ON actor.id = a.actor LEFT JOIN person target ON target.id = a.target"
                " LEFT JOIN audit_text t ON t.number = a.number ORDER BY a.number",
                err);
    query_int(&q, room);
    query_int(&q, limit);
    while (query_row(&q)) {
        struct audit_row *more = query_grow(&q, list, n, sizeof *list);

        if (more == NULL)
            break;
        list = more;
        read_row(&q, &list[n++]);
    }
    if (query_end(&q) < 0) {
        free(list);
        return q.code;
    }
    *rows = list;
    *count = n;
    return 0;
}

/* One text column into a field of the hashed row. A longer one, or one with a NUL inside, was not written by us. */
static bool read_field(struct query *q, int column, char out[AUDIT_ACT_MAX + 1])
{
    query_copy_text(q, column, out, AUDIT_ACT_MAX + 1);
    return sqlite3_column_bytes(q->statement, column) == (int)strlen(out);
}

/* Does the row that q is at follow the one before? *number and hash become its own. NULL, or what is wrong with it. */
static const char *check_row(struct query *q, int64_t *number, uint8_t hash[HASH_BYTES])
{
    struct chain_row r = {
        .number = sqlite3_column_int64(q->statement, 0),
        .at_ms = sqlite3_column_int64(q->statement, 1),
        .room = sqlite3_column_int64(q->statement, 2),
        .actor = sqlite3_column_int64(q->statement, 3),
        .target = sqlite3_column_int64(q->statement, 4),
    };
    uint8_t stored[HASH_BYTES], salt[SALT_BYTES], personal[HASH_BYTES];
    bool erased = sqlite3_column_type(q->statement, 9) == SQLITE_NULL;

    *number += 1;
    if (r.number != *number)
        return ERR_TEXT("is missing");
    if (!read_field(q, 5, r.act) || !read_field(q, 6, r.detail))
        return ERR_TEXT("was changed");
    query_copy_blob(q, 7, r.personal, HASH_BYTES);
    query_copy_blob(q, 8, stored, HASH_BYTES);
    if (!erased)
        query_copy_blob(q, 9, salt, SALT_BYTES);
    if (q->code != 0)
        return ERR_TEXT("was changed");
    hash_row(hash, hash, &r);
    if (memcmp(hash, stored, HASH_BYTES) != 0)
        return ERR_TEXT("was changed, or follows another row than before");
    if (erased)
        return NULL;
    hash_personal(personal, salt, sqlite3_column_text(q->statement, 10),
                  (size_t)sqlite3_column_bytes(q->statement, 10));
    return memcmp(personal, r.personal, HASH_BYTES) != 0 ? ERR_TEXT("has another text than was written") : NULL;
}

/* The highest number ever given out. */
static int read_sequence(struct db *db, int64_t *highest, struct err *err)
{
    struct query q;

    *highest = 0;
    query_begin(&q, db, "verifying the audit", "SELECT seq FROM sqlite_sequence WHERE name = 'audit'", err);
    if (query_row(&q))
        *highest = sqlite3_column_int64(q.statement, 0);
    return query_end(&q);
}

int audit_verify(struct db *db, int64_t *head_number, uint8_t head_hash[32], struct err *err)
{
    const char *wrong = NULL;
    uint8_t hash[HASH_BYTES] = {0};
    int64_t number = 0, highest;
    struct query q;

    query_begin(&q, db, "verifying the audit",
                "SELECT " COLUMNS ", a.hash, t.salt, t.text FROM audit a LEFT JOIN audit_text t ON t.number = a.number"
                " ORDER BY a.number",
                err);
    while (wrong == NULL && query_row(&q))
        wrong = check_row(&q, &number, hash);
    if (query_end(&q) < 0 && wrong == NULL)
        return q.code;
    if (wrong == NULL) {
        int rc = read_sequence(db, &highest, err);

        if (rc < 0)
            return rc;
        if (highest > number) {
            number++;
            wrong = ERR_TEXT("is missing");
        }
    }
    if (wrong != NULL)
        return err_set(err, ERR_STATE, FROM_BACKUP, "%s: audit row %lld %s", db_path(db), (long long)number,
                       err_words(wrong));
    *head_number = number;
    memcpy(head_hash, hash, HASH_BYTES);
    return 0;
}
