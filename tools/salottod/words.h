/* words.h - what roles and the like are called in sentences and tables
 *
 * In the language of whom the thread speaks for (tools/language.h). On a command line, in data and in the database a
 * role is always role_name().
 */
#ifndef SALOTTO_SALOTTOD_WORDS_H
#define SALOTTO_SALOTTOD_WORDS_H

#include "storage/members.h"

/* "moderator": after "is now", as the one to ask, or in a table. */
const char *words_role(enum role r);

#endif
