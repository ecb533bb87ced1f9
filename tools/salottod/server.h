/* server.h - what main holds together
 *
 * One struct of the daemon's parts, made in server_start()'s order and taken down in the reverse. Everything in
 * tools/salottod/ but the start-up runs on main's thread, in its event loop, and waits for nothing: other threads are
 * asked by orders (dispatch.h) and the database by jobs, and what comes back calls on.
 */
#ifndef SALOTTO_SALOTTOD_SERVER_H
#define SALOTTO_SALOTTOD_SERVER_H

#include "mixer/err.h"
#include "mixer/waker.h"
#include "net/control_server.h"
#include "net/id_table.h"
#include "net/outlet_udp.h"
#include "net/socket.h"
#include "net/udp_in.h"
#include "storage/storage.h"
#include "tools/salottod/chore.h"
#include "tools/salottod/config.h"
#include "tools/salottod/crowd.h"
#include "tools/salottod/dispatch.h"
#include "tools/salottod/settings.h"
#include "tools/salottod/state.h"

#include <stdbool.h>
#include <sys/queue.h>

#define SERVER_OUTLETS_MAX 8u
#define SERVER_COMPLEXITY  10 /* of all Opus encoders; design section 3 lets overload lower it */

struct event;
struct event_base;
struct live_room;
struct session;

LIST_HEAD(live_rooms, live_room);
LIST_HEAD(sessions, session);

struct server {
    struct config config;
    const struct settings *settings; /* where it came from, and comes from again */
    struct state state;
    struct event_base *base;
    struct waker waker; /* everyone wakes main by this */
    int wake_fd;
    struct event *wake_event, *term_event, *int_event, *hup_event;
    struct event *people_event; /* systemd.c: how many are here, at most once a second */
    struct event *watchdog;     /* or NULL: nobody watches */
    struct storage *storage;
    struct server_sockets sockets;
    struct outlet_udp *outlet[SERVER_OUTLETS_MAX];
    unsigned outlets;
    struct udp_in *udp;
    struct control_server *control;
    struct crowd crowd;
    struct dispatch dispatch;
    struct chores chores;
    struct live_rooms rooms;
    struct sessions sessions;
    struct id_table by_connection; /* sessions */
    struct id_table by_id;         /* those who sit in a room */
    uint32_t last_room_number;
    uint32_t last_session_id;
    uint64_t next_number; /* of a new room's tapes: above all that were used in this run */
    uint64_t acts;        /* counts acts on people's standing: the clock that tells which of two is newer */
    unsigned in_flight;   /* requests that are not answered yet */
    bool stopping;
};

/* Opens state, database and ports, starts all threads. On failure everything is taken down again. *c was made of
 * `settings`, which must outlive the server: they are read again at each reload. */
int server_start(struct server *s, const struct config *c, const struct settings *settings, struct err *err);

/* Runs until SIGTERM or SIGINT, or until the terminal goes away. SIGHUP reloads the configuration. */
void server_run(struct server *s);

/* Tells everyone, ends all threads, commits and closes. Within a second. */
void server_stop(struct server *s);

#endif
