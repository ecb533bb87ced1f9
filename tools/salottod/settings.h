/* settings.h - the configuration that comes of flags, file and defaults
 *
 * A flag goes before the file, the file before the default. The same settings are read at the start and at each reload.
 */
#ifndef SALOTTO_SALOTTOD_SETTINGS_H
#define SALOTTO_SALOTTOD_SETTINGS_H

#include "mixer/err.h"
#include "tools/salottod/config.h"

/* What the command line says; NULL: nothing. The texts are borrowed. */
struct settings {
    const char *config; /* the file */
    const char *state, *port, *http_port;
};

/* Makes *c of them. ERR_USAGE names the flag, or file, line and key, and what would be right; *c is then unfit for
 * use. */
int settings_read(struct config *c, const struct settings *s, struct err *err);

#endif
