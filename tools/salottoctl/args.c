/* args.c - salottoctl's own options, and the words that are the daemon's (see args.h)
 *
 * No command is known here by name, so nothing but the options below is looked at.
 */
#include "tools/salottoctl/args.h"

#include "tools/suggest.h"

#include <stdio.h>
#include <string.h>

#define TRY_HELP ERR_TEXT("`salottoctl --help` lists the options and the commands")

/* Is `word` this option? Its value is the rest after '=', or the next word. */
static bool takes_value(const char *word, const char *option, int *i, int argc, char **argv, const char **value,
                        bool *missing)
{
    size_t len = strlen(option);

    if (strncmp(word, option, len) != 0 || (word[len] != '\0' && word[len] != '='))
        return false;
    if (word[len] == '=')
        *value = word + len + 1;
    else if (*i + 1 < argc)
        *value = argv[++*i];
    else
        *missing = true;
    return true;
}

static bool takes_flag(const char *word, const char *option, bool *flag)
{
    if (strcmp(word, option) != 0)
        return false;
    *flag = true;
    return true;
}

static int unknown(const char *word, struct err *err)
{
    static const char *const names[] = {"--json",  "--help",   "--version", "--accept-new",
                                        "--state", "--server", "--identity"};
    const char *near;
    char name[40];

    err_set(err, ERR_USAGE, TRY_HELP, "unknown option '%s'", word);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    near = suggest(name, names, sizeof names / sizeof *names);
    if (near != NULL)
        err_mend(err, "did you mean '%s'?", near);
    return -ERR_USAGE;
}

int args_parse(struct args *a, int argc, char **argv, struct err *err)
{
    bool missing = false, ours = true;
    int kept = 1;

    memset(a, 0, sizeof *a);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];

        if (ours && strcmp(word, "--") == 0) {
            ours = false;
            continue;
        }
        if (ours && (takes_flag(word, "--json", &a->json) || takes_flag(word, "--help", &a->help) ||
                     takes_flag(word, "-h", &a->help) || takes_flag(word, "--version", &a->version) ||
                     takes_flag(word, "--accept-new", &a->accept_new) || takes_flag(word, "--force", &a->force) ||
                     takes_value(word, "--state", &i, argc, argv, &a->state, &missing) ||
                     takes_value(word, "--server", &i, argc, argv, &a->server, &missing) ||
                     takes_value(word, "--identity", &i, argc, argv, &a->identity, &missing))) {
            if (missing)
                return err_set(err, ERR_USAGE, TRY_HELP, "%s needs a value", word);
            continue;
        }
        if (ours && kept == 1 && word[0] == '-' && word[1] != '\0')
            return unknown(word, err);
        argv[kept++] = argv[i];
    }
    a->words = argv + 1;
    a->word_count = (size_t)(kept - 1);
    if (a->state != NULL && a->server != NULL)
        return err_set(err, ERR_USAGE, "give one of them", "--state and --server name two different ways");
    return 0;
}
