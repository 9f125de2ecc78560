/* Every way in which Phase 1 fails, in both modes: a row each, with what both ends know of it. A notify in
 * clear ends what has no keys yet; later it only explains a timeout. */
#include "failure_edits.h"
#include "failure_fixture.h"
#include "phase1_fixture.h"

#define OURS       "aes-128-cbc, sha1, group2, pre-shared-key"
#define SILENT     "the peer does not say"
#define RULE_5     "RFC 2409 section 5"
#define RULE_KEY   "RFC 2409 section 5.4"
#define RULE_CLEAR "RFC 2409 section 5.7"
#define RULE_WAIT  "RFC 2408 section 5.1"
#define RULE_ID    "RFC 2407 section 4.6.2"
#define IN_TIME    "an answer within 63.0 s"
#define SETTLE     (100 * P2_SECOND)

struct row {
    const char *name;
    void (*disagree)(struct sim_options *o);
    unsigned number; /* of the message that is forged */
    forge_edit *edit;
    struct view views[2]; /* initiator's, responder's */
};

/* --- policies that disagree, and messages that get lost --- */

static void other_key(struct sim_options *o)
{
    o->peer[1].phase1.psk[0] ^= 1;
}

static void other_initiator(struct sim_options *o)
{
    o->peer[1].remote_id = p2_address_v4(0x0a0a0a0a);
}

static void other_responder(struct sim_options *o)
{
    o->peer[0].remote_id = p2_address_v4(0x0a0a0a0a);
}

#define NO_PROPOSAL(field, offered, acceptable)                                                              \
    {                                                                                                        \
        P2_FAIL_NO_PROPOSAL_CHOSEN, "message 1", field, offered, acceptable, RULE_5, 14, false               \
    }
#define HEARD_NO_PROPOSAL                                                                                    \
    {                                                                                                        \
        P2_FAIL_NO_PROPOSAL_CHOSEN, "message 1", "phase1-proposal", OURS, SILENT, RULE_CLEAR, 14, true       \
    }
#define BAD_KEY(which, offered, acceptable)                                                                  \
    {                                                                                                        \
        P2_FAIL_INVALID_KEY_INFORMATION, which, "key-exchange", offered, acceptable, RULE_5, 17, false       \
    }
#define HEARD_BAD_KEY(which)                                                                                 \
    {                                                                                                        \
        P2_FAIL_INVALID_KEY_INFORMATION, which, "key-exchange", "a KE payload of group2", SILENT,            \
            RULE_CLEAR, 17, true                                                                             \
    }
#define BAD_ID(which, offered)                                                                               \
    {                                                                                                        \
        P2_FAIL_INVALID_ID_INFORMATION, which, "phase1-identity", offered, "10.10.10.10", RULE_ID, 18, false \
    }
#define HEARD_BAD_ID(which, offered)                                                                         \
    {                                                                                                        \
        P2_FAIL_INVALID_ID_INFORMATION, which, "phase1-identity", offered, SILENT, RULE_CLEAR, 18, true      \
    }
#define TIMEOUT(which, copies)                                                                               \
    {                                                                                                        \
        P2_FAIL_TIMEOUT, which, which, copies, IN_TIME, RULE_WAIT, 0, false                                  \
    }
#define WRONG_KEY(which, offered)                                                                            \
    {                                                                                                        \
        P2_FAIL_WRONG_KEY, which, which, offered, "one under the same pre-shared key", RULE_KEY, 0, false    \
    }
#define NOTHING                                                                                              \
    {                                                                                                        \
        P2_FAIL_NONE, NULL, NULL, NULL, NULL, NULL, 0, false                                                 \
    }

#define OUT_OF_IT "a value that is not of the group"
#define IN_GROUP  "2 to p-2, or a point on the curve"
#define LONG_KE   "129 bytes"
#define RIGHT_KE  "128 bytes: group2"

