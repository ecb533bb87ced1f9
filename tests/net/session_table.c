/* session_table.c - what datagrams do, on a virtual clock and real sockets (see net/session_table.h) */
#include "net/session_table.h"
#include "net/message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MS      1000000ull
#define SESSION 7u

static struct session_table table;
static struct udp_in_stats stats;
static struct ring *events, *inbox;
static struct waker room;
static struct seal_keys keys;
static struct tape *low, *own;
static _Atomic uint32_t parked;
static uint32_t up_counter;
static uint64_t now_ns;
static int server_fd;

struct place { /* from where a client speaks */
    int fd;
    union address at;
};
static struct place home, away;

static struct place open_place(void)
{
    struct place p = {.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    socklen_t len = sizeof p.at;

    p.at.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(p.fd, &p.at.any, sizeof p.at.v4), 0);
    assert_int_equal(getsockname(p.fd, &p.at.any, &len), 0);
    return p;
}

static void order(struct udp_order o)
{
    o.session = SESSION;
    assert_int_equal(session_table_order(&table, &o, now_ns), 0);
}

static void go_on_stage(bool heard)
{
    order((struct udp_order){.kind = UDP_STAGE,
                             .inbox = inbox,
                             .room_waker = &room,
                             .slot = 3,
                             .lease = 9,
                             .heard = heard,
                             .own_tape = own});
}

/* Seals and delivers a datagram with any plaintext. */
static void deliver(const struct place *from, enum wire_type type, uint32_t counter, const uint8_t *plain, size_t len)
{
    uint8_t datagram[WIRE_DATAGRAM_MAX];
    int n = seal_up(datagram, sizeof datagram, type, SESSION, counter, keys.up, plain, len);

    assert_true(n > 0);
    session_table_receive(&table, &from->at, datagram, (size_t)n, now_ns);
}

static void request(const struct place *from, enum wire_request kind, const void *body, size_t len)
{
    uint8_t plain[64] = {(uint8_t)kind};

    memcpy(plain + 1, body, len);
    deliver(from, WIRE_REQUEST, up_counter++, plain, kind == WIRE_KEEPALIVE ? MESSAGE_KEEPALIVE_PLAIN : 1 + len);
}

static void keep_alive(const struct place *from)
{
    request(from, WIRE_KEEPALIVE, "\1\2\3\4", 4);
}

static void speak(const struct place *from, bool voice)
{
    struct packet p = {
        .flags = voice ? PACKET_VOICE : 0, .sequence = 5, .timestamp = 960, .opus_bytes = 4, .opus = {0x78, 1, 2, 3}};
    uint8_t plain[64] = {0};
    struct wire_writer w;

    wr_init(&w, plain, sizeof plain);
    assert_true(wire_write_speech(&w, &p));
    deliver(from, WIRE_SPEECH, up_counter++, plain, (size_t)(w.at - plain));
}

/* The next sealed message at a place; its plaintext's length, or 0 when there is none. */
static size_t message(const struct place *p, uint8_t plain[64])
{
    uint8_t datagram[200];
    ssize_t n = recv(p->fd, datagram, sizeof datagram, MSG_DONTWAIT);
    int len;

    if (n < 0)
        return 0;
    len = seal_open_down(plain, 64, datagram, (size_t)n, keys.down);
    assert_true(len > 0);
    return (size_t)len;
}

static void says_nothing(const struct place *p)
{
    uint8_t plain[64] = {0};

    assert_int_equal(message(p, plain), 0);
}

/* Answers the challenge that lies at a place. */
static void answer_challenge(const struct place *p)
{
    uint8_t plain[64] = {0};

    assert_int_equal(message(p, plain), 17);
    assert_int_equal(plain[0], WIRE_CHALLENGE);
    request(p, WIRE_CHALLENGE_ANSWER, plain + 1, 16);
}

static void prove(const struct place *p)
{
    keep_alive(p);
    answer_challenge(p);
}

static bool told(enum udp_event_kind kind)
{
    struct udp_event e;

    if (!ring_pop(events, &e))
        return false;
    assert_int_equal(e.kind, kind);
    assert_int_equal(e.session, SESSION);
    return true;
}

