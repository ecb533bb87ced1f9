/* jitter.c - tests of mixer/jitter.h
 *
 * Packets here are mostly a TOC byte (RFC 6716 section 3.1) and some bytes more: the buffer looks no deeper. Each is
 * known by its sequence number. A pull is what a tick does: take until 20 ms of sound are there, keep the rest.
 */
#include "mixer/jitter.h"

#include <errno.h>
#include <math.h>
#include <opus/opus.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TICK    960u
#define MS      48u

/* TOC bytes: the configuration in the upper five bits, one frame (code 0) or two of one size (code 1). */
#define TOC_2_5 (28 << 3)
#define TOC_5   (29 << 3)
#define TOC_10  (30 << 3)
#define TOC_20  (31 << 3)
#define TOC_40  (10 << 3)
#define TOC_60  (11 << 3)
#define TOC_120 (11 << 3 | 1)

struct source {
    struct jitter *jitter;
    struct packet packet;
    unsigned rest; /* samples taken but not yet asked for */
    enum jitter_action action;
    struct packet out;
};

static void open_source(struct source *s, const struct jitter_config *c)
{
    static const struct jitter_config usual = {.start_packets = 3, .capacity = 64, .max_ms = 500};

    memset(s, 0, sizeof *s);
    s->jitter = jitter_new(c != NULL ? c : &usual);
    assert_non_null(s->jitter);
    s->packet.source = 7;
    s->packet.opus_bytes = 21;
}

static int put(struct source *s, uint8_t toc, uint16_t sequence, uint32_t timestamp, uint8_t flags)
{
    s->packet.opus[0] = toc;
    s->packet.sequence = sequence;
    s->packet.timestamp = timestamp;
    s->packet.flags = flags;
    return jitter_put(s->jitter, &s->packet);
}

/* Packet n of a stream of 20 ms that begins at sequence and timestamp 0. */
static int put20(struct source *s, unsigned n)
{
    return put(s, TOC_20, (uint16_t)n, n * TICK, 0);
}

static unsigned take(struct source *s)
{
    unsigned samples = 0xdead;

    s->action = jitter_take(s->jitter, TICK, &s->out, &samples);
    return samples;
}

static void expect(struct source *s, enum jitter_action action, unsigned samples)
{
    unsigned got = take(s);

    assert_int_equal(s->action, action);
    assert_int_equal(got, samples);
}

static void expect_play(struct source *s, unsigned sequence, unsigned samples)
{
    expect(s, JITTER_PLAY, samples);
    assert_int_equal(s->out.sequence, (uint16_t)sequence);
    assert_int_equal(s->out.opus_bytes, 21);
}

/* Fills the buffer with 20 ms packets first.. and begins to play. */
static void begin20(struct source *s)
{
    for (unsigned n = 0; n < 3; n++)
        assert_int_equal(put20(s, n), 0);
    expect_play(s, 0, TICK);
}

static void close_source(struct source *s)
{
    jitter_free(s->jitter);
}

