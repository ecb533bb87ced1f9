/* control.c - control connections over real loopback sockets (see net/control.h) */
#include "net/control.h"
#include "net/handshake.h"
#include "net/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* One end of a connection and what became of it. */
struct end {
    struct control *c;
    bool ready, closed, trusts, close_at_text, pause_at_text;
    unsigned texts, asked;
    size_t len;
    char *last;
    uint8_t peer_key[32];
    struct seal_keys media;
    struct err why;
};

static struct event_base *base;
static struct identity server_id, client_id;

static void make_identity(struct identity *id, uint8_t seed_byte)
{
    uint8_t seed[crypto_sign_SEEDBYTES];

    memset(seed, seed_byte, sizeof seed);
    crypto_sign_seed_keypair(id->public_key, id->secret_key, seed);
    assert_int_equal(crypto_sign_ed25519_sk_to_curve25519(id->noise_private, id->secret_key), 0);
}

static bool on_trust(struct control *c, const uint8_t key[32], void *arg)
{
    struct end *e = arg;

    (void)c;
    e->asked++;
    memcpy(e->peer_key, key, 32);
    return e->trusts;
}

static void on_ready(struct control *c, void *arg)
{
    struct end *e = arg;

    assert_false(e->ready);
    e->ready = true;
    memcpy(e->peer_key, control_peer_key(c), 32);
    if (control_media_keys(c) != NULL)
        e->media = *control_media_keys(c);
}

static void on_text(struct control *c, const char *text, size_t len, void *arg)
{
    struct end *e = arg;

    assert_true(e->ready);
    assert_false(e->closed);
    assert_int_equal(text[len], '\0');
    free(e->last);
    e->last = malloc(len + 1);
    assert_non_null(e->last);
    memcpy(e->last, text, len + 1);
    e->len = len;
    e->texts++;
    if (e->pause_at_text)
        control_pause(c, true);
    if (e->close_at_text) {
        control_close(c, false);
        assert_false(e->closed);
        assert_int_equal(control_send(c, text, len), -1);
    }
}

static void on_closed(struct control *c, const struct err *err, void *arg)
{
    struct end *e = arg;

    (void)c;
    assert_false(e->closed);
    e->closed = true;
    e->c = NULL;
    e->why = *err;
}

static const struct control_callbacks callbacks = {on_trust, on_ready, on_text, on_closed};

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    *(bool *)arg = true;
}

/* Runs the loop until *done; a fault shows as the 20 s that are granted having passed. */
static void run_until(const bool *done)
{
    struct timeval limit = {.tv_sec = 20};
    bool late = false;
    struct event *alarm = evtimer_new(base, on_alarm, &late);

    assert_non_null(alarm);
    event_add(alarm, &limit);
    while (!*done && !late)
        event_base_loop(base, EVLOOP_ONCE);
    event_free(alarm);
    assert_true(*done);
}

/* Everything that is under way between the two ends has arrived when nothing has happened for a while. */
static void run_ms(unsigned ms)
{
    struct timeval t = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    event_base_loopexit(base, &t);
    event_base_dispatch(base);
}

