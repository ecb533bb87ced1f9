/* A client against a server of the test's own: control_accept() on one end, datagrams made by hand on the other. */
#include "net/client.h"

#include "net/socket.h"
#include "net/wire.h"
#include "tests/net/hex.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#define LIMIT_S  20
#define SESSION  7u
#define EPOCH    0x1ffu
#define POSITION 4800000ull

static const uint8_t epoch_key[SEAL_KEY_BYTES] = {1}, next_key[SEAL_KEY_BYTES] = {2};
static const uint8_t token[16] = "a token to echo";

struct datagram {
    uint8_t bytes[WIRE_DATAGRAM_MAX];
    size_t len;
    struct sockaddr_storage from;
};

static struct event_base *base;
static bool late;

static struct {
    struct server_sockets sockets;
    struct event *accept, *alarm;
    struct identity id;
    struct control *control;
    struct seal_keys keys;
    bool ready, closed;
    char text[256];
    uint32_t counter;           /* of sealed messages */
    uint64_t expected;          /* counter of the client's next datagram */
    struct sockaddr_storage to; /* where the last came from */
} server;

static struct {
    struct client *c;
    struct identity id;
    struct link link;
    bool ready, closed, trusts, close_in_stream;
    struct err why;
    char text[256];
    unsigned packets, alive, reports;
    enum stream stream;
    struct tape_packet packet;
    uint8_t datagram[WIRE_DATAGRAM_MAX];
    size_t len;
    uint64_t position;
    bool parked;
    unsigned round_trip_ms;
    struct client_report report;
} client;

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    late = true;
}

/* One turn of the loop; a fault shows as the seconds that are granted to a whole test having passed. */
static void turn(void)
{
    assert_false(late);
    assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
}

#define RUN_UNTIL(condition)                                                                                           \
    while (!(condition))                                                                                               \
    turn()

static struct identity identity_from(uint8_t seed_byte)
{
    struct identity id;
    uint8_t seed[32];

    memset(seed, seed_byte, sizeof seed);
    crypto_sign_ed25519_seed_keypair(id.public_key, id.secret_key, seed);
    assert_int_equal(crypto_sign_ed25519_sk_to_curve25519(id.noise_private, id.secret_key), 0);
    return id;
}

static void server_ready(struct control *c, void *arg)
{
    (void)arg;
    server.ready = true;
    if (control_media_keys(c) != NULL)
        server.keys = *control_media_keys(c);
}

static void server_text(struct control *c, const char *text, size_t len, void *arg)
{
    (void)len;
    (void)arg;
    snprintf(server.text, sizeof server.text, "%s", text);
    assert_int_equal(control_send(c, "{\"ok\":true}", 11), 0);
}

static void server_closed(struct control *c, const struct err *err, void *arg)
{
    (void)c;
    (void)err;
    (void)arg;
    server.closed = true;
    server.control = NULL;
}

static const struct control_callbacks server_callbacks = {
    .ready = server_ready, .text = server_text, .closed = server_closed};

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)what;
    (void)arg;
    assert_true(got >= 0);
    server.control = control_accept(base, got, &server.id, &server_callbacks, NULL);
    assert_non_null(server.control);
}

static bool client_trust(struct client *c, const uint8_t key[32], void *arg)
{
    (void)c;
    (void)arg;
    assert_memory_equal(key, server.id.public_key, 32);
    return client.trusts;
}

static void client_ready(struct client *c, void *arg)
{
    (void)c;
    (void)arg;
    client.ready = true;
}

static void client_text(struct client *c, const char *text, size_t len, void *arg)
{
    (void)c;
    (void)len;
    (void)arg;
    snprintf(client.text, sizeof client.text, "%s", text);
}

static void client_stream(struct client *c, enum stream s, const struct tape_packet *p, const uint8_t *datagram,
                          size_t len, void *arg)
{
    (void)arg;
    client.packets++;
    client.stream = s;
    client.packet = *p;
    memcpy(client.datagram, datagram, len);
    client.len = len;
    if (client.close_in_stream)
        client_close(c);
}

