/* gain.c - a strip's fader and mute (see gain.h) */
#include "mixer/gain.h"

#include <math.h>

static float factor(float fader_db)
{
    if (!(fader_db > GAIN_MIN_DB)) /* the negation catches a NaN, too */
        fader_db = GAIN_MIN_DB;
    if (fader_db > GAIN_MAX_DB)
        fader_db = GAIN_MAX_DB;
    return powf(10.0f, fader_db / 20.0f);
}

void gain_init(struct gain *g, float fader_db, bool muted)
{
    ramp_init(&g->fader, factor(fader_db));
    ramp_init(&g->mute, muted ? 0.0f : 1.0f);
}

void gain_mute(struct gain *g, bool muted)
{
    ramp_to(&g->mute, muted ? 0.0f : 1.0f, GAIN_RAMP_SAMPLES);
}

void gain_fader(struct gain *g, float fader_db)
{
    ramp_to(&g->fader, factor(fader_db), GAIN_RAMP_SAMPLES);
}

void gain_settle(struct gain *g)
{
    ramp_settle(&g->fader);
    ramp_settle(&g->mute);
}

bool gain_is_muted(const struct gain *g)
{
    return g->mute.value == 0.0f && !ramp_is_running(&g->mute);
}

bool gain_is_moving(const struct gain *g)
{
    return ramp_is_running(&g->fader) || ramp_is_running(&g->mute);
}

void gain_run(struct gain *g, float *pcm, unsigned samples)
{
    ramp_run(&g->fader, pcm, samples);
    ramp_run(&g->mute, pcm, samples);
}
