/* known_servers.c - tests of the file of known servers, and of where a person's files lie */
#include "net/known_servers.h"

#include "net/identity.h"
#include "net/profile.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/known_servers.XXXXXX";
static char path[64];
static const uint8_t key_a[32] = {1, 2, 3}, key_b[32] = {4, 5, 6};
static unsigned questions;

static int make(void **state)
{
    (void)state;
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    questions = 0;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/new/known_servers", folder);
    return 0;
}

static int drop(void **state)
{
    char below[64];

    (void)state;
    snprintf(below, sizeof below, "%s/new", folder);
    unlink(path);
    rmdir(below);
    return rmdir(folder);
}

static bool yes(const char *server, const uint8_t shown[32], void *arg)
{
    assert_string_equal(server, "radio.example:7256");
    assert_memory_equal(shown, key_a, sizeof key_a);
    assert_ptr_equal(arg, &questions);
    questions++;
    return true;
}

static bool no(const char *server, const uint8_t shown[32], void *arg)
{
    (void)server;
    (void)shown;
    (void)arg;
    questions++;
    return false;
}

static struct known_servers_trust trust_in(const char *host)
{
    return (struct known_servers_trust){.path = path, .host = host, .port = 7256, .ask_arg = &questions};
}

static void a_new_server_is_refused_when_there_is_nobody_to_ask(void **state)
{
    struct known_servers_trust t = trust_in("radio.example");

    (void)state;
    assert_false(known_servers_trust(&t, key_a));
    assert_int_equal(t.err.code, ERR_WRONG_KEY);
    assert_non_null(strstr(t.err.message, "SHA256:"));
    assert_non_null(strstr(t.err.mend, "--accept-new"));
    assert_int_equal(access(path, F_OK), -1);
}

static void a_new_server_is_kept_once_accepted_and_not_asked_about_again(void **state)
{
    struct known_servers_trust t = trust_in("radio.example");
    struct stat st;

    (void)state;
    t.ask = yes;
    assert_true(known_servers_trust(&t, key_a));
    assert_true(t.asked);
    assert_true(known_servers_trust(&t, key_a));
    assert_int_equal(questions, 1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void accept_new_takes_a_new_server_without_asking(void **state)
{
    struct known_servers_trust t = trust_in("radio.example");

    (void)state;
    t.accept_new = true;
    t.ask = no;
    assert_true(known_servers_trust(&t, key_a));
    assert_int_equal(questions, 0);
}

static void a_changed_key_is_refused_even_with_accept_new(void **state)
{
    struct known_servers_trust t = trust_in("radio.example");

    (void)state;
    t.accept_new = true;
    t.ask = yes;
    assert_true(known_servers_trust(&t, key_a));
    assert_false(known_servers_trust(&t, key_b));
    assert_int_equal(t.err.code, ERR_WRONG_KEY);
    assert_non_null(strstr(t.err.message, "radio.example:7256"));
    assert_non_null(strstr(t.err.mend, path));
    assert_int_equal(questions, 0);
}

static void a_server_that_was_declined_is_not_kept(void **state)
{
    struct known_servers_trust t = trust_in("radio.example");

    (void)state;
    t.ask = no;
    assert_false(known_servers_trust(&t, key_a));
    assert_int_equal(t.err.code, ERR_WRONG_KEY);
    assert_int_equal(access(path, F_OK), -1);
}

static void host_and_port_together_name_a_server(void **state)
{
    uint8_t key[32];
    bool found;

    (void)state;
    assert_int_equal(known_servers_add(path, "::1", 7256, key_a, NULL), 0);
    assert_int_equal(known_servers_add(path, "::1", 7257, key_b, NULL), 0);
    assert_int_equal(known_servers_find(path, "::1", 7257, key, &found, NULL), 0);
    assert_true(found);
    assert_memory_equal(key, key_b, 32);
    assert_int_equal(known_servers_find(path, "::1", 7256, key, &found, NULL), 0);
    assert_true(found);
    assert_memory_equal(key, key_a, 32);
    assert_int_equal(known_servers_find(path, "::2", 7256, key, &found, NULL), 0);
    assert_false(found);
}

static void a_broken_line_is_named_when_it_matters(void **state)
{
    struct err err;
    uint8_t key[32];
    bool found;
    FILE *f;

    (void)state;
    assert_int_equal(known_servers_add(path, "a.example", 7256, key_a, NULL), 0);
    f = fopen(path, "a");
    assert_non_null(f);
    fputs("# a comment\n\nb.example:7256 rubbish\n", f);
    fclose(f);
    assert_int_equal(known_servers_find(path, "a.example", 7256, key, &found, &err), 0);
    assert_true(found);
    assert_int_equal(known_servers_find(path, "b.example", 7256, key, &found, &err), -ERR_STATE);
    assert_non_null(strstr(err.message, "known_servers:4"));
}

static void known_servers_lie_beside_the_identity(void **state)
{
    char out[PROFILE_PATH_MAX];

    (void)state;
    setenv("XDG_CONFIG_HOME", "/cfg", 1);
    assert_int_equal(profile_identity_path(out, sizeof out, NULL), 0);
    assert_string_equal(out, "/cfg/salotto/identity");
    unsetenv("XDG_CONFIG_HOME");
    setenv("HOME", "/home/anna", 1);
    assert_int_equal(profile_identity_path(out, sizeof out, NULL), 0);
    assert_string_equal(out, "/home/anna/.config/salotto/identity");
    assert_int_equal(profile_known_servers_path(out, sizeof out, "/cfg/salotto/identity", NULL), 0);
    assert_string_equal(out, "/cfg/salotto/known_servers");
    assert_int_equal(profile_known_servers_path(out, sizeof out, "me.key", NULL), 0);
    assert_string_equal(out, "known_servers");
    assert_int_equal(profile_identity_path(out, 20, NULL), -ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_server_is_refused_when_there_is_nobody_to_ask, make, drop),
        cmocka_unit_test_setup_teardown(a_new_server_is_kept_once_accepted_and_not_asked_about_again, make, drop),
        cmocka_unit_test_setup_teardown(accept_new_takes_a_new_server_without_asking, make, drop),
        cmocka_unit_test_setup_teardown(a_changed_key_is_refused_even_with_accept_new, make, drop),
        cmocka_unit_test_setup_teardown(a_server_that_was_declined_is_not_kept, make, drop),
        cmocka_unit_test_setup_teardown(host_and_port_together_name_a_server, make, drop),
        cmocka_unit_test_setup_teardown(a_broken_line_is_named_when_it_matters, make, drop),
        cmocka_unit_test(known_servers_lie_beside_the_identity),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
