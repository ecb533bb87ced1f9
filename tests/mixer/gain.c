/* gain.c - tests of mixer/gain.h
 *
 * Clicks are measured on tones of 50 and 100 Hz at -20 dBFS, starting at eight phases: what rises above 1 kHz, loudest
 * 5 ms. A gain that jumps leaves about -40 dBFS there.
 */
#include "mixer/gain.h"
#include "tests/mixer/sound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define LENGTH 9600
#define TICK   960
#define LIMIT  (-60.0)

static const double tones[] = {50.0, 100.0};

enum act { MUTE, UNMUTE, MUTE_UNMUTE, FADER_UP, FADER_DOWN, ACTS };
static const char *const act_names[ACTS] = {"mute", "unmute", "mute, 5 ms later unmute", "fader 0 to +12 dB",
                                            "fader 0 to -60 dB"};

/* The loudest click of an act over phases and tones, in dBFS. tone_hz 0: over both. */
static double click_of(enum act act, double tone_hz)
{
    double loudest = 0;

    for (unsigned i = 0; i < 16; i++) {
        double hz = tones[i / 8];
        float pcm[LENGTH] = {0};
        struct gain g;

        if (tone_hz != 0 && hz != tone_hz)
            continue;
        sound_add_tone(pcm, (uint64_t)(SOUND_RATE / hz * (i % 8) / 8), LENGTH, hz, -20.0);
        gain_init(&g, 0.0f, act == UNMUTE);
        gain_run(&g, pcm, 4 * TICK);
        if (act == FADER_UP || act == FADER_DOWN)
            gain_fader(&g, act == FADER_UP ? 12.0f : -60.0f);
        else
            gain_mute(&g, act != UNMUTE);
        gain_run(&g, pcm + 4 * TICK, 240);
        if (act == MUTE_UNMUTE)
            gain_mute(&g, false);
        gain_run(&g, pcm + 4 * TICK + 240, LENGTH - 4 * TICK - 240);
        loudest = fmax(loudest, sound_click(pcm, LENGTH, 1000.0));
    }
    return sound_db(loudest);
}

static void test_clicks(void **state)
{
    (void)state;
    for (int act = 0; act < ACTS; act++) {
        double db = click_of((enum act)act, 0);

        printf("# %s: %.0f dBFS above 1 kHz\n", act_names[act], db);
        assert_true(db < LIMIT);
    }
}

/* The measure itself must be able to tell: a hard mute, and the 10 ms line known to click. */
static void test_measure(void **state)
{
    float hard[LENGTH] = {0}, line[LENGTH] = {0};

    (void)state;
    sound_add_tone(hard, 240, LENGTH, 50.0, -20.0);
    sound_add_tone(line, 240, LENGTH, 50.0, -20.0);
    for (unsigned i = 4 * TICK; i < LENGTH; i++) {
        unsigned done = i - 4 * TICK;

        hard[i] = 0.0f;
        line[i] *= done < 480 ? 1.0f - (float)done / 480.0f : 0.0f;
    }
    printf("# a step: %.0f dBFS, a 10 ms line: %.0f dBFS\n", sound_db(sound_click(hard, LENGTH, 1000.0)),
           sound_db(sound_click(line, LENGTH, 1000.0)));
    assert_true(sound_db(sound_click(hard, LENGTH, 1000.0)) > LIMIT + 15.0);
}

/* The figures behind GAIN_RAMP_SAMPLES. */
static void test_lengths(void **state)
{
    static const unsigned lengths[] = {240, 480, 960, 1440};

    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        double loudest = 0;

        for (unsigned i = 0; i < 16; i++) {
            float pcm[LENGTH] = {0};
            struct ramp r;

            sound_add_tone(pcm, (uint64_t)(SOUND_RATE / tones[i / 8] * (i % 8) / 8), LENGTH, tones[i / 8], -20.0);
            ramp_init(&r, 1.0f);
            ramp_run(&r, pcm, 4 * TICK);
            ramp_to(&r, 0.0f, lengths[n]);
            ramp_run(&r, pcm + 4 * TICK, LENGTH - 4 * TICK);
            loudest = fmax(loudest, sound_click(pcm, LENGTH, 1000.0));
        }
        printf("# mute in %u ms: %.0f dBFS\n", lengths[n] / 48, sound_db(loudest));
        if (lengths[n] == GAIN_RAMP_SAMPLES)
            assert_true(sound_db(loudest) < LIMIT);
    }
}

static void test_mute_is_zero(void **state)
{
    float pcm[2 * TICK] = {0};
    struct gain g;

    (void)state;
    sound_add_tone(pcm, 0, 2 * TICK, 1000.0, -3.0);
    gain_init(&g, 6.0f, false);
    gain_mute(&g, true);
    assert_false(gain_is_muted(&g));
    gain_run(&g, pcm, 2 * TICK);
    assert_true(gain_is_muted(&g));
    for (unsigned i = GAIN_RAMP_SAMPLES; i < 2 * TICK; i++)
        assert_true(pcm[i] == 0.0f);
    gain_mute(&g, false);
    gain_settle(&g); /* nobody hears it: at once */
    assert_false(gain_is_muted(&g));
    gain_mute(&g, true);
    gain_settle(&g);
    assert_true(gain_is_muted(&g));
}

static void test_quick(void **state)
{
    float pcm[TICK], before;
    struct gain g;

    (void)state;
    for (unsigned i = 0; i < TICK; i++)
        pcm[i] = 1.0f;
    gain_init(&g, 0.0f, false);
    gain_mute(&g, true);
    gain_mute(&g, false); /* before any sample: nothing moves */
    gain_run(&g, pcm, 240);
    assert_true(pcm[239] == 1.0f);
    gain_mute(&g, true);
    gain_run(&g, pcm + 240, 240);
    before = pcm[479];
    gain_mute(&g, false);
    assert_false(gain_is_muted(&g));
    gain_run(&g, pcm + 480, 480);
    assert_true(before < 0.9f);
    assert_float_equal(pcm[480], before, 1e-4f);
    assert_true(pcm[959] > before);
}

static void test_bounds(void **state)
{
    static const struct {
        float asked, got;
    } faders[] = {{100.0f, 12.0f}, {-200.0f, -60.0f}, {NAN, -60.0f}, {-3.0f, -3.0f}};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        float pcm = 1.0f;
        struct gain g;

        gain_init(&g, 0.0f, false);
        gain_fader(&g, faders[i].asked);
        gain_settle(&g);
        assert_false(gain_is_moving(&g));
        gain_run(&g, &pcm, 1);
        assert_float_equal(20.0f * log10f(pcm), faders[i].got, 0.01f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"mute, unmute and fader leave no click on low tones", test_clicks, NULL, NULL, NULL},
        {"the measure hears a gain that jumps", test_measure, NULL, NULL, NULL},
        {"the ramp's length is chosen by what it leaves above 1 kHz", test_lengths, NULL, NULL, NULL},
        {"after its ramp a mute lets nothing through", test_mute_is_zero, NULL, NULL, NULL},
        {"an unmute turns a mute round where it had come to", test_quick, NULL, NULL, NULL},
        {"the fader goes from -60 to +12 dB", test_bounds, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
