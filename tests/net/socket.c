#include "net/socket.h"

#include "tests/net/hex.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS      10000
#define LONG_LABEL    "nobody-nobody-nobody-nobody-nobody-nobody-nobody-nobody-nobody-n"

/* A name with an IPv6 and then an IPv4 address, whatever this machine's resolver knows: the library's call comes here
 * first. */
#define TWO_ADDRESSES "two-addresses.test"

static struct addrinfo *node(int family, const char *text, uint16_t port)
{
    struct addrinfo *a = calloc(1, sizeof *a + sizeof(struct sockaddr_storage)); /* freeaddrinfo() frees it */

    if (a == NULL)
        abort();
    a->ai_family = family;
    a->ai_addr = (struct sockaddr *)(a + 1);
    a->ai_addr->sa_family = (sa_family_t)family;
    if (family == AF_INET6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)a->ai_addr;

        a->ai_addrlen = sizeof *v6;
        v6->sin6_port = htons(port);
        inet_pton(family, text, &v6->sin6_addr);
    } else {
        struct sockaddr_in *v4 = (struct sockaddr_in *)a->ai_addr;

        a->ai_addrlen = sizeof *v4;
        v4->sin_port = htons(port);
        inet_pton(family, text, &v4->sin_addr);
    }
    return a;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    if (name != NULL && strcmp(name, TWO_ADDRESSES) == 0) {
        uint16_t port = (uint16_t)strtoul(service, NULL, 10);

        *found = node(AF_INET6, "::1", port);
        (*found)->ai_next = node(AF_INET, "127.0.0.1", port);
        return 0;
    }
    real = (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))dlsym(RTLD_NEXT,
                                                                                                   "getaddrinfo");
    return real(name, service, hints, found);
}

static struct sockaddr_storage address(const char *text, uint16_t port, socklen_t *len)
{
    struct sockaddr_storage a = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;

    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *len = sizeof *v4;
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        *len = sizeof *v6;
    }
    return a;
}

static bool machine_has_ipv6(void)
{
    socklen_t len;
    struct sockaddr_storage a = address("::1", 0, &len);
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&a, len) == 0;

    if (fd >= 0)
        close(fd);
    return has;
}

static void wait_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&p, 1, LIMIT_MS), 1);
}

