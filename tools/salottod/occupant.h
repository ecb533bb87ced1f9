/* occupant.h - a person as a live room knows them, present or not
 *
 * seat.c brings them in and out, stage.c up and down, acts.c changes their standing. main only.
 */
#ifndef SALOTTO_SALOTTOD_OCCUPANT_H
#define SALOTTO_SALOTTOD_OCCUPANT_H

#include "mixer/strip.h"
#include "storage/members.h"
#include "tools/salottod/errand.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct live_room;
struct session;

struct occupant {
    LIST_ENTRY(occupant) next;
    struct live_room *room;
    struct member standing;
    struct session *session; /* NULL: absent */
    bool banned;             /* since the room is live: a join that the database let in before is refused */
    bool muted_self;
    bool hand;
    uint64_t hand_ns;                    /* when it was raised */
    uint64_t here_ns;                    /* when they came in */
    struct strip *strip;                 /* NULL: not on stage */
    struct strip_release *strip_release; /* what leaving the stage and the seat will need */
    struct seat_release *seat_release;
    unsigned slot;
    /* When the last act on each was carried out ahead of its commit, by server.acts. What the database was asked before
     * is older: a grant is not carried out then, and a join goes by what stands here. */
    uint64_t role_taken, voice_taken, levelled, shut_out;
};

struct occupant *occupant_by_id(struct live_room *r, int64_t person);
struct occupant *occupant_by_key(struct live_room *r, const uint8_t key[32]);

/* By the whole handle. (Key prefixes are looked up in the database: among those present alone, one could be taken for
 * somebody else's handle.) */
struct occupant *occupant_by_handle(struct live_room *r, const char *handle);

/* The one of that standing, made if the room did not know them; its standing is brought up to date. NULL: no memory. */
struct occupant *occupant_know(struct live_room *r, const struct member *m);

/* Forgets who is absent and has no standing. */
void occupant_forget(struct occupant *o);

/* The time, by server.acts, of an act on them that is being carried out. */
uint64_t occupant_next_act(struct occupant *o);

bool occupant_is_muted(const struct occupant *o);
bool occupant_is_speaking(const struct occupant *o);

/* What events and `who` show of them: handle, key, role, strip, muted, muted_by_moderator, speaking. A new reference.
 */
json_t *occupant_json(const struct occupant *o);

/* --- seat.c */

/* Sits a session down: tape, outlet, udp-in, and the stage when their role has one. The errand waits for the threads.
 * On failure nothing is left behind. */
int seat_take(struct live_room *r, struct session *s, const struct member *m, enum stream stream, struct errand *e,
              struct err *err);

/* Takes them out at once; the errand (or NULL) arrives when no thread serves them any more. The occupant may be gone
 * after it. */
void seat_leave(struct occupant *o, struct errand *e);

/* Tunes to another tier. */
int seat_tune(struct occupant *o, enum stream stream, struct errand *e, struct err *err);

/* --- stage.c */

/* On stage, with a strip; ERR_DENIED when it is full. */
int stage_enter(struct occupant *o, struct errand *e, struct err *err);

/* Off it; the errand arrives when the strip is freed. With `leaving` the session's entry at its outlet goes first and
 * altogether, so that not one more packet is sent; without, the own stream ends with its handover. */
void stage_leave(struct occupant *o, bool leaving, struct errand *e);

/* Brings the strip to what the flags say (muted or not), or the fader. */
void stage_mute(struct occupant *o, struct errand *e);
void stage_fader(struct occupant *o, struct errand *e);

#endif
