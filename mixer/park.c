/* park.c - a room's sleep while nobody speaks (see room.h)
 *
 * There is no time-out: a parked room costs nothing until a packet with voice or a command wakes it. Both are laid into
 * their ring before the waker is woken, and the room looks into the rings after it has announced its sleep, so no
 * wake-up is lost.
 */
#include "mixer/room_state.h"

/* RT_SAFE. Is the packet somebody's voice who may be heard? */
static bool is_voice(const struct room *r, const struct inbox_item *item)
{
    const struct room_place *p = item->slot < ROOM_STRIPS_MAX ? &r->place[item->slot] : NULL;

    return (item->packet.flags & PACKET_VOICE) != 0 && p != NULL && p->strip != NULL && !p->leaving &&
           strip_lease(p->strip) == item->lease && !strip_is_muted(p->strip);
}

/* RT_SAFE. Is there nothing that asks for a tick? What lies before the first voice in an inbox would be of the past
 * when the room wakes, and is dropped. */
static bool is_quiet(struct room *r)
{
    if (atomic_load_explicit(&r->stop, memory_order_acquire) || !ring_is_empty(r->commands))
        return false;
    for (unsigned n = 0; n < r->inboxes; n++) {
        const struct inbox_item *item;

        while ((item = ring_peek(r->inbox[n])) != NULL) {
            if (is_voice(r, item))
                return false;
            ring_skip(r->inbox[n]);
            room_count(&r->stats.drop_stale, 1);
        }
    }
    return true;
}

void room_park(struct room *r)
{
    uint32_t seen = waker_prepare(&r->waker);

    if (is_quiet(r))
        waker_wait(&r->waker, seen, 0);
    waker_done(&r->waker);
}
