/* receive.h - the file that an answer brings
 *
 * The daemon may not write outside its own folder, and whoever asks may not read in there: so it hands over an open
 * file, whose bytes are written here, as the one who asked. The file is there whole or not at all.
 */
#ifndef SALOTTOCTL_RECEIVE_H
#define SALOTTOCTL_RECEIVE_H

#include "mixer/err.h"

#include <stdbool.h>

/* May `name` be written? It must be one of the words that were typed, or a daemon could choose what is overwritten; and
 * it must not be there yet, unless `force`. 0, ERR_USAGE, or ERR_STATE (nobody may write there). */
int receive_allowed(const char *name, char *const *words, unsigned word_count, bool force, struct err *err);

/* Copies fd (closed in every case) to `name`: beside it first (0600), synced, then renamed. SIGINT and SIGTERM end it
 * with ERR_INTERRUPTED and nothing is left behind. */
int receive_file(const char *name, int fd, bool force, struct err *err);

#endif
