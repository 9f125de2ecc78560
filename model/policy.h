/* Policies: what one end offers and what it accepts, in Phase 1 and in Phase 2. */
#ifndef P2_POLICY_H
#define P2_POLICY_H

#include "proposal.h"
#include "selector.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How messages are resent: after `first`, then each time `backoff_permille`/1000 times as long. */
struct p2_retransmission {
    p2_time first;             /* 1 s */
    uint32_t backoff_permille; /* 2000: doubled each time */
    uint32_t tries;            /* how often a message is resent before the exchange fails */
};

#define P2_RETRANSMISSION_DEFAULT ((struct p2_retransmission){P2_SECOND, 2000, 5})

enum p2_phase1_mode {
    P2_PHASE1_MAIN,       /* RFC 2409 section 5.4 with a pre-shared key: six messages */
    P2_PHASE1_AGGRESSIVE, /* the same section: three messages, identities in clear */
    P2_PHASE1_PRESET,     /* both ends simply hold the same ISAKMP SA; nothing goes over the wire */
};

#define P2_PSK_MAX 128

/* Keys that a preset ISAKMP SA has; a test takes them from a capture. */
struct p2_preset_keys {
    uint8_t initiator_cookie[8];
    uint8_t responder_cookie[8];
    uint8_t skeyid_d[P2_HASH_MAX_LEN];
    uint8_t skeyid_a[P2_HASH_MAX_LEN];
    uint8_t skeyid_e[P2_HASH_MAX_LEN];
    uint8_t iv[P2_CIPHER_MAX_BLOCK]; /* the last Phase 1 ciphertext block */
};

struct p2_phase1_policy {
    enum p2_phase1_mode mode;
    uint8_t psk[P2_PSK_MAX];
    size_t psk_len;
    enum p2_cipher cipher;
    enum p2_hash hash;
    enum p2_group group;
    uint32_t lifetime_s;
    uint32_t soft_permille; /* when the initiator negotiates the next one, as a part of it: 900; 0 or 1000:
                               only when it is needed again */
    bool initial_contact;  /* INITIAL-CONTACT with the first Phase 1 with a peer (RFC 2407 section 4.6.3.3) */
    p2_time dpd_interval;  /* silence after which R-U-THERE is sent (RFC 3706); 0: no DPD */
    uint32_t dpd_tries;    /* how many go unanswered, an interval apart, before the peer is dead */
    bool nat_traversal;    /* vendor ID and NAT-D payloads (RFC 3947); false: as if NAT were unknown */
    p2_time nat_keepalive; /* how often a gateway behind a NAT keeps its mapping alive (RFC 3948 section 4) */
    struct p2_retransmission retransmission; /* for both phases */
    bool has_preset_keys;                    /* false: preset keys are derived from the pre-shared key */
    struct p2_preset_keys preset_keys;       /* mode preset only */
};

/* What a responder does about an initiator's lifetimes that are not its own (racoon's names). */
enum p2_lifetime_rule {
    P2_LIFETIME_SHORTER, /* as Junos: the shorter of both, each end for itself */
    P2_LIFETIME_OBEY,    /* the initiator's, whatever it is */
    P2_LIFETIME_STRICT,  /* a longer one than ours is refused; a shorter one is used */
    P2_LIFETIME_CLAIM,   /* the shorter of both; if that is ours, RESPONDER-LIFETIME tells the initiator */
    P2_LIFETIME_EXACT,   /* anything but ours is refused */
};

/* What must mirror in a peer's proxy IDs. */
enum p2_proxy_rule {
    P2_PROXY_SERVICE,   /* addresses, protocol and port: the whole ID */
    P2_PROXY_ADDRESSES, /* addresses alone */
};

/* Whether two proxy IDs mirror each other as the rule has it. */
bool p2_proxy_ids_mirror(enum p2_proxy_rule rule, const struct p2_selector *a, const struct p2_selector *b);

/* The outer header's "don't fragment" (RFC 4301 section 8.1); with an outer IPv6 header, whether the gateway
 * fragments what it sends. */
enum p2_df {
    P2_DF_COPY, /* as the inner packet has it; IPv6 has it always */
    P2_DF_CLEAR,
    P2_DF_SET,
};

struct p2_policy {
    size_t num_proposals; /* 1..P2_MAX_PROPOSALS, in order of preference */
    struct p2_proposal proposals[P2_MAX_PROPOSALS];
    enum p2_mode mode;                   /* tunnel */
    enum p2_group pfs;                   /* P2_GROUP_NONE: no perfect forward secrecy */
    uint32_t lifetime_s;                 /* hard lifetime offered */
    uint32_t lifetime_kb;                /* the same in units of 1,024 bytes of inner packets; 0: no limit */
    enum p2_lifetime_rule lifetime_rule; /* as a responder */
    uint32_t soft_permille;              /* the soft limits as a part of the hard ones: 800 */
    uint32_t fuzz_permille; /* a soft limit is drawn from [soft - fuzz, soft], parts of the hard one: 100 */
    enum p2_proxy_rule proxy_rule;
    bool commit_bit;          /* as a responder: the initiator waits for CONNECTED (RFC 2408 section 3.1) */
    p2_time install_interval; /* how long a rekeyed outbound SA waits before it is used; 0 to 10 s */
    enum p2_df df;
    bool fragment_before; /* what has to be fragmented and may be is fragmented ahead of ESP or AH, not after
                           */
    bool dscp_zero;       /* the outer DSCP is 0; false: copied (RFC 4301 section 5.1.2) */
    bool esn;             /* extended sequence numbers of 64 bits (RFC 4304); they need a replay window */
    uint64_t sequence_first; /* the counter's first value; 0: 1. Others show without four billion packets what
                                happens at 2^32 */
    uint64_t
        sequence_expected;  /* the first value of the peer's counter, so that the window begins there; 0: 1 */
    uint64_t sequence_max;  /* the counter's last value; 0: 2^32 - 1. Smaller ones show without four billion
                               packets what happens when the numbers run out */
    uint32_t replay_window; /* packets, 32..131072; 0: no replay check */
    p2_time overlap;        /* how long a replaced pair of SAs stays after the peer used the new one */
};

/* What suits most uses, to be changed from there. Main mode, AES-128, SHA-1, group 14, 8 hours; psk of at
 * most P2_PSK_MAX characters (asserted). */
struct p2_phase1_policy p2_phase1_policy_default(const char *psk);
/* One predefined proposal (asserted to exist), tunnel mode, no PFS, one hour with the soft limit at 70 to 80
 * %, a replay window of 64 packets, an overlap of 2 s. */
struct p2_policy p2_policy_default(const char *proposal);

#ifdef __cplusplus
}
#endif
#endif
