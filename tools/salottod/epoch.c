/* epoch.c - a room's epoch keys (see epoch.h) */
#include "tools/salottod/epoch.h"

#include "tools/salottod/live_room.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/session.h"

#include <event2/event.h>
#include <sodium.h>
#include <string.h>

static const struct timeval half_second = {.tv_usec = 500000};

static void use(struct live_room *r)
{
    struct room_command c = {.order = ROOM_EPOCH, .epoch = r->epoch.newest.serial};

    r->epoch.used = r->epoch.newest;
    dispatch_room(r, &c, NULL);
}

/* Every worker gets the key before the mixer can name it: both orders go out in this order. */
static void make(struct live_room *r)
{
    struct epoch_key *k = &r->epoch.newest;
    struct outlet_order o = {.kind = OUTLET_EPOCH, .room = r->number, .epoch = ++k->serial};

    randombytes_buf(k->key, sizeof k->key);
    memcpy(o.epoch_key, k->key, sizeof o.epoch_key);
    dispatch_all_outlets(r->server, &o, NULL);
    sodium_memzero(&o, sizeof o);
}

static void by_udp(struct session *s, const struct epoch_key *k)
{
    struct udp_order o = {.kind = UDP_EPOCH, .session = s->id, .epoch = k->serial};

    memcpy(o.epoch_key, k->key, sizeof o.epoch_key);
    dispatch_udp(s->server, &o, NULL);
    sodium_memzero(&o, sizeof o);
}

static json_t *event_of(const struct epoch_key *k)
{
    char hex[2 * SEAL_KEY_BYTES + 1];
    json_t *event;

    sodium_bin2hex(hex, sizeof hex, k->key, sizeof k->key);
    event = json_pack("{s:I, s:s}", "serial", (json_int_t)k->serial, "key", hex);
    sodium_memzero(hex, sizeof hex);
    return event;
}

static void owe(struct session *who)
{
    who->seat->room->epoch.unacknowledged += !who->epoch_owed;
    who->epoch_owed = true;
}

static void no_longer_owe(struct session *who)
{
    struct live_room *r = who->seat->room;

    if (!who->epoch_owed)
        return;
    who->epoch_owed = false;
    if (--r->epoch.unacknowledged == 0 && evtimer_pending(r->epoch.use, NULL)) {
        evtimer_del(r->epoch.use);
        use(r);
    }
}

static void hand_out(struct live_room *r)
{
    struct occupant *p;

    LIST_FOREACH (p, &r->occupants, next)
        if (p->session != NULL) {
            owe(p->session);
            by_udp(p->session, &r->epoch.newest);
        }
    events_all(r, "epoch", event_of(&r->epoch.newest));
}

void epoch_catch_up(struct session *who)
{
    const struct epoch *e = &who->seat->room->epoch;

    if (e->newest.serial == e->used.serial)
        return;
    owe(who);
    by_udp(who, &e->newest);
    events_you(who, "epoch", event_of(&e->newest));
}

static void on_change(evutil_socket_t fd, short what, void *arg)
{
    struct live_room *r = arg;

    (void)fd;
    (void)what;
    make(r);
    hand_out(r);
    evtimer_add(r->epoch.use, &half_second);
}

static void on_use(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    use(arg);
}

int epoch_begin(struct live_room *r)
{
    r->epoch.change = evtimer_new(r->server->base, on_change, r);
    r->epoch.use = evtimer_new(r->server->base, on_use, r);
    if (r->epoch.change == NULL || r->epoch.use == NULL)
        return -1;
    make(r);
    use(r);
    return 0;
}

void epoch_end(struct live_room *r)
{
    if (r->epoch.change != NULL)
        event_free(r->epoch.change);
    if (r->epoch.use != NULL)
        event_free(r->epoch.use);
    sodium_memzero(&r->epoch, sizeof r->epoch);
}

void epoch_change(struct live_room *r)
{
    if (r->present == 0) { /* nobody to wait for */
        make(r);
        use(r);
    } else if (!evtimer_pending(r->epoch.change, NULL)) {
        evtimer_add(r->epoch.change, &half_second);
    }
}

void epoch_acknowledged(struct session *who, uint64_t serial)
{
    if (serial == who->seat->room->epoch.newest.serial)
        no_longer_owe(who);
}

void epoch_left(struct session *who)
{
    no_longer_owe(who);
}
