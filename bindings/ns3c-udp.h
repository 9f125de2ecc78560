/* A UDP port, of both families, whose datagrams come with both addresses and a mark. */
#ifndef P2_NS3C_UDP_H
#define P2_NS3C_UDP_H

#include "ns3c-ip.h"

#include "ns3/socket.h"
#include "ns3/udp-l4-protocol.h"

namespace ns3
{

/* Borrowed by the socket's callback: lives until the simulation is destroyed, or is destroyed first. */
class UdpPort
{
  public:
    UdpPort(ns3c_udp_fn *fn, void *ctx);
    ~UdpPort();
    UdpPort(const UdpPort &) = delete;
    UdpPort &operator=(const UdpPort &) = delete;

    /* address of no family: any of both. False if the port is taken. */
    bool Open(const IpStacks &stacks, const ns3c_address &address, uint16_t port);
    /* The header says what `marking` does. From the bound address; from `source` if none was bound; from the
     * route's if that is none either. False: no route, or too long. */
    bool Send(const ns3c_address &source, const ns3c_address &destination, uint16_t port, const uint8_t *data,
              size_t len, uint64_t mark, SendRoute where = SendRoute::ON_TOP,
              const ns3c_udp_marking &marking = {0, false});

  private:
    Ptr<Socket> Bind(Ptr<Node> node, const Address &address);
    void Receive(Ptr<Socket> socket);
    void Deliver(Ptr<Packet> packet, const Address &from);
    bool Send4(Ptr<Packet> packet, const ns3c_address &source, Ipv4Address destination, uint16_t port,
               SendRoute where, const ns3c_udp_marking &marking);
    bool Send6(Ptr<Packet> packet, const ns3c_address &source, Ipv6Address destination, uint16_t port,
               SendRoute where);

    ns3c_udp_fn *m_fn;
    void *m_ctx;
    Ptr<Socket> m_sockets[2]; //!< IPv4, IPv6
    IpStacks m_stacks;
    Ptr<UdpL4Protocol> m_udp;
    ns3c_address m_address{0, {0}};
    uint16_t m_port{0};
};

} // namespace ns3
#endif