static void client_alive(struct client *c, uint64_t position, bool parked, unsigned round_trip_ms, void *arg)
{
    (void)c;
    (void)arg;
    client.alive++;
    client.position = position;
    client.parked = parked;
    client.round_trip_ms = round_trip_ms;
}

static void client_report(struct client *c, const struct client_report *r, void *arg)
{
    (void)c;
    (void)arg;
    client.reports++;
    client.report = *r;
}

static void client_closed(struct client *c, const struct err *err, void *arg)
{
    (void)c;
    (void)arg;
    assert_false(client.closed);
    client.closed = true;
    client.why = *err;
    client.c = NULL;
}

static const struct client_callbacks client_callbacks = {client_trust, client_ready,  client_text,  client_stream,
                                                         client_alive, client_report, client_closed};

static int setup(void **state)
{
    struct timeval limit = {.tv_sec = LIMIT_S};
    struct err err;

    (void)state;
    memset(&server, 0, sizeof server);
    memset(&client, 0, sizeof client);
    late = false;
    base = event_base_new();
    server.id = identity_from(1);
    client.id = identity_from(2);
    if (base == NULL || socket_open_server(&server.sockets, "127.0.0.1", 0, &err) != 0)
        return -1;
    server.accept = event_new(base, server.sockets.tcp[0], EV_READ | EV_PERSIST, on_accept, NULL);
    server.alarm = evtimer_new(base, on_alarm, NULL);
    event_add(server.accept, NULL);
    event_add(server.alarm, &limit);
    snprintf(client.link.host, sizeof client.link.host, "127.0.0.1");
    client.link.port = server.sockets.port;
    client.link.has_key = true;
    memcpy(client.link.key, server.id.public_key, 32);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (client.c != NULL)
        client_close(client.c);
    if (server.control != NULL)
        control_close(server.control, false);
    while ((client.c != NULL || server.control != NULL) && !late)
        event_base_loop(base, EVLOOP_ONCE);
    event_free(server.accept);
    event_free(server.alarm);
    socket_close_server(&server.sockets);
    event_base_free(base);
    return late ? -1 : 0;
}

static void connect_client(void)
{
    struct err err;

    client.c = client_connect(base, &client.link, &client.id, &client_callbacks, NULL, &err);
    assert_non_null(client.c);
    RUN_UNTIL(client.ready || client.closed);
    if (client.closed)
        return;
    assert_int_equal(client_send(client.c, "{\"do\":\"join\"}", 13), 0);
    RUN_UNTIL(client.text[0] != '\0');
}

static void start_media(void)
{
    struct err err;

    connect_client();
    assert_int_equal(client_start_media(client.c, SESSION, POSITION, EPOCH, epoch_key, &err), 0);
}

/* The client's next datagram of this type (and, of requests, this kind); others before it are skipped. All must be
 * sealed well and carry a counter of one more than the last. Returns the plaintext's length. */
static size_t receive(enum wire_type type, uint8_t kind, uint8_t plain[WIRE_DATAGRAM_MAX])
{
    for (;;) {
        uint8_t d[WIRE_DATAGRAM_MAX];
        socklen_t from_len = sizeof server.to;
        struct wire_reader r;
        uint8_t got;
        int n;
        ssize_t len = recvfrom(server.sockets.udp, d, sizeof d, 0, (struct sockaddr *)&server.to, &from_len);

        if (len < 0) {
            struct timeval moment = {.tv_usec = 10000};

            assert_int_equal(errno, EAGAIN);
            assert_false(late);
            event_base_loopexit(base, &moment);
            event_base_dispatch(base);
            continue;
        }
        rd_init(&r, d, (size_t)len);
        got = rd_u8(&r);
        assert_int_equal(rd_u32(&r), SESSION);
        assert_int_equal(rd_u32(&r), server.expected++);
        n = seal_open_up(plain, WIRE_DATAGRAM_MAX, d, (size_t)len, server.keys.up);
        assert_true(n > 0);
        if (got == type && (type == WIRE_SPEECH || plain[0] == kind))
            return (size_t)n;
    }
}

