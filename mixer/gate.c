/* gate.c - is this person speaking? (see gate.h)
 *
 * Comparisons are made on power, so that a frame costs no logarithm.
 */
#include "mixer/gate.h"

#include <math.h>
#include <stddef.h>

#define OPEN_POWER  1e-5f         /* -50 dBFS */
#define CLOSE_POWER 2.5118864e-6f /* -56 dBFS */

void gate_init(struct gate *g)
{
    *g = (struct gate){.open = false};
}

bool gate_run(struct gate *g, const float *pcm, unsigned samples)
{
    float power = pcm != NULL ? gate_power(pcm, samples) : 0.0f;

    if (power > OPEN_POWER)
        g->open = true;
    if (!g->open)
        return false;
    if (power >= CLOSE_POWER)
        g->quiet_frames = 0;
    else if (++g->quiet_frames >= GATE_HOLD_FRAMES)
        gate_init(g);
    return g->open;
}

float gate_power(const float *pcm, unsigned samples)
{
    float sum[4] = {0}; /* four running sums: a compiler may not reorder one, and they keep more precision */
    unsigned i = 0;

    for (; i + 4 <= samples; i += 4)
        for (unsigned k = 0; k < 4; k++)
            sum[k] += pcm[i + k] * pcm[i + k];
    for (; i < samples; i++)
        sum[0] += pcm[i] * pcm[i];
    return samples != 0 ? (sum[0] + sum[1] + sum[2] + sum[3]) / (float)samples : 0.0f;
}

float gate_dbfs(float power)
{
    return power > 1e-12f ? 10.0f * log10f(power) : -120.0f;
}
