/* hasty.h - let people interrupt what blocks
 *
 * Between hasty_begin() and hasty_end() SIGINT, SIGTERM, SIGQUIT and SIGHUP end the program at once with the exit code
 * for "interrupted", the status line erased, where otherwise they would wait for the event loop's next turn. For
 * connecting and for questions: nothing has begun then that would have to be ended.
 */
#ifndef SALOTTO_HASTY_H
#define SALOTTO_HASTY_H

void hasty_begin(void);
void hasty_end(void);

#endif
