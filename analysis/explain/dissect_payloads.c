#include "dissect_impl.h"
#include "isakmp.h"
#include "selector.h"

#include <inttypes.h>
#include <stdio.h>

/* --- fields that several payloads have --- */

uint8_t walk_payload_type(struct walk *walk, const char *name, const char *section)
{
    char buffer[DISSECT_TEXT];
    uint8_t type = (uint8_t)walk_number(walk, 1, KIND(name, "isakmp.nextpayload", section));
    walk_say(walk, "%s (%u)", isakmp_payload_name(type, buffer), type);
    return type;
}

uint32_t walk_doi(struct walk *walk, struct field_kind kind)
{
    uint32_t doi = (uint32_t)walk_number(walk, 4, kind);
    const char *name = isakmp_doi_name(doi);
    walk_say(walk, "%s (%" PRIu32 ")", name ? name : "unknown", doi);
    return doi;
}

uint8_t walk_protocol(struct walk *walk, struct field_kind kind)
{
    char buffer[DISSECT_TEXT];
    uint8_t protocol = (uint8_t)walk_number(walk, 1, kind);
    walk_say(walk, "%s (%u)", isakmp_protocol_name(protocol, buffer), protocol);
    return protocol;
}

void walk_address(struct walk *walk, size_t len, struct field_kind kind)
{
    char text[DISSECT_TEXT];
    struct p2_bytes bytes = walk_bytes(walk, len, kind);
    dissect_address(bytes, text);
    walk_say(walk, "%s", text);
}

void walk_rest(struct walk *walk, struct field_kind kind)
{
    size_t len = walk->left.len;
    walk_bytes(walk, len, kind);
    if (len == 0)
        walk_remark(walk, kind.name, "empty");
}

/* --- payloads that are one piece of bytes --- */

struct simple_payload {
    uint8_t type;
    struct field_kind kind;
};

static const struct simple_payload simple_payloads[] = {
    {4, {"Key exchange data", "isakmp.key_exchange.data", ISAKMP("3.7")}},
    {8, {"Hash data", "isakmp.hash", ISAKMP("3.11")}},
    {9, {"Signature data", "isakmp.sig", ISAKMP("3.12")}},
    {10, {"Nonce data", "isakmp.nonce", ISAKMP("3.13")}},
    {20, {"Hash of address and port", "isakmp.ike.nat_hash", "RFC 3947 section 3.2"}},
    {130, {"Hash of address and port", "isakmp.ike.nat_hash", "RFC 3947 section 3.2"}},
};

static const struct field_kind *simple_kind(uint8_t type)
{
    static const struct field_kind other = {"Data", "isakmp.datapayload", ISAKMP("3.2")};
    for (size_t i = 0; i < sizeof(simple_payloads) / sizeof(simple_payloads[0]); i++) {
        if (simple_payloads[i].type == type)
            return &simple_payloads[i].kind;
    }
    return &other;
}

const char *dissect_simple_section(uint8_t type)
{
    return simple_kind(type)->section;
}

void dissect_simple(struct walk *walk, uint8_t type)
{
    walk_rest(walk, *simple_kind(type));
}

void dissect_vendor(struct walk *walk)
{
    const char *name = isakmp_vendor_name(walk->left);
    struct p2_bytes id = walk->left;
    walk_rest(walk, KIND("Vendor ID", "isakmp.vid_bytes", ISAKMP("3.16")));
    char text[DISSECT_TEXT];
    dissect_hex(id, text);
    if (name)
        walk_say(walk, "%s: %.100s", name, text);
}

/* --- certificates --- */

static void take_encoding(struct walk *walk, struct field_kind kind)
{
    uint8_t encoding = (uint8_t)walk_number(walk, 1, kind);
    const char *name = isakmp_certificate_name(encoding);
    walk_say(walk, "%s (%u)", name ? name : "encoding", encoding);
}

