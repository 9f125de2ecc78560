/* What the files behind gateway.h share: the objects of one gateway and who owns them.
 *
 *   gateway   owns peers, tunnels, ISAKMP SAs, exchanges, pairs of SAs, jobs, timers, pending actions
 *   peer      another gateway: its Phase 1 policy, the ISAKMP SA in use (isakmp_sa.c),
 *             whether it lives (dpd.c) and where it is (nat.c)
 *   exchange  one run of a protocol under one message ID (exchange.c); a table of steps drives it
 *             (main_mode.c, aggressive_mode.c, quick_mode.c, informational.c)
 *   tunnel    selectors and Phase 2 policy, and its pairs of SAs (tunnel.c)
 *   pair      what one Quick Mode made: an inbound and an outbound SA, or two of each (sadb.c)
 *   job       work that the host's CPU has not finished yet (job.c)
 *
 * Out of memory: p2_fail_memory notes it and the public call returns it. */
#ifndef P2_INTERNAL_H
#define P2_INTERNAL_H

#include "ah.h"
#include "dh.h"
#include "esp.h"
#include "gateway.h"
#include "isakmp.h"
#include "keymat.h"
#include "map.h"
#include "offer.h"
#include "replay.h"
#include "spd.h"
#include "timers.h"

#define P2_NONCE_LEN  32 /* ours; RFC 2409 section 5 allows 8 to 256 */
#define P2_NONCE_MIN  8
#define P2_NONCE_MAX  256
#define P2_PACKET_MAX 65535
#define P2_PACKET_ARENA                                                                                      \
    ((size_t)4 * (P2_PACKET_MAX + 1)) /* a packet of the longest, in pieces with all that is added */
#define P2_MAX_EXCHANGES 65536

enum p2_timer_kind {
    P2_TIMER_EXCHANGE,    /* resend, give up, or the end of lingering */
    P2_TIMER_ISAKMP,      /* the ISAKMP SA's lifetime is over, or what had to wait before it goes */
    P2_TIMER_ISAKMP_SOFT, /* rekey this ISAKMP SA */
    P2_TIMER_DPD,         /* look whether the peer was heard */
    P2_TIMER_KEEPALIVE,   /* keep the NAT's mapping */
    P2_TIMER_TUNNEL,      /* start, or try again */
    P2_TIMER_SOFT,        /* rekey this pair */
    P2_TIMER_HARD,        /* this pair's lifetime is over */
    P2_TIMER_RETIRE,      /* this pair was replaced and its overlap is over, or look whether it is in use */
    P2_TIMER_USE,         /* this pair's install interval is over */
    P2_TIMER_RELEASE,     /* a tunnel has an SA: the next packet that waited for it goes */
};

/* --- jobs (job.c) --- */

enum p2_job_kind { P2_JOB_EXCHANGE, P2_JOB_SEAL, P2_JOB_OPEN, P2_JOB_WAIT };

struct p2_job {
    uint64_t id; /* 0: none outstanding */
    enum p2_job_kind kind;
    struct p2_exchange *exchange;
    /* data packets: a copy, and the pair it waits for (WAIT: none, it waits for its tunnel's first) */
    struct p2_sa_pair *pair;
    struct p2_job *previous, *next; /* of the pair, of the tunnel, or the free list */
    uint8_t *packet;
    size_t packet_len, capacity;
    uint64_t mark;     /* of the packet; of an exchange: the input that refused it, until it is tried again */
    uint16_t udp_port; /* that an arrived packet came from; 0: not in UDP */
};

/* --- ISAKMP SAs and peers (isakmp_sa.c) --- */

struct p2_isakmp_sa {
    struct p2_peer *peer;
    bool initiator;
    bool established, removing;
    bool expired;                   /* starts nothing new; what is under way may finish */
    bool deleted;                   /* its DELETE is out, or on its way */
    bool goes_when_idle;            /* it was replaced: as soon as no Quick Mode is left under it */
    enum p2_isakmp_end end;         /* why it expired */
    uint64_t began, established_at; /* among the gateway's instants */
    struct p2_address remote;       /* where its messages go: where the last authentic one came from */
    uint16_t local_port, remote_port;
    bool nat_t;                      /* both ends know RFC 3947 */
    bool nat_local, nat_remote;      /* this end, or the peer, is behind a NAT */
    bool dpd;                        /* the peer knows RFC 3706 */
    uint32_t dpd_sent, dpd_received; /* the last sequence numbers; 0: none yet */
    uint8_t initiator_cookie[8], responder_cookie[8];
    struct p2_isakmp_keys keys;
    struct p2_map
        message_ids; /* every one ever used under it: they are never used again (RFC 2408 section 3.1) */
    struct p2_timer expire, soft;
    struct p2_exchange *exchanges;
    struct p2_isakmp_sa *previous, *next; /* of the gateway */
};

