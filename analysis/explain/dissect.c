#include "dissect_impl.h"
#include "ip.h"

/* --- IP --- */

/* So many headers in one another at most: each is a call within a call. */
#define MAX_LAYERS 32

struct layers {
    const struct dissect_input *input;
    bool plain_told;
    uint8_t family; /* of the innermost IP header */
    unsigned num;
};

static void dissect_ip(struct walk *walk, struct layers *layers);

/* What a header announces behind itself may be less than there is. */
static struct walk body_of(struct walk *walk, size_t len)
{
    struct walk body = *walk;
    body.left = walk_skip(walk, len < walk->left.len ? len : walk->left.len);
    return body;
}

static void tell_rest(struct walk *walk, const char *name)
{
    walk->failed = false;
    if (walk->left.len > 0)
        walk_bytes(walk, walk->left.len, KIND(name, NULL, NULL));
}

#define ESP(n)  "RFC 4303 section " n
#define AH(n)   "RFC 4302 section " n
#define IPV4    "RFC 791 section 3.1"
#define IPV6(n) "RFC 8200 section " n

static uint8_t take_next(struct walk *walk, struct field_kind kind)
{
    uint8_t protocol = (uint8_t)walk_number(walk, 1, kind);
    walk_say(walk, "%s (%u)", ip_protocol_name(protocol), protocol);
    return protocol;
}

static uint16_t take_fragment_field(struct walk *walk)
{
    uint16_t field =
        (uint16_t)walk_number(walk, 2, KIND("Flags and fragment offset", "ip.frag_offset", IPV4));
    walk_say(walk, "%s%soffset %u bytes", field & 0x4000 ? "don't fragment, " : "",
             field & 0x2000 ? "more fragments, " : "", (field & 0x1fffu) * 8);
    return field;
}

static void dissect_next(struct walk *walk, struct layers *layers, uint8_t protocol, bool later_fragment);

static void dissect_ipv4(struct walk *walk, struct layers *layers)
{
    uint8_t first = walk->left.data[0];
    struct walk h =
        walk_enter(walk, (first & 15u) * 4 > 20 ? (first & 15u) * 4 : 20, KIND("IPv4 header", "ip", IPV4));
    walk_number(&h, 1, KIND("Version and header length", "ip.version", IPV4));
    walk_say(&h, "version 4, %u bytes", (first & 15u) * 4);
    walk_number(&h, 1, KIND("Type of service", "ip.dsfield", "RFC 2474 section 3"));
    size_t total = (size_t)walk_number(&h, 2, KIND("Total length", "ip.len", IPV4));
    walk_number(&h, 2, KIND("Identification", "ip.id", IPV4));
    uint16_t fragment = take_fragment_field(&h);
    walk_number(&h, 1, KIND("Time to live", "ip.ttl", IPV4));
    uint8_t protocol = take_next(&h, KIND("Protocol", "ip.proto", IPV4));
    walk_bytes(&h, 2, KIND("Header checksum", "ip.checksum", IPV4));
    walk_address(&h, 4, KIND("Source address", "ip.src", IPV4));
    walk_address(&h, 4, KIND("Destination address", "ip.dst", IPV4));
    h.rest = "Options";
    size_t header_len = 20 + h.left.len;
    bool failed = h.failed;
    walk_leave(&h);
    if (failed)
        return;
    struct walk body = body_of(walk, total >= header_len ? total - header_len : SIZE_MAX);
    layers->family = 4;
    dissect_next(&body, layers, protocol, (fragment & 0x1fff) != 0);
    tell_rest(walk, "Behind the packet");
}

static void dissect_ipv6(struct walk *walk, struct layers *layers)
{
    struct walk h = walk_enter(walk, P2_IPV6_HEADER_LEN, KIND("IPv6 header", "ipv6", IPV6("3")));
    uint64_t first = walk_number(&h, 1, KIND("Version and traffic class", "ipv6.version", IPV6("3")));
    walk_say(&h, "version 6, upper half of the traffic class");
    uint64_t rest = walk_number(&h, 3, KIND("Traffic class and flow label", "ipv6.flow", IPV6("3")));
    walk_say(&h, "traffic class 0x%02x, flow label 0x%05x", (unsigned)(first << 4 | rest >> 20) & 0xffu,
             (unsigned)rest & 0xfffffu);
    size_t len = (size_t)walk_number(&h, 2, KIND("Payload length", "ipv6.plen", IPV6("3")));
    uint8_t protocol = take_next(&h, KIND("Next header", "ipv6.nxt", IPV6("3")));
    walk_number(&h, 1, KIND("Hop limit", "ipv6.hlim", IPV6("3")));
    walk_address(&h, 16, KIND("Source address", "ipv6.src", IPV6("3")));
    walk_address(&h, 16, KIND("Destination address", "ipv6.dst", IPV6("3")));
    bool failed = h.failed;
    walk_leave(&h);
    if (failed)
        return;
    struct walk body = body_of(walk, len);
    layers->family = 6;
    dissect_next(&body, layers, protocol, false);
    tell_rest(walk, "Behind the packet");
}

