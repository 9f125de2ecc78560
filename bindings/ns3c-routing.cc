#include "ns3c-routing.h"

#include "ns3/abort.h"
#include "ns3/ipv4.h"
#include "ns3/net-device.h"
#include "ns3/output-stream-wrapper.h"
#include "ns3/packet.h"

#include <algorithm>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(HashRouting);

namespace
{

constexpr uint32_t LOOPBACK = 0; /* ns-3 makes it the first interface of every stack */

uint32_t PrefixMask(unsigned length)
{
    return length == 0 ? 0 : UINT32_MAX << (32 - length);
}

} // namespace

TypeId HashRouting::GetTypeId()
{
    static TypeId tid = TypeId("ns3::HashRouting")
                            .SetParent<Ipv4RoutingProtocol>()
                            .SetGroupName("Phase2")
                            .AddConstructor<HashRouting>();
    return tid;
}

void HashRouting::AddRoute(Ipv4Address destination, unsigned prefixLength, uint32_t interface)
{
    NS_ABORT_MSG_IF(prefixLength > 32, "a prefix length is at most 32, not " << prefixLength);
    m_routes[prefixLength][destination.Get() & PrefixMask(prefixLength)] = interface;
    m_lengths |= UINT64_C(1) << prefixLength;
}

bool HashRouting::IsLocal(Ipv4Address address) const
{
    return m_local.count(address.Get()) != 0 || address.Get() >> 24 == 127;
}

int64_t HashRouting::FindInterface(uint32_t destination) const
{
    for (uint64_t lengths = m_lengths; lengths;) {
        unsigned length = 63u - static_cast<unsigned>(__builtin_clzll(lengths));
        auto route = m_routes[length].find(destination & PrefixMask(length));
        if (route != m_routes[length].end()) {
            return route->second;
        }
        lengths &= ~(UINT64_C(1) << length);
    }
    return -1;
}

Ipv4Address HashRouting::ChooseSource(uint32_t interface) const
{
    return m_ipv4->GetNAddresses(interface) ? m_ipv4->GetAddress(interface, 0).GetLocal() : m_firstLocal;
}

/* Nothing that ns-3 reads from a route depends on the destination where there is no next hop, so all packets
 * that leave through an interface share one. */
Ptr<Ipv4Route> HashRouting::GetInterfaceRoute(uint32_t interface)
{
    if (interface >= m_interfaceRoutes.size()) {
        m_interfaceRoutes.resize(interface + 1);
    }
    Ptr<Ipv4Route> &route = m_interfaceRoutes[interface];
    if (!route) {
        route = Create<Ipv4Route>();
        route->SetDestination(Ipv4Address::GetAny());
        route->SetGateway(Ipv4Address::GetAny());
        route->SetSource(ChooseSource(interface));
        route->SetOutputDevice(m_ipv4->GetNetDevice(interface));
    }
    return route;
}

Ptr<Ipv4Route> HashRouting::RouteOutput(Ptr<Packet>, const Ipv4Header &header, Ptr<NetDevice> device,
                                        Socket::SocketErrno &error)
{
    error = Socket::ERROR_NOTERROR;
    const Ipv4Address destination = header.GetDestination();
    if (IsLocal(destination)) {
        Ptr<Ipv4Route> route = Create<Ipv4Route>();
        route->SetDestination(destination);
        route->SetGateway(Ipv4Address::GetAny());
        route->SetSource(destination);
        route->SetOutputDevice(m_ipv4->GetNetDevice(LOOPBACK));
        return route;
    }
    int64_t interface = device ? m_ipv4->GetInterfaceForDevice(device) : FindInterface(destination.Get());
    if (interface < 0) {
        error = Socket::ERROR_NOROUTETOHOST;
        return nullptr;
    }
    return GetInterfaceRoute(static_cast<uint32_t>(interface));
}

bool HashRouting::RouteInput(Ptr<const Packet> packet, const Ipv4Header &header, Ptr<const NetDevice> device,
                             UnicastForwardCallback forward, MulticastForwardCallback,
                             LocalDeliverCallback deliver, ErrorCallback)
{
    const Ipv4Address destination = header.GetDestination();
    if (IsLocal(destination)) {
        deliver(packet, header, static_cast<uint32_t>(m_ipv4->GetInterfaceForDevice(device)));
        return true;
    }
    int64_t interface = FindInterface(destination.Get());
    if (interface < 0) {
        return false;
    }
    forward(GetInterfaceRoute(static_cast<uint32_t>(interface)), packet, header);
    return true;
}

void HashRouting::NotifyInterfaceUp(uint32_t)
{
}

void HashRouting::NotifyInterfaceDown(uint32_t)
{
}

void HashRouting::NotifyAddAddress(uint32_t interface, Ipv4InterfaceAddress address)
{
    const unsigned length = address.GetMask().GetPrefixLength();
    if (m_local[address.GetLocal().Get()]++ == 0 && !m_firstLocal.IsInitialized()) {
        m_firstLocal = address.GetLocal();
    }
    if (length < 32) {
        AddRoute(address.GetLocal(), length, interface);
    }
    m_interfaceRoutes.clear(); /* their sources may be others now */
}

void HashRouting::NotifyRemoveAddress(uint32_t, Ipv4InterfaceAddress address)
{
    auto local = m_local.find(address.GetLocal().Get());
    if (local != m_local.end() && --local->second == 0) {
        m_local.erase(local);
    }
    m_interfaceRoutes.clear();
}

void HashRouting::SetIpv4(Ptr<Ipv4> ipv4)
{
    m_ipv4 = ipv4;
}

void HashRouting::PrintRoutingTable(Ptr<OutputStreamWrapper> stream, Time::Unit) const
{
    for (unsigned length = 33; length-- > 0;) {
        std::vector<std::pair<uint32_t, uint32_t>> rows(m_routes[length].begin(), m_routes[length].end());
        std::sort(rows.begin(), rows.end());
        for (const auto &[prefix, interface] : rows) {
            *stream->GetStream() << Ipv4Address(prefix) << "/" << length << " interface "
                                 << interface << std::endl;
        }
    }
}

void HashRouting::DoDispose()
{
    m_interfaceRoutes.clear();
    m_ipv4 = nullptr;
    Ipv4RoutingProtocol::DoDispose();
}

} // namespace ns3
