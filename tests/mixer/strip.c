/* strip.c - tests of mixer/strip.h, pulled by hand */
#include "mixer/strip.h"
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

struct scene {
    struct strip *strip;
    OpusEncoder *opus;
    uint64_t tick, broken;
    uint32_t number; /* of the next packet */
    unsigned frame;  /* samples in a packet */
};

static void scene_init(struct scene *s, unsigned frame)
{
    struct strip_config c = {.lease = 7, .own_tier = STREAM_LOW, .complexity = 5};
    int error;

    *s = (struct scene){.tick = 40, .frame = frame};
    s->strip = strip_new(&c);
    assert_non_null(s->strip);
    /* CELT alone: its packets are coded without SILK's run-up, so an onset comes out as sharp as it went in. */
    s->opus = opus_encoder_create(48000, 1, OPUS_APPLICATION_RESTRICTED_LOWDELAY, &error);
    assert_int_equal(error, OPUS_OK);
    opus_encoder_ctl(s->opus, OPUS_SET_BITRATE(64000));
}

static void scene_fini(struct scene *s)
{
    strip_free(s->strip);
    opus_encoder_destroy(s->opus);
}

/* One packet of a tone (0 dBFS: of zeros). */
static int offer(struct scene *s, double rms_dbfs, uint8_t flags)
{
    struct packet p = {.source = 1, .flags = flags, .timestamp = s->number * s->frame, .sequence = (uint16_t)s->number};
    float pcm[5760] = {0};

    if (rms_dbfs < 0)
        sound_add_tone(pcm, p.timestamp, s->frame, 500.0, rms_dbfs);
    p.opus_bytes = (uint16_t)opus_encode_float(s->opus, pcm, (int)s->frame, p.opus, PACKET_OPUS_MAX_BYTES);
    s->number++;
    return strip_offer(s->strip, &p, s->tick * BUS_SAMPLES);
}

static const float *pull(struct scene *s)
{
    return strip_pull(s->strip, s->tick++ * BUS_SAMPLES, &s->broken);
}

static void test_gate(void **state)
{
    struct scene s;
    const float *out;
    unsigned open = 0;
    float last = 1.0f;

    (void)state;
    scene_init(&s, 960);
    assert_null(pull(&s)); /* nothing has come */
    for (int n = 0; n < 30; n++) {
        offer(&s, -60.0, PACKET_VOICE);
        assert_null(pull(&s));
        assert_false(strip_is_talking(s.strip));
    }
    assert_true(atomic_load(&strip_stats(s.strip)->level_cb) > -650);
    assert_int_equal(atomic_load(&strip_stats(s.strip)->first_out), 0);
    for (int n = 0; n < 3; n++) { /* the delay of three packets is in between */
        offer(&s, -20.0, PACKET_VOICE);
        out = pull(&s);
        if (out != NULL)
            break;
    }
    assert_non_null(out);
    assert_true(strip_is_talking(s.strip));
    assert_true(strip_has_begun(s.strip));
    assert_true(fabsf(out[0]) < 0.001f); /* up from nothing, within 5 ms */
    assert_true(sound_peak(out + 240, 720) > 0.12);
    assert_int_equal(atomic_load(&strip_stats(s.strip)->first_out), (s.tick - 1) * BUS_SAMPLES + 1);
    for (int n = 0; n < 10; n++) {
        offer(&s, -20.0, PACKET_VOICE);
        assert_non_null(pull(&s));
        assert_false(strip_has_begun(s.strip));
    }
    assert_int_equal(atomic_load(&strip_stats(s.strip)->level_cb), -200);
    do {
        offer(&s, -58.0, PACKET_VOICE);
        out = pull(&s);
        if (out != NULL)
            last = fabsf(out[959]);
        open++;
    } while (out != NULL);
    assert_in_range(open, 100, 105);
    assert_true(last == 0.0f); /* and down to nothing before it closes */
    assert_false(strip_is_talking(s.strip));
    scene_fini(&s);
}

static void test_flag(void **state)
{
    struct scene s;

    (void)state;
    scene_init(&s, 960);
    for (int n = 0; n < 30; n++) {
        offer(&s, -10.0, 0);
        assert_false(strip_holds_voice(s.strip, s.tick * BUS_SAMPLES));
        assert_null(pull(&s));
    }
    assert_true(atomic_load(&strip_stats(s.strip)->level_cb) > -110); /* it is decoded, and its level known */
    for (int n = 0; n < 5; n++) {
        offer(&s, -10.0, PACKET_VOICE);
        assert_true(strip_holds_voice(s.strip, s.tick * BUS_SAMPLES));
        pull(&s);
    }
    assert_true(strip_is_talking(s.strip));
    scene_fini(&s);
}

static void test_holds(void **state)
{
    struct scene s;

    (void)state;
    scene_init(&s, 960);
    offer(&s, -10.0, PACKET_VOICE);
    assert_true(strip_holds_voice(s.strip, s.tick * BUS_SAMPLES));
    assert_true(strip_holds_voice(s.strip, s.tick * BUS_SAMPLES + 24000));
    assert_false(strip_holds_voice(s.strip, s.tick * BUS_SAMPLES + 24001));
    strip_rest(s.strip);
    assert_false(strip_holds_voice(s.strip, s.tick * BUS_SAMPLES));
    for (int n = 0; n < 5; n++)
        assert_null(pull(&s)); /* forgotten */
    scene_fini(&s);
}

