/* show.c - what people see of answers and errors (see show.h) */
#include "tools/salottoctl/show.h"

#include "tools/colour.h"
#include "tools/salottoctl/table.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static unsigned terminal_width(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* For standard output. */
static struct table_style style_of_output(void)
{
    return (struct table_style){.width = isatty(STDOUT_FILENO) ? terminal_width() : 0, .colour = colour_on(stdout)};
}

void show_text(const char *text)
{
    struct table_style style = style_of_output();

    table_print_text(stdout, text, &style);
}

void show_answer(const json_t *answer, bool json)
{
    struct table_style style = style_of_output();
    const json_t *columns = json_object_get(answer, "columns"), *rows = json_object_get(answer, "rows");
    const json_t *details = json_object_get(answer, "details"), *data = json_object_get(answer, "data");
    const char *text = json_string_value(json_object_get(answer, "text"));

    if (json) {
        if (data == NULL || json_dumpf(data, stdout, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
            fputs("null", stdout);
        fputc('\n', stdout);
        return;
    }
    if (columns != NULL)
        table_print(stdout, columns, rows, &style);
    if (text != NULL)
        table_print_text(stdout, text, &style);
    /* Beside a text they are for who sees it; in a pipe the text goes alone. */
    if (details != NULL && (text == NULL || style.width > 0))
        table_print_details(stdout, details, &style);
}

static bool may_stand_before_a_quotation(char c)
{
    return strchr(" (:;,", c) != NULL;
}

/* The end of the 'quoted' or `quoted` text that begins at text[at], or 0. An apostrophe is no quotation. */
static size_t quotation(const char *text, size_t at)
{
    const char *end;

    if ((text[at] != '\'' && text[at] != '`') || (at > 0 && !may_stand_before_a_quotation(text[at - 1])))
        return 0;
    end = strchr(text + at + 1, text[at]);
    return end != NULL ? (size_t)(end - text) : 0;
}

void show_error(const struct err *err)
{
    bool on = colour_on(stderr);

    fprintf(stderr, "%ssalottoctl: %s%s\n", colour(on, COLOUR_BAD), err->message, colour(on, COLOUR_END));
    if (err->mend[0] == '\0')
        return;
    fputs("  ", stderr);
    for (size_t at = 0; err->mend[at] != '\0'; at++) {
        size_t end = quotation(err->mend, at);

        if (end == 0) {
            fputc(err->mend[at], stderr);
            continue;
        }
        fprintf(stderr, "%c%s%.*s%s%c", err->mend[at], colour(on, COLOUR_STRONG), (int)(end - at - 1),
                err->mend + at + 1, colour(on, COLOUR_END), err->mend[end]);
        at = end;
    }
    fputc('\n', stderr);
}
