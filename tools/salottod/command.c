/* command.c - the one table in which every command stands (see command.h) */
#include "tools/salottod/command.h"

#include "tools/suggest.h"

#include <stdio.h>
#include <string.h>

static const struct command table[] = {
    {"help",
     {ARG_COMMAND},
     0,
     ROLE_LISTENER,
     false,
     cmd_help,
     "say what commands there are, or all about one",
     "help mute"},
    {"room create",
     {ARG_ROOM},
     OPT_TITLE,
     ROLE_OPERATOR,
     false,
     cmd_room_create,
     "open a room, or an ended one again with its roles and bans",
     "room create piazza --title \"Open Friday\""},
    {"room list", {ARG_NONE}, 0, ROLE_LISTENER, false, cmd_room_list, "list the rooms and who is in them", "room list"},
    {"room show", {ARG_ROOM}, 0, ROLE_LISTENER, false, cmd_room_show, "show all about one room", "room show piazza"},
    {"room end",
     {ARG_ROOM},
     OPT_WHY | OPT_YES,
     ROLE_HOST,
     false,
     cmd_room_end,
     "send everybody away and close the room",
     "room end piazza --why \"see you next week\""},
    {"who", {ARG_ROOM}, 0, ROLE_LISTENER, false, cmd_who, "list who is in a room and who speaks", "who piazza"},
    {"hands",
     {ARG_ROOM},
     0,
     ROLE_MODERATOR,
     false,
     cmd_hands,
     "list the raised hands, longest waiting first",
     "hands piazza"},
    {"promote",
     {ARG_ROOM, ARG_PERSON},
     OPT_TO | OPT_WHY,
     ROLE_MODERATOR,
     false,
     cmd_promote,
     "give someone a higher role (speaker, unless --to says another)",
     "promote piazza anna"},
    {"demote",
     {ARG_ROOM, ARG_PERSON},
     OPT_TO | OPT_WHY,
     ROLE_MODERATOR,
     false,
     cmd_demote,
     "take a role away (down to listener, unless --to says another)",
     "demote piazza bruno --why \"thank you\""},
    {"mute",
     {ARG_ROOM, ARG_PERSON},
     OPT_ALL | OPT_MAY_UNMUTE | OPT_WHY | OPT_YES,
     ROLE_MODERATOR,
     false,
     cmd_mute,
     "silence a speaker until a moderator lifts it; --all: everyone of a lower rank",
     "mute piazza bruno --why echo"},
    {"unmute",
     {ARG_ROOM, ARG_PERSON},
     OPT_ALL | OPT_WHY | OPT_YES,
     ROLE_MODERATOR,
     false,
     cmd_unmute,
     "lift a moderator's mute",
     "unmute piazza bruno"},
    {"gain",
     {ARG_ROOM, ARG_PERSON, ARG_DB},
     OPT_WHY,
     ROLE_MODERATOR,
     false,
     cmd_gain,
     "set someone's fader in the room's mix, -60 to 12 dB",
     "gain piazza anna -3"},
    {"kick",
     {ARG_ROOM, ARG_PERSON},
     OPT_WHY,
     ROLE_MODERATOR,
     false,
     cmd_kick,
     "send someone out; they may come back",
     "kick piazza bruno"},
    {"ban",
     {ARG_ROOM, ARG_PERSON},
     OPT_WHY,
     ROLE_MODERATOR,
     false,
     cmd_ban,
     "send someone out and keep them out",
     "ban piazza bruno --why spam"},
    {"unban",
     {ARG_ROOM, ARG_PERSON},
     OPT_WHY,
     ROLE_MODERATOR,
     false,
     cmd_unban,
     "let someone in again",
     "unban piazza bruno"},
    {"invite",
     {ARG_ROOM},
     OPT_ROLE | OPT_USES | OPT_EXPIRES,
     ROLE_MODERATOR,
     false,
     cmd_invite,
     "print a link that gives a role",
     "invite piazza --role speaker --uses 1 --expires 1h"},
    {"link", {ARG_ROOM}, 0, ROLE_LISTENER, false, cmd_link, "print the room's plain link", "link piazza"},
    {"log",
     {ARG_ROOM},
     OPT_LIMIT,
     ROLE_MODERATOR,
     false,
     cmd_log,
     "show who did what to whom, when and why",
     "log piazza --limit 20"},
    {"stats", {ARG_ROOM}, 0, ROLE_MODERATOR, false, cmd_stats, "show the room's counters", "stats piazza"},
    {"hand",
     {ARG_ROOM, ARG_UP_DOWN},
     0,
     ROLE_LISTENER,
     true,
     cmd_hand,
     "raise or lower one's own hand",
     "hand piazza up"},
    {"quiet", {ARG_ROOM, ARG_ON_OFF}, 0, ROLE_SPEAKER, true, cmd_quiet, "mute or unmute oneself", "quiet piazza on"},
    {"tune", {ARG_ROOM, ARG_TIER}, 0, ROLE_LISTENER, true, cmd_tune, "listen on another tier", "tune piazza standard"},
    {"step-down",
     {ARG_ROOM},
     0,
     ROLE_SPEAKER,
     true,
     cmd_step_down,
     "give one's own role back and listen",
     "step-down piazza"},
};

#define COMMANDS (sizeof table / sizeof *table)

const struct command *command_table(size_t *count)
{
    *count = COMMANDS;
    return table;
}

static const struct command *by_name(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

const struct command *command_find(const json_t *argv, size_t *words, struct err *err)
{
    const char *first = json_string_value(json_array_get(argv, 0));
    const char *second = json_string_value(json_array_get(argv, 1));
    const char *names[COMMANDS];
    const struct command *c;
    char both[64];
    const char *near;

    if (first == NULL) {
        err_set(err, ERR_USAGE, "type: help", "there is no command");
        return NULL;
    }
    snprintf(both, sizeof both, "%s %s", first, second != NULL ? second : "");
    *words = 2;
    c = by_name(both);
    if (c == NULL) {
        *words = 1;
        c = by_name(first);
    }
    if (c != NULL)
        return c;
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = table[i].name;
    near = suggest(both, names, COMMANDS);
    if (near == NULL)
        near = suggest(first, names, COMMANDS);
    err_set(err, ERR_USAGE, "type: help", "there is no command '%.40s'", strcmp(first, "room") == 0 ? both : first);
    if (near != NULL)
        err_mend(err, "did you mean '%s'? `help` lists all", near);
    return NULL;
}
