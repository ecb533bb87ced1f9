/* cmd_help.c - help, made from the command table */
#include "tools/salottod/call.h"

#include "tools/suggest.h"

#include <stdio.h>
#include <string.h>

static json_t *help_all(struct call *c)
{
    char text[8192] = "";
    size_t at = 0, count;
    const struct command *t = command_table(&count);
    json_t *data = json_array();

    (void)c;
    for (size_t i = 0; i < count && at < sizeof text; i++) {
        char usage[200];

        args_usage(usage, sizeof usage, &t[i]);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s\n    %s%s", i > 0 ? "\n" : "", usage, t[i].help,
                               t[i].in_room ? " (for who is in the room)" : "");
        json_array_append_new(data, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", t[i].name, "usage", usage, "help",
                                              t[i].help, "least_role", role_name(t[i].least), "example", t[i].example));
    }
    return json_pack("{s:s, s:o}", "text", text, "data", data);
}

/* "mute", and also "mute piazza bruno" as somebody typed it before --help. */
static bool names(const char *words, const char *command)
{
    size_t len = strlen(command);

    return strncmp(words, command, len) == 0 && (words[len] == '\0' || words[len] == ' ');
}

static json_t *help_one(struct call *c)
{
    size_t count;
    const struct command *t = command_table(&count);

    for (size_t i = 0; i < count; i++) {
        char usage[200], text[600];

        if (!names(c->args.command, t[i].name))
            continue;
        args_usage(usage, sizeof usage, &t[i]);
        snprintf(text, sizeof text, "%s\n    %s\n    for: %s and above\n    example: salottoctl %s", usage, t[i].help,
                 role_name(t[i].least), t[i].example);
        return call_text(text);
    }
    return NULL;
}

int cmd_help(struct call *c)
{
    const char *all[64];
    const char *near;
    size_t count;
    const struct command *t = command_table(&count);
    json_t *found;

    c->report = c->args.command[0] == '\0' ? help_all : help_one;
    if (c->args.command[0] == '\0')
        return 0;
    found = help_one(c);
    json_decref(found);
    if (found != NULL)
        return 0;
    for (size_t i = 0; i < count && i < 64; i++)
        all[i] = t[i].name;
    near = suggest(c->args.command, all, count < 64 ? count : 64);
    err_set(&c->err, ERR_USAGE, "type: help", "there is no command '%s'", c->args.command);
    if (near != NULL)
        err_mend(&c->err, "did you mean 'help %s'?", near);
    return -ERR_USAGE;
}
