/* suggest.h - which of some words somebody who mistyped one probably meant
 */
#ifndef SALOTTO_TOOLS_SUGGEST_H
#define SALOTTO_TOOLS_SUGGEST_H

#include <stddef.h>

/* One of names[0..n-1], or NULL when none is near enough. */
const char *suggest(const char *word, const char *const *names, size_t n);

#endif
