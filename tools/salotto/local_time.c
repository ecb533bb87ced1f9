/* local_time.c - a time as people where we are read it (see local_time.h) */
#include "tools/salotto/local_time.h"

#include <stdio.h>
#include <stdlib.h>

static void print(char out[LOCAL_TIME_BYTES], const char *format, const struct tm *at)
{
    if (strftime(out, LOCAL_TIME_BYTES, format, at) == 0)
        out[0] = '\0';
}

void local_time(char out[LOCAL_TIME_BYTES], time_t at)
{
    struct tm tm = {0};

    localtime_r(&at, &tm);
    print(out, "%Y-%m-%d %H:%M %Z", &tm);
}

void local_time_rfc3339(char out[LOCAL_TIME_BYTES], time_t at)
{
    char head[LOCAL_TIME_BYTES];
    struct tm tm = {0};
    long minutes;

    localtime_r(&at, &tm);
    minutes = tm.tm_gmtoff / 60;
    print(head, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, LOCAL_TIME_BYTES, "%.40s%c%02ld:%02ld", head, minutes < 0 ? '-' : '+', labs(minutes) / 60 % 100,
             labs(minutes) % 60);
}
