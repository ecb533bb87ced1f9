/* epoch_keys.c - which epoch key opens a packet (see epoch_keys.h) */
#include "net/epoch_keys.h"

#include <sodium.h>
#include <string.h>

static void derive(struct epoch_keys *k, uint64_t serial, const uint8_t key[SEAL_KEY_BYTES])
{
    k->serial = serial;
    for (unsigned s = 0; s < STREAM_TIERS; s++)
        seal_stream_key(k->stream[s], key, (enum stream)s);
}

void epoch_keys_init(struct epoch_keys *k, uint64_t serial, const uint8_t key[SEAL_KEY_BYTES])
{
    memset(k, 0, sizeof *k);
    derive(k, serial, key);
}

void epoch_keys_add(struct epoch_keys *k, uint64_t serial, const uint8_t key[SEAL_KEY_BYTES], uint64_t now_ns)
{
    if (serial <= k->serial)
        return;
    k->serial_before = k->serial;
    k->before_until_ns = now_ns + EPOCH_KEYS_BEFORE_NS;
    memcpy(k->stream_before, k->stream, sizeof k->stream);
    derive(k, serial, key);
}

const uint8_t *epoch_keys_find(const struct epoch_keys *k, enum stream s, uint8_t low, uint64_t now_ns,
                               uint64_t *serial)
{
    *serial = seal_extend(low, 8, k->serial);
    if (s >= STREAM_TIERS)
        return NULL;
    if (*serial == k->serial)
        return k->stream[s];
    if (*serial == k->serial_before && now_ns < k->before_until_ns)
        return k->stream_before[s];
    return NULL;
}

void epoch_keys_wipe(struct epoch_keys *k)
{
    sodium_memzero(k, sizeof *k);
}
