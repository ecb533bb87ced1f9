/* noise.c - the IK pattern, message by message (see noise.h)
 *
 *     <- s
 *     ...
 *     -> e, es, s, ss
 *     <- e, ee, se
 *
 * Section numbers are those of The Noise Protocol Framework, revision 34. The functions named after the document's own
 * (mix_key, mix_hash, encrypt_and_hash …) do what section 5.2 says of them.
 */
#include "net/noise.h"

#include "net/aead.h"
#include "net/hkdf.h"

#include <sodium.h>
#include <string.h>

enum { STEP_MESSAGE_1, STEP_MESSAGE_2, STEP_SPLIT, STEP_DEAD };

/* As long as the hash, so it is the first hash value unhashed (section 5.2, InitializeSymmetric). */
static const char protocol_name[] = "Noise_IK_25519_ChaChaPoly_SHA256";
_Static_assert(sizeof protocol_name - 1 == crypto_hash_sha256_BYTES, "exactly HASHLEN bytes");

static void mix_hash(struct noise_handshake *hs, const uint8_t *data, size_t len)
{
    crypto_hash_sha256_state st;

    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, hs->hash, sizeof hs->hash);
    crypto_hash_sha256_update(&st, data, len);
    crypto_hash_sha256_final(&st, hs->hash);
}

/* Noise's two-output HKDF (section 4.3) is RFC 5869 with an empty info. */
static void hkdf2(uint8_t a[32], uint8_t b[32], const uint8_t chaining_key[32], const uint8_t *input, size_t len)
{
    uint8_t prk[HKDF_HASH_BYTES], both[64];

    hkdf_extract(prk, chaining_key, 32, input, len);
    hkdf_expand(both, sizeof both, prk, NULL, 0);
    memcpy(a, both, 32);
    memcpy(b, both + 32, 32);
    sodium_memzero(prk, sizeof prk);
    sodium_memzero(both, sizeof both);
}

/* MixKey(DH(private, public)); -1 when the result is all zeros, that is, for a public key of small order. */
static int mix_dh(struct noise_handshake *hs, const uint8_t private[32], const uint8_t public[32])
{
    uint8_t shared[crypto_scalarmult_curve25519_BYTES];
    int rc = crypto_scalarmult_curve25519(shared, private, public);

    if (rc == 0) {
        hkdf2(hs->chaining_key, hs->cipher.key, hs->chaining_key, shared, sizeof shared);
        hs->cipher.nonce = 0;
        hs->cipher.has_key = true;
    }
    sodium_memzero(shared, sizeof shared);
    return rc;
}

static int cipher_encrypt(struct noise_cipher *c, const uint8_t *ad, size_t ad_len, const uint8_t *plain, size_t len,
                          uint8_t *out, size_t max)
{
    int n;

    if (!c->has_key || c->nonce == UINT64_MAX || len > NOISE_MESSAGE_MAX - NOISE_TAG_BYTES)
        return -1;
    n = aead_seal(out, max, c->key, c->nonce, ad, ad_len, plain, len);
    if (n >= 0)
        c->nonce++;
    return n;
}

static int cipher_decrypt(struct noise_cipher *c, const uint8_t *ad, size_t ad_len, const uint8_t *cipher, size_t len,
                          uint8_t *out, size_t max)
{
    int n;

    if (!c->has_key || c->nonce == UINT64_MAX || len > NOISE_MESSAGE_MAX)
        return -1;
    n = aead_open(out, max, c->key, c->nonce, ad, ad_len, cipher, len);
    if (n >= 0)
        c->nonce++; /* a forged message moves nothing (section 5.1) */
    return n;
}

static int encrypt_and_hash(struct noise_handshake *hs, const uint8_t *plain, size_t len, uint8_t *out, size_t max)
{
    int n = cipher_encrypt(&hs->cipher, hs->hash, sizeof hs->hash, plain, len, out, max);

    if (n >= 0)
        mix_hash(hs, out, (size_t)n);
    return n;
}

