/* control.h - one control connection: hello, Noise IK, and framed JSON texts
 *
 * The same object serves both ends, and also the operator's unix socket, where the frames travel bare. It owns its
 * descriptor and is driven by a libevent loop; all calls and callbacks are on that loop's thread. Bounds: a peer that
 * has not finished the handshake after 10 s, sends a text over CONTROL_TEXT_MAX, or lets more than 4 MiB wait unread
 * is closed. PROTOCOL.md, "Control".
 */
#ifndef SALOTTO_NET_CONTROL_H
#define SALOTTO_NET_CONTROL_H

#include "mixer/err.h"
#include "net/identity.h"
#include "net/seal.h"

#include <stdbool.h>
#include <stddef.h>

#define CONTROL_TEXT_MAX    (4u << 20) /* down; up at most CONTROL_REQUEST_MAX */
#define CONTROL_REQUEST_MAX 65000u

struct event_base;
struct control;

extern unsigned control_handshake_ms; /* 10,000; tests that wait for the time-out set it before they connect */

struct control_callbacks {
    /* Client without a pin: is this the right server? false closes with ERR_WRONG_KEY. */
    bool (*trust)(struct control *c, const uint8_t server_key[32], void *arg);
    /* The peer is proven (server: by the first transport message; client: by message 2). Texts may be sent. */
    void (*ready)(struct control *c, void *arg);
    /* A whole JSON text, borrowed and NUL-terminated. Not parsed here. */
    void (*text)(struct control *c, const char *text, size_t len, void *arg);
    /* Once, last; c is freed after it. err->code is ERR_NONE when the peer simply closed, and after `ready` ERR_DENIED
     * when it read too slowly. */
    void (*closed)(struct control *c, const struct err *err, void *arg);
};

/* Takes fd (non-blocking; connected or, for the client, connecting) in every case, also when NULL is returned (out of
 * memory). identity and callbacks are borrowed for the connection's life. pin NULL asks callbacks.trust. */
struct control *control_accept(struct event_base *base, int fd, const struct identity *server,
                               const struct control_callbacks *cb, void *arg);
struct control *control_connect(struct event_base *base, int fd, const struct identity *me, const uint8_t *pin,
                                const struct control_callbacks *cb, void *arg);
struct control *control_local(struct event_base *base, int fd, const struct control_callbacks *cb, void *arg);

/* Queues a text. 0, or -1: too long, closed, or too much is waiting (the connection is then closed). */
int control_send(struct control *c, const char *text, size_t len);

/* On the operator's socket an open file may travel beside a text (unix(7), SCM_RIGHTS), so that what the server may
 * read reaches someone whose folders it may not write to. As control_send(); fd is taken in every case. One at a time.
 */
int control_send_file(struct control *c, const char *text, size_t len, int fd);

/* The receiving end: says, before the loop runs, that files are taken (others are closed by the kernel); and hands out
 * the newest that came, from the text's callback on. The caller's to close; -1: none. */
void control_take_files(struct control *c);
int control_file(struct control *c);

/* Closes; with flush after what is queued was sent (2 s at the most). callbacks.closed follows, never from within. */
void control_close(struct control *c, bool flush);

/* Stops reading (the peer's socket fills, and it has to wait) and goes on again. The text whose callback called this,
 * or the one behind `ready`, is the last before the pause. */
void control_pause(struct control *c, bool paused);

/* After ready. The peer's Ed25519 key (zeros on the unix socket), and the media keys (NULL there): wiped with the
 * connection, or by control_forget_media_keys() as soon as their owner has its copy. */
const uint8_t *control_peer_key(const struct control *c);
const struct seal_keys *control_media_keys(const struct control *c);
void control_forget_media_keys(struct control *c);

/* "198.51.100.7:51234", "[2001:db8::1]:51234" or "local". For refusals and operators only, never for the log. */
const char *control_peer_address(const struct control *c);

#endif
