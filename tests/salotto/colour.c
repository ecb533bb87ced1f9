/* colour.c - tests of when programs use colours */
#include "tools/colour.h"

#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static FILE *terminal;
static int other_end;

static int open_terminal(void **state)
{
    int own_end;

    (void)state;
    if (openpty(&other_end, &own_end, NULL, NULL, NULL) != 0)
        return -1;
    terminal = fdopen(own_end, "w");
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    return terminal != NULL ? 0 : -1;
}

static int close_terminal(void **state)
{
    (void)state;
    fclose(terminal);
    close(other_end);
    return 0;
}

static void a_terminal_is_coloured(void **state)
{
    (void)state;
    assert_true(colour_on(terminal));
    assert_string_equal(colour(true, COLOUR_BAD), "\033[31m");
}

static void a_pipe_is_not(void **state)
{
    FILE *null = fopen("/dev/null", "w");

    (void)state;
    assert_non_null(null);
    assert_false(colour_on(null));
    assert_string_equal(colour(false, COLOUR_BAD), "");
    assert_string_equal(colour(false, COLOUR_END), "");
    fclose(null);
}

static void no_color_is_obeyed_unless_it_is_empty(void **state)
{
    (void)state;
    setenv("NO_COLOR", "1", 1);
    assert_false(colour_on(terminal));
    setenv("NO_COLOR", "", 1);
    assert_true(colour_on(terminal));
}

static void a_terminal_that_shows_none_gets_none(void **state)
{
    (void)state;
    setenv("TERM", "dumb", 1);
    assert_false(colour_on(terminal));
    unsetenv("TERM");
    assert_false(colour_on(terminal));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_terminal_is_coloured, open_terminal, close_terminal),
        cmocka_unit_test_setup_teardown(a_pipe_is_not, open_terminal, close_terminal),
        cmocka_unit_test_setup_teardown(no_color_is_obeyed_unless_it_is_empty, open_terminal, close_terminal),
        cmocka_unit_test_setup_teardown(a_terminal_that_shows_none_gets_none, open_terminal, close_terminal),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
