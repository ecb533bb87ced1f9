/* main.c - fills in the parts of the manual pages that the daemon's command table knows
 *
 * Copies a page in mdoc(7) from standard input to standard output. A line that is @COMMANDS@, @SELF_COMMANDS@ or
 * @WORDS@ becomes the commands that moderators type, those that clients send for whoever is in a room, and the words
 * and options of all. @VERSION@ within a line becomes the version. Runs when Salotto is built.
 */
#include "tools/salottod/args.h"
#include "tools/salottod/command.h"
#include "tools/version.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS 78

/* mdoc takes a backslash, and in a macro's line a quote, for its own. */
static void put_escaped(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        fputs(text[i] == '\\' ? "\\e" : text[i] == '"' ? "\\(dq" : (char[]){text[i], '\0'}, stdout);
}

/* Words in lines of at most COLUMNS; a dot or an apostrophe at the beginning of a line is mdoc's own, too. */
static void put_text(const char *text, size_t len)
{
    size_t column = 0;

    for (size_t at = strspn(text, " "), word; at < len; at += word + strspn(text + at + word, " ")) {
        word = strcspn(text + at, " ");
        if (word > len - at)
            word = len - at;
        if (column > 0 && column + 1 + word > COLUMNS) {
            putchar('\n');
            column = 0;
        }
        if (column > 0)
            putchar(' ');
        else if (text[at] == '.' || text[at] == '\'')
            fputs("\\&", stdout);
        put_escaped(text + at, word);
        column += 1 + word;
    }
}

/* `unmute` is a macro's line of its own, with the point or comma that follows. Returns what is behind it. */
static const char *put_command(const char *text, bool line_begun)
{
    size_t len = strcspn(text, "`");
    const char *rest = text + len + (text[len] == '`');
    size_t points = strspn(rest, ".,:;)");

    printf("%s.Ic ", line_begun ? "\n" : "");
    put_escaped(text, len);
    for (size_t i = 0; i < points; i++)
        printf(" %c", rest[i]);
    putchar('\n');
    rest += points;
    return rest + strspn(rest, " ");
}

/* Sentences, each on a line of its own, as mdoc wants them. */
static void put_sentences(const char *text)
{
    bool begun = false;

    while (*text != '\0') {
        size_t len = strcspn(text, "`");
        const char *end = strstr(text, ". ");

        if (end != NULL && (size_t)(end - text) < len) {
            put_text(text, (size_t)(end - text) + 1);
            putchar('\n');
            text = end + 2;
            begun = false;
        } else if (text[len] == '`') {
            put_text(text, len);
            begun = len > 0;
            text = put_command(strchr(text, '`') + 1, begun);
            begun = false;
        } else {
            put_text(text, len);
            begun = true;
            text += len;
        }
    }
    if (begun)
        putchar('\n');
}

/* "Ar ROOM", "Cm up | down", "Op Ar COMMAND" */
static void put_positional(const struct args_positional *p)
{
    size_t len = strlen(p->name);

    if (p->name[0] == '[')
        printf(" Op Ar %.*s", (int)len - 2, p->name + 1);
    else if (strchr(p->name, '|') != NULL)
        printf(" Cm %s | %s", p->words[0], p->words[1]);
    else
        printf(" Ar %s", p->name);
}

static void put_option(const struct args_option *o)
{
    printf(" Fl %s", o->name + 1);
    if (o->value != NULL)
        printf(" Ar %s", o->value);
}

static void put_command_entry(const struct command *c)
{
    size_t count;
    const struct args_option *o = args_options(&count);

    printf(".It Ic %s", c->name);
    for (size_t i = 0; i < ARGS_POSITIONAL_MAX && c->positional[i] != ARG_NONE; i++) {
        put_positional(args_positional(c->positional[i]));
        if (c->positional[i] == ARG_PERSON && (c->options & OPT_ALL))
            printf(" | Fl -all");
    }
    for (size_t i = 0; i < count; i++) {
        if ((c->options & o[i].opt) == 0 || o[i].opt == OPT_ALL)
            continue;
        printf(o[i].must ? "" : " Oo");
        put_option(&o[i]);
        printf(o[i].must ? "" : " Oc");
    }
    putchar('\n');
    putchar(c->help[0] >= 'a' && c->help[0] <= 'z' ? c->help[0] - 'a' + 'A' : c->help[0]);
    put_text(c->help + 1, strlen(c->help + 1));
    fputs(".\n", stdout);
    if (c->about != NULL)
        put_sentences(c->about);
    if (c->least > ROLE_LISTENER)
        printf("For: %s and above.\n", role_name(c->least));
    else
        printf("For everybody.\n");
    printf(".Pp\n.Dl %s", c->in_room ? "" : "salottoctl ");
    put_escaped(c->example, strlen(c->example));
    putchar('\n');
}

static void put_commands(bool in_room)
{
    size_t count;
    const struct command *t = command_table(&count);

    printf(".Bl -tag -width Ds\n");
    for (size_t i = 0; i < count; i++)
        if (!t[i].hidden && t[i].in_room == in_room)
            put_command_entry(&t[i]);
    printf(".El\n");
}

static void put_explanation(const char *help)
{
    putchar('\n');
    put_text(help, strlen(help));
    putchar('\n');
}

static void put_words(void)
{
    size_t count;
    const struct args_option *o = args_options(&count);

    printf(".Bl -tag -width \"--may-unmute\"\n");
    for (enum arg a = ARG_ROOM; a < ARG_WORDS; a++) {
        printf(".It");
        put_positional(args_positional(a));
        put_explanation(args_positional(a)->help);
    }
    for (size_t i = 0; i < count; i++) {
        printf(".It");
        put_option(&o[i]);
        put_explanation(o[i].help);
    }
    printf(".El\n");
}

static void put_line(const char *line)
{
    const char *mark = strstr(line, "@VERSION@");

    if (strcmp(line, "@COMMANDS@\n") == 0)
        put_commands(false);
    else if (strcmp(line, "@SELF_COMMANDS@\n") == 0)
        put_commands(true);
    else if (strcmp(line, "@WORDS@\n") == 0)
        put_words();
    else if (mark != NULL)
        printf("%.*s%s%s", (int)(mark - line), line, SALOTTO_VERSION, mark + strlen("@VERSION@"));
    else
        fputs(line, stdout);
}

int main(void)
{
    char line[1024];

    while (fgets(line, sizeof line, stdin) != NULL)
        put_line(line);
    return ferror(stdin) || fflush(stdout) != 0 || ferror(stdout) ? 1 : 0;
}
