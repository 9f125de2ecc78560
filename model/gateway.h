/* The gateway: the library's one public face. It speaks IKEv1 and carries IPsec for one node, and it is
 * sans-I/O: time, randomness, packets and finished computations come in as calls; everything it wants done
 * goes out as actions.
 *
 * After every call, drain the actions with p2_gateway_next_action before the next call. A call that returns 0
 * was processed, whatever the peer did wrong (that is an action); negative values are enum p2_error and mean
 * that memory ran out or that the crypto library refused.
 *
 * Marks. Every input carries a number of the host's own choosing, its mark, and every action carries the mark
 * of the input that released it; the core never looks at one. Two kinds of input do not mix: the mark of a
 * data packet shows in what becomes of that packet (SEND_IPSEC, DELIVER_CLEAR, DROP) and nowhere else; every
 * other action carries the mark of a control input, or 0 if a data packet set it off. A resent message
 * carries the mark of the input that first sent it and armed its timer. The host builds its chain of causes
 * from that (see bindings/causes.h). */
#ifndef P2_GATEWAY_H
#define P2_GATEWAY_H

#include "policy.h"
#include "reason.h"
#include "work.h"

#ifdef __cplusplus
extern "C" {
#endif

#define P2_NAME_MAX 64

struct p2_peer_config {
    char name[P2_NAME_MAX];
    struct p2_address local, remote; /* the gateways' own addresses, where IKE and ESP travel; `remote` is
                                        what is seen from here: a NAT's address if there is one. Several peers
                                        may have the same one if remote_id tells them apart */
    struct p2_address remote_id;     /* what its Phase 1 identity must say; family 0: anything */
    struct p2_phase1_policy phase1;
    uint32_t mtu; /* of the path to it, for whole IP packets; 0: not known, and nothing is too big */
};

enum p2_establish {
    P2_ESTABLISH_PASSIVE,     /* only the peer starts */
    P2_ESTABLISH_IMMEDIATELY, /* at the first tick, and again `retry` after a failure */
    P2_ESTABLISH_ON_TRAFFIC,  /* when a packet wants to go; see `waiting` */
};

enum p2_basis {
    P2_ROUTE_BASED,  /* what is routed into the tunnel interface is protected */
    P2_POLICY_BASED, /* what the selectors match is protected, whatever the routes say */
};

struct p2_tunnel_config {
    char name[P2_NAME_MAX];
    size_t peer; /* index into peers */
    struct p2_selector local, remote;
    struct p2_policy policy;
    enum p2_establish establish;
    uint32_t
        waiting; /* packets that wait for the first SA; further ones, or all with 0, are dropped as no-sa */
    enum p2_basis basis;
    p2_time retry; /* wait after a failed negotiation; 0: never again */
};

/* Copied by p2_gateway_new. */
struct p2_gateway_config {
    const struct p2_peer_config *peers;
    size_t num_peers;
    const struct p2_tunnel_config *tunnels;
    size_t num_tunnels;
    bool defer_ipsec; /* true: ESP packets become COMPUTE jobs too; false: they are processed within the call
                       */
};

struct p2_gateway;

/* A UDP datagram of IKE. The bytes are borrowed for the call. */
struct p2_datagram {
    struct p2_address source, destination;
    uint16_t source_port, destination_port;
    const uint8_t *data;
    size_t len;
};

/* Which negotiation: the same on both sides and on the wire. message_id 0: Phase 1. */
struct p2_negotiation_id {
    uint8_t initiator_cookie[8];
    uint8_t responder_cookie[8]; /* zero until Phase 1 has learned it */
    uint32_t message_id;
};

enum p2_negotiation_event {
    P2_NEGOTIATION_STARTED, /* initiator: begins now; responder: an acceptable first message was verified */
    P2_NEGOTIATION_READY,   /* this side has its inbound SA installed and its outbound SA authorised */
    P2_NEGOTIATION_FAILED,
};

#define P2_WHY_MAX 128

struct p2_negotiation {
    enum p2_negotiation_event event;
    struct p2_negotiation_id id;
    bool initiator;
    const char *peer;   /* the config's names; they live as long as the gateway */
    const char *tunnel; /* NULL in Phase 1, and on a responder that found none */
    enum p2_start start;
    enum p2_group group;   /* PFS group, or Phase 1's group */
    unsigned resent;       /* messages that this side sent again */
    struct p2_suite suite; /* READY of Phase 2: what was agreed; num 0: none */
    /* FAILED only: */
    enum p2_failure failure;
    const char *message; /* the one that was refused, or that never came: "message 1"; a literal */
    const char *rule;    /* by which it was refused, with its source; a literal; NULL: none */
    uint16_t notify;     /* sent or received; 0: none */
    bool notify_received;
    char field[32];              /* "encryption", "pfs-group", "proxy-id", ... or the message: "message 2" */
    char offered[P2_WHY_MAX];    /* what the initiator wanted in this field */
    char acceptable[P2_WHY_MAX]; /* what the responder would have taken */
};

/* What became of packets that came under one SA; each counts under exactly one. */
struct p2_sa_counters {
    uint64_t accepted;
    uint64_t replayed;     /* in the window, and marked in it */
    uint64_t too_old;      /* left of the window */
    uint64_t icv_mismatch; /* forged or changed on the way */
    uint64_t other;        /* runts, padding, selectors, dummies, ... */
};

/* One SA of a pair, as SA_INSTALLED and SA_REMOVED tell it. */
struct p2_sa_info {
    const char *tunnel;
    struct p2_negotiation_id negotiation;
    bool inbound;
    enum p2_protocol protocol;
    enum p2_mode mode;
    uint16_t udp_source, udp_destination; /* UDP encapsulation (RFC 3948); 0: none */
    uint32_t spi;
    struct p2_address source, destination; /* outer header */
    enum p2_cipher cipher;
    enum p2_auth auth;
    uint8_t encryption_key[P2_CIPHER_MAX_KEY];
    uint8_t authentication_key[P2_HASH_MAX_LEN];
    uint64_t packets, bytes;
    struct p2_sa_counters inbound_counters; /* of an inbound one */
    uint64_t sequence;                      /* outbound: last sent; inbound: top of the window */
    bool esn;
    bool authorised; /* outbound: may be used */
    p2_time installed, hard_at;
    uint64_t hard_bytes;     /* 0: no limit by volume */
    enum p2_removal removal; /* SA_REMOVED only */
};

/* Why an ISAKMP SA went away. */
enum p2_isakmp_end {
    P2_ISAKMP_LIFETIME,
    P2_ISAKMP_REPLACED,
    P2_ISAKMP_BY_PEER,         /* its DELETE */
    P2_ISAKMP_PEER_DEAD,       /* DPD */
    P2_ISAKMP_INITIAL_CONTACT, /* the peer started anew */
    P2_ISAKMP_UNANSWERED       /* a Quick Mode under it went unanswered */
};

/* An ISAKMP SA, for keys.xml and Wireshark's table. */
struct p2_isakmp_info {
    struct p2_negotiation_id id; /* message_id 0 */
    const char *peer;
    bool initiator;
    enum p2_cipher cipher;
    enum p2_hash hash;
    uint8_t encryption_key[P2_CIPHER_MAX_KEY]; /* expanded, as the cipher uses it */
    struct p2_preset_keys keys;
    enum p2_isakmp_end end; /* ISAKMP_REMOVED only */
};

enum p2_action_type {
    P2_ACTION_SEND_IKE,
    P2_ACTION_SEND_IPSEC,    /* a whole outer IP packet */
    P2_ACTION_DELIVER_CLEAR, /* a whole inner IP packet for the protected side */
    P2_ACTION_COMPUTE,       /* charge this work, then call p2_gateway_finish_job */
    P2_ACTION_CANCEL,        /* this job is no longer wanted: neither finish nor charge it */
    P2_ACTION_ISAKMP_SA,     /* Phase 1 is up */
    P2_ACTION_ISAKMP_REMOVED,
    P2_ACTION_DH_SECRET, /* the PFS secret of a Quick Mode, for keys.xml */
    P2_ACTION_SA_INSTALLED,
    P2_ACTION_SA_REMOVED,
    P2_ACTION_NEGOTIATION,
    P2_ACTION_DROP,
};

/* Pointers in an action are good until the next call to the gateway other than p2_gateway_next_action. */
struct p2_action {
    enum p2_action_type type;
    uint64_t mark;
    struct p2_negotiation_id id; /* SEND_IKE, COMPUTE of IKE, DH_SECRET, and DROP of IKE where known */
    union {
        struct {
            struct p2_datagram datagram;
            bool resend; /* by its timer: `mark` is the arming input */
            bool answer; /* a stored message, sent again because the peer sent a duplicate */
        } send_ike;
        struct p2_bytes packet; /* SEND_IPSEC, DELIVER_CLEAR */
        struct {
            uint64_t job;
            struct p2_work work;
            bool continues; /* the stage after a finished one: it keeps its core and does not queue again */
            bool ipsec;     /* a data packet, not IKE */
            bool retry;     /* by its timer, after a refusal: `mark` is the input that refused it */
        } compute;
        uint64_t cancelled_job;
        struct p2_isakmp_info isakmp;
        struct p2_bytes secret;
        struct p2_sa_info sa;
        struct p2_negotiation negotiation;
        struct {
            enum p2_drop reason;
            uint32_t spi;      /* 0: none */
            uint32_t sequence; /* as on the wire, of a packet that came under an SA; else 0 */
            bool ipsec;        /* of the data path */
        } drop;
    } u;
};

/* P2_OK, P2_ERR_NOMEM, or of a tunnel's selectors: P2_ERR_SPACE (too many different pairs of prefix lengths,
 * see spd.h) and P2_ERR_MALFORMED (not two of one family). Otherwise the config must be valid (asserted): its
 * loader checks users' input.
 * A preset ISAKMP SA is announced by an action that is pending right after this. */
int p2_gateway_new(struct p2_gateway **gw, const struct p2_gateway_config *config,
                   struct p2_random random) P2_WARN_UNUSED;
void p2_gateway_free(struct p2_gateway *gw);

int p2_gateway_receive_ike(struct p2_gateway *gw, p2_time now, uint64_t mark,
                           const struct p2_datagram *datagram) P2_WARN_UNUSED;
/* A whole IP packet with ESP inside, reassembled, for this gateway. */
int p2_gateway_receive_ipsec(struct p2_gateway *gw, p2_time now, uint64_t mark, const uint8_t *packet,
                             size_t len) P2_WARN_UNUSED;
/* The same in UDP (RFC 3948): the payload of a datagram that p2_udp_payload calls ESP. */
int p2_gateway_receive_udp_esp(struct p2_gateway *gw, p2_time now, uint64_t mark,
                               const struct p2_datagram *datagram) P2_WARN_UNUSED;

#define P2_PORT_IKE       500
#define P2_PORT_NAT_T     4500
#define P2_NON_ESP_MARKER 4 /* zero bytes in front of IKE on port 4500 (RFC 3948 section 2.2) */

/* What a datagram on port 4500 is (RFC 3948 section 2). IKE goes to p2_gateway_receive_ike with its non-ESP
 * marker, as it came; a keepalive goes nowhere. */
enum p2_udp_payload { P2_UDP_IKE, P2_UDP_ESP, P2_UDP_KEEPALIVE };
enum p2_udp_payload p2_udp_payload(const uint8_t *data, size_t len);

/* A whole IP packet from the protected side. */
int p2_gateway_send_clear(struct p2_gateway *gw, p2_time now, uint64_t mark, const uint8_t *packet,
                          size_t len) P2_WARN_UNUSED;
/* The virtual CPU is done with a job: the computation runs now. A cancelled job's number is ignored. */
int p2_gateway_finish_job(struct p2_gateway *gw, p2_time now, uint64_t mark, uint64_t job) P2_WARN_UNUSED;
/* The host had no room for a job: the message or packet is dropped as cpu-queue-full. */
int p2_gateway_refuse_job(struct p2_gateway *gw, p2_time now, uint64_t mark, uint64_t job) P2_WARN_UNUSED;
/* Handles the earliest timer that is due, if any; p2_gateway_next_timeout tells whether another one is. */
int p2_gateway_tick(struct p2_gateway *gw, p2_time now, uint64_t mark) P2_WARN_UNUSED;
/* P2_TIME_NEVER: none. */
p2_time p2_gateway_next_timeout(const struct p2_gateway *gw);
bool p2_gateway_next_action(struct p2_gateway *gw, struct p2_action *action);

/* Starts a rekey of a tunnel now (a Quick Mode, with Phase 1 before it if there is none). */
int p2_gateway_rekey(struct p2_gateway *gw, p2_time now, uint64_t mark, size_t tunnel) P2_WARN_UNUSED;

/* Takes all SAs of a tunnel down now, and tells the peer. A tunnel that is to be up starts again. */
int p2_gateway_clear(struct p2_gateway *gw, p2_time now, uint64_t mark, size_t tunnel) P2_WARN_UNUSED;

/* Whether a policy-based tunnel's selectors match a whole IP packet, so that it must go to
 * p2_gateway_send_clear instead of where the routes lead. */
bool p2_gateway_protects(const struct p2_gateway *gw, const uint8_t *packet, size_t len);

/* The SADB as it stands, inbound and outbound, in the order of installation. False past the end. For tests
 * and reports; not for the packet path. */
bool p2_gateway_sa_at(const struct p2_gateway *gw, size_t i, struct p2_sa_info *info);
/* How many negotiations (both phases) are under way; finished ones that linger to answer duplicates do not
 * count. */
size_t p2_gateway_negotiations(const struct p2_gateway *gw);
/* One of these, as if it ended unanswered now: what it waits for, and what is known of why that does not
 * come. False past the end. For reports. */
bool p2_gateway_open_at(const struct p2_gateway *gw, size_t i, struct p2_negotiation *negotiation);

#ifdef __cplusplus
}
#endif
#endif
