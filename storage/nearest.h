/* nearest.h - what somebody who mistyped a name probably meant
 *
 * Offer it every name there is; it keeps the nearest one that is near enough. Distance counts letters that are wrong,
 * missing, too many, or swapped with their neighbour.
 */
#ifndef SALOTTO_STORAGE_NEAREST_H
#define SALOTTO_STORAGE_NEAREST_H

#include <stddef.h>

#define NEAREST_NAME_MAX 32

struct nearest {
    const char *wanted; /* borrowed */
    size_t wanted_bytes;
    size_t limit;                    /* distances up to this one are near enough: 1, and one more for each 4 letters */
    size_t distance;                 /* of `name` */
    char name[NEAREST_NAME_MAX + 1]; /* empty: nothing near */
};

void nearest_init(struct nearest *n, const char *wanted);
void nearest_offer(struct nearest *n, const char *name);

#endif
