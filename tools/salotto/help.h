/* help.h - what `salotto help` says
 */
#ifndef SALOTTO_HELP_H
#define SALOTTO_HELP_H

#include "tools/salotto/args.h"

/* Of one command; ARGS_HELP: of all. Holds until the next call. One thread. */
const char *help_text(enum args_command command);

#endif
