#include "ns3c-ip.h"

#include "ns3c-impl.h"
#include "ns3c-packet.h"
#include "ns3c-policy.h"

#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-route.h"
#include "ns3/ipv6-interface.h"
#include "ns3/ipv6-route.h"
#include "ns3/node.h"

#include <algorithm>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(WholePacketProtocol);
NS_OBJECT_ENSURE_REGISTERED(TunnelInterface);

TypeId WholePacketProtocol::GetTypeId()
{
    static TypeId tid = TypeId("ns3::WholePacketProtocol")
                            .SetParent<IpL4Protocol>()
                            .SetGroupName("Phase2")
                            .AddConstructor<WholePacketProtocol>();
    return tid;
}

void WholePacketProtocol::Open(const IpStacks &stacks, uint8_t protocol, ns3c_packet_fn *fn, void *ctx)
{
    m_protocol = protocol;
    m_fn = fn;
    m_ctx = ctx;
    stacks.GetIpv4()->Insert(this);
    if (stacks.GetIpv6()) {
        stacks.GetIpv6()->Insert(this);
    }
}

int WholePacketProtocol::GetProtocolNumber() const
{
    return m_protocol;
}

IpL4Protocol::RxStatus WholePacketProtocol::Receive(Ptr<Packet> packet, const Ipv4Header &header,
                                                    Ptr<Ipv4Interface>)
{
    /* After reassembly ns-3 hands up the header of the fragment that came last. */
    Ipv4Header whole = header;
    whole.SetFragmentOffset(0);
    whole.SetLastFragment();
    Scratch scratch;
    WriteIpv4Header(scratch.Data(), whole, packet->GetSize());
    return HandUp(packet, scratch.Data(), IPV4_HEADER_LEN);
}

IpL4Protocol::RxStatus WholePacketProtocol::Receive(Ptr<Packet> packet, const Ipv6Header &header,
                                                    Ptr<Ipv6Interface>)
{
    Ipv6Header whole = header;
    whole.SetNextHeader(m_protocol);
    Scratch scratch;
    WriteIpv6Header(scratch.Data(), whole, packet->GetSize());
    return HandUp(packet, scratch.Data(), IPV6_HEADER_LEN);
}

/* What no IP packet of ours can hold is no packet. */
IpL4Protocol::RxStatus WholePacketProtocol::HandUp(Ptr<Packet> packet, uint8_t *whole, size_t header_len)
{
    const size_t payload_len = packet->GetSize();
    if (header_len + payload_len > IP_PACKET_MAX) {
        return RX_CSUM_FAILED;
    }
    packet->CopyData(whole + header_len, static_cast<uint32_t>(payload_len));
    m_fn(m_ctx, whole, header_len + payload_len, GetPacketMark(packet));
    return RX_OK;
}

void WholePacketProtocol::SetDownTarget(DownTargetCallback)
{
}

void WholePacketProtocol::SetDownTarget6(DownTargetCallback6)
{
}

IpL4Protocol::DownTargetCallback WholePacketProtocol::GetDownTarget() const
{
    return DownTargetCallback();
}

IpL4Protocol::DownTargetCallback6 WholePacketProtocol::GetDownTarget6() const
{
    return DownTargetCallback6();
}

TypeId TunnelInterface::GetTypeId()
{
    static TypeId tid = TypeId("ns3::TunnelInterface")
                            .SetParent<Object>()
                            .SetGroupName("Phase2")
                            .AddConstructor<TunnelInterface>();
    return tid;
}

void TunnelInterface::Open(const IpStacks &stacks, uint16_t mtu, ns3c_packet_fn *fn, void *ctx)
{
    m_stacks = stacks;
    m_fn = fn;
    m_ctx = ctx;
    m_device = CreateObject<VirtualNetDevice>();
    m_device->SetAddress(Mac48Address("00:00:00:00:00:00"));
    m_device->SetMtu(mtu);
    m_device->SetNeedsArp(false);
    m_device->SetIsPointToPoint(true);
    m_device->SetSendCallback(MakeCallback(&TunnelInterface::Send, this));
    m_stacks.GetNode()->AddDevice(m_device);
    m_interface = m_stacks.AddInterface(m_device);
}

uint32_t TunnelInterface::GetInterface() const
{
    return m_interface;
}

Ptr<NetDevice> TunnelInterface::GetDevice() const
{
    return m_device;
}

/* Straight to the stack, for the same reason as in LinkNetDevice. */
bool TunnelInterface::Receive(const uint8_t *packet, size_t len, uint64_t mark, bool judged)
{
    const Address address = m_device->GetAddress();
    Ipv4Header v4;
    Ipv6Header v6;
    const bool isV4 = ReadIpv4Header(v4, packet, len);
    if (!isV4 && !(m_stacks.GetIpv6() && ReadIpv6Header(v6, packet, len))) {
        return false;
    }
    Ptr<Packet> whole = CreateMarkedPacket(packet, len, mark);
    if (judged) {
        whole->AddPacketTag(JudgedTag(m_stacks.GetNode()->GetId()));
    }
    if (isV4) {
        m_stacks.GetIpv4()->Receive(m_device, whole, Ipv4L3Protocol::PROT_NUMBER, address, address,
                                    NetDevice::PACKET_HOST);
    } else {
        m_stacks.GetIpv6()->Receive(m_device, whole, Ipv6L3Protocol::PROT_NUMBER, address, address,
                                    NetDevice::PACKET_HOST);
    }
    return true;
}

