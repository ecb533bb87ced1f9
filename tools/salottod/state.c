/* state.c - the state folder (see state.h) */
#include "tools/salottod/state.h"

#include "tools/salottod/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_folder(const char *path, struct err *err)
{
    struct stat st;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_STATE, "create it, or name another with --state DIR",
                       "cannot make the state folder %s: %s", path, err_reason(errno));
    if (stat(path, &st) != 0)
        return err_set(err, ERR_STATE, "name a folder with --state DIR", "the state folder %s: %s", path,
                       err_reason(errno));
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_STATE, "name a folder with --state DIR", "%s is not a folder", path);
    if (access(path, R_OK | W_OK | X_OK) != 0) {
        int cause = errno;

        err_set(err, ERR_STATE, NULL, "the state folder %s cannot be written: %s", path, err_reason(cause));
        if (cause == EROFS)
            err_mend(err, "mount its file system for writing, or name another folder with --state DIR");
        else
            err_mend(err, "it is user %u's with mode %04o and this is user %u: chown it, or run as its owner",
                     (unsigned)st.st_uid, st.st_mode & 07777u, (unsigned)geteuid());
        return -ERR_STATE;
    }
    if ((st.st_mode & (S_IWOTH | S_ISVTX)) == S_IWOTH)
        log_line(LOG_WARNING_LINE, "anybody may exchange the files in the state folder %s; chmod o-w it", path);
    return 0;
}

int state_open(struct state *s, const struct config *c, struct err *err)
{
    char key[CONFIG_PATH_MAX + 16];
    bool made = false;
    int status;

    memset(s, 0, sizeof *s);
    s->lock_fd = -1;
    snprintf(s->database, sizeof s->database, "%s/salotto.db", c->state);
    snprintf(key, sizeof key, "%s/server.key", c->state);
    status = make_folder(c->state, err);
    if (status == 0)
        status = identity_load(&s->identity, key, true, &made, err);
    if (status != 0)
        return status;
    s->lock_fd = open(key, O_RDONLY | O_CLOEXEC);
    if (s->lock_fd < 0) {
        status = err_set(err, ERR_STATE, NULL, "%s: %s", key, err_reason(errno));
    } else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        status = err_set(err, ERR_IN_USE, "stop the other one, or give this one a folder of its own with --state DIR",
                         "another salottod uses the state folder %s", c->state);
    } else if (made) {
        char print[IDENTITY_FINGERPRINT_BYTES];

        identity_fingerprint(print, s->identity.public_key);
        log_line(LOG_NOTICE_LINE, "made a new server key file=%s fingerprint=%s", key, print);
    }
    if (status != 0)
        state_close(s);
    return status;
}

void state_close(struct state *s)
{
    identity_wipe(&s->identity);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    s->lock_fd = -1;
}
