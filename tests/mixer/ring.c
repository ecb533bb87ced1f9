/* ring.c - tests of mixer/ring.h */
#include "mixer/ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_range(void **state)
{
    (void)state;
    assert_null(ring_new(0, 8));
    assert_null(ring_new(1, 8));
    assert_null(ring_new(3, 8));
    assert_null(ring_new(131072, 8));
    assert_null(ring_new(2, 0));
    assert_null(ring_new(2, 65537));
    ring_free(NULL);
}

static void test_order(void **state)
{
    struct ring *r = ring_new(4, sizeof(uint32_t));
    uint32_t value;

    (void)state;
    assert_non_null(r);
    assert_true(ring_is_empty(r));
    assert_false(ring_pop(r, &value));
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t next = i + 1000;

        assert_true(ring_push(r, &i, sizeof i));
        assert_true(ring_push(r, &next, sizeof next));
        assert_int_equal(ring_count(r), 2);
        assert_true(ring_pop(r, &value));
        assert_int_equal(value, i);
        assert_true(ring_pop(r, &value));
        assert_int_equal(value, next);
    }
    assert_true(ring_is_empty(r));
    ring_free(r);
}

static void test_full(void **state)
{
    struct ring *r = ring_new(4, sizeof(uint32_t));
    uint32_t value;

    (void)state;
    for (uint32_t i = 0; i < 4; i++)
        assert_true(ring_push(r, &i, sizeof i));
    value = 99;
    assert_false(ring_push(r, &value, sizeof value));
    assert_false(ring_push(r, &value, sizeof value));
    assert_int_equal(ring_dropped(r), 2);
    assert_int_equal(ring_count(r), 4);
    assert_true(ring_pop(r, &value));
    assert_int_equal(value, 0);
    assert_true(ring_push(r, &value, sizeof value));
    ring_free(r);
}

static void test_too_large(void **state)
{
    struct ring *r = ring_new(2, 4);

    (void)state;
    assert_false(ring_push(r, "12345", 5));
    assert_int_equal(ring_dropped(r), 1);
    assert_true(ring_is_empty(r));
    ring_free(r);
}

static void test_peek(void **state)
{
    struct ring *r = ring_new(4, 13);
    const char *seen;

    (void)state;
    assert_null(ring_peek(r));
    ring_skip(r);
    assert_true(ring_is_empty(r));
    assert_true(ring_push(r, "one", 4));
    assert_true(ring_push(r, "two", 4));
    seen = ring_peek(r);
    assert_string_equal(seen, "one");
    assert_ptr_equal(ring_peek(r), seen);
    ring_skip(r);
    seen = ring_peek(r);
    assert_string_equal(seen, "two");
    assert_int_equal((uintptr_t)seen % _Alignof(max_align_t), 0);
    ring_skip(r);
    assert_null(ring_peek(r));
    ring_free(r);
}

enum { STRESS_ITEMS = 200000, STRESS_WORDS = 9 };

static void *produce(void *arg)
{
    struct ring *r = arg;

    for (uint32_t i = 0; i < STRESS_ITEMS; i++) {
        uint32_t item[STRESS_WORDS];

        for (unsigned w = 0; w < STRESS_WORDS; w++)
            item[w] = i + w * 0x01010101u;
        while (!ring_push(r, item, sizeof item))
            sched_yield();
    }
    return NULL;
}

static void test_two_threads(void **state)
{
    struct ring *r = ring_new(16, STRESS_WORDS * sizeof(uint32_t));
    uint32_t wrong = 0, item[STRESS_WORDS];
    pthread_t producer;

    (void)state;
    assert_int_equal(pthread_create(&producer, NULL, produce, r), 0);
    for (uint32_t i = 0; i < STRESS_ITEMS; i++) {
        while (!ring_pop(r, item))
            sched_yield();
        for (unsigned w = 0; w < STRESS_WORDS; w++)
            wrong += item[w] != i + w * 0x01010101u;
    }
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_int_equal(wrong, 0);
    assert_true(ring_is_empty(r));
    ring_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"a ring has a power of two of slots and a bounded slot size", test_range, NULL, NULL, NULL},
        {"items leave a ring in the order in which they came", test_order, NULL, NULL, NULL},
        {"a full ring refuses the new item and counts it", test_full, NULL, NULL, NULL},
        {"an item larger than a slot is refused and counted", test_too_large, NULL, NULL, NULL},
        {"the oldest item can be used in place until it is skipped", test_peek, NULL, NULL, NULL},
        {"two threads pass items through a small ring whole and in order", test_two_threads, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
