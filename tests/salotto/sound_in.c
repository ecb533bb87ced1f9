/* sound_in.c - tests of reading sound files, and of resampling them */
#include "tools/salotto/sound_in.h"

#include <math.h>
#include <sndfile.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/salotto/temporary.h"

/* A file of so many seconds of a tone, the same on all channels. */
static void write_tone(double hz, double seconds, int rate, int channels, int format)
{
    SF_INFO info = {.samplerate = rate, .channels = channels, .format = format};
    SNDFILE *f = sf_open(path, SFM_WRITE, &info);
    sf_count_t frames = (sf_count_t)(seconds * rate);
    float frame[8];

    assert_non_null(f);
    for (sf_count_t i = 0; i < frames; i++) {
        for (int c = 0; c < channels; c++)
            frame[c] = (float)(0.5 * sin(2 * M_PI * hz * (double)i / rate));
        assert_int_equal(sf_writef_float(f, frame, 1), 1);
    }
    sf_close(f);
}

/* The level of what is not the tone, below it, in dB. The phase is fitted, the frequency is not. */
static double purity_db(const float *pcm, size_t n, double hz)
{
    double c = 0, s = 0, all = 0, rest;

    for (size_t i = 0; i < n; i++) {
        s += pcm[i] * sin(2 * M_PI * hz * (double)i / 48000);
        c += pcm[i] * cos(2 * M_PI * hz * (double)i / 48000);
        all += (double)pcm[i] * pcm[i];
    }
    rest = all - 2 * (s * s + c * c) / (double)n;
    return 10 * log10((all - rest) / (rest > 1e-12 ? rest : 1e-12));
}

static void a_tone_at_any_rate_is_the_same_tone_at_48_khz(void **state)
{
    static const int rates[] = {8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000};
    static float pcm[48000];
    struct sound_in *in;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        write_tone(1000, 1.2, rates[i], 1 + (int)i % 2, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
        in = sound_in_open(path, false, &err);
        assert_non_null(in);
        assert_int_equal(sound_in_read(in, pcm, 4800, &err), 4800);
        assert_int_equal(sound_in_read(in, pcm, 48000, &err), 48000);
        assert_true(purity_db(pcm, 48000, 1000) > 70);
        for (unsigned k = 0; k < 48000; k++)
            assert_true(fabsf(pcm[k]) < 0.505f);
        sound_in_close(in);
    }
}

static void what_48_khz_cannot_hold_does_not_fold_back(void **state)
{
    static float pcm[9600];
    struct sound_in *in;
    struct err err;

    (void)state;
    write_tone(30000, 0.5, 96000, 1, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
    in = sound_in_open(path, false, &err);
    assert_non_null(in);
    assert_int_equal(sound_in_read(in, pcm, 4800, &err), 4800);
    assert_int_equal(sound_in_read(in, pcm, 9600, &err), 9600);
    for (unsigned i = 0; i < 9600; i++)
        assert_true(fabsf(pcm[i]) < 1e-3f);
    sound_in_close(in);
}

static void a_file_is_as_long_as_it_is_and_then_silent(void **state)
{
    static float pcm[72000];
    struct sound_in *in;
    struct err err;
    int n;

    (void)state;
    write_tone(440, 1, 16000, 1, SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
    in = sound_in_open(path, false, &err);
    assert_non_null(in);
    n = sound_in_read(in, pcm, 72000, &err);
    assert_in_range(n, 47990, 48010);
    for (int i = n; i < 72000; i++)
        assert_true(pcm[i] == 0);
    assert_int_equal(sound_in_read(in, pcm, 960, &err), 0);
    sound_in_close(in);
}

static void a_loop_has_no_seam(void **state)
{
    static float pcm[96000];
    struct sound_in *in;
    struct err err;

    (void)state;
    write_tone(1000, 0.25, 22050, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
    in = sound_in_open(path, true, &err);
    assert_non_null(in);
    assert_int_equal(sound_in_read(in, pcm, 96000, &err), 96000);
    /* 0.25 s of 22,050 Hz are 5512 samples, half a sample short of whole periods: all but in step. */
    assert_true(purity_db(pcm + 4800, 4800, 1000) > 60);
    for (unsigned i = 1; i < 96000; i++)
        assert_true(fabsf(pcm[i] - pcm[i - 1]) < 0.11f);
    sound_in_close(in);
}

static void what_is_no_sound_file_is_named(void **state)
{
    struct err err;
    FILE *f;

    (void)state;
    assert_null(sound_in_open("/nonexistent/talk.wav", false, &err));
    assert_int_equal(err.code, ERR_DEVICE);
    assert_non_null(strstr(err.message, "/nonexistent/talk.wav"));
    f = fopen(path, "w");
    fputs("RIFF....WAVE and nothing more", f);
    fclose(f);
    assert_null(sound_in_open(path, false, &err));
    assert_int_equal(err.code, ERR_DEVICE);
    write_tone(440, 0, 48000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
    assert_null(sound_in_open(path, true, &err));
    assert_int_equal(err.code, ERR_DEVICE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_tone_at_any_rate_is_the_same_tone_at_48_khz),
        IN_FOLDER(what_48_khz_cannot_hold_does_not_fold_back),
        IN_FOLDER(a_file_is_as_long_as_it_is_and_then_silent),
        IN_FOLDER(a_loop_has_no_seam),
        IN_FOLDER(what_is_no_sound_file_is_named),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
