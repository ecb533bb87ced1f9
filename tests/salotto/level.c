/* level.c - tests of how loud a recording is */
#include "tools/salotto/level.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define RATE 48000u

static float pcm[5 * RATE];

static void sine(size_t from, size_t to, float amplitude)
{
    for (size_t i = from; i < to; i++)
        pcm[i] = amplitude * sinf((float)i * 2.0f * (float)M_PI * 997.0f / (float)RATE);
}

static int hush(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pcm / sizeof *pcm; i++)
        pcm[i] = 0;
    return 0;
}

static void silence_is_the_floor(void **state)
{
    struct level l;

    (void)state;
    level_measure(&l, pcm, RATE);
    assert_true(l.peak_dbfs <= LEVEL_FLOOR_DBFS);
    assert_true(l.rms_dbfs <= LEVEL_FLOOR_DBFS);
    assert_true(l.speaking_s == 0);
    assert_int_equal(l.at_limit, 0);
}

static void pauses_do_not_lower_what_is_said(void **state)
{
    struct level l;

    (void)state;
    sine(RATE, 2 * RATE, 0.1f); /* an RMS of -23 dBFS in one of five seconds */
    level_measure(&l, pcm, 5 * RATE);
    assert_float_equal(l.peak_dbfs, -20.0f, 0.05f);
    assert_float_equal(l.rms_dbfs, -23.0f, 0.1f);
    assert_float_equal(l.speaking_s, 1.0f, 0.03f);
}

static void clipped_samples_are_counted(void **state)
{
    struct level l;

    (void)state;
    sine(0, RATE, 2.0f);
    for (size_t i = 0; i < RATE; i++)
        pcm[i] = fmaxf(-1.0f, fminf(1.0f, pcm[i]));
    level_measure(&l, pcm, RATE);
    assert_true(l.at_limit > RATE / 2);
    assert_float_equal(l.peak_dbfs, 0.0f, 0.01f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(silence_is_the_floor, hush),
        cmocka_unit_test_setup(pauses_do_not_lower_what_is_said, hush),
        cmocka_unit_test_setup(clipped_samples_are_counted, hush),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
