/* log.h - what the daemon tells the journal
 *
 * One line on standard error: the priority in angle brackets as journald reads it (sd-daemon(3)), a sentence, then
 * key=value fields. On a terminal the priority is a word instead. Never speech, keys or tokens; never a person's
 * address.
 *
 * main and the start-up of threads only; never on a room's tick.
 */
#ifndef SALOTTO_SALOTTOD_LOG_H
#define SALOTTO_SALOTTOD_LOG_H

#include "mixer/err.h"

enum log_priority { LOG_ERROR_LINE = 3, LOG_WARNING_LINE = 4, LOG_NOTICE_LINE = 5, LOG_INFO_LINE = 6 };

/* fmt makes the sentence and its fields: log_line(LOG_INFO_LINE, "room opened room=%s", name). The result is made plain
 * as by err_plain(). Never waits: what standard error does not take at once is counted, and told when it takes again.
 */
void log_line(enum log_priority p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* An err as one line: its message, then what was being done, then the mend. */
void log_err(enum log_priority p, const struct err *err);

#endif
