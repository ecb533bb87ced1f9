/* doctor.c - what is said of which machine (tools/salottod/doctor.h), and where a name leads (reach.h) */
#include "tools/salottod/doctor.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_MS 1800000000000LL
#define DAY_MS 86400000LL

static struct finding findings[DOCTOR_FINDINGS];

/* A machine on which nothing is wrong. */
static struct doctor_facts healthy(void)
{
    return (struct doctor_facts){
        .public_host = "talk.example",
        .state = "/var/lib/salotto",
        .database = "/var/lib/salotto/salotto.db",
        .port = 7256,
        .buffer_wanted = 8 << 20,
        .receive_buffer = 16 << 20,
        .send_buffer = 16 << 20,
        .now_ms = NOW_MS,
        .newest_ms = NOW_MS - 1000,
        .clock = CLOCK_SYNCHRONISED,
        .files = 65536,
        .memory = DOCTOR_UNLIMITED,
        .may_nice = true,
        .may_fifo = true,
        .fifo_share_us = 950000,
        .reach = {.name = REACH_RESOLVED, .address = "198.51.100.7", .own = true, .hello = REACH_OURS},
        .disk_free = 10LL << 30,
        .disk_nodes = 100000,
        .database_bytes = 1 << 20,
        .entries = 1000,
        .entries_week = 10,
        .last_backup_ms = NOW_MS - DAY_MS,
    };
}

static const struct finding *judge(const struct doctor_facts *f, const char *what)
{
    unsigned n = doctor_judge(f, findings);

    assert_true(n <= DOCTOR_FINDINGS);
    for (unsigned i = 0; i < n; i++)
        if (strcmp(findings[i].what, what) == 0)
            return &findings[i];
    fail_msg("nothing is said of %s", what);
    return NULL;
}

static void expect(const struct doctor_facts *f, const char *what, enum finding_state state, const char *found,
                   const char *mend)
{
    const struct finding *g = judge(f, what);

    if (g->state != state || strstr(g->found, found) == NULL || strstr(g->mend, mend) == NULL)
        fail_msg("%s: %s '%s' (%s) should be %s with '%s' and '%s'", what, finding_word(g->state), g->found, g->mend,
                 finding_word(state), found, mend);
    if (state > FINDING_NOTE)
        assert_true(g->mend[0] != '\0');
}

static void a_healthy_machine_has_nothing_but_ok(void **state)
{
    struct doctor_facts f = healthy();
    unsigned n = doctor_judge(&f, findings);

    (void)state;
    assert_int_equal(n, 11);
    for (unsigned i = 0; i < n; i++)
        if (findings[i].state != FINDING_OK)
            fail_msg("%s: %s", findings[i].what, findings[i].found);
}

static void a_clock_that_nothing_keeps_or_that_went_back_is_named(void **state)
{
    struct doctor_facts f = healthy();

    (void)state;
    f.clock = CLOCK_FREE;
    expect(&f, "clock", FINDING_WARNING, "not synchronised", "timedatectl set-ntp true");
    f.clock = CLOCK_UNTOLD;
    expect(&f, "clock", FINDING_NOTE, "sandbox", "timedatectl");
    f.clock = CLOCK_SYNCHRONISED;
    f.clock_error_ms = 5000;
    expect(&f, "clock", FINDING_NOTE, "within 5000 ms", "");
    f.newest_ms = f.now_ms + 60000;
    expect(&f, "clock", FINDING_FAULT, "set back", "timedatectl");
    f = healthy();
    f.now_ms = 1000;
    f.newest_ms = 0;
    expect(&f, "clock", FINDING_FAULT, "1970", "timedatectl");
}

