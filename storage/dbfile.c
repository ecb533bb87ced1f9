/* dbfile.c - the database as a file (see dbfile.h)
 *
 * The claim is a flock() on PATH-lock, an empty file that stays. SQLite's exclusive locking mode would do the same, but
 * would also shut out whoever only wants to read: with the lock beside it, `sqlite3 PATH` and a backup work while the
 * server runs. The lock is not on PATH itself, since closing any descriptor of that file would drop the POSIX locks
 * that SQLite holds on it in this process ("How To Corrupt An SQLite Database File", section 2.2).
 */
#include "storage/dbfile.h"
#include "storage/spare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_BYTES 100 /* "Database File Format", section 1.3 */

/* The length of PATH's folder; 0 when it is the current one. */
static int folder_bytes(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? 0 : slash == path ? 1 : (int)(slash - path);
}

static int fail_open(const char *path, int cause, struct err *err)
{
    int folder = folder_bytes(path);

    switch (cause) {
    case ENOENT:
    case ENOTDIR:
        err_set(err, ERR_STATE, NULL, "%s: there is no folder %.*s", path, folder, path);
        err_mend(err, "make it (mkdir -p %.*s), or name another one", folder, path);
        break;
    case EACCES:
    case EPERM:
        err_set(err, ERR_STATE, NULL, "%s is not writable", path);
        err_mend(err, "give the file and its folder to the user that salottod runs as");
        break;
    case EROFS:
        err_set(err, ERR_STATE, "mount it for writing, or name a state folder elsewhere",
                "%s is on a read-only file system", path);
        break;
    case EISDIR:
        err_set(err, ERR_STATE, "move it away", "%s is a folder, not a database", path);
        break;
    case ENOSPC:
    case EDQUOT:
        err_set(err, ERR_STATE, "free some space on that disk", "%s cannot be made: the disk is full", path);
        break;
    default:
        err_set(err, ERR_STATE, "look for the disk's own complaint: journalctl -k", "%s cannot be opened: %s", path,
                err_reason(cause));
        break;
    }
    return -(int)ERR_STATE;
}

int dbfile_lock(const char *path, enum err_code taken, struct err *err)
{
    char lock[4096];
    int fd;
    int n = snprintf(lock, sizeof lock, "%s-lock", path);

    if (n < 0 || (size_t)n >= sizeof lock)
        return fail_open(path, ENAMETOOLONG, err);
    fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail_open(path, errno, err);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int cause = errno;

        close(fd);
        if (cause != EWOULDBLOCK)
            return fail_open(path, cause, err);
        err_set(err, taken, NULL, "%s is in use by another process", path);
        err_mend(err, "stop that one first (fuser -v %s), or name another state folder", lock);
        return -(int)taken;
    }
    return fd;
}

/* Does it begin as "Database File Format", section 1.3 says? An empty file is a database without tables. */
static int look_at_head(int fd, const char *path, struct err *err)
{
    static const char magic[16] = "SQLite format 3";
    char head[HEADER_BYTES];
    ssize_t got = pread(fd, head, sizeof head, 0);

    if (got < 0)
        return fail_open(path, errno, err);
    if (got > 0 && (got < (ssize_t)sizeof magic || memcmp(head, magic, sizeof magic) != 0))
        return err_set(err, ERR_STATE, NULL, "%s is not a database, or its first page is damaged", path);
    if (got > 0 && got < (ssize_t)sizeof head)
        return err_set(err, ERR_STATE, NULL, "%s is damaged: cut off after %zd bytes", path, got);
    return 0;
}

static int look_at(const char *path, struct err *err)
{
    struct stat st;
    int rc;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return fail_open(path, errno, err);
    if (fstat(fd, &st) != 0)
        rc = fail_open(path, errno, err);
    else if (!S_ISREG(st.st_mode))
        rc = err_set(err, ERR_STATE, "move it away", "%s is not a regular file", path);
    else
        rc = look_at_head(fd, path, err);
    if (rc < 0 && err != NULL && err->mend[0] == '\0')
        spare_mend(err, path);
    close(fd);
    return rc;
}

int dbfile_claim(const char *path, struct err *err)
{
    int fd = dbfile_lock(path, ERR_STATE, err);
    int rc;

    if (fd < 0)
        return fd;
    rc = look_at(path, err);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

int dbfile_sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 ? fsync(fd) : -1;

    if (fd >= 0)
        close(fd);
    return rc;
}
