#include "dissect_impl.h"
#include "isakmp.h"

#include <inttypes.h>

/* What a payload means depends on the one around it. */
struct payload_context {
    uint8_t protocol; /* of the proposal around a transform; 0: none */
    uint8_t nested;   /* the payload that may stand inside this one; 0: the message itself is around */
};

static void dissect_payloads(struct walk *walk, uint8_t first, const struct payload_context *context);

/* --- SA, proposal, transform --- */

static void take_situation(struct walk *walk)
{
    uint32_t situation = (uint32_t)walk_number(walk, 4, KIND("Situation", "isakmp.sa.situation", DOI("4.2")));
    walk_say(walk, "%s%s%s(0x%08" PRIx32 ")", situation & 1 ? "SIT_IDENTITY_ONLY " : "",
             situation & 2 ? "SIT_SECRECY " : "", situation & 4 ? "SIT_INTEGRITY " : "", situation);
    if (situation & 6)
        walk_bytes(walk, walk->left.len, KIND("Labels and proposals, not looked into", NULL, DOI("4.6.1")));
}

static void dissect_sa(struct walk *walk, const struct payload_context *context)
{
    static const struct payload_context inside = {.nested = P2_PAYLOAD_PROPOSAL};
    (void)context;
    if (walk_doi(walk, KIND("DOI", "isakmp.sa.doi", ISAKMP("3.4"))) == P2_DOI_IPSEC)
        take_situation(walk);
    else
        walk_bytes(walk, walk->left.len,
                   KIND("Situation and proposals of another DOI", "isakmp.sa.situation", ISAKMP("3.4")));
    if (walk->left.len > 0)
        dissect_payloads(walk, P2_PAYLOAD_PROPOSAL, &inside);
}

static void dissect_proposal(struct walk *walk, const struct payload_context *context)
{
    struct payload_context inside = {.nested = P2_PAYLOAD_TRANSFORM};
    (void)context;
    walk_number(walk, 1, KIND("Proposal number", "isakmp.prop.number", ISAKMP("3.5")));
    inside.protocol = walk_protocol(walk, KIND("Protocol", "isakmp.prop.protoid", DOI("4.4.1")));
    size_t spi_len = (size_t)walk_number(walk, 1, KIND("SPI size", "isakmp.spisize", ISAKMP("3.5")));
    uint64_t num =
        walk_number(walk, 1, KIND("Number of transforms", "isakmp.prop.transforms", ISAKMP("3.5")));
    walk_bytes(walk, spi_len, KIND("SPI", "isakmp.spi", ISAKMP("3.5")));
    if (walk->left.len > 0 && num > 0)
        dissect_payloads(walk, P2_PAYLOAD_TRANSFORM, &inside);
}

static void dissect_transform(struct walk *walk, const struct payload_context *context)
{
    static const char *const sections[] = {DOI("4.4"), DOI("4.4.2"), DOI("4.4.3"), DOI("4.4.4"),
                                           DOI("4.4.5")};
    char buffer[DISSECT_TEXT];
    uint8_t protocol = context->protocol;
    walk_number(walk, 1, KIND("Transform number", "isakmp.trans.number", ISAKMP("3.6")));
    uint8_t id = (uint8_t)walk_number(
        walk, 1, KIND("Transform ID", "isakmp.trans.id", sections[protocol <= 4 ? protocol : 0]));
    walk_say(walk, "%s (%u)", isakmp_transform_name(protocol, id, buffer), id);
    walk_bytes(walk, 2, KIND("Reserved", "isakmp.reserved", ISAKMP("3.6")));
    dissect_attributes(walk, protocol == P2_PROTO_ISAKMP ? ATTRIBUTES_PHASE1 : ATTRIBUTES_PHASE2);
}

/* --- the chain of payloads --- */

struct payload_kind {
    uint8_t type;
    const char *section;
    void (*dissect)(struct walk *walk);
};

