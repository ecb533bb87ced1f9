/* speech.c - tests of one's own voice on its way to packets */
#include "tools/salotto/speech.h"

#include <math.h>
#include <opus/opus.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define PACKETS_MAX 1000u

static struct packet sent[PACKETS_MAX];
static unsigned count;

static void keep(const struct packet *p, void *arg)
{
    (void)arg;
    assert_in_range(count, 0, PACKETS_MAX - 1);
    sent[count++] = *p;
}

/* Frames of a 300 Hz tone at this RMS level. */
static void say(struct speech *s, unsigned frames, float rms_dbfs, bool allowed)
{
    float pcm[SPEECH_FRAME_SAMPLES];
    float amplitude = sqrtf(2) * powf(10, rms_dbfs / 20);

    for (unsigned i = 0; i < SPEECH_FRAME_SAMPLES; i++)
        pcm[i] = amplitude * sinf(2 * (float)M_PI * 300 * (float)i / 48000);
    while (frames-- > 0)
        speech_frame(s, pcm, allowed);
}

static struct speech *begin(void)
{
    struct speech *s = speech_new(keep, NULL);

    assert_non_null(s);
    count = 0;
    return s;
}

static void nothing_is_sent_of_a_quiet_room(void **state)
{
    struct speech *s = begin();

    (void)state;
    say(s, 200, -55, true);
    assert_int_equal(count, 0);
    assert_false(speech_is_open(s));
    speech_free(s);
}

static void the_two_frames_before_the_first_loud_one_go_too(void **state)
{
    struct speech *s = begin();

    (void)state;
    say(s, 10, -70, true);
    say(s, 1, -30, true);
    assert_int_equal(count, 3);
    assert_true(speech_is_open(s));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(sent[i].timestamp, (8 + i) * SPEECH_FRAME_SAMPLES);
        assert_int_equal(sent[i].flags, PACKET_VOICE);
        assert_int_equal(opus_packet_get_nb_samples(sent[i].opus, sent[i].opus_bytes, 48000), SPEECH_FRAME_SAMPLES);
    }
    speech_free(s);
}

static void two_seconds_of_silence_close_the_gate_and_a_pause_is_no_loss(void **state)
{
    struct speech *s = begin();

    (void)state;
    say(s, 5, -30, true);
    say(s, 200, -80, true);
    assert_in_range(count, 5 + 99, 5 + 100);
    assert_false(speech_is_open(s));
    count = 0;
    say(s, 1, -30, true);
    assert_int_equal(count, 3);
    /* Timestamps went on, sequence numbers did not. */
    assert_int_equal(sent[2].timestamp, 205 * SPEECH_FRAME_SAMPLES);
    assert_in_range(sent[0].sequence, 104, 105);
    assert_int_equal(sent[2].sequence, sent[0].sequence + 2);
    speech_free(s);
}

static void what_was_said_while_muted_is_never_sent(void **state)
{
    struct speech *s = begin();

    (void)state;
    say(s, 10, -30, false);
    assert_int_equal(count, 0);
    say(s, 1, -30, true);
    assert_int_equal(count, 1); /* no frames of before */
    say(s, 10, -30, false);
    assert_int_equal(count, 1);
    assert_false(speech_is_open(s));
    assert_int_equal(speech_packets(s), 1);
    speech_free(s);
}

static void the_packets_decode_to_what_was_said(void **state)
{
    struct speech *s = begin();
    OpusDecoder *d = opus_decoder_create(48000, 1, NULL);
    float pcm[SPEECH_FRAME_SAMPLES];
    double sum = 0;

    (void)state;
    say(s, 50, -20, true);
    assert_int_equal(count, 50);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(opus_decode_float(d, sent[i].opus, sent[i].opus_bytes, pcm, SPEECH_FRAME_SAMPLES, 0),
                         SPEECH_FRAME_SAMPLES);
        for (unsigned k = 0; i >= 25 && k < SPEECH_FRAME_SAMPLES; k++)
            sum += (double)pcm[k] * pcm[k];
    }
    assert_true(fabs(10 * log10(sum / (25 * SPEECH_FRAME_SAMPLES)) + 20) < 1.5);
    opus_decoder_destroy(d);
    speech_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_sent_of_a_quiet_room),
        cmocka_unit_test(the_two_frames_before_the_first_loud_one_go_too),
        cmocka_unit_test(two_seconds_of_silence_close_the_gate_and_a_pause_is_no_loss),
        cmocka_unit_test(what_was_said_while_muted_is_never_sent),
        cmocka_unit_test(the_packets_decode_to_what_was_said),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
