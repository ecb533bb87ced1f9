/* suggest.c - which word somebody probably meant (see suggest.h) */
#include "tools/suggest.h"

#include "storage/nearest.h"

#include <string.h>

const char *suggest(const char *word, const char *const *names, size_t n)
{
    struct nearest near;

    nearest_init(&near, word);
    for (size_t i = 0; i < n; i++)
        nearest_offer(&near, names[i]);
    for (size_t i = 0; near.name[0] != '\0' && i < n; i++)
        if (strncmp(names[i], near.name, NEAREST_NAME_MAX) == 0)
            return names[i];
    return NULL;
}
