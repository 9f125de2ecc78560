/* ISAKMP messages: each kept with its ISAKMP SA, its exchange and its place in the ladder; copies known as
 * such. What they say is read elsewhere. */
#include "listener.h"

#include "array.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_COMPARED = 64 }; /* messages of an exchange that a new one is compared with, the first ones */

/* --- the ISAKMP SA --- */

static size_t find_isakmp(const struct explanation *e, const uint8_t initiator[8], const uint8_t responder[8])
{
    uint64_t key = explain_key(initiator, 8, responder, 8);
    uintptr_t place;
    for (; (place = (uintptr_t)p2_map_get(&e->isakmp_places, key)) != 0; key++) {
        const struct explain_isakmp *i = &e->isakmps[place - 1];
        if (memcmp(i->initiator_cookie, initiator, 8) == 0 && memcmp(i->responder_cookie, responder, 8) == 0)
            return place - 1;
    }
    return EXPLAIN_NONE;
}

/* By the initiator's cookie alone, under which the first message began it. */
static size_t find_attempt(const struct explanation *e, const uint8_t initiator[8])
{
    static const uint8_t none[8];
    uint64_t key = explain_key(initiator, 8, none, 8);
    uintptr_t place;
    for (; (place = (uintptr_t)p2_map_get(&e->isakmp_places, key)) != 0; key++) {
        if (memcmp(e->isakmps[place - 1].initiator_cookie, initiator, 8) == 0)
            return place - 1;
    }
    return EXPLAIN_NONE;
}

static int place_isakmp(struct explanation *e, size_t isakmp)
{
    const struct explain_isakmp *i = &e->isakmps[isakmp];
    uint64_t key = explain_key(i->initiator_cookie, 8, i->responder_cookie, 8);
    while (p2_map_get(&e->isakmp_places, key))
        key++;
    return p2_map_put(&e->isakmp_places, key, (void *)(uintptr_t)(isakmp + 1));
}

/* The first answer tells the responder's cookie, and the attempt becomes the SA; the first message may come
 * once more behind it. */
static int isakmp_of(struct explanation *e, size_t *isakmp, const struct p2_isakmp_header *h)
{
    static const uint8_t none[8];
    *isakmp = find_isakmp(e, h->initiator_cookie, h->responder_cookie);
    if (*isakmp != EXPLAIN_NONE)
        return P2_OK;
    size_t attempt = find_attempt(e, h->initiator_cookie);
    bool is_phase1 = h->exchange_type == P2_EXCHANGE_MAIN || h->exchange_type == P2_EXCHANGE_AGGRESSIVE;
    bool is_first = memcmp(h->responder_cookie, none, 8) == 0;
    if (attempt != EXPLAIN_NONE && is_phase1 && is_first) {
        *isakmp = attempt;
        return P2_OK;
    }
    if (attempt != EXPLAIN_NONE && is_phase1 && memcmp(e->isakmps[attempt].responder_cookie, none, 8) == 0) {
        *isakmp = attempt;
        memcpy(e->isakmps[attempt].responder_cookie, h->responder_cookie, 8);
        int r = explain_prepare_keys(e, &e->isakmps[attempt]);
        return r < 0 ? r : place_isakmp(e, attempt);
    }
    struct explain_isakmp *i = ARRAY_APPEND(e->isakmps, e->num_isakmps);
    if (!i)
        return P2_ERR_NOMEM;
    *i = (struct explain_isakmp){.known = EXPLAIN_NONE,
                                 .phase1 = EXPLAIN_NONE,
                                 .offer = EXPLAIN_NONE,
                                 .answer = EXPLAIN_NONE,
                                 .deleted = EXPLAIN_NONE,
                                 .latest_quick = EXPLAIN_NONE};
    memcpy(i->initiator_cookie, h->initiator_cookie, 8);
    memcpy(i->responder_cookie, h->responder_cookie, 8);
    *isakmp = e->num_isakmps - 1;
    int r = explain_prepare_keys(e, i);
    return r < 0 ? r : place_isakmp(e, *isakmp);
}

/* --- the exchange --- */

