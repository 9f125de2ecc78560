/* The SA payload of a Quick Mode: what a policy offers, which offer it accepts, and the answer.
 *
 * RFC 2407 section 4.5 (attributes), RFC 2408 section 4.2 (AND and OR of proposals and transforms), RFC 2409
 * section 5.5 (one group), RFC 3947 section 5.1 (UDP-encapsulated modes). */
#ifndef P2_OFFER_H
#define P2_OFFER_H

#include "gateway.h"
#include "isakmp.h"

/* What both directions of an offer depend on besides the policy. */
struct p2_offer_context {
    const struct p2_policy *policy;
    bool encapsulated; /* Phase 1 found a NAT: the modes are the UDP-encapsulated ones */
    bool initiator;    /* choosing from the answer to our own offer */
};

/* SPIs are kept by protocol: one for ESP, one for AH. */
#define P2_SPI_ESP 0
#define P2_SPI_AH  1
static inline size_t p2_spi_index(enum p2_protocol protocol)
{
    return protocol == P2_PROTO_AH ? P2_SPI_AH : P2_SPI_ESP;
}
/* Whether any proposal of the policy has this protocol. */
bool p2_policy_has(const struct p2_policy *policy, enum p2_protocol protocol);

/* The body of the SA payload: the policy's proposals in its order, numbered from 1; a proposal of two
 * protocols becomes two payloads of one number. */
void p2_offer_build(struct p2_builder *builder, const struct p2_offer_context *context,
                    const uint32_t spi[P2_MAX_BUNDLE]);

#define P2_ATTRIBUTES_MAX                                                                                    \
    128 /* bytes of a transform's attributes that we keep; longer ones are malformed                         \
         */

/* One protocol's part of a choice. */
struct p2_offer_part {
    enum p2_protocol protocol;
    uint8_t proposal_number, transform_number, transform_id;
    uint8_t attributes[P2_ATTRIBUTES_MAX]; /* as they came */
    size_t attributes_len;
    uint32_t spi; /* the peer's */
};

struct p2_offer_choice {
    bool found;
    size_t num;
    struct p2_offer_part parts[P2_MAX_BUNDLE]; /* in the order of the payloads */
    struct p2_suite suite;                     /* in the order of application: ESP before AH */
    bool encapsulated;                         /* in UDP */
    enum p2_group group;
    uint32_t lifetime_s;
    uint32_t lifetime_kb;     /* 0: no limit */
    bool claims_s, claims_kb; /* RESPONDER-LIFETIME is to tell the initiator of ours */
    /* If nothing was found: the field in which the offer that came nearest differs. */
    char field[32], offered[P2_WHY_MAX], acceptable[P2_WHY_MAX];
    const char *rule; /* a literal */
};

/* The first suite, in the initiator's order, that the policy accepts. Also how an initiator checks the
 * answer. */
void p2_offer_choose(struct p2_offer_choice *choice, const struct p2_isakmp_sa_payload *sa,
                     const struct p2_offer_context *context);

/* What one transform says, in our terms: its attributes as they came, not cut to size. */
struct p2_transform_reading {
    uint64_t key_bits, auth_id, group, mode; /* 0: not given; mode then is what the caller takes it for */
    uint64_t seconds, kilobytes;             /* 0: not given, which for kilobytes is no limit */
    uint64_t esn;                            /* 0: not given, 32 bits; else P2_ESN_64_BITS or worse */
    uint16_t unknown_attribute;
    bool malformed;
};

struct p2_transform_reading p2_transform_read(struct p2_bytes attributes, uint16_t mode);
/* P2_CIPHER_NONE, P2_AUTH_NONE: not one of ours, or none (auth_id tells). */
enum p2_cipher p2_transform_cipher(const struct p2_isakmp_transform *transform,
                                   const struct p2_transform_reading *reading);
enum p2_auth p2_transform_auth(const struct p2_transform_reading *reading);
/* What a data path needs of ESP's or AH's transform; false: an algorithm that we do not have, or a
 * combination that cannot be (GCM beside an HMAC, NULL without one, an AH transform with another algorithm's
 * attribute). */
bool p2_transform_algorithms(struct p2_algorithms *algorithms, const struct p2_isakmp_transform *transform,
                             const struct p2_transform_reading *reading);
/* "aes-128-cbc", "ESP transform 99"; "hmac-sha1-96", "none". */
void p2_transform_name_encryption(const struct p2_isakmp_transform *transform,
                                  const struct p2_transform_reading *reading, char *text, size_t size);
void p2_transform_name_authentication(const struct p2_isakmp_transform *transform,
                                      const struct p2_transform_reading *reading, char *text, size_t size);

/* The body of the answering SA payload: the chosen transforms as they came, with our SPIs. */
void p2_offer_build_answer(struct p2_builder *builder, const struct p2_offer_part *parts, size_t num,
                           const uint32_t spi[P2_MAX_BUNDLE]);

/* Data of a RESPONDER-LIFETIME notify (RFC 2407 section 4.6.3.1); 0: not told. */
void p2_offer_build_lifetimes(struct p2_builder *builder, uint32_t lifetime_s, uint32_t lifetime_kb);
/* Shortens both by what the data says; false: it does not parse. */
bool p2_offer_read_lifetimes(struct p2_bytes data, uint32_t *lifetime_s, uint32_t *lifetime_kb);

#endif
