/* Every way in which an end refuses Quick Mode's message 1 or 2: a row each, with what both ends know of it
 * afterwards. Some are policies that disagree, most are messages that no policy would send (sim/forge.h). */
#include "failure_edits.h"
#include "failure_fixture.h"

#define OFFER      "esp aes-128-cbc hmac-sha1-96 pfs none"
#define OFFER_PFS  "esp aes-128-cbc hmac-sha1-96 pfs group2"
#define WANTED_1   "HASH, SA, Ni [, KE] [, IDci, IDcr]"
#define WANTED_2   "HASH, SA, Nr [, KE] [, IDci, IDcr]"
#define SENT_1     "HASH, SA, Ni, IDci, IDcr"
#define SENT_2     "HASH, SA, Nr, IDci, IDcr"
#define IDS        "10.1.0.0/24 to 10.2.0.0/24"
#define OUT_OF_IT  "a value that is not of the group"
#define IN_GROUP   "2 to p-2, or a point on the curve"
#define RULE_SHAPE "RFC 2408 section 3.5 and 3.6"
#define RULE_4_2   "RFC 2408 section 4.2"
#define RULE_5_5   "RFC 2409 section 5.5"
#define RULE_WHOLE "RFC 2408 section 5"
#define RULE_ATTRS "RFC 2407 section 4.5"

struct row {
    const char *name;
    void (*disagree)(struct sim_options *o);
    unsigned number; /* of the message that is forged */
    forge_edit *edit;
    struct view views[2]; /* initiator's, responder's */
};

/* --- policies that disagree --- */

static struct p2_algorithms *algorithms(struct sim_options *o, int side)
{
    return &o->tunnel[side].policy.proposals[0].protocols[0].alternatives[0];
}

static void pfs(struct sim_options *o, enum p2_group left, enum p2_group right)
{
    o->tunnel[0].policy.pfs = left;
    o->tunnel[1].policy.pfs = right;
}

static void pfs_2(struct sim_options *o)
{
    pfs(o, P2_GROUP_2, P2_GROUP_2);
}

static void pfs_2_none(struct sim_options *o)
{
    pfs(o, P2_GROUP_2, P2_GROUP_NONE);
}

static void pfs_none_2(struct sim_options *o)
{
    pfs(o, P2_GROUP_NONE, P2_GROUP_2);
}

static void pfs_2_14(struct sim_options *o)
{
    pfs(o, P2_GROUP_2, P2_GROUP_14);
}

static void other_cipher(struct sim_options *o)
{
    algorithms(o, 1)->cipher = P2_CIPHER_AES256_CBC;
}

static void other_auth(struct sim_options *o)
{
    algorithms(o, 1)->auth = P2_AUTH_HMAC_MD5_96;
}

static void ah_only(struct sim_options *o)
{
    o->tunnel[1].policy.proposals[0] = p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA1_96);
}

static void extended_numbers(struct sim_options *o)
{
    o->tunnel[0].policy.esn = true;
}

static void transport(struct sim_options *o)
{
    o->tunnel[1].policy.mode = P2_MODE_TRANSPORT;
}

static void strict(struct sim_options *o)
{
    o->tunnel[1].policy.lifetime_rule = P2_LIFETIME_STRICT;
    o->tunnel[1].policy.lifetime_s = 600;
}

static void strict_volume(struct sim_options *o)
{
    o->tunnel[1].policy.lifetime_rule = P2_LIFETIME_STRICT;
    o->tunnel[1].policy.lifetime_kb = 1000;
}

static void exact(struct sim_options *o)
{
    o->tunnel[1].policy.lifetime_rule = P2_LIFETIME_EXACT;
    o->tunnel[1].policy.lifetime_s = 7200;
}

static void exact_volume(struct sim_options *o)
{
    o->tunnel[0].policy.lifetime_kb = 1000;
    o->tunnel[1].policy.lifetime_rule = P2_LIFETIME_EXACT;
}

static void wider_remote(struct sim_options *o)
{
    o->tunnel[1].remote.prefix_len = 16;
}

/* --- what both ends know of it --- */

#define NO_PROPOSAL(field, offered, acceptable, rule)                                                        \
    {                                                                                                        \
        P2_FAIL_NO_PROPOSAL_CHOSEN, "message 1", field, offered, acceptable, rule, 14, false                 \
    }
#define NO_ANSWER(field, offered, acceptable, rule)                                                          \
    {                                                                                                        \
        P2_FAIL_NO_PROPOSAL_CHOSEN, "message 2", field, offered, acceptable, rule, 14, false                 \
    }
