/* ramp.c - a factor on its way to another value, without a click (see ramp.h) */
#include "mixer/ramp.h"

#include <math.h>

void ramp_init(struct ramp *r, float value)
{
    *r = (struct ramp){.value = value, .from = value, .to = value};
}

void ramp_to(struct ramp *r, float to, unsigned samples)
{
    if (to == r->to)
        return;
    r->from = r->value;
    r->to = to;
    r->done = 0;
    r->length = samples;
    if (samples == 0)
        r->value = to;
}

void ramp_settle(struct ramp *r)
{
    ramp_init(r, r->to);
}

bool ramp_is_running(const struct ramp *r)
{
    return r->done < r->length;
}

void ramp_run(struct ramp *r, float *pcm, unsigned samples)
{
    unsigned i = 0;

    for (; i < samples && r->done < r->length; i++) {
        float way = (float)++r->done / (float)r->length;

        /* The last step lands on the target itself, which cosf() would only come near. */
        r->value = r->done == r->length ? r->to : r->from + (r->to - r->from) * 0.5f * (1.0f - cosf((float)M_PI * way));
        pcm[i] *= r->value;
    }
    if (r->value == 1.0f)
        return;
    for (; i < samples; i++)
        pcm[i] *= r->value;
}