static void test_config(void **state)
{
    struct jitter_config bad[] = {
        {.start_packets = 0, .capacity = 64, .max_ms = 500},  {.start_packets = 17, .capacity = 64, .max_ms = 500},
        {.start_packets = 3, .capacity = 60, .max_ms = 500},  {.start_packets = 3, .capacity = 4, .max_ms = 500},
        {.start_packets = 3, .capacity = 512, .max_ms = 500},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_null(jitter_new(&bad[i]));
    jitter_free(NULL);
}

static void test_start(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    expect(&s, JITTER_SILENCE, TICK);
    put20(&s, 0);
    expect(&s, JITTER_SILENCE, TICK);
    put20(&s, 1);
    expect(&s, JITTER_SILENCE, TICK);
    assert_false(jitter_is_playing(s.jitter));
    put20(&s, 2);
    assert_int_equal(jitter_held_ms(s.jitter), 60);
    expect_play(&s, 0, TICK);
    assert_true(jitter_is_playing(s.jitter));
    assert_int_equal(jitter_timestamp(s.jitter), TICK);
    close_source(&s);
}

static void test_start_120ms(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    put(&s, TOC_60, 0, 0, 0);
    expect(&s, JITTER_SILENCE, TICK);
    put(&s, TOC_60, 1, 60 * MS, 0);
    expect_play(&s, 0, 60 * MS);
    close_source(&s);
    open_source(&s, NULL);
    s.packet.opus_bytes = 21; /* the TOC and two frames of 10 bytes */
    put(&s, TOC_120, 0, 0, 0);
    expect_play(&s, 0, 120 * MS);
    close_source(&s);
}

/* Three packets of 2.5 ms would be used up within the first pull, and each pull after it. */
static void test_start_2_5ms(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    for (unsigned n = 0; n < 7; n++)
        put(&s, TOC_2_5, (uint16_t)n, n * 120, 0);
    expect(&s, JITTER_SILENCE, TICK);
    put(&s, TOC_2_5, 7, 7 * 120, 0);
    expect_play(&s, 0, 120);
    close_source(&s);
}

static void test_short_utterance(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    put20(&s, 0);
    for (int i = 0; i < 6; i++)
        expect(&s, JITTER_SILENCE, TICK);
    expect_play(&s, 0, TICK);
    close_source(&s);

    open_source(&s, NULL);
    put20(&s, 0);
    put(&s, TOC_20, 1, TICK, PACKET_PAUSE);
    expect_play(&s, 0, TICK);
    expect_play(&s, 1, TICK);
    expect(&s, JITTER_SILENCE, TICK);
    assert_false(jitter_is_playing(s.jitter));
    assert_int_equal(jitter_stats(s.jitter)->concealed, 0);
    close_source(&s);
}

/* Without jitter nothing but playing happens, in order, for as long as one cares to wait. */
static void run_steady(uint8_t toc, double frame_ms, unsigned minutes)
{
    unsigned frame = (unsigned)(frame_ms * MS), ticks = minutes * 60 * 50, sent = 0, played = 0;
    struct source s;

    open_source(&s, NULL);
    for (unsigned tick = 0; tick < ticks; tick++) {
        for (; sent * frame < (tick + 1) * TICK; sent++)
            assert_int_equal(put(&s, toc, (uint16_t)(65000 + sent), 0xffff0000u + sent * frame, 0), 0);
        while (s.rest < TICK) {
            unsigned samples = take(&s);

            s.rest += samples;
            if (s.action == JITTER_SILENCE) {
                assert_int_equal(played, 0);
                continue;
            }
            assert_int_equal(s.action, JITTER_PLAY);
            assert_int_equal(samples, frame);
            assert_int_equal(s.out.sequence, (uint16_t)(65000 + played));
            assert_int_equal(s.out.timestamp, 0xffff0000u + played * frame);
            played++;
        }
        s.rest -= TICK;
    }
    assert_true(played > 0 && sent - played <= (frame_ms >= 10 ? 3 : 20));
    close_source(&s);
}

static void test_steady_20(void **state)
{
    (void)state;
    run_steady(TOC_20, 20, 30); /* 90,000 packets: the sequence wraps twice, the timestamp once */
}

static void test_steady_60(void **state)
{
    (void)state;
    run_steady(TOC_60, 60, 60);
}

static void test_steady_other(void **state)
{
    (void)state;
    run_steady(TOC_2_5, 2.5, 1);
    run_steady(TOC_5, 5, 1);
    run_steady(TOC_10, 10, 1);
    run_steady(TOC_40, 40, 1);
    run_steady(TOC_120, 120, 1);
}

static void test_changing_frames(void **state)
{
    static const struct {
        uint8_t toc;
        unsigned samples;
    } kind[] = {{TOC_20, 960}, {TOC_60, 2880}, {TOC_2_5, 120}, {TOC_10, 480}, {TOC_120, 5760}, {TOC_40, 1920}};
    uint32_t timestamp = 5, next = 5;
    struct source s;

    (void)state;
    open_source(&s, NULL);
    for (unsigned n = 0; n < 3; n++, timestamp += TICK)
        assert_int_equal(put(&s, TOC_20, (uint16_t)n, timestamp, 0), 0);
    for (unsigned n = 0; n < 600; n++) {
        assert_int_equal(put(&s, kind[n % 6].toc, (uint16_t)(n + 3), timestamp, 0), 0);
        timestamp += kind[n % 6].samples;
        expect_play(&s, n, n < 3 ? TICK : kind[(n - 3) % 6].samples);
        assert_int_equal(s.out.timestamp, next);
        next += n < 3 ? TICK : kind[(n - 3) % 6].samples;
        assert_int_equal(jitter_timestamp(s.jitter), next);
    }
    close_source(&s);
}

static void test_reorder(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    put20(&s, 2);
    put20(&s, 0);
    put20(&s, 1);
    expect_play(&s, 0, TICK);
    put20(&s, 4);
    put20(&s, 3);
    for (unsigned n = 1; n < 5; n++)
        expect_play(&s, n, TICK);
    assert_int_equal(jitter_stats(s.jitter)->lost, 0);
    close_source(&s);
}

static void test_reorder_across_wrap(void **state)
{
    static const unsigned order[] = {1, 0, 3, 2, 5, 4, 7, 6};
    struct source s;

    (void)state;
    open_source(&s, NULL);
    for (unsigned i = 0; i < 8; i++)
        put(&s, TOC_20, (uint16_t)(65532 + order[i]), (uint32_t)-4 * TICK + order[i] * TICK, 0);
    for (unsigned n = 0; n < 8; n++)
        expect_play(&s, 65532 + n, TICK);
    assert_int_equal(jitter_stats(s.jitter)->restarts, 0);
    close_source(&s);
}

static void test_duplicate(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    begin20(&s);
    assert_int_equal(put20(&s, 1), -EEXIST); /* still held */
    assert_int_equal(put20(&s, 0), -EEXIST); /* played before */
    assert_int_equal(jitter_stats(s.jitter)->duplicate, 2);
    expect_play(&s, 1, TICK);
    expect_play(&s, 2, TICK);
    assert_int_equal(jitter_stats(s.jitter)->received, 5);
    close_source(&s);
}

static void test_late(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    begin20(&s);
    put20(&s, 4);
    put20(&s, 5);
    expect_play(&s, 1, TICK);
    expect_play(&s, 2, TICK);
    expect(&s, JITTER_CONCEAL, TICK);
    assert_int_equal(put20(&s, 3), -ETIME);
    expect_play(&s, 4, TICK);
    assert_int_equal(jitter_stats(s.jitter)->late, 1);
    assert_int_equal(jitter_stats(s.jitter)->lost, 1);
    assert_int_equal(jitter_stats(s.jitter)->concealed, 1);
    close_source(&s);
}

/* A packet of 60 ms that misses its time by one pull of 20 is worth more than its punctuality. */
static void test_a_little_late(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    put(&s, TOC_60, 0, 0, 0);
    put(&s, TOC_60, 1, 60 * MS, 0);
    expect_play(&s, 0, 60 * MS);
    expect_play(&s, 1, 60 * MS);
    expect(&s, JITTER_CONCEAL, TICK);
    assert_int_equal(put(&s, TOC_60, 2, 120 * MS, 0), 0);
    expect_play(&s, 2, 60 * MS);
    assert_int_equal(jitter_timestamp(s.jitter), 180 * MS);
    assert_int_equal(jitter_stats(s.jitter)->lost, 0);
    close_source(&s);
}

static void test_loss_of_several(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    begin20(&s);
    put20(&s, 6);
    expect_play(&s, 1, TICK);
    expect_play(&s, 2, TICK);
    for (int i = 0; i < 3; i++)
        expect(&s, JITTER_CONCEAL, TICK);
    expect_play(&s, 6, TICK);
    assert_int_equal(jitter_stats(s.jitter)->lost, 3);
    close_source(&s);
}

static void test_loss_of_60ms(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    put(&s, TOC_60, 0, 0, 0);
    put(&s, TOC_60, 2, 120 * MS, 0);
    expect_play(&s, 0, 60 * MS);
    expect(&s, JITTER_CONCEAL, 60 * MS);
    expect_play(&s, 2, 60 * MS);
    close_source(&s);
}

/* Speech enough for an encoder to send redundancy: harmonics of a gliding voice with syllables. */
static void voice(float *pcm, unsigned from, unsigned samples)
{
    for (unsigned i = 0; i < samples; i++) {
        double t = (from + i) / 48000.0, phase = 2 * M_PI * (120 * t + 3 * sin(2 * M_PI * 1.3 * t)), sum = 0;

        for (int h = 1; h <= 25; h++)
            sum += sin(h * phase) / (1 + fabs(h - 5.0) / 2);
        pcm[i] = (float)(0.08 * sum * (0.6 + 0.4 * sin(2 * M_PI * 4 * t)));
    }
}

/* Encodes `count` packets of speech with in-band FEC or without and gives all but `lost` to the buffer. */
static void put_speech(struct source *s, int fec, unsigned frame, unsigned count, unsigned lost)
{
    OpusEncoder *e = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, NULL);
    struct packet p = {.source = 7};
    float pcm[2880];

    assert_non_null(e);
    opus_encoder_ctl(e, OPUS_SET_BITRATE(24000));
    opus_encoder_ctl(e, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    if (frame > 960) /* SILK alone: frames of 60 ms rather than three hybrid ones of 20 */
        opus_encoder_ctl(e, OPUS_SET_MAX_BANDWIDTH(OPUS_BANDWIDTH_WIDEBAND));
    opus_encoder_ctl(e, OPUS_SET_INBAND_FEC(fec));
    opus_encoder_ctl(e, OPUS_SET_PACKET_LOSS_PERC(20));
    for (unsigned n = 0; n < count; n++) {
        int bytes;

        voice(pcm, n * frame, frame);
        bytes = opus_encode_float(e, pcm, (int)frame, p.opus, sizeof p.opus);
        assert_true(bytes > 0);
        p.opus_bytes = (uint16_t)bytes;
        p.sequence = (uint16_t)n;
        p.timestamp = n * frame;
        if (n != lost)
            assert_int_equal(jitter_put(s->jitter, &p), 0);
    }
    opus_encoder_destroy(e);
}

static void test_fec(void **state)
{
    struct source s;

    (void)state;
    for (unsigned frame = 960; frame <= 2880; frame += 1920) {
        open_source(&s, NULL);
        put_speech(&s, 1, frame, 480 * MS / frame, 4);
        for (unsigned n = 0; n < 4; n++)
            expect(&s, JITTER_PLAY, frame);
        expect(&s, JITTER_RECOVER, frame);
        assert_int_equal(s.out.sequence, 5);
        expect(&s, JITTER_PLAY, frame);
        assert_int_equal(s.out.sequence, 5);
        assert_int_equal(jitter_stats(s.jitter)->lost, 1);
        assert_int_equal(jitter_stats(s.jitter)->recovered, 1);
        assert_int_equal(jitter_stats(s.jitter)->concealed, 0);
        close_source(&s);
    }
}

static void test_no_fec(void **state)
{
    struct source s;

    (void)state;
    for (unsigned frame = 960; frame <= 2880; frame += 1920) {
        open_source(&s, NULL);
        put_speech(&s, 0, frame, 480 * MS / frame, 4);
        for (unsigned n = 0; n < 4; n++)
            expect(&s, JITTER_PLAY, frame);
        expect(&s, JITTER_CONCEAL, frame);
        expect(&s, JITTER_PLAY, frame);
        assert_int_equal(s.out.sequence, 5);
        assert_int_equal(jitter_stats(s.jitter)->recovered, 0);
        close_source(&s);
    }
}

static void test_dtx(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    begin20(&s);
    put(&s, TOC_20, 3, 3 * TICK + 400 * MS + 50, 0);
    expect_play(&s, 1, TICK);
    expect_play(&s, 2, TICK);
    for (unsigned i = 0; i < 20; i++)
        expect(&s, JITTER_SILENCE, TICK);
    expect(&s, JITTER_PLAY, TICK); /* 50 samples are a sender's rounding, not a gap */
    assert_int_equal(s.out.sequence, 3);
    assert_int_equal(jitter_stats(s.jitter)->lost, 0);
    assert_int_equal(jitter_stats(s.jitter)->concealed, 0);
    close_source(&s);
}

static void test_pause_gap(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    put20(&s, 0);
    put20(&s, 1);
    put(&s, TOC_20, 2, 2 * TICK, PACKET_PAUSE);
    put20(&s, 10); /* a stream's numbers follow its position, so they jump too */
    expect_play(&s, 0, TICK);
    expect_play(&s, 1, TICK);
    expect_play(&s, 2, TICK);
    for (unsigned i = 0; i < 7; i++)
        expect(&s, JITTER_SILENCE, TICK);
    expect_play(&s, 10, TICK);
    assert_int_equal(jitter_stats(s.jitter)->lost, 0);
    close_source(&s);
}

static void test_pause_restart(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    put20(&s, 0);
    put20(&s, 1);
    put(&s, TOC_20, 2, 2 * TICK, PACKET_PAUSE);
    for (unsigned n = 0; n < 3; n++)
        expect_play(&s, n, TICK);
    for (unsigned i = 0; i < 1000; i++)
        expect(&s, JITTER_SILENCE, TICK);
    assert_false(jitter_is_playing(s.jitter));
    put20(&s, 1003);
    expect(&s, JITTER_SILENCE, TICK);
    put20(&s, 1004);
    expect(&s, JITTER_SILENCE, TICK);
    put20(&s, 1005);
    expect_play(&s, 1003, TICK);
    expect_play(&s, 1004, TICK);
    expect_play(&s, 1005, TICK);
    assert_int_equal(jitter_stats(s.jitter)->lost, 0);
    assert_int_equal(jitter_stats(s.jitter)->concealed, 0);
    close_source(&s);
}

static void test_underrun(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    begin20(&s);
    expect_play(&s, 1, TICK);
    expect_play(&s, 2, TICK);
    for (unsigned i = 0; i < 5; i++)
        expect(&s, JITTER_CONCEAL, TICK);
    expect(&s, JITTER_SILENCE, TICK);
    assert_false(jitter_is_playing(s.jitter));
    /* Their time was concealed, but now that it pauses they need not be thrown away. */
    assert_int_equal(put20(&s, 3), 0);
    expect(&s, JITTER_SILENCE, TICK);
    assert_int_equal(put20(&s, 4), 0);
    expect(&s, JITTER_SILENCE, TICK);
    assert_int_equal(put20(&s, 2), -EEXIST);
    assert_int_equal(put20(&s, 5), 0);
    for (unsigned n = 3; n < 6; n++)
        expect_play(&s, n, TICK);
    close_source(&s);
}

static void test_short_underrun(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    begin20(&s);
    expect_play(&s, 1, TICK);
    expect_play(&s, 2, TICK);
    expect(&s, JITTER_CONCEAL, TICK);
    expect(&s, JITTER_CONCEAL, TICK);
    assert_int_equal(put20(&s, 3), -ETIME);
    assert_int_equal(put20(&s, 4), -ETIME);
    assert_int_equal(put20(&s, 5), 0);
    expect_play(&s, 5, TICK);
    assert_int_equal(jitter_stats(s.jitter)->lost, 2);
    close_source(&s);
}

static void test_many_short_underruns(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    begin20(&s);
    expect_play(&s, 1, TICK);
    expect_play(&s, 2, TICK);
    for (unsigned n = 3; n < 100; n += 4) {
        for (unsigned i = 0; i < 3; i++)
            expect(&s, JITTER_CONCEAL, TICK);
        put20(&s, n + 3);
        expect_play(&s, n + 3, TICK);
    }
    close_source(&s);
}

/* A whole pause of DTX that begins unannounced: concealed for a moment, silence from then on. */
static void test_dtx_longer_than_buffer(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    begin20(&s);
    expect_play(&s, 1, TICK);
    expect_play(&s, 2, TICK);
    expect(&s, JITTER_CONCEAL, TICK);
    put(&s, TOC_20, 3, 8 * TICK, 0);
    for (unsigned i = 0; i < 4; i++)
        expect(&s, JITTER_SILENCE, TICK);
    expect_play(&s, 3, TICK);
    assert_int_equal(jitter_stats(s.jitter)->lost, 0);
    close_source(&s);
}

static void test_new_source(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    begin20(&s);
    s.packet.source = 8;
    put(&s, TOC_20, 1, 7 * TICK, 0);
    assert_int_equal(jitter_stats(s.jitter)->restarts, 1);
    assert_int_equal(jitter_held_ms(s.jitter), 20);
    expect(&s, JITTER_SILENCE, TICK);
    put(&s, TOC_20, 2, 8 * TICK, 0);
    put(&s, TOC_20, 3, 9 * TICK, 0);
    for (unsigned n = 1; n < 4; n++) {
        expect_play(&s, n, TICK);
        assert_int_equal(s.out.source, 8);
    }
    close_source(&s);
}

static void test_jump(void **state)
{
    static const uint32_t jump[] = {5001 * MS, (uint32_t)-5001 * MS};
    struct source s;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        uint32_t base = 2 * TICK + jump[i];

        open_source(&s, NULL);
        begin20(&s);
        for (unsigned n = 0; n < 3; n++)
            assert_int_equal(put(&s, TOC_20, (uint16_t)(500 + n), base + n * TICK, 0), 0);
        assert_int_equal(jitter_stats(s.jitter)->restarts, 1);
        for (unsigned n = 0; n < 3; n++)
            expect_play(&s, 500 + n, TICK);
        close_source(&s);
    }
}

