/* admit.h - what an invite does for the person who shows it
 */
#ifndef SALOTTO_SALOTTOD_ADMIT_H
#define SALOTTO_SALOTTOD_ADMIT_H

#include "storage/members.h"

/* Storage thread, inside a job. Spends a use of the invite for m's person, who is known, and gives its role if that is
 * higher than theirs: the first time only, so that showing it again brings back no role that was taken away. *m is the
 * standing after it. ERR_DENIED as invites_use(). */
int admit_by_invite(struct db *db, int64_t room, const char *token, struct member *m, struct err *err);

#endif
