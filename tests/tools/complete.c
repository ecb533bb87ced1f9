/* Tests of tools/complete.c: the help text that people read is the table that shells are answered from. */
#include "tools/complete.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] = "usage: thing [options]\n"
                           "\n"
                           "  --tier TIER      which of the two\n"
                           "                   [--none of this is an option]\n"
                           "  --state DIR      a folder\n"
                           "  --loop           and again\n"
                           "  --odd\n"
                           "\n"
                           "examples:\n"
                           "  thing --never\n";

static void ask(const char *begin)
{
    complete_offer(begin, "a device: 1", "the first");
    complete_offer(begin, "bad\x1b[31m", NULL);
}

static const struct complete_value values[] = {
    {.option = "--tier", .words = "low standard"},
    {.option = "--state", .words = ":folders"},
    {.option = "--device", .ask = ask},
    {.option = NULL},
};

/* What is printed for the words, and whether they were options at all. */
static bool answer(char *out, size_t max, const char *text, char **words, size_t count)
{
    FILE *file = tmpfile();
    int before = dup(STDOUT_FILENO);
    bool taken;
    size_t n;

    assert_non_null(file);
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    taken = complete_option(text, values, words, count);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    rewind(file);
    n = fread(out, 1, max - 1, file);
    out[n] = '\0';
    fclose(file);
    return taken;
}

static void check(const char *before, const char *last, bool taken, const char *expected)
{
    char *words[] = {(char *)before, (char *)last};
    char out[512];

    assert_int_equal(answer(out, sizeof out, help, words, 2), taken);
    assert_string_equal(out, expected);
}

static void every_explained_option_is_offered_and_nothing_else(void **state)
{
    (void)state;
    check("x", "-", true,
          "--tier\twhich of the two\n"
          "--state\ta folder\n"
          "--loop\tand again\n"
          "--odd\n");
    check("x", "--l", true, "--loop\tand again\n");
    check("x", "--n", true, "");
    check("x", "word", false, "");
    check("x", "", false, "");
}

static void an_options_value_is_offered_behind_it_and_behind_an_equals_sign(void **state)
{
    (void)state;
    assert_true(complete_takes_next(help, "--tier"));
    assert_false(complete_takes_next(help, "--loop"));
    assert_false(complete_takes_next(help, "--odd"));
    assert_false(complete_takes_next(help, "--ti"));
    check("--tier", "", true, "low\nstandard\n");
    check("--tier", "st", true, "standard\n");
    check("x", "--tier=l", true, "--tier=low\n");
    check("--state", "any", true, ":folders\n");
    check("x", "--state=any", true, ":folders\n");
    check("--loop", "", false, "");
    check("x", "--loop=", true, "");
}

static void what_a_program_finds_is_offered_unless_it_would_play_with_the_terminal(void **state)
{
    char *words[] = {(char *)"--device", (char *)""};
    char out[512];

    (void)state;
    assert_true(answer(out, sizeof out, "  --device NAME  a device\n", words, 2));
    assert_string_equal(out, "a device: 1\tthe first\n");
}

static void only_who_asks_for_completion_gets_it(void **state)
{
    char *asked[] = {(char *)"thing", (char *)"--complete", (char *)"a", (char *)"", NULL};
    char *other[] = {(char *)"thing", (char *)"a", (char *)"--complete", NULL};
    size_t count = 0;

    (void)state;
    assert_null(complete_asked(3, other, &count));
    assert_null(complete_asked(2, asked, &count));
    assert_ptr_equal(complete_asked(4, asked, &count), asked + 2);
    assert_int_equal(count, 2);
    alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_explained_option_is_offered_and_nothing_else),
        cmocka_unit_test(an_options_value_is_offered_behind_it_and_behind_an_equals_sign),
        cmocka_unit_test(what_a_program_finds_is_offered_unless_it_would_play_with_the_terminal),
        cmocka_unit_test(only_who_asks_for_completion_gets_it),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
