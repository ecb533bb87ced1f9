/* acceptor.h - taking new connections from a listening socket
 *
 * Driven by a libevent loop. When the machine has no descriptor left it pauses for 100 ms instead of spinning on a
 * socket that stays readable.
 */
#ifndef SALOTTO_NET_ACCEPTOR_H
#define SALOTTO_NET_ACCEPTOR_H

#include "mixer/err.h"

#include <sys/types.h>

struct event_base;
struct acceptor;

/* Takes fd (listening, non-blocking) in every case. `accepted` gets each new connection's descriptor, non-blocking and
 * close-on-exec, and owns it. `paused` is called whenever no descriptor was left. NULL when out of memory. */
struct acceptor *acceptor_new(struct event_base *base, int fd, void (*accepted)(int fd, void *arg),
                              void (*paused)(void *arg), void *arg);
void acceptor_free(struct acceptor *l);

/* The file of a unix socket, so that only our own one is ever removed. */
struct acceptor_file {
    char path[108]; /* sun_path's size (unix(7)); empty: none */
    dev_t device;
    ino_t inode;
};

/* Listens on a unix socket at path, mode 0660 from the first moment at which anybody can connect. A socket file that
 * nobody answers is replaced; a live one is refused with ERR_IN_USE, anything else there with ERR_STATE. Returns the
 * descriptor or a negative code. */
int acceptor_open_unix(const char *path, struct acceptor_file *file, struct err *err);
void acceptor_remove_unix(const struct acceptor_file *file);

#endif
