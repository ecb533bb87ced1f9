/* doctor_look.c - looking at what may block (see doctor.h)
 *
 * What can be tried is tried: a priority that this thread gets, a room's thread gets as well, whatever limits,
 * capabilities and control groups say of it.
 */
#include "storage/checkup.h"
#include "storage/db.h"
#include "tools/salottod/doctor.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#define WANTED_NICE   (-10)
#define WANTED_FIFO   20
#define TIMESYNC_FLAG "/run/systemd/timesync/synchronized" /* systemd-timesyncd.service(8) */

/* "NAME: 123" in a file of /proc, or its only number when name is NULL. */
static long long number_in(const char *path, const char *name)
{
    FILE *f = fopen(path, "re");
    long long value = DOCTOR_UNKNOWN;
    char line[256];

    if (f == NULL)
        return DOCTOR_UNKNOWN;
    while (fgets(line, sizeof line, f) != NULL) {
        size_t len = name != NULL ? strlen(name) : 0;

        if (name == NULL || strncmp(line, name, len) == 0) {
            value = strtoll(line + len, NULL, 10);
            break;
        }
    }
    fclose(f);
    return value;
}

/* A system call filter may end the process for adjtimex(), so under one only what lies in files is looked at. */
static void look_at_clock(struct doctor_facts *f)
{
    struct timex t = {.modes = 0};
    int state;

    f->now_ms = db_now_ms();
    f->clock = CLOCK_UNTOLD;
    f->clock_error_ms = DOCTOR_UNKNOWN;
    if (number_in("/proc/self/status", "Seccomp:") == 0) {
        state = adjtimex(&t);
        if (state >= 0) {
            f->clock = state == TIME_ERROR || (t.status & STA_UNSYNC) != 0 ? CLOCK_FREE : CLOCK_SYNCHRONISED;
            f->clock_error_ms = t.maxerror / 1000;
        }
    } else if (access(TIMESYNC_FLAG, F_OK) == 0) {
        f->clock = CLOCK_SYNCHRONISED;
    }
}

static unsigned long long limit(int which)
{
    struct rlimit r;

    if (getrlimit(which, &r) != 0 || r.rlim_cur == RLIM_INFINITY)
        return DOCTOR_UNLIMITED;
    return r.rlim_cur;
}

static unsigned count_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    if (d == NULL)
        return 0;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n > 3 ? n - 3 : 0; /* ".", "..", and the folder itself */
}

static void look_at_limits(struct doctor_facts *f)
{
    f->files = limit(RLIMIT_NOFILE);
    f->memory = limit(RLIMIT_MEMLOCK);
    f->files_open = count_files();
}

/* Linux keeps both for each thread (sched(7)). */
static void look_at_priority(struct doctor_facts *f)
{
    struct sched_param fifo = {.sched_priority = WANTED_FIFO}, plain = {.sched_priority = 0};
    int before = getpriority(PRIO_PROCESS, (id_t)gettid());

    f->may_nice = setpriority(PRIO_PROCESS, (id_t)gettid(), WANTED_NICE) == 0;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), before);
    f->may_fifo = sched_setscheduler(0, SCHED_FIFO, &fifo) == 0;
    if (f->may_fifo)
        (void)sched_setscheduler(0, SCHED_OTHER, &plain);
    f->fifo_share_us = number_in("/proc/sys/kernel/sched_rt_runtime_us", NULL);
}

static void look_at_rooms(struct doctor_facts *f)
{
    DIR *d = opendir("/proc/self/task");

    if (d == NULL)
        return;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char path[300], name[32] = "";
        FILE *comm;

        snprintf(path, sizeof path, "/proc/self/task/%s/comm", e->d_name);
        comm = fopen(path, "re");
        if (comm == NULL)
            continue;
        if (fgets(name, sizeof name, comm) != NULL && strncmp(name, "room:", 5) == 0) {
            int scheduler = sched_getscheduler((pid_t)strtol(e->d_name, NULL, 10));

            f->rooms++;
            f->rooms_plain += scheduler >= 0 && scheduler != SCHED_FIFO; /* below: it may not be asked */
        }
        fclose(comm);
    }
    closedir(d);
}

static long long bytes_of(const char *path, const char *end)
{
    char name[CONFIG_PATH_MAX + 32];
    struct stat st;

    snprintf(name, sizeof name, "%s%s", path, end);
    return stat(name, &st) == 0 ? (long long)st.st_size : 0;
}

static void look_at_disk(struct doctor_facts *f)
{
    struct statvfs v;

    f->disk_free = f->disk_nodes = DOCTOR_UNKNOWN;
    if (statvfs(f->state, &v) != 0)
        return;
    f->disk_free = (long long)v.f_bavail * (long long)v.f_frsize;
    if (v.f_files > 0) /* some file systems make them as they are needed */
        f->disk_nodes = (long long)v.f_favail;
}

static void look_at_database(struct doctor_facts *f, bool (*go_on)(void *arg), void *arg)
{
    struct db *db = db_open_reader(f->database, &f->database_fault);

    f->database_bytes = bytes_of(f->database, "");
    f->log_bytes = bytes_of(f->database, "-wal");
    f->newest_ms = f->last_backup_ms = 0;
    if (db == NULL)
        return;
    db_ask(db, go_on, arg);
    if (db_check(db, false, &f->database_fault) == 0) {
        f->newest_ms = checkup_count(db, "SELECT coalesce(max(at_ms), 0) FROM audit");
        f->entries = checkup_count(db, "SELECT count(*) FROM audit");
        f->entries_week = checkup_count(
            db, "SELECT count(*) FROM audit WHERE at_ms > (CAST(strftime('%s', 'now') AS INTEGER) - 604800) * 1000");
        f->last_backup_ms =
            checkup_count(db, "SELECT coalesce(max(at_ms), 0) FROM audit WHERE room = 0 AND act = 'backup'");
    }
    db_close(db);
}

void doctor_look(struct doctor_facts *f, bool (*go_on)(void *arg), void *arg)
{
    look_at_clock(f);
    look_at_limits(f);
    look_at_priority(f);
    look_at_rooms(f);
    look_at_disk(f);
    look_at_database(f, go_on, arg);
    reach_look(&f->reach, f->public_host, f->port, f->key, go_on, arg);
}
