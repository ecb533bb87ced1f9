/* control_server.c - the thread `net`, from both of its ends (see net/control_server.h) */
#include "net/control_server.h"
#include "net/control.h"
#include "net/clock.h"
#include "net/socket.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct event_base *base; /* of the clients, on the test's thread, which is `main` as well */
static struct identity server_id, client_id;
static struct server_sockets sockets;
static struct waker owner;
static char folder[64], socket_path[96];

struct client {
    struct control *c;
    bool ready, closed;
    unsigned texts;
    char last[64];
    size_t len;
    struct err why;
};

static void make_identity(struct identity *id, uint8_t seed_byte)
{
    uint8_t seed[crypto_sign_SEEDBYTES];

    memset(seed, seed_byte, sizeof seed);
    crypto_sign_seed_keypair(id->public_key, id->secret_key, seed);
    assert_int_equal(crypto_sign_ed25519_sk_to_curve25519(id->noise_private, id->secret_key), 0);
}

static void on_ready(struct control *c, void *arg)
{
    (void)c;
    ((struct client *)arg)->ready = true;
}

static void on_text(struct control *c, const char *text, size_t len, void *arg)
{
    struct client *me = arg;

    (void)c;
    me->texts++;
    me->len = len;
    snprintf(me->last, sizeof me->last, "%s", text);
}

static void on_closed(struct control *c, const struct err *err, void *arg)
{
    struct client *me = arg;

    (void)c;
    me->closed = true;
    me->c = NULL;
    me->why = *err;
}

static const struct control_callbacks callbacks = {.ready = on_ready, .text = on_text, .closed = on_closed};

/* One turn of both loops; fails the test when it has been waiting for 20 s. */
static void turn(uint64_t since_ns)
{
    event_base_loop(base, EVLOOP_NONBLOCK);
    usleep(200);
    assert_true(clock_now_ns() - since_ns < 20 * CLOCK_NS_PER_S);
}

static void run_until(const bool *done)
{
    uint64_t since_ns = clock_now_ns();

    while (!*done)
        turn(since_ns);
}

static struct control_event next_event(struct control_server *s)
{
    uint64_t since_ns = clock_now_ns();
    struct control_event e;

    while (!control_server_next(s, &e))
        turn(since_ns);
    return e;
}

