/* ogg_out.h - what was heard, as an Ogg/Opus file of the packets as they came
 *
 * RFC 7845. Nothing is decoded or encoded again. Where no packet came, the file says so by packets that ask the player
 * to conceal (RFC 7845 section 4.1), so the time in it stays true. A page is written each second at least, so a file
 * that is cut off plays to its last page.
 */
#ifndef SALOTTO_OGG_OUT_H
#define SALOTTO_OGG_OUT_H

#include "mixer/err.h"

#include <stddef.h>
#include <stdint.h>

struct ogg_out;

/* NULL with err (ERR_DEVICE). */
struct ogg_out *ogg_out_open(const char *path, struct err *err);

/* Appends a packet of `samples` at `position`, which must not lie before the end of the last one. heard_from: what is
 * before this position is for the decoder to warm on only; the first packet's counts. 0 or ERR_DEVICE. */
int ogg_out_packet(struct ogg_out *o, const uint8_t *opus, size_t bytes, uint64_t position, unsigned samples,
                   uint64_t heard_from, struct err *err);

/* Finishes and frees. 0 or ERR_DEVICE. NULL is allowed. */
int ogg_out_close(struct ogg_out *o, struct err *err);

#endif
