/* acceptor.c - accepting connections (see acceptor.h) */
#include "net/acceptor.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ACCEPT_BATCH 64
#define BACKLOG      64

struct acceptor {
    struct event *readable, *resume;
    int fd;
    void (*accepted)(int fd, void *arg);
    void (*paused)(void *arg);
    void *arg;
};

static void on_readable(evutil_socket_t listening, short what, void *arg)
{
    static const struct timeval pause = {.tv_usec = 100000};
    struct acceptor *l = arg;

    (void)what;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            l->accepted(fd, l->arg);
            continue;
        }
        /* accept(2): errors of the new connection come up here too, and mean only "try the next one". */
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            l->paused(l->arg);
            event_del(l->readable);
            event_add(l->resume, &pause);
            return;
        }
        if (errno == EAGAIN)
            return;
    }
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct acceptor *l = arg;

    (void)fd, (void)what;
    event_add(l->readable, NULL);
}

struct acceptor *acceptor_new(struct event_base *base, int fd, void (*accepted)(int fd, void *arg),
                              void (*paused)(void *arg), void *arg)
{
    struct acceptor *l = calloc(1, sizeof *l);

    if (l == NULL) {
        close(fd);
        return NULL;
    }
    *l = (struct acceptor){.fd = fd, .accepted = accepted, .paused = paused, .arg = arg};
    l->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, l);
    l->resume = evtimer_new(base, on_resume, l);
    if (l->readable == NULL || l->resume == NULL || event_add(l->readable, NULL) != 0) {
        acceptor_free(l);
        return NULL;
    }
    return l;
}

void acceptor_free(struct acceptor *l)
{
    if (l == NULL)
        return;
    if (l->readable != NULL)
        event_free(l->readable);
    if (l->resume != NULL)
        event_free(l->resume);
    close(l->fd);
    free(l);
}

/* 1: somebody listens there, 0: nobody, and the way is free; or a negative code. */
static int probe(const struct sockaddr_un *at, struct err *err)
{
    struct stat st;
    int fd, rc;

    if (lstat(at->sun_path, &st) != 0)
        return errno == ENOENT ? 0
                               : err_set(err, ERR_STATE, "check the folder and its permissions", "%s: %s", at->sun_path,
                                         err_reason(errno));
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, ERR_STATE, "move it away, or choose another place for the socket",
                       "%s exists and is no socket", at->sun_path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, ERR_INTERNAL, NULL, "no socket for %s: %s", at->sun_path, err_reason(errno));
    rc = connect(fd, (const struct sockaddr *)at, sizeof *at) == 0 || errno != ECONNREFUSED;
    close(fd);
    if (rc == 0 && unlink(at->sun_path) != 0 && errno != ENOENT)
        return err_set(err, ERR_STATE, "remove it by hand", "the stale socket %s cannot be removed: %s", at->sun_path,
                       err_reason(errno));
    return rc;
}

int acceptor_open_unix(const char *path, struct acceptor_file *file, struct err *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct stat st;
    int fd, rc;

    memset(file, 0, sizeof *file);
    if (strlen(path) >= sizeof at.sun_path)
        return err_set(err, ERR_USAGE, "choose a shorter path for the state folder",
                       "a unix socket's path has at most %zu bytes, this has %zu", sizeof at.sun_path - 1,
                       strlen(path));
    memcpy(at.sun_path, path, strlen(path) + 1);
    rc = probe(&at, err);
    if (rc < 0)
        return rc;
    if (rc == 1)
        return err_set(err, ERR_IN_USE, "stop it, or give this one another state folder",
                       "another salottod listens on %s", path);

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, ERR_INTERNAL, NULL, "no socket for %s: %s", path, err_reason(errno));
    /* The umask of the moment decides the file's mode at bind(), so it is set before anybody can connect: that begins
     * with listen(). */
    if (bind(fd, (const struct sockaddr *)&at, sizeof at) != 0) {
        rc = err_set(err, errno == EADDRINUSE ? ERR_IN_USE : ERR_STATE, "check the folder and its permissions",
                     "%s: %s", path, err_reason(errno));
        goto fail;
    }
    memcpy(file->path, path, strlen(path) + 1);
    if (lstat(at.sun_path, &st) != 0 || chmod(at.sun_path, 0660) != 0 || listen(fd, BACKLOG) != 0) {
        rc = err_set(err, ERR_STATE, "check the folder and its permissions", "%s: %s", at.sun_path, err_reason(errno));
        unlink(at.sun_path);
        file->path[0] = '\0';
        goto fail;
    }
    file->device = st.st_dev;
    file->inode = st.st_ino;
    return fd;

fail:
    close(fd);
    return rc;
}

void acceptor_remove_unix(const struct acceptor_file *file)
{
    struct stat st;

    if (file->path[0] != '\0' && lstat(file->path, &st) == 0 && st.st_dev == file->device && st.st_ino == file->inode)
        unlink(file->path);
}
