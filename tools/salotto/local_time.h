/* local_time.h - a time as people where we are read it, with its zone
 */
#ifndef SALOTTO_LOCAL_TIME_H
#define SALOTTO_LOCAL_TIME_H

#include <time.h>

#define LOCAL_TIME_BYTES 64u

/* For people: 2026-11-24 21:04 CET. */
void local_time(char out[LOCAL_TIME_BYTES], time_t at);

/* For programs (RFC 3339): 2026-11-24T21:04:05+01:00. */
void local_time_rfc3339(char out[LOCAL_TIME_BYTES], time_t at);

#endif
