#include "net/seal.h"

#include "tests/net/hex.h"

static struct seal_keys keys(void)
{
    struct seal_keys k;
    uint8_t chaining_key[32], hash[32];

    memset(chaining_key, 1, sizeof chaining_key);
    memset(hash, 2, sizeof hash);
    seal_keys_derive(&k, chaining_key, hash);
    return k;
}

static struct tape_packet packet(void)
{
    return (struct tape_packet){
        .number = UINT64_C(0x1ffffffff),
        .position = 48000 * 100,
        .epoch = 0x1ff,
        .own_strips = 5,
        .opus_bytes = 40,
        .talker_count = 2,
        .talkers = {3, 9},
        .opus = {0x78, 1, 2, 3},
    };
}

static void the_keys_of_a_session_differ_from_each_other(void **state)
{
    struct seal_keys k = keys();

    (void)state;
    assert_memory_not_equal(k.up, k.down, SEAL_KEY_BYTES);
    assert_memory_not_equal(k.up, k.own, SEAL_KEY_BYTES);
    assert_memory_not_equal(k.down, k.own, SEAL_KEY_BYTES);
    assert_memory_not_equal(k.tag, k.own, SEAL_TAG_KEY_BYTES);
    seal_keys_wipe(&k);
    assert_true(sodium_is_zero((const uint8_t *)&k, sizeof k));
}

static void each_stream_of_an_epoch_has_a_key_of_its_own(void **state)
{
    uint8_t base[SEAL_KEY_BYTES] = {1}, low[SEAL_KEY_BYTES], standard[SEAL_KEY_BYTES];

    (void)state;
    seal_stream_key(low, base, STREAM_LOW);
    seal_stream_key(standard, base, STREAM_STANDARD);
    assert_memory_not_equal(low, standard, SEAL_KEY_BYTES);
    assert_memory_not_equal(low, base, SEAL_KEY_BYTES);
}

static void upward_datagrams_open_under_their_key_only(void **state)
{
    struct seal_keys k = keys();
    uint8_t d[64], out[64];
    int n = seal_up(d, sizeof d, WIRE_SPEECH, 7, 0x01020304, k.up, (const uint8_t *)"sound", 5);

    (void)state;
    assert_int_equal(n, 9 + 5 + 16);
    assert_hex(d, 9, "04 00000007 01020304");
    assert_int_equal(seal_open_up(out, sizeof out, d, (size_t)n, k.up), 5);
    assert_memory_equal(out, "sound", 5);
    assert_int_equal(seal_open_up(out, 4, d, (size_t)n, k.up), -1);
    assert_int_equal(seal_open_up(out, sizeof out, d, (size_t)n, k.down), -1);
    for (int len = 0; len < n; len++)
        assert_int_equal(seal_open_up(out, sizeof out, d, (size_t)len, k.up), -1);
    for (int i = 0; i < n; i++) {
        d[i] ^= 1; /* byte 0 becomes a request's: the type is authentic too */
        assert_int_equal(seal_open_up(out, sizeof out, d, (size_t)n, k.up), -1);
        d[i] ^= 1;
    }
    assert_int_equal(seal_up(d, n - 1, WIRE_SPEECH, 7, 1, k.up, (const uint8_t *)"sound", 5), -1);
    assert_int_equal(seal_up(d, 8, WIRE_SPEECH, 7, 1, k.up, NULL, 0), -1);
}

static void downward_messages_open_under_their_key_only(void **state)
{
    struct seal_keys k = keys();
    uint8_t d[64], out[64];
    int n = seal_down(d, sizeof d, 0xfffffffe, k.down, (const uint8_t *)"token", 5);

    (void)state;
    assert_int_equal(n, 5 + 5 + 16);
    assert_hex(d, 5, "06 fffffffe");
    assert_int_equal(seal_open_down(out, sizeof out, d, (size_t)n, k.down), 5);
    assert_memory_equal(out, "token", 5);
    assert_int_equal(seal_open_down(out, sizeof out, d, (size_t)n, k.up), -1);
    assert_int_equal(seal_open_up(out, sizeof out, d, (size_t)n, k.down), -1);
    for (int len = 0; len < n; len++)
        assert_int_equal(seal_open_down(out, sizeof out, d, (size_t)len, k.down), -1);
    for (int i = 0; i < n; i++) {
        d[i] ^= 4;
        assert_int_equal(seal_open_down(out, sizeof out, d, (size_t)n, k.down), -1);
        d[i] ^= 4;
    }
    assert_int_equal(seal_down(d, n - 1, 1, k.down, (const uint8_t *)"token", 5), -1);
}

static void no_datagram_is_longer_than_the_limit(void **state)
{
    struct seal_keys k = keys();
    static uint8_t d[2 * WIRE_DATAGRAM_MAX], plain[WIRE_DATAGRAM_MAX];
    size_t most = WIRE_DATAGRAM_MAX - WIRE_UP_HEADER - WIRE_AEAD_TAG;

    (void)state;
    assert_int_equal(seal_up(d, sizeof d, WIRE_SPEECH, 7, 1, k.up, plain, most), WIRE_DATAGRAM_MAX);
    assert_int_equal(seal_up(d, sizeof d, WIRE_SPEECH, 7, 1, k.up, plain, most + 1), -1);
}

