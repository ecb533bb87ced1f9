/* voice.h - where one's voice comes from: a microphone or a sound file
 *
 * Hands 20 ms frames to the speech encoder: a file's at the pace of the clock, a microphone's as they come. A file
 * begins when one may be heard and stands still while one is not on stage. A microphone that was not asked for is
 * opened when it is needed first.
 */
#ifndef SALOTTO_VOICE_H
#define SALOTTO_VOICE_H

#include "mixer/err.h"
#include "mixer/packet.h"

#include <stdbool.h>
#include <stdint.h>

struct voice;

struct voice_config {  /* borrowed */
    const char *input; /* a sound file, or "-"; NULL: the microphone */
    bool loop;
    const char *device; /* NULL: the default microphone */
    bool open_now;      /* the microphone at once, so that what is wrong with it is known */
    void (*send)(const struct packet *p, void *arg);
    void *arg;
};

/* NULL with err. */
struct voice *voice_open(const struct voice_config *c, struct err *err);

/* Sends what is due. on_stage: one is a speaker; allowed: and not muted. ERR_DEVICE: the file or the microphone
 * broke, or could not be opened. */
int voice_run(struct voice *v, bool on_stage, bool allowed, uint64_t now_ns, struct err *err);

/* Has the file been said to its end, and a second more? */
bool voice_is_over(const struct voice *v);

/* Is one's gate open? */
bool voice_is_open(const struct voice *v);

uint64_t voice_packets(const struct voice *v);
void voice_close(struct voice *v);

#endif
