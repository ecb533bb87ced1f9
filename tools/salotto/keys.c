/* keys.c - single keys from the terminal (see keys.h) */
#include "tools/salotto/keys.h"

#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static bool is_raw;
static struct event *input, *stopped, *continued;
static void (*callback)(char key, void *arg);
static void *callback_arg;

static bool in_foreground(void)
{
    return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void make_raw(void)
{
    struct termios raw;

    if (is_raw || !in_foreground() || tcgetattr(STDIN_FILENO, &before) != 0)
        return;
    raw = before;
    /* Signals by Ctrl-C and Ctrl-Z stay. */
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void restore(void)
{
    if (is_raw && in_foreground())
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    is_raw = false;
}

static void on_input(evutil_socket_t fd, short what, void *arg)
{
    char keys[16];
    ssize_t n = read((int)fd, keys, sizeof keys);

    (void)what;
    (void)arg;
    if (n <= 0) { /* the terminal is gone; its signal comes only to those whose session it was */
        event_del(input);
        raise(SIGHUP);
        return;
    }
    for (ssize_t i = 0; i < n; i++)
        callback(keys[i], callback_arg);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    restore();
    raise(SIGSTOP);
}

static void on_continue(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    make_raw();
}

void keys_start(struct event_base *base, void (*pressed)(char key, void *arg), void *arg)
{
    if (!in_foreground())
        return;
    callback = pressed;
    callback_arg = arg;
    input = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, NULL);
    stopped = evsignal_new(base, SIGTSTP, on_stop, NULL);
    continued = evsignal_new(base, SIGCONT, on_continue, NULL);
    if (input == NULL || stopped == NULL || continued == NULL) {
        keys_stop(); /* without keys the rest still works */
        return;
    }
    atexit(keys_stop);
    make_raw();
    event_add(input, NULL);
    event_add(stopped, NULL);
    event_add(continued, NULL);
}

static void drop(struct event **e)
{
    if (*e != NULL)
        event_free(*e);
    *e = NULL;
}

void keys_stop(void)
{
    drop(&input);
    drop(&stopped);
    drop(&continued);
    restore();
}
