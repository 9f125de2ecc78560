/* What Phase 1 shows to everybody (RFC 2409 section 5): who began, the algorithms, g^xi and g^xr, and the
 * last ciphertext block, from which every later IV stems. */
#include "listener.h"

#include <string.h>

/* RFC 2409 appendix A. */
enum {
    CIPHER = 1,
    HASH = 2,
    AUTH_METHOD = 3,
    GROUP = 4,
    LIFE_TYPE = 11,
    LIFE_DURATION = 12,
    KEY_LENGTH = 14
};
enum { SECONDS = 1 };

static void read_transform(struct explain_isakmp *i, struct p2_bytes attributes)
{
    struct p2_reader r = p2_reader_init(attributes.data, attributes.len);
    struct p2_attribute a;
    uint64_t life_type = SECONDS;
    i->key_bits = 0;
    while (p2_isakmp_next_attribute(&r, &a)) {
        uint16_t value = (uint16_t)a.value;
        if (a.type == CIPHER)
            i->cipher_id = value;
        else if (a.type == HASH)
            i->hash_id = value;
        else if (a.type == AUTH_METHOD)
            i->auth_method = value;
        else if (a.type == GROUP)
            i->group = value;
        else if (a.type == KEY_LENGTH)
            i->key_bits = value;
        else if (a.type == LIFE_TYPE)
            life_type = a.value;
        else if (a.type == LIFE_DURATION && life_type == SECONDS)
            i->lifetime_s = a.value;
    }
}

/* The answer has one transform, the one that was chosen. */
static int read_sa(struct explanation *e, struct explain_isakmp *i, size_t message,
                   const struct p2_payload *p)
{
    struct p2_isakmp_sa_payload sa;
    bool by_initiator = p2_address_equal(&e->messages[message].source, &i->initiator);
    if (p2_isakmp_parse_sa(&sa, p->body) < 0 || sa.num == 0)
        return P2_OK;
    if (by_initiator && i->offer == EXPLAIN_NONE)
        i->offer = message;
    if (!by_initiator && i->answer == EXPLAIN_NONE)
        i->answer = message;
    if (by_initiator && sa.num != 1)
        return P2_OK;
    read_transform(i, sa.transforms[0].attributes);
    return explain_prepare_keys(e, i);
}

/* Only the first message has no responder's cookie; of the others, a main mode's first KE is the initiator's.
 */
static void note_initiator(struct explain_isakmp *i, const struct explain_message *m,
                           const struct p2_payloads *p)
{
    static const uint8_t none[8];
    bool first = memcmp(m->header.responder_cookie, none, 8) == 0;
    bool answer = !first && p2_isakmp_find(p, P2_PAYLOAD_SA, 0);
    bool third =
        m->header.exchange_type == P2_EXCHANGE_MAIN && !answer && p2_isakmp_find(p, P2_PAYLOAD_KE, 0);
    if (i->initiator_known || !(first || answer || third))
        return;
    i->initiator = answer ? m->destination : m->source;
    i->responder = answer ? m->source : m->destination;
    i->initiator_known = true;
}

int explain_phase1(struct explanation *e, size_t message)
{
    const struct explain_message *m = &e->messages[message];
    struct explain_isakmp *i = &e->isakmps[e->exchanges[m->exchange].isakmp];
    struct p2_payloads p;
    if (i->phase1 == EXPLAIN_NONE)
        i->phase1 = m->exchange;
    if (m->reading != EXPLAIN_CLEAR || !explain_payloads(m, &p))
        return P2_OK;
    note_initiator(i, m, &p);
    const struct p2_payload *sa = p2_isakmp_find(&p, P2_PAYLOAD_SA, 0),
                            *ke = p2_isakmp_find(&p, P2_PAYLOAD_KE, 0);
    size_t side = p2_address_equal(&m->source, &i->initiator) ? 0 : 1;
    if (ke && !i->ke_body[side].data)
        i->ke_body[side] = ke->body;
    return sa ? read_sa(e, i, message, sa) : P2_OK;
}

void explain_phase1_block(struct explanation *e, size_t message)
{
    const struct explain_message *m = &e->messages[message];
    struct explain_isakmp *i = &e->isakmps[e->exchanges[m->exchange].isakmp];
    const size_t size = sizeof i->last_blocks / sizeof i->last_blocks[0];
    struct p2_bytes bytes = explain_isakmp_bytes(m);
    size_t block = i->known != EXPLAIN_NONE && i->can_decrypt ? p2_cipher_of(i->keys->cipher)->block_len : 0;
    if (block == 0 || bytes.len < P2_ISAKMP_HEADER_LEN + block)
        return;
    memmove(i->last_blocks[1], i->last_blocks[0], (size - 1) * sizeof i->last_blocks[0]);
    memset(i->last_blocks[0], 0, sizeof i->last_blocks[0]);
    memcpy(i->last_blocks[0], bytes.data + bytes.len - block, block);
    i->num_last_blocks += i->num_last_blocks < size;
    i->iv_differs = e->known->isakmp[i->known].has_iv &&
                    memcmp(e->known->isakmp[i->known].iv, i->last_blocks[0], block) != 0;
}
