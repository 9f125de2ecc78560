/* A policy on top of a node's routing: what it takes is protected, whatever the routes say (see
 * ns3c_policy_open). For any ns-3 node with an IPv4 stack.
 *
 * Forwarded packets are judged whole in RouteInput. What the node sends itself is not whole yet when its
 * route is asked for, so what could be taken is routed to a capture interface, judged there, and sent on
 * along the node's own routes if it is not taken. */
#ifndef P2_NS3C_POLICY_H
#define P2_NS3C_POLICY_H

#include "ns3c-packet.h"
#include "ns3c-stacks.h"

namespace ns3
{

class PolicyHook;
class TunnelInterface;

/* On a packet that a node's policy is not to judge again: it came out of what the policy feeds. It says which
 * node's, since tags travel on. */
class JudgedTag : public NumberTag
{
  public:
    static TypeId GetTypeId();
    explicit JudgedTag(uint32_t node = UINT32_MAX);
    TypeId GetInstanceTypeId() const override;
    void Print(std::ostream &os) const override;
};

class PolicyRouting : public RoutingOnTop
{
  public:
    static TypeId GetTypeId();

    void SetHook(Ptr<PolicyHook> hook);
    void OpenIpv6(Ptr<Ipv6L3Protocol> ipv6) override;
    Ptr<Ipv4Route> RouteOutput(Ptr<Packet> packet, const Ipv4Header &header, Ptr<NetDevice> device,
                               Socket::SocketErrno &error) override;
    bool RouteInput(Ptr<const Packet> packet, const Ipv4Header &header, Ptr<const NetDevice> device,
                    UnicastForwardCallback forward, MulticastForwardCallback forwardMulticast,
                    LocalDeliverCallback deliver, ErrorCallback error) override;

  protected:
    void DoDispose() override;

  private:
    Ptr<PolicyHook> m_hook;
};

class PolicyRouting6 : public RoutingOnTop6
{
  public:
    static TypeId GetTypeId();

    void SetHook(Ptr<PolicyHook> hook);
    Ptr<Ipv6Route> RouteOutput(Ptr<Packet> packet, const Ipv6Header &header, Ptr<NetDevice> device,
                               Socket::SocketErrno &error) override;
    bool RouteInput(Ptr<const Packet> packet, const Ipv6Header &header, Ptr<const NetDevice> device,
                    UnicastForwardCallback forward, MulticastForwardCallback forwardMulticast,
                    LocalDeliverCallback deliver, ErrorCallback error) override;

  protected:
    void DoDispose() override;

  private:
    Ptr<PolicyHook> m_hook;
};

/* What both families share. */
class PolicyHook : public Object
{
  public:
    static TypeId GetTypeId();

    void Open(const IpStacks &stacks, const ns3c_policy_ops &ops, void *ctx);
    void OpenIpv6(Ptr<Ipv6L3Protocol> ipv6);
    /* As ns3c_policy_receive. judged: see TunnelInterface::Receive. */
    bool Receive(const uint8_t *packet, size_t len, uint64_t mark, bool judged);
    const IpStacks &GetStacks() const;
    Ptr<NetDevice> GetCaptureDevice() const;

    bool CouldTake(const ns3c_address &source, const ns3c_address &destination) const;
    /* True: it was taken. */
    bool Judge(const uint8_t *packet, size_t len, uint64_t mark) const;
    /* The same for one that is forwarded: its header stands in `whole` (a Scratch), the rest is put behind
     * it. */
    bool JudgeTransit(Ptr<const Packet> packet, uint8_t *whole, size_t headerLen) const;
    bool IsJudged(Ptr<const Packet> packet) const;
    /* A packet of the node itself was not taken and leaves by this device: in clear, if that is no tunnel. */
    void NotTaken(Ptr<const NetDevice> device);
    uint64_t GetBypassed() const;

  protected:
    void DoDispose() override;

  private:
    static void OnCaptured(void *ctx, const uint8_t *packet, size_t len, uint64_t mark);

    IpStacks m_stacks;
    Ptr<TunnelInterface> m_capture;
    ns3c_policy_ops m_ops{};
    void *m_ctx{nullptr};
    uint64_t m_bypassed{0};
};

} // namespace ns3
#endif
