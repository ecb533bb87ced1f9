/* control.c - fuzzes what a control connection makes of the bytes it is sent
 *
 * The first byte chooses who reads: the operator's socket, whose frames are bare, or a server or client amid hello and
 * handshake. The second says into what pieces the rest is cut.
 */
#include "net/control.h"

#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct event_base *base;
static struct identity me;
static bool closed;

static bool on_trust(struct control *c, const uint8_t server_key[32], void *arg)
{
    (void)c;
    (void)arg;
    return (server_key[0] & 1) != 0;
}

static void on_text(struct control *c, const char *text, size_t len, void *arg)
{
    (void)arg;
    if (len > CONTROL_TEXT_MAX || text[len] != '\0')
        abort();
    (void)control_send(c, text, len < 16 ? len : 16);
}

static void on_closed(struct control *c, const struct err *err, void *arg)
{
    (void)c;
    (void)err;
    (void)arg;
    closed = true;
}

static const struct control_callbacks callbacks = {.trust = on_trust, .text = on_text, .closed = on_closed};

/* As libFuzzer declares it. NOLINTNEXTLINE(readability-non-const-parameter) */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const uint8_t seed[32] = {1};

    (void)argc;
    (void)argv;
    base = event_base_new();
    crypto_sign_ed25519_seed_keypair(me.public_key, me.secret_key, seed);
    return base == NULL || crypto_sign_ed25519_sk_to_curve25519(me.noise_private, me.secret_key) != 0;
}

static struct control *reader(uint8_t which, int fd)
{
    switch (which % 3) {
    case 0:
        return control_local(base, fd, &callbacks, NULL);
    case 1:
        return control_accept(base, fd, &me, &callbacks, NULL);
    default:
        return control_connect(base, fd, &me, NULL, &callbacks, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control *c;
    size_t piece, at = 2;
    int fd[2];

    if (size < 2 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) != 0)
        return 0;
    closed = false;
    c = reader(data[0], fd[0]);
    if (c == NULL)
        abort();
    piece = data[1] == 0 ? size : data[1];
    while (at < size && !closed) {
        size_t n = size - at < piece ? size - at : piece;
        ssize_t sent = send(fd[1], data + at, n, MSG_NOSIGNAL);

        if (sent <= 0)
            break;
        at += (size_t)sent;
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    close(fd[1]);
    for (unsigned i = 0; i < 8 && !closed; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
    if (!closed) /* a peer that has gone is noticed at once */
        abort();
    return 0;
}
