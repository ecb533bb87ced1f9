/* sound.h - what the mixer's tests make and measure: tones, noise, peaks, clicks, likeness
 *
 * Measuring is done in double and by means of its own, not by those of the code under test.
 */
#ifndef SALOTTO_TESTS_MIXER_SOUND_H
#define SALOTTO_TESTS_MIXER_SOUND_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SOUND_RATE 48000.0

static inline double sound_db(double amplitude)
{
    return amplitude > 1e-10 ? 20.0 * log10(amplitude) : -200.0;
}

static inline double sound_rms(const float *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return n > 0 ? sqrt(sum / (double)n) : 0.0;
}

static inline double sound_peak(const float *x, size_t n)
{
    double peak = 0;

    for (size_t i = 0; i < n; i++)
        peak = fmax(peak, fabs((double)x[i]));
    return peak;
}

/* Adds a sine of so many dBFS RMS that has run since position 0. */
static inline void sound_add_tone(float *x, uint64_t position, size_t n, double hz, double rms_dbfs)
{
    double peak = sqrt(2.0) * pow(10.0, rms_dbfs / 20.0);

    for (size_t i = 0; i < n; i++)
        x[i] += (float)(peak * sin(2.0 * M_PI * hz * (double)(position + i) / SOUND_RATE));
}

/* A little generator, so that every run hears the same noise. -1..1 */
static inline float sound_noise(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)((double)(*seed >> 8) / 8388608.0 - 1.0);
}

/* Something like speech: syllables of a buzzing voice with formant-like colour, four a second, with pauses. `voice`
 * chooses pitch and rhythm. Adds to x. */
static inline void sound_add_speech(float *x, uint64_t position, size_t n, unsigned voice, double peak)
{
    double pitch = 95.0 + 37.0 * voice;

    for (size_t i = 0; i < n; i++) {
        double t = (double)(position + i) / SOUND_RATE;
        double beat = fmod(t * (3.1 + 0.37 * voice), 1.0);
        double phrase = fmod(t + 0.7 * voice, 3.0);
        double shape = beat < 0.6 && phrase < 2.3 ? sin(M_PI * beat / 0.6) : 0.0;
        double glide = pitch * t + 6.0 * sin(2.0 * M_PI * 0.9 * t + voice);
        double buzz = 0;

        for (int h = 1; h <= 24; h++) {
            double hz = pitch * h;
            double colour = 1.0 / (1.0 + pow((hz - 520.0 - 90.0 * voice) / 180.0, 2.0)) +
                            0.5 / (1.0 + pow((hz - 1450.0 + 60.0 * voice) / 250.0, 2.0)) + 0.02;

            buzz += colour * sin(2.0 * M_PI * glide * h + h * h);
        }
        x[i] += (float)(peak * 0.3 * shape * buzz);
    }
}

/* The true peak by four-fold interpolation with a Hann-windowed sinc of 2 * 48 samples. */
static inline double sound_true_peak(const float *x, size_t n)
{
    enum { HALF = 48 };
    static double sinc[4][2 * HALF];
    static int made;
    double peak = sound_peak(x, n);

    for (int p = 1; !made && p < 4; p++)
        for (int k = 0; k < 2 * HALF; k++) {
            double t = k - HALF + 1 - p / 4.0;

            sinc[p][k] = sin(M_PI * t) / (M_PI * t) * (0.5 + 0.5 * cos(M_PI * t / (HALF + 1)));
        }
    made = 1;
    for (size_t i = HALF; i + HALF < n; i++)
        for (int p = 1; p < 4; p++) {
            double y = 0;

            for (int k = 0; k < 2 * HALF; k++)
                y += sinc[p][k] * (double)x[i + (size_t)k - HALF + 1];
            peak = fmax(peak, fabs(y));
        }
    return peak;
}

/* What lies above `hz`: the loudest 5 ms (RMS) of x after a linear-phase high-pass of 2049 taps. The first and last
 * 1024 samples are not measured. */
static inline double sound_click(const float *x, size_t n, double hz)
{
    enum { HALF = 1024, WINDOW = 240 };
    static double low[HALF + 1];
    double *high = calloc(n, sizeof *high);
    double loudest = 0, sum = 0, total = 0;

    for (int k = 0; k <= HALF; k++) {
        double t = 2.0 * hz / SOUND_RATE;
        double window = 0.42 + 0.5 * cos(M_PI * k / (HALF + 1)) + 0.08 * cos(2 * M_PI * k / (HALF + 1)); /* Blackman */

        low[k] = (k == 0 ? t : sin(M_PI * t * k) / (M_PI * k)) * window;
        total += (k == 0 ? 1 : 2) * low[k];
    }
    for (size_t i = HALF; i + HALF < n; i++) {
        double y = low[0] * (double)x[i];

        for (size_t k = 1; k <= HALF; k++)
            y += low[k] * ((double)x[i - k] + (double)x[i + k]);
        high[i] = (double)x[i] - y / total;
    }
    for (size_t i = HALF; i + HALF < n; i++) {
        sum += high[i] * high[i];
        if (i >= HALF + WINDOW)
            sum -= high[i - WINDOW] * high[i - WINDOW];
        if (i >= HALF + WINDOW - 1)
            loudest = fmax(loudest, sum / WINDOW);
    }
    free(high);
    return sqrt(loudest);
}

/* Amplitude (peak) and phase of a tone in x, by correlation; n should hold whole periods. */
static inline double sound_tone(const float *x, size_t n, double hz, double *phase)
{
    double re = 0, im = 0;

    for (size_t i = 0; i < n; i++) {
        double a = 2.0 * M_PI * hz * (double)i / SOUND_RATE;

        re += (double)x[i] * sin(a);
        im += (double)x[i] * cos(a);
    }
    if (phase != NULL)
        *phase = atan2(im, re);
    return 2.0 * sqrt(re * re + im * im) / (double)n;
}

/* How much of `part` is in x: the factor g that makes x - g * part smallest. */
static inline double sound_share(const float *x, const float *part, size_t n)
{
    double dot = 0, power = 0;

    for (size_t i = 0; i < n; i++) {
        dot += (double)x[i] * (double)part[i];
        power += (double)part[i] * (double)part[i];
    }
    return power > 0 ? dot / power : 0.0;
}

#endif