#define MALFORMED(which, field, offered, acceptable)                                                         \
    {                                                                                                        \
        P2_FAIL_PAYLOAD_MALFORMED, which, field, offered, acceptable, RULE_WHOLE, 16, false                  \
    }
#define FOREIGN(which, offered, acceptable)                                                                  \
    {                                                                                                        \
        P2_FAIL_INVALID_PAYLOAD_TYPE, which, "payloads", offered, acceptable, "RFC 2408 section 5.3", 1,     \
            false                                                                                            \
    }
#define BAD_KEY(which, offered, acceptable)                                                                  \
    {                                                                                                        \
        P2_FAIL_INVALID_KEY_INFORMATION, which, "key-exchange", offered, acceptable, RULE_5_5, 17, false     \
    }
#define BAD_IDS(which, offered, acceptable)                                                                  \
    {                                                                                                        \
        P2_FAIL_INVALID_ID_INFORMATION, which, "proxy-id", offered, acceptable, RULE_5_5, 18, false          \
    }

#define HEARD_NO_PROPOSAL HEARD(NO_PROPOSAL_CHOSEN, "message 1", "proposal", OFFER, 14)
#define HEARD_NO_PFS      HEARD(NO_PROPOSAL_CHOSEN, "message 1", "proposal", OFFER_PFS, 14)
#define HEARD_NO_ANSWER   HEARD(NO_PROPOSAL_CHOSEN, "message 2", "proposal", OFFER, 14)
#define HEARD_MALFORMED_1 HEARD(PAYLOAD_MALFORMED, "message 1", "payloads", SENT_1, 16)
#define HEARD_MALFORMED_2 HEARD(PAYLOAD_MALFORMED, "message 2", "payloads", SENT_2, 16)
#define HEARD_FOREIGN_1   HEARD(INVALID_PAYLOAD_TYPE, "message 1", "payloads", SENT_1, 1)
#define HEARD_FOREIGN_2   HEARD(INVALID_PAYLOAD_TYPE, "message 2", "payloads", SENT_2, 1)
#define HEARD_NO_KEY(n)   HEARD(INVALID_KEY_INFORMATION, n, "key-exchange", "no KE payload", 17)
#define HEARD_BAD_KEY(n)  HEARD(INVALID_KEY_INFORMATION, n, "key-exchange", "a KE payload of group2", 17)
#define HEARD_BAD_IDS(n)  HEARD(INVALID_ID_INFORMATION, n, "proxy-id", IDS, 18)

