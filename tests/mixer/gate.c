/* gate.c - tests of mixer/gate.h */
#include "mixer/gate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FRAME 960

static void sine(float *pcm, float rms_dbfs)
{
    float peak = sqrtf(2.0f) * powf(10.0f, rms_dbfs / 20.0f);

    for (int i = 0; i < FRAME; i++)
        pcm[i] = peak * sinf(2.0f * (float)M_PI * 500.0f * (float)i / 48000.0f);
}

static void test_level(void **state)
{
    float pcm[FRAME];

    (void)state;
    sine(pcm, -23.0f);
    assert_float_equal(gate_dbfs(gate_power(pcm, FRAME)), -23.0f, 0.01f);
    assert_float_equal(gate_dbfs(0.0f), -120.0f, 0.0f);
    assert_float_equal(gate_power(pcm, 0), 0.0f, 0.0f);
}

static void test_opens(void **state)
{
    float pcm[FRAME];
    struct gate g;

    (void)state;
    gate_init(&g);
    sine(pcm, -50.2f);
    for (int i = 0; i < 500; i++)
        assert_false(gate_run(&g, pcm, FRAME));
    sine(pcm, -49.8f);
    assert_true(gate_run(&g, pcm, FRAME));
}

static void test_click_opens(void **state)
{
    float pcm[FRAME] = {0};
    struct gate g;

    (void)state;
    gate_init(&g);
    for (int i = FRAME - 48; i < FRAME; i++) /* 1 ms at -36 dBFS: 13 dB are lost in the frame's mean */
        pcm[i] = 0.016f;
    assert_true(gate_run(&g, pcm, FRAME));
}

static void test_closes(void **state)
{
    float loud[FRAME], between[FRAME], quiet[FRAME];
    struct gate g;

    (void)state;
    sine(loud, -30.0f);
    sine(between, -53.0f);
    sine(quiet, -57.0f);
    gate_init(&g);
    gate_run(&g, loud, FRAME);
    for (int i = 0; i < 99; i++)
        assert_true(gate_run(&g, quiet, FRAME));
    assert_true(gate_run(&g, between, FRAME)); /* the two seconds begin anew */
    for (int i = 0; i < 99; i++)
        assert_true(gate_run(&g, NULL, FRAME));
    assert_false(gate_run(&g, NULL, FRAME));
    assert_false(gate_run(&g, between, FRAME));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"levels are RMS in dBFS", test_level, NULL, NULL, NULL},
        {"the gate opens in the frame that exceeds -50 dBFS", test_opens, NULL, NULL, NULL},
        {"a loud millisecond at a frame's end opens the gate", test_click_opens, NULL, NULL, NULL},
        {"the gate closes after two seconds below -56 dBFS in a row", test_closes, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
