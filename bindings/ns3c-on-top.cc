/* Routing protocols on top of a node's routing: what they have in common, which is to pass everything on. */
#include "ns3c-stacks.h"

#include "ns3c-routing.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(RoutingOnTop);
NS_OBJECT_ENSURE_REGISTERED(RoutingOnTop6);

TypeId RoutingOnTop::GetTypeId()
{
    static TypeId tid = TypeId("ns3::RoutingOnTop")
                            .SetParent<Ipv4RoutingProtocol>()
                            .SetGroupName("Phase2")
                            .AddConstructor<RoutingOnTop>();
    return tid;
}

void RoutingOnTop::Open(Ptr<Ipv4L3Protocol> ipv4)
{
    m_ipv4 = ipv4;
    m_inner = ipv4->GetRoutingProtocol();
    ipv4->SetRoutingProtocol(this);
}

void RoutingOnTop::OpenIpv6(Ptr<Ipv6L3Protocol> ipv6)
{
    if (Ptr<RoutingOnTop> inner = DynamicCast<RoutingOnTop>(m_inner)) {
        inner->OpenIpv6(ipv6);
    }
}

Ptr<Ipv4RoutingProtocol> RoutingOnTop::GetInner() const
{
    return m_inner;
}

Ptr<Ipv4L3Protocol> RoutingOnTop::GetIpv4() const
{
    return m_ipv4;
}

bool RoutingOnTop::IsLocal(Ipv4Address address) const
{
    if (Ptr<RoutingOnTop> inner = DynamicCast<RoutingOnTop>(m_inner)) {
        return inner->IsLocal(address);
    }
    if (Ptr<HashRouting> hash = DynamicCast<HashRouting>(m_inner)) {
        return hash->IsLocal(address);
    }
    return m_ipv4->GetInterfaceForAddress(address) >= 0;
}

Ptr<Ipv4Route> RoutingOnTop::RouteOutput(Ptr<Packet> packet, const Ipv4Header &header, Ptr<NetDevice> device,
                                         Socket::SocketErrno &error)
{
    return m_inner->RouteOutput(packet, header, device, error);
}

bool RoutingOnTop::RouteInput(Ptr<const Packet> packet, const Ipv4Header &header, Ptr<const NetDevice> device,
                              UnicastForwardCallback forward, MulticastForwardCallback forwardMulticast,
                              LocalDeliverCallback deliver, ErrorCallback error)
{
    return m_inner->RouteInput(packet, header, device, forward, forwardMulticast, deliver, error);
}

void RoutingOnTop::NotifyInterfaceUp(uint32_t interface)
{
    m_inner->NotifyInterfaceUp(interface);
}

void RoutingOnTop::NotifyInterfaceDown(uint32_t interface)
{
    m_inner->NotifyInterfaceDown(interface);
}

void RoutingOnTop::NotifyAddAddress(uint32_t interface, Ipv4InterfaceAddress address)
{
    m_inner->NotifyAddAddress(interface, address);
}

void RoutingOnTop::NotifyRemoveAddress(uint32_t interface, Ipv4InterfaceAddress address)
{
    m_inner->NotifyRemoveAddress(interface, address);
}

/* What is below has been told of its stack already. */
void RoutingOnTop::SetIpv4(Ptr<Ipv4>)
{
}

void RoutingOnTop::PrintRoutingTable(Ptr<OutputStreamWrapper> stream, Time::Unit unit) const
{
    m_inner->PrintRoutingTable(stream, unit);
}

/* The stack holds only what is on top, so that one disposes of what is below it. */
void RoutingOnTop::DoDispose()
{
    if (m_inner) {
        m_inner->Dispose();
    }
    m_inner = nullptr;
    m_ipv4 = nullptr;
    Ipv4RoutingProtocol::DoDispose();
}

TypeId RoutingOnTop6::GetTypeId()
{
    static TypeId tid = TypeId("ns3::RoutingOnTop6")
                            .SetParent<Ipv6RoutingProtocol>()
                            .SetGroupName("Phase2")
                            .AddConstructor<RoutingOnTop6>();
    return tid;
}

void RoutingOnTop6::Open(Ptr<Ipv6L3Protocol> ipv6)
{
    m_inner = ipv6->GetRoutingProtocol();
    ipv6->SetRoutingProtocol(this);
}

Ptr<Ipv6RoutingProtocol> RoutingOnTop6::GetInner() const
{
    return m_inner;
}

Ptr<Ipv6Route> RoutingOnTop6::RouteOutput(Ptr<Packet> packet, const Ipv6Header &header, Ptr<NetDevice> device,
                                          Socket::SocketErrno &error)
{
    return m_inner->RouteOutput(packet, header, device, error);
}

bool RoutingOnTop6::RouteInput(Ptr<const Packet> packet, const Ipv6Header &header,
                               Ptr<const NetDevice> device, UnicastForwardCallback forward,
                               MulticastForwardCallback forwardMulticast, LocalDeliverCallback deliver,
                               ErrorCallback error)
{
    return m_inner->RouteInput(packet, header, device, forward, forwardMulticast, deliver, error);
}

void RoutingOnTop6::NotifyInterfaceUp(uint32_t interface)
{
    m_inner->NotifyInterfaceUp(interface);
}

void RoutingOnTop6::NotifyInterfaceDown(uint32_t interface)
{
    m_inner->NotifyInterfaceDown(interface);
}

void RoutingOnTop6::NotifyAddAddress(uint32_t interface, Ipv6InterfaceAddress address)
{
    m_inner->NotifyAddAddress(interface, address);
}

void RoutingOnTop6::NotifyRemoveAddress(uint32_t interface, Ipv6InterfaceAddress address)
{
    m_inner->NotifyRemoveAddress(interface, address);
}

void RoutingOnTop6::NotifyAddRoute(Ipv6Address destination, Ipv6Prefix prefix, Ipv6Address nextHop,
                                   uint32_t interface, Ipv6Address source)
{
    m_inner->NotifyAddRoute(destination, prefix, nextHop, interface, source);
}

void RoutingOnTop6::NotifyRemoveRoute(Ipv6Address destination, Ipv6Prefix prefix, Ipv6Address nextHop,
                                      uint32_t interface, Ipv6Address source)
{
    m_inner->NotifyRemoveRoute(destination, prefix, nextHop, interface, source);
}

void RoutingOnTop6::SetIpv6(Ptr<Ipv6>)
{
}

void RoutingOnTop6::PrintRoutingTable(Ptr<OutputStreamWrapper> stream, Time::Unit unit) const
{
    m_inner->PrintRoutingTable(stream, unit);
}

void RoutingOnTop6::DoDispose()
{
    if (m_inner) {
        m_inner->Dispose();
    }
    m_inner = nullptr;
    Ipv6RoutingProtocol::DoDispose();
}

} // namespace ns3
