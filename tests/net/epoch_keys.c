#include "net/epoch_keys.h"

#include "tests/net/hex.h"

#define S  1000000000ull
#define T0 (1000 * S)

static const uint8_t key_a[SEAL_KEY_BYTES] = {1}, key_b[SEAL_KEY_BYTES] = {2}, key_c[SEAL_KEY_BYTES] = {3};

static void assert_found(const struct epoch_keys *k, uint64_t serial, const uint8_t base[SEAL_KEY_BYTES],
                         uint64_t now_ns)
{
    for (unsigned s = 0; s < STREAM_TIERS; s++) {
        uint8_t want[SEAL_KEY_BYTES];
        uint64_t found;
        const uint8_t *key = epoch_keys_find(k, (enum stream)s, (uint8_t)serial, now_ns, &found);

        seal_stream_key(want, base, (enum stream)s);
        assert_non_null(key);
        assert_memory_equal(key, want, sizeof want);
        assert_int_equal(found, serial);
    }
}

static void assert_not_found(const struct epoch_keys *k, uint8_t low, uint64_t now_ns)
{
    uint64_t serial;

    assert_null(epoch_keys_find(k, STREAM_LOW, low, now_ns, &serial));
}

static void the_key_of_the_join_serves_its_epoch_alone(void **state)
{
    struct epoch_keys k;

    (void)state;
    epoch_keys_init(&k, 0x1ff, key_a);
    assert_found(&k, 0x1ff, key_a, T0);
    assert_not_found(&k, 0x00, T0);
    assert_not_found(&k, 0xfe, T0);
}

static void the_key_before_serves_for_two_seconds_more(void **state)
{
    struct epoch_keys k;

    (void)state;
    epoch_keys_init(&k, 0x1ff, key_a);
    epoch_keys_add(&k, 0x200, key_b, T0);
    assert_found(&k, 0x200, key_b, T0);
    assert_found(&k, 0x1ff, key_a, T0 + 2 * S - 1);
    assert_not_found(&k, 0xff, T0 + 2 * S);
    assert_found(&k, 0x200, key_b, T0 + 100 * S);
}

static void only_the_newest_and_the_one_before_are_held(void **state)
{
    struct epoch_keys k;

    (void)state;
    epoch_keys_init(&k, 1, key_a);
    epoch_keys_add(&k, 2, key_b, T0);
    epoch_keys_add(&k, 7, key_c, T0 + 1);
    assert_not_found(&k, 1, T0 + 1);
    assert_found(&k, 2, key_b, T0 + 1);
    assert_found(&k, 7, key_c, T0 + 1);
}

static void a_key_that_is_not_newer_changes_nothing(void **state)
{
    struct epoch_keys k;

    (void)state;
    epoch_keys_init(&k, 5, key_a);
    epoch_keys_add(&k, 5, key_b, T0);
    epoch_keys_add(&k, 4, key_c, T0);
    assert_found(&k, 5, key_a, T0);
    assert_not_found(&k, 4, T0);
    epoch_keys_add(&k, 6, key_b, T0);
    epoch_keys_add(&k, 6, key_b, T0 + S); /* the same again does not prolong the one before */
    assert_not_found(&k, 5, T0 + 2 * S);
}

static void ones_own_stream_has_no_key_here(void **state)
{
    struct epoch_keys k;
    uint64_t serial;

    (void)state;
    epoch_keys_init(&k, 5, key_a);
    assert_null(epoch_keys_find(&k, STREAM_OWN, 5, T0, &serial));
    epoch_keys_wipe(&k);
    assert_true(sodium_is_zero((const uint8_t *)&k, sizeof k));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_of_the_join_serves_its_epoch_alone),
        cmocka_unit_test(the_key_before_serves_for_two_seconds_more),
        cmocka_unit_test(only_the_newest_and_the_one_before_are_held),
        cmocka_unit_test(a_key_that_is_not_newer_changes_nothing),
        cmocka_unit_test(ones_own_stream_has_no_key_here),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("net/epoch_keys", tests, NULL, NULL);
}
