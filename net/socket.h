/* socket.h - opening the server's ports, and looking up a client's
 */
#ifndef SALOTTO_NET_SOCKET_H
#define SALOTTO_NET_SOCKET_H

#include "mixer/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define SOCKET_TCP_MAX    2u
#define SOCKET_UDP_BUFFER (8 << 20) /* bytes wanted: a second of datagrams for some thousands of listeners */

struct server_sockets {
    int udp; /* one socket; IPv6 that also takes IPv4, or IPv4 where the machine has no IPv6 */
    int tcp[SOCKET_TCP_MAX];
    unsigned tcp_count;
    uint16_t port; /* the one in use, the same for both */
};

/* Binds UDP and TCP to the same port of `address` ("" or "*": all addresses; else a literal). port 0 finds one that is
 * free for both. Non-blocking, close-on-exec, large UDP buffers. ERR_IN_USE names the port and the mend. */
int socket_open_server(struct server_sockets *s, const char *address, uint16_t port, struct err *err);
void socket_close_server(struct server_sockets *s);

/* Resolves and connects (non-blocking: the connection may still be under way). *to is the address chosen, for UDP.
 * Tries IPv6 and IPv4 in the resolver's order; which one answers is found by waiting up to timeout_ms. Blocks.
 * Returns the descriptor or a negative code (ERR_UNREACHABLE). */
int socket_connect(const char *host, uint16_t port, unsigned timeout_ms, struct sockaddr_storage *to, socklen_t *to_len,
                   struct err *err);

/* A UDP socket connected to `to`. Descriptor or negative code. */
int socket_udp_to(const struct sockaddr_storage *to, socklen_t to_len, struct err *err);

/* "198.51.100.7:51234", "[2001:db8::1]:51234"; IPv4-mapped addresses as IPv4. */
void socket_print(char *out, size_t max, const struct sockaddr_storage *a);

#endif
