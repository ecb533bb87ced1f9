/* session_input.h - what a datagram changes in its session
 *
 * The border between session_input.c, which opens and reads datagrams, and session_table.c, which keeps the sessions.
 */
#ifndef SALOTTO_NET_SESSION_INPUT_H
#define SALOTTO_NET_SESSION_INPUT_H

#include "net/session_table.h"

/* An authentic datagram came. */
void session_heard(struct session_table *t, struct session *s, uint64_t now_ns);

/* The candidate of its path has answered: the outlet and main are told, and what waited for an address is sent. */
void session_proven(struct session_table *t, struct session *s, uint64_t now_ns);

/* The client has this epoch key. */
void session_acknowledged(struct session_table *t, struct session *s, uint64_t epoch);

/* Tells outlet and main what they are still to be told. */
void session_settle(struct session_table *t, struct session *s);

#endif
