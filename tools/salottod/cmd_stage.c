/* cmd_stage.c - promote, demote, gain: who is on the stage, and how loud */
#include "storage/audit.h"
#include "tools/language.h"
#include "tools/salottod/acts.h"
#include "tools/salottod/call.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/permission.h"
#include "tools/salottod/words.h"

#include <stdio.h>

static const char *by(const struct call *c)
{
    return c->actor.person.handle;
}

/* --- promote and demote */

/* The database has the acts in their order, so it decides: promote never lowers, demote never raises, and nobody acts
 * on someone who has become their equal meanwhile. *now is what the act finds. 0 or why not. */
static int may_change_role(struct call *c, const struct member *now, struct err *err)
{
    bool promote = c->command->run == cmd_promote;
    int status = permission_over(c->actor.role, now->role, c->command->name, now->person.handle, err);

    if (status == 0 && promote && now->role >= c->args.role) {
        status = err_set(err, ERR_USAGE, NULL, "%s is a %s already", now->person.handle, words_role(now->role));
        err_mend(err, "to lower it type: demote %s %s --to %s", c->row.name, now->person.handle,
                 role_name(c->args.role));
    } else if (status == 0 && !promote && now->role <= c->args.role) {
        status = err_set(err, ERR_USAGE, "look at `who`", "%s is a %s already, which is no more than %s",
                         now->person.handle, words_role(now->role), words_role(c->args.role));
    }
    return status;
}

static int work_promote(struct db *db, struct call *c, struct err *err)
{
    bool banned = false;
    int status = bans_get(db, c->row.id, c->target.person.id, &banned, NULL, err);

    if (status == 0 && banned)
        status =
            err_set(err, ERR_DENIED, "unban them first", "%s is banned from %s", c->target.person.handle, c->row.name);
    if (status == 0)
        status = members_get(db, c->row.id, c->target.person.id, &c->now, err);
    if (status == 0)
        status = may_change_role(c, &c->now, err);
    if (status == 0)
        status = members_set_role(db, c->row.id, c->target.person.id, c->args.role, err);
    if (status == 0)
        status = members_get(db, c->row.id, c->target.person.id, &c->now, err);
    if (status == 0)
        status = audit_append(db, c->row.id, c->command->name, c->actor.person.id, c->target.person.id,
                              role_name(c->args.role), c->args.why, err);
    return status;
}

/* When there is nothing to take the job is done all the same: the room, which was ahead of it, must learn of that. */
static int work_demote(struct db *db, struct call *c, struct err *err)
{
    int status = members_get(db, c->row.id, c->target.person.id, &c->now, err);

    if (status != 0 || may_change_role(c, &c->now, err) != 0)
        return status;
    status = members_set_role(db, c->row.id, c->target.person.id, c->args.role, err);
    if (status == 0)
        status = audit_append(db, c->row.id, c->command->name, c->actor.person.id, c->target.person.id,
                              role_name(c->args.role), c->args.why, err);
    return status;
}

/* What the database has holds, but for what was taken since: the act that took it will settle that. Someone absent is
 * known with their standing from here on. */
static void settle_role(struct call *c, enum role role)
{
    struct live_room *r = call_live(c);
    struct occupant *o = call_target(c);

    c->now.role = role;
    if (o != NULL && o->role_taken <= c->asked && o->standing.role != role)
        acts_role(o, role, by(c), c->args.why, &c->errand);
    else if (o == NULL && r != NULL && role > ROLE_LISTENER)
        (void)occupant_know(r, &c->now);
}

static void grant_role(struct call *c)
{
    settle_role(c, c->now.role);
}

static json_t *report_role(struct call *c)
{
    static const char *const sentences[] = {
        [ROLE_LISTENER] = N_("%s is now a listener in %s"),
        [ROLE_SPEAKER] = N_("%s is now a speaker in %s"),
        [ROLE_MODERATOR] = N_("%s is now a moderator in %s"),
        [ROLE_HOST] = N_("%s is now a host in %s"),
    };
    json_t *body = call_act_report(c, _(sentences[c->args.role]));

    json_object_set_new(json_object_get(body, "data"), "role", json_string(role_name(c->args.role)));
    return body;
}

/* Counts people, not strips: the place of who has just left is given on as soon as their strip is put away. */
static bool stage_is_full(const struct call *c)
{
    const struct live_room *r = call_live(c);

    return r != NULL && live_room_on_stage(r) == ROOM_STRIPS_MAX;
}

int cmd_promote(struct call *c)
{
    const struct occupant *o = call_target(c);

    if (!c->args.has_role)
        c->args.role = ROLE_SPEAKER;
    if (permission_give(c->actor.role, c->args.role, &c->err) != 0 || may_change_role(c, &c->target, &c->err) != 0)
        return -(int)c->err.code;
    if (o != NULL && o->session != NULL && o->strip == NULL && stage_is_full(c))
        return err_set(&c->err, ERR_DENIED, "demote somebody first", "the stage of %s is full (%d people)", c->row.name,
                       ROOM_STRIPS_MAX);
    c->report = report_role;
    call_commit(c, work_promote, grant_role);
    return 0;
}

/* At once, and a promotion that is under way is held back until the database has decided. */
static void take_role(struct call *c)
{
    struct occupant *o = call_target(c);

    if (o == NULL)
        return;
    if (o->standing.role > c->args.role)
        acts_role(o, c->args.role, by(c), c->args.why, &c->errand);
    else
        o->role_taken = occupant_next_act(o);
    c->applied = true;
}

static void take_role_later(struct call *c)
{
    c->status = may_change_role(c, &c->now, &c->err);
    settle_role(c, c->status == 0 ? c->args.role : c->now.role);
}

int cmd_demote(struct call *c)
{
    if (!c->args.has_role)
        c->args.role = ROLE_LISTENER;
    if (call_over_target(c) != 0)
        return -(int)c->err.code;
    c->report = report_role;
    take_role(c);
    call_commit(c, work_demote, take_role_later);
    return 0;
}

/* --- gain */

static int work_gain(struct db *db, struct call *c, struct err *err)
{
    char detail[AUDIT_ACT_MAX + 1];
    int status = members_set_gain(db, c->row.id, c->target.person.id, c->args.gain_db, err);

    snprintf(detail, sizeof detail, "%+.1f dB", (double)c->args.gain_db);
    if (status == 0)
        status = audit_append(db, c->row.id, c->command->name, c->actor.person.id, c->target.person.id, detail,
                              c->args.why, err);
    return status;
}

static void apply_gain(struct call *c)
{
    struct occupant *o = call_know_target(c);

    if (o == NULL)
        return;
    acts_gain(o, c->args.gain_db, &c->errand);
    c->applied = true;
}

static void gain_later(struct call *c)
{
    const struct occupant *o = call_target(c);

    /* Again for whom a join has brought back with what the database had before. */
    if (!c->applied || (o != NULL && o->levelled <= c->asked && o->standing.gain_db != c->args.gain_db))
        apply_gain(c);
}

static json_t *report_gain(struct call *c)
{
    json_t *data = call_act_data(c);
    char text[160];

    snprintf(text, sizeof text, _("%s is at %+.1f dB in %s"), c->target.person.handle, (double)c->args.gain_db,
             c->row.name);
    json_object_set_new(data, "gain_db", json_real((double)c->args.gain_db));
    return json_pack("{s:s, s:o}", "text", text, "data", data);
}

int cmd_gain(struct call *c)
{
    if (call_over_target(c) != 0)
        return -(int)c->err.code;
    c->report = report_gain;
    apply_gain(c);
    call_commit(c, work_gain, gain_later);
    return 0;
}
