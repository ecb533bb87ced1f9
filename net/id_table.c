/* id_table.c - an open hash of ids (see id_table.h)
 *
 * Removal shifts later entries back (Knuth, The Art of Computer Programming 3, 6.4, algorithm R), so there are no
 * tombstones and a table that people come to and leave for months stays as quick as a new one.
 */
#include "net/id_table.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_BITS 4u

void id_table_init(struct id_table *t)
{
    *t = (struct id_table){0};
}

void id_table_fini(struct id_table *t)
{
    free(t->entries);
    id_table_init(t);
}

/* Fibonacci hashing: ids count upwards, and the multiplication spreads neighbours over the table. */
static size_t home(uint64_t id, unsigned bits)
{
    return (size_t)((id * 0x9e3779b97f4a7c15ull) >> (64 - bits));
}

static size_t mask_of(const struct id_table *t)
{
    return ((size_t)1 << t->bits) - 1;
}

/* The entry that holds id, or the free one where it would go. The table has at least one free entry. */
static struct id_entry *find(const struct id_table *t, uint64_t id)
{
    size_t i = home(id, t->bits);

    while (t->entries[i].id != 0 && t->entries[i].id != id)
        i = (i + 1) & mask_of(t);
    return &t->entries[i];
}

static int grow(struct id_table *t)
{
    struct id_table bigger = {.bits = t->bits == 0 ? FIRST_BITS : t->bits + 1, .count = t->count};

    bigger.entries = calloc((size_t)1 << bigger.bits, sizeof *bigger.entries);
    if (bigger.entries == NULL)
        return -ENOMEM;
    for (size_t i = 0; t->bits != 0 && i <= mask_of(t); i++)
        if (t->entries[i].id != 0)
            *find(&bigger, t->entries[i].id) = t->entries[i];
    free(t->entries);
    *t = bigger;
    return 0;
}

int id_table_put(struct id_table *t, uint64_t id, void *value)
{
    struct id_entry *e;

    if (t->bits == 0 || t->count + 1 > (((size_t)1 << t->bits) / 4) * 3)
        if (grow(t) != 0)
            return -ENOMEM;
    e = find(t, id);
    if (e->id == 0)
        t->count++;
    *e = (struct id_entry){.id = id, .value = value};
    return 0;
}

void *id_table_get(const struct id_table *t, uint64_t id)
{
    return t->bits == 0 || id == 0 ? NULL : find(t, id)->value;
}

void *id_table_remove(struct id_table *t, uint64_t id)
{
    struct id_entry *e;
    void *value;
    size_t hole, i;

    if (t->bits == 0 || id == 0 || (e = find(t, id))->id == 0)
        return NULL;
    value = e->value;
    hole = (size_t)(e - t->entries);
    for (i = (hole + 1) & mask_of(t); t->entries[i].id != 0; i = (i + 1) & mask_of(t)) {
        size_t from_home = (i - home(t->entries[i].id, t->bits)) & mask_of(t);

        if (from_home >= ((i - hole) & mask_of(t))) {
            t->entries[hole] = t->entries[i];
            hole = i;
        }
    }
    t->entries[hole] = (struct id_entry){0};
    t->count--;
    return value;
}

void *id_table_next(const struct id_table *t, size_t *at)
{
    while (t->bits != 0 && *at <= mask_of(t)) {
        const struct id_entry *e = &t->entries[(*at)++];

        if (e->id != 0)
            return e->value;
    }
    return NULL;
}
