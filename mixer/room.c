/* room.c - the tick: strips → bus → limiter → tiers (see room.h)
 *
 * A tick goes straight through: commands, packets, strips, and then, if anything has been audible since the room last
 * paused, the mix. What a tick finds out about the strips (who begins to talk, who has ended) is known before the
 * shared limiter and encoders are fed, which is when own streams are copied from them.
 *
 * All time here is the tick's number and the now_ns that came with it, so the room runs as well on a virtual clock.
 */
#include "mixer/own_mix.h"
#include "mixer/room_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two ticks' worth of a full stage, or 1.3 s of one speaker. */
#define INBOX_SLOTS   64u

#define STALE_NS      200000000ull /* what waited longer through a pause is dropped */
#define FLUSH_TICKS   1u           /* of silence, until the limiter has let out its last */
#define CLOSING_TICKS 6u           /* of zeros after that, 120 ms, for decoders to come to rest on */

_Static_assert(ROOM_TICK_SAMPLES == BUS_SAMPLES, "the bus is a tick long");
_Static_assert(LIMITER_DELAY <= FLUSH_TICKS * BUS_SAMPLES, "the limiter must be empty after the flush");
_Static_assert(ROOM_STRIPS_MAX <= 32, "strips are bits of a u32");

struct room *room_new(const struct room_config *c)
{
    struct room *r;

    if (c->inboxes < 1 || c->inboxes > ROOM_INBOXES_MAX || c->readers > ROOM_READERS_MAX)
        return NULL;
    r = aligned_alloc(64, (sizeof *r + 63) / 64 * 64);
    if (r == NULL)
        return NULL;
    memset(r, 0, sizeof *r);
    snprintf(r->name, sizeof r->name, "%s", c->name);
    r->phase_ns = c->phase_ns % ROOM_TICK_NS;
    r->inboxes = c->inboxes;
    r->readers = c->readers;
    r->owner = c->owner;
    for (unsigned n = 0; n < c->readers; n++)
        r->reader[n] = c->reader[n];
    waker_init(&r->waker, -1);
    limiter_init(&r->limiter);
    r->parked = true;
    atomic_init(&r->stats.parked, 1);
    r->commands = ring_new(ROOM_INFLIGHT_MAX, sizeof(struct room_command));
    r->results = ring_new(ROOM_INFLIGHT_MAX, sizeof(struct room_result));
    for (unsigned n = 0; n < r->inboxes; n++)
        r->inbox[n] = ring_new(INBOX_SLOTS, sizeof(struct inbox_item));
    for (unsigned n = 0; n < r->inboxes; n++)
        if (r->inbox[n] == NULL || r->commands == NULL || r->results == NULL) {
            room_free(r);
            return NULL;
        }
    return r;
}

void room_free(struct room *r)
{
    struct room_command c;
    struct room_result result;

    if (r == NULL)
        return;
    while (r->commands != NULL && ring_pop(r->commands, &c)) {
        if (c.order == ROOM_ADD_STRIP)
            strip_free(c.block);
        if (c.order == ROOM_ADD_TIER)
            tier_free(c.block);
    }
    while (r->results != NULL && ring_pop(r->results, &result)) {
        if (result.order == ROOM_ADD_STRIP || result.order == ROOM_REMOVE_STRIP)
            strip_free(result.block);
        if (result.order == ROOM_ADD_TIER || result.order == ROOM_REMOVE_TIER)
            tier_free(result.block);
    }
    for (unsigned n = 0; n < ROOM_STRIPS_MAX; n++)
        strip_free(r->place[n].strip);
    for (unsigned s = 0; s < STREAM_TIERS; s++)
        tier_free(r->tier[s]);
    for (unsigned n = 0; n < r->inboxes; n++)
        ring_free(r->inbox[n]);
    ring_free(r->commands);
    ring_free(r->results);
    free(r);
}

bool room_command(struct room *r, const struct room_command *c)
{
    if (r->in_flight >= ROOM_INFLIGHT_MAX || !ring_push(r->commands, c, sizeof *c))
        return false;
    r->in_flight++;
    waker_wake(&r->waker);
    return true;
}

bool room_result(struct room *r, struct room_result *out)
{
    if (!ring_pop(r->results, out))
        return false;
    r->in_flight--;
    return true;
}

struct ring *room_inbox(struct room *r, unsigned n)
{
    return n < r->inboxes ? r->inbox[n] : NULL;
}

struct waker *room_waker(struct room *r)
{
    return &r->waker;
}

