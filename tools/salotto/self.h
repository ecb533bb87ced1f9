/* self.h - who we are to servers: the key file, and beside it the servers that we know
 */
#ifndef SALOTTO_SELF_H
#define SALOTTO_SELF_H

#include "net/identity.h"
#include "net/profile.h"

#include <stdbool.h>

struct self {
    struct identity me;
    bool made; /* just now: there was no key file */
    char path[PROFILE_PATH_MAX], known_servers[PROFILE_PATH_MAX];
};

/* Where the key file (NULL: the usual one) and the list of servers are; PROFILE_PATH_MAX bytes each. 0 or a negative
 * code. */
int self_paths(char *path, char *known_servers, const char *identity, struct err *err);

/* Reads the key file (path NULL: the usual one), and makes one where there is none. 0 or a negative code. */
int self_load(struct self *s, const char *path, struct err *err);
void self_wipe(struct self *s);

#endif
