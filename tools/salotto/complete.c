/* complete.c - what salotto offers a shell (see complete.h)
 *
 * Commands are taken from the help text too, from its lines "salotto COMMAND ...  what it does".
 */
#include "tools/salotto/complete.h"

#include "tools/complete.h"
#include "tools/salotto/args.h"
#include "tools/salotto/device.h"
#include "tools/salotto/help.h"

#include <stdio.h>
#include <string.h>

static void offer_devices(const char *begin)
{
    struct device_info d;
    struct err err;

    if (device_init(&err) != 0)
        return;
    for (int i = 0; device_get(i, &d); i++)
        complete_offer(begin, d.name, d.api);
    device_fini();
}

static const struct complete_value values[] = {
    {.option = "--tier", .words = "low standard"},
    {.option = "--input", .words = ":files"},
    {.option = "--output", .words = ":files"},
    {.option = "--packets", .words = ":files"},
    {.option = "--identity", .words = ":files"},
    {.option = "--device", .ask = offer_devices},
    {.option = NULL},
};

/* What stands behind "usage: ", in whatever language, or below that; empty where something else stands. */
static const char *behind_margin(const char *line)
{
    size_t blanks = strspn(line, " ");
    const char *colon = strstr(line, ": ");

    if (blanks > 2)
        return line + blanks;
    return blanks == 0 && colon != NULL ? colon + 1 + strspn(colon + 1, " ") : "";
}

/* From the lines "usage: salotto listen LINK [options]     hear a room" of the help on all. */
static void offer_commands(const char *begin)
{
    const char *text = help_text(ARGS_HELP);

    for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
        char line[256], name[32];
        const char *usage, *gap;

        len = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)len, text);
        usage = behind_margin(line);
        if (sscanf(usage, "salotto %31[a-z-]", name) != 1)
            continue;
        gap = strstr(usage, "  ");
        complete_offer(begin, name, gap != NULL ? gap + strspn(gap, " ") : NULL);
    }
}

/* The command among the words before the last; -1: not yet. *at: where it stands. */
static int find_command(char **words, size_t count, size_t *at)
{
    const char *options = help_text(ARGS_LISTEN); /* it has all that may take a value */

    for (*at = 0; *at + 1 < count; ++*at) {
        if (words[*at][0] != '-')
            return args_command(words[*at]);
        if (complete_takes_next(options, words[*at]))
            ++*at;
    }
    return -1;
}

void client_complete(char **words, size_t count)
{
    size_t at;
    int command = find_command(words, count, &at);

    if (complete_option(help_text(command >= 0 ? (enum args_command)command : ARGS_LISTEN), values, words, count))
        return;
    if (command < 0 ? at + 1 >= count : command == ARGS_HELP && at + 2 == count)
        offer_commands(words[count - 1]);
}