void room_set_readers(struct room *r, uint32_t mask)
{
    atomic_store_explicit(&r->reader_mask, mask, memory_order_relaxed);
}

const struct room_stats *room_stats(const struct room *r)
{
    return &r->stats;
}

/* RT_SAFE. One packet to its strip. stale_ns: how long it may have waited. */
static void deliver(struct room *r, const struct inbox_item *item, uint64_t position, uint64_t now_ns,
                    uint64_t stale_ns)
{
    struct strip *s = item->slot < ROOM_STRIPS_MAX ? r->place[item->slot].strip : NULL;

    if (s == NULL || strip_lease(s) != item->lease) {
        room_count(&r->stats.drop_lease, 1);
    } else if (now_ns > item->packet.arrived_ns && now_ns - item->packet.arrived_ns > stale_ns) {
        room_count(&r->stats.drop_stale, 1);
        strip_count_stale(s);
    } else if (strip_offer(s, &item->packet, position) == -EINVAL) {
        room_count(&r->stats.drop_broken, 1);
    }
}

/* RT_SAFE. At most what the rings hold now: a producer that never rests can't hold the tick. */
static void drain_inboxes(struct room *r, uint64_t position, uint64_t now_ns, uint64_t stale_ns)
{
    for (unsigned n = 0; n < r->inboxes; n++) {
        const struct inbox_item *item;

        for (unsigned k = 0; k < INBOX_SLOTS && (item = ring_peek(r->inbox[n])) != NULL; k++) {
            deliver(r, item, position, now_ns, stale_ns);
            ring_skip(r->inbox[n]);
        }
    }
}

/* RT_SAFE. */
static void pull_strips(struct room *r, uint64_t position)
{
    uint64_t broken = 0;

    r->talking = 0;
    r->voices = 0;
    for (unsigned n = 0; n < ROOM_STRIPS_MAX; n++) {
        struct room_place *p = &r->place[n];

        if (p->strip == NULL)
            continue;
        p->voice = strip_pull(p->strip, position, &broken);
        if (p->voice != NULL)
            r->voices |= 1u << n;
        if (strip_is_talking(p->strip))
            r->talking |= 1u << n;
    }
    if (broken != 0)
        room_count(&r->stats.drop_broken, broken);
}

/* RT_SAFE. The first audible tick after a pause: nothing of what was before it must be heard. */
static void wake_up(struct room *r)
{
    r->awake = true;
    limiter_init(&r->limiter);
    for (unsigned s = 0; s < STREAM_TIERS; s++)
        if (r->tier[s] != NULL)
            tier_awake(r->tier[s]);
}

/* RT_SAFE. Starts and ends own streams: they last from the first tick in which the strip adds to the bus until after
 * the last, the gate's closing ramp included. Returns those who hear theirs, a bit a strip. */
static uint32_t turn_own_mixes(struct room *r)
{
    uint32_t heard = 0;

    for (unsigned n = 0; n < ROOM_STRIPS_MAX; n++) {
        struct room_place *p = &r->place[n];
        struct own_mix *own;
        const struct tier *t;

        if (p->strip == NULL)
            continue;
        own = strip_own_mix(p->strip);
        t = r->tier[own->tier];
        if (p->voice != NULL && (!p->leaving || own_mix_is_running(own)))
            own_mix_talk(own, &r->limiter, t != NULL ? tier_coder(t) : NULL, strip_has_begun(p->strip));
        else
            own_mix_rest(own);
        if (own_mix_is_heard(own))
            heard |= 1u << n;
    }
    return heard;
}

/* RT_SAFE. Is this the tick that ends with the pause packet? The closing silence must be out, the last own stream
 * handed over, and every tier at the end of a frame. */
static bool is_last(const struct room *r, uint64_t position)
{
    if (r->silent_ticks < FLUSH_TICKS + CLOSING_TICKS)
        return false;
    for (unsigned n = 0; n < ROOM_STRIPS_MAX; n++)
        if (r->place[n].strip != NULL && own_mix_is_running(strip_own_mix(r->place[n].strip)))
            return false;
    for (unsigned s = 0; s < STREAM_TIERS; s++)
        if (r->tier[s] != NULL && (position + BUS_SAMPLES) % tier_frame_samples((enum stream)s) != 0)
            return false;
    return true;
}

