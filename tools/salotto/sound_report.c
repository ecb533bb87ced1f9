/* sound_report.c - what a test of one's sound has found (see sound_report.h) */
#include "tools/salotto/sound_report.h"

#include "tools/language.h"
#include "tools/colour.h"
#include "tools/salotto/lag.h"
#include "tools/salotto/local_time.h"

#define FAINT_DBFS   (-40.0f) /* speech well recorded lies about -20 */
#define CLIPPED      48u      /* samples at full scale: a millisecond */
#define LOSS_PERCENT 2.0      /* what is lost beyond it is heard */
#define LONG_MS      400.0    /* people begin to talk at the same time (ITU-T G.114) */

static uint64_t lost_of(uint64_t sent, uint64_t arrived)
{
    return sent > arrived ? sent - arrived : 0;
}

static double percent(uint64_t sent, uint64_t arrived)
{
    return sent > 0 ? 100.0 * (double)lost_of(sent, arrived) / (double)sent : 0.0;
}

bool sound_report_came_back(const struct sound_report *r)
{
    return r->heard.speaking_s > 0;
}

/* With too much of it missing nothing can be told of its delay. */
static bool has_delay(const struct sound_report *r)
{
    return sound_report_came_back(r) && r->likeness >= LAG_UNLIKE;
}

static void print_level(FILE *to, const char *what, const struct level *l)
{
    if (l->speaking_s > 0)
        fprintf(to, _("%-14speak %.1f dBFS, speech %.1f dBFS\n"), what, (double)l->peak_dbfs, (double)l->rms_dbfs);
    else
        fprintf(to, _("%-14snothing but silence\n"), what);
}

static void print_way(FILE *to, const char *what, uint64_t sent, uint64_t arrived)
{
    if (lost_of(sent, arrived) == 0)
        fprintf(to, _("%-14s%llu packets, none lost\n"), what, (unsigned long long)sent);
    else
        fprintf(to, _("%-14s%llu packets, %llu lost (%.1f %%)\n"), what, (unsigned long long)sent,
                (unsigned long long)lost_of(sent, arrived), percent(sent, arrived));
}

/* One sentence a fault; returns how many. */
static unsigned advise(const struct sound_report *r, FILE *to, const char *warn, const char *end)
{
    const char *advice[6];
    unsigned n = 0;

    if (!sound_report_came_back(r))
        advice[n++] = _("What you said did not come back from the server.");
    if (r->said.at_limit >= CLIPPED)
        advice[n++] = _("Your microphone is too loud and distorts: turn it down.");
    else if (r->said.rms_dbfs < FAINT_DBFS)
        advice[n++] = _("Your voice is faint: turn the microphone up, or come nearer to it.");
    if (r->has_arrived && percent(r->sent, r->arrived) > LOSS_PERCENT)
        advice[n++] = _("The way to the server loses packets: others will hear gaps. A cable is better than wifi.");
    if (percent(r->expected, r->received) > LOSS_PERCENT)
        advice[n++] = _("The way from the server loses packets: you will hear gaps. --tier low needs less of it.");
    if (has_delay(r) && r->delay_ms > LONG_MS)
        advice[n++] = _("The delay is long: wait for others to end before you speak.");
    for (unsigned i = 0; i < n; i++)
        fprintf(to, "%s%s%s\n", warn, advice[i], end);
    return n;
}

void sound_report_print(const struct sound_report *r, FILE *to, bool coloured)
{
    char when[LOCAL_TIME_BYTES];

    local_time(when, r->at);
    fprintf(to, _("tested at %s, %s\n"), r->host, when);
    print_level(to, _("you said"), &r->said);
    print_level(to, _("you heard"), &r->heard);
    if (r->has_arrived)
        print_way(to, _("way there"), r->sent, r->arrived);
    else
        fprintf(to, _("%-14s%llu packets; the server has not told of them\n"), _("way there"),
                (unsigned long long)r->sent);
    print_way(to, _("way back"), r->expected, r->received);
    if (r->has_round_trip && r->round_trip_ms == 0)
        fprintf(to, _("%-14sunder 1 ms\n"), _("round trip"));
    else if (r->has_round_trip)
        fprintf(to, "%-14s%u ms\n", _("round trip"), r->round_trip_ms);
    if (has_delay(r))
        fprintf(to, _("%-14s%.0f ms from mouth to ear, without the devices\n"), _("delay"), r->delay_ms);
    if (advise(r, to, colour(coloured, COLOUR_WARN), colour(coloured, COLOUR_END)) == 0)
        fprintf(to, _("%sAll is well.%s\n"), colour(coloured, COLOUR_GOOD), colour(coloured, COLOUR_END));
}

static json_t *level_json(const struct level *l)
{
    return json_pack("{s:f, s:o, s:f, s:I}", "peak_dbfs", (double)l->peak_dbfs, "speech_dbfs",
                     l->speaking_s > 0 ? json_real((double)l->rms_dbfs) : json_null(), "speaking_s",
                     (double)l->speaking_s, "at_full_scale", (json_int_t)l->at_limit);
}

static json_t *way_json(uint64_t sent, uint64_t arrived, bool known)
{
    return json_pack("{s:I, s:o, s:o}", "packets", (json_int_t)sent, "lost",
                     known ? json_integer((json_int_t)lost_of(sent, arrived)) : json_null(), "lost_percent",
                     known ? json_real(percent(sent, arrived)) : json_null());
}

json_t *sound_report_json(const struct sound_report *r)
{
    char when[LOCAL_TIME_BYTES];

    local_time_rfc3339(when, r->at);
    return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "server", r->host, "at", when, "came_back",
                     (int)sound_report_came_back(r), "said", level_json(&r->said), "heard", level_json(&r->heard),
                     "way_there", way_json(r->sent, r->arrived, r->has_arrived), "way_back",
                     way_json(r->expected, r->received, true), "round_trip_ms",
                     r->has_round_trip ? json_integer(r->round_trip_ms) : json_null(), "delay_ms",
                     has_delay(r) ? json_real(r->delay_ms) : json_null(), "likeness", (double)r->likeness);
}
