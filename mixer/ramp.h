/* ramp.h - a factor on its way to another value, without a click
 *
 * Follows a raised cosine, so that neither its value nor (when it starts from rest) its slope jumps. A new target in
 * the middle of a ramp continues from the present value.
 *
 * One thread. Plain state, owned by the caller, copied by assignment.
 */
#ifndef SALOTTO_MIXER_RAMP_H
#define SALOTTO_MIXER_RAMP_H

#include <stdbool.h>

struct ramp {
    float value;           /* now */
    float from, to;        /* of the ramp that runs */
    unsigned done, length; /* samples; a ramp runs while done < length */
};

/* RT_SAFE. Rests at value. */
void ramp_init(struct ramp *r, float value);

/* RT_SAFE. Goes to `to` within so many samples from here (0: at once). Nothing changes when it is there already, or
 * on its way there. */
void ramp_to(struct ramp *r, float to, unsigned samples);

/* RT_SAFE. Jumps to the end of the ramp: for sound that nobody hears. */
void ramp_settle(struct ramp *r);

/* RT_SAFE. */
bool ramp_is_running(const struct ramp *r);

/* RT_SAFE. Multiplies pcm by the factor and moves it on. */
void ramp_run(struct ramp *r, float *pcm, unsigned samples);

#endif
