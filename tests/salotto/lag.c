/* lag.c - tests of how much later a sound comes back */
#include "tools/salotto/lag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define RATE 48000u
#define SAID (5 * RATE)
#define ALL  (7 * RATE)

static float said[SAID], heard[ALL];
static uint32_t dice = 1;

static float noise(void)
{
    dice = dice * 1664525u + 1013904223u;
    return (float)(int32_t)dice / 2147483648.0f;
}

/* Noise with most of its power below 1 kHz, as voices have it. */
static void dull_noise(float *pcm, size_t n)
{
    float last = 0;

    for (size_t i = 0; i < n; i++)
        pcm[i] = last += 0.1f * (0.3f * noise() - last);
}

static int begin(void **state)
{
    (void)state;
    dull_noise(said, SAID);
    memset(heard, 0, sizeof heard);
    return 0;
}

static void a_delayed_copy_is_found_to_the_sample(void **state)
{
    static const size_t lags[] = {0, 1, 4801, 6143, 95999};
    float likeness;

    (void)state;
    for (size_t k = 0; k < sizeof lags / sizeof *lags; k++) {
        memset(heard, 0, sizeof heard);
        for (size_t i = 0; i < SAID && lags[k] + i < ALL; i++)
            heard[lags[k] + i] = 0.5f * said[i];
        assert_int_equal(lag_find(said, SAID, heard, ALL, 2 * RATE, &likeness), lags[k]);
        assert_true(likeness > 0.99f);
    }
}

static void what_a_jitter_buffer_moved_is_still_alike(void **state)
{
    float likeness;

    (void)state;
    for (size_t i = 0; i < SAID; i++)
        heard[(i < 2 * RATE ? 5000 : 6000) + i] = said[i];
    assert_int_equal(lag_find(said, SAID, heard, ALL, 2 * RATE, &likeness), 6000);
    assert_true(likeness > 0.9f);
}

static void noise_beside_it_does_not_hide_it(void **state)
{
    float likeness;

    (void)state;
    dull_noise(heard, ALL);
    for (size_t i = 0; i < SAID; i++)
        heard[6000 + i] += said[i];
    assert_int_equal(lag_find(said, SAID, heard, ALL, 2 * RATE, &likeness), 6000);
    assert_true(likeness > LAG_UNLIKE);
}

static void another_sound_is_unlike(void **state)
{
    float likeness;

    (void)state;
    dull_noise(heard, ALL);
    lag_find(said, SAID, heard, ALL, 2 * RATE, &likeness);
    assert_true(likeness < LAG_UNLIKE);
}

static void silence_is_unlike(void **state)
{
    float likeness;

    (void)state;
    lag_find(said, SAID, heard, ALL, 2 * RATE, &likeness);
    assert_true(likeness < LAG_UNLIKE);
    lag_find(said, SAID, heard, 0, 2 * RATE, &likeness);
    assert_true(likeness < LAG_UNLIKE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_delayed_copy_is_found_to_the_sample, begin),
        cmocka_unit_test_setup(what_a_jitter_buffer_moved_is_still_alike, begin),
        cmocka_unit_test_setup(noise_beside_it_does_not_hide_it, begin),
        cmocka_unit_test_setup(another_sound_is_unlike, begin),
        cmocka_unit_test_setup(silence_is_unlike, begin),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
