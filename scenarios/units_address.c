/* Addresses that are counted on. */
#include "units.h"

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
