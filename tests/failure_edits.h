/* Changes to authentic messages (sim/forge.h) that make them what no policy sends.
 *
 * The body of a Quick Mode's SA payload: DOI and situation, at 8 the proposal with its SPI at 16, at 20 the
 * transform, at 28 its attributes: key length, HMAC [, group], mode, lifetime. Phase 1's has no SPI: its
 * transform is at 16, its attributes at 24: cipher, key length, hash, group, method, lifetime. */
#ifndef P2_TESTS_FAILURE_EDITS_H
#define P2_TESTS_FAILURE_EDITS_H

#include "sim/forge.h"

enum { DOI = 3, PROPOSAL = 8, SPI = 16, TRANSFORM = 20, ATTRIBUTES = 28 };

static inline uint8_t *sa_of(struct forge_message *m)
{
    return forge_find(m, P2_PAYLOAD_SA)->body;
}

static inline void grow(uint8_t *length, int by)
{
    p2_put_u16(length, (uint16_t)(p2_get_u16(length) + by));
}

static inline void two_byte_spi(struct forge_message *m)
{
    struct forge_payload *sa = forge_find(m, P2_PAYLOAD_SA);
    memmove(sa->body + SPI + 2, sa->body + SPI + 4, sa->len - SPI - 4);
    sa->len -= 2;
    sa->body[PROPOSAL + 6] = 2;
    grow(sa->body + PROPOSAL + 2, -2);
}

static inline void reserved_spi(struct forge_message *m)
{
    p2_put_u32(sa_of(m) + SPI, 255);
}

static inline void attribute_past_the_end(struct forge_message *m)
{
    struct forge_payload *sa = forge_find(m, P2_PAYLOAD_SA);
    p2_put_u16(sa->body + sa->len - 4, 2); /* the long form, of so many bytes as the lifetime has seconds */
}

static inline void unknown_attribute(struct forge_message *m)
{
    struct forge_payload *sa = forge_find(m, P2_PAYLOAD_SA);
    p2_put_u32(sa->body + sa->len, 0x80090001);
    sa->len += 4;
    grow(sa->body + PROPOSAL + 2, 4);
    grow(sa->body + TRANSFORM + 2, 4);
}

static inline void ipcomp(struct forge_message *m)
{
    sa_of(m)[PROPOSAL + 5] = 4;
}

static inline void transform_3des(struct forge_message *m)
{
    sa_of(m)[TRANSFORM + 5] = 3;
}

static inline void transform_250(struct forge_message *m)
{
    sa_of(m)[TRANSFORM + 5] = 250;
}

static inline void auth_99(struct forge_message *m)
{
    p2_put_u16(sa_of(m) + ATTRIBUTES + 6, 99);
}

static inline void mode_9(struct forge_message *m)
{
    p2_put_u16(sa_of(m) + ATTRIBUTES + 10, 9);
}

static inline void group_99(struct forge_message *m)
{
    p2_put_u16(sa_of(m) + ATTRIBUTES + 10, 99);
}

static inline void proposal_9(struct forge_message *m)
{
    sa_of(m)[PROPOSAL + 4] = 9;
}

static inline void other_doi(struct forge_message *m)
{
    sa_of(m)[DOI] = 2;
}

static inline void no_sa(struct forge_message *m)
{
    forge_remove(m, P2_PAYLOAD_SA);
}

static inline void no_nonce(struct forge_message *m)
{
    forge_remove(m, P2_PAYLOAD_NONCE);
}

static inline void nonce_of(struct forge_message *m, size_t len)
{
    struct forge_payload *nonce = forge_find(m, P2_PAYLOAD_NONCE);
    memset(nonce->body, 0x5a, len);
    nonce->len = len;
}

static inline void nonce_7(struct forge_message *m)
{
    nonce_of(m, 7);
}

static inline void nonce_257(struct forge_message *m)
{
    nonce_of(m, 257);
}

static inline void no_ke(struct forge_message *m)
{
    forge_remove(m, P2_PAYLOAD_KE);
}

static inline void long_ke(struct forge_message *m)
{
    forge_find(m, P2_PAYLOAD_KE)->len++;
}

/* g^x = 1 needs no logarithm. */
static inline void ke_of_one(struct forge_message *m)
{
    struct forge_payload *ke = forge_find(m, P2_PAYLOAD_KE);
    memset(ke->body, 0, ke->len);
    ke->body[ke->len - 1] = 1;
}

static inline void unwanted_ke(struct forge_message *m)
{
    uint8_t value[128] = {2};
    forge_add(m, P2_PAYLOAD_KE, value, sizeof(value));
}

static inline void type_130(struct forge_message *m)
{
    forge_add(m, 130, "NAT-D of a draft", 16);
}

static inline void certificate(struct forge_message *m)
{
    forge_add(m, 6, "a certificate", 13);
}

static inline void id_type_11(struct forge_message *m)
{
    forge_find(m, P2_PAYLOAD_ID)->body[0] = 11; /* ID_KEY_ID */
}

static inline void one_id(struct forge_message *m)
{
    forge_remove(m, P2_PAYLOAD_ID);
}

static inline void no_ids(struct forge_message *m)
{
    one_id(m);
    one_id(m);
}

static inline void other_id(struct forge_message *m)
{
    forge_find(m, P2_PAYLOAD_ID)->body[5] = 9; /* 10.9.0.0/24 */
}

static inline void cut_lifetime(struct forge_message *m)
{
    static const uint8_t body[] = {0, 0, 0, 1, P2_PROTO_ESP, 0, 0x60, 0, 0x80, 1, 0};
    forge_add(m, P2_PAYLOAD_NOTIFY, body, sizeof(body));
}

/* --- Phase 1 --- */

static inline void phase1_transform_9(struct forge_message *m)
{
    sa_of(m)[16 + 5] = 9;
}

static inline void phase1_attribute_77(struct forge_message *m)
{
    p2_put_u16(sa_of(m) + 24, 0x8000 | 77);
}

static inline void phase1_signatures(struct forge_message *m)
{
    p2_put_u16(sa_of(m) + 24 + 16 + 2, 3);
}

static inline void phase1_group_99(struct forge_message *m)
{
    p2_put_u16(sa_of(m) + 24 + 12 + 2, 99);
}

#endif
