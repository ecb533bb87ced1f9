/* args.c - the words of a command line (see args.h) */
#include "tools/salottod/args.h"

#include "mixer/tier.h"
#include "net/link.h"
#include "storage/audit.h"
#include "tools/language.h"
#include "tools/suggest.h"
#include "storage/rooms.h"
#include "tools/salottod/command.h"
#include "tools/salottod/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const roles[] = {"listener", "speaker", "moderator", "host", NULL};
static const char *const tiers[] = {"low", "standard", NULL};
static const char *const up_down[] = {"up", "down", NULL};
static const char *const on_off[] = {"on", "off", NULL};

/* In the order in which usage lines name them. */
static const struct args_option options[] = {
    {
        .opt = OPT_ALL,
        .name = "--all",
        .help = N_("instead of a PERSON: everyone of a lower rank than yours"),
    },
    {
        .opt = OPT_MAY_UNMUTE,
        .name = "--may-unmute",
        .help = N_("silence them, but let them unmute themselves"),
    },
    {
        .opt = OPT_TITLE,
        .name = "--title",
        .value = "TEXT",
        .help = N_("what the room is about, for people to read"),
    },
    {
        .opt = OPT_TO,
        .name = "--to",
        .value = "ROLE",
        .words = roles,
        .help = N_("the role to give: listener, speaker, moderator or host"),
    },
    {
        .opt = OPT_ROLE,
        .must = true,
        .name = "--role",
        .value = "ROLE",
        .words = roles,
        .help = N_("the role that the link gives: listener, speaker, moderator or host"),
    },
    {
        .opt = OPT_USES,
        .name = "--uses",
        .value = "N",
        .help = N_("how many people may use the link, 1 to 1000000 (else 1)"),
    },
    {
        .opt = OPT_EXPIRES,
        .name = "--expires",
        .value = "TIME",
        .help = N_("how long the link is good for: 90s, 30m, 1h, 7d (else it never expires)"),
    },
    {
        .opt = OPT_LIMIT,
        .name = "--limit",
        .value = "N",
        .help = N_("how many of the latest entries, 1 to 10000 (else 100)"),
    },
    {
        .opt = OPT_WITHOUT_KEY,
        .name = "--without-key",
        .help = N_("leave the server's key out; on another machine links then fail"),
    },
    {
        .opt = OPT_WHY,
        .name = "--why",
        .value = "TEXT",
        .help = N_("a reason, for those concerned and for the log"),
    },
    {
        .opt = OPT_YES,
        .name = "--yes",
        .help = N_("do it without asking first"),
    },
};

#define OPTIONS (sizeof options / sizeof *options)

static const struct args_positional positionals[] = {
    [ARG_NONE] = {.name = ""},
    [ARG_ROOM] = {.name = "ROOM", .help = N_("the room's name")},
    [ARG_PERSON] = {.name = "PERSON", .help = N_("a handle, or the beginning of a key (4 characters or more)")},
    [ARG_DB] = {.name = "DB", .help = N_("decibels, from -60 to 12; 0 is as it comes")},
    [ARG_TIER] = {.name = "TIER", .words = tiers, .help = N_("low (12 kbit/s) or standard (30 kbit/s, lower delay)")},
    [ARG_UP_DOWN] = {.name = "up|down", .words = up_down, .help = N_("which of the two")},
    [ARG_ON_OFF] = {.name = "on|off", .words = on_off, .help = N_("which of the two")},
    [ARG_FILE] = {.name = "FILE", .help = N_("the file to write, on your side; --force replaces one that is there")},
    [ARG_COMMAND] = {.name = "[COMMAND]", .help = N_("the command to say more about")},
    [ARG_WORDS] = {.name = "WORD...", .help = N_("the words of the line, the last being typed")},
};

const struct args_option *args_options(size_t *count)
{
    *count = OPTIONS;
    return options;
}

const struct args_positional *args_positional(enum arg arg)
{
    return &positionals[arg];
}

void args_usage(char *out, size_t max, const struct command *c)
{
    size_t at = (size_t)snprintf(out, max, "%s", c->name);

    for (size_t i = 0; i < ARGS_POSITIONAL_MAX && c->positional[i] != ARG_NONE && at < max; i++)
        at += (size_t)snprintf(out + at, max - at, " %s%s", positionals[c->positional[i]].name,
                               c->positional[i] == ARG_PERSON && (c->options & OPT_ALL) ? "|--all" : "");
    for (size_t i = 0; i < OPTIONS && at < max; i++) {
        bool must = options[i].must;

        if ((c->options & options[i].opt) == 0 || options[i].opt == OPT_ALL)
            continue;
        at += (size_t)snprintf(out + at, max - at, " %s%s%s%s%s", must ? "" : "[", options[i].name,
                               options[i].value != NULL ? " " : "", options[i].value != NULL ? options[i].value : "",
                               must ? "" : "]");
    }
}