static void dissect_ip(struct walk *walk, struct layers *layers)
{
    unsigned version = walk->left.len > 0 ? walk->left.data[0] >> 4 : 0;
    if (version == 4)
        dissect_ipv4(walk, layers);
    else if (version == 6)
        dissect_ipv6(walk, layers);
    else
        tell_rest(walk, "Not an IP packet");
}

struct extension {
    uint8_t protocol;
    struct field_kind header, next, len, rest;
};

static const struct extension extensions[] = {
    {P2_IP_PROTO_HOP_BY_HOP,
     {"Hop-by-hop options header", "ipv6.hopopts", IPV6("4.3")},
     {"Next header", "ipv6.hopopts.nxt", IPV6("4.3")},
     {"Length", "ipv6.hopopts.len", IPV6("4.3")},
     {"Options", NULL, IPV6("4.2")}},
    {P2_IP_PROTO_ROUTING,
     {"Routing header", "ipv6.routing", IPV6("4.4")},
     {"Next header", "ipv6.routing.nxt", IPV6("4.4")},
     {"Length", "ipv6.routing.len", IPV6("4.4")},
     {"Route", NULL, IPV6("4.4")}},
    {P2_IP_PROTO_DESTINATION,
     {"Destination options header", "ipv6.dstopts", IPV6("4.6")},
     {"Next header", "ipv6.dstopts.nxt", IPV6("4.6")},
     {"Length", "ipv6.dstopts.len", IPV6("4.6")},
     {"Options", NULL, IPV6("4.2")}},
};

static void dissect_extension(struct walk *walk, struct layers *layers, const struct extension *e)
{
    size_t units = walk->left.len > 1 ? walk->left.data[1] : 0;
    struct walk h = walk_enter(walk, 8 * units + 8, e->header);
    uint8_t next = take_next(&h, e->next);
    walk_number(&h, 1, e->len);
    walk_say(&h, "%zu bytes", 8 * units + 8);
    walk_bytes(&h, 8 * units + 6, e->rest);
    bool failed = h.failed;
    walk_leave(&h);
    if (!failed)
        dissect_next(walk, layers, next, false);
}

static void dissect_fragment_header(struct walk *walk, struct layers *layers)
{
    struct walk h = walk_enter(walk, 8, KIND("Fragment header", "ipv6.fraghdr", IPV6("4.5")));
    uint8_t next = take_next(&h, KIND("Next header", "ipv6.fraghdr.nxt", IPV6("4.5")));
    walk_bytes(&h, 1, KIND("Reserved", "ipv6.fraghdr.reserved_octet", IPV6("4.5")));
    uint16_t field =
        (uint16_t)walk_number(&h, 2, KIND("Offset and flag", "ipv6.fraghdr.offset", IPV6("4.5")));
    walk_say(&h, "%soffset %u bytes", field & 1 ? "more fragments, " : "", field & 0xfff8u);
    walk_bytes(&h, 4, KIND("Identification", "ipv6.fraghdr.ident", IPV6("4.5")));
    bool failed = h.failed;
    walk_leave(&h);
    if (!failed)
        dissect_next(walk, layers, next, (field & 0xfff8u) != 0);
}

/* --- AH, ESP, UDP --- */

