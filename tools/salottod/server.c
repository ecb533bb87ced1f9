/* server.c - start order, the event loop, stop order (see server.h) */
#include "tools/salottod/server.h"

#include "net/clock.h"
#include "tools/salottod/events.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/log.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/reload.h"
#include "tools/salottod/session.h"
#include "tools/salottod/systemd.h"
#include "tools/salottod/watchdog.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define FLUSH_MS      400u /* for people to hear that the server stops */
#define SETTLE_STEPS  20u  /* of 10 ms */
#define CONTROL_BATCH 64u

/* --- what the threads report */

static void take_control_events(struct server *s)
{
    struct control_event e;
    unsigned n;

    for (n = 0; n < CONTROL_BATCH && control_server_next(s->control, &e); n++) {
        switch (e.kind) {
        case CONTROL_OPENED:
            session_opened(s, &e);
            break;
        case CONTROL_TEXT:
            if (!s->stopping)
                session_text(s, &e);
            sodium_memzero(e.text, e.len); /* it may hold a token */
            free(e.text);
            break;
        case CONTROL_CLOSED:
            session_closed(s, e.connection);
            break;
        }
    }
    sodium_memzero(&e, sizeof e);
    /* Answers, timers and signals have their turn before the next batch. */
    if (n == CONTROL_BATCH)
        event_active(s->wake_event, EV_READ, 0);
}

static void take_udp_events(struct server *s)
{
    struct udp_event e;
    struct session *p;

    while (udp_in_event(s->udp, &e)) {
        switch (e.kind) {
        case UDP_DONE:
            dispatch_answered(e.cookie);
            break;
        case UDP_EPOCH_ACK:
            p = session_by_id(s, e.session);
            if (p != NULL)
                epoch_acknowledged(p, e.epoch);
            break;
        case UDP_PATH:
        case UDP_SILENT:
        case UDP_HEARD_OF:
            break; /* who is there is told by their control connection, whose keep-alive finds the dead */
        }
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;
    struct live_room *r;

    (void)fd;
    (void)what;
    waker_drain(&s->waker);
    take_control_events(s);
    take_udp_events(s);
    dispatch_outlet_answers(s);
    LIST_FOREACH (r, &s->rooms, next)
        live_room_look(r);
    if (s->storage != NULL)
        storage_poll(s->storage);
    chores_look(s);
    dispatch_waiting(s);
    if (s->control != NULL)
        crowd_look(&s->crowd, control_server_stats(s->control), clock_now_ns());
}

static void on_term(evutil_socket_t signal, short what, void *arg)
{
    struct server *s = arg;

    (void)what;
    log_line(LOG_INFO_LINE, "stopping signal=%d", (int)signal);
    event_base_loopbreak(s->base);
}

/* A terminal that was closed answers every question about it so. */
static bool has_lost_terminal(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (!isatty(fd) && errno == EIO)
            return true;
    return false;
}

static void on_hup(evutil_socket_t signal, short what, void *arg)
{
    if (has_lost_terminal())
        on_term(signal, what, arg);
    else
        reload(arg);
}

/* --- start */

/* What was once touched stays in memory, so that no tick waits for a disk. Only where nothing limits it: else a later
 * allocation would fail at the limit. */
static void stay_in_memory(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY)
        return;
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
        log_line(LOG_WARNING_LINE, "memory cannot be locked: %s", strerror(errno));
}

static int open_loop(struct server *s, struct err *err)
{
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    s->base = event_base_new();
    if (s->wake_fd < 0 || s->base == NULL)
        return err_set(err, ERR_INTERNAL, NULL, "cannot make an event loop: %s", err_reason(errno));
    waker_init(&s->waker, s->wake_fd);
    s->wake_event = event_new(s->base, s->wake_fd, EV_READ | EV_PERSIST, on_wake, s);
    s->term_event = evsignal_new(s->base, SIGTERM, on_term, s);
    s->int_event = evsignal_new(s->base, SIGINT, on_term, s);
    s->hup_event = evsignal_new(s->base, SIGHUP, on_hup, s);
    s->people_event = evtimer_new(s->base, systemd_on_people, s);
    if (s->wake_event == NULL || s->term_event == NULL || s->int_event == NULL || s->hup_event == NULL ||
        s->people_event == NULL || event_add(s->wake_event, NULL) != 0 || event_add(s->term_event, NULL) != 0 ||
        event_add(s->int_event, NULL) != 0 || event_add(s->hup_event, NULL) != 0)
        return err_set(err, ERR_INTERNAL, NULL, "cannot watch for signals");
    return 0;
}

