/* restore.c - put a backup in the place of database and key (see restore.h) */
#include "tools/salottod/restore.h"

#include "net/identity.h"
#include "storage/audit.h"
#include "storage/dbfile.h"
#include "storage/schema.h"
#include "tools/language.h"
#include "tools/salottod/log.h"
#include "tools/salottod/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define UNDECIDED  "restoring"
#define DECIDED    "restore-" /* and the time */
#define KEPT       ".before-restore-"
#define PATH_ROOM  (CONFIG_PATH_MAX + 128)
#define TIME_ROOM  32
#define COPY_BYTES (64 * 1024)

/* --- files in a folder */

static int failed(struct err *err, const char *what)
{
    int cause = errno;

    err_set(err, ERR_STATE,
            cause == ENOSPC || cause == EDQUOT
                ? ERR_TEXT("free some space on the disk of the state folder; nothing was changed")
            : cause == EROFS ? ERR_TEXT("mount the state folder for writing; nothing was changed")
                             : ERR_TEXT("run it as the owner of the state folder, or as root; nothing was changed"),
            "%s: %s", what, err_reason(cause));
    return -(int)ERR_STATE;
}

static int write_all(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno != EINTR)
            return -1;
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Copies an open file. from < 0 takes `bytes` instead. */
static int make_file(const char *path, int from, const void *bytes, size_t len, struct err *err)
{
    char piece[COPY_BYTES];
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    ssize_t n = 0;
    int rc = to >= 0 ? 0 : -1;

    if (rc == 0 && from < 0)
        rc = write_all(to, bytes, len);
    while (rc == 0 && from >= 0 && (n = read(from, piece, sizeof piece)) > 0)
        rc = write_all(to, piece, (size_t)n);
    if (rc == 0 && (n < 0 || fsync(to) != 0))
        rc = -1;
    if (rc != 0)
        rc = failed(err, path);
    if (to >= 0)
        close(to);
    sodium_memzero(piece, sizeof piece);
    return rc;
}

/* A folder of ours with all that is in it, which is never a folder. */
static void remove_folder(const char *path)
{
    DIR *d = opendir(path);

    if (d == NULL)
        return;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    rmdir(path);
}

static bool exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* --- the decided part: only renames, each of which may have happened before */

/* STATE/NAMEend to STATE/NAMEkeptTIMEend, where it is there. */
static int keep(const char *state, const char *name, const char *end, const char *time)
{
    char now[PATH_ROOM], kept[PATH_ROOM];

    snprintf(now, sizeof now, "%s/%s%s", state, name, end);
    snprintf(kept, sizeof kept, "%s/%s" KEPT "%s%s", state, name, time, end);
    return !exists(now) || rename(now, kept) == 0 ? 0 : -1;
}

/* The log goes before its database: neither is ever read with another's. */
static int install(const char *state, const char *folder, const char *name, const char *time)
{
    char made[PATH_ROOM], now[PATH_ROOM];

    snprintf(made, sizeof made, "%s/%s/%s", state, folder, name);
    snprintf(now, sizeof now, "%s/%s", state, name);
    if (!exists(made))
        return 0;
    if (keep(state, name, "-wal", time) != 0 || keep(state, name, "-shm", time) != 0 ||
        keep(state, name, "", time) != 0 || dbfile_sync_folder(state) != 0)
        return -1;
    return rename(made, now) == 0 ? dbfile_sync_folder(state) : -1;
}

static int carry_out(const char *state, const char *folder, struct err *err)
{
    const char *time = folder + strlen(DECIDED);
    char path[PATH_ROOM];

    snprintf(path, sizeof path, "%s/%s", state, folder);
    if (install(state, folder, "server.key", time) != 0 || install(state, folder, "salotto.db", time) != 0) {
        failed(err, path);
        err_mend(err, "the restore is decided and goes on at the next start: make %s writable, with some free space",
                 state);
        return -(int)ERR_STATE;
    }
    remove_folder(path);
    return 0;
}

/* What there is to do: DECIDED, which is the name, or UNDECIDED, or nothing. */
static bool look_for(const char *state, char name[TIME_ROOM], bool *undecided)
{
    DIR *d = opendir(state);
    bool found = false;

    *undecided = false;
    if (d == NULL)
        return false;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (strcmp(e->d_name, UNDECIDED) == 0)
            *undecided = true;
        if (strncmp(e->d_name, DECIDED, strlen(DECIDED)) != 0 || strlen(e->d_name) >= TIME_ROOM)
            continue;
        found = true;
        snprintf(name, TIME_ROOM, "%.*s", TIME_ROOM - 1, e->d_name);
    }
    closedir(d);
    return found;
}

