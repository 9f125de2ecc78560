#include "selector.h"

#include "cursor.h"

#include <stdio.h>
#include <string.h>

enum {
    ID_IPV4_ADDR = 1,
    ID_IPV4_ADDR_SUBNET = 4,
    ID_IPV6_ADDR = 5,
    ID_IPV6_ADDR_SUBNET = 6
}; /* RFC 2407 4.6.2.1 */

static size_t address_len(uint8_t family)
{
    return family == 6 ? 16 : 4;
}

static void format_address(const struct p2_address *a, char *text, size_t size)
{
    if (a->family == 4) {
        snprintf(text, size, "%u.%u.%u.%u", a->bytes[0], a->bytes[1], a->bytes[2], a->bytes[3]);
        return;
    }
    size_t at = 0;
    for (size_t i = 0; i < 16; i += 2)
        at += (size_t)snprintf(text + at, size - at, i ? ":%x" : "%x", p2_get_u16(a->bytes + i));
}

void p2_selector_format(const struct p2_selector *selector, char text[P2_SELECTOR_TEXT])
{
    char address[48];
    format_address(&selector->address, address, sizeof(address));
    int n = snprintf(text, P2_SELECTOR_TEXT, "%s/%u", address, selector->prefix_len);
    if (selector->protocol != 0 || selector->port != 0)
        snprintf(text + n, P2_SELECTOR_TEXT - (size_t)n, " protocol %u port %u", selector->protocol,
                 selector->port);
}

void p2_selector_format_pair(const struct p2_selector *from, const struct p2_selector *to, char *text,
                             size_t size)
{
    char a[P2_SELECTOR_TEXT], b[P2_SELECTOR_TEXT];
    p2_selector_format(from, a);
    p2_selector_format(to, b);
    int len = snprintf(text, size, "%s to %s", a, b);
    (void)len; /* two long IPv6 selectors with ports may be cut */
}

bool p2_selector_equal(const struct p2_selector *a, const struct p2_selector *b)
{
    return a->address.family == b->address.family && a->prefix_len == b->prefix_len &&
           a->protocol == b->protocol && a->port == b->port &&
           memcmp(a->address.bytes, b->address.bytes, address_len(a->address.family)) == 0;
}

bool p2_selector_contains(const struct p2_selector *selector, const struct p2_address *address)
{
    if (selector->address.family != address->family)
        return false;
    size_t whole = selector->prefix_len / 8u, rest = selector->prefix_len % 8u;
    if (memcmp(selector->address.bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || (selector->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

/* A prefix of full length is sent as an address, every other one as a subnet with its mask. */
size_t p2_selector_to_id(const struct p2_selector *selector, uint8_t out[P2_SELECTOR_ID_MAX])
{
    size_t len = address_len(selector->address.family);
    bool single = selector->prefix_len == len * 8, v6 = len == 16;
    struct p2_builder b = p2_builder_init(out, P2_SELECTOR_ID_MAX);
    p2_build_u8(&b, single ? (v6 ? ID_IPV6_ADDR : ID_IPV4_ADDR)
                           : (v6 ? ID_IPV6_ADDR_SUBNET : ID_IPV4_ADDR_SUBNET));
    p2_build_u8(&b, selector->protocol);
    p2_build_u16(&b, selector->port);
    p2_build_bytes(&b, selector->address.bytes, len);
    for (size_t i = 0; i < len && !single; i++) {
        size_t bits = selector->prefix_len > i * 8 ? selector->prefix_len - i * 8 : 0;
        p2_build_u8(&b, bits >= 8 ? 0xff : (uint8_t)(0xff00 >> bits));
    }
    return b.len;
}

/* -1: the mask has holes. */
static int mask_length(struct p2_bytes mask)
{
    int bits = 0;
    bool ended = false;
    for (size_t i = 0; i < mask.len * 8; i++) {
        bool set = mask.data[i / 8] >> (7 - i % 8) & 1;
        if (set && ended)
            return -1;
        ended = !set;
        bits += set;
    }
    return bits;
}

/* 10.1.0.5 with the mask of a /24 means 10.1.0.0/24. */
static void clear_host_bits(struct p2_selector *selector, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t bits = selector->prefix_len > i * 8 ? selector->prefix_len - i * 8 : 0;
        selector->address.bytes[i] &= bits >= 8 ? 0xff : (uint8_t)(0xff00 >> bits);
    }
}

int p2_selector_from_id(struct p2_selector *selector, const uint8_t *body, size_t len)
{
    struct p2_reader r = p2_reader_init(body, len);
    memset(selector, 0, sizeof(*selector));
    uint8_t type = p2_read_u8(&r);
    selector->protocol = p2_read_u8(&r);
    selector->port = p2_read_u16(&r);
    bool v4 = type == ID_IPV4_ADDR || type == ID_IPV4_ADDR_SUBNET,
         v6 = type == ID_IPV6_ADDR || type == ID_IPV6_ADDR_SUBNET;
    if (!v4 && !v6)
        return P2_ERR_MALFORMED;
    selector->address.family = v4 ? 4 : 6;
    size_t alen = address_len(selector->address.family);
    struct p2_bytes address = p2_read_bytes(&r, alen);
    int bits = (int)alen * 8;
    if (type == ID_IPV4_ADDR_SUBNET || type == ID_IPV6_ADDR_SUBNET)
        bits = mask_length(p2_read_bytes(&r, alen));
    if (r.failed || r.left != 0 || bits < 0)
        return P2_ERR_MALFORMED;
    memcpy(selector->address.bytes, address.data, alen);
    selector->prefix_len = (uint8_t)bits;
    clear_host_bits(selector, alen);
    return P2_OK;
}
