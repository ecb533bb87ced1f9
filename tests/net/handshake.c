/* handshake.c - hello and Noise IK, both ends in memory (see net/handshake.h) */
#include "net/handshake.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct identity server_id, client_id;

/* What each end has said; a byte of it may be changed on the way. */
struct run {
    uint8_t to_client[HANDSHAKE_OUT_MAX], to_server[HANDSHAKE_OUT_MAX], last[HANDSHAKE_OUT_MAX];
    size_t hello_len, said_len, last_len;
    struct handshake_result server, client;
};

/* Returns how far it came: 1 the client took the hello, 2 the server the client's, 3 message 1, 4 message 2. flip: the
 * number of the byte that is changed, counted over all three flights; -1: none. */
static int shake(struct run *r, int flip)
{
    struct handshake *s = handshake_new_server(&server_id, "the client"), *c;
    uint8_t none[HANDSHAKE_OUT_MAX];
    struct err err;
    size_t n;
    int step = 0;

    c = handshake_new_client(&client_id, "the server", server_id.public_key, NULL, NULL);
    memset(r, 0, sizeof *r);
    r->hello_len = handshake_begin(s, r->to_client);
    assert_int_equal(r->hello_len, HANDSHAKE_SERVER_HELLO);
    assert_int_equal(handshake_begin(c, none), 0);
    if (flip >= 0 && flip < 42)
        r->to_client[flip] ^= 1;
    if (handshake_need(c, r->to_client, 42, &err) == HANDSHAKE_SERVER_HELLO &&
        handshake_step(c, r->to_client, 42, r->to_server, &r->said_len, &r->client, &err) == 0) {
        step = 1;
        assert_int_equal(r->said_len, HANDSHAKE_OUT_MAX);
        if (flip >= 42 && flip < 42 + (int)HANDSHAKE_OUT_MAX)
            r->to_server[flip - 42] ^= 1;
        if (handshake_need(s, r->to_server, 9, &err) == HANDSHAKE_CLIENT_HELLO &&
            handshake_step(s, r->to_server, 9, none, &n, &r->server, &err) == 0) {
            step = 2;
            assert_int_equal(n, 0);
        }
        if (step == 2 && handshake_need(s, r->to_server + 9, 2, &err) == HANDSHAKE_MESSAGE_1 &&
            handshake_step(s, r->to_server + 9, HANDSHAKE_MESSAGE_1, r->last, &r->last_len, &r->server, &err) == 1)
            step = 3;
    }
    if (flip >= 42 + (int)HANDSHAKE_OUT_MAX)
        r->last[flip - 42 - (int)HANDSHAKE_OUT_MAX] ^= 1;
    if (step == 3 && handshake_need(c, r->last, 2, &err) == HANDSHAKE_MESSAGE_2 &&
        handshake_step(c, r->last, r->last_len, none, &n, &r->client, &err) == 1)
        step = 4;
    handshake_free(s);
    handshake_free(c);
    return step;
}

static void both_ends_come_to_the_same_keys(void **state)
{
    struct run r;

    (void)state;
    assert_int_equal(shake(&r, -1), 4);
    assert_memory_equal(r.server.peer_key, client_id.public_key, 32);
    assert_memory_equal(r.client.peer_key, server_id.public_key, 32);
    assert_memory_equal(r.server.send.key, r.client.receive.key, 32);
    assert_memory_equal(r.server.receive.key, r.client.send.key, 32);
    assert_memory_equal(&r.server.media, &r.client.media, sizeof r.client.media);
}

/* Of the server's hello, which is in clear, the lowest version may be changed to one that is still spoken: then the
 * prologue differs, and message 1 fails. */
static void a_changed_byte_anywhere_ends_the_handshake(void **state)
{
    struct run r;

    (void)state;
    for (int flip = 0; flip < 42 + (int)HANDSHAKE_OUT_MAX + (int)HANDSHAKE_MESSAGE_2; flip++) {
        int step = shake(&r, flip);

        assert_true(step < 4);
        if (flip == 8)
            assert_int_equal(step, 2);
    }
}

static void what_a_client_says_differs_each_time_and_holds_no_identity_in_clear(void **state)
{
    struct run a, b;

    (void)state;
    assert_int_equal(shake(&a, -1), 4);
    assert_int_equal(shake(&b, -1), 4);
    assert_memory_not_equal(a.to_server + 11, b.to_server + 11, HANDSHAKE_MESSAGE_1 - 2);
    for (size_t i = 0; i + 32 <= a.said_len; i++)
        assert_memory_not_equal(a.to_server + i, client_id.public_key, 32);
}

static void make_identity(struct identity *id, uint8_t seed_byte)
{
    uint8_t seed[crypto_sign_SEEDBYTES];

    memset(seed, seed_byte, sizeof seed);
    crypto_sign_seed_keypair(id->public_key, id->secret_key, seed);
    crypto_sign_ed25519_sk_to_curve25519(id->noise_private, id->secret_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_come_to_the_same_keys),
        cmocka_unit_test(a_changed_byte_anywhere_ends_the_handshake),
        cmocka_unit_test(what_a_client_says_differs_each_time_and_holds_no_identity_in_clear),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    if (sodium_init() < 0)
        return 1;
    make_identity(&server_id, 1);
    make_identity(&client_id, 2);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