static void test_overflow(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    begin20(&s);
    for (unsigned n = 3; n < 26; n++) /* 1..25 are 500 ms */
        assert_int_equal(put20(&s, n), 0);
    assert_int_equal(put20(&s, 26), -ENOBUFS);
    assert_int_equal(put20(&s, 27), -ENOBUFS);
    assert_int_equal(jitter_held_ms(s.jitter), 500);
    assert_int_equal(jitter_stats(s.jitter)->overflow, 2);
    for (unsigned n = 3; n < 28; n++)
        expect_play(&s, n, TICK);
    assert_int_equal(jitter_stats(s.jitter)->lost, 0);
    close_source(&s);
}

static void test_capacity(void **state)
{
    struct jitter_config small = {.start_packets = 3, .capacity = 8, .max_ms = 500};
    struct source s;

    (void)state;
    open_source(&s, &small);
    for (unsigned n = 1; n < 9; n++)
        assert_int_equal(put20(&s, n), 0);
    assert_int_equal(put20(&s, 0), -ENOBUFS); /* the oldest is the new one itself */
    assert_int_equal(put20(&s, 9), -ENOBUFS);
    assert_int_equal(jitter_stats(s.jitter)->overflow, 2);
    for (unsigned n = 2; n < 10; n++)
        expect_play(&s, n, TICK);
    close_source(&s);
}

