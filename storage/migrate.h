/* migrate.h - bring a database to the version this program knows
 */
#ifndef SALOTTO_STORAGE_MIGRATE_H
#define SALOTTO_STORAGE_MIGRATE_H

#include "storage/db.h"

/* Runs those of the scripts that `user_version` says are missing (script n brings version n to n + 1), all in one
 * transaction: afterwards the database is at version `count`, or, when one fails, as it was, and err says which. A
 * version above count: ERR_STATE. A database that has a version already is copied to PATH.vN-backup before (spare.h);
 * when that fails, nothing is migrated. */
int migrate_run(struct db *db, const char *const *scripts, unsigned count, struct err *err);

#endif
