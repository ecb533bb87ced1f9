/* handshake.c - hello and Noise IK (see handshake.h)
 *
 * The server's hello goes first and in clear, so that a client can compare the key with its pin before it has said who
 * it is. Both hellos are the Noise prologue: whoever tampers with them breaks the handshake.
 */
#include "net/handshake.h"
#include "net/wire.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_BYTES 8u

static const uint8_t server_magic[MAGIC_BYTES] = "SALOTTO";
static const uint8_t client_magic[MAGIC_BYTES] = "salotto";

struct handshake {
    bool server, has_pin, greeted; /* greeted: the peer's hello was taken */
    const struct identity *me;
    const char *where;
    uint8_t pin[IDENTITY_KEY_BYTES];
    bool (*trust)(void *arg, const uint8_t key[IDENTITY_KEY_BYTES]);
    void *trust_arg;
    uint8_t peer_key[IDENTITY_KEY_BYTES];
    uint8_t prologue[HANDSHAKE_SERVER_HELLO + HANDSHAKE_CLIENT_HELLO];
    struct noise_handshake noise;
};

struct handshake *handshake_new_server(const struct identity *me, const char *where)
{
    struct handshake *h = calloc(1, sizeof *h);

    if (h != NULL) {
        h->server = true;
        h->me = me;
        h->where = where;
    }
    return h;
}

struct handshake *handshake_new_client(const struct identity *me, const char *where, const uint8_t *pin,
                                       bool (*trust)(void *arg, const uint8_t key[IDENTITY_KEY_BYTES]), void *arg)
{
    struct handshake *h = calloc(1, sizeof *h);

    if (h != NULL) {
        h->me = me;
        h->where = where;
        h->trust = trust;
        h->trust_arg = arg;
        if (pin != NULL) {
            h->has_pin = true;
            memcpy(h->pin, pin, sizeof h->pin);
        }
    }
    return h;
}

void handshake_free(struct handshake *h)
{
    if (h == NULL)
        return;
    noise_wipe(&h->noise);
    sodium_memzero(h, sizeof *h);
    free(h);
}

size_t handshake_begin(struct handshake *h, uint8_t *out)
{
    struct wire_writer w;

    if (!h->server)
        return 0;
    wr_init(&w, h->prologue, HANDSHAKE_SERVER_HELLO);
    wr_bytes(&w, server_magic, MAGIC_BYTES);
    wr_u8(&w, WIRE_VERSION);
    wr_u8(&w, WIRE_VERSION);
    wr_bytes(&w, h->me->public_key, IDENTITY_KEY_BYTES);
    memcpy(out, h->prologue, HANDSHAKE_SERVER_HELLO);
    return HANDSHAKE_SERVER_HELLO;
}

int handshake_need(const struct handshake *h, const uint8_t *in, size_t have, struct err *err)
{
    size_t message = h->server ? HANDSHAKE_MESSAGE_1 : HANDSHAKE_MESSAGE_2;

    if (!h->greeted) {
        if (memcmp(in, h->server ? client_magic : server_magic, have < MAGIC_BYTES ? have : MAGIC_BYTES) == 0)
            return h->server ? HANDSHAKE_CLIENT_HELLO : HANDSHAKE_SERVER_HELLO;
        return err_set(
            err, ERR_UNREACHABLE, "check host and port; a Salotto server listens on 7256 unless told otherwise",
            h->server ? ERR_TEXT("%s is not a Salotto client") : ERR_TEXT("%s is not a Salotto server"), h->where);
    }
    if (have < 2)
        return 2;
    /* Both messages have one length only; nothing else is worth a buffer. */
    if (((size_t)in[0] << 8 | in[1]) != message - 2)
        return err_set(err, ERR_UNREACHABLE, "try again; if it stays so, update this program",
                       "%s broke the handshake: a message of the wrong length", h->where);
    return (int)message;
}

static int wrong_key(struct handshake *h, struct err *err)
{
    char seen[IDENTITY_FINGERPRINT_BYTES], pinned[IDENTITY_FINGERPRINT_BYTES];

    identity_fingerprint(seen, h->peer_key);
    if (!h->has_pin)
        return err_set(err, ERR_WRONG_KEY,
                       "accept the key if its fingerprint is the one the server's operator tells you",
                       "the key %s of %s was not accepted", seen, h->where);
    identity_fingerprint(pinned, h->pin);
    return err_set(
        err, ERR_WRONG_KEY,
        "ask the sender of the link for a new one, by a way you trust: this may be another server in its place",
        "%s has the key %s, but %s was expected", h->where, seen, pinned);
}

