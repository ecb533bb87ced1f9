/* tier.c - tests of mixer/tier.h */
#include "mixer/tier.h"
#include "mixer/bus.h"
#include "tests/mixer/sound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <opus.h>

static struct tier *new_tier(enum stream s)
{
    struct tier_config c = {.stream = s, .first_number = 41, .complexity = 5};

    return tier_new(&c);
}

static void test_tape(void **state)
{
    struct tier *t = new_tier(STREAM_LOW);
    float pcm[BUS_SAMPLES] = {0};
    struct tape_packet p;

    (void)state;
    assert_non_null(t);
    assert_int_equal(tier_stream(t), STREAM_LOW);
    assert_int_equal(tape_next(tier_tape(t)), 41);
    assert_false(tier_feed(t, pcm, 3 * BUS_SAMPLES, 1));
    assert_false(tier_feed(t, pcm, 4 * BUS_SAMPLES, 0));
    assert_true(tier_feed(t, pcm, 5 * BUS_SAMPLES, 0));
    assert_int_equal(tier_publish(t, TAPE_PAUSE, 17, 0x80000001u), 0);
    assert_int_equal(tape_read(tier_tape(t), 41, &p), 0);
    assert_int_equal(p.position, 3 * BUS_SAMPLES);
    assert_int_equal(p.flags, TAPE_PAUSE);
    assert_int_equal(p.epoch, 17);
    assert_int_equal(p.own_strips, 0x80000001u);
    assert_int_equal(p.talker_count, 1);
    tier_free(t);
    assert_null(new_tier(STREAM_EDGE));
    tier_free(NULL);
}

static void test_depth(void **state)
{
    static const enum stream streams[] = {STREAM_LOW, STREAM_STANDARD};
    uint32_t seed = 9;

    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        struct tier *t = new_tier(streams[n]);
        const struct tape *tape = tier_tape(t);
        struct tape_packet first, last;

        for (uint64_t k = 0; k < 500; k++) {
            float pcm[BUS_SAMPLES];

            for (unsigned i = 0; i < BUS_SAMPLES; i++) /* the largest packets */
                pcm[i] = 0.5f * sound_noise(&seed);
            if (tier_feed(t, pcm, k * BUS_SAMPLES, UINT32_MAX))
                assert_int_equal(tier_publish(t, 0, 1, 0), 0);
        }
        assert_int_equal(tape_read(tape, tape_oldest(tape), &first), 0);
        assert_int_equal(tape_read(tape, tape_next(tape) - 1, &last), 0);
        printf("# %s keeps %.1f s of noise\n", stream_name(streams[n]),
               (double)(last.position - first.position) / 48000.0);
        assert_true(last.position - first.position >= 3 * 48000);
        tier_free(t);
    }
}

/* Speech, 120 ms of zeros, then zeros from the woken encoder into the same decoder: what is heard at the joint. */
static void joint(enum stream s)
{
    struct tier *t = new_tier(s);
    const struct tape *tape = tier_tape(t);
    int error;
    OpusDecoder *d = opus_decoder_create(48000, 1, &error);
    uint64_t next = tape_next(tape), joint_at = 150 * BUS_SAMPLES, zeros_at = joint_at - 6 * BUS_SAMPLES;
    double worst = 0, before = 0;

    for (uint64_t k = 0; k < 250; k++) {
        uint64_t position = k * BUS_SAMPLES;
        float pcm[BUS_SAMPLES] = {0}, out[5760];
        struct tape_packet p;

        if (position < zeros_at)
            sound_add_speech(pcm, position, BUS_SAMPLES, 0, 0.5);
        if (position == joint_at)
            tier_awake(t);
        if (tier_feed(t, pcm, position, 0))
            tier_publish(t, 0, 0, 0);
        for (; next < tape_next(tape); next++) {
            assert_int_equal(tape_read(tape, next, &p), 0);
            assert_true(opus_decode_float(d, p.opus, p.opus_bytes, out, 5760, 0) > 0);
            if (p.position >= joint_at)
                worst = fmax(worst, sound_peak(out, p.duration_samples));
            else
                before = fmax(before, sound_peak(out, p.duration_samples));
        }
    }
    printf("# %s: peak %.1f dBFS in the speech, %.1f from the joint on\n", stream_name(s), sound_db(before),
           sound_db(worst));
    assert_true(sound_db(worst) < -70.0);
    opus_decoder_destroy(d);
    tier_free(t);
}

