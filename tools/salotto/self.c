/* self.c - who we are to servers (see self.h) */
#include "tools/salotto/self.h"

#include <stdio.h>
#include <string.h>

int self_paths(char *path, char *known_servers, const char *identity, struct err *err)
{
    int ret = 0;

    if (identity == NULL)
        ret = profile_identity_path(path, PROFILE_PATH_MAX, err);
    else if (snprintf(path, PROFILE_PATH_MAX, "%s", identity) >= (int)PROFILE_PATH_MAX)
        ret = err_set(err, ERR_USAGE, NULL, "the path of --identity is too long");
    return ret != 0 ? ret : profile_known_servers_path(known_servers, PROFILE_PATH_MAX, path, err);
}

int self_load(struct self *s, const char *path, struct err *err)
{
    int ret;

    memset(s, 0, sizeof *s);
    ret = self_paths(s->path, s->known_servers, path, err);
    if (ret == 0)
        ret = profile_make_folder(s->path, err);
    return ret != 0 ? ret : identity_load(&s->me, s->path, true, &s->made, err);
}

void self_wipe(struct self *s)
{
    identity_wipe(&s->me);
}
