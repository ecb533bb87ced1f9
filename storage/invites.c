/* invites.c - tokens that let their bearer in with a role (see invites.h)
 *
 * A token is 24 random bytes, so its hash needs neither salt nor stretching, and looking it up by the hash tells
 * nothing by the time it takes.
 */
#include "storage/invites.h"
#include "storage/query.h"

#include <sodium.h>
#include <string.h>

#define TOKEN_RANDOM_BYTES 24
#define ASK_FOR_A_NEW_ONE  ERR_TEXT("ask a moderator of the room for a new invite")

struct invite {
    int64_t id, room;
    enum role role;
    bool used_up, expired;
    bool mine; /* this person has used it before */
};

static void hash_token(uint8_t hash[crypto_hash_sha256_BYTES], const char *token)
{
    crypto_hash_sha256(hash, (const unsigned char *)token, strlen(token));
}

int invites_create(struct db *db, int64_t room, enum role role, unsigned uses, int64_t expires_ms, int64_t by,
                   char token[INVITE_TOKEN_BYTES], struct err *err)
{
    uint8_t bytes[TOKEN_RANDOM_BYTES], hash[crypto_hash_sha256_BYTES];
    struct query q;

    if (role < ROLE_LISTENER || role > ROLE_HOST)
        return err_set(err, ERR_USAGE, "name one of listener, speaker, moderator, host", "%s is no role to invite to",
                       role_name(role));
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(token, INVITE_TOKEN_BYTES, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof bytes);
    hash_token(hash, token);
    query_begin(&q, db, "adding an invite",
                "INSERT INTO invite (token_hash, room, role, uses_max, expires_ms, author, created_ms)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                err);
    query_blob(&q, hash, sizeof hash);
    query_int(&q, room);
    query_int(&q, role);
    query_id(&q, uses);
    query_id(&q, expires_ms);
    query_id(&q, by);
    query_int(&q, db_now_ms());
    if (query_run(&q) < 0)
        sodium_memzero(token, INVITE_TOKEN_BYTES);
    return q.code;
}

/* 1 and *out, 0 when there is none, or a negative code. */
static int look_up(struct db *db, int64_t person, const char *token, struct invite *out, struct err *err)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    struct query q;
    int found = 0, code;

    hash_token(hash, token);
    query_begin(&q, db, "looking up an invite",
                "SELECT i.id, i.room, i.role, i.uses_max IS NOT NULL AND i.used >= i.uses_max,"
                " i.expires_ms IS NOT NULL AND i.expires_ms <= ?, u.person IS NOT NULL FROM invite i"
                " LEFT JOIN invite_use u ON u.invite = i.id AND u.person = ? WHERE i.token_hash = ?",
                err);
    query_int(&q, db_now_ms());
    query_int(&q, person);
    query_blob(&q, hash, sizeof hash);
    if (query_row(&q)) {
        found = 1;
        *out = (struct invite){
            .id = sqlite3_column_int64(q.statement, 0),
            .room = sqlite3_column_int64(q.statement, 1),
            .role = (enum role)sqlite3_column_int(q.statement, 2),
            .used_up = sqlite3_column_int(q.statement, 3) != 0,
            .expired = sqlite3_column_int(q.statement, 4) != 0,
            .mine = sqlite3_column_int(q.statement, 5) != 0,
        };
    }
    code = query_end(&q);
    return code < 0 ? code : found;
}

static int spend(struct db *db, const struct invite *invite, int64_t person, struct err *err)
{
    struct query q;

    query_begin(&q, db, "spending an invite", "INSERT INTO invite_use (invite, person, at_ms) VALUES (?, ?, ?)", err);
    query_int(&q, invite->id);
    query_int(&q, person);
    query_int(&q, db_now_ms());
    if (query_run(&q) < 0)
        return q.code;
    query_begin(&q, db, "spending an invite", "UPDATE invite SET used = used + 1 WHERE id = ?", err);
    query_int(&q, invite->id);
    return query_run(&q);
}

int invites_use(struct db *db, int64_t room, int64_t person, const char *token, enum role *role, struct err *err)
{
    struct invite invite;
    int found = look_up(db, person, token, &invite, err);
    int rc = 0;

    if (found < 0)
        return found;
    if (found == 0)
        return err_set(err, ERR_DENIED, ASK_FOR_A_NEW_ONE, "there is no such invite");
    if (invite.room != room)
        return err_set(err, ERR_DENIED, ASK_FOR_A_NEW_ONE, "this invite is for another room");
    if (!invite.mine) {
        if (invite.expired)
            return err_set(err, ERR_DENIED, ASK_FOR_A_NEW_ONE, "this invite has expired");
        if (invite.used_up)
            return err_set(err, ERR_DENIED, ASK_FOR_A_NEW_ONE, "this invite is used up");
        rc = spend(db, &invite, person, err);
    }
    if (rc == 0)
        *role = invite.role;
    return rc;
}

int invites_used_by(struct db *db, int64_t person, const char *token, bool *used, struct err *err)
{
    struct invite invite;
    int found = look_up(db, person, token, &invite, err);

    *used = found == 1 && invite.mine;
    return found < 0 ? found : 0;
}
