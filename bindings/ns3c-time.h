/* ns-3's times from ours, which are signed nanoseconds and never negative where ns-3 is asked. */
#ifndef P2_NS3C_TIME_H
#define P2_NS3C_TIME_H

#include "ns3/nstime.h"

#include <cstdint>

namespace ns3
{

inline Time FromNs(int64_t ns)
{
    return NanoSeconds(static_cast<uint64_t>(ns));
}

} // namespace ns3
#endif
