/* cmd_complete.c - what may stand where a command line stops, asked by shells for whoever presses Tab
 *
 * Nothing is offered that whoever asks could not see anyway, and nothing at all where there is too much of it: a shell
 * would take the first of many for all there are, and type what they have in common.
 */
#include "tools/language.h"
#include "tools/salottod/args.h"
#include "tools/salottod/call.h"
#include "tools/salottod/completion.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANDIDATES_MAX 500u

static void read_line(const struct call *c, struct completion *what)
{
    completion_read(what, c->argv, c->args.words);
}

/* People are asked for in the room that the line names. */
void cmd_complete_prepare(struct call *c)
{
    struct completion what;

    read_line(c, &what);
    if (what.wanted == WANT_PERSON)
        c->args.room = what.room;
}

/* --- candidates: [word, help] */

/* Adds `candidate` if it goes on from what is typed, behind what stands before that in the same word ("--to="). */
static void offer(json_t *all, const struct completion *what, const char *candidate, const char *help)
{
    char word[128];

    if (completion_fits(what, candidate) && snprintf(word, sizeof word, "%.*s%s", (int)(what->begin - what->word),
                                                     what->word, candidate) < (int)sizeof word)
        json_array_append_new(all, json_pack("[s, s]", word, help));
}

/* "room" once for all that begin with it, and what may follow it. */
static void offer_group(json_t *all, const struct completion *what, const struct command *t, size_t count)
{
    size_t len = strcspn(t->name, " ");
    char group[64], follow[128] = "";

    snprintf(group, sizeof group, "%.*s", (int)len, t->name);
    for (size_t i = 0; i < count; i++)
        if (strncmp(t[i].name, t->name, len + 1) == 0)
            snprintf(follow + strlen(follow), sizeof follow - strlen(follow), "%s%s", follow[0] != '\0' ? ", " : "",
                     t[i].name + len + 1);
    offer(all, what, group, follow);
}

static void offer_commands(json_t *all, const struct completion *what)
{
    size_t count, len = what->group != NULL ? strlen(what->group) : 0;
    const struct command *t = command_table(&count);

    for (size_t i = 0; i < count; i++) {
        size_t first = strcspn(t[i].name, " ");

        /* Those for who is in the room are not for command lines. */
        if (t[i].hidden || t[i].in_room)
            continue;
        if (what->group != NULL) {
            if (first == len && t[i].name[first] == ' ' && strncmp(t[i].name, what->group, len) == 0)
                offer(all, what, t[i].name + first + 1, _(t[i].help));
        } else if (t[i].name[first] == '\0') {
            offer(all, what, t[i].name, _(t[i].help));
        } else if (i == 0 || strncmp(t[i - 1].name, t[i].name, first + 1) != 0) {
            offer_group(all, what, t + i, count - i);
        }
    }
}

static void offer_options(json_t *all, const struct completion *what)
{
    size_t count;
    const struct args_option *o = args_options(&count);

    for (size_t i = 0; i < count; i++)
        if (what->options & o[i].opt)
            offer(all, what, o[i].name, _(o[i].help));
}

static void offer_rooms(json_t *all, const struct completion *what, const struct call *c)
{
    bool ended = what->command->run == cmd_room_create;

    for (size_t i = 0; i < c->count; i++)
        if (c->rows[i].ended == ended && (c->local || c->rows[i].policy == ROOM_OPEN))
            offer(all, what, c->rows[i].name, c->rows[i].title);
}

/* Those whom the database named, and those who are here. */
static void offer_people(json_t *all, const struct completion *what, const struct call *c)
{
    struct live_room *r = what->command->run != cmd_unban ? call_live(c) : NULL;
    const struct occupant *o;
    const char *handle;
    json_t *help;

    if (r != NULL)
        LIST_FOREACH (o, &r->occupants, next)
            if (o->session != NULL) {
                char state[64];

                snprintf(state, sizeof state,
                         o->standing.muted ? _("%s, muted by a moderator")
                         : o->hand         ? _("%s, hand up")
                                           : "%s",
                         words_role(o->standing.role));
                json_object_set_new(c->done_to, o->standing.person.handle, json_string(state));
            }
    json_object_foreach (c->done_to, handle, help)
        offer(all, what, handle, json_string_value(help));
}

static json_t *report_complete(struct call *c)
{
    json_t *all = json_array();
    struct completion what;

    read_line(c, &what);
    switch (what.wanted) {
    case WANT_NOTHING:
        break;
    case WANT_COMMAND:
        offer_commands(all, &what);
        break;
    case WANT_OPTION:
        offer_options(all, &what);
        break;
    case WANT_WORD:
        for (const char *const *word = what.words; *word != NULL; word++)
            offer(all, &what, *word, "");
        break;
    case WANT_ROOM:
        offer_rooms(all, &what, c);
        break;
    case WANT_PERSON:
        offer_people(all, &what, c);
        break;
    case WANT_FILE: /* theirs, which only their shell knows (tools/complete.h) */
        json_array_append_new(all, json_pack("[s, s]", ":files", ""));
        break;
    }
    if (json_array_size(all) > CANDIDATES_MAX)
        json_array_clear(all);
    return json_pack("{s:[s, s], s:O, s:o}", "columns", "word", "help", "rows", all, "data", all);
}

/* --- what only the database knows, on the storage thread */

static int work_rooms(struct db *db, struct call *c, struct err *err)
{
    return rooms_list(db, true, &c->rows, &c->count, err);
}

static int work_banned(struct db *db, struct call *c, struct err *err)
{
    struct person *people = NULL;
    size_t count = 0;
    int status = bans_list(db, c->row.id, &people, &count, err);

    for (size_t i = 0; status == 0 && i < count; i++)
        json_object_set_new(c->done_to, people[i].handle, json_string(_("banned")));
    free(people);
    return status;
}

static int work_members(struct db *db, struct call *c, struct err *err)
{
    struct member *members = NULL;
    size_t count = 0;
    int status = members_list(db, c->row.id, &members, &count, err);

    for (size_t i = 0; status == 0 && i < count; i++) {
        char state[64];

        snprintf(state, sizeof state, _("%s, absent"), words_role(members[i].role));
        json_object_set_new(c->done_to, members[i].person.handle, json_string(state));
    }
    free(members);
    return status;
}

static int ask_for_people(struct call *c, const struct completion *what)
{
    c->done_to = json_object();
    if (c->done_to == NULL)
        return err_set(&c->err, ERR_INTERNAL, NULL, "out of memory");
    if (what->command->run == cmd_unban)
        call_commit(c, work_banned, NULL);
    else if (what->command->run != cmd_kick) /* who is not here cannot be kicked */
        call_commit(c, work_members, NULL);
    return 0;
}

int cmd_complete(struct call *c)
{
    struct completion what;

    read_line(c, &what);
    c->report = report_complete;
    if (what.wanted == WANT_ROOM)
        call_commit(c, work_rooms, NULL);
    if (what.wanted == WANT_PERSON)
        return c->actor.role >= what.command->least ? ask_for_people(c, &what) : 0;
    return 0;
}
