/* decode.c - tests of mixer/decode.h
 *
 * With real Opus in both directions; the sound is a tone, or a voice-like signal where the encoder's mode matters.
 */
#include "mixer/decode.h"

#include <errno.h>
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

#define FRAME   960u
#define MS      48u
#define PACKETS 150u

/* A tone of 440 Hz at -12 dBFS. */
static void tone(float *pcm, unsigned from, unsigned samples)
{
    for (unsigned i = 0; i < samples; i++)
        pcm[i] = 0.25f * (float)sin(2 * M_PI * 440 * ((from + i) / 48000.0));
}

/* Harmonics of a gliding voice, with syllables. */
static void voice(float *pcm, unsigned from, unsigned samples)
{
    for (unsigned i = 0; i < samples; i++) {
        double t = (from + i) / 48000.0, phase = 2 * M_PI * (120 * t + 3 * sin(2 * M_PI * 1.3 * t)), sum = 0;

        for (int h = 1; h <= 25; h++)
            sum += sin(h * phase) / (1 + fabs(h - 5.0) / 2);
        pcm[i] = (float)(0.08 * sum * (0.6 + 0.4 * sin(2 * M_PI * 4 * t)));
    }
}

struct recording {
    unsigned delay; /* samples from the encoder's input to the decoder's output */
    struct packet packet[PACKETS];
};

static void record(struct recording *r, void (*sound)(float *, unsigned, unsigned), int channels, int fec)
{
    int error, application = fec ? OPUS_APPLICATION_VOIP : OPUS_APPLICATION_AUDIO, bytes;
    OpusEncoder *e = opus_encoder_create(48000, channels, application, &error);
    float mono[FRAME], pcm[FRAME * 2];
    opus_int32 lookahead;

    assert_non_null(e);
    opus_encoder_ctl(e, OPUS_SET_BITRATE(fec ? 24000 : 64000));
    opus_encoder_ctl(e, OPUS_SET_INBAND_FEC(fec));
    opus_encoder_ctl(e, OPUS_SET_PACKET_LOSS_PERC(fec ? 20 : 0));
    opus_encoder_ctl(e, OPUS_GET_LOOKAHEAD(&lookahead));
    r->delay = (unsigned)lookahead;
    for (unsigned n = 0; n < PACKETS; n++) {
        struct packet *p = &r->packet[n];

        sound(mono, n * FRAME, FRAME);
        for (unsigned i = 0; i < FRAME; i++)
            for (int c = 0; c < channels; c++)
                pcm[i * (unsigned)channels + (unsigned)c] = mono[i];
        memset(p, 0, sizeof *p);
        bytes = opus_encode_float(e, pcm, (int)FRAME, p->opus, sizeof p->opus);
        assert_true(bytes > 0);
        p->opus_bytes = (uint16_t)bytes;
        p->sequence = (uint16_t)n;
        p->timestamp = n * FRAME;
    }
    opus_encoder_destroy(e);
}

static struct recording recording;
static float pcm[PACKETS * FRAME * 2], other[PACKETS * FRAME * 2];

static void play(struct decode *d, unsigned n, float *out)
{
    assert_int_equal(decode_run(d, JITTER_PLAY, &recording.packet[n], FRAME, out), FRAME);
}

static double level(const float *x, unsigned samples)
{
    double sum = 0;

    for (unsigned i = 0; i < samples; i++)
        sum += (double)x[i] * x[i];
    return sqrt(sum / samples);
}

/* The largest step between neighbouring samples: a click stands out of what a tone can do. */
static float largest_step(const float *x, unsigned samples)
{
    float largest = 0;

    for (unsigned i = 1; i < samples; i++)
        if (fabsf(x[i] - x[i - 1]) > largest)
            largest = fabsf(x[i] - x[i - 1]);
    return largest;
}

static void test_channels(void **state)
{
    (void)state;
    assert_null(decode_new(0));
    assert_null(decode_new(3));
    decode_free(NULL);
}

