/* Addresses, prefixes and ranges as people write them. */
#include "units.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* No leading zeros: some readers take them for octal. */
static bool read_ipv4(const char *text, struct p2_address *out)
{
    uint32_t address = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t byte = 0;
        const char *start = text;
        while (is_digit(*text) && text - start < 3)
            byte = byte * 10 + (uint32_t)(*text++ - '0');
        if (text == start || byte > 255 || (*start == '0' && text - start > 1) || (i < 3 && *text++ != '.'))
            return false;
        address = address << 8 | byte;
    }
    if (*text)
        return false;
    *out = p2_address_v4(address);
    return true;
}

bool units_address(const char *text, struct p2_address *out)
{
    struct p2_address address = {.family = 6};
    if (!strchr(text, ':'))
        return read_ipv4(text, out);
    if (inet_pton(AF_INET6, text, address.bytes) != 1)
        return false;
    *out = address;
    return true;
}

void units_address_format(const struct p2_address *address, char out[UNITS_ADDRESS_TEXT])
{
    if (!inet_ntop(address->family == 6 ? AF_INET6 : AF_INET, address->bytes, out, UNITS_ADDRESS_TEXT))
        out[0] = '\0';
}

uint8_t units_address_bits(const struct p2_address *address)
{
    return address->family == 6 ? 128 : 32;
}

/* Which bits of byte i stand behind the prefix. */
static uint8_t host_bits(size_t i, uint8_t prefix_len)
{
    size_t bits = prefix_len > i * 8 ? prefix_len - i * 8 : 0;
    return bits >= 8 ? 0 : (uint8_t)(0xff >> bits);
}

void units_address_mask(struct p2_address *address, uint8_t prefix_len)
{
    for (size_t i = 0; i < units_address_bits(address) / 8u; i++)
        address->bytes[i] &= (uint8_t)~host_bits(i, prefix_len);
}

bool units_address_add(struct p2_address *address, uint64_t count, unsigned shift)
{
    unsigned carry = 0;
    for (unsigned i = units_address_bits(address) / 8u; i-- > 0;) {
        /* The eight bits of count << shift that meet this byte. */
        int low = (int)(units_address_bits(address) - 8u * (i + 1)) - (int)shift;
        uint64_t part = low >= 64 || low <= -8 ? 0 : low >= 0 ? count >> low : count << -low;
        carry += address->bytes[i] + (unsigned)(part & 0xff);
        address->bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
    unsigned room = units_address_bits(address) > shift ? units_address_bits(address) - shift : 0;
    return carry == 0 && (room >= 64 || count >> room == 0);
}

int units_address_compare(const struct p2_address *a, const struct p2_address *b)
{
    return a->family != b->family ? a->family - b->family : memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

void units_selector_bounds(const struct p2_selector *selector, struct p2_address *first,
                           struct p2_address *last)
{
    *first = selector->address;
    *last = selector->is_range ? selector->last : selector->address;
    for (size_t i = 0; !selector->is_range && i < units_address_bits(last) / 8u; i++)
        last->bytes[i] |= host_bits(i, selector->prefix_len);
}

/* The text before `end`, if it is short enough to be an address. */
static bool cut(char out[UNITS_ADDRESS_TEXT], const char *text, const char *end)
{
    size_t len = end ? (size_t)(end - text) : strlen(text);
    if (len >= UNITS_ADDRESS_TEXT)
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

bool units_prefix(const char *text, struct p2_selector *out)
{
    char host[UNITS_ADDRESS_TEXT];
    const char *slash = strchr(text, '/');
    struct p2_selector prefix = {0};
    if (!cut(host, text, slash) || !units_address(host, &prefix.address))
        return false;
    uint32_t prefix_len = units_address_bits(&prefix.address);
    if (slash && (!units_count(slash + 1, &prefix_len) || prefix_len > units_address_bits(&prefix.address)))
        return false;
    struct p2_address network = prefix.address;
    units_address_mask(&network, (uint8_t)prefix_len);
    if (units_address_compare(&network, &prefix.address) != 0)
        return false;
    prefix.prefix_len = (uint8_t)prefix_len;
    *out = prefix;
    return true;
}

bool units_selector(const char *text, struct p2_selector *out)
{
    char host[UNITS_ADDRESS_TEXT];
    const char *dash = strchr(text, '-');
    struct p2_selector range = {.is_range = true};
    if (!dash)
        return units_prefix(text, out);
    if (!cut(host, text, dash) || !units_address(host, &range.address) ||
        !units_address(dash + 1, &range.last) || range.address.family != range.last.family ||
        units_address_compare(&range.address, &range.last) > 0)
        return false;
    *out = range;
    return true;
}
