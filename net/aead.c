/* aead.c - ChaCha20-Poly1305 under a counter (see aead.h) */
#include "net/aead.h"

#include <limits.h>
#include <sodium.h>
#include <string.h>

_Static_assert(AEAD_TAG_BYTES == crypto_aead_chacha20poly1305_ietf_ABYTES, "RFC 8439");
_Static_assert(AEAD_NONCE_BYTES == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "RFC 8439");

void aead_nonce(uint8_t nonce[AEAD_NONCE_BYTES], uint64_t counter)
{
    memset(nonce, 0, 4);
    for (unsigned i = 0; i < 8; i++)
        nonce[4 + i] = (uint8_t)(counter >> (8 * i));
}

int aead_seal(uint8_t *out, size_t max, const uint8_t key[AEAD_KEY_BYTES], uint64_t counter, const uint8_t *ad,
              size_t ad_len, const uint8_t *plain, size_t len)
{
    uint8_t nonce[AEAD_NONCE_BYTES];
    unsigned long long written;

    if (len > INT_MAX - AEAD_TAG_BYTES || max < len + AEAD_TAG_BYTES)
        return -1;
    aead_nonce(nonce, counter);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, &written, plain, len, ad, ad_len, NULL, nonce, key);
    return (int)written;
}

int aead_open(uint8_t *out, size_t max, const uint8_t key[AEAD_KEY_BYTES], uint64_t counter, const uint8_t *ad,
              size_t ad_len, const uint8_t *cipher, size_t len)
{
    uint8_t nonce[AEAD_NONCE_BYTES];
    unsigned long long written;

    if (len < AEAD_TAG_BYTES || len > INT_MAX || max < len - AEAD_TAG_BYTES)
        return -1;
    aead_nonce(nonce, counter);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, &written, NULL, cipher, len, ad, ad_len, nonce, key) != 0)
        return -1;
    return (int)written;
}
