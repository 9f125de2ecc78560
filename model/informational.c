/* Informational exchanges under an ISAKMP SA (RFC 2409 section 5.7): one message, no answer.
 *
 *      HDR*, HASH(1), N or D -->
 *
 * and, before there are keys, the same in clear: HDR, N. That anybody may send, so it can only end a Phase 1
 * that has no keys yet either.
 *
 * Notifies (RFC 2408 section 3.14) end what they refuse, deletes (section 3.15) take the SAs down that they
 * name. */
#include "phase1.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define INFO_BODY         sizeof(((struct p2_info_state *)0)->body)
#define DATA_NOTIFY_FIRST 16384 /* RFC 2408 section 3.14.1: below are errors */

static enum p2_verdict send(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    struct p2_isakmp_header header = p2_exchange_header(ex, true);
    p2_message_begin_hashed(ex, &m, buffer, sizeof(buffer), &header);
    p2_message_add(&m, ex->u.info.payload, ex->u.info.body, ex->u.info.body_len);
    p2_message_hash(ex, &m, NULL);
    return p2_exchange_send(ex, &m);
}

static void work(struct p2_exchange *ex, struct p2_work *out, enum p2_operation direction, size_t len)
{
    enum p2_cipher cipher = ex->isakmp->keys.cipher;
    p2_work_add(out, P2_OP_HASH, ex->isakmp->keys.hash, 1, p2_cipher_of(cipher)->block_len + 4);
    p2_work_add(out, P2_OP_HMAC, ex->isakmp->keys.hash, 1, len);
    p2_work_add(out, direction, cipher, 1, p2_cipher_whole_blocks(cipher, len));
}

static void work_send(struct p2_exchange *ex, struct p2_work *out)
{
    work(ex, out, P2_OP_ENCRYPT, 8 + p2_hash_of(ex->isakmp->keys.hash)->len + ex->u.info.body_len);
}

static void work_receive(struct p2_exchange *ex, struct p2_work *out)
{
    work(ex, out, P2_OP_DECRYPT, ex->inbox_len - P2_ISAKMP_HEADER_LEN);
}

enum p2_failure p2_failure_of_notify(uint16_t notify)
{
    switch (notify) {
    case P2_NOTIFY_INVALID_PAYLOAD_TYPE:
        return P2_FAIL_INVALID_PAYLOAD_TYPE;
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
    case P2_NOTIFY_AUTHENTICATION_FAILED:
        return P2_FAIL_AUTHENTICATION_FAILED;
    default:
        return P2_FAIL_PEER_REFUSED;
    }
}

/* The notify has a message ID of its own and its SPI field says nothing. If just one Quick Mode waits, for an
 * answer to our first message or to our second one, it is that one. Of several it may be any: each keeps the
 * hint and goes on, for what was refused will be sent and refused again, and the others will get their
 * answers meanwhile. NULL: none, or not known yet.
 */
static struct p2_exchange *refused_exchange(struct p2_isakmp_sa *sa, uint16_t notify)
{
    struct p2_exchange *found = NULL;
    size_t num = 0;
    for (struct p2_exchange *ex = sa->exchanges; ex; ex = ex->next) {
        bool waits =
            ex->kind == &p2_quick_mode && ex->state != P2_STATE_DONE && ex->sent_len > 0 && ex->job.id == 0;
        if (!waits)
            continue;
        ex->u.quick.hint = notify;
        found = ex;
        num++;
    }
    return num == 1 ? found : NULL;
}

/* What this end said in the field that the notify is about. */
static void what_we_sent(const struct p2_exchange *quick, const char *field, char *text, size_t size)
{
    const struct p2_quick_state *q = &quick->u.quick;
    const struct p2_policy *policy = &q->tunnel->config.policy;
    const struct p2_group_info *group = p2_group_of(q->group);
    bool third = quick->initiator && quick->received_len > 0;
    if (strcmp(field, "proxy-id") == 0) {
        const struct p2_selector *local = &q->tunnel->config.local, *remote = &q->tunnel->config.remote;
        p2_selector_format_pair(quick->initiator ? local : remote, quick->initiator ? remote : local, text,
                                size);
    } else if (strcmp(field, "key-exchange") == 0) {
        snprintf(text, size, "%s%s", group ? "a KE payload of " : "no KE payload", group ? group->name : "");
    } else if (strcmp(field, "hash") == 0) {
        snprintf(text, size, "%s", !quick->initiator ? "HASH(2)" : third ? "HASH(3)" : "HASH(1)");
    } else if (strcmp(field, "payloads") == 0 && third) {
        snprintf(text, size, "HASH(3)");
    } else if (strcmp(field, "payloads") == 0) {
        snprintf(text, size, "HASH, SA, %s%s%s", quick->initiator ? "Ni" : "Nr", group ? ", KE" : "",
                 q->has_ids ? ", IDci, IDcr" : "");
    } else {
        char a[P2_PROPOSAL_TEXT];
        if (quick->initiator)
            p2_proposal_format(&policy->proposals[0], a);
        else
            p2_suite_format(&q->choice.suite, a);
        snprintf(text, size, "%s pfs %s%s", a, group ? group->name : "none",
                 quick->initiator && policy->num_proposals > 1 ? " and others" : "");
    }
}

