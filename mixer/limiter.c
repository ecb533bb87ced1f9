/* limiter.c - no peak above -4 dBTP, and nothing touched below it (see limiter.h)
 *
 * Each sample asks for the gain that its true peak needs. The lowest of the last HOLD such gains is taken, let up
 * slowly, and smoothed by two running means in a row: a mean over ATTACK samples of values none of which is above what
 * a peak asked for is not above it either. HOLD and ATTACK are laid so that this holds for the peak's neighbours, too,
 * as far as the oversampling filter reaches.
 *
 * The gain still moves a little under the filter's reach, so a peak between samples may come out slightly higher than
 * reckoned; the 0.4 dB below the ceiling make room for it (measured in tests/mixer/limiter.c).
 */
#include "mixer/limiter.h"

#include <math.h>
#include <string.h>

#define ONE           (1 << 30)
#define TAPS          LIMITER_TAPS
#define REACH         5u /* samples on either side of a peak that the lowered gain must cover */
#define HOLD          (LIMITER_DELAY - TAPS / 2 + 2 + REACH)
#define RELEASE_SHIFT 13 /* time constant of 2^13 samples, 171 ms */
#define FULL          ((int64_t)ONE * LIMITER_BOX_1 * LIMITER_BOX_2)

/* The last 3 % of the way up (0.3 dB) go in a straight line, so that the gain does arrive at 1, within a second. */
#define UP_MIN        (1 << 12)

/* LIMITER_CEILING_DBTP with 0.4 dB below it, for what four-fold oversampling misses (BS.1770-4: 0.4 dB at most). */
#define CEILING       0.6025596f

/* The largest sum of a phase's absolute coefficients is 2.0228: below this no phase can reach the ceiling. */
#define SAFE_PEAK     (CEILING / 2.03f)

_Static_assert(LIMITER_BOX_1 + LIMITER_BOX_2 - 1 == LIMITER_ATTACK, "the two means must be as long as the attack");
_Static_assert(LIMITER_ATTACK == LIMITER_DELAY - REACH - TAPS / 2 + 1, "the gain must be down when the peak comes");
_Static_assert(HOLD < LIMITER_QUEUE, "the queue must hold what peaks ask for");

/* ITU-R BS.1770-4, annex 2: the interpolating filter, four phases of twelve taps. */
static const float phases[4][TAPS] = {
    {0.0017089843750f, 0.0109863281250f, -0.0196533203125f, 0.0332031250000f, -0.0594482421875f, 0.1373291015625f,
     0.9721679687500f, -0.1022949218750f, 0.0476074218750f, -0.0266113281250f, 0.0148925781250f, -0.0083007812500f},
    {-0.0291748046875f, 0.0292968750000f, -0.0517578125000f, 0.0891113281250f, -0.1665039062500f, 0.4650878906250f,
     0.7797851562500f, -0.2003173828125f, 0.1015625000000f, -0.0582275390625f, 0.0330810546875f, -0.0189208984375f},
    {-0.0189208984375f, 0.0330810546875f, -0.0582275390625f, 0.1015625000000f, -0.2003173828125f, 0.7797851562500f,
     0.4650878906250f, -0.1665039062500f, 0.0891113281250f, -0.0517578125000f, 0.0292968750000f, -0.0291748046875f},
    {-0.0083007812500f, 0.0148925781250f, -0.0266113281250f, 0.0476074218750f, -0.1022949218750f, 0.9721679687500f,
     0.1373291015625f, -0.0594482421875f, 0.0332031250000f, -0.0196533203125f, 0.0109863281250f, 0.0017089843750f},
};

void limiter_init(struct limiter *l)
{
    memset(l, 0, sizeof *l);
    l->released = ONE;
    for (unsigned i = 0; i < LIMITER_BOX_1; i++)
        l->box_1[i] = ONE;
    for (unsigned i = 0; i < LIMITER_BOX_2; i++)
        l->box_2[i] = (int64_t)ONE * LIMITER_BOX_1;
    l->sum_1 = (int64_t)ONE * LIMITER_BOX_1;
    l->sum_2 = FULL;
}

/* RT_SAFE. The largest sample. A NaN would stay in every sum; it can't come from a decoder. */
static float sample_peak(const float *x, unsigned samples)
{
    float peak = 0.0f;

    for (unsigned i = 0; i < samples; i++) {
        float v = fabsf(x[i]);

        peak = v > peak ? v : peak;
    }
    return peak;
}

