/* keys.h - single keys from the terminal
 *
 * Puts the terminal into a mode in which keys come at once and unseen, and back at every exit, also by Ctrl-Z and
 * signals (the program's handlers lead to an ordinary exit). Where wanted it has the terminal report when keys are let
 * go, if that can (keyboard.h).
 */
#ifndef SALOTTO_KEYS_H
#define SALOTTO_KEYS_H

#include "tools/salotto/keyboard.h"

#include <stdbool.h>

struct event_base;

struct keys_callbacks {
    void (*key)(const struct key *key, void *arg);
    /* The terminal will report releases; before the first of them. */
    void (*releases)(void *arg);
    /* The program is about to be stopped by Ctrl-Z, and the terminal another's. */
    void (*stopping)(void *arg);
    /* The terminal is gone. No key comes any more. */
    void (*gone)(void *arg);
};

/* Is standard input a terminal, and are we in its foreground? */
bool keys_available(void);

/* Does nothing unless keys_available(). Once a program. */
void keys_start(struct event_base *base, bool want_releases, const struct keys_callbacks *cb, void *arg);

/* The terminal as it was. Any number of times. */
void keys_stop(void);

#endif
