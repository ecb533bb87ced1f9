/* session_table.h - the sessions that udp-in knows
 *
 * What a datagram means, whom it may reach, and what is sent back, without thread and clock: net/udp_in.h is the thread
 * around it. Sessions come and go by main's orders only.
 */
#ifndef SALOTTO_NET_SESSION_TABLE_H
#define SALOTTO_NET_SESSION_TABLE_H

#include "net/address.h"
#include "net/id_table.h"
#include "net/path.h"
#include "net/udp_in.h"

#include <sys/queue.h>

#define SESSION_SWEEP_NS         1000000000ull /* silence and reports are looked at so often */
#define SESSION_EPOCH_RETRY_NS   200000000ull  /* an epoch key that is not acknowledged goes out again */
#define SESSION_EPOCH_GIVE_UP_NS 20000000000ull

/* What only those on stage need. */
struct session_stage {
    struct ring *inbox;
    struct waker *room_waker;
    const struct tape *own_tape;
    struct udp_report report;
    uint8_t slot, lease;
    bool heard;
    bool spoke; /* since the last report */
};

struct session {
    uint32_t id;
    unsigned outlet;
    uint8_t up[SEAL_KEY_BYTES], down[SEAL_KEY_BYTES];
    uint64_t down_counter; /* of the next message; 32 bits of it are on the wire, and it stops there */
    struct seal_replay replay;
    struct path path;
    struct session_stage *stage; /* NULL: not on stage */
    const struct tape *tape;
    enum stream stream;
    uint64_t room_start_ns;
    const _Atomic uint32_t *parked;
    uint64_t heard_ns; /* when the last authentic datagram came; before that, when it was added */
    uint64_t epoch;    /* to be delivered while `delivering` */
    uint8_t epoch_key[SEAL_KEY_BYTES];
    uint64_t epoch_due_ns, epoch_until_ns;
    bool delivering;
    bool silent;       /* main was told so */
    bool owes_path;    /* main is still to be told */
    bool owes_address; /* its outlet is */
    TAILQ_ENTRY(session) delivery;
};

struct session_table {
    int fd;
    struct outlet_udp **outlet;
    unsigned outlets;
    struct ring *events; /* of struct udp_event */
    struct waker *owner; /* may be NULL */
    struct udp_in_stats *stats;
    struct id_table sessions;
    TAILQ_HEAD(, session) deliveries; /* by epoch_due_ns: each waits equally long */
    uint64_t sweep_ns;                /* when the next sweep is due */
};

/* All borrowed. */
void session_table_init(struct session_table *t, int fd, struct outlet_udp **outlet, unsigned outlets,
                        struct ring *events, struct waker *owner, struct udp_in_stats *stats);

/* Wipes and frees all sessions. */
void session_table_fini(struct session_table *t);

/* Carries an order out; one for nobody does nothing. 0, or -ENOMEM. */
int session_table_order(struct session_table *t, const struct udp_order *o, uint64_t now_ns);

/* A datagram from outside, whatever it is. */
void session_table_receive(struct session_table *t, const union address *from, const uint8_t *bytes, size_t len,
                           uint64_t now_ns);

/* Does what is due by now, a bounded part of it. Returns when it wants to be called again, or UINT64_MAX: never, as
 * long as nothing comes in. */
uint64_t session_table_tend(struct session_table *t, uint64_t now_ns);

/* Tells main; false when the ring is full. */
bool session_table_tell(struct session_table *t, const struct udp_event *e);

#endif