static void a_new_session_is_challenged_and_answered_only_when_its_address_is_proven(void **state)
{
    uint8_t plain[64] = {0};

    (void)state;
    keep_alive(&home);
    answer_challenge(&home);
    assert_true(told(UDP_PATH));
    says_nothing(&home);
    keep_alive(&home);
    assert_true(message(&home, plain) > 0);
    assert_int_equal(plain[0], WIRE_KEEPALIVE_ANSWER);
    assert_int_equal(stats.paths_proven, 1);
    assert_int_equal(stats.challenges, 1);
}

static void a_keep_alive_is_answered_with_stamp_position_and_the_next_packet_of_each_stream(void **state)
{
    struct tape_packet p = {.opus_bytes = 3};
    struct wire_reader r;
    uint8_t plain[64] = {0};

    (void)state;
    prove(&home);
    order((struct udp_order){
        .kind = UDP_TUNE, .tape = low, .stream = STREAM_LOW, .room_start_ns = now_ns - 1500 * MS, .parked = &parked});
    tape_append(low, &p);
    keep_alive(&home);
    rd_init(&r, plain, message(&home, plain));
    assert_int_equal(rd_u8(&r), WIRE_KEEPALIVE_ANSWER);
    assert_int_equal(rd_u32(&r), 0x01020304);
    assert_int_equal(rd_u8(&r), 0);
    assert_int_equal(rd_u64(&r), 72000);
    assert_int_equal(rd_u8(&r), 1);
    assert_int_equal(rd_u8(&r), STREAM_LOW);
    assert_int_equal(rd_u64(&r), 11);
    assert_false(r.fail);
    assert_int_equal(r.left, 0);

    parked = 1;
    go_on_stage(true);
    keep_alive(&home);
    rd_init(&r, plain, message(&home, plain));
    assert_int_equal(plain[5], 1);
    assert_int_equal(plain[14], 2);
    assert_int_equal(plain[24], STREAM_OWN);
    assert_true(r.left <= MESSAGE_KEEPALIVE_PLAIN);
    parked = 0;
    assert_int_equal(stats.keepalives, 2);
}

static void a_short_keep_alive_gets_no_answer_longer_than_itself(void **state)
{
    uint8_t plain[MESSAGE_KEEPALIVE_PLAIN] = {WIRE_KEEPALIVE};

    (void)state;
    prove(&home);
    deliver(&home, WIRE_REQUEST, up_counter++, plain, sizeof plain - 1);
    says_nothing(&home);
    assert_int_equal(stats.drop_malformed, 1);
}

static void speech_reaches_the_inbox_with_slot_lease_and_source(void **state)
{
    struct inbox_item item;

    (void)state;
    go_on_stage(true);
    speak(&home, true);
    assert_true(ring_pop(inbox, &item));
    assert_int_equal(item.slot, 3);
    assert_int_equal(item.lease, 9);
    assert_int_equal(item.packet.source, SESSION);
    assert_int_equal(item.packet.arrived_ns, now_ns);
    assert_int_equal(item.packet.sequence, 5);
    assert_int_equal(item.packet.timestamp, 960);
    assert_int_equal(item.packet.flags, PACKET_VOICE);
    assert_int_equal(item.packet.opus_bytes, 4);
    assert_memory_equal(item.packet.opus, "\x78\1\2\3", 4);
    assert_int_equal(stats.speech, 1);
}

static void who_is_not_on_stage_or_muted_is_not_heard_and_wakes_nobody(void **state)
{
    (void)state;
    waker_prepare(&room);
    speak(&home, true);
    assert_int_equal(stats.drop_not_on_stage, 1);
    go_on_stage(false);
    speak(&home, true);
    assert_int_equal(stats.drop_muted, 1);
    order((struct udp_order){.kind = UDP_HEARD, .heard = true});
    order((struct udp_order){.kind = UDP_HEARD, .heard = false});
    speak(&home, true);
    assert_int_equal(stats.drop_muted, 2);
    order((struct udp_order){.kind = UDP_STAGE});
    speak(&home, true);
    assert_int_equal(stats.drop_not_on_stage, 2);
    assert_true(ring_is_empty(inbox));
    assert_true(waker_is_asleep(&room));
    waker_done(&room);
}

static void only_a_voice_wakes_a_parked_room_and_noise_is_dropped_while_it_sleeps(void **state)
{
    (void)state;
    go_on_stage(true);
    waker_prepare(&room);
    speak(&home, false);
    keep_alive(&home);
    assert_true(waker_is_asleep(&room));
    assert_true(ring_is_empty(inbox));
    assert_int_equal(stats.drop_silent, 1);
    speak(&home, true);
    assert_false(waker_is_asleep(&room));
    assert_int_equal(ring_count(inbox), 1);
    waker_done(&room);
    speak(&home, false);
    assert_int_equal(ring_count(inbox), 2);
}

