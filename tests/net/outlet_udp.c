/* outlet_udp.c - a worker, its tapes filled by hand and its datagrams read from real sockets (see net/outlet_udp.h) */
#include "net/outlet_udp.h"
#include "net/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOM  3u
#define EPOCH 5u

static struct outlet_udp *outlet;
static int server_fd;
static struct tape *low, *standard, *own;
static uint64_t cookies, position;
static uint8_t epoch_key[SEAL_KEY_BYTES];

/* A listener's end: a socket, and the keys of the session that is sent to it. */
struct ear {
    int fd;
    struct sockaddr_storage at;
    socklen_t at_len;
    uint32_t session;
    struct seal_keys keys;
};

static int open_udp(struct sockaddr_storage *at, socklen_t *len)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), bytes = 1 << 20;

    assert_int_equal(bind(fd, (struct sockaddr *)&v4, sizeof v4), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    *len = sizeof *at;
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, len), 0);
    return fd;
}

static void wait_for_answer(uint64_t want)
{
    uint64_t since_ns = clock_now_ns(), cookie;

    while (!outlet_udp_answer(outlet, &cookie)) {
        assert_true(clock_now_ns() - since_ns < 20 * CLOCK_NS_PER_S);
        usleep(100);
    }
    assert_int_equal(cookie, want);
}

static void order(struct outlet_order o)
{
    o.cookie = ++cookies;
    assert_true(outlet_udp_order(outlet, &o));
    wait_for_answer(o.cookie);
}

static struct ear ear_new(uint32_t session)
{
    struct ear e = {.session = session};

    e.fd = open_udp(&e.at, &e.at_len);
    randombytes_buf(&e.keys, sizeof e.keys);
    return e;
}

static void add(const struct ear *e, const struct tape *tape, enum stream stream)
{
    order((struct outlet_order){.kind = OUTLET_ADD,
                                .session = e->session,
                                .room = ROOM,
                                .keys = e->keys,
                                .tape = tape,
                                .stream = stream,
                                .slot = -1});
}

static void prove(const struct ear *e)
{
    assert_true(outlet_udp_address(outlet, e->session, &e->at, e->at_len));
}

static struct ear join(uint32_t session, const struct tape *tape, enum stream stream)
{
    struct ear e = ear_new(session);

    add(&e, tape, stream);
    prove(&e);
    return e;
}

/* Its number; every packet stands for 20 ms, whatever the tape. */
static uint64_t append(struct tape *t, uint64_t epoch, uint32_t own_strips)
{
    struct tape_packet p = {.position = position, .epoch = epoch, .own_strips = own_strips, .opus_bytes = 60};

    position += 960;
    memset(p.opus, (int)(position / 960), p.opus_bytes);
    p.opus[0] = 0x78; /* one 20 ms CELT frame (RFC 6716, table 2) */
    return tape_append(t, &p);
}

static void wake(void)
{
    waker_wake(outlet_udp_waker(outlet));
}

static size_t hear(const struct ear *e, uint8_t *bytes, size_t max)
{
    struct pollfd p = {.fd = e->fd, .events = POLLIN};

    assert_int_equal(poll(&p, 1, 20000), 1);
    return (size_t)recv(e->fd, bytes, max, 0);
}

/* The number of the next packet heard, which must be authentic, of stream s and of this epoch. */
static uint64_t hear_packet(const struct ear *e, enum stream s, uint64_t epoch)
{
    uint8_t bytes[2000], key[SEAL_KEY_BYTES];
    size_t len = hear(e, bytes, sizeof bytes);
    struct tape_packet p;
    uint64_t number = (uint64_t)bytes[2] << 24 | (uint64_t)bytes[3] << 16 | (uint64_t)bytes[4] << 8 | bytes[5];

    assert_int_equal(bytes[0], WIRE_STREAM + s);
    seal_stream_key(key, s == STREAM_OWN ? e->keys.own : epoch_key, s);
    assert_int_equal(seal_open_stream(&p, bytes, len, s == STREAM_OWN ? 0 : epoch, number, key, e->keys.tag, position),
                     0);
    assert_int_equal(p.opus_bytes, 60);
    assert_int_equal(p.opus[1], (uint8_t)((p.position + 960) / 960));
    return number;
}

