/* room_keys.h - the last four epoch keys of each room
 *
 * A packet on a tape names the epoch it is to be sealed under; while an epoch changes, packets of both are on the tape.
 * One thread. Keys are wiped when forgotten.
 */
#ifndef SALOTTO_NET_ROOM_KEYS_H
#define SALOTTO_NET_ROOM_KEYS_H

#include "net/id_table.h"
#include "net/seal.h"

#define ROOM_KEYS_KEPT 4u

struct room_keys {
    struct id_table rooms;
};

void room_keys_init(struct room_keys *k);
void room_keys_fini(struct room_keys *k);

/* 0 or -ENOMEM. The room's oldest key goes when there are four already. */
int room_keys_put(struct room_keys *k, uint32_t room, uint64_t serial, const uint8_t key[SEAL_KEY_BYTES]);

/* NULL when it is not known. */
const uint8_t *room_keys_find(const struct room_keys *k, uint32_t room, uint64_t serial);
void room_keys_forget(struct room_keys *k, uint32_t room);

#endif
