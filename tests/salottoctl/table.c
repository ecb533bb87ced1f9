/* table.c - tests of the tables for people */
#include "tools/salottoctl/table.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
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
    if (table_print(out, c, r, width) != 0)
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
