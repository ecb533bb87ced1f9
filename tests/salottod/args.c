/* Tests of tools/salottod/args.c and command.c: one table makes parsing, usage and mends. */
#include "tools/salottod/args.h"
#include "tools/salottod/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

/* Splits at blanks; what is parsed borrows from *argv. */
static int parse(struct args *a, const char *line, json_t **argv, struct err *err)
{
    char copy[256];
    char *rest = copy, *word;
    const struct command *c;
    size_t words;

    assert_true(strlen(line) < sizeof copy);
    memcpy(copy, line, strlen(line) + 1);
    *argv = json_array();
    while ((word = strsep(&rest, " ")) != NULL)
        if (word[0] != '\0')
            json_array_append_new(*argv, json_string(word));
    c = command_find(*argv, &words, err);
    return c != NULL ? args_parse(a, c, *argv, words, err) : -(int)err->code;
}

static void every_example_in_the_table_parses(void **state)
{
    size_t count;
    const struct command *t = command_table(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct err err = {0};
        struct args a;
        json_t *argv;

        /* A quoted title is two words here; the second would be one too many. */
        if (strchr(t[i].example, '"') == NULL) {
            assert_int_equal(parse(&a, t[i].example, &argv, &err), 0);
            json_decref(argv);
        }
        assert_true(strncmp(t[i].example, t[i].name, strlen(t[i].name)) == 0);
        assert_true(t[i].help[0] != '\0' && strlen(t[i].help) < 90);
        assert_true(t[i].hidden || (t[i].about != NULL && t[i].about[strlen(t[i].about) - 1] == '.'));
    }
}

static void every_word_that_a_command_takes_is_explained_in_a_line(void **state)
{
    size_t options, commands;
    const struct args_option *o = args_options(&options);
    const struct command *t = command_table(&commands);

    (void)state;
    for (size_t i = 0; i < options; i++)
        assert_true(o[i].help != NULL && o[i].help[0] != '\0' && strlen(o[i].help) < 80);
    for (size_t i = 0; i < commands; i++)
        for (size_t k = 0; k < ARGS_POSITIONAL_MAX && t[i].positional[k] != ARG_NONE; k++) {
            const struct args_positional *p = args_positional(t[i].positional[k]);

            assert_true(p->help != NULL && p->help[0] != '\0' && strlen(p->help) < 80);
        }
}

static void options_and_positions_are_understood_in_any_order(void **state)
{
    struct err err = {0};
    struct args a;
    json_t *argv;

    (void)state;
    assert_int_equal(parse(&a, "promote --to moderator piazza --why thanks anna", &argv, &err), 0);
    assert_string_equal(a.room, "piazza");
    assert_string_equal(a.person, "anna");
    assert_string_equal(a.why, "thanks");
    assert_true(a.has_role && a.role == ROLE_MODERATOR);
    json_decref(argv);
    assert_int_equal(parse(&a, "gain piazza anna -3.5", &argv, &err), 0);
    assert_true(a.gain_db == -3.5f);
    json_decref(argv);
    assert_int_equal(parse(&a, "invite piazza --role speaker --expires 2h --uses 3", &argv, &err), 0);
    assert_int_equal(a.expires_ms, 7200000);
    assert_int_equal(a.uses, 3);
    json_decref(argv);
    assert_int_equal(parse(&a, "invite piazza --role=host --uses=2", &argv, &err), 0);
    assert_true(a.role == ROLE_HOST && a.uses == 2);
    json_decref(argv);
    assert_int_equal(parse(&a, "kick piazza --why= anna", &argv, &err), 0);
    assert_string_equal(a.why, "");
    json_decref(argv);
    assert_int_equal(parse(&a, "kick piazza -Qx3f", &argv, &err), 0); /* the beginning of a key */
    assert_string_equal(a.person, "-Qx3f");
    json_decref(argv);
    assert_int_equal(parse(&a, "mute piazza --all --may-unmute", &argv, &err), 0);
    assert_true(a.all && a.may_unmute && a.person == NULL);
    json_decref(argv);
}

static void every_mistake_is_answered_with_what_to_type(void **state)
{
    static const struct {
        const char *line, *message, *mend;
    } cases[] = {
        {"mute piazza", "PERSON is missing", "type: mute ROOM PERSON|--all [--may-unmute] [--why TEXT] [--yes]"},
        {"mute piazza anna bruno", "a word too many: 'bruno'", "type: mute"},
        {"mute piazza anna --al", "unknown option '--al'", "did you mean '--all'?"},
        {"mute piazza anna --all", "not both", "type: mute"},
        {"gain piazza anna 13", "not '13'", "type: gain ROOM PERSON DB"},
        {"gain piazza anna nan", "not 'nan'", "type: gain"},
        {"gain piazza anna 0x5", "not '0x5'", "type: gain"},
        {"tune piazza edge", "no tier 'edge'", "type: tune"},
        {"gain piazza anna", "DB is missing", "type: gain"},
        {"mute piazza anna --why \033[2J", "a reason is one line without control characters", "type: mute"},
        {"room create piazza --title evil\u202etitle", "a title is one line", "type: room create"},
        {"invite piazza", "--role ROLE is missing", "type: invite ROOM --role ROLE"},
        {"invite piazza --role king", "no role 'king'", "listener, speaker, moderator and host"},
        {"invite piazza --role operator", "no role 'operator'", "host"},
        {"invite piazza --role speaker --expires soon", "not 'soon'", "type: invite"},
        {"invite piazza --role speaker --expires 0h", "not '0h'", "type: invite"},
        {"mute piazza --all=yes", "--all takes no value", "type: mute"},
        {"mute piazza anna --role=host", "unknown option '--role=host'", ""},
        {"complet", "no command 'complet'", "type: help"}, /* what is hidden is not suggested */
        {"invite piazza --role speaker --uses", "--uses needs a value", "type: invite"},
        {"hand piazza sideways", "'sideways'", "type: hand ROOM up|down"},
        {"promot piazza anna", "no command 'promot'", "did you mean 'promote'?"},
        {"room craete piazza", "no command 'room craete'", "did you mean 'room create'?"},
        {"xyzzy", "no command 'xyzzy'", "type: help"},
        {"", "there is no command", "type: help"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        struct args a;
        json_t *argv;

        assert_int_equal(parse(&a, cases[i].line, &argv, &err), -ERR_USAGE);
        if (strstr(err.message, cases[i].message) == NULL || strstr(err.mend, cases[i].mend) == NULL)
            fail_msg("%s: said '%s' and '%s'", cases[i].line, err.message, err.mend);
        json_decref(argv);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_in_the_table_parses),
        cmocka_unit_test(every_word_that_a_command_takes_is_explained_in_a_line),
        cmocka_unit_test(options_and_positions_are_understood_in_any_order),
        cmocka_unit_test(every_mistake_is_answered_with_what_to_type),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
