#include "selector.h"

#include "cursor.h"
#include "ip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 2407 section 4.6.2.1 */
enum {
    ID_IPV4_ADDR = 1,
    ID_IPV4_ADDR_SUBNET = 4,
    ID_IPV6_ADDR = 5,
    ID_IPV6_ADDR_SUBNET = 6,
    ID_IPV4_ADDR_RANGE = 7,
    ID_IPV6_ADDR_RANGE = 8
};

static uint8_t mask_byte(size_t prefix_len, size_t i)
{
    size_t bits = prefix_len > i * 8 ? prefix_len - i * 8 : 0;
    return (uint8_t)(0xff00 >> (bits < 8 ? bits : 8));
}

static bool is_single(const struct p2_selector *selector)
{
    return !selector->is_range && selector->prefix_len == p2_address_len(selector->address.family) * 8;
}

struct p2_selector p2_selector_single(const struct p2_address *address)
{
    return (struct p2_selector){.address = *address,
                                .prefix_len = (uint8_t)(p2_address_len(address->family) * 8)};
}

/* --- text --- */

static bool parse_prefix_len(const char *text, size_t bits, uint8_t *prefix_len)
{
    size_t digits = strspn(text, "0123456789");
    bool leading_zero = text[0] == '0' && digits > 1;
    if (digits == 0 || digits > 3 || text[digits] != '\0' || leading_zero)
        return false;
    unsigned long len = strtoul(text, NULL, 10);
    *prefix_len = (uint8_t)len;
    return len <= bits;
}

static bool parse_prefix(struct p2_selector *selector, const char *prefix_len)
{
    const struct p2_address *address = &selector->address;
    if (!parse_prefix_len(prefix_len, p2_address_len(address->family) * 8u, &selector->prefix_len))
        return false;
    struct p2_address masked = p2_address_masked(address, selector->prefix_len);
    return p2_address_equal(&masked, address);
}

static bool parse_range(struct p2_selector *selector, const char *last)
{
    selector->is_range = true;
    selector->prefix_len = 0;
    return p2_address_parse(&selector->last, last) && selector->last.family == selector->address.family &&
           p2_address_compare(&selector->address, &selector->last) <= 0;
}

bool p2_selector_parse(struct p2_selector *selector, const char *text)
{
    char first[64];
    struct p2_address address;
    size_t len = strcspn(text, "/-");
    if (len >= sizeof(first))
        return false;
    memcpy(first, text, len);
    first[len] = '\0';
    if (!p2_address_parse(&address, first))
        return false;
    struct p2_selector parsed = p2_selector_single(&address);
    if (text[len] == '/' && !parse_prefix(&parsed, text + len + 1))
        return false;
    if (text[len] == '-' && !parse_range(&parsed, text + len + 1))
        return false;
    *selector = parsed;
    return true;
}

static int format_addresses(const struct p2_selector *selector, char text[P2_SELECTOR_TEXT])
{
    char first[P2_ADDRESS_TEXT], last[P2_ADDRESS_TEXT];
    p2_address_format(&selector->address, first);
    if (is_single(selector))
        return snprintf(text, P2_SELECTOR_TEXT, "%s", first);
    if (!selector->is_range)
        return snprintf(text, P2_SELECTOR_TEXT, "%s/%u", first, selector->prefix_len);
    p2_address_format(&selector->last, last);
    return snprintf(text, P2_SELECTOR_TEXT, "%s-%s", first, last);
}

void p2_selector_format(const struct p2_selector *selector, char text[P2_SELECTOR_TEXT])
{
    static const char *const names[] = {
        [P2_IP_PROTO_ICMP] = "icmp", [P2_IP_PROTO_TCP] = "tcp", [P2_IP_PROTO_UDP] = "udp"};
    size_t at = (size_t)format_addresses(selector, text);
    uint8_t protocol = selector->protocol;
    if (protocol < sizeof(names) / sizeof(names[0]) && names[protocol])
        at += (size_t)snprintf(text + at, P2_SELECTOR_TEXT - at, " %s", names[protocol]);
    else if (protocol != 0)
        at += (size_t)snprintf(text + at, P2_SELECTOR_TEXT - at, " protocol %u", protocol);
    if (selector->port != 0)
        snprintf(text + at, P2_SELECTOR_TEXT - at, " port %u", selector->port);
}

void p2_selector_format_pair(const struct p2_selector *from, const struct p2_selector *to, char *text,
                             size_t size)
{
    char a[P2_SELECTOR_TEXT], b[P2_SELECTOR_TEXT];
    p2_selector_format(from, a);
    p2_selector_format(to, b);
    int len = snprintf(text, size, "%s to %s", a, b);
    (void)len; /* two long IPv6 selectors may be cut */
}

/* --- what it covers --- */

void p2_selector_bounds(const struct p2_selector *selector, struct p2_address *first, struct p2_address *last)
{
    *first = selector->address;
    *last = selector->is_range ? selector->last : selector->address;
    if (selector->is_range)
        return;
    for (size_t i = 0; i < p2_address_len(first->family); i++) {
        first->bytes[i] &= mask_byte(selector->prefix_len, i);
        last->bytes[i] |= (uint8_t)~mask_byte(selector->prefix_len, i);
    }
}

bool p2_selector_equal_addresses(const struct p2_selector *a, const struct p2_selector *b)
{
    struct p2_address first[2], last[2];
    p2_selector_bounds(a, &first[0], &last[0]);
    p2_selector_bounds(b, &first[1], &last[1]);
    return p2_address_equal(&first[0], &first[1]) && p2_address_equal(&last[0], &last[1]);
}