static int listen_tcp(struct sockaddr_in *at)
{
    socklen_t len = sizeof *at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof *at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static int connect_tcp(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(connect(fd, (const struct sockaddr *)at, sizeof *at) == 0 || errno == EINPROGRESS ||
                errno == ECONNREFUSED);
    return fd;
}

/* Two connected TCP sockets, non-blocking. */
static void tcp_pair(int *server, int *client)
{
    struct sockaddr_in at;
    int listener = listen_tcp(&at);

    *client = connect_tcp(&at);
    *server = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(*server >= 0);
    close(listener);
}

static void end_free(struct end *e)
{
    if (e->c != NULL) {
        control_close(e->c, false);
        run_until(&e->closed);
    }
    free(e->last);
}

/* A server and a client, both ready. */
static void connect_both(struct end *s, struct end *c)
{
    int sfd, cfd;

    tcp_pair(&sfd, &cfd);
    s->c = control_accept(base, sfd, &server_id, &callbacks, s);
    c->c = control_connect(base, cfd, &client_id, server_id.public_key, &callbacks, c);
    assert_non_null(s->c);
    assert_non_null(c->c);
    run_until(&c->ready);
}

static void both_ends_learn_each_others_key_and_the_same_media_keys(void **state)
{
    struct end s = {0}, c = {0};

    (void)state;
    connect_both(&s, &c);
    assert_int_equal(control_send(c.c, "hello", 5), 0);
    run_until(&s.ready);
    assert_int_equal(s.texts, 1);
    assert_string_equal(s.last, "hello");
    assert_memory_equal(c.peer_key, server_id.public_key, 32);
    assert_memory_equal(s.peer_key, client_id.public_key, 32);
    assert_memory_equal(&s.media, &c.media, sizeof s.media);
    assert_false(sodium_is_zero((uint8_t *)&s.media, sizeof s.media));
    assert_int_equal(c.asked, 0);
    assert_int_equal(strncmp(control_peer_address(s.c), "127.0.0.1:", 10), 0);
    control_forget_media_keys(s.c);
    assert_null(control_media_keys(s.c));
    end_free(&c);
    run_until(&s.closed);
    assert_int_equal(s.why.code, ERR_NONE);
    end_free(&s);
}

static void the_server_is_ready_only_when_the_first_transport_message_has_proven_the_client(void **state)
{
    struct end s = {0}, c = {0};

    (void)state;
    connect_both(&s, &c);
    run_ms(50);
    assert_false(s.ready);
    assert_int_equal(control_send(s.c, "too early", 9), -1);
    assert_int_equal(control_send(c.c, "now", 3), 0);
    run_until(&s.ready);
    assert_int_equal(control_send(s.c, "welcome", 7), 0);
    while (c.texts == 0)
        event_base_loop(base, EVLOOP_ONCE);
    assert_string_equal(c.last, "welcome");
    end_free(&c);
    end_free(&s);
}

static int tcp_option(int fd, int option)
{
    int value = 0;
    socklen_t len = sizeof value;

    assert_int_equal(getsockopt(fd, IPPROTO_TCP, option, &value, &len), 0);
    return value;
}

static void a_peer_that_vanished_is_given_up_within_15_s(void **state)
{
    struct end s = {0};
    int sfd, cfd, on = 0;
    socklen_t len = sizeof on;

    (void)state;
    tcp_pair(&sfd, &cfd);
    s.c = control_accept(base, sfd, &server_id, &callbacks, &s);
    assert_non_null(s.c);
    assert_int_equal(getsockopt(sfd, SOL_SOCKET, SO_KEEPALIVE, &on, &len), 0);
    assert_true(on);
    assert_in_range(tcp_option(sfd, TCP_KEEPIDLE) + tcp_option(sfd, TCP_KEEPINTVL) * tcp_option(sfd, TCP_KEEPCNT), 1,
                    15);
    assert_in_range(tcp_option(sfd, TCP_USER_TIMEOUT), 1, 15000);
    close(cfd);
    end_free(&s);
}

static void texts_of_every_length_arrive_whole_in_both_directions(void **state)
{
    static const size_t lengths[] = {0, 1, 100, 65000, 65517, 65518, 65519, 131036, 200000, CONTROL_TEXT_MAX};
    struct end s = {0}, c = {0};
    char *text = malloc(CONTROL_TEXT_MAX);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < CONTROL_TEXT_MAX; i++)
        text[i] = (char)('a' + i % 23);
    connect_both(&s, &c);
    assert_int_equal(control_send(c.c, text, CONTROL_REQUEST_MAX), 0);
    run_until(&s.ready);
    while (s.texts == 0)
        event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(s.len, CONTROL_REQUEST_MAX);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        assert_int_equal(control_send(s.c, text, lengths[i]), 0);
        while (c.texts <= i)
            event_base_loop(base, EVLOOP_ONCE);
        assert_int_equal(c.len, lengths[i]);
        assert_memory_equal(c.last, text, lengths[i]);
    }
    assert_int_equal(control_send(s.c, text, CONTROL_TEXT_MAX + 1), -1);
    assert_int_equal(control_send(c.c, text, CONTROL_REQUEST_MAX + 1), -1);
    assert_false(s.closed || c.closed);
    free(text);
    end_free(&c);
    end_free(&s);
}

