/* profile.h - where a person's own files lie
 *
 * `identity` and, beside it, `known_servers`: what salotto and salottoctl share on one account. Any thread.
 */
#ifndef SALOTTO_NET_PROFILE_H
#define SALOTTO_NET_PROFILE_H

#include "mixer/err.h"

#include <stddef.h>

#define PROFILE_PATH_MAX 4096u

/* $XDG_CONFIG_HOME/salotto/identity, or ~/.config/salotto/identity (XDG Base Directory Specification 0.8). Only
 * names it. 0, or ERR_USAGE when there is no home folder, or it does not fit. */
int profile_identity_path(char *out, size_t max, struct err *err);

/* The known_servers file beside that identity. 0, or ERR_USAGE when it does not fit. */
int profile_known_servers_path(char *out, size_t max, const char *identity_path, struct err *err);

/* Makes the folder in which `path` lies, and those above it, 0700 where they are missing. */
int profile_make_folder(const char *path, struct err *err);

#endif
