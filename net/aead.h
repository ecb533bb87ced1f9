/* aead.h - ChaCha20-Poly1305 (RFC 8439) under a counter
 *
 * Noise, speech and sealed messages form the nonce in the same way (The Noise Protocol Framework, revision 34, section
 * 12.3): four zero bytes, then the counter in little-endian. No state, any thread.
 */
#ifndef SALOTTO_NET_AEAD_H
#define SALOTTO_NET_AEAD_H

#include <stddef.h>
#include <stdint.h>

#define AEAD_KEY_BYTES   32u
#define AEAD_NONCE_BYTES 12u
#define AEAD_TAG_BYTES   16u

void aead_nonce(uint8_t nonce[AEAD_NONCE_BYTES], uint64_t counter);

/* Ciphertext and tag of len bytes into out, where at most max fit; in and out may be the same memory. Returns the
 * length written, or -1: does not fit, or (aead_open) forged. */
int aead_seal(uint8_t *out, size_t max, const uint8_t key[AEAD_KEY_BYTES], uint64_t counter, const uint8_t *ad,
              size_t ad_len, const uint8_t *plain, size_t len);
int aead_open(uint8_t *out, size_t max, const uint8_t key[AEAD_KEY_BYTES], uint64_t counter, const uint8_t *ad,
              size_t ad_len, const uint8_t *cipher, size_t len);

#endif