bool p2_selector_equal(const struct p2_selector *a, const struct p2_selector *b)
{
    return a->protocol == b->protocol && a->port == b->port && p2_selector_equal_addresses(a, b);
}

bool p2_selector_contains(const struct p2_selector *selector, const struct p2_address *address)
{
    const struct p2_address *own = &selector->address;
    if (own->family != address->family)
        return false;
    if (selector->is_range)
        return p2_address_compare(own, address) <= 0 && p2_address_compare(address, &selector->last) <= 0;
    size_t whole = selector->prefix_len / 8u, rest = selector->prefix_len % 8u;
    if (memcmp(own->bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || (own->bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

bool p2_selector_matches(const struct p2_selector *selector, const struct p2_address *address,
                         uint8_t protocol, uint16_t port)
{
    return (selector->protocol == 0 || selector->protocol == protocol) &&
           (selector->port == 0 || selector->port == port) && p2_selector_contains(selector, address);
}

bool p2_selector_covers(const struct p2_selector *a, const struct p2_selector *b)
{
    struct p2_address first, last;
    p2_selector_bounds(b, &first, &last);
    return (a->protocol == 0 || a->protocol == b->protocol) && (a->port == 0 || a->port == b->port) &&
           p2_selector_contains(a, &first) && p2_selector_contains(a, &last);
}

/* --- ID payloads --- */

static uint8_t id_type(const struct p2_selector *selector)
{
    bool v6 = selector->address.family == 6;
    if (selector->is_range)
        return v6 ? ID_IPV6_ADDR_RANGE : ID_IPV4_ADDR_RANGE;
    if (is_single(selector))
        return v6 ? ID_IPV6_ADDR : ID_IPV4_ADDR;
    return v6 ? ID_IPV6_ADDR_SUBNET : ID_IPV4_ADDR_SUBNET;
}

size_t p2_selector_to_id(const struct p2_selector *selector, uint8_t out[P2_SELECTOR_ID_MAX])
{
    size_t len = p2_address_len(selector->address.family);
    struct p2_builder b = p2_builder_init(out, P2_SELECTOR_ID_MAX);
    p2_build_u8(&b, id_type(selector));
    p2_build_u8(&b, selector->protocol);
    p2_build_u16(&b, selector->port);
    p2_build_bytes(&b, selector->address.bytes, len);
    if (selector->is_range)
        p2_build_bytes(&b, selector->last.bytes, len);
    for (size_t i = 0; i < len && !selector->is_range && !is_single(selector); i++)
        p2_build_u8(&b, mask_byte(selector->prefix_len, i));
    return b.len;
}

static bool read_address(struct p2_reader *r, uint8_t family, struct p2_address *address)
{
    struct p2_bytes bytes = p2_read_bytes(r, p2_address_len(family));
    *address = (struct p2_address){.family = family};
    if (bytes.len > 0)
        memcpy(address->bytes, bytes.data, bytes.len);
    return !r->failed;
}

/* A mask without holes is what mask_byte makes of the number of its ones. */
static bool read_mask(struct p2_reader *r, struct p2_selector *selector)
{
    struct p2_address mask;
    if (!read_address(r, selector->address.family, &mask))
        return false;
    selector->prefix_len = 0;
    for (size_t bit = 0; bit < sizeof(mask.bytes) * 8; bit++)
        selector->prefix_len = (uint8_t)(selector->prefix_len + (mask.bytes[bit / 8] >> bit % 8 & 1));
    for (size_t i = 0; i < sizeof(mask.bytes); i++) {
        if (mask.bytes[i] != mask_byte(selector->prefix_len, i))
            return false;
    }
    /* 10.1.0.5 with the mask of a /24 means 10.1.0.0/24. */
    selector->address = p2_address_masked(&selector->address, selector->prefix_len);
    return true;
}

static bool read_last(struct p2_reader *r, struct p2_selector *selector)
{
    selector->is_range = true;
    selector->prefix_len = 0;
    return read_address(r, selector->address.family, &selector->last) &&
           p2_address_compare(&selector->address, &selector->last) <= 0;
}

int p2_selector_from_id(struct p2_selector *selector, const uint8_t *body, size_t len)
{
    struct p2_reader r = p2_reader_init(body, len);
    struct p2_address address;
    *selector = (struct p2_selector){0};
    uint8_t type = p2_read_u8(&r), protocol = p2_read_u8(&r);
    uint16_t port = p2_read_u16(&r);
    bool v4 = type == ID_IPV4_ADDR || type == ID_IPV4_ADDR_SUBNET || type == ID_IPV4_ADDR_RANGE,
         v6 = type == ID_IPV6_ADDR || type == ID_IPV6_ADDR_SUBNET || type == ID_IPV6_ADDR_RANGE;
    if ((!v4 && !v6) || !read_address(&r, v4 ? 4 : 6, &address))
        return P2_ERR_MALFORMED;
    *selector = p2_selector_single(&address);
    selector->protocol = protocol;
    selector->port = port;
    bool good = true;
    if (type == ID_IPV4_ADDR_SUBNET || type == ID_IPV6_ADDR_SUBNET)
        good = read_mask(&r, selector);
    else if (type == ID_IPV4_ADDR_RANGE || type == ID_IPV6_ADDR_RANGE)
        good = read_last(&r, selector);
    return good && !r.failed && r.left == 0 ? P2_OK : P2_ERR_MALFORMED;
}