struct p2_peer {
    struct p2_peer_config config;
    struct p2_isakmp_sa *isakmp; /* the one to use; NULL: none */
    struct p2_exchange *phase1;  /* ours under way */
    struct p2_tunnel *waiting;   /* tunnels that want a Quick Mode once Phase 1 is there */
    /* Others with this remote address, in the order of the config. */
    struct p2_peer *next_same_address;
    p2_time heard;       /* when something authentic last came from it, IKE or IPsec */
    p2_time complained;  /* when it was last told of an SPI that is not known here */
    unsigned unanswered; /* R-U-THEREs since then */
    struct p2_timer dpd, keepalive;
    struct p2_address nat_address; /* where keepalives go */
    uint16_t nat_port;
};

/* Takes one off the list of those that wait for Phase 1; NULL: none. */
struct p2_tunnel *p2_peer_take_waiting(struct p2_peer *peer);
int p2_peers_index(struct p2_gateway *gw) P2_WARN_UNUSED;
/* The first one in the config whose remote address that is (NULL: none); next_same_address leads on. */
struct p2_peer *p2_peer_by_address(struct p2_gateway *gw, const struct p2_address *address);
/* Some SA is there with it, of either phase. */
bool p2_peer_has_sas(const struct p2_gateway *gw, const struct p2_peer *peer);
/* All pairs with it whose Quick Mode began before that instant (UINT64_MAX: all of them). */
void p2_peer_remove_pairs(struct p2_gateway *gw, const struct p2_peer *peer, uint64_t before,
                          enum p2_removal why);
/* NULL when out of memory. Cookies that are not known yet are zero. */
struct p2_isakmp_sa *p2_isakmp_sa_new(struct p2_gateway *gw, struct p2_peer *peer, bool initiator);
int p2_isakmp_sa_register(struct p2_gateway *gw, struct p2_isakmp_sa *sa) P2_WARN_UNUSED;
struct p2_isakmp_sa *p2_isakmp_sa_find(struct p2_gateway *gw, const struct p2_isakmp_header *header,
                                       const struct p2_address *remote);
/* Keys are complete: it becomes the peer's, and what waited for it starts. */
void p2_isakmp_sa_established(struct p2_gateway *gw, struct p2_isakmp_sa *sa);
/* Its timers. At the end of its lifetime it starts nothing more, and only when what is under way had its time
 * it goes, with a DELETE. */
void p2_isakmp_sa_expire(struct p2_gateway *gw, struct p2_isakmp_sa *sa);
void p2_isakmp_sa_soft(struct p2_gateway *gw, struct p2_isakmp_sa *sa);
/* A Quick Mode of ours went unanswered under it: the next one starts with Phase 1, and this SA goes. */
void p2_isakmp_sa_unanswered(struct p2_gateway *gw, struct p2_isakmp_sa *sa);
/* An exchange under it ended: one that was replaced may go now. */
void p2_isakmp_sa_exchange_ended(const struct p2_exchange *ex);
/* The peer says by INITIAL-CONTACT under this SA that it knows no other ones (RFC 2407 section 4.6.3.3): all
 * older ones with it go, of both phases, without a word to it. */
void p2_isakmp_sa_initial_contact(struct p2_gateway *gw, struct p2_isakmp_sa *sa);
/* Ends its exchanges too. `why` is told if it was established. */
void p2_isakmp_sa_remove(struct p2_gateway *gw, struct p2_isakmp_sa *sa, enum p2_isakmp_end why);
/* An established ISAKMP SA without Phase 1: keys from the config or derived from the pre-shared key. */
void p2_isakmp_sa_preset(struct p2_gateway *gw, struct p2_peer *peer);

/* --- exchanges (exchange.c) --- */

