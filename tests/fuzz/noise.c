/* noise.c - fuzzes noise_read() and noise_decrypt()
 *
 * The input is a mask laid over genuine messages, so that all code behind a good tag is reached, and cut or lengthened.
 * What opens must be what was sent: anything else would be a forgery.
 */
#include "net/noise.h"

#include <stdlib.h>
#include <string.h>

#define ROOM 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct message {
    uint8_t bytes[ROOM];
    size_t len;
};

static const uint8_t server_private[32] = {1}, client_private[32] = {2}, ephemeral[32] = {3};
static const uint8_t prologue[] = "prologue", payload[32] = "payload";

static void require(bool holds)
{
    if (!holds)
        abort();
}

static size_t written(int n)
{
    require(n > 0);
    return (size_t)n;
}

/* The genuine message under the mask, as long as the mask's two first bytes say; true when it came out unchanged. */
static bool mask(struct message *m, const uint8_t *data, size_t size)
{
    size_t len = m->len;
    bool same = true;

    if (size < 2)
        return true;
    m->len = (m->len + data[0] - data[1]) % ROOM; /* equal bytes leave the length alone */
    for (size_t i = 0; i + 2 < size && i < m->len; i++)
        m->bytes[i] ^= data[i + 2];
    for (size_t i = 0; i + 2 < size && i < len; i++)
        same = same && data[i + 2] == 0;
    return same && m->len == len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct noise_handshake client, server;
    struct noise_cipher c_send, c_receive, s_send, s_receive;
    struct message m = {.len = 0};
    uint8_t server_public[32], out[ROOM], step;
    bool same;
    int n;

    if (size < 1)
        return 0;
    step = data[0] % 3;
    noise_init(&server, false, prologue, sizeof prologue, server_private, NULL);
    memcpy(server_public, server.static_public, sizeof server_public);
    noise_init(&client, true, prologue, sizeof prologue, client_private, server_public);
    noise_set_ephemeral(&client, ephemeral);
    noise_set_ephemeral(&server, ephemeral);

    m.len = written(noise_write(&client, payload, sizeof payload, m.bytes, ROOM));
    same = step != 0 || mask(&m, data + 1, size - 1);
    n = noise_read(&server, m.bytes, m.len, out, ROOM);
    require(same ? n == sizeof payload && memcmp(out, payload, sizeof payload) == 0 : n == -1);
    if (n < 0)
        return 0;

    memset(&m, 0, sizeof m);
    m.len = written(noise_write(&server, payload, sizeof payload, m.bytes, ROOM));
    same = step != 1 || mask(&m, data + 1, size - 1);
    n = noise_read(&client, m.bytes, m.len, out, ROOM);
    require(same ? n == sizeof payload : n == -1);
    if (n < 0)
        return 0;

    require(noise_split(&client, &c_send, &c_receive) == 0 && noise_split(&server, &s_send, &s_receive) == 0);
    memset(&m, 0, sizeof m);
    m.len = written(noise_encrypt(&c_send, payload, sizeof payload, m.bytes, ROOM));
    same = step != 2 || mask(&m, data + 1, size - 1);
    n = noise_decrypt(&s_receive, m.bytes, m.len, m.bytes, ROOM);
    require(same ? n == sizeof payload && memcmp(m.bytes, payload, sizeof payload) == 0 : n == -1);
    return 0;
}