static int open_tcp(void)
{
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(sockets.port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_true(connect(fd, (struct sockaddr *)&v6, sizeof v6) == 0 || errno == EINPROGRESS);
    return fd;
}

static int open_unix(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(at.sun_path, sizeof at.sun_path, "%s", socket_path);
    /* Only a blocking connect waits while the server has not yet accepted as many as it lets wait (unix(7)). */
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static struct control_server *start(unsigned max_connections)
{
    struct control_server_config c = {
        .identity = &server_id, .unix_path = socket_path, .max_connections = max_connections, .owner = &owner};
    struct control_server *s;
    struct err err;

    assert_int_equal(socket_open_server(&sockets, "::1", 0, &err), 0);
    c.tcp_fds = sockets.tcp;
    c.tcp_count = sockets.tcp_count;
    s = control_server_new(&c, &err);
    assert_non_null(s);
    close(sockets.udp);
    return s;
}

/* A client that is ready, and main knows it. */
static uint64_t join(struct control_server *s, struct client *c)
{
    struct control_event e, text;

    memset(c, 0, sizeof *c);
    c->c = control_connect(base, open_tcp(), &client_id, server_id.public_key, &callbacks, c);
    assert_non_null(c->c);
    run_until(&c->ready);
    assert_int_equal(control_send(c->c, "hello", 5), 0);
    e = next_event(s);
    assert_int_equal(e.kind, CONTROL_OPENED);
    assert_false(e.local);
    assert_memory_equal(e.key, client_id.public_key, 32);
    assert_memory_equal(&e.keys, control_media_keys(c->c), sizeof e.keys);
    assert_int_equal(strncmp(e.address, "[::1]:", 6), 0);
    text = next_event(s);
    assert_int_equal(text.kind, CONTROL_TEXT);
    free(text.text);
    return e.connection;
}

static void leave(struct client *c)
{
    if (c->c != NULL) {
        control_close(c->c, false);
        run_until(&c->closed);
    }
}

static void a_clients_texts_reach_main_and_mains_answers_the_client(void **state)
{
    struct control_server *s = start(0);
    struct client c = {0};
    struct control_event e;

    (void)state;
    c.c = control_connect(base, open_tcp(), &client_id, server_id.public_key, &callbacks, &c);
    run_until(&c.ready);
    assert_int_equal(control_send(c.c, "{\"id\":1}", 8), 0);
    e = next_event(s);
    assert_int_equal(e.kind, CONTROL_OPENED);
    e = next_event(s);
    assert_int_equal(e.kind, CONTROL_TEXT);
    assert_string_equal(e.text, "{\"id\":1}");
    assert_int_equal(e.len, 8);
    free(e.text);
    control_server_send(s, &e.connection, 1, "yes", 3, false);
    while (c.texts == 0)
        turn(clock_now_ns());
    assert_string_equal(c.last, "yes");
    leave(&c);
    assert_int_equal(next_event(s).kind, CONTROL_CLOSED);
    assert_int_equal(control_server_stats(s)->handshakes, 1);
    assert_int_equal(control_server_stats(s)->open, 0);
    control_server_free(s, 0);
}

static void the_operator_comes_by_the_unix_socket_without_a_handshake(void **state)
{
    struct control_server *s = start(0);
    struct client c = {0};
    struct control_event e;
    struct stat st;

    (void)state;
    assert_int_equal(lstat(socket_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    c.c = control_local(base, open_unix(), &callbacks, &c);
    run_until(&c.ready);
    e = next_event(s);
    assert_int_equal(e.kind, CONTROL_OPENED);
    assert_true(e.local);
    assert_string_equal(e.address, "local");
    assert_int_equal(control_send(c.c, "who", 3), 0);
    e = next_event(s);
    assert_string_equal(e.text, "who");
    assert_true(e.local);
    free(e.text);
    control_server_send(s, &e.connection, 1, "everybody", 9, true);
    run_until(&c.closed);
    assert_string_equal(c.last, "everybody");
    assert_int_equal(c.why.code, ERR_NONE);
    control_server_free(s, 0);
    assert_int_equal(lstat(socket_path, &st), -1);
}

static void main_sleeps_until_an_event_waits(void **state)
{
    struct control_server *s = start(0);
    struct client c;
    struct control_event e;
    uint32_t seen;

    (void)state;
    join(s, &c);
    seen = waker_prepare(&owner);
    assert_false(control_server_next(s, &e));
    assert_int_equal(control_send(c.c, "wake up", 7), 0);
    assert_true(waker_wait(&owner, seen, 20 * CLOCK_NS_PER_S));
    waker_done(&owner);
    assert_true(control_server_next(s, &e));
    assert_string_equal(e.text, "wake up");
    free(e.text);
    leave(&c);
    control_server_free(s, 0);
}

static void one_text_goes_to_many_and_skips_those_who_left(void **state)
{
    enum { N = 20 };
    struct control_server *s = start(0);
    struct client c[N];
    uint64_t ids[N + 1];

    (void)state;
    for (int i = 0; i < N; i++)
        ids[i] = join(s, &c[i]);
    leave(&c[7]);
    assert_int_equal(next_event(s).kind, CONTROL_CLOSED);
    ids[N] = 123456;
    control_server_send(s, ids, N + 1, "to all", 6, false);
    for (int i = 0; i < N; i++)
        for (uint64_t since = clock_now_ns(); i != 7 && c[i].texts == 0;)
            turn(since);
    assert_int_equal(c[7].texts, 0);
    control_server_close(s, ids[0]);
    run_until(&c[0].closed);
    assert_int_equal(next_event(s).kind, CONTROL_CLOSED);
    for (int i = 0; i < N; i++)
        leave(&c[i]);
    control_server_free(s, 0);
}

static void an_id_is_never_used_twice(void **state)
{
    struct control_server *s = start(0);
    struct client c;
    uint64_t last = 0;

    (void)state;
    for (int i = 0; i < 10; i++) {
        uint64_t id = join(s, &c);

        assert_true(id > last);
        last = id;
        leave(&c);
        assert_int_equal(next_event(s).kind, CONTROL_CLOSED);
    }
    control_server_free(s, 0);
}

/* 5,000 texts are more than the ring holds while main looks away; the clients' sockets have to hold them. */
static void a_full_ring_makes_peers_wait_and_loses_no_event(void **state)
{
    enum { N = 4, TEXTS = 1250 };
    struct control_server *s = start(0);
    struct client c[N];
    uint64_t ids[N], since_ns;
    unsigned seen[N] = {0}, closed = 0;
    char text[16];

    (void)state;
    for (int i = 0; i < N; i++)
        ids[i] = join(s, &c[i]);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < TEXTS; k++)
            assert_int_equal(control_send(c[i].c, text, (size_t)snprintf(text, sizeof text, "%d", k)), 0);
    since_ns = clock_now_ns();
    while (clock_now_ns() - since_ns < 300 * CLOCK_NS_PER_MS) /* long enough for net to fill the ring */
        turn(since_ns);
    for (int i = 0; i < N; i++)
        control_close(c[i].c, true);
    while (closed < N) {
        struct control_event e = next_event(s);
        int i = 0;

        while (ids[i] != e.connection)
            i++;
        if (e.kind == CONTROL_CLOSED) {
            assert_int_equal(seen[i], TEXTS);
            closed++;
        } else {
            assert_int_equal(e.kind, CONTROL_TEXT);
            assert_int_equal(atoi(e.text), seen[i]);
            seen[i]++;
            free(e.text);
        }
    }
    for (int i = 0; i < N; i++)
        run_until(&c[i].closed);
    control_server_free(s, 0);
}

static void further_connections_than_allowed_are_closed_but_the_operators_are_not(void **state)
{
    struct control_server *s = start(2);
    struct client a, b, third = {0}, operator= {0};

    (void)state;
    join(s, &a);
    join(s, &b);
    third.c = control_connect(base, open_tcp(), &client_id, server_id.public_key, &callbacks, &third);
    run_until(&third.closed);
    assert_int_equal(third.why.code, ERR_UNREACHABLE);
    assert_int_equal(control_server_stats(s)->refused, 1);
    operator.c = control_local(base, open_unix(), &callbacks, &operator);
    run_until(&operator.ready);
    assert_true(next_event(s).local);
    leave(&a);
    assert_int_equal(next_event(s).kind, CONTROL_CLOSED);
    join(s, &third);
    leave(&b);
    leave(&third);
    leave(&operator);
    control_server_free(s, 0);
}

static void stopping_sends_the_last_words_and_ends_in_time(void **state)
{
    struct control_server *s = start(0);
    struct client c;
    uint64_t id = join(s, &c), since_ns;
    int silent = open_tcp(), stuck;
    char *big = calloc(1, 2u << 20);
    struct control_event e;

    (void)state;
    assert_non_null(big);
    stuck = open_unix(); /* the operator's tool that never reads */
    do {
        e = next_event(s);
    } while (e.kind != CONTROL_OPENED);
    control_server_send(s, &e.connection, 1, big, 2u << 20, false);
    control_server_send(s, &id, 1, "stopping", 8, false);
    since_ns = clock_now_ns();
    control_server_free(s, 300);
    assert_true(clock_now_ns() - since_ns < 10 * CLOCK_NS_PER_S);
    run_until(&c.closed);
    assert_string_equal(c.last, "stopping");
    close(silent);
    close(stuck);
    free(big);
}

static void random_bytes_on_every_port_are_counted_and_harm_nobody(void **state)
{
    enum { N = 400 };
    struct control_server *s = start(0);
    struct client c;
    uint8_t garbage[300];
    uint64_t since_ns, id = join(s, &c);

    (void)state;
    for (int i = 0; i < N; i++) {
        int fd = i % 4 == 3 ? open_unix() : open_tcp();

        randombytes_buf(garbage, sizeof garbage);
        if (i % 4 == 1)
            memcpy(garbage, "salotto\0\1", 9);
        assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
        (void)!write(fd, garbage, sizeof garbage);
        close(fd);
    }
    since_ns = clock_now_ns();
    while (control_server_stats(s)->accepted < N + 1 || control_server_stats(s)->open > 1) {
        struct control_event e;

        while (control_server_next(s, &e))
            free(e.text);
        turn(since_ns);
    }
    assert_int_equal(control_server_stats(s)->handshake_failures, N * 3 / 4);
    assert_int_equal(control_server_stats(s)->handshakes, 1);
    control_server_send(s, &id, 1, "still here", 10, false);
    while (c.texts == 0)
        turn(since_ns);
    leave(&c);
    control_server_free(s, 0);
}

static void without_descriptors_accepting_pauses_and_goes_on_later(void **state)
{
    struct control_server *s = start(0);
    struct rlimit before, tight;
    struct client c = {0};
    uint64_t since_ns = clock_now_ns(), paused_ns;
    int fd = open_tcp(), waiting = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), lowest;
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(sockets.port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};

    (void)state;
    while (control_server_stats(s)->accepted < 1)
        turn(since_ns);
    close(fd);
    while (control_server_stats(s)->open > 0)
        turn(since_ns);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    lowest = dup(0);
    close(lowest);
    tight = before;
    tight.rlim_cur = (rlim_t)lowest;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    assert_true(connect(waiting, (struct sockaddr *)&v6, sizeof v6) == 0 || errno == EINPROGRESS);
    while (control_server_stats(s)->accept_pauses < 3)
        turn(since_ns);
    paused_ns = clock_now_ns() - since_ns;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(paused_ns >= 180 * CLOCK_NS_PER_MS); /* two pauses of 100 ms, by libevent's coarse clock */
    c.c = control_connect(base, waiting, &client_id, server_id.public_key, &callbacks, &c);
    run_until(&c.ready);
    leave(&c);
    control_server_free(s, 0);
}

static void a_stale_socket_is_replaced_a_live_one_and_a_file_are_not(void **state)
{
    struct control_server_config c = {.identity = &server_id, .unix_path = socket_path};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct control_server *s, *second;
    struct stat st;
    struct err err;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    snprintf(at.sun_path, sizeof at.sun_path, "%s", socket_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    close(fd);
    s = control_server_new(&c, &err);
    assert_non_null(s);
    second = control_server_new(&c, &err);
    assert_null(second);
    assert_int_equal(err.code, ERR_IN_USE);
    assert_non_null(strstr(err.message, socket_path));
    assert_true(err.mend[0] != '\0');
    assert_int_equal(lstat(socket_path, &st), 0);

    /* Somebody put another one in its place: that stays. */
    assert_int_equal(unlink(socket_path), 0);
    fd = open(socket_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    control_server_free(s, 0);
    assert_int_equal(lstat(socket_path, &st), 0);
    assert_null(control_server_new(&c, &err));
    assert_int_equal(err.code, ERR_STATE);
    unlink(socket_path);
}

static void a_path_too_long_for_a_unix_socket_is_refused_with_its_limit(void **state)
{
    char path[200] = "/tmp/";
    struct control_server_config c = {.identity = &server_id, .unix_path = path};
    struct err err;

    (void)state;
    memset(path + 5, 'x', 150);
    assert_null(control_server_new(&c, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.message, "107"));
    assert_true(err.mend[0] != '\0');
}

static int setup(void **state)
{
    (void)state;
    make_identity(&server_id, 1);
    make_identity(&client_id, 2);
    waker_init(&owner, -1);
    base = event_base_new();
    snprintf(folder, sizeof folder, "/tmp/salotto-test-XXXXXX");
    if (base == NULL || mkdtemp(folder) == NULL)
        return 1;
    snprintf(socket_path, sizeof socket_path, "%s/control.sock", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    event_base_free(base);
    libevent_global_shutdown();
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clients_texts_reach_main_and_mains_answers_the_client),
        cmocka_unit_test(the_operator_comes_by_the_unix_socket_without_a_handshake),
        cmocka_unit_test(main_sleeps_until_an_event_waits),
        cmocka_unit_test(one_text_goes_to_many_and_skips_those_who_left),
        cmocka_unit_test(an_id_is_never_used_twice),
        cmocka_unit_test(a_full_ring_makes_peers_wait_and_loses_no_event),
        cmocka_unit_test(further_connections_than_allowed_are_closed_but_the_operators_are_not),
        cmocka_unit_test(stopping_sends_the_last_words_and_ends_in_time),
        cmocka_unit_test(random_bytes_on_every_port_are_counted_and_harm_nobody),
        cmocka_unit_test(without_descriptors_accepting_pauses_and_goes_on_later),
        cmocka_unit_test(a_stale_socket_is_replaced_a_live_one_and_a_file_are_not),
        cmocka_unit_test(a_path_too_long_for_a_unix_socket_is_refused_with_its_limit),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, setup, teardown);
}