static const struct row offers[] = {
    {"two-byte SPI",
     NULL,
     1,
     two_byte_spi,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("spi", "an SPI of 2 bytes", "four bytes; 256 or more", RULE_SHAPE)}},
    {"reserved SPI",
     NULL,
     1,
     reserved_spi,
     {HEARD_NO_PROPOSAL,
      NO_PROPOSAL("spi", "an SPI of 4 bytes below 256", "four bytes; 256 or more", RULE_SHAPE)}},
    {"attribute past the end",
     NULL,
     1,
     attribute_past_the_end,
     {HEARD_NO_PROPOSAL,
      NO_PROPOSAL("attributes", "attributes that do not parse", "whole attributes", RULE_SHAPE)}},
    {"AH only", ah_only, 0, NULL, {HEARD_NO_PROPOSAL, NO_PROPOSAL("protocol", "esp", "ah", RULE_4_2)}},
    {"IPCOMP",
     NULL,
     1,
     ipcomp,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("protocol", "another protocol", "esp", RULE_4_2)}},
    {"other cipher",
     other_cipher,
     0,
     NULL,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("encryption", "aes-128-cbc", "aes-256-cbc", RULE_4_2)}},
    {"a key length that 3DES has not",
     NULL,
     1,
     transform_3des,
     {HEARD_NO_PROPOSAL,
      NO_PROPOSAL("encryption", "ESP transform 3 with a key length of 128", "aes-128-cbc", RULE_4_2)}},
    {"unknown transform",
     NULL,
     1,
     transform_250,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("encryption", "ESP transform 250", "aes-128-cbc", RULE_4_2)}},
    {"other HMAC",
     other_auth,
     0,
     NULL,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("authentication", "hmac-sha1-96", "hmac-md5-96", RULE_4_2)}},
    {"unknown HMAC",
     NULL,
     1,
     auth_99,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("authentication", "algorithm 99", "hmac-sha1-96", RULE_4_2)}},
    {"transport",
     transport,
     0,
     NULL,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("mode", "tunnel", "transport", RULE_ATTRS)}},
    {"unknown mode",
     NULL,
     1,
     mode_9,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("mode", "mode 9", "tunnel", RULE_ATTRS)}},
    {"PFS, none", pfs_2_none, 0, NULL, {HEARD_NO_PFS, NO_PROPOSAL("pfs-group", "group2", "none", RULE_5_5)}},
    {"none, PFS",
     pfs_none_2,
     0,
     NULL,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("pfs-group", "none", "group2", RULE_5_5)}},
    {"other group",
     pfs_2_14,
     0,
     NULL,
     {HEARD_NO_PFS, NO_PROPOSAL("pfs-group", "group2", "group14", RULE_5_5)}},
    {"unknown group",
     pfs_2,
     1,
     group_99,
     {HEARD_NO_PFS, NO_PROPOSAL("pfs-group", "group99", "group2", RULE_5_5)}},
    {"unknown attribute",
     NULL,
     1,
     unknown_attribute,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("attribute", "attribute 9", "attributes 1 to 6 and 11", RULE_ATTRS)}},
    {"extended numbers",
     extended_numbers,
     0,
     NULL,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("esn", "64 bits", "32 bits", "RFC 4304 section 2")}},
    {"longer than strict",
     strict,
     0,
     NULL,
     {HEARD_NO_PROPOSAL,
      NO_PROPOSAL("lifetime", "3600 seconds", "at most 600 seconds", "RFC 2407 section 4.5.4")}},
    {"more than strict",
     strict_volume,
     0,
     NULL,
     {HEARD_NO_PROPOSAL,
      NO_PROPOSAL("lifetime", "no limit in kilobytes", "at most 1000 kilobytes", "RFC 2407 section 4.5.4")}},
    {"not exact",
     exact,
     0,
     NULL,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("lifetime", "3600 seconds", "7200 seconds", "RFC 2407 section 4.5.4")}},
    {"not exactly without a limit",
     exact_volume,
     0,
     NULL,
     {HEARD_NO_PROPOSAL,
      NO_PROPOSAL("lifetime", "1000 kilobytes", "no limit in kilobytes", "RFC 2407 section 4.5.4")}},
};

static const struct row first_messages[] = {
    {"SA of another DOI",
     NULL,
     1,
     other_doi,
     {HEARD_MALFORMED_1,
      MALFORMED("message 1", "security-association", "an SA payload that does not parse", "a whole one")}},
    {"no SA",
     NULL,
     1,
     no_sa,
     {HEARD_MALFORMED_1, MALFORMED("message 1", "payloads", "no SA payload", WANTED_1)}},
    {"no nonce",
     NULL,
     1,
     no_nonce,
     {HEARD_MALFORMED_1, MALFORMED("message 1", "payloads", "no nonce", WANTED_1)}},
    {"short nonce",
     NULL,
     1,
     nonce_7,
     {HEARD_MALFORMED_1, MALFORMED("message 1", "nonce", "7 bytes", "8 to 256 bytes")}},
    {"long nonce",
     NULL,
     1,
     nonce_257,
     {HEARD_MALFORMED_1, MALFORMED("message 1", "nonce", "257 bytes", "8 to 256 bytes")}},
    {"payload of a draft",
     NULL,
     1,
     type_130,
     {HEARD_FOREIGN_1, FOREIGN("message 1", "a payload of type 130", WANTED_1)}},
    {"certificate",
     NULL,
     1,
     certificate,
     {HEARD_FOREIGN_1, FOREIGN("message 1", "a payload of type 6", WANTED_1)}},
    {"no KE",
     pfs_2,
     1,
     no_ke,
     {HEARD_BAD_KEY("message 1"), BAD_KEY("message 1", "no KE payload", "one of 128 bytes")}},
    {"long KE",
     pfs_2,
     1,
     long_ke,
     {HEARD_BAD_KEY("message 1"), BAD_KEY("message 1", "a KE payload of 129 bytes", "one of 128 bytes")}},
    {"KE of 1", pfs_2, 1, ke_of_one, {HEARD_BAD_KEY("message 1"), BAD_KEY("message 1", OUT_OF_IT, IN_GROUP)}},
    {"KE without PFS",
     NULL,
     1,
     unwanted_ke,
     {HEARD_NO_KEY("message 1"), BAD_KEY("message 1", "a KE payload of 128 bytes", "no KE payload")}},
    {"other proxy IDs",
     wider_remote,
     0,
     NULL,
     {HEARD_BAD_IDS("message 1"), BAD_IDS("message 1", IDS, "10.1.0.0/16 to 10.2.0.0/24")}},
    {"no proxy IDs",
     NULL,
     1,
     no_ids,
     {HEARD_BAD_IDS("message 1"), BAD_IDS("message 1", "192.0.2.1 to 192.0.2.2", IDS)}},
    {"ID that is no address",
     NULL,
     1,
     id_type_11,
     {HEARD_MALFORMED_1, MALFORMED("message 1", "proxy-id", "ID payloads that do not parse",
                                   "an address, a subnet or a range")}},
    {"one proxy ID",
     NULL,
     1,
     one_id,
     {HEARD_MALFORMED_1, MALFORMED("message 1", "proxy-id", "one ID payload", "IDci and IDcr, or neither")}},
};

