/* call.c - one command on its way (see call.h) */
#include "tools/salottod/call.h"

#include "storage/audit.h"
#include "tools/language.h"
#include "tools/salottod/acts.h"
#include "tools/salottod/admit.h"
#include "tools/salottod/answer.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/permission.h"
#include "tools/salottod/session.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void call_free(struct call *c)
{
    json_decref(c->argv);
    json_decref(c->done_to);
    free(c->rows);
    free(c->log);
    free(c->people);
    if (c->own != NULL)
        c->own_free(c->own);
    if (c->file >= 0)
        close(c->file);
    sodium_memzero(c, sizeof *c);
    free(c);
}

static void on_finished(struct errand *e)
{
    struct call *c = (struct call *)e;

    const struct language *before = language_use(c->language);

    c->server->in_flight--;
    if (c->status != 0)
        answer_err(c->server, c->connection, c->id, &c->err);
    else if (c->question[0] != '\0')
        answer_question(c->server, c->connection, c->id, c->question);
    else
        answer_ok(c->server, c->connection, c->id, c->report != NULL ? c->report(c) : NULL, c->file);
    (void)language_use(before);
    c->file = -1;
    call_free(c);
}

struct live_room *call_live(const struct call *c)
{
    return c->has_row ? live_room_by_id(c->server, c->row.id) : NULL;
}

struct occupant *call_target(const struct call *c)
{
    struct live_room *r = call_live(c);

    return r != NULL && c->target.person.id > 0 ? occupant_by_id(r, c->target.person.id) : NULL;
}

struct occupant *call_know_target(const struct call *c)
{
    struct occupant *o = call_target(c);

    return o != NULL || call_live(c) == NULL ? o : occupant_know(call_live(c), &c->target);
}

struct occupant *call_actor(const struct call *c)
{
    struct live_room *r = call_live(c);

    return r != NULL && c->actor.person.id > 0 ? occupant_by_id(r, c->actor.person.id) : NULL;
}

/* --- commit */

static int run_work(struct db *db, void *arg, struct err *err)
{
    struct call *c = arg;

    return c->work(db, c, err);
}

static void on_committed(void *arg, int status, const struct err *err)
{
    struct call *c = arg;

    if (status != 0) {
        c->status = status;
        err_copy(&c->err, err);
        if (c->applied)
            err_mend(&c->err, "it holds while the room is live, but was not written: type it again. %.120s", err->mend);
    } else if (c->committed != NULL) {
        c->committed(c);
    }
    errand_arrived(&c->errand);
}

void call_commit(struct call *c, int (*work)(struct db *db, struct call *c, struct err *err),
                 void (*committed)(struct call *c))
{
    c->work = work;
    c->committed = committed;
    c->asked = c->server->acts;
    errand_expect(&c->errand);
    storage_submit(c->server->storage, run_work, on_committed, c);
}

/* --- chores */

static int run_chore(struct chore *h, void *arg, struct err *err)
{
    struct call *c = arg;

    return c->chore(h, c, err);
}

static void tell_progress(struct call *c, uint64_t done, uint64_t all)
{
    json_t *progress =
        json_pack("{s:s, s:I, s:I}", "doing", _(c->doing), "done", (json_int_t)done, "all", (json_int_t)all);

    answer_progress(c->server, c->connection, c->id, progress, c->args.file);
}

static void on_told(struct chore *h, void *arg, uint64_t done, uint64_t all)
{
    struct call *c = arg;

    if (session_by_connection(c->server, c->connection) == NULL)
        chore_give_up(h);
    else
        tell_progress(c, done, all);
}

static void on_chored(void *arg, int status, const struct err *err)
{
    on_committed(arg, status, err);
}

void call_chore(struct call *c, const char *doing, int (*chore)(struct chore *h, struct call *c, struct err *err),
                void (*committed)(struct call *c))
{
    static const struct chore_plan plan = {run_chore, on_told, on_chored};

    c->doing = doing;
    c->chore = chore;
    c->committed = committed;
    errand_expect(&c->errand);
    if (chore_start(c->server, &plan, c, &c->err) == 0) {
        tell_progress(c, 0, 0);
    } else {
        c->status = -(int)c->err.code;
        errand_arrived(&c->errand);
    }
}

/* --- look up, allow, run */

static int allowed_and_run(struct call *c)
{
    const struct command *m = c->command;
    struct occupant *self = call_actor(c);

    if (m->in_room && (self == NULL || self->session == NULL || self->session->connection != c->connection))
        return err_set(&c->err, ERR_USAGE, "join it first with `salotto`", "'%s' is for someone who is in the room",
                       m->name);
    if (permission_rank(c->actor.role, m->least, m->name, &c->err) != 0)
        return -(int)c->err.code;
    return m->run(c);
}

static void proceed(struct call *c)
{
    c->status = allowed_and_run(c);
    errand_let_go(&c->errand);
}

/* On the storage thread. Someone whom nobody here knows has no rights beyond a listener's, and no row. */
static int look_up_actor(struct db *db, struct call *c, struct err *err)
{
    bool banned = false;
    int status = 0;

    if (c->token[0] != '\0')
        status = people_enter(db, c->key, "", &c->actor.person, err);
    else if (people_by_key(db, c->key, &c->actor.person, NULL) != 0)
        c->actor.person.id = -1;
    if (status != 0 || c->actor.person.id < 0)
        return status;
    status = bans_get(db, c->row.id, c->actor.person.id, &banned, NULL, err);
    if (status == 0 && banned)
        status = err_set(err, ERR_DENIED, "only a moderator of the room can lift the ban", "you are banned from %s",
                         c->row.name);
    if (status == 0)
        status = members_get(db, c->row.id, c->actor.person.id, &c->actor, err);
    if (status == 0 && c->token[0] != '\0')
        status = admit_by_invite(db, c->row.id, c->token, &c->actor, err);
    return status;
}

