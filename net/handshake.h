/* handshake.h - how a control connection begins: both hellos, then Noise IK
 *
 * Bytes in, bytes out, no socket: net/control.h carries them. Both ends are here, side by side. PROTOCOL.md, "Hello"
 * and "Handshake". Secrets are wiped by handshake_free().
 */
#ifndef SALOTTO_NET_HANDSHAKE_H
#define SALOTTO_NET_HANDSHAKE_H

#include "mixer/err.h"
#include "net/identity.h"
#include "net/noise.h"
#include "net/seal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HANDSHAKE_SERVER_HELLO 42u
#define HANDSHAKE_CLIENT_HELLO 9u
/* e, s and its tag, the payload and its tag; then e and the empty payload's tag; each behind its length. */
#define HANDSHAKE_MESSAGE_1    (2u + 32 + 48 + 48)
#define HANDSHAKE_MESSAGE_2    (2u + 32 + 16)
#define HANDSHAKE_OUT_MAX      (HANDSHAKE_CLIENT_HELLO + HANDSHAKE_MESSAGE_1)

struct handshake;

/* What both sides have in common at its end. */
struct handshake_result {
    struct noise_cipher send, receive;
    uint8_t peer_key[IDENTITY_KEY_BYTES]; /* Ed25519 */
    struct seal_keys media;
};

/* me and where (the peer as people know it, for messages) are borrowed. NULL when out of memory. */
struct handshake *handshake_new_server(const struct identity *me, const char *where);

/* pin: the server's key if it is known (copied), or NULL: then trust(arg, key) decides. */
struct handshake *handshake_new_client(const struct identity *me, const char *where, const uint8_t *pin,
                                       bool (*trust)(void *arg, const uint8_t key[IDENTITY_KEY_BYTES]), void *arg);
void handshake_free(struct handshake *h);

/* What is to be sent before anything is received, into out[HANDSHAKE_OUT_MAX]. Returns its length (client: 0). */
size_t handshake_begin(struct handshake *h, uint8_t *out);

/* How many bytes the next step takes, judged by the first `have` of them; at most HANDSHAKE_OUT_MAX. A negative code
 * as soon as they can't be right. */
int handshake_need(const struct handshake *h, const uint8_t *in, size_t have, struct err *err);

/* Takes exactly so many bytes. Writes what is to be sent to out[HANDSHAKE_OUT_MAX], *out_len of it. Returns 1 when the
 * handshake is complete (*result is filled), 0 when it goes on, or a negative code. */
int handshake_step(struct handshake *h, const uint8_t *in, size_t len, uint8_t *out, size_t *out_len,
                   struct handshake_result *result, struct err *err);

#endif
