/* fanout_parts.h - what the two files of a fan-out share: fanout.c (who listens), fanout_send.c (sending)
 *
 * Nobody else includes this.
 */
#ifndef SALOTTO_NET_FANOUT_PARTS_H
#define SALOTTO_NET_FANOUT_PARTS_H

#include "net/batch.h"
#include "net/fanout.h"
#include "net/id_table.h"
#include "net/room_keys.h"

#include <sys/queue.h>

enum listener_state {
    LISTENER_WAITING,  /* for its address to be proven */
    LISTENER_CATCHING, /* gets the past, on its own cursor */
    LISTENER_CURRENT,  /* in its group's `current` */
};

struct listener {
    union address to;
    uint8_t tag_key[SEAL_TAG_KEY_BYTES];
    int8_t slot; /* the strip whose bit in own_strips means this listener; -1: not on stage */
    uint8_t state;
    uint32_t session, room;
    uint32_t index;              /* in the group's `current` */
    struct group *group;         /* NULL: tuned to nothing */
    uint64_t next;               /* packet of the group's tape, while catching up */
    const struct tape *own_tape; /* while on stage, or NULL */
    uint64_t own_next;
    uint8_t own_key[SEAL_KEY_BYTES];
    TAILQ_ENTRY(listener) catching;
    LIST_ENTRY(listener) on_stage;
};

/* All who listen to one tape. */
struct group {
    const struct tape *tape;
    enum stream stream;
    uint32_t room;
    uint32_t members;     /* in any state */
    uint32_t n, room_for; /* of `current`; there is always room for all members */
    struct listener **current;
    uint64_t cursor; /* the packet that is next (or in flight) for those who are current */
    bool in_flight, has_key;
    uint32_t at;         /* in flight: the next of `current` to send to */
    uint32_t own_strips; /* of the packet in flight */
    uint64_t key_epoch;
    uint8_t key[SEAL_KEY_BYTES]; /* of this stream in that epoch */
    struct sealed sealed;        /* the packet in flight */
    LIST_ENTRY(group) all;
};

struct fanout {
    int fd;
    struct outlet_stats *stats;
    struct id_table sessions, groups; /* groups by their tape's address */
    struct room_keys keys;
    LIST_HEAD(, group) all;
    LIST_HEAD(, listener) on_stage;
    TAILQ_HEAD(, listener) catching;
    struct batch batch;
    struct tape_packet packet;
    struct sealed sealed;          /* the last packet that somebody caught up on, or a talker's own */
    const struct group *sealed_of; /* NULL: nobody's any more */
    uint64_t sealed_number;
    uint32_t sealed_own_strips;
};

/* Where somebody who comes now begins: 240 ms before the newest packet. */
uint64_t fanout_recent(struct fanout *f, const struct tape *t);

/* Sends what is new of one talker's own stream, at most `max` packets. False when there was nothing. */
bool fanout_send_own(struct fanout *f, struct listener *l, uint64_t max);

#endif