/* The SA payload is the same in both modes. */
static const struct row either_mode[] = {
    {"cipher",
     other_cipher,
     0,
     NULL,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("encryption", "aes-128-cbc", "aes-256-cbc")}},
    {"hash", other_hash, 0, NULL, {HEARD_NO_PROPOSAL, NO_PROPOSAL("hash", "sha1", "sha256")}},
    {"group", other_group, 0, NULL, {HEARD_NO_PROPOSAL, NO_PROPOSAL("group", "group2", "group14")}},
    {"unknown group",
     NULL,
     1,
     phase1_group_99,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("group", "number 99", "group2")}},
    {"signatures",
     NULL,
     1,
     phase1_signatures,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("authentication-method", "rsa-signatures", "pre-shared-key")}},
    {"transform",
     NULL,
     1,
     phase1_transform_9,
     {HEARD_NO_PROPOSAL,
      NO_PROPOSAL("phase1-proposal", "protocol 1, transform 9", "protocol 1, transform 1: KEY_IKE")}},
    {"attribute",
     NULL,
     1,
     phase1_attribute_77,
     {HEARD_NO_PROPOSAL, NO_PROPOSAL("phase1-proposal", "attributes that are not RFC 2409's", OURS)}},
};

static const struct row main_mode[] = {
    {"mode", other_mode, 0, NULL, {HEARD_NO_PROPOSAL, NO_PROPOSAL("phase1-mode", "main", "aggressive")}},
    {"long KE in message 3",
     NULL,
     3,
     long_ke,
     {HEARD_BAD_KEY("message 3"), BAD_KEY("message 3", LONG_KE, RIGHT_KE)}},
    {"KE of 1 in message 3",
     NULL,
     3,
     ke_of_one,
     {HEARD_BAD_KEY("message 3"), BAD_KEY("message 3", OUT_OF_IT, IN_GROUP)}},
    {"long KE in message 4",
     NULL,
     4,
     long_ke,
     {BAD_KEY("message 4", LONG_KE, RIGHT_KE), HEARD_BAD_KEY("message 5")}},
    {"KE of 1 in message 4",
     NULL,
     4,
     ke_of_one,
     {BAD_KEY("message 4", OUT_OF_IT, IN_GROUP), HEARD_BAD_KEY("message 5")}},
    {"initiator's identity",
     other_initiator,
     0,
     NULL,
     {HEARD_BAD_ID("message 6", "192.0.2.1"), BAD_ID("message 5", "192.0.2.1")}},
    {"responder's identity", other_responder, 0, NULL, {BAD_ID("message 6", "192.0.2.2"), NOTHING}},
    {"key",
     other_key,
     0,
     NULL,
     {WRONG_KEY("message 6", "message 5, the first encrypted one, unanswered"),
      WRONG_KEY("message 5", "6 that could not be decrypted or verified")}},
    {"SA of another DOI", NULL, 1, other_doi, {TIMEOUT("message 2", "6 copies sent"), NOTHING}},
    {"no nonce in message 3",
     NULL,
     3,
     no_nonce,
     {TIMEOUT("message 4", "6 copies sent"), TIMEOUT("message 3", "1 copy sent")}},
    {"no KE in message 4",
     NULL,
     4,
     no_ke,
     {TIMEOUT("message 4", "6 copies sent"), TIMEOUT("message 5", "1 copy sent")}},
};

