/* people.h - persons: a public key and the handle it goes by
 *
 * One thread (the storage thread in the daemon), inside the caller's transaction. Handles: 1–32 of a–z, 0–9, '-', a
 * letter first; checked by the caller.
 */
#ifndef SALOTTO_STORAGE_PEOPLE_H
#define SALOTTO_STORAGE_PEOPLE_H

#include "storage/db.h"

#include <stdbool.h>
#include <stdint.h>

#define PERSON_HANDLE_MAX 32

struct person {
    int64_t id; /* row number; 0: the operator */
    uint8_t key[32];
    char handle[PERSON_HANDLE_MAX + 1];
};

/* The person of this key; when new, with that handle. A known person asking for another handle is renamed when that is
 * free. A handle that another key holds: ERR_DENIED, with a free suggestion in err->mend. An empty handle keeps the one
 * there is (new persons then get "guest-" and the first of their key's text). Writes only when something changes. */
int people_enter(struct db *db, const uint8_t key[32], const char *handle, struct person *out, struct err *err);

/* By handle, or by a prefix of the key's base64url text of at least 4 characters that fits one person only.
 * ERR_NOT_FOUND (with the nearest handle in the mend), ERR_USAGE when ambiguous (naming the candidates). */
int people_find(struct db *db, const char *handle_or_key, struct person *out, struct err *err);
int people_by_key(struct db *db, const uint8_t key[32], struct person *out, struct err *err);

/* For the nouns beside this one: a person from three columns (id, key, handle) of a query's row. */
struct query;
void people_read(struct query *q, int column, struct person *out);

#endif