/* RT_SAFE. peak[i] is the true peak between the samples x[i + 5] and x[i + 6], both included. */
static void true_peaks(const float x[LIMITER_BLOCK + TAPS - 1], float peak[LIMITER_BLOCK])
{
    float y[LIMITER_BLOCK];

    for (unsigned i = 0; i < LIMITER_BLOCK; i++)
        peak[i] = fmaxf(fabsf(x[i + 5]), fabsf(x[i + 6]));
    /* Tap by tap over the block, which a compiler turns into vectors without reordering any sum. */
    for (unsigned p = 0; p < 4; p++) {
        memset(y, 0, sizeof y);
        for (unsigned k = 0; k < TAPS; k++)
            for (unsigned i = 0; i < LIMITER_BLOCK; i++)
                y[i] += phases[p][k] * x[i + TAPS - 1 - k];
        for (unsigned i = 0; i < LIMITER_BLOCK; i++) {
            float v = fabsf(y[i]);

            peak[i] = v > peak[i] ? v : peak[i];
        }
    }
}

/* RT_SAFE. Lays in what this sample asks for and returns the lowest gain asked for within HOLD samples. */
static int32_t hold(struct limiter *l, int32_t asked)
{
    uint32_t mask = LIMITER_QUEUE - 1;

    if (l->held_first != l->held_next && l->now - l->held_at[l->held_first & mask] >= HOLD)
        l->held_first++;
    if (asked < ONE) {
        /* Whatever asks for more than the newest will never be the lowest again. Each leaves the queue once. */
        while (l->held_next != l->held_first && l->held[(l->held_next - 1) & mask] >= asked)
            l->held_next--;
        l->held[l->held_next & mask] = asked;
        l->held_at[l->held_next & mask] = l->now;
        l->held_next++;
    }
    return l->held_first != l->held_next ? l->held[l->held_first & mask] : ONE;
}

/* RT_SAFE. The gain for the sample that leaves when this one comes in. */
static float next_gain(struct limiter *l, int32_t asked)
{
    int32_t lowest = hold(l, asked);
    int32_t up = (ONE - l->released) >> RELEASE_SHIFT;
    int64_t old;

    l->released += up > UP_MIN ? up : UP_MIN;
    if (l->released > lowest)
        l->released = lowest;

    l->sum_1 += l->released - l->box_1[l->at_1];
    l->box_1[l->at_1] = l->released;
    l->at_1 = l->at_1 + 1 < LIMITER_BOX_1 ? l->at_1 + 1 : 0;
    old = l->box_2[l->at_2];
    l->box_2[l->at_2] = l->sum_1;
    l->sum_2 += l->sum_1 - old;
    l->at_2 = l->at_2 + 1 < LIMITER_BOX_2 ? l->at_2 + 1 : 0;
    l->now++;

    /* NOLINTNEXTLINE(bugprone-integer-division): how long the boxes are is a whole number */
    return l->sum_2 == FULL ? 1.0f : (float)((double)l->sum_2 * (1.0 / (double)FULL));
}

/* RT_SAFE. */
static void run_block(struct limiter *l, const float *in, float *out)
{
    float line[LIMITER_DELAY + LIMITER_BLOCK], peak[LIMITER_BLOCK];
    float loudest;

    memcpy(line, l->past, sizeof l->past);
    memcpy(line + LIMITER_DELAY, in, LIMITER_BLOCK * sizeof *in);
    memcpy(l->past, line + LIMITER_BLOCK, sizeof l->past);

    loudest = sample_peak(line + LIMITER_DELAY - TAPS + 1, LIMITER_BLOCK + TAPS - 1);
    /* With both means full, every gain inside is 1: nothing is held, nothing is to be let up. */
    if (loudest < SAFE_PEAK && l->sum_2 == FULL) {
        memcpy(out, line, LIMITER_BLOCK * sizeof *out);
        return;
    }
    if (loudest < SAFE_PEAK)
        memset(peak, 0, sizeof peak);
    else
        true_peaks(line + LIMITER_DELAY - TAPS + 1, peak);
    for (unsigned i = 0; i < LIMITER_BLOCK; i++) {
        int32_t asked = peak[i] > CEILING ? (int32_t)((double)ONE * (double)CEILING / (double)peak[i]) : ONE;

        out[i] = line[i] * next_gain(l, asked);
    }
}

void limiter_run(struct limiter *l, const float *in, float *out, unsigned samples)
{
    for (unsigned done = 0; done + LIMITER_BLOCK <= samples; done += LIMITER_BLOCK)
        run_block(l, in + done, out + done);
}