/* With the database claimed. */
static int finish(const char *state, struct err *err)
{
    char name[TIME_ROOM], path[PATH_ROOM];
    bool undecided;
    int rc = 0;

    while (rc == 0 && look_for(state, name, &undecided)) {
        rc = carry_out(state, name, err);
        if (rc == 0)
            log_line(LOG_NOTICE_LINE, "finished a restore that was cut off; what was there is %s/salotto.db" KEPT "%s",
                     state, name + strlen(DECIDED));
    }
    snprintf(path, sizeof path, "%s/" UNDECIDED, state);
    remove_folder(path);
    return rc;
}

int restore_finish(const char *state, struct err *err)
{
    char name[TIME_ROOM], database[PATH_ROOM];
    bool undecided;
    int claim, rc;

    if (!look_for(state, name, &undecided) && !undecided)
        return 0;
    snprintf(database, sizeof database, "%s/salotto.db", state);
    claim = dbfile_lock(database, ERR_IN_USE, err);
    if (claim < 0)
        return claim;
    rc = finish(state, err);
    close(claim);
    return rc;
}

/* --- making ready */

struct restoring {
    struct restore_report *report;
    const char *state, *file;
    char folder[PATH_ROOM], copy[PATH_ROOM]; /* STATE/restoring, and the database in it */
    int from, from_log;                      /* the file, and the log that lies beside it (-1: none) */
};

