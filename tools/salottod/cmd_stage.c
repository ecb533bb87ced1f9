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

static int over_target(struct call *c)
{
    return permission_over(c->actor.role, c->target.role, c->command->name, c->target.person.handle, &c->err);
}

/* --- promote and demote */

/* Between the look-up and this job another act may have raised them further: promote never lowers. */
static int work_role(struct db *db, struct call *c, struct err *err)
{
    struct member now;
    int status = members_get(db, c->row.id, c->target.person.id, &now, err);

    if (status == 0 && c->command->run == cmd_promote && now.role >= c->args.role)
        status = err_set(err, ERR_USAGE, "look at `who`", "%s is a %s already", c->target.person.handle,
                         role_name(now.role));
    if (status == 0)
        status = members_set_role(db, c->row.id, c->target.person.id, c->args.role, err);
    if (status == 0)
        status = audit_append(db, c->row.id, c->command->name, c->actor.person.id, c->target.person.id,
                              role_name(c->args.role), c->args.why, err);
    return status;
}

/* Someone absent whom the room did not know; a join of theirs that is under way is older than this. */
static void know(struct live_room *r, const struct member *m)
{
    struct occupant *o = occupant_know(r, m);

    if (o != NULL)
        o->changed = ++r->server->acts;
}

/* To whoever is live by now; someone absent is known with the new standing from here on. */
static void apply_role(struct call *c)
{
    struct live_room *r = call_live(c);
    struct occupant *o = call_target(c);

    if (r == NULL)
        return;
    if (o != NULL) {
        acts_role(o, c->args.role, by(c), c->args.why, &c->errand);
    } else {
        struct member m = c->target;

        m.role = c->args.role;
        m.since_ms = db_now_ms();
        know(r, &m);
    }
    c->applied = true;
}

static void grant_role(struct call *c)
{
    struct occupant *o = call_target(c);

    if (o == NULL || (o->role_taken <= c->asked && o->standing.role < c->args.role))
        apply_role(c);
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

static bool stage_is_full(const struct call *c)
{
    struct live_room *r = call_live(c);

    return r != NULL && r->slots_taken == UINT32_MAX;
}

int cmd_promote(struct call *c)
{
    struct occupant *o = call_target(c);

    if (!c->args.has_role)
        c->args.role = ROLE_SPEAKER;
    if (over_target(c) != 0 || permission_give(c->actor.role, c->args.role, &c->err) != 0)
        return -(int)c->err.code;
    if (c->target.role >= c->args.role) {
        err_set(&c->err, ERR_USAGE, NULL, "%s is a %s already", c->target.person.handle, role_name(c->target.role));
        err_mend(&c->err, "to lower it type: demote %s %s --to %s", c->row.name, c->target.person.handle,
                 role_name(c->args.role));
        return -ERR_USAGE;
    }
    if (c->target_banned || (o != NULL && o->banned))
        return err_set(&c->err, ERR_DENIED, "unban them first", "%s is banned from %s", c->target.person.handle,
                       c->row.name);
    if (o != NULL && o->session != NULL && o->strip == NULL && stage_is_full(c))
        return err_set(&c->err, ERR_DENIED, "demote somebody first", "the stage of %s is full (%d people)", c->row.name,
                       ROOM_STRIPS_MAX);
    c->report = report_role;
    call_commit(c, work_role, grant_role);
    return 0;
}

static void take_role_later(struct call *c)
{
    if (!c->applied)
        apply_role(c);
}

int cmd_demote(struct call *c)
{
    if (!c->args.has_role)
        c->args.role = ROLE_LISTENER;
    if (over_target(c) != 0)
        return -(int)c->err.code;
    if (c->target.role <= c->args.role)
        return err_set(&c->err, ERR_USAGE, "look at `who`", "%s is a %s already, which is no more than %s",
                       c->target.person.handle, role_name(c->target.role), role_name(c->args.role));
    c->report = report_role;
    apply_role(c);
    call_commit(c, work_role, take_role_later);
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
        acts_mute(o, true, o->muted_self, by(c), c->args.why, &c->errand);
        o->voice_taken = o->changed;
    }
}

static void apply_mute(struct call *c)
{
    struct occupant *o = call_target(c);

    c->target.muted = is_mute(c);
    if (o != NULL)
        apply_mute_one(c, o);
    else if (call_live(c) != NULL)
        know(call_live(c), &c->target);
    c->applied = call_live(c) != NULL;
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
    if (over_target(c) != 0)
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
    if (over_target(c) != 0)
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
    struct occupant *o = call_target(c);

    c->target.gain_db = c->args.gain_db;
    if (o != NULL)
        acts_gain(o, c->args.gain_db, &c->errand);
    else if (call_live(c) != NULL)
        know(call_live(c), &c->target);
    c->applied = call_live(c) != NULL;
}

static void gain_later(struct call *c)
{
    if (!c->applied)
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
    if (over_target(c) != 0)
        return -(int)c->err.code;
    c->report = report_gain;
    apply_gain(c);
    call_commit(c, work_gain, gain_later);
    return 0;
}
