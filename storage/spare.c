/* spare.c - the copies of a database that lie beside it (see spare.h) */
#include "storage/spare.h"
#include "storage/schema.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "Database File Format", section 1.3 */
#define HEADER_BYTES   100
#define AT_VERSION     60
#define AT_APPLICATION 68
#define APPLICATION_ID 0x53616c6fu

#define UPGRADE_NAME   ".v%u-backup%n"

static uint32_t number_at(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A folder and the name in it. The folder is "." for a path without one. */
static const char *split(const char *path, char *folder, size_t max)
{
    const char *slash = strrchr(path, '/');
    int len = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);

    snprintf(folder, max, "%.*s", len, slash == NULL ? "." : path);
    return slash == NULL ? path : slash + 1;
}

/* When it was last written, if it is a usable database of ours; otherwise false. */
static bool usable(int folder, const char *name, struct timespec *written)
{
    unsigned char head[HEADER_BYTES];
    struct stat st;
    bool ours = false;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head)
        ours = memcmp(head, "SQLite format 3", 16) == 0 && number_at(head + AT_APPLICATION) == APPLICATION_ID &&
               number_at(head + AT_VERSION) >= 1 && number_at(head + AT_VERSION) <= schema_sql_count;
    close(fd);
    *written = st.st_mtim;
    return ours;
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static bool is_unfinished(const char *file)
{
    size_t len = strlen(file), end = strlen(SPARE_UNFINISHED);

    return len > end && strcmp(file + len - end, SPARE_UNFINISHED) == 0;
}

void spare_sweep(const char *path)
{
    char folder[4096];
    const char *name = split(path, folder, sizeof folder);
    size_t len = strlen(name);
    DIR *d = opendir(folder);

    if (d == NULL)
        return;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        if (strncmp(e->d_name, name, len) == 0 && e->d_name[len] == '.' && is_unfinished(e->d_name))
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
}

bool spare_newest(char *out, size_t max, const char *path)
{
    char folder[4096];
    const char *name = split(path, folder, sizeof folder);
    struct timespec newest = {0}, written;
    DIR *d = opendir(folder);
    bool found = false;

    if (d == NULL)
        return false;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        int n;

        if (strcmp(e->d_name, name) == 0 || is_unfinished(e->d_name) || !usable(dirfd(d), e->d_name, &written) ||
            (found && !is_later(&written, &newest)))
            continue;
        n = snprintf(out, max, "%s/%s", folder, e->d_name);
        found = n > 0 && (size_t)n < max;
        newest = written;
    }
    closedir(d);
    return found;
}

void spare_mend(struct err *err, const char *path)
{
    char folder[4096], newest[4096];

    split(path, folder, sizeof folder);
    if (spare_newest(newest, sizeof newest, path))
        err_mend(err, "restore the newest copy: salottod --restore %s --state %s", newest, folder);
    else
        err_mend(err,
                 "restore a backup: salottod --restore FILE --state %s; without one save what can be read: sqlite3 %s "
                 ".recover",
                 folder, path);
}

bool spare_upgrade_name(char *out, size_t max, const char *path, int64_t version)
{
    int n = snprintf(out, max, "%s.v%lld-backup", path, (long long)version);

    return n > 0 && (size_t)n < max;
}

/* N of NAME.vN-backup; 0 when it is not called so. */
static unsigned long upgrade_version(const char *file, const char *name)
{
    size_t len = strlen(name);
    unsigned long version;
    char *end;

    if (strncmp(file, name, len) != 0 || strncmp(file + len, ".v", 2) != 0)
        return 0;
    version = strtoul(file + len + 2, &end, 10);
    return strcmp(end, "-backup") == 0 ? version : 0;
}

/* How many there are, and the oldest. */
static unsigned count_upgrades(DIR *d, const char *name, unsigned long *oldest)
{
    unsigned count = 0;

    *oldest = 0;
    rewinddir(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        unsigned long version = upgrade_version(e->d_name, name);

        if (version == 0)
            continue;
        count++;
        if (*oldest == 0 || version < *oldest)
            *oldest = version;
    }
    return count;
}

void spare_prune(const char *path)
{
    char folder[4096], file[4096];
    const char *name = split(path, folder, sizeof folder);
    DIR *d = opendir(folder);
    unsigned long oldest;

    if (d == NULL)
        return;
    while (count_upgrades(d, name, &oldest) > SPARE_UPGRADES_MAX)
        if (!spare_upgrade_name(file, sizeof file, path, (int64_t)oldest) || unlink(file) != 0)
            break;
    closedir(d);
}
