/* err.c - tests of mixer/err.h */
#include "mixer/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_set(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(err_set(&err, ERR_NOT_FOUND, "see salottoctl room list", "no room called '%s'", "piazza"), -3);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_string_equal(err.message, "no room called 'piazza'");
    assert_string_equal(err.mend, "see salottoctl room list");
}

static void test_no_place(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_USAGE, NULL, "unknown key"), -ERR_USAGE);
    err_mend(NULL, "nobody listens");
    err_copy(NULL, NULL);
}

static void test_control_characters(void **state)
{
    struct err err;

    (void)state;
    err_set(&err, ERR_USAGE, "a\tb", "\033[31mred\n\x7f caffè");
    assert_string_equal(err.message, "?[31mred?? caffè");
    assert_string_equal(err.mend, "a?b");
}

static void test_letters(void **state)
{
    struct err err;

    (void)state;
    err_set(&err, ERR_USAGE, "\xe2\x82", "'%.4s' €𝄞", "caf\xc3\xa8");
    assert_string_equal(err.message, "'caf?' €𝄞");
    assert_string_equal(err.mend, "??");
    err_set(&err, ERR_USAGE, NULL, "\xc0\x80 \xe0\x80\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xff \xf0");
    assert_string_equal(err.message, "?? ??? ??? ???? ? ?");
}

static void test_cut(void **state)
{
    char long_name[1000];
    struct err err;

    (void)state;
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    err_set(&err, ERR_STATE, long_name, "folder '%s' is full", long_name);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(strlen(err.mend), sizeof err.mend - 1);
    assert_memory_equal(err.message, "folder 'xx", 10);
    assert_non_null(strstr(err.message, "x…x"));
    assert_string_equal(err.message + strlen(err.message) - 10, "x' is full");
}

/* Wherever the cut falls within letters of several bytes, none is left in two. */
static void test_cut_letters(void **state)
{
    char name[1000];
    struct err err;

    (void)state;
    for (size_t before = 0; before < 8; before++) {
        for (size_t i = 0; i < before; i++)
            name[i] = 'x';
        for (size_t i = before; i + 4 < sizeof name; i += 4)
            memcpy(name + i, "𝄞", 5);
        err_set(&err, ERR_STATE, NULL, "%s", name);
        assert_null(strchr(err.message, '?'));
        err_set(&err, ERR_STATE, NULL, "%s.", name);
        assert_null(strchr(err.message, '?'));
        assert_in_range(strlen(err.message), sizeof err.message - 8, sizeof err.message - 1);
    }
}

static void test_direction(void **state)
{
    char text[] = "a\u202eb\u2066c\u2069\xc2\x9b"
                  "2J d\u2028e \u200fשלום\xc2\xa0€";

    (void)state;
    err_plain(text);
    assert_string_equal(text, "a?b?c??2J d?e \u200fשלום\xc2\xa0€");
}

static void test_mend_later(void **state)
{
    struct err err, copy;

    (void)state;
    err_set(&err, ERR_IN_USE, NULL, "port %d is taken", 7256);
    assert_string_equal(err.mend, "");
    err_mend(&err, "stop the other or give --port %d", 7257);
    err_copy(&copy, &err);
    memset(&err, 0, sizeof err);
    assert_int_equal(copy.code, ERR_IN_USE);
    assert_string_equal(copy.message, "port 7256 is taken");
    assert_string_equal(copy.mend, "stop the other or give --port 7257");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"an error has a code, a message and a mend, and returns the negative code", test_set, NULL, NULL, NULL},
        {"an error may be returned without a place to write it", test_no_place, NULL, NULL, NULL},
        {"control characters in a message become question marks", test_control_characters, NULL, NULL, NULL},
        {"so does what is no UTF-8, as a letter cut in two", test_letters, NULL, NULL, NULL},
        {"so does what turns the direction of writing, but no letter of it", test_direction, NULL, NULL, NULL},
        {"a message that is too long loses its middle", test_cut, NULL, NULL, NULL},
        {"and no letter is cut in two by that", test_cut_letters, NULL, NULL, NULL},
        {"a mend can be added later, and a copy outlives its original", test_mend_later, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
