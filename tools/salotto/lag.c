/* lag.c - how much later a sound comes back (see lag.h) */
#include "tools/salotto/lag.h"

#include "mixer/gate.h"
#include "mixer/packet.h"

#include <math.h>
#include <stdlib.h>

#define COARSE     ((size_t)12) /* 48 kHz to 4 kHz */
#define PIECE      PACKET_RATE_HZ
#define PIECES_MAX 64u

struct finding {
    size_t lag;
    float likeness;
};

/* A recording in which the energy of any stretch is known. */
struct field {
    const float *pcm;
    double *energy; /* of the samples before each; n + 1 of them */
    size_t n;
};

static int field_init(struct field *f, const float *pcm, size_t n)
{
    *f = (struct field){.pcm = pcm, .energy = calloc(n + 1, sizeof *f->energy), .n = n};
    for (size_t i = 0; f->energy != NULL && i < n; i++)
        f->energy[i + 1] = f->energy[i] + (double)pcm[i] * (double)pcm[i];
    return f->energy != NULL ? 0 : -1;
}

/* The cosine of the angle between the piece and what lies in the field at `at`. */
static float likeness_at(const float *piece, size_t n, float energy, const struct field *f, size_t at)
{
    float dot = 0, other;

    if (at + n > f->n)
        return -1;
    other = (float)(f->energy[at + n] - f->energy[at]);
    for (size_t i = 0; i < n; i++)
        dot += piece[i] * f->pcm[at + i];
    return energy > 0 && other > 0 ? dot / sqrtf(energy * other) : 0;
}

/* The best lag from..to of the piece that begins at `at` in the original. */
static struct finding search(const float *original, size_t at, size_t n, const struct field *f, size_t from, size_t to)
{
    struct finding best = {.lag = from, .likeness = -1};
    float energy = 0;

    for (size_t i = 0; i < n; i++)
        energy += original[at + i] * original[at + i];
    for (size_t lag = from; lag <= to; lag++) {
        float now = likeness_at(original + at, n, energy, f, at + lag);

        if (now > best.likeness)
            best = (struct finding){.lag = lag, .likeness = now};
    }
    return best;
}

/* Averages of COARSE samples. */
static float *coarse(const float *pcm, size_t n)
{
    float *out = calloc(n / COARSE + 1, sizeof *out);

    for (size_t i = 0; out != NULL && i < n / COARSE * COARSE; i++)
        out[i / COARSE] += pcm[i] / COARSE;
    return out;
}

static int by_lag(const void *a, const void *b)
{
    size_t x = ((const struct finding *)a)->lag, y = ((const struct finding *)b)->lag;

    return x < y ? -1 : x > y;
}

static int by_likeness(const void *a, const void *b)
{
    float x = ((const struct finding *)a)->likeness, y = ((const struct finding *)b)->likeness;

    return x < y ? -1 : x > y;
}

static size_t medians(struct finding *found, size_t count, float *likeness)
{
    if (count == 0)
        return 0;
    qsort(found, count, sizeof *found, by_likeness);
    *likeness = fmaxf(found[count / 2].likeness, 0);
    qsort(found, count, sizeof *found, by_lag);
    return found[count / 2].lag;
}

size_t lag_find(const float *original, size_t n, const float *recording, size_t m, size_t max, float *likeness)
{
    float *small = coarse(original, n), *small_recording = coarse(recording, m);
    struct field rough = {.n = 0}, fine = {.n = 0};
    struct finding found[PIECES_MAX];
    size_t count = 0;

    *likeness = 0;
    if (small != NULL && small_recording != NULL && field_init(&rough, small_recording, m / COARSE) == 0 &&
        field_init(&fine, recording, m) == 0) {
        for (size_t at = 0; at < n && count < PIECES_MAX; at += PIECE) {
            size_t piece = n - at < PIECE ? n - at : PIECE, about;

            if (gate_dbfs(gate_power(original + at, (unsigned)piece)) <= GATE_OPEN_DBFS)
                continue;
            about = COARSE * search(small, at / COARSE, piece / COARSE, &rough, 0, max / COARSE).lag;
            found[count++] =
                search(original, at, piece, &fine, about > 2 * COARSE ? about - 2 * COARSE : 0, about + 2 * COARSE);
        }
    }
    free(small);
    free(small_recording);
    free(rough.energy);
    free(fine.energy);
    return medians(found, count, likeness);
}
