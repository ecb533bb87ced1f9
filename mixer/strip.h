/* strip.h - one speaker's channel on the desk
 *
 * Packets in, levelled sound out: jitter buffer, decoder, voice gate, fader and mute, in this order. The block also
 * holds what the speaker hears while talking: a limiter, an encoder and a tape of their own (see room.h, mix-minus).
 * main makes and frees strips; between room_command(ROOM_ADD_STRIP) and the result of ROOM_REMOVE_STRIP the
 * room's thread owns it.
 */
#ifndef SALOTTO_MIXER_STRIP_H
#define SALOTTO_MIXER_STRIP_H

#include "mixer/packet.h"
#include "mixer/tape.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct strip;
struct own_mix;

struct strip_config {
    uint8_t lease;             /* of the slot; packets of another lease are dropped */
    bool muted;                /* comes on stage muted */
    float fader_db;            /* -60..+12 */
    enum stream own_tier;      /* the tier whose frames and rate the own stream follows */
    uint64_t first_own_number; /* of the own stream's next packet; belongs to the session, never goes back */
    bool hears_self;           /* has no own stream: talking, too, they hear the shared one */
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
    _Atomic int32_t level_cb; /* of the last frame after decode, RMS in 0.1 dBFS */
};

/* All memory is allocated and touched here. NULL when out of memory. */
struct strip *strip_new(const struct strip_config *c);
void strip_free(struct strip *s);

/* Any thread, while the strip lives. The tape is the own stream's; NULL: hears_self. */
const struct strip_stats *strip_stats(const struct strip *s);
const struct tape *strip_tape(const struct strip *s);

/* The rest is for the room, on its tick. `position` is that of the tick's first sample. */

/* RT_SAFE. */
uint8_t strip_lease(const struct strip *s);
struct own_mix *strip_own_mix(struct strip *s);

/* RT_SAFE. A packet out of an inbox; a muted strip drops it. 0 or an error of jitter_put(). */
int strip_offer(struct strip *s, const struct packet *p, uint64_t position);

/* RT_SAFE. Counts a packet that was too old to be offered. */
void strip_count_stale(struct strip *s);

/* RT_SAFE. Plays the strip's next 20 ms. Returns BUS_SAMPLES to be summed, valid until the next call, or NULL when
 * it adds nothing: muted, or its gate is closed. *broken grows by the packets that Opus refused.
 *
 * Only sound out of packets with PACKET_VOICE opens the gate or keeps it open: what a sender calls noise must neither
 * be heard nor keep a room awake. */
const float *strip_pull(struct strip *s, uint64_t position, uint64_t *broken);

/* RT_SAFE. What strip_pull() found. Is the gate open (and the strip not muted)? Did it open in that very tick? */
bool strip_is_talking(const struct strip *s);
bool strip_has_begun(const struct strip *s);

/* RT_SAFE. Does it hold sound with PACKET_VOICE, to be played from `position` on? No more than 500 ms after the last
 * such packet, so that what never comes to be played doesn't count for ever. */
bool strip_holds_voice(const struct strip *s, uint64_t position);

/* RT_SAFE. From the next strip_pull() on, as ramps. An unmute after a tick or more in which the strip was mute begins
 * with an empty jitter buffer and a fresh decoder, so that nothing stale is heard. */
void strip_mute(struct strip *s, bool muted);
void strip_fader(struct strip *s, float fader_db);
bool strip_is_muted(const struct strip *s);

/* RT_SAFE. Drops so much sound unheard: the room has skipped ticks, and delay that came must go again. */
void strip_skip(struct strip *s, uint64_t samples);

/* RT_SAFE. Forgets all sound that it holds: the room parks. */
void strip_rest(struct strip *s);

#endif