static void a_client_without_a_pin_asks_whether_to_trust_the_key(void **state)
{
    struct end s = {0}, c = {.trusts = true};
    int sfd, cfd;

    (void)state;
    tcp_pair(&sfd, &cfd);
    s.c = control_accept(base, sfd, &server_id, &callbacks, &s);
    c.c = control_connect(base, cfd, &client_id, NULL, &callbacks, &c);
    run_until(&c.ready);
    assert_int_equal(c.asked, 1);
    assert_memory_equal(c.peer_key, server_id.public_key, 32);
    end_free(&c);
    end_free(&s);

    s = (struct end){0};
    c = (struct end){.trusts = false};
    tcp_pair(&sfd, &cfd);
    s.c = control_accept(base, sfd, &server_id, &callbacks, &s);
    c.c = control_connect(base, cfd, &client_id, NULL, &callbacks, &c);
    run_until(&c.closed);
    assert_int_equal(c.why.code, ERR_WRONG_KEY);
    end_free(&c);
    end_free(&s);
}

static void a_server_with_another_key_is_told_nothing_and_both_fingerprints_are_named(void **state)
{
    struct identity other;
    struct end c = {0};
    char seen[IDENTITY_FINGERPRINT_BYTES], pinned[IDENTITY_FINGERPRINT_BYTES];
    uint8_t hello[HANDSHAKE_OUT_MAX], byte;
    struct handshake *h = handshake_new_server(&server_id, "test");
    int sfd, cfd;

    (void)state;
    make_identity(&other, 9);
    tcp_pair(&sfd, &cfd);
    assert_int_equal(write(sfd, hello, handshake_begin(h, hello)), HANDSHAKE_SERVER_HELLO);
    c.c = control_connect(base, cfd, &client_id, other.public_key, &callbacks, &c);
    run_until(&c.closed);
    assert_int_equal(read(sfd, &byte, 1), 0);
    assert_int_equal(c.why.code, ERR_WRONG_KEY);
    identity_fingerprint(seen, server_id.public_key);
    identity_fingerprint(pinned, other.public_key);
    assert_non_null(strstr(c.why.message, seen));
    assert_non_null(strstr(c.why.message, pinned));
    assert_true(c.why.mend[0] != '\0');
    handshake_free(h);
    close(sfd);
    end_free(&c);
}

static void what_is_no_salotto_server_is_recognised_by_its_first_bytes(void **state)
{
    struct end c = {0};
    int sfd, cfd;

    (void)state;
    tcp_pair(&sfd, &cfd);
    assert_int_equal(write(sfd, "SSH-2.0-x\r\n", 11), 11);
    c.c = control_connect(base, cfd, &client_id, server_id.public_key, &callbacks, &c);
    run_until(&c.closed);
    assert_int_equal(c.why.code, ERR_UNREACHABLE);
    assert_non_null(strstr(c.why.message, "is not a Salotto server"));
    assert_non_null(strstr(c.why.message, "127.0.0.1:"));
    close(sfd);
    end_free(&c);
}

static void a_server_of_another_protocol_version_is_refused_with_both_versions(void **state)
{
    uint8_t hello[42] = "SALOTTO";
    struct end c = {0};
    int sfd, cfd;

    (void)state;
    hello[8] = 2;
    hello[9] = 3;
    tcp_pair(&sfd, &cfd);
    assert_int_equal(write(sfd, hello, sizeof hello), sizeof hello);
    c.c = control_connect(base, cfd, &client_id, server_id.public_key, &callbacks, &c);
    run_until(&c.closed);
    assert_int_equal(c.why.code, ERR_UNREACHABLE);
    assert_non_null(strstr(c.why.message, "versions 2 to 3"));
    close(sfd);
    end_free(&c);
}

