/* A node's two IP stacks, and the routing protocols that stand on top of its routing. */
#ifndef P2_NS3C_STACKS_H
#define P2_NS3C_STACKS_H

#include "ns3c-family.h"

#include "ns3/node.h"

namespace ns3
{

/* BELOW: by the node's own routes, whatever stands on top of them. */
enum class SendRoute { ON_TOP, BELOW };

/* The stacks of any ns-3 node that has IPv4. Interfaces are known by their IPv4 number. */
class IpStacks
{
  public:
    IpStacks() = default;
    explicit IpStacks(Ptr<Node> node);

    Ptr<Node> GetNode() const;
    Ptr<Ipv4L3Protocol> GetIpv4() const;
    /* Null: the node has none, so far. */
    Ptr<Ipv6L3Protocol> GetIpv6() const;
    /* Makes one on a node with our own routing, with all the interfaces that IPv4 has; null on others. */
    Ptr<Ipv6L3Protocol> NeedIpv6();
    /* -1: not known to IPv6. */
    int32_t GetIpv6Interface(uint32_t interface) const;

    /* Into both stacks, and up. Returns the IPv4 number. IPv6 leaves one with an MTU below 1280 down. */
    uint32_t AddInterface(Ptr<NetDevice> device);
    /* Into the hashes of our own routing, or else into the stack's static routing. False if it has neither.
     */
    bool AddRoute(const ns3c_address &destination, unsigned prefixLength, uint32_t interface);
    /* For a packet of the node's own. Null: there is none, or no such stack. */
    Ptr<Ipv4Route> RouteOutput(Ptr<Packet> packet, const Ipv4Header &header, SendRoute where) const;
    Ptr<Ipv6Route> RouteOutput(Ptr<Packet> packet, const Ipv6Header &header, SendRoute where) const;
    /* True if there are routes in hashes, which need no address on an interface. */
    bool HasHashRouting() const;

    void Clear();

  private:
    Ptr<Node> m_node;
    Ptr<Ipv4L3Protocol> m_ipv4;
    mutable Ptr<Ipv6L3Protocol> m_ipv6; //!< may come later than this object
};

/* Passes everything on to what was the node's routing protocol before. */
template <typename Family> class RoutingOnTopOf : public Family::Routing
{
  public:
    using Header = typename Family::Header;
    using InterfaceAddress = typename Family::InterfaceAddress;
    using Route = typename Family::Route;
    using Routing = typename Family::Routing;
    using Stack = typename Family::Stack;
    using UnicastForwardCallback = typename Routing::UnicastForwardCallback;
    using MulticastForwardCallback = typename Routing::MulticastForwardCallback;
    using LocalDeliverCallback = typename Routing::LocalDeliverCallback;
    using ErrorCallback = typename Routing::ErrorCallback;

    /* Takes its place. */
    void Open(Ptr<Stack> stack);
    Ptr<Routing> GetInner() const;

    Ptr<Route> RouteOutput(Ptr<Packet> packet, const Header &header, Ptr<NetDevice> device,
                           Socket::SocketErrno &error) override;
    bool RouteInput(Ptr<const Packet> packet, const Header &header, Ptr<const NetDevice> device,
                    UnicastForwardCallback forward, MulticastForwardCallback forwardMulticast,
                    LocalDeliverCallback deliver, ErrorCallback error) override;
    void NotifyInterfaceUp(uint32_t interface) override;
    void NotifyInterfaceDown(uint32_t interface) override;
    void NotifyAddAddress(uint32_t interface, InterfaceAddress address) override;
    void NotifyRemoveAddress(uint32_t interface, InterfaceAddress address) override;
    void PrintRoutingTable(Ptr<OutputStreamWrapper> stream, Time::Unit unit) const override;

  protected:
    void DoDispose() override;
    Ptr<Stack> GetStack() const;

  private:
    Ptr<Stack> m_stack;
    Ptr<Routing> m_inner;
};

extern template class RoutingOnTopOf<Ipv4Family>;
extern template class RoutingOnTopOf<Ipv6Family>;

class RoutingOnTop : public RoutingOnTopOf<Ipv4Family>
{
  public:
    static TypeId GetTypeId();

    /* The node got its IPv6 stack, after this was opened. */
    virtual void OpenIpv6(Ptr<Ipv6L3Protocol> ipv6);
    bool IsLocal(Ipv4Address address) const;

    void SetIpv4(Ptr<Ipv4> ipv4) override;
};

class RoutingOnTop6 : public RoutingOnTopOf<Ipv6Family>
{
  public:
    static TypeId GetTypeId();

    void NotifyAddRoute(Ipv6Address destination, Ipv6Prefix prefix, Ipv6Address nextHop, uint32_t interface,
                        Ipv6Address source) override;
    void NotifyRemoveRoute(Ipv6Address destination, Ipv6Prefix prefix, Ipv6Address nextHop,
                           uint32_t interface, Ipv6Address source) override;
    void SetIpv6(Ptr<Ipv6> ipv6) override;
};

} // namespace ns3
#endif
