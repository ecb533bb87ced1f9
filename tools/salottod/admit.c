/* admit.c - what an invite does for the person who shows it (see admit.h) */
#include "tools/salottod/admit.h"

#include "storage/invites.h"

int admit_by_invite(struct db *db, int64_t room, const char *token, struct member *m, struct err *err)
{
    int64_t person = m->person.id;
    bool used = false;
    enum role role = ROLE_LISTENER;
    int status = invites_used_by(db, person, token, &used, err);

    if (status == 0)
        status = invites_use(db, room, person, token, &role, err);
    if (status == 0 && !used && role > m->role) {
        status = members_set_role(db, room, person, role, err);
        if (status == 0)
            status = members_get(db, room, person, m, err);
    }
    return status;
}
