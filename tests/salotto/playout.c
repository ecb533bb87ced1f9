/* playout.c - tests of what an ear hears, in the small room of small_room.h */
#include "tests/salotto/small_room.h"

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

static void who_is_sent_from_the_stage_hears_on_with_no_more_than_a_short_concealment(void **state)
{
    (void)state;
    join_a_speaking_room();
    run(50);
    begin_to_talk();
    run(75);
    leave_stage();
    run(75);
    assert_int_equal(w->marks, 1);
    assert_in_range(playout_stats(w->playout)->concealed, 0, 2); /* pieces of 10 ms, under the crossfade */
    assert_tone_is_there(first_sound() + TICK, w->samples, 0.6);
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
        TEST(who_is_sent_from_the_stage_hears_on_with_no_more_than_a_short_concealment),
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
