/* wav_out.c - tests of WAV files of what was heard */
#include "tools/salotto/wav_out.h"

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

static void a_wav_file_holds_what_was_written(void **state)
{
    float pcm[4800], back[4800];
    struct wav_out *w;
    SF_INFO info = {0};
    struct err err;
    SNDFILE *f;

    (void)state;
    for (unsigned i = 0; i < 4800; i++)
        pcm[i] = 1.25f * sinf((float)i / 10);
    w = wav_out_open(path, &err);
    assert_non_null(w);
    assert_int_equal(wav_out_write(w, pcm, 4800, &err), 0);
    assert_int_equal(wav_out_samples(w), 4800);
    assert_int_equal(wav_out_close(w, &err), 0);
    f = sf_open(path, SFM_READ, &info);
    assert_non_null(f);
    assert_int_equal(info.frames, 4800);
    assert_int_equal(info.samplerate, 48000);
    assert_int_equal(info.channels, 1);
    assert_int_equal(info.format, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
    assert_int_equal(sf_readf_float(f, back, 4800), 4800);
    for (unsigned i = 0; i < 4800; i++) {
        float want = pcm[i] > 32767 / 32768.0f ? 32767 / 32768.0f : pcm[i] < -1 ? -1 : pcm[i];

        assert_true(fabsf(back[i] - want) <= 0.51f / 32768);
    }
    sf_close(f);
}

static void a_wav_file_that_is_cut_off_still_tells_its_length(void **state)
{
    static float pcm[48000];
    struct wav_out *w;
    SF_INFO info = {0};
    struct err err;
    SNDFILE *f;

    (void)state;
    w = wav_out_open(path, &err);
    assert_non_null(w);
    for (int i = 0; i < 3; i++)
        assert_int_equal(wav_out_write(w, pcm, 48000, &err), 0);
    f = sf_open(path, SFM_READ, &info); /* as it stands now, unfinished */
    assert_non_null(f);
    assert_int_equal(info.frames, 144000);
    sf_close(f);
    assert_int_equal(wav_out_close(w, &err), 0);
}

static void a_wav_file_that_cannot_be_written_is_named(void **state)
{
    struct err err;

    (void)state;
    assert_null(wav_out_open("/nonexistent/x.wav", &err));
    assert_int_equal(err.code, ERR_DEVICE);
    assert_non_null(strstr(err.message, "/nonexistent/x.wav"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_wav_file_holds_what_was_written),
        IN_FOLDER(a_wav_file_that_is_cut_off_still_tells_its_length),
        cmocka_unit_test(a_wav_file_that_cannot_be_written_is_named),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
