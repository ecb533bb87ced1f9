/* epoch_keys.h - the epoch keys that a client holds: the newest, and for two seconds the one before
 *
 * With each are kept the keys of its streams, derived once. Pure state: the caller tells the time. PROTOCOL.md,
 * "Epochs".
 */
#ifndef SALOTTO_NET_EPOCH_KEYS_H
#define SALOTTO_NET_EPOCH_KEYS_H

#include "net/seal.h"

#define EPOCH_KEYS_BEFORE_NS 2000000000ull

struct epoch_keys {
    uint64_t serial, serial_before;
    uint64_t before_until_ns; /* 0: there is none before */
    uint8_t stream[STREAM_TIERS][SEAL_KEY_BYTES], stream_before[STREAM_TIERS][SEAL_KEY_BYTES];
};

void epoch_keys_init(struct epoch_keys *k, uint64_t serial, const uint8_t key[SEAL_KEY_BYTES]);

/* A key came. Ignored unless its serial is higher than the newest. */
void epoch_keys_add(struct epoch_keys *k, uint64_t serial, const uint8_t key[SEAL_KEY_BYTES], uint64_t now_ns);

/* The key of tier s in the epoch whose serial ends with `low`, and the serial in full; NULL when it is not held. */
const uint8_t *epoch_keys_find(const struct epoch_keys *k, enum stream s, uint8_t low, uint64_t now_ns,
                               uint64_t *serial);

void epoch_keys_wipe(struct epoch_keys *k);

#endif
