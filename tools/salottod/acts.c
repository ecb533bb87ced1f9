/* acts.c - what changes someone's standing in a live room (see acts.h) */
#include "tools/salottod/acts.h"

#include "net/clock.h"
#include "storage/audit.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/session.h"

#include <stdio.h>
#include <stdlib.h>

void acts_hand(struct occupant *o, bool up)
{
    if (o->hand == up)
        return;
    o->hand = up;
    o->hand_ns = clock_now_ns();
    events_order(o->room, "hand", json_pack("{s:s, s:b}", "handle", o->standing.person.handle, "up", (int)up));
}

void acts_tell_role(struct occupant *o, const char *by, const char *why)
{
    if (o->session == NULL)
        return;
    events_you(o->session, "role",
               json_pack("{s:s, s:o, s:b, s:b, s:s, s:s, s:I}", "role", role_name(o->standing.role), "strip",
                         o->strip != NULL ? json_integer((json_int_t)o->slot) : json_null(), "muted",
                         (int)occupant_is_muted(o), "muted_by_moderator", (int)o->standing.muted, "by", by, "why",
                         why != NULL ? why : "", "at_sample", (json_int_t)room_position(o->room->mixer)));
}

void acts_role(struct occupant *o, enum role role, const char *by, const char *why, struct errand *e)
{
    if (role < o->standing.role) {
        o->role_taken = occupant_next_act(o);
        if (o->session != NULL)
            o->session->mic_open = o->session->mic_asked;
    }
    o->standing.role = role;
    o->standing.since_ms = db_now_ms();
    if (o->session == NULL)
        return;
    if (role >= ROLE_SPEAKER && o->strip == NULL) {
        struct err err;

        acts_hand(o, false);
        /* A promoted listener's microphone opens live only if they asked for that; a hint tells them so. */
        o->muted_self = !o->session->mic_open;
        /* If it is full they get a place, and find the microphone so, when one is free. */
        (void)stage_enter(o, e, &err);
    } else if (role < ROLE_SPEAKER && o->strip != NULL) {
        stage_leave(o, false, e);
    } else if (o->strip != NULL) {
        events_room(o->room, "stage", occupant_json(o));
    }
    acts_tell_role(o, by, why);
}

/* Everyone is told of a mute with the position at which the mixer carried it out. */
struct mute_news {
    struct errand errand;
    struct live_room *room;
    struct errand *parent;
    int64_t person;
    char by[PERSON_HANDLE_MAX + 1];
    char why[AUDIT_TEXT_MAX + 1];
};

static void on_mute_done(struct errand *e)
{
    struct mute_news *n = (struct mute_news *)e;
    struct live_room *r = n->room;
    struct occupant *o = occupant_by_id(r, n->person);
    struct errand *parent = n->parent;

    if (o != NULL && o->strip != NULL)
        events_room_about(r, "muted",
                          json_pack("{s:s, s:i, s:b, s:b, s:I}", "handle", o->standing.person.handle, "strip",
                                    (int)o->slot, "muted", (int)occupant_is_muted(o), "muted_by_moderator",
                                    (int)o->standing.muted, "at_sample", (json_int_t)e->at_sample),
                          o, json_pack("{s:s, s:s}", "by", n->by, "why", n->why));
    errand_pass(e, parent);
    free(n);
    r->pending--;
    live_room_rest(r);
    errand_arrived(parent);
}

void acts_mute(struct occupant *o, bool by_moderator, bool by_self, const char *by, const char *why, struct errand *e)
{
    struct mute_news *n;

    o->standing.muted = by_moderator;
    o->muted_self = by_self;
    if (o->strip == NULL)
        return;
    n = calloc(1, sizeof *n);
    if (n == NULL) { /* the mute matters more than the news of it */
        stage_mute(o, e);
        return;
    }
    n->room = o->room;
    n->parent = e;
    n->person = o->standing.person.id;
    snprintf(n->by, sizeof n->by, "%s", by);
    snprintf(n->why, sizeof n->why, "%s", why != NULL ? why : "");
    errand_expect(e);
    o->room->pending++;
    errand_begin(&n->errand, on_mute_done);
    stage_mute(o, &n->errand);
    errand_let_go(&n->errand);
}

void acts_gain(struct occupant *o, float gain_db, struct errand *e)
{
    o->levelled = occupant_next_act(o);
    o->standing.gain_db = gain_db;
    stage_fader(o, e);
}

void acts_send_away(struct occupant *o, const char *reason, const char *by, const char *why, bool rekey,
                    struct errand *e)
{
    struct live_room *r = o->room;

    if (o->session != NULL) {
        session_send_away(o->session, reason, by, why);
        seat_leave(o, e);
    } else {
        occupant_forget(o);
    }
    if (rekey) /* also for who has just left: they hold the key */
        epoch_change(r);
}

void acts_end(struct live_room *r, const char *by, const char *why, struct errand *e)
{
    struct occupant *o, *next;

    r->ended = true;
    for (o = LIST_FIRST(&r->occupants); o != NULL; o = next) {
        next = LIST_NEXT(o, next);
        if (o->session != NULL)
            acts_send_away(o, "ended", by, why, false, e);
    }
    live_room_rest(r);
}