static void a_full_inbox_loses_packets_and_counts_them(void **state)
{
    (void)state;
    go_on_stage(true);
    for (int i = 0; i < 20; i++)
        speak(&home, true);
    assert_int_equal(ring_count(inbox), 16);
    assert_int_equal(stats.drop_inbox_full, 4);
}

static void replayed_forged_truncated_and_strange_datagrams_have_no_effect(void **state)
{
    uint8_t datagram[WIRE_DATAGRAM_MAX], plain[64] = {0, 0, 5, 0, 0, 3, 0xc0, 0x78}, bad[WIRE_DATAGRAM_MAX + 1];
    uint64_t replays = 0;
    int n;

    (void)state;
    go_on_stage(true);
    n = seal_up(datagram, sizeof datagram, WIRE_SPEECH, SESSION, up_counter++, keys.up, plain, 8);
    for (int i = 0; i < n; i++) { /* every byte counts */
        memcpy(bad, datagram, (size_t)n);
        bad[i] ^= 0x10;
        session_table_receive(&table, &home.at, bad, (size_t)n, now_ns);
    }
    for (int i = 0; i < n; i++) /* and so does the length */
        session_table_receive(&table, &home.at, datagram, (size_t)i, now_ns);
    says_nothing(&home);
    assert_true(ring_is_empty(inbox));
    assert_int_equal(stats.drop_type, 1);
    assert_int_equal(stats.drop_session, 4);
    assert_true(stats.drop_short > 0 && stats.drop_forged > 0);
    session_table_receive(&table, &home.at, datagram, (size_t)n, now_ns);
    assert_int_equal(ring_count(inbox), 1);
    for (; replays < 10; replays++)
        session_table_receive(&table, &away.at, datagram, (size_t)n, now_ns);
    assert_int_equal(ring_count(inbox), 1);
    assert_int_equal(stats.drop_replayed, replays);
    says_nothing(&away);

    memset(bad, 0, sizeof bad);
    bad[0] = WIRE_SPEECH;
    bad[4] = SESSION;
    bad[8] = 200;
    session_table_receive(&table, &home.at, bad, sizeof bad, now_ns);
    deliver(&home, WIRE_SPEECH, up_counter++, plain, 7); /* no Opus in it */
    deliver(&home, WIRE_REQUEST, up_counter++, (const uint8_t *)"\177", 1);
    deliver(&home, WIRE_REQUEST, up_counter++, (const uint8_t *)"\2short", 6);
    deliver(&home, WIRE_REQUEST, up_counter++, (const uint8_t *)"\3short", 6);
    assert_int_equal(stats.drop_malformed, 5);
    assert_int_equal(ring_count(inbox), 1);
}

static void random_datagrams_are_counted_and_never_answered(void **state)
{
    uint8_t datagram[WIRE_DATAGRAM_MAX];

    (void)state;
    go_on_stage(true);
    for (int i = 0; i < 20000; i++) {
        size_t len = randombytes_uniform(200);

        randombytes_buf(datagram, len);
        if (i % 2 == 0 && len > 5) {
            datagram[0] = i % 4 == 0 ? WIRE_SPEECH : WIRE_REQUEST;
            memcpy(datagram + 1, "\0\0\0\7", 4);
        }
        session_table_receive(&table, &away.at, datagram, len, now_ns);
    }
    says_nothing(&away);
    assert_true(ring_is_empty(inbox));
    assert_true(ring_is_empty(events));
    assert_int_equal(stats.received, 20000);
    assert_int_equal(stats.drop_short + stats.drop_type + stats.drop_session + stats.drop_forged, 20000);
}

static void another_address_is_proven_before_anything_but_a_challenge_goes_there(void **state)
{
    (void)state;
    prove(&home);
    assert_true(told(UDP_PATH));
    now_ns += 1000 * MS;
    keep_alive(&away);
    speak(&away, true);
    says_nothing(&home);
    order((struct udp_order){.kind = UDP_EPOCH, .epoch = 4});
    answer_challenge(&away);
    assert_true(told(UDP_PATH));
    assert_int_equal(stats.paths_proven, 2);
}

