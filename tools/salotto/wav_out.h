/* wav_out.h - what was heard, as a WAV file: 48 kHz, 16 bit, mono
 *
 * The header is brought up to date every second, so a file that is cut off still plays. On a pipe, where that can't
 * be, it says "as long as it gets".
 */
#ifndef SALOTTO_WAV_OUT_H
#define SALOTTO_WAV_OUT_H

#include "mixer/err.h"

#include <stddef.h>
#include <stdint.h>

struct wav_out;

/* path "-": standard output. NULL with err (ERR_DEVICE). */
struct wav_out *wav_out_open(const char *path, struct err *err);

/* Appends n samples; beyond full scale they are clipped. 0 or ERR_DEVICE. */
int wav_out_write(struct wav_out *w, const float *pcm, size_t n, struct err *err);

/* Samples written so far. */
uint64_t wav_out_samples(const struct wav_out *w);

/* Finishes and frees. 0 or ERR_DEVICE. NULL is allowed. */
int wav_out_close(struct wav_out *w, struct err *err);

#endif
