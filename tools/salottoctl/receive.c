/* receive.c - the file that an answer brings (see receive.h) */
#include "tools/salottoctl/receive.h"

#include "tools/language.h"
#include "tools/salottoctl/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)256 * 1024)

static int cannot(const char *name, int cause, struct err *err)
{
    const char *mend = cause == ENOSPC || cause == EDQUOT
                           ? ERR_TEXT("free some space there, or name a file on another disk")
                       : cause == ENOENT ? ERR_TEXT("make its folder first")
                                         : ERR_TEXT("name a file in a folder of yours");

    return err_set(err, ERR_STATE, mend, "%s cannot be written: %s", name, err_reason(cause));
}

static int there_already(const char *name, struct err *err)
{
    return err_set(err, ERR_USAGE, "name another file, or say --force to replace it", "%s is there already", name);
}

/* The folder that it lies in. */
static void folder_of(char out[PATH_MAX], const char *name)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof copy, "%s", name);
    snprintf(out, PATH_MAX, "%s", dirname(copy));
}

int receive_allowed(const char *name, char *const *words, unsigned word_count, bool force, struct err *err)
{
    char folder[PATH_MAX];
    struct stat st;
    bool typed = false;

    for (unsigned i = 0; i < word_count; i++)
        typed = typed || strcmp(words[i], name) == 0;
    if (!typed)
        return err_set(err, ERR_INTERNAL, "do not trust that server",
                       "the server wants to write %s, which you did not name", name);
    if (name[0] == '\0' || strlen(name) >= PATH_MAX - 16)
        return err_set(err, ERR_USAGE, "name a file", "'%.40s' cannot be a file's name", name);
    if (stat(name, &st) == 0 && !S_ISREG(st.st_mode))
        return err_set(err, ERR_USAGE, "name a file", "%s is not a regular file", name);
    if (!force && lstat(name, &st) == 0)
        return there_already(name, err);
    folder_of(folder, name);
    return access(folder, W_OK) == 0 ? 0 : cannot(name, errno, err);
}

/* A signal that waits while it is blocked. */
static bool is_interrupted(const sigset_t *signals)
{
    static const struct timespec at_once;

    return sigtimedwait(signals, NULL, &at_once) > 0;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno != EINTR)
            return -1;
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int copy(int to, int from, const char *name, const sigset_t *signals, struct err *err)
{
    char *piece = malloc(PIECE_BYTES);
    unsigned long long done = 0;
    struct stat st;
    ssize_t n = -1;
    int rc = 0;

    if (piece == NULL || fstat(from, &st) != 0)
        rc = err_set(err, ERR_INTERNAL, NULL, "out of memory");
    while (rc == 0 && (n = pread(from, piece, PIECE_BYTES, (off_t)done)) > 0) {
        if (write_all(to, piece, (size_t)n) != 0)
            rc = cannot(name, errno, err);
        else if (is_interrupted(signals))
            rc = err_set(err, ERR_INTERRUPTED, NULL, "interrupted before %s was whole; nothing is left of it", name);
        done += (unsigned long long)n;
        progress_show(_("writing the file"), done, (unsigned long long)st.st_size);
    }
    if (rc == 0 && n < 0)
        rc = err_set(err, ERR_STATE, "look at the server's log", "the server's file cannot be read: %s",
                     err_reason(errno));
    free(piece);
    return rc;
}

/* Gives it its name. Not every file system can refuse to replace; there the look that was taken before has to do. */
static int settle(const char *part, const char *name, bool force, struct err *err)
{
    char folder[PATH_MAX];
    int fd, rc;

    rc = force ? rename(part, name) : renameat2(AT_FDCWD, part, AT_FDCWD, name, RENAME_NOREPLACE);
    if (rc != 0 && !force && errno == EINVAL)
        rc = rename(part, name);
    if (rc != 0 && errno == EEXIST)
        return there_already(name, err);
    if (rc != 0)
        return cannot(name, errno, err);
    folder_of(folder, name);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd); /* the bytes are safe; not every file system syncs a folder */
        close(fd);
    }
    return 0;
}

int receive_file(const char *name, int fd, bool force, struct err *err)
{
    char part[PATH_MAX];
    sigset_t signals, before;
    int to, rc;

    snprintf(part, sizeof part, "%s.XXXXXX", name);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &before);
    signal(SIGXFSZ, SIG_IGN); /* a limit is an error of write() */
    to = mkostemp(part, O_CLOEXEC);
    rc = to >= 0 ? copy(to, fd, name, &signals, err) : cannot(name, errno, err);
    if (rc == 0 && fsync(to) != 0)
        rc = cannot(name, errno, err);
    if (to >= 0 && close(to) != 0 && rc == 0)
        rc = cannot(name, errno, err);
    if (rc == 0)
        rc = settle(part, name, force, err);
    if (rc != 0 && to >= 0)
        unlink(part);
    progress_clear();
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(fd);
    return rc;
}
