/* path.c - where media goes, on a virtual clock (see net/path.h) */
#include "net/path.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define CHALLENGE 38u
#define MS        1000000ull

static union address at(uint16_t port)
{
    union address a = {.v4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001)}};

    return a;
}

/* A path whose media goes to port 1000. */
static void prove(struct path *p, uint16_t port, uint64_t now_ns)
{
    union address a = at(port);
    uint8_t token[PATH_TOKEN_BYTES];

    assert_true(path_heard(p, &a, 67, true, CHALLENGE, now_ns));
    memcpy(token, p->token, sizeof token);
    assert_true(path_answer(p, &a, token));
    assert_true(path_is_proven(p, &a));
}

static void nothing_is_proven_at_first(void **state)
{
    struct path p;
    union address a = at(1000), nowhere = {0};

    (void)state;
    path_init(&p);
    assert_false(address_is_known(&p.proven));
    assert_false(path_is_proven(&p, &a));
    assert_false(path_is_proven(&p, &nowhere));
}

static void an_answered_challenge_proves_the_address(void **state)
{
    struct path p;

    (void)state;
    path_init(&p);
    prove(&p, 1000, 1);
    assert_false(address_is_known(&p.candidate));
    assert_true(sodium_is_zero(p.token, sizeof p.token));
}

static void a_wrong_token_or_one_from_elsewhere_proves_nothing(void **state)
{
    struct path p;
    union address a = at(1000), b = at(2000);
    uint8_t token[PATH_TOKEN_BYTES], zeros[PATH_TOKEN_BYTES] = {0};

    (void)state;
    path_init(&p);
    assert_false(path_answer(&p, &a, zeros));
    assert_true(path_heard(&p, &a, 67, true, CHALLENGE, 1));
    memcpy(token, p.token, sizeof token);
    token[15] ^= 1;
    assert_false(path_answer(&p, &a, token));
    token[15] ^= 1;
    assert_false(path_answer(&p, &b, token));
    assert_false(address_is_known(&p.proven));
    assert_true(path_answer(&p, &a, token));
    assert_false(path_answer(&p, &a, token));
}

static void media_follows_the_newest_datagram_only_after_its_address_answered(void **state)
{
    struct path p;
    union address a = at(1000), b = at(2000);
    uint8_t token[PATH_TOKEN_BYTES];

    (void)state;
    path_init(&p);
    prove(&p, 1000, 1);
    assert_true(path_heard(&p, &b, 67, true, CHALLENGE, 1000 * MS));
    assert_true(path_is_proven(&p, &a));
    memcpy(token, p.token, sizeof token);
    assert_true(path_answer(&p, &b, token));
    assert_true(path_is_proven(&p, &b));
    assert_false(path_is_proven(&p, &a));
}

static void a_straggler_from_an_old_address_moves_nothing(void **state)
{
    struct path p;
    union address old = at(1000);

    (void)state;
    path_init(&p);
    prove(&p, 1000, 1);
    prove(&p, 2000, 1000 * MS);
    assert_false(path_heard(&p, &old, 67, false, CHALLENGE, 2000 * MS));
    assert_false(address_is_known(&p.candidate));
}

static void a_copied_datagram_from_a_third_party_is_forgotten_at_the_next_one_from_the_proven_address(void **state)
{
    struct path p;
    union address a = at(1000), victim = at(2000);
    uint8_t token[PATH_TOKEN_BYTES];

    (void)state;
    path_init(&p);
    prove(&p, 1000, 1);
    assert_true(path_heard(&p, &victim, 67, true, CHALLENGE, 1000 * MS));
    memcpy(token, p.token, sizeof token);
    assert_false(path_heard(&p, &a, 67, true, CHALLENGE, 1001 * MS));
    assert_false(path_answer(&p, &victim, token));
    assert_true(path_is_proven(&p, &a));
}

static void challenges_are_200_ms_apart_whatever_the_addresses(void **state)
{
    struct path p;
    union address a = at(1000), b = at(2000);

    (void)state;
    path_init(&p);
    assert_true(path_heard(&p, &a, 500, true, CHALLENGE, 1000 * MS));
    assert_false(path_heard(&p, &a, 500, true, CHALLENGE, 1199 * MS));
    assert_false(path_heard(&p, &b, 500, true, CHALLENGE, 1199 * MS));
    assert_true(path_heard(&p, &b, 500, true, CHALLENGE, 1200 * MS));
}