/* On the storage thread: the room and the people of a call. */
static int look_up(struct db *db, struct call *c, struct err *err)
{
    int status = rooms_find(db, c->args.room, &c->row, err);

    if (status == 0)
        c->has_row = true;
    if (status == 0 && !c->local)
        status = look_up_actor(db, c, err);
    if (status == 0 && c->args.person != NULL) {
        status = people_find(db, c->args.person, &c->target.person, err);
        if (status == 0)
            status = members_get(db, c->row.id, c->target.person.id, &c->target, err);
    }
    return status;
}

/* What the live room knows is newer than what the database said when it was asked. An invite that was shown raises
 * whoever it raised there, too. */
static void prefer_live(struct call *c)
{
    struct occupant *o = call_target(c);

    if (o != NULL)
        c->target = o->standing;
    o = call_actor(c);
    if (o != NULL) {
        if (c->token[0] != '\0' && c->actor.role > o->standing.role && o->role_taken <= c->asked)
            acts_role(o, c->actor.role, "", _("by invite"), NULL);
        c->actor = o->standing;
    } else if (call_live(c) != NULL && c->actor.person.id > 0 && c->actor.role > ROLE_LISTENER) {
        (void)occupant_know(call_live(c), &c->actor);
    }
}

static void on_looked_up(struct call *c)
{
    prefer_live(c);
    c->work = NULL;
    c->committed = NULL;
    c->status = allowed_and_run(c);
}

/* Everything known without asking the database? Then it is filled in. */
static bool known_live(struct call *c)
{
    struct live_room *r = live_room_find(c->server, c->args.room);
    struct occupant *o;

    if (r == NULL || c->token[0] != '\0')
        return false;
    if (c->args.person != NULL) {
        o = occupant_by_handle(r, c->args.person);
        if (o == NULL)
            return false;
        c->target = o->standing;
    }
    c->row = r->row;
    c->has_row = true;
    if (!c->local) {
        o = occupant_by_key(r, c->key);
        if (o == NULL || o->banned)
            return false;
        c->actor = o->standing;
    }
    return true;
}

static void resolve(struct call *c)
{
    if (c->local) {
        c->actor.role = ROLE_OPERATOR;
        snprintf(c->actor.person.handle, sizeof c->actor.person.handle, "operator");
    }
    /* A room that is still to be created has no row; nor have commands about no room. */
    if (c->args.room == NULL || c->command->run == cmd_room_create || known_live(c)) {
        proceed(c);
        return;
    }
    call_commit(c, look_up, on_looked_up);
    errand_let_go(&c->errand);
}

static int check_names(struct call *c)
{
    const char *why;

    if (c->args.room != NULL && !link_is_room_name(c->args.room, &why)) {
        err_set(&c->err, c->command->run == cmd_room_create ? ERR_USAGE : ERR_NOT_FOUND, NULL,
                "'%.40s' cannot be a room's name", c->args.room);
        err_mend(&c->err, "%s", why);
        return -(int)c->err.code;
    }
    return 0;
}

void call_request(struct session *s, json_int_t id, const json_t *request)
{
    const json_t *argv = json_object_get(request, "argv");
    const char *token = json_string_value(json_object_get(request, "token"));
    struct call *c = calloc(1, sizeof *c);
    size_t words = 0;

    if (c == NULL) {
        struct err err;

        err_set(&err, ERR_INTERNAL, NULL, "out of memory");
        answer_err(s->server, s->connection, id, &err);
        return;
    }
    c->server = s->server;
    c->file = -1;
    c->connection = s->connection;
    c->id = id;
    c->local = s->local;
    c->language = language_now();
    c->may_ask = json_is_true(json_object_get(request, "may_ask"));
    memcpy(c->key, s->key, sizeof c->key);
    if (token != NULL && strlen(token) < sizeof c->token)
        memcpy(c->token, token, strlen(token) + 1);
    c->server->in_flight++;
    errand_begin(&c->errand, on_finished);
    c->argv = json_is_array(argv) ? json_deep_copy(argv) : json_array();
    c->command = command_find(c->argv, &words, &c->err);
    if (c->command == NULL)
        c->status = -(int)c->err.code;
    else
        c->status = args_parse(&c->args, c->command, c->argv, words, &c->err);
    if (c->command != NULL && c->status == 0) {
        if (c->command->prepare != NULL)
            c->command->prepare(c);
        c->status = check_names(c);
    }
    if (c->command != NULL && c->status == 0)
        resolve(c);
    else
        errand_let_go(&c->errand);
}

int call_over_target(struct call *c)
{
    return permission_over(c->actor.role, c->target.role, c->command->name, c->target.person.handle, &c->err);
}

bool call_must_ask(const struct call *c)
{
    return c->may_ask && !c->args.yes;
}

void call_ask(struct call *c, const char *question)
{
    snprintf(c->question, sizeof c->question, "%s", question);
}

/* --- reports */

json_t *call_text(const char *text)
{
    return json_pack("{s:s}", "text", text);
}

json_t *call_act_data(const struct call *c)
{
    json_t *data = json_pack("{s:s, s:s}", "room", c->row.name, "person", c->target.person.handle);

    if (c->errand.at_sample > 0)
        json_object_set_new(data, "at_sample", json_integer((json_int_t)c->errand.at_sample));
    return data;
}

json_t *call_act_report(const struct call *c, const char *sentence)
{
    char text[200];

    snprintf(text, sizeof text, sentence, c->target.person.handle, c->row.name);
    return json_pack("{s:s, s:o}", "text", text, "data", call_act_data(c));
}
