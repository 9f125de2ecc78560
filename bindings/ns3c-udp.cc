#include "ns3c-udp.h"

#include "ns3c-impl.h"
#include "ns3c-packet.h"

#include "ns3/inet-socket-address.h"
#include "ns3/ipv4-packet-info-tag.h"
#include "ns3/ipv4-route.h"
#include "ns3/udp-socket-factory.h"

namespace ns3
{

namespace
{

constexpr size_t UDP_DATA_MAX = IPV4_PACKET_MAX - IPV4_HEADER_LEN - 8;

} // namespace

UdpPort::UdpPort(ns3c_udp_fn *fn, void *ctx) : m_fn(fn), m_ctx(ctx)
{
}

UdpPort::~UdpPort()
{
    if (m_socket) {
        m_socket->SetRecvCallback(MakeNullCallback<void, Ptr<Socket>>());
    }
}

bool UdpPort::Open(Ptr<Node> node, Ipv4Address address, uint16_t port)
{
    Ptr<Socket> socket = Socket::CreateSocket(node, UdpSocketFactory::GetTypeId());
    if (socket->Bind(InetSocketAddress(address, port)) != 0) {
        return false;
    }
    socket->SetRecvPktInfo(true); /* the only way to learn a datagram's destination */
    socket->SetRecvCallback(MakeCallback(&UdpPort::Receive, this));
    m_socket = socket;
    m_ipv4 = node->GetObject<Ipv4L3Protocol>();
    m_udp = node->GetObject<UdpL4Protocol>();
    m_address = address;
    m_port = port;
    return true;
}

/* Not through Socket::SendTo: from a bound address that asks every interface of the node for a broadcast
 * address, for every datagram. */
bool UdpPort::Send(Ipv4Address source, Ipv4Address destination, uint16_t port, const uint8_t *data,
                   size_t len, uint64_t mark)
{
    if (len > UDP_DATA_MAX) {
        return false;
    }
    Ptr<Packet> packet = CreateMarkedPacket(data, len, mark);
    Ipv4Header header;
    header.SetDestination(destination);
    header.SetProtocol(UdpL4Protocol::PROT_NUMBER);
    Socket::SocketErrno error;
    Ptr<Ipv4Route> route = m_ipv4->GetRoutingProtocol()->RouteOutput(packet, header, nullptr, error);
    if (!route) {
        return false;
    }
    if (!m_address.IsAny()) {
        source = m_address;
    } else if (source.IsAny()) {
        source = route->GetSource();
    }
    m_udp->Send(packet, source, destination, m_port, port, route);
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
    Ipv4PacketInfoTag info;
    packet->PeekPacketTag(info);
    const InetSocketAddress source = InetSocketAddress::ConvertFrom(from);
    Scratch scratch;
    packet->CopyData(scratch.Data(), packet->GetSize());
    const ns3c_udp_packet datagram = {
        source.GetIpv4().Get(), info.GetAddress().Get(), source.GetPort(),     m_port,
        scratch.Data(),         packet->GetSize(),       GetPacketMark(packet)};
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

ns3c_udp *ns3c_udp_open(ns3c_node *node, uint32_t address, uint16_t port, ns3c_udp_fn *fn, void *ctx)
{
    auto udp = std::make_shared<ns3c_udp>(fn, ctx);
    if (!udp->port.Open(node->node, Ipv4Address(address), port)) {
        return nullptr;
    }
    Keep(udp);
    return udp.get();
}

int ns3c_udp_send(ns3c_udp *udp, uint32_t destination, uint16_t port, const uint8_t *data, size_t len,
                  uint64_t mark)
{
    if (udp->port.Send(Ipv4Address::GetAny(), Ipv4Address(destination), port, data, len, mark)) {
        return 0;
    }
    Complain() << "cannot send " << len << " bytes of UDP to " << Ipv4Address(destination)
               << ": no route, or too long" << std::endl;
    return -1;
}
