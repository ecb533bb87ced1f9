/* room.c - tests of mixer/room.h on a virtual clock: the continuous tone, encode-once, strays, skipped ticks */
#include "tests/mixer/stage.h"

#define SECONDS 60

/* The worst that any 10 ms of a minute's tone show: level (dB) and phase (rad) against the beginning, and what is not
 * the tone (dBFS). */
struct tone_report {
    double level, phase, residue;
};

static struct tone_report measure_tone(const float *x, size_t n, double hz)
{
    struct tone_report worst = {0, 0, 0};
    double phase0 = 0;

    for (size_t at = 0; at + 480 <= n; at += 480) {
        double phase, level = sound_tone(x + at, 480, hz, &phase), residue = 0;
        double passed = 2.0 * M_PI * hz * (double)at / SOUND_RATE;

        if (at == 0)
            phase0 = phase;
        worst.level = fmax(worst.level, fabs(sound_db(level / (0.1 * sqrt(2.0)))));
        worst.phase = fmax(worst.phase, fabs(remainder(phase - phase0 - passed, 2 * M_PI)));
        for (size_t i = 0; i < 480; i++)
            residue += pow((double)x[at + i] - level * sin(2 * M_PI * hz * (double)i / SOUND_RATE + phase), 2);
        worst.residue = fmax(worst.residue, sqrt(residue / 480));
    }
    worst.residue = sound_db(worst.residue);
    return worst;
}

/* A minute of a tone from one strip, beside a strip that gets nothing. */
static void play_tone(double hz)
{
    struct stage st;
    struct speaker tone;
    struct listener l;
    struct tone_report worst;
    size_t settled = 25 * STAGE_TICK;

    stage_init(&st);
    speaker_init(&tone, 0, 1);
    stage_add_strip(&st, 0, 1, STREAM_STANDARD);
    stage_add_strip(&st, 1, 1, STREAM_STANDARD);
    listener_init(&l, tier_tape(stage_add_tier(&st, STREAM_STANDARD)), stage_position(&st),
                  (SECONDS + 1) * STAGE_TICK * 50);
    for (int k = 0; k < SECONDS * 50; k++) {
        speaker_tone(&tone, &st, hz, -20.0);
        stage_tick(&st);
        listener_run(&l);
    }
    assert_true(l.packets >= SECONDS * 50 - 3);
    assert_int_equal(l.gaps, 0);
    worst = measure_tone(l.pcm + settled, l.samples - settled, hz);
    printf("# %.0f Hz, any 10 ms: level off by %.2f dB, phase by %.3f rad, the rest %.1f dBFS\n", hz, worst.level,
           worst.phase, worst.residue);
    assert_true(worst.level < 1.0);
    assert_true(worst.phase < 0.3);
    assert_true(worst.residue < -40.0);
    listener_fini(&l);
    speaker_fini(&tone);
    stage_fini(&st);
}

static void test_tone(void **state)
{
    (void)state;
    play_tone(1000.0);
    play_tone(1013.0); /* of which a tick holds no whole number of periods: a repeated frame steps the phase */
}

/* Two who talk, one who is on stage with an open microphone and says nothing, two tiers. */
static void test_encode_once(void **state)
{
    struct stage st;
    struct speaker speaker[3];
    const struct room_stats *stats;
    const struct tape *low, *standard;
    uint64_t made_low, made_standard, made_own;
    float nothing[STAGE_TICK] = {0};
    int awake_ticks = 0;

    (void)state;
    stage_init(&st);
    stats = room_stats(st.room);
    low = tier_tape(stage_add_tier(&st, STREAM_LOW));
    standard = tier_tape(stage_add_tier(&st, STREAM_STANDARD));
    for (unsigned n = 0; n < 3; n++) {
        speaker_init(&speaker[n], n, 1);
        stage_add_strip(&st, n, 1, n == 0 ? STREAM_LOW : STREAM_STANDARD);
    }
    for (int k = 0; k < 302; k++) {
        speaker_tone(&speaker[0], &st, 300.0, -20.0);
        speaker_tone(&speaker[1], &st, 500.0, -20.0);
        speaker_say(&speaker[2], &st, nothing, PACKET_VOICE);
        stage_tick(&st);
        awake_ticks += tape_next(standard) > 5000;
    }
    made_low = tape_next(low) - 5000;
    made_standard = tape_next(standard) - 5000;
    made_own = stage_count(&stats->personal_encodes);
    assert_int_equal(made_standard, awake_ticks);
    assert_true(awake_ticks >= 299);
    assert_int_equal(made_low, (awake_ticks + 2) / 3);
    assert_int_equal(stage_count(&stats->shared_encodes[STREAM_STANDARD]), made_standard);
    assert_int_equal(stage_count(&stats->shared_encodes[STREAM_LOW]), made_low);
    assert_int_equal(made_own, made_standard + made_low); /* one for each frame of those two, none for the third */
    assert_int_equal(stage_count(&stats->encode_errors), 0);
    assert_int_equal(atomic_load(&stats->talking), 3);
    for (unsigned n = 0; n < 3; n++)
        speaker_fini(&speaker[n]);
    stage_fini(&st);
}

