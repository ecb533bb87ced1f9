/* coder.c - one Opus encoder and the frame it gathers (see coder.h)
 *
 * VOIP rather than AUDIO: at these rates it keeps to SILK and hybrid for speech, which 12 kbit/s needs. Constrained VBR
 * keeps the mean at the stream's rate. No in-band FEC: losses on the way down are repaired from the tape. No DTX: a
 * silent room is parked.
 */
#include "mixer/coder.h"
#include "mixer/bus.h"

#include <errno.h>
#include <opus.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS 1

static const struct {
    unsigned frame_samples;
    int bits_per_s;
} streams[STREAM_TIERS] = {
    [STREAM_LOW] = {2880, 12000},
    /* 32 kbit/s less what dense speech was measured to exceed it by (3.5 %) and seven named talkers take: with 52
     * bytes of IPv4, UDP and ours around each packet this is what stays under 52 kbit/s on the wire. */
    [STREAM_STANDARD] = {960, 30000},
};

unsigned coder_frame_samples(enum stream s)
{
    return (unsigned)s < STREAM_TIERS ? streams[s].frame_samples : 0;
}

int coder_init(struct coder *c, enum stream s, int complexity)
{
    *c = (struct coder){.stream = s, .frame_samples = coder_frame_samples(s)};
    if (c->frame_samples == 0 || c->frame_samples > CODER_FRAME_MAX)
        return -EINVAL;
    c->opus = malloc((size_t)opus_encoder_get_size(CHANNELS));
    if (c->opus == NULL)
        return -ENOMEM;
    /* opus_encoder_init() clears, and so touches, the whole state. */
    if (opus_encoder_init(c->opus, PACKET_RATE_HZ, CHANNELS, OPUS_APPLICATION_VOIP) != OPUS_OK ||
        opus_encoder_ctl(c->opus, OPUS_SET_BITRATE(streams[s].bits_per_s)) != OPUS_OK ||
        opus_encoder_ctl(c->opus, OPUS_SET_VBR(1)) != OPUS_OK ||
        opus_encoder_ctl(c->opus, OPUS_SET_VBR_CONSTRAINT(1)) != OPUS_OK ||
        opus_encoder_ctl(c->opus, OPUS_SET_COMPLEXITY(complexity)) != OPUS_OK) {
        coder_fini(c);
        return -EINVAL;
    }
    return 0;
}

void coder_fini(struct coder *c)
{
    free(c->opus);
    c->opus = NULL;
}

void coder_copy(struct coder *to, const struct coder *from)
{
    struct OpusEncoder *own = to->opus;

    /* opus.h, "Opus Encoder": a state has no pointers into itself, so copying its bytes copies the encoder. */
    memcpy(own, from->opus, (size_t)opus_encoder_get_size(CHANNELS));
    *to = *from;
    to->opus = own;
}

void coder_drop(struct coder *c)
{
    c->filled = 0;
    c->talkers = 0;
}

bool coder_feed(struct coder *c, const float *pcm, uint64_t position, uint32_t talkers)
{
    if (c->filled != 0 && position != c->position + c->filled)
        coder_drop(c);
    if (c->filled == 0) {
        c->filled = (unsigned)(position % c->frame_samples);
        c->position = position - c->filled;
        memset(c->frame, 0, c->filled * sizeof *c->frame);
    }
    memcpy(c->frame + c->filled, pcm, BUS_SAMPLES * sizeof *pcm);
    c->filled += BUS_SAMPLES;
    c->talkers |= talkers;
    return c->filled >= c->frame_samples;
}

int coder_encode(struct coder *c, uint32_t but, struct tape_packet *out)
{
    int bytes = opus_encode_float(c->opus, c->frame, (int)c->frame_samples, out->opus, PACKET_OPUS_MAX_BYTES);

    memset(out, 0, offsetof(struct tape_packet, opus));
    out->position = c->position;
    out->duration_samples = (uint16_t)c->frame_samples;
    for (unsigned n = 0; n < 32 && out->talker_count < TAPE_TALKERS_MAX; n++)
        if ((c->talkers & ~but) >> n & 1)
            out->talkers[out->talker_count++] = (uint8_t)n;
    coder_drop(c);
    if (bytes <= 0)
        return -EIO;
    out->opus_bytes = (uint16_t)bytes;
    return 0;
}
