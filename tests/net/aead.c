#include "net/aead.h"

#include "tests/net/hex.h"

/* RFC 8439, appendix A.5, whose nonce has the form we use: four zero bytes and a little-endian counter. */
static const char key_hex[] = "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0";
static const char ad_hex[] = "f33388860000000000004e91";
#define RFC_COUNTER UINT64_C(0x0807060504030201)
static const char sealed_hex[] = "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43ee"
                                 "a09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b9481"
                                 "14ad176e008d33bd60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0"
                                 "f9f6157b53c867e4b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
                                 "af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a0bb2316053fa7699"
                                 "1955ebd63159434ecebb4e466dae5a1073a6727627097a1049e617d91d361094fa68f0ff77987130"
                                 "305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709b"
                                 "eead9d67890cbb22392336fea1851f38";

static uint8_t key[AEAD_KEY_BYTES], ad[12], sealed[512], plain[512];

static void it_opens_and_seals_the_published_vector_of_rfc_8439(void **state)
{
    uint8_t again[512];
    size_t len = unhex(sealed, sizeof sealed, sealed_hex);
    int n;

    (void)state;
    unhex(key, sizeof key, key_hex);
    unhex(ad, sizeof ad, ad_hex);
    n = aead_open(plain, sizeof plain, key, RFC_COUNTER, ad, sizeof ad, sealed, len);
    assert_int_equal(n, 265);
    assert_memory_equal(plain, "Internet-Drafts are draft documents valid for a maximum of six months", 69);
    assert_int_equal(aead_seal(again, sizeof again, key, RFC_COUNTER, ad, sizeof ad, plain, (size_t)n), len);
    assert_memory_equal(again, sealed, len);
}

static void a_changed_byte_counter_or_associated_datum_does_not_open(void **state)
{
    size_t len = unhex(sealed, sizeof sealed, sealed_hex);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        sealed[i] ^= 0x10;
        assert_int_equal(aead_open(plain, sizeof plain, key, RFC_COUNTER, ad, sizeof ad, sealed, len), -1);
        sealed[i] ^= 0x10;
    }
    assert_int_equal(aead_open(plain, sizeof plain, key, RFC_COUNTER + 1, ad, sizeof ad, sealed, len), -1);
    assert_int_equal(aead_open(plain, sizeof plain, key, RFC_COUNTER, ad, sizeof ad - 1, sealed, len), -1);
    assert_int_equal(aead_open(plain, sizeof plain, key, RFC_COUNTER, ad, sizeof ad, sealed, len - 1), -1);
}

static void nothing_is_written_beyond_the_room_given(void **state)
{
    uint8_t small[20], opened[4];
    int n;

    (void)state;
    assert_int_equal(aead_seal(small, sizeof small, key, 0, NULL, 0, (const uint8_t *)"12345", 5), -1);
    n = aead_seal(small, sizeof small, key, 0, NULL, 0, (const uint8_t *)"1234", 4);
    assert_int_equal(n, 20);
    assert_int_equal(aead_open(opened, 3, key, 0, NULL, 0, small, 20), -1);
    assert_int_equal(aead_open(opened, 4, key, 0, NULL, 0, small, 20), 4);
    assert_int_equal(aead_open(opened, 4, key, 0, NULL, 0, small, 15), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_and_seals_the_published_vector_of_rfc_8439),
        cmocka_unit_test(a_changed_byte_counter_or_associated_datum_does_not_open),
        cmocka_unit_test(nothing_is_written_beyond_the_room_given),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("net/aead", tests, NULL, NULL);
}
