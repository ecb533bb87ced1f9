/* words.c - what roles and the like are called in sentences and tables (see words.h) */
#include "tools/salottod/words.h"

#include "tools/language.h"

const char *words_role(enum role r)
{
    static const char *const words[] = {
        [ROLE_LISTENER] = N_("listener"), [ROLE_SPEAKER] = N_("speaker"),   [ROLE_MODERATOR] = N_("moderator"),
        [ROLE_HOST] = N_("host"),         [ROLE_OPERATOR] = N_("operator"),
    };

    return _(words[r]);
}
