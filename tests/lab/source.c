/* source.c - a sound file as a speaker (see source.h) */
#include "tests/lab/source.h"
#include "mixer/gate.h"
#include "mixer/packet.h"
#include "tools/salotto/sound_in.h"

#include <opus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME        960
#define UNDERWAY_MAX 1024 /* 20 s: no trace of ours delays by more */
#define BITS_PER_S   32000
#define LOSS_PERCENT 10 /* expected by the encoder, which makes room for FEC by it */
#define COMPLEXITY   5

struct underway {
    double arrives_ms;
    struct inbox_item item;
};

struct source {
    char *path;
    double start_ms;
    unsigned slot;
    const struct trace *trace;
    struct sound_in *in;
    bool ended;
    OpusEncoder *opus;
    struct gate gate;
    unsigned next;     /* 20 ms of the file, and line of the trace */
    uint16_t sequence; /* of the packets really sent */
    uint64_t sent, lost;
    unsigned underway_count;
    struct underway *underway;
};

struct source *source_open(const char *path, double start_ms, unsigned slot, const struct trace *trace, struct err *err)
{
    struct source *s = calloc(1, sizeof *s);
    int error;

    if (s == NULL)
        goto memory;
    s->start_ms = start_ms;
    s->slot = slot;
    s->trace = trace;
    gate_init(&s->gate);
    s->path = strdup(path);
    s->underway = calloc(UNDERWAY_MAX, sizeof *s->underway);
    s->opus = opus_encoder_create(PACKET_RATE_HZ, 1, OPUS_APPLICATION_VOIP, &error);
    if (s->path == NULL || s->underway == NULL || s->opus == NULL)
        goto memory;
    opus_encoder_ctl(s->opus, OPUS_SET_BITRATE(BITS_PER_S));
    opus_encoder_ctl(s->opus, OPUS_SET_INBAND_FEC(1));
    opus_encoder_ctl(s->opus, OPUS_SET_PACKET_LOSS_PERC(LOSS_PERCENT));
    opus_encoder_ctl(s->opus, OPUS_SET_COMPLEXITY(COMPLEXITY));
    s->in = sound_in_open(path, false, err);
    if (s->in == NULL)
        goto fail;
    return s;
memory:
    err_set(err, ERR_INTERNAL, NULL, "out of memory");
fail:
    source_close(s);
    return NULL;
}

void source_close(struct source *s)
{
    if (s == NULL)
        return;
    sound_in_close(s->in);
    if (s->opus != NULL)
        opus_encoder_destroy(s->opus);
    free(s->underway);
    free(s->path);
    free(s);
}

/* Encodes the next 20 ms and sends them on their way, if there is voice in them. */
static bool say(struct source *s, bool arrives, double arrives_ms, struct err *err)
{
    struct underway *u = &s->underway[s->underway_count];
    struct packet *p = &u->item.packet;
    float pcm[FRAME];
    int got = sound_in_read(s->in, pcm, FRAME, err), bytes;

    if (got < 0)
        return false;
    s->ended = got < FRAME;
    if (got == 0)
        return true;
    if (s->underway_count == UNDERWAY_MAX) {
        err_set(err, ERR_USAGE, "give a trace that delays less", "%s: more than 20 s of packets under way", s->path);
        return false;
    }
    bytes = opus_encode_float(s->opus, pcm, FRAME, p->opus, PACKET_OPUS_MAX_BYTES);
    if (bytes <= 0) {
        err_set(err, ERR_INTERNAL, NULL, "%s: Opus can't encode: %s", s->path, opus_strerror(bytes));
        return false;
    }
    if (!gate_run(&s->gate, pcm, FRAME))
        return true;
    s->sent++;
    u->item.slot = (uint8_t)s->slot;
    u->arrives_ms = arrives_ms;
    p->source = s->slot + 1;
    p->sequence = s->sequence++;
    p->timestamp = s->next * FRAME;
    p->flags = PACKET_VOICE;
    p->opus_bytes = (uint16_t)bytes;
    if (arrives)
        s->underway_count++;
    else
        s->lost++;
    return true;
}

/* The first of those under way to arrive by now_ms, or NULL. */
static struct underway *first_arrival(struct source *s, double now_ms)
{
    struct underway *first = NULL;

    for (unsigned i = 0; i < s->underway_count; i++)
        if (s->underway[i].arrives_ms <= now_ms && (first == NULL || s->underway[i].arrives_ms < first->arrives_ms))
            first = &s->underway[i];
    return first;
}

bool source_run(struct source *s, double now_ms, struct ring *inbox, bool *voice, struct err *err)
{
    struct underway *u;

    while (!s->ended) {
        double sent_ms, arrived_ms;
        bool arrives = trace_packet(s->trace, s->next, &sent_ms, &arrived_ms);

        if (s->start_ms + sent_ms > now_ms)
            break;
        if (!say(s, arrives, s->start_ms + arrived_ms, err))
            return false;
        s->next++;
    }
    while ((u = first_arrival(s, now_ms)) != NULL) {
        u->item.packet.arrived_ns = (uint64_t)(u->arrives_ms * 1e6);
        ring_push(inbox, &u->item, sizeof u->item); /* a full ring counts what it refuses */
        *voice = true;
        memmove(u, u + 1, (size_t)(s->underway + --s->underway_count - u) * sizeof *u);
    }
    return true;
}

bool source_is_done(const struct source *s)
{
    return s->ended && s->underway_count == 0;
}

const char *source_path(const struct source *s)
{
    return s->path;
}

unsigned source_slot(const struct source *s)
{
    return s->slot;
}

uint64_t source_sent(const struct source *s)
{
    return s->sent;
}

uint64_t source_lost(const struct source *s)
{
    return s->lost;
}
