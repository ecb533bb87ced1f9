/* nearest.c - what somebody who mistyped a name probably meant (see nearest.h)
 *
 * The distance is Levenshtein's with swaps of neighbours ("optimal string alignment"), three rows at a time.
 */
#include "storage/nearest.h"

#include <stdio.h>
#include <string.h>

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t distance(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    size_t rows[3][NEAREST_NAME_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b_bytes; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_bytes; i++) {
        size_t *spare = before;

        row[0] = i;
        for (size_t j = 1; j <= b_bytes; j++) {
            row[j] = min(min(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = min(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
        row = spare;
    }
    return last[b_bytes];
}

void nearest_init(struct nearest *n, const char *wanted)
{
    *n = (struct nearest){.wanted = wanted, .wanted_bytes = strlen(wanted)};
    n->limit = 1 + n->wanted_bytes / 4;
    n->distance = n->limit + 1;
}

void nearest_offer(struct nearest *n, const char *name)
{
    size_t bytes = strlen(name), d;

    if (n->wanted_bytes > NEAREST_NAME_MAX || bytes > NEAREST_NAME_MAX)
        return;
    if (bytes >= n->wanted_bytes + n->distance || n->wanted_bytes >= bytes + n->distance)
        return; /* the difference in length alone is no better than what there is */
    d = distance(n->wanted, n->wanted_bytes, name, bytes);
    if (d >= n->distance)
        return;
    n->distance = d;
    snprintf(n->name, sizeof n->name, "%s", name);
}