static void a_refused_connection_names_the_address_and_the_mend(void **state)
{
    struct sockaddr_in at;
    struct end c = {0};
    char port[24];

    (void)state;
    close(listen_tcp(&at));
    snprintf(port, sizeof port, "127.0.0.1:%u", ntohs(at.sin_port));
    c.c = control_connect(base, connect_tcp(&at), &client_id, server_id.public_key, &callbacks, &c);
    assert_non_null(c.c);
    run_until(&c.closed);
    assert_int_equal(c.why.code, ERR_UNREACHABLE);
    assert_non_null(strstr(c.why.message, port));
    assert_true(c.why.mend[0] != '\0');
    end_free(&c);
}

static void a_peer_that_does_not_finish_the_handshake_is_closed(void **state)
{
    struct end s = {0}, half = {0};
    int sfd, cfd, sfd2, cfd2;

    (void)state;
    control_handshake_ms = 100;
    tcp_pair(&sfd, &cfd);
    tcp_pair(&sfd2, &cfd2);
    s.c = control_accept(base, sfd, &server_id, &callbacks, &s);
    half.c = control_accept(base, sfd2, &server_id, &callbacks, &half);
    assert_int_equal(write(cfd2, "salotto\0\1", 9), 9);
    run_until(&s.closed);
    run_until(&half.closed);
    control_handshake_ms = 10000;
    assert_int_equal(s.why.code, ERR_UNREACHABLE);
    assert_int_equal(half.why.code, ERR_UNREACHABLE);
    assert_false(s.ready || half.ready);
    close(cfd);
    close(cfd2);
}

static void a_client_that_claims_someone_elses_key_is_refused(void **state)
{
    struct identity liar = client_id;
    struct end s = {0}, c = {0};
    int sfd, cfd;

    (void)state;
    memcpy(liar.public_key, server_id.public_key, sizeof liar.public_key);
    tcp_pair(&sfd, &cfd);
    s.c = control_accept(base, sfd, &server_id, &callbacks, &s);
    c.c = control_connect(base, cfd, &liar, server_id.public_key, &callbacks, &c);
    run_until(&s.closed);
    assert_int_equal(s.why.code, ERR_DENIED);
    run_until(&c.closed);
    assert_false(s.ready || c.ready);
}

static void replayed_handshakes_open_nothing(void **state)
{
    struct end s = {0}, again = {0}, c = {0};
    uint8_t said[HANDSHAKE_OUT_MAX], buf[256];
    int client_side, relay_c, server_side, relay_s;
    ssize_t n;

    (void)state;
    tcp_pair(&relay_c, &client_side);
    tcp_pair(&server_side, &relay_s);
    s.c = control_accept(base, server_side, &server_id, &callbacks, &s);
    c.c = control_connect(base, client_side, &client_id, server_id.public_key, &callbacks, &c);
    run_ms(20);
    n = read(relay_s, buf, sizeof buf);
    assert_int_equal(n, HANDSHAKE_SERVER_HELLO);
    assert_int_equal(write(relay_c, buf, (size_t)n), n);
    run_ms(20);
    assert_int_equal(read(relay_c, said, sizeof said), HANDSHAKE_OUT_MAX);
    end_free(&c);
    end_free(&s);
    close(relay_c);
    close(relay_s);

    tcp_pair(&server_side, &relay_s);
    again.c = control_accept(base, server_side, &server_id, &callbacks, &again);
    assert_int_equal(write(relay_s, said, sizeof said), sizeof said);
    run_ms(20);
    assert_int_equal(read(relay_s, buf, sizeof buf), HANDSHAKE_SERVER_HELLO + HANDSHAKE_MESSAGE_2);
    assert_int_equal(write(relay_s, "\0\24garbage of 20 bytes", 22), 22);
    run_until(&again.closed);
    assert_false(again.ready);
    close(relay_s);
}

