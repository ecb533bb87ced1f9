/* progress.h - a line for who waits longer than a second
 *
 * On standard error, only where that is a terminal, cut to its width, and gone before anything else is printed.
 */
#ifndef SALOTTOCTL_PROGRESS_H
#define SALOTTOCTL_PROGRESS_H

/* From here on the program waits for something that may block ("asking radio.example"): a second later a line says so,
 * unless progress_clear() or progress_show() came before. A thread of its own waits, so that nothing else must run. */
void progress_expect(const char *what);

/* "copying the database: 42 %"; without a percentage where all is 0. Nothing in the first second of the process, and
 * then at most ten times a second. doing is made plain (err_plain()). */
void progress_show(const char *doing, unsigned long long done, unsigned long long all);

/* Erases the line, and waits for nothing any more. */
void progress_clear(void);

#endif
