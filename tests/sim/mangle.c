#include "mangle.h"

#include "cursor.h"
#include "ip.h"

const char *mangle_name(enum mangle_kind kind)
{
    static const char *const names[MANGLE_NUM] = {"nothing", "bits",   "cut",    "grow", "spi",
                                                  "number",  "splice", "header", "noise"};
    return names[kind];
}

size_t mangle_ipsec_at(const uint8_t *packet, size_t len, uint8_t *protocol)
{
    struct p2_ip_view view;
    if (p2_ip_parse(&view, packet, len) < 0 || view.payload.len < 12)
        return 0;
    *protocol = view.protocol;
    return view.protocol == P2_IP_PROTO_ESP || view.protocol == P2_IP_PROTO_AH ? view.header_len : 0;
}

static void set_length(uint8_t *packet, size_t len)
{
    if (packet[0] >> 4 == 6)
        p2_put_u16(packet + 4, (uint16_t)(len - P2_IPV6_HEADER_LEN));
    else
        p2_put_u16(packet + 2, (uint16_t)len);
}

static void flip(struct test_random *random, uint8_t *bytes, size_t len)
{
    for (uint64_t n = test_random_below(random, 8) + 1; n > 0 && len > 0; n--)
        bytes[test_random_below(random, len)] ^= (uint8_t)(1u << test_random_below(random, 8));
}

/* Just ahead of the window's top or within it, far ahead, half the numbers ahead, the last one, or none. */
static uint32_t other_number(struct test_random *random, uint32_t number)
{
    switch (test_random_below(random, 5)) {
    case 0:
        return number + 1 + (uint32_t)test_random_below(random, 64);
    case 1:
        return number + (uint32_t)test_random_below(random, 100000);
    case 2:
        return number + UINT32_C(0x80000000);
    case 3:
        return UINT32_MAX;
    default:
        return 0;
    }
}

static size_t splice(uint8_t *packet, size_t at, size_t keep, size_t capacity, struct p2_bytes other)
{
    uint8_t protocol;
    size_t from = mangle_ipsec_at(other.data, other.len, &protocol) + keep;
    size_t piece = other.len > from ? other.len - from : 0;
    if (at + keep + piece > capacity)
        piece = capacity - at - keep;
    memmove(packet + at + keep, other.data + from, piece);
    return at + keep + piece;
}

size_t mangle(enum mangle_kind kind, struct test_random *random, uint8_t *packet, size_t len, size_t capacity,
              struct p2_bytes other)
{
    uint8_t protocol, its;
    size_t at = mangle_ipsec_at(packet, len, &protocol), whole = len, its_at;
    if (at == 0)
        return len;
    size_t spi = protocol == P2_IP_PROTO_AH ? at + 4 : at; /* RFC 4302 section 2, RFC 4303 section 2 */
    switch (kind) {
    case MANGLE_BITS:
        flip(random, packet + spi, len - spi);
        break;
    case MANGLE_CUT:
        len = at + test_random_below(random, len - at);
        break;
    case MANGLE_GROW:
        whole = len + 1 + test_random_below(random, 64);
        for (; len < whole && len < capacity; len++)
            packet[len] = (uint8_t)test_random_next(random);
        break;
    case MANGLE_SPI:
        its_at = mangle_ipsec_at(other.data, other.len, &its);
        p2_put_u32(packet + spi, (uint32_t)test_random_next(random));
        if (its_at > 0 && test_random_below(random, 4) > 0)
            memcpy(packet + spi, other.data + its_at + (its == P2_IP_PROTO_AH ? 4 : 0), 4);
        break;
    case MANGLE_NUMBER:
        p2_put_u32(packet + spi + 4, other_number(random, p2_get_u32(packet + spi + 4)));
        break;
    case MANGLE_SPLICE:
        len = splice(packet, at, spi + 8 - at, capacity, other);
        break;
    case MANGLE_HEADER:
        flip(random, packet, at);
        return len;
    case MANGLE_NOISE:
        for (size_t i = spi + 4; i < len; i++)
            packet[i] = (uint8_t)test_random_next(random);
        break;
    default:
        return len;
    }
    if ((kind != MANGLE_CUT && kind != MANGLE_GROW) || test_random_below(random, 8) > 0)
        set_length(packet, len);
    return len;
}