static void garbage_of_any_kind_ends_only_its_own_connection(void **state)
{
    uint8_t garbage[400];

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        struct end s = {0};
        int sfd, cfd;

        tcp_pair(&sfd, &cfd);
        s.c = control_accept(base, sfd, &server_id, &callbacks, &s);
        randombytes_buf(garbage, sizeof garbage);
        if (i % 3 != 0)
            memcpy(garbage, "salotto\0\1", 9);
        if (i % 3 == 2)
            memcpy(garbage + 9, "\0\200", 2);
        assert_int_equal(write(cfd, garbage, sizeof garbage), sizeof garbage);
        run_until(&s.closed);
        assert_false(s.ready);
        close(cfd);
    }
}

static void frames_may_arrive_a_byte_at_a_time_and_many_at_once(void **state)
{
    static const char two[] = "\0\6\2abcde\0\4\1fgh\0\3\1ij\0\2\177?\0\1\1";
    struct end s = {0};
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    s.c = control_local(base, pair[0], &callbacks, &s);
    run_until(&s.ready);
    assert_string_equal(control_peer_address(s.c), "local");
    assert_null(control_media_keys(s.c));
    for (size_t i = 0; i < sizeof two - 1; i++) {
        assert_int_equal(write(pair[1], two + i, 1), 1);
        event_base_loop(base, EVLOOP_NONBLOCK);
        if (i == 13) /* the parts make one text */
            assert_string_equal(s.last, "abcdefgh");
    }
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(s.texts, 3);
    assert_string_equal(s.last, "");
    assert_int_equal(write(pair[1], two, sizeof two - 1), sizeof two - 1);
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(s.texts, 6);
    assert_int_equal(write(pair[1], "\0\0", 2), 2);
    run_until(&s.closed);
    assert_int_equal(s.why.code, ERR_UNREACHABLE);
    close(pair[1]);
    end_free(&s);
}

/* A client by hand: shakes hands over fd and can then say what control_send() would refuse. */
static struct noise_cipher shake_hands(int fd)
{
    struct handshake *h = handshake_new_client(&client_id, "test", server_id.public_key, NULL, NULL);
    uint8_t in[HANDSHAKE_SERVER_HELLO + HANDSHAKE_MESSAGE_2], out[HANDSHAKE_OUT_MAX];
    struct handshake_result result;
    size_t out_len;

    assert_non_null(h);
    run_ms(20);
    assert_int_equal(read(fd, in, HANDSHAKE_SERVER_HELLO), HANDSHAKE_SERVER_HELLO);
    assert_int_equal(handshake_step(h, in, HANDSHAKE_SERVER_HELLO, out, &out_len, &result, NULL), 0);
    assert_int_equal(write(fd, out, out_len), out_len);
    run_ms(20);
    assert_int_equal(read(fd, in, HANDSHAKE_MESSAGE_2), HANDSHAKE_MESSAGE_2);
    assert_int_equal(handshake_step(h, in, HANDSHAKE_MESSAGE_2, out, &out_len, &result, NULL), 1);
    handshake_free(h);
    return result.send;
}

static void say(int fd, struct noise_cipher *cipher, uint8_t kind, size_t len)
{
    static uint8_t frame[2 + NOISE_MESSAGE_MAX];
    int n;

    memset(frame + 2, 'x', 1 + len);
    frame[2] = kind;
    n = noise_encrypt(cipher, frame + 2, 1 + len, frame + 2, sizeof frame - 2);
    assert_true(n > 0);
    frame[0] = (uint8_t)(n >> 8);
    frame[1] = (uint8_t)n;
    assert_int_equal(write(fd, frame, 2 + (size_t)n), 2 + n);
    run_ms(20);
}