/* Packets of other lengths than a tick come out as they went in. */
static void test_lengths(void **state)
{
    static const unsigned frames[] = {120, 240, 480, 960, 1920, 2880};

    (void)state;
    for (unsigned f = 0; f < 6; f++) {
        struct scene s;
        uint64_t sent = 0;
        unsigned heard = 0;

        scene_init(&s, frames[f]);
        for (unsigned n = 0; n < 100; n++) {
            const float *out;

            for (; sent < (uint64_t)(n + 1) * BUS_SAMPLES; sent += frames[f])
                assert_int_equal(offer(&s, -20.0, PACKET_VOICE), 0);
            out = pull(&s);
            if (out == NULL)
                continue;
            heard++;
            if (heard > 2)
                assert_float_equal(sound_db(sound_tone(out, 960, 500.0, NULL) / sqrt(2.0)), -20.0, 0.5);
        }
        assert_true(heard > 85);
        assert_int_equal(s.broken, 0);
        assert_int_equal(atomic_load(&strip_stats(s.strip)->concealed), 0);
        scene_fini(&s);
    }
}

static void test_counts(void **state)
{
    struct scene s;
    struct packet p = {.opus_bytes = 0};
    const struct strip_stats *stats;

    (void)state;
    scene_init(&s, 960);
    stats = strip_stats(s.strip);
    assert_int_equal(strip_lease(s.strip), 7);
    assert_int_equal(strip_offer(s.strip, &p, 0), -EINVAL);
    s.number = 65530;
    for (int n = 0; n < 20; n++) {
        if (n == 10)
            s.number++; /* lost */
        offer(&s, -20.0, PACKET_VOICE);
        pull(&s);
    }
    strip_count_stale(s.strip);
    assert_int_equal(atomic_load(&stats->received), 21);
    assert_int_equal(atomic_load(&stats->lost), 1);
    assert_int_equal(atomic_load(&stats->stale), 1);
    assert_int_equal(atomic_load(&stats->highest_sequence), (uint16_t)(65530 + 20));
    assert_in_range(atomic_load(&stats->delay_ms), 20, 80);
    assert_int_equal(atomic_load(&stats->last_out), s.tick * BUS_SAMPLES);
    scene_fini(&s);
}

static void test_skip(void **state)
{
    struct scene s;

    (void)state;
    scene_init(&s, 960);
    for (int n = 0; n < 20; n++) {
        offer(&s, -20.0, PACKET_VOICE);
        pull(&s);
    }
    for (int n = 0; n < 6; n++)
        offer(&s, -20.0, PACKET_VOICE);
    strip_skip(s.strip, 5 * BUS_SAMPLES);
    s.tick += 5;
    pull(&s);
    assert_in_range(atomic_load(&strip_stats(s.strip)->delay_ms), 40, 60);
    strip_skip(s.strip, UINT64_MAX);
    pull(&s);
    assert_int_equal(atomic_load(&strip_stats(s.strip)->delay_ms), 0);
    scene_fini(&s);
}

static void test_mute(void **state)
{
    struct scene s;
    const float *out;

    (void)state;
    scene_init(&s, 960);
    for (int n = 0; n < 10; n++) {
        offer(&s, -20.0, PACKET_VOICE);
        pull(&s);
    }
    strip_mute(s.strip, true);
    assert_false(strip_is_muted(s.strip));
    offer(&s, -20.0, PACKET_VOICE);
    out = pull(&s);
    assert_non_null(out);
    assert_true(out[959] == 0.0f);
    assert_true(strip_is_muted(s.strip));
    offer(&s, -20.0, PACKET_VOICE);
    assert_null(pull(&s));
    assert_false(strip_is_talking(s.strip));
    assert_false(strip_holds_voice(s.strip, s.tick * BUS_SAMPLES));
    assert_int_equal(atomic_load(&strip_stats(s.strip)->level_cb), -1200);
    strip_mute(s.strip, false);
    for (int n = 0; n < 2; n++) { /* two packets that were held are of the past, two are too few to begin with */
        offer(&s, -20.0, PACKET_VOICE);
        assert_null(pull(&s));
    }
    offer(&s, -20.0, PACKET_VOICE);
    assert_non_null(pull(&s));
    assert_true(strip_has_begun(s.strip));
    scene_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"the gate opens in the frame that exceeds, and fades in and out", test_gate, NULL, NULL, NULL},
        {"only sound that its sender calls voice opens the gate", test_flag, NULL, NULL, NULL},
        {"voice that waits is known, for half a second", test_holds, NULL, NULL, NULL},
        {"packets of 2.5 to 60 ms come out whole", test_lengths, NULL, NULL, NULL},
        {"what comes, gets lost or is broken is counted", test_counts, NULL, NULL, NULL},
        {"skipped ticks leave no delay behind", test_skip, NULL, NULL, NULL},
        {"a muted strip drops its packets and begins afresh", test_mute, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
