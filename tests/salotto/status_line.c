/* status_line.c - tests of the line at the foot of a terminal, with one that is not there */
#include "tools/salotto/status_line.h"

#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>

#define S_NS 1000000000ull

static int screen, saved;
static char seen[4096];
static struct status_line line;

static void set_width(unsigned short columns)
{
    struct winsize size = {.ws_row = 24, .ws_col = columns};

    assert_int_equal(ioctl(screen, TIOCSWINSZ, &size), 0);
}

/* Standard error becomes a terminal of 40 columns. */
static int open_terminal(void **state)
{
    int terminal;

    (void)state;
    if (openpty(&screen, &terminal, NULL, NULL, NULL) != 0)
        return -1;
    saved = dup(STDERR_FILENO);
    dup2(terminal, STDERR_FILENO);
    close(terminal);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    setlocale(LC_CTYPE, "C.UTF-8");
    set_width(40);
    status_line_init(&line);
    return 0;
}

static int close_terminal(void **state)
{
    (void)state;
    dup2(saved, STDERR_FILENO);
    close(saved);
    if (screen >= 0)
        close(screen);
    return 0;
}

/* What has been written since the last time: up to a mark that comes behind it. */
static const char *written(void)
{
    size_t n = 0;

    assert_int_equal(write(STDERR_FILENO, "\1", 1), 1);
    do {
        ssize_t more = read(screen, seen + n, sizeof seen - n);

        assert_true(more > 0);
        n += (size_t)more;
    } while (seen[n - 1] != '\1');
    seen[n - 1] = '\0';
    return seen;
}

static void it_is_drawn_and_the_cursor_goes_back(void **state)
{
    (void)state;
    status_line_show(&line, "piazza | anna speaks", S_NS);
    assert_string_equal(written(), "\rpiazza | anna speaks\033[K\r");
    status_line_clear(&line);
    assert_string_equal(written(), "\r\033[K");
    status_line_clear(&line);
    assert_string_equal(written(), "");
}

static void it_is_cut_to_any_width(void **state)
{
    static const char text[] = "piazza | bruno speaks | 3 listening | you: LIVE";

    (void)state;
    status_line_show(&line, text, S_NS);
    assert_string_equal(written(), "\rpiazza | bruno speaks | 3 listening | …\033[K\r");
    set_width(8);
    status_line_resized(&line);
    assert_string_equal(written(), "\rpiazza…\033[J\r");
    set_width(2);
    status_line_resized(&line);
    assert_string_equal(written(), "\r…\033[J\r");
    set_width(1);
    status_line_resized(&line);
    assert_string_equal(written(), "\r\033[J\r");
    set_width(200);
    status_line_resized(&line);
    assert_non_null(strstr(written(), text));
}

static void it_is_redrawn_five_times_a_second_at_most_and_once_at_least(void **state)
{
    (void)state;
    status_line_show(&line, "one", S_NS);
    written();
    status_line_show(&line, "two", S_NS + S_NS / 10);
    assert_string_equal(written(), "");
    status_line_show(&line, "two", S_NS + S_NS / 4);
    assert_string_equal(written(), "\rtwo\033[K\r");
    status_line_show(&line, "two", S_NS + S_NS);
    assert_string_equal(written(), "");
    status_line_show(&line, "two", S_NS + S_NS / 4 + S_NS);
    assert_string_equal(written(), "\rtwo\033[K\r");
}

static void a_message_stands_above_it(void **state)
{
    (void)state;
    status_line_say(&line, "%s muted you", "bruno");
    assert_string_equal(written(), "bruno muted you\r\n");
    status_line_show(&line, "foot", S_NS);
    written();
    status_line_say(&line, "caffè\033]0;x\007");
    assert_string_equal(written(), "\r\033[Kcaffè?]0;x?\r\n\rfoot\033[K\r");
}

static void a_terminal_that_cannot_erase_gets_messages_only(void **state)
{
    (void)state;
    setenv("TERM", "dumb", 1);
    status_line_init(&line);
    status_line_show(&line, "foot", S_NS);
    status_line_progress(&line, "connecting…");
    assert_string_equal(written(), "");
    status_line_say(&line, "hello");
    assert_string_equal(written(), "hello\r\n");
}

