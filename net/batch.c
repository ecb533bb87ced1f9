/* batch.c - sendmmsg (see batch.h) */
#include "net/batch.h"

#include <errno.h>

void batch_add(struct batch *b, const struct sealed *s, const uint8_t tag_key[SEAL_TAG_KEY_BYTES],
               const union address *to)
{
    unsigned i = b->n++;

    seal_tag(b->tags[i], s, tag_key);
    b->pieces[i][0] = (struct iovec){.iov_base = (void *)s->bytes, .iov_len = s->len};
    b->pieces[i][1] = (struct iovec){.iov_base = b->tags[i], .iov_len = WIRE_STREAM_TAG};
    b->messages[i].msg_hdr = (struct msghdr){
        .msg_name = (void *)&to->any, .msg_namelen = address_len(to), .msg_iov = b->pieces[i], .msg_iovlen = 2};
}

void batch_send(struct batch *b, int fd, struct outlet_stats *stats)
{
    uint64_t sent = 0, bytes = 0, refused = 0;
    unsigned at = 0;

    while (at < b->n) {
        int n = sendmmsg(fd, b->messages + at, b->n - at, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0) {
            for (unsigned end = at + (unsigned)n; at < end; at++, sent++)
                bytes += b->messages[at].msg_len;
        } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
            refused += b->n - at; /* the socket or the machine is full: sound does not wait */
            break;
        } else if (errno != EINTR) {
            refused++; /* this one address is at fault (sendmmsg(2) reports the first failure only at the next call) */
            at++;
        }
    }
    b->n = 0;
    atomic_fetch_add_explicit(&stats->sent, sent, memory_order_relaxed);
    atomic_fetch_add_explicit(&stats->bytes, bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&stats->refused, refused, memory_order_relaxed);
}
