/* room_keys.c - epoch keys by room (see room_keys.h) */
#include "net/room_keys.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct kept_keys {
    unsigned count; /* put so far; the last is at (count - 1) % ROOM_KEYS_KEPT */
    uint64_t serial[ROOM_KEYS_KEPT];
    uint8_t key[ROOM_KEYS_KEPT][SEAL_KEY_BYTES];
};

/* Rooms may be numbered from 0, ids of the table from 1. */
static uint64_t id_of(uint32_t room)
{
    return (uint64_t)room + 1;
}

void room_keys_init(struct room_keys *k)
{
    id_table_init(&k->rooms);
}

static void wipe(struct kept_keys *r)
{
    if (r != NULL)
        sodium_memzero(r, sizeof *r);
    free(r);
}

void room_keys_fini(struct room_keys *k)
{
    size_t at = 0;

    for (struct kept_keys *r; (r = id_table_next(&k->rooms, &at)) != NULL;)
        wipe(r);
    id_table_fini(&k->rooms);
}

int room_keys_put(struct room_keys *k, uint32_t room, uint64_t serial, const uint8_t key[SEAL_KEY_BYTES])
{
    struct kept_keys *r = id_table_get(&k->rooms, id_of(room));
    unsigned at;

    if (r == NULL) {
        r = calloc(1, sizeof *r);
        if (r == NULL || id_table_put(&k->rooms, id_of(room), r) != 0) {
            free(r);
            return -ENOMEM;
        }
    }
    at = r->count++ % ROOM_KEYS_KEPT;
    r->serial[at] = serial;
    memcpy(r->key[at], key, SEAL_KEY_BYTES);
    return 0;
}

const uint8_t *room_keys_find(const struct room_keys *k, uint32_t room, uint64_t serial)
{
    const struct kept_keys *r = id_table_get(&k->rooms, id_of(room));

    for (unsigned i = 0; r != NULL && i < r->count && i < ROOM_KEYS_KEPT; i++)
        if (r->serial[i] == serial)
            return r->key[i];
    return NULL;
}

void room_keys_forget(struct room_keys *k, uint32_t room)
{
    wipe(id_table_remove(&k->rooms, id_of(room)));
}