static void a_request_over_65000_bytes_ends_the_connection_however_it_is_cut(void **state)
{
    static const size_t cut[][3] = {{0, 0, 65001}, {65000, 1, 0}, {30000, 30000, 5001}};

    (void)state;
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        struct end s = {0};
        struct noise_cipher cipher;
        int sfd, cfd;

        tcp_pair(&sfd, &cfd);
        s.c = control_accept(base, sfd, &server_id, &callbacks, &s);
        cipher = shake_hands(cfd);
        say(cfd, &cipher, WIRE_FRAME_JSON_PART, 40000);
        say(cfd, &cipher, WIRE_FRAME_JSON, 25000);
        assert_int_equal(s.len, 65000);
        for (size_t k = 0; k < 2; k++)
            if (cut[i][k] > 0)
                say(cfd, &cipher, WIRE_FRAME_JSON_PART, cut[i][k]);
        say(cfd, &cipher, WIRE_FRAME_JSON, cut[i][2]);
        run_until(&s.closed);
        assert_int_equal(s.texts, 1);
        assert_non_null(strstr(s.why.message, "more than 65000 bytes"));
        close(cfd);
        end_free(&s);
    }
}

static void a_peer_that_lets_4_mib_wait_unread_is_closed(void **state)
{
    char *text = calloc(1, 1u << 20);
    struct end s = {0}, c = {0};
    unsigned taken = 0;

    (void)state;
    assert_non_null(text);
    connect_both(&s, &c);
    assert_int_equal(control_send(c.c, "x", 1), 0);
    run_until(&s.ready);
    control_pause(c.c, true);
    while (control_send(s.c, text, 1u << 20) == 0 && taken < 100) {
        event_base_loop(base, EVLOOP_NONBLOCK);
        taken++;
    }
    assert_in_range(taken, 4, 30); /* 4 MiB here, and what the kernel's buffers hold */
    run_until(&s.closed);
    assert_int_equal(s.why.code, ERR_DENIED);
    assert_non_null(strstr(s.why.message, "too slowly"));
    free(text);
    end_free(&c);
    end_free(&s);
}

static void a_paused_connection_delivers_nothing_and_loses_nothing(void **state)
{
    struct end s = {.pause_at_text = true}, c = {0};
    char text[16];

    (void)state;
    connect_both(&s, &c);
    for (int i = 0; i < 100; i++)
        assert_int_equal(control_send(c.c, text, (size_t)snprintf(text, sizeof text, "%d", i)), 0);
    run_until(&s.ready);
    for (unsigned i = 0; i < 100; i++) {
        for (unsigned k = 0; k < 10; k++)
            event_base_loop(base, EVLOOP_NONBLOCK);
        assert_int_equal(s.texts, i + 1);
        assert_int_equal(atoi(s.last), i);
        control_pause(s.c, false);
    }
    end_free(&c);
    run_until(&s.closed);
    end_free(&s);
}

static void the_last_words_arrive_although_the_peer_was_still_talking(void **state)
{
    char *text = calloc(1, 1u << 20);
    struct end s = {0}, c = {0};

    (void)state;
    assert_non_null(text);
    connect_both(&s, &c);
    assert_int_equal(control_send(c.c, "x", 1), 0);
    run_until(&s.ready);
    for (int i = 0; i < 50; i++)
        assert_int_equal(control_send(c.c, "still talking", 13), 0);
    assert_int_equal(control_send(s.c, text, 1u << 20), 0);
    control_close(s.c, true);
    assert_false(s.closed);
    run_until(&c.closed);
    assert_int_equal(c.why.code, ERR_NONE);
    assert_int_equal(c.texts, 1);
    assert_int_equal(c.len, 1u << 20);
    run_until(&s.closed);
    assert_int_equal(s.why.code, ERR_NONE);
    assert_int_equal(s.texts, 1);
    free(text);
    end_free(&c);
    end_free(&s);
}

static void a_flushing_close_ends_after_two_seconds_although_the_peer_stays(void **state)
{
    struct end s = {0};
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    s.c = control_local(base, pair[0], &callbacks, &s);
    run_until(&s.ready);
    control_close(s.c, true);
    run_until(&s.closed);
    assert_int_equal(s.why.code, ERR_NONE);
    close(pair[1]);
}

