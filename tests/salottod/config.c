/* Tests of tools/salottod/config.c: keys, defaults, and messages that name file, line and key. */
#include "tools/salottod/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/salotto-config-XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/c.conf", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static int read_text(struct config *c, const char *text, struct err *err)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    config_defaults(c);
    return config_read(c, path, err);
}

static void the_shipped_file_changes_no_default(void **state)
{
    struct config before, after;
    struct err err = {0};

    (void)state;
    config_defaults(&before);
    config_defaults(&after);
    assert_int_equal(config_read(&after, "etc/salottod.conf", &err), 0);
    assert_memory_equal(&before, &after, sizeof before);
}

/* Each "# key = value" line of the shipped file, uncommented, says what the default says. */
static void the_shipped_file_tells_every_default(void **state)
{
    struct config before, after;
    struct err err = {0};
    char text[4096], out[4096] = "";
    FILE *f = fopen("etc/salottod.conf", "r");
    size_t keys = 0;

    (void)state;
    assert_non_null(f);
    while (fgets(text, sizeof text, f) != NULL) {
        if (strncmp(text, "# ", 2) == 0 && strstr(text, " = ") != NULL && strchr(text, ' ') != NULL) {
            strncat(out, text + 2, sizeof out - strlen(out) - 1);
            keys++;
        }
    }
    fclose(f);
    assert_int_equal(keys, 7);
    assert_int_equal(read_text(&after, out, &err), 0);
    config_defaults(&before);
    assert_memory_equal(&before, &after, sizeof before);
}

static void a_file_sets_keys(void **state)
{
    struct config c;
    struct err err = {0};

    (void)state;
    assert_int_equal(read_text(&c, "[salottod]\nport = 9000\npublic_host = talk.example ; ours\nmax_people=7\n", &err),
                     0);
    assert_int_equal(c.port, 9000);
    assert_string_equal(c.public_host, "talk.example");
    assert_int_equal(c.max_people, 7);
    assert_int_equal(c.grace_s, 30);
}

static void an_unknown_key_is_named_with_file_and_line(void **state)
{
    struct config c;
    struct err err = {0};

    (void)state;
    assert_int_equal(read_text(&c, "port = 1\n\nprot = 2\n", &err), -ERR_USAGE);
    assert_non_null(strstr(err.message, "c.conf:3: unknown key 'prot'"));
    assert_string_equal(err.mend, "did you mean 'port'?");
}

static void a_bad_value_is_named_with_what_would_be_right(void **state)
{
    static const char *const bad[] = {"port = 65536\n",
                                      "port = -1\n",
                                      "port = 80x\n",
                                      "port =\n",
                                      "grace_s = 1.5\n",
                                      "public_host =\n",
                                      "max_people = 99999999\n",
                                      "port = 0x10\n",
                                      "grace_s = 1e3\n",
                                      "port = 99999999999999999999\n",
                                      "public_host = two words\n",
                                      "public_host = \033[31mred\n",
                                      "public_host = a/b\n",
                                      "public_host = [::1]\n",
                                      "public_host = talk:80\n"};
    struct config c;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memset(&err, 0, sizeof err);
        assert_int_equal(read_text(&c, bad[i], &err), -ERR_USAGE);
        assert_non_null(strstr(err.message, "c.conf:1: key"));
        assert_non_null(strstr(err.mend, "give "));
    }
}

static void a_line_that_is_no_setting_is_named(void **state)
{
    struct config c;
    struct err err = {0};

    (void)state;
    assert_int_equal(read_text(&c, "port = 1\nwhat is this\n", &err), -ERR_USAGE);
    assert_non_null(strstr(err.message, "c.conf:2:"));
    memset(&err, 0, sizeof err);
    assert_int_equal(read_text(&c, "[other]\nport = 1\n", &err), -ERR_USAGE);
    assert_non_null(strstr(err.message, "unknown section 'other'"));
}

static void windows_and_indented_lines_are_read_as_they_are_meant(void **state)
{
    struct config c;
    struct err err = {0};

    (void)state;
    assert_int_equal(
        read_text(&c, "\xef\xbb\xbf[salottod]\r\n  public_host = ::1\r\n\tport = 9000\r\n   max_people=7", &err), 0);
    assert_string_equal(c.public_host, "::1");
    assert_int_equal(c.port, 9000);
    assert_int_equal(c.max_people, 7);
}

static void a_key_that_stands_twice_is_named_with_both_lines(void **state)
{
    struct config c;
    struct err err = {0};

    (void)state;
    assert_int_equal(read_text(&c, "port = 1\n# then\nport = 2\n", &err), -ERR_USAGE);
    assert_non_null(strstr(err.message, "c.conf:3: key 'port' stands in line 1"));
}

static void a_long_line_is_one_line(void **state)
{
    struct config c;
    struct err err = {0};
    char text[2000];

    (void)state;
    snprintf(text, sizeof text, "# %0800d port = 70000\nport = 9\n", 0);
    assert_int_equal(read_text(&c, text, &err), 0);
    assert_int_equal(c.port, 9);
    snprintf(text, sizeof text, "port = 9\npublic_host = %0800d\n", 0);
    assert_int_equal(read_text(&c, text, &err), -ERR_USAGE);
    assert_non_null(strstr(err.message, "c.conf:2: that line is too long"));
}

static void what_is_no_text_file_is_named(void **state)
{
    struct config c;
    struct err err = {0};

    (void)state;
    config_defaults(&c);
    assert_int_equal(config_read(&c, "/dev/zero", &err), -ERR_USAGE);
    assert_non_null(strstr(err.message, "/dev/zero:1: there is a NUL byte"));
    assert_int_equal(config_read(&c, folder, &err), -ERR_USAGE);
    assert_non_null(strstr(err.message, folder));
}

static void a_missing_file_is_named(void **state)
{
    struct config c;
    struct err err = {0};

    (void)state;
    config_defaults(&c);
    assert_int_equal(config_read(&c, "/nonexistent/salottod.conf", &err), -ERR_USAGE);
    assert_non_null(strstr(err.message, "/nonexistent/salottod.conf"));
}

static void a_state_folder_holds_the_socket_too(void **state)
{
    struct config c;
    struct err err = {0};
    char deep[300];

    (void)state;
    config_defaults(&c);
    assert_string_equal(c.socket, "/run/salotto/control.sock");
    assert_int_equal(config_set_state(&c, "/tmp/x", &err), 0);
    assert_string_equal(c.socket, "/tmp/x/control.sock");
    memset(deep, 'a', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(config_set_state(&c, deep, &err), -ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_file_changes_no_default),
        cmocka_unit_test(the_shipped_file_tells_every_default),
        cmocka_unit_test(a_file_sets_keys),
        cmocka_unit_test(an_unknown_key_is_named_with_file_and_line),
        cmocka_unit_test(a_bad_value_is_named_with_what_would_be_right),
        cmocka_unit_test(a_line_that_is_no_setting_is_named),
        cmocka_unit_test(windows_and_indented_lines_are_read_as_they_are_meant),
        cmocka_unit_test(a_key_that_stands_twice_is_named_with_both_lines),
        cmocka_unit_test(a_long_line_is_one_line),
        cmocka_unit_test(what_is_no_text_file_is_named),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(a_state_folder_holds_the_socket_too),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
