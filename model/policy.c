#include "policy.h"

#include <assert.h>
#include <string.h>

struct p2_phase1_policy p2_phase1_policy_default(const char *psk)
{
    struct p2_phase1_policy policy = {.mode = P2_PHASE1_MAIN,
                                      .psk_len = strlen(psk),
                                      .cipher = P2_CIPHER_AES128_CBC,
                                      .hash = P2_HASH_SHA1,
                                      .group = P2_GROUP_14,
                                      .lifetime_s = 28800,
                                      .soft_permille = 900,
                                      .initial_contact = true,
                                      .dpd_tries = 3,
                                      .nat_traversal = true,
                                      .nat_keepalive = 20 * P2_SECOND,
                                      .retransmission = P2_RETRANSMISSION_DEFAULT};
    assert(policy.psk_len <= P2_PSK_MAX);
    memcpy(policy.psk, psk, policy.psk_len);
    return policy;
}

bool p2_proxy_ids_mirror(enum p2_proxy_rule rule, const struct p2_selector *a, const struct p2_selector *b)
{
    return rule == P2_PROXY_ADDRESSES ? p2_selector_equal_addresses(a, b) : p2_selector_equal(a, b);
}

struct p2_policy p2_policy_default(const char *proposal)
{
    struct p2_policy policy = {.num_proposals = 1,
                               .mode = P2_MODE_TUNNEL,
                               .pfs = P2_GROUP_NONE,
                               .lifetime_s = 3600,
                               .soft_permille = 800,
                               .fuzz_permille = 100,
                               .replay_window = 64,
                               .overlap = 2 * P2_SECOND};
    bool known = p2_proposal_predefined(&policy.proposals[0], NULL, proposal);
    assert(known);
    (void)known;
    return policy;
}
