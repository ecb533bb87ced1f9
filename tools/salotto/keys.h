/* keys.h - single keys from the terminal
 *
 * Puts the terminal into a mode in which keys come at once and unseen, and back at every exit, also by Ctrl-Z and
 * signals (the program's handlers lead to an ordinary exit).
 */
#ifndef SALOTTO_KEYS_H
#define SALOTTO_KEYS_H

struct event_base;

/* Calls pressed() for each key. Does nothing unless standard input is a terminal and we are in its foreground. Once a
 * program. */
void keys_start(struct event_base *base, void (*pressed)(char key, void *arg), void *arg);

/* The terminal as it was. Any number of times. */
void keys_stop(void);

#endif
