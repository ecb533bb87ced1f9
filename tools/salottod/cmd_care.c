/* cmd_care.c - backup, check: care of the database while rooms are live
 *
 * Both read on a thread and a connection of their own. A backup is made in the state folder, where the daemon may
 * write, under a name that is gone again before anybody is told: what the operator's tool gets is the open file, which
 * it copies to where the operator may write.
 */
#include "storage/audit.h"
#include "storage/backup.h"
#include "storage/checkup.h"
#include "storage/spare.h"
#include "tools/language.h"
#include "tools/salottod/call.h"
#include "tools/version.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAMAGED_EXIT ((int)ERR_STATE)

/* --- backup */

struct backup_job {
    char database[CONFIG_PATH_MAX + 16], part[CONFIG_PATH_MAX + 80];
    struct backup_info info;
    int64_t bytes, rooms, people;
};

static void free_backup(void *own)
{
    sodium_memzero(own, sizeof(struct backup_job));
    free(own);
}

static bool copied(void *arg, int64_t done, int64_t all)
{
    return chore_tell(arg, (uint64_t)done, (uint64_t)all);
}

/* The file, open and without a name. */
static int take_part(struct backup_job *j, struct err *err)
{
    struct stat st;
    int fd = open(j->part, O_RDONLY | O_CLOEXEC);
    int status = 0;

    if (fd < 0 || fstat(fd, &st) != 0)
        status = err_set(err, ERR_STATE, NULL, "%s: %s", j->part, err_reason(errno));
    else
        j->bytes = (int64_t)st.st_size;
    unlink(j->part);
    if (status != 0 && fd >= 0)
        close(fd);
    return status != 0 ? status : fd;
}

static int chore_backup(struct chore *h, struct call *c, struct err *err)
{
    struct backup_job *j = c->own;
    struct db *db = db_open_reader(j->database, err);
    int status = db != NULL ? db_begin_reading(db, err) : -(int)ERR_STATE;

    if (status == 0)
        status = backup_write(db, j->part, &j->info, copied, h, err);
    if (status == 0) {
        j->rooms = checkup_count(db, "SELECT count(*) FROM room");
        j->people = checkup_count(db, "SELECT count(*) FROM person");
        c->file = take_part(j, err);
        status = c->file < 0 ? c->file : 0;
    }
    db_close(db);
    return status;
}

/* Who has a backup with the key can be the server: that one was made belongs into the log. */
static int work_note(struct db *db, struct call *c, struct err *err)
{
    const struct backup_job *j = c->own;

    return audit_append(db, 0, "backup", 0, 0, j->info.has_key ? "with the key" : "without the key", NULL, err);
}

static void on_copied(struct call *c)
{
    call_commit(c, work_note, NULL);
}

static json_t *report_backup(struct call *c)
{
    const struct backup_job *j = c->own;
    const char *warning =
        j->info.has_key
            ? _("The server's key is in it: whoever has this file can pose as this server, so keep it safe.")
            : _("The server's key is not in it: keep server.key too, or links will not work elsewhere.");
    json_t *text = json_sprintf(_("%s holds all that is known: rooms %lld, people %lld, bytes %lld.\n%s\n"
                                  "Restore it with: salottod --restore %s"),
                                c->args.file, (long long)j->rooms, (long long)j->people, (long long)j->bytes, warning,
                                c->args.file);

    return json_pack("{s:s, s:o, s:{s:s, s:I, s:I, s:I, s:b, s:I}}", "file", c->args.file, "text", text, "data", "file",
                     c->args.file, "bytes", (json_int_t)j->bytes, "rooms", (json_int_t)j->rooms, "people",
                     (json_int_t)j->people, "has_key", (int)j->info.has_key, "made_at_ms",
                     (json_int_t)j->info.made_at_ms);
}

