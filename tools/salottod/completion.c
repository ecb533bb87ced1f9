/* completion.c - what may stand where a command line stops (see completion.h) */
#include "tools/salottod/completion.h"

#include "tools/salottod/args.h"

#include <stdio.h>
#include <string.h>

/* Is it the first of two words of some command? */
static bool is_group(const char *word)
{
    size_t count, len = strlen(word);
    const struct command *t = command_table(&count);

    for (size_t i = 0; i < count; i++)
        if (!t[i].hidden && strncmp(t[i].name, word, len) == 0 && t[i].name[len] == ' ')
            return true;
    return false;
}

/* A command's name is being typed, of which the last word is the n-th. */
static void read_name(struct completion *c, const char *const *words, size_t n)
{
    if (n > 2 || (n == 2 && !is_group(words[0])))
        return;
    c->wanted = WANT_COMMAND;
    c->group = n == 2 ? words[0] : NULL;
}

static void read_value(struct completion *c, const struct args_option *o, const char *begin)
{
    c->begin = begin;
    c->words = o->words;
    c->wanted = o->words != NULL ? WANT_WORD : WANT_NOTHING;
}

static void read_positional(struct completion *c, enum arg arg)
{
    switch (arg) {
    case ARG_ROOM:
        c->wanted = WANT_ROOM;
        break;
    case ARG_PERSON:
        c->wanted = WANT_PERSON;
        break;
    case ARG_FILE:
        c->wanted = WANT_FILE;
        break;
    case ARG_NONE: /* all places are taken: nothing but options may follow */
        c->wanted = WANT_OPTION;
        break;
    default:
        c->words = args_positional(arg)->words;
        c->wanted = c->words != NULL ? WANT_WORD : WANT_NOTHING;
        break;
    }
}

/* What follows a command's name, of `words` up to the n-th, which is the last. */
static void read_rest(struct completion *c, const char *const *words, size_t n)
{
    const char *last = words[n - 1], *value;
    const struct args_option *o;
    unsigned given = 0;
    size_t position = 0;

    for (size_t i = 0; i + 1 < n; i++) {
        if (strncmp(words[i], "--", 2) != 0) {
            if (position == 0)
                c->room = words[i];
            if (position < ARGS_POSITIONAL_MAX && c->command->positional[position] == ARG_PERSON)
                given |= OPT_ALL; /* a person or --all, not both */
            position++;
            continue;
        }
        o = args_option_named(words[i], c->command->options, &value);
        if (o == NULL)
            continue;
        given |= o->opt;
        if (o->value != NULL && value == NULL && ++i + 1 == n) {
            read_value(c, o, last);
            return;
        }
    }
    c->options = c->command->options & ~given;
    o = args_option_named(last, c->command->options, &value);
    if (o != NULL && value != NULL)
        read_value(c, o, value);
    else if (strncmp(last, "--", 2) == 0)
        c->wanted = WANT_OPTION;
    else
        read_positional(c, position < ARGS_POSITIONAL_MAX ? c->command->positional[position] : ARG_NONE);
    if (c->wanted == WANT_PERSON && (given & OPT_ALL))
        c->wanted = WANT_OPTION;
}

void completion_read(struct completion *c, const json_t *argv, size_t from)
{
    const char *words[COMPLETION_WORDS_MAX];
    size_t n = json_array_size(argv) > from ? json_array_size(argv) - from : 0, name_words = 1;
    char both[64];

    memset(c, 0, sizeof *c);
    if (n == 0 || n > COMPLETION_WORDS_MAX)
        return;
    for (size_t i = 0; i < n; i++)
        if ((words[i] = json_string_value(json_array_get(argv, from + i))) == NULL)
            return;
    c->word = c->begin = words[n - 1];
    if (n > 1)
        c->command = command_by_name(words[0]);
    if (n > 2 && c->command == NULL && snprintf(both, sizeof both, "%s %s", words[0], words[1]) < (int)sizeof both) {
        c->command = command_by_name(both);
        name_words = 2;
    }
    if (c->command == NULL)
        read_name(c, words, n);
    else if (c->command->positional[0] == ARG_COMMAND)
        read_name(c, words + name_words, n - name_words);
    else
        read_rest(c, words + name_words, n - name_words);
}

bool completion_fits(const struct completion *c, const char *candidate)
{
    return strncmp(candidate, c->begin, strlen(c->begin)) == 0;
}
