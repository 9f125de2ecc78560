/* Informational exchanges under an ISAKMP SA (RFC 2409 section 5.7): one message, no answer.
 *
 *      HDR*, HASH(1), N or D -->
 *
 * Notifies (RFC 2408 section 3.14) end what they refuse, deletes (section 3.15) take the SAs down that they
 * name. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#define DATA_NOTIFY_FIRST 16384 /* RFC 2408 section 3.14.1: below are errors */

static void build(struct p2_exchange *ex, struct p2_message *m, uint8_t *buffer, size_t capacity)
{
    static const uint8_t zeros[P2_HASH_MAX_LEN];
    struct p2_isakmp_header header = p2_exchange_header(ex, true);
    p2_message_begin(m, buffer, capacity, &header);
    p2_message_add(m, P2_PAYLOAD_HASH, zeros, p2_hash_info(ex->isakmp->keys.hash)->len);
    p2_message_add(m, ex->u.info.payload, ex->u.info.body, ex->u.info.body_len);
}

static enum p2_verdict send(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    build(ex, &m, buffer, sizeof(buffer));
    p2_message_hash(ex, &m, NULL);
    return p2_exchange_send(ex, &m);
}

static void work(struct p2_exchange *ex, struct p2_work *out, enum p2_operation direction, size_t len)
{
    size_t block = p2_cipher_info(ex->isakmp->keys.cipher)->block_len;
    p2_work_add(out, P2_OP_HASH, ex->isakmp->keys.hash, 1, block + 4);
    p2_work_add(out, P2_OP_HMAC, ex->isakmp->keys.hash, 1, len);
    p2_work_add(out, direction, ex->isakmp->keys.cipher, 1, (len + block - 1) / block * block);
}

static void work_send(struct p2_exchange *ex, struct p2_work *out)
{
    work(ex, out, P2_OP_ENCRYPT, 8 + p2_hash_info(ex->isakmp->keys.hash)->len + ex->u.info.body_len);
}

static void work_receive(struct p2_exchange *ex, struct p2_work *out)
{
    work(ex, out, P2_OP_DECRYPT, ex->inbox_len - P2_ISAKMP_HEADER_LEN);
}

static enum p2_failure failure_of_notify(uint16_t notify)
{
    switch (notify) {
    case P2_NOTIFY_NO_PROPOSAL_CHOSEN:
        return P2_FAIL_NO_PROPOSAL_CHOSEN;
    case P2_NOTIFY_INVALID_ID_INFORMATION:
        return P2_FAIL_INVALID_ID_INFORMATION;
    case P2_NOTIFY_INVALID_KEY_INFORMATION:
        return P2_FAIL_INVALID_KEY_INFORMATION;
    case P2_NOTIFY_PAYLOAD_MALFORMED:
        return P2_FAIL_PAYLOAD_MALFORMED;
    case P2_NOTIFY_INVALID_HASH_INFORMATION:
        return P2_FAIL_INVALID_HASH_INFORMATION;
    default:
        return P2_FAIL_PEER_REFUSED;
    }
}

/* The notify has a message ID of its own and its SPI field says nothing. If just one Quick Mode of ours
 * waits, it is that one. Of several it may be any: each keeps the hint and goes on, for what was refused will
 * be sent and refused again, and the others will get their answers meanwhile. NULL: none, or not known yet.
 */
static struct p2_exchange *refused_exchange(struct p2_isakmp_sa *sa, uint16_t notify)
{
    struct p2_exchange *found = NULL;
    size_t num = 0;
    for (struct p2_exchange *ex = sa->exchanges; ex; ex = ex->next) {
        bool waits = ex->kind == &p2_quick_mode && ex->initiator && ex->state != P2_STATE_DONE &&
                     ex->sent_len > 0 && ex->job.id == 0;
        if (!waits)
            continue;
        ex->u.quick.hint = notify;
        found = ex;
        num++;
    }
    return num == 1 ? found : NULL;
}

static void what_we_offered(const struct p2_exchange *quick, enum p2_failure failure, char *text, size_t size)
{
    const struct p2_tunnel_config *config = &quick->u.quick.tunnel->config;
    if (failure == P2_FAIL_INVALID_ID_INFORMATION) {
        p2_selector_format_pair(&config->local, &config->remote, text, size);
    } else {
        char a[P2_PROPOSAL_TEXT];
        const struct p2_group_info *group = p2_group_info(config->policy.pfs);
        p2_proposal_format(&config->policy.proposals[0], a);
        snprintf(text, size, "%s pfs %s%s", a, group ? group->name : "none",
                 config->policy.num_proposals > 1 ? " and others" : "");
    }
}

void p2_notify_detail(const struct p2_exchange *quick, uint16_t notify, struct p2_failure_detail *detail)
{
    *detail = (struct p2_failure_detail){
        .failure = failure_of_notify(notify), .notify = notify, .notify_received = true};
    snprintf(detail->field, sizeof(detail->field), "%s",
             detail->failure == P2_FAIL_INVALID_ID_INFORMATION ? "proxy-id" : "proposal");
    what_we_offered(quick, detail->failure, detail->offered, sizeof(detail->offered));
    snprintf(detail->acceptable, sizeof(detail->acceptable), "the peer does not say");
}

