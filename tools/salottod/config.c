/* config.c - what an operator may set (see config.h) */
#include "tools/salottod/config.h"

#include "net/link.h"
#include "tools/suggest.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define STATE_DEFAULT  "/var/lib/salotto"
#define SOCKET_DEFAULT "/run/salotto/control.sock"

#define MEMBER(name)   offsetof(struct config, name), sizeof((struct config *)0)->name

static const struct config_key keys[] = {
    {"public_host", CONFIG_HOST, true, MEMBER(public_host)}, {"port", CONFIG_PORT, false, MEMBER(port)},
    {"http_port", CONFIG_PORT, false, MEMBER(http_port)},    {"listen", CONFIG_ADDRESS, false, MEMBER(listen)},
    {"max_people", CONFIG_COUNT, true, MEMBER(max_people)},  {"grace_s", CONFIG_COUNT, true, MEMBER(grace_s)},
    {"state", CONFIG_FOLDER, false, MEMBER(state)},
};

#define KEYS (sizeof keys / sizeof *keys)

/* Debian's inih does not tell its handler the line, so our reader counts. */
struct reading {
    struct config *config;
    const char *path;
    struct err *err;
    FILE *file;
    int line;
    int set_in[KEYS]; /* the line of each; 0: not yet */
    int status;
};

const struct config_key *config_keys(size_t *count)
{
    *count = KEYS;
    return keys;
}

void config_defaults(struct config *c)
{
    memset(c, 0, sizeof *c);
    snprintf(c->public_host, sizeof c->public_host, "localhost");
    c->port = 7256;
    c->http_port = 8080;
    snprintf(c->listen, sizeof c->listen, "*");
    c->grace_s = 30;
    snprintf(c->state, sizeof c->state, STATE_DEFAULT);
    snprintf(c->socket, sizeof c->socket, SOCKET_DEFAULT);
}

bool config_number(const char *text, unsigned long max, unsigned long *out)
{
    char *end;
    unsigned long v;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    v = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || v > max)
        return false;
    *out = v;
    return true;
}

static int set_text(char *to, size_t max, const char *value)
{
    return strlen(value) < max ? (memcpy(to, value, strlen(value) + 1), 0) : -1;
}

/* Would a link with it lead there? */
static bool is_host(const char *value)
{
    bool brackets = strchr(value, ':') != NULL; /* an IPv6 address */
    char text[LINK_TEXT_MAX];
    struct link l;
    int n = snprintf(text, sizeof text, "salotto://%s%s%s", brackets ? "[" : "", value, brackets ? "]" : "");

    return n > 0 && (size_t)n < sizeof text && link_parse(&l, text, NULL) == 0 && strcmp(l.host, value) == 0;
}

static int set_number(unsigned long *n, unsigned long max, const char *value)
{
    return config_number(value, max, n) ? 0 : -1;
}

/* 0, or -1: *expect says what would be right. */
static int set_key(struct config *c, const struct config_key *k, const char *value, const char **expect)
{
    char *at = (char *)c + k->at;
    unsigned long n = 0;
    int status = -1;

    switch (k->form) {
    case CONFIG_HOST:
        *expect = ERR_TEXT("a host name or address, up to 255 characters");
        status = is_host(value) ? set_text(at, k->size, value) : -1;
        break;
    case CONFIG_ADDRESS:
        *expect = ERR_TEXT("an address of this machine, or * for all");
        status = set_text(at, k->size, value);
        break;
    case CONFIG_FOLDER:
        *expect = ERR_TEXT("a folder, up to 200 characters");
        status = value[0] == '\0' || strlen(value) > 200 ? -1 : set_text(at, k->size, value);
        break;
    case CONFIG_PORT:
        *expect = ERR_TEXT("a number from 0 to 65535");
        if ((status = set_number(&n, 65535, value)) == 0)
            *(uint16_t *)(void *)at = (uint16_t)n;
        break;
    case CONFIG_COUNT:
        *expect = ERR_TEXT("a number from 0 to 1000000");
        if ((status = set_number(&n, 1000000, value)) == 0)
            *(unsigned *)(void *)at = (unsigned)n;
        break;
    }
    return status;
}

/* One line, without what inih would take otherwise than people mean it: a line that is indented (more of the value
 * before, to inih) and one that does not fit (several lines, to inih). */
