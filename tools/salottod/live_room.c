/* live_room.c - a room that someone is in (see live_room.h) */
#include "tools/salottod/live_room.h"

#include "tools/salottod/log.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/session.h"
#include "tools/salottod/systemd.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

struct live_room *live_room_find(struct server *s, const char *name)
{
    struct live_room *r;

    LIST_FOREACH (r, &s->rooms, next)
        if (!r->ended && strcmp(r->row.name, name) == 0)
            return r;
    return NULL;
}

struct live_room *live_room_by_id(struct server *s, int64_t id)
{
    struct live_room *r;

    LIST_FOREACH (r, &s->rooms, next)
        if (!r->ended && r->row.id == id)
            return r;
    return NULL;
}

unsigned live_room_on_stage(const struct live_room *r)
{
    unsigned on_stage = 0;

    for (unsigned n = 0; n < ROOM_STRIPS_MAX; n++)
        on_stage += r->slot[n] != NULL;
    return on_stage;
}

unsigned live_room_listeners(const struct live_room *r)
{
    return r->present - live_room_on_stage(r);
}

static void on_grace(evutil_socket_t fd, short what, void *arg)
{
    struct live_room *r = arg;

    (void)fd;
    (void)what;
    if (r->present == 0 && r->pending == 0)
        live_room_close(r);
}

static void on_count(evutil_socket_t fd, short what, void *arg)
{
    struct live_room *r = arg;

    (void)fd;
    (void)what;
    events_room(r, "listeners", json_pack("{s:i}", "count", (int)live_room_listeners(r)));
}

static struct room *make_mixer(struct live_room *r)
{
    struct server *s = r->server;
    struct waker *readers[SERVER_OUTLETS_MAX];
    /* The golden ratio spreads any number of rooms evenly over the tick. */
    uint64_t phase_ns = (uint64_t)(r->number * 0.6180339887 * ROOM_TICK_NS) % ROOM_TICK_NS;
    struct room_config c = {
        .name = r->row.name,
        .phase_ns = phase_ns,
        .inboxes = 1,
        .readers = s->outlets,
        .reader = readers,
        .owner = &s->waker,
    };

    for (unsigned i = 0; i < s->outlets; i++)
        readers[i] = outlet_udp_waker(s->outlet[i]);
    return room_new(&c);
}

static void destroy(struct live_room *r)
{
    struct occupant *o, *next;

    for (o = LIST_FIRST(&r->occupants); o != NULL; o = next) {
        next = LIST_NEXT(o, next);
        free(o->strip_release);
        free(o->seat_release);
        free(o);
    }
    if (r->grace != NULL)
        event_free(r->grace);
    if (r->counting != NULL)
        event_free(r->counting);
    if (r->limit != NULL)
        event_free(r->limit);
    epoch_end(r);
    if (r->mixer != NULL)
        room_free(r->mixer);
    free(r);
}

struct live_room *live_room_open(struct server *s, const struct room_row *row, const struct member *members,
                                 size_t count, struct err *err)
{
    struct live_room *r = calloc(1, sizeof *r);
    bool fifo = false;
    int status = r != NULL ? 0 : -1;

    if (status == 0) {
        r->server = s;
        r->row = *row;
        r->number = ++s->last_room_number;
        LIST_INIT(&r->occupants);
        STAILQ_INIT(&r->orders);
        for (int t = 0; t < STREAM_TIERS; t++)
            r->tier[t].next_number = s->next_number;
        channel_begin(&r->room_channel);
        channel_begin(&r->audience_channel);
        channel_begin(&r->order_channel);
        r->grace = evtimer_new(s->base, on_grace, r);
        r->counting = evtimer_new(s->base, on_count, r);
        r->mixer = make_mixer(r);
        if (r->grace == NULL || r->counting == NULL || r->mixer == NULL || epoch_begin(r) != 0)
            status = -1;
    }
    for (size_t i = 0; status == 0 && i < count; i++)
        if (occupant_know(r, &members[i]) == NULL)
            status = -1;
    if (status != 0)
        err_set(err, ERR_INTERNAL, NULL, "out of memory for the room %s", row->name);
    else
        status = room_start(r->mixer, &fifo, err);
    if (status != 0) {
        if (r != NULL)
            destroy(r);
        return NULL;
    }
    LIST_INSERT_HEAD(&s->rooms, r, next);
    log_line(LOG_INFO_LINE, "room opened room=%s scheduler=%s", row->name, fifo ? "fifo" : "other");
    return r;
}

void live_room_rest(struct live_room *r)
{
    struct timeval grace = {.tv_sec = r->ended ? 0 : (time_t)r->server->config.grace_s};

    if (r->present == 0 && r->pending == 0 && !r->server->stopping)
        evtimer_add(r->grace, &grace);
}