static int open_file(struct restoring *r, struct err *err)
{
    char name[4096 + 8];
    struct stat st;

    r->from = open(r->file, O_RDONLY | O_CLOEXEC);
    if (r->from < 0 || fstat(r->from, &st) != 0)
        return err_set(err, ERR_STATE, "name a backup that can be read", "%s: %s", r->file, err_reason(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_STATE, "name a backup", "%s is not a regular file", r->file);
    /* A database that was copied by hand after an unclean end: its newest changes lie there. */
    snprintf(name, sizeof name, "%.4096s-wal", r->file);
    r->from_log = open(name, O_RDONLY | O_CLOEXEC);
    return 0;
}

static int is_itself(const struct restoring *r, struct err *err)
{
    char database[PATH_ROOM];
    struct stat a, b;

    snprintf(database, sizeof database, "%s/salotto.db", r->state);
    if (fstat(r->from, &a) != 0 || stat(database, &b) != 0 || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
        return 0;
    return err_set(err, ERR_STATE, "name a backup of it", "%s is the database itself", r->file);
}

static int become_owner(const char *state, struct err *err)
{
    struct stat st;

    if (geteuid() != 0 || stat(state, &st) != 0 || st.st_uid == 0)
        return 0;
    if (setgroups(0, NULL) != 0 || setgid(st.st_gid) != 0 || setuid(st.st_uid) != 0)
        return err_set(err, ERR_INTERNAL, "run it as that user", "cannot become the owner of %s: %s", state,
                       err_reason(errno));
    return 0;
}

static int copy_in(struct restoring *r, struct err *err)
{
    char log[PATH_ROOM + 8];
    int rc;

    remove_folder(r->folder);
    if (mkdir(r->folder, 0700) != 0)
        return failed(err, r->folder);
    snprintf(log, sizeof log, "%s-wal", r->copy);
    rc = make_file(r->copy, r->from, NULL, 0, err);
    if (rc == 0 && r->from_log >= 0)
        rc = make_file(log, r->from_log, NULL, 0, err);
    return rc;
}

/* Whatever is wrong with the file must not be mended by restoring it. */
static int unusable(const struct restoring *r, const struct err *why, struct err *err)
{
    return err_set(err, ERR_STATE, "name another backup; nothing was changed", "%s cannot be restored: %s", r->file,
                   why->message);
}

static int check_version(const struct restoring *r, struct db *db, struct err *err)
{
    int64_t *version = &r->report->version;
    int rc = db_version(db, version, err);

    if (rc == 0 && *version > schema_sql_count)
        rc = err_set(err, ERR_STATE, NULL,
                     "it is from a newer version (its schema is %lld, this program knows up to %u)",
                     (long long)*version, schema_sql_count);
    else if (rc == 0 && *version < 1)
        rc = err_set(err, ERR_STATE, NULL, "it is empty");
    return rc;
}

/* The log's chain is told of, but refusing for it would leave somebody with nothing. */
static int check_copy(const struct restoring *r, struct err *err)
{
    struct restore_report *out = r->report;
    struct err why = {0};
    struct db *db = db_open_copy(r->copy, &why);
    int rc = db != NULL ? 0 : -(int)ERR_STATE;

    if (rc == 0 && db_call(db, r->file) != 0)
        rc = err_set(&why, ERR_INTERNAL, NULL, "out of memory");
    if (rc == 0)
        rc = check_version(r, db, &why);
    if (rc == 0)
        rc = checkup_run(&out->found, db, NULL, NULL) < 0 ? -(int)ERR_STATE : 0;
    for (int part = CHECKUP_PAGES; part <= CHECKUP_REFERENCES && why.code == ERR_NONE; part++)
        err_copy(&why, &out->found.found[part]);
    if (why.code == ERR_NONE && backup_read_info(db, &out->info, &why) >= 0)
        rc = backup_drop_info(db, &why);
    if (why.code != ERR_NONE)
        rc = unusable(r, &why, err);
    db_close(db);
    return rc;
}

/* The real opening: migrations, and the log of acts. */
static int bring_up(const struct restoring *r, struct err *err)
{
    char when[AUDIT_ACT_MAX + 1] = "";
    time_t made = (time_t)(r->report->info.made_at_ms / 1000);
    struct err why = {0};
    struct tm tm;
    struct db *db = db_open(r->copy, &why);
    int rc = db != NULL ? db_begin(db, &why) : -(int)ERR_STATE;

    if (made > 0 && gmtime_r(&made, &tm) != NULL)
        strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", &tm);
    if (rc == 0)
        rc = audit_append(db, 0, "restore", 0, 0, when, NULL, &why);
    if (rc == 0)
        rc = db_commit(db, &why);
    db_close(db);
    return rc == 0 ? 0 : unusable(r, &why, err);
}

/* Only database and key are to be installed. */
static void tidy(const struct restoring *r)
{
    DIR *d = opendir(r->folder);

    if (d == NULL)
        return;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        if (e->d_name[0] != '.' && strcmp(e->d_name, "salotto.db") != 0 && strcmp(e->d_name, "server.key") != 0)
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
}

static void fingerprint(char out[64], const uint8_t seed[BACKUP_KEY_BYTES])
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    char print[IDENTITY_FINGERPRINT_BYTES];

    crypto_sign_seed_keypair(public_key, secret, seed);
    sodium_memzero(secret, sizeof secret);
    identity_fingerprint(print, public_key);
    snprintf(out, 64, "%.63s", print);
}

/* The backup's key, unless it is the one that is there. */
static int place_key(const struct restoring *r, struct err *err)
{
    struct restore_report *out = r->report;
    char key[PATH_ROOM], made[PATH_ROOM + 16];
    uint8_t now[BACKUP_KEY_BYTES + 1] = {0};
    bool same, there;
    ssize_t n = -1;
    int fd, rc = 0;

    snprintf(key, sizeof key, "%s/server.key", r->state);
    snprintf(made, sizeof made, "%s/server.key", r->folder);
    there = exists(key);
    fd = open(key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) {
        n = read(fd, now, sizeof now);
        close(fd);
    }
    same = out->info.has_key && n == BACKUP_KEY_BYTES && memcmp(now, out->info.key, BACKUP_KEY_BYTES) == 0;
    if (out->info.has_key || n == BACKUP_KEY_BYTES)
        fingerprint(out->fingerprint, out->info.has_key ? out->info.key : now);
    if (out->info.has_key && !same) {
        out->replaces_key = there;
        rc = make_file(made, -1, out->info.key, BACKUP_KEY_BYTES, err);
    }
    sodium_memzero(now, sizeof now);
    sodium_memzero(out->info.key, sizeof out->info.key);
    return rc;
}

/* A time that names nothing yet. */
static void choose_time(char out[TIME_ROOM - 8], const char *state)
{
    time_t now = time(NULL);
    char stamp[16] = "";
    struct tm tm;

    if (gmtime_r(&now, &tm) != NULL)
        strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &tm);
    for (unsigned n = 1;; n++) {
        char kept[PATH_ROOM];

        snprintf(out, TIME_ROOM - 8, n == 1 ? "%s" : "%s-%u", stamp, n);
        snprintf(kept, sizeof kept, "%s/salotto.db" KEPT "%s", state, out);
        if (!exists(kept))
            return;
    }
}

