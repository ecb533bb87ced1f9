/* seal.h - media keys, encryption, tags and replay windows
 *
 * Speech and sealed messages are ChaCha20-Poly1305 (RFC 8439) under keys of one session. A stream's ciphertext is made
 * once for all its listeners (ChaCha20 under a key of the room's epoch), and only an 8-byte tag (SipHash-2-4) is made
 * for each, so no listener can forge sound to another. PROTOCOL.md, "Media".
 */
#ifndef SALOTTO_NET_SEAL_H
#define SALOTTO_NET_SEAL_H

#include "net/wire.h"

#define SEAL_KEY_BYTES     32u
#define SEAL_TAG_KEY_BYTES 16u

/* A session's keys; wiped by seal_keys_wipe(). */
struct seal_keys {
    uint8_t up[SEAL_KEY_BYTES], down[SEAL_KEY_BYTES], own[SEAL_KEY_BYTES];
    uint8_t tag[SEAL_TAG_KEY_BYTES];
};

/* HKDF-SHA256 (RFC 5869) from the Noise chaining key and handshake hash, 32 bytes each. */
void seal_keys_derive(struct seal_keys *k, const uint8_t chaining_key[32], const uint8_t handshake_hash[32]);
void seal_keys_wipe(struct seal_keys *k);

/* The key of one stream: from the room's epoch key, or for STREAM_OWN from seal_keys.own. */
void seal_stream_key(uint8_t out[SEAL_KEY_BYTES], const uint8_t base[SEAL_KEY_BYTES], enum stream s);

/* A datagram with header and AEAD around plaintext; the 4 functions below return the length written into (or the
 * plaintext's length within) `out`, or -1 (does not fit, forged, malformed). */
int seal_up(uint8_t *out, size_t max, enum wire_type type, uint32_t session, uint32_t counter,
            const uint8_t key[SEAL_KEY_BYTES], const uint8_t *plain, size_t len);
int seal_open_up(uint8_t *out, size_t max, const uint8_t *datagram, size_t len, const uint8_t key[SEAL_KEY_BYTES]);
int seal_down(uint8_t *out, size_t max, uint32_t counter, const uint8_t key[SEAL_KEY_BYTES], const uint8_t *plain,
              size_t len);
int seal_open_down(uint8_t *out, size_t max, const uint8_t *datagram, size_t len, const uint8_t key[SEAL_KEY_BYTES]);

/* A stream packet sealed once: the bytes that all listeners share, and the input of their tags. */
struct sealed {
    size_t len;                       /* of header and ciphertext, without tag */
    uint8_t bytes[WIRE_DATAGRAM_MAX]; /* as on the wire, tag not yet there */
    size_t tagged_len;
    uint8_t tagged[WIRE_DATAGRAM_MAX + 16]; /* type u8, epoch u64, number u64, ciphertext */
};

/* Seals p for stream s under stream_key. 0 or -1 (does not fit). */
int seal_stream(struct sealed *out, enum stream s, const struct tape_packet *p,
                const uint8_t stream_key[SEAL_KEY_BYTES]);

/* One listener's tag. */
void seal_tag(uint8_t tag[WIRE_STREAM_TAG], const struct sealed *s, const uint8_t tag_key[SEAL_TAG_KEY_BYTES]);

/* Checks (in constant time) and decrypts a stream datagram whose number and epoch were already extended to 64 bits
 * (seal_extend()). near_position as in wire_read_stream(). 0 or -1. */
int seal_open_stream(struct tape_packet *out, const uint8_t *datagram, size_t len, uint64_t epoch, uint64_t number,
                     const uint8_t stream_key[SEAL_KEY_BYTES], const uint8_t tag_key[SEAL_TAG_KEY_BYTES],
                     uint64_t near_position);

/* The 64-bit value with these low `bits` that lies nearest to `near`. */
uint64_t seal_extend(uint64_t low, unsigned bits, uint64_t near);

/* Sliding window over the last 1024 numbers (as RFC 6479 does it). */
struct seal_replay {
    uint64_t next; /* one above the highest accepted */
    uint64_t bitmap[17];
};

/* Would n be accepted? / Accepts n; call only after its tag was found good. False: seen before, or too old. */
bool seal_replay_check(const struct seal_replay *w, uint64_t n);
bool seal_replay_accept(struct seal_replay *w, uint64_t n);

#endif
