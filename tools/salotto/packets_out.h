/* packets_out.h - every stream datagram as it was received (--packets), for whoever looks into the wire
 *
 * Each is preceded by its length, a big-endian u16.
 */
#ifndef SALOTTO_PACKETS_OUT_H
#define SALOTTO_PACKETS_OUT_H

#include "mixer/err.h"

#include <stddef.h>
#include <stdint.h>

struct packets_out;

/* NULL with err (ERR_DEVICE). */
struct packets_out *packets_out_open(const char *path, struct err *err);
int packets_out_write(struct packets_out *p, const uint8_t *datagram, size_t len, struct err *err);

/* NULL is allowed. */
int packets_out_close(struct packets_out *p, struct err *err);

#endif
