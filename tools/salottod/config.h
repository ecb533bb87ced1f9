/* config.h - what an operator may set: keys, defaults, checks
 *
 * Precedence: flag, file, default. Every key stands with its default in etc/salottod.conf.
 */
#ifndef SALOTTO_SALOTTOD_CONFIG_H
#define SALOTTO_SALOTTOD_CONFIG_H

#include "mixer/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_PATH_MAX 256

struct config {
    char public_host[256];        /* in links; default localhost */
    uint16_t port;                /* UDP and TCP; default 7256, 0 takes any free one */
    uint16_t http_port;           /* default 8080 */
    char listen[64];              /* address to bind; "*" all */
    unsigned max_people;          /* in one room; 0 unlimited */
    unsigned grace_s;             /* a room's thread ends so long after the last person left; default 30 */
    char state[CONFIG_PATH_MAX];  /* folder of salotto.db and server.key */
    char socket[CONFIG_PATH_MAX]; /* the operator's unix socket */
};

enum config_form { CONFIG_HOST, CONFIG_ADDRESS, CONFIG_FOLDER, CONFIG_PORT, CONFIG_COUNT };

/* A key of the file, and the member of struct config that holds it. */
struct config_key {
    const char *name;
    enum config_form form; /* CONFIG_PORT is a uint16_t, CONFIG_COUNT an unsigned, all others text */
    bool live;             /* may change while people are in the rooms (reload.h) */
    size_t at, size;
};

/* The one table of them. */
const struct config_key *config_keys(size_t *count);

void config_defaults(struct config *c);

/* Reads an INI file over what is in *c. ERR_USAGE names file, line and key; an unknown key gets the nearest known one
 * as its mend. */
int config_read(struct config *c, const char *path, struct err *err);

/* --state DIR: database, key and socket all in there. */
int config_set_state(struct config *c, const char *dir, struct err *err);

/* A whole decimal number in [0, max], with nothing around it. False otherwise. */
bool config_number(const char *text, unsigned long max, unsigned long *out);

#endif
