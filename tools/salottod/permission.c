/* permission.c - who may do what to whom (see permission.h) */
#include "tools/salottod/permission.h"

#include "tools/salottod/words.h"

int permission_rank(enum role actor, enum role least, const char *what, struct err *err)
{
    if (actor >= least)
        return 0;
    err_set(err, ERR_DENIED, NULL, "a %s may not use '%s'", words_role(actor), what);
    if (least == ROLE_OPERATOR)
        err_mend(err, "only the operator may, on the server itself");
    else
        err_mend(err, "ask a %s of the room", words_role(least));
    return -ERR_DENIED;
}

int permission_over(enum role actor, enum role target, const char *what, const char *whom, struct err *err)
{
    if (actor > target)
        return 0;
    err_set(err, ERR_DENIED, NULL, "a %s may not use '%s' on %s, who is a %s", words_role(actor), what, whom,
            words_role(target));
    err_mend(err, "ask a %s", words_role(target < ROLE_HOST ? (enum role)(target + 1) : ROLE_OPERATOR));
    return -ERR_DENIED;
}

int permission_give(enum role actor, enum role given, struct err *err)
{
    if (given < ROLE_OPERATOR && (actor > given || (actor == ROLE_HOST && given == ROLE_HOST)))
        return 0;
    err_set(err, ERR_DENIED, NULL, "a %s may not make anyone %s", words_role(actor), words_role(given));
    err_mend(err, "ask a %s", words_role(given < ROLE_HOST ? (enum role)(given + 1) : ROLE_HOST));
    return -ERR_DENIED;
}
