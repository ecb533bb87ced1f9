/* known_servers.h - which key each server showed the first time
 *
 * One line a server, "HOST:PORT KEY" with the key as in links; '#' begins a comment. A client that has no key from
 * the link trusts the first one it is shown, when told to, and refuses another one from then on, as ssh does.
 */
#ifndef SALOTTO_NET_KNOWN_SERVERS_H
#define SALOTTO_NET_KNOWN_SERVERS_H

#include "mixer/err.h"

#include <stdbool.h>
#include <stdint.h>

/* The key kept for host and port. 0, *found says whether there is one (no file: there is none). ERR_STATE when the
 * file can't be read or its line for this server is broken. Where a server has two lines, the last one counts. */
int known_servers_find(const char *path, const char *host, uint16_t port, uint8_t key[32], bool *found,
                       struct err *err);

/* Adds a line; makes the file (0600) and its folder (0700) when absent. ERR_STATE. */
int known_servers_add(const char *path, const char *host, uint16_t port, const uint8_t key[32], struct err *err);

struct known_servers_trust {
    const char *path, *host; /* borrowed */
    uint16_t port;
    bool accept_new; /* take an unknown server without asking */
    /* Asks the person whether this is the right server; NULL: there is nobody to ask. */
    bool (*ask)(const char *server, const uint8_t key[32], void *arg);
    void *ask_arg;
    bool asked;     /* out: the person was asked, which takes its time */
    struct err err; /* out: why not */
};

/* May we talk to the server that shows this key? Decides by the file, or by accept_new or ask for a new one, which is
 * then added. On false t->err is set, as ERR_WRONG_KEY or ERR_STATE. */
bool known_servers_trust(struct known_servers_trust *t, const uint8_t key[32]);

/* An `ask` on the terminal: standard error and standard input. NULL unless both are one. */
bool (*known_servers_terminal(void))(const char *server, const uint8_t key[32], void *arg);

#endif