static void send_bytes(const uint8_t *d, size_t len)
{
    assert_int_equal(sendto(server.sockets.udp, d, len, 0, (struct sockaddr *)&server.to, sizeof(struct sockaddr_in)),
                     len);
}

static void send_message(const struct wire_writer *w, const uint8_t *plain, size_t max)
{
    uint8_t d[WIRE_DATAGRAM_MAX];
    int n = seal_down(d, sizeof d, server.counter++, server.keys.down, plain, max - w->left);

    assert_true(n > 0);
    send_bytes(d, (size_t)n);
}

static void send_challenge(void)
{
    uint8_t plain[32];
    struct wire_writer w;

    wr_init(&w, plain, sizeof plain);
    wr_u8(&w, WIRE_CHALLENGE);
    wr_bytes(&w, token, sizeof token);
    send_message(&w, plain, sizeof plain);
}

static void send_epoch_key(uint64_t serial, const uint8_t key[SEAL_KEY_BYTES])
{
    uint8_t plain[64];
    struct wire_writer w;

    wr_init(&w, plain, sizeof plain);
    wr_u8(&w, WIRE_EPOCH_KEY);
    wr_u64(&w, serial);
    wr_bytes(&w, key, SEAL_KEY_BYTES);
    send_message(&w, plain, sizeof plain);
}

static void send_answer(uint32_t stamp, bool parked, uint64_t position, uint64_t next_low)
{
    uint8_t plain[64];
    struct wire_writer w;

    wr_init(&w, plain, sizeof plain);
    wr_u8(&w, WIRE_KEEPALIVE_ANSWER);
    wr_u32(&w, stamp);
    wr_u8(&w, parked ? 1 : 0);
    wr_u64(&w, position);
    wr_u8(&w, 2);
    wr_u8(&w, STREAM_LOW);
    wr_u64(&w, next_low);
    wr_u8(&w, STREAM_OWN);
    wr_u64(&w, 3);
    send_message(&w, plain, sizeof plain);
}

/* A packet of a stream as this client should get it. */
static size_t make_stream(uint8_t d[WIRE_DATAGRAM_MAX], enum stream s, uint64_t epoch, uint64_t number,
                          const uint8_t base_key[SEAL_KEY_BYTES], const uint8_t tag_key[SEAL_TAG_KEY_BYTES])
{
    struct tape_packet p = {.number = number,
                            .epoch = epoch,
                            .position = POSITION + 9600,
                            .talker_count = 1,
                            .talkers = {4},
                            .opus_bytes = 20,
                            .opus = {0x78, 1, 2, 3}};
    uint8_t key[SEAL_KEY_BYTES];
    struct sealed sealed;

    seal_stream_key(key, base_key, s);
    assert_int_equal(seal_stream(&sealed, s, &p, key), 0);
    memcpy(d, sealed.bytes, sealed.len);
    seal_tag(d + sealed.len, &sealed, tag_key);
    return sealed.len + WIRE_STREAM_TAG;
}

static void send_stream(uint64_t epoch, uint64_t number, const uint8_t key[SEAL_KEY_BYTES])
{
    uint8_t d[WIRE_DATAGRAM_MAX];

    send_bytes(d, make_stream(d, STREAM_LOW, epoch, number, key, server.keys.tag));
}

/* The server knows where to send once it has heard the first keep-alive. */
static void start_and_hear(void)
{
    uint8_t plain[WIRE_DATAGRAM_MAX];

    start_media();
    receive(WIRE_REQUEST, WIRE_KEEPALIVE, plain);
}

static void texts_go_both_ways(void **state)
{
    (void)state;
    connect_client();
    assert_string_equal(server.text, "{\"do\":\"join\"}");
    assert_string_equal(client.text, "{\"ok\":true}");
}

static void a_server_with_another_key_is_refused(void **state)
{
    (void)state;
    client.link.key[0] ^= 1;
    connect_client();
    assert_int_equal(client.why.code, ERR_WRONG_KEY);
}

static void without_a_pin_the_key_is_put_to_the_owner(void **state)
{
    (void)state;
    client.link.has_key = false;
    client.trusts = true;
    connect_client();
    assert_true(client.ready);
}

