/* wire.h - the byte layouts of every datagram and control frame, in one place
 *
 * PROTOCOL.md is the specification; this is its only transcription into code. Integers are big-endian. Readers are
 * cursors that cannot run over: a short read sets `fail` and yields zeros, and is checked once at the end.
 */
#ifndef SALOTTO_NET_WIRE_H
#define SALOTTO_NET_WIRE_H

#include "mixer/packet.h"
#include "mixer/tape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_PORT         7256
#define WIRE_DATAGRAM_MAX 1400u
#define WIRE_VERSION      1

struct wire_reader {
    const uint8_t *at;
    size_t left;
    bool fail;
};

struct wire_writer {
    uint8_t *at;
    size_t left;
    bool fail;
};

void rd_init(struct wire_reader *r, const void *bytes, size_t len);
uint8_t rd_u8(struct wire_reader *r);
uint16_t rd_u16(struct wire_reader *r);
uint32_t rd_u32(struct wire_reader *r);
uint64_t rd_u64(struct wire_reader *r);
void rd_bytes(struct wire_reader *r, void *out, size_t len);
/* All that is left, in place; its length in *len. */
const uint8_t *rd_rest(struct wire_reader *r, size_t *len);

void wr_init(struct wire_writer *w, void *bytes, size_t len);
void wr_u8(struct wire_writer *w, uint8_t v);
void wr_u16(struct wire_writer *w, uint16_t v);
void wr_u32(struct wire_writer *w, uint32_t v);
void wr_u64(struct wire_writer *w, uint64_t v);
void wr_bytes(struct wire_writer *w, const void *bytes, size_t len);

/* First byte of a datagram; all in 4..15 (RFC 7983, RFC 9443). A stream's is WIRE_STREAM + enum stream. */
enum wire_type {
    WIRE_SPEECH = 4,  /* up: type u8, session u32, counter u32, AEAD */
    WIRE_REQUEST = 5, /* up: the same header; plaintext: enum wire_request u8, body */
    WIRE_MESSAGE = 6, /* down: type u8, counter u32, AEAD; plaintext: enum wire_message u8, body */
    WIRE_STREAM = 8,  /* down: type u8, epoch u8, number u32, ciphertext, tag 8 */
};

#define WIRE_UP_HEADER     9u
#define WIRE_DOWN_HEADER   5u
#define WIRE_STREAM_HEADER 6u
#define WIRE_AEAD_TAG      16u
#define WIRE_STREAM_TAG    8u

enum wire_request {
    WIRE_KEEPALIVE = 1,        /* stamp u32, zeros up to the answer's length */
    WIRE_CHALLENGE_ANSWER = 2, /* token 16 */
    WIRE_EPOCH_ACK = 3,        /* serial u64 */
};

enum wire_message {
    WIRE_CHALLENGE = 1,        /* token 16 */
    WIRE_EPOCH_KEY = 2,        /* serial u64, key 32 */
    WIRE_KEEPALIVE_ANSWER = 3, /* stamp u32, flags u8 (bit 0 parked), position u64, count u8, {stream u8, next u64} */
    WIRE_RECEIVER_REPORT = 4,  /* received u32, lost u32, late u32, recovered u32, highest sequence u16, delay_ms u16 */
};

/* Speech, plaintext: flags u8 (bit 0 voice), sequence u16, timestamp u32, Opus. Writes p into w; reads into p
 * (arrived_ns and source are left alone). False when it does not fit or is malformed. */
bool wire_write_speech(struct wire_writer *w, const struct packet *p);
bool wire_read_speech(struct wire_reader *r, struct packet *p);

/* Stream, plaintext: flags u8 (bits 0..2 number of talkers, bit 6 pause, bit 7 handover), position u16 in units of
 * 120 samples (2.5 ms), talkers u8 each, Opus. On reading, position is extended to 64 bits as the one nearest to
 * near_position; number, epoch and own_strips are left alone. */
bool wire_write_stream(struct wire_writer *w, const struct tape_packet *p);
bool wire_read_stream(struct wire_reader *r, struct tape_packet *p, uint64_t near_position);

/* Kinds of a control frame's plaintext (its first byte). JSON texts longer than a frame come as parts. */
enum wire_frame {
    WIRE_FRAME_JSON = 1,      /* a JSON text, or its last part */
    WIRE_FRAME_JSON_PART = 2, /* more follows */
};

#endif
