#include "net/noise.h"

#include "net/aead.h"
#include "tests/net/hex.h"

/* The public test vector of Noise_IK_25519_ChaChaPoly_SHA256 of the Cacophony project (carried by snow and noise-c as
 * tests/vectors/cacophony.txt). */
static const char prologue_hex[] = "4a6f686e2047616c74";
static const char init_static_hex[] = "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1";
static const char init_ephemeral_hex[] = "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a";
static const char resp_static_hex[] = "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893";
static const char resp_ephemeral_hex[] = "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b";
static const char resp_public_hex[] = "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62";
static const char hash_hex[] = "0b0f68fb0c27e03ce9b97565995ed4838cc0581b762ef72b062f6a546419fad7";
static const struct {
    const char *payload, *message;
} vector[] = {
    {"4c756477696720766f6e204d69736573",
     "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944718da798efbcd91528520204f904b9bd6c7413dccdc214d9"
     "51e15253e39987f18146e8cd0873654207148333479d4d16c289f0294b29960a72f48e0b7bba2e89083169825e59642148d492020664ccf"
     "7"},
    {"4d757272617920526f746862617264",
     "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088435361e70b2ed446e6c9ec387d1d6b3b840f194e373979d241"
     "b203c4acafccf5"},
    {"462e20412e20486179656b", "050e9f3c8fac16b68dbce8f8c4bfbf6617c897f9ada4aa29aa19c8"},
    {"4361726c204d656e676572", "344233a6cabb7141d80f3da2fedc311d9646bbb0f505afe403a667"},
    {"4a65616e2d426170746973746520536179", "62cdeeb172ad7ade7aa7d9e069da5790f12331bfa00177787a1d0810c67dc3b2b4"},
    {"457567656e2042f6686d20766f6e2042617765726b",
     "029bead1b40992327044d409d9a1f3ad8f36c3c452775d557e18bbeb2e8dfcead32d514024"},
};

struct pair {
    struct noise_handshake init, resp;
    uint8_t message[256], payload[256];
};

static void start(struct pair *p)
{
    uint8_t prologue[16], init_static[32], resp_static[32], resp_public[32], ephemeral[32];
    size_t len = unhex(prologue, sizeof prologue, prologue_hex);

    unhex(init_static, 32, init_static_hex);
    unhex(resp_static, 32, resp_static_hex);
    unhex(resp_public, 32, resp_public_hex);
    noise_init(&p->init, true, prologue, len, init_static, resp_public);
    noise_init(&p->resp, false, prologue, len, resp_static, NULL);
    unhex(ephemeral, 32, init_ephemeral_hex);
    noise_set_ephemeral(&p->init, ephemeral);
    unhex(ephemeral, 32, resp_ephemeral_hex);
    noise_set_ephemeral(&p->resp, ephemeral);
}

static int write_1(struct pair *p)
{
    return noise_write(&p->init, (const uint8_t *)"hello", 5, p->message, sizeof p->message);
}

static int write_2(struct pair *p)
{
    int n = write_1(p);

    assert_int_equal(noise_read(&p->resp, p->message, (size_t)n, p->payload, sizeof p->payload), 5);
    return noise_write(&p->resp, (const uint8_t *)"welcome", 7, p->message, sizeof p->message);
}

static void finish(struct pair *p)
{
    int n = write_2(p);

    assert_int_equal(noise_read(&p->init, p->message, (size_t)n, p->payload, sizeof p->payload), 7);
}

static void it_computes_the_published_vector(void **state)
{
    struct pair p;
    struct noise_cipher to_resp, from_resp, to_init, from_init;
    uint8_t want[64], init_public[32], init_static[32];

    (void)state;
    start(&p);
    for (size_t i = 0; i < sizeof vector / sizeof vector[0]; i++) {
        struct noise_handshake *writer = i == 0 ? &p.init : &p.resp, *reader = i == 0 ? &p.resp : &p.init;
        size_t len = unhex(want, sizeof want, vector[i].payload);
        int n, m;

        if (i < 2) {
            n = noise_write(writer, want, len, p.message, sizeof p.message);
            m = noise_read(reader, p.message, (size_t)n, p.payload, sizeof p.payload);
        } else {
            n = noise_encrypt(i % 2 == 0 ? &to_resp : &to_init, want, len, p.message, sizeof p.message);
            m = noise_decrypt(i % 2 == 0 ? &from_init : &from_resp, p.message, (size_t)n, p.payload, sizeof p.payload);
        }
        assert_true(n > 0);
        assert_hex(p.message, (size_t)n, vector[i].message);
        assert_int_equal(m, len);
        assert_memory_equal(p.payload, want, len);
        if (i == 1) {
            assert_int_equal(noise_split(&p.init, &to_resp, &from_resp), 0);
            assert_int_equal(noise_split(&p.resp, &to_init, &from_init), 0);
            assert_hex(p.init.hash, 32, hash_hex);
            assert_hex(p.resp.hash, 32, hash_hex);
            assert_memory_equal(p.init.chaining_key, p.resp.chaining_key, 32);
        }
    }
    unhex(init_static, 32, init_static_hex);
    crypto_scalarmult_curve25519_base(init_public, init_static);
    assert_memory_equal(p.resp.remote_static, init_public, 32);
}