static void closing_inside_a_callback_is_safe_and_is_called_back_later(void **state)
{
    struct end s = {.close_at_text = true}, c = {0};

    (void)state;
    connect_both(&s, &c);
    for (int i = 0; i < 5; i++)
        assert_int_equal(control_send(c.c, "x", 1), 0);
    run_until(&s.closed);
    assert_int_equal(s.texts, 1);
    assert_int_equal(s.why.code, ERR_NONE);
    run_until(&c.closed);
    end_free(&s);
    end_free(&c);
}

static void a_peer_that_shuts_its_half_is_gone(void **state)
{
    struct end s = {0};
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    s.c = control_local(base, pair[0], &callbacks, &s);
    assert_int_equal(write(pair[1], "\0\3\1hi", 5), 5);
    assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
    run_until(&s.closed);
    assert_int_equal(s.why.code, ERR_NONE);
    assert_string_equal(s.last, "hi");
    close(pair[1]);
    end_free(&s);
}

static void writing_to_a_peer_that_left_still_reads_what_it_had_said(void **state)
{
    struct end s = {0};
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    s.c = control_local(base, pair[0], &callbacks, &s);
    run_until(&s.ready);
    assert_int_equal(write(pair[1], "\0\3\1hi", 5), 5);
    close(pair[1]);
    assert_int_equal(control_send(s.c, "anyone?", 7), -1);
    assert_int_equal(s.texts, 0);
    run_until(&s.closed);
    assert_string_equal(s.last, "hi");
    end_free(&s);
}

static void a_peer_that_left_during_a_pause_is_heard_to_the_end(void **state)
{
    struct end s = {.pause_at_text = true};
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    s.c = control_local(base, pair[0], &callbacks, &s);
    assert_int_equal(write(pair[1], "\0\2\1a", 4), 4);
    while (s.texts == 0)
        event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(write(pair[1], "\0\2\1b", 4), 4);
    close(pair[1]);
    assert_int_equal(control_send(s.c, "anyone?", 7), -1);
    run_ms(20);
    assert_int_equal(s.texts, 1);
    assert_false(s.closed);
    for (unsigned i = 0; i < 3 && !s.closed; i++) {
        control_pause(s.c, false);
        run_ms(20);
    }
    assert_true(s.closed);
    assert_string_equal(s.last, "b");
    end_free(&s);
}

static void a_text_that_ends_where_the_next_frame_begins_leaves_it_whole(void **state)
{
    uint8_t frames[4 + 2 + 601] = {0, 2, WIRE_FRAME_JSON, 'a', 601 >> 8, 601 & 0xff, WIRE_FRAME_JSON};
    struct end s = {0};
    int pair[2];

    (void)state;
    memset(frames + 7, 'x', sizeof frames - 7);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    s.c = control_local(base, pair[0], &callbacks, &s);
    assert_int_equal(write(pair[1], frames, sizeof frames), sizeof frames);
    run_ms(20);
    assert_int_equal(s.texts, 2);
    assert_int_equal(s.len, 600);
    close(pair[1]);
    end_free(&s);
}

static int text_file(const char *text)
{
    char path[] = "/tmp/salotto-control-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void a_file_comes_with_its_text_however_much_waits_before_it(void **state)
{
    struct end s = {0}, c = {0};
    size_t len = 1u << 20;
    char *text = malloc(len), read_back[16] = "";
    int pair[2], fd;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', len);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    s.c = control_local(base, pair[0], &callbacks, &s);
    c.c = control_local(base, pair[1], &callbacks, &c);
    control_take_files(c.c);
    run_until(&s.ready);
    assert_int_equal(control_send(s.c, text, len), 0); /* more than the socket takes */
    assert_int_equal(control_send_file(s.c, "here", 4, text_file("the bytes")), 0);
    assert_int_equal(control_send_file(s.c, "too soon", 8, text_file("")), -1);
    while (c.texts < 2)
        event_base_loop(base, EVLOOP_ONCE);
    assert_string_equal(c.last, "here");
    fd = control_file(c.c);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, read_back, sizeof read_back - 1), 9);
    assert_string_equal(read_back, "the bytes");
    assert_int_equal(control_file(c.c), -1);
    close(fd);
    control_close(c.c, false);
    run_until(&s.closed);
    run_until(&c.closed);
    free(text);
    end_free(&s);
    end_free(&c);
}

