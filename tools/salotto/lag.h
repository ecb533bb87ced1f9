/* lag.h - how much later a sound comes back
 *
 * By normalised cross-correlation: looked for at 4 kHz, where voices are strongest, and then found to the sample. Done
 * second by second, since a jitter buffer that grows or shrinks moves what follows.
 */
#ifndef SALOTTO_LAG_H
#define SALOTTO_LAG_H

#include <stddef.h>

#define LAG_UNLIKE 0.3f /* below that it is another sound, or too much of it is missing */

/* Finds the n samples of `original` in the m samples of `recording`, both 48 kHz from the same moment on. Returns the
 * median over the seconds in which there is something to be heard: of the lag in samples (0 <= lag <= max), and in
 * *likeness of how alike they are there: 1 for the very same sound, near 0 for another, or without memory. Takes about
 * a tenth of a second for 5 s and a max of 2 s. */
size_t lag_find(const float *original, size_t n, const float *recording, size_t m, size_t max, float *likeness);

#endif
