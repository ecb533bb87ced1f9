/* seal.c - media encryption, tags and replay windows (see seal.h) */
#include "net/seal.h"

#include "net/aead.h"
#include "net/hkdf.h"

#include <sodium.h>
#include <string.h>

#define WORD_BITS     64u
#define REPLAY_WORDS  (sizeof((struct seal_replay *)0)->bitmap / sizeof(uint64_t))
#define REPLAY_WINDOW 1024u

_Static_assert(REPLAY_WINDOW / WORD_BITS + 1 == REPLAY_WORDS, "one word more than the window, as RFC 6479 needs");
_Static_assert(SEAL_TAG_KEY_BYTES == crypto_shorthash_siphash24_KEYBYTES, "SipHash-2-4");
_Static_assert(WIRE_STREAM_TAG == crypto_shorthash_siphash24_BYTES, "SipHash-2-4");
_Static_assert(WIRE_AEAD_TAG == AEAD_TAG_BYTES, "RFC 8439");

void seal_keys_derive(struct seal_keys *k, const uint8_t chaining_key[32], const uint8_t handshake_hash[32])
{
    uint8_t prk[HKDF_HASH_BYTES];

    hkdf_extract(prk, chaining_key, 32, handshake_hash, 32);
    hkdf_expand(k->up, sizeof k->up, prk, "salotto up", 10);
    hkdf_expand(k->down, sizeof k->down, prk, "salotto down", 12);
    hkdf_expand(k->own, sizeof k->own, prk, "salotto own", 11);
    hkdf_expand(k->tag, sizeof k->tag, prk, "salotto tag", 11);
    sodium_memzero(prk, sizeof prk);
}

void seal_keys_wipe(struct seal_keys *k)
{
    sodium_memzero(k, sizeof *k);
}

void seal_stream_key(uint8_t out[SEAL_KEY_BYTES], const uint8_t base[SEAL_KEY_BYTES], enum stream s)
{
    uint8_t info[15] = "salotto stream";

    info[14] = (uint8_t)s;
    hkdf_expand(out, SEAL_KEY_BYTES, base, info, sizeof info);
}

/* Appends the AEAD of plain to the `header` bytes that already stand in out. */
static int seal_after(uint8_t *out, size_t max, size_t header, uint32_t counter, const uint8_t key[SEAL_KEY_BYTES],
                      const uint8_t *plain, size_t len)
{
    int n;

    if (max > WIRE_DATAGRAM_MAX)
        max = WIRE_DATAGRAM_MAX;
    n = aead_seal(out + header, max - header, key, counter, out, header, plain, len);
    return n < 0 ? -1 : (int)header + n;
}

int seal_up(uint8_t *out, size_t max, enum wire_type type, uint32_t session, uint32_t counter,
            const uint8_t key[SEAL_KEY_BYTES], const uint8_t *plain, size_t len)
{
    struct wire_writer w;

    wr_init(&w, out, max);
    wr_u8(&w, (uint8_t)type);
    wr_u32(&w, session);
    wr_u32(&w, counter);
    return w.fail ? -1 : seal_after(out, max, WIRE_UP_HEADER, counter, key, plain, len);
}

int seal_open_up(uint8_t *out, size_t max, const uint8_t *datagram, size_t len, const uint8_t key[SEAL_KEY_BYTES])
{
    struct wire_reader r;
    uint8_t type;
    uint32_t counter;

    rd_init(&r, datagram, len);
    type = rd_u8(&r);
    rd_u32(&r);
    counter = rd_u32(&r);
    if (r.fail || (type != WIRE_SPEECH && type != WIRE_REQUEST))
        return -1;
    return aead_open(out, max, key, counter, datagram, WIRE_UP_HEADER, r.at, r.left);
}

int seal_down(uint8_t *out, size_t max, uint32_t counter, const uint8_t key[SEAL_KEY_BYTES], const uint8_t *plain,
              size_t len)
{
    struct wire_writer w;

    wr_init(&w, out, max);
    wr_u8(&w, WIRE_MESSAGE);
    wr_u32(&w, counter);
    return w.fail ? -1 : seal_after(out, max, WIRE_DOWN_HEADER, counter, key, plain, len);
}

int seal_open_down(uint8_t *out, size_t max, const uint8_t *datagram, size_t len, const uint8_t key[SEAL_KEY_BYTES])
{
    struct wire_reader r;
    uint8_t type;
    uint32_t counter;

    rd_init(&r, datagram, len);
    type = rd_u8(&r);
    counter = rd_u32(&r);
    if (r.fail || type != WIRE_MESSAGE)
        return -1;
    return aead_open(out, max, key, counter, datagram, WIRE_DOWN_HEADER, r.at, r.left);
}

/* Writes what the tag is taken over. Its length, or 0 when it does not fit. */
static size_t tag_input(uint8_t *out, size_t max, uint8_t type, uint64_t epoch, uint64_t number,
                        const uint8_t *ciphertext, size_t len)
{
    struct wire_writer w;

    wr_init(&w, out, max);
    wr_u8(&w, type);
    wr_u64(&w, epoch);
    wr_u64(&w, number);
    wr_bytes(&w, ciphertext, len);
    return w.fail ? 0 : max - w.left;
}

