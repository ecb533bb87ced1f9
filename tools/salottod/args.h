/* args.h - the words of a command line, by the command table's description
 *
 * One parser for the operator's socket, the remote session and the help texts: what a command takes is described once,
 * and usage lines, help and error messages are made from it. To add an option: its bit in enum opt, its row in the
 * table of args.c, its case in set_option() and what it sets in struct args.
 */
#ifndef SALOTTO_SALOTTOD_ARGS_H
#define SALOTTO_SALOTTOD_ARGS_H

#include "mixer/err.h"
#include "mixer/tape.h"
#include "storage/members.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define ARGS_POSITIONAL_MAX 3

enum arg {
    ARG_NONE = 0,
    ARG_ROOM,
    ARG_PERSON, /* may be left out with --all where OPT_ALL is allowed */
    ARG_DB,
    ARG_TIER,
    ARG_UP_DOWN,
    ARG_ON_OFF,
    ARG_FILE,    /* a file of the caller's own, which the answer brings and their tool writes */
    ARG_COMMAND, /* all words that are left; may be none */
    ARG_WORDS,   /* all that is left, options too, as it stands */
};

enum opt {
    OPT_TITLE = 1 << 0,
    OPT_TO = 1 << 1,
    OPT_ROLE = 1 << 2,
    OPT_USES = 1 << 3,
    OPT_EXPIRES = 1 << 4,
    OPT_WHY = 1 << 5,
    OPT_ALL = 1 << 6,
    OPT_MAY_UNMUTE = 1 << 7,
    OPT_LIMIT = 1 << 8,
    OPT_WITHOUT_KEY = 1 << 9,
    OPT_YES = 1 << 10, /* carry it out without asking first */
};

/* What stands in a fixed place of a command line. */
struct args_positional {
    const char *name;         /* in usage lines */
    const char *const *words; /* the only ones that may stand there, NULL at the end; NULL: any */
    const char *help;         /* one line */
};

struct args_option {
    enum opt opt;
    bool must; /* be given where it is allowed */
    const char *name;
    const char *value;        /* its name in usage lines; NULL: a switch */
    const char *const *words; /* the only values there are, NULL at the end; NULL: any */
    const char *help;         /* one line */
};

struct command;

/* Texts are borrowed from the argv that was parsed. */
struct args {
    const char *room, *person, *title, *why, *file;
    char command[64];
    float gain_db;
    enum stream tier;
    bool on; /* up, on */
    bool has_role;
    enum role role;
    unsigned uses;
    int64_t expires_ms; /* from now on; 0: never */
    bool all, may_unmute, yes, without_key;
    unsigned limit;
    size_t words; /* ARG_WORDS: where in argv they begin */
};

/* argv: an array of strings, of which `from` were the command's name. ERR_USAGE with the usage line as its mend. */
int args_parse(struct args *a, const struct command *c, const json_t *argv, size_t from, struct err *err);

/* What there is to know of each option, in the order of usage lines, and of what stands in a fixed place. */
const struct args_option *args_options(size_t *count);
const struct args_positional *args_positional(enum arg arg);

/* The option that `word` names ("--to", "--to=host") among those of `allowed` (a set of enum opt); NULL: none. What
 * stands behind '=' is *value, else NULL. */
const struct args_option *args_option_named(const char *word, unsigned allowed, const char **value);

/* "mute ROOM PERSON|--all [--may-unmute] [--why TEXT]" */
void args_usage(char *out, size_t max, const struct command *c);

#endif
