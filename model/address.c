#include "base.h"

#include "cursor.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool p2_address_equal(const struct p2_address *a, const struct p2_address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, p2_address_len(a->family)) == 0;
}

int p2_address_compare(const struct p2_address *a, const struct p2_address *b)
{
    return a->family != b->family ? a->family - b->family
                                  : memcmp(a->bytes, b->bytes, p2_address_len(a->family));
}

struct p2_address p2_address_masked(const struct p2_address *address, unsigned prefix_len)
{
    struct p2_address a = *address;
    size_t whole = prefix_len / 8;
    if (whole < sizeof(a.bytes)) {
        a.bytes[whole] &= (uint8_t)(0xff00 >> prefix_len % 8);
        memset(a.bytes + whole + 1, 0, sizeof(a.bytes) - whole - 1);
    }
    return a;
}

uint64_t p2_address_hash(const struct p2_address *address)
{
    if (address->family != 6)
        return p2_address_to_v4(address);
    uint64_t upper = p2_get_u64(address->bytes) * UINT64_C(0x9e3779b97f4a7c15);
    return (upper ^ upper >> 32) ^ p2_get_u64(address->bytes + 8);
}

/* The groups that "::" stands for: the first one of the longest runs of zeros, if it has two or more (RFC
 * 5952 section 4.2). first 8: there is none. */
struct zeros {
    size_t first, len;
};

static struct zeros longest_zeros(const uint8_t bytes[16])
{
    struct zeros longest = {8, 0};
    for (size_t first = 0; first < 8; first++) {
        size_t len = 0;
        while (first + len < 8 && p2_get_u16(bytes + (first + len) * 2) == 0)
            len++;
        if (len >= 2 && len > longest.len)
            longest = (struct zeros){first, len};
    }
    return longest;
}

static void format_v6(const uint8_t bytes[16], char text[P2_ADDRESS_TEXT])
{
    struct zeros zeros = longest_zeros(bytes);
    size_t at = 0;
    for (size_t i = 0; i < 8; i++) {
        if (i == zeros.first) {
            at += (size_t)snprintf(text + at, P2_ADDRESS_TEXT - at, "::");
            i += zeros.len - 1;
            continue;
        }
        const char *separator = i == 0 || i == zeros.first + zeros.len ? "" : ":";
        at += (size_t)snprintf(text + at, P2_ADDRESS_TEXT - at, "%s%x", separator, p2_get_u16(bytes + i * 2));
    }
}

void p2_address_format(const struct p2_address *address, char text[P2_ADDRESS_TEXT])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *b = address->bytes;
    bool is_mapped = address->family == 6 && memcmp(b, mapped, sizeof(mapped)) == 0;
    if (is_mapped) /* RFC 5952 section 5 */
        b += sizeof(mapped);
    if (address->family == 4 || is_mapped)
        snprintf(text, P2_ADDRESS_TEXT, "%s%u.%u.%u.%u", is_mapped ? "::ffff:" : "", b[0], b[1], b[2], b[3]);
    else if (address->family == 6)
        format_v6(b, text);
    else
        snprintf(text, P2_ADDRESS_TEXT, "none");
}

bool p2_address_parse(struct p2_address *address, const char *text)
{
    struct p2_address parsed = {.family = strchr(text, ':') ? 6 : 4};
    if (inet_pton(parsed.family == 6 ? AF_INET6 : AF_INET, text, parsed.bytes) != 1)
        return false;
    *address = parsed;
    return true;
}