static int exchange_of(struct explanation *e, size_t *exchange, size_t isakmp,
                       const struct explain_message *m)
{
    uint64_t key = (uint64_t)isakmp << 32 | m->header.message_id;
    uintptr_t place = (uintptr_t)p2_map_get(&e->exchange_places, key);
    *exchange = place - 1;
    if (place != 0)
        return P2_OK;
    struct explain_exchange *x = ARRAY_APPEND(e->exchanges, e->num_exchanges);
    if (!x || p2_map_put(&e->exchange_places, key, (void *)(uintptr_t)e->num_exchanges) < 0)
        return P2_ERR_NOMEM;
    *x = (struct explain_exchange){.isakmp = isakmp,
                                   .pair = m->pair,
                                   .message_id = m->header.message_id,
                                   .type = m->header.exchange_type,
                                   .starter = m->source,
                                   .first = EXPLAIN_NONE,
                                   .last = EXPLAIN_NONE,
                                   .older_quick = EXPLAIN_NONE,
                                   .next_offer = EXPLAIN_NONE,
                                   .began = m->at,
                                   .secret = EXPLAIN_NONE,
                                   .notify_message = EXPLAIN_NONE};
    for (size_t i = 0; i < EXPLAIN_PARTS; i++)
        x->part[i] = EXPLAIN_NONE;
    *exchange = e->num_exchanges - 1;
    return P2_OK;
}

/* The earlier message that this one is, byte for byte. */
static size_t original_of(const struct explanation *e, const struct explain_exchange *x,
                          const struct explain_message *m)
{
    struct p2_bytes bytes = explain_isakmp_bytes(m);
    size_t i = x->first;
    for (size_t n = 0; i != EXPLAIN_NONE && n < MAX_COMPARED; i = e->messages[i].next, n++) {
        struct p2_bytes other = explain_isakmp_bytes(&e->messages[i]);
        if (other.len == bytes.len && memcmp(other.data, bytes.data, bytes.len) == 0)
            return i;
    }
    return EXPLAIN_NONE;
}

static void join(struct explanation *e, size_t exchange, size_t message)
{
    struct explain_exchange *x = &e->exchanges[exchange];
    struct explain_message *m = &e->messages[message];
    m->exchange = exchange;
    m->copy_of = original_of(e, x, m);
    x->messages++;
    x->ended = m->at;
    if (m->header.exchange_type == P2_EXCHANGE_QUICK && !x->quick) {
        x->quick = true;
        x->older_quick = e->isakmps[x->isakmp].latest_quick;
        e->isakmps[x->isakmp].latest_quick = exchange;
    }
    if (m->copy_of != EXPLAIN_NONE) {
        e->messages[m->copy_of].copies++;
        e->messages[m->copy_of].last_copy = message;
        return;
    }
    if (x->last == EXPLAIN_NONE)
        x->first = message;
    else
        e->messages[x->last].next = message;
    x->last = message;
}

/* --- keeping it --- */

struct p2_bytes explain_isakmp_bytes(const struct explain_message *m)
{
    return (struct p2_bytes){m->packet + m->isakmp_at, m->isakmp_len};
}

const struct explain_message *explain_original(const struct explanation *e, const struct explain_message *m)
{
    return m->copy_of == EXPLAIN_NONE ? m : &e->messages[m->copy_of];
}

/* False, and counted: not ISAKMP, or not its first version. */
static bool read_header(struct explanation *e, struct p2_isakmp_header *h, struct p2_bytes message)
{
    struct p2_reader r = p2_reader_init(message.data, message.len);
    struct p2_bytes initiator = p2_read_bytes(&r, 8), responder = p2_read_bytes(&r, 8);
    *h = (struct p2_isakmp_header){.next_payload = p2_read_u8(&r)};
    h->version = p2_read_u8(&r);
    h->exchange_type = p2_read_u8(&r);
    h->flags = p2_read_u8(&r);
    h->message_id = p2_read_u32(&r);
    h->length = p2_read_u32(&r);
    bool first_version = h->version >> 4 == 1;
    if (r.failed || !first_version || h->length < P2_ISAKMP_HEADER_LEN) {
        e->ikev2 += !r.failed && h->version >> 4 == 2;
        e->not_isakmp += r.failed || h->version >> 4 != 2;
        return false;
    }
    memcpy(h->initiator_cookie, initiator.data, 8);
    memcpy(h->responder_cookie, responder.data, 8);
    return true;
}

