/* args.h - the words of a command line, by the command table's description
 *
 * One parser for the operator's socket, the remote session and the help texts: what a command takes is described once,
 * and usage lines and error messages are made from it.
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
    ARG_COMMAND, /* all words that are left; may be none */
};

enum opt {
    OPT_TITLE = 1 << 0,
    OPT_TO = 1 << 1,
    OPT_ROLE = 1 << 2, /* must be given where allowed */
    OPT_USES = 1 << 3,
    OPT_EXPIRES = 1 << 4,
    OPT_WHY = 1 << 5,
    OPT_ALL = 1 << 6,
    OPT_MAY_UNMUTE = 1 << 7,
    OPT_LIMIT = 1 << 8,
    OPT_YES = 1 << 9, /* carry it out without asking first */
};

struct command;

/* Texts are borrowed from the argv that was parsed. */
struct args {
    const char *room, *person, *title, *why;
    char command[64];
    float gain_db;
    enum stream tier;
    bool on; /* up, on */
    bool has_role;
    enum role role;
    unsigned uses;
    int64_t expires_ms; /* from now on; 0: never */
    bool all, may_unmute, yes;
    unsigned limit;
};

/* argv: an array of strings, of which `from` were the command's name. ERR_USAGE with the usage line as its mend. */
int args_parse(struct args *a, const struct command *c, const json_t *argv, size_t from, struct err *err);

/* "mute ROOM PERSON|--all [--may-unmute] [--why TEXT]" */
void args_usage(char *out, size_t max, const struct command *c);

#endif
