/* A UDP port whose datagrams come with both addresses and a mark. */
#ifndef P2_NS3C_UDP_H
#define P2_NS3C_UDP_H

#include "ns3c.h"

#include "ns3/ipv4-l3-protocol.h"
#include "ns3/node.h"
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

    /* False if the port is taken. */
    bool Open(Ptr<Node> node, Ipv4Address address, uint16_t port);
    /* From the bound address; from `source` if none was bound; from the route's if that is none either.
     * False: no route, or too long. */
    bool Send(Ipv4Address source, Ipv4Address destination, uint16_t port, const uint8_t *data, size_t len,
              uint64_t mark);

  private:
    void Receive(Ptr<Socket> socket);
    void Deliver(Ptr<Packet> packet, const Address &from);

    ns3c_udp_fn *m_fn;
    void *m_ctx;
    Ptr<Socket> m_socket;
    Ptr<Ipv4L3Protocol> m_ipv4;
    Ptr<UdpL4Protocol> m_udp;
    Ipv4Address m_address;
    uint16_t m_port{0};
};

} // namespace ns3
#endif
