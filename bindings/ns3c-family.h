/* What ns-3 has twice, once for IPv4 and once for IPv6, under names that one template can use for both. */
#ifndef P2_NS3C_FAMILY_H
#define P2_NS3C_FAMILY_H

#include "ns3c-address.h"

#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv4-route.h"
#include "ns3/ipv4-routing-protocol.h"
#include "ns3/ipv6-l3-protocol.h"
#include "ns3/ipv6-route.h"
#include "ns3/ipv6-routing-protocol.h"

namespace ns3
{

constexpr uint32_t LOOPBACK = 0; /* ns-3 makes it the first interface of every stack */

struct Ipv4Family {
    using Address = Ipv4Address;
    using AddressHash = Ipv4AddressHash;
    using Header = Ipv4Header;
    using InterfaceAddress = Ipv4InterfaceAddress;
    using Route = Ipv4Route;
    using Routing = Ipv4RoutingProtocol;
    using Ip = Ipv4;
    using Stack = Ipv4L3Protocol;

    static constexpr unsigned BITS = 32;
    static Address Masked(Address address, unsigned length)
    {
        return address.CombineMask(ToIpv4Mask(length));
    }
    static unsigned GetPrefixLength(const InterfaceAddress &address)
    {
        return address.GetMask().GetPrefixLength();
    }
    /* All of 127.0.0.0/8 (RFC 1122 section 3.2.1.3). */
    static bool IsLoopback(Address address)
    {
        return address.Get() >> 24 == 127;
    }
    static bool CanBeSource(Address)
    {
        return true;
    }
};

struct Ipv6Family {
    using Address = Ipv6Address;
    using AddressHash = Ipv6AddressHash;
    using Header = Ipv6Header;
    using InterfaceAddress = Ipv6InterfaceAddress;
    using Route = Ipv6Route;
    using Routing = Ipv6RoutingProtocol;
    using Ip = Ipv6;
    using Stack = Ipv6L3Protocol;

    static constexpr unsigned BITS = 128;
    static Address Masked(Address address, unsigned length)
    {
        return address.CombinePrefix(ToIpv6Prefix(length));
    }
    static unsigned GetPrefixLength(const InterfaceAddress &address)
    {
        return address.GetPrefix().GetPrefixLength();
    }
    static bool IsLoopback(Address address)
    {
        return address.IsLocalhost();
    }
    /* Link-local addresses are no sources for what crosses more than one link. */
    static bool CanBeSource(Address address)
    {
        return !address.IsLinkLocal() && !address.IsLocalhost();
    }
};

/* Without a next hop: links are point-to-point. */
template <typename Family>
Ptr<typename Family::Route> MakeRoute(typename Family::Address destination, typename Family::Address source,
                                      Ptr<NetDevice> device)
{
    Ptr<typename Family::Route> route = Create<typename Family::Route>();
    route->SetDestination(destination);
    route->SetGateway(Family::Address::GetAny());
    route->SetSource(source);
    route->SetOutputDevice(device);
    return route;
}

} // namespace ns3
#endif
