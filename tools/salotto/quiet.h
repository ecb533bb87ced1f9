/* quiet.h - keep libraries from talking on the terminal
 *
 * ALSA and JACK write to standard error while PortAudio looks for devices. Between quiet_begin() and quiet_end()
 * standard error goes nowhere. Process-wide: nobody else may want to write meanwhile.
 */
#ifndef SALOTTO_QUIET_H
#define SALOTTO_QUIET_H

/* Returns what quiet_end() needs. */
int quiet_begin(void);
void quiet_end(int saved);

#endif
