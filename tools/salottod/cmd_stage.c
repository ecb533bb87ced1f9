/* cmd_stage.c - promote, demote, mute, unmute, gain: who is heard, and how loud */
#include "storage/audit.h"
#include "tools/salottod/acts.h"
#include "tools/salottod/call.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/permission.h"

#include <stdio.h>
#include <stdlib.h>

static const char *by(const struct call *c)
{
    return c->actor.person.handle;
}

/* The target in the live room, made if they are absent and the room did not know them. NULL: no live room. */
static struct occupant *know_target(struct call *c)
{
    struct occupant *o = call_target(c);

    return o != NULL || call_live(c) == NULL ? o : occupant_know(call_live(c), &c->target);
}

/* --- promote and demote */

/* The database has the acts in their order, so it decides: promote never lowers, demote never raises, and nobody acts
 * on someone who has become their equal meanwhile. *now is what the act finds. 0 or why not. */
static int may_change_role(struct call *c, const struct member *now, struct err *err)
{
    bool promote = c->command->run == cmd_promote;
    int status = permission_over(c->actor.role, now->role, c->command->name, now->person.handle, err);

    if (status == 0 && promote && now->role >= c->args.role) {
        status = err_set(err, ERR_USAGE, NULL, "%s is a %s already", now->person.handle, role_name(now->role));
        err_mend(err, "to lower it type: demote %s %s --to %s", c->row.name, now->person.handle,
                 role_name(c->args.role));
    } else if (status == 0 && !promote && now->role <= c->args.role) {
        status = err_set(err, ERR_USAGE, "look at `who`", "%s is a %s already, which is no more than %s",
                         now->person.handle, role_name(now->role), role_name(c->args.role));
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
    char what[64];
    json_t *body;

    snprintf(what, sizeof what, "is now %s", role_name(c->args.role));
    body = call_act_report(c, what, "");
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

/* --- mute and unmute */

static bool is_mute(const struct call *c)
{
    return c->command->run == cmd_mute;
}

static int work_mute_one(struct db *db, struct call *c, int64_t person, struct err *err)
{
    int status = 0;

    if (!c->args.may_unmute)
        status = members_set_muted(db, c->row.id, person, is_mute(c), err);
    if (status == 0)
        status = audit_append(db, c->row.id, c->command->name, c->actor.person.id, person,
                              c->args.may_unmute ? "may unmute" : NULL, c->args.why, err);
    return status;
}

static int work_mute(struct db *db, struct call *c, struct err *err)
{
    return work_mute_one(db, c, c->target.person.id, err);
}

static void apply_mute_one(struct call *c, struct occupant *o)
{
    if (!is_mute(c)) {
        acts_mute(o, false, o->muted_self, by(c), c->args.why, &c->errand);
    } else if (c->args.may_unmute) {
        acts_mute(o, o->standing.muted, true, by(c), c->args.why, &c->errand);
    } else {
        o->voice_taken = occupant_next_act(o);
        acts_mute(o, true, o->muted_self, by(c), c->args.why, &c->errand);
    }
}

static void apply_mute(struct call *c)
{
    struct occupant *o = know_target(c);

    if (o == NULL)
        return;
    apply_mute_one(c, o);
    occupant_forget(o);
    c->applied = true;
}

static void take_mute_later(struct call *c)
{
    if (!c->applied)
        apply_mute(c);
}

static void grant_unmute(struct call *c)
{
    struct occupant *o = call_target(c);

    if (o == NULL || o->voice_taken <= c->asked)
        apply_mute(c);
}

static json_t *report_mute(struct call *c)
{
    const struct occupant *o = call_target(c);

    if (!is_mute(c))
        return call_act_report(c, "may be heard", o != NULL && o->muted_self ? ", once they lift their own mute" : "");
    return call_act_report(c, "is muted",
                           c->args.may_unmute ? ", and may unmute themself" : " until a moderator lifts it");
}

/* --- all of them: mute silences everyone of a lower rank who is on stage now; unmute lifts every moderator's mute on
 * people of a lower rank, absent ones too. */

static int add_person(struct call *c, int64_t person)
{
    int64_t *more = realloc(c->people, (c->count + 1) * sizeof *more);

    if (more == NULL)
        return -1;
    c->people = more;
    c->people[c->count++] = person;
    return 0;
}

static int work_mute_all(struct db *db, struct call *c, struct err *err)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < c->count; i++)
        status = work_mute_one(db, c, c->people[i], err);
    return status;
}

