/* What became of a capture: the model that every form of the answer (text, JSON) is written from.
 *
 * The listener fills it, packet by packet; writers only read it. Everything refers to everything by index,
 * and indexes are in the order of the capture, so that the same capture gives the same answer. Memory is
 * bounded by the limits below: what comes after them is counted and not kept. */
#ifndef P2_EXPLAIN_EXPLANATION_H
#define P2_EXPLAIN_EXPLANATION_H

#include "ah.h"
#include "esp.h"
#include "frames.h"
#include "isakmp.h"
#include "keymat.h"
#include "keys.h"
#include "map.h"
#include "proposal.h"
#include "replay.h"
#include "selector.h"

#define EXPLAIN_MAX_MESSAGES      200000
#define EXPLAIN_MAX_MESSAGE_BYTES (64u << 20) /* of all messages together */
#define EXPLAIN_MAX_SAS           16384       /* negotiated, or with keys */
#define EXPLAIN_MAX_UNKNOWN_SPIS  4096
#define EXPLAIN_MAX_KEYED_ISAKMPS 8192 /* those after them are as if no keys were given */
#define EXPLAIN_MAX_PAIRS         4096
#define EXPLAIN_MAX_RUNS          200000
#define EXPLAIN_WINDOW            64 /* packets: the width of the replay window unless told otherwise */

#define EXPLAIN_NONE SIZE_MAX /* an index: there is none */

/* Two addresses that speak with each other, the one that was heard first before the other. */
struct explain_pair {
    struct p2_address peer[2];
    size_t first_event, last_event; /* EXPLAIN_NONE: none */
    size_t first_offer, last_offer; /* exchanges whose message 1 was read; EXPLAIN_NONE */
    uint64_t epoch;                 /* counts messages: runs of packets end at each */
};

/* A line of a ladder: a message, or a run of packets of one SA between two messages. */
struct explain_event {
    size_t message; /* EXPLAIN_NONE: a run */
    size_t sa;
    uint64_t packets, bad, replayed, too_old;
    uint64_t first_frame, last_frame;
    p2_time first_at, last_at;
    bool from_first; /* sent by pair->peer[0] */
    size_t next;     /* of the same pair */
};

/* --- ISAKMP --- */

enum explain_hash {
    EXPLAIN_HASH_ABSENT,    /* it has none */
    EXPLAIN_HASH_UNCHECKED, /* SKEYID_a or a nonce is not known */
    EXPLAIN_HASH_GOOD,
    EXPLAIN_HASH_BAD
};

enum explain_reading {
    EXPLAIN_CLEAR,     /* was not encrypted */
    EXPLAIN_DECRYPTED, /* payloads came out */
    EXPLAIN_NO_KEYS,
    EXPLAIN_NONSENSE, /* there are keys, but no payloads came out */
    EXPLAIN_BROKEN    /* cut by the capture, or its length or payloads do not hold */
};

struct explain_message {
    uint64_t frame;
    p2_time at;
    struct p2_address source, destination;
    uint16_t source_port, destination_port;
    uint8_t *packet; /* the IP packet, owned; what the capture kept of it */
    size_t packet_len;
    size_t isakmp_at, isakmp_len; /* of the message in the packet */
    uint8_t *plain;               /* owned; NULL: not decrypted */
    size_t plain_len;
    struct p2_isakmp_header header;
    size_t exchange;
    size_t pair;
    size_t copy_of;   /* the first one of identical messages; EXPLAIN_NONE: this is it */
    unsigned copies;  /* further ones that came later */
    size_t last_copy; /* of them; EXPLAIN_NONE: there are none */
    size_t next;      /* of the same exchange, copies left out */
    unsigned number;  /* its place in its exchange, from 1; 0: none was found for it */
    enum explain_reading reading;
    enum explain_hash hash;
};

