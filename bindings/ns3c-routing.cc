#include "ns3c-routing.h"

#include "ns3/abort.h"
#include "ns3/net-device.h"
#include "ns3/output-stream-wrapper.h"
#include "ns3/packet.h"

#include <algorithm>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(HashRouting);
NS_OBJECT_ENSURE_REGISTERED(HashRouting6);

/* --- both --- */

template <typename Family>
void HashRoutingOf<Family>::AddRoute(Address destination, unsigned prefixLength, uint32_t interface)
{
    NS_ABORT_MSG_IF(prefixLength > Family::BITS,
                    "a prefix length is at most " << Family::BITS << ", not " << prefixLength);
    m_routes[prefixLength][Family::Masked(destination, prefixLength)] = interface;
}

template <typename Family> bool HashRoutingOf<Family>::IsLocal(Address address) const
{
    return m_local.count(address) != 0 || Family::IsLoopback(address);
}

template <typename Family>
typename Family::Address HashRoutingOf<Family>::ChooseSource(uint32_t interface) const
{
    for (uint32_t i = 0; i < m_ip->GetNAddresses(interface); i++) {
        const Address address = m_ip->GetAddress(interface, i).GetAddress();
        if (Family::CanBeSource(address)) {
            return address;
        }
    }
    return m_firstLocal;
}

/* Nothing that ns-3 reads from a route depends on the destination where there is no next hop, so all packets
 * that leave through an interface share one. */
template <typename Family>
Ptr<typename Family::Route> HashRoutingOf<Family>::GetInterfaceRoute(uint32_t interface)
{
    if (interface >= m_interfaceRoutes.size()) {
        m_interfaceRoutes.resize(interface + 1);
    }
    Ptr<Route> &route = m_interfaceRoutes[interface];
    if (!route) {
        route = MakeRoute<Family>(Address::GetAny(), ChooseSource(interface), m_ip->GetNetDevice(interface));
    }
    return route;
}

template <typename Family> Ptr<typename Family::Route> HashRoutingOf<Family>::FindRoute(Address destination)
{
    for (const auto &[length, routes] : m_routes) {
        auto route = routes.find(Family::Masked(destination, length));
        if (route != routes.end()) {
            return GetInterfaceRoute(route->second);
        }
    }
    return nullptr;
}

template <typename Family>
Ptr<typename Family::Route> HashRoutingOf<Family>::RouteOutput(Ptr<Packet>, const Header &header,
                                                               Ptr<NetDevice> device,
                                                               Socket::SocketErrno &error)
{
    error = Socket::ERROR_NOTERROR;
    const Address destination = header.GetDestination();
    if (IsLocal(destination)) {
        return MakeRoute<Family>(destination, destination, m_ip->GetNetDevice(LOOPBACK));
    }
    Ptr<Route> route;
    if (!device) {
        route = FindRoute(destination);
    } else if (const int32_t interface = m_ip->GetInterfaceForDevice(device); interface >= 0) {
        route = GetInterfaceRoute(static_cast<uint32_t>(interface));
    }
    if (!route) {
        error = Socket::ERROR_NOROUTETOHOST;
    }
    return route;
}

template <typename Family> void HashRoutingOf<Family>::NotifyInterfaceUp(uint32_t)
{
}

template <typename Family> void HashRoutingOf<Family>::NotifyInterfaceDown(uint32_t)
{
}

template <typename Family>
void HashRoutingOf<Family>::NotifyAddAddress(uint32_t interface, InterfaceAddress address)
{
    const unsigned length = Family::GetPrefixLength(address);
    m_local[address.GetAddress()]++;
    if (!m_firstLocal.IsInitialized()) {
        m_firstLocal = address.GetAddress();
    }
    if (length < Family::BITS) {
        AddRoute(address.GetAddress(), length, interface);
    }
    m_interfaceRoutes.clear(); /* their sources may be others now */
}

template <typename Family> void HashRoutingOf<Family>::NotifyRemoveAddress(uint32_t, InterfaceAddress address)
{
    auto local = m_local.find(address.GetAddress());
    if (local != m_local.end() && --local->second == 0) {
        m_local.erase(local);
    }
    m_interfaceRoutes.clear();
}

template <typename Family>
void HashRoutingOf<Family>::PrintRoutingTable(Ptr<OutputStreamWrapper> stream, Time::Unit) const
{
    for (const auto &[length, routes] : m_routes) {
        std::vector<std::pair<Address, uint32_t>> rows(routes.begin(), routes.end());
        std::sort(rows.begin(), rows.end());
        for (const auto &[prefix, interface] : rows) {
            *stream->GetStream() << prefix << "/" << length << " interface " << interface << std::endl;
        }
    }
}

template <typename Family> void HashRoutingOf<Family>::SetIp(Ptr<Ip> ip)
{
    m_ip = ip;
}

template <typename Family> Ptr<typename Family::Ip> HashRoutingOf<Family>::GetIp() const
{
    return m_ip;
}

template <typename Family> void HashRoutingOf<Family>::DoDispose()
{
    m_interfaceRoutes.clear();
    m_ip = nullptr;
    Family::Routing::DoDispose();
}

template class HashRoutingOf<Ipv4Family>;
template class HashRoutingOf<Ipv6Family>;

/* --- IPv4 --- */

TypeId HashRouting::GetTypeId()
{
    static TypeId tid = TypeId("ns3::HashRouting")
                            .SetParent<Ipv4RoutingProtocol>()
                            .SetGroupName("Phase2")
                            .AddConstructor<HashRouting>();
    return tid;
}

bool HashRouting::RouteInput(Ptr<const Packet> packet, const Ipv4Header &header, Ptr<const NetDevice> device,
                             UnicastForwardCallback forward, MulticastForwardCallback,
                             LocalDeliverCallback deliver, ErrorCallback)
{
    if (IsLocal(header.GetDestination())) {
        deliver(packet, header, static_cast<uint32_t>(GetIp()->GetInterfaceForDevice(device)));
        return true;
    }
    Ptr<Ipv4Route> route = FindRoute(header.GetDestination());
    if (!route) {
        return false;
    }
    forward(route, packet, header);
    return true;
}

void HashRouting::SetIpv4(Ptr<Ipv4> ipv4)
{
    SetIp(ipv4);
}

/* --- IPv6 --- */

TypeId HashRouting6::GetTypeId()
{
    static TypeId tid = TypeId("ns3::HashRouting6")
                            .SetParent<Ipv6RoutingProtocol>()
                            .SetGroupName("Phase2")
                            .AddConstructor<HashRouting6>();
    return tid;
}

/* The stack itself delivers what is for one of its addresses. */
bool HashRouting6::RouteInput(Ptr<const Packet> packet, const Ipv6Header &header, Ptr<const NetDevice> device,
                              UnicastForwardCallback forward, MulticastForwardCallback, LocalDeliverCallback,
                              ErrorCallback)
{
    const Ipv6Address destination = header.GetDestination();
    Ptr<Ipv6Route> route = destination.IsMulticast() ? nullptr : FindRoute(destination);
    if (!route) {
        return false;
    }
    forward(device, route, packet, header);
    return true;
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
    SetIp(ipv6);
}

} // namespace ns3
