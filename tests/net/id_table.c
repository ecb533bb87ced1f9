/* id_table.c - the open hash of ids (see net/id_table.h) */
#include "net/id_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void an_empty_table_knows_nobody(void **state)
{
    struct id_table t;
    size_t at = 0;

    (void)state;
    id_table_init(&t);
    assert_null(id_table_get(&t, 1));
    assert_null(id_table_remove(&t, 1));
    assert_null(id_table_next(&t, &at));
    id_table_fini(&t);
}

static void what_was_put_is_found_until_it_is_removed(void **state)
{
    struct id_table t;
    int a, b;

    (void)state;
    id_table_init(&t);
    assert_int_equal(id_table_put(&t, 7, &a), 0);
    assert_ptr_equal(id_table_get(&t, 7), &a);
    assert_int_equal(id_table_put(&t, 7, &b), 0);
    assert_int_equal(t.count, 1);
    assert_ptr_equal(id_table_remove(&t, 7), &b);
    assert_null(id_table_get(&t, 7));
    assert_null(id_table_get(&t, 0));
    id_table_fini(&t);
}

/* Against an array that does the same by brute force; the small id space makes long probe runs common. */
static void years_of_coming_and_going_lose_nobody(void **state)
{
    enum { IDS = 600 };
    static char what[IDS];
    char *present[IDS] = {0};
    struct id_table t;
    size_t count = 0, seen = 0, at = 0;

    (void)state;
    id_table_init(&t);
    srand(1);
    for (int i = 0; i < 200000; i++) {
        size_t id = 1 + (size_t)rand() % (IDS - 1);

        if (rand() % 2 == 0) {
            count += present[id] == NULL;
            present[id] = &what[id];
            assert_int_equal(id_table_put(&t, id, &what[id]), 0);
        } else {
            count -= present[id] != NULL;
            assert_ptr_equal(id_table_remove(&t, id), present[id]);
            present[id] = NULL;
        }
        id = 1 + (size_t)rand() % (IDS - 1);
        assert_ptr_equal(id_table_get(&t, id), present[id]);
        assert_int_equal(t.count, count);
    }
    for (char *v; (v = id_table_next(&t, &at)) != NULL; seen++)
        assert_ptr_equal(present[v - what], v);
    assert_int_equal(seen, count);
    assert_in_range(t.bits, 1, 10);
    id_table_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_knows_nobody),
        cmocka_unit_test(what_was_put_is_found_until_it_is_removed),
        cmocka_unit_test(years_of_coming_and_going_lose_nobody),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