static int decide(const struct restoring *r, struct err *err)
{
    char time[TIME_ROOM - 8], name[TIME_ROOM], path[PATH_ROOM], database[PATH_ROOM];

    choose_time(time, r->state);
    snprintf(name, sizeof name, DECIDED "%s", time);
    snprintf(path, sizeof path, "%s/%s", r->state, name);
    snprintf(database, sizeof database, "%s/salotto.db", r->state);
    if (exists(database))
        snprintf(r->report->kept, sizeof r->report->kept, "%s/salotto.db" KEPT "%s", r->state, time);
    if (dbfile_sync_folder(r->folder) != 0 || rename(r->folder, path) != 0 || dbfile_sync_folder(r->state) != 0)
        return failed(err, r->folder);
    return carry_out(r->state, name, err);
}

static int make_ready(struct restoring *r, struct err *err)
{
    int rc = is_itself(r, err);

    if (rc == 0)
        rc = finish(r->state, err);
    if (rc == 0)
        rc = copy_in(r, err);
    if (rc == 0)
        rc = check_copy(r, err);
    if (rc == 0)
        rc = bring_up(r, err);
    if (rc == 0)
        rc = place_key(r, err);
    if (rc == 0) {
        tidy(r);
        rc = decide(r, err);
    }
    if (rc != 0)
        remove_folder(r->folder);
    return rc;
}

int restore_run(struct restore_report *out, const struct config *c, const char *file, struct err *err)
{
    struct restoring r = {.report = out, .state = c->state, .file = file, .from = -1, .from_log = -1};
    char database[PATH_ROOM];
    int claim = -1, rc;

    memset(out, 0, sizeof *out);
    snprintf(r.folder, sizeof r.folder, "%s/" UNDECIDED, c->state);
    snprintf(r.copy, sizeof r.copy, "%s/" UNDECIDED "/salotto.db", c->state);
    snprintf(database, sizeof database, "%s/salotto.db", c->state);
    rc = open_file(&r, err);
    if (rc == 0)
        rc = state_make_folder(c->state, err);
    if (rc == 0)
        rc = become_owner(c->state, err);
    if (rc == 0) {
        claim = dbfile_lock(database, ERR_IN_USE, err);
        rc = claim < 0 ? claim : 0;
        if (rc == -ERR_IN_USE)
            err_set(err, ERR_IN_USE, "stop it first: systemctl stop salottod; then restore, then start it again",
                    "a salottod is using %s", c->state);
    }
    if (rc == 0)
        rc = make_ready(&r, err);
    sodium_memzero(out->info.key, sizeof out->info.key);
    if (claim >= 0)
        close(claim);
    if (r.from >= 0)
        close(r.from);
    if (r.from_log >= 0)
        close(r.from_log);
    return rc;
}

int restore_print(const struct restore_report *r, const struct config *c, const char *file, struct err *err)
{
    const struct err *log = &r->found.found[CHECKUP_AUDIT];
    time_t made = (time_t)(r->info.made_at_ms / 1000);
    char when[40];
    struct tm tm;

    printf(_("%s/salotto.db is restored from %s: rooms %lld, people %lld, log entries %lld.\n"), c->state, file,
           (long long)r->found.rooms, (long long)r->found.people, (long long)r->found.audit_rows);
    if (made > 0 && localtime_r(&made, &tm) != NULL && strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S %Z", &tm) > 0)
        printf(_("The backup was made on %s by salottod %s.\n"), when, r->info.version);
    if (r->version < schema_sql_count)
        printf(_("It was of version %lld and has become version %u.\n"), (long long)r->version, schema_sql_count);
    if (log->code != ERR_NONE)
        printf(_("Warning: its log does not fit together: %s.\n"), log->message);
    if (r->fingerprint[0] == '\0')
        printf(_("The backup has no server key, and there is none here: a new one will be made, and old links will be "
                 "refused. If you have the old server.key, put it into %s before you start.\n"),
               c->state);
    else if (r->info.has_key)
        printf(_("Links made with the backup's key are valid: %s.\n"), r->fingerprint);
    else
        printf(_("The backup has no server key; the one that was here stays: %s.\n"), r->fingerprint);
    if (r->kept[0] != '\0')
        printf(_("What was there is kept: %s\n"), r->kept);
    if (r->replaces_key)
        printf(_("The other key that was there is kept beside it.\n"));
    return fflush(stdout) == 0 ? 0
                               : err_set(err, ERR_INTERNAL, "the restore itself is done",
                                         "cannot write to standard output: %s", err_reason(errno));
}
