/* tier.c - one Opus encoder and the tape it fills (see tier.h) */
#include "mixer/tier.h"
#include "mixer/bus.h"

#include <stdlib.h>

/* A fresh encoder is not yet one that has run on silence: its adaptive parts (bandwidth, rate, VAD) settle first. */
#define BLANK_SAMPLES (48000u / 2)

/* Some seconds: packets are small, and listeners who come or change tier begin 240 ms back. */
static const struct {
    unsigned packets;
    size_t bytes;
} tapes[STREAM_TIERS] = {
    [STREAM_LOW] = {64, 8192},        /* 3.8 s */
    [STREAM_STANDARD] = {256, 32768}, /* 5.1 s */
};

struct tier {
    struct coder coder;
    struct coder blank; /* has encoded nothing but silence */
    struct tape *tape;
};

unsigned tier_frame_samples(enum stream s)
{
    return coder_frame_samples(s);
}

static int encode_silence(struct coder *c)
{
    static const float silence[BUS_SAMPLES];
    struct tape_packet unheard;

    for (uint64_t at = 0; at < BLANK_SAMPLES || c->filled != 0; at += BUS_SAMPLES)
        if (coder_feed(c, silence, at, 0) && coder_encode(c, 0, &unheard) < 0)
            return -1;
    return 0;
}

struct tier *tier_new(const struct tier_config *c)
{
    struct tier *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    if (coder_init(&t->blank, c->stream, c->complexity) < 0 || coder_init(&t->coder, c->stream, c->complexity) < 0 ||
        encode_silence(&t->blank) < 0)
        goto fail;
    coder_copy(&t->coder, &t->blank);
    t->tape = tape_new(tapes[c->stream].packets, tapes[c->stream].bytes, c->first_number);
    if (t->tape == NULL)
        goto fail;
    return t;
fail:
    tier_free(t);
    return NULL;
}

void tier_free(struct tier *t)
{
    if (t == NULL)
        return;
    coder_fini(&t->coder);
    coder_fini(&t->blank);
    tape_free(t->tape);
    free(t);
}

const struct tape *tier_tape(const struct tier *t)
{
    return t->tape;
}

enum stream tier_stream(const struct tier *t)
{
    return t->blank.stream;
}

void tier_awake(struct tier *t)
{
    coder_copy(&t->coder, &t->blank);
}

bool tier_feed(struct tier *t, const float *pcm, uint64_t position, uint32_t talkers)
{
    return coder_feed(&t->coder, pcm, position, talkers);
}

int tier_publish(struct tier *t, uint8_t flags, uint64_t epoch, uint32_t own_strips)
{
    struct tape_packet p;
    int error = coder_encode(&t->coder, 0, &p);

    if (error < 0)
        return error;
    p.flags = flags;
    p.epoch = epoch;
    p.own_strips = own_strips;
    tape_append(t->tape, &p);
    return 0;
}

const struct coder *tier_coder(const struct tier *t)
{
    return &t->coder;
}
