/* strip.h - one speaker's channel on the desk
 *
 * Packets in, levelled sound out: jitter buffer, decoder, voice gate, fader and mute, in this order. The block also
 * holds what the speaker hears while talking: a limiter, an encoder and a tape of their own (see room.h, mix-minus).
 * main makes and frees strips; between room_command(ROOM_ADD_STRIP) and its ROOM_STRIP_RETURNED the room's thread
 * owns it.
 */
#ifndef SALOTTO_MIXER_STRIP_H
#define SALOTTO_MIXER_STRIP_H

#include "mixer/packet.h"
#include "mixer/tape.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct strip;

struct strip_config {
    uint8_t lease;             /* of the slot; packets of another lease are dropped */
    bool muted;                /* comes on stage muted */
    float fader_db;            /* -60..+12 */
    enum stream own_tier;      /* the tier whose frames and rate the own stream follows */
    uint64_t first_own_number; /* of the own stream's next packet; belongs to the session, never goes back */
    int complexity;            /* Opus, 0..10 */
};

/* Counters since strip_new(); written by the room's thread, read by any. */
struct strip_stats {
    _Atomic uint64_t received, lost, recovered, concealed, late, duplicate, stale; /* packets */
    _Atomic uint64_t first_in;  /* position when the first packet was taken from the inbox, +1; 0: none yet */
    _Atomic uint64_t first_out; /* position of the first sample of it that the bus summed, +1 */
    _Atomic uint64_t last_out;  /* position just after the last sample of it that the bus summed */
    _Atomic uint32_t delay_ms;  /* held in the jitter buffer now */
    _Atomic uint32_t highest_sequence;
    _Atomic int32_t level_cb;   /* of the last frame after decode, RMS in 0.1 dBFS */
};

/* All memory is allocated and touched here. NULL when out of memory. */
struct strip *strip_new(const struct strip_config *c);
void strip_free(struct strip *s);

/* Any thread, while the strip lives. The tape is the own stream's. */
const struct strip_stats *strip_stats(const struct strip *s);
const struct tape *strip_tape(const struct strip *s);

#endif
