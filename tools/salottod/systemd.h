/* systemd.h - what systemd is told about the daemon (sd_notify(3))
 *
 * Everything here does nothing where no systemd listens. main only.
 */
#ifndef SALOTTO_SALOTTOD_SYSTEMD_H
#define SALOTTO_SALOTTOD_SYSTEMD_H

struct server;

/* It accepts people, as after the start and after a reload. */
void systemd_ready(struct server *s);

/* It reads its configuration; systemd_ready() must follow. */
void systemd_reloading(void);

/* It ends, and is about to tell everyone. */
void systemd_stopping(struct server *s);

/* It lives: feeds the watchdog. */
void systemd_alive(void);

/* Rooms or people have become more or fewer: the status line of `systemctl status` will say so within a second. */
void systemd_people_soon(struct server *s);

/* The timer's callback of server.people_event (event2/event.h). */
void systemd_on_people(int fd, short what, void *server);

#endif
