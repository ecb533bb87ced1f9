/* complete.h - what salottoctl offers a shell: its own options, and what the daemon says of the rest
 *
 * Asking changes nothing: no key is made, no server is taken for known, no invite is spent.
 */
#ifndef SALOTTOCTL_COMPLETE_H
#define SALOTTOCTL_COMPLETE_H

#include <stddef.h>

/* usage: the text that explains salottoctl's own options. words: as complete_asked() (tools/complete.h) gave them; they
 * are reordered. */
void ctl_complete(const char *usage, char **words, size_t count);

#endif
