/* lag.c - how much later a sound comes back (see lag.h) */
#include "tools/salotto/lag.h"

#include <math.h>
#include <stdlib.h>

#define COARSE 12u /* 48 kHz to 4 kHz */

/* At lag: the cosine of the angle between the two, over what of the recording there is. */
static float likeness_at(const float *original, size_t n, const float *recording, size_t m, size_t lag)
{
    float dot = 0, own = 0, other = 0;

    if (lag >= m)
        return 0;
    n = n < m - lag ? n : m - lag;
    for (size_t i = 0; i < n; i++) {
        dot += original[i] * recording[lag + i];
        own += original[i] * original[i];
        other += recording[lag + i] * recording[lag + i];
    }
    return own > 0 && other > 0 ? dot / sqrtf(own * other) : 0;
}

static size_t best(const float *original, size_t n, const float *recording, size_t m, size_t from, size_t to,
                   float *likeness)
{
    size_t found = from;

    *likeness = -1;
    for (size_t lag = from; lag <= to; lag++) {
        float now = likeness_at(original, n, recording, m, lag);

        if (now > *likeness) {
            *likeness = now;
            found = lag;
        }
    }
    return found;
}

/* Averages of COARSE samples. */
static float *coarse(const float *pcm, size_t n)
{
    float *out = calloc(n / COARSE + 1, sizeof *out);

    for (size_t i = 0; out != NULL && i < n / COARSE * COARSE; i++)
        out[i / COARSE] += pcm[i] / COARSE;
    return out;
}

size_t lag_find(const float *original, size_t n, const float *recording, size_t m, size_t max, float *likeness)
{
    float *a = coarse(original, n), *b = coarse(recording, m);
    size_t about = 0, from, found = 0;

    *likeness = 0;
    if (a != NULL && b != NULL) {
        about = COARSE * best(a, n / COARSE, b, m / COARSE, 0, max / COARSE, likeness);
        from = about > 2 * COARSE ? about - 2 * COARSE : 0;
        found = best(original, n, recording, m, from, about + 2 * COARSE, likeness);
    }
    free(a);
    free(b);
    return found;
}
