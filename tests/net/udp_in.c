/* udp_in.c - the thread udp-in with a real outlet behind it, and clients made by hand (see net/udp_in.h) */
#include "net/udp_in.h"
#include "net/clock.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SESSION 7u

static int server_fd;
static struct sockaddr_in server_at;
static struct outlet_udp *outlet;
static struct udp_in *udp;
static struct waker owner, room;
static struct ring *inbox;
static struct tape *low;
static uint64_t cookies;
static uint8_t epoch_key[SEAL_KEY_BYTES];

struct client {
    int fd;
    uint32_t session, counter;
    struct seal_keys keys;
};

static int open_udp(struct sockaddr_in *at)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), bytes = 1 << 20;
    socklen_t len = sizeof v4;

    assert_int_equal(bind(fd, (struct sockaddr *)&v4, sizeof v4), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&v4, &len), 0);
    if (at != NULL)
        *at = v4;
    return fd;
}

/* The next event, as main waits for it: on its waker. */
static struct udp_event next_event(void)
{
    uint64_t since_ns = clock_now_ns();
    struct udp_event e;

    while (!udp_in_event(udp, &e)) {
        uint32_t seen = waker_prepare(&owner);
        bool more = udp_in_event(udp, &e);

        if (!more)
            waker_wait(&owner, seen, 100 * CLOCK_NS_PER_MS);
        waker_done(&owner);
        if (more)
            break;
        assert_true(clock_now_ns() - since_ns < 20 * CLOCK_NS_PER_S);
    }
    return e;
}

/* Carried out, when this returns. Events of other kinds that come first are passed over. */
static void order(struct udp_order o)
{
    struct udp_event e;

    o.cookie = ++cookies;
    assert_true(udp_in_order(udp, &o));
    do {
        e = next_event();
    } while (e.kind != UDP_DONE);
    assert_int_equal(e.cookie, o.cookie);
}

static void expect(enum udp_event_kind kind)
{
    struct udp_event e = next_event();

    assert_int_equal(e.kind, kind);
    assert_int_equal(e.session, SESSION);
}

static void outlet_order(struct outlet_order o)
{
    uint64_t cookie, since_ns = clock_now_ns();

    assert_true(outlet_udp_order(outlet, &o));
    while (!outlet_udp_answer(outlet, &cookie)) {
        assert_true(clock_now_ns() - since_ns < 20 * CLOCK_NS_PER_S);
        usleep(100);
    }
}

/* A client in the room, as main adds it: to its outlet first. */
static struct client join(uint32_t session)
{
    struct client c = {.fd = open_udp(NULL), .session = session};

    randombytes_buf(&c.keys, sizeof c.keys);
    outlet_order((struct outlet_order){.kind = OUTLET_ADD,
                                       .session = session,
                                       .room = 1,
                                       .keys = c.keys,
                                       .tape = low,
                                       .stream = STREAM_LOW,
                                       .slot = -1});
    order((struct udp_order){.kind = UDP_ADD,
                             .session = session,
                             .keys = c.keys,
                             .tape = low,
                             .stream = STREAM_LOW,
                             .room_start_ns = clock_now_ns()});
    return c;
}

static void say(struct client *c, int fd, enum wire_type type, const void *plain, size_t len)
{
    uint8_t datagram[WIRE_DATAGRAM_MAX];
    int n = seal_up(datagram, sizeof datagram, type, c->session, c->counter++, c->keys.up, plain, len);

    assert_true(n > 0);
    assert_int_equal(sendto(fd, datagram, (size_t)n, 0, (struct sockaddr *)&server_at, sizeof server_at), n);
}

static void keep_alive(struct client *c, int fd)
{
    uint8_t plain[42] = {WIRE_KEEPALIVE, 0, 0, 0, 1};

    say(c, fd, WIRE_REQUEST, plain, sizeof plain);
}

static void speak(struct client *c, uint16_t sequence)
{
    struct packet p = {.flags = PACKET_VOICE, .sequence = sequence, .opus_bytes = 40, .opus = {0x78}};
    uint8_t plain[WIRE_DATAGRAM_MAX];
    struct wire_writer w;

    wr_init(&w, plain, sizeof plain);
    assert_true(wire_write_speech(&w, &p));
    say(c, c->fd, WIRE_SPEECH, plain, (size_t)(w.at - plain));
}

static size_t hear(int fd, uint8_t *datagram, size_t max)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&p, 1, 20000), 1);
    return (size_t)recv(fd, datagram, max, 0);
}

/* The next sealed message of that kind; its plaintext. */
static void hear_message(struct client *c, int fd, enum wire_message kind, uint8_t plain[64])
{
    uint8_t datagram[2000];
    size_t len = hear(fd, datagram, sizeof datagram);

    assert_int_equal(datagram[0], WIRE_MESSAGE);
    assert_true(seal_open_down(plain, 64, datagram, len, c->keys.down) > 0);
    assert_int_equal(plain[0], kind);
}

