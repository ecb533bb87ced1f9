#include "net/keepalive.h"

#include "tests/net/hex.h"

#define MS 1000000ull
#define T0 (1000 * 1000 * MS)

static void the_first_is_due_at_once(void **state)
{
    struct keepalive k;

    (void)state;
    keepalive_start(&k, T0);
    assert_int_equal(keepalive_due_ns(&k), T0);
}

static void while_unanswered_they_follow_every_500_ms(void **state)
{
    struct keepalive k;

    (void)state;
    keepalive_start(&k, T0);
    for (unsigned i = 0; i < 10; i++) {
        uint64_t due = keepalive_due_ns(&k);

        assert_int_equal(due, T0 + i * 500 * MS);
        keepalive_sent(&k, due);
    }
}

static void once_answered_in_a_parked_room_the_next_follows_after_4_s(void **state)
{
    struct keepalive k;

    (void)state;
    keepalive_start(&k, T0);
    keepalive_sent(&k, T0);
    keepalive_answered(&k, true, T0 + 30 * MS);
    assert_int_equal(keepalive_due_ns(&k), T0 + 4030 * MS);
    keepalive_sent(&k, T0 + 4030 * MS);
    assert_int_equal(keepalive_due_ns(&k), T0 + 4530 * MS);
}

static void a_room_that_should_be_heard_and_is_not_is_asked_every_500_ms(void **state)
{
    struct keepalive k;

    (void)state;
    keepalive_start(&k, T0);
    keepalive_sent(&k, T0);
    keepalive_answered(&k, false, T0 + 30 * MS);
    assert_int_equal(keepalive_due_ns(&k), T0 + 500 * MS);
    keepalive_sent(&k, T0 + 500 * MS);
    keepalive_answered(&k, false, T0 + 530 * MS);
    assert_int_equal(keepalive_due_ns(&k), T0 + 1000 * MS);
}

static void a_room_that_is_heard_is_asked_every_4_s(void **state)
{
    struct keepalive k;
    uint64_t now = T0 + 30 * MS;

    (void)state;
    keepalive_start(&k, T0);
    keepalive_sent(&k, T0);
    keepalive_answered(&k, false, now);
    for (; now < T0 + 4030 * MS; now += 20 * MS) {
        assert_true(keepalive_due_ns(&k) > now);
        keepalive_heard(&k, false, now);
    }
    assert_int_equal(keepalive_due_ns(&k), T0 + 4030 * MS);
}

static void a_pause_announced_in_a_packet_is_no_silence(void **state)
{
    struct keepalive k;

    (void)state;
    keepalive_start(&k, T0);
    keepalive_sent(&k, T0);
    keepalive_answered(&k, false, T0 + 30 * MS);
    keepalive_heard(&k, true, T0 + 40 * MS);
    assert_int_equal(keepalive_due_ns(&k), T0 + 4030 * MS);
    keepalive_heard(&k, false, T0 + 2000 * MS);
    assert_int_equal(keepalive_due_ns(&k), T0 + 2500 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_due_at_once),
        cmocka_unit_test(while_unanswered_they_follow_every_500_ms),
        cmocka_unit_test(once_answered_in_a_parked_room_the_next_follows_after_4_s),
        cmocka_unit_test(a_room_that_should_be_heard_and_is_not_is_asked_every_500_ms),
        cmocka_unit_test(a_room_that_is_heard_is_asked_every_4_s),
        cmocka_unit_test(a_pause_announced_in_a_packet_is_no_silence),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("net/keepalive", tests, NULL, NULL);
}
