#include "isakmp.h"

#include <string.h>

int p2_isakmp_parse_header(struct p2_isakmp_header *header, const uint8_t *data, size_t len)
{
    struct p2_reader r = p2_reader_init(data, len);
    struct p2_bytes initiator = p2_read_bytes(&r, 8), responder = p2_read_bytes(&r, 8);
    header->next_payload = p2_read_u8(&r);
    header->version = p2_read_u8(&r);
    header->exchange_type = p2_read_u8(&r);
    header->flags = p2_read_u8(&r);
    header->message_id = p2_read_u32(&r);
    header->length = p2_read_u32(&r);
    if (r.failed || header->version != 0x10 || header->length != len || len > P2_IKE_MAX_MESSAGE)
        return P2_ERR_MALFORMED;
    memcpy(header->initiator_cookie, initiator.data, 8);
    memcpy(header->responder_cookie, responder.data, 8);
    return P2_OK;
}

int p2_isakmp_parse_payloads(struct p2_payloads *payloads, uint8_t first, const uint8_t *data, size_t len)
{
    struct p2_reader r = p2_reader_init(data, len);
    payloads->num = 0;
    for (uint8_t type = first; type != P2_PAYLOAD_NONE;) {
        const uint8_t *start = r.at;
        uint8_t next = p2_read_u8(&r);
        uint8_t reserved = p2_read_u8(&r); /* RFC 2408 section 3.2: must be 0 */
        uint16_t length = p2_read_u16(&r);
        if (r.failed || reserved != 0 || length < 4 || payloads->num == P2_MAX_PAYLOADS)
            return P2_ERR_MALFORMED;
        struct p2_bytes body = p2_read_bytes(&r, length - 4u);
        if (r.failed)
            return P2_ERR_MALFORMED;
        payloads->list[payloads->num++] = (struct p2_payload){type, {start, length}, body};
        type = next;
    }
    payloads->len = len - r.left;
    return P2_OK;
}

const struct p2_payload *p2_isakmp_find(const struct p2_payloads *payloads, uint8_t type, size_t n)
{
    for (size_t i = 0; i < payloads->num; i++) {
        if (payloads->list[i].type == type && n-- == 0)
            return &payloads->list[i];
    }
    return NULL;
}

/* One transform payload (RFC 2408 section 3.6); what stands in *t already belongs to its proposal. */
static int parse_transform(struct p2_reader *r, struct p2_isakmp_transform *t, bool last)
{
    uint8_t more = p2_read_u8(r);
    p2_read_u8(r);
    uint16_t length = p2_read_u16(r);
    t->number = p2_read_u8(r);
    t->id = p2_read_u8(r);
    p2_read_u16(r);
    if (r->failed || length < 8 || more != (last ? P2_PAYLOAD_NONE : P2_PAYLOAD_TRANSFORM))
        return P2_ERR_MALFORMED;
    t->attributes = p2_read_bytes(r, length - 8u);
    return r->failed ? P2_ERR_MALFORMED : P2_OK;
}

/* One proposal payload (RFC 2408 section 3.5) and its transforms. more: another one follows. */
static int parse_proposal(struct p2_reader *r, struct p2_isakmp_sa_payload *sa, bool *more)
{
    size_t before = r->left;
    uint8_t next = p2_read_u8(r);
    p2_read_u8(r);
    uint16_t length = p2_read_u16(r);
    struct p2_isakmp_transform t = {.proposal = sa->num_proposals++};
    t.proposal_number = p2_read_u8(r);
    t.protocol = p2_read_u8(r);
    uint8_t spi_len = p2_read_u8(r), num = p2_read_u8(r);
    t.spi = p2_read_bytes(r, spi_len);
    if (r->failed || num == 0 || (next != P2_PAYLOAD_NONE && next != P2_PAYLOAD_PROPOSAL))
        return P2_ERR_MALFORMED;
    for (unsigned i = 0; i < num; i++) {
        if (sa->num == P2_MAX_TRANSFORMS || parse_transform(r, &t, i + 1u == num) < 0)
            return P2_ERR_MALFORMED;
        sa->transforms[sa->num++] = t;
    }
    *more = next == P2_PAYLOAD_PROPOSAL;
    return before - r->left == length ? P2_OK : P2_ERR_MALFORMED;
}

