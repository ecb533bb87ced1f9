/* gain.h - a strip's fader and mute
 *
 * Both are ramps (mixer/ramp.h), multiplied, so neither ever clicks, and an unmute during a mute turns round where the
 * mute had come to.
 *
 * The length was chosen by measurement (tests/mixer/gain.c): tones of 50 and 100 Hz at -20 dBFS RMS, what rises above
 * 1 kHz (loudest 5 ms):
 *
 *     a step                  -37 dBFS      raised cosine of  5 ms   -89 dBFS
 *     a line of 10 ms         -78 dBFS                       10 ms  -102 dBFS
 *     unmute 5 ms after mute  -83 dBFS                       20 ms  -114 dBFS
 *     fader 0 to +12 dB      -105 dBFS                       30 ms  -121 dBFS
 *
 * One thread. Plain state, owned by the caller, copied by assignment.
 */
#ifndef SALOTTO_MIXER_GAIN_H
#define SALOTTO_MIXER_GAIN_H

#include "mixer/ramp.h"

#include <stdbool.h>

#define GAIN_RAMP_SAMPLES 960u /* 20 ms */
#define GAIN_MIN_DB       (-60.0f)
#define GAIN_MAX_DB       12.0f

struct gain {
    struct ramp fader;
    struct ramp mute; /* 1: heard, 0: muted */
};

/* RT_SAFE. At rest. fader_db is bounded by GAIN_MIN_DB..GAIN_MAX_DB, here and below. */
void gain_init(struct gain *g, float fader_db, bool muted);

/* RT_SAFE. From the next sample on. */
void gain_mute(struct gain *g, bool muted);
void gain_fader(struct gain *g, float fader_db);

/* RT_SAFE. Ends the ramps at once: for sound that nobody hears. */
void gain_settle(struct gain *g);

/* RT_SAFE. Fully ramped down? */
bool gain_is_muted(const struct gain *g);

/* RT_SAFE. Does a ramp run? */
bool gain_is_moving(const struct gain *g);

/* RT_SAFE. In place. */
void gain_run(struct gain *g, float *pcm, unsigned samples);

#endif
