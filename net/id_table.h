/* id_table.h - from a number to what it stands for
 *
 * An open hash with linear probing for ids that our own side chose (sessions, connections, rooms), so nobody outside
 * can pick colliding ones. It grows on id_table_put() only. One thread.
 */
#ifndef SALOTTO_NET_ID_TABLE_H
#define SALOTTO_NET_ID_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct id_entry {
    uint64_t id; /* 0: free */
    void *value;
};

struct id_table {
    struct id_entry *entries;
    unsigned bits; /* log2 of the number of entries; 0: none yet */
    size_t count;
};

void id_table_init(struct id_table *t);

/* Frees the table; the values are the caller's. */
void id_table_fini(struct id_table *t);

/* Sets id (not 0) to value (not NULL), whatever it was. 0, or -ENOMEM (nothing changed). */
int id_table_put(struct id_table *t, uint64_t id, void *value);

/* NULL when there is none. */
void *id_table_get(const struct id_table *t, uint64_t id);

/* Takes it out; NULL when there was none. */
void *id_table_remove(struct id_table *t, uint64_t id);

/* Walks all values: start with *at = 0, NULL ends. Nothing may be put or removed meanwhile. */
void *id_table_next(const struct id_table *t, size_t *at);

#endif
