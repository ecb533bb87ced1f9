/* decode.c - Opus to float, whatever the jitter buffer decided (see decode.h)
 *
 * One gain accompanies the decoder, so that nothing it does makes a step. It is 1 while packets come; concealment takes
 * it to 0 between its 60th and 100th millisecond, silence by the sender's will in the first 5 (unless the sound had
 * died away before); what is decoded next raises it to 1 again within 5 ms, from wherever it was. A single concealed
 * frame leaves it at 1: Opus joins that by itself.
 */
#include "mixer/decode.h"

#include <errno.h>
#include <opus/opus.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define GRAIN_SAMPLES      120u   /* 2.5 ms: libopus conceals multiples of it */
#define FADE_SAMPLES       240u   /* 5 ms: in after concealment, out before silence */
#define TAIL_SAMPLES       480u   /* 10 ms: the shortest that SILK conceals */
#define CONCEAL_FADE_FROM  2880u  /* 60 ms of concealment in a row … */
#define CONCEAL_FADE_UNTIL 4800u  /* … and 100 ms */
#define QUIET              0.001f /* -60 dBFS: may be cut without a fade */
#define ALIGN              16

struct decode {
    int channels;
    size_t bytes; /* of this block */
    float gain;
    bool loud;          /* the last 5 ms decoded were not quiet */
    unsigned concealed; /* samples in a row */
    float tail[TAIL_SAMPLES * 2];
    _Alignas(ALIGN) unsigned char opus[]; /* an OpusDecoder: it holds no pointer into itself and may be copied */
};

/* RT_SAFE. */
static OpusDecoder *opus_of(struct decode *d)
{
    return (OpusDecoder *)(void *)d->opus;
}

struct decode *decode_new(int channels)
{
    struct decode *d;
    size_t bytes;

    if (channels != 1 && channels != 2)
        return NULL;
    bytes = (sizeof *d + (size_t)opus_decoder_get_size(channels) + ALIGN - 1) / ALIGN * ALIGN;
    d = aligned_alloc(ALIGN, bytes);
    if (d == NULL)
        return NULL;
    memset(d, 0, bytes);
    d->channels = channels;
    d->bytes = bytes;
    decode_reset(d);
    return d;
}

void decode_free(struct decode *d)
{
    free(d);
}

void decode_reset(struct decode *d)
{
    d->gain = 1;
    d->loud = false;
    d->concealed = 0;
    /* Fails only for a rate or number of channels that Opus does not know. */
    (void)opus_decoder_init(opus_of(d), PACKET_RATE_HZ, d->channels);
}

void decode_copy(struct decode *to, const struct decode *from)
{
    if (to->bytes == from->bytes)
        memcpy(to, from, from->bytes);
}

/* RT_SAFE. */
static void fill_silence(const struct decode *d, float *pcm, unsigned samples)
{
    memset(pcm, 0, (size_t)samples * (size_t)d->channels * sizeof *pcm);
}

/* RT_SAFE. Multiplies by a gain that moves by `step` a sample and stops at 0 or 1. */
static void ramp(struct decode *d, float *pcm, unsigned samples, float step)
{
    for (unsigned i = 0; i < samples; i++) {
        d->gain += step;
        if (d->gain > 1)
            d->gain = 1;
        if (d->gain < 0)
            d->gain = 0;
        for (int c = 0; c < d->channels; c++)
            pcm[i * (unsigned)d->channels + (unsigned)c] *= d->gain;
    }
}

/* RT_SAFE. What was decoded, from a packet or its successor's FEC, comes up from the gain that was left. */
static void rise(struct decode *d, float *pcm, unsigned samples)
{
    unsigned values = samples * (unsigned)d->channels, last = FADE_SAMPLES * (unsigned)d->channels;

    if (d->gain < 1)
        ramp(d, pcm, samples, 1.0f / (float)FADE_SAMPLES);
    d->concealed = 0;
    d->loud = false;
    for (unsigned i = values > last ? values - last : 0; i < values; i++)
        if (pcm[i] > QUIET || pcm[i] < -QUIET)
            d->loud = true;
}

/* RT_SAFE. samples <= DECODE_MAX_SAMPLES. */
static void conceal(struct decode *d, unsigned samples, float *pcm)
{
    unsigned fading_from = 0;
    int rc;

    if (d->gain <= 0 || d->concealed >= CONCEAL_FADE_UNTIL) {
        fill_silence(d, pcm, samples);
        d->gain = 0;
        return;
    }
    /* pcm has room for the longest packet, a multiple of the grain, so rounding up stays inside. */
    rc = opus_decode_float(opus_of(d), NULL, 0, pcm,
                           (int)((samples + GRAIN_SAMPLES - 1) / GRAIN_SAMPLES * GRAIN_SAMPLES), 0);
    if (rc < (int)samples)
        fill_silence(d, pcm, samples);
    if (d->concealed < CONCEAL_FADE_FROM)
        fading_from = CONCEAL_FADE_FROM - d->concealed;
    if (fading_from > samples)
        fading_from = samples;
    ramp(d, pcm, fading_from, 0);
    ramp(d, pcm + (size_t)fading_from * (size_t)d->channels, samples - fading_from,
         -1.0f / (float)(CONCEAL_FADE_UNTIL - CONCEAL_FADE_FROM));
    d->concealed += samples;
}

/* RT_SAFE. Silence, but the sound before it dies away over 5 ms rather than being cut. */
static void fall_silent(struct decode *d, unsigned samples, float *pcm)
{
    unsigned fade = samples < FADE_SAMPLES ? samples : FADE_SAMPLES;

    fill_silence(d, pcm, samples);
    d->concealed = 0;
    if (!d->loud || fade == 0)
        return;
    if (d->gain > 0 && opus_decode_float(opus_of(d), NULL, 0, d->tail, TAIL_SAMPLES, 0) == (int)TAIL_SAMPLES) {
        memcpy(pcm, d->tail, (size_t)fade * (size_t)d->channels * sizeof *pcm);
        ramp(d, pcm, fade, -d->gain / (float)fade);
    }
    d->gain = 0;
    d->loud = false;
}

int decode_run(struct decode *d, enum jitter_action action, const struct packet *p, unsigned samples, float *pcm)
{
    int rc;

    if (samples > DECODE_MAX_SAMPLES)
        return -EINVAL;
    switch (action) {
    case JITTER_PLAY:
        rc = opus_decode_float(opus_of(d), p->opus, p->opus_bytes, pcm, (int)DECODE_MAX_SAMPLES, 0);
        if (rc <= 0) {
            conceal(d, samples, pcm);
            return -EINVAL;
        }
        rise(d, pcm, (unsigned)rc);
        return rc;
    case JITTER_RECOVER:
        if (opus_decode_float(opus_of(d), p->opus, p->opus_bytes, pcm, (int)samples, 1) != (int)samples) {
            conceal(d, samples, pcm);
            return -EINVAL;
        }
        rise(d, pcm, samples);
        return (int)samples;
    case JITTER_CONCEAL:
        conceal(d, samples, pcm);
        return (int)samples;
    case JITTER_SILENCE:
        fall_silent(d, samples, pcm);
        return (int)samples;
    }
    return -EINVAL;
}
