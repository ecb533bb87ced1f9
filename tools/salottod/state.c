/* state.c - the state folder (see state.h) */
#include "tools/salottod/state.h"

#include "tools/salottod/log.h"
#include "tools/salottod/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int state_make_folder(const char *path, struct err *err)
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

/* The folder itself carries the lock: the key may lie elsewhere. */
static int lock_folder(struct state *s, const char *folder, struct err *err)
{
    s->lock_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->lock_fd < 0)
        return err_set(err, ERR_STATE, "run salottod as the user whose folder it is, or name another with --state DIR",
                       "cannot open the state folder %s: %s", folder, err_reason(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK)
        return err_set(err, ERR_STATE, "name a folder on a local disk with --state DIR",
                       "cannot lock the state folder %s: %s", folder, err_reason(errno));
    return err_set(err, ERR_IN_USE, "stop the other one, or give this one a folder of its own with --state DIR",
                   "another salottod uses the state folder %s", folder);
}

/* The path of the key among the credentials of systemd. False: there is none. */
static bool credential(char *out, size_t max)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    int n = folder != NULL ? snprintf(out, max, "%s/server.key", folder) : -1;

    return n > 0 && (size_t)n < max && access(out, F_OK) == 0;
}

static int load_key(struct state *s, const char *folder, struct err *err)
{
    char path[CONFIG_PATH_MAX + 16], handed[PATH_MAX], print[IDENTITY_FINGERPRINT_BYTES];
    bool made = false;
    int status;

    if (credential(handed, sizeof handed)) {
        status = identity_load_credential(&s->identity, handed, err);
        if (status == 0)
            log_line(LOG_NOTICE_LINE, "the server key is the one among the service's credentials");
        return status;
    }
    snprintf(path, sizeof path, "%s/server.key", folder);
    status = identity_load(&s->identity, path, true, &made, err);
    if (status != 0 || !made)
        return status;
    identity_fingerprint(print, s->identity.public_key);
    log_line(LOG_NOTICE_LINE, "made a new server key file=%s fingerprint=%s", path, print);
    return 0;
}

int state_open(struct state *s, const struct config *c, struct err *err)
{
    int status;

    memset(s, 0, sizeof *s);
    s->lock_fd = -1;
    snprintf(s->database, sizeof s->database, "%s/salotto.db", c->state);
    status = state_make_folder(c->state, err);
    if (status == 0)
        status = lock_folder(s, c->state, err);
    if (status == 0)
        status = restore_finish(c->state, err);
    if (status == 0)
        status = load_key(s, c->state, err);
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
