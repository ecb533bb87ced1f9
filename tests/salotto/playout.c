/* playout.c - tests of what an ear hears, on a virtual clock
 *
 * A small room is played here: a tone of 440 Hz that everyone hears, and for the shared streams a second one of 1 kHz
 * that stands for one's own voice. As the tone is a function of the position, its phase in what comes out tells
 * whether every sample is where it belongs.
 */
#include "tools/salotto/playout.h"

#include <math.h>
#include <opus/opus.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TICK      960u
#define TICK_NS   20000000ull
#define MIX_HZ    440.0
#define VOICE_HZ  1000.0
#define LEVEL     0.25
#define PREROLL   11520u
#define BASE      4800000000ull /* the room's position at tick 0: beyond 32 bits, where timestamps have wrapped */
#define TICKS_MAX 1000u

static size_t encoder_bytes;

struct stream_maker {
    OpusEncoder *encoder;
    unsigned frame;
    uint64_t number;
    float gather[5760];
    unsigned gathered;
    uint64_t position; /* of what is gathered */
};

struct world {
    struct playout *playout;
    struct stream_maker shared[STREAM_TIERS], own;
    enum stream tier;
    uint64_t tick;
    bool talking;  /* the gate of this very person is open */
    unsigned both; /* ticks for which both streams are still sent */
    bool parked;
    /* Faults. */
    bool (*drop)(const struct tape_packet *p, enum stream s);
    bool swap; /* neighbours change places */
    bool has_held;
    enum stream held_stream;
    struct tape_packet held;
    /* What came out. */
    float out[TICKS_MAX * TICK];
    uint64_t position[TICKS_MAX * TICK]; /* of each sample; 0: not known */
    uint64_t samples, mapped_at, mapped_position;
    unsigned marks;
    uint64_t reported_to, reported_packets;
};

static struct world *w;

static void reported(const struct packet *p, uint64_t position, unsigned samples, void *arg)
{
    (void)arg;
    assert_true(p->opus_bytes > 0);
    assert_true(position >= w->reported_to);
    w->reported_to = position + samples;
    w->reported_packets++;
}

static void make_stream(struct stream_maker *m, unsigned frame, int bitrate)
{
    int error;

    m->encoder = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, &error);
    assert_int_equal(error, OPUS_OK);
    opus_encoder_ctl(m->encoder, OPUS_SET_BITRATE(bitrate));
    opus_encoder_ctl(m->encoder, OPUS_SET_COMPLEXITY(3));
    m->frame = frame;
}

static int make_world(void **state)
{
    (void)state;
    w = calloc(1, sizeof *w);
    assert_non_null(w);
    encoder_bytes = (size_t)opus_encoder_get_size(1);
    w->tier = STREAM_STANDARD;
    make_stream(&w->shared[STREAM_LOW], 2880, 24000);
    make_stream(&w->shared[STREAM_STANDARD], 960, 48000);
    make_stream(&w->own, 960, 48000);
    return 0;
}

static int drop_world(void **state)
{
    (void)state;
    playout_free(w->playout);
    opus_encoder_destroy(w->shared[STREAM_LOW].encoder);
    opus_encoder_destroy(w->shared[STREAM_STANDARD].encoder);
    opus_encoder_destroy(w->own.encoder);
    free(w);
    return 0;
}

static uint64_t position_now(void)
{
    return BASE + w->tick * TICK;
}

static void join(bool parked)
{
    const struct playout_config c = {.tier = w->tier,
                                     .parked = parked,
                                     .position = position_now(),
                                     .now_ns = w->tick * TICK_NS,
                                     .decoded = reported};

    w->playout = playout_new(&c);
    assert_non_null(w->playout);
}

static void offer(enum stream s, const struct tape_packet *p)
{
    if (w->playout != NULL)
        playout_put(w->playout, s, p, w->tick * TICK_NS);
}

static void deliver(enum stream s, const struct tape_packet *p)
{
    if (w->drop != NULL && w->drop(p, s))
        return;
    if (w->swap && !w->has_held) {
        w->held = *p;
        w->held_stream = s;
        w->has_held = true;
        return;
    }
    offer(s, p);
    if (w->has_held) {
        offer(w->held_stream, &w->held);
        w->has_held = false;
    }
}

