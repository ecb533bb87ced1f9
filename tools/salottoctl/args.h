/* args.h - salottoctl's own options, and the words that are the daemon's
 */
#ifndef SALOTTOCTL_ARGS_H
#define SALOTTOCTL_ARGS_H

#include "mixer/err.h"

#include <stdbool.h>
#include <stddef.h>

#define ARGS_SOCKET "/run/salotto/control.sock"

struct args {
    const char *state;    /* --state: its control.sock; NULL: ARGS_SOCKET */
    const char *server;   /* --server: a link; NULL: the operator's socket */
    const char *identity; /* --identity; NULL: the usual one */
    bool accept_new, json, help, version;
    bool force;   /* --force: a file that the answer brings may replace one */
    bool looking; /* not an option: ask, but leave nothing changed (complete.h) */
    char **words; /* of the command, as given, in the argv that was parsed */
    size_t word_count;
};

/* Takes salottoctl's own options out of argv (wherever they stand, up to "--") and leaves the command's words in
 * order. An unknown option before the first word is ERR_USAGE, a later one is the command's. argv must outlive a. */
int args_parse(struct args *a, int argc, char **argv, struct err *err);

#endif
