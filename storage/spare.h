/* spare.h - the copies of a database that lie beside it
 *
 * Upgrades leave PATH.vN-backup, restores PATH.before-restore-TIME, and people put copies there by hand. They are known
 * by their first page, not by their names. Nothing here opens a database: only the file system is asked.
 */
#ifndef SALOTTO_STORAGE_SPARE_H
#define SALOTTO_STORAGE_SPARE_H

#include "mixer/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPARE_UPGRADES_MAX 3u /* copies from before an upgrade that are kept */

/* The newest file in PATH's folder, other than PATH, that begins as a database of ours which this program can use.
 * False when there is none. */
bool spare_newest(char *out, size_t max, const char *path);

/* Copies are made under names of this kind ("PATH.NAME" SPARE_UNFINISHED), and removed when a crash has left them. */
#define SPARE_UNFINISHED ".tmp"
void spare_sweep(const char *path);

/* Sets the mend of a database that cannot be used: the command line that restores the newest copy beside it or, where
 * there is none, one that is kept elsewhere. */
void spare_mend(struct err *err, const char *path);

/* PATH.vN-backup. False when it does not fit. */
bool spare_upgrade_name(char *out, size_t max, const char *path, int64_t version);

/* Removes the oldest versions' copies until SPARE_UPGRADES_MAX are left. */
void spare_prune(const char *path);

#endif