int seal_stream(struct sealed *out, enum stream s, const struct tape_packet *p,
                const uint8_t stream_key[SEAL_KEY_BYTES])
{
    uint64_t epoch = s == STREAM_OWN ? 0 : p->epoch;
    uint8_t nonce[AEAD_NONCE_BYTES], *body = out->bytes + WIRE_STREAM_HEADER;
    struct wire_writer w;
    size_t len;

    wr_init(&w, out->bytes, WIRE_DATAGRAM_MAX - WIRE_STREAM_TAG);
    wr_u8(&w, (uint8_t)(WIRE_STREAM + s));
    wr_u8(&w, (uint8_t)epoch);
    wr_u32(&w, (uint32_t)p->number);
    if (!wire_write_stream(&w, p))
        return -1;
    out->len = (size_t)(w.at - out->bytes);
    len = out->len - WIRE_STREAM_HEADER;

    aead_nonce(nonce, p->number);
    crypto_stream_chacha20_ietf_xor(body, body, len, nonce, stream_key);
    out->tagged_len = tag_input(out->tagged, sizeof out->tagged, out->bytes[0], epoch, p->number, body, len);
    return out->tagged_len != 0 ? 0 : -1;
}

void seal_tag(uint8_t tag[WIRE_STREAM_TAG], const struct sealed *s, const uint8_t tag_key[SEAL_TAG_KEY_BYTES])
{
    crypto_shorthash_siphash24(tag, s->tagged, s->tagged_len, tag_key);
}

int seal_open_stream(struct tape_packet *out, const uint8_t *datagram, size_t len, uint64_t epoch, uint64_t number,
                     const uint8_t stream_key[SEAL_KEY_BYTES], const uint8_t tag_key[SEAL_TAG_KEY_BYTES],
                     uint64_t near_position)
{
    uint8_t buffer[WIRE_DATAGRAM_MAX + 16], tag[WIRE_STREAM_TAG], nonce[AEAD_NONCE_BYTES], type, low_epoch;
    struct wire_reader r;
    uint32_t low_number;
    size_t body_len, tagged_len;
    int rc = -1;

    rd_init(&r, datagram, len);
    type = rd_u8(&r);
    low_epoch = rd_u8(&r);
    low_number = rd_u32(&r);
    if (r.fail || r.left < WIRE_STREAM_TAG || len > WIRE_DATAGRAM_MAX || type < WIRE_STREAM ||
        type > WIRE_STREAM + STREAM_OWN || low_epoch != (uint8_t)epoch || low_number != (uint32_t)number)
        return -1;

    body_len = r.left - WIRE_STREAM_TAG;
    tagged_len = tag_input(buffer, sizeof buffer, type, epoch, number, r.at, body_len);
    crypto_shorthash_siphash24(tag, buffer, tagged_len, tag_key);
    if (sodium_memcmp(tag, r.at + body_len, sizeof tag) != 0)
        return -1;

    aead_nonce(nonce, number);
    crypto_stream_chacha20_ietf_xor(buffer, r.at, body_len, nonce, stream_key);
    rd_init(&r, buffer, body_len);
    if (wire_read_stream(&r, out, near_position)) {
        out->number = number;
        out->epoch = epoch;
        out->own_strips = 0;
        rc = 0;
    }
    sodium_memzero(buffer, sizeof buffer);
    return rc;
}

uint64_t seal_extend(uint64_t low, unsigned bits, uint64_t near)
{
    uint64_t span, ahead;

    if (bits >= 64)
        return low;
    span = UINT64_C(1) << bits;
    ahead = (low - near) & (span - 1); /* how far above near the first such value lies */
    if (ahead < span / 2)
        return near <= UINT64_MAX - ahead ? near + ahead : near + ahead - span;
    return near >= span - ahead ? near + ahead - span : near + ahead;
}

bool seal_replay_check(const struct seal_replay *w, uint64_t n)
{
    if (n >= w->next)
        return n != UINT64_MAX;
    if (w->next - n > REPLAY_WINDOW)
        return false;
    return (w->bitmap[n / WORD_BITS % REPLAY_WORDS] >> (n % WORD_BITS) & 1) == 0;
}

bool seal_replay_accept(struct seal_replay *w, uint64_t n)
{
    if (!seal_replay_check(w, n))
        return false;
    if (n >= w->next) {
        /* Words that the window enters anew hold bits of numbers long gone. */
        uint64_t word = w->next == 0 ? 0 : (w->next - 1) / WORD_BITS, last = n / WORD_BITS;

        if (last - word > REPLAY_WORDS)
            word = last - REPLAY_WORDS;
        while (word < last)
            w->bitmap[++word % REPLAY_WORDS] = 0;
        w->next = n + 1;
    }
    w->bitmap[n / WORD_BITS % REPLAY_WORDS] |= UINT64_C(1) << (n % WORD_BITS);
    return true;
}
