/* dbfile.h - the database as a file: whose it is, and whether it is one
 *
 * What can be said before SQLite opens it: the folder exists, the file may be written, nobody else has it, and it
 * begins as a database does. SQLite's own answer to each of these would be "unable to open database file".
 */
#ifndef SALOTTO_STORAGE_DBFILE_H
#define SALOTTO_STORAGE_DBFILE_H

#include "mixer/err.h"

/* Claims the file for this process, and creates it (empty, 0600) where there is none. Returns a descriptor that holds
 * the claim until it is closed (the kernel closes it for a killed process), or a negative code. */
int dbfile_claim(const char *path, struct err *err);

/* The claim alone, without a look at the file: for who replaces it. `taken` is the code when somebody else has it. */
int dbfile_lock(const char *path, enum err_code taken, struct err *err);

/* Puts a folder's names on disk, without which a rename in it is not safe from a crash. 0, or -1 with errno. */
int dbfile_sync_folder(const char *folder);

#endif
