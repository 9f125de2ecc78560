/* Building the messages of Quick Mode, and what they cost. */
#include "quick.h"

/* The responder answers with the IDs that it got (RFC 2409 section 5.5), however it writes them itself. */
static void add_ids(struct p2_exchange *ex, struct p2_message *m)
{
    const struct p2_quick_state *q = &ex->u.quick;
    const struct p2_tunnel_config *config = &q->tunnel->config;
    uint8_t id[P2_SELECTOR_ID_MAX];
    for (size_t i = 0; i < 2; i++) {
        const struct p2_selector *own = i == 0 ? &config->local : &config->remote;
        if (ex->initiator)
            p2_message_add(m, P2_PAYLOAD_ID, id, p2_selector_to_id(own, id));
        else
            p2_message_add(m, P2_PAYLOAD_ID, q->ids[i], q->ids_len[i]);
    }
}

/* RESPONDER-LIFETIME (RFC 2407 section 4.6.3.1): our lifetimes are shorter, and this is how to say so. */
static void add_lifetimes(struct p2_exchange *ex, struct p2_message *m)
{
    const struct p2_quick_state *q = &ex->u.quick;
    const struct p2_offer_choice *choice = &q->choice;
    enum p2_protocol protocol = choice->suite.protocol[0];
    p2_message_open(m, P2_PAYLOAD_NOTIFY);
    p2_build_notify(&m->b, (uint8_t)protocol, 4, P2_NOTIFY_RESPONDER_LIFETIME);
    p2_build_u32(&m->b, q->spi_in[p2_spi_index(protocol)]);
    p2_offer_build_lifetimes(&m->b, choice->claims_s ? choice->lifetime_s : 0,
                             choice->claims_kb ? choice->lifetime_kb : 0);
    p2_message_close(m);
}

void p2_quick_build(struct p2_exchange *ex, struct p2_message *m, uint8_t *buffer, size_t capacity)
{
    const struct p2_quick_state *q = &ex->u.quick;
    struct p2_isakmp_header header = p2_exchange_header(ex, true);
    struct p2_offer_context context = p2_quick_context(ex);
    if (q->commit && !ex->initiator)
        header.flags |= P2_FLAG_COMMIT;
    p2_message_begin_hashed(ex, m, buffer, capacity, &header);
    p2_message_open(m, P2_PAYLOAD_SA);
    if (ex->initiator)
        p2_offer_build(&m->b, &context, q->spi_in);
    else
        p2_offer_build_answer(&m->b, q->choice.parts, q->choice.num, q->spi_in);
    p2_message_close(m);
    if (ex->initiator)
        p2_message_add(m, P2_PAYLOAD_NONCE, q->nonce_i, q->nonce_i_len);
    else
        p2_message_add(m, P2_PAYLOAD_NONCE, q->nonce_r, q->nonce_r_len);
    if (q->group != P2_GROUP_NONE)
        p2_message_add(m, P2_PAYLOAD_KE, q->public_key, p2_group_of(q->group)->public_len);
    if (q->has_ids)
        add_ids(ex, m);
    p2_nat_add_originals(ex, m);
    if (!ex->initiator && (q->choice.claims_s || q->choice.claims_kb))
        add_lifetimes(ex, m);
}

void p2_quick_build_connected(struct p2_exchange *ex, struct p2_message *m, uint8_t *buffer, size_t capacity)
{
    const struct p2_quick_state *q = &ex->u.quick;
    struct p2_isakmp_header header = p2_exchange_header(ex, true);
    enum p2_protocol protocol = q->choice.suite.protocol[0];
    header.exchange_type = P2_EXCHANGE_INFORMATIONAL;
    p2_message_begin_hashed(ex, m, buffer, capacity, &header);
    p2_message_open(m, P2_PAYLOAD_NOTIFY);
    p2_build_notify(&m->b, (uint8_t)protocol, 4, P2_NOTIFY_CONNECTED);
    p2_build_u32(&m->b, q->spi_in[p2_spi_index(protocol)]);
    p2_message_close(m);
}

