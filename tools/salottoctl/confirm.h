/* confirm.h - a question before an act on many people
 *
 * Asked on the terminal itself, so that it is seen whatever standard output is redirected to. Where standard input is
 * no terminal nobody is asked: a script means what it says.
 */
#ifndef SALOTTOCTL_CONFIRM_H
#define SALOTTOCTL_CONFIRM_H

#include "mixer/err.h"

#include <stdbool.h>

/* Is there somebody to ask? */
bool confirm_possible(void);

/* Shows what would happen (a sentence, made plain here) and asks whether to go on. 0, or ERR_INTERRUPTED: no, nothing
 * that means yes, the end of input, or Ctrl-C. */
int confirm(const char *what, struct err *err);

#endif