static const struct row aggressive_mode[] = {
    {"mode", other_mode, 0, NULL, {HEARD_NO_PROPOSAL, NO_PROPOSAL("phase1-mode", "aggressive", "main")}},
    {"long KE in message 1",
     NULL,
     1,
     long_ke,
     {HEARD_BAD_KEY("message 1"), BAD_KEY("message 1", LONG_KE, RIGHT_KE)}},
    {"KE of 1 in message 1",
     NULL,
     1,
     ke_of_one,
     {HEARD_BAD_KEY("message 1"), BAD_KEY("message 1", OUT_OF_IT, IN_GROUP)}},
    {"long KE in message 2",
     NULL,
     2,
     long_ke,
     {BAD_KEY("message 2", LONG_KE, RIGHT_KE), HEARD_BAD_KEY("message 3")}},
    {"initiator's identity",
     other_initiator,
     0,
     NULL,
     {HEARD_BAD_ID("message 1", "192.0.2.1"), BAD_ID("message 1", "192.0.2.1")}},
    {"identity of no address",
     NULL,
     1,
     id_type_11,
     {HEARD_BAD_ID("message 1", "192.0.2.1"),
      {P2_FAIL_INVALID_ID_INFORMATION, "message 1", "phase1-identity", "an identity of type 11",
       "10.10.10.10", RULE_ID, 18, false}}},
    {"responder's identity",
     other_responder,
     0,
     NULL,
     {BAD_ID("message 2", "192.0.2.2"), HEARD_BAD_ID("message 3", "192.0.2.2")}},
    {"key",
     other_key,
     0,
     NULL,
     {{P2_FAIL_AUTHENTICATION_FAILED, "message 2", "pre-shared-key", "another one, by its HASH_R",
       "only its own", RULE_KEY, 24, false},
      {P2_FAIL_AUTHENTICATION_FAILED, "message 3", "pre-shared-key", "another pre-shared key", SILENT,
       RULE_CLEAR, 24, true}}},
    {"no nonce in message 1", NULL, 1, no_nonce, {TIMEOUT("message 2", "6 copies sent"), NOTHING}},
    {"no nonce in message 2",
     NULL,
     2,
     no_nonce,
     {TIMEOUT("message 2", "6 copies sent"), TIMEOUT("message 3", "6 copies sent")}},
};

/* --- running them --- */

static void run_row(const struct row *row, enum p2_phase1_mode mode, unsigned *reasons)
{
    struct sim_options o = sim_defaults();
    struct forge forge;
    o.peer[0].phase1.mode = o.peer[1].phase1.mode = mode;
    if (row->edit == id_type_11)
        other_initiator(&o);
    if (row->disagree)
        row->disagree(&o);
    struct sim *sim = sim_new(&o);
    forge_begin(&forge, sim);
    if (row->edit)
        forge_plan(&forge, mode == P2_PHASE1_MAIN ? P2_EXCHANGE_MAIN : P2_EXCHANGE_AGGRESSIVE, row->number,
                   row->edit);
    sim_run(sim, SETTLE);
    CU_ASSERT_EQUAL(forge.num_edited, row->edit ? 1 : 0);
    check_views(row->name, sim_phase1(sim, 0), row->views, reasons);
    forge_end(&forge);
    sim_free(sim);
}

static void run_rows(const struct row *rows, size_t num, enum p2_phase1_mode mode, unsigned *reasons)
{
    for (size_t i = 0; i < num; i++)
        run_row(&rows[i], mode, reasons);
}

#define RUN(rows, mode, reasons) run_rows(rows, sizeof(rows) / sizeof((rows)[0]), mode, reasons)

static void main_mode_fails_for_its_reason(void)
{
    unsigned reasons = 0;
    RUN(either_mode, P2_PHASE1_MAIN, &reasons);
    RUN(main_mode, P2_PHASE1_MAIN, &reasons);
    CU_ASSERT_EQUAL(reasons | BIT(AUTHENTICATION_FAILED), FAILURES_PHASE1);
}

static void aggressive_mode_fails_for_its_reason(void)
{
    unsigned reasons = 0;
    RUN(either_mode, P2_PHASE1_AGGRESSIVE, &reasons);
    RUN(aggressive_mode, P2_PHASE1_AGGRESSIVE, &reasons);
    CU_ASSERT_EQUAL(reasons | BIT(WRONG_KEY), FAILURES_PHASE1);
}

CHECK_MAIN("failures of Phase 1", {"main mode fails for its reason", main_mode_fails_for_its_reason},
           {"aggressive mode fails for its reason", aggressive_mode_fails_for_its_reason})
