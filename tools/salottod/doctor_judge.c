/* doctor_judge.c - what to say of the facts (see doctor.h) */
#include "tools/salottod/doctor.h"

#include "tools/language.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MIB             (1024ll * 1024)
#define DAY_MS          86400000ll
#define PEOPLE_EXPECTED 1000u     /* where the configuration does not say */
#define FILES_OURS      64u       /* sockets, database, log, and some to spare */
#define MEMORY_WANTED   (8 * MIB) /* of fifty speakers, roughly */
#define CLOCK_SLACK_MS  5000
#define CLOCK_OLDEST_MS 1704067200000ll /* 2024: no Salotto is older */
#define CLOCK_ERROR_MS  1000
#define DISK_FAULT      (64 * MIB)
#define DISK_WARNING    (512 * MIB)
#define NODES_WARNING   100
#define LOG_WARNING     (64 * MIB)
#define BACKUP_DAYS     30

const char *finding_word(enum finding_state s)
{
    static const char *const words[] = {N_("ok"), N_("note"), N_("warning"), N_("fault")};

    return words[s];
}

static void say(struct finding *f, enum finding_state state, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct finding *f, enum finding_state state, const char *fmt, ...)
{
    va_list ap;

    f->state = state;
    va_start(ap, fmt);
    if (vsnprintf(f->found, sizeof f->found, _(fmt), ap) < 0)
        f->found[0] = '\0';
    va_end(ap);
}