static int decrypt_and_hash(struct noise_handshake *hs, const uint8_t *cipher, size_t len, uint8_t *out, size_t max)
{
    int n = cipher_decrypt(&hs->cipher, hs->hash, sizeof hs->hash, cipher, len, out, max);

    if (n >= 0)
        mix_hash(hs, cipher, len);
    return n;
}

void noise_init(struct noise_handshake *hs, bool initiator, const uint8_t *prologue, size_t prologue_len,
                const uint8_t static_private[NOISE_KEY_BYTES], const uint8_t *remote_static)
{
    memset(hs, 0, sizeof *hs);
    hs->initiator = initiator;
    memcpy(hs->static_private, static_private, NOISE_KEY_BYTES);
    crypto_scalarmult_curve25519_base(hs->static_public, hs->static_private);
    if (remote_static != NULL)
        memcpy(hs->remote_static, remote_static, NOISE_KEY_BYTES);

    memcpy(hs->hash, protocol_name, sizeof hs->hash);
    memcpy(hs->chaining_key, hs->hash, sizeof hs->chaining_key);
    mix_hash(hs, prologue, prologue_len);
    /* The pre-message: the responder's static key, which both know. */
    mix_hash(hs, initiator ? hs->remote_static : hs->static_public, NOISE_KEY_BYTES);
}

void noise_set_ephemeral(struct noise_handshake *hs, const uint8_t ephemeral_private[NOISE_KEY_BYTES])
{
    memcpy(hs->ephemeral_private, ephemeral_private, NOISE_KEY_BYTES);
}

/* Token e, written: a fresh key unless a test has set one (a set key is never all zeros). */
static void write_ephemeral(struct noise_handshake *hs, uint8_t out[NOISE_KEY_BYTES])
{
    if (sodium_is_zero(hs->ephemeral_private, NOISE_KEY_BYTES))
        randombytes_buf(hs->ephemeral_private, NOISE_KEY_BYTES);
    crypto_scalarmult_curve25519_base(hs->ephemeral_public, hs->ephemeral_private);
    memcpy(out, hs->ephemeral_public, NOISE_KEY_BYTES);
    mix_hash(hs, out, NOISE_KEY_BYTES);
}

static int write_message_1(struct noise_handshake *hs, const uint8_t *payload, size_t len, uint8_t *out, size_t max)
{
    const size_t head = NOISE_KEY_BYTES + NOISE_KEY_BYTES + NOISE_TAG_BYTES;
    int n;

    if (max < head)
        return -1;
    write_ephemeral(hs, out);
    if (mix_dh(hs, hs->ephemeral_private, hs->remote_static) != 0 ||
        encrypt_and_hash(hs, hs->static_public, NOISE_KEY_BYTES, out + NOISE_KEY_BYTES, max - NOISE_KEY_BYTES) < 0 ||
        mix_dh(hs, hs->static_private, hs->remote_static) != 0)
        return -1;
    n = encrypt_and_hash(hs, payload, len, out + head, max - head);
    return n < 0 ? -1 : (int)head + n;
}

static int write_message_2(struct noise_handshake *hs, const uint8_t *payload, size_t len, uint8_t *out, size_t max)
{
    int n;

    if (max < NOISE_KEY_BYTES)
        return -1;
    write_ephemeral(hs, out);
    if (mix_dh(hs, hs->ephemeral_private, hs->remote_ephemeral) != 0 ||
        mix_dh(hs, hs->ephemeral_private, hs->remote_static) != 0)
        return -1;
    n = encrypt_and_hash(hs, payload, len, out + NOISE_KEY_BYTES, max - NOISE_KEY_BYTES);
    return n < 0 ? -1 : (int)NOISE_KEY_BYTES + n;
}

