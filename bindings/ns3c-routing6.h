/* Routes in hashes for IPv6: what ns3c-routing.h is for IPv4, with at most 129 probes, and as many as there
 * are different prefix lengths. */
#ifndef P2_NS3C_ROUTING6_H
#define P2_NS3C_ROUTING6_H

#include "ns3/ipv6-route.h"
#include "ns3/ipv6-routing-protocol.h"

#include <map>
#include <unordered_map>
#include <vector>

namespace ns3
{

/* Longest prefix first; the same prefix again replaces its route. A route names an interface and no next hop.
 */
class HashRouting6 : public Ipv6RoutingProtocol
{
  public:
    static TypeId GetTypeId();

    void AddRoute(Ipv6Address destination, unsigned prefixLength, uint32_t interface);

    Ptr<Ipv6Route> RouteOutput(Ptr<Packet> packet, const Ipv6Header &header, Ptr<NetDevice> device,
                               Socket::SocketErrno &error) override;
    bool RouteInput(Ptr<const Packet> packet, const Ipv6Header &header, Ptr<const NetDevice> device,
                    UnicastForwardCallback forward, MulticastForwardCallback forwardMulticast,
                    LocalDeliverCallback deliver, ErrorCallback error) override;
    void NotifyInterfaceUp(uint32_t interface) override;
    void NotifyInterfaceDown(uint32_t interface) override;
    void NotifyAddAddress(uint32_t interface, Ipv6InterfaceAddress address) override;
    void NotifyRemoveAddress(uint32_t interface, Ipv6InterfaceAddress address) override;
    void NotifyAddRoute(Ipv6Address destination, Ipv6Prefix prefix, Ipv6Address nextHop, uint32_t interface,
                        Ipv6Address source) override;
    void NotifyRemoveRoute(Ipv6Address destination, Ipv6Prefix prefix, Ipv6Address nextHop,
                           uint32_t interface, Ipv6Address source) override;
    void SetIpv6(Ptr<Ipv6> ipv6) override;
    void PrintRoutingTable(Ptr<OutputStreamWrapper> stream, Time::Unit unit) const override;

  protected:
    void DoDispose() override;

  private:
    bool IsLocal(Ipv6Address address) const;
    /* -1: none. */
    int64_t FindInterface(Ipv6Address destination) const;
    Ptr<Ipv6Route> GetInterfaceRoute(uint32_t interface);
    Ipv6Address ChooseSource(uint32_t interface) const;

    Ptr<Ipv6> m_ipv6;
    /* By prefix length, the longest first: prefix to interface. */
    std::map<unsigned, std::unordered_map<Ipv6Address, uint32_t, Ipv6AddressHash>, std::greater<unsigned>>
        m_routes;
    std::unordered_map<Ipv6Address, uint32_t, Ipv6AddressHash> m_local; //!< how many interfaces bear it
    Ipv6Address m_firstLocal;                      //!< the source where an interface has none; any: none
    std::vector<Ptr<Ipv6Route>> m_interfaceRoutes; //!< one a interface, shared by all its packets
};

} // namespace ns3
#endif
