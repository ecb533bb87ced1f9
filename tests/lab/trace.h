/* trace.h - what a network did to packets, read from a file
 *
 * A line a packet, 20 ms of sound each: `NUMBER SENT_MS ARRIVED_MS` or `NUMBER SENT_MS lost`, numbered from 0, both
 * times of the receiver's clock; a line that begins with # is a comment. Packets beyond the file's end are sent every
 * 20 ms and take 40 ms.
 */
#ifndef SALOTTO_TESTS_LAB_TRACE_H
#define SALOTTO_TESTS_LAB_TRACE_H

#include "mixer/err.h"

#include <stdbool.h>

struct trace;

/* NULL with err: ERR_DEVICE (unreadable), ERR_USAGE (not such a file; the line is named). */
struct trace *trace_read(const char *path, struct err *err);
void trace_free(struct trace *t);

/* When packet n is sent, and when it arrives; false: it is lost. t may be NULL: a perfect line without transit. */
bool trace_packet(const struct trace *t, unsigned n, double *sent_ms, double *arrived_ms);

#endif
