/* permission.h - who may do what to whom: the one place that knows
 *
 * Roles are ranks (storage/members.h). A command asks for a least rank; nobody acts on someone of their own rank or
 * above; nobody gives a role of their own rank or above, except that a host may name another host. The operator may
 * all.
 */
#ifndef SALOTTO_SALOTTOD_PERMISSION_H
#define SALOTTO_SALOTTOD_PERMISSION_H

#include "mixer/err.h"
#include "storage/members.h"

#include <stdbool.h>

/* May `actor` do something that asks for `least`? what: the command's name, for the message. */
int permission_rank(enum role actor, enum role least, const char *what, struct err *err);

/* May `actor` do it to someone of rank `target`? whom: their handle. */
int permission_over(enum role actor, enum role target, const char *what, const char *whom, struct err *err);

/* May `actor` give the role `given`? */
int permission_give(enum role actor, enum role given, struct err *err);

#endif