/* A tick of sound into one encoder; true when it made a packet. */
static bool gather(struct stream_maker *m, const float *pcm, struct tape_packet *p)
{
    int bytes;

    if (m->gathered == 0)
        m->position = position_now();
    memcpy(m->gather + m->gathered, pcm, TICK * sizeof *pcm);
    m->gathered += TICK;
    if (m->gathered < m->frame)
        return false;
    m->gathered = 0;
    memset(p, 0, sizeof *p);
    bytes = opus_encode_float(m->encoder, m->gather, (int)m->frame, p->opus, sizeof p->opus);
    assert_true(bytes > 0);
    p->opus_bytes = (uint16_t)bytes;
    p->number = m->number++;
    p->position = m->position;
    return true;
}

/* What was said for the last 240 ms, for somebody who joins or tunes in. */
static struct tape_packet tape[STREAM_TIERS][16];
static unsigned taped[STREAM_TIERS];

static void to_tape(enum stream s, const struct tape_packet *p)
{
    tape[s][taped[s]++ % 16] = *p;
}

static void send_preroll(enum stream s)
{
    for (unsigned i = taped[s] > 16 ? taped[s] - 16 : 0; i < taped[s]; i++)
        if (tape[s][i % 16].position + PREROLL >= position_now())
            deliver(s, &tape[s][i % 16]);
}

static void pull(void)
{
    const struct playout_mark *marks;
    unsigned count;
    float *pcm = w->out + w->samples;

    assert_true(w->samples + TICK <= TICKS_MAX * TICK);
    playout_pull(w->playout, pcm, TICK);
    marks = playout_marks(w->playout, &count);
    for (unsigned i = 0, next = 0; i < TICK; i++) {
        if (next < count && marks[next].at == i) {
            w->mapped_at = w->samples + i;
            w->mapped_position = marks[next].position;
            w->marks++;
            next++;
        }
        if (w->marks > 0)
            w->position[w->samples + i] = w->mapped_position + w->samples + i - w->mapped_at;
    }
    w->samples += TICK;
}

/* One tick of the room, then one of the client. */
static void tick(void)
{
    float mix[TICK], all[TICK];
    struct tape_packet p;

    for (unsigned i = 0; i < TICK; i++) {
        double t = (double)((position_now() + i) % 48000) / 48000;

        mix[i] = (float)(LEVEL * sin(2 * M_PI * MIX_HZ * t));
        all[i] = mix[i] + (w->talking ? (float)(LEVEL * sin(2 * M_PI * VOICE_HZ * t)) : 0);
    }
    if (!w->parked && (w->talking || w->both > 0)) {
        bool last = !w->talking && w->both == 1;

        if (gather(&w->own, mix, &p)) {
            p.flags = last ? TAPE_HANDOVER : 0;
            deliver(STREAM_OWN, &p);
        }
    }
    for (enum stream s = STREAM_LOW; s <= STREAM_STANDARD && !w->parked; s++)
        if (gather(&w->shared[s], all, &p)) {
            to_tape(s, &p);
            if (s == w->tier && !w->talking)
                deliver(s, &p);
        }
    if (!w->talking && w->both > 0)
        w->both--;
    w->tick++;
    if (w->playout != NULL)
        pull();
}

static void run(unsigned ticks)
{
    while (ticks-- > 0)
        tick();
}

static void begin_to_talk(void)
{
    if (w->both == 0) /* a new run: a copy of the shared encoder goes on */
        memcpy(w->own.encoder, w->shared[w->tier].encoder, encoder_bytes);
    w->both = 12;
    w->talking = true;
}

static void stop_talking(void)
{
    w->talking = false;
}

/* The room wakes: fresh encoders. */
static void wake(void)
{
    w->parked = false;
    for (enum stream s = STREAM_LOW; s <= STREAM_STANDARD; s++) {
        opus_encoder_ctl(w->shared[s].encoder, OPUS_RESET_STATE);
        w->shared[s].gathered = 0;
    }
}

