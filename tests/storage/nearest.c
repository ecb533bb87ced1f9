/* nearest.c - what somebody who mistyped a name probably meant (storage/nearest.h) */
#include "storage/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const char *nearest_of(const char *wanted, const char *const *names)
{
    static struct nearest n;

    nearest_init(&n, wanted);
    for (; *names != NULL; names++)
        nearest_offer(&n, *names);
    return n.name;
}

static const char *const rooms[] = {"piazza", "palazzo", "corte", "giardino", NULL};

static void a_wrong_a_missing_and_an_added_letter_are_forgiven(void **state)
{
    (void)state;
    assert_string_equal(nearest_of("piazzo", rooms), "piazza");
    assert_string_equal(nearest_of("piaza", rooms), "piazza");
    assert_string_equal(nearest_of("piiazza", rooms), "piazza");
    assert_string_equal(nearest_of("palazo", rooms), "palazzo");
}

static void two_neighbours_swapped_count_as_one_mistake(void **state)
{
    static const char *const names[] = {"ann", "nna", NULL};

    (void)state;
    assert_string_equal(nearest_of("nan", names), "ann");
    assert_string_equal(nearest_of("croet", rooms), "corte");
}

static void capitals_are_a_mistake_like_any_other(void **state)
{
    (void)state;
    assert_string_equal(nearest_of("Piazza", rooms), "piazza");
}

static void of_two_that_are_near_the_nearer_one_wins_in_any_order(void **state)
{
    static const char *const one[] = {"annalisa", "annalina", NULL}, *const other[] = {"annalina", "annalisa", NULL};

    (void)state;
    assert_string_equal(nearest_of("annalisaa", one), "annalisa");
    assert_string_equal(nearest_of("annalisaa", other), "annalisa");
}

static void what_is_far_is_not_suggested(void **state)
{
    (void)state;
    assert_string_equal(nearest_of("bar", rooms), "");
    assert_string_equal(nearest_of("", rooms), "");
    assert_string_equal(nearest_of("zzzzzz", rooms), "");
}

static void names_longer_than_a_name_can_be_are_left_out(void **state)
{
    static const char *const names[] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL}; /* 33 */

    (void)state;
    assert_string_equal(nearest_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", names), "");
    assert_string_equal(nearest_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", names), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_a_missing_and_an_added_letter_are_forgiven),
        cmocka_unit_test(two_neighbours_swapped_count_as_one_mistake),
        cmocka_unit_test(capitals_are_a_mistake_like_any_other),
        cmocka_unit_test(of_two_that_are_near_the_nearer_one_wins_in_any_order),
        cmocka_unit_test(what_is_far_is_not_suggested),
        cmocka_unit_test(names_longer_than_a_name_can_be_are_left_out),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage/nearest", tests, NULL, NULL);
}