/* A datagram as one listener gets it. */
static size_t datagram(uint8_t d[WIRE_DATAGRAM_MAX], enum stream s, const struct tape_packet *p,
                       const uint8_t stream_key[SEAL_KEY_BYTES], const uint8_t tag_key[SEAL_TAG_KEY_BYTES])
{
    struct sealed sealed;

    assert_int_equal(seal_stream(&sealed, s, p, stream_key), 0);
    memcpy(d, sealed.bytes, sealed.len);
    seal_tag(d + sealed.len, &sealed, tag_key);
    return sealed.len + WIRE_STREAM_TAG;
}

static void a_stream_packet_opens_for_whoever_has_both_keys(void **state)
{
    struct seal_keys k = keys();
    struct tape_packet in = packet(), out;
    uint8_t d[WIRE_DATAGRAM_MAX], stream_key[SEAL_KEY_BYTES];
    size_t len;

    (void)state;
    seal_stream_key(stream_key, k.own, STREAM_STANDARD);
    len = datagram(d, STREAM_STANDARD, &in, stream_key, k.tag);
    assert_int_equal(len, 6 + 3 + 2 + 40 + 8);
    assert_hex(d, 6, "0a ff ffffffff");
    assert_int_equal(seal_open_stream(&out, d, len, in.epoch, in.number, stream_key, k.tag, in.position + 960), 0);
    assert_int_equal(out.number, in.number);
    assert_int_equal(out.epoch, in.epoch);
    assert_int_equal(out.position, in.position);
    assert_int_equal(out.own_strips, 0);
    assert_int_equal(out.talker_count, 2);
    assert_memory_equal(out.talkers, in.talkers, 2);
    assert_int_equal(out.opus_bytes, 40);
    assert_memory_equal(out.opus, in.opus, 40);
}

static void two_listeners_get_the_same_ciphertext_and_different_tags(void **state)
{
    struct seal_keys k = keys();
    struct tape_packet in = packet(), out;
    uint8_t a[WIRE_DATAGRAM_MAX], b[WIRE_DATAGRAM_MAX], stream_key[SEAL_KEY_BYTES] = {5};
    size_t len = datagram(a, STREAM_LOW, &in, stream_key, k.tag);

    (void)state;
    assert_int_equal(datagram(b, STREAM_LOW, &in, stream_key, k.own), len);
    assert_memory_equal(a, b, len - WIRE_STREAM_TAG);
    assert_memory_not_equal(a + len - WIRE_STREAM_TAG, b + len - WIRE_STREAM_TAG, WIRE_STREAM_TAG);
    assert_int_equal(seal_open_stream(&out, a, len, in.epoch, in.number, stream_key, k.own, 0), -1);
}

static void a_stream_packet_that_was_touched_or_cut_is_refused(void **state)
{
    struct seal_keys k = keys();
    struct tape_packet in = packet(), out;
    uint8_t d[WIRE_DATAGRAM_MAX], stream_key[SEAL_KEY_BYTES] = {5};
    size_t len = datagram(d, STREAM_LOW, &in, stream_key, k.tag);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        d[i] ^= 2;
        assert_int_equal(seal_open_stream(&out, d, len, in.epoch, in.number, stream_key, k.tag, 0), -1);
        d[i] ^= 2;
    }
    for (size_t n = 0; n < len; n++)
        assert_int_equal(seal_open_stream(&out, d, n, in.epoch, in.number, stream_key, k.tag, 0), -1);
    /* The upper bits, which the wire does not carry, are under the tag too. */
    assert_int_equal(seal_open_stream(&out, d, len, in.epoch, in.number - (UINT64_C(1) << 32), stream_key, k.tag, 0),
                     -1);
    assert_int_equal(seal_open_stream(&out, d, len, in.epoch - 0x100, in.number, stream_key, k.tag, 0), -1);
    assert_int_equal(seal_open_stream(&out, d, len, in.epoch, in.number, stream_key, k.tag, 0), 0);
}

static void ones_own_stream_belongs_to_no_epoch(void **state)
{
    struct seal_keys k = keys();
    struct tape_packet in = packet(), out;
    uint8_t d[WIRE_DATAGRAM_MAX], stream_key[SEAL_KEY_BYTES];
    size_t len;

    (void)state;
    seal_stream_key(stream_key, k.own, STREAM_OWN);
    len = datagram(d, STREAM_OWN, &in, stream_key, k.tag);
    assert_hex(d, 6, "0f 00 ffffffff");
    assert_int_equal(seal_open_stream(&out, d, len, in.epoch, in.number, stream_key, k.tag, 0), -1);
    assert_int_equal(seal_open_stream(&out, d, len, 0, in.number, stream_key, k.tag, 0), 0);
}

