#include "ns3c-udp.h"

#include "ns3c-impl.h"
#include "ns3c-packet.h"

#include "ns3/inet-socket-address.h"
#include "ns3/inet6-socket-address.h"
#include "ns3/ipv4-packet-info-tag.h"
#include "ns3/ipv4-route.h"
#include "ns3/ipv6-packet-info-tag.h"
#include "ns3/ipv6-route.h"
#include "ns3/udp-header.h"
#include "ns3/udp-socket-factory.h"

namespace ns3
{

namespace
{

size_t GetDataMax(const ns3c_address &destination)
{
    return IP_PACKET_MAX - (destination.family == 6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN) - 8;
}

/* ns-3's IP layers take these tags off and write the header accordingly. */
void TellHeader(Ptr<Packet> packet, uint8_t family, const ns3c_udp_marking &marking)
{
    if (marking.tos && family == 4) {
        SocketIpTosTag tag;
        tag.SetTos(marking.tos);
        packet->AddPacketTag(tag);
    } else if (marking.tos) {
        SocketIpv6TclassTag tag;
        tag.SetTclass(marking.tos);
        packet->AddPacketTag(tag);
    }
}

/* What can not be fragmented needs no identification (RFC 6864 section 4.1). */
void CompleteHeader(Ipv4Header &header, const ns3c_udp_marking &marking, Ptr<const Packet> packet)
{
    constexpr uint8_t TTL = 64;
    header.SetTtl(TTL);
    header.SetTos(marking.tos);
    header.SetDontFragment();
    header.SetPayloadSize(static_cast<uint16_t>(packet->GetSize()));
}

} // namespace

UdpPort::UdpPort(ns3c_udp_fn *fn, void *ctx) : m_fn(fn), m_ctx(ctx)
{
}

UdpPort::~UdpPort()
{
    for (const auto &socket : m_sockets) {
        if (socket) {
            socket->SetRecvCallback(MakeNullCallback<void, Ptr<Socket>>());
        }
    }
}

Ptr<Socket> UdpPort::Bind(Ptr<Node> node, const Address &address)
{
    Ptr<Socket> socket = Socket::CreateSocket(node, UdpSocketFactory::GetTypeId());
    if (socket->Bind(address) != 0) {
        return nullptr;
    }
    socket->SetRecvPktInfo(true); /* the only way to learn a datagram's destination */
    socket->SetRecvCallback(MakeCallback(&UdpPort::Receive, this));
    return socket;
}

/* The IPv6 end needs no stack, which may come later. */
bool UdpPort::Open(const IpStacks &stacks, const ns3c_address &address, uint16_t port)
{
    Ptr<Node> node = stacks.GetNode();
    if (address.family != 6) {
        m_sockets[0] = Bind(node, InetSocketAddress(ToIpv4(address), port));
    }
    if (address.family != 4) {
        m_sockets[1] = Bind(node, Inet6SocketAddress(ToIpv6(address), port));
    }
    if ((address.family != 6 && !m_sockets[0]) || (address.family != 4 && !m_sockets[1])) {
        return false;
    }
    m_stacks = stacks;
    m_udp = node->GetObject<UdpL4Protocol>();
    m_address = address;
    m_port = port;
    return true;
}

bool UdpPort::Send(const ns3c_address &source, const ns3c_address &destination, uint16_t port,
                   const uint8_t *data, size_t len, uint64_t mark, SendRoute where,
                   const ns3c_udp_marking &marking)
{
    if (len > GetDataMax(destination) || (m_address.family && m_address.family != destination.family)) {
        return false;
    }
    Ptr<Packet> packet = CreateMarkedPacket(data, len, mark);
    const ns3c_address &from = m_address.family ? m_address : source;
    if (destination.family == 6) {
        TellHeader(packet, 6, marking);
        return Send6(packet, from, ToIpv6(destination), port, where);
    }
    return Send4(packet, from, ToIpv4(destination), port, where, marking);
}

/* Not through Socket::SendTo: from a bound address that asks every interface of the node for a broadcast
 * address, for every datagram. ns-3's IPv4 has no tag for "don't fragment" that it heeds, so that such a
 * datagram goes with a header of our own. */
bool UdpPort::Send4(Ptr<Packet> packet, const ns3c_address &source, Ipv4Address destination, uint16_t port,
                    SendRoute where, const ns3c_udp_marking &marking)
{
    Ipv4Header header;
    header.SetSource(source.family ? ToIpv4(source) : Ipv4Address::GetAny());
    header.SetDestination(destination);
    header.SetProtocol(UdpL4Protocol::PROT_NUMBER);
    Ptr<Ipv4Route> route = m_stacks.RouteOutput(packet, header, where);
    if (!route) {
        return false;
    }
    header.SetSource(source.family ? ToIpv4(source) : route->GetSource());
    if (!marking.dont_fragment) {
        TellHeader(packet, 4, marking);
        m_udp->Send(packet, header.GetSource(), destination, m_port, port, route);
        return true;
    }
    UdpHeader udp;
    udp.SetSourcePort(m_port);
    udp.SetDestinationPort(port);
    packet->AddHeader(udp);
    CompleteHeader(header, marking, packet);
    m_stacks.GetIpv4()->SendWithHeader(packet, header, route);
    return true;
}

/* With a header of our own: ns-3 would leave the checksum 0, which IPv6 does not allow (RFC 8200 section
 * 8.1). */
bool UdpPort::Send6(Ptr<Packet> packet, const ns3c_address &source, Ipv6Address destination, uint16_t port,
                    SendRoute where)
{
    Ipv6Header header;
    header.SetSource(source.family ? ToIpv6(source) : Ipv6Address::GetAny());
    header.SetDestination(destination);
    header.SetNextHeader(UdpL4Protocol::PROT_NUMBER);
    Ptr<Ipv6Route> route = m_stacks.RouteOutput(packet, header, where);
    if (!route) {
        return false;
    }
    const Ipv6Address from = source.family ? ToIpv6(source) : route->GetSource();
    UdpHeader udp;
    udp.EnableChecksums();
    udp.InitializeChecksum(from, destination, UdpL4Protocol::PROT_NUMBER);
    udp.SetSourcePort(m_port);
    udp.SetDestinationPort(port);
    packet->AddHeader(udp);
    m_stacks.GetIpv6()->Send(packet, from, destination, UdpL4Protocol::PROT_NUMBER, route);
    return true;
}

void UdpPort::Receive(Ptr<Socket> socket)
{
    Address from;
    while (Ptr<Packet> packet = socket->RecvFrom(from)) {
        Deliver(packet, from);
    }
}

void UdpPort::Deliver(Ptr<Packet> packet, const Address &from)
{
    Scratch scratch;
    packet->CopyData(scratch.Data(), packet->GetSize());
    ns3c_udp_packet datagram = {};
    datagram.destination_port = m_port;
    datagram.data = scratch.Data();
    datagram.len = packet->GetSize();
    datagram.mark = GetPacketMark(packet);
    if (InetSocketAddress::IsMatchingType(from)) {
        Ipv4PacketInfoTag info;
        packet->PeekPacketTag(info);
        const InetSocketAddress source = InetSocketAddress::ConvertFrom(from);
        datagram.source = FromIpv4(source.GetIpv4());
        datagram.source_port = source.GetPort();
        datagram.destination = FromIpv4(info.GetAddress());
    } else {
        Ipv6PacketInfoTag info;
        packet->PeekPacketTag(info);
        const Inet6SocketAddress source = Inet6SocketAddress::ConvertFrom(from);
        datagram.source = FromIpv6(source.GetIpv6());
        datagram.source_port = source.GetPort();
        datagram.destination = FromIpv6(info.GetAddress());
    }
    m_fn(m_ctx, &datagram);
}

} // namespace ns3

