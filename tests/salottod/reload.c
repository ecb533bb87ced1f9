/* Tests of tools/salottod/reload.c: which keys change under the people in the rooms. */
#include "tools/salottod/reload.h"

#include "tools/salottod/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/salotto-reload-XXXXXX";
static char path[64];
static struct settings settings;
static struct server server;

static void write_file(const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
    struct err err;

    (void)state;
    memset(&server, 0, sizeof server);
    memset(&settings, 0, sizeof settings);
    if (path[0] == '\0') {
        if (mkdtemp(folder) == NULL)
            return -1;
        snprintf(path, sizeof path, "%s/c.conf", folder);
    }
    write_file(
        "port = 1\nhttp_port = 2\nlisten = 127.0.0.1\nstate = /a\npublic_host = a\nmax_people = 3\ngrace_s = 4\n");
    settings.config = path;
    server.settings = &settings;
    LIST_INIT(&server.rooms);
    return settings_read(&server.config, &settings, &err);
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void what_may_change_changes_and_what_is_bound_stays(void **state)
{
    (void)state;
    write_file("port = 5\nhttp_port = 6\nlisten = ::1\nstate = /b\npublic_host = b\nmax_people = 7\ngrace_s = 8\n");
    reload(&server);
    assert_string_equal(server.config.public_host, "b");
    assert_int_equal(server.config.max_people, 7);
    assert_int_equal(server.config.grace_s, 8);
    assert_int_equal(server.config.port, 1);
    assert_int_equal(server.config.http_port, 2);
    assert_string_equal(server.config.listen, "127.0.0.1");
    assert_string_equal(server.config.state, "/a");
}

static void a_key_that_is_left_out_gets_its_default(void **state)
{
    (void)state;
    write_file("public_host = b\n");
    reload(&server);
    assert_string_equal(server.config.public_host, "b");
    assert_int_equal(server.config.max_people, 0);
    assert_int_equal(server.config.grace_s, 30);
}

static void a_file_with_a_fault_changes_nothing(void **state)
{
    struct config before = server.config;

    (void)state;
    write_file("public_host = b\nmax_people = many\n");
    reload(&server);
    assert_memory_equal(&before, &server.config, sizeof before);
    unlink(path);
    reload(&server);
    assert_memory_equal(&before, &server.config, sizeof before);
}

static void without_a_file_there_is_nothing_to_read_again(void **state)
{
    struct config before = server.config;

    (void)state;
    settings.config = NULL;
    reload(&server);
    assert_memory_equal(&before, &server.config, sizeof before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_may_change_changes_and_what_is_bound_stays, set_up),
        cmocka_unit_test_setup(a_key_that_is_left_out_gets_its_default, set_up),
        cmocka_unit_test_setup(a_file_with_a_fault_changes_nothing, set_up),
        cmocka_unit_test_setup(without_a_file_there_is_nothing_to_read_again, set_up),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
