/* resample.h - any sampling rate to 48 kHz
 *
 * A windowed-sinc polyphase filter: flat to 90 % of the lower of the two bands, images and aliases about 80 dB down.
 * The owner feeds blocks and takes samples. One thread; nothing allocates after resample_new().
 */
#ifndef SALOTTO_RESAMPLE_H
#define SALOTTO_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>

#define RESAMPLE_RATE_MIN 4000u
#define RESAMPLE_RATE_MAX 384000u
#define RESAMPLE_BLOCK    1024u

struct resample;

/* NULL when out of memory, or rate_hz is out of range. */
struct resample *resample_new(unsigned rate_hz);
void resample_free(struct resample *r);

/* How many samples can be fed now, at most RESAMPLE_BLOCK: 0 while there are some to take. */
size_t resample_room(const struct resample *r);

/* Feeds n <= resample_room() samples. */
void resample_feed(struct resample *r, const float *pcm, size_t n);

/* No more will be fed: what the filter still holds comes out. */
void resample_end(struct resample *r);

/* Takes up to n samples; fewer mean that more must be fed, or, after resample_end(), that it is over. */
size_t resample_take(struct resample *r, float *pcm, size_t n);

#endif
