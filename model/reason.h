/* Why something was dropped, refused or ended: one closed list, each with its name in reports. */
#ifndef P2_REASON_H
#define P2_REASON_H

#ifdef __cplusplus
extern "C" {
#endif

/* A packet or message that went no further. */
enum p2_drop {
    P2_DROP_NONE,
    /* IKE */
    P2_DROP_MALFORMED,      /* does not parse */
    P2_DROP_UNKNOWN_PEER,   /* no policy for this address */
    P2_DROP_UNKNOWN_COOKIE, /* no such ISAKMP SA */
    P2_DROP_UNEXPECTED,     /* no exchange waits for it */
    P2_DROP_HASH_MISMATCH,  /* HASH(n) or HASH_I/R does not verify */
    P2_DROP_IN_PROGRESS,    /* a duplicate while the first copy is being computed */
    P2_DROP_DUPLICATE,      /* already answered, and nothing to answer with */
    P2_DROP_CPU_QUEUE_FULL, /* the host had no room for the work */
    P2_DROP_POOL_EXHAUSTED, /* no free job slot or exchange */
    P2_DROP_UNKNOWN_NOTIFY, /* a notify that means nothing to us; the rest of its message counts */
    /* data path */
    P2_DROP_NO_POLICY, /* no tunnel's selectors match */
    P2_DROP_NO_SA,     /* the tunnel has no SA to send with (yet) */
    P2_DROP_UNKNOWN_SPI,
    P2_DROP_RUNT,     /* too short for its SA, not whole blocks, or a fragment */
    P2_DROP_REPLAYED, /* marked in the window already */
    P2_DROP_TOO_OLD,  /* left of the window */
    P2_DROP_SEQUENCE_ZERO,
    P2_DROP_SEQUENCE_OVERFLOW,
    P2_DROP_ICV_MISMATCH,
    P2_DROP_BAD_PADDING,
    P2_DROP_SELECTOR_MISMATCH, /* the inner packet does not belong into this SA */
    P2_DROP_TOO_BIG,           /* for the path, or for IP at all */
    P2_DROP_FRAGMENT,          /* ESP or AH in a piece of a packet: RFC 4303 section 3.4.1 */
    P2_DROP_DUMMY,             /* traffic flow confidentiality: RFC 4303 section 2.6 */
    P2_NUM_DROPS
};

/* "icv-mismatch" */
const char *p2_drop_name(enum p2_drop reason);

/* Why a negotiation failed. */
enum p2_failure {
    P2_FAIL_NONE,
    P2_FAIL_TIMEOUT,                  /* all copies of a message went unanswered */
    P2_FAIL_NO_PROPOSAL_CHOSEN,       /* RFC 2408 section 3.14.1, notify 14 */
    P2_FAIL_INVALID_ID_INFORMATION,   /* 18 */
    P2_FAIL_INVALID_KEY_INFORMATION,  /* 17 */
    P2_FAIL_PAYLOAD_MALFORMED,        /* 16 */
    P2_FAIL_INVALID_HASH_INFORMATION, /* 23: only a peer says so; here such a message is dropped */
    P2_FAIL_PEER_REFUSED,             /* the peer sent a notify that ended it */
    P2_FAIL_WRONG_KEY,                /* only messages came that could not be decrypted or verified */
    P2_FAIL_PHASE1_LOST,              /* the ISAKMP SA went away meanwhile */
    P2_FAIL_SUPERSEDED,               /* the SAs that were being built went away */
    P2_FAIL_PEER_DEAD,                /* DPD went unanswered (RFC 3706) */
    P2_FAIL_INVALID_PAYLOAD_TYPE,     /* 1 */
    P2_FAIL_AUTHENTICATION_FAILED,    /* 24: the pre-shared keys differ */
    P2_FAIL_INTERNAL,                 /* out of memory or refused by the crypto library */
    P2_NUM_FAILURES
};

/* "NO-PROPOSAL-CHOSEN", "timeout" */
const char *p2_failure_name(enum p2_failure failure);

/* Why a negotiation was started. */
enum p2_start {
    P2_START_INITIAL,
    P2_START_SOFT_LIFETIME,
    P2_START_HARD_LIFETIME,
    P2_START_FORCED,
    P2_START_TRAFFIC,
    P2_START_DELETED,     /* the peer took the last SAs away */
    P2_START_SOFT_VOLUME, /* kilobytes, soft limit */
    P2_START_HARD_VOLUME,
    P2_START_SEQUENCE, /* sequence numbers run out */
    P2_START_PEER_DEAD /* the peer was given up, and is tried again */
};
const char *p2_start_name(enum p2_start start);

/* Why an SA went away. */
enum p2_removal {
    P2_REMOVED_HARD_LIFETIME,
    P2_REMOVED_REPLACED,
    P2_REMOVED_BY_PEER,
    P2_REMOVED_NEVER_CONFIRMED,
    P2_REMOVED_HARD_VOLUME,
    P2_REMOVED_SEQUENCE, /* its sequence numbers are used up */
    P2_REMOVED_PEER_DEAD,
    P2_REMOVED_CLEARED,        /* by hand: p2_gateway_clear */
    P2_REMOVED_INITIAL_CONTACT /* the peer started anew and knows nothing of it */
};
const char *p2_removal_name(enum p2_removal removal);

#ifdef __cplusplus
}
#endif
#endif