static void a_key_that_the_owner_refuses_ends_it(void **state)
{
    (void)state;
    client.link.has_key = false;
    connect_client();
    assert_false(client.ready);
    assert_int_equal(client.why.code, ERR_WRONG_KEY);
}

static void a_server_that_is_not_there_is_unreachable(void **state)
{
    struct err err;

    (void)state;
    close(server.sockets.tcp[0]);
    server.sockets.tcp_count = 0;
    assert_null(client_connect(base, &client.link, &client.id, &client_callbacks, NULL, &err));
    assert_int_equal(err.code, ERR_UNREACHABLE);
    event_del(server.accept);
}

static void keep_alives_begin_at_once_and_go_on_while_unanswered(void **state)
{
    uint8_t first[WIRE_DATAGRAM_MAX], second[WIRE_DATAGRAM_MAX];
    static const uint8_t zeros[37];

    (void)state;
    start_media();
    assert_int_equal(receive(WIRE_REQUEST, WIRE_KEEPALIVE, first), 42);
    assert_memory_equal(first + 5, zeros, sizeof zeros);
    assert_int_equal(receive(WIRE_REQUEST, WIRE_KEEPALIVE, second), 42);
    assert_memory_not_equal(first, second, 5); /* the stamp */
}

static void a_challenge_is_answered_and_a_keep_alive_follows(void **state)
{
    uint8_t plain[WIRE_DATAGRAM_MAX];
    uint64_t at;

    (void)state;
    start_and_hear();
    send_challenge();
    assert_int_equal(receive(WIRE_REQUEST, WIRE_CHALLENGE_ANSWER, plain), 1 + sizeof token);
    assert_memory_equal(plain + 1, token, sizeof token);
    at = server.expected;
    receive(WIRE_REQUEST, WIRE_KEEPALIVE, plain);
    assert_int_equal(server.expected, at + 1);
}

static void an_answered_keep_alive_tells_position_parking_and_round_trip(void **state)
{
    uint8_t plain[WIRE_DATAGRAM_MAX];
    struct wire_reader r;
    uint32_t stamp;

    (void)state;
    start_media();
    receive(WIRE_REQUEST, WIRE_KEEPALIVE, plain);
    rd_init(&r, plain + 1, 4);
    stamp = rd_u32(&r);
    send_answer(stamp, true, POSITION + 77, 0);
    RUN_UNTIL(client.alive == 1);
    assert_int_equal(client.position, POSITION + 77);
    assert_true(client.parked);
    assert_true(client.round_trip_ms < LIMIT_S * 1000);
}

static void a_sealed_message_is_taken_once(void **state)
{
    uint8_t plain[64] = {WIRE_RECEIVER_REPORT, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x12, 0x34, 0, 60};
    uint8_t d[WIRE_DATAGRAM_MAX];
    int n;

    (void)state;
    start_and_hear();
    n = seal_down(d, sizeof d, 5, server.keys.down, plain, 21);
    send_bytes(d, (size_t)n);
    send_bytes(d, (size_t)n);
    RUN_UNTIL(client_stats(client.c)->replayed == 1);
    assert_int_equal(client.reports, 1);
    assert_int_equal(client.report.received, 9);
    assert_int_equal(client.report.lost, 1);
    assert_int_equal(client.report.late, 2);
    assert_int_equal(client.report.recovered, 3);
    assert_int_equal(client.report.highest_sequence, 0x1234);
    assert_int_equal(client.report.delay_ms, 60);
}

static void messages_and_packets_of_another_session_are_ignored(void **state)
{
    struct seal_keys ours;
    uint8_t d[WIRE_DATAGRAM_MAX];
    size_t len;

    (void)state;
    start_and_hear();
    ours = server.keys;
    memset(&server.keys, 9, sizeof server.keys);
    send_challenge();
    send_answer(0, false, 0, 0);
    send_stream(EPOCH, 1, epoch_key);
    len = make_stream(d, STREAM_OWN, 0, 1, server.keys.own, server.keys.tag);
    send_bytes(d, len);
    RUN_UNTIL(client_stats(client.c)->forged == 4);
    assert_int_equal(client.alive, 0);
    assert_int_equal(client.packets, 0);
    server.keys = ours;
    send_stream(EPOCH, 1, epoch_key);
    RUN_UNTIL(client.packets == 1);
}

