/* progress.h - a line for who waits longer than a second
 *
 * On standard error, only where that is a terminal, and gone before anything else is printed.
 */
#ifndef SALOTTOCTL_PROGRESS_H
#define SALOTTOCTL_PROGRESS_H

/* "copying the database: 42 %"; without a percentage where all is 0. Nothing in the first second of the process, and
 * then at most ten times a second. doing is cleaned of control characters. */
void progress_show(const char *doing, unsigned long long done, unsigned long long all);
void progress_clear(void);

#endif
