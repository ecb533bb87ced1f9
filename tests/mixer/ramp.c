/* ramp.c - tests of mixer/ramp.h */
#include "mixer/ramp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void ones(float *pcm, unsigned samples)
{
    for (unsigned i = 0; i < samples; i++)
        pcm[i] = 1.0f;
}

static void test_lands(void **state)
{
    struct ramp r;
    float pcm[1000];

    (void)state;
    ramp_init(&r, 1.0f);
    ramp_to(&r, 0.0f, 960);
    assert_true(ramp_is_running(&r));
    ones(pcm, 1000);
    ramp_run(&r, pcm, 480);
    ramp_run(&r, pcm + 480, 520);
    assert_false(ramp_is_running(&r));
    assert_float_equal(pcm[479], 0.5f, 1e-3f);
    for (unsigned i = 1; i < 1000; i++)
        assert_true(pcm[i] <= pcm[i - 1]);
    for (unsigned i = 959; i < 1000; i++)
        assert_true(pcm[i] == 0.0f);
    for (float to = 0.001f; to < 4.0f; to *= 1.07f) { /* from + (to - from) is not always `to` in float */
        pcm[9] = 1.0f;
        ramp_init(&r, 0.3f);
        ramp_to(&r, to, 10);
        ramp_run(&r, pcm, 10);
        assert_true(pcm[9] == to);
    }
}

static void test_turns(void **state)
{
    struct ramp r;
    float pcm[960 * 2];

    (void)state;
    ramp_init(&r, 1.0f);
    ramp_to(&r, 0.0f, 960);
    ones(pcm, 960 * 2);
    ramp_run(&r, pcm, 400);
    ramp_to(&r, 1.0f, 960);
    ramp_run(&r, pcm + 400, 960 * 2 - 400);
    for (unsigned i = 1; i < 960 * 2; i++) /* the steepest step of a 20 ms ramp is pi / 2 / 960 */
        assert_float_equal(pcm[i], pcm[i - 1], 1.65e-3f);
    assert_true(pcm[960 * 2 - 1] == 1.0f);
}

static void test_at_rest(void **state)
{
    struct ramp r;
    float pcm[4] = {0.1f, -0.2f, 0.3f, -0.4f};

    (void)state;
    ramp_init(&r, 1.0f);
    ramp_to(&r, 1.0f, 960);
    assert_false(ramp_is_running(&r));
    ramp_run(&r, pcm, 4);
    assert_true(pcm[1] == -0.2f);
    ramp_to(&r, 0.5f, 960);
    ramp_settle(&r);
    ramp_run(&r, pcm, 4);
    assert_float_equal(pcm[3], -0.2f, 1e-7f);
    ramp_to(&r, 0.25f, 0);
    ramp_run(&r, pcm, 1);
    assert_float_equal(pcm[0], 0.0125f, 1e-7f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"a ramp lands on its target, to the bit, and never turns back", test_lands, NULL, NULL, NULL},
        {"a new target in the middle of a ramp goes on from there without a step", test_turns, NULL, NULL, NULL},
        {"at rest it multiplies, and by 1 it changes nothing", test_at_rest, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
