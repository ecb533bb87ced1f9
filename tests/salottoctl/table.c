/* table.c - tests of the tables for people */
#include "tools/salottoctl/table.h"

#include "tools/salottoctl/cell.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static char *printed;

/* The table of two JSON texts as it is printed; the caller compares and the next call frees. */
static const char *table(const char *columns, const char *rows, unsigned width)
{
    json_t *c = json_loads(columns, 0, NULL), *r = json_loads(rows, 0, NULL);
    size_t len;
    FILE *out;

    free(printed);
    out = open_memstream(&printed, &len);
    assert_non_null(c);
    assert_non_null(r);
    if (table_print(out, c, r, &(struct table_style){.width = width}) != 0)
        fputs("no table", out);
    fclose(out);
    json_decref(c);
    json_decref(r);
    return printed;
}

static void columns_are_aligned_and_numbers_stand_to_the_right(void **state)
{
    (void)state;
    assert_string_equal(
        table("[\"handle\",\"ms\",\"muted\"]", "[[\"anna\",5,true],[\"bruno\",120,false],[\"c\",null,null]]", 0),
        "handle   ms  muted\n"
        "anna      5  yes\n"
        "bruno   120  no\n"
        "c         -  -\n");
}

static void a_table_without_rows_is_its_heading(void **state)
{
    (void)state;
    assert_string_equal(table("[\"room\",\"people\"]", "[]", 0), "room  people\n");
}

static void letters_beyond_ascii_are_counted_in_columns_not_bytes(void **state)
{
    (void)state;
    assert_string_equal(table("[\"title\",\"n\"]", "[[\"Caffè Perù\",1],[\"日本\",2]]", 0), "title       n\n"
                                                                                            "Caffè Perù  1\n"
                                                                                            "日本        2\n");
}

static void the_widest_column_is_cut_until_the_line_fits(void **state)
{
    (void)state;
    assert_string_equal(table("[\"room\",\"title\"]", "[[\"piazza\",\"a very long title indeed\"]]", 20),
                        "room    title\n"
                        "piazza  a very long…\n");
}

static void no_line_ends_with_blanks(void **state)
{
    (void)state;
    assert_string_equal(
        table("[\"who\",\"to\",\"why\"]", "[[\"anna\",\"\",\"\"],[\"\",\"bruno\",\"\"],[\"\",\"\",\"echo\"]]", 0),
        "who   to     why\n"
        "anna\n"
        "      bruno\n"
        "             echo\n");
}

/* The widest line, in columns, of what was printed last. */
static unsigned widest_line(void)
{
    unsigned widest = 0;

    for (const char *at = printed; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        char *line = strndup(at, len);

        assert_non_null(line);
        widest = cell_columns(line) > widest ? cell_columns(line) : widest;
        free(line);
        at += len + (at[len] == '\n');
    }
    return widest;
}

static void a_table_fits_every_terminal_from_20_to_200_columns(void **state)
{
    static const char columns[] = "[\"when\",\"who\",\"did\",\"to\",\"what\",\"why\"]";
    static const char rows[] =
        "[[{\"time_ms\":1700000000000},\"anna-maria-della-valle\",\"promote\",\"日本日本日本日本日本\","
        "\"speaker\",\"Caffè, e poi una ragione così lunga che su nessun terminale ci sta intera, "
        "nemmeno su uno di duecento colonne, perché continua e continua e non finisce mai più\"],"
        "[{\"time_ms\":1},\"b\",\"mute\",\"c\",\"\",\"\"]]";

    (void)state;
    for (unsigned width = 20; width <= 200; width++) {
        table(columns, rows, width);
        assert_in_range(widest_line(), 1, width);
        table(columns, "[]", width);
        assert_in_range(widest_line(), 1, width);
    }
}

static void where_columns_would_be_cut_to_nothing_each_row_becomes_lines(void **state)
{
    (void)state;
    assert_string_equal(
        table("[\"name\",\"role\",\"tier\",\"key\"]",
              "[[\"annamaria\",\"moderator\",\"standard\",\"abcdefgh\"],[\"b\",\"host\",\"low\",\"x\"]]", 20),
        "name  annamaria\n"
        "role  moderator\n"
        "tier  standard\n"
        "key   abcdefgh\n"
        "\n"
        "name  b\n"
        "role  host\n"
        "tier  low\n"
        "key   x\n");
}

static void a_moment_is_shown_in_the_readers_zone_by_its_name(void **state)
{
    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    assert_string_equal(table("[\"when\"]", "[[{\"time_ms\":1700000000000}],[{\"time_ms\":1690000000000}]]", 0),
                        "when\n"
                        "2023-11-14 23:13:20 CET\n"
                        "2023-07-22 06:26:40 CEST\n");
    setenv("TZ", "UTC0", 1);
    tzset();
    assert_string_equal(table("[\"when\"]", "[[{\"time_ms\":1700000000000}],[{}],[{\"time_ms\":-5}]]", 0),
                        "when\n"
                        "2023-11-14 22:13:20 UTC\n"
                        "?\n"
                        "?\n");
}

