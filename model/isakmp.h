/* The ISAKMP codec: header, payload chain, SA payload with its proposals, transforms and attributes. It gives
 * bytes a shape and nothing more; what they mean is decided elsewhere.
 *
 * RFC 2408 section 3, RFC 2409 appendix A, RFC 2407 section 4. Parsed structs borrow the input. */
#ifndef P2_ISAKMP_H
#define P2_ISAKMP_H

#include "cursor.h"

#define P2_ISAKMP_HEADER_LEN 28
#define P2_IKE_MAX_MESSAGE   4096 /* longer ones are malformed to us */

enum p2_payload_type {
    P2_PAYLOAD_NONE = 0,
    P2_PAYLOAD_SA = 1,
    P2_PAYLOAD_PROPOSAL = 2,
    P2_PAYLOAD_TRANSFORM = 3,
    P2_PAYLOAD_KE = 4,
    P2_PAYLOAD_ID = 5,
    P2_PAYLOAD_HASH = 8,
    P2_PAYLOAD_NONCE = 10,
    P2_PAYLOAD_NOTIFY = 11,
    P2_PAYLOAD_DELETE = 12,
    P2_PAYLOAD_VENDOR = 13,
    P2_PAYLOAD_NAT_D = 20,  /* RFC 3947 section 3.2 */
    P2_PAYLOAD_NAT_OA = 21, /* section 5.2 */
};

enum p2_exchange_type {
    P2_EXCHANGE_MAIN = 2, /* RFC 2408: identity protection */
    P2_EXCHANGE_AGGRESSIVE = 4,
    P2_EXCHANGE_INFORMATIONAL = 5,
    P2_EXCHANGE_QUICK = 32,
};

#define P2_FLAG_ENCRYPTED 1
#define P2_FLAG_COMMIT    2

#define P2_DOI_IPSEC         1
#define P2_SIT_IDENTITY_ONLY 1
#define P2_TRANSFORM_KEY_IKE 1

/* RFC 2408 section 3.14.1 */
enum p2_notify {
    P2_NOTIFY_INVALID_PAYLOAD_TYPE = 1,
    P2_NOTIFY_INVALID_SPI = 11,
    P2_NOTIFY_NO_PROPOSAL_CHOSEN = 14,
    P2_NOTIFY_PAYLOAD_MALFORMED = 16,
    P2_NOTIFY_INVALID_KEY_INFORMATION = 17,
    P2_NOTIFY_INVALID_ID_INFORMATION = 18,
    P2_NOTIFY_INVALID_HASH_INFORMATION = 23,
    P2_NOTIFY_AUTHENTICATION_FAILED = 24,
    /* status: RFC 2408 section 3.14.1, RFC 2407 section 4.6.3, and RFC 3706 section 5 */
    P2_NOTIFY_CONNECTED = 16384,
    P2_NOTIFY_RESPONDER_LIFETIME = 24576,
    P2_NOTIFY_INITIAL_CONTACT = 24578,
    P2_NOTIFY_R_U_THERE = 36136,
    P2_NOTIFY_R_U_THERE_ACK = 36137,
};

struct p2_isakmp_header {
    uint8_t initiator_cookie[8];
    uint8_t responder_cookie[8];
    uint8_t next_payload;
    uint8_t version; /* 0x10 */
    uint8_t exchange_type;
    uint8_t flags;
    uint32_t message_id;
    uint32_t length; /* of the whole message */
};

/* P2_OK, or P2_ERR_MALFORMED: too short, another version, or a length that is not the datagram's. */
int p2_isakmp_parse_header(struct p2_isakmp_header *header, const uint8_t *data, size_t len) P2_WARN_UNUSED;

struct p2_payload {
    uint8_t type;
    struct p2_bytes whole; /* with its generic header: what HASH(n) covers */
    struct p2_bytes body;
};

#define P2_MAX_PAYLOADS 32

struct p2_payloads {
    size_t num;
    struct p2_payload list[P2_MAX_PAYLOADS];
    size_t len; /* bytes up to the end of the last payload; anything behind that is padding */
};

/* first: the type of the first payload. P2_OK, or P2_ERR_MALFORMED. */
int p2_isakmp_parse_payloads(struct p2_payloads *payloads, uint8_t first, const uint8_t *data,
                             size_t len) P2_WARN_UNUSED;
/* The n-th (from 0) payload of a type; NULL: none. */
const struct p2_payload *p2_isakmp_find(const struct p2_payloads *payloads, uint8_t type, size_t n);

#define P2_MAX_TRANSFORMS 128 /* over all proposals of an SA payload; more are malformed to us */

struct p2_isakmp_transform {
    uint8_t proposal_number, protocol;
    struct p2_bytes spi;
    uint8_t number, id;
    struct p2_bytes attributes;
    size_t proposal; /* which proposal payload it stands in, from 0: an AND shows as two of one number */
};

struct p2_isakmp_sa_payload {
    size_t num;
    size_t num_proposals;
    struct p2_isakmp_transform transforms[P2_MAX_TRANSFORMS];
};

/* body: of the SA payload. P2_OK, or P2_ERR_MALFORMED (also a DOI or situation other than IPsec's). */
int p2_isakmp_parse_sa(struct p2_isakmp_sa_payload *sa, struct p2_bytes body) P2_WARN_UNUSED;

struct p2_attribute {
    uint16_t type;
    uint64_t value;        /* of a short one, or of a long one up to 8 bytes */
    struct p2_bytes bytes; /* of a long one */
};

/* Takes the next attribute off the reader; false at the end or when it does not parse (reader->failed). */
bool p2_isakmp_next_attribute(struct p2_reader *attributes, struct p2_attribute *attribute);

/* A notify payload (RFC 2408 section 3.14). */
struct p2_isakmp_notify {
    uint8_t protocol;
    uint16_t type;
    struct p2_bytes spi, data;
};

/* False: the body is too short for what it says; then whatever did not fit is 0 or empty. */
bool p2_isakmp_parse_notify(struct p2_isakmp_notify *notify, struct p2_bytes body);

/* --- building: payloads in order; "next payload" fields and lengths fill themselves in --- */

struct p2_message {
    struct p2_builder b;
    size_t next_at; /* where the type of the next payload goes */
    size_t payload; /* where the open payload began */
};

void p2_message_begin(struct p2_message *message, uint8_t *buffer, size_t capacity,
                      const struct p2_isakmp_header *header);
void p2_message_open(struct p2_message *message, enum p2_payload_type type);
void p2_message_close(struct p2_message *message);
/* A whole payload at once. */
void p2_message_add(struct p2_message *message, enum p2_payload_type type, const void *body, size_t len);
/* Pads with zeros to a multiple of block (1: none) and sets the message's length. The length, or
 * P2_ERR_SPACE. */
long p2_message_end(struct p2_message *message, size_t block);

/* The body of a notify payload up to its SPI; that of a delete payload (section 3.15) has the number of SPIs
 * in the place of the type. */
void p2_build_notify(struct p2_builder *builder, uint8_t protocol, size_t spi_len, uint16_t type);

/* Short form for values below 65,536, else four bytes (RFC 2408 section 3.3). */
void p2_build_attribute(struct p2_builder *builder, uint16_t type, uint32_t value);

#endif
