/* backup.h - a whole copy of a database in one file
 *
 * Made with SQLite's online backup while others go on writing: the copy is one moment's. It is a plain database without
 * a log, which sqlite3 can read. One that is to be restored on another machine also holds a table of its own,
 * backup_info, with the server's key, since links name that key.
 */
#ifndef SALOTTO_STORAGE_BACKUP_H
#define SALOTTO_STORAGE_BACKUP_H

#include "storage/db.h"

#include <stdbool.h>
#include <stdint.h>

#define BACKUP_KEY_BYTES   32 /* an Ed25519 seed, as in the file server.key */
#define BACKUP_VERSION_MAX 24

struct backup_info {
    int64_t made_at_ms;
    char version[BACKUP_VERSION_MAX + 1]; /* of the program */
    bool has_key;
    uint8_t key[BACKUP_KEY_BYTES];
};

/* Called now and then with how much is done, in pages; false ends it. all is 0 when the copy is only checked any more.
 */
typedef bool backup_go_on(void *arg, int64_t done, int64_t all);

/* Copies `from` (between transactions, or in db_begin_reading()) to `path`, which must not be there yet: made 0600,
 * checked, synced. info NULL: the database alone. On failure nothing is left at path. */
int backup_write(struct db *from, const char *path, const struct backup_info *info, backup_go_on *go_on, void *arg,
                 struct err *err);

/* What a copy says of itself: 1 when it has that table, 0 when not. / Takes the table, the key in it, out of it. */
int backup_read_info(struct db *db, struct backup_info *info, struct err *err);
int backup_drop_info(struct db *db, struct err *err);

#endif