enum p2_verdict {
    P2_VERDICT_GOOD,
    P2_VERDICT_DROPPED, /* as if the message had never come; the DROP action is out */
    P2_VERDICT_ENDED,   /* the exchange failed or is complete; it was ended */
};

#define P2_STATE_START 0
#define P2_STATE_DONE  255

/* What is done with one message, in one role: a row of an exchange's table. */
struct p2_step {
    bool initiator;
    uint8_t
        state; /* in which it is awaited; P2_STATE_START with `verify` NULL: the initiator's own beginning */
    const char *awaits; /* "message 2": for failures */
    void (*verify_work)(struct p2_exchange *ex, struct p2_work *work);
    enum p2_verdict (*verify)(struct p2_exchange *ex);
    void (*compute_work)(struct p2_exchange *ex, struct p2_work *work);
    enum p2_verdict (*compute)(struct p2_exchange *ex); /* usually builds and sends the next message */
    uint8_t next_state;
    bool resends; /* in next_state, what was sent is sent again until an answer comes */
};

struct p2_failure_detail {
    enum p2_failure failure;
    const char *message, *rule; /* literals; message NULL: the one that is awaited */
    uint16_t notify;
    bool notify_received;
    char field[32], offered[P2_WHY_MAX], acceptable[P2_WHY_MAX];
};

struct p2_exchange_kind {
    enum p2_exchange_type type;
    const struct p2_step *steps;
    size_t num_steps;
    /* What is known of why no answer comes; NULL: nothing but that. It changes nothing, so that an exchange
     * which still waits can be asked too. */
    void (*explain)(const struct p2_exchange *ex, struct p2_failure_detail *detail);
    void (*timed_out)(struct p2_exchange *ex); /* NULL: nothing to do */
    void (*failed)(struct p2_exchange *ex);    /* after the NEGOTIATION action, before the end; may be NULL */
};

struct p2_phase1_state {
    uint8_t nonce_i[P2_NONCE_MAX], nonce_r[P2_NONCE_MAX];
    size_t nonce_i_len, nonce_r_len;
    uint8_t public_i[P2_DH_MAX_LEN], public_r[P2_DH_MAX_LEN];
    uint8_t private_key[P2_DH_MAX_PRIVATE];
    uint8_t skeyid[P2_HASH_MAX_LEN];
    uint8_t sa_body[512]; /* the initiator's SA payload: HASH_I and HASH_R cover it */
    size_t sa_body_len;
    uint8_t proposal_number, transform_number; /* the responder answers with what it chose, as it came */
    uint8_t attributes[128];
    size_t attributes_len;
    uint32_t lifetime_s;
    uint8_t peer_id[260]; /* body of its ID payload */
    size_t peer_id_len;
    bool derived;         /* SKEYID and its kin are there */
    bool initial_contact; /* in the message being verified */
    uint16_t hint;        /* an error notify that came in clear, when it could no longer end this; 0: none */
};

struct p2_quick_state {
    struct p2_tunnel *tunnel;
    struct p2_sa_pair *pair;        /* installed, not authorised yet */
    uint32_t spi_in[P2_MAX_BUNDLE]; /* by p2_spi_index; 0: that protocol is not wanted */
    uint8_t nonce_i[P2_NONCE_MAX], nonce_r[P2_NONCE_MAX];
    size_t nonce_i_len, nonce_r_len;
    enum p2_group group;
    uint8_t private_key[P2_DH_MAX_PRIVATE];
    uint8_t public_key[P2_DH_MAX_LEN], peer_public[P2_DH_MAX_LEN];
    size_t peer_public_len;
    uint8_t shared[P2_DH_MAX_LEN]; /* g(qm)^xy */
    struct p2_offer_choice choice;
    struct p2_address originals[2]; /* NAT-OAi and NAT-OAr as the peer sent them; family 0: not sent */
    bool has_ids;
    uint8_t ids[2][P2_SELECTOR_ID_MAX]; /* a responder's: IDci and IDcr as they came, for the answer */
    size_t ids_len[2];
    bool commit;   /* the initiator must wait for CONNECTED */
    uint16_t hint; /* a notify that may have meant this one; 0: none */
};

