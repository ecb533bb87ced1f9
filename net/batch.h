/* batch.h - up to 64 datagrams for the kernel in one system call
 *
 * Each is the shared bytes of a sealed packet and the tag of one listener. What is referred to (sealed packet, address)
 * must stay until batch_send().
 */
#ifndef SALOTTO_NET_BATCH_H
#define SALOTTO_NET_BATCH_H

#include "net/address.h"
#include "net/outlet_udp.h"
#include "net/seal.h"

#include <sys/socket.h>
#include <sys/uio.h>

#define BATCH_MAX 64u

struct batch {
    unsigned n;
    struct mmsghdr messages[BATCH_MAX];
    struct iovec pieces[BATCH_MAX][2];
    uint8_t tags[BATCH_MAX][WIRE_STREAM_TAG];
};

/* There must be room (n < BATCH_MAX). */
void batch_add(struct batch *b, const struct sealed *s, const uint8_t tag_key[SEAL_TAG_KEY_BYTES],
               const union address *to);

/* Hands all to the kernel and empties the batch. Never waits: what the kernel does not take is counted as refused. */
void batch_send(struct batch *b, int fd, struct outlet_stats *stats);

#endif