static void the_largest_packet_fits(void **state)
{
    struct tape_packet in = packet(), out;
    uint8_t d[WIRE_DATAGRAM_MAX], key[SEAL_KEY_BYTES] = {5};
    struct sealed sealed;
    size_t len;

    (void)state;
    in.talker_count = TAPE_TALKERS_MAX;
    in.opus_bytes = PACKET_OPUS_MAX_BYTES;
    len = datagram(d, STREAM_MUSIC, &in, key, key);
    assert_int_equal(seal_open_stream(&out, d, len, in.epoch, in.number, key, key, 0), 0);
    in.opus_bytes = 0;
    assert_int_equal(seal_stream(&sealed, STREAM_MUSIC, &in, key), -1);
}

static void a_number_is_extended_to_the_nearest_one(void **state)
{
    (void)state;
    assert_int_equal(seal_extend(0x02, 8, 0x1ff), 0x202);
    assert_int_equal(seal_extend(0xff, 8, 0x202), 0x1ff);
    assert_int_equal(seal_extend(0x80, 8, 0x200), 0x180); /* both 128 away: the lower one */
    assert_int_equal(seal_extend(0x7f, 8, 0x200), 0x27f);
    assert_int_equal(seal_extend(0xffffffff, 32, UINT64_C(0x100000000)), 0xffffffff);
    assert_int_equal(seal_extend(5, 32, UINT64_C(0x1fffffff0)), UINT64_C(0x200000005));
    assert_int_equal(seal_extend(0xfff0, 16, 3), 0xfff0);                           /* never below zero */
    assert_int_equal(seal_extend(3, 16, UINT64_MAX), UINT64_C(0xffffffffffff0003)); /* nor above the top */
    assert_int_equal(seal_extend(42, 64, 7), 42);
}

static void each_number_is_accepted_once(void **state)
{
    struct seal_replay w = {0};

    (void)state;
    assert_true(seal_replay_check(&w, 0));
    assert_true(seal_replay_check(&w, 0)); /* looking changes nothing */
    assert_true(seal_replay_accept(&w, 0));
    assert_false(seal_replay_accept(&w, 0));
    assert_true(seal_replay_accept(&w, 5));
    assert_true(seal_replay_accept(&w, 3));
    assert_false(seal_replay_check(&w, 3));
    assert_false(seal_replay_accept(&w, 5));
    assert_true(seal_replay_accept(&w, 4));
}

static void the_window_reaches_back_1024_numbers(void **state)
{
    struct seal_replay w = {0};

    (void)state;
    assert_true(seal_replay_accept(&w, 5000));
    assert_true(seal_replay_accept(&w, 5000 - 1023));
    assert_false(seal_replay_check(&w, 5000 - 1023));
    assert_false(seal_replay_check(&w, 5000 - 1024));
    assert_false(seal_replay_check(&w, 0));
}

static void a_jump_forward_forgets_what_fell_out_of_the_window(void **state)
{
    static const uint64_t jumps[] = {1, 63, 64, 65, 1023, 1024, 1025, 1087, 1088, 1089, 5000, UINT64_C(1) << 40};

    (void)state;
    for (size_t j = 0; j < sizeof jumps / sizeof jumps[0]; j++) {
        struct seal_replay w = {0};
        uint64_t top = 3000 + jumps[j];

        for (uint64_t n = 0; n <= 3000; n++)
            assert_true(seal_replay_accept(&w, n));
        assert_true(seal_replay_accept(&w, top));
        for (uint64_t n = top - 1023; n < top; n++)
            assert_int_equal(seal_replay_check(&w, n), n > 3000);
    }
}

static void the_last_number_of_all_is_never_accepted(void **state)
{
    struct seal_replay w = {0};

    (void)state;
    assert_false(seal_replay_accept(&w, UINT64_MAX));
    assert_true(seal_replay_accept(&w, UINT64_MAX - 1));
    assert_false(seal_replay_accept(&w, UINT64_MAX - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keys_of_a_session_differ_from_each_other),
        cmocka_unit_test(each_stream_of_an_epoch_has_a_key_of_its_own),
        cmocka_unit_test(upward_datagrams_open_under_their_key_only),
        cmocka_unit_test(downward_messages_open_under_their_key_only),
        cmocka_unit_test(no_datagram_is_longer_than_the_limit),
        cmocka_unit_test(a_stream_packet_opens_for_whoever_has_both_keys),
        cmocka_unit_test(two_listeners_get_the_same_ciphertext_and_different_tags),
        cmocka_unit_test(a_stream_packet_that_was_touched_or_cut_is_refused),
        cmocka_unit_test(ones_own_stream_belongs_to_no_epoch),
        cmocka_unit_test(the_largest_packet_fits),
        cmocka_unit_test(a_number_is_extended_to_the_nearest_one),
        cmocka_unit_test(each_number_is_accepted_once),
        cmocka_unit_test(the_window_reaches_back_1024_numbers),
        cmocka_unit_test(a_jump_forward_forgets_what_fell_out_of_the_window),
        cmocka_unit_test(the_last_number_of_all_is_never_accepted),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("net/seal", tests, NULL, NULL);
}
