/* decode.h - Opus to float, whatever the jitter buffer decided
 *
 * One thread. Nothing allocates after decode_new().
 */
#ifndef SALOTTO_MIXER_DECODE_H
#define SALOTTO_MIXER_DECODE_H

#include "mixer/jitter.h"

#define DECODE_MAX_SAMPLES 5760u /* 120 ms, the longest Opus packet */

struct decode;

/* channels: 1 or 2. NULL when out of memory. */
struct decode *decode_new(int channels);
void decode_free(struct decode *d);

/* RT_SAFE. As new, without allocating. */
void decode_reset(struct decode *d);

/* RT_SAFE. Copies the whole decoder state (both of the same channels): a warm start. */
void decode_copy(struct decode *to, const struct decode *from);

/* RT_SAFE. Does what jitter_take() said. pcm has room for DECODE_MAX_SAMPLES * channels. Concealment fades to silence
 * after 100 ms in a row, and sound that silence would cut off fades in its first 5 ms; what is decoded after either
 * fades in over 5 ms. Returns samples per channel, or -EINVAL when the packet was broken (then *samples* of concealment
 * were written, if samples is not 0). */
int decode_run(struct decode *d, enum jitter_action action, const struct packet *p, unsigned samples, float *pcm);

#endif