static void nobody_is_given_a_file_who_did_not_say_that_they_take_it(void **state)
{
    struct end s = {0}, c = {0}, far = {0}, near = {0};
    int pair[2];

    (void)state;
    connect_both(&far, &near);
    assert_int_equal(control_send_file(far.c, "x", 1, text_file("")), -1);
    control_close(near.c, false);
    run_until(&far.closed);
    run_until(&near.closed);

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    s.c = control_local(base, pair[0], &callbacks, &s);
    c.c = control_local(base, pair[1], &callbacks, &c);
    run_until(&s.ready);
    assert_int_equal(control_send_file(s.c, "x", 1, text_file("")), 0);
    while (c.texts == 0)
        event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(control_file(c.c), -1);
    control_close(c.c, false);
    run_until(&s.closed);
    run_until(&c.closed);
    end_free(&s);
    end_free(&c);
}

static int setup(void **state)
{
    (void)state;
    make_identity(&server_id, 1);
    make_identity(&client_id, 2);
    base = event_base_new();
    return base == NULL;
}

static int teardown(void **state)
{
    (void)state;
    event_base_free(base);
    libevent_global_shutdown();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_learn_each_others_key_and_the_same_media_keys),
        cmocka_unit_test(a_peer_that_vanished_is_given_up_within_15_s),
        cmocka_unit_test(the_server_is_ready_only_when_the_first_transport_message_has_proven_the_client),
        cmocka_unit_test(texts_of_every_length_arrive_whole_in_both_directions),
        cmocka_unit_test(a_client_without_a_pin_asks_whether_to_trust_the_key),
        cmocka_unit_test(a_server_with_another_key_is_told_nothing_and_both_fingerprints_are_named),
        cmocka_unit_test(what_is_no_salotto_server_is_recognised_by_its_first_bytes),
        cmocka_unit_test(a_server_of_another_protocol_version_is_refused_with_both_versions),
        cmocka_unit_test(a_refused_connection_names_the_address_and_the_mend),
        cmocka_unit_test(a_peer_that_does_not_finish_the_handshake_is_closed),
        cmocka_unit_test(a_client_that_claims_someone_elses_key_is_refused),
        cmocka_unit_test(replayed_handshakes_open_nothing),
        cmocka_unit_test(garbage_of_any_kind_ends_only_its_own_connection),
        cmocka_unit_test(frames_may_arrive_a_byte_at_a_time_and_many_at_once),
        cmocka_unit_test(a_request_over_65000_bytes_ends_the_connection_however_it_is_cut),
        cmocka_unit_test(a_peer_that_lets_4_mib_wait_unread_is_closed),
        cmocka_unit_test(a_paused_connection_delivers_nothing_and_loses_nothing),
        cmocka_unit_test(the_last_words_arrive_although_the_peer_was_still_talking),
        cmocka_unit_test(a_flushing_close_ends_after_two_seconds_although_the_peer_stays),
        cmocka_unit_test(closing_inside_a_callback_is_safe_and_is_called_back_later),
        cmocka_unit_test(a_peer_that_shuts_its_half_is_gone),
        cmocka_unit_test(writing_to_a_peer_that_left_still_reads_what_it_had_said),
        cmocka_unit_test(a_peer_that_left_during_a_pause_is_heard_to_the_end),
        cmocka_unit_test(a_text_that_ends_where_the_next_frame_begins_leaves_it_whole),
        cmocka_unit_test(a_file_comes_with_its_text_however_much_waits_before_it),
        cmocka_unit_test(nobody_is_given_a_file_who_did_not_say_that_they_take_it),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, setup, teardown);
}
