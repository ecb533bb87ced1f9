/* room.c - tests of mixer/room.h on a virtual clock: the continuous tone, levels, encode-once */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"a continuous tone beside a silent speaker has no gap, no repeated frame and no phase step in a minute",
         test_tone, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