void dissect_certificate(struct walk *walk)
{
    take_encoding(walk, KIND("Certificate encoding", "isakmp.cert.encoding", ISAKMP("3.9")));
    walk_rest(walk, KIND("Certificate data", "isakmp.cert.data", ISAKMP("3.9")));
}

void dissect_certificate_request(struct walk *walk)
{
    take_encoding(walk, KIND("Certificate type", "isakmp.certreq.type", ISAKMP("3.10")));
    walk_rest(walk, KIND("Certificate authority", "isakmp.ike.certreq.authority", ISAKMP("3.10")));
}

/* --- identification --- */

/* What ID data of a type is made of: one or two pieces of so many bytes, or one of all there is (0). */
struct id_layout {
    uint8_t type, len, num;
    bool text;
    struct field_kind pieces[2];
};

static const struct id_layout id_layouts[] = {
    {1, 4, 1, false, {{"Address", "isakmp.id.data.ipv4_addr", DOI("4.6.2.2")}}},
    {2, 0, 1, true, {{"Name", "isakmp.id.data.fqdn", DOI("4.6.2.3")}}},
    {3, 0, 1, true, {{"User and name", "isakmp.id.data.user_fqdn", DOI("4.6.2.4")}}},
    {4,
     4,
     2,
     false,
     {{"Address", "isakmp.id.data.ipv4_addr", DOI("4.6.2.5")},
      {"Mask", "isakmp.id.data.ipv4_subnet", DOI("4.6.2.5")}}},
    {5, 16, 1, false, {{"Address", "isakmp.id.data.ipv6_addr", DOI("4.6.2.6")}}},
    {6,
     16,
     2,
     false,
     {{"Address", "isakmp.id.data.ipv6_addr", DOI("4.6.2.7")},
      {"Mask", "isakmp.id.data.ipv6_subnet", DOI("4.6.2.7")}}},
    {7,
     4,
     2,
     false,
     {{"First address", "isakmp.id.data.ipv4_range_start", DOI("4.6.2.8")},
      {"Last address", "isakmp.id.data.ipv4_range_end", DOI("4.6.2.8")}}},
    {8,
     16,
     2,
     false,
     {{"First address", "isakmp.id.data.ipv6_range_start", DOI("4.6.2.9")},
      {"Last address", "isakmp.id.data.ipv6_range_end", DOI("4.6.2.9")}}},
    {9, 0, 1, false, {{"Distinguished name (DER)", "isakmp.id.data.der_asn1_dn", DOI("4.6.2.10")}}},
    {10, 0, 1, false, {{"General name (DER)", NULL, DOI("4.6.2.11")}}},
    {11, 0, 1, false, {{"Key ID", "isakmp.id.data.key_id", DOI("4.6.2.12")}}},
};

static void take_text(struct walk *walk, struct field_kind kind)
{
    char text[DISSECT_TEXT];
    struct p2_bytes bytes = walk_bytes(walk, walk->left.len, kind);
    dissect_ascii(bytes, text, sizeof(text));
    if (bytes.len > 0)
        walk_say(walk, "%s", text);
}

static const struct id_layout *id_layout(uint8_t type)
{
    static const struct id_layout other = {0, 0, 1, false, {{"Data", NULL, DOI("4.6.2")}}};
    for (size_t i = 0; i < sizeof(id_layouts) / sizeof(id_layouts[0]); i++) {
        if (id_layouts[i].type == type)
            return &id_layouts[i];
    }
    return &other;
}

const char *isakmp_id_text(struct p2_bytes body, char *buffer)
{
    struct p2_selector selector;
    char data[DISSECT_TEXT];
    if (body.len < 4) {
        snprintf(buffer, DISSECT_TEXT, "too short for an ID");
        return buffer;
    }
    if (p2_selector_from_id(&selector, body.data, body.len) == P2_OK) {
        p2_selector_format(&selector, buffer);
        return buffer;
    }
    const char *name = isakmp_id_type_name(body.data[0]);
    struct p2_bytes rest = {body.data + 4, body.len - 4};
    if (id_layout(body.data[0])->text)
        dissect_ascii(rest, data, sizeof(data));
    else
        dissect_hex(rest, data);
    if (name)
        snprintf(buffer, DISSECT_TEXT, "%.120s (%s)", data, name);
    else
        snprintf(buffer, DISSECT_TEXT, "%.120s (ID type %u)", data, body.data[0]);
    return buffer;
}