static void answer_challenge(struct client *c, int fd)
{
    uint8_t plain[64], answer[17] = {WIRE_CHALLENGE_ANSWER};

    hear_message(c, fd, WIRE_CHALLENGE, plain);
    memcpy(answer + 1, plain + 1, 16);
    say(c, fd, WIRE_REQUEST, answer, sizeof answer);
}

static void append(void)
{
    struct tape_packet p = {.epoch = 1, .opus_bytes = 30, .opus = {0x78}};

    tape_append(low, &p);
    waker_wake(outlet_udp_waker(outlet));
}

/* The number of the next stream packet at a socket. */
static unsigned hear_packet(int fd)
{
    uint8_t datagram[2000];

    hear(fd, datagram, sizeof datagram);
    assert_int_equal(datagram[0], WIRE_STREAM + STREAM_LOW);
    return datagram[5];
}

static void hears_nothing(int fd)
{
    uint8_t byte;

    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

static void media_begins_when_the_address_has_answered_a_challenge(void **state)
{
    struct client c = join(SESSION);
    uint8_t plain[64];

    (void)state;
    append();
    keep_alive(&c, c.fd);
    answer_challenge(&c, c.fd);
    expect(UDP_PATH);
    assert_int_equal(hear_packet(c.fd), 0);
    append();
    assert_int_equal(hear_packet(c.fd), 1);
    keep_alive(&c, c.fd);
    hear_message(&c, c.fd, WIRE_KEEPALIVE_ANSWER, plain);
    close(c.fd);
}

static void media_moves_to_a_new_address_only_after_a_challenge_was_answered_there(void **state)
{
    struct client c = join(SESSION);
    int elsewhere = open_udp(NULL);

    (void)state;
    keep_alive(&c, c.fd);
    answer_challenge(&c, c.fd);
    expect(UDP_PATH);
    usleep(250000); /* challenges of a session are 200 ms apart */
    keep_alive(&c, elsewhere);
    while (udp_in_stats(udp)->challenges < 2)
        usleep(100);
    append();
    assert_int_equal(hear_packet(c.fd), 0);
    answer_challenge(&c, elsewhere);
    hears_nothing(elsewhere);
    expect(UDP_PATH);
    outlet_order((struct outlet_order){.kind = OUTLET_ROOM_GONE, .room = 99}); /* it has taken the address */
    append();
    assert_int_equal(hear_packet(elsewhere), 1);
    hears_nothing(c.fd);
    close(c.fd);
    close(elsewhere);
}

static void speech_arrives_in_order_and_wakes_the_room(void **state)
{
    struct client c = join(SESSION);
    struct inbox_item item;
    uint32_t seen;

    (void)state;
    order((struct udp_order){.kind = UDP_STAGE,
                             .session = SESSION,
                             .inbox = inbox,
                             .room_waker = &room,
                             .slot = 2,
                             .lease = 5,
                             .heard = true});
    seen = waker_prepare(&room);
    for (uint16_t i = 0; i < 200; i++)
        speak(&c, i);
    assert_true(waker_wait(&room, seen, 20 * CLOCK_NS_PER_S));
    waker_done(&room);
    for (uint16_t i = 0; i < 200; i++) {
        for (uint64_t since_ns = clock_now_ns(); !ring_pop(inbox, &item); usleep(100))
            assert_true(clock_now_ns() - since_ns < 20 * CLOCK_NS_PER_S);
        assert_int_equal(item.packet.sequence, i);
        assert_int_equal(item.slot, 2);
        assert_true(clock_now_ns() - item.packet.arrived_ns < 60 * CLOCK_NS_PER_S);
    }
    close(c.fd);
}

static void after_a_removal_is_answered_nothing_of_the_session_has_effect(void **state)
{
    struct client c = join(SESSION), other = join(SESSION + 1);

    (void)state;
    order(
        (struct udp_order){.kind = UDP_STAGE, .session = SESSION, .inbox = inbox, .room_waker = &room, .heard = true});
    for (uint16_t i = 0; i < 100; i++)
        speak(&c, i);
    order((struct udp_order){.kind = UDP_REMOVE, .session = SESSION});
    ring_free(inbox); /* main's again: whoever still used it would be found out */
    inbox = ring_new(512, sizeof(struct inbox_item));
    for (uint16_t i = 0; i < 100; i++)
        speak(&c, i);
    keep_alive(&other, other.fd);
    answer_challenge(&other, other.fd);
    assert_int_equal(next_event().kind, UDP_PATH);
    assert_true(ring_is_empty(inbox));
    close(c.fd);
    close(other.fd);
}

static void garbage_on_the_port_is_counted_and_disturbs_nobody(void **state)
{
    enum { N = 4000 };
    struct client c = join(SESSION);
    uint8_t garbage[1500], plain[64];
    int fd = open_udp(NULL);
    uint64_t since_ns = clock_now_ns();

    (void)state;
    keep_alive(&c, c.fd);
    answer_challenge(&c, c.fd);
    expect(UDP_PATH);
    for (int i = 0; i < N; i++) {
        size_t len = randombytes_uniform(i % 8 == 0 ? sizeof garbage : 100);

        randombytes_buf(garbage, len);
        if (i % 2 == 0 && len > 5) {
            garbage[0] = i % 4 == 0 ? WIRE_SPEECH : WIRE_REQUEST;
            memcpy(garbage + 1, "\0\0\0\7", 4);
        }
        assert_int_equal(sendto(fd, garbage, len, 0, (struct sockaddr *)&server_at, sizeof server_at), len);
        while (i % 64 == 0 && udp_in_stats(udp)->received + 64 < (uint64_t)i) {
            assert_true(clock_now_ns() - since_ns < 20 * CLOCK_NS_PER_S);
            usleep(100); /* so that the kernel drops none */
        }
    }
    keep_alive(&c, c.fd);
    hear_message(&c, c.fd, WIRE_KEEPALIVE_ANSWER, plain);
    hears_nothing(fd);
    assert_int_equal(udp_in_stats(udp)->received, N + 3);
    assert_int_equal(udp_in_stats(udp)->drop_short + udp_in_stats(udp)->drop_type + udp_in_stats(udp)->drop_session +
                         udp_in_stats(udp)->drop_forged + udp_in_stats(udp)->drop_malformed,
                     N);
    close(fd);
    close(c.fd);
}

static void every_order_is_answered_however_many_there_are(void **state)
{
    uint64_t given = 0, answered = 0, since_ns = clock_now_ns();
    struct udp_event e;

    (void)state;
    while (answered < 20000) {
        struct udp_order o = {.kind = UDP_REMOVE, .session = 1, .cookie = given + 1};

        assert_true(clock_now_ns() - since_ns < 20 * CLOCK_NS_PER_S);
        if (given < 20000 && udp_in_order(udp, &o)) {
            given++;
        } else if (udp_in_event(udp, &e)) {
            assert_int_equal(e.kind, UDP_DONE);
            assert_int_equal(e.cookie, ++answered);
        } else {
            usleep(100);
        }
    }
}

/* How often the thread has gone to sleep (proc(5), voluntary_ctxt_switches). */
static unsigned long sleeps_of(const char *name)
{
    unsigned long n = 0;
    struct dirent *d;
    DIR *tasks = opendir("/proc/self/task");

    assert_non_null(tasks);
    while ((d = readdir(tasks)) != NULL) {
        char path[300], line[100], prefix[100];
        FILE *f;
        bool right = false;

        snprintf(path, sizeof path, "/proc/self/task/%s/status", d->d_name);
        snprintf(prefix, sizeof prefix, "Name:\t%s\n", name);
        f = fopen(path, "re");
        while (f != NULL && fgets(line, sizeof line, f) != NULL) {
            right |= strcmp(line, prefix) == 0;
            if (right)
                sscanf(line, "voluntary_ctxt_switches: %lu", &n);
        }
        if (f != NULL)
            fclose(f);
    }
    closedir(tasks);
    return n;
}

static void without_sessions_the_thread_never_wakes(void **state)
{
    unsigned long before;

    (void)state;
    order((struct udp_order){.kind = UDP_REMOVE, .session = 1});
    usleep(100000);
    before = sleeps_of("udp-in");
    assert_true(before > 0);
    sleep(3);
    assert_int_equal(sleeps_of("udp-in"), before);
}

static int setup(void **state)
{
    struct udp_in_config c = {.outlet = &outlet, .outlets = 1, .owner = &owner};
    struct outlet_order o = {.kind = OUTLET_EPOCH, .room = 1, .epoch = 1};
    struct err err;

    (void)state;
    server_fd = open_udp(&server_at);
    waker_init(&owner, -1);
    waker_init(&room, -1);
    inbox = ring_new(512, sizeof(struct inbox_item));
    low = tape_new(64, 1 << 14, 0);
    cookies = 0;
    outlet = outlet_udp_new(0, server_fd, NULL, &err);
    c.fd = server_fd;
    udp = udp_in_new(&c, &err);
    if (inbox == NULL || low == NULL || outlet == NULL || udp == NULL)
        return 1;
    randombytes_buf(epoch_key, sizeof epoch_key);
    memcpy(o.epoch_key, epoch_key, sizeof epoch_key);
    outlet_order(o);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    udp_in_free(udp);
    outlet_udp_free(outlet);
    ring_free(inbox);
    tape_free(low);
    close(server_fd);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(media_begins_when_the_address_has_answered_a_challenge),
        TEST(media_moves_to_a_new_address_only_after_a_challenge_was_answered_there),
        TEST(speech_arrives_in_order_and_wakes_the_room),
        TEST(after_a_removal_is_answered_nothing_of_the_session_has_effect),
        TEST(garbage_on_the_port_is_counted_and_disturbs_nobody),
        TEST(every_order_is_answered_however_many_there_are),
        TEST(without_sessions_the_thread_never_wakes),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