static void test_exact(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 2; channels++) {
        OpusDecoder *plain = opus_decoder_create(48000, channels, NULL);
        struct decode *d = decode_new(channels);

        record(&recording, tone, channels, 0);
        for (unsigned n = 0; n < PACKETS; n++) {
            const struct packet *p = &recording.packet[n];

            play(d, n, pcm);
            assert_int_equal(opus_decode_float(plain, p->opus, p->opus_bytes, other, (int)DECODE_MAX_SAMPLES, 0),
                             FRAME);
            assert_memory_equal(pcm, other, FRAME * (unsigned)channels * sizeof *pcm);
        }
        opus_decoder_destroy(plain);
        decode_free(d);
    }
}

/* Decodes the recording up to `lost`, then action for it; then its successor. Two frames lie in out. */
static void lose(unsigned lost, enum jitter_action action, float *out)
{
    struct decode *d = decode_new(1);

    for (unsigned n = 0; n < lost; n++)
        play(d, n, out);
    assert_int_equal(decode_run(d, action, &recording.packet[lost + 1], FRAME, out), FRAME);
    play(d, lost + 1, out + FRAME);
    decode_free(d);
}

/* Of the frame in which the lost packet was, with the sound that the speaker made. */
static double likeness(const float *heard, unsigned n)
{
    double hh = 1e-12, oo = 1e-12, ho = 0;
    float original[FRAME];

    voice(original, n * FRAME - recording.delay, FRAME);
    for (unsigned i = 0; i < FRAME; i++) {
        hh += (double)heard[i] * heard[i];
        oo += (double)original[i] * original[i];
        ho += (double)heard[i] * original[i];
    }
    return ho / sqrt(hh * oo);
}

static void test_recover(void **state)
{
    double recovered = 0, concealed = 0;
    unsigned losses = 0;

    (void)state;
    record(&recording, voice, 1, 1);
    for (unsigned lost = 30; lost < 140; lost++) {
        const struct packet *next = &recording.packet[lost + 1];

        /* The encoder repeats only what it takes for speech; RFC 6716 section 4.2.3 has the bit. */
        if (next->opus[0] >> 3 >= 16 || (next->opus[1] & 0x40) == 0)
            continue;
        losses++;
        lose(lost, JITTER_RECOVER, pcm);
        recovered += likeness(pcm, lost);
        lose(lost, JITTER_CONCEAL, pcm);
        concealed += likeness(pcm, lost);
    }
    assert_true(losses > 50);
    recovered /= losses;
    concealed /= losses;
    print_message("# likeness to the original: recovered %.2f, concealed %.2f\n", recovered, concealed);
    assert_true(recovered > 0.7);
    assert_true(recovered > concealed + 0.1);
}

/* The whole way: a lossy line into the buffer, and what comes out of the decoder is as long as what went in. */
static void test_jitter_and_decode(void **state)
{
    struct jitter_config c = {.start_packets = 3, .capacity = 64, .max_ms = 500};
    struct jitter *j = jitter_new(&c);
    struct decode *d = decode_new(1);
    unsigned length = 0, samples;
    struct packet out;

    (void)state;
    record(&recording, voice, 1, 1);
    for (unsigned n = 0; n < PACKETS; n++) {
        if (n % 10 != 7)
            assert_int_equal(jitter_put(j, &recording.packet[n]), 0);
        if (n >= 2) {
            enum jitter_action action = jitter_take(j, FRAME, &out, &samples);
            int got = decode_run(d, action, &out, samples, pcm + length);

            assert_true(got > 0);
            length += (unsigned)got;
        }
    }
    assert_int_equal(length, (PACKETS - 2) * FRAME);
    assert_int_equal(jitter_stats(j)->lost, 15);
    assert_int_equal(jitter_stats(j)->recovered + jitter_stats(j)->concealed, 15);
    assert_true(jitter_stats(j)->recovered >= 8);
    for (unsigned n = 20; n < 140; n += 10) /* between the losses */
        assert_true(likeness(pcm + n * FRAME, n) > 0.8);
    jitter_free(j);
    decode_free(d);
}

