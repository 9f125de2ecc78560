/* Whole IP packets in and out of an ns-3 stack: a tunnel interface, a protocol number, and sending a packet
 * with the header it has, of either family. These work on any ns-3 node with an IPv4 stack. */
#ifndef P2_NS3C_IP_H
#define P2_NS3C_IP_H

#include "ns3c-stacks.h"

#include "ns3/ip-l4-protocol.h"
#include "ns3/virtual-net-device.h"

namespace ns3
{

/* Receives one IP protocol. Inserted into the stack, and not a raw socket, because that one sees fragments.
 */
class WholePacketProtocol : public IpL4Protocol
{
  public:
    static TypeId GetTypeId();

    /* Inserts it into the node's stacks. */
    void Open(const IpStacks &stacks, uint8_t protocol, ns3c_packet_fn *fn, void *ctx);

    int GetProtocolNumber() const override;
    RxStatus Receive(Ptr<Packet> packet, const Ipv4Header &header, Ptr<Ipv4Interface> interface) override;
    RxStatus Receive(Ptr<Packet> packet, const Ipv6Header &header, Ptr<Ipv6Interface> interface) override;
    void SetDownTarget(DownTargetCallback callback) override;
    void SetDownTarget6(DownTargetCallback6 callback) override;
    DownTargetCallback GetDownTarget() const override;
    DownTargetCallback6 GetDownTarget6() const override;

  private:
    RxStatus HandUp(Ptr<Packet> packet, uint8_t *whole, size_t header_len);

    uint8_t m_protocol{0};
    ns3c_packet_fn *m_fn{nullptr};
    void *m_ctx{nullptr};
};

/* A VirtualNetDevice, and how it is wired to bytes. */
class TunnelInterface : public Object
{
  public:
    static TypeId GetTypeId();

    /* Adds the device to the stacks and brings it up. */
    void Open(const IpStacks &stacks, uint16_t mtu, ns3c_packet_fn *fn, void *ctx);
    uint32_t GetInterface() const;
    Ptr<NetDevice> GetDevice() const;
    /* A packet comes out of the tunnel. False if it is no whole IP packet (IPv4: without options), or the
     * node has no stack for it. judged: a policy of this node has judged it, and is not to do so again. */
    bool Receive(const uint8_t *packet, size_t len, uint64_t mark, bool judged = false);

  protected:
    void DoDispose() override;

  private:
    bool Send(Ptr<Packet> packet, const Address &source, const Address &destination, uint16_t protocol);

    IpStacks m_stacks;
    Ptr<VirtualNetDevice> m_device;
    uint32_t m_interface{0};
    ns3c_packet_fn *m_fn{nullptr};
    void *m_ctx{nullptr};
};

enum class SendResult { SENT, MALFORMED, NO_ROUTE };
/* Keeps identification, TOS, TTL, DF and a fragment's offset as they stand, and in IPv6 the traffic class and
 * the hop limit. */
SendResult SendWholePacket(const IpStacks &stacks, const uint8_t *packet, size_t len, uint64_t mark,
                           SendRoute where = SendRoute::ON_TOP);

} // namespace ns3
#endif
