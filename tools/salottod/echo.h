/* echo.h - rooms in which one person hears themself, to try out their sound and their way to the server
 *
 * {"do":"echo"} makes a live room of the caller's own, which the database and the other commands know nothing of and
 * which nobody else can enter. They are on stage in it and hear the shared stream with their own voice. It is gone when
 * they leave, and after a minute at the latest.
 */
#ifndef SALOTTO_SALOTTOD_ECHO_H
#define SALOTTO_SALOTTOD_ECHO_H

#include <jansson.h>

struct session;

#define ECHO_ROOMS_MAX 16u
#define ECHO_SECONDS   60

/* Carries out {"do":"echo"}; answers once, now or later, as to a join. */
void echo_request(struct session *s, json_int_t id, const json_t *request);

#endif
