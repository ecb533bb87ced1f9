/* audit.h - who did what to whom, when and why: append-only and hash-chained
 *
 * Each row's hash covers the row before it, its own number, time, act, detail, room and person row numbers and
 * SHA-256(32-byte random salt ‖ personal text). Salt and text (the words after --why, and what else is personal) lie in
 * a side table that an erasure may empty: that breaks no chain. One thread, inside the caller's transaction.
 */
#ifndef SALOTTO_STORAGE_AUDIT_H
#define SALOTTO_STORAGE_AUDIT_H

#include "storage/people.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_ACT_MAX  24
#define AUDIT_TEXT_MAX 500 /* bytes; longer reasons are refused by the caller */

struct audit_row {
    int64_t number, at_ms;
    char act[AUDIT_ACT_MAX + 1];        /* "mute", "promote" … */
    char actor[PERSON_HANDLE_MAX + 1];  /* "operator" for row number 0 */
    char target[PERSON_HANDLE_MAX + 1]; /* empty: none */
    char detail[AUDIT_ACT_MAX + 1];     /* what is not personal: "speaker", "-3.0 dB"; empty: none */
    char why[AUDIT_TEXT_MAX + 1];       /* empty: none, or erased */
};

/* room 0, target 0: none. actor 0: the operator. detail and why may be NULL. ERR_USAGE when a text is too long. */
int audit_append(struct db *db, int64_t room, const char *act, int64_t actor, int64_t target, const char *detail,
                 const char *why, struct err *err);

/* The newest `limit` rows of a room (0: those of none), oldest first. Who is no longer in the database is shown as #7.
 * *rows is malloc'd, the caller frees it. */
int audit_list(struct db *db, int64_t room, unsigned limit, struct audit_row **rows, size_t *count, struct err *err);

/* Walks the whole chain. 0 and the head's number and hash, or ERR_STATE naming the first row that does not fit. */
int audit_verify(struct db *db, int64_t *head_number, uint8_t head_hash[32], struct err *err);

#endif
