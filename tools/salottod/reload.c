/* reload.c - the configuration, read again (see reload.h) */
#include "tools/salottod/reload.h"

#include "tools/salottod/log.h"
#include "tools/salottod/server.h"
#include "tools/salottod/systemd.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum form { FORM_TEXT, FORM_PORT, FORM_COUNT };

#define KEY(name, form, live)                                                                                          \
    {                                                                                                                  \
#name, form, live, offsetof(struct config, name), sizeof((struct config *)0)->name                             \
    }

static const struct key {
    const char *name;
    enum form form;
    bool live; /* may change under the people in the rooms */
    size_t at, size;
} keys[] = {
    KEY(public_host, FORM_TEXT, true), KEY(max_people, FORM_COUNT, true), KEY(grace_s, FORM_COUNT, true),
    KEY(port, FORM_PORT, false),       KEY(http_port, FORM_PORT, false),  KEY(listen, FORM_TEXT, false),
    KEY(state, FORM_TEXT, false),
};

static void value(char out[CONFIG_PATH_MAX], const struct config *c, const struct key *k)
{
    const char *at = (const char *)c + k->at;

    switch (k->form) {
    case FORM_TEXT:
        snprintf(out, CONFIG_PATH_MAX, "%s", at);
        break;
    case FORM_PORT:
        snprintf(out, CONFIG_PATH_MAX, "%u", (unsigned)*(const uint16_t *)at);
        break;
    case FORM_COUNT:
        snprintf(out, CONFIG_PATH_MAX, "%u", *(const unsigned *)at);
        break;
    }
}

/* 1: changed; 0: as it was, or bound until the next start. */
static unsigned take(struct config *c, const struct config *next, const struct key *k)
{
    char was[CONFIG_PATH_MAX], wanted[CONFIG_PATH_MAX];

    value(was, c, k);
    value(wanted, next, k);
    if (strcmp(was, wanted) == 0)
        return 0;
    if (!k->live) {
        log_line(LOG_WARNING_LINE,
                 "a new '%s' needs a restart of salottod; until then the old one holds key=%s from=%s to=%s", k->name,
                 k->name, was, wanted);
        return 0;
    }
    memcpy((char *)c + k->at, (const char *)next + k->at, k->size);
    log_line(LOG_NOTICE_LINE, "configuration changed key=%s from=%s to=%s", k->name, was, wanted);
    return 1;
}

void reload(struct server *s)
{
    struct config next;
    struct err err;
    unsigned changed = 0;

    systemd_reloading();
    if (settings_read(&next, s->settings, &err) != 0) {
        log_err(LOG_ERROR_LINE, &err);
        log_line(LOG_ERROR_LINE, "the configuration stays as it was");
    } else if (s->settings->config == NULL) {
        log_line(LOG_WARNING_LINE, "there is no configuration to read again: start salottod with --config FILE");
    } else {
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            changed += take(&s->config, &next, &keys[i]);
        log_line(LOG_NOTICE_LINE, "configuration read again file=%s changed=%u", s->settings->config, changed);
    }
    systemd_ready(s);
}
