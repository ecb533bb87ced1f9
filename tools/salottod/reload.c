/* reload.c - the configuration, read again (see reload.h) */
#include "tools/salottod/reload.h"

#include "tools/salottod/log.h"
#include "tools/salottod/server.h"
#include "tools/salottod/systemd.h"

#include <stdio.h>
#include <string.h>

static void value(char out[CONFIG_PATH_MAX], const struct config *c, const struct config_key *k)
{
    const void *at = (const char *)c + k->at;

    if (k->form == CONFIG_PORT)
        snprintf(out, CONFIG_PATH_MAX, "%u", (unsigned)*(const uint16_t *)at);
    else if (k->form == CONFIG_COUNT)
        snprintf(out, CONFIG_PATH_MAX, "%u", *(const unsigned *)at);
    else
        snprintf(out, CONFIG_PATH_MAX, "%s", (const char *)at);
}

/* 1: changed; 0: as it was, or bound until the next start. */
static unsigned take(struct config *c, const struct config *next, const struct config_key *k)
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
    size_t count;

    systemd_reloading();
    if (settings_read(&next, s->settings, &err) != 0) {
        log_err(LOG_ERROR_LINE, &err);
        log_line(LOG_ERROR_LINE, "the configuration stays as it was");
    } else if (s->settings->config == NULL) {
        log_line(LOG_WARNING_LINE, "there is no configuration to read again: start salottod with --config FILE");
    } else {
        const struct config_key *keys = config_keys(&count);

        for (size_t i = 0; i < count; i++)
            changed += take(&s->config, &next, &keys[i]);
        log_line(LOG_NOTICE_LINE, "configuration read again file=%s changed=%u", s->settings->config, changed);
    }
    systemd_ready(s);
}
