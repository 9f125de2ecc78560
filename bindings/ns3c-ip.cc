#include "ns3c-ip.h"

#include "ns3c-impl.h"
#include "ns3c-packet.h"
#include "ns3c-routing.h"

#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-route.h"
#include "ns3/ipv4-routing-helper.h"
#include "ns3/ipv4-static-routing.h"
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

void WholePacketProtocol::Open(Ptr<Ipv4L3Protocol> ipv4, uint8_t protocol, ns3c_packet_fn *fn, void *ctx)
{
    m_protocol = protocol;
    m_fn = fn;
    m_ctx = ctx;
    ipv4->Insert(this);
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
    const size_t payload_len = packet->GetSize();
    Scratch scratch;
    WriteIpv4Header(scratch.Data(), whole, payload_len);
    packet->CopyData(scratch.Data() + IPV4_HEADER_LEN, static_cast<uint32_t>(payload_len));
    m_fn(m_ctx, scratch.Data(), IPV4_HEADER_LEN + payload_len, GetPacketMark(packet));
    return RX_OK;
}

IpL4Protocol::RxStatus WholePacketProtocol::Receive(Ptr<Packet>, const Ipv6Header &, Ptr<Ipv6Interface>)
{
    return RX_ENDPOINT_UNREACH;
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

} // namespace

void TunnelInterface::Open(Ptr<Ipv4L3Protocol> ipv4, uint16_t mtu, ns3c_packet_fn *fn, void *ctx)
{
    m_ipv4 = ipv4;
    m_fn = fn;
    m_ctx = ctx;
    m_device = CreateObject<VirtualNetDevice>();
    m_device->SetAddress(Mac48Address("00:00:00:00:00:00"));
    m_device->SetMtu(mtu);
    m_device->SetNeedsArp(false);
    m_device->SetIsPointToPoint(true);
    m_device->SetSendCallback(MakeCallback(&TunnelInterface::Send, this));
    ipv4->GetObject<Node>()->AddDevice(m_device);
    m_interface = ipv4->AddInterface(m_device);
    if (!DynamicCast<HashRouting>(ipv4->GetRoutingProtocol())) {
        BorrowAddress(ipv4, m_interface);
    }
    ipv4->SetUp(m_interface);
}

uint32_t TunnelInterface::GetInterface() const
{
    return m_interface;
}

bool TunnelInterface::Receive(const uint8_t *packet, size_t len, uint64_t mark)
{
    Ipv4Header header;
    if (!ReadIpv4Header(header, packet, len)) {
        return false;
    }
    /* Straight to the stack, for the same reason as in LinkNetDevice. */
    const Address address = m_device->GetAddress();
    m_ipv4->Receive(m_device, CreateMarkedPacket(packet, len, mark), Ipv4L3Protocol::PROT_NUMBER, address,
                    address, NetDevice::PACKET_HOST);
    return true;
}

bool TunnelInterface::Send(Ptr<Packet> packet, const Address &, const Address &, uint16_t protocol)
{
    if (protocol != Ipv4L3Protocol::PROT_NUMBER) {
        return false;
    }
    Scratch scratch;
    const size_t len = packet->CopyData(scratch.Data(), IPV4_PACKET_MAX);
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
    m_ipv4 = nullptr;
    Object::DoDispose();
}

SendResult SendWholePacket(Ptr<Ipv4L3Protocol> ipv4, const uint8_t *packet, size_t len, uint64_t mark)
{
    Ipv4Header header;
    if (!ReadIpv4Header(header, packet, len)) {
        return SendResult::MALFORMED;
    }
    Ptr<Packet> payload = CreateMarkedPacket(packet + IPV4_HEADER_LEN, len - IPV4_HEADER_LEN, mark);
    Socket::SocketErrno error;
    Ptr<Ipv4Route> route = ipv4->GetRoutingProtocol()->RouteOutput(payload, header, nullptr, error);
    if (!route) {
        return SendResult::NO_ROUTE;
    }
    ipv4->SendWithHeader(payload, header, route);
    return SendResult::SENT;
}

bool AddInterfaceRoute(Ptr<Ipv4L3Protocol> ipv4, Ipv4Address destination, unsigned prefixLength,
                       uint32_t interface)
{
    Ptr<Ipv4RoutingProtocol> routing = ipv4->GetRoutingProtocol();
    if (Ptr<HashRouting> hash = DynamicCast<HashRouting>(routing)) {
        hash->AddRoute(destination, prefixLength, interface);
        return true;
    }
    Ptr<Ipv4StaticRouting> fixed = Ipv4RoutingHelper::GetRouting<Ipv4StaticRouting>(routing);
    if (fixed) {
        const Ipv4Mask mask(prefixLength == 0 ? 0 : UINT32_MAX << (32 - prefixLength));
        fixed->AddNetworkRouteTo(destination, mask, interface);
    }
    return fixed != nullptr;
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
    Complain() << node->name << ": " << what << ": not a whole IPv4 packet without options, " << len
               << " bytes" << std::endl;
    return -1;
}

} // namespace

uint32_t ns3c_tunnel_new(ns3c_node *node, uint32_t mtu, ns3c_packet_fn *fn, void *ctx)
{
    Ptr<TunnelInterface> tunnel = CreateObject<TunnelInterface>();
    tunnel->Open(node->ipv4, static_cast<uint16_t>(std::min<uint32_t>(mtu, UINT16_MAX)), fn, ctx);
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
    CreateObject<WholePacketProtocol>()->Open(node->ipv4, protocol, fn, ctx);
}

int ns3c_packet_send(ns3c_node *node, const uint8_t *packet, size_t len, uint64_t mark)
{
    switch (SendWholePacket(node->ipv4, packet, len, mark)) {
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
