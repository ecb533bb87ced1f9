/* sound_report.h - what a test of one's sound has found, for people and for programs
 */
#ifndef SALOTTO_SOUND_REPORT_H
#define SALOTTO_SOUND_REPORT_H

#include "tools/salotto/level.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

struct sound_report {
    const char *host;
    time_t at;
    struct level said, heard;
    uint64_t sent, arrived;      /* packets of ours, and those of them that the server had */
    uint64_t expected, received; /* packets of the server's, and those of them that we had */
    bool has_arrived;            /* the server has told about `arrived` */
    bool has_round_trip;
    unsigned round_trip_ms;
    float likeness;  /* of what was heard to what was said, as in lag.h */
    double delay_ms; /* from mouth to ear but for the devices; meaningful when they are alike */
};

/* Did anything come back? In an echo room it can only be what was said. */
bool sound_report_came_back(const struct sound_report *r);

void sound_report_print(const struct sound_report *r, FILE *to, bool coloured);

/* A new reference. */
json_t *sound_report_json(const struct sound_report *r);

#endif