static void ephemeral_keys_are_fresh_unless_a_test_sets_them(void **state)
{
    struct pair a, b;
    static const uint8_t none[32];

    (void)state;
    start(&a);
    start(&b);
    noise_set_ephemeral(&a.init, none);
    noise_set_ephemeral(&b.init, none);
    write_1(&a);
    write_1(&b);
    assert_memory_not_equal(a.message, b.message, 32);
}

static void a_message_for_another_server_is_refused(void **state)
{
    struct pair p;
    uint8_t other[32] = {1, 2, 3};
    int n;

    (void)state;
    start(&p);
    n = write_1(&p);
    noise_init(&p.resp, false, (const uint8_t *)"John Galt", 9, other, NULL);
    assert_int_equal(noise_read(&p.resp, p.message, (size_t)n, p.payload, sizeof p.payload), -1);
}

static void an_answer_of_another_server_is_refused(void **state)
{
    struct pair p, q;
    int n;

    (void)state;
    start(&p);
    start(&q);
    write_1(&p);
    q.resp.ephemeral_private[5] ^= 1;
    q.init.ephemeral_private[5] ^= 1;
    n = write_2(&q);
    assert_int_equal(noise_read(&p.init, q.message, (size_t)n, p.payload, sizeof p.payload), -1);
}

static void another_prologue_is_refused(void **state)
{
    struct pair p;
    uint8_t key[32];
    int n;

    (void)state;
    start(&p);
    n = write_1(&p);
    unhex(key, 32, resp_static_hex);
    noise_init(&p.resp, false, (const uint8_t *)"John Gald", 9, key, NULL);
    assert_int_equal(noise_read(&p.resp, p.message, (size_t)n, p.payload, sizeof p.payload), -1);
}

