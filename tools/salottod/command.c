/* command.c - the one table in which every command stands (see command.h) */
#include "tools/salottod/command.h"

#include "tools/language.h"
#include "tools/suggest.h"

#include <stdio.h>
#include <string.h>

static const struct command table[] = {
    {
        .name = "help",
        .positional = {ARG_COMMAND},
        .least = ROLE_LISTENER,
        .run = cmd_help,
        .help = N_("say what commands there are, or all about one"),
        .about = N_("Without a COMMAND it lists all of them."),
        .example = "help mute",
    },
    {
        .name = "room create",
        .positional = {ARG_ROOM},
        .options = OPT_TITLE,
        .least = ROLE_OPERATOR,
        .run = cmd_room_create,
        .help = N_("open a room, or an ended one again with its roles and bans"),
        .about = N_("The name is 1 to 32 of a-z, 0-9 and -, a letter first; it becomes part of the room's link. "
                    "Everybody who has the link may come in and listen. The operator stands in as host until "
                    "somebody is promoted to host. A room that had ended comes back with the roles, mutes and "
                    "bans it had, and keeps its title unless --title gives another."),
        .example = "room create piazza --title \"Open Friday\"",
    },
    {
        .name = "room list",
        .least = ROLE_LISTENER,
        .run = cmd_room_list,
        .help = N_("list the rooms and who is in them"),
        .about = N_("From afar, the rooms that are open to everyone."),
        .example = "room list",
    },
    {
        .name = "room show",
        .positional = {ARG_ROOM},
        .least = ROLE_LISTENER,
        .run = cmd_room_show,
        .help = N_("show all about one room"),
        .about = N_("Its title, whether it has ended, and how many people are in it and on its stage."),
        .example = "room show piazza",
    },
    {
        .name = "room end",
        .positional = {ARG_ROOM},
        .options = OPT_WHY | OPT_YES,
        .least = ROLE_HOST,
        .run = cmd_room_end,
        .help = N_("send everybody away and close the room"),
        .about = N_("Nobody comes in any more until `room create` opens it again. Roles, mutes and bans are "
                    "kept. Clients say the reason, and do not come back by themselves."),
        .example = "room end piazza --why \"see you next week\"",
    },
    {
        .name = "who",
        .positional = {ARG_ROOM},
        .least = ROLE_LISTENER,
        .run = cmd_who,
        .help = N_("list who is in a room and who speaks"),
        .about = N_("The state is speaking, muted (by themself), muted by a moderator, or hand up. The key is "
                    "the beginning of each person's public key, and may stand wherever a handle may: handles can "
                    "be changed, keys cannot."),
        .example = "who piazza",
    },
    {
        .name = "hands",
        .positional = {ARG_ROOM},
        .least = ROLE_MODERATOR,
        .run = cmd_hands,
        .help = N_("list the raised hands, longest waiting first"),
        .about = N_("A raised hand asks for the word: `promote` gives it. It is down again when its owner lowers "
                    "it, leaves, or is on stage."),
        .example = "hands piazza",
    },
    {
        .name = "promote",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_TO | OPT_WHY,
        .least = ROLE_MODERATOR,
        .run = cmd_promote,
        .help = N_("give someone a higher role (speaker, unless --to says another)"),
        .about = N_("You may give roles below your own; a host may also name other hosts. Absent people have the "
                    "role when they come. Who is in the room is on stage at once, without reconnecting; their "
                    "microphone opens muted unless they had raised their hand or came to speak. It never lowers "
                    "a role: that is what `demote` does."),
        .example = "promote piazza anna",
    },
    {
        .name = "demote",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_TO | OPT_WHY,
        .least = ROLE_MODERATOR,
        .run = cmd_demote,
        .help = N_("take a role away (down to listener, unless --to says another)"),
        .about = N_("Only people of a lower rank than yours, absent ones too. Who becomes a listener is off the "
                    "stage at once, and hears on. It never raises a role: that is what `promote` does."),
        .example = "demote piazza bruno --why \"thank you\"",
    },
    {
        .name = "mute",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_ALL | OPT_MAY_UNMUTE | OPT_WHY | OPT_YES,
        .least = ROLE_MODERATOR,
        .run = cmd_mute,
        .help = N_("silence a speaker until a moderator lifts it; --all: everyone of a lower rank"),
        .about = N_("Everybody has two mutes: their own, which they set and lift as they like, and the "
                    "moderators', which this command sets and only `unmute` lifts. It holds when they reconnect, "
                    "and for people who are not there. With --may-unmute it sets their own instead: silence for "
                    "now. --all is about those on stage now; who comes onto it later is not muted. When the "
                    "answer is printed, nobody hears them any more."),
        .example = "mute piazza bruno --why echo",
    },
    {
        .name = "unmute",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_ALL | OPT_WHY | OPT_YES,
        .least = ROLE_MODERATOR,
        .run = cmd_unmute,
        .help = N_("lift a moderator's mute"),
        .about = N_("One of their own stays, since nobody's microphone is opened "
                    "by somebody else. --all lifts it from everyone of a lower rank, absent ones too."),
        .example = "unmute piazza bruno",
    },
    {
        .name = "gain",
        .positional = {ARG_ROOM, ARG_PERSON, ARG_DB},
        .options = OPT_WHY,
        .least = ROLE_MODERATOR,
        .run = cmd_gain,
        .help = N_("set someone's fader in the room's mix, -60 to 12 dB"),
        .about = N_("Every listener hears it, since there is one mix, and it is kept for the next time they "
                    "speak."),
        .example = "gain piazza anna -3",
    },
    {
        .name = "kick",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_WHY,
        .least = ROLE_MODERATOR,
        .run = cmd_kick,
        .help = N_("send someone out; they may come back"),
        .about = N_("Their client says why and does not come back by itself. Who still has the link may join "
                    "again; `ban` keeps them out."),
        .example = "kick piazza bruno",
    },
    {
        .name = "ban",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_WHY,
        .least = ROLE_MODERATOR,
        .run = cmd_ban,
        .help = N_("send someone out and keep them out"),
        .about = N_("Also people who are not there. It takes their role away, and holds after restarts until "
                    "`unban`. It is on the key, so that another handle does not help them; somebody who makes a "
                    "new key is a stranger to the server."),
        .example = "ban piazza bruno --why spam",
    },
    {
        .name = "unban",
        .positional = {ARG_ROOM, ARG_PERSON},
        .options = OPT_WHY,
        .least = ROLE_MODERATOR,
        .run = cmd_unban,
        .help = N_("let someone in again"),
        .about = N_("They come back as a listener: the role they had before is not given back."),
        .example = "unban piazza bruno",
    },
    {
        .name = "invite",
        .positional = {ARG_ROOM},
        .options = OPT_ROLE | OPT_USES | OPT_EXPIRES,
        .least = ROLE_MODERATOR,
        .run = cmd_invite,
        .help = N_("print a link that gives a role"),
        .about = N_("You may invite to roles below your own; a host may also invite hosts. Each key spends one "
                    "use, and may come back with the same link as often as it likes. The link is printed this "
                    "once and cannot be looked up later; give it to nobody but those whom it is for."),
        .example = "invite piazza --role speaker --expires 1h",
    },
    {
        .name = "link",
        .positional = {ARG_ROOM},
        .least = ROLE_LISTENER,
        .run = cmd_link,
        .help = N_("print the room's plain link"),
        .about = N_("It holds the server's name (public_host in salottod.conf) and its key, so that nobody else "
                    "can pose as the server. It is no secret: who has it may listen."),
        .example = "link piazza",
    },
    {
        .name = "log",
        .positional = {ARG_ROOM},
        .options = OPT_LIMIT,
        .least = ROLE_MODERATOR,
        .run = cmd_log,
        .help = N_("show who did what to whom, when and why"),
        .about = N_("The latest entries, oldest first. They are chained by their hashes, so that none can be "
                    "changed or taken away unnoticed."),
        .example = "log piazza --limit 20",
    },
    {
        .name = "stats",
        .positional = {ARG_ROOM},
        .least = ROLE_MODERATOR,
        .run = cmd_stats,
        .help = N_("show the room's counters"),
        .about = N_("What the room's threads have counted since it came to life: ticks and late ticks, how often "
                    "it slept because nobody spoke, encodes and listeners for each tier, and what was dropped on "
                    "the way and why. --json also tells of each speaker: delay, loss and level."),
        .example = "stats piazza",
    },
    {
        .name = "backup",
        .positional = {ARG_FILE},
        .options = OPT_WITHOUT_KEY,
        .least = ROLE_OPERATOR,
        .run = cmd_backup,
        .help = N_("copy database and server key into one file, while rooms are live"),
        .about =
            N_("The copy is one moment's: nobody waits for it, and what happens meanwhile is not in it. It holds the "
               "server's key, so that links stay valid when it is restored on another machine: whoever has it can "
               "pose as this server. You write it, not the server, so any folder of yours will do. It is brought "
               "back by salottod --restore."),
        .example = "backup salotto-friday.backup",
    },
    {
        .name = "check",
        .least = ROLE_OPERATOR,
        .run = cmd_check,
        .help = N_("read the whole database and say whether it is sound"),
        .about =
            N_("It looks at every page and index, at what refers to what, and whether an entry of the log was changed "
               "or is missing. Nobody waits for it. It ends with 8 when something is wrong, and says what mends it."),
        .example = "check",
    },
    {
        .name = "doctor",
        .least = ROLE_OPERATOR,
        .run = cmd_doctor,
        .help = N_("look at clock, limits, ports, disk and database, and say what to type where it helps"),
        .about =
            N_("Each line is ok, a note, a warning or a fault, and below it stands what to type. It ends with 1 when "
               "there is a fault. Whether people from outside can reach the server, no server can tell by itself."),
        .example = "doctor",
    },
    {
        .name = "hand",
        .positional = {ARG_ROOM, ARG_UP_DOWN},
        .least = ROLE_LISTENER,
        .in_room = true,
        .run = cmd_hand,
        .help = N_("raise or lower one's own hand"),
        .about = N_("The key h in salotto."),
        .example = "hand piazza up",
    },
    {
        .name = "quiet",
        .positional = {ARG_ROOM, ARG_ON_OFF},
        .least = ROLE_SPEAKER,
        .in_room = true,
        .run = cmd_quiet,
        .help = N_("mute or unmute oneself"),
        .about = N_("The key m in salotto. It cannot lift a moderator's mute."),
        .example = "quiet piazza on",
    },
    {
        .name = "tune",
        .positional = {ARG_ROOM, ARG_TIER},
        .least = ROLE_LISTENER,
        .in_room = true,
        .run = cmd_tune,
        .help = N_("listen on another tier"),
        .about = N_("The key t in salotto."),
        .example = "tune piazza standard",
    },
    {
        .name = "step-down",
        .positional = {ARG_ROOM},
        .least = ROLE_SPEAKER,
        .in_room = true,
        .run = cmd_step_down,
        .help = N_("give one's own role back and listen"),
        .about = N_("To have it back, somebody must promote you again. The last host of a room has to name "
                    "another one first."),
        .example = "step-down piazza",
    },
    {
        .name = "complete",
        .positional = {ARG_WORDS},
        .least = ROLE_LISTENER,
        .hidden = true,
        .prepare = cmd_complete_prepare,
        .run = cmd_complete,
        .help = N_("say what may stand where a command line stops; its last word is the one being typed"),
        .example = "complete -- mute piazza bru",
    },
};

#define COMMANDS (sizeof table / sizeof *table)

const struct command *command_table(size_t *count)
{
    *count = COMMANDS;
    return table;
}

const struct command *command_by_name(const char *name)
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
    size_t shown = 0;
    char both[64];
    const char *near;

    if (first == NULL) {
        err_set(err, ERR_USAGE, "type: help", "there is no command");
        return NULL;
    }
    snprintf(both, sizeof both, "%s %s", first, second != NULL ? second : "");
    *words = 2;
    c = command_by_name(both);
    if (c == NULL) {
        *words = 1;
        c = command_by_name(first);
    }
    if (c != NULL)
        return c;
    for (size_t i = 0; i < COMMANDS; i++)
        if (!table[i].hidden)
            names[shown++] = table[i].name;
    near = suggest(both, names, shown);
    if (near == NULL)
        near = suggest(first, names, shown);
    err_set(err, ERR_USAGE, "type: help", "there is no command '%.40s'", strcmp(first, "room") == 0 ? both : first);
    if (near != NULL)
        err_mend(err, "did you mean '%s'? `help` lists all", near);
    return NULL;
}
