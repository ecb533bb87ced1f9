/* packet.h - an Opus packet on its way to a decoder
 *
 * The one shape in which sound from outside reaches a mixer or a client's playout, whatever carried it (native
 * datagram, RTP, a stream's own packets). Sequence and timestamp are those of RTP (RFC 3550 section 5.1, RFC 7587
 * section 4.1): both wrap, and every comparison of them is modulo their width.
 */
#ifndef SALOTTO_MIXER_PACKET_H
#define SALOTTO_MIXER_PACKET_H

#include <stdint.h>

#define PACKET_RATE_HZ        48000u /* of all timestamps and positions (RFC 7587 section 4.1) */
#define PACKET_OPUS_MAX_BYTES 1275u  /* one Opus frame's limit (RFC 6716 section 3.4); larger packets are refused */

enum packet_flag {
    PACKET_VOICE = 1, /* the sender's voice gate is open: may wake a parked room */
    PACKET_PAUSE = 2, /* the sound pauses after this packet: the gap that follows is silence, not loss */
};

struct packet {
    uint64_t arrived_ns; /* CLOCK_MONOTONIC, or the virtual clock of an offline run */
    uint32_t source;     /* changes when the sender starts anew: RTP's SSRC, or a session's number */
    uint32_t timestamp;  /* of the first sample, at 48 kHz */
    uint16_t sequence;   /* one more for each packet sent */
    uint16_t opus_bytes;
    uint8_t flags;
    uint8_t opus[PACKET_OPUS_MAX_BYTES];
};

/* What lies in a room's inbox ring: a packet and the strip it is for. `lease` tells apart the people who have had
 * the same slot one after the other, so that a packet still in the ring never reaches the next one's strip. */
struct inbox_item {
    uint8_t slot;
    uint8_t lease;
    struct packet packet;
};

#endif
