/* limiter.c - tests of mixer/limiter.h */
#include "mixer/limiter.h"
#include "tests/mixer/sound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define LENGTH 96000 /* 2 s */
#define TICK   960

static float in[LENGTH], out[LENGTH];

static void limit(struct limiter *l)
{
    for (unsigned i = 0; i < LENGTH; i += TICK)
        limiter_run(l, in + i, out + i, TICK);
}

/* What a decoder puts out ends at 20 kHz (RFC 6716 section 2), and that is where a four-fold meter may be believed. */
static void cut_above_20_khz(float *x)
{
    enum { HALF = 64 };
    static float wide[LENGTH];

    memcpy(wide, x, sizeof wide);
    for (int i = 0; i < LENGTH; i++) {
        double y = 0;

        for (int k = -HALF; k <= HALF; k++) {
            double t = 2.0 * 19500.0 / SOUND_RATE;
            double tap = k == 0 ? t : sin(M_PI * t * k) / (M_PI * k) * (0.5 + 0.5 * cos(M_PI * k / (HALF + 1)));

            if (i - k >= 0 && i - k < LENGTH)
                y += tap * (double)wide[i - k];
        }
        x[i] = (float)y;
    }
}

static double true_peak_after(const char *what)
{
    struct limiter l;
    double dbtp;

    limiter_init(&l);
    limit(&l);
    dbtp = sound_db(sound_true_peak(out, LENGTH));
    printf("# %s: %.2f dBTP in, %.2f dBTP out\n", what, sound_db(sound_true_peak(in, LENGTH)), dbtp);
    return dbtp;
}

static void test_shouts(void **state)
{
    (void)state;
    memset(in, 0, sizeof in);
    for (unsigned voice = 0; voice < 10; voice++) {
        static float one[LENGTH];
        double peak;

        memset(one, 0, sizeof one);
        sound_add_speech(one, 0, LENGTH, voice, 1.0);
        peak = sound_peak(one, LENGTH);
        for (unsigned i = 0; i < LENGTH; i++)
            in[i] += (float)((double)one[i] / peak);
    }
    assert_true(true_peak_after("ten full-scale shouts") <= LIMITER_CEILING_DBTP);
}

static void test_nasty(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (unsigned i = 0; i < LENGTH; i++)
        in[i] = 10.0f * sound_noise(&seed);
    cut_above_20_khz(in);
    assert_true(true_peak_after("noise") <= LIMITER_CEILING_DBTP);

    for (unsigned i = 0; i < LENGTH; i++)
        in[i] = i % 7919 == 0 ? 20.0f : 0.3f * sound_noise(&seed);
    cut_above_20_khz(in);
    assert_true(true_peak_after("impulses") <= LIMITER_CEILING_DBTP);

    for (unsigned i = 0; i < LENGTH; i++)
        in[i] = i / 431 % 2 == 0 ? 3.0f : -3.0f;
    cut_above_20_khz(in);
    assert_true(true_peak_after("square") <= LIMITER_CEILING_DBTP);

    for (unsigned i = 0; i < LENGTH; i++) /* a quarter of the rate: every sample is 3 dB below the peak */
        in[i] = (float)(1.2 * sin(M_PI / 2 * i + M_PI / 4));
    assert_true(true_peak_after("quarter-rate sine") <= LIMITER_CEILING_DBTP);

    for (unsigned i = 0; i < LENGTH; i++) /* bursts of a high tone */
        in[i] = i / 300 % 3 == 0 ? (float)(8.0 * sin(2 * M_PI * 15013.0 * i / SOUND_RATE)) : 0.0f;
    cut_above_20_khz(in);
    assert_true(true_peak_after("bursts at 15 kHz") <= LIMITER_CEILING_DBTP);

    memset(in, 0, sizeof in);
    sound_add_tone(in, 0, LENGTH, 100.0, 12.0);
    assert_true(true_peak_after("100 Hz at +15 dB") <= LIMITER_CEILING_DBTP);
}

static void test_exact(void **state)
{
    struct limiter l;
    uint32_t seed = 7;

    (void)state;
    for (unsigned i = 0; i < LENGTH; i++)
        in[i] = 0.14f * sound_noise(&seed);
    sound_add_tone(in, 0, LENGTH / 2, 440.0, -14.5);
    assert_true(sound_db(sound_true_peak(in, LENGTH)) < LIMITER_CEILING_DBTP - 0.4);
    assert_true(sound_db(sound_peak(in, LENGTH)) >
                LIMITER_CEILING_DBTP - 5.0); /* not merely passed over for being quiet */
    limiter_init(&l);
    limit(&l);
    for (unsigned i = 0; i < LIMITER_DELAY; i++)
        assert_true(out[i] == 0.0f);
    assert_memory_equal(out + LIMITER_DELAY, in, (LENGTH - LIMITER_DELAY) * sizeof *in);
}