int p2_isakmp_parse_sa(struct p2_isakmp_sa_payload *sa, struct p2_bytes body)
{
    struct p2_reader r = p2_reader_init(body.data, body.len);
    sa->num = sa->num_proposals = 0;
    if (p2_read_u32(&r) != P2_DOI_IPSEC || p2_read_u32(&r) != P2_SIT_IDENTITY_ONLY)
        return P2_ERR_MALFORMED;
    for (bool more = true; more;) {
        if (parse_proposal(&r, sa, &more) < 0)
            return P2_ERR_MALFORMED;
    }
    return r.left == 0 ? P2_OK : P2_ERR_MALFORMED;
}

bool p2_isakmp_next_attribute(struct p2_reader *attributes, struct p2_attribute *attribute)
{
    if (attributes->left == 0 || attributes->failed)
        return false;
    uint16_t type = p2_read_u16(attributes), value = p2_read_u16(attributes);
    *attribute = (struct p2_attribute){.type = type & 0x7fff, .value = value};
    if (!(type & 0x8000)) {
        attribute->bytes = p2_read_bytes(attributes, value);
        attribute->value = 0;
        for (size_t i = 0; i < attribute->bytes.len; i++)
            attribute->value =
                attribute->value >> 56 ? UINT64_MAX : attribute->value << 8 | attribute->bytes.data[i];
    }
    return !attributes->failed;
}

bool p2_isakmp_parse_notify(struct p2_isakmp_notify *notify, struct p2_bytes body)
{
    struct p2_reader r = p2_reader_init(body.data, body.len);
    p2_read_u32(&r); /* the DOI */
    notify->protocol = p2_read_u8(&r);
    uint8_t spi_len = p2_read_u8(&r);
    notify->type = p2_read_u16(&r);
    notify->spi = p2_read_bytes(&r, spi_len);
    notify->data = p2_read_bytes(&r, r.left);
    return !r.failed;
}

void p2_message_begin(struct p2_message *message, uint8_t *buffer, size_t capacity,
                      const struct p2_isakmp_header *header)
{
    *message = (struct p2_message){.b = p2_builder_init(buffer, capacity), .next_at = 16};
    struct p2_builder *b = &message->b;
    p2_build_bytes(b, header->initiator_cookie, 8);
    p2_build_bytes(b, header->responder_cookie, 8);
    p2_build_u8(b, P2_PAYLOAD_NONE);
    p2_build_u8(b, 0x10);
    p2_build_u8(b, header->exchange_type);
    p2_build_u8(b, header->flags);
    p2_build_u32(b, header->message_id);
    p2_build_u32(b, 0);
}

void p2_message_open(struct p2_message *message, enum p2_payload_type type)
{
    struct p2_builder *b = &message->b;
    p2_build_patch_u8(b, message->next_at, (uint8_t)type);
    message->payload = message->next_at = b->len;
    p2_build_u32(b, 0);
}

void p2_message_close(struct p2_message *message)
{
    p2_build_patch_u16(&message->b, message->payload + 2, (uint16_t)(message->b.len - message->payload));
}

void p2_message_add(struct p2_message *message, enum p2_payload_type type, const void *body, size_t len)
{
    p2_message_open(message, type);
    p2_build_bytes(&message->b, body, len);
    p2_message_close(message);
}

long p2_message_end(struct p2_message *message, size_t block)
{
    struct p2_builder *b = &message->b;
    while (!b->failed && (b->len - P2_ISAKMP_HEADER_LEN) % block != 0)
        p2_build_u8(b, 0);
    p2_build_patch_u32(b, 24, (uint32_t)b->len);
    return b->failed ? P2_ERR_SPACE : (long)b->len;
}

void p2_build_notify(struct p2_builder *builder, uint8_t protocol, size_t spi_len, uint16_t type)
{
    p2_build_u32(builder, P2_DOI_IPSEC);
    p2_build_u8(builder, protocol);
    p2_build_u8(builder, (uint8_t)spi_len);
    p2_build_u16(builder, type);
}

void p2_build_attribute(struct p2_builder *builder, uint16_t type, uint32_t value)
{
    if (value < 0x10000) {
        p2_build_u16(builder, (uint16_t)(0x8000 | type));
        p2_build_u16(builder, (uint16_t)value);
    } else {
        p2_build_u16(builder, type);
        p2_build_u16(builder, 4);
        p2_build_u32(builder, value);
    }
}
