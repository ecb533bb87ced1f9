/* members.h - who has which role in which room, who is muted, and who is banned
 *
 * One thread, inside the caller's transaction. A membership row exists for everyone whose role is above listener, or
 * whom a moderator has muted or set a fader for; a listener who only listens leaves no row. Ranks grow with power.
 */
#ifndef SALOTTO_STORAGE_MEMBERS_H
#define SALOTTO_STORAGE_MEMBERS_H

#include "storage/people.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum role { ROLE_LISTENER = 0, ROLE_SPEAKER = 1, ROLE_MODERATOR = 2, ROLE_HOST = 3, ROLE_OPERATOR = 4 };

/* "listener" … "operator"; and back, -1 when it is none. */
const char *role_name(enum role r);
int role_by_name(const char *name);

struct member {
    struct person person;
    enum role role;
    bool muted;       /* by a moderator; stays until lifted */
    float gain_db;    /* the room's fader, 0 unless set */
    int64_t since_ms; /* has had this role since */
};

/* A person's standing in a room: listener, not muted, 0 dB when there is no row. out->person is read too. */
int members_get(struct db *db, int64_t room, int64_t person, struct member *out, struct err *err);

/* Everyone with a row. *rows is malloc'd, the caller frees it. */
int members_list(struct db *db, int64_t room, struct member **rows, size_t *count, struct err *err);

int members_set_role(struct db *db, int64_t room, int64_t person, enum role role, struct err *err);
int members_set_muted(struct db *db, int64_t room, int64_t person, bool muted, struct err *err);
int members_set_gain(struct db *db, int64_t room, int64_t person, float gain_db, struct err *err);

/* Bans. set is idempotent (the first ban's author and reason stay); a ban also takes away the role. *banned in
 * bans_get; why (NULL to ignore) gets the reason, cut to 128 bytes with NUL. */
int bans_set(struct db *db, int64_t room, int64_t person, int64_t by, const char *why, struct err *err);
int bans_lift(struct db *db, int64_t room, int64_t person, bool *was_banned, struct err *err);
int bans_get(struct db *db, int64_t room, int64_t person, bool *banned, char why[128], struct err *err);
int bans_list(struct db *db, int64_t room, struct person **rows, size_t *count, struct err *err);

#endif
