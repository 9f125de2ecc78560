/* Routes in hashes: a lookup costs as many probes as there are different prefix lengths, whatever the number
 * of routes, addresses and interfaces.
 *
 * ns-3's own protocols walk lists, which makes forwarding through a hub linear in its degree. */
#ifndef P2_NS3C_ROUTING_H
#define P2_NS3C_ROUTING_H

#include "ns3c-family.h"

#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

namespace ns3
{

/* What both families share. Longest prefix first; the same prefix again replaces its route. Interfaces are
 * point-to-point, so a route names an interface and no next hop. */
template <typename Family> class HashRoutingOf : public Family::Routing
{
  public:
    using Address = typename Family::Address;
    using Header = typename Family::Header;
    using InterfaceAddress = typename Family::InterfaceAddress;
    using Ip = typename Family::Ip;
    using Route = typename Family::Route;

    void AddRoute(Address destination, unsigned prefixLength, uint32_t interface);
    bool IsLocal(Address address) const;

    Ptr<Route> RouteOutput(Ptr<Packet> packet, const Header &header, Ptr<NetDevice> device,
                           Socket::SocketErrno &error) override;
    void NotifyInterfaceUp(uint32_t interface) override;
    void NotifyInterfaceDown(uint32_t interface) override;
    void NotifyAddAddress(uint32_t interface, InterfaceAddress address) override;
    void NotifyRemoveAddress(uint32_t interface, InterfaceAddress address) override;
    void PrintRoutingTable(Ptr<OutputStreamWrapper> stream, Time::Unit unit) const override;

  protected:
    void DoDispose() override;
    void SetIp(Ptr<Ip> ip);
    Ptr<Ip> GetIp() const;
    /* Null: none. */
    Ptr<Route> FindRoute(Address destination);

  private:
    using Hash = std::unordered_map<Address, uint32_t, typename Family::AddressHash>;

    Ptr<Route> GetInterfaceRoute(uint32_t interface);
    Address ChooseSource(uint32_t interface) const;

    Ptr<Ip> m_ip;
    std::map<unsigned, Hash, std::greater<unsigned>> m_routes; //!< by prefix length: prefix to interface
    Hash m_local;                                              //!< own addresses: how many interfaces bear it
    Address m_firstLocal;                                      //!< the source where an interface has none
    std::vector<Ptr<Route>> m_interfaceRoutes;                 //!< one a interface, shared by all its packets
};

extern template class HashRoutingOf<Ipv4Family>;
extern template class HashRoutingOf<Ipv6Family>;

class HashRouting : public HashRoutingOf<Ipv4Family>
{
  public:
    static TypeId GetTypeId();

    bool RouteInput(Ptr<const Packet> packet, const Ipv4Header &header, Ptr<const NetDevice> device,
                    UnicastForwardCallback forward, MulticastForwardCallback forwardMulticast,
                    LocalDeliverCallback deliver, ErrorCallback error) override;
    void SetIpv4(Ptr<Ipv4> ipv4) override;
};

class HashRouting6 : public HashRoutingOf<Ipv6Family>
{
  public:
    static TypeId GetTypeId();

    bool RouteInput(Ptr<const Packet> packet, const Ipv6Header &header, Ptr<const NetDevice> device,
                    UnicastForwardCallback forward, MulticastForwardCallback forwardMulticast,
                    LocalDeliverCallback deliver, ErrorCallback error) override;
    void NotifyAddRoute(Ipv6Address destination, Ipv6Prefix prefix, Ipv6Address nextHop, uint32_t interface,
                        Ipv6Address source) override;
    void NotifyRemoveRoute(Ipv6Address destination, Ipv6Prefix prefix, Ipv6Address nextHop,
                           uint32_t interface, Ipv6Address source) override;
    void SetIpv6(Ptr<Ipv6> ipv6) override;
};

} // namespace ns3
#endif
