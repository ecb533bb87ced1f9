/* cmd_help.c - help, made from the command table */
#include "tools/salottod/call.h"

#include "tools/suggest.h"

#include <stdio.h>
#include <stdlib.h>
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

#define TERM_COLUMNS 18 /* of what is explained, before its explanation */

static void explain(FILE *out, const char *name, const char *value, const char *help)
{
    int used = fprintf(out, "    %s%s%s", name, value != NULL ? " " : "", value != NULL ? value : "");

    fprintf(out, "%*s  %s\n", used > 0 && used < TERM_COLUMNS + 4 ? TERM_COLUMNS + 4 - used : 0, "", help);
}

/* Every word that a command takes, a line each. */
static void explain_words(FILE *out, const struct command *t)
{
    size_t count;
    const struct args_option *o = args_options(&count);

    for (size_t i = 0; i < ARGS_POSITIONAL_MAX && t->positional[i] != ARG_NONE; i++) {
        const struct args_positional *p = args_positional(t->positional[i]);

        explain(out, p->name, NULL, p->help);
    }
    for (size_t i = 0; i < count; i++)
        if (t->options & o[i].opt)
            explain(out, o[i].name, o[i].value, o[i].help);
}

static void describe(FILE *out, const struct command *t)
{
    char usage[200];

    args_usage(usage, sizeof usage, t);
    fprintf(out, "%s\n    %s%s\n\n", usage, t->help, t->in_room ? " (for who is in the room)" : "");
    explain_words(out, t);
    fprintf(out, "%s    for: %s and above\n    example: salottoctl %s\n",
            t->positional[0] != ARG_NONE || t->options != 0 ? "\n" : "", role_name(t->least), t->example);
}

static const struct command *asked_about(const struct call *c)
{
    size_t count;
    const struct command *t = command_table(&count);

    for (size_t i = 0; i < count; i++)
        if (names(c->args.command, t[i].name))
            return &t[i];
    return NULL;
}

static json_t *help_one(struct call *c)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    json_t *answer = NULL;

    if (out != NULL) {
        describe(out, asked_about(c));
        answer = fclose(out) == 0 ? call_text(text) : NULL;
    }
    free(text);
    return answer;
}

static int no_such_command(struct call *c)
{
    const char *all[64];
    const char *near;
    size_t count;
    const struct command *t = command_table(&count);

    for (size_t i = 0; i < count && i < 64; i++)
        all[i] = t[i].name;
    near = suggest(c->args.command, all, count < 64 ? count : 64);
    err_set(&c->err, ERR_USAGE, "type: help", "there is no command '%s'", c->args.command);
    if (near != NULL)
        err_mend(&c->err, "did you mean 'help %s'?", near);
    return -ERR_USAGE;
}

int cmd_help(struct call *c)
{
    if (c->args.command[0] != '\0' && asked_about(c) == NULL)
        return no_such_command(c);
    c->report = c->args.command[0] != '\0' ? help_one : help_all;
    return 0;
}