static const struct row answers[] = {
    {"other proposal",
     NULL,
     2,
     proposal_9,
     {NO_ANSWER("answer", "other proposals than were offered", "one that was offered", RULE_4_2),
      HEARD_NO_ANSWER}},
    {"other transform",
     NULL,
     2,
     transform_250,
     {NO_ANSWER("encryption", "ESP transform 250", "aes-128-cbc", RULE_4_2), HEARD_NO_ANSWER}},
    {"two-byte SPI",
     NULL,
     2,
     two_byte_spi,
     {NO_ANSWER("spi", "an SPI of 2 bytes", "four bytes; 256 or more", RULE_SHAPE), HEARD_NO_ANSWER}},
    {"other mode", NULL, 2, mode_9, {NO_ANSWER("mode", "mode 9", "tunnel", RULE_ATTRS), HEARD_NO_ANSWER}},
    {"SA of another DOI",
     NULL,
     2,
     other_doi,
     {MALFORMED("message 2", "security-association", "an SA payload that does not parse", "a whole one"),
      HEARD_MALFORMED_2}},
    {"no SA",
     NULL,
     2,
     no_sa,
     {MALFORMED("message 2", "payloads", "no SA payload", WANTED_2), HEARD_MALFORMED_2}},
    {"no nonce",
     NULL,
     2,
     no_nonce,
     {MALFORMED("message 2", "payloads", "no nonce", WANTED_2), HEARD_MALFORMED_2}},
    {"short nonce",
     NULL,
     2,
     nonce_7,
     {MALFORMED("message 2", "nonce", "7 bytes", "8 to 256 bytes"), HEARD_MALFORMED_2}},
    {"long nonce",
     NULL,
     2,
     nonce_257,
     {MALFORMED("message 2", "nonce", "257 bytes", "8 to 256 bytes"), HEARD_MALFORMED_2}},
    {"payload of a draft",
     NULL,
     2,
     type_130,
     {FOREIGN("message 2", "a payload of type 130", WANTED_2), HEARD_FOREIGN_2}},
    {"no KE",
     pfs_2,
     2,
     no_ke,
     {BAD_KEY("message 2", "no KE payload", "one of 128 bytes"), HEARD_BAD_KEY("message 2")}},
    {"long KE",
     pfs_2,
     2,
     long_ke,
     {BAD_KEY("message 2", "a KE payload of 129 bytes", "one of 128 bytes"), HEARD_BAD_KEY("message 2")}},
    {"KE of 1", pfs_2, 2, ke_of_one, {BAD_KEY("message 2", OUT_OF_IT, IN_GROUP), HEARD_BAD_KEY("message 2")}},
    {"KE without PFS",
     NULL,
     2,
     unwanted_ke,
     {BAD_KEY("message 2", "a KE payload of 128 bytes", "no KE payload"), HEARD_NO_KEY("message 2")}},
    {"other proxy ID",
     NULL,
     2,
     other_id,
     {BAD_IDS("message 2", "10.9.0.0/24 to 10.2.0.0/24", IDS), HEARD_BAD_IDS("message 2")}},
    {"no proxy IDs",
     NULL,
     2,
     no_ids,
     {BAD_IDS("message 2", "192.0.2.1 to 192.0.2.2", IDS), HEARD_BAD_IDS("message 2")}},
    {"ID that is no address",
     NULL,
     2,
     id_type_11,
     {MALFORMED("message 2", "proxy-id", "ID payloads that do not parse", "an address, a subnet or a range"),
      HEARD_MALFORMED_2}},
    {"one proxy ID",
     NULL,
     2,
     one_id,
     {MALFORMED("message 2", "proxy-id", "one ID payload", "IDci and IDcr, or neither"), HEARD_MALFORMED_2}},
    {"RESPONDER-LIFETIME cut short",
     NULL,
     2,
     cut_lifetime,
     {MALFORMED("message 2", "responder-lifetime", "attributes that do not parse", "whole attributes"),
      HEARD_MALFORMED_2}},
};