/* A connection and a datagram arrive, and the address is told as it was dialled. */
static void reach(const struct server_sockets *s, const char *host)
{
    struct sockaddr_storage to, from;
    socklen_t to_len, from_len = sizeof from;
    struct err err;
    char text[64], head[64], byte;
    int tcp = socket_connect(host, s->port, LIMIT_MS, &to, &to_len, &err), udp, accepted;

    assert_true(tcp >= 0);
    assert_true(fcntl(tcp, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(tcp, F_GETFD) & FD_CLOEXEC);
    wait_readable(s->tcp[0]);
    accepted = accept(s->tcp[0], NULL, NULL);
    assert_true(accepted >= 0);

    udp = socket_udp_to(&to, to_len, &err);
    assert_true(udp >= 0);
    assert_int_equal(send(udp, "x", 1, 0), 1);
    wait_readable(s->udp);
    assert_int_equal(recvfrom(s->udp, &byte, 1, 0, (struct sockaddr *)&from, &from_len), 1);
    socket_print(text, sizeof text, &from);
    snprintf(head, sizeof head, strchr(host, ':') != NULL ? "[%s]:" : "%s:", host);
    assert_memory_equal(text, head, strlen(head));
    close(accepted);
    close(udp);
    close(tcp);
}

static void a_server_has_tcp_and_udp_on_one_free_port(void **state)
{
    struct server_sockets s;
    struct err err;

    (void)state;
    assert_int_equal(socket_open_server(&s, "", 0, &err), 0);
    assert_true(s.port != 0);
    assert_int_equal(s.tcp_count, 1);
    assert_true(fcntl(s.udp, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(s.udp, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(s.tcp[0], F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(s.tcp[0], F_GETFD) & FD_CLOEXEC);
    reach(&s, "127.0.0.1");
    if (machine_has_ipv6())
        reach(&s, "::1");
    socket_close_server(&s);
    assert_int_equal(s.udp, -1);
    assert_int_equal(s.tcp_count, 0);
}

static void a_server_listens_on_the_one_address_it_is_given(void **state)
{
    struct server_sockets s;
    struct err err;

    (void)state;
    assert_int_equal(socket_open_server(&s, "127.0.0.1", 0, &err), 0);
    reach(&s, "127.0.0.1");
    socket_close_server(&s);
    if (!machine_has_ipv6())
        return;
    assert_int_equal(socket_open_server(&s, "::1", 0, &err), 0);
    reach(&s, "::1");
    socket_close_server(&s);
}

static void the_udp_buffers_are_larger_than_the_kernels_default(void **state)
{
    struct server_sockets s;
    struct err err;
    int plain = socket(AF_INET, SOCK_DGRAM, 0), usual, ours;
    socklen_t len = sizeof usual;

    (void)state;
    assert_int_equal(getsockopt(plain, SOL_SOCKET, SO_RCVBUF, &usual, &len), 0);
    close(plain);
    assert_int_equal(socket_open_server(&s, "127.0.0.1", 0, &err), 0);
    assert_int_equal(getsockopt(s.udp, SOL_SOCKET, SO_RCVBUF, &ours, &len), 0);
    assert_true(ours > usual);
    assert_int_equal(getsockopt(s.udp, SOL_SOCKET, SO_SNDBUF, &ours, &len), 0);
    assert_true(ours > usual);
    socket_close_server(&s);
}

static void a_port_in_use_is_named_with_the_mend(void **state)
{
    struct server_sockets a, b;
    struct err err;
    char port[16];

    (void)state;
    assert_int_equal(socket_open_server(&a, "", 0, &err), 0);
    assert_int_equal(socket_open_server(&b, "", a.port, &err), -ERR_IN_USE);
    assert_int_equal(b.udp, -1);
    snprintf(port, sizeof port, "%u", a.port);
    assert_non_null(strstr(err.message, port));
    assert_non_null(strstr(err.mend, "--port N"));

    /* With TCP free again, UDP alone holds the port too. */
    close(a.tcp[0]);
    a.tcp_count = 0;
    assert_int_equal(socket_open_server(&b, "", a.port, &err), -ERR_IN_USE);
    socket_close_server(&a);
    assert_int_equal(socket_open_server(&b, "", a.port, &err), 0);
    socket_close_server(&b);
}

static void an_address_that_is_none_or_not_ours_is_named(void **state)
{
    struct server_sockets s;
    struct err err;

    (void)state;
    assert_int_equal(socket_open_server(&s, "everywhere", 0, &err), -ERR_USAGE);
    assert_non_null(strstr(err.message, "everywhere"));
    assert_int_equal(socket_open_server(&s, "192.0.2.1", 0, &err), -ERR_USAGE); /* RFC 5737: nobody's */
    assert_non_null(strstr(err.message, "192.0.2.1"));
}

static void a_client_finds_whichever_of_a_names_addresses_answers(void **state)
{
    struct server_sockets s;
    struct sockaddr_storage to;
    socklen_t len;
    struct err err;
    int fd;

    (void)state;
    assert_int_equal(socket_open_server(&s, "127.0.0.1", 0, &err), 0);
    fd = socket_connect(TWO_ADDRESSES, s.port, LIMIT_MS, &to, &len, &err);
    assert_true(fd >= 0);
    assert_int_equal(to.ss_family, AF_INET);
    assert_int_equal(len, sizeof(struct sockaddr_in));
    close(fd);
    socket_close_server(&s);
}

static void a_server_that_is_not_there_is_unreachable(void **state)
{
    struct server_sockets s;
    struct sockaddr_storage to;
    socklen_t len;
    struct err err;
    uint16_t port;

    (void)state;
    assert_int_equal(socket_open_server(&s, "127.0.0.1", 0, &err), 0);
    port = s.port;
    socket_close_server(&s);
    assert_int_equal(socket_connect("127.0.0.1", port, LIMIT_MS, &to, &len, &err), -ERR_UNREACHABLE);
    assert_non_null(strstr(err.message, "127.0.0.1"));
    /* A label of 64 characters (RFC 1035 allows 63) is refused without asking a name server. */
    assert_int_equal(socket_connect(LONG_LABEL, port, LIMIT_MS, &to, &len, &err), -ERR_UNREACHABLE);
    assert_non_null(strstr(err.message, LONG_LABEL));
}

/* A listener whose queue is full leaves further calls unanswered. */
struct deaf {
    int listener, callers[64];
    unsigned called;
    uint16_t port;
};

static void deaf_open(struct deaf *d, const char *host)
{
    struct sockaddr_storage to;
    struct err err;
    socklen_t len;
    struct sockaddr_storage a = address(host, 0, &len);
    int rc = 0, yes = 1;

    d->called = 0;
    d->listener = socket(a.ss_family, SOCK_STREAM, 0);
    if (a.ss_family == AF_INET6)
        assert_int_equal(setsockopt(d->listener, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes), 0);
    assert_int_equal(bind(d->listener, (struct sockaddr *)&a, len), 0);
    assert_int_equal(listen(d->listener, 0), 0);
    assert_int_equal(getsockname(d->listener, (struct sockaddr *)&a, &len), 0);
    d->port =
        ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port : ((struct sockaddr_in *)&a)->sin_port);
    while (d->called < 64 && (rc = socket_connect(host, d->port, 200, &to, &len, &err)) >= 0)
        d->callers[d->called++] = rc;
    assert_int_equal(rc, -ERR_UNREACHABLE);
}

static void deaf_close(struct deaf *d)
{
    while (d->called > 0)
        close(d->callers[--d->called]);
    close(d->listener);
}

static void a_server_that_does_not_answer_is_given_up_in_time(void **state)
{
    struct deaf deaf;

    (void)state;
    deaf_open(&deaf, "127.0.0.1");
    deaf_close(&deaf);
}

static void an_address_that_does_not_answer_holds_up_no_other(void **state)
{
    struct server_sockets s;
    struct sockaddr_storage to;
    socklen_t len;
    struct err err;
    struct deaf deaf;
    int fd;

    (void)state;
    if (!machine_has_ipv6())
        return;
    deaf_open(&deaf, "::1");
    assert_int_equal(socket_open_server(&s, "127.0.0.1", deaf.port, &err), 0);
    fd = socket_connect(TWO_ADDRESSES, s.port, LIMIT_MS, &to, &len, &err);
    assert_true(fd >= 0);
    assert_int_equal(to.ss_family, AF_INET);
    close(fd);
    socket_close_server(&s);
    deaf_close(&deaf);
}

static void addresses_are_printed_as_people_write_them(void **state)
{
    struct sockaddr_storage a;
    socklen_t len;
    char text[64];

    (void)state;
    a = address("198.51.100.7", 51234, &len);
    socket_print(text, sizeof text, &a);
    assert_string_equal(text, "198.51.100.7:51234");
    a = address("2001:db8::1", 51234, &len);
    socket_print(text, sizeof text, &a);
    assert_string_equal(text, "[2001:db8::1]:51234");
    a = address("::ffff:198.51.100.7", 9, &len);
    socket_print(text, sizeof text, &a);
    assert_string_equal(text, "198.51.100.7:9");
    a.ss_family = AF_UNIX;
    socket_print(text, sizeof text, &a);
    assert_string_equal(text, "local");
    a = address("198.51.100.7", 51234, &len);
    socket_print(text, 8, &a);
    assert_string_equal(text, "198.51.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_has_tcp_and_udp_on_one_free_port),
        cmocka_unit_test(a_server_listens_on_the_one_address_it_is_given),
        cmocka_unit_test(the_udp_buffers_are_larger_than_the_kernels_default),
        cmocka_unit_test(a_port_in_use_is_named_with_the_mend),
        cmocka_unit_test(an_address_that_is_none_or_not_ours_is_named),
        cmocka_unit_test(a_client_finds_whichever_of_a_names_addresses_answers),
        cmocka_unit_test(a_server_that_is_not_there_is_unreachable),
        cmocka_unit_test(a_server_that_does_not_answer_is_given_up_in_time),
        cmocka_unit_test(an_address_that_does_not_answer_holds_up_no_other),
        cmocka_unit_test(addresses_are_printed_as_people_write_them),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("net/socket", tests, NULL, NULL);
}