static void an_unproven_address_is_sent_no_more_than_came_from_it_and_a_challenge_each_200_ms(void **state)
{
    uint8_t plain[64] = {0};
    unsigned challenges = 0;

    (void)state;
    for (int i = 0; i < 100; i++, now_ns += 10 * MS) {
        speak(&home, true); /* 36 bytes, and a challenge takes 38 */
        while (message(&home, plain) > 0)
            challenges++;
    }
    assert_in_range(challenges, 4, 5);
    assert_int_equal(stats.challenges, challenges);
}

static void an_epoch_key_comes_again_every_200_ms_until_it_is_acknowledged(void **state)
{
    struct udp_order o = {.kind = UDP_EPOCH, .epoch = 0x0102030405060708};
    uint8_t plain[64] = {0};
    int sent = 0;

    (void)state;
    memset(o.epoch_key, 0x5a, sizeof o.epoch_key);
    order(o);
    says_nothing(&home); /* nobody knows where to send it */
    prove(&home);
    assert_true(told(UDP_PATH));
    for (uint64_t end = now_ns + 1000 * MS; now_ns < end; now_ns += 50 * MS) {
        session_table_tend(&table, now_ns);
        while (message(&home, plain) > 0) {
            assert_int_equal(plain[0], WIRE_EPOCH_KEY);
            assert_memory_equal(plain + 1, "\1\2\3\4\5\6\7\10", 8);
            assert_int_equal(plain[9], 0x5a);
            sent++;
        }
    }
    assert_int_equal(sent, 5);
    request(&home, WIRE_EPOCH_ACK, "\1\2\3\4\5\6\7\7", 8);
    assert_false(told(UDP_EPOCH_ACK));
    request(&home, WIRE_EPOCH_ACK, "\1\2\3\4\5\6\7\10", 8);
    assert_true(told(UDP_EPOCH_ACK));
    now_ns += 1000 * MS;
    session_table_tend(&table, now_ns);
    says_nothing(&home);
    request(&home, WIRE_EPOCH_ACK, "\1\2\3\4\5\6\7\10", 8);
    assert_false(told(UDP_EPOCH_ACK));
}

static void an_epoch_key_is_given_up_after_20_s(void **state)
{
    uint8_t plain[64] = {0};
    int sent = 0;

    (void)state;
    prove(&home);
    order((struct udp_order){.kind = UDP_EPOCH, .epoch = 2});
    for (uint64_t end = now_ns + 30000 * MS; now_ns < end; now_ns += 100 * MS) {
        session_table_tend(&table, now_ns);
        while (message(&home, plain) > 0)
            sent += plain[0] == WIRE_EPOCH_KEY;
    }
    assert_int_equal(sent, 100);
}

static void reports_come_once_a_second_to_those_who_have_sent_something(void **state)
{
    static _Atomic uint64_t received = 50, lost = 2, late = 3, recovered = 1;
    static _Atomic uint32_t delay = 60, highest = 0x10007;
    struct udp_order o = {.kind = UDP_STAGE,
                          .inbox = inbox,
                          .room_waker = &room,
                          .heard = true,
                          .report = {&received, &lost, &late, &recovered, &delay, &highest}};
    struct wire_reader r;
    uint8_t plain[64] = {0};
    int reports = 0;

    (void)state;
    prove(&home);
    order(o);
    for (int i = 0; i < 500; i++, now_ns += 20 * MS) {
        if (i < 250)
            speak(&home, true);
        session_table_tend(&table, now_ns);
        if (message(&home, plain) > 0) {
            rd_init(&r, plain, 21);
            assert_int_equal(rd_u8(&r), WIRE_RECEIVER_REPORT);
            assert_int_equal(rd_u32(&r), 50);
            assert_int_equal(rd_u32(&r), 2);
            assert_int_equal(rd_u32(&r), 3);
            assert_int_equal(rd_u32(&r), 1);
            assert_int_equal(rd_u16(&r), 7);
            assert_int_equal(rd_u16(&r), 60);
            reports++;
        }
    }
    assert_in_range(reports, 5, 6);
    assert_int_equal(stats.reports, reports);
}