static int start_threads(struct server *s, struct err *err)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned outlets = cores < 1 ? 1 : cores > (long)SERVER_OUTLETS_MAX ? SERVER_OUTLETS_MAX : (unsigned)cores;
    struct control_server_config control = {
        .identity = &s->state.identity,
        .tcp_fds = s->sockets.tcp,
        .tcp_count = s->sockets.tcp_count,
        .unix_path = s->config.socket,
        .max_connections = s->crowd.max_connections,
        .owner = &s->waker,
    };
    struct udp_in_config udp = {.fd = s->sockets.udp, .outlet = s->outlet, .owner = &s->waker};

    for (; s->outlets < outlets; s->outlets++) {
        s->outlet[s->outlets] = outlet_udp_new(s->outlets, s->sockets.udp, &s->waker, err);
        if (s->outlet[s->outlets] == NULL)
            return -(int)err->code;
    }
    udp.outlets = s->outlets;
    s->udp = udp_in_new(&udp, err);
    if (s->udp == NULL)
        return -(int)err->code;
    s->control = control_server_new(&control, err);
    s->sockets.tcp_count = 0; /* taken */
    return s->control != NULL ? 0 : -(int)err->code;
}

int server_start(struct server *s, const struct config *c, const struct settings *settings, struct err *err)
{
    int status;

    memset(s, 0, sizeof *s);
    s->config = *c;
    s->settings = settings;
    s->wake_fd = s->sockets.udp = s->state.lock_fd = -1;
    LIST_INIT(&s->rooms);
    LIST_INIT(&s->sessions);
    id_table_init(&s->by_connection);
    id_table_init(&s->by_id);
    dispatch_init(&s->dispatch);
    stay_in_memory();
    status = crowd_init(&s->crowd, err);
    if (status == 0)
        status = state_open(&s->state, c, err);
    if (status == 0)
        status = open_loop(s, err);
    if (status == 0) {
        s->storage = storage_new(s->state.database, &s->waker, err);
        status = s->storage != NULL ? 0 : -(int)err->code;
    }
    if (status == 0)
        status = socket_open_server(&s->sockets, c->listen, c->port, err);
    if (status == 0)
        status = start_threads(s, err);
    if (status == 0)
        status = watchdog_start(&s->watchdog, s, err);
    if (status != 0) {
        server_stop(s);
        return status;
    }
    return 0;
}

void server_run(struct server *s)
{
    printf("ready port=%u http_port=0\n", (unsigned)s->sockets.port);
    if (fflush(stdout) != 0)
        log_line(LOG_WARNING_LINE, "nobody reads standard output: %s", strerror(errno));
    log_line(LOG_NOTICE_LINE, "ready port=%u state=%s", (unsigned)s->sockets.port, s->config.state);
    systemd_ready(s);
    event_base_dispatch(s->base);
}

/* --- stop */

static void say_goodbye(struct server *s)
{
    struct session *p;

    LIST_FOREACH (p, &s->sessions, next)
        if (p->seat != NULL)
            session_send_away(p, "stopping", "", "the server stops");
}

static void free_events(struct server *s)
{
    if (s->wake_event != NULL)
        event_free(s->wake_event);
    if (s->term_event != NULL)
        event_free(s->term_event);
    if (s->int_event != NULL)
        event_free(s->int_event);
    if (s->hup_event != NULL)
        event_free(s->hup_event);
    if (s->people_event != NULL)
        event_free(s->people_event);
    watchdog_stop(&s->watchdog);
    if (s->base != NULL)
        event_base_free(s->base);
    if (s->wake_fd >= 0)
        close(s->wake_fd);
}

static bool is_settled(const struct server *s)
{
    const struct live_room *r;

    LIST_FOREACH (r, &s->rooms, next)
        if (r->pending > 0)
            return false;
    return s->in_flight == 0;
}

/* Lets the threads answer what they were asked, so that nothing is left half let go. */
static void settle(struct server *s)
{
    static const struct timeval step = {.tv_usec = 10000};

    for (unsigned n = 0; n < SETTLE_STEPS && !is_settled(s); n++) {
        event_base_loopexit(s->base, &step);
        event_base_dispatch(s->base);
    }
}

/* Requests under way are carried out and answered, no new ones are taken; then sound stops in the direction in which it
 * flows. Each part is NULL once it is gone, for what still calls on while the rest is taken down. */
void server_stop(struct server *s)
{
    struct live_room *r;

    s->stopping = true;
    systemd_stopping(s);
    chores_end(s);
    if (s->control != NULL)
        settle(s);
    if (s->storage != NULL) {
        storage_free(s->storage); /* calls back */
        s->storage = NULL;
    }
    if (s->control != NULL) {
        settle(s);
        say_goodbye(s);
        control_server_free(s->control, FLUSH_MS);
        s->control = NULL;
    }
    if (s->udp != NULL)
        udp_in_free(s->udp);
    s->udp = NULL;
    LIST_FOREACH (r, &s->rooms, next)
        room_stop(r->mixer);
    for (unsigned i = 0; i < s->outlets; i++)
        outlet_udp_free(s->outlet[i]);
    s->outlets = 0;
    while ((r = LIST_FIRST(&s->rooms)) != NULL)
        live_room_close(r);
    session_free_all(s);
    id_table_fini(&s->by_connection);
    id_table_fini(&s->by_id);
    dispatch_fini(&s->dispatch);
    socket_close_server(&s->sockets);
    free_events(s);
    state_close(&s->state);
}
