/* people.c - persons: a public key and the handle it goes by (see people.h) */
#include "storage/people.h"
#include "storage/nearest.h"
#include "storage/query.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define KEY_TEXT_BYTES   44 /* 32 bytes in base64url and NUL */
#define GUEST_LETTERS    8
#define PREFIX_MIN       4
#define SUGGESTIONS_MAX  99
#define CANDIDATES_NAMED 4

static void key_text(char out[KEY_TEXT_BYTES], const uint8_t key[32])
{
    sodium_bin2base64(out, KEY_TEXT_BYTES, key, 32, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void people_read(struct query *q, int column, struct person *out)
{
    *out = (struct person){.id = sqlite3_column_int64(q->statement, column)};
    query_copy_blob(q, column + 1, out->key, sizeof out->key);
    query_copy_text(q, column + 2, out->handle, sizeof out->handle);
}

/* 1 and *out, 0 when there is none, or a negative code. */
static int one_person(struct query *q, struct person *out)
{
    int found = 0, code;

    if (query_row(q)) {
        people_read(q, 0, out);
        found = 1;
    }
    code = query_end(q);
    return code < 0 ? code : found;
}

static int look_up_key(struct db *db, const uint8_t key[32], struct person *out, struct err *err)
{
    struct query q;

    query_begin(&q, db, "looking up a key", "SELECT id, key, handle FROM person WHERE key = ?", err);
    query_blob(&q, key, 32);
    return one_person(&q, out);
}

static int look_up_handle(struct db *db, const char *handle, struct person *out, struct err *err)
{
    struct query q;

    query_begin(&q, db, "looking up a handle", "SELECT id, key, handle FROM person WHERE handle = ?", err);
    query_text(&q, handle);
    return one_person(&q, out);
}

/* The first of anna2, anna3 … that nobody has; empty when all are taken. 0 or a negative code. */
static int suggest(struct db *db, const char *taken, char out[PERSON_HANDLE_MAX + 1], struct err *err)
{
    struct person holder;
    size_t stem = strlen(taken);
    int found = 1;

    while (stem > 1 && taken[stem - 1] >= '0' && taken[stem - 1] <= '9')
        stem--;
    for (unsigned n = 2; n <= SUGGESTIONS_MAX && found == 1; n++) {
        size_t room = PERSON_HANDLE_MAX - (n < 10 ? 1 : 2);

        snprintf(out, PERSON_HANDLE_MAX + 1, "%.*s%u", (int)(stem < room ? stem : room), taken, n);
        found = look_up_handle(db, out, &holder, err);
    }
    if (found != 0)
        out[0] = '\0';
    return found < 0 ? found : 0;
}

static int refuse_taken(struct db *db, const char *handle, struct err *err)
{
    char free_one[PERSON_HANDLE_MAX + 1] = "";
    int rc = suggest(db, handle, free_one, err);

    if (rc < 0)
        return rc;
    err_set(err, ERR_DENIED, "choose another one with --handle", "the handle %s belongs to somebody else", handle);
    if (free_one[0] != '\0')
        err_mend(err, "choose another one, for instance --handle %s", free_one);
    return -(int)ERR_DENIED;
}

/* "guest-" and the first letters and digits of the key's text; numbered in the unlikely case that it is taken. */
static int guest_handle(struct db *db, const uint8_t key[32], char out[PERSON_HANDLE_MAX + 1], struct err *err)
{
    char text[KEY_TEXT_BYTES];
    struct person holder;
    size_t len = (size_t)snprintf(out, PERSON_HANDLE_MAX + 1, "guest-");
    int found;

    key_text(text, key);
    for (size_t i = 0, taken = 0; text[i] != '\0' && taken < GUEST_LETTERS; i++) {
        char c = text[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            out[len++] = c;
            taken++;
        }
    }
    out[len] = '\0';
    found = look_up_handle(db, out, &holder, err);
    if (found == 1) {
        char taken[PERSON_HANDLE_MAX + 1];

        memcpy(taken, out, sizeof taken);
        found = suggest(db, taken, out, err);
        if (found == 0 && out[0] == '\0')
            return refuse_taken(db, taken, err);
    }
    return found;
}

static int insert(struct db *db, struct person *p, struct err *err)
{
    struct query q;

    query_begin(&q, db, "adding a person", "INSERT INTO person (key, handle, since_ms) VALUES (?, ?, ?) RETURNING id",
                err);
    query_blob(&q, p->key, sizeof p->key);
    query_text(&q, p->handle);
    query_int(&q, db_now_ms());
    while (query_row(&q))
        p->id = sqlite3_column_int64(q.statement, 0);
    return query_end(&q);
}

static int rename_to(struct db *db, struct person *p, const char *handle, struct err *err)
{
    struct query q;

    query_begin(&q, db, "changing a handle", "UPDATE person SET handle = ? WHERE id = ?", err);
    query_text(&q, handle);
    query_int(&q, p->id);
    if (query_run(&q) < 0)
        return q.code;
    snprintf(p->handle, sizeof p->handle, "%s", handle);
    return 0;
}

int people_enter(struct db *db, const uint8_t key[32], const char *handle, struct person *out, struct err *err)
{
    struct person me, holder;
    int known, taken;

    if (strlen(handle) > PERSON_HANDLE_MAX)
        return err_set(err, ERR_USAGE, "shorten it", "a handle has at most %d letters", PERSON_HANDLE_MAX);
    known = look_up_key(db, key, &me, err);
    if (known < 0)
        return known;
    if (known == 0) {
        me = (struct person){0};
        memcpy(me.key, key, sizeof me.key);
    }
    if (handle[0] == '\0' || (known && strcmp(handle, me.handle) == 0)) {
        int rc = known ? 0 : guest_handle(db, key, me.handle, err);

        if (rc == 0 && !known)
            rc = insert(db, &me, err);
        if (rc == 0)
            *out = me;
        return rc;
    }
    taken = look_up_handle(db, handle, &holder, err);
    if (taken == 1)
        taken = refuse_taken(db, handle, err);
    if (taken == 0 && known) {
        taken = rename_to(db, &me, handle, err);
    } else if (taken == 0) {
        snprintf(me.handle, sizeof me.handle, "%s", handle);
        taken = insert(db, &me, err);
    }
    if (taken == 0)
        *out = me;
    return taken;
}

int people_by_key(struct db *db, const uint8_t key[32], struct person *out, struct err *err)
{
    int found = look_up_key(db, key, out, err);

    if (found != 0)
        return found < 0 ? found : 0;
    return err_set(err, ERR_NOT_FOUND, NULL, "nobody here has that key");
}

static int letter_bits(char c)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = c != '\0' ? strchr(letters, c) : NULL;

    return at != NULL ? (int)(at - letters) : -1;
}

/* The lowest and the highest key whose text begins with `prefix` (6 bits a letter). False when no key's does. */
static bool key_range(const char *prefix, uint8_t low[32], uint8_t high[32])
{
    size_t len = strlen(prefix);

    if (len < PREFIX_MIN || len >= KEY_TEXT_BYTES)
        return false;
    memset(low, 0x00, 32);
    memset(high, 0xff, 32);
    for (size_t bit = 0; bit < 6 * len; bit++) {
        int letter = letter_bits(prefix[bit / 6]);
        bool set = letter >= 0 && (letter >> (5 - bit % 6) & 1) != 0;

        if (letter < 0 || (bit >= 256 && set)) /* the 43rd letter has two bits to spare, always 0 */
            return false;
        if (bit < 256 && set)
            low[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        else if (bit < 256)
            high[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    }
    return true;
}

/* By prefix: 1 and *out, 0 when there is none, ERR_USAGE when there are several. */
static int look_up_prefix(struct db *db, const char *prefix, struct person *out, struct err *err)
{
    char names[CANDIDATES_NAMED * (PERSON_HANDLE_MAX + 3) + 16] = "";
    uint8_t low[32], high[32];
    struct person other;
    struct query q;
    size_t used = 0;
    int found = 0;

    if (!key_range(prefix, low, high))
        return 0;
    query_begin(&q, db, "looking up a key",
                "SELECT id, key, handle FROM person WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?", err);
    query_blob(&q, low, sizeof low);
    query_blob(&q, high, sizeof high);
    query_int(&q, CANDIDATES_NAMED + 1);
    while (query_row(&q)) {
        people_read(&q, 0, found == 0 ? out : &other);
        if (++found <= CANDIDATES_NAMED)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", found > 1 ? ", " : "",
                                     found == 1 ? out->handle : other.handle);
        else
            snprintf(names + used, sizeof names - used, "%s", err_words(ERR_TEXT(" and others")));
    }
    if (query_end(&q) < 0 || found <= 1)
        return q.code < 0 ? q.code : found;
    return err_set(err, ERR_USAGE, "use the handle, or more of the key", "%s fits several: %s", prefix, names);
}

static int refuse_unknown(struct db *db, const char *wanted, struct err *err)
{
    struct nearest near;
    struct query q;

    nearest_init(&near, wanted);
    query_begin(&q, db, "looking up handles", "SELECT handle FROM person WHERE length(handle) BETWEEN ? AND ?", err);
    query_int(&q, (int64_t)near.wanted_bytes - (int64_t)near.limit);
    query_int(&q, (int64_t)near.wanted_bytes + (int64_t)near.limit);
    while (query_row(&q)) {
        char handle[PERSON_HANDLE_MAX + 1];

        query_copy_text(&q, 0, handle, sizeof handle);
        nearest_offer(&near, handle);
    }
    if (query_end(&q) < 0)
        return q.code;
    err_set(err, ERR_NOT_FOUND, "name them by handle, or by the first letters of their key (four at least)",
            "there is nobody called %s", wanted);
    if (near.name[0] != '\0')
        err_mend(err, "did you mean '%s'?", near.name);
    return -(int)ERR_NOT_FOUND;
}

int people_find(struct db *db, const char *handle_or_key, struct person *out, struct err *err)
{
    int found = look_up_handle(db, handle_or_key, out, err);

    if (found == 0)
        found = look_up_prefix(db, handle_or_key, out, err);
    if (found == 0)
        return refuse_unknown(db, handle_or_key, err);
    return found < 0 ? found : 0;
}
