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
    P2_PHASE1_MAIN,   /* RFC 2409 section 5.4 with a pre-shared key */
    P2_PHASE1_PRESET, /* both ends simply hold the same ISAKMP SA; nothing goes over the wire */
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
    struct p2_retransmission retransmission; /* for both phases */
    bool has_preset_keys;                    /* false: preset keys are derived from the pre-shared key */
    struct p2_preset_keys preset_keys;       /* mode preset only */
};

struct p2_policy {
    size_t num_proposals; /* 1..P2_MAX_PROPOSALS, in order of preference */
    struct p2_proposal proposals[P2_MAX_PROPOSALS];
    enum p2_mode mode;      /* tunnel */
    enum p2_group pfs;      /* P2_GROUP_NONE: no perfect forward secrecy */
    uint32_t lifetime_s;    /* hard lifetime offered; the shorter of both ends' wins */
    uint32_t soft_permille; /* the soft limit as a part of the hard one: 800 */
    uint32_t fuzz_permille; /* the soft limit is drawn from [soft - fuzz, soft], parts of the hard one: 100 */
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
