/* Routing protocols on top of a node's routing: what they have in common, which is to pass everything on. */
#include "ns3c-stacks.h"

#include "ns3c-routing.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(RoutingOnTop);
NS_OBJECT_ENSURE_REGISTERED(RoutingOnTop6);

/* --- both --- */

template <typename Family> void RoutingOnTopOf<Family>::Open(Ptr<Stack> stack)
{
    m_stack = stack;
    m_inner = stack->GetRoutingProtocol();
    stack->SetRoutingProtocol(this);
}

template <typename Family> Ptr<typename Family::Routing> RoutingOnTopOf<Family>::GetInner() const
{
    return m_inner;
}

template <typename Family> Ptr<typename Family::Stack> RoutingOnTopOf<Family>::GetStack() const
{
    return m_stack;
}

template <typename Family>
Ptr<typename Family::Route> RoutingOnTopOf<Family>::RouteOutput(Ptr<Packet> packet, const Header &header,
                                                                Ptr<NetDevice> device,
                                                                Socket::SocketErrno &error)
{
    return m_inner->RouteOutput(packet, header, device, error);
}

template <typename Family>
bool RoutingOnTopOf<Family>::RouteInput(Ptr<const Packet> packet, const Header &header,
                                        Ptr<const NetDevice> device, UnicastForwardCallback forward,
                                        MulticastForwardCallback forwardMulticast,
                                        LocalDeliverCallback deliver, ErrorCallback error)
{
    return m_inner->RouteInput(packet, header, device, forward, forwardMulticast, deliver, error);
}

template <typename Family> void RoutingOnTopOf<Family>::NotifyInterfaceUp(uint32_t interface)
{
    m_inner->NotifyInterfaceUp(interface);
}

template <typename Family> void RoutingOnTopOf<Family>::NotifyInterfaceDown(uint32_t interface)
{
    m_inner->NotifyInterfaceDown(interface);
}

template <typename Family>
void RoutingOnTopOf<Family>::NotifyAddAddress(uint32_t interface, InterfaceAddress address)
{
    m_inner->NotifyAddAddress(interface, address);
}

template <typename Family>
void RoutingOnTopOf<Family>::NotifyRemoveAddress(uint32_t interface, InterfaceAddress address)
{
    m_inner->NotifyRemoveAddress(interface, address);
}

template <typename Family>
void RoutingOnTopOf<Family>::PrintRoutingTable(Ptr<OutputStreamWrapper> stream, Time::Unit unit) const
{
    m_inner->PrintRoutingTable(stream, unit);
}

/* The stack holds only what is on top, so that one disposes of what is below it. */
template <typename Family> void RoutingOnTopOf<Family>::DoDispose()
{
    if (m_inner) {
        m_inner->Dispose();
    }
    m_inner = nullptr;
    m_stack = nullptr;
    Routing::DoDispose();
}

template class RoutingOnTopOf<Ipv4Family>;
template class RoutingOnTopOf<Ipv6Family>;

/* --- IPv4 --- */

TypeId RoutingOnTop::GetTypeId()
{
    static TypeId tid = TypeId("ns3::RoutingOnTop")
                            .SetParent<Ipv4RoutingProtocol>()
                            .SetGroupName("Phase2")
                            .AddConstructor<RoutingOnTop>();
    return tid;
}

void RoutingOnTop::OpenIpv6(Ptr<Ipv6L3Protocol> ipv6)
{
    if (Ptr<RoutingOnTop> inner = DynamicCast<RoutingOnTop>(GetInner())) {
        inner->OpenIpv6(ipv6);
    }
}

bool RoutingOnTop::IsLocal(Ipv4Address address) const
{
    if (Ptr<RoutingOnTop> inner = DynamicCast<RoutingOnTop>(GetInner())) {
        return inner->IsLocal(address);
    }
    if (Ptr<HashRouting> hash = DynamicCast<HashRouting>(GetInner())) {
        return hash->IsLocal(address);
    }
    return GetStack()->GetInterfaceForAddress(address) >= 0;
}

/* What is below has been told of its stack already. */
void RoutingOnTop::SetIpv4(Ptr<Ipv4>)
{
}

/* --- IPv6 --- */

TypeId RoutingOnTop6::GetTypeId()
{
    static TypeId tid = TypeId("ns3::RoutingOnTop6")
                            .SetParent<Ipv6RoutingProtocol>()
                            .SetGroupName("Phase2")
                            .AddConstructor<RoutingOnTop6>();
    return tid;
}

void RoutingOnTop6::NotifyAddRoute(Ipv6Address destination, Ipv6Prefix prefix, Ipv6Address nextHop,
                                   uint32_t interface, Ipv6Address source)
{
    GetInner()->NotifyAddRoute(destination, prefix, nextHop, interface, source);
}

void RoutingOnTop6::NotifyRemoveRoute(Ipv6Address destination, Ipv6Prefix prefix, Ipv6Address nextHop,
                                      uint32_t interface, Ipv6Address source)
{
    GetInner()->NotifyRemoveRoute(destination, prefix, nextHop, interface, source);
}

void RoutingOnTop6::SetIpv6(Ptr<Ipv6>)
{
}

} // namespace ns3
