/* link.c - reads and writes links, and knows which names rooms and people may have (see link.h) */
#include "net/link.h"

#include "net/identity.h"
#include "net/wire.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char scheme[] = "salotto://";
/* A token lets its bearer in, so no message repeats what stands behind the '?'. */
static const char shape[] = ERR_TEXT("a link looks like salotto://HOST[:PORT]/ROOM?k=KEY");

/* A piece of the text; no piece has a NUL of its own. */
struct span {
    const char *at;
    size_t len;
};

static bool is_in(char c, const char *more)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(more, c) != NULL);
}

static bool copy_span(char *out, size_t max, struct span s)
{
    if (s.len >= max)
        return false;
    memcpy(out, s.at, s.len);
    out[s.len] = '\0';
    return true;
}

static struct span until(const char *at, const char *stop)
{
    return (struct span){.at = at, .len = strcspn(at, stop)};
}

static int parse_port(uint16_t *port, struct span s)
{
    unsigned v = 0;

    if (s.len == 0 || s.len > 5)
        return -1;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return -1;
        v = v * 10 + (unsigned)(s.at[i] - '0');
    }
    if (v == 0 || v > UINT16_MAX)
        return -1;
    *port = (uint16_t)v;
    return 0;
}

static bool is_host(struct span s)
{
    if (s.len == 0 || s.at[0] == '-' || s.at[0] == '.')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_in(s.at[i], "-._"))
            return false;
    return true;
}

/* HOST[:PORT] */
static int parse_authority(struct link *l, struct span s, struct err *err)
{
    struct span host = s, port = {.at = NULL};
    struct in6_addr unused;

    if (s.len > 0 && s.at[0] == '[') {
        const char *close = memchr(s.at, ']', s.len);

        if (close == NULL)
            return err_set(err, ERR_USAGE, shape, "the link's IPv6 address has no closing bracket");
        host = (struct span){.at = s.at + 1, .len = (size_t)(close - s.at) - 1};
        if (!copy_span(l->host, sizeof l->host, host) || inet_pton(AF_INET6, l->host, &unused) != 1)
            return err_set(err, ERR_USAGE, shape, "'%.*s' in the link is no IPv6 address", (int)host.len, host.at);
        port = (struct span){.at = close + 1, .len = s.len - host.len - 2};
    } else {
        const char *colon = memchr(s.at, ':', s.len);

        if (colon != NULL) {
            host.len = (size_t)(colon - s.at);
            port = (struct span){.at = colon, .len = s.len - host.len};
        }
        if (!is_host(host) || !copy_span(l->host, sizeof l->host, host))
            return err_set(err, ERR_USAGE, shape, "'%.*s' in the link is no host name", (int)host.len, host.at);
    }
    if (port.len == 0)
        return 0;
    if (port.at[0] != ':' || parse_port(&l->port, (struct span){.at = port.at + 1, .len = port.len - 1}) != 0)
        return err_set(err, ERR_USAGE, "a port is a number from 1 to 65535", "'%.*s' in the link is no port",
                       (int)port.len, port.at);
    return 0;
}

static int parse_key(struct link *l, struct span value, struct err *err)
{
    char text[IDENTITY_TEXT_BYTES];

    if (l->has_key)
        return err_set(err, ERR_USAGE, shape, "the link names two keys");
    if (!copy_span(text, sizeof text, value) || identity_parse(l->key, text) != 0)
        return err_set(err, ERR_USAGE, "copy the whole link: a key has 43 characters",
                       "the link's key is no server key");
    l->has_key = true;
    return 0;
}

static int parse_token(struct link *l, struct span value, struct err *err)
{
    bool good = value.len > 0 && l->token[0] == '\0' && copy_span(l->token, sizeof l->token, value);

    for (size_t i = 0; good && i < value.len; i++)
        good = is_in(value.at[i], "-_");
    return good ? 0
                : err_set(err, ERR_USAGE, "copy the whole link, or ask for a new invite",
                          "the link's token is not a token");
}

/* k=KEY&token=TOKEN; what else may stand there is for programs to come, and is skipped. */
static int parse_query(struct link *l, const char *at, struct err *err)
{
    int rc = 0;

    while (rc == 0 && *at != '\0') {
        struct span pair = until(at, "&");

        if (strncmp(pair.at, "k=", 2) == 0)
            rc = parse_key(l, (struct span){.at = pair.at + 2, .len = pair.len - 2}, err);
        else if (strncmp(pair.at, "token=", 6) == 0)
            rc = parse_token(l, (struct span){.at = pair.at + 6, .len = pair.len - 6}, err);
        at = pair.at + pair.len;
        if (*at == '&')
            at++;
    }
    return rc;
}

int link_parse(struct link *l, const char *text, struct err *err)
{
    const char *why = NULL;
    struct span part;
    int rc;

    memset(l, 0, sizeof *l);
    l->port = WIRE_PORT;
    if (strncasecmp(text, scheme, sizeof scheme - 1) != 0)
        return err_set(err, ERR_USAGE, shape, "'%.*s' is no salotto link", (int)strcspn(text, "?#"), text);
    part = until(text + sizeof scheme - 1, "/?#");
    rc = parse_authority(l, part, err);
    if (rc != 0)
        return rc;
    if (part.at[part.len] == '/') {
        part = until(part.at + part.len + 1, "?#");
        if (part.len > 0 && (!copy_span(l->room, sizeof l->room, part) || !link_is_room_name(l->room, &why)))
            return err_set(err, ERR_USAGE, shape, "'%.*s' in the link is no room's name: %s", (int)part.len, part.at,
                           err_words(why != NULL ? why : ERR_TEXT("it is longer than 32 characters")));
    }
    if (part.at[part.len] == '?')
        rc = parse_query(l, part.at + part.len + 1, err);
    else if (part.at[part.len] != '\0')
        rc = err_set(err, ERR_USAGE, shape, "a '#' has no meaning in a link");
    return rc;
}

void link_print(char out[LINK_TEXT_MAX], const struct link *l)
{
    bool brackets = strchr(l->host, ':') != NULL;
    char port[8] = "", key[IDENTITY_TEXT_BYTES] = "";

    if (l->port != WIRE_PORT)
        snprintf(port, sizeof port, ":%u", l->port);
    if (l->has_key)
        identity_text(key, l->key);
    snprintf(out, LINK_TEXT_MAX, "%s%s%s%s%s/%s%s%s%s%s", scheme, brackets ? "[" : "", l->host, brackets ? "]" : "",
             port, l->room, l->has_key ? "?k=" : "", key,
             l->token[0] == '\0' ? "" : (l->has_key ? "&token=" : "?token="), l->token);
}

bool link_is_handle(const char *name, const char **why)
{
    size_t len = strlen(name);

    *why = NULL;
    if (len == 0)
        *why = ERR_TEXT("it is empty");
    else if (len > LINK_ROOM_MAX)
        *why = ERR_TEXT("it is longer than 32 characters");
    else if (name[0] < 'a' || name[0] > 'z')
        *why = ERR_TEXT("it does not begin with a letter from a to z");
    else if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
        *why = ERR_TEXT("only a to z, 0 to 9 and '-' may stand in it");
    return *why == NULL;
}

/* Paths that the HTTP outlet keeps for itself, and what a room for testing one's sound is called. */
static const char *const reserved[] = {"rooms", "metrics", "healthz", "readyz", "events", "assets", "feed", "echo"};

bool link_is_room_name(const char *name, const char **why)
{
    if (!link_is_handle(name, why))
        return false;
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strcmp(name, reserved[i]) == 0)
            *why = ERR_TEXT("the name is reserved");
    return *why == NULL;
}
