/* invites.h - tokens that let their bearer in with a role
 *
 * One thread, inside the caller's transaction. Only a token's SHA-256 is stored, so a copy of the database lets nobody
 * in. A use is spent once for each key: whoever has used an invite may use it again.
 */
#ifndef SALOTTO_STORAGE_INVITES_H
#define SALOTTO_STORAGE_INVITES_H

#include "storage/members.h"

#include <stdbool.h>
#include <stdint.h>

#define INVITE_TOKEN_BYTES 33 /* 24 random bytes as base64url: 32 characters and NUL */

/* A new invite; its token is written to `token`. uses 0: unlimited. expires_ms (db_now_ms() clock) 0: never. */
int invites_create(struct db *db, int64_t room, enum role role, unsigned uses, int64_t expires_ms, int64_t by,
                   char token[INVITE_TOKEN_BYTES], struct err *err);

/* Spends a use for that person: *role is the invite's. Who has used it before is let in again, also after it has
 * expired or others have used it up: a reconnecting client keeps its link. ERR_DENIED when it is for another room,
 * unknown, expired or used up; each message differs and the mend says to ask a moderator for a new one. */
int invites_use(struct db *db, int64_t room, int64_t person, const char *token, enum role *role, struct err *err);

/* Has that person used it before? Ask before invites_use(): the second time it says who may come in, but must not give
 * back a role that has been taken away since. An unknown token: no. */
int invites_used_by(struct db *db, int64_t person, const char *token, bool *used, struct err *err);

#endif
