/* tier.h - one Opus encoder and the tape it fills
 *
 * A tier gathers the limited bus until its frame is full (20 or 60 ms), encodes it once and appends it to its tape,
 * however many listen. main makes a tier when the first person tunes in and frees it when the room has given it back.
 */
#ifndef SALOTTO_MIXER_TIER_H
#define SALOTTO_MIXER_TIER_H

#include "mixer/tape.h"

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

/* Any thread, while the tier lives. */
const struct tape *tier_tape(const struct tier *t);
enum stream tier_stream(const struct tier *t);

/* Samples at 48 kHz in one frame of the tier; 0 for a stream that is no tier yet. */
unsigned tier_frame_samples(enum stream s);

#endif