static void test_recovers(void **state)
{
    struct limiter l;
    unsigned from = 2 * LENGTH / 3;

    (void)state;
    memset(in, 0, sizeof in);
    sound_add_tone(in, 0, LENGTH, 300.0, -20.0);
    for (unsigned i = 1000; i < 1480; i++)
        in[i] *= 60.0f;
    limiter_init(&l);
    limit(&l);
    assert_true(sound_rms(out + 2000, 480) < 0.5 * sound_rms(in + 2000, 480)); /* still down just after the peak */
    assert_memory_equal(out + from + LIMITER_DELAY, in + from, (LENGTH - from - LIMITER_DELAY) * sizeof *in);
}

static void test_smooth(void **state)
{
    struct limiter l;

    (void)state;
    memset(in, 0, sizeof in);
    sound_add_tone(in, 0, LENGTH, 100.0, -10.0);
    for (unsigned i = LENGTH / 2; i < LENGTH; i++)
        in[i] *= 4.0f;
    /* Turned up where the tone passes zero, so that the input itself has no step. */
    limiter_init(&l);
    limit(&l);
    printf("# gain pulled down by %.1f dB: %.0f dBFS above 3 kHz\n", 12.0 - 10.0 + 3.0 + 1.4,
           sound_db(sound_click(out + LENGTH / 2 - 4800, 9600, 3000.0)));
    assert_true(sound_db(sound_click(out + LENGTH / 2 - 4800, 9600, 3000.0)) < -55.0);
}

/* One impulse in a constant: what the gain does is laid bare, sample by sample. */
static void test_gain(void **state)
{
    struct limiter l;
    unsigned at = 20 * TICK + 100;
    float before = 1.0f, lowest = 1.0f;

    (void)state;
    for (unsigned i = 0; i < LENGTH; i++)
        in[i] = 0.25f;
    in[at] = 16.0f;
    limiter_init(&l);
    limit(&l);
    for (unsigned i = 0; i + LIMITER_DELAY < LENGTH; i++) {
        float gain = out[i + LIMITER_DELAY] / in[i];

        assert_true(fabsf(gain - before) < 0.012f); /* the two means of 4 ms allow 1/91 a sample, down and up */
        before = gain;
        lowest = gain < lowest ? gain : lowest;
    }
    /* The ceiling less 0.4 dB, no lower and no higher. */
    assert_float_equal(sound_db((double)lowest * 16.0), (double)LIMITER_CEILING_DBTP - 0.4, 0.01);
    assert_true(sound_db((double)out[at + LIMITER_DELAY]) < (double)LIMITER_CEILING_DBTP - 0.38);
}

static void test_copy(void **state)
{
    static float again[LENGTH];
    struct limiter l, copy;
    uint32_t seed = 3;

    (void)state;
    for (unsigned i = 0; i < LENGTH; i++)
        in[i] = 3.0f * sound_noise(&seed);
    limiter_init(&l);
    for (unsigned i = 0; i < LENGTH; i += TICK) {
        if (i == 10 * TICK)
            copy = l;
        if (i >= 10 * TICK)
            limiter_run(&copy, in + i, again + i, TICK);
        limiter_run(&l, in + i, out + i, TICK);
    }
    assert_memory_equal(out + 10 * TICK, again + 10 * TICK, (LENGTH - 10 * TICK) * sizeof *out);
    memcpy(again, in, sizeof in);
    limiter_init(&l);
    for (unsigned i = 0; i < LENGTH; i += LIMITER_BLOCK) /* in place, and in other pieces */
        limiter_run(&l, again + i, again + i, LIMITER_BLOCK);
    assert_memory_equal(out, again, sizeof out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"ten full-scale shouts stay below -4 dBTP", test_shouts, NULL, NULL, NULL},
        {"so do noise, impulses, squares and tones that hide their peaks between samples", test_nasty, NULL, NULL,
         NULL},
        {"below the ceiling the input comes out 4 ms later, bit for bit", test_exact, NULL, NULL, NULL},
        {"after a peak the gain comes back to exactly 1", test_recovers, NULL, NULL, NULL},
        {"the gain comes down without a click", test_smooth, NULL, NULL, NULL},
        {"the gain moves smoothly and no further than the peak needs", test_gain, NULL, NULL, NULL},
        {"a copied limiter goes on as the original", test_copy, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