int cmd_backup(struct call *c)
{
    static unsigned number; /* so that two at a time do not meet */
    struct backup_job *j = calloc(1, sizeof *j);

    if (j == NULL)
        return err_set(&c->err, ERR_INTERNAL, NULL, "out of memory");
    c->own = j;
    c->own_free = free_backup;
    snprintf(j->database, sizeof j->database, "%s", c->server->state.database);
    snprintf(j->part, sizeof j->part, "%s.backup-%u" SPARE_UNFINISHED, c->server->state.database, ++number);
    j->info.made_at_ms = db_now_ms();
    j->info.has_key = !c->args.without_key;
    snprintf(j->info.version, sizeof j->info.version, "%s", SALOTTO_VERSION);
    if (j->info.has_key) /* libsodium's form begins with the seed, which is what server.key holds */
        memcpy(j->info.key, c->server->state.identity.secret_key, sizeof j->info.key);
    c->report = report_backup;
    call_chore(c, N_("copying the database"), chore_backup, on_copied);
    return 0;
}

/* --- check */

struct check_job {
    char database[CONFIG_PATH_MAX + 16];
    struct chore *chore;
    uint64_t part;
    struct checkup found;
};

static void next_part(void *arg, enum checkup_part part)
{
    struct check_job *j = arg;

    j->part = (uint64_t)part;
}

static bool go_on(void *arg)
{
    const struct check_job *j = arg;

    return chore_tell(j->chore, j->part, CHECKUP_PARTS);
}

static int chore_check(struct chore *h, struct call *c, struct err *err)
{
    struct check_job *j = c->own;
    struct db *db = db_open_reader(j->database, err);
    int status;

    if (db == NULL)
        return -(int)err->code;
    j->chore = h;
    db_ask(db, go_on, j);
    status = checkup_run(&j->found, db, next_part, j);
    db_close(db);
    if (status == -ERR_INTERRUPTED)
        return err_set(err, ERR_INTERRUPTED, "type it again", "the check was given up");
    return 0; /* what is wrong is the answer */
}

static void add_part(json_t *rows, json_t *data, const char *what, const struct err *found, const char *sound)
{
    bool ok = found->code == ERR_NONE;

    json_array_append_new(rows,
                          json_pack("[s, s, s]", _(what), ok ? _("ok") : _("NOT OK"), ok ? sound : found->message));
    json_array_append_new(data, json_pack("{s:s, s:b, s:s, s:s}", "what", what, "ok", (int)ok, "found",
                                          ok ? sound : found->message, "mend", ok ? "" : found->mend));
}

static json_t *report_check(struct call *c)
{
    static const char *const names[CHECKUP_PARTS] = {N_("pages and indexes"), N_("references"), N_("log")};
    const struct check_job *j = c->own;
    const struct checkup *f = &j->found;
    json_t *rows = json_array(), *data = json_array();
    const struct err *worst = NULL;
    char sound[CHECKUP_PARTS][160], head[17], text[600];

    sodium_bin2hex(head, sizeof head, f->audit_head, 8);
    snprintf(sound[CHECKUP_PAGES], sizeof sound[0], _("%lld pages of %lld bytes, %lld of them free"),
             (long long)f->pages, (long long)f->page_bytes, (long long)f->free_pages);
    snprintf(sound[CHECKUP_REFERENCES], sizeof sound[0], _("rooms %lld, people %lld"), (long long)f->rooms,
             (long long)f->people);
    snprintf(sound[CHECKUP_AUDIT], sizeof sound[0], _("%lld entries, none changed or missing; the last is %s…"),
             (long long)f->audit_rows, head);
    for (int i = 0; i < CHECKUP_PARTS; i++) {
        add_part(rows, data, names[i], &f->found[i], sound[i]);
        if (worst == NULL && f->found[i].code != ERR_NONE)
            worst = &f->found[i];
    }
    if (worst != NULL)
        snprintf(text, sizeof text, _("%s is not sound. Mend: %s"), j->database, worst->mend);
    else
        snprintf(text, sizeof text, _("%s is sound."), j->database);
    return json_pack("{s:[s, s, s], s:o, s:o, s:s, s:i}", "columns", _("what"), _("state"), _("found"), "rows", rows,
                     "data", data, "text", text, "exit", worst != NULL ? DAMAGED_EXIT : 0);
}

int cmd_check(struct call *c)
{
    struct check_job *j = calloc(1, sizeof *j);

    if (j == NULL)
        return err_set(&c->err, ERR_INTERNAL, NULL, "out of memory");
    c->own = j;
    c->own_free = free;
    snprintf(j->database, sizeof j->database, "%s", c->server->state.database);
    c->report = report_check;
    call_chore(c, N_("reading the database"), chore_check, NULL);
    return 0;
}
