/* link.h - salotto://HOST[:PORT]/ROOM?k=KEY[&token=TOKEN]
 *
 * The one place that reads and writes links. HOST is a name, an IPv4 address, or an IPv6 address in brackets.
 */
#ifndef SALOTTO_NET_LINK_H
#define SALOTTO_NET_LINK_H

#include "mixer/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_HOST_MAX  255u
#define LINK_ROOM_MAX  32u
#define LINK_TOKEN_MAX 64u
#define LINK_TEXT_MAX  512u

struct link {
    char host[LINK_HOST_MAX + 1]; /* without brackets */
    uint16_t port;                /* 7256 when left out */
    char room[LINK_ROOM_MAX + 1]; /* may be empty in a link to a server */
    bool has_key;
    uint8_t key[32];
    char token[LINK_TOKEN_MAX + 1]; /* empty: none */
};

/* ERR_USAGE with what is wrong and how a link looks. */
int link_parse(struct link *l, const char *text, struct err *err);

/* Writes the link into out[LINK_TEXT_MAX]. */
void link_print(char out[LINK_TEXT_MAX], const struct link *l);

/* Is this a room's name (1–32 of a–z, 0–9, '-', a letter first, not reserved)? Handles: the same without the reserved
 * words. On false *why is a static text. */
bool link_is_room_name(const char *name, const char **why);
bool link_is_handle(const char *name, const char **why);

#endif