static void an_unproven_address_gets_no_more_bytes_than_came_from_it(void **state)
{
    struct path p;
    union address a = at(1000), b = at(2000);
    uint64_t now_ns = 1000 * MS;
    size_t heard = 0, sent = 0;

    (void)state;
    path_init(&p);
    for (int i = 0; i < 200; i++, now_ns += 201 * MS) {
        heard += 7;
        sent += path_heard(&p, &a, 7, true, CHALLENGE, now_ns) ? CHALLENGE : 0;
        assert_true(sent <= heard);
    }
    assert_int_equal(sent, 200 * 7 / CHALLENGE * CHALLENGE);
    /* What one address has left is nothing that another may be sent. */
    assert_false(path_heard(&p, &b, 30, true, CHALLENGE, now_ns));
}

static void every_challenge_of_a_candidate_is_good_so_that_a_slow_line_can_be_proven(void **state)
{
    struct path p;
    union address a = at(1000);
    uint8_t first[PATH_TOKEN_BYTES];

    (void)state;
    path_init(&p);
    assert_true(path_heard(&p, &a, 67, true, CHALLENGE, 1000 * MS));
    memcpy(first, p.token, sizeof first);
    assert_true(path_heard(&p, &a, 67, true, CHALLENGE, 1500 * MS));
    assert_true(path_answer(&p, &a, first));
}

static void each_candidate_has_a_token_of_its_own(void **state)
{
    struct path p;
    union address a = at(1000), b = at(2000);
    uint8_t first[PATH_TOKEN_BYTES];

    (void)state;
    path_init(&p);
    assert_true(path_heard(&p, &a, 67, true, CHALLENGE, 1000 * MS));
    memcpy(first, p.token, sizeof first);
    assert_true(path_heard(&p, &b, 67, true, CHALLENGE, 1500 * MS));
    assert_false(path_answer(&p, &b, first));
}

static void addresses_differ_by_host_port_and_scope_but_not_by_flow(void **state)
{
    union address a = {.v6 = {.sin6_family = AF_INET6, .sin6_port = 1, .sin6_scope_id = 2}}, b = a;
    struct sockaddr_storage s = {.ss_family = AF_UNIX};

    (void)state;
    b.v6.sin6_flowinfo = 7;
    assert_true(address_equal(&a, &b));
    b.v6.sin6_scope_id = 3;
    assert_false(address_equal(&a, &b));
    b = a;
    b.v6.sin6_addr.s6_addr[15] = 1;
    assert_false(address_equal(&a, &b));
    b = a;
    b.v6.sin6_port = 2;
    assert_false(address_equal(&a, &b));
    assert_int_equal(address_len(&a), sizeof(struct sockaddr_in6));
    assert_false(address_set(&a, &s, sizeof s));
    assert_false(address_is_known(&a));
    s.ss_family = AF_INET6;
    assert_false(address_set(&a, &s, sizeof(struct sockaddr_in)));
    assert_true(address_set(&a, &s, sizeof(struct sockaddr_in6)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_proven_at_first),
        cmocka_unit_test(an_answered_challenge_proves_the_address),
        cmocka_unit_test(a_wrong_token_or_one_from_elsewhere_proves_nothing),
        cmocka_unit_test(media_follows_the_newest_datagram_only_after_its_address_answered),
        cmocka_unit_test(a_straggler_from_an_old_address_moves_nothing),
        cmocka_unit_test(a_copied_datagram_from_a_third_party_is_forgotten_at_the_next_one_from_the_proven_address),
        cmocka_unit_test(challenges_are_200_ms_apart_whatever_the_addresses),
        cmocka_unit_test(an_unproven_address_gets_no_more_bytes_than_came_from_it),
        cmocka_unit_test(every_challenge_of_a_candidate_is_good_so_that_a_slow_line_can_be_proven),
        cmocka_unit_test(each_candidate_has_a_token_of_its_own),
        cmocka_unit_test(addresses_differ_by_host_port_and_scope_but_not_by_flow),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