static void limits_are_held_against_the_people_who_are_expected(void **state)
{
    struct doctor_facts f = healthy();

    (void)state;
    f.files = 1024;
    expect(&f, "open files", FINDING_WARNING, "about 960 people", "ulimit -n");
    f.service = true;
    expect(&f, "open files", FINDING_WARNING, "about 960 people", "LimitNOFILE=65536");
    f.people_max = 500;
    expect(&f, "open files", FINDING_OK, "500 people", "");
    f.people = 2000;
    expect(&f, "open files", FINDING_WARNING, "not 2000", "");
    f.memory = 65536;
    expect(&f, "locked memory", FINDING_NOTE, "64 KiB", "LimitMEMLOCK");
    f.may_nice = false;
    expect(&f, "priority", FINDING_NOTE, "usual priority", "LimitNICE");
}

static void a_room_without_real_time_priority_is_named(void **state)
{
    struct doctor_facts f = healthy();

    (void)state;
    f.may_fifo = false;
    expect(&f, "real time", FINDING_WARNING, "stutter", "rtprio 20");
    f.may_fifo = true;
    f.rooms = 3;
    f.rooms_plain = 2;
    expect(&f, "real time", FINDING_WARNING, "2 of 3", "restart");
    f.rooms_plain = 0;
    f.fifo_share_us = 0;
    expect(&f, "real time", FINDING_WARNING, "no time", "sched_rt_runtime_us");
    f.fifo_share_us = DOCTOR_UNKNOWN;
    expect(&f, "real time", FINDING_OK, "live now: 3", "");
}

static void small_socket_buffers_are_told_with_both_numbers(void **state)
{
    struct doctor_facts f = healthy();

    (void)state;
    f.receive_buffer = 425984;
    expect(&f, "socket buffers", FINDING_WARNING, "208 KiB in and 8192 KiB out", "net.core.rmem_max=8388608");
}

static void links_are_followed(void **state)
{
    struct doctor_facts f = healthy();

    (void)state;
    f.reach.loopback = true;
    expect(&f, "links", FINDING_WARNING, "this machine only", "public_host");
    f = healthy();
    f.reach.name = REACH_UNKNOWN;
    expect(&f, "links", FINDING_FAULT, "no such host", "public_host");
    f.reach.name = REACH_SILENT;
    expect(&f, "links", FINDING_WARNING, "did not answer", "getent ahosts talk.example");
    f = healthy();
    f.reach.hello = REACH_OTHER;
    expect(&f, "links", FINDING_FAULT, "something else", "");
    f.reach.hello = REACH_NOBODY;
    expect(&f, "links", FINDING_WARNING, "nothing answers", "nft");
    f.reach.own = false;
    expect(&f, "links", FINDING_NOTE, "not an address of this machine", "elsewhere");
    f.reach.hello = REACH_OURS;
    expect(&f, "links", FINDING_OK, "it leads here", "");
    f.reach.local = true;
    expect(&f, "links", FINDING_NOTE, "local network only", "public_host");
}

static void a_disk_that_fills_is_named_before_it_is_full(void **state)
{
    struct doctor_facts f = healthy();

    (void)state;
    expect(&f, "disk", FINDING_OK, "about 10 KiB in the last week", "");
    f.disk_free = 100 << 20;
    expect(&f, "disk", FINDING_WARNING, "100 MiB", "df -h");
    f.disk_free = 1 << 20;
    expect(&f, "disk", FINDING_FAULT, "1 MiB", "df -h");
    f = healthy();
    f.disk_nodes = 7;
    expect(&f, "disk", FINDING_WARNING, "only 7", "df -h");
    f.disk_free = DOCTOR_UNKNOWN;
    expect(&f, "disk", FINDING_NOTE, "can't be asked", "");
}

static void a_damaged_database_is_named_with_its_own_mend(void **state)
{
    struct doctor_facts f = healthy();

    (void)state;
    f.log_bytes = 1 << 30;
    expect(&f, "database", FINDING_WARNING, "1024 MiB", "fuser -v");
    err_set(&f.database_fault, ERR_STATE, "salottod --restore X", "it is damaged");
    expect(&f, "database", FINDING_FAULT, "it is damaged", "salottod --restore X");
}

