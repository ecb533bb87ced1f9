/* hkdf.c - extract, then expand (see hkdf.h) */
#include "net/hkdf.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(HKDF_HASH_BYTES == crypto_auth_hmacsha256_BYTES, "SHA-256");

void hkdf_extract(uint8_t prk[HKDF_HASH_BYTES], const uint8_t *salt, size_t salt_len, const uint8_t *ikm,
                  size_t ikm_len)
{
    crypto_auth_hmacsha256_state st;

    /* The library wants a pointer for an empty salt too. */
    crypto_auth_hmacsha256_init(&st, salt_len > 0 ? salt : (const uint8_t *)"", salt_len);
    crypto_auth_hmacsha256_update(&st, ikm, ikm_len);
    crypto_auth_hmacsha256_final(&st, prk);
    sodium_memzero(&st, sizeof st);
}

void hkdf_expand(uint8_t *out, size_t len, const uint8_t prk[HKDF_HASH_BYTES], const void *info, size_t info_len)
{
    crypto_auth_hmacsha256_state st;
    uint8_t block[HKDF_HASH_BYTES];

    assert(len <= HKDF_OUT_MAX);
    for (uint8_t i = 1; len > 0; i++) {
        size_t n = len < sizeof block ? len : sizeof block;

        crypto_auth_hmacsha256_init(&st, prk, HKDF_HASH_BYTES);
        if (i > 1)
            crypto_auth_hmacsha256_update(&st, block, sizeof block);
        crypto_auth_hmacsha256_update(&st, info, info_len);
        crypto_auth_hmacsha256_update(&st, &i, 1);
        crypto_auth_hmacsha256_final(&st, block);
        memcpy(out, block, n);
        out += n;
        len -= n;
    }
    sodium_memzero(block, sizeof block);
    sodium_memzero(&st, sizeof st);
}
