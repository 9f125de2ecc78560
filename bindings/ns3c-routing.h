/* Routes in hashes: a lookup costs at most 33 probes, whatever the number of routes, addresses and
 * interfaces.
 *
 * ns-3's own protocols walk lists, which makes forwarding through a hub linear in its degree. */
#ifndef P2_NS3C_ROUTING_H
#define P2_NS3C_ROUTING_H

#include "ns3/ipv4-route.h"
#include "ns3/ipv4-routing-protocol.h"

#include <array>
#include <unordered_map>
#include <vector>

namespace ns3
{

/* Longest prefix first; the same prefix again replaces its route. Interfaces are point-to-point, so a route
 * names an interface and no next hop. */
class HashRouting : public Ipv4RoutingProtocol
{
  public:
    static TypeId GetTypeId();

    void AddRoute(Ipv4Address destination, unsigned prefixLength, uint32_t interface);
    bool IsLocal(Ipv4Address address) const;

    Ptr<Ipv4Route> RouteOutput(Ptr<Packet> packet, const Ipv4Header &header, Ptr<NetDevice> device,
                               Socket::SocketErrno &error) override;
    bool RouteInput(Ptr<const Packet> packet, const Ipv4Header &header, Ptr<const NetDevice> device,
                    UnicastForwardCallback forward, MulticastForwardCallback forwardMulticast,
                    LocalDeliverCallback deliver, ErrorCallback error) override;
    void NotifyInterfaceUp(uint32_t interface) override;
    void NotifyInterfaceDown(uint32_t interface) override;
    void NotifyAddAddress(uint32_t interface, Ipv4InterfaceAddress address) override;
    void NotifyRemoveAddress(uint32_t interface, Ipv4InterfaceAddress address) override;
    void SetIpv4(Ptr<Ipv4> ipv4) override;
    void PrintRoutingTable(Ptr<OutputStreamWrapper> stream, Time::Unit unit) const override;

  protected:
    void DoDispose() override;

  private:
    /* -1: none. */
    int64_t FindInterface(uint32_t destination) const;
    Ptr<Ipv4Route> GetInterfaceRoute(uint32_t interface);
    Ipv4Address ChooseSource(uint32_t interface) const;

    Ptr<Ipv4> m_ipv4;
    std::array<std::unordered_map<uint32_t, uint32_t>, 33>
        m_routes;                                   //!< by prefix length: prefix to interface
    uint64_t m_lengths{0};                          //!< bit n: there are prefixes of length n
    std::unordered_map<uint32_t, uint32_t> m_local; //!< own addresses: how many interfaces bear it
    Ipv4Address m_firstLocal;                       //!< the source where an interface has none
    std::vector<Ptr<Ipv4Route>> m_interfaceRoutes;  //!< one a interface, shared by all its packets
};

} // namespace ns3
#endif
