/* restore.h - put a backup in the place of database and key, while no daemon runs
 *
 * Everything is made ready in a folder `restoring` inside the state folder: a copy of the backup, checked and brought
 * to this program's version, and the key. Renaming that folder to `restore-TIME` decides it. What follows is only
 * renaming: the old files to *.before-restore-TIME, the new ones into their place. A crash before the decision leaves
 * the old state, and one after it is finished by the next start, so it is never half of each.
 */
#ifndef SALOTTO_SALOTTOD_RESTORE_H
#define SALOTTO_SALOTTOD_RESTORE_H

#include "mixer/err.h"
#include "storage/backup.h"
#include "storage/checkup.h"
#include "tools/salottod/config.h"

struct restore_report {
    struct backup_info info;         /* the key is wiped; made_at_ms 0: the file does not say */
    struct checkup found;            /* in the file. found.found[CHECKUP_AUDIT]: what is wrong with its log */
    int64_t version;                 /* of the file's schema */
    bool replaces_key;               /* the key that was there is another one, and is kept */
    char fingerprint[64];            /* of the server's key from now on; empty: it will be made */
    char kept[CONFIG_PATH_MAX + 64]; /* where the old database is; empty: there was none */
};

/* Restores `file` into c->state. ERR_IN_USE while a daemon runs there, ERR_STATE when the file can't be used or
 * something can't be written: then all is as it was. Run as root it becomes the owner of the state folder, for good, as
 * soon as the file is open, so that what it makes is the daemon's. */
int restore_run(struct restore_report *out, const struct config *c, const char *file, struct err *err);

/* Says on standard output what was done. 0, or ERR_INTERNAL when nobody can be told. */
int restore_print(const struct restore_report *r, const struct config *c, const char *file, struct err *err);

/* At start: ends what a crash cut off, or clears away what was not decided. 0 in the usual case that there is nothing.
 */
int restore_finish(const char *state, struct err *err);

#endif