static void hears_nothing(const struct ear *e)
{
    uint8_t byte;

    assert_int_equal(recv(e->fd, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

/* The worker has sent all that is on the tapes when the answer to an order comes that was given after the wake. */
static void settle(void)
{
    wake();
    for (int i = 0; i < 2; i++)
        order((struct outlet_order){.kind = OUTLET_ROOM_GONE, .room = 999});
}

static void two_listeners_of_a_tier_get_the_same_bytes_and_tags_of_their_own(void **state)
{
    struct ear a = join(1, low, STREAM_LOW), b = join(2, low, STREAM_LOW);
    uint8_t one[2000], two[2000];
    size_t len;

    (void)state;
    settle();
    append(low, EPOCH, 0);
    wake();
    len = hear(&a, one, sizeof one);
    assert_int_equal(hear(&b, two, sizeof two), len);
    assert_memory_equal(one, two, len - WIRE_STREAM_TAG);
    assert_memory_not_equal(one + len - WIRE_STREAM_TAG, two + len - WIRE_STREAM_TAG, WIRE_STREAM_TAG);
    append(low, EPOCH, 0);
    wake();
    assert_int_equal(hear_packet(&a, STREAM_LOW, EPOCH), 1);
    assert_int_equal(hear_packet(&b, STREAM_LOW, EPOCH), 1);
    settle(); /* a datagram is heard before the worker has counted it */
    assert_int_equal(outlet_udp_stats(outlet)->sealed, 2);
    assert_int_equal(outlet_udp_stats(outlet)->sent, 4);
    assert_int_equal(outlet_udp_stats(outlet)->bytes, 4 * len);
    close(a.fd);
    close(b.fd);
}

static void nothing_is_sent_before_the_address_is_proven(void **state)
{
    struct ear a = ear_new(1);

    (void)state;
    add(&a, standard, STREAM_STANDARD);
    for (int i = 0; i < 3; i++)
        append(standard, EPOCH, 0);
    settle();
    hears_nothing(&a);
    prove(&a);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(hear_packet(&a, STREAM_STANDARD, EPOCH), i);
    close(a.fd);
}

static void a_joiner_first_gets_the_last_240_ms_and_nobody_else_hears_them_again(void **state)
{
    struct ear a = join(1, standard, STREAM_STANDARD), b;

    (void)state;
    settle();
    for (int i = 0; i < 30; i++)
        append(standard, EPOCH, 0);
    wake();
    for (uint64_t i = 0; i < 30; i++)
        assert_int_equal(hear_packet(&a, STREAM_STANDARD, EPOCH), i);
    b = join(2, standard, STREAM_STANDARD);
    for (uint64_t i = 17; i < 30; i++) /* twelve packets are 240 ms, then the newest */
        assert_int_equal(hear_packet(&b, STREAM_STANDARD, EPOCH), i);
    append(standard, EPOCH, 0);
    wake();
    assert_int_equal(hear_packet(&a, STREAM_STANDARD, EPOCH), 30);
    assert_int_equal(hear_packet(&b, STREAM_STANDARD, EPOCH), 30);
    close(a.fd);
    close(b.fd);
}

static void a_change_of_tier_goes_on_with_240_ms_of_the_other(void **state)
{
    struct ear a = join(1, standard, STREAM_STANDARD);

    (void)state;
    settle();
    for (int i = 0; i < 20; i++) {
        append(low, EPOCH, 0);
        position -= 960; /* both tapes are of the same time */
        append(standard, EPOCH, 0);
        wake();
        assert_int_equal(hear_packet(&a, STREAM_STANDARD, EPOCH), i);
    }
    order((struct outlet_order){.kind = OUTLET_TUNE, .session = 1, .tape = low, .stream = STREAM_LOW});
    for (uint64_t i = 7; i < 20; i++)
        assert_int_equal(hear_packet(&a, STREAM_LOW, EPOCH), i);
    append(standard, EPOCH, 0);
    append(low, EPOCH, 0);
    wake();
    assert_int_equal(hear_packet(&a, STREAM_LOW, EPOCH), 20);
    settle();
    hears_nothing(&a);
    close(a.fd);
}

static void after_a_removal_is_answered_not_one_more_datagram_arrives(void **state)
{
    struct ear a = join(1, low, STREAM_LOW), b = join(2, low, STREAM_LOW);
    uint8_t bytes[2000];

    (void)state;
    settle();
    for (int i = 0; i < 50; i++)
        append(low, EPOCH, 0);
    wake();
    order((struct outlet_order){.kind = OUTLET_REMOVE, .session = 1});
    while (recv(a.fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        continue;
    for (int i = 0; i < 50; i++)
        append(low, EPOCH, 0);
    wake();
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(hear_packet(&b, STREAM_LOW, EPOCH), i);
    hears_nothing(&a);
    prove(&a); /* a straggling proof opens nothing */
    append(low, EPOCH, 0);
    settle();
    hears_nothing(&a);
    assert_int_equal(outlet_udp_stats(outlet)->unknown_session, 1);
    close(a.fd);
    close(b.fd);
}

static void whoever_goes_leaves_the_others_in_their_places(void **state)
{
    static const uint32_t leaving[5] = {0, 4, 3, 1, 2};
    struct ear e[5];

    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        e[i] = join(i + 1, low, STREAM_LOW);
        settle();
    }
    for (uint64_t i = 0; i < 5; i++) { /* the first, then one that took its place, and so on */
        append(low, EPOCH, 0);
        wake();
        for (uint64_t k = i; k < 5; k++)
            assert_int_equal(hear_packet(&e[leaving[k]], STREAM_LOW, EPOCH), i);
        order((struct outlet_order){.kind = OUTLET_REMOVE, .session = e[leaving[i]].session});
    }
    append(low, EPOCH, 0);
    settle();
    for (uint32_t i = 0; i < 5; i++) {
        hears_nothing(&e[i]);
        close(e[i].fd);
    }
}

static void a_talker_hears_their_own_stream_instead_of_the_shared_one(void **state)
{
    struct ear talker = join(1, standard, STREAM_STANDARD), other = join(2, standard, STREAM_STANDARD);

    (void)state;
    append(own, 0, 0); /* the strip may be quicker than the order */
    order((struct outlet_order){.kind = OUTLET_STAGE, .session = 1, .slot = 4, .own_tape = own});
    assert_int_equal(hear_packet(&talker, STREAM_OWN, 0), 100);
    append(standard, EPOCH, 1u << 4 | 1u << 9);
    append(own, 0, 0);
    wake();
    assert_int_equal(hear_packet(&talker, STREAM_OWN, 0), 101);
    assert_int_equal(hear_packet(&other, STREAM_STANDARD, EPOCH), 0);
    settle();
    hears_nothing(&talker);

    /* While the two are joined, both come, the own one first. */
    append(standard, EPOCH, 0);
    append(own, 0, 0);
    wake();
    assert_int_equal(hear_packet(&talker, STREAM_OWN, 0), 102);
    assert_int_equal(hear_packet(&talker, STREAM_STANDARD, EPOCH), 1);

    /* Off the stage the own stream's end is still sent, and the bit is somebody else's. */
    append(own, 0, 0);
    order((struct outlet_order){.kind = OUTLET_STAGE, .session = 1, .slot = -1});
    assert_int_equal(hear_packet(&talker, STREAM_OWN, 0), 103);
    append(standard, EPOCH, 1u << 4);
    append(own, 0, 0);
    wake();
    assert_int_equal(hear_packet(&talker, STREAM_STANDARD, EPOCH), 2);
    settle();
    hears_nothing(&talker);
    close(talker.fd);
    close(other.fd);
}

static void a_joiners_past_leaves_out_what_they_hear_in_their_own_stream(void **state)
{
    struct ear other = join(2, standard, STREAM_STANDARD), talker = ear_new(1);

    (void)state;
    for (uint32_t i = 0; i < 6; i++)
        append(standard, EPOCH, i % 2 << 4);
    settle();
    order((struct outlet_order){.kind = OUTLET_ADD,
                                .session = 1,
                                .room = ROOM,
                                .keys = talker.keys,
                                .tape = standard,
                                .stream = STREAM_STANDARD,
                                .slot = 4,
                                .own_tape = own});
    prove(&talker);
    for (uint64_t i = 0; i < 6; i += 2)
        assert_int_equal(hear_packet(&talker, STREAM_STANDARD, EPOCH), i);
    settle();
    hears_nothing(&talker);
    close(talker.fd);
    close(other.fd);
}

static void who_falls_behind_jumps_to_the_last_240_ms_and_the_loss_is_counted(void **state)
{
    struct ear a = join(1, standard, STREAM_STANDARD), b = join(2, standard, STREAM_STANDARD);

    (void)state;
    settle();
    for (int i = 0; i < 1000; i++) /* the tape keeps 256 */
        append(standard, EPOCH, 0);
    wake();
    for (uint64_t i = 987; i < 1000; i++) {
        assert_int_equal(hear_packet(&a, STREAM_STANDARD, EPOCH), i);
        assert_int_equal(hear_packet(&b, STREAM_STANDARD, EPOCH), i);
    }
    assert_int_equal(outlet_udp_stats(outlet)->skipped, 2 * 987);
    close(a.fd);
    close(b.fd);
}

static void packets_are_sealed_under_the_epoch_they_name_and_not_sent_without_its_key(void **state)
{
    struct ear a = join(1, low, STREAM_LOW);
    struct outlet_order o = {.kind = OUTLET_EPOCH, .room = ROOM};
    uint64_t n;

    (void)state;
    settle();
    append(low, EPOCH + 1, 0);
    settle();
    hears_nothing(&a);
    assert_int_equal(outlet_udp_stats(outlet)->keyless, 1);
    memcpy(o.epoch_key, epoch_key, sizeof epoch_key);
    for (o.epoch = EPOCH + 1; o.epoch < EPOCH + 4; o.epoch++)
        order(o);
    for (uint64_t e = EPOCH; e < EPOCH + 4; e++) {
        n = append(low, e, 0);
        wake();
        assert_int_equal(hear_packet(&a, STREAM_LOW, e), n);
    }
    order(o); /* the fifth; the first is forgotten */
    append(low, EPOCH, 0);
    n = append(low, EPOCH + 4, 0);
    wake();
    assert_int_equal(hear_packet(&a, STREAM_LOW, EPOCH + 4), n);
    assert_int_equal(outlet_udp_stats(outlet)->keyless, 2);
    order((struct outlet_order){.kind = OUTLET_ROOM_GONE, .room = ROOM});
    append(low, EPOCH + 3, 0);
    settle();
    hears_nothing(&a);
    close(a.fd);
}

static void a_crowd_hears_every_packet_once_and_does_not_delay_a_small_room(void **state)
{
    enum { CROWD = 150 };
    struct ear ears[CROWD], small = ear_new(1);
    unsigned heard[CROWD + 2] = {0}, before_small = CROWD + 2;
    uint8_t bytes[2000];

    (void)state;
    add(&small, standard, STREAM_STANDARD);
    prove(&small);
    for (unsigned i = 0; i < CROWD; i++) {
        ears[i] = small; /* all at one socket, which keeps the order of sending */
        ears[i].session = i + 2;
        randombytes_buf(ears[i].keys.tag, sizeof ears[i].keys.tag);
        add(&ears[i], low, STREAM_LOW);
        prove(&ears[i]);
    }
    settle();
    append(low, EPOCH, 0);
    append(standard, EPOCH, 0);
    wake();
    for (unsigned n = 0; n <= CROWD; n++) {
        size_t len = hear(&small, bytes, sizeof bytes);
        uint8_t key[SEAL_KEY_BYTES];
        struct tape_packet p;

        if (bytes[0] == WIRE_STREAM + STREAM_STANDARD) {
            before_small = n;
            continue;
        }
        seal_stream_key(key, epoch_key, STREAM_LOW);
        for (unsigned i = 0; i < CROWD; i++)
            if (seal_open_stream(&p, bytes, len, EPOCH, 0, key, ears[i].keys.tag, position) == 0)
                heard[i]++;
    }
    for (unsigned i = 0; i < CROWD; i++)
        assert_int_equal(heard[i], 1);
    assert_in_range(before_small, 0, 64);
    settle();
    hears_nothing(&small);
    assert_int_equal(outlet_udp_stats(outlet)->sealed, 2);
    close(small.fd);
}

static void an_address_that_the_kernel_refuses_costs_nobody_else_a_packet(void **state)
{
    struct ear a = join(1, low, STREAM_LOW), bad = ear_new(2), b;

    (void)state;
    settle();
    ((struct sockaddr_in *)&bad.at)->sin_port = 0;
    add(&bad, low, STREAM_LOW);
    prove(&bad);
    settle();
    b = join(3, low, STREAM_LOW); /* behind the bad one */
    settle();
    for (uint64_t i = 0; i < 5; i++) {
        append(low, EPOCH, 0);
        wake();
        assert_int_equal(hear_packet(&a, STREAM_LOW, EPOCH), i);
        assert_int_equal(hear_packet(&b, STREAM_LOW, EPOCH), i);
    }
    settle();
    assert_int_equal(outlet_udp_stats(outlet)->refused, 5);
    assert_int_equal(outlet_udp_stats(outlet)->sent, 10);
    close(a.fd);
    close(bad.fd);
    close(b.fd);
}

static void a_new_address_of_a_session_gets_what_comes_next_and_the_old_one_nothing(void **state)
{
    struct ear a = join(1, low, STREAM_LOW), moved = ear_new(1);

    (void)state;
    settle();
    append(low, EPOCH, 0);
    wake();
    assert_int_equal(hear_packet(&a, STREAM_LOW, EPOCH), 0);
    moved.keys = a.keys;
    prove(&moved);
    settle();
    append(low, EPOCH, 0);
    wake();
    assert_int_equal(hear_packet(&moved, STREAM_LOW, EPOCH), 1);
    hears_nothing(&a);
    close(a.fd);
    close(moved.fd);
}

static void every_order_is_answered_once_and_in_order_however_many_there_are(void **state)
{
    uint64_t given = 0, answered = 0, since_ns = clock_now_ns(), cookie;

    (void)state;
    while (answered < 20000) {
        struct outlet_order o = {.kind = OUTLET_REMOVE, .session = 77, .cookie = given + 1};

        assert_true(clock_now_ns() - since_ns < 20 * CLOCK_NS_PER_S);
        if (given < 20000 && outlet_udp_order(outlet, &o))
            given++;
        else if (outlet_udp_answer(outlet, &cookie))
            assert_int_equal(cookie, ++answered);
        else
            usleep(100);
    }
    assert_false(outlet_udp_answer(outlet, &cookie));
}

static void with_nothing_to_send_the_worker_sleeps(void **state)
{
    struct ear a = join(1, low, STREAM_LOW);
    uint64_t wakes;

    (void)state;
    settle();
    usleep(50000);
    wakes = outlet_udp_stats(outlet)->wakes;
    usleep(300000);
    assert_int_equal(outlet_udp_stats(outlet)->wakes, wakes);
    close(a.fd);
}

static void what_is_on_the_tapes_at_the_end_is_still_sent(void **state)
{
    struct ear a = join(1, low, STREAM_LOW);

    (void)state;
    settle();
    for (int i = 0; i < 5; i++)
        append(low, EPOCH, 0);
    outlet_udp_free(outlet);
    outlet = NULL;
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(hear_packet(&a, STREAM_LOW, EPOCH), i);
    close(a.fd);
}

static int setup(void **state)
{
    struct outlet_order o = {.kind = OUTLET_EPOCH, .room = ROOM, .epoch = EPOCH};
    struct sockaddr_storage at;
    socklen_t len;
    struct err err;

    (void)state;
    server_fd = open_udp(&at, &len);
    low = tape_new(256, 1 << 16, 0);
    standard = tape_new(256, 1 << 16, 0);
    own = tape_new(64, 1 << 14, 100);
    cookies = position = 0;
    randombytes_buf(epoch_key, sizeof epoch_key);
    outlet = outlet_udp_new(0, server_fd, NULL, &err);
    if (outlet == NULL || low == NULL || standard == NULL || own == NULL)
        return 1;
    memcpy(o.epoch_key, epoch_key, sizeof epoch_key);
    order(o);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    outlet_udp_free(outlet);
    tape_free(low);
    tape_free(standard);
    tape_free(own);
    close(server_fd);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_listeners_of_a_tier_get_the_same_bytes_and_tags_of_their_own),
        TEST(nothing_is_sent_before_the_address_is_proven),
        TEST(a_joiner_first_gets_the_last_240_ms_and_nobody_else_hears_them_again),
        TEST(a_change_of_tier_goes_on_with_240_ms_of_the_other),
        TEST(after_a_removal_is_answered_not_one_more_datagram_arrives),
        TEST(whoever_goes_leaves_the_others_in_their_places),
        TEST(a_talker_hears_their_own_stream_instead_of_the_shared_one),
        TEST(a_joiners_past_leaves_out_what_they_hear_in_their_own_stream),
        TEST(who_falls_behind_jumps_to_the_last_240_ms_and_the_loss_is_counted),
        TEST(packets_are_sealed_under_the_epoch_they_name_and_not_sent_without_its_key),
        TEST(a_crowd_hears_every_packet_once_and_does_not_delay_a_small_room),
        TEST(an_address_that_the_kernel_refuses_costs_nobody_else_a_packet),
        TEST(a_new_address_of_a_session_gets_what_comes_next_and_the_old_one_nothing),
        TEST(every_order_is_answered_once_and_in_order_however_many_there_are),
        TEST(with_nothing_to_send_the_worker_sleeps),
        TEST(what_is_on_the_tapes_at_the_end_is_still_sent),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
