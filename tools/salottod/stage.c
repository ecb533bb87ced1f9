/* stage.c - up to the stage and down from it: a strip of the mixer for each who may speak
 *
 * The threads that point to a strip let go of it in the order in which sound flows: udp-in lays no more packets in the
 * inbox, the mixer gives the block back, the outlet reads no more of its tape. Only then is it freed.
 */
#include "tools/salottod/occupant.h"

#include "tools/language.h"
#include "tools/salottod/acts.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/session.h"

#include <stdlib.h>
#include <string.h>

static int free_slot(struct live_room *r)
{
    for (int n = 0; n < ROOM_STRIPS_MAX; n++)
        if ((r->slots_taken >> n & 1) == 0)
            return n;
    return -1;
}

static void order_udp_stage(struct occupant *o, struct errand *e)
{
    const struct strip_stats *st = strip_stats(o->strip);
    struct udp_order stage = {
        .kind = UDP_STAGE,
        .session = o->session->id,
        .inbox = room_inbox(o->room->mixer, 0),
        .room_waker = room_waker(o->room->mixer),
        .report = {&st->received, &st->lost, &st->late, &st->recovered, &st->delay_ms, &st->highest_sequence},
        .slot = (uint8_t)o->slot,
        .lease = o->room->lease[o->slot],
        .heard = !occupant_is_muted(o),
        .own_tape = strip_tape(o->strip),
    };

    dispatch_udp(o->room->server, &stage, e);
}

struct strip_release {
    struct errand errand;
    struct live_room *room;
    struct strip *strip;
    struct errand *parent;
    uint32_t session;
    unsigned slot, outlet;
    bool outlet_told;
};

int stage_enter(struct occupant *o, struct errand *e, struct err *err)
{
    struct live_room *r = o->room;
    int slot = free_slot(r);
    struct strip_config c = {
        .muted = occupant_is_muted(o),
        .fader_db = o->standing.gain_db,
        .own_tier = o->session->stream,
        .first_own_number = o->session->own_number,
        .hears_self = r->echo,
        .complexity = SERVER_COMPLEXITY,
    };
    struct room_command add = {.order = ROOM_ADD_STRIP};
    struct outlet_order stage = {.kind = OUTLET_STAGE, .session = o->session->id, .slot = slot};
    struct strip_release *release;
    struct strip *strip;

    if (slot < 0)
        return err_set(err, ERR_DENIED, "demote somebody first", "the stage of %s is full (%d people)", r->row.name,
                       ROOM_STRIPS_MAX);
    c.lease = (uint8_t)(r->lease[slot] + 1);
    strip = strip_new(&c);
    release = calloc(1, sizeof *release); /* now, so that leaving never asks for memory */
    if (strip == NULL || release == NULL) {
        strip_free(strip);
        free(release);
        return err_set(err, ERR_INTERNAL, NULL, "out of memory for a strip");
    }
    o->strip = strip;
    o->strip_release = release;
    r->lease[slot] = c.lease;
    r->slots_taken |= 1u << slot;
    r->slot[slot] = o;
    o->slot = (unsigned)slot;
    add.slot = o->slot;
    add.block = o->strip;
    dispatch_room(r, &add, e);
    stage.own_tape = strip_tape(o->strip);
    dispatch_outlet(r->server, o->session->outlet, &stage, e);
    order_udp_stage(o, e);
    events_room(r, "stage", occupant_json(o));
    live_room_count_soon(r);
    return 0;
}

/* To who has waited longest of those who have the role for it but found the stage full. */
static void give_place(struct live_room *r)
{
    struct occupant *o, *first = NULL;
    struct err err;

    LIST_FOREACH (o, &r->occupants, next)
        if (o->session != NULL && o->strip == NULL && o->standing.role >= ROLE_SPEAKER &&
            (first == NULL || o->here_ns < first->here_ns))
            first = o;
    if (first != NULL && !r->server->stopping && stage_enter(first, NULL, &err) == 0)
        acts_tell_role(first, "", N_("there is a place on the stage now")); /* the client has the words */
}

static void on_strip_released(struct errand *e)
{
    struct strip_release *s = (struct strip_release *)e;
    struct live_room *r = s->room;
    struct session *session = session_by_id(r->server, s->session);
    struct errand *parent = s->parent;

    if (!s->outlet_told) {
        /* The mixer has flagged the last packet of the own stream: now the outlet may let go of it. Who is back on
         * stage already has another strip, which stays. */
        struct outlet_order stage = {.kind = OUTLET_STAGE, .session = s->session, .slot = -1};

        if (session != NULL && session->seat->strip != NULL) {
            stage.slot = (int)session->seat->slot;
            stage.own_tape = strip_tape(session->seat->strip);
        }
        s->outlet_told = true;
        e->waiting = 1;
        dispatch_outlet(r->server, s->outlet, &stage, e);
        errand_let_go(e);
        return;
    }
    r->slots_taken &= ~(1u << s->slot);
    if (e->error == 0) /* else the mixer was stopped, and frees it */
        strip_free(s->strip);
    errand_pass(e, parent);
    free(s);
    r->pending--;
    give_place(r);
    live_room_rest(r);
    errand_arrived(parent);
}

void stage_leave(struct occupant *o, bool leaving, struct errand *e)
{
    struct live_room *r = o->room;
    struct strip_release *s = o->strip_release;
    struct udp_order off = {.kind = UDP_STAGE, .session = o->session->id};
    struct room_command remove = {.order = ROOM_REMOVE_STRIP, .slot = o->slot, .cut = leaving};

    s->room = r;
    s->strip = o->strip;
    s->slot = o->slot;
    s->session = o->session->id;
    s->outlet = o->session->outlet;
    s->parent = e;
    /* The mixer may append a few more before it sees the order; a number given twice would be a nonce used twice. */
    if (strip_tape(o->strip) != NULL)
        o->session->own_number = tape_next(strip_tape(o->strip)) + 256;
    errand_expect(e);
    r->pending++;
    errand_begin(&s->errand, on_strip_released);
    if (leaving) {
        struct outlet_order gone = {.kind = OUTLET_REMOVE, .session = o->session->id};

        s->outlet_told = true;
        dispatch_outlet(r->server, s->outlet, &gone, &s->errand);
    }
    dispatch_udp(r->server, &off, &s->errand);
    dispatch_room(r, &remove, &s->errand);
    r->slot[o->slot] = NULL;
    r->talking &= ~(1u << o->slot);
    o->strip = NULL;
    o->strip_release = NULL;
    errand_let_go(&s->errand);
    events_room(r, "stage", occupant_json(o));
    live_room_count_soon(r);
}

void stage_mute(struct occupant *o, struct errand *e)
{
    bool muted = occupant_is_muted(o);
    struct room_command c = {.order = muted ? ROOM_MUTE : ROOM_UNMUTE};
    struct udp_order heard = {.kind = UDP_HEARD, .heard = !muted};

    if (o->strip == NULL)
        return;
    c.slot = o->slot;
    heard.session = o->session->id;
    dispatch_room(o->room, &c, e);
    dispatch_udp(o->room->server, &heard, e);
}

void stage_fader(struct occupant *o, struct errand *e)
{
    struct room_command c = {.order = ROOM_FADER, .gain_db = o->standing.gain_db};

    if (o->strip == NULL)
        return;
    c.slot = o->slot;
    dispatch_room(o->room, &c, e);
}
