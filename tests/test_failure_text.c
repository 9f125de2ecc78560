/* Failures as sentences. */
#include "failure_text.h"

#include "check.h"

static void sentences(void)
{
    static const struct {
        bool phase1;
        enum p2_phase1_mode mode;
        struct p2_negotiation failure;
        const char *sentence;
    } rows[] = {
        {false,
         P2_PHASE1_MAIN,
         {.failure = P2_FAIL_NO_PROPOSAL_CHOSEN,
          .message = "message 1",
          .notify = 14,
          .field = "pfs-group",
          .offered = "group2",
          .acceptable = "group14",
          .rule = "both ends must have the same PFS group or none; RFC 2409 section 5.5"},
         "spoke[1] and hub: Quick Mode message 1 was refused with NO-PROPOSAL-CHOSEN: spoke[1] offered "
         "pfs-group "
         "group2, hub accepts group14 (both ends must have the same PFS group or none; RFC 2409 section "
         "5.5)."},
        {false,
         P2_PHASE1_MAIN,
         {.failure = P2_FAIL_NO_PROPOSAL_CHOSEN,
          .message = "message 1",
          .field = "encryption",
          .offered = "des-cbc, 3des-cbc",
          .acceptable = "aes-128-cbc"},
         "spoke[1] and hub: Quick Mode message 1 was refused with NO-PROPOSAL-CHOSEN: spoke[1] offered "
         "encryption des-cbc, 3des-cbc; hub accepts aes-128-cbc."},
        {false,
         P2_PHASE1_MAIN,
         {.failure = P2_FAIL_INVALID_ID_INFORMATION,
          .field = "proxy-id",
          .offered = "10.1.0.0/24 to 10.0.0.0/24",
          .acceptable = "10.1.0.0/24 to 10.0.0.0/16"},
         "spoke[1] and hub: Quick Mode was refused with INVALID-ID-INFORMATION: spoke[1] offered proxy-id "
         "10.1.0.0/24 to 10.0.0.0/24, hub accepts 10.1.0.0/24 to 10.0.0.0/16."},
        {true,
         P2_PHASE1_AGGRESSIVE,
         {.failure = P2_FAIL_NO_PROPOSAL_CHOSEN,
          .message = "message 1",
          .field = "hash",
          .offered = "sha1",
          .acceptable = "sha256"},
         "spoke[1] and hub: Aggressive Mode message 1 was refused with NO-PROPOSAL-CHOSEN: spoke[1] offered "
         "hash "
         "sha1, hub accepts sha256."},
        {true,
         P2_PHASE1_AGGRESSIVE,
         {.failure = P2_FAIL_AUTHENTICATION_FAILED,
          .initiator = true,
          .notify = 24,
          .notify_received = true,
          .message = "message 3",
          .field = "pre-shared-key",
          .offered = "another pre-shared key",
          .acceptable = "the peer does not say"},
         "spoke[1] and hub: Aggressive Mode message 3 was refused with AUTHENTICATION-FAILED: hub says that "
         "it holds another pre-shared key."},
        {true,
         P2_PHASE1_MAIN,
         {.failure = P2_FAIL_NO_PROPOSAL_CHOSEN,
          .message = "message 1",
          .field = "group",
          .offered = "group14",
          .acceptable = "group5"},
         "spoke[1] and hub: Main Mode message 1 was refused with NO-PROPOSAL-CHOSEN: spoke[1] offered "
         "group14, hub accepts group5."},
        {false,
         P2_PHASE1_MAIN,
         {.failure = P2_FAIL_NO_PROPOSAL_CHOSEN,
          .message = "message 1",
          .field = "lifetime",
          .offered = "no limit in kilobytes",
          .acceptable = "at most 100 kilobytes"},
         "spoke[1] and hub: Quick Mode message 1 was refused with NO-PROPOSAL-CHOSEN: spoke[1] offered no "
         "lifetime in kilobytes, hub accepts at most 100 kilobytes."},
        {false,
         P2_PHASE1_MAIN,
         {.failure = P2_FAIL_TIMEOUT,
          .initiator = true,
          .field = "message 2",
          .offered = "3 copies sent",
          .acceptable = "an answer"},
         "spoke[1] and hub: spoke[1] waited for Quick Mode message 2 of hub: 3 copies sent, but not an "
         "answer."},
        {true,
         P2_PHASE1_MAIN,
         {.failure = P2_FAIL_WRONG_KEY,
          .field = "message 5",
          .offered = "4 that could not be decrypted",
          .acceptable = "one under the pre-shared key"},
         "spoke[1] and hub: hub waited for Main Mode message 5 of spoke[1]; seen: 4 that could not be "
         "decrypted, expected: one under the pre-shared key."},
        {true,
         P2_PHASE1_AGGRESSIVE,
         {.failure = P2_FAIL_AUTHENTICATION_FAILED,
          .initiator = true,
          .message = "message 2",
          .field = "pre-shared-key",
          .offered = "another one, by its HASH_R",
          .acceptable = "only its own"},
         "spoke[1] and hub: Aggressive Mode message 2 was refused with AUTHENTICATION-FAILED: the "
         "pre-shared keys of spoke[1] and hub differ."},
        {false,
         P2_PHASE1_MAIN,
         {.failure = P2_FAIL_PEER_REFUSED, .notify = 14, .notify_received = true},
         "spoke[1] and hub: Quick Mode was refused with NO-PROPOSAL-CHOSEN."},
        {false,
         P2_PHASE1_MAIN,
         {.failure = P2_FAIL_PEER_REFUSED, .notify = 8192, .notify_received = true},
         "spoke[1] and hub: Quick Mode was refused with notify 8192."},
        {false,
         P2_PHASE1_MAIN,
         {.failure = P2_FAIL_PAYLOAD_MALFORMED, .field = "nonce"},
         "spoke[1] and hub: Quick Mode was refused with PAYLOAD-MALFORMED, because of its nonce."},
        {false,
         P2_PHASE1_MAIN,
         {.failure = P2_FAIL_PEER_DEAD, .field = "peer"},
         "spoke[1] and hub: Quick Mode was cut short: the peer did not answer any more and was taken for "
         "dead."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[FAILURE_TEXT];
        struct failure_view view = {"spoke[1]", "hub", rows[i].phase1, rows[i].mode, false, &rows[i].failure};
        failure_text(text, &view);
        if (strcmp(text, rows[i].sentence) != 0)
            printf("\n    %s\n", text);
        CU_ASSERT_STRING_EQUAL(text, rows[i].sentence);
    }
}

/* What is still under way is not told as if it had failed: no time is over yet. */
static void what_is_not_over(void)
{
    static const struct {
        struct p2_negotiation waits;
        const char *sentence;
    } rows[] = {
        {{.failure = P2_FAIL_TIMEOUT,
          .initiator = true,
          .message = "message 2",
          .offered = "5 copies sent",
          .acceptable = "an answer within 63.0 s"},
         "spoke[1] and hub: not over when the run ended: spoke[1] waited for Main Mode message 2 of hub: 5 "
         "copies sent."},
        {{.failure = P2_FAIL_WRONG_KEY,
          .message = "message 5",
          .offered = "6 that could not be decrypted or verified",
          .acceptable = "one under the same pre-shared key"},
         "spoke[1] and hub: not over when the run ended: hub waited for Main Mode message 5 of spoke[1]; "
         "seen: 6 that could not be decrypted or verified, expected: one under the same pre-shared key."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[FAILURE_TEXT];
        struct failure_view view = {"spoke[1]", "hub", true, P2_PHASE1_MAIN, true, &rows[i].waits};
        failure_text(text, &view);
        if (strcmp(text, rows[i].sentence) != 0)
            printf("\n    %s\n", text);
        CU_ASSERT_STRING_EQUAL(text, rows[i].sentence);
    }
}

/* Every failure has a sentence, and none is longer than its room. */
static void nothing_is_left_out(void)
{
    for (unsigned f = 1; f < P2_NUM_FAILURES; f++) {
        char text[FAILURE_TEXT];
        struct p2_negotiation failure = {.failure = (enum p2_failure)f};
        struct failure_view view = {"a", "b", false, P2_PHASE1_MAIN, false, &failure};
        failure_text(text, &view);
        size_t len = strlen(text);
        CU_ASSERT(len > strlen("a and b: Quick Mode") && text[len - 1] == '.' && !strstr(text, "(null)"));
        memset(failure.field, 'f', sizeof failure.field - 1);
        memset(failure.offered, 'o', sizeof failure.offered - 1);
        memset(failure.acceptable, 'a', sizeof failure.acceptable - 1);
        failure.rule = failure.offered;
        failure.message = failure.offered;
        failure_text(text, &view);
        CU_ASSERT(strlen(text) < FAILURE_TEXT);
    }
}

CHECK_MAIN("failure text", {"failures are sentences", sentences}, {"what is not over", what_is_not_over},
           {"nothing is left out", nothing_is_left_out})