static void a_missing_or_old_backup_is_asked_for(void **state)
{
    struct doctor_facts f = healthy();

    (void)state;
    f.last_backup_ms = 0;
    expect(&f, "backup", FINDING_WARNING, "none", "salottoctl backup");
    f.last_backup_ms = NOW_MS - 40 * DAY_MS;
    expect(&f, "backup", FINDING_WARNING, "40 days", "salottoctl backup");
}

/* --- where a name leads */

static bool always(void *arg)
{
    (void)arg;
    return true;
}

static int listener(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

/* Answers one connection with a hello whose key is `letter`. */
static void *greet(void *arg)
{
    int *fd = arg, peer = accept(*fd, NULL, NULL);
    char hello[42] = "SALOTTO\0\1\1";

    memset(hello + 10, 'k', 32);
    if (peer >= 0 && write(peer, hello, 20) == 20)
        (void)!write(peer, hello + 20, 22);
    close(peer);
    return NULL;
}

static enum reach_hello ask(char letter)
{
    struct reach r;
    uint8_t key[32];
    pthread_t thread;
    uint16_t port;
    int fd = listener(&port);

    memset(key, letter, sizeof key);
    assert_int_equal(pthread_create(&thread, NULL, greet, &fd), 0);
    reach_look(&r, "127.0.0.1", port, key, always, NULL);
    pthread_join(thread, NULL);
    close(fd);
    assert_int_equal(r.name, REACH_RESOLVED);
    assert_string_equal(r.address, "127.0.0.1");
    assert_true(r.loopback && r.own && !r.local);
    return r.hello;
}

static void a_server_is_known_by_its_key(void **state)
{
    (void)state;
    assert_int_equal(ask('k'), REACH_OURS);
    assert_int_equal(ask('x'), REACH_OTHER);
}

static void where_nobody_listens_nobody_answers(void **state)
{
    struct reach r;
    uint8_t key[32] = {0};
    uint16_t port;
    int fd = listener(&port);

    (void)state;
    close(fd);
    reach_look(&r, "127.0.0.1", port, key, always, NULL);
    assert_int_equal(r.hello, REACH_NOBODY);
}

static void a_name_that_is_none_is_unknown_or_unanswered(void **state)
{
    struct reach r;
    uint8_t key[32] = {0};

    (void)state;
    reach_look(&r, "no-such-host.invalid", 1, key, always, NULL); /* RFC 6761 section 6.4 */
    assert_true(r.name == REACH_UNKNOWN || r.name == REACH_SILENT);
}

static void localhost_is_this_machine_whatever_the_name_server_knows(void **state)
{
    static const char *const names[] = {"localhost", "LOCALHOST", "piazza.localhost"};
    struct reach r;
    uint8_t key[32] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        reach_look(&r, names[i], 1, key, always, NULL);
        assert_int_equal(r.name, REACH_RESOLVED);
        assert_true(r.loopback);
    }
    reach_look(&r, "notlocalhost", 1, key, always, NULL);
    assert_true(r.name != REACH_RESOLVED || !r.loopback);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_machine_has_nothing_but_ok),
        cmocka_unit_test(a_clock_that_nothing_keeps_or_that_went_back_is_named),
        cmocka_unit_test(limits_are_held_against_the_people_who_are_expected),
        cmocka_unit_test(a_room_without_real_time_priority_is_named),
        cmocka_unit_test(small_socket_buffers_are_told_with_both_numbers),
        cmocka_unit_test(links_are_followed),
        cmocka_unit_test(a_disk_that_fills_is_named_before_it_is_full),
        cmocka_unit_test(a_damaged_database_is_named_with_its_own_mend),
        cmocka_unit_test(a_missing_or_old_backup_is_asked_for),
        cmocka_unit_test(a_server_is_known_by_its_key),
        cmocka_unit_test(where_nobody_listens_nobody_answers),
        cmocka_unit_test(a_name_that_is_none_is_unknown_or_unanswered),
        cmocka_unit_test(localhost_is_this_machine_whatever_the_name_server_knows),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("salottod/doctor", tests, NULL, NULL);
}
