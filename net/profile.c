/* profile.c - where a person's own files lie (see profile.h) */
#include "net/profile.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int profile_identity_path(char *out, size_t max, struct err *err)
{
    const char *folder = getenv("XDG_CONFIG_HOME");
    const char *below = "";
    int n;

    /* The specification has relative paths ignored. */
    if (folder == NULL || folder[0] != '/') {
        folder = getenv("HOME");
        below = "/.config";
    }
    if (folder == NULL || folder[0] != '/') {
        const struct passwd *me = getpwuid(getuid());

        folder = me != NULL ? me->pw_dir : NULL;
    }
    if (folder == NULL || folder[0] != '/')
        return err_set(err, ERR_USAGE, "set HOME, or name a file with --identity", "you have no home folder");
    n = snprintf(out, max, "%s%s/salotto/identity", folder, below);
    if (n < 0 || (size_t)n >= max)
        return err_set(err, ERR_USAGE, "name a file with --identity", "the path of your home folder is too long");
    return 0;
}

int profile_known_servers_path(char *out, size_t max, const char *identity_path, struct err *err)
{
    const char *slash = strrchr(identity_path, '/');
    int folder = slash != NULL ? (int)(slash - identity_path + 1) : 0;
    int n = snprintf(out, max, "%.*sknown_servers", folder, identity_path);

    if (n < 0 || (size_t)n >= max)
        return err_set(err, ERR_USAGE, NULL, "the path of the identity file is too long");
    return 0;
}

int profile_make_folder(const char *path, struct err *err)
{
    char folder[PROFILE_PATH_MAX];
    size_t len = strlen(path);

    if (len >= sizeof folder)
        return err_set(err, ERR_USAGE, NULL, "the path is too long: %.60s…", path);
    memcpy(folder, path, len + 1);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0700) != 0 && errno != EEXIST)
            return err_set(err, ERR_STATE, "name a file in a folder of yours with --identity",
                           "cannot make the folder %s: %s", folder, err_reason(errno));
        *slash = '/';
    }
    return 0;
}
