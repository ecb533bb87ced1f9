/* Tests of tools/salottod/completion.c: what may stand where a line of the command table stops. */
#include "tools/salottod/completion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

/* Splits at each blank, so that a line which ends in one has an empty last word. */
static json_t *words_of(const char *line)
{
    char copy[256];
    char *rest = copy, *word;
    json_t *argv = json_pack("[s]", "complete");

    assert_true(strlen(line) < sizeof copy);
    memcpy(copy, line, strlen(line) + 1);
    while ((word = strsep(&rest, " ")) != NULL)
        json_array_append_new(argv, json_string(word));
    return argv;
}

static void each_place_of_a_line_wants_its_own(void **state)
{
    static const struct {
        const char *line;
        enum wanted wanted;
        const char *begin;
    } cases[] = {
        {"", WANT_COMMAND, ""},
        {"mu", WANT_COMMAND, "mu"},
        {"room", WANT_COMMAND, "room"},
        {"room ", WANT_COMMAND, ""},
        {"room c", WANT_COMMAND, "c"},
        {"room create ", WANT_ROOM, ""},
        {"room nonsense ", WANT_NOTHING, ""},
        {"nonsense ", WANT_NOTHING, ""},
        {"help ", WANT_COMMAND, ""},
        {"help room ", WANT_COMMAND, ""},
        {"help mute ", WANT_NOTHING, ""},
        {"help room create ", WANT_NOTHING, ""},
        {"room list ", WANT_OPTION, ""},
        {"who pi", WANT_ROOM, "pi"},
        {"mute piazza ", WANT_PERSON, ""},
        {"mute --why echo piazza br", WANT_PERSON, "br"},
        {"mute piazza --why ", WANT_NOTHING, ""},
        {"mute piazza --why=x ", WANT_PERSON, ""},
        {"mute piazza --", WANT_OPTION, "--"},
        {"mute piazza --all ", WANT_OPTION, ""},
        {"mute piazza bruno ", WANT_OPTION, ""},
        {"mute piazza bruno one ", WANT_OPTION, ""},
        {"gain piazza bruno -3", WANT_NOTHING, "-3"},
        {"promote piazza bruno --to ", WANT_WORD, ""},
        {"promote piazza bruno --to=mo", WANT_WORD, "mo"},
        {"promote piazza bruno --role=mo", WANT_OPTION, "--role=mo"},
        {"hand piazza ", WANT_WORD, ""},
        {"tune piazza st", WANT_WORD, "st"},
        {"backup fri", WANT_FILE, "fri"},
        {"complete ", WANT_NOTHING, ""},
        {"backup fri", WANT_FILE, "fri"},
        {"backup friday ", WANT_OPTION, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *argv = words_of(cases[i].line);
        struct completion c;

        completion_read(&c, argv, 1);
        if (c.wanted != cases[i].wanted || strcmp(c.begin, cases[i].begin) != 0)
            fail_msg("'%s': wants %d from '%s'", cases[i].line, (int)c.wanted, c.begin);
        json_decref(argv);
    }
}

static void an_option_is_offered_once_and_all_not_beside_a_person(void **state)
{
    static const struct {
        const char *line;
        unsigned gone; /* of those that `mute` takes */
    } cases[] = {
        {"mute piazza --", 0},
        {"mute piazza --all --", OPT_ALL},
        {"mute piazza --why x --may-unmute --", OPT_WHY | OPT_MAY_UNMUTE},
        {"mute piazza bruno --", OPT_ALL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *argv = words_of(cases[i].line);
        struct completion c;

        completion_read(&c, argv, 1);
        assert_int_equal(c.wanted, WANT_OPTION);
        assert_int_equal(c.options, command_by_name("mute")->options & ~cases[i].gone);
        json_decref(argv);
    }
}

static void people_are_wanted_in_the_room_that_is_named(void **state)
{
    json_t *argv = words_of("kick --why x piazza br");
    struct completion c;

    (void)state;
    completion_read(&c, argv, 1);
    assert_int_equal(c.wanted, WANT_PERSON);
    assert_string_equal(c.room, "piazza");
    assert_true(completion_fits(&c, "bruno"));
    assert_false(completion_fits(&c, "anna"));
    json_decref(argv);
}

static void what_is_no_line_wants_nothing(void **state)
{
    json_t *argv = json_pack("[s, i]", "complete", 7);
    struct completion c;

    (void)state;
    completion_read(&c, argv, 1);
    assert_int_equal(c.wanted, WANT_NOTHING);
    completion_read(&c, argv, 2); /* not even an empty word */
    assert_int_equal(c.wanted, WANT_NOTHING);
    json_array_clear(argv);
    for (int i = 0; i <= COMPLETION_WORDS_MAX + 1; i++)
        json_array_append_new(argv, json_string("who"));
    completion_read(&c, argv, 1);
    assert_int_equal(c.wanted, WANT_NOTHING);
    json_decref(argv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_place_of_a_line_wants_its_own),
        cmocka_unit_test(an_option_is_offered_once_and_all_not_beside_a_person),
        cmocka_unit_test(people_are_wanted_in_the_room_that_is_named),
        cmocka_unit_test(what_is_no_line_wants_nothing),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