/* The room parks: six ticks of silence were encoded before. */
static void park(void)
{
    static const float silence[TICK];
    struct tape_packet p;

    for (unsigned i = 0; i < 6; i++) {
        for (enum stream s = STREAM_LOW; s <= STREAM_STANDARD; s++)
            if (gather(&w->shared[s], silence, &p) && s == w->tier) {
                p.flags = i == 5 ? TAPE_PAUSE : 0;
                deliver(s, &p);
            }
        w->tick++;
        if (w->playout != NULL)
            pull();
    }
    w->parked = true;
}

/* Amplitude and phase of a tone in n samples from `at`, as a function of the position. */
static double tone(double hz, uint64_t at, unsigned n, double *phase)
{
    double c = 0, s = 0;

    for (unsigned i = 0; i < n; i++) {
        double x = 2 * M_PI * hz * (double)(w->position[at + i] % 48000) / 48000;

        s += w->out[at + i] * sin(x);
        c += w->out[at + i] * cos(x);
    }
    if (phase != NULL)
        *phase = atan2(c, s);
    return 2 * sqrt(c * c + s * s) / n;
}

/* Every 25 ms (11 periods of the tone) from sample `from` on must have the same tone in the same place, and at least so
 * much of it. */
static void assert_tone_is_there(uint64_t from, uint64_t to, double least)
{
    double first, phase;

    assert_true(from + 4800 < to);
    tone(MIX_HZ, from, 1200, &first);
    for (uint64_t at = from; at + 1200 <= to; at += 300) {
        double level = tone(MIX_HZ, at, 1200, &phase);
        double off = remainder(phase - first, 2 * M_PI);

        if (level < LEVEL * least || level > LEVEL * 1.25 || fabs(off) > 0.25)
            fail_msg("at sample %llu the tone has level %.3f and is off by %.2f rad", (unsigned long long)at, level,
                     off);
    }
}

static void assert_tone_goes_on(uint64_t from, uint64_t to)
{
    assert_tone_is_there(from, to, 0.8);
}

static void assert_own_voice_is_never_heard(uint64_t from)
{
    for (uint64_t at = from; at + 2400 <= w->samples; at += 480)
        if (tone(VOICE_HZ, at, 2400, NULL) > LEVEL * 0.01)
            fail_msg("at sample %llu one hears oneself at %.4f", (unsigned long long)at,
                     tone(VOICE_HZ, at, 2400, NULL));
}

static uint64_t first_sound(void)
{
    uint64_t at = 0;

    while (at < w->samples && w->position[at] == 0)
        at++;
    return at;
}

/* A room that speaks for a second before we come. */
static void join_a_speaking_room(void)
{
    run(50);
    join(false);
    send_preroll(w->tier);
}

static void joining_hears_the_room_from_the_live_edge_without_a_click(void **state)
{
    uint64_t joined, at;

    (void)state;
    run(50);
    joined = position_now();
    join(false);
    send_preroll(w->tier);
    run(100);
    at = first_sound();
    assert_in_range(at, TICK, 9600); /* 200 ms: three packets after the live edge, and what we poll them by */
    assert_in_range(w->position[at], joined - 2 * TICK, joined + TICK);
    assert_int_equal(w->marks, 1);
    /* It comes up over 20 ms. */
    for (uint64_t i = at; i < at + 24; i++)
        assert_true(fabsf(w->out[i]) < 0.01f);
    assert_tone_goes_on(at + TICK, w->samples);
    assert_int_equal(playout_stats(w->playout)->concealed, 0);
}

static void the_low_tier_is_heard_as_well(void **state)
{
    uint64_t at;

    (void)state;
    w->tier = STREAM_LOW;
    join_a_speaking_room();
    run(150);
    at = first_sound();
    assert_in_range(at, TICK, 15000);
    assert_int_equal(w->marks, 1);
    assert_tone_goes_on(at + 2 * TICK, w->samples);
}

static void who_talks_hears_the_others_without_a_seam_and_never_themself(void **state)
{
    (void)state;
    join_a_speaking_room();
    run(50);
    for (int i = 0; i < 3; i++) {
        begin_to_talk();
        run(75);
        stop_talking();
        run(75);
    }
    assert_int_equal(w->marks, 1);
    assert_int_equal(playout_stats(w->playout)->crossfades, 3);
    assert_int_equal(playout_stats(w->playout)->concealed, 0);
    assert_tone_goes_on(first_sound() + TICK, w->samples);
    assert_own_voice_is_never_heard(first_sound());
    /* All of it is handed out once: 50 to 500 ticks, but what is still held, and with the pre-roll. */
    assert_in_range(w->reported_packets, 500, 512);
}

