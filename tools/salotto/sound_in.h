/* sound_in.h - a sound file, read as 48 kHz mono
 *
 * Whatever libsndfile reads (WAV, FLAC, Ogg Vorbis and Opus, AIFF …), at any rate and with any number of channels.
 */
#ifndef SALOTTO_SOUND_IN_H
#define SALOTTO_SOUND_IN_H

#include "mixer/err.h"

#include <stdbool.h>
#include <stddef.h>

struct sound_in;

/* path "-": standard input. With loop the end is followed by the beginning. NULL with err (ERR_DEVICE). */
struct sound_in *sound_in_open(const char *path, bool loop, struct err *err);
void sound_in_close(struct sound_in *s);

/* Reads n samples into pcm. Fewer, filled up with silence, mean the end. A negative code: the file broke. */
int sound_in_read(struct sound_in *s, float *pcm, unsigned n, struct err *err);

#endif
