/* source.h - a sound file as a speaker: what it says, and when its packets reach the room
 *
 * Opus as a client sends it: 20 ms, 32 kbit/s, in-band FEC, nothing while its voice gate is closed. A trace delays and
 * loses the packets.
 */
#ifndef SALOTTO_TESTS_LAB_SOURCE_H
#define SALOTTO_TESTS_LAB_SOURCE_H

#include "mixer/err.h"
#include "mixer/ring.h"
#include "tests/lab/trace.h"

#include <stdbool.h>
#include <stdint.h>

struct source;

/* Begins to speak start_ms into the room's life, for place `slot` on the desk. trace is borrowed and may be NULL. NULL
 * with err (ERR_DEVICE: no sound file). */
struct source *source_open(const char *path, double start_ms, unsigned slot, const struct trace *trace,
                           struct err *err);
void source_close(struct source *s);

/* Lays what has arrived by now_ms into the inbox; false with err when the file broke. *voice: there was some. */
bool source_run(struct source *s, double now_ms, struct ring *inbox, bool *voice, struct err *err);

/* Has it said all, and has all of it arrived? */
bool source_is_done(const struct source *s);

const char *source_path(const struct source *s);
unsigned source_slot(const struct source *s);

/* Packets encoded, and those of them that the trace lost. */
uint64_t source_sent(const struct source *s);
uint64_t source_lost(const struct source *s);

#endif