static void packets_that_change_places_change_nothing(void **state)
{
    (void)state;
    join_a_speaking_room();
    run(50);
    w->swap = true;
    begin_to_talk();
    run(75);
    stop_talking();
    run(75);
    assert_int_equal(playout_stats(w->playout)->concealed, 0);
    assert_tone_goes_on(first_sound() + TICK, w->samples);
    assert_own_voice_is_never_heard(first_sound());
}

static bool drop_handover(const struct tape_packet *p, enum stream s)
{
    return s == STREAM_OWN && (p->flags & TAPE_HANDOVER) != 0;
}

static void a_lost_handover_is_made_up_for(void **state)
{
    (void)state;
    join_a_speaking_room();
    run(50);
    w->drop = drop_handover;
    for (int i = 0; i < 2; i++) {
        begin_to_talk();
        run(75);
        stop_talking();
        run(75);
    }
    assert_int_equal(w->marks, 1);
    assert_tone_is_there(first_sound() + TICK, w->samples, 0.6); /* the lost packet's place is concealed */
    assert_own_voice_is_never_heard(first_sound());
}

static bool drop_first_own(const struct tape_packet *p, enum stream s)
{
    return s == STREAM_OWN && p->number == 0;
}

static void a_lost_first_own_packet_is_concealed(void **state)
{
    (void)state;
    join_a_speaking_room();
    run(50);
    w->drop = drop_first_own;
    begin_to_talk();
    run(75);
    stop_talking();
    run(75);
    assert_int_equal(playout_stats(w->playout)->concealed + playout_stats(w->playout)->recovered, 1);
    assert_int_equal(w->marks, 1);
    assert_own_voice_is_never_heard(first_sound());
}

static void talking_again_right_after_the_handover_is_seamless_too(void **state)
{
    (void)state;
    join_a_speaking_room();
    run(50);
    for (unsigned pause = 11; pause < 20; pause++) {
        begin_to_talk();
        run(40);
        stop_talking();
        run(pause); /* 12 ticks after the end the own stream hands over, while it is still to be heard */
    }
    begin_to_talk();
    run(20);
    stop_talking();
    run(40);
    assert_tone_goes_on(first_sound() + TICK, w->samples);
    assert_own_voice_is_never_heard(first_sound());
    assert_int_equal(w->marks, 1);
}

static bool drop_some_own(const struct tape_packet *p, enum stream s)
{
    return s == STREAM_OWN && p->position >= BASE + 186 * TICK && p->position < BASE + 187 * TICK;
}

static void a_loss_while_both_streams_come_does_not_let_one_hear_oneself(void **state)
{
    (void)state;
    join_a_speaking_room(); /* tick 50 */
    run(50);                /* 100 */
    w->drop = drop_some_own;
    begin_to_talk();
    run(75); /* 175: both streams until 187 */
    stop_talking();
    run(11);
    begin_to_talk(); /* the run goes on: no handover came */
    run(75);
    stop_talking();
    run(75);
    assert_own_voice_is_never_heard(first_sound());
}

static void another_tier_is_heard_from_the_same_position_on(void **state)
{
    (void)state;
    w->tier = STREAM_LOW;
    join_a_speaking_room();
    run(100);
    playout_tune(w->playout, STREAM_STANDARD);
    w->tier = STREAM_STANDARD;
    send_preroll(STREAM_STANDARD);
    run(100);
    assert_int_equal(playout_stats(w->playout)->crossfades, 1);
    playout_tune(w->playout, STREAM_LOW);
    w->tier = STREAM_LOW;
    send_preroll(STREAM_LOW);
    run(100);
    assert_int_equal(playout_stats(w->playout)->crossfades, 2);
    assert_int_equal(w->marks, 1);
    assert_tone_goes_on(first_sound() + 2 * TICK, w->samples);
}

