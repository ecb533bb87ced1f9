/* keys.c - single keys from the terminal (see keys.h) */
#include "tools/salotto/keys.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static bool is_raw;
static bool asks, reports; /* we want releases; the terminal can tell them */
static struct keyboard keyboard;
static struct event *input, *stopped, *continued;
static const struct keys_callbacks *callbacks;
static void *callback_arg;

bool keys_available(void)
{
    return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* To the terminal, past what standard error may have been given to. */
static void tell_terminal(const char *sequence)
{
    int fd = isatty(STDERR_FILENO) ? STDERR_FILENO : isatty(STDOUT_FILENO) ? STDOUT_FILENO : STDIN_FILENO;

    if (write(fd, sequence, strlen(sequence)) < 0)
        return; /* it is gone, as the next read will tell */
}

static void make_raw(void)
{
    struct termios raw;

    if (is_raw || !keys_available() || tcgetattr(STDIN_FILENO, &before) != 0)
        return;
    raw = before;
    /* Signals by Ctrl-C and Ctrl-Z stay. */
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    if (is_raw && reports)
        tell_terminal(KEYBOARD_BEGIN);
    else if (is_raw && asks)
        tell_terminal(KEYBOARD_ASK);
}

static void restore(void)
{
    if (is_raw && keys_available()) {
        if (reports)
            tell_terminal(KEYBOARD_END);
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    }
    is_raw = false;
}

/* Where keys are reported, what else would have made a signal comes as a key; it is for the whole job, as ever. */
static bool is_signal(const struct key *k)
{
    int number = 0;

    if (k->modifiers != KEY_CTRL)
        return false;
    if (k->code == 'c')
        number = SIGINT;
    else if (k->code == 'z')
        number = SIGTSTP;
    else if (k->code == '\\')
        number = SIGQUIT;
    if (number != 0 && k->kind == KEY_PRESS)
        kill(0, number);
    return number != 0;
}

static void take(unsigned char byte)
{
    struct key key;

    switch (keyboard_take(&keyboard, byte, &key)) {
    case KEYBOARD_KEY:
        if (!is_signal(&key))
            callbacks->key(&key, callback_arg);
        break;
    case KEYBOARD_ANSWER:
        if (!asks || reports)
            break;
        reports = true;
        tell_terminal(KEYBOARD_BEGIN);
        callbacks->releases(callback_arg);
        break;
    case KEYBOARD_NOTHING:
        break;
    }
}

static void on_input(evutil_socket_t fd, short what, void *arg)
{
    unsigned char bytes[64];
    ssize_t n = read((int)fd, bytes, sizeof bytes);

    (void)what;
    (void)arg;
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        event_del(input);
        callbacks->gone(callback_arg);
        return;
    }
    for (ssize_t i = 0; i < n; i++)
        take(bytes[i]);
    keyboard_pause(&keyboard);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    callbacks->stopping(callback_arg);
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

void keys_start(struct event_base *base, bool want_releases, const struct keys_callbacks *cb, void *arg)
{
    if (!keys_available())
        return;
    callbacks = cb;
    callback_arg = arg;
    asks = want_releases;
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
