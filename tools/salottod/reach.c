/* reach.c - where a host name leads, and who answers there (see reach.h)
 *
 * getaddrinfo() can take as long as it likes and can't be called off, so it runs on a thread that may be left behind:
 * the two share a block that the last of them frees.
 */
#include "tools/salottod/reach.h"

#include "net/clock.h"
#include "net/handshake.h"
#include "net/identity.h"
#include "net/socket.h"
#include "net/thread.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define NAME_MS  5000
#define HELLO_MS 3000
#define STEP_MS  50
#define KEY_AT   (HANDSHAKE_SERVER_HELLO - IDENTITY_KEY_BYTES)

struct lookup {
    atomic_uint users;
    atomic_bool ended;
    int error;
    struct addrinfo *found;
    char host[256], service[8];
};

static void let_go(struct lookup *l)
{
    if (atomic_fetch_sub(&l->users, 1) != 1)
        return;
    if (l->found != NULL)
        freeaddrinfo(l->found);
    free(l);
}

static void *look_up(void *arg)
{
    struct lookup *l = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};

    l->error = getaddrinfo(l->host, l->service, &hints, &l->found);
    atomic_store_explicit(&l->ended, true, memory_order_release);
    let_go(l);
    return NULL;
}

static void rest(void)
{
    static const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};

    nanosleep(&step, NULL);
}

/* RFC 6761, section 6.3: this name means the machine itself, and nobody need be asked. */
static bool is_localhost(const char *host)
{
    static const char name[] = "localhost";
    size_t len = strlen(host), last = sizeof name - 1;

    return len >= last && strcasecmp(host + len - last, name) == 0 && (len == last || host[len - last - 1] == '.');
}

/* Its first address. */
static enum reach_name resolve(const char *host, uint16_t port, struct sockaddr_storage *to, socklen_t *len,
                               bool (*go_on)(void *arg), void *arg)
{
    struct lookup *l = calloc(1, sizeof *l);
    enum reach_name name = REACH_SILENT;
    pthread_t thread;

    if (l == NULL)
        return REACH_SILENT;
    l->users = 2;
    snprintf(l->host, sizeof l->host, "%s", is_localhost(host) ? "127.0.0.1" : host);
    snprintf(l->service, sizeof l->service, "%u", (unsigned)port);
    if (thread_start(&thread, "lookup", 0, look_up, l, NULL) != 0) {
        free(l);
        return REACH_SILENT;
    }
    pthread_detach(thread);
    for (int ms = 0; ms < NAME_MS && go_on(arg) && !atomic_load_explicit(&l->ended, memory_order_acquire);
         ms += STEP_MS)
        rest();
    if (atomic_load_explicit(&l->ended, memory_order_acquire)) {
        name = l->error == 0 ? REACH_RESOLVED : l->error == EAI_AGAIN ? REACH_SILENT : REACH_UNKNOWN;
        if (l->error == 0) {
            *len = l->found->ai_addrlen;
            memcpy(to, l->found->ai_addr, *len);
        }
    }
    let_go(l);
    return name;
}

static void judge_v4(struct reach *r, uint32_t a)
{
    r->loopback = a >> 24 == 127;
    r->local = a >> 24 == 10 || a >> 20 == (172 << 4 | 1) || a >> 16 == (192 << 8 | 168) || a >> 22 == (100 << 2 | 1) ||
               a >> 16 == (169 << 8 | 254);
}

static void judge_address(struct reach *r, const struct sockaddr_storage *to)
{
    const struct in6_addr *a = &((const struct sockaddr_in6 *)to)->sin6_addr;

    if (to->ss_family == AF_INET) {
        judge_v4(r, ntohl(((const struct sockaddr_in *)to)->sin_addr.s_addr));
    } else {
        r->loopback = IN6_IS_ADDR_LOOPBACK(a);
        r->local = IN6_IS_ADDR_LINKLOCAL(a) || (a->s6_addr[0] & 0xfe) == 0xfc;
    }
}

/* To an address of its own a machine speaks from that same address. Nothing is sent, and no list of interfaces is
 * needed, which a sandbox may hide. */
static bool is_own(const struct sockaddr_storage *to, socklen_t len)
{
    struct sockaddr_storage from = {0};
    socklen_t from_len = sizeof from;
    int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool own = fd >= 0 && connect(fd, (const struct sockaddr *)to, len) == 0 &&
               getsockname(fd, (struct sockaddr *)&from, &from_len) == 0 && from.ss_family == to->ss_family;

    if (own && to->ss_family == AF_INET)
        own = memcmp(&((struct sockaddr_in *)&from)->sin_addr, &((const struct sockaddr_in *)to)->sin_addr,
                     sizeof(struct in_addr)) == 0;
    else if (own)
        own = memcmp(&((struct sockaddr_in6 *)&from)->sin6_addr, &((const struct sockaddr_in6 *)to)->sin6_addr,
                     sizeof(struct in6_addr)) == 0;
    if (fd >= 0)
        close(fd);
    return own;
}

/* Waits until fd is ready for `what`. */
static bool wait_for(int fd, short what, uint64_t end_ns, bool (*go_on)(void *arg), void *arg)
{
    struct pollfd p = {.fd = fd, .events = what};

    while (clock_now_ns() < end_ns && go_on(arg))
        if (poll(&p, 1, STEP_MS) > 0)
            return true;
    return false;
}

static enum reach_hello read_hello(int fd, const uint8_t key[32], uint64_t end_ns, bool (*go_on)(void *arg), void *arg)
{
    uint8_t hello[HANDSHAKE_SERVER_HELLO];
    size_t have = 0;

    while (have < sizeof hello && wait_for(fd, POLLIN, end_ns, go_on, arg)) {
        ssize_t n = recv(fd, hello + have, sizeof hello - have, MSG_DONTWAIT);

        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            break;
        have += n > 0 ? (size_t)n : 0;
    }
    if (have == 0)
        return REACH_NOBODY;
    return have == sizeof hello && memcmp(hello + KEY_AT, key, IDENTITY_KEY_BYTES) == 0 ? REACH_OURS : REACH_OTHER;
}

static enum reach_hello greet(const struct sockaddr_storage *to, socklen_t len, const uint8_t key[32],
                              bool (*go_on)(void *arg), void *arg)
{
    uint64_t end_ns = clock_now_ns() + HELLO_MS * CLOCK_NS_PER_MS;
    int fd = socket(to->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    enum reach_hello hello = REACH_NOBODY;

    if (fd < 0)
        return hello;
    if (connect(fd, (const struct sockaddr *)to, len) == 0 ||
        (errno == EINPROGRESS && wait_for(fd, POLLOUT, end_ns, go_on, arg)))
        hello = read_hello(fd, key, end_ns, go_on, arg);
    close(fd);
    return hello;
}

void reach_look(struct reach *r, const char *host, uint16_t port, const uint8_t key[32], bool (*go_on)(void *arg),
                void *arg)
{
    struct sockaddr_storage to = {0};
    socklen_t len = 0;
    char *colon;

    memset(r, 0, sizeof *r);
    r->hello = REACH_NOBODY;
    r->name = resolve(host, port, &to, &len, go_on, arg);
    if (r->name != REACH_RESOLVED)
        return;
    socket_print(r->address, sizeof r->address, &to);
    colon = strrchr(r->address, ':'); /* the port is known */
    if (colon != NULL)
        *colon = '\0';
    judge_address(r, &to);
    r->own = is_own(&to, len);
    r->hello = greet(&to, len, key, go_on, arg);
}