static void dissect_id_data(struct walk *walk, uint8_t type)
{
    const struct id_layout *layout = id_layout(type);
    if (layout->len == 0 && layout->text)
        take_text(walk, layout->pieces[0]);
    else if (layout->len == 0)
        walk_bytes(walk, walk->left.len, layout->pieces[0]);
    for (size_t i = 0; layout->len > 0 && i < layout->num; i++)
        walk_address(walk, layout->len, layout->pieces[i]);
}

void dissect_id(struct walk *walk)
{
    char buffer[DISSECT_TEXT];
    struct p2_bytes body = walk->left;
    uint8_t type = (uint8_t)walk_number(walk, 1, KIND("ID type", "isakmp.id.type", DOI("4.6.2.1")));
    const char *name = isakmp_id_type_name(type);
    walk_say(walk, "%s (%u)", name ? name : "unknown", type);
    uint8_t protocol = (uint8_t)walk_number(walk, 1, KIND("Protocol", "isakmp.id.protoid", DOI("4.6.2")));
    walk_say(walk, "%s (%u)", protocol == 0 ? "any" : ip_protocol_name(protocol), protocol);
    uint64_t port = walk_number(walk, 2, KIND("Port", "isakmp.id.port", DOI("4.6.2")));
    walk_say(walk, port == 0 ? "any (%" PRIu64 ")" : "%" PRIu64, port);
    if (walk->failed)
        return;
    struct walk data =
        walk_enter(walk, walk->left.len, KIND("Identification data", "isakmp.id.data", DOI("4.6.2")));
    walk_say(walk, "%s", isakmp_id_text(body, buffer));
    dissect_id_data(&data, type);
    walk_leave(&data);
}

/* --- notify and delete --- */

enum { REPLAY_STATUS = 24577 };

static void take_notify_data(struct walk *walk, uint16_t type, uint8_t protocol)
{
    static const struct field_kind whole = {"Notification data", "isakmp.notify.data", ISAKMP("3.14")};
    static const struct field_kind sequence = {"DPD sequence number", "isakmp.notify.data.dpd.are_you_there",
                                               "RFC 3706 section 5.3"};
    static const struct field_kind sequence_ack = {
        "DPD sequence number", "isakmp.notify.data.dpd.are_you_there_ack", "RFC 3706 section 5.3"};
    static const struct field_kind status = {"Replay status", "isakmp.notify.data", DOI("4.6.3.2")};
    struct walk data;
    if (type == REPLAY_STATUS && walk->left.len == 4) {
        uint64_t on = walk_number(walk, 4, status);
        walk_say(walk, "replay detection %s (%" PRIu64 ")", on == 1 ? "on" : on == 0 ? "off" : "?", on);
    } else if (type == P2_NOTIFY_RESPONDER_LIFETIME) {
        data = walk_enter(walk, walk->left.len, whole);
        dissect_attributes(&data, protocol == P2_PROTO_ISAKMP ? ATTRIBUTES_LIFETIME_PHASE1
                                                              : ATTRIBUTES_LIFETIME_PHASE2);
        walk_leave(&data);
    } else if (type == P2_NOTIFY_R_U_THERE || type == P2_NOTIFY_R_U_THERE_ACK) {
        data = walk_enter(walk, walk->left.len, whole);
        walk_number(&data, 4, type == P2_NOTIFY_R_U_THERE ? sequence : sequence_ack);
        walk_leave(&data);
    } else {
        walk_bytes(walk, walk->left.len, whole);
    }
}