static const char *field_of(enum p2_failure failure)
{
    switch (failure) {
    case P2_FAIL_INVALID_ID_INFORMATION:
        return "proxy-id";
    case P2_FAIL_INVALID_KEY_INFORMATION:
        return "key-exchange";
    case P2_FAIL_INVALID_HASH_INFORMATION:
        return "hash";
    case P2_FAIL_PAYLOAD_MALFORMED:
    case P2_FAIL_INVALID_PAYLOAD_TYPE:
        return "payloads";
    default:
        return "proposal";
    }
}

void p2_notify_detail(const struct p2_exchange *quick, uint16_t notify, struct p2_failure_detail *detail)
{
    const char *ours = quick->received_len > 0 ? "message 3" : "message 1";
    *detail = (struct p2_failure_detail){
        .failure = p2_failure_of_notify(notify),
        .message = quick->initiator ? ours : "message 2",
        .rule = "the peer's error notify ends the Quick Mode that it refuses: RFC 2408 section 3.14.1",
        .notify = notify,
        .notify_received = true};
    snprintf(detail->field, sizeof(detail->field), "%s", field_of(detail->failure));
    what_we_sent(quick, detail->field, detail->offered, sizeof(detail->offered));
    snprintf(detail->acceptable, sizeof(detail->acceptable), "the peer does not say");
}

static void receive_error(struct p2_exchange *ex, uint16_t type)
{
    struct p2_exchange *quick = refused_exchange(ex->isakmp, type);
    if (quick) {
        struct p2_failure_detail detail;
        p2_notify_detail(quick, type, &detail);
        p2_exchange_fail(quick, &detail);
    }
}

/* The peer does not have an SA that we send through: neither have we, then. */
static void receive_invalid_spi(struct p2_exchange *ex, const struct p2_isakmp_notify *n)
{
    struct p2_sa_pair *pair = NULL;
    if (n->spi.len == 4)
        pair = p2_pair_by_outbound_spi(ex->gw, ex->isakmp->peer, (enum p2_protocol)n->protocol,
                                       p2_get_u32(n->spi.data));
    if (pair)
        p2_pair_remove(ex->gw, pair, P2_REMOVED_BY_PEER);
}

/* Why it counts for nothing; P2_DROP_NONE: it counts. */
static enum p2_drop receive_notify(struct p2_exchange *ex, struct p2_bytes body)
{
    struct p2_isakmp_notify n;
    p2_isakmp_parse_notify(&n, body); /* whole: is_whole() saw to that */
    if (n.type == P2_NOTIFY_R_U_THERE || n.type == P2_NOTIFY_R_U_THERE_ACK)
        return p2_dpd_receive(ex->gw, ex->isakmp, n.type, n.spi, n.data) ? P2_DROP_NONE : P2_DROP_REPLAYED;
    if (n.type == P2_NOTIFY_INITIAL_CONTACT)
        p2_isakmp_sa_initial_contact(ex->gw, ex->isakmp);
    else if (n.type == P2_NOTIFY_INVALID_SPI)
        receive_invalid_spi(ex, &n);
    else if (n.type > 0 && n.type < DATA_NOTIFY_FIRST)
        receive_error(ex, n.type);
    else
        return P2_DROP_UNKNOWN_NOTIFY;
    return P2_DROP_NONE;
}

/* The SPI of an ISAKMP SA is its pair of cookies (RFC 2408 section 3.15). It need not be the one that carries
 * the message; NULL: none that is shared with this peer. */
static struct p2_isakmp_sa *named_isakmp_sa(struct p2_exchange *ex, struct p2_reader *spi)
{
    struct p2_bytes cookies = p2_read_bytes(spi, 16);
    struct p2_isakmp_sa *sa = p2_map_get(&ex->gw->isakmp_by_cookie, p2_get_u64(cookies.data));
    bool its = sa && sa->established && sa->peer == ex->isakmp->peer &&
               memcmp(cookies.data + 8, sa->responder_cookie, 8) == 0;
    return its ? sa : NULL;
}

