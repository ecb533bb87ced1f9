/* cmd_mute.c - mute and unmute: who is silenced */
#include "storage/audit.h"
#include "tools/language.h"
#include "tools/salottod/acts.h"
#include "tools/salottod/call.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/occupant.h"

#include <stdio.h>
#include <stdlib.h>

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
        acts_mute(o, false, o->muted_self, c->actor.person.handle, c->args.why, &c->errand);
    } else if (c->args.may_unmute) {
        acts_mute(o, o->standing.muted, true, c->actor.person.handle, c->args.why, &c->errand);
    } else {
        o->voice_taken = occupant_next_act(o);
        acts_mute(o, true, o->muted_self, c->actor.person.handle, c->args.why, &c->errand);
    }
}

static void apply_mute(struct call *c)
{
    struct occupant *o = call_know_target(c);

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

    if (is_mute(c))
        return call_act_report(c, c->args.may_unmute ? _("%s is muted in %s, and may unmute themself")
                                                     : _("%s is muted in %s until a moderator lifts it"));
    return call_act_report(c, o != NULL && o->muted_self ? _("%s may be heard in %s, once they lift their own mute")
                                                         : _("%s may be heard in %s"));
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

static bool unmute_all_reaches(const struct call *c, const struct member *m)
{
    return m->muted && m->role < c->actor.role;
}

static int work_unmute_all(struct db *db, struct call *c, struct err *err)
{
    struct member *members = NULL;
    size_t count = 0;
    int status = members_list(db, c->row.id, &members, &count, err);

    for (size_t i = 0; status == 0 && i < count; i++) {
        if (!unmute_all_reaches(c, &members[i]))
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

/* Holds %zu and %s, for how many and the room. */
static const char *all_sentence(const struct call *c)
{
    if (!is_mute(c))
        return language_plural("%zu person in %s is unmuted, but for their own mute",
                               "%zu people in %s are unmuted, but for their own mutes", c->count);
    if (c->args.may_unmute)
        return language_plural("%zu person in %s is muted and may unmute themself",
                               "%zu people in %s are muted and may unmute themselves", c->count);
    return language_plural("%zu person in %s is muted until a moderator lifts it",
                           "%zu people in %s are muted until a moderator lifts it", c->count);
}

static json_t *report_mute_all(struct call *c)
{
    char text[160];

    snprintf(text, sizeof text, all_sentence(c), c->count, c->row.name);
    return json_pack("{s:s, s:{s:s, s:O, s:b, s:I}}", "text", text, "data", "room", c->row.name, "people", c->done_to,
                     "may_unmute", (int)c->args.may_unmute, "at_sample", (json_int_t)c->errand.at_sample);
}

static void ask_all(struct call *c, size_t n)
{
    char question[sizeof c->question];

    snprintf(question, sizeof question,
             is_mute(c) ? language_plural("This mutes %zu person in %s.", "This mutes %zu people in %s.", n)
                        : language_plural("This unmutes %zu person in %s.", "This unmutes %zu people in %s.", n),
             n, c->row.name);
    call_ask(c, question);
}

static bool mute_all_reaches(const struct call *c, const struct occupant *o)
{
    return o->standing.role < c->actor.role && o->strip != NULL;
}

static size_t count_to_mute(const struct call *c)
{
    const struct live_room *r = call_live(c);
    const struct occupant *o;
    size_t n = 0;

    if (r != NULL)
        LIST_FOREACH (o, &r->occupants, next)
            n += mute_all_reaches(c, o);
    return n;
}

static int mute_all(struct call *c)
{
    struct live_room *r = call_live(c);
    struct occupant *o;
    size_t n = call_must_ask(c) ? count_to_mute(c) : 0;

    if (n > 0) {
        ask_all(c, n);
        return 0;
    }
    if (r != NULL)
        LIST_FOREACH (o, &r->occupants, next) {
            if (!mute_all_reaches(c, o))
                continue;
            if (add_person(c, o->standing.person.id) != 0)
                return err_set(&c->err, ERR_INTERNAL, NULL, "out of memory");
            json_array_append_new(c->done_to, json_string(o->standing.person.handle));
            apply_mute_one(c, o);
        }
    call_commit(c, work_mute_all, NULL);
    return 0;
}

static int work_count_muted(struct db *db, struct call *c, struct err *err)
{
    struct member *members = NULL;
    size_t n = 0;
    int status = members_list(db, c->row.id, &members, &n, err);

    c->count = 0;
    for (size_t i = 0; status == 0 && i < n; i++)
        c->count += unmute_all_reaches(c, &members[i]);
    free(members);
    return status;
}

static void unmute_or_ask(struct call *c)
{
    size_t n = c->count;

    c->count = 0;
    if (n > 0)
        ask_all(c, n);
    else
        call_commit(c, work_unmute_all, grant_unmute_all);
}

static int unmute_all(struct call *c)
{
    if (call_must_ask(c))
        call_commit(c, work_count_muted, unmute_or_ask);
    else
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