/* --- running them --- */

/* Within a second: no view comes of a timeout. */
static void run_row(const struct row *row, unsigned *reasons)
{
    struct sim_options o = sim_defaults();
    struct forge forge;
    if (row->disagree)
        row->disagree(&o);
    struct sim *sim = sim_new(&o);
    forge_begin(&forge, sim);
    if (row->edit)
        forge_plan(&forge, P2_EXCHANGE_QUICK, row->number, row->edit);
    sim_run(sim, P2_SECOND);
    CU_ASSERT_EQUAL(forge.num_edited, row->edit ? 1 : 0);
    check_views(row->name, sim_quick(sim, 0), row->views, reasons);
    CU_ASSERT_EQUAL(sim_num_pairs(sim, 0) + sim_num_pairs(sim, 1), 0);
    CU_ASSERT_EQUAL(p2_gateway_negotiations(host_gateway(sim_host(sim, 0))), 0);
    CU_ASSERT_EQUAL(p2_gateway_negotiations(host_gateway(sim_host(sim, 1))), 0);
    forge_end(&forge);
    sim_free(sim);
}

static void run_rows(const struct row *rows, size_t num, unsigned *reasons)
{
    for (size_t i = 0; i < num; i++)
        run_row(&rows[i], reasons);
}

#define RUN(rows, reasons) run_rows(rows, sizeof(rows) / sizeof((rows)[0]), reasons)

static void refused_offers(void)
{
    unsigned reasons = 0;
    RUN(offers, &reasons);
    CU_ASSERT_EQUAL(reasons, BIT(NO_PROPOSAL_CHOSEN));
}

static void refused_messages(void)
{
    unsigned reasons = 0;
    RUN(first_messages, &reasons);
    CU_ASSERT_EQUAL(reasons | BIT(NO_PROPOSAL_CHOSEN), FAILURES_QUICK);
}

static void refused_answers(void)
{
    unsigned reasons = 0;
    RUN(answers, &reasons);
    CU_ASSERT_EQUAL(reasons, FAILURES_QUICK);
}

/* --- the forge itself: what is wrong in no row --- */

static void vendor_id(struct forge_message *m)
{
    forge_add(m, P2_PAYLOAD_VENDOR, "anything", 8);
}

static void nat_oa(struct forge_message *m)
{
    static const uint8_t body[] = {1, 0, 0, 0, 192, 0, 2, 1};
    forge_add(m, P2_PAYLOAD_NAT_OA, body, sizeof(body));
}

static void nonce_8(struct forge_message *m)
{
    nonce_of(m, 8);
}

static void nonce_256(struct forge_message *m)
{
    nonce_of(m, 256);
}

/* A nonce that both ends know differently gives them different keys; everything else is as it was. */
static void what_may_be_there_is_accepted(void)
{
    static const struct {
        forge_edit *edit;
        bool same_keys;
    } cases[] = {{vendor_id, true}, {nat_oa, true}, {nonce_8, false}, {nonce_256, false}};
    for (unsigned number = 1; number <= 2; number++) {
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            struct sim_options o = sim_defaults();
            struct forge forge;
            o.lose_quick = 0x12; /* resends are translated too */
            struct sim *sim = sim_new(&o);
            forge_begin(&forge, sim);
            forge_plan(&forge, P2_EXCHANGE_QUICK, number, cases[i].edit);
            sim_run(sim, 10 * P2_SECOND);
            CU_ASSERT_EQUAL(forge.num_edited, 1);
            CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 0)), LEDGER_ESTABLISHED);
            CU_ASSERT_EQUAL(sim_sadbs_equal(sim, 1), cases[i].same_keys);
            CU_ASSERT(sim_num_pairs(sim, 0) == 1 && sim_num_pairs(sim, 1) == 1);
            forge_end(&forge);
            sim_free(sim);
        }
    }
}

CHECK_MAIN("failures", {"refused offers", refused_offers}, {"refused messages", refused_messages},
           {"refused answers", refused_answers},
           {"what may be there is accepted", what_may_be_there_is_accepted})