struct p2_info_state {
    uint8_t body[256]; /* of the one notify or delete payload that is sent */
    size_t body_len;
    uint8_t payload;
    bool last; /* a DELETE of the ISAKMP SA itself: that goes when this is sent */
};

struct p2_exchange {
    const struct p2_exchange_kind *kind;
    struct p2_gateway *gw;
    struct p2_isakmp_sa *isakmp;
    struct p2_exchange *previous, *next; /* of the ISAKMP SA */
    bool initiator;
    bool counted; /* among the gateway's negotiations under way */
    bool dead;    /* ended; it waits in the graveyard */
    uint8_t state;
    uint32_t message_id;
    uint64_t began; /* among the gateway's instants */
    enum p2_start start;
    uint8_t iv[P2_CIPHER_MAX_BLOCK]; /* of the next message, either way */

    uint8_t *sent; /* the last message sent, behind a non-ESP marker; for resends and for duplicates */
    size_t sent_len;
    uint64_t sent_mark;
    bool resends; /* what was sent is sent again until an answer comes */
    unsigned tries, resent;
    unsigned unreadable; /* messages that did not verify since the last one that did */
    p2_time interval;
    struct p2_timer timer;

    uint8_t *received; /* the last message accepted, to know a duplicate */
    size_t received_len;

    struct p2_job job;
    const struct p2_step *step; /* being computed */
    uint8_t next_state;         /* the step's, unless its computation decided otherwise */
    bool verified;              /* its first stage is over */
    uint8_t *inbox;             /* the message being computed */
    size_t inbox_len;
    struct p2_address from, to; /* the addresses and ports it came with */
    uint16_t from_port, to_port;
    uint8_t *plain; /* the payloads of it, decrypted in verify; freed with the job */
    struct p2_payloads payloads;

    union {
        struct p2_phase1_state phase1;
        struct p2_quick_state quick;
        struct p2_info_state info;
    } u;
};

/* How long it takes until a message to that peer and all its copies count as unanswered. */
p2_time p2_patience(const struct p2_peer *peer);
/* One that was never used under that ISAKMP SA; 0 is Phase 1's. */
uint32_t p2_message_id_new(struct p2_gateway *gw, const struct p2_isakmp_sa *sa);
/* Registers the message ID too. NULL when out of memory, or with P2_DROP_POOL_EXHAUSTED when there are too
 * many. */
struct p2_exchange *p2_exchange_new(struct p2_gateway *gw, const struct p2_exchange_kind *kind,
                                    struct p2_isakmp_sa *sa, bool initiator, uint32_t message_id);
/* The initiator's first step. */
void p2_exchange_begin(struct p2_exchange *ex);
/* A message for this exchange: duplicate, out of turn, or the next step. */
void p2_exchange_receive(struct p2_exchange *ex, const struct p2_datagram *datagram);
void p2_exchange_job_done(struct p2_exchange *ex);
void p2_exchange_job_refused(struct p2_exchange *ex);
void p2_exchange_timer(struct p2_exchange *ex);
void p2_exchange_end(struct p2_exchange *ex);
/* Says why, lets the kind clean up, ends the exchange. */
enum p2_verdict p2_exchange_fail(struct p2_exchange *ex, const struct p2_failure_detail *detail);
/* The fault is this end's: "memory", "diffie-hellman". */
enum p2_verdict p2_exchange_fail_internally(struct p2_exchange *ex, const char *field);
enum p2_verdict p2_exchange_drop(struct p2_exchange *ex, enum p2_drop reason);
void p2_exchange_negotiation(struct p2_exchange *ex, enum p2_negotiation_event event,
                             const struct p2_failure_detail *detail);
/* As the outside knows it. */
struct p2_negotiation_id p2_exchange_id(const struct p2_exchange *ex);
struct p2_exchange *p2_exchange_find(struct p2_isakmp_sa *sa, uint32_t message_id);