static void test_broken(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    s.packet.opus_bytes = 0;
    assert_int_equal(put(&s, TOC_20, 0, 0, 0), -EINVAL);
    s.packet.opus_bytes = PACKET_OPUS_MAX_BYTES + 1;
    assert_int_equal(put(&s, TOC_20, 0, 0, 0), -EINVAL);
    s.packet.opus_bytes = 22; /* two frames of one size in an odd number of bytes (RFC 6716 section 3.2.3) */
    assert_int_equal(put(&s, TOC_120, 0, 0, 0), -EINVAL);
    s.packet.opus[1] = 7; /* seven frames of 20 ms are more than 120 ms (section 3.2.5) */
    assert_int_equal(put(&s, TOC_20 | 3, 0, 0, 0), -EINVAL);
    assert_int_equal(jitter_stats(s.jitter)->broken, 4);
    assert_int_equal(jitter_held_ms(s.jitter), 0);
    close_source(&s);
}

static void test_reset(void **state)
{
    struct source s;

    (void)state;
    open_source(&s, NULL);
    begin20(&s);
    jitter_reset(s.jitter);
    assert_false(jitter_is_playing(s.jitter));
    assert_int_equal(jitter_held_ms(s.jitter), 0);
    assert_int_equal(jitter_stats(s.jitter)->received, 3);
    begin20(&s);
    assert_int_equal(jitter_stats(s.jitter)->restarts, 0);
    close_source(&s);
}

