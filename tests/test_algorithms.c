/* Every cipher with every HMAC, every hash and every group between two gateways: Phase 1, Quick Mode, and
 * packets both ways under the keys that came out. */
#include "sim/sim.h"

/* Packets of several lengths, so that there is every amount of padding. */
static void check_traffic(struct sim *sim)
{
    enum { PACKETS = 16 };
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    for (size_t i = 0; i < PACKETS; i++) {
        sim_send(sim, 0, 100 + i);
        sim_send(sim, 1, 1000 + i);
    }
    sim_run(sim, 2 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 0), PACKETS);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), PACKETS);
}

/* RFC 4303 section 3.2 wants one of encryption and integrity at least, and GCM has both. */
static bool is_a_suite(enum p2_cipher cipher, enum p2_auth auth)
{
    if (p2_cipher_of(cipher)->icv_len > 0)
        return auth == P2_AUTH_NONE;
    return cipher != P2_CIPHER_NULL || auth != P2_AUTH_NONE;
}

static void every_suite_of_phase_2(void)
{
    size_t num = 0;
    for (unsigned c = P2_CIPHER_NONE + 1; c < P2_NUM_CIPHERS; c++) {
        for (unsigned a = P2_AUTH_NONE; a < P2_NUM_AUTHS; a++) {
            if (!is_a_suite((enum p2_cipher)c, (enum p2_auth)a))
                continue;
            struct sim_options o = sim_defaults();
            o.defer_ipsec = num % 2;
            o.tunnel[0].policy.proposals[0] = o.tunnel[1].policy.proposals[0] =
                p2_proposal_of(P2_PROTO_ESP, (enum p2_cipher)c, (enum p2_auth)a);
            struct sim *sim = sim_new(&o);
            sim_run(sim, P2_SECOND);
            check_traffic(sim);
            sim_free(sim);
            num++;
        }
    }
    CU_ASSERT_EQUAL(num, 8 * 6 + 5 + 3); /* CBC and CTR with all and none, NULL with all, GCM */
}

/* The longest key of all comes out of the shortest hash, MD5, block by block. */
static void every_suite_of_phase_1(void)
{
    size_t num = 0;
    for (unsigned c = P2_CIPHER_NONE + 1; c < P2_NUM_CIPHERS; c++) {
        for (unsigned h = P2_HASH_NONE + 1; p2_cipher_is_for_ike((enum p2_cipher)c) && h < P2_NUM_HASHES;
             h++) {
            struct sim_options o = sim_defaults();
            for (int side = 0; side < 2; side++) {
                o.peer[side].phase1.cipher = (enum p2_cipher)c;
                o.peer[side].phase1.hash = (enum p2_hash)h;
                o.tunnel[side].policy.proposals[0] =
                    p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES256_CBC, P2_AUTH_HMAC_SHA512_256);
            }
            struct sim *sim = sim_new(&o);
            sim_run(sim, P2_SECOND);
            check_traffic(sim);
            sim_free(sim);
            num++;
        }
    }
    CU_ASSERT_EQUAL(num, 5 * 5);
}

static void every_group(void)
{
    for (size_t i = 0; p2_group_at(i); i++) {
        struct sim_options o = sim_defaults();
        for (int side = 0; side < 2; side++)
            o.peer[side].phase1.group = o.tunnel[side].policy.pfs = p2_group_at(i)->group;
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        CU_ASSERT_EQUAL(sim_quick(sim, 0)->group, p2_group_at(i)->group);
        check_traffic(sim);
        sim_free(sim);
    }
}

/* Junos's twelve by what their names say. */
static void every_predefined_proposal(void)
{
    static const char *const pfs_names[] = {"nopfs", "g2"}, *const cipher_names[] = {"des", "3des", "aes128"},
                             *const auth_names[] = {"md5", "sha"};
    static const enum p2_group groups[] = {P2_GROUP_NONE, P2_GROUP_2};
    static const enum p2_cipher ciphers[] = {P2_CIPHER_DES_CBC, P2_CIPHER_3DES_CBC, P2_CIPHER_AES128_CBC};
    static const enum p2_auth auths[] = {P2_AUTH_HMAC_MD5_96, P2_AUTH_HMAC_SHA1_96};
    size_t num = 0;
    while (p2_proposal_predefined_name(num))
        num++;
    CU_ASSERT_EQUAL(num, 12);
    for (size_t i = 0; i < 12; i++) {
        struct p2_proposal proposal;
        enum p2_group pfs = P2_GROUP_1;
        char name[48];
        snprintf(name, sizeof(name), "%s-esp-%s-%s", pfs_names[i / 6], cipher_names[i / 2 % 3],
                 auth_names[i % 2]);
        CU_ASSERT_TRUE_FATAL(p2_proposal_predefined(&proposal, &pfs, name));
        CU_ASSERT_STRING_EQUAL(proposal.name, name);
        CU_ASSERT(pfs == groups[i / 6] && proposal.num_protocols == 1 && proposal.protocols[0].num == 1 &&
                  proposal.protocols[0].protocol == P2_PROTO_ESP);
        CU_ASSERT(proposal.protocols[0].alternatives[0].cipher == ciphers[i / 2 % 3] &&
                  proposal.protocols[0].alternatives[0].auth == auths[i % 2]);
    }
    for (size_t i = 0; p2_proposal_set_name(i); i++) {
        const char *const *names = p2_proposal_set(p2_proposal_set_name(i));
        for (struct p2_proposal proposal; *names; names++)
            CU_ASSERT_TRUE(p2_proposal_predefined(&proposal, NULL, *names));
    }
}

CHECK_MAIN("algorithms", {"every suite of Phase 2", every_suite_of_phase_2},
           {"every suite of Phase 1", every_suite_of_phase_1}, {"every group", every_group},
           {"every predefined proposal", every_predefined_proposal})
