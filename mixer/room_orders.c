/* room_orders.c - the room's commands, carried out at the beginning of a tick (see room.h)
 *
 * Main never has more commands in flight than either ring holds, so an answer always finds room.
 */
#include "mixer/own_mix.h"
#include "mixer/room_state.h"

#include <errno.h>

/* RT_SAFE. */
static void answer(struct room *r, const struct room_result *result)
{
    ring_push(r->results, result, sizeof *result);
    r->results_new = true;
}

/* RT_SAFE. The place that a command names, if somebody stands there and is not leaving already. */
static struct room_place *place_of(struct room *r, const struct room_command *c)
{
    struct room_place *p = c->slot < ROOM_STRIPS_MAX ? &r->place[c->slot] : NULL;

    return p != NULL && p->strip != NULL && !p->leaving ? p : NULL;
}

/* RT_SAFE. */
static int add_strip(struct room *r, const struct room_command *c)
{
    if (c->slot >= ROOM_STRIPS_MAX || r->place[c->slot].strip != NULL || c->block == NULL)
        return -EINVAL;
    r->place[c->slot] = (struct room_place){.strip = c->block};
    return 0;
}

/* RT_SAFE. Mutes the strip for good and ends its own stream; room_orders_return_strips() does the rest. */
static int remove_strip(struct room *r, const struct room_command *c, uint64_t position)
{
    struct room_place *p = place_of(r, c);

    if (p == NULL)
        return -EINVAL;
    strip_mute(p->strip, true);
    if (c->cut)
        own_mix_cut(strip_own_mix(p->strip));
    p->leaving = true;
    p->cookie = c->cookie;
    p->at_sample = position;
    return 0;
}

/* RT_SAFE. Mute, unmute, fader and the own stream's tier. */
static int change_strip(struct room *r, const struct room_command *c)
{
    struct room_place *p = place_of(r, c);

    if (p == NULL)
        return -EINVAL;
    switch (c->order) {
    case ROOM_MUTE:
    case ROOM_UNMUTE:
        strip_mute(p->strip, c->order == ROOM_MUTE);
        return 0;
    case ROOM_FADER:
        strip_fader(p->strip, c->gain_db);
        return 0;
    default:
        if (tier_frame_samples(c->stream) == 0)
            return -EINVAL;
        strip_own_mix(p->strip)->tier = c->stream;
        return 0;
    }
}

/* RT_SAFE. */
static int add_tier(struct room *r, const struct room_command *c)
{
    struct tier *t = c->block;

    if (t == NULL || r->tier[tier_stream(t)] != NULL)
        return -EINVAL;
    r->tier[tier_stream(t)] = t;
    return 0;
}

/* RT_SAFE. Own streams that follow the tier end with it: nobody is tuned to it. */
static int remove_tier(struct room *r, const struct room_command *c, void **block)
{
    if ((unsigned)c->stream >= STREAM_TIERS || r->tier[c->stream] == NULL)
        return -EINVAL;
    *block = r->tier[c->stream];
    r->tier[c->stream] = NULL;
    for (unsigned n = 0; n < ROOM_STRIPS_MAX; n++) {
        struct strip *s = r->place[n].strip;

        if (s != NULL && strip_own_mix(s)->coder.stream == c->stream)
            own_mix_cut(strip_own_mix(s));
    }
    return 0;
}

/* RT_SAFE. */
static void carry_out(struct room *r, const struct room_command *c, uint64_t position)
{
    struct room_result result = {.cookie = c->cookie, .order = c->order, .slot = c->slot, .at_sample = position};

    switch (c->order) {
    case ROOM_ADD_STRIP:
        result.error = add_strip(r, c);
        result.block = result.error < 0 ? c->block : NULL;
        break;
    case ROOM_REMOVE_STRIP:
        result.error = remove_strip(r, c, position);
        if (result.error == 0)
            return; /* answered when the strip is free */
        break;
    case ROOM_MUTE:
    case ROOM_UNMUTE:
    case ROOM_FADER:
    case ROOM_OWN_TIER:
        result.error = change_strip(r, c);
        break;
    case ROOM_ADD_TIER:
        result.error = add_tier(r, c);
        result.block = result.error < 0 ? c->block : NULL;
        break;
    case ROOM_REMOVE_TIER:
        result.error = remove_tier(r, c, &result.block);
        break;
    case ROOM_EPOCH:
        r->epoch = c->epoch;
        break;
    default:
        result.error = -EINVAL;
        break;
    }
    answer(r, &result);
}

void room_orders_run(struct room *r, uint64_t position)
{
    struct room_command c;

    for (unsigned n = 0; n < ROOM_INFLIGHT_MAX && ring_pop(r->commands, &c); n++)
        carry_out(r, &c, position);
}

/* RT_SAFE. */
static void return_strip(struct room *r, unsigned slot)
{
    struct room_place *p = &r->place[slot];
    struct room_result result = {
        .cookie = p->cookie, .order = ROOM_REMOVE_STRIP, .slot = slot, .at_sample = p->at_sample, .block = p->strip};

    *p = (struct room_place){.strip = NULL};
    answer(r, &result);
}

void room_orders_return_strips(struct room *r)
{
    for (unsigned n = 0; n < ROOM_STRIPS_MAX; n++) {
        struct room_place *p = &r->place[n];

        if (p->leaving && strip_is_muted(p->strip) && !own_mix_is_running(strip_own_mix(p->strip)))
            return_strip(r, n);
    }
}

void room_orders_cancel(struct room *r)
{
    struct room_command c;

    while (ring_pop(r->commands, &c)) {
        struct room_result result = {.cookie = c.cookie, .order = c.order, .slot = c.slot, .error = -ECANCELED};

        result.at_sample = atomic_load_explicit(&r->stats.position, memory_order_relaxed);
        result.block = c.order == ROOM_ADD_STRIP || c.order == ROOM_ADD_TIER ? c.block : NULL;
        answer(r, &result);
    }
    for (unsigned n = 0; n < ROOM_STRIPS_MAX; n++)
        if (r->place[n].leaving)
            return_strip(r, n);
}
