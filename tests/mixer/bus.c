/* bus.c - tests of mixer/bus.h */
#include "mixer/bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void fill(float *pcm, float value)
{
    for (unsigned i = 0; i < BUS_SAMPLES; i++)
        pcm[i] = value * (float)(i + 1) / BUS_SAMPLES;
}

static void test_sum(void **state)
{
    float bus[BUS_SAMPLES], voice[BUS_SAMPLES];

    (void)state;
    fill(bus, 7.0f);
    bus_clear(bus);
    fill(voice, 0.75f);
    for (int i = 0; i < 10; i++)
        bus_add(bus, voice);
    assert_float_equal(bus[BUS_SAMPLES - 1], 7.5f, 1e-6f);
    assert_float_equal(bus[0], 7.5f / BUS_SAMPLES, 1e-6f);
}

static void test_without(void **state)
{
    float bus[BUS_SAMPLES], a[BUS_SAMPLES], b[BUS_SAMPLES], out[BUS_SAMPLES];

    (void)state;
    bus_clear(bus);
    fill(a, 0.9f);
    fill(b, -0.3f);
    bus_add(bus, a);
    bus_add(bus, b);
    bus_without(out, bus, a);
    for (unsigned i = 0; i < BUS_SAMPLES; i++)
        assert_float_equal(out[i], b[i], 1e-7f);
    bus_without(out, bus, NULL);
    assert_memory_equal(out, bus, sizeof out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"ten voices sum up above full scale without a limit", test_sum, NULL, NULL, NULL},
        {"mix-minus leaves the others and nothing of the one taken out", test_without, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
