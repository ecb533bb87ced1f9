/* completion.h - what may stand where a command line stops
 *
 * Reads a line that is still being typed by the command table: its last word is the one that the cursor is in. Pure:
 * which rooms and people there are, cmd_complete.c finds out.
 */
#ifndef SALOTTO_SALOTTOD_COMPLETION_H
#define SALOTTO_SALOTTOD_COMPLETION_H

#include "tools/salottod/command.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define COMPLETION_WORDS_MAX 64 /* of longer lines nothing is known */

enum wanted { WANT_NOTHING, WANT_COMMAND, WANT_OPTION, WANT_WORD, WANT_ROOM, WANT_PERSON, WANT_FILE };

/* Borrows from the argv that was read. */
struct completion {
    enum wanted wanted;
    const char *word;              /* the last word; a candidate takes its place */
    const char *begin;             /* what is typed of a candidate: all of it, or what follows "--to=" */
    const char *group;             /* WANT_COMMAND: the first of two words, or NULL */
    const char *const *words;      /* WANT_WORD: NULL at the end */
    const struct command *command; /* but for WANT_COMMAND */
    unsigned options;              /* WANT_OPTION: those that are not given yet */
    const char *room;              /* WANT_PERSON */
};

/* argv: an array of strings, of which the line begins at `from`. */
void completion_read(struct completion *c, const json_t *argv, size_t from);

/* Is `candidate` what c->begin may become? */
bool completion_fits(const struct completion *c, const char *candidate);

#endif