static void test_conceal_fades(void **state)
{
    struct decode *d = decode_new(1);

    (void)state;
    record(&recording, tone, 1, 0);
    for (unsigned n = 0; n < 20; n++)
        play(d, n, pcm);
    for (unsigned n = 0; n < 10; n++)
        assert_int_equal(decode_run(d, JITTER_CONCEAL, NULL, FRAME, pcm + (n + 1) * FRAME), FRAME);
    memmove(pcm, pcm + FRAME, 10 * FRAME * sizeof *pcm);
    assert_true(level(pcm, FRAME) > 0.05);
    assert_true(level(pcm + 5 * FRAME, 5 * FRAME) == 0);
    assert_true(largest_step(pcm, 10 * FRAME) < 0.03); /* the tone's own is 0.0144 */
    decode_free(d);
}

static void test_fade_in(void **state)
{
    struct decode *d = decode_new(1);

    (void)state;
    record(&recording, tone, 1, 0);
    for (unsigned n = 0; n < 20; n++)
        play(d, n, pcm);
    for (unsigned n = 0; n < 10; n++)
        decode_run(d, JITTER_CONCEAL, NULL, FRAME, pcm);
    for (unsigned n = 30; n < 40; n++)
        play(d, n, pcm + (n - 30) * FRAME);
    assert_true(fabsf(pcm[0]) < 0.005f);
    assert_true(largest_step(pcm, 10 * FRAME) < 0.03);
    assert_true(level(pcm, 48) < 0.04);
    assert_true(level(pcm + FRAME, FRAME) > 0.15);
    decode_free(d);
}

/* After a short concealment Opus joins by itself: fading in from nothing would make the gap that it bridges. */
static void test_no_dip(void **state)
{
    struct decode *d = decode_new(1);

    (void)state;
    record(&recording, tone, 1, 0);
    for (unsigned n = 0; n < 20; n++)
        play(d, n, pcm);
    decode_run(d, JITTER_CONCEAL, NULL, FRAME, pcm);
    play(d, 21, pcm + FRAME);
    for (unsigned i = 0; i + 120 <= 2 * FRAME; i += 60)
        assert_true(level(pcm + i, 120) > 0.1);
    decode_free(d);
}

static void test_silence(void **state)
{
    struct decode *d = decode_new(1);

    (void)state;
    record(&recording, tone, 1, 0);
    assert_int_equal(decode_run(d, JITTER_SILENCE, NULL, 100, pcm), 100);
    assert_true(level(pcm, 100) == 0);
    for (unsigned n = 0; n < 20; n++)
        play(d, n, pcm);
    play(d, 20, pcm);
    assert_int_equal(decode_run(d, JITTER_SILENCE, NULL, FRAME, pcm + FRAME), FRAME);
    assert_int_equal(decode_run(d, JITTER_SILENCE, NULL, FRAME, pcm + 2 * FRAME), FRAME);
    assert_true(level(pcm + FRAME + 240, 2 * FRAME - 240) == 0);
    play(d, 21, pcm + 3 * FRAME);
    assert_true(largest_step(pcm, 4 * FRAME) < 0.03);
    decode_free(d);
}

static void test_copy(void **state)
{
    struct decode *d = decode_new(2), *copy = decode_new(2);

    (void)state;
    record(&recording, tone, 2, 0);
    for (unsigned n = 0; n < 20; n++)
        play(d, n, pcm);
    for (unsigned n = 0; n < 4; n++) /* in the midst of a fade */
        decode_run(d, JITTER_CONCEAL, NULL, FRAME, pcm);
    decode_copy(copy, d);
    for (unsigned n = 24; n < 60; n++) {
        enum jitter_action action = n % 7 == 0 ? JITTER_CONCEAL : n % 7 == 3 ? JITTER_SILENCE : JITTER_PLAY;

        assert_int_equal(decode_run(d, action, &recording.packet[n], FRAME, pcm), FRAME);
        assert_int_equal(decode_run(copy, action, &recording.packet[n], FRAME, other), FRAME);
        assert_memory_equal(pcm, other, FRAME * 2 * sizeof *pcm);
    }
    decode_free(d);
    decode_free(copy);
}

