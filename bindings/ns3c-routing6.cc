#include "ns3c-routing6.h"

#include "ns3/abort.h"
#include "ns3/ipv6.h"
#include "ns3/net-device.h"
#include "ns3/output-stream-wrapper.h"
#include "ns3/packet.h"

#include <algorithm>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(HashRouting6);

namespace
{

constexpr uint32_t LOOPBACK = 0;

Ipv6Address Masked(Ipv6Address address, unsigned length)
{
    return address.CombinePrefix(Ipv6Prefix(static_cast<uint8_t>(length)));
}

} // namespace

TypeId HashRouting6::GetTypeId()
{
    static TypeId tid = TypeId("ns3::HashRouting6")
                            .SetParent<Ipv6RoutingProtocol>()
                            .SetGroupName("Phase2")
                            .AddConstructor<HashRouting6>();
    return tid;
}

void HashRouting6::AddRoute(Ipv6Address destination, unsigned prefixLength, uint32_t interface)
{
    NS_ABORT_MSG_IF(prefixLength > 128, "a prefix length is at most 128, not " << prefixLength);
    m_routes[prefixLength][Masked(destination, prefixLength)] = interface;
}

bool HashRouting6::IsLocal(Ipv6Address address) const
{
    return m_local.count(address) != 0 || address.IsLocalhost();
}

int64_t HashRouting6::FindInterface(Ipv6Address destination) const
{
    for (const auto &[length, routes] : m_routes) {
        auto route = routes.find(Masked(destination, length));
        if (route != routes.end()) {
            return route->second;
        }
    }
    return -1;
}

/* Link-local addresses are no sources for what crosses more than one link. */
Ipv6Address HashRouting6::ChooseSource(uint32_t interface) const
{
    for (uint32_t i = 0; i < m_ipv6->GetNAddresses(interface); i++) {
        const Ipv6Address address = m_ipv6->GetAddress(interface, i).GetAddress();
        if (!address.IsLinkLocal() && !address.IsLocalhost()) {
            return address;
        }
    }
    return m_firstLocal;
}

Ptr<Ipv6Route> HashRouting6::GetInterfaceRoute(uint32_t interface)
{
    if (interface >= m_interfaceRoutes.size()) {
        m_interfaceRoutes.resize(interface + 1);
    }
    Ptr<Ipv6Route> &route = m_interfaceRoutes[interface];
    if (!route) {
        route = Create<Ipv6Route>();
        route->SetDestination(Ipv6Address::GetAny());
        route->SetGateway(Ipv6Address::GetAny());
        route->SetSource(ChooseSource(interface));
        route->SetOutputDevice(m_ipv6->GetNetDevice(interface));
    }
    return route;
}

Ptr<Ipv6Route> HashRouting6::RouteOutput(Ptr<Packet>, const Ipv6Header &header, Ptr<NetDevice> device,
                                         Socket::SocketErrno &error)
{
    error = Socket::ERROR_NOTERROR;
    const Ipv6Address destination = header.GetDestination();
    if (IsLocal(destination)) {
        Ptr<Ipv6Route> route = Create<Ipv6Route>();
        route->SetDestination(destination);
        route->SetGateway(Ipv6Address::GetAny());
        route->SetSource(destination);
        route->SetOutputDevice(m_ipv6->GetNetDevice(LOOPBACK));
        return route;
    }
    const int64_t interface = device ? m_ipv6->GetInterfaceForDevice(device) : FindInterface(destination);
    if (interface < 0) {
        error = Socket::ERROR_NOROUTETOHOST;
        return nullptr;
    }
    return GetInterfaceRoute(static_cast<uint32_t>(interface));
}

/* The stack itself delivers what is for one of its addresses. */
bool HashRouting6::RouteInput(Ptr<const Packet> packet, const Ipv6Header &header, Ptr<const NetDevice> device,
                              UnicastForwardCallback forward, MulticastForwardCallback, LocalDeliverCallback,
                              ErrorCallback)
{
    const Ipv6Address destination = header.GetDestination();
    const int64_t interface = destination.IsMulticast() ? -1 : FindInterface(destination);
    if (interface < 0) {
        return false;
    }
    forward(device, GetInterfaceRoute(static_cast<uint32_t>(interface)), packet, header);
    return true;
}

void HashRouting6::NotifyInterfaceUp(uint32_t)
{
}

void HashRouting6::NotifyInterfaceDown(uint32_t)
{
}

void HashRouting6::NotifyAddAddress(uint32_t interface, Ipv6InterfaceAddress address)
{
    const unsigned length = address.GetPrefix().GetPrefixLength();
    if (m_local[address.GetAddress()]++ == 0 && m_firstLocal.IsAny()) {
        m_firstLocal = address.GetAddress();
    }
    if (length < 128) {
        AddRoute(address.GetAddress(), length, interface);
    }
    m_interfaceRoutes.clear(); /* their sources may be others now */
}

void HashRouting6::NotifyRemoveAddress(uint32_t, Ipv6InterfaceAddress address)
{
    auto local = m_local.find(address.GetAddress());
    if (local != m_local.end() && --local->second == 0) {
        m_local.erase(local);
    }
    m_interfaceRoutes.clear();
}

/* The stack tells of the link's own prefix, which NotifyAddAddress knows already, and of router
 * advertisements, which there are none of. */
void HashRouting6::NotifyAddRoute(Ipv6Address, Ipv6Prefix, Ipv6Address, uint32_t, Ipv6Address)
{
}

void HashRouting6::NotifyRemoveRoute(Ipv6Address, Ipv6Prefix, Ipv6Address, uint32_t, Ipv6Address)
{
}

void HashRouting6::SetIpv6(Ptr<Ipv6> ipv6)
{
    m_ipv6 = ipv6;
}

void HashRouting6::PrintRoutingTable(Ptr<OutputStreamWrapper> stream, Time::Unit) const
{
    for (const auto &[length, routes] : m_routes) {
        std::vector<std::pair<Ipv6Address, uint32_t>> rows(routes.begin(), routes.end());
        std::sort(rows.begin(), rows.end());
        for (const auto &[prefix, interface] : rows) {
            *stream->GetStream() << prefix << "/" << length << " interface " << interface << std::endl;
        }
    }
}

void HashRouting6::DoDispose()
{
    m_interfaceRoutes.clear();
    m_ipv6 = nullptr;
    Ipv6RoutingProtocol::DoDispose();
}

} // namespace ns3
