/* tier.h - one Opus encoder and the tape it fills
 *
 * A tier gathers the limited bus until its frame is full (20 or 60 ms), encodes it once and appends it to its tape,
 * however many listen. main makes a tier when the first person tunes in and frees it when the room has given it back.
 *
 * Opus as VOIP, constrained VBR, mono, no DTX, no in-band FEC: low 60 ms at 12 kbit/s (SILK), standard 20 ms at 30
 * kbit/s (hybrid), so that with its 45..52 bytes of headers a packet stays within 20 and 52 kbit/s on the wire. The
 * sound of a packet begins, constantly, 10.5 ms (limiter and Opus's look-ahead, see coder.h) behind its position.
 */
#ifndef SALOTTO_MIXER_TIER_H
#define SALOTTO_MIXER_TIER_H

#include "mixer/coder.h"
#include "mixer/tape.h"

#include <stdbool.h>
#include <stdint.h>

struct tier;

struct tier_config {
    enum stream stream; /* STREAM_LOW or STREAM_STANDARD */
    uint64_t first_number;
    int complexity; /* Opus, 0..10 */
};

/* All memory is allocated and touched here. NULL when out of memory. */
struct tier *tier_new(const struct tier_config *c);
void tier_free(struct tier *t);

/* RT_SAFE, any thread, while the tier lives. */
const struct tape *tier_tape(const struct tier *t);
enum stream tier_stream(const struct tier *t);

/* RT_SAFE. Samples at 48 kHz in one frame of the tier; 0 for a stream that is no tier yet. */
unsigned tier_frame_samples(enum stream s);

/* The rest is for the room, on its tick. */

/* RT_SAFE. Begins anew after a pause, as an encoder that has known nothing but silence: no old sound is in it, so that
 * the joint with the zeros that went before is silent. */
void tier_awake(struct tier *t);

/* RT_SAFE. Lays in the limited bus (BUS_SAMPLES from `position`, a multiple of it) and who speaks in it. Returns true
 * when a frame is full: tier_publish() must then follow. */
bool tier_feed(struct tier *t, const float *pcm, uint64_t position, uint32_t talkers);

/* RT_SAFE. Encodes the frame and appends it to the tape. Returns 0, or -EIO when Opus failed. */
int tier_publish(struct tier *t, uint8_t flags, uint64_t epoch, uint32_t own_strips);

/* RT_SAFE. What a talker's own stream is copied from. */
const struct coder *tier_coder(const struct tier *t);

#endif
