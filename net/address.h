/* address.h - where datagrams come from and go to, in the 28 bytes that IPv4 and IPv6 need
 *
 * sockaddr_storage takes 128, and every listener has an address. All zeros (AF_UNSPEC) is "not known".
 */
#ifndef SALOTTO_NET_ADDRESS_H
#define SALOTTO_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Takes over what the kernel gave. False (and *a not known) when it is neither IPv4 nor IPv6, or too short. */
bool address_set(union address *a, const void *sockaddr, socklen_t len);

/* For sendto() and its kin; 0 when not known. */
socklen_t address_len(const union address *a);

static inline bool address_is_known(const union address *a)
{
    return a->any.sa_family != AF_UNSPEC;
}

/* The same host and port? An unknown address equals none. */
bool address_equal(const union address *a, const union address *b);

#endif
