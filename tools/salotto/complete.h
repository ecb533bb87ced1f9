/* complete.h - what salotto offers a shell: its commands, their options, and sound devices
 */
#ifndef SALOTTO_CLIENT_COMPLETE_H
#define SALOTTO_CLIENT_COMPLETE_H

#include <stddef.h>

/* words: as complete_asked() (tools/complete.h) gave them. */
void client_complete(char **words, size_t count);

#endif
