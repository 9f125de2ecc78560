/* A double of model/dh.c: it defines every symbol of that file and is linked in its place. A capture does not
 * show the daemon's private value, so nothing is computed; the script says what comes out, and a peer's value
 * that is not the captured one is refused.
 *
 * The "private value" is the address of the script's entry: the core carries it from generate to derive like
 * a real one. p2_random must be a script's. */
#include "script.h"

#include <string.h>

/* As in model/dh.c: lengths show in messages and in the work that is announced. */
static const struct p2_group_info groups[] = {
    {P2_GROUP_1, "group1", 96, 96, 32},   {P2_GROUP_2, "group2", 128, 128, 32},
    {P2_GROUP_5, "group5", 192, 192, 32}, {P2_GROUP_14, "group14", 256, 256, 32},
    {P2_GROUP_19, "group19", 64, 32, 32},
};

_Static_assert(sizeof(const struct script_dh *) <= P2_DH_MAX_PRIVATE, "an address must fit");

#define NUM_GROUPS (sizeof(groups) / sizeof(groups[0]))

const struct p2_group_info *p2_group_of(enum p2_group group)
{
    for (size_t i = 0; i < NUM_GROUPS; i++) {
        if (groups[i].group == group)
            return &groups[i];
    }
    return NULL;
}

enum p2_group p2_group_by_name(const char *name)
{
    for (size_t i = 0; i < NUM_GROUPS; i++) {
        if (strcmp(groups[i].name, name) == 0)
            return groups[i].group;
    }
    return P2_GROUP_NONE;
}

const struct p2_group_info *p2_group_at(size_t i)
{
    return i < NUM_GROUPS ? &groups[i] : NULL;
}

int p2_dh_generate(enum p2_group group, struct p2_random random, uint8_t *private_key, uint8_t *public_key)
{
    const struct script_dh *dh = script_take_dh(random.ctx);
    if (!dh || dh->public_len != p2_group_of(group)->public_len)
        return P2_ERR_CRYPTO;
    memcpy(private_key, &dh, sizeof(dh)); /* NOLINT(bugprone-sizeof-expression): the pointer is meant */
    memcpy(public_key, dh->public_key, dh->public_len);
    return P2_OK;
}

int p2_dh_derive(enum p2_group group, const uint8_t *private_key, const uint8_t *peer_public,
                 size_t peer_public_len, uint8_t *secret)
{
    const struct script_dh *dh;
    memcpy(&dh, private_key, sizeof(dh)); /* NOLINT(bugprone-sizeof-expression): the pointer is meant */
    if (peer_public_len != dh->public_len || memcmp(peer_public, dh->peer_public, dh->public_len) != 0)
        return P2_ERR_PEER_VALUE;
    if (dh->secret_len != p2_group_of(group)->secret_len)
        return P2_ERR_CRYPTO;
    memcpy(secret, dh->secret, dh->secret_len);
    return P2_OK;
}
