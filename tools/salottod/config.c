/* config.c - what an operator may set (see config.h) */
#include "tools/salottod/config.h"

#include "tools/suggest.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_DEFAULT  "/var/lib/salotto"
#define SOCKET_DEFAULT "/run/salotto/control.sock"

/* Debian's inih does not tell its handler the line, so our reader counts. */
struct reading {
    struct config *config;
    const char *path;
    struct err *err;
    FILE *file;
    int line;
    bool begun; /* the last piece read was only the beginning of a line */
    int status;
};

static const char *const keys[] = {"public_host", "port", "http_port", "listen", "max_people", "grace_s", "state"};

void config_defaults(struct config *c)
{
    memset(c, 0, sizeof *c);
    snprintf(c->public_host, sizeof c->public_host, "localhost");
    c->port = 7256;
    c->http_port = 8080;
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

/* 0, -1 (bad value; *expect says what would be right), -2 (no such key). */
static int set_key(struct config *c, const char *key, const char *value, const char **expect)
{
    unsigned long n = 0;

    if (strcmp(key, "public_host") == 0) {
        *expect = "a host name or address, up to 255 characters";
        return value[0] == '\0' ? -1 : set_text(c->public_host, sizeof c->public_host, value);
    }
    if (strcmp(key, "listen") == 0) {
        *expect = "an address of this machine, or * for all";
        return set_text(c->listen, sizeof c->listen, value);
    }
    if (strcmp(key, "state") == 0) {
        *expect = "a folder, up to 200 characters";
        return value[0] == '\0' || strlen(value) > 200 ? -1 : set_text(c->state, sizeof c->state, value);
    }
    if (strcmp(key, "port") == 0 || strcmp(key, "http_port") == 0) {
        *expect = "a number from 0 to 65535";
        if (!config_number(value, 65535, &n))
            return -1;
        *(strcmp(key, "port") == 0 ? &c->port : &c->http_port) = (uint16_t)n;
        return 0;
    }
    if (strcmp(key, "max_people") == 0 || strcmp(key, "grace_s") == 0) {
        *expect = "a number from 0 to 1000000";
        if (!config_number(value, 1000000, &n))
            return -1;
        *(strcmp(key, "grace_s") == 0 ? &c->grace_s : &c->max_people) = (unsigned)n;
        return 0;
    }
    return -2;
}

static char *read_line(char *line, int max, void *arg)
{
    struct reading *r = arg;

    if (r->status != 0 || fgets(line, max, r->file) == NULL)
        return NULL;
    if (!r->begun)
        r->line++;
    r->begun = strchr(line, '\n') == NULL;
    return line;
}

/* inih calls this for each key; 0 marks the line as faulty. */
static int on_key(void *arg, const char *section, const char *key, const char *value)
{
    struct reading *r = arg;
    const char *expect = "";
    int line = r->line;
    int status;

    if (section[0] != '\0' && strcmp(section, "salottod") != 0) {
        r->status = err_set(r->err, ERR_USAGE, "the only section is [salottod]", "%s:%d: unknown section '%s'", r->path,
                            line, section);
        return 0;
    }
    status = set_key(r->config, key, value, &expect);
    if (status == 0)
        return 1;
    if (status == -1) {
        r->status = err_set(r->err, ERR_USAGE, NULL, "%s:%d: key '%s' cannot be '%s'", r->path, line, key, value);
        err_mend(r->err, "give %s", expect);
    } else {
        const char *near = suggest(key, keys, sizeof keys / sizeof *keys);

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
                       strerror(errno));
    line = ini_parse_stream(read_line, &r, on_key, &r);
    if (r.status == 0 && line != 0)
        r.status = err_set(err, ERR_USAGE, "write KEY = VALUE, [SECTION], or a comment after #",
                           "%s:%d: that line cannot be understood", path, line > 0 ? line : 0);
    if (fclose(r.file) != 0 && r.status == 0)
        r.status = err_set(err, ERR_USAGE, NULL, "%s: %s", path, strerror(errno));
    return r.status;
}

int config_set_state(struct config *c, const char *dir, struct err *err)
{
    if (dir[0] == '\0' || strlen(dir) > 200)
        return err_set(err, ERR_USAGE, "give a folder of at most 200 characters", "--state '%.40s' is no folder", dir);
    snprintf(c->state, sizeof c->state, "%s", dir);
    snprintf(c->socket, sizeof c->socket, "%s/control.sock", dir);
    return 0;
}
