/* complete.c - what a program offers a shell for the word that is being typed (see complete.h) */
#include "tools/complete.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_S 2
#define ASK        "--complete"
#define LINE_MAX   512

/* One explained option. */
struct explained {
    char name[32];
    bool takes_value;
    char description[LINE_MAX];
};

static void give_up(int signal)
{
    (void)signal;
    _exit(0);
}

char **complete_asked(int argc, char **argv, size_t *count)
{
    int nowhere;

    if (argc < 3 || strcmp(argv[1], ASK) != 0)
        return NULL;
    nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, STDERR_FILENO);
        close(nowhere);
    }
    signal(SIGALRM, give_up);
    alarm(PATIENCE_S);
    *count = (size_t)(argc - 2);
    return argv + 2;
}

static bool is_clean(const char *word)
{
    for (; *word != '\0'; word++)
        if ((unsigned char)*word < 0x20 || *word == 0x7f)
            return false;
    return true;
}

/* "--to=" before "--to=host": `prefix` bytes of `before` stand in front of each candidate. */
static void offer(const char *before, size_t prefix, const char *begin, const char *word, const char *description)
{
    if (strncmp(word, begin, strlen(begin)) != 0 || !is_clean(word))
        return;
    printf("%.*s%s", (int)prefix, before, word);
    if (description != NULL && description[0] != '\0') {
        putchar('\t');
        for (; *description != '\0'; description++)
            putchar((unsigned char)*description < 0x20 || *description == 0x7f ? ' ' : *description);
    }
    putchar('\n');
}

void complete_offer(const char *begin, const char *word, const char *description)
{
    offer("", 0, begin, word, description);
}

/* The next line "  --option VALUE  what it is for" from *text on, which is moved behind it. */
static bool next_option(const char **text, struct explained *o)
{
    while (**text != '\0') {
        const char *line = *text, *end = strchrnul(line, '\n');
        int name = 0, value = 0, used;

        *text = *end == '\n' ? end + 1 : end;
        if (strncmp(line, "  --", 4) != 0 || sscanf(line, "  %31[a-z-]%n", o->name, &name) != 1)
            continue;
        if (line[name] == ' ' && line[name + 1] != ' ')
            value = (int)strcspn(line + name + 1, " \n") + 1;
        o->takes_value = value > 0;
        used = name + value + (int)strspn(line + name + value, " ");
        snprintf(o->description, sizeof o->description, "%.*s", (int)(end - line) - used, line + used);
        return true;
    }
    return false;
}

static bool find_option(const char *help, const char *name, size_t len, struct explained *o)
{
    while (next_option(&help, o))
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
            return true;
    return false;
}

bool complete_takes_next(const char *help, const char *word)
{
    struct explained o;

    return find_option(help, word, strlen(word), &o) && o.takes_value;
}

static void offer_value(const struct complete_value *v, const char *name, const char *typed, size_t prefix)
{
    const char *begin = typed + prefix, *words;
    size_t len;

    while (v->option != NULL && strcmp(v->option, name) != 0)
        v++;
    if (v->option == NULL)
        return;
    if (v->words == NULL) {
        if (v->ask != NULL && prefix == 0)
            v->ask(begin);
    } else if (v->words[0] == ':') {
        puts(v->words);
    } else {
        for (words = v->words; *words != '\0'; words += len + strspn(words + len, " ")) {
            char candidate[64];

            len = strcspn(words, " ");
            snprintf(candidate, sizeof candidate, "%.*s", (int)len, words);
            offer(typed, prefix, begin, candidate, NULL);
        }
    }
}

bool complete_option(const char *help, const struct complete_value *values, char **words, size_t count)
{
    const char *last = words[count - 1], *equals = strchr(last, '=');
    struct explained o;

    if (count > 1 && complete_takes_next(help, words[count - 2])) {
        offer_value(values, words[count - 2], last, 0);
        return true;
    }
    if (last[0] != '-')
        return false;
    if (equals != NULL && find_option(help, last, (size_t)(equals - last), &o) && o.takes_value) {
        offer_value(values, o.name, last, (size_t)(equals - last) + 1);
        return true;
    }
    while (equals == NULL && next_option(&help, &o))
        complete_offer(last, o.name, o.description);
    return true;
}
