/* acts.h - what changes someone's standing in a live room, carried out at once
 *
 * The live room and the threads follow; what the database must know is the caller's. Each act tells those whom it
 * concerns. by: the actor's handle, why: their reason (may be NULL). The errand (or NULL) waits for the threads. main
 * only.
 */
#ifndef SALOTTO_SALOTTOD_ACTS_H
#define SALOTTO_SALOTTOD_ACTS_H

#include "storage/members.h"
#include "tools/salottod/errand.h"

#include <stdbool.h>

struct live_room;
struct occupant;

void acts_hand(struct occupant *o, bool up);

/* Tells one person their role, place and mutes as they are now. */
void acts_tell_role(struct occupant *o, const char *by, const char *why);

/* A new role: onto the stage or off it, or neither. */
void acts_role(struct occupant *o, enum role role, const char *by, const char *why, struct errand *e);

/* The two mutes as they shall be from now on. */
void acts_mute(struct occupant *o, bool by_moderator, bool by_self, const char *by, const char *why, struct errand *e);

void acts_gain(struct occupant *o, float gain_db, struct errand *e);

/* Out: reason as in the event `sent_away`. With rekey the others get a new epoch key, so that not even an overheard
 * packet can be read. The occupant may be gone after it. */
void acts_send_away(struct occupant *o, const char *reason, const char *by, const char *why, bool rekey,
                    struct errand *e);

/* Everybody out and the room closed; nobody comes in meanwhile. */
void acts_end(struct live_room *r, const char *by, const char *why, struct errand *e);

#endif