static void dissect_ah(struct walk *walk, struct layers *layers)
{
    size_t len = walk->left.len > 1 ? (walk->left.data[1] + 2u) * 4 : 12;
    struct walk h = walk_enter(walk, len < 12 ? 12 : len, KIND("AH", "ah", AH("2")));
    uint8_t next = take_next(&h, KIND("Next header", "ah.next_header", AH("2.1")));
    walk_number(&h, 1, KIND("Payload length", "ah.length", AH("2.2")));
    walk_say(&h, "%zu bytes", len);
    walk_bytes(&h, 2, KIND("Reserved", "ah.reserved", AH("2.3")));
    walk_bytes(&h, 4, KIND("SPI", "ah.spi", AH("2.4")));
    walk_number(&h, 4, KIND("Sequence number", "ah.sequence", AH("2.5")));
    bool failed = h.failed || h.announced > 0;
    walk_bytes(&h, h.left.len + h.announced, KIND("ICV", "ah.icv", AH("2.6")));
    walk_leave(&h);
    if (!failed)
        dissect_next(walk, layers, next, false);
}

static void tell_encrypted(struct walk *walk, const struct dissect_input *input)
{
    bool iv_fits = input->esp_iv_len <= walk->left.len;
    bool icv_fits = iv_fits && input->esp_icv_len <= walk->left.len - input->esp_iv_len;
    walk_bytes(walk, input->esp_iv_len, KIND("IV", "esp.iv", ESP("2.3")));
    size_t icv_len = icv_fits ? input->esp_icv_len : 0;
    if (walk->left.len > icv_len) {
        size_t len = walk->left.len - icv_len;
        walk_bytes(walk, len, KIND("Encrypted data", "esp.encrypted_data", ESP("2.3")));
        walk_say(walk, "%zu bytes: payload data, padding, pad length, next header", len);
    }
    walk_bytes(walk, input->esp_icv_len, KIND("ICV", "esp.icv", ESP("2.8")));
}

/* RFC 4303 section 2.4 to 2.6: padding, its length, and what the payload data is. */
static void tell_trailer(struct walk *walk, uint8_t next_header)
{
    if (walk->left.len > 2)
        walk_bytes(walk, walk->left.len - 2, KIND("Padding", "esp.pad", ESP("2.4")));
    walk_number(walk, 1, KIND("Pad length", "esp.pad_len", ESP("2.5")));
    walk_number(walk, 1, KIND("Next header", "esp.protocol", ESP("2.6")));
    walk_say(walk, "%s (%u)", ip_protocol_name(next_header), next_header);
}

static void dissect_esp(struct walk *walk, struct layers *layers)
{
    const struct dissect_input *input = layers->input;
    bool ours = walk->where == DISSECT_PACKET && !layers->plain_told && input->esp_known;
    struct walk h = walk_enter(walk, walk->left.len, KIND("ESP", "esp", ESP("2")));
    walk_bytes(&h, 4, KIND("SPI", "esp.spi", ESP("2.1")));
    walk_number(&h, 4, KIND("Sequence number", "esp.sequence", ESP("2.2")));
    if (ours && !h.failed)
        tell_encrypted(&h, input);
    h.rest = "Encrypted data and ICV";
    walk_leave(&h);
    if (!ours || input->plain.len == 0)
        return;
    layers->plain_told = true;
    size_t trailer = input->esp_trailer_len <= input->plain.len ? input->esp_trailer_len : 0;
    struct p2_bytes data = {input->plain.data, input->plain.len - trailer};
    struct walk plain = walk_over(walk->list, DISSECT_PLAIN, data);
    dissect_next(&plain, layers, input->esp_next_header, false);
    struct walk behind =
        walk_over(walk->list, DISSECT_PLAIN, (struct p2_bytes){data.data + data.len, trailer});
    behind.offset = data.len;
    if (trailer > 0)
        tell_trailer(&behind, input->esp_next_header);
}

static void dissect_isakmp_layer(struct walk *walk, struct layers *layers)
{
    bool ours = walk->where == DISSECT_PACKET && !layers->plain_told;
    layers->plain_told |= ours;
    dissect_message(walk, ours ? layers->input->plain : (struct p2_bytes){NULL, 0});
}

/* RFC 3948 section 2: what port 4500 carries is told by its first bytes. */
static void dissect_port_4500(struct walk *walk, struct layers *layers)
{
    struct p2_bytes left = walk->left;
    if (left.len == 1 && left.data[0] == 0xff) {
        walk_bytes(walk, 1, KIND("NAT keepalive", "udpencap.nat_keepalive", "RFC 3948 section 2.3"));
    } else if (left.len >= 4 && p2_get_u32(left.data) == 0) {
        walk_bytes(walk, 4, KIND("Non-ESP marker", "udpencap.non_esp_marker", "RFC 3948 section 2.2"));
        dissect_isakmp_layer(walk, layers);
    } else {
        dissect_esp(walk, layers);
    }
}

