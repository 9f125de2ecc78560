#include "ns3c-stacks.h"

#include "ns3c-ip.h"
#include "ns3c-link.h"
#include "ns3c-routing.h"

#include "ns3/boolean.h"
#include "ns3/icmpv6-l4-protocol.h"
#include "ns3/ipv4-routing-helper.h"
#include "ns3/ipv4-static-routing.h"
#include "ns3/ipv6-extension-demux.h"
#include "ns3/ipv6-extension.h"
#include "ns3/ipv6-header.h"
#include "ns3/ipv6-interface.h"
#include "ns3/ipv6-routing-helper.h"
#include "ns3/ipv6-static-routing.h"

namespace ns3
{

IpStacks::IpStacks(Ptr<Node> node) : m_node(node), m_ipv4(node->GetObject<Ipv4L3Protocol>())
{
}

Ptr<Node> IpStacks::GetNode() const
{
    return m_node;
}

Ptr<Ipv4L3Protocol> IpStacks::GetIpv4() const
{
    return m_ipv4;
}

Ptr<Ipv6L3Protocol> IpStacks::GetIpv6() const
{
    if (!m_ipv6 && m_node) {
        m_ipv6 = m_node->GetObject<Ipv6L3Protocol>();
    }
    return m_ipv6;
}

namespace
{

/* A stack's routing below all that stands on top of it. */
template <typename Family> Ptr<typename Family::Routing> GetBaseRouting(Ptr<typename Family::Stack> stack)
{
    Ptr<typename Family::Routing> routing = stack->GetRoutingProtocol();
    while (Ptr<RoutingOnTopOf<Family>> top = DynamicCast<RoutingOnTopOf<Family>>(routing)) {
        routing = top->GetInner();
    }
    return routing;
}

template <typename Family>
Ptr<typename Family::Route> FindRoute(Ptr<typename Family::Stack> stack, Ptr<Packet> packet,
                                      const typename Family::Header &header, SendRoute where)
{
    Ptr<typename Family::Routing> routing =
        where == SendRoute::BELOW ? GetBaseRouting<Family>(stack) : stack->GetRoutingProtocol();
    Socket::SocketErrno error;
    return routing->RouteOutput(packet, header, nullptr, error);
}

/* The identifications of IPv6 fragments are random: a stream a node, far from those that users number. */
constexpr int64_t FRAGMENT_STREAMS = INT64_C(1) << 41;

void AddIpv6Interface(Ptr<Ipv6L3Protocol> ipv6, Ptr<NetDevice> device)
{
    ipv6->SetUp(ipv6->AddInterface(device));
    if (Ptr<LinkNetDevice> link = DynamicCast<LinkNetDevice>(device)) {
        link->SetIpv6(ipv6);
    }
}

/* Addresses may be on any interface (of a tunnel, of the loopback), so a packet is ours wherever it comes in.
 * ICMPv6 is there for the stack to answer with; with forwarding on and without duplicate address detection it
 * says nothing on its own. */
Ptr<Ipv6L3Protocol> MakeIpv6(Ptr<Node> node)
{
    Ptr<Ipv6L3Protocol> ipv6 = CreateObjectWithAttributes<Ipv6L3Protocol>(
        "IpForward", BooleanValue(true), "SendIcmpv6Redirect", BooleanValue(false), "StrongEndSystemModel",
        BooleanValue(false));
    ipv6->SetRoutingProtocol(CreateObject<HashRouting6>());
    node->AggregateObject(ipv6);
    node->AggregateObject(CreateObjectWithAttributes<Icmpv6L4Protocol>("DAD", BooleanValue(false)));
    ipv6->RegisterExtensions();
    ipv6->RegisterOptions();
    node->GetObject<Ipv6ExtensionDemux>()
        ->GetExtension(Ipv6Header::IPV6_EXT_FRAGMENTATION)
        ->AssignStreams(FRAGMENT_STREAMS + node->GetId());
    return ipv6;
}

} // namespace

Ptr<Ipv6L3Protocol> IpStacks::NeedIpv6()
{
    constexpr int PROTOCOLS = 256;
    if (GetIpv6() || !HasHashRouting()) {
        return m_ipv6;
    }
    m_ipv6 = MakeIpv6(m_node);
    for (uint32_t i = 1; i < m_ipv4->GetNInterfaces(); i++) {
        AddIpv6Interface(m_ipv6, m_ipv4->GetNetDevice(i));
    }
    for (int i = 0; i < PROTOCOLS; i++) {
        if (Ptr<WholePacketProtocol> whole = DynamicCast<WholePacketProtocol>(m_ipv4->GetProtocol(i))) {
            m_ipv6->Insert(whole);
        }
    }
    if (Ptr<RoutingOnTop> top = DynamicCast<RoutingOnTop>(m_ipv4->GetRoutingProtocol())) {
        top->OpenIpv6(m_ipv6);
    }
    return m_ipv6;
}

int32_t IpStacks::GetIpv6Interface(uint32_t interface) const
{
    return GetIpv6() ? m_ipv6->GetInterfaceForDevice(m_ipv4->GetNetDevice(interface)) : -1;
}

namespace
{

/* ns-3's own routing protocols ask an interface for a source address and do not check that it has one. */
void BorrowAddress(Ptr<Ipv4L3Protocol> ipv4, uint32_t interface)
{
    for (uint32_t i = 1; i < interface; i++) {
        if (ipv4->GetNAddresses(i)) {
            Ipv4Address address = ipv4->GetAddress(i, 0).GetLocal();
            ipv4->AddAddress(interface, Ipv4InterfaceAddress(address, Ipv4Mask::GetOnes()));
            return;
        }
    }
}

void BorrowAddress6(Ptr<Ipv6L3Protocol> ipv6, uint32_t interface)
{
    for (uint32_t i = 1; i < interface; i++) {
        for (uint32_t j = 0; j < ipv6->GetNAddresses(i); j++) {
            Ipv6Address address = ipv6->GetAddress(i, j).GetAddress();
            if (!address.IsLinkLocal()) {
                ipv6->AddAddress(interface, Ipv6InterfaceAddress(address, Ipv6Prefix(uint8_t{128})), false);
                return;
            }
        }
    }
}

} // namespace

uint32_t IpStacks::AddInterface(Ptr<NetDevice> device)
{
    const uint32_t interface = m_ipv4->AddInterface(device);
    const bool hashes = HasHashRouting();
    if (!hashes) {
        BorrowAddress(m_ipv4, interface);
    }
    m_ipv4->SetUp(interface);
    if (GetIpv6()) {
        AddIpv6Interface(m_ipv6, device);
        if (!hashes) {
            BorrowAddress6(m_ipv6, static_cast<uint32_t>(GetIpv6Interface(interface)));
        }
    }
    return interface;
}

bool IpStacks::AddRoute(const ns3c_address &destination, unsigned prefixLength, uint32_t interface)
{
    if (destination.family == 4) {
        if (Ptr<HashRouting> hash = DynamicCast<HashRouting>(GetBaseRouting<Ipv4Family>(m_ipv4))) {
            hash->AddRoute(ToIpv4(destination), prefixLength, interface);
            return true;
        }
        Ptr<Ipv4StaticRouting> fixed =
            Ipv4RoutingHelper::GetRouting<Ipv4StaticRouting>(GetBaseRouting<Ipv4Family>(m_ipv4));
        if (fixed) {
            fixed->AddNetworkRouteTo(ToIpv4(destination), ToIpv4Mask(prefixLength), interface);
        }
        return fixed != nullptr;
    }
    if (!NeedIpv6() || GetIpv6Interface(interface) < 0) {
        return false;
    }
    const auto interface6 = static_cast<uint32_t>(GetIpv6Interface(interface));
    if (Ptr<HashRouting6> hash = DynamicCast<HashRouting6>(GetBaseRouting<Ipv6Family>(m_ipv6))) {
        hash->AddRoute(ToIpv6(destination), prefixLength, interface6);
        return true;
    }
    Ptr<Ipv6StaticRouting> fixed =
        Ipv6RoutingHelper::GetRouting<Ipv6StaticRouting>(GetBaseRouting<Ipv6Family>(m_ipv6));
    if (fixed) {
        fixed->AddNetworkRouteTo(ToIpv6(destination), ToIpv6Prefix(prefixLength), interface6);
    }
    return fixed != nullptr;
}

Ptr<Ipv4Route> IpStacks::RouteOutput(Ptr<Packet> packet, const Ipv4Header &header, SendRoute where) const
{
    return FindRoute<Ipv4Family>(m_ipv4, packet, header, where);
}

Ptr<Ipv6Route> IpStacks::RouteOutput(Ptr<Packet> packet, const Ipv6Header &header, SendRoute where) const
{
    return GetIpv6() ? FindRoute<Ipv6Family>(m_ipv6, packet, header, where) : nullptr;
}

bool IpStacks::HasHashRouting() const
{
    return DynamicCast<HashRouting>(GetBaseRouting<Ipv4Family>(m_ipv4)) != nullptr;
}

void IpStacks::Clear()
{
    *this = IpStacks();
}

} // namespace ns3
