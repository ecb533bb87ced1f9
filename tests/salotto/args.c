/* args.c - tests of the client's command line */
#include "tools/salotto/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define LINK "salotto://radio.example/piazza"

static struct args a;
static struct err err;

static int parse(int argc, ...)
{
    static char *argv[16];
    va_list ap;

    va_start(ap, argc);
    argv[0] = (char *)"salotto";
    for (int i = 1; i <= argc; i++)
        argv[i] = va_arg(ap, char *);
    argv[argc + 1] = NULL;
    va_end(ap);
    memset(&err, 0, sizeof err);
    return args_parse(&a, argc + 1, argv, &err);
}

static void listening_defaults_to_the_low_tier_and_speaking_to_standard(void **state)
{
    (void)state;
    assert_int_equal(parse(2, "listen", LINK), 0);
    assert_int_equal(a.command, ARGS_LISTEN);
    assert_int_equal(a.tier, STREAM_LOW);
    assert_string_equal(a.link.room, "piazza");
    assert_true(a.handle[0] != '\0');
    assert_int_equal(parse(2, "speak", LINK), 0);
    assert_int_equal(a.command, ARGS_SPEAK);
    assert_int_equal(a.tier, STREAM_STANDARD);
}

static void options_stand_anywhere_and_take_their_value_either_way(void **state)
{
    (void)state;
    assert_int_equal(parse(8, "--json", "speak", "--input=talk.flac", LINK, "--loop", "--seconds", "2.5", "--tier=low"),
                     0);
    assert_string_equal(a.input, "talk.flac");
    assert_true(a.loop);
    assert_true(a.json);
    assert_true(a.seconds == 2.5);
    assert_int_equal(a.tier, STREAM_LOW);
}

static void mistakes_are_named_with_what_to_type_instead(void **state)
{
    (void)state;
    assert_int_equal(parse(0), -ERR_USAGE);
    assert_int_equal(parse(1, "lisen"), -ERR_USAGE);
    assert_non_null(strstr(err.message, "lisen"));
    assert_string_equal(err.mend, "did you mean 'listen'?");
    assert_non_null(strstr(err.message, "lisen"));
    assert_int_equal(parse(3, "listen", LINK, "--secons=3"), -ERR_USAGE);
    assert_string_equal(err.mend, "did you mean '--seconds'?");
    assert_int_equal(parse(1, "something-else"), -ERR_USAGE);
    assert_non_null(strstr(err.mend, "listen, speak"));
    assert_int_equal(parse(1, "listen"), -ERR_USAGE);
    assert_non_null(strstr(err.mend, "salotto listen"));
    assert_int_equal(parse(3, "listen", LINK, "--tiers"), -ERR_USAGE);
    assert_non_null(strstr(err.message, "--tiers"));
    assert_int_equal(parse(3, "listen", LINK, "--tier"), -ERR_USAGE);
    assert_int_equal(parse(4, "listen", LINK, "--tier", "high"), -ERR_USAGE);
    assert_non_null(strstr(err.mend, "standard"));
    assert_int_equal(parse(4, "listen", LINK, "--seconds", "ten"), -ERR_USAGE);
    assert_int_equal(parse(4, "listen", LINK, "--seconds", "-1"), -ERR_USAGE);
    assert_int_equal(parse(4, "listen", LINK, "--output", "talk.mp3"), -ERR_USAGE);
    assert_non_null(strstr(err.mend, ".opus"));
    assert_int_equal(parse(4, "listen", LINK, "--handle", "Anna Maria"), -ERR_USAGE);
    assert_non_null(strstr(err.mend, "anna-maria"));
    assert_int_equal(parse(3, "speak", LINK, "--loop"), -ERR_USAGE);
    assert_int_equal(parse(3, "listen", LINK, "more"), -ERR_USAGE);
    assert_int_equal(parse(2, "listen", "http://radio.example/"), -ERR_USAGE);
    assert_int_equal(parse(2, "listen", "salotto://radio.example/"), -ERR_USAGE);
    assert_int_equal(parse(3, "devices", "--tier", "low"), -ERR_USAGE);
    assert_non_null(strstr(err.message, "--tier"));
}