static void malformed_messages_are_counted_and_change_nothing(void **state)
{
    static const struct {
        size_t len;
        uint8_t bytes[40];
    } bad[] = {
        {16, {WIRE_CHALLENGE, 1, 2}},
        {40, {WIRE_EPOCH_KEY, 0, 0, 0, 0, 0, 0, 0xff, 0xff}},
        {14, {WIRE_KEEPALIVE_ANSWER}},
        {40, {WIRE_KEEPALIVE_ANSWER, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3}}, /* three streams */
        {20, {WIRE_KEEPALIVE_ANSWER, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}},
        {20, {WIRE_RECEIVER_REPORT}},
        {0, {0}},
    };
    uint8_t d[WIRE_DATAGRAM_MAX];

    (void)state;
    start_and_hear();
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int n = seal_down(d, sizeof d, server.counter++, server.keys.down, bad[i].bytes, bad[i].len);

        send_bytes(d, (size_t)n);
    }
    send_bytes((const uint8_t *)"\6\0\0\0", 4);
    send_bytes((const uint8_t *)"\x09\0\0\0\0", 5);
    send_bytes((const uint8_t *)"\x0c\0\0\0\0\0........", 14);
    send_bytes((const uint8_t *)"GET / HTTP/1.1", 14);
    send_bytes(NULL, 0);
    RUN_UNTIL(client_stats(client.c)->malformed == sizeof bad / sizeof bad[0] - 1 + 5);
    assert_int_equal(client.alive + client.reports + client.packets, 0);
    send_stream(EPOCH, 1, epoch_key);
    RUN_UNTIL(client.packets == 1);
}

static void a_stream_packet_is_handed_out_exactly_once(void **state)
{
    uint8_t d[WIRE_DATAGRAM_MAX];
    size_t len;

    (void)state;
    start_and_hear();
    len = make_stream(d, STREAM_LOW, EPOCH, 41, epoch_key, server.keys.tag);
    send_bytes(d, len);
    send_bytes(d, len);
    RUN_UNTIL(client_stats(client.c)->replayed == 1);
    assert_int_equal(client.packets, 1);
    assert_int_equal(client.stream, STREAM_LOW);
    assert_int_equal(client.packet.number, 41);
    assert_int_equal(client.packet.epoch, EPOCH);
    assert_int_equal(client.packet.position, POSITION + 9600);
    assert_int_equal(client.packet.duration_samples, 960);
    assert_int_equal(client.packet.talkers[0], 4);
    assert_int_equal(client.packet.opus_bytes, 20);
    assert_int_equal(client.len, len);
    assert_memory_equal(client.datagram, d, len);
}

static void a_packet_with_a_forged_tag_is_dropped(void **state)
{
    uint8_t d[WIRE_DATAGRAM_MAX];
    size_t len;

    (void)state;
    start_and_hear();
    len = make_stream(d, STREAM_LOW, EPOCH, 41, epoch_key, server.keys.tag);
    for (size_t i = 6; i < len; i++) { /* the ciphertext and the tag */
        d[i] ^= 1;
        send_bytes(d, len);
        d[i] ^= 1;
    }
    RUN_UNTIL(client_stats(client.c)->forged == len - 6);
    assert_int_equal(client.packets, 0);
    send_bytes(d, len);
    RUN_UNTIL(client.packets == 1);
}

static void packets_out_of_order_are_handed_out_and_counted(void **state)
{
    const struct client_stats *stats;

    (void)state;
    start_and_hear();
    send_stream(EPOCH, 10, epoch_key);
    send_stream(EPOCH, 12, epoch_key);
    send_stream(EPOCH, 11, epoch_key);
    RUN_UNTIL(client.packets == 3);
    stats = client_stats(client.c);
    assert_int_equal(stats->reordered, 1);
    assert_int_equal(stats->packets, 3);
    assert_int_equal(stats->bytes, 3 * client.len);
    assert_int_equal(stats->received[STREAM_LOW], 3);
    assert_int_equal(stats->first_number[STREAM_LOW], 10);
    assert_int_equal(stats->highest_number[STREAM_LOW], 12);
    assert_int_equal(stats->received[STREAM_STANDARD], 0);
}

