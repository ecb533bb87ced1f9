/* ask.h - one command to the daemon, one answer back
 */
#ifndef SALOTTOCTL_ASK_H
#define SALOTTOCTL_ASK_H

#include "mixer/err.h"
#include "tools/salottoctl/args.h"

#include <jansson.h>

/* Connects as the options say, sends the words as one line of the command table and waits for the answer. may_ask: the
 * server may answer with a question instead (confirm.h). The answer is new; NULL with err when there was none. An
 * answer that refuses is an answer. A file that it brings (receive.h) has been written when it is returned. With
 * a->looking no key is made or taken for known, nobody is asked and no invite is spent. */
json_t *ask(const struct args *a, char **words, size_t word_count, bool may_ask, struct err *err);

#endif