/* Whatever comes, each take stands for some sound, in bounds, and time moves on. */
static void test_any_input(void **state)
{
    static const uint8_t toc[] = {TOC_2_5, TOC_5, TOC_10, TOC_20, TOC_40, TOC_60, TOC_120};
    uint32_t random = 1, base = 0;
    const struct jitter_stats *st;
    struct source s;

    (void)state;
    open_source(&s, NULL);
    for (unsigned i = 0; i < 200000; i++) {
        random = random * 1664525u + 1013904223u;
        if ((random >> 8) % 3 != 0) {
            uint16_t sequence = (uint16_t)(i + (random >> 20) % 7);

            if ((random >> 10) % 5000 == 0)
                base = random;
            s.packet.source = (random >> 12) % 3000 == 0 ? 8 : 7;
            put(&s, toc[(random >> 24) % 7], sequence, base + sequence * 700u + (random >> 28) * 37, random >> 31 << 1);
        } else {
            unsigned samples = take(&s);

            assert_in_range(samples, 1, s.action == JITTER_SILENCE ? TICK : 5760);
            assert_true(jitter_held_ms(s.jitter) <= 500);
        }
    }
    st = jitter_stats(s.jitter);
    assert_true(st->late > 0 && st->duplicate > 0 && st->lost > 0 && st->concealed > 0 && st->restarts > 0);
    close_source(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"a buffer refuses a configuration out of bounds", test_config, NULL, NULL, NULL},
        {"playing starts when three packets are there", test_start, NULL, NULL, NULL},
        {"playing starts with fewer packets when they hold 120 ms", test_start_120ms, NULL, NULL, NULL},
        {"playing starts with as much as a pull takes, however short the packets", test_start_2_5ms, NULL, NULL, NULL},
        {"an utterance shorter than that is played too", test_short_utterance, NULL, NULL, NULL},
        {"without jitter packets of 20 ms play for ever, through every wrap", test_steady_20, NULL, NULL, NULL},
        {"without jitter packets of 60 ms play for ever at pulls of 20 ms", test_steady_60, NULL, NULL, NULL},
        {"without jitter packets of 2.5, 5, 10, 40 and 120 ms play for ever", test_steady_other, NULL, NULL, NULL},
        {"frame lengths from 2.5 to 120 ms may follow each other", test_changing_frames, NULL, NULL, NULL},
        {"packets out of order are played in order", test_reorder, NULL, NULL, NULL},
        {"packets out of order around the wrap are played in order", test_reorder_across_wrap, NULL, NULL, NULL},
        {"a duplicate is refused, held or played", test_duplicate, NULL, NULL, NULL},
        {"a packet whose time was concealed is late", test_late, NULL, NULL, NULL},
        {"a packet of which only a part was concealed is played", test_a_little_late, NULL, NULL, NULL},
        {"several lost packets are concealed one by one", test_loss_of_several, NULL, NULL, NULL},
        {"a lost packet of 60 ms is concealed as 60 ms", test_loss_of_60ms, NULL, NULL, NULL},
        {"a lost packet is recovered when its successor has FEC", test_fec, NULL, NULL, NULL},
        {"a lost packet is concealed when its successor has no FEC", test_no_fec, NULL, NULL, NULL},
        {"a gap between consecutive numbers is silence (DTX)", test_dtx, NULL, NULL, NULL},
        {"the gap after an announced pause is silence", test_pause_gap, NULL, NULL, NULL},
        {"after a pause playing starts again with the first packet", test_pause_restart, NULL, NULL, NULL},
        {"an underrun of 100 ms becomes a pause and fills anew", test_underrun, NULL, NULL, NULL},
        {"after a shorter underrun playing goes on in time", test_short_underrun, NULL, NULL, NULL},
        {"short underruns do not add up to a pause", test_many_short_underruns, NULL, NULL, NULL},
        {"concealment ends when the next packet shows that it was DTX", test_dtx_longer_than_buffer, NULL, NULL, NULL},
        {"a new source starts anew", test_new_source, NULL, NULL, NULL},
        {"a jump of more than five seconds starts anew", test_jump, NULL, NULL, NULL},
        {"more than max_ms drops the oldest and plays on", test_overflow, NULL, NULL, NULL},
        {"more than capacity drops the oldest", test_capacity, NULL, NULL, NULL},
        {"what is not Opus is refused", test_broken, NULL, NULL, NULL},
        {"a reset empties the buffer and keeps the counters", test_reset, NULL, NULL, NULL},
        {"whatever comes, time moves on in bounded steps", test_any_input, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("jitter", tests, NULL, NULL);
}