static void a_number_beyond_32_bits_is_known_from_the_keep_alives_answer(void **state)
{
    const uint64_t number = UINT64_C(0x100000003);

    (void)state;
    start_and_hear();
    send_stream(EPOCH, number, epoch_key);
    RUN_UNTIL(client_stats(client.c)->forged == 1);
    send_answer(0, false, POSITION, number + 5);
    send_stream(EPOCH, number, epoch_key);
    send_stream(EPOCH, number + 2, epoch_key);
    RUN_UNTIL(client.packets == 2);
    assert_int_equal(client.packet.number, number + 2);
}

static void ones_own_stream_opens_under_ones_own_key(void **state)
{
    uint8_t d[WIRE_DATAGRAM_MAX];
    size_t len;

    (void)state;
    start_and_hear();
    len = make_stream(d, STREAM_OWN, 0, 41, server.keys.own, server.keys.tag);
    send_bytes(d, len);
    RUN_UNTIL(client.packets == 1);
    assert_int_equal(client.stream, STREAM_OWN);
    assert_int_equal(client.packet.number, 41);
    /* A window of its own: the same number of another stream is no replay. */
    send_stream(EPOCH, 41, epoch_key);
    RUN_UNTIL(client.packets == 2);
}

static void a_new_epoch_key_is_acknowledged_each_time_and_opens_its_packets(void **state)
{
    uint8_t plain[WIRE_DATAGRAM_MAX];

    (void)state;
    start_and_hear();
    send_stream(EPOCH + 1, 1, next_key);
    RUN_UNTIL(client_stats(client.c)->unkeyed == 1);
    /* All in one go: the key before serves for two seconds only. */
    send_epoch_key(EPOCH + 1, next_key);
    send_epoch_key(EPOCH + 1, next_key);
    send_stream(EPOCH, 2, epoch_key);
    send_stream(EPOCH + 1, 3, next_key);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(receive(WIRE_REQUEST, WIRE_EPOCH_ACK, plain), 9);
        assert_hex(plain + 1, 8, "00000000 00000200");
    }
    RUN_UNTIL(client.packets == 2);
    assert_int_equal(client.packet.epoch, EPOCH + 1);
}

static void an_epoch_key_by_control_is_acknowledged_and_an_old_one_ignored(void **state)
{
    uint8_t plain[WIRE_DATAGRAM_MAX];

    (void)state;
    start_and_hear();
    send_epoch_key(EPOCH, next_key);
    send_stream(EPOCH, 1, epoch_key);
    send_stream(EPOCH + 1, 2, next_key);
    client_epoch_key(client.c, EPOCH + 1, next_key);
    receive(WIRE_REQUEST, WIRE_EPOCH_ACK, plain);
    assert_hex(plain + 1, 8, "00000000 00000200");
    receive(WIRE_REQUEST, WIRE_EPOCH_ACK, plain);
    assert_hex(plain + 1, 8, "00000000 000001ff");
    RUN_UNTIL(client.packets == 2);
}

static void speech_arrives_as_it_was_given(void **state)
{
    struct packet p = {.sequence = 5, .timestamp = 960, .flags = PACKET_VOICE, .opus_bytes = 3, .opus = {8, 9, 10}};
    struct packet got;
    uint8_t plain[WIRE_DATAGRAM_MAX];
    struct wire_reader r;
    size_t len;

    (void)state;
    start_media();
    for (unsigned i = 0; i < 3; i++) {
        p.sequence++;
        assert_int_equal(client_speak(client.c, &p), 0);
        len = receive(WIRE_SPEECH, 0, plain);
        rd_init(&r, plain, len);
        assert_true(wire_read_speech(&r, &got));
        assert_int_equal(got.sequence, p.sequence);
        assert_int_equal(got.timestamp, 960);
        assert_int_equal(got.flags, PACKET_VOICE);
        assert_memory_equal(got.opus, p.opus, 3);
    }
    p.opus_bytes = 0;
    assert_int_equal(client_speak(client.c, &p), -1);
}

