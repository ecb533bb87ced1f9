/* cmd_door.c - kick, ban, unban, invite, link: who comes in and who goes */
#include "storage/audit.h"
#include "tools/language.h"
#include "tools/salottod/acts.h"
#include "tools/salottod/call.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/permission.h"
#include "tools/salottod/session.h"
#include "tools/salottod/words.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* --- kick */

static int work_audit(struct db *db, struct call *c, struct err *err)
{
    return audit_append(db, c->row.id, c->command->name, c->actor.person.id, c->target.person.id, NULL, c->args.why,
                        err);
}

static json_t *report_kick(struct call *c)
{
    return call_act_report(c, _("%s is no longer in %s"));
}

int cmd_kick(struct call *c)
{
    struct occupant *o = call_target(c);

    if (call_over_target(c) != 0)
        return -(int)c->err.code;
    if (o == NULL || o->session == NULL)
        return err_set(&c->err, ERR_NOT_FOUND, "look at `who`, or keep them out with `ban`", "%s is not in %s",
                       c->target.person.handle, c->row.name);
    c->report = report_kick;
    acts_send_away(o, "kicked", c->actor.person.handle, c->args.why, true, &c->errand);
    call_commit(c, work_audit, NULL);
    return 0;
}

/* --- ban and unban */

static int work_ban(struct db *db, struct call *c, struct err *err)
{
    int status = bans_set(db, c->row.id, c->target.person.id, c->actor.person.id, c->args.why, err);

    return status == 0 ? work_audit(db, c, err) : status;
}

static void apply_ban(struct call *c)
{
    struct live_room *r = call_live(c);
    struct occupant *o;

    if (r == NULL)
        return;
    c->target.role = ROLE_LISTENER;
    o = call_target(c);
    if (o == NULL)
        o = occupant_know(r, &c->target);
    if (o != NULL) {
        o->banned = true;
        o->standing.role = ROLE_LISTENER;
        o->role_taken = o->shut_out = occupant_next_act(o);
        acts_send_away(o, "banned", c->actor.person.handle, c->args.why, true, &c->errand);
        c->applied = true;
    }
}

static void ban_later(struct call *c)
{
    const struct occupant *o = call_target(c);

    /* Again if a join slipped in between two acts that contradict each other. */
    if (!c->applied || (o != NULL && o->session != NULL))
        apply_ban(c);
}

static json_t *report_ban(struct call *c)
{
    return call_act_report(c, _("%s is banned from %s"));
}

int cmd_ban(struct call *c)
{
    if (call_over_target(c) != 0)
        return -(int)c->err.code;
    c->report = report_ban;
    apply_ban(c);
    call_commit(c, work_ban, ban_later);
    return 0;
}

static int work_unban(struct db *db, struct call *c, struct err *err)
{
    bool was = false;
    int status = bans_lift(db, c->row.id, c->target.person.id, &was, err);

    if (status == 0 && !was)
        status =
            err_set(err, ERR_USAGE, "look at `log`", "%s is not banned from %s", c->target.person.handle, c->row.name);
    return status == 0 ? work_audit(db, c, err) : status;
}

static void apply_unban(struct call *c)
{
    struct occupant *o = call_target(c);

    if (o != NULL && o->shut_out <= c->asked) { /* else they were banned again meanwhile */
        o->banned = false;
        occupant_forget(o);
    }
}

static json_t *report_unban(struct call *c)
{
    return call_act_report(c, _("%s may come back to %s"));
}

int cmd_unban(struct call *c)
{
    c->report = report_unban;
    call_commit(c, work_unban, apply_unban);
    return 0;
}

/* --- links */

static void print_link(const struct call *c, const char *token, char out[LINK_TEXT_MAX])
{
    struct link l = {.port = c->server->sockets.port, .has_key = true};

    snprintf(l.host, sizeof l.host, "%s", c->server->config.public_host);
    snprintf(l.room, sizeof l.room, "%s", c->row.name);
    memcpy(l.key, c->server->state.identity.public_key, sizeof l.key);
    snprintf(l.token, sizeof l.token, "%s", token);
    link_print(out, &l);
    sodium_memzero(&l, sizeof l);
}

static json_t *report_link(struct call *c)
{
    char link[LINK_TEXT_MAX];

    print_link(c, "", link);
    return json_pack("{s:s, s:{s:s}}", "text", link, "data", "link", link);
}

int cmd_link(struct call *c)
{
    c->report = report_link;
    return 0;
}

static int work_invite(struct db *db, struct call *c, struct err *err)
{
    int status;

    c->expires_ms = c->args.expires_ms > 0 ? db_now_ms() + c->args.expires_ms : 0;
    status =
        invites_create(db, c->row.id, c->args.role, c->args.uses, c->expires_ms, c->actor.person.id, c->token_out, err);
    if (status == 0)
        status = audit_append(db, c->row.id, "invite", c->actor.person.id, 0, role_name(c->args.role), NULL, err);
    return status;
}

static json_t *report_invite(struct call *c)
{
    char link[LINK_TEXT_MAX];
    json_t *data, *details;

    print_link(c, c->token_out, link);
    data = json_pack("{s:s, s:s, s:i}", "link", link, "role", role_name(c->args.role), "uses", (int)c->args.uses);
    details = json_pack("[[s, s], [s, i]]", _("role"), words_role(c->args.role), _("uses"), (int)c->args.uses);
    if (c->expires_ms > 0) {
        json_object_set_new(data, "expires_ms", json_integer((json_int_t)c->expires_ms));
        json_array_append_new(details, json_pack("[s, {s:I}]", _("expires"), "time_ms", (json_int_t)c->expires_ms));
    }
    data = json_pack("{s:s, s:o, s:o}", "text", link, "details", details, "data", data);
    sodium_memzero(link, sizeof link);
    return data;
}

int cmd_invite(struct call *c)
{
    if (permission_give(c->actor.role, c->args.role, &c->err) != 0)
        return -(int)c->err.code;
    if (c->args.uses == 0)
        c->args.uses = 1;
    c->report = report_invite;
    call_commit(c, work_invite, NULL);
    return 0;
}