static void a_pipe_gets_messages_only(void **state)
{
    int ends[2];
    char text[64];
    ssize_t n;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    status_line_init(&line);
    status_line_show(&line, "foot", S_NS);
    status_line_progress(&line, "connecting…");
    status_line_say(&line, "hello");
    status_line_clear(&line);
    n = read(ends[0], text, sizeof text);
    assert_int_equal(n, 6);
    assert_memory_equal(text, "hello\n", 6);
    close(ends[0]);
    close(ends[1]);
}

static void a_terminal_that_has_gone_is_noticed(void **state)
{
    (void)state;
    status_line_show(&line, "foot", S_NS);
    assert_false(line.gone);
    close(screen);
    screen = -1;
    status_line_show(&line, "head", 3 * S_NS);
    assert_true(line.gone);
    assert_false(line.on);
    status_line_say(&line, "nobody reads this");
}

static struct stage stage;
static struct status status;
static char text[STATUS_LINE_MAX];

static const char *compose(void)
{
    status_line_compose(text, &stage, &status);
    return text;
}

static int enter_room(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    memset(&status, 0, sizeof status);
    snprintf(stage.room, sizeof stage.room, "piazza");
    stage.listeners = 12;
    return 0;
}

static void it_says_who_speaks(void **state)
{
    static const char *const names[] = {"anna", "bruno", "carla", "dora", "emil", "fritz"};

    (void)state;
    assert_string_equal(compose(), "piazza | nobody speaks | 12 listening | you: listener");
    for (size_t i = 0; i < 6; i++) {
        snprintf(stage.people[i].handle, sizeof stage.people[i].handle, "%s", names[i]);
        stage.people[i].speaking = true;
    }
    stage.count = 1;
    assert_non_null(strstr(compose(), "| anna speaks |"));
    stage.count = 2;
    assert_non_null(strstr(compose(), "| anna, bruno speak |"));
    stage.count = 6;
    assert_non_null(strstr(compose(), "| anna, bruno, carla, dora and 2 more speak |"));
}

static void it_says_how_one_stands_oneself(void **state)
{
    (void)state;
    stage.hand = true;
    assert_non_null(strstr(compose(), "you: listener, hand raised"));
    stage.on_stage = true;
    assert_non_null(strstr(compose(), "you: LIVE"));
    status.coloured = true;
    assert_non_null(strstr(compose(), "you: \033[31mLIVE\033[0m"));
    stage.muted = true;
    assert_non_null(strstr(compose(), "you: \033[33mmuted\033[0m"));
    stage.muted_by_moderator = true;
    assert_non_null(strstr(compose(), "muted by a moderator"));
}

static void it_says_what_the_space_key_does(void **state)
{
    (void)state;
    stage.on_stage = stage.muted = status.keys = true;
    assert_non_null(strstr(compose(), "m: mute"));
    status.ptt = true;
    assert_non_null(strstr(compose(), "space: hold to speak, tap to stay open"));
    status.ptt_state = PTT_HELD;
    assert_non_null(strstr(compose(), "let go of space"));
    status.ptt_state = PTT_LATCHED;
    assert_non_null(strstr(compose(), "space: mute"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_drawn_and_the_cursor_goes_back, open_terminal, close_terminal),
        cmocka_unit_test_setup_teardown(it_is_cut_to_any_width, open_terminal, close_terminal),
        cmocka_unit_test_setup_teardown(it_is_redrawn_five_times_a_second_at_most_and_once_at_least, open_terminal,
                                        close_terminal),
        cmocka_unit_test_setup_teardown(a_message_stands_above_it, open_terminal, close_terminal),
        cmocka_unit_test_setup_teardown(a_terminal_that_cannot_erase_gets_messages_only, open_terminal, close_terminal),
        cmocka_unit_test_setup_teardown(a_pipe_gets_messages_only, open_terminal, close_terminal),
        cmocka_unit_test_setup_teardown(a_terminal_that_has_gone_is_noticed, open_terminal, close_terminal),
        cmocka_unit_test_setup(it_says_who_speaks, enter_room),
        cmocka_unit_test_setup(it_says_how_one_stands_oneself, enter_room),
        cmocka_unit_test_setup(it_says_what_the_space_key_does, enter_room),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
