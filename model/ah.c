#include "ah.h"

#include "ip.h"

#include <assert.h>
#include <string.h>

#define FIXED_LEN 12 /* next header, length, reserved, SPI, sequence number */

enum { IPV4_END = 0, IPV4_NOP = 1, IPV4_LOOSE_ROUTE = 131, IPV4_STRICT_ROUTE = 137 };

void p2_ah_init(struct p2_ah_keys *keys, enum p2_auth auth, const uint8_t *key, bool esn)
{
    const struct p2_auth_info *info = p2_auth_of(auth);
    assert(auth != P2_AUTH_NONE);
    keys->auth = auth;
    keys->esn = esn;
    keys->icv_len = (uint8_t)info->icv_len;
    p2_hmac_init(&keys->hmac, info->hash, key, info->key_len);
}

static size_t alignment(uint8_t family)
{
    return family == 4 ? 4 : 8;
}

size_t p2_ah_header_len(const struct p2_ah_keys *keys, uint8_t family)
{
    size_t unit = alignment(family);
    return ((size_t)FIXED_LEN + keys->icv_len + unit - 1) / unit * unit;
}

/* --- where AH stands --- */

/* What comes before AH, and the byte there that names what follows. */
struct place {
    uint8_t family;
    size_t offset, link;
};

static bool find_place_ipv4(struct place *place, const uint8_t *packet, size_t len)
{
    if (len < P2_IPV4_HEADER_LEN || p2_get_u16(packet + 2) != len)
        return false;
    size_t header_len = (packet[0] & 15u) * (size_t)4;
    *place = (struct place){4, header_len, 9};
    bool whole = (p2_get_u16(packet + 6) & 0x3fff) == 0; /* neither an offset nor more fragments */
    return header_len >= P2_IPV4_HEADER_LEN && header_len <= len && whole;
}

/* Length of the extension header at `at`; 0 if it does not fit. */
static size_t extension_len(const uint8_t *packet, size_t len, size_t at)
{
    size_t extension = len - at >= 8 ? (packet[at + 1] + 1u) * 8u : 0;
    return extension <= len - at ? extension : 0;
}

/* RFC 4302 section 3.1.1: behind hop-by-hop and routing headers, and behind destination options that a
 * routing header (or AH itself) follows; not behind those that stand last. */
static bool find_place_ipv6(struct place *place, const uint8_t *packet, size_t len)
{
    if (len < P2_IPV6_HEADER_LEN || p2_get_u16(packet + 4) != len - P2_IPV6_HEADER_LEN)
        return false;
    size_t at = P2_IPV6_HEADER_LEN, link = 6;
    *place = (struct place){6, at, link};
    while (packet[link] == P2_IP_PROTO_HOP_BY_HOP || packet[link] == P2_IP_PROTO_ROUTING ||
           packet[link] == P2_IP_PROTO_DESTINATION) {
        size_t extension = extension_len(packet, len, at);
        if (extension == 0)
            return false;
        if (packet[link] != P2_IP_PROTO_DESTINATION)
            *place = (struct place){6, at + extension, at};
        link = at;
        at += extension;
        if (packet[link] == P2_IP_PROTO_AH)
            *place = (struct place){6, at, link};
    }
    return packet[link] != P2_IP_PROTO_FRAGMENT;
}

static bool find_place(struct place *place, const uint8_t *packet, size_t len)
{
    if (len == 0)
        return false;
    unsigned version = packet[0] >> 4;
    return version == 4   ? find_place_ipv4(place, packet, len)
           : version == 6 ? find_place_ipv6(place, packet, len)
                          : false;
}

bool p2_ah_parse(struct p2_ah_view *view, const uint8_t *packet, size_t len)
{
    struct place place;
    if (!find_place(&place, packet, len) || packet[place.link] != P2_IP_PROTO_AH ||
        len - place.offset < FIXED_LEN)
        return false;
    const uint8_t *ah = packet + place.offset;
    *view = (struct p2_ah_view){.offset = place.offset,
                                .len = (ah[1] + 2u) * (size_t)4, /* RFC 4302 section 2.2 */
                                .link = place.link,
                                .spi = p2_get_u32(ah + 4),
                                .sequence = p2_get_u32(ah + 8),
                                .next_header = ah[0]};
    return view->len >= FIXED_LEN && view->len <= len - view->offset;
}

