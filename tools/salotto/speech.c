/* speech.c - one's own voice (see speech.h) */
#include "tools/salotto/speech.h"

#include "mixer/gate.h"

#include <opus/opus.h>
#include <stdlib.h>
#include <string.h>

#define BITRATE       32000
#define EXPECTED_LOSS 5 /* percent: makes room for in-band FEC */
#define COMPLEXITY    5
#define BEFORE_FRAMES 2u

struct speech {
    OpusEncoder *encoder;
    void (*send)(const struct packet *p, void *arg);
    void *arg;
    struct gate gate;
    float before[BEFORE_FRAMES][SPEECH_FRAME_SAMPLES]; /* the last frames that were not sent, oldest first */
    unsigned before_count;
    uint32_t timestamp; /* of the frame that comes next */
    uint16_t sequence;
    uint64_t packets;
};

struct speech *speech_new(void (*send)(const struct packet *p, void *arg), void *arg)
{
    struct speech *s = calloc(1, sizeof *s);
    int error;

    if (s == NULL)
        return NULL;
    s->send = send;
    s->arg = arg;
    gate_init(&s->gate);
    s->encoder = opus_encoder_create(PACKET_RATE_HZ, 1, OPUS_APPLICATION_VOIP, &error);
    if (s->encoder == NULL || opus_encoder_ctl(s->encoder, OPUS_SET_BITRATE(BITRATE)) != OPUS_OK ||
        opus_encoder_ctl(s->encoder, OPUS_SET_INBAND_FEC(1)) != OPUS_OK ||
        opus_encoder_ctl(s->encoder, OPUS_SET_PACKET_LOSS_PERC(EXPECTED_LOSS)) != OPUS_OK ||
        opus_encoder_ctl(s->encoder, OPUS_SET_COMPLEXITY(COMPLEXITY)) != OPUS_OK) {
        speech_free(s);
        return NULL;
    }
    return s;
}

void speech_free(struct speech *s)
{
    if (s == NULL)
        return;
    if (s->encoder != NULL)
        opus_encoder_destroy(s->encoder);
    free(s);
}

static void encode(struct speech *s, const float *pcm, uint32_t timestamp)
{
    struct packet p = {.timestamp = timestamp, .sequence = s->sequence, .flags = PACKET_VOICE};
    opus_int32 bytes = opus_encode_float(s->encoder, pcm, SPEECH_FRAME_SAMPLES, p.opus, sizeof p.opus);

    if (bytes <= 0) /* no input makes it fail; were it to, the frame is a lost one */
        return;
    p.opus_bytes = (uint16_t)bytes;
    s->sequence++;
    s->packets++;
    s->send(&p, s->arg);
}

void speech_frame(struct speech *s, const float *pcm, bool allowed)
{
    uint32_t timestamp = s->timestamp;

    s->timestamp += SPEECH_FRAME_SAMPLES;
    if (!allowed) {
        gate_init(&s->gate);
        s->before_count = 0;
        return;
    }
    if (gate_run(&s->gate, pcm, SPEECH_FRAME_SAMPLES)) {
        for (unsigned i = 0; i < s->before_count; i++)
            encode(s, s->before[i], timestamp - (s->before_count - i) * SPEECH_FRAME_SAMPLES);
        s->before_count = 0;
        encode(s, pcm, timestamp);
        return;
    }
    if (s->before_count == BEFORE_FRAMES)
        memmove(s->before[0], s->before[1], (BEFORE_FRAMES - 1) * sizeof s->before[0]);
    else
        s->before_count++;
    memcpy(s->before[s->before_count - 1], pcm, sizeof s->before[0]);
}

bool speech_is_open(const struct speech *s)
{
    return s->gate.open;
}

uint64_t speech_packets(const struct speech *s)
{
    return s->packets;
}