static void a_test_needs_a_server_but_no_room(void **state)
{
    (void)state;
    assert_int_equal(parse(2, "test", "salotto://radio.example"), 0);
    assert_int_equal(a.command, ARGS_TEST);
    assert_int_equal(a.tier, STREAM_STANDARD);
    assert_int_equal(parse(6, "test", LINK, "--input", "talk.flac", "--output", "heard.wav"), 0);
    assert_int_equal(parse(1, "test"), -ERR_USAGE);
    assert_int_equal(parse(4, "test", LINK, "--output", "heard.opus"), -ERR_USAGE);
    assert_non_null(strstr(err.mend, ".wav"));
    assert_int_equal(parse(3, "test", LINK, "--loop"), -ERR_USAGE);
    assert_int_equal(parse(4, "test", LINK, "--handle", "anna"), -ERR_USAGE);
}

static void an_identity_is_ones_own_or_that_of_a_link(void **state)
{
    (void)state;
    assert_int_equal(parse(1, "id"), 0);
    assert_int_equal(a.command, ARGS_ID);
    assert_string_equal(a.link.host, "");
    assert_int_equal(parse(3, "id", LINK, "--json"), 0);
    assert_string_equal(a.link.host, "radio.example");
    assert_int_equal(parse(2, "id", "radio.example"), -ERR_USAGE);
    assert_int_equal(parse(3, "id", LINK, LINK), -ERR_USAGE);
}

static void push_to_talk_is_for_speakers_with_a_keyboard(void **state)
{
    (void)state;
    assert_int_equal(parse(3, "speak", LINK, "--ptt"), 0);
    assert_true(a.ptt);
    assert_int_equal(parse(3, "listen", LINK, "--ptt"), -ERR_USAGE);
    assert_int_equal(parse(5, "speak", LINK, "--ptt", "--input", "-"), -ERR_USAGE);
}

static void help_is_found_however_it_is_asked_for(void **state)
{
    (void)state;
    assert_int_equal(parse(1, "--help"), 0);
    assert_int_equal(a.command, ARGS_HELP);
    assert_int_equal(a.help_on, ARGS_HELP);
    assert_int_equal(parse(2, "help", "speak"), 0);
    assert_int_equal(a.command, ARGS_HELP);
    assert_int_equal(a.help_on, ARGS_SPEAK);
    assert_int_equal(parse(2, "listen", "-h"), 0);
    assert_int_equal(a.command, ARGS_HELP);
    assert_int_equal(a.help_on, ARGS_LISTEN);
    assert_int_equal(parse(2, "help", "dance"), -ERR_USAGE);
    assert_int_equal(parse(1, "--version"), 0);
    assert_int_equal(a.command, ARGS_VERSION);
}

static void a_handle_is_made_of_any_login_name(void **state)
{
    static const char *const names[][2] = {{"anna", "anna"},         {"Anna.Maria", "anna-maria"}, {"9lives", "lives"},
                                           {"__daemon__", "daemon"}, {"\xc3\xa9", "guest"},        {"", "guest"},
                                           {"a1-b2", "a1-b2"}};
    char out[LINK_ROOM_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        args_handle_of(out, names[i][0]);
        assert_string_equal(out, names[i][1]);
    }
    args_handle_of(out, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
    assert_int_equal(strlen(out), LINK_ROOM_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listening_defaults_to_the_low_tier_and_speaking_to_standard),
        cmocka_unit_test(options_stand_anywhere_and_take_their_value_either_way),
        cmocka_unit_test(mistakes_are_named_with_what_to_type_instead),
        cmocka_unit_test(a_test_needs_a_server_but_no_room),
        cmocka_unit_test(an_identity_is_ones_own_or_that_of_a_link),
        cmocka_unit_test(push_to_talk_is_for_speakers_with_a_keyboard),
        cmocka_unit_test(help_is_found_however_it_is_asked_for),
        cmocka_unit_test(a_handle_is_made_of_any_login_name),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