static void mend(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void mend(struct finding *f, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (vsnprintf(f->mend, sizeof f->mend, _(fmt), ap) < 0)
        f->mend[0] = '\0';
    va_end(ap);
}

/* A limit is raised in the unit, or in the shell that starts us. */
static void mend_limit(struct finding *f, const struct doctor_facts *d, const char *unit, const char *shell)
{
    if (d->service)
        mend(f,
             "systemctl edit salottod   (write: [Service], and below it: %s), then: systemctl restart salottod; in a "
             "container raise the limit on its host, too",
             unit);
    else
        mend(f, "%s", _(shell));
}

static void print_time(char *out, size_t max, long long ms)
{
    time_t at = (time_t)(ms / 1000);
    struct tm tm;

    if (localtime_r(&at, &tm) == NULL || strftime(out, max, "%Y-%m-%d %H:%M:%S %Z", &tm) == 0)
        snprintf(out, max, "%lld", ms);
}

static void judge_clock(struct finding *f, const struct doctor_facts *d)
{
    char now[48], newest[48];

    print_time(now, sizeof now, d->now_ms);
    print_time(newest, sizeof newest, d->newest_ms);
    if (d->now_ms < CLOCK_OLDEST_MS) {
        say(f, FINDING_FAULT, "it says %s, which can't be: invites and the log carry wrong times", now);
        mend(f, "timedatectl set-ntp true");
    } else if (d->newest_ms > d->now_ms + CLOCK_SLACK_MS) {
        say(f, FINDING_FAULT, "it says %s, but the newest entry of the log is of %s: it was set back, or was ahead",
            now, newest);
        mend(f, "timedatectl set-ntp true");
    } else if (d->clock == CLOCK_FREE) {
        say(f, FINDING_WARNING, "it says %s, and nothing keeps it right: the kernel calls it not synchronised", now);
        mend(f, "timedatectl set-ntp true   (in a container: on its host)");
    } else if (d->clock == CLOCK_UNTOLD) {
        say(f, FINDING_NOTE, "it says %s; the sandbox does not tell whether something keeps it right", now);
        mend(f, "timedatectl   (shows: System clock synchronized)");
    } else if (d->clock_error_ms > CLOCK_ERROR_MS) {
        say(f, FINDING_NOTE, "it says %s, synchronised, but only within %lld ms", now, d->clock_error_ms);
    } else {
        say(f, FINDING_OK, "%s, synchronised", now);
    }
}

static void judge_files(struct finding *f, const struct doctor_facts *d)
{
    unsigned expected = d->people_max > 0 ? d->people_max : PEOPLE_EXPECTED;

    if (d->people > expected)
        expected = d->people;
    if (d->files == DOCTOR_UNLIMITED || d->files >= (unsigned long long)expected + FILES_OURS) {
        say(f, FINDING_OK, "%lld in use; enough for %u people", d->files_open, expected);
    } else {
        say(f, FINDING_WARNING, "%llu are allowed and each person takes one: about %llu people get in, not %u",
            d->files, d->files > FILES_OURS ? d->files - FILES_OURS : 0, expected);
        mend_limit(f, d, "LimitNOFILE=65536", N_("ulimit -n 65536   (before you start salottod)"));
    }
}

static void judge_memory(struct finding *f, const struct doctor_facts *d)
{
    if (d->memory == DOCTOR_UNLIMITED || d->memory >= MEMORY_WANTED) {
        say(f, FINDING_OK, "what sound needs can be kept in memory");
    } else {
        say(f, FINDING_NOTE, "only %llu KiB may be locked: when memory is short, sound may stutter", d->memory / 1024);
        mend_limit(f, d, "LimitMEMLOCK=infinity", N_("ulimit -l unlimited   (before you start salottod; as root)"));
    }
}

static void judge_nice(struct finding *f, const struct doctor_facts *d)
{
    if (d->may_nice) {
        say(f, FINDING_OK, "network threads run before other programs");
    } else {
        say(f, FINDING_NOTE, "network threads run at the usual priority: a busy machine may delay packets");
        mend_limit(
            f, d, "LimitNICE=-10",
            N_("echo \"$USER - nice -10\" | sudo tee -a /etc/security/limits.d/salotto.conf   (then log in again)"));
    }
}

static void judge_fifo(struct finding *f, const struct doctor_facts *d)
{
    if (d->fifo_share_us == 0) {
        say(f, FINDING_WARNING, "the kernel gives real-time threads no time at all");
        mend(f, "sysctl -w kernel.sched_rt_runtime_us=950000");
    } else if (!d->may_fifo) {
        say(f, FINDING_WARNING, "rooms run at the usual priority: on a busy machine sound may stutter");
        mend_limit(
            f, d, "LimitRTPRIO=20",
            N_("echo \"$USER - rtprio 20\" | sudo tee -a /etc/security/limits.d/salotto.conf   (then log in again)"));
    } else if (d->rooms_plain > 0) {
        say(f, FINDING_WARNING, "allowed now, but %u of %u live rooms began without", d->rooms_plain, d->rooms);
        mend(f, d->service ? N_("systemctl restart salottod   (when the rooms are empty)") : N_("restart salottod"));
    } else {
        say(f, FINDING_OK, "rooms may run in real time; live now: %u", d->rooms);
    }
}

/* The kernel tells twice what was asked for (socket(7)). */
static void judge_buffers(struct finding *f, const struct doctor_facts *d)
{
    long long receive = d->receive_buffer / 2, send = d->send_buffer / 2;

    if (receive >= d->buffer_wanted && send >= d->buffer_wanted) {
        say(f, FINDING_OK, "%lld KiB each way", d->buffer_wanted / 1024);
    } else {
        say(f, FINDING_WARNING,
            "%lld KiB in and %lld KiB out, of %lld wanted: with many people, packets are lost in bursts",
            receive / 1024, send / 1024, d->buffer_wanted / 1024);
        mend(f,
             "printf 'net.core.rmem_max=%lld\\nnet.core.wmem_max=%lld\\n' | sudo tee /etc/sysctl.d/60-salotto.conf; "
             "sudo sysctl --system   (then restart salottod)",
             d->buffer_wanted, d->buffer_wanted);
    }
}

static void judge_ports(struct finding *f, const struct doctor_facts *d)
{
    bool all = d->listen[0] == '\0' || strcmp(d->listen, "*") == 0;

    say(f, FINDING_OK, "UDP and TCP %u on %s; whether a firewall lets people in can't be seen from here",
        (unsigned)d->port, all ? _("all addresses") : d->listen);
    mend(f, "salotto listen LINK   (on a machine elsewhere: the only proof)");
}

static void judge_answer(struct finding *f, const struct doctor_facts *d)
{
    const struct reach *r = &d->reach;

    if (r->hello == REACH_OTHER) {
        say(f, FINDING_FAULT, "links name %s (%s), where something else than this server answers at port %u",
            d->public_host, r->address, (unsigned)d->port);
        mend(f, "salottod --check-config --config /etc/salotto/salottod.conf   (look at public_host and port)");
    } else if (r->own && r->hello == REACH_NOBODY) {
        say(f, FINDING_WARNING, "links name %s (%s), which is this machine, but nothing answers there at port %u",
            d->public_host, r->address, (unsigned)d->port);
        mend(f, "look at `listen` in salottod.conf, and at the firewall: nft list ruleset");
    } else if (r->local) {
        say(f, FINDING_NOTE, "links name %s (%s): they work in your local network only", d->public_host, r->address);
        mend(f, "write public_host = NAME into salottod.conf, with a name that leads here from outside");
    } else if (r->own) {
        say(f, FINDING_OK, "they name %s (%s), which is this machine", d->public_host, r->address);
    } else if (r->hello == REACH_OURS) {
        say(f, FINDING_OK, "they name %s (%s), not an address of this machine, but it leads here", d->public_host,
            r->address);
    } else {
        say(f, FINDING_NOTE,
            "links name %s (%s), which is not an address of this machine, and from here nobody answers there: right "
            "where a router passes UDP and TCP %u on to this machine",
            d->public_host, r->address, (unsigned)d->port);
        mend(f, "salotto listen LINK   (on a machine elsewhere)");
    }
}

static void mend_name(struct finding *f, const struct doctor_facts *d)
{
    mend(f, d->service
                ? N_("write public_host = NAME into salottod.conf, with a name that people can reach; then: "
                     "systemctl reload salottod")
                : N_("write public_host = NAME into the file of --config, with a name that people can reach; then: "
                     "pkill -HUP -x salottod"));
}

static void judge_links(struct finding *f, const struct doctor_facts *d)
{
    if (d->reach.name == REACH_UNKNOWN) {
        say(f, FINDING_FAULT, "links name %s, and there is no such host", d->public_host);
        mend_name(f, d);
    } else if (d->reach.name == REACH_SILENT) {
        say(f, FINDING_WARNING, "links name %s, and the name server did not answer", d->public_host);
        mend(f, "getent ahosts %s", d->public_host);
    } else if (d->reach.loopback) {
        say(f, FINDING_WARNING, "they name %s: links work on this machine only", d->public_host);
        mend_name(f, d);
    } else {
        judge_answer(f, d);
    }
}

static void judge_disk(struct finding *f, const struct doctor_facts *d)
{
    long long growth = d->entries > 0 ? d->database_bytes / d->entries * d->entries_week : 0;

    if (d->disk_free == DOCTOR_UNKNOWN)
        say(f, FINDING_NOTE, "the free space of %s can't be asked", d->state);
    else if (d->disk_free < DISK_WARNING)
        say(f, d->disk_free < DISK_FAULT ? FINDING_FAULT : FINDING_WARNING,
            "%lld MiB are free for %s: when it is full, nothing that moderators do is kept", d->disk_free / MIB,
            d->state);
    else if (d->disk_nodes != DOCTOR_UNKNOWN && d->disk_nodes < NODES_WARNING)
        say(f, FINDING_WARNING, "only %lld more files can be made in %s", d->disk_nodes, d->state);
    else
        say(f, FINDING_OK, "%lld MiB free; the database grew by about %lld KiB in the last week", d->disk_free / MIB,
            growth / 1024);
    if (f->state > FINDING_OK)
        mend(f, "df -h %s; du -xh --max-depth=1 %s", d->state, d->state);
}

static void judge_database(struct finding *f, const struct doctor_facts *d)
{
    if (d->database_fault.code != ERR_NONE) {
        say(f, FINDING_FAULT, "%s", d->database_fault.message);
        mend(f, "%s", d->database_fault.mend);
    } else if (d->log_bytes > LOG_WARNING) {
        say(f, FINDING_WARNING, "sound, but its log has grown to %lld MiB: some program keeps it open for reading",
            d->log_bytes / MIB);
        mend(f, "fuser -v %s", d->database);
    } else {
        say(f, FINDING_OK, "%lld KiB, sound at a quick look; `check` looks at all", d->database_bytes / 1024);
    }
}

static void judge_backup(struct finding *f, const struct doctor_facts *d)
{
    long long days = (d->now_ms - d->last_backup_ms) / DAY_MS;

    if (d->last_backup_ms <= 0)
        say(f, FINDING_WARNING, "none was ever made");
    else if (days > BACKUP_DAYS)
        say(f, FINDING_WARNING, "the last one is %lld days old", days);
    else
        say(f, FINDING_OK, "days since the last one: %lld", days > 0 ? days : 0);
    if (f->state > FINDING_OK)
        mend(f, "salottoctl backup FILE   (and keep it on another machine)");
}

unsigned doctor_judge(const struct doctor_facts *d, struct finding out[DOCTOR_FINDINGS])
{
    static const struct {
        const char *what;
        void (*judge)(struct finding *f, const struct doctor_facts *d);
    } examinations[] = {
        {N_("clock"), judge_clock},       {N_("open files"), judge_files}, {N_("locked memory"), judge_memory},
        {N_("priority"), judge_nice},     {N_("real time"), judge_fifo},   {N_("socket buffers"), judge_buffers},
        {N_("ports"), judge_ports},       {N_("links"), judge_links},      {N_("disk"), judge_disk},
        {N_("database"), judge_database}, {N_("backup"), judge_backup},
    };
    unsigned n = 0;

    for (; n < sizeof examinations / sizeof *examinations; n++) {
        memset(&out[n], 0, sizeof out[n]);
        out[n].what = examinations[n].what;
        examinations[n].judge(&out[n], d);
    }
    return n;
}