static void receive_notify(struct p2_exchange *ex, struct p2_bytes body)
{
    struct p2_reader r = p2_reader_init(body.data, body.len);
    p2_read_u32(&r);
    p2_read_u8(&r);
    p2_read_u8(&r);
    uint16_t type = p2_read_u16(&r);
    struct p2_exchange *quick = NULL;
    if (!r.failed && type > 0 && type < DATA_NOTIFY_FIRST)
        quick = refused_exchange(ex->isakmp, type);
    if (quick) {
        struct p2_failure_detail detail;
        p2_notify_detail(quick, type, &detail);
        p2_exchange_fail(quick, &detail);
    }
}

/* True: the ISAKMP SA that carries the message is to go. */
static bool receive_delete(struct p2_exchange *ex, struct p2_bytes body)
{
    struct p2_reader r = p2_reader_init(body.data, body.len);
    p2_read_u32(&r);
    uint8_t protocol = p2_read_u8(&r), spi_len = p2_read_u8(&r);
    uint16_t num = p2_read_u16(&r);
    if (protocol == P2_PROTO_ISAKMP) { /* its SPI is the pair of cookies (RFC 2408 section 3.15) */
        struct p2_bytes cookies = p2_read_bytes(&r, 16);
        return !r.failed && spi_len == 16 && memcmp(cookies.data, ex->isakmp->initiator_cookie, 8) == 0 &&
               memcmp(cookies.data + 8, ex->isakmp->responder_cookie, 8) == 0;
    }
    for (unsigned i = 0; i < num && protocol == P2_PROTO_ESP && spi_len == 4; i++) {
        uint32_t spi = p2_read_u32(&r);
        struct p2_sa_pair *pair =
            r.failed ? NULL : p2_pair_by_outbound_spi(ex->gw, ex->isakmp->peer, P2_PROTO_ESP, spi);
        if (pair)
            p2_pair_remove(ex->gw, pair, P2_REMOVED_BY_PEER);
    }
    return false;
}

static enum p2_verdict receive(struct p2_exchange *ex)
{
    bool isakmp_too = false;
    if (p2_exchange_open(ex) < 0 || !p2_exchange_verify_hash(ex, NULL))
        return p2_exchange_drop(ex, P2_DROP_HASH_MISMATCH);
    for (size_t i = 1; i < ex->payloads.num; i++) {
        const struct p2_payload *payload = &ex->payloads.list[i];
        if (payload->type == P2_PAYLOAD_NOTIFY)
            receive_notify(ex, payload->body);
        else if (payload->type == P2_PAYLOAD_DELETE)
            isakmp_too |= receive_delete(ex, payload->body);
    }
    if (!isakmp_too)
        return P2_VERDICT_GOOD;
    p2_isakmp_sa_remove(ex->gw, ex->isakmp); /* and this exchange with it */
    return P2_VERDICT_ENDED;
}

static const struct p2_step steps[] = {
    /* initiator, state, awaits, verify, compute, next state, resends */
    {true, P2_STATE_START, NULL, NULL, NULL, work_send, send, P2_STATE_DONE, false},
    {false, P2_STATE_START, NULL, work_receive, receive, NULL, NULL, P2_STATE_DONE, false},
};

const struct p2_exchange_kind p2_informational = {P2_EXCHANGE_INFORMATIONAL, steps,
                                                  sizeof(steps) / sizeof(steps[0]), NULL, NULL};

static void start(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint8_t payload,
                  const struct p2_builder *body)
{
    struct p2_exchange *ex = p2_exchange_new(gw, &p2_informational, sa, true, p2_message_id_new(gw, sa));
    if (!ex)
        return;
    ex->u.info.payload = payload;
    memcpy(ex->u.info.body, body->data, body->len);
    ex->u.info.body_len = body->len;
    p2_exchange_begin(ex);
}

/* The body of a notify or delete payload for one ESP SA: they differ in the 16 bits in front of the SPI. */
static void start_for_spi(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint8_t payload, uint16_t number,
                          uint32_t spi)
{
    uint8_t body[16];
    struct p2_builder b = p2_builder_init(body, sizeof(body));
    p2_build_u32(&b, P2_DOI_IPSEC);
    p2_build_u8(&b, P2_PROTO_ESP);
    p2_build_u8(&b, 4);
    p2_build_u16(&b, number);
    p2_build_u32(&b, spi);
    start(gw, sa, payload, &b);
}

/* The SPI is zero, as real daemons have it: no SA exists yet that it could name. */
void p2_informational_notify(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint16_t notify)
{
    start_for_spi(gw, sa, P2_PAYLOAD_NOTIFY, notify, 0);
}

void p2_informational_delete(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint32_t spi)
{
    start_for_spi(gw, sa, P2_PAYLOAD_DELETE, 1, spi); /* one SPI */
}
