/* Addresses, prefixes and ranges in attributes: what hosts can have, and what to say of a slip. */
#include "load.h"

#include "units.h"

#include <string.h>

static const char address_allowed[] =
    "an IPv4 address from 1.0.0.0 to 223.255.255.255 outside 127.0.0.0/8 and 169.254.0.0/16, such as "
    "203.0.113.1, or an IPv6 address inside 2000::/3 or fd00::/8, such as fd00::1";

/* Multicast, loopback and link-local addresses are no place for a gateway or a network behind one. */
static bool usable(const struct p2_address *address)
{
    const uint8_t *bytes = address->bytes;
    if (address->family == 6)
        return (bytes[0] & 0xe0) == 0x20 || (bytes[0] & 0xfe) == 0xfc;
    bool link_local = bytes[0] == 169 && bytes[1] == 254;
    return bytes[0] >= 1 && bytes[0] <= 223 && bytes[0] != 127 && !link_local;
}

/* 2001:db8::/32 is for documentation, and ns-3's routers take that at its word: they forward none of it. */
static bool is_documentation(const struct p2_address *address)
{
    static const uint8_t prefix[] = {0x20, 0x01, 0x0d, 0xb8};
    return address->family == 6 && memcmp(address->bytes, prefix, sizeof prefix) == 0;
}

static bool check_documentation(struct problems *problems, const xmlNode *element, const char *attribute,
                                const struct p2_address *address)
{
    if (!is_documentation(address))
        return true;
    load_wrong(problems, element, attribute,
               "2001:db8::/32 is for documentation, and the simulator's routers drop it",
               "another prefix, such as fd00::/8");
    return false;
}

bool load_address(struct problems *problems, const xmlNode *element, const char *attribute,
                  struct p2_address *out)
{
    if (!p2_address_parse(out, load_required(element, attribute))) {
        load_wrong(problems, element, attribute, "not an address", address_allowed);
        return false;
    }
    if (!check_documentation(problems, element, attribute, out))
        return false;
    if (usable(out))
        return true;
    load_wrong(problems, element, attribute, "no host can have it", address_allowed);
    return false;
}

/* The usual slip is a host's address with its network's length: say the network. */
static bool say_network(struct problems *problems, const xmlNode *element, const char *attribute,
                        const char *text)
{
    char host[P2_ADDRESS_TEXT] = "", network[P2_ADDRESS_TEXT], allowed[P2_ADDRESS_TEXT + 8];
    struct p2_address address;
    uint32_t prefix_len;
    size_t len = strcspn(text, "/");
    if (len < sizeof host)
        memcpy(host, text, len);
    if (!text[len] || !p2_address_parse(&address, host) || !units_count(text + len + 1, &prefix_len) ||
        prefix_len > units_address_bits(&address))
        return false;
    units_address_mask(&address, (uint8_t)prefix_len);
    p2_address_format(&address, network);
    snprintf(allowed, sizeof allowed, "%s/%u", network, prefix_len);
    load_wrong(problems, element, attribute, "bits are set behind the prefix", allowed);
    return true;
}

bool load_prefix(struct problems *problems, const xmlNode *element, const char *attribute, const char *text,
                 struct p2_selector *out)
{
    if (p2_selector_parse(out, text) && !out->is_range)
        return check_documentation(problems, element, attribute, &out->address);
    if (!say_network(problems, element, attribute, text))
        load_wrong(problems, element, attribute, "not a prefix",
                   "an IPv4 or IPv6 prefix such as 10.1.0.0/24 or fd00:1::/64");
    return false;
}

/* Wide ones may hold addresses that no host has; not only such. */
static bool check_hosts(struct problems *problems, const xmlNode *element, const char *attribute,
                        const struct p2_selector *selector)
{
    struct p2_address first, last;
    p2_selector_bounds(selector, &first, &last);
    if (usable(&first) || usable(&last) || first.bytes[0] >> 5 != last.bytes[0] >> 5)
        return true;
    load_wrong(problems, element, attribute, "no host can have an address in it", address_allowed);
    return false;
}

bool load_selector(struct problems *problems, const xmlNode *element, const char *attribute,
                   struct p2_selector *out)
{
    const char *text = load_required(element, attribute);
    if (p2_selector_parse(out, text))
        return check_documentation(problems, element, attribute, &out->address) &&
               check_hosts(problems, element, attribute, out);
    if (strchr(text, '-'))
        load_wrong(problems, element, attribute, "not a range",
                   "two addresses of one family in order, such as 10.1.0.10-10.1.0.20");
    else if (!say_network(problems, element, attribute, text))
        load_wrong(problems, element, attribute, "not an address, prefix or range",
                   "10.1.0.5, 10.1.0.0/24 or 10.1.0.10-10.1.0.20, or the same in IPv6");
    return false;
}

bool load_usable(const struct p2_selector *selector)
{
    struct p2_address first, last;
    p2_selector_bounds(selector, &first, &last);
    return usable(&first) && usable(&last) &&
           (first.family == 6 || first.bytes[0] > 127 || last.bytes[0] < 127);
}

/* What begins in a private network (RFC 1918) and ends behind it has come to addresses of others. */
static bool in_one_realm(const struct p2_address *first, const struct p2_selector *counted)
{
    static const struct {
        uint8_t bytes[4], prefix_len;
    } realms[] = {{{10}, 8}, {{172, 16}, 12}, {{192, 168}, 16}};
    struct p2_address begin, end;
    p2_selector_bounds(counted, &begin, &end);
    for (size_t i = 0; first->family == 4 && i < sizeof realms / sizeof realms[0]; i++) {
        struct p2_selector realm = {.address = {.family = 4}, .prefix_len = realms[i].prefix_len};
        memcpy(realm.address.bytes, realms[i].bytes, 4);
        if (p2_selector_contains(&realm, first))
            return p2_selector_contains(&realm, &begin) && p2_selector_contains(&realm, &end);
    }
    return true;
}

bool load_count_selector(const struct p2_selector *first, uint64_t blocks, uint8_t block_len,
                         struct p2_selector *out)
{
    unsigned shift = (unsigned)units_address_bits(&first->address) - block_len;
    *out = *first;
    if (!units_address_add(&out->address, blocks, shift) ||
        (first->is_range && !units_address_add(&out->last, blocks, shift)))
        return false;
    return load_usable(out) && !is_documentation(&out->address) && in_one_realm(&first->address, out);
}

void load_count_wrong(struct problems *problems, const xmlNode *element, const char *attribute, size_t i)
{
    char why[64];
    snprintf(why, sizeof why, "number %zu would be outside", i + 1);
    load_wrong(problems, element, attribute, why,
               "a count that ends before 223.255.255.255 and outside 127.0.0.0/8, or inside 2000::/3 or "
               "fd00::/8; what begins in a private network stays in it");
}
