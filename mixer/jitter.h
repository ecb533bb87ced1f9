/* jitter.h - when to play which packet
 *
 * Holds one source's packets between the network and the decoder, in the order of their timestamps, and decides at
 * each call whether to play the next one, recover it, conceal it, or be silent. This first form starts when
 * start_packets are there and then keeps what delay it has; the adaptive one comes behind the same calls. It also
 * starts with fewer when their sound lasts 120 ms, when the last of them announces a pause, or when jitter_take() has
 * asked for 120 ms meanwhile: nothing that was sent stays behind for the next time.
 *
 * A hole in the timestamps is silence when the sequence numbers around it are consecutive (RTP's DTX, RFC 7587
 * section 3.1.3) or the packet before it carried PACKET_PAUSE; otherwise it is loss. When nothing is there at all it
 * is loss for the first 100 ms, and after that a pause: the buffer then waits for start_packets again.
 *
 * One thread. Nothing allocates after jitter_new().
 */
#ifndef SALOTTO_MIXER_JITTER_H
#define SALOTTO_MIXER_JITTER_H

#include "mixer/packet.h"

#include <stdbool.h>
#include <stdint.h>

struct jitter;

struct jitter_config {
    unsigned start_packets; /* 1..16: wait for so many (or for 120 ms of sound) before the first is played; 3 */
    unsigned capacity;      /* packets kept at the most, a power of two, 8..256; 64 */
    unsigned max_ms;        /* sound held at the most; more is dropped, oldest first; 500 */
};

struct jitter_stats {
    uint64_t received, late, duplicate, overflow, broken, lost, recovered, concealed, restarts; /* packets */
};

enum jitter_action {
    JITTER_PLAY,    /* decode *out */
    JITTER_RECOVER, /* *samples are lost, *out is the successor: decode its in-band FEC (it stays in the buffer) */
    JITTER_CONCEAL, /* *samples are lost: Opus PLC */
    JITTER_SILENCE, /* *samples of silence by the sender's will, or because nothing plays yet */
};

struct jitter *jitter_new(const struct jitter_config *c);
void jitter_free(struct jitter *j);

/* RT_SAFE. Empty, as new; counters stay. */
void jitter_reset(struct jitter *j);

/* RT_SAFE. Offers a packet; its bytes are copied. 0, -EEXIST (duplicate), -ETIME (too late to play), -ENOBUFS (taken,
 * but the oldest was dropped to make room) or -EINVAL (no Opus packet: RFC 6716 section 3.4). All are counted. A new
 * source, or a jump of more than 5 s, starts anew. */
int jitter_put(struct jitter *j, const struct packet *p);

/* RT_SAFE. What to play next. *samples (48 kHz) is how much sound the action stands for; silence comes in pieces of at
 * most want_samples, the rest in whole packets: the caller keeps what it does not need yet and asks again when that is
 * used up. *out is written for JITTER_PLAY and JITTER_RECOVER. */
enum jitter_action jitter_take(struct jitter *j, unsigned want_samples, struct packet *out, unsigned *samples);

/* RT_SAFE. Is sound running (not waiting for start_packets, not in a pause)? */
bool jitter_is_playing(const struct jitter *j);

/* RT_SAFE. The timestamp that the next jitter_take() begins at; meaningful while playing. */
uint32_t jitter_timestamp(const struct jitter *j);

/* RT_SAFE. Sound held now, in milliseconds. */
unsigned jitter_held_ms(const struct jitter *j);

/* RT_SAFE. Borrowed, for the life of the buffer. */
const struct jitter_stats *jitter_stats(const struct jitter *j);

#endif
