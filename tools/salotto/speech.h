/* speech.h - one's own voice: 20 ms frames in, Opus packets out while one speaks
 *
 * A voice gate decides what is sent; when it opens, the two frames before go too, so that no first syllable is lost.
 * Only what is sent is encoded, so encoder and far decoder stay together as with DTX: sequence numbers are
 * consecutive, timestamps go on through the gaps (RFC 7587 section 3.1.3). One thread.
 */
#ifndef SALOTTO_SPEECH_H
#define SALOTTO_SPEECH_H

#include "mixer/packet.h"

#include <stdbool.h>
#include <stdint.h>

#define SPEECH_FRAME_SAMPLES 960u

struct speech;

/* send is called for each packet. NULL when out of memory. */
struct speech *speech_new(void (*send)(const struct packet *p, void *arg), void *arg);
void speech_free(struct speech *s);

/* The next frame of SPEECH_FRAME_SAMPLES. Without `allowed` (muted, or not on stage) it is neither sent nor kept. */
void speech_frame(struct speech *s, const float *pcm, bool allowed);

/* Is the gate open? */
bool speech_is_open(const struct speech *s);

uint64_t speech_packets(const struct speech *s);

#endif
