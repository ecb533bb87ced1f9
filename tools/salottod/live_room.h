/* live_room.h - a room that someone is in: its mixer, tiers, keys and the people it knows
 *
 * Made when the first person comes in, gone a grace time after the last has left. It knows everyone present and
 * everyone with a standing in the room (role above listener, muted, fader), so no act on someone present waits for the
 * database. main only.
 */
#ifndef SALOTTO_SALOTTOD_LIVE_ROOM_H
#define SALOTTO_SALOTTOD_LIVE_ROOM_H

#include "mixer/room.h"
#include "storage/members.h"
#include "storage/rooms.h"
#include "tools/salottod/epoch.h"
#include "tools/salottod/events.h"
#include "tools/salottod/server.h"
#include "tools/salottod/watchdog.h"

#include <stdbool.h>
#include <sys/queue.h>

struct event;
struct occupant;

LIST_HEAD(occupants, occupant);

struct live_tier {
    struct tier *tier; /* NULL: nobody is tuned to it */
    unsigned tuned;
    uint64_t next_number; /* of its next tape */
};

struct live_room {
    LIST_ENTRY(live_room) next;
    struct server *server;
    struct room_row row;
    uint32_t number; /* what the outlets call it; never used twice in a run */
    struct room *mixer;
    struct live_tier tier[STREAM_TIERS];
    struct epoch epoch;
    struct occupants occupants;
    struct occupant *slot[ROOM_STRIPS_MAX]; /* who holds a strip */
    uint32_t slots_taken;                   /* bit n: also while its last strip is being taken away */
    uint8_t lease[ROOM_STRIPS_MAX];
    unsigned present, subscribers;
    unsigned on_outlet[SERVER_OUTLETS_MAX];
    unsigned pending;             /* things of other threads that still point into it */
    struct waiting_orders orders; /* for the mixer, while its ring is full */
    uint32_t talking;             /* as last told */
    struct pulse pulse;           /* of the mixer's thread, as last looked at */
    struct channel room_channel, audience_channel, order_channel;
    struct event *grace;    /* after the last has left */
    struct event *counting; /* at most one head count a second */
    bool ended;          /* nobody comes in any more, and there is no grace: by command, or since it is an echo room */
    bool echo;           /* one person's, who hears themself in it (echo.h); the database knows nothing of it */
    struct event *limit; /* when it closes, whoever is in it; NULL: never */
};

/* The live room of that name (or row number), or NULL. */
struct live_room *live_room_find(struct server *s, const char *name);
struct live_room *live_room_by_id(struct server *s, int64_t id);

/* Makes it, with the people who have a standing, and starts its thread. NULL with err. */
struct live_room *live_room_open(struct server *s, const struct room_row *row, const struct member *members,
                                 size_t count, struct err *err);

/* Called when a person has left or a pending thing is over: starts the grace time when nothing is left. */
void live_room_rest(struct live_room *r);

/* Stops and frees it, whoever is in it. For the daemon's end. */
void live_room_close(struct live_room *r);

/* The tape of a tier, made if nobody was tuned to it yet, and counts one more (tune) or one less (untune: only when no
 * thread reads it for that person any more). NULL with err. */
const struct tape *live_room_tune(struct live_room *r, enum stream stream, struct err *err);
void live_room_untune(struct live_room *r, enum stream stream);

/* The outlet worker for one more person; counts them. live_room_off_outlet() takes them off again. */
unsigned live_room_on_outlet(struct live_room *r);
void live_room_off_outlet(struct live_room *r, unsigned outlet);

/* Tells the room who has begun or ceased to talk since the last time; takes the mixer's answers. */
void live_room_look(struct live_room *r);

/* How many hold a place on the stage, and how many are present without one. */
unsigned live_room_on_stage(const struct live_room *r);
unsigned live_room_listeners(const struct live_room *r);

/* The head count will be told within a second, to the audience and to systemd. */
void live_room_count_soon(struct live_room *r);

#endif
