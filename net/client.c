/* client.c - a client's life: connecting, texts, closing (see client.h); its media is in client_media.c */
#include "net/client_parts.h"

#include "net/socket.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_MS 10000u

static bool on_trust(struct control *control, const uint8_t server_key[32], void *arg)
{
    struct client *c = arg;

    (void)control;
    return c->cb->trust != NULL && c->cb->trust(c, server_key, c->arg);
}

static void on_ready(struct control *control, void *arg)
{
    struct client *c = arg;

    (void)control;
    if (c->cb->ready != NULL)
        c->cb->ready(c, c->arg);
}

static void on_text(struct control *control, const char *text, size_t len, void *arg)
{
    struct client *c = arg;

    (void)control;
    if (c->cb->text != NULL)
        c->cb->text(c, text, len, c->arg);
}

static void on_closed(struct control *control, const struct err *err, void *arg)
{
    struct client *c = arg;

    (void)control;
    client_stop_media(c);
    if (c->cb->closed != NULL)
        c->cb->closed(c, err, c->arg);
    sodium_memzero(c, sizeof *c);
    free(c);
}

static const struct control_callbacks control_callbacks = {on_trust, on_ready, on_text, on_closed};

static struct client *client_new(struct event_base *base, const struct client_callbacks *cb, void *arg, struct err *err)
{
    struct client *c = calloc(1, sizeof *c);

    if (c == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory for a connection");
        return NULL;
    }
    c->base = base;
    c->cb = cb;
    c->arg = arg;
    c->udp = -1;
    return c;
}

/* c, or NULL with err if it has got no control connection. */
static struct client *connected(struct client *c, struct err *err)
{
    if (c->control != NULL)
        return c;
    err_set(err, ERR_INTERNAL, NULL, "out of memory for a connection");
    free(c);
    return NULL;
}

struct client *client_connect(struct event_base *base, const struct link *link, const struct identity *me,
                              const struct client_callbacks *cb, void *arg, struct err *err)
{
    struct client *c = client_new(base, cb, arg, err);
    int fd;

    if (c == NULL)
        return NULL;
    fd = socket_connect(link->host, link->port, CONNECT_MS, &c->to, &c->to_len, err);
    if (fd < 0) {
        free(c);
        return NULL;
    }
    c->control = control_connect(base, fd, me, link->has_key ? link->key : NULL, &control_callbacks, c);
    return connected(c, err);
}

static int connect_local(const char *path, struct err *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    int fd, error;

    if (len >= sizeof to.sun_path)
        return err_set(err, ERR_USAGE, "choose a state folder with a shorter path", "a socket's path is too long: %s",
                       path);
    memcpy(to.sun_path, path, len);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, ERR_INTERNAL, NULL, "cannot open a socket: %s", err_reason(errno));
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    error = errno;
    close(fd);
    if (error == EACCES)
        return err_set(err, ERR_DENIED, "become a member of the group that owns it, or use sudo", "you may not use %s",
                       path);
    return err_set(err, ERR_UNREACHABLE, "is salottod running, and is that its state folder (`--state DIR`)?",
                   "no server at %s: %s", path, err_reason(error));
}

struct client *client_connect_local(struct event_base *base, const char *unix_path, const struct client_callbacks *cb,
                                    void *arg, struct err *err)
{
    struct client *c = client_new(base, cb, arg, err);
    int fd;

    if (c == NULL)
        return NULL;
    fd = connect_local(unix_path, err);
    if (fd < 0) {
        free(c);
        return NULL;
    }
    c->control = control_local(base, fd, &control_callbacks, c);
    if (c->control != NULL)
        control_take_files(c->control);
    return connected(c, err);
}

int client_send(struct client *c, const char *text, size_t len)
{
    return control_send(c->control, text, len);
}

int client_file(struct client *c)
{
    return control_file(c->control);
}

const struct client_stats *client_stats(const struct client *c)
{
    return &c->stats;
}

void client_close(struct client *c)
{
    c->closing = true;
    control_close(c->control, true);
}
