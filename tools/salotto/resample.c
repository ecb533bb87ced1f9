/* resample.c - any sampling rate to 48 kHz (see resample.h)
 *
 * Output sample n lies at n * M / L of the input, where L / M is 48000 / rate in lowest terms. Its filter is one row of
 * a table over the fractions of L, or over the nearest of PHASES_MAX fractions where L is larger than that.
 */
#include "tools/salotto/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RATE_OUT   48000u
#define HALF_TAPS  24u /* on each side at rates up to 48 kHz; in proportion more above */
#define PHASES_MAX 2048u
#define KAISER     8.0  /* the window's beta: side lobes about 80 dB down */
#define PASS       0.95 /* middle of the transition band, as part of the lower Nyquist frequency */

struct resample {
    unsigned up, down; /* L, M */
    size_t half, phases;
    float *table;      /* phases rows of 2 * half */
    float *in;         /* room for 2 * half + RESAMPLE_BLOCK */
    size_t held;       /* samples in it */
    size_t at;         /* the first one under the filter */
    unsigned fraction; /* of L, between the two middle samples */
    bool ended;
};

static unsigned common_divisor(unsigned a, unsigned b)
{
    while (b != 0) {
        unsigned rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* Modified Bessel function of the first kind, order 0, by its power series. */
static double bessel_i0(double x)
{
    double sum = 1, term = 1;

    for (int k = 1; k < 64; k++) {
        term *= x / (2 * k) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

static void make_row(float *row, unsigned half, double fraction, double cutoff)
{
    double sum = 0;

    for (unsigned i = 0; i < 2 * half; i++) {
        double t = (double)i - (half - 1) - fraction; /* input samples from the output's place */
        double w = t / half;
        double sinc = t == 0 ? 1 : sin(M_PI * cutoff * t) / (M_PI * cutoff * t);

        row[i] = w * w < 1 ? (float)(sinc * bessel_i0(KAISER * sqrt(1 - w * w))) : 0;
        sum += row[i];
    }
    for (unsigned i = 0; i < 2 * half; i++)
        row[i] = (float)(row[i] / sum);
}

struct resample *resample_new(unsigned rate_hz)
{
    struct resample *r;
    unsigned divisor;
    double cutoff;

    if (rate_hz < RESAMPLE_RATE_MIN || rate_hz > RESAMPLE_RATE_MAX || (r = calloc(1, sizeof *r)) == NULL)
        return NULL;
    divisor = common_divisor(RATE_OUT, rate_hz);
    r->up = RATE_OUT / divisor;
    r->down = rate_hz / divisor;
    r->half = rate_hz > RATE_OUT ? (HALF_TAPS * rate_hz + RATE_OUT - 1) / RATE_OUT : HALF_TAPS;
    r->phases = r->up < PHASES_MAX ? r->up : PHASES_MAX;
    cutoff = rate_hz > RATE_OUT ? PASS * RATE_OUT / rate_hz : PASS;
    r->table = calloc((size_t)r->phases * 2 * r->half, sizeof *r->table);
    r->in = calloc(2 * r->half + RESAMPLE_BLOCK, sizeof *r->in);
    if (r->table == NULL || r->in == NULL) {
        resample_free(r);
        return NULL;
    }
    for (unsigned i = 0; i < r->phases; i++)
        make_row(r->table + (size_t)i * 2 * r->half, r->half, (double)i / (double)r->phases, cutoff);
    r->held = r->half - 1; /* silence before the first sample, which so lies in the middle */
    return r;
}

void resample_free(struct resample *r)
{
    if (r == NULL)
        return;
    free(r->table);
    free(r->in);
    free(r);
}

size_t resample_room(const struct resample *r)
{
    return r->held - r->at >= 2 * r->half ? 0 : RESAMPLE_BLOCK;
}

void resample_feed(struct resample *r, const float *pcm, size_t n)
{
    memmove(r->in, r->in + r->at, (r->held - r->at) * sizeof *r->in);
    r->held -= r->at;
    r->at = 0;
    memcpy(r->in + r->held, pcm, n * sizeof *pcm);
    r->held += n;
}

void resample_end(struct resample *r)
{
    static const float silence[RESAMPLE_BLOCK];
    size_t left = r->half;

    r->ended = true;
    while (left > 0) {
        size_t n = left < RESAMPLE_BLOCK ? left : RESAMPLE_BLOCK;

        resample_feed(r, silence, n);
        left -= n;
    }
}

size_t resample_take(struct resample *r, float *pcm, size_t n)
{
    size_t done = 0;

    for (; done < n && r->at + 2 * r->half <= r->held; done++) {
        size_t phase = (size_t)r->fraction * r->phases / r->up;
        const float *row = r->table + phase * 2 * r->half, *in = r->in + r->at;
        float sum = 0;

        for (unsigned i = 0; i < 2 * r->half; i++)
            sum += row[i] * in[i];
        pcm[done] = sum;
        r->fraction += r->down;
        r->at += r->fraction / r->up;
        r->fraction %= r->up;
    }
    return done;
}
