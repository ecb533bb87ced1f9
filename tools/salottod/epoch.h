/* epoch.h - a room's epoch keys: made, handed out, taken into use
 *
 * The ciphertext of a room's streams is one for all, so taking the right to listen from someone means a new key for
 * everybody else. Removals within 500 ms share one change; the new key is used when all have acknowledged it, or 500 ms
 * after it was sent. main only.
 */
#ifndef SALOTTO_SALOTTOD_EPOCH_H
#define SALOTTO_SALOTTOD_EPOCH_H

#include "net/seal.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct live_room;
struct session;

struct epoch_key {
    uint64_t serial;
    uint8_t key[SEAL_KEY_BYTES];
};

struct epoch {
    struct epoch_key used;   /* what packets are sealed under; what people who come in get */
    struct epoch_key newest; /* handed out, and soon in use */
    struct event *change;    /* set: removals are being gathered */
    struct event *use;       /* set: the newest is handed out but not in use */
    unsigned unacknowledged; /* sessions that owe an acknowledgement of the newest */
};

/* The first key of a room that is being opened; in use at once. 0 or -1 (out of memory). */
int epoch_begin(struct live_room *r);
void epoch_end(struct live_room *r);

/* Somebody has lost the right to listen. */
void epoch_change(struct live_room *r);

/* Hands the newest key to someone who has just come in, if it is not in use yet. */
void epoch_catch_up(struct session *who);

/* Someone leaves: they are not waited for. */
void epoch_left(struct session *who);

/* A session has acknowledged a serial. */
void epoch_acknowledged(struct session *who, uint64_t serial);

#endif