/* An ISAKMP SA, or the attempt at one. */
struct explain_isakmp {
    uint8_t initiator_cookie[8], responder_cookie[8];
    struct p2_address initiator, responder;
    bool initiator_known; /* Phase 1 showed it; else it is whoever started the first Quick Mode */
    size_t known;         /* in known_keys; EXPLAIN_NONE */
    bool can_decrypt;     /* keys->cipher_key is ready, hash is known */
    bool can_verify, can_derive;
    struct p2_isakmp_keys *keys; /* owned; NULL: none are known */
    /* Possible last blocks of Phase 1, the likeliest first. */
    uint8_t last_blocks[4][P2_CIPHER_MAX_BLOCK];
    size_t num_last_blocks;
    bool iv_differs; /* the keys' IV is not what Phase 1 ended with in this capture */
    /* What Phase 1 showed in clear: */
    size_t phase1; /* exchange; EXPLAIN_NONE: not in the capture */
    uint16_t cipher_id, key_bits, hash_id, auth_method, group;
    uint64_t lifetime_s;
    size_t offer, answer;       /* messages; EXPLAIN_NONE */
    struct p2_bytes ke_body[2]; /* g^xi, g^xr; borrowed from the messages; NULL: not seen */
    size_t deleted;             /* the message that took it down */
    size_t latest_quick;        /* exchange; EXPLAIN_NONE */
    size_t opened, nonsense;    /* encrypted messages of Phase 2 that could be read, and not */
};

enum explain_outcome { EXPLAIN_ESTABLISHED, EXPLAIN_REJECTED, EXPLAIN_INCOMPLETE, EXPLAIN_UNDECRYPTABLE };

#define EXPLAIN_PARTS 4 /* messages 1 to 3 of a Quick Mode, and CONNECTED */

/* Everything under one message ID (0: Phase 1). */
struct explain_exchange {
    size_t isakmp, pair;
    uint32_t message_id;
    uint8_t type;       /* of its first message */
    bool quick;         /* it had a Quick Mode message */
    size_t older_quick; /* of the same ISAKMP SA; EXPLAIN_NONE */
    size_t next_offer;  /* the exchange of the same pair whose message 1 was read next; EXPLAIN_NONE */
    struct p2_address starter;
    unsigned messages;  /* on the wire, copies included */
    size_t first, last; /* messages, copies left out */
    p2_time began, ended;
    uint8_t iv[P2_CIPHER_MAX_BLOCK]; /* behind the last message that was read */
    bool has_iv;
    /* A Quick Mode: */
    size_t part[EXPLAIN_PARTS];
    struct p2_bytes nonce[2];
    bool has_ke[2];
    uint16_t group;            /* of the choice, or of the first transform offered; 0: no PFS */
    bool has_ids;              /* both proxy IDs name addresses */
    struct p2_selector ids[2]; /* IDci, IDcr */
    size_t secret;             /* in known_keys; EXPLAIN_NONE */
    bool chosen;               /* message 2 named a proposal of message 1 */
    uint16_t notify;           /* the refusal; 0: none */
    size_t notify_message;     /* that brought it */
    bool notify_by_starter;
    size_t sas[4];
    size_t num_sas;
};

/* --- IPsec --- */

struct explain_sa {
    uint32_t spi;
    enum p2_protocol protocol;
    size_t exchange; /* that made it; EXPLAIN_NONE: it is only known by its packets, or from esp_sa */
    size_t known;    /* in known_keys->esp; EXPLAIN_NONE */
    size_t older;    /* another one with this protocol and SPI */
    size_t pair;
    struct p2_address source, destination; /* of its first packet, else the peers */
    bool to_starter;                       /* of its Quick Mode; addresses may change behind NAT */
    uint16_t mode; /* 1 tunnel, 2 transport, 0: not known; the UDP forms say so in `in_udp` */
    bool in_udp, esn;
    char encryption[64], authentication[64]; /* "aes-128-cbc"; "ESP transform 99"; "none" */
    struct p2_algorithms algorithms;         /* NONE, NONE: not ours, or not known */
    uint64_t lifetime_s, lifetime_kb;        /* 0: not told */
    bool has_keys;
    uint8_t encryption_key[P2_CIPHER_MAX_KEY], authentication_key[P2_HASH_MAX_LEN];
    size_t encryption_key_len, authentication_key_len;
    union {
        struct p2_esp_keys esp;
        struct p2_ah_keys ah;
    } * keys; /* owned; NULL: none */
    struct p2_replay window;
    bool has_window;
    uint64_t top; /* highest number that verified */

    uint64_t packets, bytes;                  /* bytes: of the IP packets */
    uint64_t icv_ok, icv_bad, no_icv, unread; /* unread: no keys, or cut by the capture */
    uint64_t replayed, too_old, late; /* of those whose ICV is good; late: behind others, but in the window */
    uint64_t bad_padding, dummies;
    uint64_t outside; /* inner packets that the proxy IDs do not cover */
    uint64_t first_sequence;
    uint64_t first_frame, last_frame;
    p2_time first_at, last_at;
    uint64_t bad_frame, replayed_frame; /* the first such one */
    char inside[128];                   /* what the first packet held: "10.1.0.1 to 10.2.0.1 icmp" */
    size_t deleted;                     /* the message whose DELETE named it */
    uint64_t run_epoch;                 /* of its pair, when its run began */
    size_t run;                         /* event */
};