static int read_message_1(struct noise_handshake *hs, const uint8_t *message, size_t len, uint8_t *payload, size_t max)
{
    const size_t sealed_key = NOISE_KEY_BYTES + NOISE_TAG_BYTES, head = NOISE_KEY_BYTES + sealed_key;

    if (len < head + NOISE_TAG_BYTES)
        return -1;
    memcpy(hs->remote_ephemeral, message, NOISE_KEY_BYTES);
    mix_hash(hs, hs->remote_ephemeral, NOISE_KEY_BYTES);
    if (mix_dh(hs, hs->static_private, hs->remote_ephemeral) != 0 ||
        decrypt_and_hash(hs, message + NOISE_KEY_BYTES, sealed_key, hs->remote_static, NOISE_KEY_BYTES) < 0 ||
        mix_dh(hs, hs->static_private, hs->remote_static) != 0)
        return -1;
    return decrypt_and_hash(hs, message + head, len - head, payload, max);
}

static int read_message_2(struct noise_handshake *hs, const uint8_t *message, size_t len, uint8_t *payload, size_t max)
{
    if (len < NOISE_KEY_BYTES + NOISE_TAG_BYTES)
        return -1;
    memcpy(hs->remote_ephemeral, message, NOISE_KEY_BYTES);
    mix_hash(hs, hs->remote_ephemeral, NOISE_KEY_BYTES);
    if (mix_dh(hs, hs->ephemeral_private, hs->remote_ephemeral) != 0 ||
        mix_dh(hs, hs->static_private, hs->remote_ephemeral) != 0)
        return -1;
    return decrypt_and_hash(hs, message + NOISE_KEY_BYTES, len - NOISE_KEY_BYTES, payload, max);
}

/* What is left after a step: the next one, or nothing at all. */
static int advance(struct noise_handshake *hs, int n)
{
    if (n < 0) {
        noise_wipe(hs);
        hs->step = STEP_DEAD;
    } else if (++hs->step == STEP_SPLIT) {
        sodium_memzero(hs->static_private, sizeof hs->static_private);
        sodium_memzero(hs->ephemeral_private, sizeof hs->ephemeral_private);
        sodium_memzero(&hs->cipher, sizeof hs->cipher);
    }
    return n;
}

int noise_write(struct noise_handshake *hs, const uint8_t *payload, size_t len, uint8_t *out, size_t max)
{
    int n = -1;

    if (max > NOISE_MESSAGE_MAX)
        max = NOISE_MESSAGE_MAX;
    if (hs->step == STEP_MESSAGE_1 && hs->initiator)
        n = write_message_1(hs, payload, len, out, max);
    else if (hs->step == STEP_MESSAGE_2 && !hs->initiator)
        n = write_message_2(hs, payload, len, out, max);
    return advance(hs, n);
}

int noise_read(struct noise_handshake *hs, const uint8_t *message, size_t len, uint8_t *payload, size_t max)
{
    int n = -1;

    if (len <= NOISE_MESSAGE_MAX && hs->step == STEP_MESSAGE_1 && !hs->initiator)
        n = read_message_1(hs, message, len, payload, max);
    else if (len <= NOISE_MESSAGE_MAX && hs->step == STEP_MESSAGE_2 && hs->initiator)
        n = read_message_2(hs, message, len, payload, max);
    return advance(hs, n);
}

int noise_split(const struct noise_handshake *hs, struct noise_cipher *send, struct noise_cipher *receive)
{
    struct noise_cipher *first = hs->initiator ? send : receive, *second = hs->initiator ? receive : send;

    if (hs->step != STEP_SPLIT)
        return -1;
    hkdf2(first->key, second->key, hs->chaining_key, NULL, 0);
    first->nonce = second->nonce = 0;
    first->has_key = second->has_key = true;
    return 0;
}

void noise_wipe(struct noise_handshake *hs)
{
    sodium_memzero(hs, sizeof *hs);
    hs->step = STEP_DEAD;
}

int noise_encrypt(struct noise_cipher *c, const uint8_t *plain, size_t len, uint8_t *out, size_t max)
{
    return cipher_encrypt(c, NULL, 0, plain, len, out, max);
}

int noise_decrypt(struct noise_cipher *c, const uint8_t *cipher, size_t len, uint8_t *out, size_t max)
{
    return cipher_decrypt(c, NULL, 0, cipher, len, out, max);
}
