/* epoch_keys.h - the last four epoch keys of each room
 *
 * A packet on a tape names the epoch it is to be sealed under; while an epoch changes, packets of both are on the tape.
 * One thread. Keys are wiped when forgotten.
 */
#ifndef SALOTTO_NET_EPOCH_KEYS_H
#define SALOTTO_NET_EPOCH_KEYS_H

#include "net/id_table.h"
#include "net/seal.h"

#define EPOCH_KEYS_KEPT 4u

struct epoch_keys {
    struct id_table rooms;
};

void epoch_keys_init(struct epoch_keys *k);
void epoch_keys_fini(struct epoch_keys *k);

/* 0 or -ENOMEM. The room's oldest key goes when there are four already. */
int epoch_keys_put(struct epoch_keys *k, uint32_t room, uint64_t serial, const uint8_t key[SEAL_KEY_BYTES]);

/* NULL when it is not known. */
const uint8_t *epoch_keys_find(const struct epoch_keys *k, uint32_t room, uint64_t serial);
void epoch_keys_forget(struct epoch_keys *k, uint32_t room);

#endif
