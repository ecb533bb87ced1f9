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
    struct room_command c = {.order = ROOM_EPOCH, .epoch = r->epoch.serial};

    dispatch_room(r->server, r->mixer, &c, NULL);
}

/* Every worker gets the key before the mixer can name it: both orders go out in this order. */
static void make(struct live_room *r)
{
    struct outlet_order o = {.kind = OUTLET_EPOCH, .room = r->number};

    randombytes_buf(r->epoch.key, sizeof r->epoch.key);
    o.epoch = ++r->epoch.serial;
    memcpy(o.epoch_key, r->epoch.key, sizeof o.epoch_key);
    dispatch_all_outlets(r->server, &o, NULL);
    sodium_memzero(&o, sizeof o);
}

static void hand_out(struct live_room *r)
{
    char hex[2 * SEAL_KEY_BYTES + 1];
    struct occupant *p;

    r->epoch.unacknowledged = 0;
    sodium_bin2hex(hex, sizeof hex, r->epoch.key, sizeof r->epoch.key);
    LIST_FOREACH(p, &r->occupants, next)
    {
        struct udp_order o = {.kind = UDP_EPOCH, .epoch = r->epoch.serial};

        if (p->session == NULL)
            continue;
        o.session = p->session->id;
        memcpy(o.epoch_key, r->epoch.key, sizeof o.epoch_key);
        dispatch_udp(r->server, &o, NULL);
        sodium_memzero(&o, sizeof o);
        p->session->epoch_told = r->epoch.serial;
        r->epoch.unacknowledged++;
        events_you(p->session, "epoch", json_pack("{s:I, s:s}", "serial", (json_int_t)r->epoch.serial, "key", hex));
    }
    sodium_memzero(hex, sizeof hex);
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
    if (r->present > 0 && !evtimer_pending(r->epoch.change, NULL))
        evtimer_add(r->epoch.change, &half_second);
}

void epoch_acknowledged(struct session *who, uint64_t serial)
{
    struct live_room *r = who->seat->room;

    if (serial <= who->epoch_acknowledged)
        return;
    who->epoch_acknowledged = serial;
    if (serial == r->epoch.serial && r->epoch.unacknowledged > 0 && --r->epoch.unacknowledged == 0 &&
        evtimer_pending(r->epoch.use, NULL)) {
        evtimer_del(r->epoch.use);
        use(r);
    }
}