static void test_reset(void **state)
{
    struct decode *d = decode_new(1), *fresh = decode_new(1);

    (void)state;
    record(&recording, tone, 1, 0);
    for (unsigned n = 0; n < 20; n++)
        play(d, n, pcm);
    decode_run(d, JITTER_SILENCE, NULL, FRAME, pcm);
    decode_reset(d);
    for (unsigned n = 0; n < 20; n++) {
        play(d, n, pcm);
        play(fresh, n, other);
        assert_memory_equal(pcm, other, FRAME * sizeof *pcm);
    }
    decode_free(d);
    decode_free(fresh);
}

static void test_broken(void **state)
{
    struct decode *d = decode_new(1);
    struct packet broken = {.opus_bytes = 2, .opus = {31 << 3 | 3, 7}}; /* seven frames of 20 ms: over 120 ms */

    (void)state;
    record(&recording, tone, 1, 0);
    for (unsigned n = 0; n < 20; n++)
        play(d, n, pcm);
    memset(pcm, 0x7f, 2 * FRAME * sizeof *pcm);
    assert_int_equal(decode_run(d, JITTER_PLAY, &broken, FRAME, pcm), -EINVAL);
    assert_true(level(pcm, FRAME) > 0.05 && level(pcm, FRAME) < 0.5);
    broken.opus_bytes = 0;
    assert_int_equal(decode_run(d, JITTER_RECOVER, &broken, FRAME, pcm), FRAME); /* nothing to find: concealment */
    assert_int_equal(decode_run(d, JITTER_CONCEAL, NULL, DECODE_MAX_SAMPLES + 1, pcm), -EINVAL);
    play(d, 21, pcm);
    decode_free(d);
}

/* Odd lengths come from senders whose timestamps are no multiple of 2.5 ms. */
static void test_any_length(void **state)
{
    struct decode *d = decode_new(2);

    (void)state;
    record(&recording, tone, 2, 0);
    for (unsigned n = 0; n < PACKETS; n++) {
        unsigned length = n * 37 % DECODE_MAX_SAMPLES + 1;

        play(d, n, pcm);
        assert_int_equal(decode_run(d, n % 2 ? JITTER_CONCEAL : JITTER_SILENCE, NULL, length, pcm), length);
        if (n % 2 && n > 20 && length > 200)
            assert_true(level(pcm, length < 480 ? length * 2 : 960) > 0.005);
    }
    assert_int_equal(decode_run(d, JITTER_CONCEAL, NULL, DECODE_MAX_SAMPLES, pcm), DECODE_MAX_SAMPLES);
    decode_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"a decoder has one or two channels", test_channels, NULL, NULL, NULL},
        {"without loss the sound is that of a plain Opus decoder, bit for bit", test_exact, NULL, NULL, NULL},
        {"a frame recovered from FEC is nearer to the original than a concealed one", test_recover, NULL, NULL, NULL},
        {"a line with 10 % loss is as long as without and sounds alike", test_jitter_and_decode, NULL, NULL, NULL},
        {"concealment is silence after 100 ms in a row, without a click", test_conceal_fades, NULL, NULL, NULL},
        {"what follows a long concealment fades in over 5 ms", test_fade_in, NULL, NULL, NULL},
        {"what follows a short concealment does not dip", test_no_dip, NULL, NULL, NULL},
        {"silence by the sender's will comes and goes without a click", test_silence, NULL, NULL, NULL},
        {"a copied decoder gives the same sound bit for bit", test_copy, NULL, NULL, NULL},
        {"a reset decoder is as new", test_reset, NULL, NULL, NULL},
        {"a broken packet is concealed and reported", test_broken, NULL, NULL, NULL},
        {"concealment and silence may have any length up to 120 ms", test_any_length, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
