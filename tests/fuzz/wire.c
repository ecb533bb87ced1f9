/* wire.c - fuzzes the readers of speech and stream plaintexts: what they accept keeps its bounds and, written again,
 * reads back the same */
#include "net/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void speech(const uint8_t *data, size_t size)
{
    uint8_t again[WIRE_DATAGRAM_MAX];
    struct packet p = {0};
    struct wire_reader r;
    struct wire_writer w;

    rd_init(&r, data, size);
    if (!wire_read_speech(&r, &p))
        return;
    require(p.opus_bytes > 0 && p.opus_bytes <= PACKET_OPUS_MAX_BYTES);
    wr_init(&w, again, sizeof again);
    require(wire_write_speech(&w, &p));
    require(sizeof again - w.left == size);
    require(((again[0] ^ data[0]) & 0x01) == 0 && memcmp(again + 1, data + 1, size - 1) == 0);
}

static void stream(const uint8_t *data, size_t size, uint64_t near_position)
{
    uint8_t again[WIRE_DATAGRAM_MAX];
    struct tape_packet p = {0};
    struct wire_reader r;
    struct wire_writer w;

    rd_init(&r, data, size);
    if (!wire_read_stream(&r, &p, near_position))
        return;
    require(p.opus_bytes > 0 && p.opus_bytes <= PACKET_OPUS_MAX_BYTES);
    require(p.talker_count <= TAPE_TALKERS_MAX);
    require(p.duration_samples >= 120 && p.duration_samples <= 5760);
    require(p.position % 120 == 0);
    wr_init(&w, again, sizeof again);
    require(wire_write_stream(&w, &p));
    require(sizeof again - w.left == size);
    require(((again[0] ^ data[0]) & 0xc7) == 0 && memcmp(again + 1, data + 1, size - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_reader r;
    uint64_t near_position;

    rd_init(&r, data, size);
    near_position = rd_u64(&r) >> 8; /* 2^56 samples are 47,000 years */
    if (r.fail)
        return 0;
    if (size > 8 + WIRE_DATAGRAM_MAX)
        size = 8 + WIRE_DATAGRAM_MAX;
    speech(data + 8, size - 8);
    stream(data + 8, size - 8, near_position);
    return 0;
}
