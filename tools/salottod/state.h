/* state.h - the state folder: made, taken by one daemon, and the server's key in it
 */
#ifndef SALOTTO_SALOTTOD_STATE_H
#define SALOTTO_SALOTTOD_STATE_H

#include "mixer/err.h"
#include "net/identity.h"
#include "tools/salottod/config.h"

struct state {
    struct identity identity;
    char database[CONFIG_PATH_MAX + 16];
    int lock_fd; /* holds the lock on the folder while the daemon lives */
};

/* Makes the folder (0700) when it is not there, and locks it, so that a second daemon on the same folder gets
 * ERR_IN_USE. The key is the credential `server.key` that systemd has handed over ($CREDENTIALS_DIRECTORY), else the
 * folder's own file of that name, which is made when there is none. */
int state_open(struct state *s, const struct config *c, struct err *err);

/* The folder alone; one that is there stays as it is. */
int state_make_folder(const char *path, struct err *err);

/* Wipes the key and gives the folder free. */
void state_close(struct state *s);

#endif
