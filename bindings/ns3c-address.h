/* The C API's addresses and ns-3's. */
#ifndef P2_NS3C_ADDRESS_H
#define P2_NS3C_ADDRESS_H

#include "ns3c.h"

#include "ns3/ipv4-address.h"
#include "ns3/ipv6-address.h"

#include <cstring>
#include <ostream>

namespace ns3
{

inline Ipv4Address ToIpv4(const ns3c_address &address)
{
    return Ipv4Address(ns3c_to_v4(&address));
}

inline Ipv6Address ToIpv6(const ns3c_address &address)
{
    uint8_t bytes[16];
    memcpy(bytes, address.bytes, sizeof bytes);
    return Ipv6Address(bytes);
}

inline ns3c_address FromIpv4(Ipv4Address address)
{
    return ns3c_v4(address.Get());
}

inline ns3c_address FromIpv6(const Ipv6Address &address)
{
    ns3c_address out = {6, {0}};
    address.GetBytes(out.bytes);
    return out;
}

inline Ipv4Mask ToIpv4Mask(unsigned prefixLength)
{
    return Ipv4Mask(prefixLength == 0 ? 0 : UINT32_MAX << (32 - prefixLength));
}

inline Ipv6Prefix ToIpv6Prefix(unsigned prefixLength)
{
    return Ipv6Prefix(static_cast<uint8_t>(prefixLength));
}

inline std::ostream &operator<<(std::ostream &os, const ns3c_address &address)
{
    if (address.family == 4) {
        return os << ToIpv4(address);
    }
    return address.family == 6 ? os << ToIpv6(address) : os << "any";
}

} // namespace ns3
#endif