/* --- what it costs --- */

/* HASH over and encryption of a message that has so many bytes of payloads. */
static void work_protect(const struct p2_exchange *ex, struct p2_work *work, enum p2_operation direction,
                         size_t hashed, size_t payloads)
{
    p2_work_add(work, P2_OP_HMAC, ex->isakmp->keys.hash, 1, hashed);
    enum p2_cipher cipher = ex->isakmp->keys.cipher;
    p2_work_add(work, direction, cipher, 1, p2_cipher_whole_blocks(cipher, payloads));
}

void p2_quick_work_verify(struct p2_exchange *ex, struct p2_work *work)
{
    size_t len = ex->inbox_len - P2_ISAKMP_HEADER_LEN;
    if (ex->state == P2_STATE_START) /* the exchange's own first IV */
        p2_work_add(work, P2_OP_HASH, ex->isakmp->keys.hash, 1, P2_CIPHER_MAX_BLOCK + 4);
    work_protect(ex, work, P2_OP_DECRYPT, len, len);
}

static void work_build(struct p2_exchange *ex, struct p2_work *work)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    p2_quick_build(ex, &m, buffer, sizeof(buffer));
    size_t len = m.b.len - P2_ISAKMP_HEADER_LEN;
    work_protect(ex, work, P2_OP_ENCRYPT, len, len);
}

void p2_quick_work_message_1(struct p2_exchange *ex, struct p2_work *work)
{
    if (ex->u.quick.group != P2_GROUP_NONE)
        p2_work_add(work, P2_OP_DH_GENERATE, ex->u.quick.group, 1, 0);
    p2_work_add(work, P2_OP_HASH, ex->isakmp->keys.hash, 1, P2_CIPHER_MAX_BLOCK + 4);
    work_build(ex, work);
}

/* KEYMAT of both directions: as many blocks of the prf as the keys need. */
static void work_keymat(struct p2_exchange *ex, struct p2_work *work)
{
    const struct p2_quick_state *q = &ex->u.quick;
    size_t hash_len = p2_hash_of(ex->isakmp->keys.hash)->len, shared = 0, blocks = 0;
    for (size_t i = 0; i < q->choice.suite.num; i++)
        blocks += (p2_algorithms_keymat_len(&q->choice.suite.algorithms[i]) + hash_len - 1) / hash_len;
    if (q->group != P2_GROUP_NONE) {
        p2_work_add(work, P2_OP_DH_DERIVE, q->group, 1, 0);
        shared = p2_group_of(q->group)->secret_len;
    }
    size_t input = hash_len + shared + 5 + q->nonce_i_len + q->nonce_r_len;
    p2_work_add(work, P2_OP_HMAC, ex->isakmp->keys.hash, 2 * blocks, input);
}

void p2_quick_work_message_2(struct p2_exchange *ex, struct p2_work *work)
{
    if (ex->u.quick.group != P2_GROUP_NONE)
        p2_work_add(work, P2_OP_DH_GENERATE, ex->u.quick.group, 1, 0);
    work_keymat(ex, work);
    work_build(ex, work);
}

void p2_quick_work_message_3(struct p2_exchange *ex, struct p2_work *work)
{
    size_t hash_len = p2_hash_of(ex->isakmp->keys.hash)->len;
    work_keymat(ex, work);
    work_protect(ex, work, P2_OP_ENCRYPT, 5 + ex->u.quick.nonce_i_len + ex->u.quick.nonce_r_len,
                 4 + hash_len);
}

void p2_quick_work_connected(struct p2_exchange *ex, struct p2_work *work)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    if (!ex->u.quick.commit)
        return;
    p2_quick_build_connected(ex, &m, buffer, sizeof(buffer));
    work_protect(ex, work, P2_OP_ENCRYPT, m.b.len - P2_ISAKMP_HEADER_LEN, m.b.len - P2_ISAKMP_HEADER_LEN);
}
