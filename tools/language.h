/* language.h - messages in the reader's language (gettext)
 *
 * The programs are written in English; etc/po/LL.po holds the words of another language. Each language is a text
 * domain of its own ("salotto-it"), looked up under the locale C.UTF-8 that every Debian has. So a language needs no
 * locale installed on the machine that prints it, and one process can speak several at a time: each thread has the one
 * it was last given. The daemon uses that to answer every caller in theirs, while its log stays English.
 *
 * language_start() once, before there are other threads; all else on any thread, but not on a room's tick: a lookup
 * takes gettext's lock.
 */
#ifndef SALOTTO_TOOLS_LANGUAGE_H
#define SALOTTO_TOOLS_LANGUAGE_H

struct language;

/* The text in this thread's language, or itself when there is no translation. Both live as long as the program. */
#define _(text)  language_text(text)

/* Marks a text that is translated elsewhere, where it is used. */
#define N_(text) text

const char *language_text(const char *text) __attribute__((format_arg(1)));

/* As _(), for a text that holds the number n: `one` and `many` are the English forms, other languages may have more. */
const char *language_plural(const char *one, const char *many, unsigned long n)
    __attribute__((format_arg(1), format_arg(2)));

/* Takes characters and times from the environment's locale (numbers stay as scripts know them), falls back to C.UTF-8
 * where the locale is not UTF-8 or not installed, finds the languages there are, and makes this thread speak the
 * environment's; err_set() and err_mend() speak the thread's language from here on.
 * share: the folder that holds locale/ and salotto/; NULL: ../share beside the running program's folder. */
void language_start(const char *share);

/* The language that a wish asks for: codes in the order of liking with ':' between them, as in the variable LANGUAGE
 * ("it", "it_IT.UTF-8", "de:it:en"). NULL is English: asked for, or nothing there that was. Wishes come from outside.
 */
const struct language *language_pick(const char *wish);

/* Makes this thread speak a language (NULL: English) and returns the one before. It is err.h's reader: storage jobs
 * take it along. */
const struct language *language_use(const struct language *l);
const struct language *language_now(void);

/* The code of the language that this thread speaks, such as "it". */
const char *language_code(void);

#endif
