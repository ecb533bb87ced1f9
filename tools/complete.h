/* complete.h - what a program offers a shell for the word that is being typed
 *
 * Shells ask `PROGRAM --complete WORD...` with the words after the program's name, up to the cursor; the last, perhaps
 * empty, is the one being typed. The answer is a line a candidate, WORD or WORD<TAB>DESCRIPTION; or `:files` or
 * `:folders` where the shell knows better. Whoever presses Tab wants neither errors nor to wait: what cannot be found
 * out at once is not offered, and the exit code is 0.
 *
 * Options are taken from the help text that people read, from its lines "  --option VALUE  what it is for". So the text
 * is the table, and what it does not explain is not offered. One thread.
 */
#ifndef SALOTTO_COMPLETE_H
#define SALOTTO_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

/* What an option's value may be. */
struct complete_value {
    const char *option;             /* "--tier"; NULL ends a table */
    const char *words;              /* with a blank between them, or ":files", ":folders"; NULL: ask */
    void (*ask)(const char *begin); /* offers those that begin so; NULL: nothing is known of it */
};

/* If argv asks for completion, its words (*count of them, at least one): from now on nothing goes to standard error,
 * and the process ends with 0 after two seconds, whatever it waits for. Else NULL. */
char **complete_asked(int argc, char **argv, size_t *count);

/* Offers `word` if it begins with `begin`. One that holds control characters is not fit for a command line. description
 * may be NULL. */
void complete_offer(const char *begin, const char *word, const char *description);

/* Is the word at `at` an option that `help` explains, and takes the next word for its value? */
bool complete_takes_next(const char *help, const char *word);

/* If the last word is an option of `help`, or an option's value by the table, offers what it may become. False when it
 * is neither: then it is for the caller. */
bool complete_option(const char *help, const struct complete_value *values, char **words, size_t count);

#endif
