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

static const char *const keys[] = {"public_host", "port", "http_port", "listen", "max_people", "grace_s", "state"};

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

/* 0, -1 (bad value; *expect says what would be right), -2 (no such key). */
static int set_key(struct config *c, const char *key, const char *value, const char **expect)
{
    unsigned long n = 0;

    if (strcmp(key, "public_host") == 0) {
        *expect = ERR_TEXT("a host name or address, up to 255 characters");
        return is_host(value) ? set_text(c->public_host, sizeof c->public_host, value) : -1;
    }
    if (strcmp(key, "listen") == 0) {
        *expect = ERR_TEXT("an address of this machine, or * for all");
        return set_text(c->listen, sizeof c->listen, value);
    }
    if (strcmp(key, "state") == 0) {
        *expect = ERR_TEXT("a folder, up to 200 characters");
        return value[0] == '\0' || strlen(value) > 200 ? -1 : set_text(c->state, sizeof c->state, value);
    }
    if (strcmp(key, "port") == 0 || strcmp(key, "http_port") == 0) {
        *expect = ERR_TEXT("a number from 0 to 65535");
        if (!config_number(value, 65535, &n))
            return -1;
        *(strcmp(key, "port") == 0 ? &c->port : &c->http_port) = (uint16_t)n;
        return 0;
    }
    if (strcmp(key, "max_people") == 0 || strcmp(key, "grace_s") == 0) {
        *expect = ERR_TEXT("a number from 0 to 1000000");
        if (!config_number(value, 1000000, &n))
            return -1;
        *(strcmp(key, "grace_s") == 0 ? &c->grace_s : &c->max_people) = (unsigned)n;
        return 0;
    }
    return -2;
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

/* The line before this one in which the key stands, or 0. */
static int set_before(struct reading *r, const char *key)
{
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i], key) == 0) {
            int before = r->set_in[i];

            r->set_in[i] = r->line;
            return before;
        }
    return 0;
}

/* inih calls this for each key; 0 marks the line as faulty. */
static int on_key(void *arg, const char *section, const char *key, const char *value)
{
    struct reading *r = arg;
    const char *expect = "";
    int line = r->line;
    int status, before;

    if (section[0] != '\0' && strcmp(section, "salottod") != 0) {
        r->status = err_set(r->err, ERR_USAGE, "the only section is [salottod]", "%s:%d: unknown section '%s'", r->path,
                            line, section);
        return 0;
    }
    before = set_before(r, key);
    if (before != 0) {
        r->status = err_set(r->err, ERR_USAGE, "delete the one that does not hold",
                            "%s:%d: key '%s' stands in line %d already", r->path, line, key, before);
        return 0;
    }
    status = set_key(r->config, key, value, &expect);
    if (status == 0)
        return 1;
    if (status == -1) {
        r->status = err_set(r->err, ERR_USAGE, NULL, "%s:%d: key '%s' cannot be '%s'", r->path, line, key, value);
        err_mend(r->err, "give %s", err_words(expect));
    } else {
        const char *near = suggest(key, keys, KEYS);

        r->status = err_set(r->err, ERR_USAGE, NULL, "%s:%d: unknown key '%s'", r->path, line, key);
        if (near != NULL)
            err_mend(r->err, "did you mean '%s'?", near);
        else
            err_mend(r->err, "the keys are public_host, port, http_port, listen, max_people, grace_s, state");
    }
    return 0;
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
