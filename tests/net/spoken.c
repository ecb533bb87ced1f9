/* spoken.c - tests of fingerprints in words */
#include "net/spoken.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void a_key_is_spoken_as_the_first_hundred_bits_of_its_hash(void **state)
{
    static const uint8_t key[IDENTITY_KEY_BYTES];
    char words[SPOKEN_BYTES];

    (void)state;
    spoken_of(words, key);
    /* SHA-256 is 66687aad f862bd77 6c8fc18b 8…; in fives 01100 11001 10100 00111 10101 …; of each, three bits for
     * bdflmrst and two for aiou. */
    assert_string_equal(words, "lasi radu rifu lusa lafo toru losu dalu sado disa");
}

/* The server's key of net/PROTOCOL.md, 4.1. */
static void the_key_of_the_paper_is_spoken_as_it_says(void **state)
{
    uint8_t key[IDENTITY_KEY_BYTES];
    char words[SPOKEN_BYTES];

    (void)state;
    assert_int_equal(identity_parse(key, "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"), 0);
    spoken_of(words, key);
    assert_string_equal(words, "fosi buri rifi sora lali bura saba radi suti losu");
}

static void each_bit_of_the_hash_counts(void **state)
{
    uint8_t key[IDENTITY_KEY_BYTES] = {0};
    char first[SPOKEN_BYTES], other[SPOKEN_BYTES];

    (void)state;
    spoken_of(first, key);
    assert_int_equal(strlen(first), SPOKEN_BYTES - 1);
    for (unsigned i = 0; i < 8 * IDENTITY_KEY_BYTES; i++) {
        key[i / 8] ^= (uint8_t)(1 << i % 8);
        spoken_of(other, key);
        assert_string_not_equal(first, other);
        key[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_spoken_as_the_first_hundred_bits_of_its_hash),
        cmocka_unit_test(the_key_of_the_paper_is_spoken_as_it_says),
        cmocka_unit_test(each_bit_of_the_hash_counts),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
