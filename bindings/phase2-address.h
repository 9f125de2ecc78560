/* The protocol library's addresses and ns3c's. */
#ifndef P2_PHASE2_ADDRESS_H
#define P2_PHASE2_ADDRESS_H

#include "base.h"
#include "ns3c-address.h"

#include <algorithm>
#include <iterator>

namespace ns3
{

/* The two libraries know nothing of each other, but mean the same. */
inline ns3c_address ToNs3c(const p2_address &address)
{
    ns3c_address out = {address.family, {0}};
    std::copy(std::begin(address.bytes), std::end(address.bytes), out.bytes);
    return out;
}

inline p2_address FromNs3c(const ns3c_address &address)
{
    p2_address out = {address.family, {0}};
    std::copy(std::begin(address.bytes), std::end(address.bytes), out.bytes);
    return out;
}

} // namespace ns3
#endif
