/* Tests of tools/salottod/permission.c: the table of who may do what, written out. */
#include "tools/salottod/permission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static void a_rank_suffices_or_does_not(void **state)
{
    (void)state;
    for (int actor = ROLE_LISTENER; actor <= ROLE_OPERATOR; actor++)
        for (int least = ROLE_LISTENER; least <= ROLE_OPERATOR; least++)
            assert_int_equal(permission_rank((enum role)actor, (enum role)least, "mute", NULL) == 0, actor >= least);
}

static void nobody_acts_on_their_own_rank_or_above(void **state)
{
    struct err err;

    (void)state;
    for (int actor = ROLE_LISTENER; actor <= ROLE_OPERATOR; actor++)
        for (int target = ROLE_LISTENER; target <= ROLE_HOST; target++)
            assert_int_equal(permission_over((enum role)actor, (enum role)target, "kick", "bruno", NULL) == 0,
                             actor > target);
    assert_int_equal(permission_over(ROLE_MODERATOR, ROLE_MODERATOR, "kick", "bruno", &err), -ERR_DENIED);
    assert_non_null(strstr(err.message, "bruno"));
    assert_string_equal(err.mend, "ask a host");
}

static void roles_are_given_by_those_above_and_hosts_by_hosts(void **state)
{
    (void)state;
    assert_int_equal(permission_give(ROLE_MODERATOR, ROLE_SPEAKER, NULL), 0);
    assert_int_equal(permission_give(ROLE_MODERATOR, ROLE_MODERATOR, NULL), -ERR_DENIED);
    assert_int_equal(permission_give(ROLE_HOST, ROLE_MODERATOR, NULL), 0);
    assert_int_equal(permission_give(ROLE_HOST, ROLE_HOST, NULL), 0);
    assert_int_equal(permission_give(ROLE_SPEAKER, ROLE_SPEAKER, NULL), -ERR_DENIED);
    assert_int_equal(permission_give(ROLE_OPERATOR, ROLE_HOST, NULL), 0);
    assert_int_equal(permission_give(ROLE_OPERATOR, ROLE_OPERATOR, NULL), -ERR_DENIED);
}

static void a_refusal_says_whom_to_ask(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(permission_rank(ROLE_LISTENER, ROLE_MODERATOR, "mute", &err), -ERR_DENIED);
    assert_string_equal(err.message, "a listener may not use 'mute'");
    assert_string_equal(err.mend, "ask a moderator of the room");
    assert_int_equal(permission_rank(ROLE_HOST, ROLE_OPERATOR, "room create", &err), -ERR_DENIED);
    assert_string_equal(err.mend, "only the operator may, on the server itself");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rank_suffices_or_does_not),
        cmocka_unit_test(nobody_acts_on_their_own_rank_or_above),
        cmocka_unit_test(roles_are_given_by_those_above_and_hosts_by_hosts),
        cmocka_unit_test(a_refusal_says_whom_to_ask),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