static const char *details(const char *pairs, unsigned width)
{
    json_t *p = json_loads(pairs, 0, NULL);
    size_t len;
    FILE *out;

    free(printed);
    out = open_memstream(&printed, &len);
    assert_non_null(p);
    if (table_print_details(out, p, &(struct table_style){.width = width}) != 0)
        fputs("no details", out);
    fclose(out);
    json_decref(p);
    return printed;
}

static void details_stand_beneath_one_another(void **state)
{
    (void)state;
    assert_string_equal(details("[[\"room\",\"piazza\"],[\"qualità\",\"low\"],[\"people\",3]]", 0), "room     piazza\n"
                                                                                                    "qualità  low\n"
                                                                                                    "people   3\n");
    assert_string_equal(details("[[\"room\",\"a very long name\"]]", 14), "room  a very …\n");
    assert_string_equal(details("[[\"room\"]]", 0), "no details");
}

static const char *text(const char *words, unsigned width)
{
    size_t len;
    FILE *out;

    free(printed);
    out = open_memstream(&printed, &len);
    table_print_text(out, words, &(struct table_style){.width = width});
    fclose(out);
    return printed;
}

static void text_is_broken_at_blanks_and_goes_on_as_far_in_as_it_began(void **state)
{
    (void)state;
    assert_string_equal(text("mute ROOM PERSON\n    silence a speaker until a moderator lifts it\n", 24),
                        "mute ROOM PERSON\n"
                        "    silence a speaker\n"
                        "    until a moderator\n"
                        "    lifts it\n");
    assert_string_equal(text("  --uses N  how many people it lets in", 26), "  --uses N  how many\n"
                                                                            "            people it lets\n"
                                                                            "            in\n");
    assert_string_equal(text("a b\n\nc ", 0), "a b\n\nc \n");
    assert_string_equal(text("è è è è", 3), "è è\nè è\n");
    assert_string_equal(text("\033[2J", 0), "?[2J\n");
}

static void a_link_is_never_broken(void **state)
{
    static const char link[] = "salotto://radio.example/piazza?k=abcdefghijklmnopqrstuvwxyz0123456789";
    char expected[200];

    (void)state;
    snprintf(expected, sizeof expected, "%s\n", link);
    assert_string_equal(text(link, 20), expected);
    snprintf(expected, sizeof expected, "try\n%s\nagain\n", link);
    assert_string_equal(text("try salotto://radio.example/piazza?k=abcdefghijklmnopqrstuvwxyz0123456789 again", 20),
                        expected);
}

static void headings_are_bold_where_there_are_colours(void **state)
{
    json_t *c = json_loads("[\"a\"]", 0, NULL), *r = json_loads("[[\"b\"]]", 0, NULL);
    size_t len;
    FILE *out;

    (void)state;
    free(printed);
    out = open_memstream(&printed, &len);
    assert_int_equal(table_print(out, c, r, &(struct table_style){.colour = true}), 0);
    fclose(out);
    json_decref(c);
    json_decref(r);
    assert_string_equal(printed, "\033[1ma\033[0m\nb\n");
}

static void names_cannot_play_with_the_terminal(void **state)
{
    (void)state;
    assert_string_equal(table("[\"title\"]", "[[\"a\\u001b[2Jb\\nc\"]]", 0), "title\na?[2Jb?c\n");
    assert_string_equal(table("[\"title\"]", "[[\"a\\u202eb\\u009bc è\"]]", 0), "title\na?b?c è\n");
}

static void what_is_no_table_is_refused(void **state)
{
    (void)state;
    assert_string_equal(table("[\"a\",\"b\"]", "[[1]]", 0), "no table");
    assert_string_equal(table("[]", "[]", 0), "no table");
    assert_string_equal(table("[\"a\"]", "{}", 0), "no table");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned_and_numbers_stand_to_the_right),
        cmocka_unit_test(a_table_without_rows_is_its_heading),
        cmocka_unit_test(letters_beyond_ascii_are_counted_in_columns_not_bytes),
        cmocka_unit_test(the_widest_column_is_cut_until_the_line_fits),
        cmocka_unit_test(no_line_ends_with_blanks),
        cmocka_unit_test(a_table_fits_every_terminal_from_20_to_200_columns),
        cmocka_unit_test(where_columns_would_be_cut_to_nothing_each_row_becomes_lines),
        cmocka_unit_test(a_moment_is_shown_in_the_readers_zone_by_its_name),
        cmocka_unit_test(details_stand_beneath_one_another),
        cmocka_unit_test(text_is_broken_at_blanks_and_goes_on_as_far_in_as_it_began),
        cmocka_unit_test(a_link_is_never_broken),
        cmocka_unit_test(headings_are_bold_where_there_are_colours),
        cmocka_unit_test(names_cannot_play_with_the_terminal),
        cmocka_unit_test(what_is_no_table_is_refused),
    };
    int failed;

    cmocka_set_message_output(CM_OUTPUT_TAP);
    setlocale(LC_CTYPE, "C.UTF-8");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(printed);
    return failed;
}
