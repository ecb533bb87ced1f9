/* link.c - fuzzes link_parse(): what it accepts prints and reads back the same */
#include "net/link.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char scheme[] = "salotto://";
    char text[1024], printed[LINK_TEXT_MAX];
    struct link l, again;
    struct err err;

    if (size > sizeof text - sizeof scheme)
        return 0;
    /* With and without the scheme, which chance finds too seldom. */
    memcpy(text, data, size);
    text[size] = '\0';
    (void)link_parse(&l, text, &err);
    memcpy(text, scheme, sizeof scheme - 1);
    memcpy(text + sizeof scheme - 1, data, size);
    text[sizeof scheme - 1 + size] = '\0';
    if (link_parse(&l, text, &err) != 0)
        return 0;
    link_print(printed, &l);
    if (link_parse(&again, printed, &err) != 0 || memcmp(&again, &l, sizeof l) != 0)
        abort();
    return 0;
}
