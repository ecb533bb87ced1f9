/* message.h - sealed messages to one client: challenge, epoch key, keep-alive answer, receiver report
 *
 * PROTOCOL.md, "Sealed messages, down". Each is sent at once and takes the next number of the session's counter. They
 * go to the proven address, but the challenge. What is lost is sent again when it is due again.
 */
#ifndef SALOTTO_NET_MESSAGE_H
#define SALOTTO_NET_MESSAGE_H

#include "net/session_table.h"

#define MESSAGE_CHALLENGE_BYTES (WIRE_DOWN_HEADER + 1 + PATH_TOKEN_BYTES + WIRE_AEAD_TAG)
#define MESSAGE_KEEPALIVE_PLAIN 42u /* a keep-alive's plaintext: no shorter than its answer's */

void message_challenge(struct session_table *t, struct session *s);
void message_epoch_key(struct session_table *t, struct session *s);
void message_keepalive_answer(struct session_table *t, struct session *s, uint32_t stamp, uint64_t now_ns);
void message_report(struct session_table *t, struct session *s);

#endif