static int work_unmute_all(struct db *db, struct call *c, struct err *err)
{
    struct member *members = NULL;
    size_t count = 0;
    int status = members_list(db, c->row.id, &members, &count, err);

    for (size_t i = 0; status == 0 && i < count; i++) {
        if (!members[i].muted || members[i].role >= c->actor.role)
            continue;
        status = work_mute_one(db, c, members[i].person.id, err);
        if (status == 0 && (add_person(c, members[i].person.id) != 0 ||
                            json_array_append_new(c->done_to, json_string(members[i].person.handle)) != 0))
            status = err_set(err, ERR_INTERNAL, NULL, "out of memory");
    }
    free(members);
    return status;
}

static void grant_unmute_all(struct call *c)
{
    struct live_room *r = call_live(c);

    for (size_t i = 0; r != NULL && i < c->count; i++) {
        struct occupant *o = occupant_by_id(r, c->people[i]);

        if (o != NULL && o->voice_taken <= c->asked)
            apply_mute_one(c, o);
    }
}

static json_t *report_mute_all(struct call *c)
{
    const char *how = "unmuted, but for their own mutes";
    char text[160];

    if (is_mute(c))
        how = c->args.may_unmute ? "muted; they may unmute themselves" : "muted until a moderator lifts it";
    snprintf(text, sizeof text, "%zu %s in %s %s", c->count, c->count == 1 ? "person" : "people", c->row.name, how);
    return json_pack("{s:s, s:{s:s, s:O, s:b, s:I}}", "text", text, "data", "room", c->row.name, "people", c->done_to,
                     "may_unmute", (int)c->args.may_unmute, "at_sample", (json_int_t)c->errand.at_sample);
}

static int mute_all(struct call *c)
{
    struct live_room *r = call_live(c);
    struct occupant *o;

    if (r != NULL)
        LIST_FOREACH (o, &r->occupants, next) {
            if (o->standing.role >= c->actor.role || o->strip == NULL)
                continue;
            if (add_person(c, o->standing.person.id) != 0)
                return err_set(&c->err, ERR_INTERNAL, NULL, "out of memory");
            json_array_append_new(c->done_to, json_string(o->standing.person.handle));
            apply_mute_one(c, o);
        }
    call_commit(c, work_mute_all, NULL);
    return 0;
}

static int unmute_all(struct call *c)
{
    call_commit(c, work_unmute_all, grant_unmute_all);
    return 0;
}

static int all_of_them(struct call *c)
{
    c->report = report_mute_all;
    c->done_to = json_array();
    if (c->done_to == NULL)
        return err_set(&c->err, ERR_INTERNAL, NULL, "out of memory");
    return is_mute(c) ? mute_all(c) : unmute_all(c);
}

int cmd_mute(struct call *c)
{
    struct occupant *o = call_target(c);

    if (c->args.all)
        return all_of_them(c);
    if (call_over_target(c) != 0)
        return -(int)c->err.code;
    if (c->args.may_unmute && (o == NULL || o->strip == NULL))
        return err_set(&c->err, ERR_USAGE, "leave --may-unmute away to mute them for when they come",
                       "%s is not on stage", c->target.person.handle);
    c->report = report_mute;
    apply_mute(c);
    call_commit(c, work_mute, take_mute_later);
    return 0;
}

int cmd_unmute(struct call *c)
{
    if (c->args.all)
        return all_of_them(c);
    if (call_over_target(c) != 0)
        return -(int)c->err.code;
    c->report = report_mute;
    call_commit(c, work_mute, grant_unmute);
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
    struct occupant *o = know_target(c);

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
    char what[64];
    json_t *body;

    snprintf(what, sizeof what, "is at %+.1f dB", (double)c->args.gain_db);
    body = call_act_report(c, what, "");
    json_object_set_new(json_object_get(body, "data"), "gain_db", json_real((double)c->args.gain_db));
    return body;
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
