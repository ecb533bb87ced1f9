/* room_keys.c - a worker's epoch keys (see net/room_keys.h) */
#include "net/room_keys.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void put(struct room_keys *k, uint32_t room, uint64_t serial)
{
    uint8_t key[SEAL_KEY_BYTES];

    memset(key, (int)(room * 16 + serial), sizeof key);
    assert_int_equal(room_keys_put(k, room, serial, key), 0);
}

static void each_room_keeps_its_last_four_keys(void **state)
{
    struct room_keys k;

    (void)state;
    room_keys_init(&k);
    assert_null(room_keys_find(&k, 0, 0));
    for (uint64_t serial = 0; serial < 6; serial++)
        for (uint32_t room = 0; room < 3; room++)
            put(&k, room, serial);
    for (uint32_t room = 0; room < 3; room++) {
        assert_null(room_keys_find(&k, room, 1));
        assert_null(room_keys_find(&k, room, 6));
        for (uint64_t serial = 2; serial < 6; serial++)
            assert_int_equal(room_keys_find(&k, room, serial)[31], room * 16 + serial);
    }
    room_keys_fini(&k);
}

static void a_room_that_is_gone_leaves_no_key_and_may_come_again(void **state)
{
    struct room_keys k;

    (void)state;
    room_keys_init(&k);
    put(&k, 1, 5);
    put(&k, 2, 5);
    room_keys_forget(&k, 1);
    room_keys_forget(&k, 7);
    assert_null(room_keys_find(&k, 1, 5));
    assert_non_null(room_keys_find(&k, 2, 5));
    put(&k, 1, 6);
    assert_null(room_keys_find(&k, 1, 5));
    assert_non_null(room_keys_find(&k, 1, 6));
    room_keys_fini(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_room_keeps_its_last_four_keys),
        cmocka_unit_test(a_room_that_is_gone_leaves_no_key_and_may_come_again),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
