/* Tests of tools/salottod/watchdog.c: when a room may be vouched for. */
#include "tools/salottod/watchdog.h"

#include "mixer/clock.h"
#include "mixer/waker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct room *room;
static uint64_t tick;

static int set_up(void **state)
{
    struct room_config c = {.name = "piazza", .inboxes = 1};

    (void)state;
    room = room_new(&c);
    tick = 0;
    return room != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    room_free(room);
    return 0;
}

static void mix(void)
{
    (void)room_tick(room, tick, clock_due_ns(0, tick));
    tick++;
}

static void a_room_that_ticks_beats(void **state)
{
    struct pulse p = {0};

    (void)state;
    for (int look = 0; look < 5; look++) {
        mix();
        assert_true(pulse_beats(&p, room));
    }
}

static void a_room_that_is_awake_and_does_not_tick_does_not(void **state)
{
    struct pulse p = {0};

    (void)state;
    mix();
    assert_true(pulse_beats(&p, room));
    assert_false(pulse_beats(&p, room));
    assert_false(pulse_beats(&p, room));
    mix();
    assert_true(pulse_beats(&p, room));
}

static void a_room_that_sleeps_beats(void **state)
{
    struct pulse p = {0};

    (void)state;
    mix();
    (void)waker_prepare(room_waker(room));
    for (int look = 0; look < 3; look++)
        assert_true(pulse_beats(&p, room));
}

static void a_room_has_until_the_next_look_to_wake_up(void **state)
{
    struct pulse p = {0};

    (void)state;
    mix();
    (void)waker_prepare(room_waker(room));
    assert_true(pulse_beats(&p, room));
    waker_wake(room_waker(room));
    assert_true(pulse_beats(&p, room));
    assert_false(pulse_beats(&p, room));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_room_that_ticks_beats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_room_that_is_awake_and_does_not_tick_does_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_room_that_sleeps_beats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_room_has_until_the_next_look_to_wake_up, set_up, tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
