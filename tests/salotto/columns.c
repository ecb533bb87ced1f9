/* columns.c - tests of text cut to a terminal's width, in its character set */
#include "tools/salotto/columns.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static char out[256];

static size_t fit(const char *text, size_t limit)
{
    memset(out, 'x', sizeof out);
    return columns_fit(out, sizeof out, text, limit);
}

static int in_utf8(void **state)
{
    (void)state;
    return setlocale(LC_CTYPE, "C.UTF-8") != NULL ? 0 : -1;
}

static int in_ascii(void **state)
{
    (void)state;
    return setlocale(LC_CTYPE, "C") != NULL ? 0 : -1;
}

static void what_fits_stays_as_it_is(void **state)
{
    (void)state;
    assert_int_equal(fit("piazza", 6), 6);
    assert_string_equal(out, "piazza");
    assert_int_equal(fit("caffè", COLUMNS_ALL), 5);
    assert_string_equal(out, "caffè");
    assert_int_equal(fit("", 0), 0);
    assert_string_equal(out, "");
}

static void what_does_not_ends_in_an_ellipsis(void **state)
{
    (void)state;
    assert_int_equal(fit("piazza", 5), 5);
    assert_string_equal(out, "piaz…");
    assert_int_equal(fit("piazza", 1), 1);
    assert_string_equal(out, "…");
    assert_int_equal(fit("piazza", 0), 0);
    assert_string_equal(out, "");
}

static void wide_characters_are_never_halved(void **state)
{
    (void)state;
    assert_int_equal(fit("日本語", 6), 6);
    assert_string_equal(out, "日本語");
    assert_int_equal(fit("日本語", 5), 5);
    assert_string_equal(out, "日本…");
    assert_int_equal(fit("日本語", 4), 3);
    assert_string_equal(out, "日…");
}

static void combining_characters_take_no_column(void **state)
{
    (void)state;
    assert_int_equal(fit("e\u0301e\u0301", 2), 2);
    assert_string_equal(out, "e\u0301e\u0301");
}

static void control_characters_and_broken_bytes_become_question_marks(void **state)
{
    (void)state;
    assert_int_equal(fit("a\033]0;x\007b\tc", 20), 10);
    assert_string_equal(out, "a?]0;x?b?c");
    assert_int_equal(fit("a\xc3", 20), 2);
    assert_string_equal(out, "a?");
    assert_int_equal(fit("\xc0\x80\xed\xa0\x80\xf5\xff", 20), 4);
    assert_string_equal(out, "????");
}

static void colours_take_no_column_and_end_where_the_text_is_cut(void **state)
{
    (void)state;
    assert_int_equal(fit("you: \033[31mLIVE\033[0m", 9), 9);
    assert_string_equal(out, "you: \033[31mLIVE\033[0m");
    assert_int_equal(fit("you: \033[31mLIVE\033[0m", 8), 8);
    assert_string_equal(out, "you: \033[31mLI…\033[0m");
}

static void what_the_locale_lacks_becomes_a_question_mark(void **state)
{
    (void)state;
    assert_int_equal(fit("caffè 日", 20), 7);
    assert_string_equal(out, "caff? ?");
    assert_int_equal(fit("piazza", 4), 4);
    assert_string_equal(out, "pia?");
}

static void a_small_buffer_is_not_overrun(void **state)
{
    char small[24];

    (void)state;
    for (size_t max = 1; max <= sizeof small; max++) {
        memset(small, 'x', sizeof small);
        columns_fit(small, max, "\033[31mcaffè\033[0m 日本語 and more", 12);
        assert_true(strlen(small) < max);
        for (size_t i = max; i < sizeof small; i++)
            assert_int_equal(small[i], 'x');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_fits_stays_as_it_is, in_utf8),
        cmocka_unit_test_setup(what_does_not_ends_in_an_ellipsis, in_utf8),
        cmocka_unit_test_setup(wide_characters_are_never_halved, in_utf8),
        cmocka_unit_test_setup(combining_characters_take_no_column, in_utf8),
        cmocka_unit_test_setup(control_characters_and_broken_bytes_become_question_marks, in_utf8),
        cmocka_unit_test_setup(colours_take_no_column_and_end_where_the_text_is_cut, in_utf8),
        cmocka_unit_test_setup(what_the_locale_lacks_becomes_a_question_mark, in_ascii),
        cmocka_unit_test_setup(a_small_buffer_is_not_overrun, in_utf8),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