bool TunnelInterface::Send(Ptr<Packet> packet, const Address &, const Address &, uint16_t protocol)
{
    if (protocol != Ipv4L3Protocol::PROT_NUMBER && protocol != Ipv6L3Protocol::PROT_NUMBER) {
        return false;
    }
    Scratch scratch;
    const size_t len = packet->CopyData(scratch.Data(), IP_PACKET_MAX);
    CompleteChecksums(scratch.Data(), len);
    m_fn(m_ctx, scratch.Data(), len, GetPacketMark(packet));
    return true;
}

void TunnelInterface::DoDispose()
{
    if (m_device) {
        m_device->SetSendCallback(VirtualNetDevice::SendCallback());
    }
    m_device = nullptr;
    m_stacks.Clear();
    Object::DoDispose();
}

namespace
{

SendResult SendIpv4(const IpStacks &stacks, const Ipv4Header &header, Ptr<Packet> payload, SendRoute where)
{
    Ptr<Ipv4Route> route = stacks.RouteOutput(payload, header, where);
    if (!route) {
        return SendResult::NO_ROUTE;
    }
    stacks.GetIpv4()->SendWithHeader(payload, header, route);
    return SendResult::SENT;
}

/* This stack has no SendWithHeader, but tags for what matters of a header. */
SendResult SendIpv6(const IpStacks &stacks, const Ipv6Header &header, Ptr<Packet> payload, SendRoute where)
{
    Ptr<Ipv6Route> route = stacks.RouteOutput(payload, header, where);
    if (!route) {
        return SendResult::NO_ROUTE;
    }
    SocketIpv6HopLimitTag hops;
    hops.SetHopLimit(header.GetHopLimit());
    SocketIpv6TclassTag tclass;
    tclass.SetTclass(header.GetTrafficClass());
    payload->AddPacketTag(hops);
    payload->AddPacketTag(tclass);
    stacks.GetIpv6()->Send(payload, header.GetSource(), header.GetDestination(), header.GetNextHeader(),
                           route);
    return SendResult::SENT;
}

} // namespace

SendResult SendWholePacket(const IpStacks &stacks, const uint8_t *packet, size_t len, uint64_t mark,
                           SendRoute where)
{
    Ipv4Header v4;
    if (ReadIpv4Header(v4, packet, len)) {
        return SendIpv4(stacks, v4, CreateMarkedPacket(packet + IPV4_HEADER_LEN, len - IPV4_HEADER_LEN, mark),
                        where);
    }
    Ipv6Header v6;
    if (ReadIpv6Header(v6, packet, len)) {
        return SendIpv6(stacks, v6, CreateMarkedPacket(packet + IPV6_HEADER_LEN, len - IPV6_HEADER_LEN, mark),
                        where);
    }
    return SendResult::MALFORMED;
}

} // namespace ns3

using namespace ns3;

namespace
{

Ptr<TunnelInterface> FindTunnel(ns3c_node *node, uint32_t interface)
{
    for (const auto &tunnel : node->tunnels) {
        if (tunnel->GetInterface() == interface) {
            return tunnel;
        }
    }
    return nullptr;
}

int Malformed(const ns3c_node *node, const char *what, size_t len)
{
    Complain() << node->name << ": " << what << ": no whole IP packet that this node has a stack for, " << len
               << " bytes" << std::endl;
    return -1;
}

} // namespace

uint32_t ns3c_tunnel_new(ns3c_node *node, uint32_t mtu, ns3c_packet_fn *fn, void *ctx)
{
    Ptr<TunnelInterface> tunnel = CreateObject<TunnelInterface>();
    tunnel->Open(node->stacks, static_cast<uint16_t>(std::min<uint32_t>(mtu, UINT16_MAX)), fn, ctx);
    node->tunnels.push_back(tunnel);
    return tunnel->GetInterface();
}

int ns3c_tunnel_receive(ns3c_node *node, uint32_t interface, const uint8_t *packet, size_t len, uint64_t mark)
{
    Ptr<TunnelInterface> tunnel = FindTunnel(node, interface);
    if (!tunnel) {
        Complain() << node->name << ": interface " << interface << " is no tunnel" << std::endl;
        return -1;
    }
    return tunnel->Receive(packet, len, mark) ? 0 : Malformed(node, "out of a tunnel", len);
}

void ns3c_protocol_open(ns3c_node *node, uint8_t protocol, ns3c_packet_fn *fn, void *ctx)
{
    CreateObject<WholePacketProtocol>()->Open(node->stacks, protocol, fn, ctx);
}

int ns3c_packet_send(ns3c_node *node, const uint8_t *packet, size_t len, uint64_t mark)
{
    switch (SendWholePacket(node->stacks, packet, len, mark)) {
    case SendResult::SENT:
        return 0;
    case SendResult::MALFORMED:
        return Malformed(node, "to send", len);
    case SendResult::NO_ROUTE:
        break;
    }
    Complain() << node->name << ": no route for a packet" << std::endl;
    return -1;
}