/* Client: the server's hello is here. Checks the key before anything is sent. */
static int greet_server(struct handshake *h, const uint8_t *in, uint8_t *out, size_t *out_len, struct err *err)
{
    uint8_t server_static[NOISE_KEY_BYTES];
    struct wire_reader r;
    struct wire_writer w;
    uint8_t lowest, highest;
    int n;

    rd_init(&r, in + MAGIC_BYTES, HANDSHAKE_SERVER_HELLO - MAGIC_BYTES);
    lowest = rd_u8(&r);
    highest = rd_u8(&r);
    rd_bytes(&r, h->peer_key, sizeof h->peer_key);
    if (WIRE_VERSION < lowest || WIRE_VERSION > highest)
        return err_set(
            err, ERR_UNREACHABLE,
            WIRE_VERSION < lowest ? ERR_TEXT("update this program") : ERR_TEXT("ask for an update of the server"),
            "%s speaks versions %u to %u of the protocol, this program %u", h->where, lowest, highest, WIRE_VERSION);
    if (h->has_pin ? sodium_memcmp(h->pin, h->peer_key, sizeof h->pin) != 0
                   : h->trust == NULL || !h->trust(h->trust_arg, h->peer_key))
        return wrong_key(h, err);
    if (identity_noise_public(server_static, h->peer_key) != 0)
        return err_set(err, ERR_WRONG_KEY, "check the link", "%s sent something that is no Ed25519 key", h->where);

    memcpy(h->prologue, in, HANDSHAKE_SERVER_HELLO);
    wr_init(&w, h->prologue + HANDSHAKE_SERVER_HELLO, HANDSHAKE_CLIENT_HELLO);
    wr_bytes(&w, client_magic, MAGIC_BYTES);
    wr_u8(&w, WIRE_VERSION);
    noise_init(&h->noise, true, h->prologue, sizeof h->prologue, h->me->noise_private, server_static);

    wr_init(&w, out, HANDSHAKE_OUT_MAX);
    wr_bytes(&w, h->prologue + HANDSHAKE_SERVER_HELLO, HANDSHAKE_CLIENT_HELLO);
    wr_u16(&w, HANDSHAKE_MESSAGE_1 - 2);
    n = noise_write(&h->noise, h->me->public_key, IDENTITY_KEY_BYTES, w.at, w.left);
    if (n != (int)HANDSHAKE_MESSAGE_1 - 2)
        return err_set(err, ERR_WRONG_KEY, "check the link", "%s has an unusable key", h->where);
    *out_len = HANDSHAKE_OUT_MAX;
    h->greeted = true;
    return 0;
}

static int greet_client(struct handshake *h, const uint8_t *in, struct err *err)
{
    if (in[MAGIC_BYTES] != WIRE_VERSION)
        return err_set(err, ERR_UNREACHABLE, NULL, "%s chose version %u of the protocol", h->where, in[MAGIC_BYTES]);
    memcpy(h->prologue + HANDSHAKE_SERVER_HELLO, in, HANDSHAKE_CLIENT_HELLO);
    noise_init(&h->noise, false, h->prologue, sizeof h->prologue, h->me->noise_private, NULL);
    h->greeted = true;
    return 0;
}

/* Server: message 1 names the client's Ed25519 key, since the X25519 one can't be turned back into it. */
static int take_message_1(struct handshake *h, const uint8_t *in, size_t len, uint8_t *out, size_t *out_len,
                          struct err *err)
{
    uint8_t derived[NOISE_KEY_BYTES];
    struct wire_writer w;

    if (noise_read(&h->noise, in + 2, len - 2, h->peer_key, sizeof h->peer_key) != (int)sizeof h->peer_key)
        return err_set(err, ERR_DENIED, NULL, "%s failed the handshake", h->where);
    if (identity_noise_public(derived, h->peer_key) != 0 ||
        sodium_memcmp(derived, h->noise.remote_static, sizeof derived) != 0)
        return err_set(err, ERR_DENIED, NULL, "%s claims a key that is not its own", h->where);
    wr_init(&w, out, HANDSHAKE_OUT_MAX);
    wr_u16(&w, HANDSHAKE_MESSAGE_2 - 2);
    if (noise_write(&h->noise, NULL, 0, w.at, w.left) != (int)HANDSHAKE_MESSAGE_2 - 2)
        return err_set(err, ERR_DENIED, NULL, "%s failed the handshake", h->where);
    *out_len = HANDSHAKE_MESSAGE_2;
    return 0;
}

static int take_message_2(struct handshake *h, const uint8_t *in, size_t len, struct err *err)
{
    uint8_t nothing[1];

    if (noise_read(&h->noise, in + 2, len - 2, nothing, sizeof nothing) == 0)
        return 0;
    return err_set(err, ERR_WRONG_KEY, "check the link; this may be another server in its place",
                   "%s could not prove that the key it shows is its own", h->where);
}

int handshake_step(struct handshake *h, const uint8_t *in, size_t len, uint8_t *out, size_t *out_len,
                   struct handshake_result *result, struct err *err)
{
    int rc;

    *out_len = 0;
    if (!h->greeted)
        return h->server ? greet_client(h, in, err) : greet_server(h, in, out, out_len, err);
    rc = h->server ? take_message_1(h, in, len, out, out_len, err) : take_message_2(h, in, len, err);
    if (rc != 0)
        return rc;
    if (noise_split(&h->noise, &result->send, &result->receive) != 0)
        return err_set(err, ERR_INTERNAL, NULL, "the handshake with %s ended without keys", h->where);
    memcpy(result->peer_key, h->peer_key, sizeof result->peer_key);
    seal_keys_derive(&result->media, h->noise.chaining_key, h->noise.hash);
    return 1;
}