bool p2_ah_plausible(const struct p2_ah_keys *keys, const uint8_t *packet, const struct p2_ah_view *view)
{
    size_t least = (size_t)FIXED_LEN + keys->icv_len, unit = alignment(packet[0] >> 4);
    return view->len >= least && view->len < least + 8 && view->len % unit == 0;
}

/* --- what the ICV does not cover --- */

/* RFC 4302 section A.1: every option that is not on the list of immutable ones is zeroed as a whole. False:
 * the options do not parse. */
static bool zero_ipv4_options(uint8_t *options, size_t len)
{
    static const uint8_t immutable[] = {130, 133, 134, 148,
                                        149}; /* security, router alert, multi-destination */
    for (size_t at = 0; at < len && options[at] != IPV4_END;) {
        if (options[at] == IPV4_NOP) {
            at++;
            continue;
        }
        size_t option = len - at >= 2 ? options[at + 1] : 0;
        if (option < 2 || option > len - at)
            return false;
        if (!memchr(immutable, options[at], sizeof(immutable)))
            memset(options + at, 0, option);
        at += option;
    }
    return true;
}

/* RFC 4302 section 3.3.3.1.2.2: the third bit of an option's type says that its data may change; type and
 * length do not. extension: a hop-by-hop or destination options header. */
static bool zero_ipv6_options(uint8_t *extension, size_t len)
{
    for (size_t at = 2; at < len;) {
        if (extension[at] == 0) { /* Pad1 has no length */
            at++;
            continue;
        }
        size_t option = len - at >= 2 ? extension[at + 1] + 2u : 0;
        if (option < 2 || option > len - at)
            return false;
        if (extension[at] & 0x20)
            memset(extension + at + 2, 0, option - 2);
        at += option;
    }
    return true;
}

/* RFC 4302 section 3.3.3.1.1.1. */
static bool zero_ipv4(uint8_t *header, size_t len)
{
    header[1] = 0;             /* DSCP and ECN */
    memset(header + 6, 0, 3);  /* flags, fragment offset, TTL */
    memset(header + 10, 0, 2); /* checksum */
    return zero_ipv4_options(header + P2_IPV4_HEADER_LEN, len - P2_IPV4_HEADER_LEN);
}

/* Section 3.3.3.1.2.1. A routing header that is done changes no more. */
static bool zero_ipv6(uint8_t *header, size_t len)
{
    header[0] = 0x60; /* DSCP, ECN and flow label */
    memset(header + 1, 0, 3);
    header[7] = 0; /* hop limit */
    uint8_t next = header[6];
    for (size_t at = P2_IPV6_HEADER_LEN; at < len;) {
        size_t extension = extension_len(header, len, at);
        if (extension == 0 || (next != P2_IP_PROTO_ROUTING && !zero_ipv6_options(header + at, extension)))
            return false;
        next = header[at];
        at += extension;
    }
    return true;
}

/* Turns a copy of what stands before AH into what the ICV covers of it. */
static bool zero_mutable(uint8_t *header, size_t len)
{
    return header[0] >> 4 == 4 ? zero_ipv4(header, len) : zero_ipv6(header, len);
}

/* Destination options right behind AH may hold such data too; how long they are, or 0. */
static size_t options_behind(uint8_t next_header, const uint8_t *rest, size_t len)
{
    return next_header == P2_IP_PROTO_DESTINATION ? extension_len(rest, len, 0) : 0;
}

/* --- the ICV --- */

/* header: zeroed already; ah: with zeros for the ICV; behind AH come `options`, zeroed already, and `rest`.
 */
static void compute_icv(const struct p2_ah_keys *keys, struct p2_bytes header, struct p2_bytes ah,
                        struct p2_bytes options, struct p2_bytes rest, uint64_t sequence, uint8_t *icv)
{
    uint8_t high[4];
    struct p2_bytes parts[] = {header, ah, options, rest, {high, sizeof(high)}};
    p2_put_u32(high, (uint32_t)(sequence >> 32));
    p2_hmac_compute(&keys->hmac, parts, keys->esn ? 5 : 4, icv, keys->icv_len);
}