static void dissect_udp(struct walk *walk, struct layers *layers)
{
    struct walk h = walk_enter(walk, P2_UDP_HEADER_LEN, KIND("UDP header", "udp", "RFC 768"));
    uint64_t source = walk_number(&h, 2, KIND("Source port", "udp.srcport", "RFC 768"));
    uint64_t destination = walk_number(&h, 2, KIND("Destination port", "udp.dstport", "RFC 768"));
    size_t len = (size_t)walk_number(&h, 2, KIND("Length", "udp.length", "RFC 768"));
    walk_bytes(&h, 2, KIND("Checksum", "udp.checksum", "RFC 768"));
    bool failed = h.failed;
    walk_leave(&h);
    if (failed || walk->left.len == 0)
        return;
    struct walk body = body_of(walk, len >= P2_UDP_HEADER_LEN ? len - P2_UDP_HEADER_LEN : SIZE_MAX);
    if (body.left.len > 0 && (source == 500 || destination == 500))
        dissect_isakmp_layer(&body, layers);
    else if (body.left.len > 0 && (source == 4500 || destination == 4500))
        dissect_port_4500(&body, layers);
    tell_rest(&body, "UDP data");
    tell_rest(walk, "Behind the datagram");
}

static const struct {
    uint8_t protocol;
    void (*dissect)(struct walk *walk, struct layers *layers);
} protocols[] = {
    {P2_IP_PROTO_IPV4, dissect_ip}, {P2_IP_PROTO_IPV6, dissect_ip}, {P2_IP_PROTO_UDP, dissect_udp},
    {P2_IP_PROTO_ESP, dissect_esp}, {P2_IP_PROTO_AH, dissect_ah},
};

static bool dissect_ipv6_header(struct walk *walk, struct layers *layers, uint8_t protocol)
{
    if (protocol == P2_IP_PROTO_FRAGMENT) {
        dissect_fragment_header(walk, layers);
        return true;
    }
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        if (extensions[i].protocol == protocol) {
            dissect_extension(walk, layers, &extensions[i]);
            return true;
        }
    }
    return false;
}

/* Tells all that is left. */
static void dissect_next(struct walk *walk, struct layers *layers, uint8_t protocol, bool later_fragment)
{
    bool deep = ++layers->num > MAX_LAYERS;
    if (walk->left.len > 0 && !later_fragment && !deep &&
        !(layers->family == 6 && dissect_ipv6_header(walk, layers, protocol))) {
        for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
            if (protocols[i].protocol == protocol && walk->left.len > 0)
                protocols[i].dissect(walk, layers);
        }
    }
    size_t len = walk->left.len;
    tell_rest(walk, later_fragment ? "Data of a later fragment"
                    : deep         ? "Headers within headers"
                                   : "Payload");
    if (len > 0)
        walk_say(walk, "%s, %zu bytes", ip_protocol_name(protocol), len);
}

/* --- all of it --- */

/* Leaves can be told only when it is known whether children followed. */
static void mark_leaves(struct dissection *list)
{
    for (size_t i = 0; i < list->num; i++)
        list->fields[i].leaf = i + 1 == list->num || list->fields[i + 1].depth <= list->fields[i].depth;
}

static void finish(struct dissection *dissection, struct p2_bytes plain, bool told)
{
    struct walk walk = walk_over(dissection, DISSECT_PLAIN, plain);
    if (!told)
        tell_rest(&walk, "Decrypted data");
    mark_leaves(dissection);
}

void dissect(struct dissection *dissection, const struct dissect_input *input)
{
    struct layers layers = {.input = input};
    dissection->num = 0;
    dissection->out_of_memory = false;
    struct walk walk = walk_over(dissection, DISSECT_PACKET, input->packet);
    dissect_ip(&walk, &layers);
    tell_rest(&walk, "Rest");
    finish(dissection, input->plain, layers.plain_told);
}

void dissect_isakmp(struct dissection *dissection, struct p2_bytes message, struct p2_bytes plain)
{
    dissection->num = 0;
    dissection->out_of_memory = false;
    struct walk walk = walk_over(dissection, DISSECT_PACKET, message);
    dissect_message(&walk, plain);
    finish(dissection, plain, true);
}
