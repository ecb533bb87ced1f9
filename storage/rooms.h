/* rooms.h - rooms: a name, a title, open or ended
 *
 * One thread, inside the caller's transaction. Names are checked by the caller.
 */
#ifndef SALOTTO_STORAGE_ROOMS_H
#define SALOTTO_STORAGE_ROOMS_H

#include "storage/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROOM_NAME_MAX  32
#define ROOM_TITLE_MAX 120 /* bytes of UTF-8 */

enum room_policy { ROOM_OPEN, ROOM_MEMBERS, ROOM_INVITED };

struct room_row {
    int64_t id;
    char name[ROOM_NAME_MAX + 1];
    char title[ROOM_TITLE_MAX + 1];
    enum room_policy policy;
    bool ended;
    int64_t created_ms;
};

/* New room, or an ended one opened again (roles and bans kept; a title given replaces the old). *reopened says which.
 * ERR_DENIED when an open one of that name exists. title may be NULL. */
int rooms_create(struct db *db, const char *name, const char *title, struct room_row *out, bool *reopened,
                 struct err *err);

/* ERR_NOT_FOUND with the nearest name in the mend; an ended room is found (look at out->ended). */
int rooms_find(struct db *db, const char *name, struct room_row *out, struct err *err);

int rooms_end(struct db *db, int64_t room, struct err *err);

/* All rooms that are not ended (or all), by name. *rows is malloc'd, the caller frees it. */
int rooms_list(struct db *db, bool ended_too, struct room_row **rows, size_t *count, struct err *err);

#endif
