/* ptt.c - tests of push to talk, on a virtual clock */
#include "tools/salotto/ptt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define MS 1000000ull

static struct ptt p;
static uint64_t now_ns;

static int begin(void **state)
{
    (void)state;
    memset(&p, 0, sizeof p);
    now_ns = 1000000 * MS;
    return 0;
}

/* As the loop does. */
static void pass(unsigned ms)
{
    for (unsigned i = 0; i < ms; i += 10) {
        now_ns += 10 * MS;
        ptt_tick(&p, now_ns);
    }
}

/* A held key on a terminal that only repeats: `initial` ms to the first repeat, then one every 40 ms. */
static void hold_by_repeats(unsigned initial, unsigned repeats)
{
    ptt_press(&p, now_ns);
    pass(initial);
    for (unsigned i = 0; i < repeats; i++) {
        ptt_press(&p, now_ns);
        assert_true(p.open);
        pass(40);
    }
}

static void a_tap_opens_and_the_next_one_closes(void **state)
{
    (void)state;
    assert_int_equal(ptt_state(&p), PTT_CLOSED);
    ptt_press(&p, now_ns);
    assert_int_equal(ptt_state(&p), PTT_LATCHED);
    pass(60000);
    assert_int_equal(ptt_state(&p), PTT_LATCHED);
    ptt_press(&p, now_ns);
    assert_int_equal(ptt_state(&p), PTT_CLOSED); /* at once */
    pass(60000);
    assert_int_equal(ptt_state(&p), PTT_CLOSED);
}

static void a_held_key_is_open_until_it_no_longer_repeats(void **state)
{
    static const unsigned initial[] = {250, 500, 660, 1000};

    (void)state;
    for (unsigned i = 0; i < sizeof initial / sizeof *initial; i++) {
        hold_by_repeats(initial[i], 100);
        assert_int_equal(ptt_state(&p), PTT_HELD);
        pass(400);
        assert_int_equal(ptt_state(&p), PTT_CLOSED);
        pass(3000);
    }
}

static void from_the_press_on_it_is_open_before_the_first_repeat(void **state)
{
    (void)state;
    ptt_press(&p, now_ns);
    for (unsigned i = 0; i < 66; i++) {
        assert_true(p.open);
        pass(10);
    }
}

static void a_stalled_network_does_not_close_a_held_key(void **state)
{
    (void)state;
    hold_by_repeats(500, 20);
    pass(200);
    assert_true(p.open);
    ptt_press(&p, now_ns);
    pass(40);
    assert_int_equal(ptt_state(&p), PTT_HELD);
}

static void a_second_tap_soon_after_the_first_closes(void **state)
{
    (void)state;
    ptt_press(&p, now_ns);
    pass(600);
    ptt_press(&p, now_ns);
    pass(400);
    assert_int_equal(ptt_state(&p), PTT_CLOSED);
    pass(5000);
    assert_int_equal(ptt_state(&p), PTT_CLOSED);
}

static void held_while_it_stays_open_it_closes_when_let_go(void **state)
{
    (void)state;
    ptt_press(&p, now_ns);
    pass(5000);
    ptt_press(&p, now_ns); /* might be a tap */
    assert_int_equal(ptt_state(&p), PTT_CLOSED);
    pass(500);
    for (unsigned i = 0; i < 50; i++) {
        ptt_press(&p, now_ns);
        assert_true(p.open);
        pass(40);
    }
    pass(400);
    assert_int_equal(ptt_state(&p), PTT_CLOSED);
}

static int begin_with_releases(void **state)
{
    begin(state);
    p.releases = true;
    return 0;
}

static void with_releases_a_tap_toggles(void **state)
{
    (void)state;
    ptt_press(&p, now_ns);
    assert_true(p.open);
    pass(100);
    ptt_release(&p, now_ns);
    assert_int_equal(ptt_state(&p), PTT_LATCHED);
    pass(60000);
    assert_int_equal(ptt_state(&p), PTT_LATCHED);
    ptt_press(&p, now_ns);
    pass(100);
    ptt_release(&p, now_ns);
    assert_int_equal(ptt_state(&p), PTT_CLOSED);
}

static void with_releases_a_held_key_closes_after_its_last_syllable(void **state)
{
    (void)state;
    ptt_press(&p, now_ns);
    pass(4000); /* without any repeat: keyboards may have none */
    assert_int_equal(ptt_state(&p), PTT_HELD);
    ptt_release(&p, now_ns);
    assert_true(p.open);
    pass(100);
    assert_true(p.open);
    pass(60);
    assert_int_equal(ptt_state(&p), PTT_CLOSED);
}

static void with_releases_pressing_again_within_the_tail_goes_on(void **state)
{
    (void)state;
    ptt_press(&p, now_ns);
    pass(1000);
    ptt_release(&p, now_ns);
    pass(50);
    ptt_press(&p, now_ns);
    pass(1000);
    assert_int_equal(ptt_state(&p), PTT_HELD);
    ptt_release(&p, now_ns);
    pass(200);
    assert_int_equal(ptt_state(&p), PTT_CLOSED);
}

static void a_release_that_never_comes_is_noticed(void **state)
{
    (void)state;
    ptt_press(&p, now_ns);
    pass(500);
    for (unsigned i = 0; i < 10; i++) {
        ptt_repeat(&p, now_ns);
        pass(40);
    }
    assert_true(p.open);
    pass(2000);
    assert_int_equal(ptt_state(&p), PTT_CLOSED);
    ptt_release(&p, now_ns); /* and harms nothing when it comes */
    pass(200);
    assert_int_equal(ptt_state(&p), PTT_CLOSED);
}

static void other_means_are_for_good(void **state)
{
    (void)state;
    hold_by_repeats(500, 10);
    ptt_set(&p, false);
    pass(1000);
    assert_int_equal(ptt_state(&p), PTT_CLOSED);
    ptt_set(&p, true);
    pass(1000);
    assert_int_equal(ptt_state(&p), PTT_LATCHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_tap_opens_and_the_next_one_closes, begin),
        cmocka_unit_test_setup(a_held_key_is_open_until_it_no_longer_repeats, begin),
        cmocka_unit_test_setup(from_the_press_on_it_is_open_before_the_first_repeat, begin),
        cmocka_unit_test_setup(a_stalled_network_does_not_close_a_held_key, begin),
        cmocka_unit_test_setup(a_second_tap_soon_after_the_first_closes, begin),
        cmocka_unit_test_setup(held_while_it_stays_open_it_closes_when_let_go, begin),
        cmocka_unit_test_setup(with_releases_a_tap_toggles, begin_with_releases),
        cmocka_unit_test_setup(with_releases_a_held_key_closes_after_its_last_syllable, begin_with_releases),
        cmocka_unit_test_setup(with_releases_pressing_again_within_the_tail_goes_on, begin_with_releases),
        cmocka_unit_test_setup(a_release_that_never_comes_is_noticed, begin_with_releases),
        cmocka_unit_test_setup(other_means_are_for_good, begin),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
