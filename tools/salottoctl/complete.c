/* complete.c - what salottoctl offers a shell (see complete.h) */
#include "tools/salottoctl/complete.h"

#include "tools/complete.h"
#include "tools/salottoctl/args.h"
#include "tools/salottoctl/ask.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WORDS_MAX 64

static const struct complete_value values[] = {
    {.option = "--state", .words = ":folders"},
    {.option = "--identity", .words = ":files"},
    {.option = NULL},
};

/* What the daemon says of the command's words. False when that is nothing. */
static bool offer_of_daemon(const struct args *args, const char *last)
{
    char *words[WORDS_MAX + 1] = {(char *)"complete"};
    struct err err;
    json_t *answer, *row;
    size_t i, count;

    if (args->word_count > WORDS_MAX)
        return false;
    memcpy(words + 1, args->words, args->word_count * sizeof *words);
    answer = ask(args, words, args->word_count + 1, false, &err);
    json_array_foreach(json_object_get(answer, "data"), i, row)
    {
        const char *word = json_string_value(json_array_get(row, 0));

        if (word != NULL && strcmp(word, ":files") == 0)
            puts(word); /* what the shell looks up itself */
        else if (word != NULL)
            complete_offer(last, word, json_string_value(json_array_get(row, 1)));
    }
    count = json_array_size(json_object_get(answer, "data"));
    json_decref(answer);
    return count > 0;
}

void ctl_complete(const char *usage, char **words, size_t count)
{
    char *argv[WORDS_MAX + 2] = {(char *)"salottoctl"};
    const char *last = words[count - 1];
    struct args args;
    struct err err;

    if (count > WORDS_MAX)
        return;
    /* The word being typed may be half an option, which is not ours to judge. */
    memcpy(argv + 1, words, (count - 1) * sizeof *argv);
    if (args_parse(&args, (int)count, argv, &err) != 0) {
        complete_option(usage, values, words, count); /* an option that still lacks its value */
        return;
    }
    if (args.word_count == 0 && complete_option(usage, values, words, count))
        return;
    args.words[args.word_count++] = words[count - 1];
    args.looking = true;
    if (!offer_of_daemon(&args, last))
        complete_option(usage, values, words, count);
}