static const struct payload_kind payload_kinds[] = {
    {5, ISAKMP("3.8"), dissect_id},
    {6, ISAKMP("3.9"), dissect_certificate},
    {7, ISAKMP("3.10"), dissect_certificate_request},
    {11, ISAKMP("3.14"), dissect_notify},
    {12, ISAKMP("3.15"), dissect_delete},
    {13, ISAKMP("3.16"), dissect_vendor},
    {14, "draft-dukes-ike-mode-cfg-02 section 3.2", dissect_config},
    {21, "RFC 3947 section 5.2", dissect_nat_oa},
    {131, "RFC 3947 section 5.2", dissect_nat_oa},
    {132, "Cisco IKE fragmentation", dissect_fragment},
};

/* SA, proposal and transform stand in one another and so need their surroundings. */
static const struct {
    uint8_t type;
    const char *section;
    void (*dissect)(struct walk *walk, const struct payload_context *context);
} nested_kinds[] = {
    {P2_PAYLOAD_SA, ISAKMP("3.4"), dissect_sa},
    {P2_PAYLOAD_PROPOSAL, ISAKMP("3.5"), dissect_proposal},
    {P2_PAYLOAD_TRANSFORM, ISAKMP("3.6"), dissect_transform},
};

static void dissect_body(struct walk *walk, uint8_t type, const struct payload_context *context)
{
    /* Inside another payload only the one that belongs there is looked into, which bounds the nesting. */
    for (size_t i = 0; i < sizeof(nested_kinds) / sizeof(nested_kinds[0]); i++) {
        if (nested_kinds[i].type == type && (context->nested == 0 || context->nested == type)) {
            nested_kinds[i].dissect(walk, context);
            return;
        }
    }
    for (size_t i = 0; i < sizeof(payload_kinds) / sizeof(payload_kinds[0]); i++) {
        if (payload_kinds[i].type == type) {
            payload_kinds[i].dissect(walk);
            return;
        }
    }
    dissect_simple(walk, type);
}

static const char *section_of(uint8_t type)
{
    for (size_t i = 0; i < sizeof(nested_kinds) / sizeof(nested_kinds[0]); i++) {
        if (nested_kinds[i].type == type)
            return nested_kinds[i].section;
    }
    for (size_t i = 0; i < sizeof(payload_kinds) / sizeof(payload_kinds[0]); i++) {
        if (payload_kinds[i].type == type)
            return payload_kinds[i].section;
    }
    return dissect_simple_section(type);
}

/* One payload with its generic header; false: its length makes no sense, so that nothing is known of what
 * stands behind. */
static bool dissect_payload(struct walk *walk, uint8_t *type, const struct payload_context *context)
{
    char buffer[DISSECT_TEXT];
    size_t len = walk->left.len >= 4 ? p2_get_u16(walk->left.data + 2) : walk->left.len;
    bool sound = walk->left.len >= 4 && len >= 4;
    struct walk p = walk_enter(walk, sound ? len : walk->left.len,
                               KIND("Payload", "isakmp.typepayload", section_of(*type)));
    walk_say(walk, "%s (%u), %zu bytes", isakmp_payload_name(*type, buffer), *type, len);
    uint8_t next = walk_payload_type(&p, "Next payload", ISAKMP("3.2"));
    walk_bytes(&p, 1, KIND("Reserved", "isakmp.reserved", ISAKMP("3.2")));
    walk_number(&p, 2, KIND("Payload length", "isakmp.payloadlength", ISAKMP("3.2")));
    if (p.announced > 0)
        walk_say(&p, "%zu, but only %zu are left", len, len - p.announced);
    else if (!sound)
        walk_say(&p, "%zu, less than its own header", len);
    if (sound && p.left.len > 0)
        dissect_body(&p, *type, context);
    else if (sound)
        walk_remark(&p, "Body", "empty");
    walk_leave(&p);
    *type = next;
    return sound;
}

