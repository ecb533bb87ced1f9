/* limiter.h - no peak above -4 dBTP, and nothing touched below it
 *
 * A look-ahead limiter on the true peak: the gain comes down smoothly before a peak arrives, is as low as the peak
 * needs when it is there, and goes back up slowly. Peaks between the samples are found by the four-fold oversampling of
 * ITU-R BS.1770-4, annex 2. What leaves it is the input, LIMITER_DELAY samples later, bit for bit as long as no peak
 * comes near the ceiling.
 *
 * The delay is constant and not taken off positions: sound stands in a packet LIMITER_DELAY samples (4 ms) later than
 * in the bus.
 *
 * One thread. Plain state: a limiter is copied by assignment, and the copy goes on exactly as the original would.
 */
#ifndef SALOTTO_MIXER_LIMITER_H
#define SALOTTO_MIXER_LIMITER_H

#include <stdint.h>

/* -1 dBFS is what a listener shall get at most. The codec behind the limiter overshoots: by 3.4 dB at the worst of
 * three recorded speakers turned up by 12 dB, at eight offsets to each other, 40 s each, both tiers, complexity 0
 * to 10. What comes out of the limiter is below -4.4 dBFS (limiter.c). */
#define LIMITER_CEILING_DBTP (-4.0f)
#define LIMITER_DELAY        192u /* samples, 4 ms: look-ahead and the oversampling filter */
#define LIMITER_BLOCK        240u /* limiter_run() takes multiples of it */

#define LIMITER_TAPS         12u                      /* of one phase of the oversampling filter */
#define LIMITER_ATTACK       (LIMITER_DELAY - 10u)    /* samples in which the gain comes down */
#define LIMITER_BOX_1        (LIMITER_ATTACK / 2 + 1) /* two running means in a row smooth it, */
#define LIMITER_BOX_2        (LIMITER_ATTACK / 2)     /* together LIMITER_ATTACK long */
#define LIMITER_QUEUE        256u                     /* a power of two above the samples a peak is held */

struct limiter {
    float past[LIMITER_DELAY]; /* the newest input; the filter's history is its end */

    /* Gains are fixed point, 1 << 30 is 1: running sums then neither drift nor miss 1 by a hair. */
    int32_t held[LIMITER_QUEUE];     /* ascending gains that peaks still ask for, */
    uint32_t held_at[LIMITER_QUEUE]; /* and when each came */
    uint32_t held_first, held_next;
    int32_t released;             /* the gain before smoothing */
    int32_t box_1[LIMITER_BOX_1]; /* its last values, */
    int64_t box_2[LIMITER_BOX_2]; /* and their last sums */
    int64_t sum_1, sum_2;
    uint32_t at_1, at_2;
    uint32_t now; /* samples since limiter_init() that were not passed through, wraps */
};

/* RT_SAFE. As if silence had always been. */
void limiter_init(struct limiter *l);

/* RT_SAFE. in and out may be the same. samples: a multiple of LIMITER_BLOCK. */
void limiter_run(struct limiter *l, const float *in, float *out, unsigned samples);

#endif
