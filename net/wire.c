/* wire.c - bytes to fields and back (see wire.h)
 *
 * Everything that arrives from outside is read through the cursors here, so a length is checked in one place only.
 */
#include "net/wire.h"

#include "net/seal.h"

#include <string.h>

#define SPEECH_VOICE    0x01u
#define STREAM_TALKERS  0x07u
#define STREAM_PAUSE    0x40u
#define STREAM_HANDOVER 0x80u
#define POSITION_UNIT   120u  /* samples: 2.5 ms, the shortest Opus frame */
#define OPUS_LONGEST    5760u /* samples: 120 ms, RFC 6716 section 3.2.5 */

void rd_init(struct wire_reader *r, const void *bytes, size_t len)
{
    r->at = bytes;
    r->left = len;
    r->fail = false;
}

/* The next n bytes in place, or NULL with `fail` set. After a failure nothing more is handed out. */
static const uint8_t *take(struct wire_reader *r, size_t n)
{
    const uint8_t *at = r->at;

    if (r->fail || n > r->left) {
        r->fail = true;
        return NULL;
    }
    r->at += n;
    r->left -= n;
    return at;
}

static uint64_t take_number(struct wire_reader *r, size_t n)
{
    const uint8_t *b = take(r, n);
    uint64_t v = 0;

    for (size_t i = 0; b != NULL && i < n; i++)
        v = v << 8 | b[i];
    return v;
}

uint8_t rd_u8(struct wire_reader *r)
{
    return (uint8_t)take_number(r, 1);
}

uint16_t rd_u16(struct wire_reader *r)
{
    return (uint16_t)take_number(r, 2);
}

uint32_t rd_u32(struct wire_reader *r)
{
    return (uint32_t)take_number(r, 4);
}

uint64_t rd_u64(struct wire_reader *r)
{
    return take_number(r, 8);
}

void rd_bytes(struct wire_reader *r, void *out, size_t len)
{
    const uint8_t *b;

    if (len == 0)
        return;
    b = take(r, len);
    if (b != NULL)
        memcpy(out, b, len);
    else
        memset(out, 0, len);
}

const uint8_t *rd_rest(struct wire_reader *r, size_t *len)
{
    *len = r->fail ? 0 : r->left;
    return take(r, *len);
}

void wr_init(struct wire_writer *w, void *bytes, size_t len)
{
    w->at = bytes;
    w->left = len;
    w->fail = false;
}

static uint8_t *claim(struct wire_writer *w, size_t n)
{
    uint8_t *at = w->at;

    if (w->fail || n > w->left) {
        w->fail = true;
        return NULL;
    }
    w->at += n;
    w->left -= n;
    return at;
}

static void put_number(struct wire_writer *w, uint64_t v, size_t n)
{
    uint8_t *b = claim(w, n);

    for (size_t i = n; b != NULL && i-- > 0; v >>= 8)
        b[i] = (uint8_t)v;
}

void wr_u8(struct wire_writer *w, uint8_t v)
{
    put_number(w, v, 1);
}

void wr_u16(struct wire_writer *w, uint16_t v)
{
    put_number(w, v, 2);
}

void wr_u32(struct wire_writer *w, uint32_t v)
{
    put_number(w, v, 4);
}

void wr_u64(struct wire_writer *w, uint64_t v)
{
    put_number(w, v, 8);
}

void wr_bytes(struct wire_writer *w, const void *bytes, size_t len)
{
    uint8_t *b;

    if (len == 0)
        return;
    b = claim(w, len);
    if (b != NULL)
        memcpy(b, bytes, len);
}

bool wire_write_speech(struct wire_writer *w, const struct packet *p)
{
    if (p->opus_bytes == 0 || p->opus_bytes > PACKET_OPUS_MAX_BYTES)
        return false;
    wr_u8(w, p->flags & PACKET_VOICE ? SPEECH_VOICE : 0);
    wr_u16(w, p->sequence);
    wr_u32(w, p->timestamp);
    wr_bytes(w, p->opus, p->opus_bytes);
    return !w->fail;
}

/* What is left of r must be one Opus packet of a length that fits. */
static bool read_opus(struct wire_reader *r, uint8_t opus[PACKET_OPUS_MAX_BYTES], uint16_t *opus_bytes)
{
    size_t len;
    const uint8_t *rest = rd_rest(r, &len);

    if (r->fail || len == 0 || len > PACKET_OPUS_MAX_BYTES)
        return false;
    memcpy(opus, rest, len);
    *opus_bytes = (uint16_t)len;
    return true;
}

bool wire_read_speech(struct wire_reader *r, struct packet *p)
{
    uint8_t flags = rd_u8(r);

    p->flags = flags & SPEECH_VOICE ? PACKET_VOICE : 0;
    p->sequence = rd_u16(r);
    p->timestamp = rd_u32(r);
    return read_opus(r, p->opus, &p->opus_bytes);
}

/* Samples at 48 kHz that the packet decodes to, from its table-of-contents byte (RFC 6716 section 3.1, table 2, and
 * section 3.2 for the number of frames); 0 when it is malformed. */
static unsigned opus_samples(const uint8_t *opus, size_t len)
{
    static const uint16_t silk[4] = {480, 960, 1920, 2880};
    unsigned config = opus[0] >> 3, frames, samples;

    if (config < 12)
        samples = silk[config & 3];
    else if (config < 16)
        samples = 480u << (config & 1);
    else
        samples = 120u << (config & 3);

    switch (opus[0] & 3) {
    case 0:
        frames = 1;
        break;
    case 3:
        frames = len < 2 ? 0 : opus[1] & 63;
        break;
    default:
        frames = 2;
        break;
    }
    samples *= frames;
    return samples <= OPUS_LONGEST ? samples : 0;
}

bool wire_write_stream(struct wire_writer *w, const struct tape_packet *p)
{
    uint8_t flags = p->talker_count;

    if (p->opus_bytes == 0 || p->opus_bytes > PACKET_OPUS_MAX_BYTES || p->talker_count > TAPE_TALKERS_MAX)
        return false;
    if (p->flags & TAPE_PAUSE)
        flags |= STREAM_PAUSE;
    if (p->flags & TAPE_HANDOVER)
        flags |= STREAM_HANDOVER;
    wr_u8(w, flags);
    wr_u16(w, (uint16_t)(p->position / POSITION_UNIT));
    wr_bytes(w, p->talkers, p->talker_count);
    wr_bytes(w, p->opus, p->opus_bytes);
    return !w->fail;
}

bool wire_read_stream(struct wire_reader *r, struct tape_packet *p, uint64_t near_position)
{
    uint8_t flags = rd_u8(r);
    uint16_t units = rd_u16(r);

    p->flags = 0;
    if (flags & STREAM_PAUSE)
        p->flags |= TAPE_PAUSE;
    if (flags & STREAM_HANDOVER)
        p->flags |= TAPE_HANDOVER;
    p->position = seal_extend(units, 16, near_position / POSITION_UNIT) * POSITION_UNIT;
    p->talker_count = flags & STREAM_TALKERS;
    memset(p->talkers, 0, sizeof p->talkers);
    rd_bytes(r, p->talkers, p->talker_count);
    if (!read_opus(r, p->opus, &p->opus_bytes))
        return false;
    p->duration_samples = (uint16_t)opus_samples(p->opus, p->opus_bytes);
    return p->duration_samples != 0;
}
