#include "net/hkdf.h"

#include "tests/net/hex.h"

static void it_computes_the_published_vectors_of_rfc_5869(void **state)
{
    uint8_t ikm[22], salt[13], info[10], prk[32], okm[42];

    (void)state;
    /* RFC 5869, appendix A.1 */
    memset(ikm, 0x0b, sizeof ikm);
    unhex(salt, sizeof salt, "000102030405060708090a0b0c");
    unhex(info, sizeof info, "f0f1f2f3f4f5f6f7f8f9");
    hkdf_extract(prk, salt, sizeof salt, ikm, sizeof ikm);
    assert_hex(prk, sizeof prk, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    hkdf_expand(okm, sizeof okm, prk, info, sizeof info);
    assert_hex(okm, sizeof okm, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");

    /* Appendix A.3: neither salt nor info */
    hkdf_extract(prk, NULL, 0, ikm, sizeof ikm);
    assert_hex(prk, sizeof prk, "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
    hkdf_expand(okm, sizeof okm, prk, NULL, 0);
    assert_hex(okm, sizeof okm, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void the_extracted_key_may_take_the_place_of_salt_or_input(void **state)
{
    uint8_t salt[32], ikm[32], apart[32], at_salt[32], at_ikm[32];

    (void)state;
    memset(salt, 1, sizeof salt);
    memset(ikm, 2, sizeof ikm);
    memcpy(at_salt, salt, sizeof salt);
    memcpy(at_ikm, ikm, sizeof ikm);
    hkdf_extract(apart, salt, sizeof salt, ikm, sizeof ikm);
    hkdf_extract(at_salt, at_salt, sizeof salt, ikm, sizeof ikm);
    hkdf_extract(at_ikm, salt, sizeof salt, at_ikm, sizeof ikm);
    assert_memory_equal(at_salt, apart, sizeof apart);
    assert_memory_equal(at_ikm, apart, sizeof apart);
}

static void a_shorter_output_is_the_beginning_of_a_longer_one(void **state)
{
    uint8_t prk[32] = {7}, longer[100], shorter[33] = {0};

    (void)state;
    hkdf_expand(longer, sizeof longer, prk, "a", 1);
    hkdf_expand(shorter, 32, prk, "a", 1);
    assert_memory_equal(shorter, longer, 32);
    assert_int_equal(shorter[32], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_computes_the_published_vectors_of_rfc_5869),
        cmocka_unit_test(the_extracted_key_may_take_the_place_of_salt_or_input),
        cmocka_unit_test(a_shorter_output_is_the_beginning_of_a_longer_one),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("net/hkdf", tests, NULL, NULL);
}
