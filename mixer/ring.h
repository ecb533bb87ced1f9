/* ring.h - a bounded ring between one producing and one consuming thread
 *
 * Fixed number of fixed-size slots, lock-free (one acquire and one release a call), nothing allocated after
 * ring_new(). All that crosses a thread in Salotto goes through one of these, or through the tape. A full ring refuses
 * the new item and counts it.
 */
#ifndef SALOTTO_MIXER_RING_H
#define SALOTTO_MIXER_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring;

/* slots: a power of two, 2..65536. slot_bytes: 1..65536. Memory is touched, so that no page fault comes later.
 * Returns NULL when out of memory or out of range. Free with ring_free() when neither side uses it any more. */
struct ring *ring_new(unsigned slots, size_t slot_bytes);
void ring_free(struct ring *r);

/* RT_SAFE, producer only. Copies `bytes` (at most slot_bytes) in. Returns false when full: the item is counted as
 * dropped. */
bool ring_push(struct ring *r, const void *item, size_t bytes);

/* RT_SAFE, consumer only. Copies the oldest item's slot_bytes out; false when empty. What lies behind the bytes
 * that were pushed is left from earlier items. */
bool ring_pop(struct ring *r, void *item);

/* RT_SAFE, consumer only. The oldest item in place (NULL when empty), valid until ring_skip() drops it. */
const void *ring_peek(struct ring *r);
void ring_skip(struct ring *r);

/* RT_SAFE, either side; a snapshot. */
unsigned ring_count(const struct ring *r);
bool ring_is_empty(const struct ring *r);

/* RT_SAFE, any thread. Items refused since ring_new(). */
uint64_t ring_dropped(const struct ring *r);

#endif