static int complain(struct err *err, const struct command *c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int complain(struct err *err, const struct command *c, const char *fmt, ...)
{
    char usage[200];
    char message[200];
    va_list ap;

    args_usage(usage, sizeof usage, c);
    va_start(ap, fmt);
    if (vsnprintf(message, sizeof message, _(fmt), ap) < 0)
        message[0] = '\0';
    va_end(ap);
    err_set(err, ERR_USAGE, NULL, "%s", message);
    err_mend(err, "type: %s", usage);
    return -ERR_USAGE;
}

/* "90s", "15m", "1h", "7d" */
static bool read_time(const char *text, int64_t *ms)
{
    size_t len = strlen(text);
    char number[12];
    unsigned long n;
    int64_t unit;

    if (len < 2 || len >= sizeof number)
        return false;
    switch (text[len - 1]) {
    case 's':
        unit = 1000;
        break;
    case 'm':
        unit = 60000;
        break;
    case 'h':
        unit = 3600000;
        break;
    case 'd':
        unit = 86400000;
        break;
    default:
        return false;
    }
    memcpy(number, text, len - 1);
    number[len - 1] = '\0';
    if (!config_number(number, 1000000, &n) || n == 0)
        return false;
    *ms = (int64_t)n * unit;
    return true;
}

static bool read_gain(const char *text, float *db)
{
    char *end;
    float v = strtof(text, &end);

    /* strtof() takes words and 0x5 too. */
    if (end == text || text[strspn(text, "+-.0123456789")] != '\0' || *end != '\0' || v < -60.0f || v > 12.0f)
        return false;
    *db = v;
    return true;
}

static int set_role(struct args *a, const char *text, struct err *err)
{
    int role = role_by_name(text);

    if (role < 0 || role == ROLE_OPERATOR) {
        err_set(err, ERR_USAGE, "the roles are listener, speaker, moderator and host", "there is no role '%.32s'",
                text);
        return -ERR_USAGE;
    }
    a->has_role = true;
    a->role = (enum role)role;
    return 0;
}

/* One line for people to read, which plays with nobody's terminal? At most AUDIT_TEXT_MAX bytes. */
static bool is_plain(const char *text)
{
    char plain[AUDIT_TEXT_MAX + 1];

    snprintf(plain, sizeof plain, "%s", text);
    err_plain(plain);
    return strcmp(plain, text) == 0;
}

static int set_option(struct args *a, enum opt opt, const char *value, const struct command *c, struct err *err)
{
    unsigned long n;

    switch (opt) {
    case OPT_ALL:
        a->all = true;
        return 0;
    case OPT_MAY_UNMUTE:
        a->may_unmute = true;
        return 0;
    case OPT_YES:
        a->yes = true;
        return 0;
    case OPT_WITHOUT_KEY:
        a->without_key = true;
        return 0;
    case OPT_TITLE:
        if (strlen(value) > ROOM_TITLE_MAX)
            return complain(err, c, "a title has at most 120 bytes");
        if (!is_plain(value))
            return complain(err, c, "a title is one line without control characters");
        a->title = value;
        return 0;
    case OPT_WHY:
        if (strlen(value) > AUDIT_TEXT_MAX)
            return complain(err, c, "a reason has at most 500 bytes");
        if (!is_plain(value))
            return complain(err, c, "a reason is one line without control characters");
        a->why = value;
        return 0;
    case OPT_TO:
    case OPT_ROLE:
        return set_role(a, value, err);
    case OPT_USES:
        if (!config_number(value, 1000000, &n) || n == 0)
            return complain(err, c, "--uses takes a number from 1 to 1000000, not '%.32s'", value);
        a->uses = (unsigned)n;
        return 0;
    case OPT_LIMIT:
        if (!config_number(value, 10000, &n) || n == 0)
            return complain(err, c, "--limit takes a number from 1 to 10000, not '%.32s'", value);
        a->limit = (unsigned)n;
        return 0;
    case OPT_EXPIRES:
        if (!read_time(value, &a->expires_ms))
            return complain(err, c, "--expires takes a time such as 30m, 1h or 7d, not '%.32s'", value);
        return 0;
    }
    return -ERR_USAGE;
}

static int set_positional(struct args *a, enum arg arg, const char *word, const struct command *c, struct err *err)
{
    int stream;

    switch (arg) {
    case ARG_ROOM:
        a->room = word;
        return 0;
    case ARG_PERSON:
        a->person = word;
        return 0;
    case ARG_DB:
        return read_gain(word, &a->gain_db)
                   ? 0
                   : complain(err, c, "the fader takes -60 to 12 (decibels), not '%.32s'", word);
    case ARG_TIER:
        stream = stream_by_name(word);
        if (stream < 0 || tier_frame_samples((enum stream)stream) == 0)
            return complain(err, c, "there is no tier '%.32s'; the tiers are low and standard", word);
        a->tier = (enum stream)stream;
        return 0;
    case ARG_UP_DOWN:
    case ARG_ON_OFF:
        a->on = strcmp(word, arg == ARG_UP_DOWN ? "up" : "on") == 0;
        if (!a->on && strcmp(word, arg == ARG_UP_DOWN ? "down" : "off") != 0)
            return complain(err, c, "'%.32s' is not one of the two words asked for", word);
        return 0;
    case ARG_FILE:
        a->file = word;
        return 0;
    case ARG_COMMAND:
        snprintf(a->command + strlen(a->command), sizeof a->command - strlen(a->command), "%s%s",
                 a->command[0] != '\0' ? " " : "", word);
        return 0;
    case ARG_WORDS:
    case ARG_NONE:
        break;
    }
    return complain(err, c, "there is a word too many: '%.64s'", word);
}

static int unknown_option(const char *word, const struct command *c, struct err *err)
{
    const char *names[OPTIONS];
    const char *near;
    size_t n = 0;
    int status;

    for (size_t i = 0; i < OPTIONS; i++)
        if (c->options & options[i].opt)
            names[n++] = options[i].name;
    near = suggest(word, names, n);
    status = complain(err, c, "unknown option '%.32s'", word);
    if (near != NULL)
        err_mend(err, "did you mean '%s'?", near);
    return status;
}

const struct args_option *args_option_named(const char *word, unsigned allowed, const char **value)
{
    size_t len = strcspn(word, "=");

    *value = word[len] == '=' ? word + len + 1 : NULL;
    for (size_t i = 0; i < OPTIONS; i++)
        if ((allowed & options[i].opt) && strlen(options[i].name) == len && memcmp(options[i].name, word, len) == 0)
            return &options[i];
    return NULL;
}

static int parse_option(struct args *a, const struct command *c, const json_t *argv, size_t *at, struct err *err)
{
    const char *word = json_string_value(json_array_get(argv, *at)), *value;
    const struct args_option *o = args_option_named(word, c->options, &value);

    if (o == NULL)
        return unknown_option(word, c, err);
    if (o->value == NULL && value != NULL)
        return complain(err, c, "%s takes no value", o->name);
    if (o->value != NULL && value == NULL)
        value = json_string_value(json_array_get(argv, ++*at));
    if (o->value != NULL && value == NULL)
        return complain(err, c, "%s needs a value", o->name);
    return set_option(a, o->opt, value != NULL ? value : "", c, err);
}

/* There are no short options: "-3" is a fader's value, and a key may begin with '-'. */
static bool is_option(const char *word)
{
    return strncmp(word, "--", 2) == 0;
}

int args_parse(struct args *a, const struct command *c, const json_t *argv, size_t from, struct err *err)
{
    size_t position = 0;

    memset(a, 0, sizeof *a);
    if (c->positional[0] == ARG_WORDS) {
        a->words = from;
        return 0;
    }
    for (size_t i = from; i < json_array_size(argv); i++) {
        const char *word = json_string_value(json_array_get(argv, i));
        enum arg arg;
        int status;

        if (word == NULL)
            return complain(err, c, "a command line is made of strings");
        if (is_option(word)) {
            status = parse_option(a, c, argv, &i, err);
        } else {
            arg = position < ARGS_POSITIONAL_MAX ? c->positional[position] : ARG_NONE;
            status = set_positional(a, arg, word, c, err);
            if (arg != ARG_COMMAND)
                position++;
        }
        if (status != 0)
            return status;
    }
    for (; position < ARGS_POSITIONAL_MAX && c->positional[position] != ARG_NONE; position++) {
        enum arg arg = c->positional[position];

        if (arg == ARG_COMMAND || (arg == ARG_PERSON && a->all))
            continue;
        return complain(err, c, "%s is missing", positionals[arg].name);
    }
    if (a->all && a->person != NULL)
        return complain(err, c, "give a person or --all, not both");
    if ((c->options & OPT_ROLE) && !a->has_role)
        return complain(err, c, "%s is missing", "--role ROLE");
    return 0;
}