/* Building and opening of messages, for the tables (message.c). */
struct p2_isakmp_header p2_exchange_header(const struct p2_exchange *ex, bool encrypted);
/* The stored message goes out; resend and answer as SEND_IKE has them. */
void p2_exchange_send_stored(struct p2_exchange *ex, bool resend, bool answer);
/* Encrypts from the header on when it says so, stores the message and sends it. */
enum p2_verdict p2_exchange_send(struct p2_exchange *ex, struct p2_message *message);
/* Whether the message in the inbox says so. */
bool p2_exchange_is_encrypted(const struct p2_exchange *ex);
/* Decrypts (if it says so) and parses the inbox into ex->payloads, with the IV left alone. */
int p2_exchange_open(struct p2_exchange *ex) P2_WARN_UNUSED;
/* The IV follows the message that was just verified. */
void p2_exchange_chain(struct p2_exchange *ex);
/* Verifies HASH(1), (2) (nonce_i given), or an informational one: the first payload over all that follow. */
bool p2_exchange_verify_hash(struct p2_exchange *ex, const struct p2_bytes *nonce_i);
/* Begins a message with room for the HASH payload that stands first, and fills it in, once the message is
 * complete, with HASH(1) or, with Ni, HASH(2). */
void p2_message_begin_hashed(const struct p2_exchange *ex, struct p2_message *message, uint8_t *buffer,
                             size_t capacity, const struct p2_isakmp_header *header);
void p2_message_hash(struct p2_exchange *ex, struct p2_message *message, const struct p2_bytes *nonce_i);
/* The first payload of a type that is not in `allowed` (bit n: type n); NULL: none. */
const struct p2_payload *p2_payloads_foreign(const struct p2_payloads *payloads, uint32_t allowed);

extern const struct p2_exchange_kind p2_main_mode, p2_aggressive_mode, p2_quick_mode, p2_informational;

/* In the mode that the peer's policy names. */
void p2_phase1_start(struct p2_gateway *gw, struct p2_peer *peer, enum p2_start start);
void p2_phase1_respond(struct p2_gateway *gw, struct p2_peer *peer, const struct p2_isakmp_header *header,
                       const struct p2_datagram *datagram);
void p2_quick_start(struct p2_gateway *gw, struct p2_tunnel *tunnel, enum p2_start start);
/* What a notify of the peer says about this Quick Mode of ours. */
void p2_notify_detail(const struct p2_exchange *quick, uint16_t notify, struct p2_failure_detail *detail);
/* Informational exchanges. Protected: a notify with a zero SPI, as real daemons refuse a Quick Mode; any
 * notify; a DELETE of one SA (P2_PROTO_ISAKMP: of `sa` itself, whatever spi is, and it goes with it). */
void p2_informational_notify(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint16_t notify);
void p2_informational_notify_data(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint8_t protocol,
                                  uint16_t notify, const uint8_t *spi, size_t spi_len, const uint8_t *data,
                                  size_t data_len);
void p2_informational_delete(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint8_t protocol, uint32_t spi);
/* In clear, before there are keys (RFC 2409 section 5.7); in and out. */
void p2_informational_clear(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint16_t notify);
void p2_informational_receive_clear(struct p2_gateway *gw, struct p2_isakmp_sa *sa,
                                    const struct p2_datagram *datagram);
enum p2_failure p2_failure_of_notify(uint16_t notify);

/* --- dead peer detection (dpd.c) --- */

/* An ISAKMP SA is there: the watch begins, if the policy says so and the peer can answer. */
void p2_dpd_watch(struct p2_gateway *gw, struct p2_isakmp_sa *sa);
void p2_dpd_timer(struct p2_gateway *gw, struct p2_peer *peer);
/* R-U-THERE or its ACK, behind the notify's header. False: it counts for nothing. */
bool p2_dpd_receive(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint16_t notify, struct p2_bytes spi,
                    struct p2_bytes data);

/* --- NAT traversal (nat.c) --- */

/* NAT-D payloads: the peer's address and port, then ours (RFC 3947 section 3.2). */
void p2_nat_add(struct p2_exchange *ex, struct p2_message *message);
/* Reads those of the message in the inbox; the initiator moves to port 4500 if a NAT shows. */
void p2_nat_read(struct p2_exchange *ex);
/* An authentic message: it is followed to where it came from if the peer is behind a NAT, or still in Phase
 * 1. */
void p2_nat_follow(struct p2_exchange *ex);
/* The newest packet of an SA, verified, which came in UDP from there: its sender is followed likewise (RFC
 * 3947 section 7). */
void p2_nat_follow_packet(struct p2_sa_pair *pair, const struct p2_address *source, uint16_t port);
/* NAT-OA payloads of a Quick Mode: the original addresses of initiator and responder, as this end knows them
 * (RFC 3947 section 5.2). They are for transport mode through a NAT and left out of anything else. */