/* RT_SAFE. */
static void encode_tiers(struct room *r, uint64_t position, uint8_t flags, uint32_t own_strips)
{
    for (unsigned s = 0; s < STREAM_TIERS; s++) {
        if (r->tier[s] == NULL || !tier_feed(r->tier[s], r->mix, position, r->voices))
            continue;
        if (tier_publish(r->tier[s], flags, r->epoch, own_strips) < 0) {
            room_count(&r->stats.encode_errors, 1);
            continue;
        }
        room_count(&r->stats.shared_encodes[s], 1);
        r->tapes_new = true;
    }
}

/* RT_SAFE. */
static void encode_own_mixes(struct room *r, uint64_t position)
{
    for (unsigned n = 0; n < ROOM_STRIPS_MAX; n++) {
        struct room_place *p = &r->place[n];
        int made;

        if (p->strip == NULL || !own_mix_is_running(strip_own_mix(p->strip)))
            continue;
        made = own_mix_run(strip_own_mix(p->strip), r->bus, p->voice, position, r->voices, 1u << n, r->epoch);
        if (made < 0)
            room_count(&r->stats.encode_errors, 1);
        if (made <= 0)
            continue;
        room_count(&r->stats.personal_encodes, 1);
        r->tapes_new = true;
    }
}

/* RT_SAFE. */
static void mix(struct room *r, uint64_t position)
{
    uint32_t own_strips;
    bool last;

    r->silent_ticks = r->voices != 0 ? 0 : r->silent_ticks + 1;
    last = is_last(r, position);
    own_strips = turn_own_mixes(r);

    bus_clear(r->bus);
    for (unsigned n = 0; n < ROOM_STRIPS_MAX; n++)
        if (r->voices >> n & 1)
            bus_add(r->bus, r->place[n].voice);
    limiter_run(&r->limiter, r->bus, r->mix, BUS_SAMPLES);

    encode_own_mixes(r, position);
    encode_tiers(r, position, last ? TAPE_PAUSE : 0, own_strips);
    if (last)
        r->awake = false;
}

/* RT_SAFE. Is there anything to come that a sleeping room would miss? */
static bool has_more(const struct room *r, uint64_t position)
{
    if (r->awake)
        return true;
    for (unsigned n = 0; n < ROOM_STRIPS_MAX; n++) {
        const struct room_place *p = &r->place[n];

        if (p->strip != NULL && (p->leaving || strip_holds_voice(p->strip, position)))
            return true;
    }
    return false;
}

/* RT_SAFE. */
static void tell(struct room *r, bool talkers_changed)
{
    uint32_t readers = atomic_load_explicit(&r->reader_mask, memory_order_relaxed);

    for (unsigned n = 0; r->tapes_new && n < r->readers; n++)
        if (readers >> n & 1)
            waker_wake(r->reader[n]);
    if (r->owner != NULL && (r->results_new || talkers_changed))
        waker_wake(r->owner);
}

bool room_tick(struct room *r, uint64_t tick, uint64_t now_ns)
{
    uint64_t position = tick * BUS_SAMPLES;
    uint64_t skipped = r->parked ? 0 : tick - r->next_tick;
    bool slept = r->parked || skipped * ROOM_TICK_NS > STALE_NS;
    uint32_t were_talking = r->talking;
    bool more;

    r->results_new = false;
    r->tapes_new = false;
    room_orders_run(r, position);
    drain_inboxes(r, position, now_ns, slept ? STALE_NS : UINT64_MAX);
    for (unsigned n = 0; skipped > 0 && n < ROOM_STRIPS_MAX; n++)
        if (r->place[n].strip != NULL)
            strip_skip(r->place[n].strip, skipped * BUS_SAMPLES);
    pull_strips(r, position);
    if (r->voices != 0 && !r->awake)
        wake_up(r);
    if (r->awake)
        mix(r, position);
    room_orders_return_strips(r);

    more = has_more(r, position);
    for (unsigned n = 0; !more && n < ROOM_STRIPS_MAX; n++)
        if (r->place[n].strip != NULL)
            strip_rest(r->place[n].strip);
    if (!more && !r->parked)
        room_count(&r->stats.parks, 1);
    r->parked = !more;
    r->next_tick = tick + 1;
    room_count(&r->stats.ticks, 1);
    atomic_store_explicit(&r->stats.parked, !more, memory_order_relaxed);
    atomic_store_explicit(&r->stats.talking, r->talking, memory_order_relaxed);
    atomic_store_explicit(&r->stats.position, position + BUS_SAMPLES, memory_order_relaxed);
    tell(r, r->talking != were_talking);
    return more;
}
