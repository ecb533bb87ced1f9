/* coder.h - one Opus encoder and the frame it gathers
 *
 * Takes the mix a tick at a time and makes a packet of it whenever a frame of the stream (20 or 60 ms) is full. Frames
 * lie on a grid: their positions are multiples of their length, so all streams of a room share their borders. What a
 * frame lacks at its beginning (the mix began in the middle of it, or ticks were skipped) is silence.
 *
 * A packet's position is that of its first sample in the bus. What a decoder puts out for it stands LIMITER_DELAY + 312
 * samples (4 + 6.5 ms: limiter, and Opus's look-ahead at 48 kHz, OPUS_GET_LOOKAHEAD) behind the bus; this is constant
 * and nowhere taken off.
 *
 * A copy of a coder (coder_copy()) goes on as the original would. One thread.
 */
#ifndef SALOTTO_MIXER_CODER_H
#define SALOTTO_MIXER_CODER_H

#include "mixer/tape.h"

#include <stdbool.h>
#include <stdint.h>

#define CODER_FRAME_MAX 2880u /* samples, 60 ms: the longest of any tier */

struct OpusEncoder;

struct coder {
    struct OpusEncoder *opus; /* its memory is the coder's own */
    enum stream stream;
    unsigned frame_samples;
    unsigned filled;   /* samples of the frame that are there */
    uint64_t position; /* of the frame */
    uint32_t talkers;  /* whose voice is in it, a bit a strip */
    float frame[CODER_FRAME_MAX];
};

/* RT_SAFE. Samples at 48 kHz in one frame of a stream; 0 for a stream that is no tier yet. */
unsigned coder_frame_samples(enum stream s);

/* Allocates and touches all memory, for any stream. complexity: Opus, 0..10. 0 or -ENOMEM, -EINVAL. */
int coder_init(struct coder *c, enum stream s, int complexity);
void coder_fini(struct coder *c);

/* RT_SAFE. Stream, frame and encoder as they stand now. The complexity comes along. */
void coder_copy(struct coder *to, const struct coder *from);

/* RT_SAFE. Forgets the frame; the encoder keeps its memory. */
void coder_drop(struct coder *c);

/* RT_SAFE. Lays in BUS_SAMPLES that begin at `position`, and those who speak in them. Positions that don't go on where
 * the frame ends drop it. Returns true when the frame is full: coder_encode() must then follow. */
bool coder_feed(struct coder *c, const float *pcm, uint64_t position, uint32_t talkers);

/* RT_SAFE. Encodes the full frame into *out: position, duration, talkers (without those in `but`) and sound; the rest
 * is 0. Returns 0, or -EIO when Opus failed (the frame is gone). */
int coder_encode(struct coder *c, uint32_t but, struct tape_packet *out);

#endif