static void silence_is_told_after_10_s_and_its_end_at_once(void **state)
{
    (void)state;
    session_table_tend(&table, now_ns + 9900 * MS);
    assert_true(ring_is_empty(events));
    now_ns += 11000 * MS;
    session_table_tend(&table, now_ns);
    assert_true(told(UDP_SILENT));
    for (int i = 0; i < 20; i++, now_ns += 1000 * MS)
        session_table_tend(&table, now_ns);
    assert_true(ring_is_empty(events));
    keep_alive(&home);
    assert_true(told(UDP_HEARD_OF));
}

static void what_main_must_learn_waits_for_room_in_its_ring(void **state)
{
    struct udp_event filler = {.kind = UDP_DONE}, e;

    (void)state;
    while (ring_push(events, &filler, sizeof filler))
        continue;
    prove(&home);
    now_ns += 11000 * MS;
    session_table_tend(&table, now_ns);
    while (ring_pop(events, &e))
        assert_int_equal(e.kind, UDP_DONE);
    now_ns += 1000 * MS;
    session_table_tend(&table, now_ns);
    assert_true(told(UDP_PATH));
    assert_true(told(UDP_SILENT));
}

static void after_its_removal_a_session_is_a_stranger(void **state)
{
    (void)state;
    prove(&home);
    go_on_stage(true);
    order((struct udp_order){.kind = UDP_REMOVE});
    speak(&home, true);
    keep_alive(&home);
    assert_int_equal(stats.drop_session, 2);
    assert_true(ring_is_empty(inbox));
    says_nothing(&home);
    assert_true(session_table_tend(&table, now_ns) == UINT64_MAX);
}

static void with_no_session_nothing_is_ever_due(void **state)
{
    (void)state;
    assert_true(session_table_tend(&table, now_ns) <= now_ns + 1000 * MS);
    order((struct udp_order){.kind = UDP_REMOVE});
    assert_true(session_table_tend(&table, now_ns) == UINT64_MAX);
}

static int setup(void **state)
{
    struct udp_order add = {.kind = UDP_ADD, .session = SESSION};

    (void)state;
    memset(&stats, 0, sizeof stats);
    events = ring_new(16, sizeof(struct udp_event));
    inbox = ring_new(16, sizeof(struct inbox_item));
    low = tape_new(16, 1 << 12, 10);
    own = tape_new(16, 1 << 12, 500);
    waker_init(&room, -1);
    server_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    home = open_place();
    away = open_place();
    randombytes_buf(&keys, sizeof keys);
    up_counter = 0;
    now_ns = 1000000 * MS;
    if (events == NULL || inbox == NULL || low == NULL || own == NULL)
        return 1;
    session_table_init(&table, server_fd, NULL, 0, events, NULL, &stats);
    add.keys = keys;
    return session_table_order(&table, &add, now_ns);
}

static int teardown(void **state)
{
    (void)state;
    session_table_fini(&table);
    ring_free(events);
    ring_free(inbox);
    tape_free(low);
    tape_free(own);
    close(server_fd);
    close(home.fd);
    close(away.fd);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_session_is_challenged_and_answered_only_when_its_address_is_proven),
        TEST(a_keep_alive_is_answered_with_stamp_position_and_the_next_packet_of_each_stream),
        TEST(a_short_keep_alive_gets_no_answer_longer_than_itself),
        TEST(speech_reaches_the_inbox_with_slot_lease_and_source),
        TEST(who_is_not_on_stage_or_muted_is_not_heard_and_wakes_nobody),
        TEST(only_a_voice_wakes_a_parked_room_and_noise_is_dropped_while_it_sleeps),
        TEST(a_full_inbox_loses_packets_and_counts_them),
        TEST(replayed_forged_truncated_and_strange_datagrams_have_no_effect),
        TEST(random_datagrams_are_counted_and_never_answered),
        TEST(another_address_is_proven_before_anything_but_a_challenge_goes_there),
        TEST(an_unproven_address_is_sent_no_more_than_came_from_it_and_a_challenge_each_200_ms),
        TEST(an_epoch_key_comes_again_every_200_ms_until_it_is_acknowledged),
        TEST(an_epoch_key_is_given_up_after_20_s),
        TEST(reports_come_once_a_second_to_those_who_have_sent_something),
        TEST(silence_is_told_after_10_s_and_its_end_at_once),
        TEST(what_main_must_learn_waits_for_room_in_its_ring),
        TEST(after_its_removal_a_session_is_a_stranger),
        TEST(with_no_session_nothing_is_ever_due),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
