/* args.c - tests of salottoctl's own options */
#include "tools/salottoctl/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static int parse(struct args *a, struct err *err, int argc, ...)
{
    static char *argv[16];
    va_list ap;

    va_start(ap, argc);
    argv[0] = (char *)"salottoctl";
    for (int i = 1; i <= argc; i++)
        argv[i] = va_arg(ap, char *);
    argv[argc + 1] = NULL;
    va_end(ap);
    return args_parse(a, argc + 1, argv, err);
}

static void words_of_the_command_keep_their_order_and_its_own_options(void **state)
{
    struct args a;
    struct err err;

    (void)state;
    assert_int_equal(parse(&a, &err, 6, "mute", "piazza", "bruno", "--why", "echo", "-3"), 0);
    assert_int_equal(a.word_count, 6);
    assert_string_equal(a.words[0], "mute");
    assert_string_equal(a.words[3], "--why");
    assert_string_equal(a.words[5], "-3");
    assert_null(a.state);
    assert_false(a.json);
}

static void our_options_may_stand_before_and_after_the_command(void **state)
{
    struct args a;
    struct err err;

    (void)state;
    assert_int_equal(parse(&a, &err, 5, "--state", "/tmp/x", "who", "piazza", "--json"), 0);
    assert_string_equal(a.state, "/tmp/x");
    assert_true(a.json);
    assert_int_equal(a.word_count, 2);
    assert_string_equal(a.words[1], "piazza");
    assert_int_equal(parse(&a, &err, 3, "who", "--server=salotto://h/r", "--accept-new"), 0);
    assert_string_equal(a.server, "salotto://h/r");
    assert_true(a.accept_new);
    assert_int_equal(a.word_count, 1);
}

static void after_two_dashes_every_word_is_the_commands(void **state)
{
    struct args a;
    struct err err;

    (void)state;
    assert_int_equal(parse(&a, &err, 4, "room", "--", "--json", "--"), 0);
    assert_false(a.json);
    assert_int_equal(a.word_count, 3);
    assert_string_equal(a.words[1], "--json");
    assert_string_equal(a.words[2], "--");
}

static void an_unknown_option_before_the_command_is_named(void **state)
{
    struct args a;
    struct err err;

    (void)state;
    assert_int_equal(parse(&a, &err, 2, "--stat", "who"), -ERR_USAGE);
    assert_non_null(strstr(err.message, "'--stat'"));
    assert_int_equal(parse(&a, &err, 3, "who", "piazza", "--state"), -ERR_USAGE);
    assert_non_null(strstr(err.message, "--state needs a value"));
}

static void the_socket_and_a_server_from_afar_exclude_each_other(void **state)
{
    struct args a;
    struct err err;

    (void)state;
    assert_int_equal(parse(&a, &err, 5, "--state", "s", "--server", "l", "who"), -ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_the_command_keep_their_order_and_its_own_options),
        cmocka_unit_test(our_options_may_stand_before_and_after_the_command),
        cmocka_unit_test(after_two_dashes_every_word_is_the_commands),
        cmocka_unit_test(an_unknown_option_before_the_command_is_named),
        cmocka_unit_test(the_socket_and_a_server_from_afar_exclude_each_other),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
