/* cmd_help.c - help, made from the command table */
#include "tools/language.h"
#include "tools/salottod/call.h"
#include "tools/salottod/words.h"

#include "tools/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The commands that people type, by number; NULL beyond the last. */
static const struct command *shown(size_t i)
{
    size_t count;
    const struct command *t = command_table(&count);

    for (const struct command *end = t + count; t < end; t++)
        if (!t->hidden && i-- == 0)
            return t;
    return NULL;
}

/* Does the line of words begin with these? "mute", and also "mute piazza bruno" as somebody typed it before --help. */
static bool begins_with(const char *line, const char *words)
{
    size_t len = strlen(words);

    return strncmp(line, words, len) == 0 && (line[len] == '\0' || line[len] == ' ');
}

/* How it is typed, and what it does. */
static void write_what(FILE *out, const char *usage, const struct command *t)
{
    fprintf(out, "%s\n    ", usage);
    fprintf(out, t->in_room ? _("%s (for who is in the room)") : "%s", _(t->help));
    fputc('\n', out);
}

/* All commands, or all that begin with the word that was asked about, such as `room`. */
static json_t *help_all(struct call *c)
{
    json_t *data = json_array(), *answer = NULL;
    const struct command *t;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; out != NULL && (t = shown(i)) != NULL; i++) {
        char usage[200];

        if (c->args.command[0] != '\0' && !begins_with(t->name, c->args.command))
            continue;
        args_usage(usage, sizeof usage, t);
        write_what(out, usage, t);
        json_array_append_new(data, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", t->name, "usage", usage, "help",
                                              t->help, "least_role", role_name(t->least), "example", t->example));
    }
    if (out != NULL && fclose(out) == 0)
        answer = json_pack("{s:s, s:O}", "text", text, "data", data);
    json_decref(data);
    free(text);
    return answer;
}

#define COLUMNS      76 /* of a line of sentences, after its four blanks */
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

        explain(out, p->name, NULL, _(p->help));
    }
    for (size_t i = 0; i < count; i++)
        if (t->options & o[i].opt)
            explain(out, o[i].name, o[i].value, _(o[i].help));
}

static size_t columns_of(const char *word, size_t len)
{
    size_t columns = 0;

    for (size_t i = 0; i < len; i++)
        columns += ((unsigned char)word[i] & 0xc0) != 0x80; /* each character of UTF-8 once */
    return columns;
}

/* Sentences, in lines that fit a terminal. */
static void write_wrapped(FILE *out, const char *text)
{
    size_t used = 0;

    while (*text != '\0') {
        size_t len = strcspn(text, " "), columns = columns_of(text, len);

        if (used > 0 && used + 1 + columns > COLUMNS) {
            fprintf(out, "\n");
            used = 0;
        }
        fprintf(out, "%s%.*s", used > 0 ? " " : "    ", (int)len, text);
        used += columns + (used > 0);
        text += len + strspn(text + len, " ");
    }
    fprintf(out, "\n");
}

static void describe(FILE *out, const struct command *t)
{
    char usage[200];

    args_usage(usage, sizeof usage, t);
    write_what(out, usage, t);
    fputc('\n', out);
    if (t->positional[0] != ARG_NONE || t->options != 0) {
        explain_words(out, t);
        fprintf(out, "\n");
    }
    if (t->about != NULL) {
        write_wrapped(out, _(t->about));
        fprintf(out, "\n");
    }
    if (t->least > ROLE_LISTENER)
        fprintf(out, _("    for: %s and above\n"), words_role(t->least));
    else
        fputs(_("    for: everybody\n"), out);
    fprintf(out, _("    example: %s%s\n"), t->in_room ? "" : "salottoctl ", t->example);
}

static const struct command *asked_about(const struct call *c)
{
    const struct command *t;

    for (size_t i = 0; (t = shown(i)) != NULL; i++)
        if (begins_with(c->args.command, t->name))
            return t;
    return NULL;
}

static json_t *help_one(struct call *c)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    const struct command *about = asked_about(c);
    json_t *answer = NULL;

    if (out != NULL) {
        if (about != NULL) /* it was looked for before there was anything to report */
            describe(out, about);
        answer = fclose(out) == 0 ? call_text(text) : NULL;
    }
    free(text);
    return answer;
}

static int no_such_command(struct call *c)
{
    const char *all[64];
    const struct command *t;
    const char *near;
    size_t n;

    for (n = 0; n < sizeof all / sizeof *all && (t = shown(n)) != NULL; n++)
        all[n] = t->name;
    near = suggest(c->args.command, all, n);
    err_set(&c->err, ERR_USAGE, "type: help", "there is no command '%s'", c->args.command);
    if (near != NULL)
        err_mend(&c->err, "did you mean 'help %s'?", near);
    return -ERR_USAGE;
}

static bool is_group(const char *word)
{
    const struct command *t;

    for (size_t i = 0; (t = shown(i)) != NULL; i++)
        if (begins_with(t->name, word))
            return true;
    return false;
}

int cmd_help(struct call *c)
{
    if (asked_about(c) != NULL)
        c->report = help_one;
    else if (c->args.command[0] == '\0' || is_group(c->args.command))
        c->report = help_all;
    else
        return no_such_command(c);
    return 0;
}
