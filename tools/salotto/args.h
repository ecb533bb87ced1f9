/* args.h - the client's command line
 */
#ifndef SALOTTO_ARGS_H
#define SALOTTO_ARGS_H

#include "mixer/err.h"
#include "mixer/tape.h"
#include "net/link.h"

#include <stdbool.h>

enum args_command { ARGS_LISTEN, ARGS_SPEAK, ARGS_TEST, ARGS_DEVICES, ARGS_ID, ARGS_HELP, ARGS_VERSION };

struct args {
    enum args_command command;
    enum args_command help_on; /* ARGS_HELP: of which command; ARGS_HELP itself: of all */
    struct link link;          /* ARGS_ID: host[0] '\0' without one */
    enum stream tier;
    const char *input, *output, *packets; /* NULL: not given */
    const char *device, *identity;
    char handle[LINK_ROOM_MAX + 1];
    bool loop, accept_new, json, ptt;
    double seconds; /* 0: no end */
};

/* ERR_USAGE with what to type instead. The strings point into argv. */
int args_parse(struct args *a, int argc, char **argv, struct err *err);

/* The command of that name, or -1. */
int args_command(const char *word);

/* Makes a handle of any name: its letters in lower case, what may not be in it as '-', at most 32, a letter first. */
void args_handle_of(char out[LINK_ROOM_MAX + 1], const char *name);

#endif