void p2_nat_add_originals(struct p2_exchange *quick, struct p2_message *message);
/* Those of the message in the inbox, if there are any. False: not two of this end's family. */
bool p2_nat_read_originals(struct p2_exchange *quick);
/* A proxy ID that is the peer's, or this end's, original address becomes what this end knows for it: behind a
 * NAT nobody else knows a gateway by its own address. */
void p2_nat_perceive_ids(const struct p2_exchange *quick, struct p2_selector *ci, struct p2_selector *cr);
/* An ISAKMP SA is there: the end behind the NAT begins to send keepalives. */
void p2_nat_keep_alive(struct p2_gateway *gw, struct p2_isakmp_sa *sa);
void p2_nat_timer(struct p2_gateway *gw, struct p2_peer *peer);

/* --- tunnels (tunnel.c) and pairs of SAs (sadb.c) --- */

struct p2_tunnel {
    struct p2_tunnel_config config;
    struct p2_peer *peer;
    struct p2_sa_pair *pairs;        /* newest first */
    struct p2_sa_pair *current;      /* what outbound packets use; NULL: none */
    struct p2_exchange *negotiating; /* our Quick Mode under way */
    struct p2_timer timer;
    enum p2_start start; /* why the next one will be started */
    bool given_up;       /* one of ours failed and `retry` is 0: packets do not ask again */
    bool waiting;
    struct p2_tunnel *next_waiting;
    struct p2_job *first_waiting, *last_waiting; /* packets, until there is an SA */
    uint32_t num_waiting;
    struct p2_timer release;
};

/* Starts a Quick Mode, or Phase 1 first. */
void p2_tunnel_start(struct p2_gateway *gw, struct p2_tunnel *tunnel, enum p2_start start);
/* A negotiation of ours failed: try again later if the config says so. */
void p2_tunnel_failed(struct p2_gateway *gw, struct p2_tunnel *tunnel);
/* A packet that found no SA, or others in front of it that waited for one: it waits, or is dropped, and may
 * be what the tunnel was waiting for. */
void p2_tunnel_packet(struct p2_gateway *gw, struct p2_tunnel *tunnel, const uint8_t *packet, size_t len);
/* Those that wait are dropped as no-sa. */
void p2_tunnel_drop_waiting(struct p2_gateway *gw, struct p2_tunnel *tunnel);
/* There is an SA to send with: what waited goes, one packet a tick. */
void p2_tunnel_release(struct p2_gateway *gw, struct p2_tunnel *tunnel);
/* A pair of it was removed: if that was the last one, whoever keeps the tunnel up starts again. */
void p2_tunnel_down(struct p2_gateway *gw, struct p2_tunnel *tunnel, enum p2_removal why);
void p2_tunnel_timer(struct p2_gateway *gw, struct p2_tunnel *tunnel);
/* The tunnel whose selectors match a packet that leaves (NULL: none); no scan over tunnels. */
struct p2_tunnel *p2_tunnel_for_packet(const struct p2_gateway *gw, const struct p2_ip_view *packet);
/* The tunnel of a peer with exactly these selectors, as seen from here; if there is none, one with these
 * addresses whose policy asks for no more. */
struct p2_tunnel *p2_tunnel_by_selectors(struct p2_gateway *gw, const struct p2_peer *peer,
                                         const struct p2_selector *local, const struct p2_selector *remote);
int p2_tunnels_index(struct p2_gateway *gw) P2_WARN_UNUSED;

/* One SA: one direction, one protocol. */
struct p2_sa {
    enum p2_protocol protocol;
    struct p2_algorithms algorithms;
    uint32_t spi;
    uint8_t encryption_key[P2_CIPHER_MAX_KEY];
    uint8_t authentication_key[P2_HASH_MAX_LEN];
    union {
        struct p2_esp_keys esp;
        struct p2_ah_keys ah;
    } keys;
    struct p2_replay replay; /* inbound */
    uint64_t sequence;       /* outbound: last one sent */
    uint64_t packets, bytes; /* of inner packets */
    struct p2_sa_counters counters;
};

