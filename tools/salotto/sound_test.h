/* sound_test.h - `salotto test`: what one's own sound is like for others
 *
 * Records five seconds (or takes them from a file), sends them through the server's echo room (net/PROTOCOL.md, 2.4),
 * says what came of it, and plays what came back (or writes it to a file).
 */
#ifndef SALOTTO_SOUND_TEST_H
#define SALOTTO_SOUND_TEST_H

#include "mixer/err.h"
#include "tools/salotto/args.h"

/* 0 or a negative code; what was found out by then is printed also when the sound did not come back. */
int sound_test_run(const struct args *args, struct err *err);

#endif
