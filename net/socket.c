/* socket.c - ports and addresses (see socket.h) */
#include "net/socket.h"
#include "net/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG         4096 /* the kernel cuts it to net.core.somaxconn */
#define PORT_TRIES      64   /* a port free for TCP may be taken for UDP */
#define ADDRESSES_MAX   8u
#define NEXT_ADDRESS_MS 250 /* RFC 8305 section 5: start the next attempt after this, beside the last */

static void set_int(int fd, int level, int option, int value)
{
    /* All that is set this way is an improvement, none of it a need. */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

/* Beyond net.core.*mem_max where we have the right, else up to it. */
static void large_buffers(int fd)
{
    int bytes = SOCKET_UDP_BUFFER;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
        set_int(fd, SOL_SOCKET, SO_RCVBUF, bytes);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0)
        set_int(fd, SOL_SOCKET, SO_SNDBUF, bytes);
}

static void set_port(struct sockaddr_storage *a, uint16_t port)
{
    if (a->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)a)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)a)->sin_port = htons(port);
}

static uint16_t get_port(const struct sockaddr_storage *a)
{
    return ntohs(a->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)a)->sin6_port
                                          : ((const struct sockaddr_in *)a)->sin_port);
}

static socklen_t size_of(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* A bound socket, listening if it is TCP; -1 with errno. both: an IPv6 socket that takes IPv4 too. */
static int open_bound(int type, const struct sockaddr_storage *a, bool both)
{
    int saved, no = 0, yes = 1, fd = socket(a->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (a->ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, both ? &no : &yes, sizeof no) != 0)
        goto fail;
    /* For TCP it lets a restart pass what still lies in TIME-WAIT; for UDP it would let a second server steal. */
    if (type == SOCK_STREAM)
        set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    else
        large_buffers(fd);
    if (bind(fd, (const struct sockaddr *)a, size_of(a)) != 0)
        goto fail;
    if (type == SOCK_STREAM && listen(fd, BACKLOG) != 0)
        goto fail;
    return fd;
fail:
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* TCP and UDP on one port. 0, or -1 with errno and nothing open. */
static int open_pair(struct server_sockets *s, struct sockaddr_storage *a, bool both, uint16_t port)
{
    socklen_t len = sizeof *a;
    int saved;

    set_port(a, port);
    s->tcp[0] = open_bound(SOCK_STREAM, a, both);
    if (s->tcp[0] < 0)
        return -1;
    if (getsockname(s->tcp[0], (struct sockaddr *)a, &len) == 0) {
        s->port = get_port(a);
        s->udp = open_bound(SOCK_DGRAM, a, both);
        if (s->udp >= 0) {
            s->tcp_count = 1;
            return 0;
        }
    }
    saved = errno;
    close(s->tcp[0]);
    errno = saved;
    return -1;
}

static int open_on(struct server_sockets *s, struct sockaddr_storage *a, bool both, uint16_t port)
{
    int rc = -1;

    for (unsigned i = 0; i < PORT_TRIES; i++) {
        rc = open_pair(s, a, both, port);
        if (rc == 0 || port != 0 || errno != EADDRINUSE)
            break;
    }
    return rc;
}

static int open_error(struct err *err, const char *address, uint16_t port)
{
    const char *where = address[0] == '\0' ? "*" : address;

    if (errno == EADDRINUSE)
        return err_set(err, ERR_IN_USE, "stop the program that holds it, or choose another one with `--port N`",
                       "port %u is in use", port);
    if (errno == EADDRNOTAVAIL)
        return err_set(err, ERR_USAGE, "name one that `ip address` shows, or leave `listen` empty for all",
                       "this machine has no address %s", where);
    if (errno == EACCES)
        return err_set(err, ERR_USAGE, "choose one from 1024 up with `--port N`", "port %u is not open to this user",
                       port);
    return err_set(err, ERR_INTERNAL, NULL, "cannot listen on %s port %u: %s", where, port, err_reason(errno));
}

int socket_open_server(struct server_sockets *s, const char *address, uint16_t port, struct err *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct sockaddr_storage a = {.ss_family = AF_INET6};
    struct addrinfo *found;
    int rc;

    memset(s, 0, sizeof *s);
    s->udp = s->tcp[0] = s->tcp[1] = -1;
    if (address[0] == '\0' || strcmp(address, "*") == 0) {
        rc = open_on(s, &a, true, port);
        if (rc != 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL || errno == EPROTONOSUPPORT)) {
            memset(&a, 0, sizeof a);
            a.ss_family = AF_INET;
            rc = open_on(s, &a, false, port);
        }
        return rc == 0 ? 0 : open_error(err, address, port);
    }
    if (getaddrinfo(address, NULL, &hints, &found) != 0)
        return err_set(err, ERR_USAGE, "write an IPv4 or IPv6 address, or nothing for all",
                       "'%s' is no address to listen on", address);
    memcpy(&a, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return open_on(s, &a, false, port) == 0 ? 0 : open_error(err, address, port);
}

void socket_close_server(struct server_sockets *s)
{
    for (unsigned i = 0; i < s->tcp_count; i++)
        close(s->tcp[i]);
    if (s->udp >= 0)
        close(s->udp);
    s->udp = s->tcp[0] = s->tcp[1] = -1;
    s->tcp_count = 0;
}

static int64_t now_ms(void)
{
    return (int64_t)(clock_now_ns() / CLOCK_NS_PER_MS);
}

/* Attempts under way, one for each address that was started. */
struct race {
    const struct addrinfo *next;
    struct pollfd poll[ADDRESSES_MAX];
    const struct addrinfo *address[ADDRESSES_MAX];
    unsigned count, failed;
    int error; /* errno of the last one that failed */
};

static void lose(struct race *r, unsigned i, int error)
{
    if (r->poll[i].fd >= 0)
        close(r->poll[i].fd);
    r->poll[i].fd = -1;
    r->failed++;
    r->error = error;
}

static void start_next(struct race *r)
{
    const struct addrinfo *a = r->next;
    unsigned i = r->count++;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    r->next = a->ai_next;
    r->address[i] = a;
    r->poll[i] = (struct pollfd){.fd = fd, .events = POLLOUT};
    if (fd < 0 || (connect(fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS))
        lose(r, i, errno);
}

/* Waits for the first attempt to succeed; its index, or -1 with r->error. */
static int run_race(struct race *r, unsigned timeout_ms)
{
    int64_t end = now_ms() + timeout_ms;

    for (;;) {
        bool more = r->next != NULL && r->count < ADDRESSES_MAX;
        int64_t left = end - now_ms();

        if (more) {
            start_next(r);
            more = r->next != NULL && r->count < ADDRESSES_MAX;
            if (more && r->failed == r->count)
                continue;
        }
        if (r->failed == r->count)
            return -1;
        if (left <= 0) {
            r->error = ETIMEDOUT;
            return -1;
        }
        if (more && left > NEXT_ADDRESS_MS)
            left = NEXT_ADDRESS_MS;
        if (poll(r->poll, r->count, (int)left) < 0 && errno != EINTR) {
            r->error = errno;
            return -1;
        }
        for (unsigned i = 0; i < r->count; i++) {
            int error = 0;
            socklen_t len = sizeof error;

            if (r->poll[i].fd < 0 || r->poll[i].revents == 0)
                continue;
            if (getsockopt(r->poll[i].fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
                error = errno;
            if (error == 0)
                return (int)i;
            lose(r, i, error);
        }
    }
}

int socket_connect(const char *host, uint16_t port, unsigned timeout_ms, struct sockaddr_storage *to, socklen_t *to_len,
                   struct err *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    struct race race = {.error = EHOSTUNREACH};
    char service[8];
    int rc, won;

    snprintf(service, sizeof service, "%u", port);
    /* The name localhost is always this machine, whatever a resolver or a missing hosts file says (RFC 6761 section
     * 6.3); no node stands for the loopback addresses. */
    rc = getaddrinfo(strcasecmp(host, "localhost") == 0 ? NULL : host, service, &hints, &found);
    if (rc != 0)
        return err_set(err, ERR_UNREACHABLE, "check the host's name in the link, and your network",
                       "cannot find %s: %s", host, rc == EAI_SYSTEM ? err_reason(errno) : err_words(gai_strerror(rc)));
    race.next = found;
    won = run_race(&race, timeout_ms);
    if (won >= 0) {
        rc = race.poll[won].fd;
        race.poll[won].fd = -1;
        set_int(rc, IPPROTO_TCP, TCP_NODELAY, 1);
        memset(to, 0, sizeof *to);
        memcpy(to, race.address[won]->ai_addr, race.address[won]->ai_addrlen);
        *to_len = race.address[won]->ai_addrlen;
    } else {
        rc = err_set(err, ERR_UNREACHABLE, "is the server running, and its port open to you?",
                     "no connection to %s port %u: %s", host, port, err_reason(race.error));
    }
    for (unsigned i = 0; i < race.count; i++)
        if (race.poll[i].fd >= 0)
            close(race.poll[i].fd);
    freeaddrinfo(found);
    return rc;
}

int socket_udp_to(const struct sockaddr_storage *to, socklen_t to_len, struct err *err)
{
    int rc, fd = socket(to->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_set(err, ERR_INTERNAL, NULL, "cannot open a UDP socket: %s", err_reason(errno));
    if (connect(fd, (const struct sockaddr *)to, to_len) != 0) {
        rc = err_set(err, ERR_UNREACHABLE, NULL, "no way to the server by UDP: %s", err_reason(errno));
        close(fd);
        return rc;
    }
    return fd;
}

void socket_print(char *out, size_t max, const struct sockaddr_storage *a)
{
    char text[INET6_ADDRSTRLEN] = "?";

    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;

        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
        snprintf(out, max, "%s:%u", text, ntohs(v4->sin_port));
    } else if (a->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;

        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
            inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, text, sizeof text);
            snprintf(out, max, "%s:%u", text, ntohs(v6->sin6_port));
        } else {
            inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
            snprintf(out, max, "[%s]:%u", text, ntohs(v6->sin6_port));
        }
    } else {
        snprintf(out, max, "local");
    }
}
