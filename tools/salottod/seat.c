/* seat.c - people come into a live room and leave it
 *
 * Coming in: the outlet knows the listener before udp-in can prove an address, so that media begins with the first
 * keep-alive. Leaving: both let go, and only then does the tier lose its listener.
 */
#include "tools/salottod/occupant.h"

#include "net/clock.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/session.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct seat_release {
    struct errand errand;
    struct live_room *room;
    struct errand *parent;
    enum stream stream;
    unsigned outlet;
};

static void tell_audience(struct live_room *r, const char *event, const char *handle)
{
    events_audience(r, event, json_pack("{s:[s]}", "people", handle));
}

/* What udp-in's answers to keep-alives tell of the tape. */
static void describe(struct udp_order *o, struct live_room *r, const struct tape *tape, enum stream stream)
{
    o->tape = tape;
    o->stream = stream;
    o->room_start_ns = room_start_ns(r->mixer);
    o->parked = &room_stats(r->mixer)->parked;
}

static void order_seat(struct live_room *r, struct session *s, const struct tape *tape, struct errand *e)
{
    struct outlet_order out = {.kind = OUTLET_ADD,
                               .session = s->id,
                               .room = r->number,
                               .keys = s->keys,
                               .tape = tape,
                               .stream = s->stream,
                               .slot = -1};
    struct udp_order in = {.kind = UDP_ADD, .session = s->id, .outlet = s->outlet, .keys = s->keys};

    describe(&in, r, tape, s->stream);
    dispatch_outlet(r->server, s->outlet, &out, NULL);
    dispatch_udp(r->server, &in, e);
    sodium_memzero(&out, sizeof out);
    sodium_memzero(&in, sizeof in);
}

/* Sessions are numbered on and on; 2^32 are more than a run of the daemon sees. */
static uint32_t next_id(const struct server *s)
{
    return s->last_session_id + 1;
}

int seat_take(struct live_room *r, struct session *s, const struct member *m, enum stream stream, struct errand *e,
              struct err *err)
{
    struct occupant *o = occupant_know(r, m);
    struct seat_release *release = calloc(1, sizeof *release);
    const struct tape *tape = o != NULL && release != NULL ? live_room_tune(r, stream, err) : NULL;

    if (tape != NULL && id_table_put(&r->server->by_id, next_id(r->server), s) != 0) {
        live_room_untune(r, stream);
        tape = NULL;
    }
    if (tape == NULL) {
        free(release);
        if (o != NULL)
            occupant_forget(o);
        return err_set(err, ERR_INTERNAL, NULL, "out of memory for one more person in %s", r->row.name);
    }
    s->id = ++r->server->last_session_id;
    r->subscribers += s->subscribed;
    s->seat = o;
    s->joined = true;
    s->stream = stream;
    s->outlet = live_room_on_outlet(r);
    o->session = s;
    o->seat_release = release;
    o->here_ns = clock_now_ns();
    o->hand = false;
    o->muted_self = m->role >= ROLE_SPEAKER && !s->mic_open; /* a microphone opens live only for who asked for it */
    r->present++;
    order_seat(r, s, tape, e);
    /* A full stage keeps nobody from listening: they have the role, and a place when one is free. */
    if (m->role >= ROLE_SPEAKER)
        (void)stage_enter(o, e, err);
    tell_audience(r, "joined", m->person.handle);
    live_room_count_soon(r);
    return 0;
}

static void on_seat_released(struct errand *e)
{
    struct seat_release *s = (struct seat_release *)e;
    struct live_room *r = s->room;
    struct errand *parent = s->parent;

    live_room_untune(r, s->stream);
    live_room_off_outlet(r, s->outlet);
    errand_pass(e, parent);
    free(s);
    r->pending--;
    live_room_rest(r);
    errand_arrived(parent);
}

void seat_leave(struct occupant *o, struct errand *e)
{
    struct live_room *r = o->room;
    struct session *session = o->session;
    struct seat_release *s = o->seat_release;
    struct udp_order in = {.kind = UDP_REMOVE, .session = session->id};
    struct outlet_order out = {.kind = OUTLET_REMOVE, .session = session->id};

    s->room = r;
    s->stream = session->stream;
    s->outlet = session->outlet;
    s->parent = e;
    errand_expect(e);
    r->pending++;
    errand_begin(&s->errand, on_seat_released);
    if (o->strip != NULL)
        stage_leave(o, true, &s->errand);
    else
        dispatch_outlet(r->server, session->outlet, &out, &s->errand);
    dispatch_udp(r->server, &in, &s->errand);
    if (o->hand)
        events_order(r, "hand", json_pack("{s:s, s:b}", "handle", o->standing.person.handle, "up", 0));
    o->hand = false;
    epoch_left(session);
    o->seat_release = NULL;
    o->session = NULL;
    session->seat = NULL;
    id_table_remove(&r->server->by_id, session->id);
    session->id = 0;
    sodium_memzero(&session->keys, sizeof session->keys);
    r->subscribers -= session->subscribed;
    r->present--;
    tell_audience(r, "left", o->standing.person.handle);
    live_room_count_soon(r);
    occupant_forget(o);
    errand_let_go(&s->errand);
}

/* --- another tier */

struct retune {
    struct errand errand;
    struct live_room *room;
    struct errand *parent;
    enum stream old;
};

static void on_retuned(struct errand *e)
{
    struct retune *t = (struct retune *)e;
    struct live_room *r = t->room;
    struct errand *parent = t->parent;

    live_room_untune(r, t->old);
    errand_pass(e, parent);
    free(t);
    r->pending--;
    live_room_rest(r);
    errand_arrived(parent);
}

int seat_tune(struct occupant *o, enum stream stream, struct errand *e, struct err *err)
{
    struct live_room *r = o->room;
    struct session *s = o->session;
    struct outlet_order out = {.kind = OUTLET_TUNE, .session = s->id, .stream = stream};
    struct udp_order in = {.kind = UDP_TUNE, .session = s->id};
    struct room_command own = {.order = ROOM_OWN_TIER, .slot = o->slot, .stream = stream};
    struct retune *t;
    const struct tape *tape;

    if (stream == s->stream)
        return 0;
    t = calloc(1, sizeof *t);
    tape = t != NULL ? live_room_tune(r, stream, err) : NULL;
    if (tape == NULL) {
        free(t);
        return err_set(err, ERR_INTERNAL, NULL, "out of memory for the %s tier", stream_name(stream));
    }
    t->room = r;
    t->parent = e;
    t->old = s->stream;
    errand_expect(e);
    r->pending++;
    errand_begin(&t->errand, on_retuned);
    s->stream = stream;
    out.tape = tape;
    describe(&in, r, tape, stream);
    dispatch_outlet(r->server, s->outlet, &out, &t->errand);
    dispatch_udp(r->server, &in, &t->errand);
    if (o->strip != NULL)
        dispatch_room(r, &own, &t->errand);
    errand_let_go(&t->errand);
    return 0;
}
