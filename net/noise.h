/* noise.h - Noise_IK_25519_ChaChaPoly_SHA256 (The Noise Protocol Framework, revision 34) on libsodium primitives
 *
 * One handshake, two messages, then two transport ciphers. No I/O. Every buffer is the caller's; secrets are wiped as
 * soon as they are not needed. One thread per struct.
 */
#ifndef SALOTTO_NET_NOISE_H
#define SALOTTO_NET_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOISE_KEY_BYTES   32u
#define NOISE_TAG_BYTES   16u
#define NOISE_MESSAGE_MAX 65535u

struct noise_cipher {
    uint8_t key[NOISE_KEY_BYTES];
    uint64_t nonce;
    bool has_key;
};

struct noise_handshake {
    bool initiator;
    uint8_t step; /* 0: message 1 is next, 1: message 2, 2: split */
    uint8_t static_private[NOISE_KEY_BYTES], static_public[NOISE_KEY_BYTES];
    uint8_t ephemeral_private[NOISE_KEY_BYTES], ephemeral_public[NOISE_KEY_BYTES];
    uint8_t remote_static[NOISE_KEY_BYTES], remote_ephemeral[NOISE_KEY_BYTES];
    uint8_t chaining_key[32], hash[32];
    struct noise_cipher cipher;
};

/* The initiator must know remote_static; the responder gives NULL and finds it in hs->remote_static after message 1.
 * static_private is an X25519 key. */
void noise_init(struct noise_handshake *hs, bool initiator, const uint8_t *prologue, size_t prologue_len,
                const uint8_t static_private[NOISE_KEY_BYTES], const uint8_t *remote_static);

/* For test vectors only: the ephemeral key that the next written message uses. */
void noise_set_ephemeral(struct noise_handshake *hs, const uint8_t ephemeral_private[NOISE_KEY_BYTES]);

/* The next message. Returns its length (payload's for noise_read()), or -1: out of step, too short, too long, forged,
 * or a key of small order. After -1 the handshake is dead. */
int noise_write(struct noise_handshake *hs, const uint8_t *payload, size_t len, uint8_t *out, size_t max);
int noise_read(struct noise_handshake *hs, const uint8_t *message, size_t len, uint8_t *payload, size_t max);

/* After both messages: the two transport ciphers; hash and chaining key stay readable until noise_wipe(). */
int noise_split(const struct noise_handshake *hs, struct noise_cipher *send, struct noise_cipher *receive);
void noise_wipe(struct noise_handshake *hs);

/* Transport. Lengths as above; in and out may be the same buffer. -1 when forged or the nonce is spent. */
int noise_encrypt(struct noise_cipher *c, const uint8_t *plain, size_t len, uint8_t *out, size_t max);
int noise_decrypt(struct noise_cipher *c, const uint8_t *cipher, size_t len, uint8_t *out, size_t max);

#endif
