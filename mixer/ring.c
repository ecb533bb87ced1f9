/* ring.c - a bounded ring between one producing and one consuming thread (see ring.h)
 *
 * Two counters run freely and are masked on use, so that full and empty differ without a wasted slot. Each side keeps
 * its counter and its last sight of the other's on a cache line of its own and looks at the other's line only when that
 * sight says full or empty.
 */
#include "mixer/ring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define RING_SLOTS_MAX      65536u
#define RING_SLOT_BYTES_MAX 65536u
#define CACHE_LINE          64

struct ring {
    unsigned slots;
    size_t slot_bytes;
    size_t stride; /* slot_bytes, rounded up so that any struct may be used in place */
    unsigned char *memory;

    /* the producer's line */
    _Alignas(CACHE_LINE) _Atomic uint32_t head; /* items pushed */
    uint32_t tail_seen;
    _Atomic uint64_t dropped;

    /* the consumer's line */
    _Alignas(CACHE_LINE) _Atomic uint32_t tail; /* items taken */
    uint32_t head_seen;
};

struct ring *ring_new(unsigned slots, size_t slot_bytes)
{
    size_t align = _Alignof(max_align_t);
    struct ring *r;
    size_t bytes;

    if (slots < 2 || slots > RING_SLOTS_MAX || (slots & (slots - 1)) != 0)
        return NULL;
    if (slot_bytes < 1 || slot_bytes > RING_SLOT_BYTES_MAX)
        return NULL;
    r = aligned_alloc(CACHE_LINE, sizeof *r);
    if (r == NULL)
        return NULL;
    memset(r, 0, sizeof *r);
    r->slots = slots;
    r->slot_bytes = slot_bytes;
    r->stride = (slot_bytes + align - 1) / align * align;
    bytes = (slots * r->stride + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    r->memory = aligned_alloc(CACHE_LINE, bytes);
    if (r->memory == NULL) {
        free(r);
        return NULL;
    }
    memset(r->memory, 0, bytes);
    return r;
}

void ring_free(struct ring *r)
{
    if (r == NULL)
        return;
    free(r->memory);
    free(r);
}

/* RT_SAFE. */
static unsigned char *slot_at(const struct ring *r, uint32_t counter)
{
    return r->memory + (counter & (r->slots - 1)) * r->stride;
}

bool ring_push(struct ring *r, const void *item, size_t bytes)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    if (head - r->tail_seen == r->slots)
        r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
    if (head - r->tail_seen == r->slots || bytes > r->slot_bytes) {
        atomic_fetch_add_explicit(&r->dropped, 1, memory_order_relaxed);
        return false;
    }
    memcpy(slot_at(r, head), item, bytes);
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
    return true;
}

const void *ring_peek(struct ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    if (tail == r->head_seen)
        r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
    return tail == r->head_seen ? NULL : slot_at(r, tail);
}

void ring_skip(struct ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    if (tail != r->head_seen)
        atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
}

bool ring_pop(struct ring *r, void *item)
{
    const void *slot = ring_peek(r);

    if (slot == NULL)
        return false;
    memcpy(item, slot, r->slot_bytes);
    ring_skip(r);
    return true;
}

unsigned ring_count(const struct ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);

    return atomic_load_explicit(&r->head, memory_order_acquire) - tail;
}

bool ring_is_empty(const struct ring *r)
{
    return ring_count(r) == 0;
}

uint64_t ring_dropped(const struct ring *r)
{
    return atomic_load_explicit(&r->dropped, memory_order_relaxed);
}