/* A source route with addresses left to visit. */
static bool is_under_way(const uint8_t *packet, const struct place *place)
{
    if (place->family == 4) {
        for (size_t at = P2_IPV4_HEADER_LEN; at + 2 < place->offset && packet[at] != IPV4_END;) {
            size_t option = packet[at] == IPV4_NOP ? 1 : packet[at + 1];
            if ((packet[at] == IPV4_LOOSE_ROUTE || packet[at] == IPV4_STRICT_ROUTE) &&
                packet[at + 2] <= packet[at + 1])
                return true;
            at += option > 0 ? option : place->offset;
        }
        return false;
    }
    uint8_t next = packet[6];
    for (size_t at = P2_IPV6_HEADER_LEN; at < place->offset; at += (packet[at + 1] + 1u) * (size_t)8) {
        if (next == P2_IP_PROTO_ROUTING && packet[at + 3] > 0) /* segments left */
            return true;
        next = packet[at];
    }
    return false;
}

size_t p2_ah_seal(const struct p2_ah_keys *keys, uint32_t spi, uint64_t sequence, const uint8_t *packet,
                  size_t len, uint8_t *out)
{
    struct place place;
    if (!find_place(&place, packet, len) || is_under_way(packet, &place))
        return 0;
    size_t ah_len = p2_ah_header_len(keys, place.family), rest_len = len - place.offset,
           sealed = len + ah_len;
    if (sealed > (place.family == 4 ? 65535u : 65535u + P2_IPV6_HEADER_LEN))
        return 0;
    uint8_t *ah = out + place.offset, *rest = ah + ah_len, next_header = packet[place.link];
    memcpy(out, packet, place.offset);
    out[place.link] = P2_IP_PROTO_AH;
    p2_ip_set_payload_len(out, place.offset, sealed - place.offset);
    memset(ah, 0, ah_len);
    ah[0] = next_header;
    ah[1] = (uint8_t)(ah_len / 4 - 2);
    p2_put_u32(ah + 4, spi);
    p2_put_u32(ah + 8, (uint32_t)sequence);
    memcpy(rest, packet + place.offset, rest_len);
    size_t options = options_behind(next_header, rest, rest_len);
    if (!zero_mutable(out, place.offset) || (options > 0 && !zero_ipv6_options(rest, options)))
        return 0;
    uint8_t icv[P2_HASH_MAX_LEN];
    compute_icv(keys, (struct p2_bytes){out, place.offset}, (struct p2_bytes){ah, ah_len},
                (struct p2_bytes){rest, options}, (struct p2_bytes){rest + options, rest_len - options},
                sequence, icv);
    memcpy(ah + FIXED_LEN, icv, keys->icv_len);
    memcpy(out, packet, place.offset); /* the mutable fields again */
    memcpy(rest, packet + place.offset, options);
    out[place.link] = P2_IP_PROTO_AH;
    p2_ip_set_payload_len(out, place.offset, sealed - place.offset);
    return sealed;
}

enum p2_drop p2_ah_open(const struct p2_ah_keys *keys, const uint8_t *packet, size_t len, uint64_t sequence,
                        uint8_t *out, size_t *out_len)
{
    struct p2_ah_view view;
    if (!p2_ah_parse(&view, packet, len) || !p2_ah_plausible(keys, packet, &view))
        return P2_DROP_RUNT;
    uint8_t ah[P2_AH_MAX_HEADER + 8], icv[P2_HASH_MAX_LEN], *behind = out + view.offset;
    const uint8_t *rest = packet + view.offset + view.len;
    size_t rest_len = len - view.offset - view.len,
           options = options_behind(view.next_header, rest, rest_len);
    memcpy(out, packet, view.offset);
    memcpy(behind, rest, options);
    memcpy(ah, packet + view.offset, view.len);
    memset(ah + FIXED_LEN, 0, keys->icv_len); /* the padding behind it counts as it is */
    if (!zero_mutable(out, view.offset) || (options > 0 && !zero_ipv6_options(behind, options)))
        return P2_DROP_RUNT;
    compute_icv(keys, (struct p2_bytes){out, view.offset}, (struct p2_bytes){ah, view.len},
                (struct p2_bytes){behind, options}, (struct p2_bytes){rest + options, rest_len - options},
                sequence, icv);
    if (!p2_equal_constant_time(icv, packet + view.offset + FIXED_LEN, keys->icv_len))
        return P2_DROP_ICV_MISMATCH;
    *out_len = len - view.len;
    memcpy(out, packet, view.offset);
    memcpy(behind, rest, rest_len);
    out[view.link] = view.next_header;
    p2_ip_set_payload_len(out, view.offset, *out_len - view.offset);
    return P2_DROP_NONE;
}