/* Whose packet it is: another slot, somebody before, and rubbish. */
static void test_strays(void **state)
{
    struct stage st;
    struct speaker before, nobody, now;
    const struct room_stats *stats;
    struct inbox_item rubbish = {.slot = 2, .lease = 6, .packet = {.flags = PACKET_VOICE, .opus_bytes = 2}};
    struct strip *s;

    (void)state;
    stage_init(&st);
    stats = room_stats(st.room);
    speaker_init(&before, 2, 5);
    speaker_init(&nobody, 3, 0);
    speaker_init(&now, 2, 6);
    s = stage_add_strip(&st, 2, 6, STREAM_LOW);
    rubbish.packet.opus[0] = 0xff; /* code 3 with a frame count of 63: 48 is the most */
    rubbish.packet.opus[1] = 0xff;
    for (int k = 0; k < 20; k++) {
        speaker_tone(&before, &st, 300.0, -10.0);
        speaker_tone(&nobody, &st, 300.0, -10.0);
        rubbish.packet.arrived_ns = st.tick * ROOM_TICK_NS;
        assert_true(ring_push(room_inbox(st.room, 0), &rubbish, sizeof rubbish));
        stage_tick(&st);
    }
    assert_int_equal(stage_count(&stats->drop_lease), 40);
    assert_int_equal(stage_count(&stats->drop_broken), 20);
    assert_int_equal(stage_count(&strip_stats(s)->received), 20);
    assert_int_equal(stage_count(&strip_stats(s)->first_out), 0);
    assert_int_equal(atomic_load(&stats->talking), 0);
    speaker_tone(&now, &st, 300.0, -10.0);
    speaker_tone(&now, &st, 300.0, -10.0);
    speaker_tone(&now, &st, 300.0, -10.0);
    stage_tick(&st);
    assert_int_equal(atomic_load(&stats->talking), 4);
    speaker_fini(&before);
    speaker_fini(&nobody);
    speaker_fini(&now);
    stage_fini(&st);
}

/* Every packet of a tape stands where its ticks were; frames keep to the grid, and none covers a skipped tick's place
 * with sound of another. */
static void check_positions(const struct tape *t, unsigned frame, uint64_t skip_from, uint64_t skip_until)
{
    uint64_t end = 0;
    bool crossed = false;

    for (uint64_t n = tape_oldest(t); n < tape_next(t); n++) {
        struct tape_packet p;

        assert_int_equal(tape_read(t, n, &p), 0);
        assert_int_equal(p.position % frame, 0);
        assert_true(p.position >= end);
        if (end != 0 && p.position != end) {
            assert_false(crossed);
            crossed = true;
            assert_in_range(end, skip_from - frame, skip_from);
            assert_in_range(p.position, skip_until - frame + 1, skip_until);
        }
        end = p.position + p.duration_samples;
    }
}

static void test_skip(void **state)
{
    (void)state;
    for (unsigned skipped = 1; skipped <= 7; skipped++) {
        struct stage st;
        struct speaker tone;
        struct strip *s;
        const struct tape *low, *standard;
        uint64_t skip_from;
        uint32_t delay;

        stage_init(&st);
        speaker_init(&tone, 0, 1);
        s = stage_add_strip(&st, 0, 1, STREAM_LOW);
        low = tier_tape(stage_add_tier(&st, STREAM_LOW));
        standard = tier_tape(stage_add_tier(&st, STREAM_STANDARD));
        for (unsigned k = 0; k < 50; k++) {
            speaker_tone(&tone, &st, 300.0, -20.0);
            stage_tick(&st);
        }
        delay = atomic_load(&strip_stats(s)->delay_ms);
        skip_from = stage_position(&st);
        for (unsigned k = 0; k < skipped; k++) {
            speaker_tone(&tone, &st, 300.0, -20.0); /* the network does not wait */
            st.tick++;
        }
        for (unsigned k = 0; k < 50; k++) {
            speaker_tone(&tone, &st, 300.0, -20.0);
            stage_tick(&st);
        }
        assert_int_equal(atomic_load(&strip_stats(s)->delay_ms), delay); /* what was missed is not made up for */
        check_positions(standard, 960, skip_from, skip_from + skipped * 960);
        check_positions(low, 2880, skip_from, skip_from + skipped * 960);
        check_positions(strip_tape(s), 2880, skip_from, skip_from + skipped * 960);
        speaker_fini(&tone);
        stage_fini(&st);
    }
}

/* What ten who shout at once look like after the codec, which knows no ceiling. */
static void test_shouts(void **state)
{
    struct stage st;
    struct speaker speaker[10];
    struct listener l;
    double dbtp;

    (void)state;
    stage_init(&st);
    for (unsigned n = 0; n < 10; n++) {
        speaker_init(&speaker[n], n, 1);
        stage_add_strip(&st, n, 1, STREAM_EDGE + 1);
    }
    listener_init(&l, tier_tape(stage_add_tier(&st, STREAM_STANDARD)), stage_position(&st), 6 * 48000);
    for (int k = 0; k < 200; k++) {
        for (unsigned n = 0; n < 10; n++)
            speaker_speech(&speaker[n], &st, n, 0.6);
        stage_tick(&st);
        listener_run(&l);
    }
    dbtp = sound_db(sound_true_peak(l.pcm, l.samples));
    printf("# decoded: %.2f dBTP, %.1f dBFS RMS\n", dbtp, sound_db(sound_rms(l.pcm, l.samples)));
    assert_true(dbtp < -1.0);
    assert_true(dbtp > -6.0);
    for (unsigned n = 0; n < 10; n++)
        speaker_fini(&speaker[n]);
    listener_fini(&l);
    stage_fini(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"a continuous tone beside a silent speaker has no gap, no repeated frame and no phase step in a minute",
         test_tone, NULL, NULL, NULL},
        {"one encode a frame of a tier and one a frame of an active talker's own stream, and no other",
         test_encode_once, NULL, NULL, NULL},
        {"a packet for an empty place, for somebody before or without sound in it is dropped and counted", test_strays,
         NULL, NULL, NULL},
        {"after skipped ticks positions are true and no delay stays", test_skip, NULL, NULL, NULL},
        {"ten who shout stay within what the codec overshoots", test_shouts, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