void live_room_close(struct live_room *r)
{
    struct server *s = r->server;
    struct outlet_order gone = {.kind = OUTLET_ROOM_GONE, .room = r->number};

    room_stop(r->mixer);
    dispatch_room_answers(r->mixer);
    dispatch_drop(&r->orders);
    dispatch_all_outlets(s, &gone, NULL);
    for (int t = 0; t < STREAM_TIERS; t++) {
        uint64_t next = r->tier[t].tier != NULL ? tape_next(tier_tape(r->tier[t].tier)) : r->tier[t].next_number;

        if (next > s->next_number)
            s->next_number = next;
    }
    LIST_REMOVE(r, next);
    log_line(LOG_INFO_LINE, "room closed room=%s", r->row.name);
    destroy(r);
}

/* --- tiers */

/* A tier that the room gives back: its tape may still be read by nobody. */
struct tier_release {
    struct errand errand;
    struct live_room *room;
    struct tier *tier;
};

static void on_tier_released(struct errand *e)
{
    struct tier_release *t = (struct tier_release *)e;
    struct live_room *r = t->room;

    if (e->error == 0) /* else the mixer was stopped, and frees it */
        tier_free(t->tier);
    free(t);
    r->pending--;
    live_room_rest(r);
}

const struct tape *live_room_tune(struct live_room *r, enum stream stream, struct err *err)
{
    struct live_tier *t = &r->tier[stream];

    if (t->tier == NULL) {
        struct tier_config c = {.stream = stream, .first_number = t->next_number, .complexity = SERVER_COMPLEXITY};
        struct room_command add = {.order = ROOM_ADD_TIER, .stream = stream};

        t->tier = tier_new(&c);
        if (t->tier == NULL) {
            err_set(err, ERR_INTERNAL, NULL, "out of memory for the %s tier", stream_name(stream));
            return NULL;
        }
        add.block = t->tier;
        dispatch_room(r, &add, NULL);
    }
    t->tuned++;
    return tier_tape(t->tier);
}

void live_room_untune(struct live_room *r, enum stream stream)
{
    struct live_tier *t = &r->tier[stream];
    struct room_command remove = {.order = ROOM_REMOVE_TIER, .stream = stream};
    struct tier_release *release;

    if (--t->tuned > 0)
        return;
    release = calloc(1, sizeof *release);
    if (release == NULL)
        return; /* it stays, encoded for nobody, until the room closes */
    release->room = r;
    release->tier = t->tier;
    r->pending++;
    /* The mixer may append a few more before it sees the order; numbers must not be given twice. */
    t->next_number = tape_next(tier_tape(t->tier)) + 256;
    t->tier = NULL;
    errand_begin(&release->errand, on_tier_released);
    dispatch_room(r, &remove, &release->errand);
    errand_let_go(&release->errand);
}

/* --- outlets */

/* Sealing is done once a worker, so a small room stays with one, and only a large one is spread. */
#define SPREAD_FROM 64u

static void set_readers(struct live_room *r)
{
    uint32_t mask = 0;

    for (unsigned i = 0; i < r->server->outlets; i++)
        if (r->on_outlet[i] > 0)
            mask |= 1u << i;
    room_set_readers(r->mixer, mask);
}

unsigned live_room_on_outlet(struct live_room *r)
{
    unsigned best = r->number % r->server->outlets;

    if (r->on_outlet[best] >= SPREAD_FROM)
        for (unsigned i = 0; i < r->server->outlets; i++)
            if (r->on_outlet[i] < r->on_outlet[best])
                best = i;
    r->on_outlet[best]++;
    set_readers(r);
    return best;
}

void live_room_off_outlet(struct live_room *r, unsigned outlet)
{
    r->on_outlet[outlet]--;
    set_readers(r);
}

/* --- what the mixer says */

void live_room_look(struct live_room *r)
{
    uint32_t talking, changed;

    dispatch_room_answers(r->mixer);
    talking = atomic_load(&room_stats(r->mixer)->talking);
    changed = talking ^ r->talking;
    r->talking = talking;
    for (unsigned n = 0; changed != 0; n++, changed >>= 1) {
        struct occupant *o = r->slot[n];

        if ((changed & 1) == 0 || o == NULL)
            continue;
        events_room(r, "speaking",
                    json_pack("{s:s, s:i, s:b, s:I}", "handle", o->standing.person.handle, "strip", (int)n, "on",
                              (int)(talking >> n & 1), "at_sample", (json_int_t)room_position(r->mixer)));
    }
}

void live_room_count_soon(struct live_room *r)
{
    static const struct timeval second = {.tv_sec = 1};

    if (!evtimer_pending(r->counting, NULL))
        evtimer_add(r->counting, &second);
    systemd_people_soon(r->server);
}
