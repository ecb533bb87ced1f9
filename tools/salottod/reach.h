/* reach.h - where a host name leads, and who answers there
 *
 * Blocks, within bounds; for a chore. A name server that does not answer is left behind after a while.
 */
#ifndef SALOTTO_SALOTTOD_REACH_H
#define SALOTTO_SALOTTOD_REACH_H

#include <stdbool.h>
#include <stdint.h>

enum reach_name { REACH_RESOLVED, REACH_UNKNOWN, REACH_SILENT }; /* no such name; no answer in time */
enum reach_hello { REACH_OURS, REACH_OTHER, REACH_NOBODY };      /* another server's key, or no Salotto server */

struct reach {
    enum reach_name name;
    char address[64]; /* the first that it leads to */
    bool loopback;    /* 127.0.0.1, ::1 */
    bool local;       /* of a local network: not reachable from elsewhere as such (RFC 1918, RFC 4193, RFC 6598) */
    bool own;         /* an address of this machine */
    enum reach_hello hello;
};

/* Looks host up and asks its first address for a server's hello at port. key is ours. go_on(arg) false ends it early,
 * with whatever is known. */
void reach_look(struct reach *r, const char *host, uint16_t port, const uint8_t key[32], bool (*go_on)(void *arg),
                void *arg);

#endif