/* Why one goes that the peer deletes: what we had planned for it anyway comes first. */
static enum p2_isakmp_end end_of(const struct p2_isakmp_sa *sa)
{
    return sa->expired ? sa->end : P2_ISAKMP_BY_PEER;
}

/* Of a body that is whole. True: the ISAKMP SA that carries the message is to go. */
static bool receive_delete(struct p2_exchange *ex, struct p2_bytes body)
{
    struct p2_reader r = p2_reader_init(body.data, body.len);
    bool this_one = false;
    p2_read_u32(&r);
    uint8_t protocol = p2_read_u8(&r);
    p2_read_u8(&r); /* how long an SPI is */
    uint16_t num = p2_read_u16(&r);
    for (unsigned i = 0; i < num && protocol == P2_PROTO_ISAKMP; i++) {
        struct p2_isakmp_sa *sa = named_isakmp_sa(ex, &r);
        if (sa == ex->isakmp)
            this_one = true;
        else if (sa)
            p2_isakmp_sa_remove(ex->gw, sa, end_of(sa));
    }
    for (unsigned i = 0; i < num && (protocol == P2_PROTO_ESP || protocol == P2_PROTO_AH); i++) {
        struct p2_sa_pair *pair =
            p2_pair_by_outbound_spi(ex->gw, ex->isakmp->peer, (enum p2_protocol)protocol, p2_read_u32(&r));
        if (pair)
            p2_pair_remove(ex->gw, pair, P2_REMOVED_BY_PEER);
    }
    return this_one;
}

/* As many SPIs as it says, each as long as its protocol has them; of protocols that are not negotiated here,
 * any length. */
static bool is_whole_delete(struct p2_bytes body)
{
    struct p2_reader r = p2_reader_init(body.data, body.len);
    p2_read_u32(&r);
    uint8_t protocol = p2_read_u8(&r), spi_len = p2_read_u8(&r);
    size_t num = p2_read_u16(&r);
    bool ipsec = protocol == P2_PROTO_ESP || protocol == P2_PROTO_AH;
    bool fits = protocol == P2_PROTO_ISAKMP ? spi_len == 16 : !ipsec || spi_len == 4;
    return !r.failed && fits && r.left == num * spi_len;
}

static bool is_whole(const struct p2_payload *payload)
{
    struct p2_isakmp_notify notify;
    return payload->type == P2_PAYLOAD_NOTIFY   ? p2_isakmp_parse_notify(&notify, payload->body)
           : payload->type == P2_PAYLOAD_DELETE ? is_whole_delete(payload->body)
                                                : true;
}

/* All of it or nothing acts, and a message is dropped at most once: when nothing in it counts. */
static enum p2_verdict receive(struct p2_exchange *ex)
{
    bool isakmp_too = false, counts = false;
    enum p2_drop reason = P2_DROP_NONE;
    if (p2_exchange_open(ex) < 0 || !p2_exchange_verify_hash(ex, NULL))
        return p2_exchange_drop(ex, P2_DROP_HASH_MISMATCH);
    for (size_t i = 1; i < ex->payloads.num; i++) {
        if (!is_whole(&ex->payloads.list[i]))
            return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    }
    for (size_t i = 1; i < ex->payloads.num; i++) {
        const struct p2_payload *payload = &ex->payloads.list[i];
        enum p2_drop why = P2_DROP_NONE;
        if (payload->type == P2_PAYLOAD_NOTIFY)
            why = receive_notify(ex, payload->body);
        else if (payload->type == P2_PAYLOAD_DELETE)
            isakmp_too |= receive_delete(ex, payload->body);
        counts |= why == P2_DROP_NONE;
        reason = reason == P2_DROP_NONE ? why : reason;
    }
    if (!counts && reason != P2_DROP_NONE)
        return p2_exchange_drop(ex, reason);
    if (!isakmp_too)
        return P2_VERDICT_GOOD;
    p2_isakmp_sa_remove(ex->gw, ex->isakmp, end_of(ex->isakmp)); /* and this exchange with it */
    return P2_VERDICT_ENDED;
}

static const struct p2_step steps[] = {
    /* initiator, state, awaits, verify, compute, next state, resends */
    {true, P2_STATE_START, NULL, NULL, NULL, work_send, send, P2_STATE_DONE, false},
    {false, P2_STATE_START, NULL, work_receive, receive, NULL, NULL, P2_STATE_DONE, false},
};

