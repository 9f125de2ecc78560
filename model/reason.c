#include "reason.h"

static const char *const drops[P2_NUM_DROPS] = {
    [P2_DROP_NONE] = "none",
    [P2_DROP_MALFORMED] = "malformed",
    [P2_DROP_UNKNOWN_PEER] = "unknown-peer",
    [P2_DROP_UNKNOWN_COOKIE] = "unknown-cookie",
    [P2_DROP_UNEXPECTED] = "unexpected-message",
    [P2_DROP_HASH_MISMATCH] = "hash-mismatch",
    [P2_DROP_IN_PROGRESS] = "in-progress",
    [P2_DROP_DUPLICATE] = "duplicate",
    [P2_DROP_CPU_QUEUE_FULL] = "cpu-queue-full",
    [P2_DROP_POOL_EXHAUSTED] = "pool-exhausted",
    [P2_DROP_UNKNOWN_NOTIFY] = "unknown-notify",
    [P2_DROP_NO_POLICY] = "no-policy",
    [P2_DROP_NO_SA] = "no-sa",
    [P2_DROP_UNKNOWN_SPI] = "unknown-spi",
    [P2_DROP_RUNT] = "runt",
    [P2_DROP_REPLAYED] = "replayed",
    [P2_DROP_TOO_OLD] = "too-old",
    [P2_DROP_SEQUENCE_ZERO] = "sequence-zero",
    [P2_DROP_SEQUENCE_OVERFLOW] = "sequence-overflow",
    [P2_DROP_ICV_MISMATCH] = "icv-mismatch",
    [P2_DROP_BAD_PADDING] = "bad-padding",
    [P2_DROP_SELECTOR_MISMATCH] = "selector-mismatch",
    [P2_DROP_TOO_BIG] = "too-big",
    [P2_DROP_FRAGMENT] = "fragment",
    [P2_DROP_DUMMY] = "dummy",
};

const char *p2_drop_name(enum p2_drop reason)
{
    return drops[reason];
}

static const char *const failures[P2_NUM_FAILURES] = {
    [P2_FAIL_NONE] = "none",
    [P2_FAIL_TIMEOUT] = "timeout",
    [P2_FAIL_NO_PROPOSAL_CHOSEN] = "NO-PROPOSAL-CHOSEN",
    [P2_FAIL_INVALID_ID_INFORMATION] = "INVALID-ID-INFORMATION",
    [P2_FAIL_INVALID_KEY_INFORMATION] = "INVALID-KEY-INFORMATION",
    [P2_FAIL_PAYLOAD_MALFORMED] = "PAYLOAD-MALFORMED",
    [P2_FAIL_INVALID_HASH_INFORMATION] = "INVALID-HASH-INFORMATION",
    [P2_FAIL_PEER_REFUSED] = "peer-refused",
    [P2_FAIL_WRONG_KEY] = "wrong-key",
    [P2_FAIL_PHASE1_LOST] = "phase1-lost",
    [P2_FAIL_SUPERSEDED] = "superseded",
    [P2_FAIL_PEER_DEAD] = "peer-dead",
    [P2_FAIL_INVALID_PAYLOAD_TYPE] = "INVALID-PAYLOAD-TYPE",
    [P2_FAIL_AUTHENTICATION_FAILED] = "AUTHENTICATION-FAILED",
    [P2_FAIL_INTERNAL] = "internal",
};

const char *p2_failure_name(enum p2_failure failure)
{
    return failures[failure];
}

const char *p2_start_name(enum p2_start start)
{
    static const char *const names[] = {
        [P2_START_INITIAL] = "initial",
        [P2_START_SOFT_LIFETIME] = "soft-lifetime",
        [P2_START_HARD_LIFETIME] = "hard-lifetime",
        [P2_START_FORCED] = "forced",
        [P2_START_TRAFFIC] = "traffic",
        [P2_START_DELETED] = "deleted",
        [P2_START_SOFT_VOLUME] = "soft-volume",
        [P2_START_HARD_VOLUME] = "hard-volume",
        [P2_START_SEQUENCE] = "sequence-numbers",
        [P2_START_PEER_DEAD] = "peer-dead",
    };
    return names[start];
}

const char *p2_removal_name(enum p2_removal removal)
{
    static const char *const names[] = {
        [P2_REMOVED_HARD_LIFETIME] = "hard-lifetime",
        [P2_REMOVED_REPLACED] = "replaced",
        [P2_REMOVED_BY_PEER] = "deleted-by-peer",
        [P2_REMOVED_NEVER_CONFIRMED] = "never-confirmed",
        [P2_REMOVED_HARD_VOLUME] = "hard-volume",
        [P2_REMOVED_SEQUENCE] = "sequence-numbers",
        [P2_REMOVED_PEER_DEAD] = "peer-dead",
        [P2_REMOVED_CLEARED] = "cleared",
        [P2_REMOVED_INITIAL_CONTACT] = "initial-contact",
    };
    return names[removal];
}
