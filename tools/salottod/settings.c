/* settings.c - the configuration that comes of flags, file and defaults (see settings.h) */
#include "tools/salottod/settings.h"

#include <stddef.h>

static int set_port(uint16_t *port, const char *name, const char *text, struct err *err)
{
    unsigned long n;

    if (!config_number(text, 65535, &n))
        return err_set(err, ERR_USAGE, "give a number from 0 to 65535", "%s cannot be '%.40s'", name, text);
    *port = (uint16_t)n;
    return 0;
}

int settings_read(struct config *c, const struct settings *s, struct err *err)
{
    int status = 0;

    config_defaults(c);
    if (s->config != NULL)
        status = config_read(c, s->config, err);
    if (status == 0 && s->state != NULL)
        status = config_set_state(c, s->state, err);
    if (status == 0 && s->port != NULL)
        status = set_port(&c->port, "--port", s->port, err);
    if (status == 0 && s->http_port != NULL)
        status = set_port(&c->http_port, "--http-port", s->http_port, err);
    return status;
}