static char *read_line(char *line, int max, void *arg)
{
    struct reading *r = arg;
    bool comment = false;
    int c, n = 0;

    if (r->status != 0)
        return NULL;
    r->line++;
    while ((c = getc(r->file)) != EOF && c != '\n') {
        if (n == 0 && (c == ' ' || c == '\t'))
            continue;
        comment = comment || (n == 0 && (c == '#' || c == ';'));
        if (c == '\0' || (n == max - 2 && !comment)) {
            r->status = err_set(r->err, ERR_USAGE, "write KEY = VALUE, [SECTION], or a comment after #",
                                c == '\0' ? ERR_TEXT("%s:%d: there is a NUL byte: this is no text file")
                                          : ERR_TEXT("%s:%d: that line is too long"),
                                r->path, r->line);
            return NULL;
        }
        if (n < max - 2)
            line[n++] = (char)c;
        if (r->line == 1 && n == 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
            n = 0;
    }
    if (c == EOF && n == 0)
        return NULL;
    line[n] = '\n';
    line[n + 1] = '\0';
    return line;
}

static const struct config_key *find_key(const char *name)
{
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

static int unknown_key(const struct reading *r, const char *key)
{
    const char *names[KEYS], *near;
    char all[200] = "";
    size_t at = 0;

    for (size_t i = 0; i < KEYS; i++) {
        names[i] = keys[i].name;
        at += (size_t)snprintf(all + at, sizeof all - at, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    near = suggest(key, names, KEYS);
    err_set(r->err, ERR_USAGE, NULL, "%s:%d: unknown key '%s'", r->path, r->line, key);
    if (near != NULL)
        err_mend(r->err, "did you mean '%s'?", near);
    else
        err_mend(r->err, "the keys are %s", all);
    return -ERR_USAGE;
}

/* inih calls this for each key; 0 marks the line as faulty. */
static int on_key(void *arg, const char *section, const char *name, const char *value)
{
    struct reading *r = arg;
    const struct config_key *key = find_key(name);
    const char *expect = "";

    if (section[0] != '\0' && strcmp(section, "salottod") != 0) {
        r->status = err_set(r->err, ERR_USAGE, "the only section is [salottod]", "%s:%d: unknown section '%s'", r->path,
                            r->line, section);
    } else if (key == NULL) {
        r->status = unknown_key(r, name);
    } else if (r->set_in[key - keys] != 0) {
        r->status = err_set(r->err, ERR_USAGE, "delete the one that does not hold",
                            "%s:%d: key '%s' stands in line %d already", r->path, r->line, name, r->set_in[key - keys]);
    } else if (set_key(r->config, key, value, &expect) != 0) {
        r->status = err_set(r->err, ERR_USAGE, NULL, "%s:%d: key '%s' cannot be '%s'", r->path, r->line, name, value);
        err_mend(r->err, "give %s", err_words(expect));
    } else {
        r->set_in[key - keys] = r->line;
    }
    return r->status == 0;
}

int config_read(struct config *c, const char *path, struct err *err)
{
    struct reading r = {.config = c, .path = path, .err = err, .file = fopen(path, "re")};
    int line;

    if (r.file == NULL)
        return err_set(err, ERR_USAGE, "name a file that can be read with --config FILE", "%s: %s", path,
                       err_reason(errno));
    line = ini_parse_stream(read_line, &r, on_key, &r);
    if (r.status == 0 && ferror(r.file)) /* a folder can be opened, but not read */
        r.status = err_set(err, ERR_USAGE, "name a file that can be read with --config FILE", "%s: %s", path,
                           err_reason(errno));
    if (r.status == 0 && line != 0)
        r.status = err_set(err, ERR_USAGE, "write KEY = VALUE, [SECTION], or a comment after #",
                           "%s:%d: that line cannot be understood", path, line > 0 ? line : 0);
    if (fclose(r.file) != 0 && r.status == 0)
        r.status = err_set(err, ERR_USAGE, NULL, "%s: %s", path, err_reason(errno));
    return r.status;
}

int config_set_state(struct config *c, const char *dir, struct err *err)
{
    struct sockaddr_un at;

    if (dir[0] == '\0')
        return err_set(err, ERR_USAGE, "name a folder with --state DIR", "--state '' is no folder");
    if (strlen(dir) + sizeof "/control.sock" > sizeof at.sun_path)
        return err_set(err, ERR_USAGE, "choose a shorter path, or a relative one",
                       "--state %s is too long a path: with the socket in it, %zu bytes are allowed", dir,
                       sizeof at.sun_path - 1);
    snprintf(c->state, sizeof c->state, "%s", dir);
    snprintf(c->socket, sizeof c->socket, "%s/control.sock", dir);
    return 0;
}
