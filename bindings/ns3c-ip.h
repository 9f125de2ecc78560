/* Whole IP packets in and out of an ns-3 stack: a tunnel interface, a protocol number, and sending a packet
 * with the header it has. These work on any ns-3 node with an IPv4 stack. */
#ifndef P2_NS3C_IP_H
#define P2_NS3C_IP_H

#include "ns3c.h"

#include "ns3/ip-l4-protocol.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/virtual-net-device.h"

namespace ns3
{

/* Receives one IP protocol. Inserted into the stack, and not a raw socket, because that one sees fragments.
 */
class WholePacketProtocol : public IpL4Protocol
{
  public:
    static TypeId GetTypeId();

    /* Inserts it into the node's stack. */
    void Open(Ptr<Ipv4L3Protocol> ipv4, uint8_t protocol, ns3c_packet_fn *fn, void *ctx);

    int GetProtocolNumber() const override;
    RxStatus Receive(Ptr<Packet> packet, const Ipv4Header &header, Ptr<Ipv4Interface> interface) override;
    RxStatus Receive(Ptr<Packet> packet, const Ipv6Header &header, Ptr<Ipv6Interface> interface) override;
    void SetDownTarget(DownTargetCallback callback) override;
    void SetDownTarget6(DownTargetCallback6 callback) override;
    DownTargetCallback GetDownTarget() const override;
    DownTargetCallback6 GetDownTarget6() const override;

  private:
    uint8_t m_protocol{0};
    ns3c_packet_fn *m_fn{nullptr};
    void *m_ctx{nullptr};
};

/* A VirtualNetDevice, and how it is wired to bytes. */
class TunnelInterface : public Object
{
  public:
    static TypeId GetTypeId();

    /* Adds the device to the stack and brings it up. */
    void Open(Ptr<Ipv4L3Protocol> ipv4, uint16_t mtu, ns3c_packet_fn *fn, void *ctx);
    uint32_t GetInterface() const;
    /* A packet comes out of the tunnel. False if it is no whole IPv4 packet without options. */
    bool Receive(const uint8_t *packet, size_t len, uint64_t mark);

  protected:
    void DoDispose() override;

  private:
    bool Send(Ptr<Packet> packet, const Address &source, const Address &destination, uint16_t protocol);

    Ptr<Ipv4L3Protocol> m_ipv4;
    Ptr<VirtualNetDevice> m_device;
    uint32_t m_interface{0};
    ns3c_packet_fn *m_fn{nullptr};
    void *m_ctx{nullptr};
};

enum class SendResult { SENT, MALFORMED, NO_ROUTE };
/* Keeps identification, TOS, TTL, DF and a fragment's offset as they stand. */
SendResult SendWholePacket(Ptr<Ipv4L3Protocol> ipv4, const uint8_t *packet, size_t len, uint64_t mark);

/* Into the hashes of our own routing, or else into the stack's static routing. False if it has neither. */
bool AddInterfaceRoute(Ptr<Ipv4L3Protocol> ipv4, Ipv4Address destination, unsigned prefixLength,
                       uint32_t interface);

} // namespace ns3
#endif