static void without_media_nothing_is_spoken(void **state)
{
    struct packet p = {.opus_bytes = 1};

    (void)state;
    connect_client();
    assert_int_equal(client_speak(client.c, &p), -1);
    client_epoch_key(client.c, 1, epoch_key);
}

static void media_starts_once_for_each_connection(void **state)
{
    struct err err = {0};

    (void)state;
    start_media();
    assert_int_equal(client_start_media(client.c, SESSION, 0, EPOCH, epoch_key, &err), -ERR_INTERNAL);
    assert_true(err.message[0] != '\0');
}

static void a_client_closed_amid_packets_hands_out_no_more(void **state)
{
    (void)state;
    start_and_hear();
    client.close_in_stream = true;
    for (uint64_t n = 1; n < 5; n++)
        send_stream(EPOCH, n, epoch_key);
    RUN_UNTIL(client.closed);
    assert_int_equal(client.packets, 1);
    assert_int_equal(client.why.code, ERR_NONE);
}

static void a_server_that_leaves_closes_the_client(void **state)
{
    (void)state;
    start_media();
    control_close(server.control, true);
    RUN_UNTIL(client.closed);
    assert_int_equal(client.why.code, ERR_NONE);
}

static void the_operators_socket_carries_texts_and_no_media(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char folder[] = "/tmp/salotto-client-XXXXXX";
    struct err err;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(at.sun_path, sizeof at.sun_path, "%s/control.sock", folder);
    assert_null(client_connect_local(base, at.sun_path, &client_callbacks, NULL, &err));
    assert_int_equal(err.code, ERR_UNREACHABLE);
    assert_non_null(strstr(err.message, at.sun_path));

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    client.c = client_connect_local(base, at.sun_path, &client_callbacks, NULL, &err);
    assert_non_null(client.c);
    peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    server.control = control_local(base, peer, &server_callbacks, NULL);
    RUN_UNTIL(client.ready && server.ready);
    assert_int_equal(client_send(client.c, "{}", 2), 0);
    RUN_UNTIL(client.text[0] != '\0');
    assert_string_equal(server.text, "{}");
    assert_int_equal(client_start_media(client.c, 1, 0, 1, epoch_key, &err), -ERR_INTERNAL);
    unlink(at.sun_path);
    rmdir(folder);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(texts_go_both_ways),
        TEST(a_server_with_another_key_is_refused),
        TEST(without_a_pin_the_key_is_put_to_the_owner),
        TEST(a_key_that_the_owner_refuses_ends_it),
        TEST(a_server_that_is_not_there_is_unreachable),
        TEST(keep_alives_begin_at_once_and_go_on_while_unanswered),
        TEST(a_challenge_is_answered_and_a_keep_alive_follows),
        TEST(an_answered_keep_alive_tells_position_parking_and_round_trip),
        TEST(a_sealed_message_is_taken_once),
        TEST(messages_and_packets_of_another_session_are_ignored),
        TEST(malformed_messages_are_counted_and_change_nothing),
        TEST(a_stream_packet_is_handed_out_exactly_once),
        TEST(a_packet_with_a_forged_tag_is_dropped),
        TEST(packets_out_of_order_are_handed_out_and_counted),
        TEST(a_number_beyond_32_bits_is_known_from_the_keep_alives_answer),
        TEST(ones_own_stream_opens_under_ones_own_key),
        TEST(a_new_epoch_key_is_acknowledged_each_time_and_opens_its_packets),
        TEST(an_epoch_key_by_control_is_acknowledged_and_an_old_one_ignored),
        TEST(speech_arrives_as_it_was_given),
        TEST(without_media_nothing_is_spoken),
        TEST(media_starts_once_for_each_connection),
        TEST(a_client_closed_amid_packets_hands_out_no_more),
        TEST(a_server_that_leaves_closes_the_client),
        TEST(the_operators_socket_carries_texts_and_no_media),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("net/client", tests, NULL, NULL);
}