using namespace ns3;

struct ns3c_udp {
    ns3c_udp(ns3c_udp_fn *fn, void *ctx) : port(fn, ctx)
    {
    }
    UdpPort port;
};

ns3c_udp *ns3c_udp_open(ns3c_node *node, ns3c_address address, uint16_t port, ns3c_udp_fn *fn, void *ctx)
{
    auto udp = std::make_shared<ns3c_udp>(fn, ctx);
    if (!udp->port.Open(node->stacks, address, port)) {
        return nullptr;
    }
    Keep(udp);
    return udp.get();
}

int ns3c_udp_send(ns3c_udp *udp, ns3c_address destination, uint16_t port, const uint8_t *data, size_t len,
                  uint64_t mark)
{
    const ns3c_udp_marking plain = {0, false};
    return ns3c_udp_send_marked(udp, destination, port, data, len, mark, &plain);
}

int ns3c_udp_send_marked(ns3c_udp *udp, ns3c_address destination, uint16_t port, const uint8_t *data,
                         size_t len, uint64_t mark, const ns3c_udp_marking *marking)
{
    if (udp->port.Send(ns3c_any(), destination, port, data, len, mark, SendRoute::ON_TOP, *marking)) {
        return 0;
    }
    Complain() << "cannot send " << len << " bytes of UDP to " << destination << ": no route, or too long"
               << std::endl;
    return -1;
}
