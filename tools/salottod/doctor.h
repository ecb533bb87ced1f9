/* doctor.h - what an organiser's machine is like, and what to type where it could be better
 *
 * Three steps: main notes what it knows (cmd_doctor.c), a chore looks at what may block, and the judgement is drawn
 * from these facts alone, so that it can be tested without such a machine.
 */
#ifndef SALOTTO_SALOTTOD_DOCTOR_H
#define SALOTTO_SALOTTOD_DOCTOR_H

#include "mixer/err.h"
#include "tools/salottod/config.h"
#include "tools/salottod/reach.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define DOCTOR_UNLIMITED ULLONG_MAX
#define DOCTOR_UNKNOWN   (-1) /* of what is otherwise never negative */
#define DOCTOR_FINDINGS  12

enum doctor_clock { CLOCK_SYNCHRONISED, CLOCK_FREE, CLOCK_UNTOLD /* we may not ask */ };

struct doctor_facts {
    /* noted by main */
    bool service; /* systemd started us */
    char public_host[256], listen[64], state[CONFIG_PATH_MAX], database[CONFIG_PATH_MAX + 16];
    uint16_t port;
    uint8_t key[32];
    unsigned people_max, people;                          /* in one room by configuration (0: unlimited); here now */
    long long buffer_wanted, receive_buffer, send_buffer; /* bytes of the media socket */

    /* looked at */
    long long now_ms, newest_ms; /* the clock; the newest entry of the log (0: none) */
    enum doctor_clock clock;
    long long clock_error_ms;
    unsigned long long files, memory; /* limits: open files; bytes that may be locked */
    long long files_open;
    bool may_nice, may_fifo;
    long long
        fifo_share_us; /* sched_rt_runtime_us: of each second (its period); DOCTOR_UNKNOWN: not readable, or all */
    unsigned rooms, rooms_plain; /* threads of live rooms; those without real-time priority */
    struct reach reach;
    long long disk_free, disk_nodes;                                            /* DOCTOR_UNKNOWN */
    long long database_bytes, log_bytes, entries, entries_week, last_backup_ms; /* 0: never */
    struct err database_fault;                                                  /* ERR_NONE: sound */
};

/* Fills the second half. Blocks; go_on(arg) false ends it early. */
void doctor_look(struct doctor_facts *f, bool (*go_on)(void *arg), void *arg);

enum finding_state { FINDING_OK, FINDING_NOTE, FINDING_WARNING, FINDING_FAULT };

struct finding {
    const char *what;
    enum finding_state state;
    char found[360];
    char mend[360]; /* what to type; empty where there is nothing to mend */
};

/* Returns how many findings there are, in a fixed order. */
unsigned doctor_judge(const struct doctor_facts *d, struct finding out[DOCTOR_FINDINGS]);

/* "ok", "note", "warning", "fault" */
const char *finding_word(enum finding_state s);

#endif
