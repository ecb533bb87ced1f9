/* coder.c - tests of mixer/coder.h */
#include "mixer/coder.h"
#include "mixer/bus.h"
#include "tests/mixer/sound.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <opus.h>

#define COMPLEXITY 5

static void speech(float *pcm, uint64_t position, double peak)
{
    memset(pcm, 0, BUS_SAMPLES * sizeof *pcm);
    for (unsigned voice = 0; voice < 3; voice++)
        sound_add_speech(pcm, position, BUS_SAMPLES, voice, peak);
}

static void test_streams(void **state)
{
    struct coder c;

    (void)state;
    assert_int_equal(coder_frame_samples(STREAM_STANDARD), 960);
    assert_int_equal(coder_frame_samples(STREAM_LOW), 2880);
    assert_int_equal(coder_frame_samples(STREAM_EDGE), 0);
    assert_int_equal(coder_frame_samples(STREAM_OWN), 0);
    assert_int_equal(coder_init(&c, STREAM_MUSIC, COMPLEXITY), -EINVAL);
    assert_int_equal(coder_init(&c, STREAM_LOW, 11), -EINVAL);
}

#define CHORUS (6 * 48000) /* six seconds of three voices, played round and round */

static const float *chorus(void)
{
    static float pcm[CHORUS];

    if (pcm[CHORUS - 1] == 0.0f)
        for (unsigned i = 0; i < CHORUS; i += BUS_SAMPLES)
            speech(pcm + i, i, 0.3);
    return pcm;
}

/* The wire: IPv4 and UDP take 28 bytes, header and tag 14, the sealed flags, position and up to seven talkers 10. */
static double wire_kbit_per_s(enum stream s)
{
    struct coder c;
    uint64_t bytes = 0, position = 0;

    assert_int_equal(coder_init(&c, s, COMPLEXITY), 0);
    for (; position < 60 * 48000; position += BUS_SAMPLES) {
        struct tape_packet p;

        if (!coder_feed(&c, chorus() + position % CHORUS, position, 1))
            continue;
        assert_int_equal(coder_encode(&c, 0, &p), 0);
        bytes += p.opus_bytes + 28 + 14 + 10;
    }
    coder_fini(&c);
    return (double)bytes * 8 / 60 / 1000;
}

static void test_wire(void **state)
{
    double low = wire_kbit_per_s(STREAM_LOW), standard = wire_kbit_per_s(STREAM_STANDARD);

    (void)state;
    printf("# low %.1f kbit/s, standard %.1f kbit/s\n", low, standard);
    assert_true(low < 20.0);
    assert_true(standard < 52.0);
}

static void test_grid(void **state)
{
    static const float pcm[BUS_SAMPLES];
    struct tape_packet p;
    struct coder c;

    (void)state;
    assert_int_equal(coder_init(&c, STREAM_LOW, COMPLEXITY), 0);
    assert_false(coder_feed(&c, pcm, 31 * 960, 1u << 4)); /* 31 is the second third of frame 30 */
    assert_true(coder_feed(&c, pcm, 32 * 960, 1u << 9));
    assert_int_equal(coder_encode(&c, 0, &p), 0);
    assert_int_equal(p.position, 30 * 960);
    assert_int_equal(p.duration_samples, 2880);
    assert_int_equal(p.talker_count, 2);
    assert_int_equal(p.talkers[0], 4);
    assert_int_equal(p.talkers[1], 9);

    assert_false(coder_feed(&c, pcm, 33 * 960, 1)); /* 34 is skipped: the frame begins anew */
    assert_true(coder_feed(&c, pcm, 35 * 960, 2));
    assert_int_equal(coder_encode(&c, 0, &p), 0);
    assert_int_equal(p.position, 33 * 960);
    assert_int_equal(p.talker_count, 1);
    assert_int_equal(p.talkers[0], 1);

    assert_false(coder_feed(&c, pcm, 36 * 960, UINT32_MAX));
    coder_feed(&c, pcm, 37 * 960, 0);
    assert_true(coder_feed(&c, pcm, 38 * 960, 0));
    assert_int_equal(coder_encode(&c, 1u << 2, &p), 0);
    assert_int_equal(p.talker_count, TAPE_TALKERS_MAX);
    assert_int_equal(p.talkers[2], 3);
    assert_int_equal(p.talkers[6], 7);
    coder_fini(&c);
}

static void test_copy(void **state)
{
    struct coder a, b;
    float pcm[BUS_SAMPLES];

    (void)state;
    assert_int_equal(coder_init(&a, STREAM_LOW, COMPLEXITY), 0);
    assert_int_equal(coder_init(&b, STREAM_STANDARD, 0), 0);
    for (uint64_t k = 0; k < 100; k++) {
        struct tape_packet pa, pb;
        bool full;

        speech(pcm, k * BUS_SAMPLES, 0.2);
        full = coder_feed(&a, pcm, k * BUS_SAMPLES, 1);
        if (k == 49) /* in the middle of a frame */
            coder_copy(&b, &a);
        if (k > 49)
            assert_int_equal(coder_feed(&b, pcm, k * BUS_SAMPLES, 1), full);
        if (!full)
            continue;
        coder_encode(&a, 0, &pa);
        if (k <= 49)
            continue;
        coder_encode(&b, 0, &pb);
        assert_int_equal(pa.opus_bytes, pb.opus_bytes);
        assert_memory_equal(pa.opus, pb.opus, pa.opus_bytes);
    }
    coder_fini(&a);
    coder_fini(&b);
}

/* A noise burst in the bus comes out of a decoder 312 samples later, which is what coder.h promises. */
static void test_delay(void **state)
{
    struct coder c;
    OpusDecoder *d;
    int error;
    enum { TICKS = 30 };
    static float in[TICKS * BUS_SAMPLES], out[TICKS * BUS_SAMPLES];
    size_t best = 0;
    double most = 0;
    uint32_t seed = 5;

    (void)state;
    d = opus_decoder_create(48000, 1, &error);
    assert_int_equal(coder_init(&c, STREAM_STANDARD, COMPLEXITY), 0);
    for (size_t i = 0; i < TICKS * BUS_SAMPLES; i++)
        in[i] = 0.2f * sound_noise(&seed);
    for (unsigned k = 0; k < TICKS; k++) {
        struct tape_packet p;

        assert_true(coder_feed(&c, in + k * BUS_SAMPLES, k * BUS_SAMPLES, 0));
        assert_int_equal(coder_encode(&c, 0, &p), 0);
        assert_true(opus_decode_float(d, p.opus, p.opus_bytes, out + k * BUS_SAMPLES, BUS_SAMPLES, 0) > 0);
    }
    for (size_t lag = 0; lag < 960; lag++) {
        double share = sound_share(out + 9600 + lag, in + 9600, 9600);

        if (share > most) {
            most = share;
            best = lag;
        }
    }
    assert_in_range(best, 312 - 2, 312 + 2);
    opus_decoder_destroy(d);
    coder_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"low and standard are what can be encoded", test_streams, NULL, NULL, NULL},
        {"a minute of three voices stays under 20 and 52 kbit/s on the wire", test_wire, NULL, NULL, NULL},
        {"frames lie on the grid of positions and name who speaks in them", test_grid, NULL, NULL, NULL},
        {"a copy made within a frame goes on byte for byte", test_copy, NULL, NULL, NULL},
        {"the codec's delay is 312 samples", test_delay, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
