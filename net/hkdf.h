/* hkdf.h - HKDF with HMAC-SHA-256 (RFC 5869)
 *
 * Noise's key chain and the media keys are both made of it. libsodium has it ready only from 1.0.19 on, so it stands
 * here on crypto_auth_hmacsha256. No state, any thread; intermediate values are wiped.
 */
#ifndef SALOTTO_NET_HKDF_H
#define SALOTTO_NET_HKDF_H

#include <stddef.h>
#include <stdint.h>

#define HKDF_HASH_BYTES 32u
#define HKDF_OUT_MAX    ((size_t)255 * HKDF_HASH_BYTES)

/* prk = HMAC(salt, ikm). prk may be the same memory as salt or ikm; what is empty may be NULL. */
void hkdf_extract(uint8_t prk[HKDF_HASH_BYTES], const uint8_t *salt, size_t salt_len, const uint8_t *ikm,
                  size_t ikm_len);

/* len (at most HKDF_OUT_MAX) bytes of key material that `info` names. out must not overlap prk. An empty info may be
 * NULL. */
void hkdf_expand(uint8_t *out, size_t len, const uint8_t prk[HKDF_HASH_BYTES], const void *info, size_t info_len);

#endif