static int keep(struct explanation *e, size_t *message, const struct explain_heard *heard,
                struct p2_bytes isakmp, const struct p2_isakmp_header *h)
{
    const struct frame *frame = heard->frame;
    struct explain_message m = {.frame = frame->number,
                                .at = frame->at,
                                .source = heard->view.source,
                                .destination = heard->view.destination,
                                .source_port = heard->source_port,
                                .destination_port = heard->destination_port,
                                .packet_len = frame->packet.len,
                                .isakmp_at = (size_t)(isakmp.data - frame->packet.data),
                                .isakmp_len = isakmp.len < h->length ? isakmp.len : h->length,
                                .header = *h,
                                .copy_of = EXPLAIN_NONE,
                                .last_copy = EXPLAIN_NONE,
                                .next = EXPLAIN_NONE,
                                .reading = EXPLAIN_CLEAR};
    if (isakmp.len < h->length)
        m.reading = EXPLAIN_BROKEN;
    m.packet = malloc(frame->packet.len);
    if (!m.packet)
        return P2_ERR_NOMEM;
    memcpy(m.packet, frame->packet.data, frame->packet.len);
    struct explain_message *place = ARRAY_APPEND(e->messages, e->num_messages);
    if (!place) {
        free(m.packet);
        return P2_ERR_NOMEM;
    }
    *place = m;
    e->message_bytes += frame->packet.len;
    *message = e->num_messages - 1;
    return P2_OK;
}

static int put_into_ladder(struct explanation *e, size_t message)
{
    struct explain_message *m = &e->messages[message];
    bool from_first;
    size_t event = EXPLAIN_NONE;
    int r = explain_pair_of(e, &m->pair, &from_first, &m->source, &m->destination);
    if (r == P2_OK)
        r = explain_event(e, &event, m->pair);
    if (r != P2_OK || event == EXPLAIN_NONE)
        return r;
    e->events[event].message = message;
    e->events[event].from_first = from_first;
    return P2_OK;
}

static int read_message(struct explanation *e, size_t message)
{
    struct explain_message *m = &e->messages[message];
    bool is_phase1 = m->header.message_id == 0 && m->header.exchange_type != P2_EXCHANGE_INFORMATIONAL;
    int r = P2_OK;
    if (m->reading == EXPLAIN_BROKEN)
        return P2_OK;
    if (m->header.flags & P2_FLAG_ENCRYPTED)
        r = explain_open(e, message);
    if (r == P2_OK && is_phase1)
        r = explain_phase1(e, message);
    if (is_phase1 && m->header.flags & P2_FLAG_ENCRYPTED)
        explain_phase1_block(e, message);
    if (r == P2_OK && e->exchanges[m->exchange].quick)
        r = explain_quick(e, message);
    if (r == P2_OK)
        explain_notes(e, message);
    return r;
}

/* Runs of packets end at a message; not so at each of a flood of what cannot be read. */
static void end_runs(struct explanation *e, const struct explain_message *m)
{
    if (m->pair != EXPLAIN_NONE && explain_original(e, m)->reading != EXPLAIN_NONSENSE)
        e->pairs[m->pair].epoch++;
}

int explain_hear_isakmp(struct explanation *e, const struct explain_heard *heard, struct p2_bytes message)
{
    struct p2_isakmp_header h;
    size_t index, isakmp, exchange;
    if (!read_header(e, &h, message))
        return P2_OK;
    e->isakmp_messages++;
    if (e->num_messages == EXPLAIN_MAX_MESSAGES || e->message_bytes > EXPLAIN_MAX_MESSAGE_BYTES) {
        e->beyond_limits++;
        return P2_OK;
    }
    int r = keep(e, &index, heard, message, &h);
    if (r == P2_OK)
        r = put_into_ladder(e, index);
    if (r == P2_OK)
        r = isakmp_of(e, &isakmp, &h);
    if (r == P2_OK)
        r = exchange_of(e, &exchange, isakmp, &e->messages[index]);
    if (r != P2_OK)
        return r;
    join(e, exchange, index);
    if (e->messages[index].copy_of == EXPLAIN_NONE)
        r = read_message(e, index);
    end_runs(e, &e->messages[index]);
    return r;
}

bool explain_payloads(const struct explain_message *m, struct p2_payloads *payloads)
{
    struct p2_bytes body = {m->plain, m->plain_len};
    if (m->reading == EXPLAIN_CLEAR) {
        body = explain_isakmp_bytes(m);
        body.data += P2_ISAKMP_HEADER_LEN;
        body.len -= P2_ISAKMP_HEADER_LEN;
    } else if (m->reading != EXPLAIN_DECRYPTED) {
        return false;
    }
    return p2_isakmp_parse_payloads(payloads, m->header.next_payload, body.data, body.len) == P2_OK;
}

bool explain_sa_payload(const struct explain_message *m, struct p2_isakmp_sa_payload *sa)
{
    struct p2_payloads p;
    const struct p2_payload *payload = explain_payloads(m, &p) ? p2_isakmp_find(&p, P2_PAYLOAD_SA, 0) : NULL;
    return payload && p2_isakmp_parse_sa(sa, payload->body) == P2_OK && sa->num > 0;
}
