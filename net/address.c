/* address.c - compact socket addresses (see address.h) */
#include "net/address.h"

#include <string.h>

bool address_set(union address *a, const void *sockaddr, socklen_t len)
{
    const struct sockaddr *from = sockaddr;

    memset(a, 0, sizeof *a);
    if (len >= sizeof a->v4 && from->sa_family == AF_INET)
        memcpy(&a->v4, sockaddr, sizeof a->v4);
    else if (len >= sizeof a->v6 && from->sa_family == AF_INET6)
        memcpy(&a->v6, sockaddr, sizeof a->v6);
    return address_is_known(a);
}

socklen_t address_len(const union address *a)
{
    if (a->any.sa_family == AF_INET)
        return sizeof a->v4;
    return a->any.sa_family == AF_INET6 ? sizeof a->v6 : 0;
}

bool address_equal(const union address *a, const union address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    /* The scope tells apart two neighbours with the same link-local address; the flow label tells apart nobody. */
    return a->any.sa_family == AF_INET6 && a->v6.sin6_port == b->v6.sin6_port &&
           a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
           memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}
