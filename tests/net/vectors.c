/* The vectors of net/PROTOCOL.md, section 4: computed from their inputs, compared with the text below, and looked up in
 * the paper, so that neither code nor paper can change alone. Run from the top of the tree. */
#include "net/hkdf.h"
#include "net/identity.h"
#include "net/noise.h"
#include "net/seal.h"

#include "tests/net/hex.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name, *hex;
} vectors[] = {
    {"server seed", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"},
    {"server ed25519 public", "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"},
    {"server x25519 private", "3894eea49c580aef816935762be049559d6d1440dede12e6a125f1841fff8e6f"},
    {"server x25519 public", "4701d08488451f545a409fb58ae3e58581ca40ac3f7f114698cd71deac73ca01"},
    {"client seed", "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"},
    {"client ed25519 public", "29acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7"},
    {"client x25519 private", "887af58a36202e05c4c1cfec5bf6c61fad66bca851536004074b31f1b56e4a49"},
    {"client x25519 public", "5730800ab340fcb18ce5111eda9d705f91388b41e4544cbd103ba5942db2233e"},
    {"client ephemeral", "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"},
    {"server ephemeral", "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"},
    {"server hello", "53414c4f54544f00010103a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"},
    {"client hello", "73616c6f74746f0001"},
    {"frame 1", "008079a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51afc28db82b5d1031d8f460487042d70db"
                "015f2fadb487b063bff5810a0dc5dd9f4ab8d5fec60c2bfbd10c6efdc9bad64d7d1df0c466d45ae2d879fb461219ce33bba7"
                "8850dcccc6884b0a92d7c3da251e79d5e5bd0e88cd568f135787b5ec632f"},
    {"frame 2", "0030675dd574ed7789310b3d2e7681f3790b466c773b1521fecf36577958371ea52fe831109bd67595b367b03352388c72b1"},
    {"ck", "cdc0634ba185b65af5618212f1b288c4a3938be634a58967ce8d5fa3335a01c6"},
    {"h", "5cc4b51171399fe7e57a3b3e6973d7465b0b9bd22a30ace4d39fa4038a9310d7"},
    {"frame 3 plaintext", "017b226964223a312c22646f223a226a6f696e222c22726f6f6d223a227069617a7a61227d"},
    {"frame 3", "0035db97f65148432be37752f109dfa467c01fcedbcfebbb9748bb918d7850879f6a4c28e788832b019c811b16dc2e494d7d"
                "bc5471a63b"},
    {"k_up", "7fa20249a60012dbfd5749c1e4cc0635da05e2aebdfaed9dc0102192470cd8d4"},
    {"k_down", "2200ba38bcf1dce9dcfe7e01b0cf47b87a964fd15dc6bc223b73b156b88011ec"},
    {"k_own", "a2016f6b7cb51d94badfd52671966df66b2249a6cb1344fc1ecd27e7b66a265b"},
    {"k_tag", "6e3dd08c12b7b472fa375f0e0e53dcdb"},
    {"keepalive plaintext", "0100000bb800000000000000000000000000000000000000000000000000000000000000000000000000"},
    {"keepalive datagram",
     "050000000700000000c45c826029e81d9a4b73a3d1b77dfedfdc60d04e28f49edb532380d56749434a34f5b6aa5e03139e61"
     "2e365da44a07a86b6a4383150d2ba7b2b4"},
    {"answer plaintext", "0300000bb8000000000000927c0002020000000100000004070000000000000008"},
    {"answer datagram",
     "0600000001642d0d83b4484611e03c4ea17ad285856b3c38b1cf249efc15495b70f7a1a3ebb7b3b574926379a583c9c76650"
     "627129e7"},
    {"speech plaintext", "011234000ea600780102030405060708090a0b0c0d0e0f"},
    {"speech datagram",
     "0400000007000000020a87b49c3a3effaa34e27fdfd2eef37dc3fb8e1d2cb489dfa6a3e02bdfa6fac3d4566d53b3f50c"},
    {"epoch key", "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"},
    {"stream key", "128dfa7f5fbfdecaa9ae7c243e0000b792cae0112e49e610a990c80822494039"},
    {"stream plaintext", "0238800003780102030405060708090a0b0c0d0e0f"},
    {"stream tag input", "0a00000000000001020000000100000003b316b56a05112d4bdaf5d66e1405ea2a34d0728ceb"},
    {"stream tag", "737078b9c4c7ee1c"},
    {"stream datagram", "0a0200000003b316b56a05112d4bdaf5d66e1405ea2a34d0728ceb737078b9c4c7ee1c"},
    {"own key", "ee1f9220a59be57915e8ff744c8b0d5a9e3ca3472792e68527056ea9840533d1"},
    {"own plaintext", "81388803780102030405060708090a0b0c0d0e0f"},
    {"own tag input", "0f000000000000000000000000000000076581cb32c639e01da69a446038bfb5f5ac7155d2"},
    {"own tag", "e0cf5f61d30fd504"},
    {"own datagram", "0f00000000076581cb32c639e01da69a446038bfb5f5ac7155d2e0cf5f61d30fd504"},
};

#define VECTORS (sizeof vectors / sizeof vectors[0])

static bool computed[VECTORS]; /* by one of the tests below */

static size_t find(const char *name)
{
    for (size_t i = 0; i < VECTORS; i++)
        if (strcmp(vectors[i].name, name) == 0)
            return i;
    fail_msg("no vector is called %s", name);
    return 0;
}

/* An input. */
static size_t take(const char *name, uint8_t *out, size_t max)
{
    size_t i = find(name);

    computed[i] = true;
    return unhex(out, max, vectors[i].hex);
}

/* A result. */
static void expect(const char *name, const void *bytes, size_t len)
{
    size_t i = find(name);

    computed[i] = true;
    assert_hex(bytes, len, vectors[i].hex);
}

static struct identity identity_of(const char *who)
{
    struct identity id;
    uint8_t seed[32], noise_public[32];
    char name[64];

    snprintf(name, sizeof name, "%s seed", who);
    take(name, seed, sizeof seed);
    crypto_sign_ed25519_seed_keypair(id.public_key, id.secret_key, seed);
    assert_int_equal(crypto_sign_ed25519_sk_to_curve25519(id.noise_private, id.secret_key), 0);
    assert_int_equal(identity_noise_public(noise_public, id.public_key), 0);
    snprintf(name, sizeof name, "%s ed25519 public", who);
    expect(name, id.public_key, 32);
    snprintf(name, sizeof name, "%s x25519 private", who);
    expect(name, id.noise_private, 32);
    snprintf(name, sizeof name, "%s x25519 public", who);
    expect(name, noise_public, 32);
    return id;
}

/* Length (u16) and message, as they travel. */
static void expect_frame(const char *name, const uint8_t *message, int len)
{
    uint8_t frame[512];
    struct wire_writer w;

    assert_true(len > 0);
    wr_init(&w, frame, sizeof frame);
    wr_u16(&w, (uint16_t)len);
    wr_bytes(&w, message, (size_t)len);
    assert_false(w.fail);
    expect(name, frame, sizeof frame - w.left);
}

static void the_handshake_and_the_first_frame(void **state)
{
    struct identity server = identity_of("server"), client = identity_of("client");
    struct noise_handshake s, c;
    struct noise_cipher to_server, from_server, to_client, from_client;
    uint8_t prologue[51], key[32], ephemeral[32], message[256], out[256], text[64];
    struct wire_writer w;
    size_t len;
    int n;

    (void)state;
    wr_init(&w, prologue, sizeof prologue);
    wr_bytes(&w, "SALOTTO", 8);
    wr_u8(&w, WIRE_VERSION);
    wr_u8(&w, WIRE_VERSION);
    wr_bytes(&w, server.public_key, 32);
    expect("server hello", prologue, 42);
    wr_bytes(&w, "salotto", 8);
    wr_u8(&w, WIRE_VERSION);
    expect("client hello", prologue + 42, 9);

    assert_int_equal(identity_noise_public(key, server.public_key), 0);
    noise_init(&c, true, prologue, sizeof prologue, client.noise_private, key);
    noise_init(&s, false, prologue, sizeof prologue, server.noise_private, NULL);
    take("client ephemeral", ephemeral, 32);
    noise_set_ephemeral(&c, ephemeral);
    take("server ephemeral", ephemeral, 32);
    noise_set_ephemeral(&s, ephemeral);

    n = noise_write(&c, client.public_key, 32, message, sizeof message);
    expect_frame("frame 1", message, n);
    assert_int_equal(noise_read(&s, message, (size_t)n, out, sizeof out), 32);
    assert_memory_equal(out, client.public_key, 32);
    n = noise_write(&s, NULL, 0, message, sizeof message);
    expect_frame("frame 2", message, n);
    assert_int_equal(noise_read(&c, message, (size_t)n, out, sizeof out), 0);
    expect("ck", c.chaining_key, 32);
    expect("h", c.hash, 32);

    assert_int_equal(noise_split(&c, &to_server, &from_server), 0);
    assert_int_equal(noise_split(&s, &to_client, &from_client), 0);
    len = take("frame 3 plaintext", text, sizeof text);
    assert_int_equal(text[0], WIRE_FRAME_JSON);
    assert_memory_equal(text + 1, "{\"id\":1,\"do\":\"join\",\"room\":\"piazza\"}", len - 1);
    n = noise_encrypt(&to_server, text, len, message, sizeof message);
    expect_frame("frame 3", message, n);
    assert_int_equal(noise_decrypt(&from_client, message, (size_t)n, out, sizeof out), len);
}

static struct seal_keys media_keys(void)
{
    struct seal_keys k;
    uint8_t chaining_key[32], hash[32];

    take("ck", chaining_key, 32);
    take("h", hash, 32);
    seal_keys_derive(&k, chaining_key, hash);
    return k;
}

static void the_media_keys(void **state)
{
    struct seal_keys k = media_keys();

    (void)state;
    expect("k_up", k.up, sizeof k.up);
    expect("k_down", k.down, sizeof k.down);
    expect("k_own", k.own, sizeof k.own);
    expect("k_tag", k.tag, sizeof k.tag);
}

static void a_keep_alive_and_its_answer(void **state)
{
    struct seal_keys k = media_keys();
    uint8_t plain[64] = {0}, d[128];
    struct wire_writer w;
    int n;

    (void)state;
    wr_init(&w, plain, sizeof plain);
    wr_u8(&w, WIRE_KEEPALIVE);
    wr_u32(&w, 3000);
    expect("keepalive plaintext", plain, 42);
    n = seal_up(d, sizeof d, WIRE_REQUEST, 7, 0, k.up, plain, 42);
    assert_true(n > 0);
    expect("keepalive datagram", d, (size_t)n);

    wr_init(&w, plain, sizeof plain);
    wr_u8(&w, WIRE_KEEPALIVE_ANSWER);
    wr_u32(&w, 3000);
    wr_u8(&w, 0);
    wr_u64(&w, 9600000);
    wr_u8(&w, 2);
    wr_u8(&w, STREAM_STANDARD);
    wr_u64(&w, UINT64_C(0x100000004));
    wr_u8(&w, STREAM_OWN);
    wr_u64(&w, 8);
    expect("answer plaintext", plain, sizeof plain - w.left);
    n = seal_down(d, sizeof d, 1, k.down, plain, sizeof plain - w.left);
    assert_true(n > 0);
    expect("answer datagram", d, (size_t)n);
}

/* 20 ms in one frame by its first byte; what follows is no sound. */
static uint16_t fill_opus(uint8_t *opus)
{
    opus[0] = 0x78;
    for (unsigned i = 1; i < 16; i++)
        opus[i] = (uint8_t)i;
    return 16;
}

static void a_speech_datagram(void **state)
{
    struct seal_keys k = media_keys();
    struct packet p = {.flags = PACKET_VOICE, .sequence = 0x1234, .timestamp = 960000};
    uint8_t plain[64], d[128];
    struct wire_writer w;
    int n;

    (void)state;
    p.opus_bytes = fill_opus(p.opus);
    wr_init(&w, plain, sizeof plain);
    assert_true(wire_write_speech(&w, &p));
    expect("speech plaintext", plain, sizeof plain - w.left);
    n = seal_up(d, sizeof d, WIRE_SPEECH, 7, 2, k.up, plain, sizeof plain - w.left);
    assert_true(n > 0);
    expect("speech datagram", d, (size_t)n);
}

static void expect_stream(const char *what, enum stream s, const struct tape_packet *p,
                          const uint8_t base[SEAL_KEY_BYTES], const uint8_t tag_key[SEAL_TAG_KEY_BYTES])
{
    uint8_t key[SEAL_KEY_BYTES], plain[64], tag[WIRE_STREAM_TAG];
    struct sealed sealed;
    struct wire_writer w;
    char name[64];

    seal_stream_key(key, base, s);
    snprintf(name, sizeof name, "%s key", what);
    expect(name, key, sizeof key);
    wr_init(&w, plain, sizeof plain);
    assert_true(wire_write_stream(&w, p));
    snprintf(name, sizeof name, "%s plaintext", what);
    expect(name, plain, sizeof plain - w.left);

    assert_int_equal(seal_stream(&sealed, s, p, key), 0);
    seal_tag(tag, &sealed, tag_key);
    snprintf(name, sizeof name, "%s tag input", what);
    expect(name, sealed.tagged, sealed.tagged_len);
    snprintf(name, sizeof name, "%s tag", what);
    expect(name, tag, sizeof tag);
    memcpy(sealed.bytes + sealed.len, tag, sizeof tag);
    snprintf(name, sizeof name, "%s datagram", what);
    expect(name, sealed.bytes, sealed.len + sizeof tag);
}

static void a_stream_datagram_and_one_of_ones_own(void **state)
{
    struct seal_keys k = media_keys();
    uint8_t epoch_key[SEAL_KEY_BYTES];
    struct tape_packet p = {
        .number = UINT64_C(0x100000003), .epoch = 0x0102, .position = 9600000, .talker_count = 2, .talkers = {0, 3}};

    (void)state;
    p.opus_bytes = fill_opus(p.opus);
    take("epoch key", epoch_key, sizeof epoch_key);
    expect_stream("stream", STREAM_STANDARD, &p, epoch_key, k.tag);

    p.number = 7;
    p.position += 960;
    p.flags = TAPE_HANDOVER;
    p.talker_count = 1;
    p.talkers[0] = 3;
    expect_stream("own", STREAM_OWN, &p, k.own, k.tag);
}

/* The paper without white space; the caller frees it. */
static char *read_paper(void)
{
    FILE *f = fopen("net/PROTOCOL.md", "r");
    char *text = calloc(1, 256 * 1024);
    size_t len = 0;
    int c;

    assert_non_null(text);
    if (f == NULL)
        fail_msg("net/PROTOCOL.md cannot be read: run this from the top of the tree");
    while ((c = fgetc(f)) != EOF && len < 256 * 1024 - 1)
        if (!isspace(c))
            text[len++] = (char)c;
    assert_true(feof(f));
    fclose(f);
    return text;
}

static void the_paper_shows_each_of_these_values(void **state)
{
    char *paper = read_paper(), line[1024];

    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        const char *at, *name = vectors[i].name;
        size_t len = 0;

        for (; *name != '\0'; name++)
            if (*name != ' ')
                line[len++] = *name;
        assert_true(snprintf(line + len, sizeof line - len, "=%s", vectors[i].hex) < (int)(sizeof line - len));
        at = strstr(paper, line);
        if (at == NULL)
            fail_msg("net/PROTOCOL.md does not show %s = %s", vectors[i].name, vectors[i].hex);
        if (!computed[i])
            fail_msg("no test has looked at %s", vectors[i].name);
    }
    free(paper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_handshake_and_the_first_frame),     cmocka_unit_test(the_media_keys),
        cmocka_unit_test(a_keep_alive_and_its_answer),           cmocka_unit_test(a_speech_datagram),
        cmocka_unit_test(a_stream_datagram_and_one_of_ones_own), cmocka_unit_test(the_paper_shows_each_of_these_values),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("net/vectors", tests, NULL, NULL);
}
