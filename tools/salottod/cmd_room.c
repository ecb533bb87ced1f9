/* cmd_room.c - room create, list, show, end */
#include "storage/audit.h"
#include "tools/language.h"
#include "tools/salottod/acts.h"
#include "tools/salottod/call.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/occupant.h"

#include <stdio.h>

/* As the database and --json have it. */
static const char *policy_name(enum room_policy p)
{
    switch (p) {
    case ROOM_OPEN:
        break;
    case ROOM_MEMBERS:
        return "members";
    case ROOM_INVITED:
        return "invited";
    }
    return "open";
}

/* --- create */

static int work_create(struct db *db, struct call *c, struct err *err)
{
    bool reopened = false;
    int status = rooms_create(db, c->args.room, c->args.title, &c->row, &reopened, err);

    if (status == 0)
        status = audit_append(db, c->row.id, reopened ? "room reopen" : "room create", c->actor.person.id, 0, NULL,
                              NULL, err);
    c->applied = reopened;
    return status;
}

static json_t *report_create(struct call *c)
{
    char text[240];

    snprintf(text, sizeof text,
             c->applied ? _("%s is open again, with its roles and bans; people come in by `link %s` or "
                            "`invite %s --role speaker`")
                        : _("%s is open; people come in by `link %s` or `invite %s --role speaker`"),
             c->row.name, c->row.name, c->row.name);
    return json_pack("{s:s, s:{s:s, s:s, s:b}}", "text", text, "data", "room", c->row.name, "title", c->row.title,
                     "reopened", (int)c->applied);
}

int cmd_room_create(struct call *c)
{
    c->report = report_create;
    call_commit(c, work_create, NULL);
    return 0;
}

/* --- list */

static int work_list(struct db *db, struct call *c, struct err *err)
{
    return rooms_list(db, false, &c->rows, &c->count, err);
}

static json_t *room_json(struct server *s, const struct room_row *row)
{
    const struct live_room *r = live_room_by_id(s, row->id);
    unsigned people = r != NULL ? r->present : 0;
    unsigned stage = r != NULL ? r->present - live_room_listeners(r) : 0;

    return json_pack("{s:s, s:s, s:s, s:b, s:b, s:i, s:i, s:I}", "room", row->name, "title", row->title, "policy",
                     policy_name(row->policy), "ended", (int)row->ended, "live", r != NULL, "people", (int)people,
                     "stage", (int)stage, "created_ms", (json_int_t)row->created_ms);
}

static json_t *report_list(struct call *c)
{
    json_t *rows = json_array(), *data = json_array();

    for (size_t i = 0; i < c->count; i++) {
        json_t *room;

        /* From afar only what anybody may walk into is listed. */
        if (!c->local && c->rows[i].policy != ROOM_OPEN)
            continue;
        room = room_json(c->server, &c->rows[i]);
        json_array_append_new(rows,
                              json_pack("[O, O, O, O]", json_object_get(room, "room"), json_object_get(room, "people"),
                                        json_object_get(room, "stage"), json_object_get(room, "title")));
        json_array_append_new(data, room);
    }
    return json_pack("{s:[s, s, s, s], s:o, s:o}", "columns", _("room"), _("people"), _("stage"), _("title"), "rows",
                     rows, "data", data);
}

int cmd_room_list(struct call *c)
{
    c->report = report_list;
    call_commit(c, work_list, NULL);
    return 0;
}

/* --- show */

static const char *policy_words(const struct room_row *row)
{
    if (row->ended)
        return _("ended");
    switch (row->policy) {
    case ROOM_OPEN:
        break;
    case ROOM_MEMBERS:
        return _("for members");
    case ROOM_INVITED:
        return _("for the invited");
    }
    return _("open to everyone");
}

static json_t *report_show(struct call *c)
{
    json_t *data = room_json(c->server, &c->row);
    json_t *details = json_pack("[[s, s], [s, s], [s, s], [s, O], [s, O], [s, {s:O}]]", _("room"), c->row.name,
                                _("title"), c->row.title, _("policy"), policy_words(&c->row), _("people"),
                                json_object_get(data, "people"), _("on stage"), json_object_get(data, "stage"),
                                _("opened"), "time_ms", json_object_get(data, "created_ms"));

    return json_pack("{s:o, s:o}", "details", details, "data", data);
}

int cmd_room_show(struct call *c)
{
    c->report = report_show;
    return 0;
}

/* --- end */

static int work_end(struct db *db, struct call *c, struct err *err)
{
    int status = rooms_end(db, c->row.id, err);

    if (status == 0)
        status = audit_append(db, c->row.id, "room end", c->actor.person.id, 0, NULL, c->args.why, err);
    return status;
}

static void end_now(struct call *c)
{
    struct live_room *r = call_live(c);

    if (r != NULL)
        acts_end(r, c->actor.person.handle, c->args.why, &c->errand);
}

static json_t *report_end(struct call *c)
{
    char text[160];

    snprintf(text, sizeof text, _("%s has ended; its roles and bans are kept"), c->row.name);
    return json_pack("{s:s, s:{s:s}}", "text", text, "data", "room", c->row.name);
}

static unsigned room_people(const struct call *c)
{
    const struct live_room *r = call_live(c);

    return r != NULL ? r->present : 0;
}

static void ask_end(struct call *c)
{
    char question[sizeof c->question];
    unsigned n = room_people(c);

    snprintf(question, sizeof question,
             language_plural("This sends %u person away and closes %s.", "This sends %u people away and closes %s.", n),
             n, c->row.name);
    call_ask(c, question);
}

int cmd_room_end(struct call *c)
{
    if (c->row.ended)
        return err_set(&c->err, ERR_NOT_FOUND, "look at `room list`", "the room %s has ended already", c->row.name);
    if (call_must_ask(c) && room_people(c) > 0) {
        ask_end(c);
        return 0;
    }
    c->report = report_end;
    end_now(c);
    call_commit(c, work_end, end_now);
    return 0;
}