static void test_joint(void **state)
{
    (void)state;
    joint(STREAM_STANDARD);
    joint(STREAM_LOW);
}

/* Two encoders, one of which has coded speech. */
static void test_awake(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        struct tier *a = new_tier(n == 0 ? STREAM_LOW : STREAM_STANDARD), *b = new_tier(tier_stream(a));
        struct tape_packet pa, pb;

        for (uint64_t k = 0; k < 90; k++) {
            float pcm[BUS_SAMPLES] = {0};

            if (k < 45 || k >= 60)
                sound_add_speech(pcm, k * BUS_SAMPLES, BUS_SAMPLES, 0, 0.5);
            if (k == 60) {
                tier_awake(a);
                tier_awake(b);
            }
            if (tier_feed(a, pcm, k * BUS_SAMPLES, 0))
                tier_publish(a, 0, 0, 0);
            if (k < 60 || !tier_feed(b, pcm, k * BUS_SAMPLES, 0))
                continue;
            tier_publish(b, 0, 0, 0);
            assert_int_equal(tape_read(tier_tape(a), tape_next(tier_tape(a)) - 1, &pa), 0);
            assert_int_equal(tape_read(tier_tape(b), tape_next(tier_tape(b)) - 1, &pb), 0);
            assert_int_equal(pa.opus_bytes, pb.opus_bytes);
            assert_memory_equal(pa.opus, pb.opus, pa.opus_bytes);
        }
        tier_free(a);
        tier_free(b);
    }
}

/* A decoder that has heard all that went before against one that has known nothing but silence: what the first words
 * after a pause sound like must not depend on it. */
static void first_words(enum stream s)
{
    struct tier *t = new_tier(s);
    const struct tape *tape = tier_tape(t);
    int error;
    OpusDecoder *old = opus_decoder_create(48000, 1, &error), *blank = opus_decoder_create(48000, 1, &error);
    uint64_t next = tape_next(tape), joint_at = 150 * BUS_SAMPLES, zeros_at = joint_at - 6 * BUS_SAMPLES;
    struct coder silent;
    double level = 0, off = 0;

    assert_int_equal(coder_init(&silent, s, 5), 0);
    for (uint64_t k = 0; k < 210; k++) {
        uint64_t position = k * BUS_SAMPLES;
        float pcm[BUS_SAMPLES] = {0}, a[5760], b[5760];
        struct tape_packet p;

        if (k < 24 && coder_feed(&silent, pcm, position, 0)) {
            coder_encode(&silent, 0, &p);
            assert_true(opus_decode_float(blank, p.opus, p.opus_bytes, b, 5760, 0) > 0);
        }
        if (position < zeros_at || position >= joint_at)
            sound_add_speech(pcm, position, BUS_SAMPLES, position < zeros_at ? 0 : 1, 0.5);
        if (position == joint_at)
            tier_awake(t);
        if (tier_feed(t, pcm, position, 0))
            tier_publish(t, 0, 0, 0);
        for (; next < tape_next(tape); next++) {
            assert_int_equal(tape_read(tape, next, &p), 0);
            assert_true(opus_decode_float(old, p.opus, p.opus_bytes, a, 5760, 0) > 0);
            if (p.position < joint_at)
                continue;
            assert_true(opus_decode_float(blank, p.opus, p.opus_bytes, b, 5760, 0) > 0);
            for (unsigned i = 0; i < p.duration_samples; i++)
                a[i] -= b[i];
            off = fmax(off, sound_rms(a, p.duration_samples));
            level = fmax(level, sound_rms(b, p.duration_samples));
        }
    }
    printf("# %s: words at %.1f dBFS, off by %.1f\n", stream_name(s), sound_db(level), sound_db(off));
    assert_true(sound_db(off) < sound_db(level) - 30.0);
    opus_decoder_destroy(old);
    opus_decoder_destroy(blank);
    coder_fini(&silent);
    tier_free(t);
}

static void test_first_words(void **state)
{
    (void)state;
    first_words(STREAM_STANDARD);
    first_words(STREAM_LOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"a frame gets its number, flags, epoch and talkers on the tape", test_tape, NULL, NULL, NULL},
        {"the tape keeps seconds, whatever the sound", test_depth, NULL, NULL, NULL},
        {"a woken encoder's joint with the zeros before it is silent", test_joint, NULL, NULL, NULL},
        {"a woken encoder knows nothing of what was before", test_awake, NULL, NULL, NULL},
        {"the first words after a pause are the same to whoever has heard what was before", test_first_words, NULL,
         NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