static void a_parked_room_is_silent_and_waking_it_loses_no_sound(void **state)
{
    uint64_t before, woke, at;

    (void)state;
    join_a_speaking_room();
    run(50);
    park();
    before = w->samples;
    run(100);
    for (uint64_t i = before + 9600; i < w->samples; i++)
        assert_true(fabsf(w->out[i]) < 1e-4f);
    woke = position_now();
    before = w->samples;
    wake();
    run(100);
    /* The first sample after the pause is the first one of the waking. */
    for (at = before; at < w->samples && w->position[at] != woke; at++)
        ;
    assert_in_range(at - before, TICK, 9600);
    assert_tone_goes_on(at + TICK, w->samples);
}

static void joining_a_parked_room_hears_its_first_syllable_whole(void **state)
{
    uint64_t woke, at;

    (void)state;
    w->parked = true;
    run(20);
    join(true);
    run(50);
    assert_false(playout_has_started(w->playout));
    wake();
    woke = position_now();
    run(50);
    at = first_sound();
    assert_int_equal(w->position[at], woke);
    assert_tone_goes_on(at + TICK, w->samples);
}

static bool drop_tenth(const struct tape_packet *p, enum stream s)
{
    (void)s;
    return p->number % 10 == 5;
}

static void lost_packets_are_concealed_and_counted_and_nothing_moves(void **state)
{
    const struct playout_stats *stats;

    (void)state;
    join_a_speaking_room();
    w->drop = drop_tenth;
    run(200);
    stats = playout_stats(w->playout);
    assert_in_range(stats->concealed + stats->recovered, 18, 21);
    assert_int_equal(w->marks, 1);
}

static bool drop_all(const struct tape_packet *p, enum stream s)
{
    (void)p;
    (void)s;
    return true;
}

static void after_an_outage_sound_comes_back_where_the_room_is(void **state)
{
    uint64_t last;

    (void)state;
    join_a_speaking_room();
    run(50);
    w->drop = drop_all;
    run(100);
    w->drop = NULL;
    run(100);
    last = w->samples - 1;
    assert_in_range(w->position[last], position_now() - 9600, position_now());
    assert_tone_goes_on(w->samples - 50 * TICK, w->samples);
}

static void an_outage_while_talking_ends_in_the_stream_that_is_sent(void **state)
{
    (void)state;
    join_a_speaking_room();
    run(50);
    begin_to_talk();
    run(50);
    w->drop = drop_all;
    stop_talking();
    run(60); /* the handover and both streams are lost */
    w->drop = NULL;
    run(60);
    begin_to_talk();
    run(75);
    assert_tone_goes_on(w->samples - 100 * TICK, w->samples);
    assert_own_voice_is_never_heard(w->samples - 100 * TICK);
}

static void rubbish_is_ignored(void **state)
{
    struct tape_packet p = {.position = BASE};

    (void)state;
    join_a_speaking_room();
    run(20);
    offer(STREAM_STANDARD, &p);
    p.opus_bytes = 1;
    p.opus[0] = 0xff; /* code 3 without its second byte */
    offer(STREAM_STANDARD, &p);
    offer(STREAM_OWN, &p);
    offer(STREAM_MUSIC, &tape[STREAM_STANDARD][0]);
    run(20);
    assert_tone_goes_on(first_sound() + TICK, w->samples);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_world, drop_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(joining_hears_the_room_from_the_live_edge_without_a_click),
        TEST(the_low_tier_is_heard_as_well),
        TEST(who_talks_hears_the_others_without_a_seam_and_never_themself),
        TEST(packets_that_change_places_change_nothing),
        TEST(a_lost_handover_is_made_up_for),
        TEST(a_lost_first_own_packet_is_concealed),
        TEST(talking_again_right_after_the_handover_is_seamless_too),
        TEST(a_loss_while_both_streams_come_does_not_let_one_hear_oneself),
        TEST(another_tier_is_heard_from_the_same_position_on),
        TEST(a_parked_room_is_silent_and_waking_it_loses_no_sound),
        TEST(joining_a_parked_room_hears_its_first_syllable_whole),
        TEST(lost_packets_are_concealed_and_counted_and_nothing_moves),
        TEST(after_an_outage_sound_comes_back_where_the_room_is),
        TEST(an_outage_while_talking_ends_in_the_stream_that_is_sent),
        TEST(rubbish_is_ignored),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