static void dissect_payloads(struct walk *walk, uint8_t first, const struct payload_context *context)
{
    char buffer[DISSECT_TEXT];
    uint8_t type = first;
    while (type != P2_PAYLOAD_NONE && walk->left.len > 0) {
        if (!dissect_payload(walk, &type, context))
            return;
    }
    if (type != P2_PAYLOAD_NONE)
        walk_remark(walk, "Payload", "%s (%u) is announced, but nothing is left",
                    isakmp_payload_name(type, buffer), type);
}

/* --- the message --- */

#define HEADER ISAKMP("3.1")

struct header {
    uint8_t next_payload, version, flags;
};

static struct header dissect_header(struct walk *walk)
{
    char buffer[DISSECT_TEXT];
    struct header h = {0};
    walk_bytes(walk, 8, KIND("Initiator cookie", "isakmp.ispi", HEADER));
    walk_bytes(walk, 8, KIND("Responder cookie", "isakmp.rspi", HEADER));
    h.next_payload = walk_payload_type(walk, "Next payload", HEADER);
    h.version = (uint8_t)walk_number(walk, 1, KIND("Version", "isakmp.version", HEADER));
    walk_say(walk, "%u.%u", h.version >> 4, h.version & 15u);
    uint8_t exchange = (uint8_t)walk_number(walk, 1, KIND("Exchange type", "isakmp.exchangetype", HEADER));
    walk_say(walk, "%s (%u)", isakmp_exchange_name(exchange, buffer), exchange);
    h.flags = (uint8_t)walk_number(walk, 1, KIND("Flags", "isakmp.flags", HEADER));
    walk_say(walk, "%s%s%s%s(0x%02x)", h.flags & P2_FLAG_ENCRYPTED ? "encrypted " : "",
             h.flags & P2_FLAG_COMMIT ? "commit " : "", h.flags & 4 ? "authentication only " : "",
             h.flags & 7 ? "" : "none ", h.flags);
    uint32_t id = (uint32_t)walk_number(walk, 4, KIND("Message ID", "isakmp.messageid", HEADER));
    walk_say(walk, "0x%08" PRIx32, id);
    walk_number(walk, 4, KIND("Length", "isakmp.length", HEADER));
    return h;
}

static void dissect_clear(struct walk *walk, uint8_t first, const char *behind)
{
    static const struct payload_context message = {0};
    dissect_payloads(walk, first, &message);
    if (walk->left.len > 0)
        walk_bytes(walk, walk->left.len, KIND(behind, "isakmp.extradata", HEADER));
}

static void dissect_encrypted(struct walk *walk, uint8_t first, struct p2_bytes plain)
{
    size_t len = walk->left.len;
    if (len > 0) {
        walk_bytes(walk, len, KIND("Encrypted payloads", "isakmp.enc.data", "RFC 2409 appendix B"));
        walk_say(walk, "%zu bytes", len);
    }
    if (plain.len == 0)
        return;
    struct walk inside = walk_over(walk->list, DISSECT_PLAIN, plain);
    inside.depth = walk->depth;
    dissect_clear(&inside, first, "Padding");
}

void dissect_message(struct walk *walk, struct p2_bytes plain)
{
    size_t whole = walk->left.len;
    size_t told = whole >= P2_ISAKMP_HEADER_LEN ? p2_get_u32(walk->left.data + 24) : whole;
    struct walk message = walk_enter(walk, told >= P2_ISAKMP_HEADER_LEN && told < whole ? told : whole,
                                     KIND("ISAKMP message", "isakmp", HEADER));
    struct header h = dissect_header(&message);
    if (told > whole)
        walk_say(&message, "%zu, but only %zu are there", told, whole);
    if (h.flags & P2_FLAG_ENCRYPTED || plain.len > 0)
        dissect_encrypted(&message, h.next_payload, plain);
    else if (h.version >> 4 == 2)
        message.rest = "Payloads of IKEv2";
    else if (!message.failed)
        dissect_clear(&message, h.next_payload, "Behind the last payload");
    walk_leave(&message);
    if (walk->left.len > 0)
        walk_bytes(walk, walk->left.len, KIND("Behind the message", NULL, HEADER));
}
