/* command.c - the one table in which every command stands (see command.h) */
#include "tools/salottod/command.h"

#include "tools/suggest.h"

#include <stdio.h>
#include <string.h>

static const struct command table[] = {
    {
        .name = "help",
        .positional = {ARG_COMMAND},
        .least = ROLE_LISTENER,
        .run = cmd_help,
        .help = "say what commands there are, or all about one",
        .example = "help mute",
    },
    {
        .name = "room create",
        .positional = {ARG_ROOM},
        .options = OPT_TITLE,
        .least = ROLE_OPERATOR,
        .run = cmd_room_create,
        .help = "open a room, or an ended one again with its roles and bans",
        .example = "room create piazza --title \"Open Friday\"",
    },
    {
        .name = "room list",
        .least = ROLE_LISTENER,
        .run = cmd_room_list,
        .help = "list the rooms and who is in them",
        .example = "room list",
    },
    {
        .name = "room show",
        .positional = {ARG_ROOM},
        .least = ROLE_LISTENER,
        .run = cmd_room_show,
        .help = "show all about one room",
        .example = "room show piazza",
    },
    {
        .name = "room end",
        .positional = {ARG_ROOM},
        .options = OPT_WHY | OPT_YES,
        .least = ROLE_HOST,
        .run = cmd_room_end,
        .help = "send everybody away and close the room",
        .example = "room end piazza --why \"see you next week\"",
    },
    {
        .name = "who",
        .positional = {ARG_ROOM},
        .least = ROLE_LISTENER,
        .run = cmd_who,
        .help = "list who is in a room and who speaks",
        .example = "who piazza",
    },
    {
        .name = "hands",
        .positional = {ARG_ROOM},
        .least = ROLE_MODERATOR,
        .run = cmd_hands,
        .help = "list the raised hands, longest waiting first",
        .example = "hands piazza",
    },
    {
        .name = "promote",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_TO | OPT_WHY,
        .least = ROLE_MODERATOR,
        .run = cmd_promote,
        .help = "give someone a higher role (speaker, unless --to says another)",
        .example = "promote piazza anna",
    },
    {
        .name = "demote",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_TO | OPT_WHY,
        .least = ROLE_MODERATOR,
        .run = cmd_demote,
        .help = "take a role away (down to listener, unless --to says another)",
        .example = "demote piazza bruno --why \"thank you\"",
    },
    {
        .name = "mute",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_ALL | OPT_MAY_UNMUTE | OPT_WHY | OPT_YES,
        .least = ROLE_MODERATOR,
        .run = cmd_mute,
        .help = "silence a speaker until a moderator lifts it; --all: everyone of a lower rank",
        .example = "mute piazza bruno --why echo",
    },
    {
        .name = "unmute",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_ALL | OPT_WHY | OPT_YES,
        .least = ROLE_MODERATOR,
        .run = cmd_unmute,
        .help = "lift a moderator's mute",
        .example = "unmute piazza bruno",
    },
    {
        .name = "gain",
        .positional = {ARG_ROOM, ARG_PERSON, ARG_DB},
        .options = OPT_WHY,
        .least = ROLE_MODERATOR,
        .run = cmd_gain,
        .help = "set someone's fader in the room's mix, -60 to 12 dB",
        .example = "gain piazza anna -3",
    },
    {
        .name = "kick",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_WHY,
        .least = ROLE_MODERATOR,
        .run = cmd_kick,
        .help = "send someone out; they may come back",
        .example = "kick piazza bruno",
    },
    {
        .name = "ban",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_WHY,
        .least = ROLE_MODERATOR,
        .run = cmd_ban,
        .help = "send someone out and keep them out",
        .example = "ban piazza bruno --why spam",
    },
    {
        .name = "unban",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_WHY,
        .least = ROLE_MODERATOR,
        .run = cmd_unban,
        .help = "let someone in again",
        .example = "unban piazza bruno",
    },
    {
        .name = "invite",
        .positional = {ARG_ROOM},
        .options = OPT_ROLE | OPT_USES | OPT_EXPIRES,
        .least = ROLE_MODERATOR,
        .run = cmd_invite,
        .help = "print a link that gives a role",
        .example = "invite piazza --role speaker --uses 1 --expires 1h",
    },
    {
        .name = "link",
        .positional = {ARG_ROOM},
        .least = ROLE_LISTENER,
        .run = cmd_link,
        .help = "print the room's plain link",
        .example = "link piazza",
    },
    {
        .name = "log",
        .positional = {ARG_ROOM},
        .options = OPT_LIMIT,
        .least = ROLE_MODERATOR,
        .run = cmd_log,
        .help = "show who did what to whom, when and why",
        .example = "log piazza --limit 20",
    },
    {
        .name = "stats",
        .positional = {ARG_ROOM},
        .least = ROLE_MODERATOR,
        .run = cmd_stats,
        .help = "show the room's counters",
        .example = "stats piazza",
    },
    {
        .name = "hand",
        .positional = {ARG_ROOM, ARG_UP_DOWN},
        .least = ROLE_LISTENER,
        .in_room = true,
        .run = cmd_hand,
        .help = "raise or lower one's own hand",
        .example = "hand piazza up",
    },
    {
        .name = "quiet",
        .positional = {ARG_ROOM, ARG_ON_OFF},
        .least = ROLE_SPEAKER,
        .in_room = true,
        .run = cmd_quiet,
        .help = "mute or unmute oneself",
        .example = "quiet piazza on",
    },
    {
        .name = "tune",
        .positional = {ARG_ROOM, ARG_TIER},
        .least = ROLE_LISTENER,
        .in_room = true,
        .run = cmd_tune,
        .help = "listen on another tier",
        .example = "tune piazza standard",
    },
    {
        .name = "step-down",
        .positional = {ARG_ROOM},
        .least = ROLE_SPEAKER,
        .in_room = true,
        .run = cmd_step_down,
        .help = "give one's own role back and listen",
        .example = "step-down piazza",
    },
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
