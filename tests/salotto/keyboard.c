/* keyboard.c - tests of keys out of a terminal's bytes */
#include "tools/salotto/keyboard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct keyboard k;
static struct key keys[16];
static unsigned count, answers;

static void type(const char *bytes)
{
    count = answers = 0;
    for (; *bytes != '\0'; bytes++) {
        switch (keyboard_take(&k, (unsigned char)*bytes, &keys[count])) {
        case KEYBOARD_KEY:
            count++;
            assert_in_range(count, 0, 15);
            break;
        case KEYBOARD_ANSWER:
            answers++;
            break;
        case KEYBOARD_NOTHING:
            break;
        }
    }
    keyboard_pause(&k);
}

static int begin(void **state)
{
    (void)state;
    memset(&k, 0, sizeof k);
    return 0;
}

static void characters_are_keys(void **state)
{
    (void)state;
    type("m q");
    assert_int_equal(count, 3);
    assert_int_equal(keys[0].code, 'm');
    assert_int_equal(keys[1].code, ' ');
    assert_int_equal(keys[2].code, 'q');
    assert_int_equal(keys[2].kind, KEY_PRESS);
    assert_int_equal(keys[2].modifiers, 0);
}

static void arrows_and_their_like_are_no_characters(void **state)
{
    (void)state;
    type("\033[A\033OQ\033[15~\033[1;5Cm\033mh");
    assert_int_equal(count, 2);
    assert_int_equal(keys[0].code, 'm');
    assert_int_equal(keys[1].code, 'h');
}

static void the_escape_key_takes_nothing_with_it(void **state)
{
    (void)state;
    type("\033");
    assert_int_equal(count, 0);
    type("q");
    assert_int_equal(count, 1);
}

static void a_reported_key_has_its_kind(void **state)
{
    (void)state;
    type("\033[32u\033[32;1:1u\033[32;1:2u\033[32;1:3u");
    assert_int_equal(count, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(keys[i].code, ' ');
    assert_int_equal(keys[0].kind, KEY_PRESS);
    assert_int_equal(keys[1].kind, KEY_PRESS);
    assert_int_equal(keys[2].kind, KEY_REPEAT);
    assert_int_equal(keys[3].kind, KEY_RELEASE);
}

static void modifiers_are_told_but_locks_are_not(void **state)
{
    (void)state;
    type("\033[99;5u\033[109;65u\033[109:77;2;77u");
    assert_int_equal(count, 3);
    assert_int_equal(keys[0].code, 'c');
    assert_int_equal(keys[0].modifiers, KEY_CTRL);
    assert_int_equal(keys[1].modifiers, 0); /* caps lock */
    assert_int_equal(keys[2].code, 'm');
    assert_int_equal(keys[2].modifiers, KEY_SHIFT);
}

static void the_answer_to_the_question_is_no_key(void **state)
{
    (void)state;
    type("\033[?0u");
    assert_int_equal(count, 0);
    assert_int_equal(answers, 1);
    type("\033[?62;c");
    assert_int_equal(count + answers, 0);
}

static void a_sequence_may_come_in_two_reads(void **state)
{
    (void)state;
    type("\033[32;1");
    type(":3u");
    assert_int_equal(count, 1);
    assert_int_equal(keys[0].kind, KEY_RELEASE);
}

static void nonsense_does_no_harm(void **state)
{
    (void)state;
    type("\033[99999999999999999999;99999999999:9999999999:9;;;;;;;;:::::1u\033[u\033[;u\033[>1u\033[<\n");
    type("q");
    assert_int_equal(count, 1);
    assert_int_equal(keys[0].code, 'q');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(characters_are_keys, begin),
        cmocka_unit_test_setup(arrows_and_their_like_are_no_characters, begin),
        cmocka_unit_test_setup(the_escape_key_takes_nothing_with_it, begin),
        cmocka_unit_test_setup(a_reported_key_has_its_kind, begin),
        cmocka_unit_test_setup(modifiers_are_told_but_locks_are_not, begin),
        cmocka_unit_test_setup(the_answer_to_the_question_is_no_key, begin),
        cmocka_unit_test_setup(a_sequence_may_come_in_two_reads, begin),
        cmocka_unit_test_setup(nonsense_does_no_harm, begin),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
