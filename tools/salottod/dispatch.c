/* dispatch.c - orders from main to the other threads (see dispatch.h) */
#include "tools/salottod/dispatch.h"

#include "tools/salottod/live_room.h"
#include "tools/salottod/log.h"
#include "tools/salottod/server.h"

#include <sodium.h>
#include <stdlib.h>

struct waiting_order {
    STAILQ_ENTRY(waiting_order) next;
    unsigned index;
    union {
        struct udp_order udp;
        struct outlet_order outlet;
        struct room_command command;
    } of;
};

/* Orders carry keys. */
static void drop(struct waiting_order *w)
{
    sodium_memzero(w, sizeof *w);
    free(w);
}

void dispatch_drop(struct waiting_orders *q)
{
    struct waiting_order *w;

    while ((w = STAILQ_FIRST(q)) != NULL) {
        STAILQ_REMOVE_HEAD(q, next);
        drop(w);
    }
}

static struct waiting_order *wait_in(struct waiting_orders *q)
{
    struct waiting_order *w = calloc(1, sizeof *w);

    if (w == NULL) {
        /* An order lost here would leave a person served who was sent away. There is no way on. */
        log_line(LOG_ERROR_LINE, "out of memory for an order to a thread");
        abort();
    }
    STAILQ_INSERT_TAIL(q, w, next);
    return w;
}

void dispatch_init(struct dispatch *d)
{
    STAILQ_INIT(&d->udp);
    STAILQ_INIT(&d->outlet);
}

void dispatch_fini(struct dispatch *d)
{
    dispatch_drop(&d->udp);
    dispatch_drop(&d->outlet);
}

void dispatch_udp(struct server *s, struct udp_order *o, struct errand *e)
{
    if (s->udp == NULL)
        return;
    o->cookie = (uintptr_t)e;
    errand_expect(e);
    if (!STAILQ_EMPTY(&s->dispatch.udp) || !STAILQ_EMPTY(&s->dispatch.outlet) || !udp_in_order(s->udp, o))
        wait_in(&s->dispatch.udp)->of.udp = *o;
}

void dispatch_outlet(struct server *s, unsigned index, struct outlet_order *o, struct errand *e)
{
    if (index >= s->outlets)
        return;
    o->cookie = (uintptr_t)e;
    errand_expect(e);
    if (!STAILQ_EMPTY(&s->dispatch.outlet) || !outlet_udp_order(s->outlet[index], o)) {
        struct waiting_order *w = wait_in(&s->dispatch.outlet);

        w->index = index;
        w->of.outlet = *o;
    }
}

void dispatch_all_outlets(struct server *s, struct outlet_order *o, struct errand *e)
{
    for (unsigned i = 0; i < s->outlets; i++)
        dispatch_outlet(s, i, o, e);
}

void dispatch_room(struct live_room *r, struct room_command *c, struct errand *e)
{
    c->cookie = (uintptr_t)e;
    errand_expect(e);
    if (!STAILQ_EMPTY(&r->orders) || !room_command(r->mixer, c))
        wait_in(&r->orders)->of.command = *c;
}

void dispatch_waiting(struct server *s)
{
    struct waiting_order *w;
    struct live_room *r;

    while ((w = STAILQ_FIRST(&s->dispatch.outlet)) != NULL && outlet_udp_order(s->outlet[w->index], &w->of.outlet)) {
        STAILQ_REMOVE_HEAD(&s->dispatch.outlet, next);
        drop(w);
    }
    while (STAILQ_EMPTY(&s->dispatch.outlet) && (w = STAILQ_FIRST(&s->dispatch.udp)) != NULL &&
           udp_in_order(s->udp, &w->of.udp)) {
        STAILQ_REMOVE_HEAD(&s->dispatch.udp, next);
        drop(w);
    }
    LIST_FOREACH (r, &s->rooms, next)
        while ((w = STAILQ_FIRST(&r->orders)) != NULL && room_command(r->mixer, &w->of.command)) {
            STAILQ_REMOVE_HEAD(&r->orders, next);
            drop(w);
        }
}

void dispatch_answered(uint64_t cookie)
{
    errand_arrived((struct errand *)(uintptr_t)cookie);
}

void dispatch_outlet_answers(struct server *s)
{
    uint64_t cookie;

    for (unsigned i = 0; i < s->outlets; i++)
        while (outlet_udp_answer(s->outlet[i], &cookie))
            dispatch_answered(cookie);
}

void dispatch_room_answers(struct room *r)
{
    struct room_result result;

    while (room_result(r, &result)) {
        struct errand *e = (struct errand *)(uintptr_t)result.cookie;

        /* Only a room that was stopped refuses what it was given. */
        if (result.error != 0 && result.order == ROOM_ADD_STRIP)
            strip_free(result.block);
        if (result.error != 0 && result.order == ROOM_ADD_TIER)
            tier_free(result.block);
        if (e == NULL)
            continue;
        if (result.at_sample > e->at_sample)
            e->at_sample = result.at_sample;
        if (result.error != 0 && e->error == 0)
            e->error = result.error;
        errand_arrived(e);
    }
}
