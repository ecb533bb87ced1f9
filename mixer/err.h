/* err.h - the one error path: a code, what went wrong, and what mends it
 *
 * A function that can fail takes a `struct err *` and returns 0 or a negative code. The message is written where the
 * cause is known and travels unchanged to whoever tells the user. The codes are the exit codes of all programs
 * (negated when returned), so that no table translates between them.
 *
 * Any thread; each thread has its own struct err. Not for the tick: formatting is unbounded work.
 */
#ifndef SALOTTO_MIXER_ERR_H
#define SALOTTO_MIXER_ERR_H

enum err_code {
    ERR_NONE = 0,
    ERR_INTERNAL = 1,     /* a fault of ours, or of the machine (out of memory, of descriptors) */
    ERR_USAGE = 2,        /* command line or configuration */
    ERR_NOT_FOUND = 3,    /* no such room or person */
    ERR_DENIED = 4,       /* role, ban, full, invite spent */
    ERR_UNREACHABLE = 5,  /* nobody answers there, or the way there broke */
    ERR_WRONG_KEY = 6,    /* the server is not the one that was pinned */
    ERR_DEVICE = 7,       /* sound device or sound file */
    ERR_STATE = 8,        /* state folder or database */
    ERR_SENT_AWAY = 9,    /* kicked, banned, room ended */
    ERR_REPLACED = 10,    /* the same key joined elsewhere */
    ERR_INTERRUPTED = 11, /* by a signal, before the work was done */
    ERR_IN_USE = 12,      /* port in use or state folder taken */
};

struct err {
    enum err_code code;
    char message[256]; /* one line, no full stop, names the thing */
    char mend[256];    /* what to do about it, one line; empty where nothing helps */
};

/* Fills *err (err may be NULL) and returns -code. mend may be NULL. fmt makes the message; what is too long loses its
 * middle, and both are made plain as by err_plain(). */
int err_set(struct err *err, enum err_code code, const char *mend, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Lets compilers and analyzers see that a failure is never 0. */
#define err_set(err, code, ...) err_result((err_set)(err, code, __VA_ARGS__), code)
static inline int err_result(int set, enum err_code code)
{
    (void)set;
    return -(int)code;
}

/* As err_set(), with the mend formatted by the caller's fmt too: err_mend() adds it to an error already set. */
void err_mend(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes a text from outside fit to be shown, in place: control characters, what turns the direction of writing, and
 * what is no UTF-8 become '?' one by one. So names can't play with a terminal or a log, and the result can always go
 * into JSON. It never gets longer. */
void err_plain(char *text);

/* Marks a text that reaches err_set() or err_mend() by a macro, an array or a choice, so that it is found for
 * translation. */
#define ERR_TEXT(text) text

/* From here on mend and fmt go through `translate`, which returns the words to use in their place (its argument where
 * it knows none), for whom err_for() says. Once, before there are other threads. */
void err_translate_with(const char *(*translate)(const char *text));

/* The words for a text that goes into an error as an argument, and for an errno. */
const char *err_words(const char *text) __attribute__((format_arg(1)));
const char *err_reason(int error);

/* Whom this thread makes errors for, from now on; a mark that means something to `translate` only, NULL at first.
 * Returns the one before. Who hands work to another thread hands this along. */
const void *err_for(const void *whom);
const void *err_reader(void);

/* Copies, so that the copy outlives the original. */
void err_copy(struct err *to, const struct err *from);

#endif