static void a_handshake_message_with_any_bit_flipped_or_cut_short_is_refused(void **state)
{
    struct pair p;
    int n;

    (void)state;
    start(&p);
    n = write_1(&p);
    for (int i = 0; i < n * 8; i++) {
        struct noise_handshake resp = p.resp;

        /* X25519 ignores the top bit of a public key (RFC 7748 section 5); the hash still tells. */
        p.message[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(noise_read(&resp, p.message, (size_t)n, p.payload, sizeof p.payload), -1);
        p.message[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (int len = 0; len < n; len++) {
        struct noise_handshake resp = p.resp;

        assert_int_equal(noise_read(&resp, p.message, (size_t)len, p.payload, sizeof p.payload), -1);
    }
    start(&p);
    n = write_2(&p);
    for (int i = 0; i < n * 8; i++) {
        struct noise_handshake init = p.init;

        p.message[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(noise_read(&init, p.message, (size_t)n, p.payload, sizeof p.payload), -1);
        p.message[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (int len = 0; len < n; len++) {
        struct noise_handshake init = p.init;

        assert_int_equal(noise_read(&init, p.message, (size_t)len, p.payload, sizeof p.payload), -1);
    }
}

static void a_key_of_small_order_is_refused(void **state)
{
    static const uint8_t zero[32];
    struct pair p;
    uint8_t key[32];
    int n;

    (void)state;
    start(&p);
    n = write_1(&p);
    memset(p.message, 0, 32);
    assert_int_equal(noise_read(&p.resp, p.message, (size_t)n, p.payload, sizeof p.payload), -1);

    unhex(key, 32, init_static_hex);
    noise_init(&p.init, true, NULL, 0, key, zero);
    assert_int_equal(write_1(&p), -1);
}

static void after_a_failure_the_handshake_is_dead(void **state)
{
    struct pair p;
    static const uint8_t zero[32];
    int n;

    (void)state;
    start(&p);
    n = write_1(&p);
    assert_int_equal(noise_read(&p.resp, p.message, 40, p.payload, sizeof p.payload), -1);
    assert_int_equal(noise_read(&p.resp, p.message, (size_t)n, p.payload, sizeof p.payload), -1);
    assert_memory_equal(p.resp.static_private, zero, 32);
}

static void a_message_out_of_step_is_refused(void **state)
{
    struct pair p;
    struct noise_cipher a, b;

    (void)state;
    start(&p);
    assert_int_equal(noise_split(&p.init, &a, &b), -1);
    assert_int_equal(noise_write(&p.resp, NULL, 0, p.message, sizeof p.message), -1);
    start(&p);
    assert_int_equal(noise_read(&p.init, p.message, 96, p.payload, sizeof p.payload), -1);
    start(&p);
    finish(&p);
    assert_int_equal(noise_write(&p.init, NULL, 0, p.message, sizeof p.message), -1);
}

static void nothing_is_written_beyond_the_room_given(void **state)
{
    struct pair p;
    int n;

    (void)state;
    start(&p);
    assert_int_equal(noise_write(&p.init, (const uint8_t *)"hello", 5, p.message, 100), -1);
    start(&p);
    n = noise_write(&p.init, (const uint8_t *)"hello", 5, p.message, 101);
    assert_int_equal(n, 101);
    assert_int_equal(noise_read(&p.resp, p.message, (size_t)n, p.payload, 4), -1);
}

static void transport_messages_can_be_neither_replayed_nor_reordered_nor_changed(void **state)
{
    struct pair p;
    struct noise_cipher to_resp, from_resp, to_init, from_init;
    uint8_t one[32], two[32], out[32];

    (void)state;
    start(&p);
    finish(&p);
    assert_int_equal(noise_split(&p.init, &to_resp, &from_resp), 0);
    assert_int_equal(noise_split(&p.resp, &to_init, &from_init), 0);
    noise_wipe(&p.init);
    assert_int_equal(noise_encrypt(&to_resp, (const uint8_t *)"one", 3, one, sizeof one), 19);
    assert_int_equal(noise_encrypt(&to_resp, (const uint8_t *)"two", 3, two, sizeof two), 19);

    assert_int_equal(noise_decrypt(&from_init, two, 19, out, sizeof out), -1);
    for (unsigned i = 0; i < 19; i++) {
        one[i] ^= 0x80;
        assert_int_equal(noise_decrypt(&from_init, one, 19, out, sizeof out), -1);
        one[i] ^= 0x80;
    }
    assert_int_equal(noise_decrypt(&from_init, one, 18, out, sizeof out), -1);
    assert_int_equal(noise_decrypt(&from_init, one, 3, out, sizeof out), -1);
    assert_int_equal(noise_decrypt(&from_resp, one, 19, out, sizeof out), -1);
    assert_int_equal(noise_decrypt(&from_init, one, 19, out, 2), -1);
    assert_int_equal(noise_decrypt(&from_init, one, 19, out, sizeof out), 3);
    assert_memory_equal(out, "one", 3);
    assert_int_equal(noise_decrypt(&from_init, one, 19, out, sizeof out), -1);
    assert_int_equal(noise_decrypt(&from_init, two, 19, two, sizeof two), 3);
    assert_memory_equal(two, "two", 3);
}

static void a_spent_nonce_ends_the_cipher(void **state)
{
    struct noise_cipher c = {.nonce = UINT64_MAX - 1, .has_key = true}, d = c;
    uint8_t out[32], plain[32];

    (void)state;
    assert_int_equal(noise_encrypt(&c, (const uint8_t *)"x", 1, out, sizeof out), 17);
    assert_int_equal(noise_encrypt(&c, (const uint8_t *)"x", 1, plain, sizeof plain), -1);
    assert_int_equal(noise_decrypt(&d, out, 17, plain, sizeof plain), 1);
    /* Section 5.1 reserves the last nonce: even a genuine message under it is refused. */
    assert_int_equal(aead_seal(out, sizeof out, d.key, UINT64_MAX, NULL, 0, (const uint8_t *)"x", 1), 17);
    assert_int_equal(noise_decrypt(&d, out, 17, plain, sizeof plain), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_computes_the_published_vector),
        cmocka_unit_test(ephemeral_keys_are_fresh_unless_a_test_sets_them),
        cmocka_unit_test(a_message_for_another_server_is_refused),
        cmocka_unit_test(an_answer_of_another_server_is_refused),
        cmocka_unit_test(another_prologue_is_refused),
        cmocka_unit_test(a_handshake_message_with_any_bit_flipped_or_cut_short_is_refused),
        cmocka_unit_test(a_key_of_small_order_is_refused),
        cmocka_unit_test(after_a_failure_the_handshake_is_dead),
        cmocka_unit_test(a_message_out_of_step_is_refused),
        cmocka_unit_test(nothing_is_written_beyond_the_room_given),
        cmocka_unit_test(transport_messages_can_be_neither_replayed_nor_reordered_nor_changed),
        cmocka_unit_test(a_spent_nonce_ends_the_cipher),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("net/noise", tests, NULL, NULL);
}
