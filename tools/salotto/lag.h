/* lag.h - how much later a sound comes back
 *
 * The lag at which the recording is most like the original, by normalised cross-correlation: looked for at 4 kHz, where
 * voices are strongest, and then found to the sample.
 */
#ifndef SALOTTO_LAG_H
#define SALOTTO_LAG_H

#include <stddef.h>

#define LAG_UNLIKE 0.3f /* below that it is another sound */

/* Finds n samples of `original` in m samples of `recording`, both 48 kHz from the same moment on; *likeness is 1 for
 * the very same sound, and about 0 for another. Returns the lag in samples (0 <= lag <= max). Takes about 100 ms for 5
 * s with a max of 2 s. Without memory the likeness is 0. */
size_t lag_find(const float *original, size_t n, const float *recording, size_t m, size_t max, float *likeness);

#endif
