/* Our own point-to-point link: a fixed rate, a drop-tail queue, delay with jitter that keeps the order, loss,
 * duplication and reordering, classes of traffic, and a hook that decides on single packets.
 *
 * ns-3's own has neither jitter nor losses for a numbered direction. One event a packet: when a packet starts
 * to be sent, when it ends and when it arrives are known the moment it is queued, since nothing overtakes on
 * a link but what was held up on purpose. A link with classes (ns3c-link-classes.h) takes another event for
 * each packet that has to wait, since what is sent next is not known before. */
#ifndef P2_NS3C_LINK_H
#define P2_NS3C_LINK_H

#include "ns3c-link-classes.h"
#include "ns3c.h"

#include "ns3/channel.h"
#include "ns3/event-id.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv6-l3-protocol.h"
#include "ns3/net-device.h"
#include "ns3/nstime.h"
#include "ns3/random-variable-stream.h"
#include "ns3/traced-callback.h"

#include <deque>

namespace ns3
{

class LinkChannel;

enum class LinkDrop { LOSS, QUEUE };

/* One end. It carries whole IP packets: a packet's length on the wire is that of its IP packet. */
class LinkNetDevice : public NetDevice
{
  public:
    static TypeId GetTypeId();
    LinkNetDevice();

    /* Hands what arrives straight to this stack. A node's own list of handlers is walked for every packet,
     * which is linear in the number of its devices. */
    void SetIpv4(Ptr<Ipv4L3Protocol> ipv4);
    void SetIpv6(Ptr<Ipv6L3Protocol> ipv6);
    /* The n-th packet from now on (from 0) is lost when bit n of mask is set. */
    void SetLossMask(uint64_t mask);
    /* See ns3c_link_intercept. */
    void SetIntercept(ns3c_link_intercept_fn *fn, void *ctx);
    /* See ns3c_link_class. The channel is connected. */
    void AddClass(const ns3c_link_class &added);
    /* See ns3c_link_inject. False: these bytes are no IP packet of a family that the node has. */
    bool Inject(const uint8_t *packet, size_t len, uint64_t mark);
    /* Loss is drawn from `stream` and jitter from the next; see DISORDER_STREAMS. */
    void AssignStreams(int64_t stream);

    void SetIfIndex(const uint32_t index) override;
    uint32_t GetIfIndex() const override;
    Ptr<Channel> GetChannel() const override;
    void SetAddress(Address address) override;
    Address GetAddress() const override;
    bool SetMtu(const uint16_t mtu) override;
    uint16_t GetMtu() const override;
    bool IsLinkUp() const override;
    void AddLinkChangeCallback(Callback<void> callback) override;
    bool IsBroadcast() const override;
    Address GetBroadcast() const override;
    bool IsMulticast() const override;
    Address GetMulticast(Ipv4Address group) const override;
    Address GetMulticast(Ipv6Address address) const override;
    bool IsBridge() const override;
    bool IsPointToPoint() const override;
    bool Send(Ptr<Packet> packet, const Address &destination, uint16_t protocol) override;
    bool SendFrom(Ptr<Packet> packet, const Address &source, const Address &destination,
                  uint16_t protocol) override;
    Ptr<Node> GetNode() const override;
    void SetNode(Ptr<Node> node) override;
    bool NeedsArp() const override;
    void SetReceiveCallback(ReceiveCallback callback) override;
    void SetPromiscReceiveCallback(PromiscReceiveCallback callback) override;
    bool SupportsSendFrom() const override;

    typedef void (*PacketTracedCallback)(Ptr<const Packet> packet);
    typedef void (*DropTracedCallback)(LinkDrop reason, uint64_t mark);

  protected:
    void DoDispose() override;

  private:
    friend class LinkChannel;

    bool HasRoom(int64_t now);
    bool DrawLoss();
    bool Draw(Ptr<UniformRandomVariable> stream, double probability);
    ns3c_link_verdict Judge(Ptr<const Packet> packet);
    bool SendByClass(Ptr<Packet> packet, uint16_t protocol, int64_t now);
    void Begin(Ptr<Packet> packet, uint16_t protocol, int64_t now, std::size_t of);
    void SendNext();
    void Carry(Ptr<Packet> packet, uint16_t protocol, int64_t now, std::size_t of);
    void Deliver(Ptr<Packet> packet, uint16_t protocol, int64_t arrival, int64_t held, int64_t &lastArrival);
    void Receive(Ptr<Packet> packet, uint16_t protocol);
    void Lose(uint64_t mark);

    Ptr<Node> m_node;
    Ptr<LinkChannel> m_channel;
    LinkNetDevice *m_peer{nullptr}; //!< the channel holds it
    Ptr<Ipv4L3Protocol> m_ipv4;
    Ptr<Ipv6L3Protocol> m_ipv6;
    Ptr<UniformRandomVariable> m_lossStream;
    Ptr<UniformRandomVariable> m_jitterStream;
    Ptr<UniformRandomVariable> m_duplicateStream;
    Ptr<UniformRandomVariable> m_reorderStream;
    ns3c_link_intercept_fn *m_intercept{nullptr};
    void *m_interceptCtx{nullptr};
    ReceiveCallback m_receive;
    Address m_address;
    Address m_broadcast; //!< made once: ns-3 asks for it for every packet
    uint32_t m_ifIndex{0};
    uint16_t m_mtu{1500};
    uint64_t m_lossMask{0};        //!< bit 0: the next packet
    int64_t m_busyUntil{0};        //!< when the last queued packet has been sent
    int64_t m_lastArrival{0};      //!< at the peer: later packets do not overtake
    std::deque<int64_t> m_waiting; //!< when each packet in the queue will start to be sent
    LinkClasses m_classes;         //!< with any, these hold what waits
    EventId m_next;                //!< SendNext
    TracedCallback<Ptr<const Packet>> m_sentTrace;
    TracedCallback<Ptr<const Packet>> m_receivedTrace;
    TracedCallback<LinkDrop, uint64_t> m_dropTrace;
};

/* What both directions have in common. */
class LinkChannel : public Channel
{
  public:
    static TypeId GetTypeId();

    void Connect(Ptr<LinkNetDevice> a, Ptr<LinkNetDevice> b);
    /* Duplication and reordering came later than loss and jitter, and take numbers of their own so far from
     * those that they meet no other link's. */
    static constexpr int64_t DISORDER_STREAMS = INT64_C(1) << 40;
    /* Four numbers: loss and jitter of the direction from a, then from b; and DISORDER_STREAMS further on
     * duplication and reordering likewise. */
    int64_t AssignStreams(int64_t stream);
    /* How long a packet of so many bytes takes to be sent: rounded up to a whole nanosecond. */
    int64_t GetSerialisation(uint32_t bytes) const;

    std::size_t GetNDevices() const override;
    Ptr<NetDevice> GetDevice(std::size_t i) const override;

  protected:
    void DoDispose() override;

  private:
    friend class LinkNetDevice;

    Ptr<LinkNetDevice> m_ends[2];
    Time m_delay;
    Time m_jitter;
    uint64_t m_rate{0};
    double m_loss{0};
    double m_duplicate{0};
    double m_reorder{0};
    Time m_reorderDelay;
    uint32_t m_queuePackets{0};
};

} // namespace ns3
#endif