struct p2_sa_pair {
    struct p2_tunnel *tunnel;
    struct p2_negotiation_id negotiation;
    bool initiator;
    bool authorised; /* the outbound half may be used */
    bool confirmed;  /* the peer used the inbound half */
    bool asked;      /* for a successor; or it has one */
    bool replaced;   /* by one that the peer uses: it goes when its overlap is over */
    bool exhausted;  /* its hard limit by volume or number was reached: nothing more goes through */
    struct p2_suite suite;
    enum p2_mode mode;
    bool encapsulated; /* in UDP, along the peer's NAT path */
    bool nat_remote;   /* it is the peer that is behind a NAT */
    /* Transport mode in UDP: the addresses that the peer's packets have when they leave it, which their
     * checksums are about. */
    struct p2_address original_source, original_destination;
    struct p2_exchange *negotiator; /* its Quick Mode, until this end is authorised; NULL then */
    enum p2_start soft_reason;
    enum p2_removal hard_reason;
    uint64_t soft_bytes, hard_bytes; /* of one direction; UINT64_MAX: no limit */
    bool esn;
    uint64_t soft_sequence, hard_sequence;
    uint64_t began, authorised_at; /* its Quick Mode, and it, among the gateway's instants */
    p2_time installed, hard_at;
    p2_time heard; /* when a packet last came through it */
    struct p2_timer soft, hard, retire, use;
    struct p2_job *jobs;
    struct p2_sa_pair *older;           /* of the tunnel */
    struct p2_sa_pair *previous, *next; /* of the gateway, in the order of installation */
    size_t num;             /* SAs of each direction, as the suite has them: [0] is the inner one */
    struct p2_sa *in, *out; /* in the same piece of memory */
};

#define P2_RULE_WEAK_KEY                                                                                     \
    "a weak key is refused, and another negotiation makes another one: RFC 2409 appendix A, RFC 2451 "       \
    "section 2.3"

/* Derives KEYMAT and installs the inbound half as the exchange's pair. P2_ERR_NOMEM, P2_ERR_WEAK_KEY: nothing
 * is installed. */
int p2_pair_install(struct p2_exchange *quick, struct p2_bytes shared) P2_WARN_UNUSED;
/* The outbound half may be used; the pair becomes the tunnel's current one, older pairs stop rekeying. */
void p2_pair_authorise(struct p2_gateway *gw, struct p2_sa_pair *pair);
/* A packet of the peer verified under the pair: the pairs it replaces may retire. */
void p2_pair_confirmed(struct p2_gateway *gw, struct p2_sa_pair *pair);
/* A packet that came from this address bears an SPI that is not known: if we share an ISAKMP SA with the
 * sender, it is told, for it may be using an SA of which the DELETE got lost. Once a second at most. */
void p2_pair_unknown(struct p2_gateway *gw, const struct p2_address *source, enum p2_protocol protocol,
                     uint32_t spi);
/* False: the peer told us, or is dead, or knows nothing of the SAs any more. */
bool p2_removal_is_ours(enum p2_removal why);
/* Tells the peer if the removal is ours. */
void p2_pair_remove(struct p2_gateway *gw, struct p2_sa_pair *pair, enum p2_removal why);
void p2_pair_timer(struct p2_gateway *gw, struct p2_sa_pair *pair, enum p2_timer_kind kind);
/* A packet went through one of its SAs: limits by volume and by number are looked at. */
void p2_pair_used(struct p2_gateway *gw, struct p2_sa_pair *pair, const struct p2_sa *sa);
struct p2_sa_pair *p2_pair_by_spi(struct p2_gateway *gw, uint32_t inbound_spi);
struct p2_sa_pair *p2_pair_by_outbound_spi(struct p2_gateway *gw, const struct p2_peer *peer,
                                           enum p2_protocol protocol, uint32_t spi);
/* Where its packets go. */
const struct p2_address *p2_pair_remote(const struct p2_sa_pair *pair);
/* A fresh inbound SPI. */
uint32_t p2_spi_new(struct p2_gateway *gw);

/* --- data path (datapath.c; outbound.c, inbound.c) --- */

#define P2_OUTER_TTL 64

/* A clear packet for this pair; a whole IP packet with ESP or AH in it; the payload of a datagram that is
 * ESP. Done within the call, or as a job if the host prices them. */
