/* cmd_self.c - hand, quiet, tune, step-down: what people in a room do for themselves */
#include "storage/audit.h"
#include "tools/salottod/acts.h"
#include "tools/salottod/call.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/session.h"

static json_t *report_self(struct call *c)
{
    return json_pack("{s:{s:s, s:I}}", "data", "room", c->row.name, "at_sample", (json_int_t)c->errand.at_sample);
}

int cmd_hand(struct call *c)
{
    struct occupant *o = call_actor(c);

    if (o->strip != NULL && c->args.on)
        return err_set(&c->err, ERR_USAGE, "just speak", "you are on stage already");
    acts_hand(o, c->args.on);
    /* Whoever asks for the word is ready to be heard, and no longer when the hand is down again. */
    o->session->mic_open = c->args.on || o->session->mic_asked;
    c->report = report_self;
    return 0;
}

int cmd_quiet(struct call *c)
{
    struct occupant *o = call_actor(c);

    if (!c->args.on && o->standing.muted)
        return err_set(&c->err, ERR_DENIED, "ask a moderator to lift it", "a moderator has muted you");
    acts_mute(o, o->standing.muted, c->args.on, o->standing.person.handle, NULL, &c->errand);
    c->report = report_self;
    return 0;
}

int cmd_tune(struct call *c)
{
    struct occupant *o = call_actor(c);

    if (tier_frame_samples(c->args.tier) == 0)
        return err_set(&c->err, ERR_USAGE, "the tiers are low and standard", "there is no tier '%s'",
                       stream_name(c->args.tier));
    c->report = report_self;
    return seat_tune(o, c->args.tier, &c->errand, &c->err);
}

static int work_step_down(struct db *db, struct call *c, struct err *err)
{
    int status = members_set_role(db, c->row.id, c->actor.person.id, ROLE_LISTENER, err);

    if (status == 0)
        status = audit_append(db, c->row.id, "step-down", c->actor.person.id, 0, NULL, NULL, err);
    return status;
}

static bool is_last_host(const struct occupant *self)
{
    const struct occupant *o;

    if (self->standing.role != ROLE_HOST)
        return false;
    LIST_FOREACH (o, &self->room->occupants, next)
        if (o != self && o->standing.role == ROLE_HOST)
            return false;
    return true;
}

int cmd_step_down(struct call *c)
{
    struct occupant *o = call_actor(c);

    if (is_last_host(o)) {
        err_set(&c->err, ERR_DENIED, NULL, "a room keeps at least one host");
        err_mend(&c->err, "name another first: promote %s PERSON --to host", c->row.name);
        return -ERR_DENIED;
    }
    acts_role(o, ROLE_LISTENER, o->standing.person.handle, NULL, &c->errand);
    c->report = report_self;
    call_commit(c, work_step_down, NULL);
    return 0;
}