void dissect_notify(struct walk *walk)
{
    char buffer[DISSECT_TEXT];
    walk_doi(walk, KIND("DOI", "isakmp.notify.doi", ISAKMP("3.14")));
    uint8_t protocol = walk_protocol(walk, KIND("Protocol", "isakmp.notify.protoid", ISAKMP("3.14")));
    size_t spi_len = (size_t)walk_number(walk, 1, KIND("SPI size", "isakmp.spisize", ISAKMP("3.14")));
    uint16_t type = (uint16_t)walk_number(
        walk, 2, KIND("Notify message type", "isakmp.notify.msgtype", ISAKMP("3.14.1")));
    walk_say(walk, "%s (%u)", isakmp_notify_name(type, buffer), type);
    walk_bytes(walk, spi_len, KIND("SPI", "isakmp.spi", ISAKMP("3.14")));
    if (!walk->failed && walk->left.len > 0)
        take_notify_data(walk, type, protocol);
}

void dissect_delete(struct walk *walk)
{
    walk_doi(walk, KIND("DOI", "isakmp.delete.doi", ISAKMP("3.15")));
    walk_protocol(walk, KIND("Protocol", "isakmp.delete.protoid", ISAKMP("3.15")));
    size_t spi_len = (size_t)walk_number(walk, 1, KIND("SPI size", "isakmp.spisize", ISAKMP("3.15")));
    uint64_t num = walk_number(walk, 2, KIND("Number of SPIs", "isakmp.spinum", ISAKMP("3.15")));
    for (uint64_t i = 0; spi_len > 0 && i < num && !walk->failed; i++)
        walk_bytes(walk, spi_len, KIND("Deleted SPI", "isakmp.delete.spi", ISAKMP("3.15")));
}

/* --- NAT-OA, mode config, fragments --- */

void dissect_nat_oa(struct walk *walk)
{
    static const struct field_kind ipv4 = {"Original address", "isakmp.ike.nat_original_address_ipv4",
                                           "RFC 3947 section 5.2"};
    static const struct field_kind ipv6 = {"Original address", "isakmp.ike.nat_original_address_ipv6",
                                           "RFC 3947 section 5.2"};
    uint8_t type = (uint8_t)walk_number(walk, 1, KIND("ID type", "isakmp.id.type", "RFC 3947 section 5.2"));
    const char *name = isakmp_id_type_name(type);
    walk_say(walk, "%s (%u)", name ? name : "unknown", type);
    walk_bytes(walk, 3, KIND("Reserved", NULL, "RFC 3947 section 5.2"));
    if (type == 1)
        walk_address(walk, 4, ipv4);
    else if (type == 5)
        walk_address(walk, 16, ipv6);
}

#define MODE_CONFIG "draft-dukes-ike-mode-cfg-02 section 3.2"

void dissect_config(struct walk *walk)
{
    uint8_t type = (uint8_t)walk_number(walk, 1, KIND("Type", "isakmp.cfg.type", MODE_CONFIG));
    const char *name = isakmp_config_type_name(type);
    walk_say(walk, "%s (%u)", name ? name : "unknown", type);
    walk_bytes(walk, 1, KIND("Reserved", "isakmp.reserved", MODE_CONFIG));
    walk_number(walk, 2, KIND("Identifier", "isakmp.cfg.identifier", MODE_CONFIG));
    dissect_attributes(walk, ATTRIBUTES_CONFIG);
}

/* Cisco's, which no document of the IETF describes for IKEv1. */
void dissect_fragment(struct walk *walk)
{
    static const char *const section = "Cisco IKE fragmentation";
    walk_number(walk, 2, KIND("Fragmented message", "isakmp.frag.packetid", section));
    walk_number(walk, 1, KIND("Fragment number", "isakmp.frag.seq", section));
    uint64_t last = walk_number(walk, 1, KIND("Last fragment", "isakmp.frag.last", section));
    walk_say(walk, "%s (%" PRIu64 ")", last ? "the last one" : "more follow", last);
    walk_rest(walk, KIND("Piece of a message", NULL, section));
}
