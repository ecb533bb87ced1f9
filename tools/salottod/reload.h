/* reload.h - the configuration, read again while people are in the rooms
 *
 * What may change under them changes (public_host, max_people, grace_s); what is bound at the start stays, and the log
 * names the key. Sound is not touched. main only.
 */
#ifndef SALOTTO_SALOTTOD_RELOAD_H
#define SALOTTO_SALOTTOD_RELOAD_H

struct server;

/* Reads the settings that the server was started with once more. A file with a fault changes nothing; the log says what
 * came of it. max_people sends nobody away, and grace_s counts for rooms that empty from now on. */
void reload(struct server *s);

#endif