struct explain_ipsec_counts {
    uint64_t packets, icv_ok, icv_bad, unknown_spi, replayed, too_old;
    uint64_t no_icv, no_keys; /* authenticated by nothing; of an SA without keys, or cut by the capture */
};

#define EXPLAIN_MAX_SAMPLES 256

/* A data packet kept for the annotated dump: the first two of each SA, and the first of each trouble. */
struct explain_sample {
    uint64_t frame;
    p2_time at;
    size_t sa;
    uint8_t *packet, *plain; /* owned; plain NULL: not decrypted */
    size_t packet_len, plain_len;
    size_t trailer_len; /* of plain: ESP's padding, pad length and next header */
    uint8_t next_header;
    const char *why; /* a literal */
};

struct explanation {
    const struct known_keys *known;
    uint32_t window_width;
    bool keep_samples;
    struct p2_map isakmp_places, exchange_places, sa_places, pair_places; /* index + 1 */
    struct explain_pair *pairs;
    struct explain_event *events;
    struct explain_message *messages;
    struct explain_isakmp *isakmps;
    struct explain_exchange *exchanges;
    struct explain_sa *sas;
    struct explain_sample *samples;
    size_t num_pairs, num_events, num_messages, num_isakmps, num_exchanges, num_sas, num_samples;
    size_t message_bytes, num_unknown_spis, num_keyed_sas, num_keyed_isakmps;

    p2_time first_at;
    bool any;
    struct frames_counts frames;
    int link_type;
    char broken[FRAMES_ERROR]; /* why the capture could not be read to its end; "": it was */
    struct explain_ipsec_counts ipsec;
    uint64_t isakmp_messages, not_isakmp, ikev2, foreign;
    uint64_t beyond_limits;  /* messages that were not kept */
    uint8_t *plain, *opened; /* P2_EXPLAIN_MAX_PACKET each: scratch */
};

#define EXPLAIN_MAX_PACKET 65600

/* P2_OK or P2_ERR_NOMEM. known is borrowed. window: packets, 0 to P2_REPLAY_MAX_WIDTH; 0: off. */
int explanation_new(struct explanation **explanation, const struct known_keys *known, uint32_t window,
                    bool keep_samples) P2_WARN_UNUSED;
void explanation_free(struct explanation *explanation);
/* Listens to one packet. P2_OK or P2_ERR_NOMEM. */
int explanation_hear(struct explanation *explanation, const struct frame *frame) P2_WARN_UNUSED;
/* All of a capture; what could not be read is in `broken`. P2_OK or P2_ERR_NOMEM. */
int explanation_read(struct explanation *explanation, struct frames *frames) P2_WARN_UNUSED;

/* --- asked of it --- */

enum explain_outcome explain_outcome(const struct explanation *e, const struct explain_exchange *x);
const char *explain_outcome_name(enum explain_outcome outcome); /* "established" */
/* Whether the ISAKMP SA's initiator started it. */
bool explain_started_by_initiator(const struct explanation *e, const struct explain_exchange *x);
/* Itself, or the message that it is a copy of: only that one was read. */
const struct explain_message *explain_original(const struct explanation *e, const struct explain_message *m);
/* The message's ISAKMP part. */
struct p2_bytes explain_isakmp_bytes(const struct explain_message *m);
/* What HASH and payloads are taken from: plain, or what follows the header in clear. False: they do not
 * parse. */
bool explain_payloads(const struct explain_message *m, struct p2_payloads *payloads);
/* The SA payload of a message of Phase 2, with a transform or more in it. False: there is none, or it does
 * not parse.
 */
bool explain_sa_payload(const struct explain_message *m, struct p2_isakmp_sa_payload *sa);
/* Whether any message of a Quick Mode found its place. */
bool explain_was_read(const struct explain_exchange *x);
/* Seconds since the first packet. */
double explain_since(const struct explanation *e, p2_time at);
/* "group14", "none". */
void explain_group_name(uint16_t group, char *text, size_t size);

#endif