void p2_outbound(struct p2_gateway *gw, struct p2_sa_pair *pair, const struct p2_ip_view *packet);
void p2_inbound(struct p2_gateway *gw, const uint8_t *packet, size_t len);
void p2_inbound_udp(struct p2_gateway *gw, const struct p2_datagram *datagram);
/* Through the SAs of the pair; what comes out leaves as an action. */
enum p2_drop p2_seal_packet(struct p2_gateway *gw, struct p2_sa_pair *pair, const struct p2_ip_view *packet);
enum p2_drop p2_open_packet(struct p2_gateway *gw, struct p2_sa_pair *pair, const struct p2_ip_view *packet);
/* What can be told for nothing, before the CPU has to work: length and window, of the outermost SA. */
enum p2_drop p2_glance(const struct p2_sa_pair *pair, const struct p2_sa *sa,
                       const struct p2_ip_view *packet);
/* Such a job is over: the packet is processed and the job goes back to the pool. */
void p2_packet_job_done(struct p2_gateway *gw, struct p2_job *job);

/* --- the gateway itself (gateway.c) --- */

struct p2_gateway {
    struct p2_random random;
    bool defer_ipsec;
    struct p2_peer *peers;
    size_t num_peers;
    struct p2_tunnel *tunnels;
    size_t num_tunnels;

    struct p2_map peers_by_address, isakmp_by_cookie, pairs_by_spi, pairs_by_outbound, jobs_by_id;
    struct p2_spd spd; /* to tunnels */
    struct p2_timers timers;
    struct p2_isakmp_sa *isakmp_sas;
    struct p2_sa_pair *pairs, *last_pair;
    struct p2_exchange *graveyard; /* ended; freed at the next call, since actions may point into them */
    size_t num_exchanges, num_negotiations;
    uint64_t instants; /* counts what has an order within one instant of time too */

    uint64_t next_job;
    struct p2_job *free_jobs;

    p2_time now;
    uint64_t mark;        /* of the present input; 0 if it is a data packet */
    uint64_t packet_mark; /* of the present data packet */
    uint16_t udp_port;    /* that it came from, if it arrived in UDP; 0: it did not */
    int error;            /* of the present call */

    struct p2_action *actions; /* a ring */
    size_t actions_capacity, first_action, num_actions;
    struct p2_action spill; /* where an action goes when the ring could not grow */
    uint8_t *packet;        /* data packets of this call, one behind the other: P2_PACKET_ARENA bytes */
    size_t packet_used;
    uint8_t *scratch;   /* one of them, between two protocols: P2_PACKET_MAX + 1 bytes */
    uint8_t *unwrapped; /* one that came in UDP, as if it had come without; a piece of one that leaves */
    uint16_t identification;
};

/* The next action to fill in: its mark is the present input's, or with p2_emit_packet the present data
 * packet's. */
struct p2_action *p2_emit(struct p2_gateway *gw, enum p2_action_type type);
struct p2_action *p2_emit_packet(struct p2_gateway *gw, enum p2_action_type type);
/* Returns the action, for what else there is to say of it. */
struct p2_action *p2_drop(struct p2_gateway *gw, enum p2_drop reason, uint32_t spi, bool ipsec);
void p2_fail_memory(struct p2_gateway *gw);
void p2_arm(struct p2_gateway *gw, struct p2_timer *timer, p2_time at);
void p2_random_fill(struct p2_gateway *gw, enum p2_random_use use, void *out, size_t len);

/* A job for the host; `continues`: a further stage on the same core. False: out of memory, and there is no
 * such job. */
bool p2_job_submit(struct p2_gateway *gw, struct p2_job *job, const struct p2_work *work, bool continues);
/* Withdraws it if it is outstanding. */
void p2_job_cancel(struct p2_gateway *gw, struct p2_job *job);
struct p2_job *p2_job_take(struct p2_gateway *gw, uint64_t id);
/* Copies a data packet into a pooled job of its pair (NULL: of none); NULL when out of memory. */
struct p2_job *p2_job_for_packet(struct p2_gateway *gw, enum p2_job_kind kind, struct p2_sa_pair *pair,
                                 const uint8_t *packet, size_t len);
void p2_job_release(struct p2_gateway *gw, struct p2_job *job);
void p2_jobs_cleanup(struct p2_gateway *gw);

#endif