const struct p2_exchange_kind p2_informational = {
    P2_EXCHANGE_INFORMATIONAL, steps, sizeof(steps) / sizeof(steps[0]), NULL, NULL, NULL};

/* --- what goes out --- */

static struct p2_exchange *prepare(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint8_t payload,
                                   const struct p2_builder *body)
{
    struct p2_exchange *ex = p2_exchange_new(gw, &p2_informational, sa, true, p2_message_id_new(gw, sa));
    if (!ex)
        return NULL;
    ex->u.info.payload = payload;
    memcpy(ex->u.info.body, body->data, body->len);
    ex->u.info.body_len = body->len;
    return ex;
}

static struct p2_builder begin_body(uint8_t *buffer, size_t size, uint8_t protocol, size_t spi_len,
                                    uint16_t number)
{
    struct p2_builder b = p2_builder_init(buffer, size);
    p2_build_notify(&b, protocol, spi_len, number);
    return b;
}

void p2_informational_notify_data(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint8_t protocol,
                                  uint16_t notify, const uint8_t *spi, size_t spi_len, const uint8_t *data,
                                  size_t data_len)
{
    uint8_t body[INFO_BODY];
    struct p2_builder b = begin_body(body, sizeof(body), protocol, spi_len, notify);
    p2_build_bytes(&b, spi, spi_len);
    p2_build_bytes(&b, data, data_len);
    assert(!b.failed);
    struct p2_exchange *ex = prepare(gw, sa, P2_PAYLOAD_NOTIFY, &b);
    if (ex)
        p2_exchange_begin(ex);
}

/* The SPI is zero, as real daemons have it: no SA exists yet that it could name. */
void p2_informational_notify(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint16_t notify)
{
    static const uint8_t none[4];
    p2_informational_notify_data(gw, sa, P2_PROTO_ESP, notify, none, sizeof(none), none, 0);
}

void p2_informational_delete(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint8_t protocol, uint32_t spi)
{
    uint8_t body[INFO_BODY];
    bool itself = protocol == P2_PROTO_ISAKMP;
    struct p2_builder b = begin_body(body, sizeof(body), protocol, itself ? 16 : 4, 1);
    if (itself) {
        p2_build_bytes(&b, sa->initiator_cookie, 8);
        p2_build_bytes(&b, sa->responder_cookie, 8);
    } else {
        p2_build_u32(&b, spi);
    }
    struct p2_exchange *ex = prepare(gw, sa, P2_PAYLOAD_DELETE, &b);
    if (ex) {
        ex->u.info.last = itself;
        p2_exchange_begin(ex);
    }
}

/* --- in clear --- */

/* It costs nothing, so it goes out within the call. */
void p2_informational_clear(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint16_t notify)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE], body[INFO_BODY];
    struct p2_message m;
    struct p2_builder b = begin_body(body, sizeof(body), P2_PROTO_ISAKMP, 0, notify);
    struct p2_exchange *ex = prepare(gw, sa, P2_PAYLOAD_NOTIFY, &b);
    if (!ex)
        return;
    struct p2_isakmp_header header = p2_exchange_header(ex, false);
    p2_message_begin(&m, buffer, sizeof(buffer), &header);
    p2_message_add(&m, P2_PAYLOAD_NOTIFY, body, b.len);
    if (p2_exchange_send(ex, &m) == P2_VERDICT_GOOD)
        p2_exchange_end(ex);
}

/* Nothing but an error notify means anything, and that only to a Phase 1 that is under way. */
void p2_informational_receive_clear(struct p2_gateway *gw, struct p2_isakmp_sa *sa,
                                    const struct p2_datagram *datagram)
{
    struct p2_payloads payloads;
    struct p2_exchange *phase1 = p2_exchange_find(sa, 0);
    struct p2_isakmp_notify n;
    if (p2_isakmp_parse_payloads(&payloads, datagram->data[16], datagram->data + P2_ISAKMP_HEADER_LEN,
                                 datagram->len - P2_ISAKMP_HEADER_LEN) < 0) {
        p2_drop(gw, P2_DROP_MALFORMED, 0, false);
        return;
    }
    const struct p2_payload *payload = p2_isakmp_find(&payloads, P2_PAYLOAD_NOTIFY, 0);
    bool is_error =
        payload && p2_isakmp_parse_notify(&n, payload->body) && n.type > 0 && n.type < DATA_NOTIFY_FIRST;
    bool waits = phase1 && phase1->state != P2_STATE_DONE;
    if (!waits || !is_error || !p2_phase1_notified(phase1, n.type))
        p2_drop(gw, P2_DROP_UNEXPECTED, 0, false);
}
