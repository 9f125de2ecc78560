/* A port-translating NAT for IPv4 on any ns3 node: RFC 3022 (NAPT), RFC 4787 (UDP: endpoint-independent
 * mapping and filtering), RFC 5508 (ICMP echo). No hairpinning.
 *
 * It stands on top of the node's routing: every packet in transit passes RouteInput, where its header is
 * rewritten before it is forwarded as usual. Interfaces other than the outside one are inside. */
#ifndef P2_NS3C_NAT_H
#define P2_NS3C_NAT_H

#include "ns3c-stacks.h"

#include <list>
#include <unordered_map>

namespace ns3
{

/* A table whose entries time out: found by key, and kept in the order of their last use, so that what has
 * expired stands at the front and nothing is searched for. Counts what it lets go. */
template <typename Entry> class ExpiringTable
{
  public:
    using Place = typename std::list<Entry>::iterator;

    Place Add(const Entry &entry)
    {
        return m_entries.insert(m_entries.end(), entry);
    }
    void Refresh(Place place, int64_t now)
    {
        place->used = now;
        m_entries.splice(m_entries.end(), m_entries, place);
    }
    /* Calls forget for each entry last used at or before `until`, and removes it. */
    template <typename Forget> void Expire(int64_t until, Forget forget)
    {
        while (!m_entries.empty() && m_entries.front().used <= until) {
            forget(m_entries.front());
            m_entries.pop_front();
        }
    }
    void Remove(Place place)
    {
        m_entries.erase(place);
    }

  private:
    std::list<Entry> m_entries;
};

class NatRouting : public RoutingOnTop
{
  public:
    static TypeId GetTypeId();

    /* False if the outside interface has no address, or there are no ports. */
    bool Open(const IpStacks &stacks, const ns3c_nat_config &config);
    const ns3c_nat_counters &GetCounters() const;

    bool RouteInput(Ptr<const Packet> packet, const Ipv4Header &header, Ptr<const NetDevice> device,
                    UnicastForwardCallback forward, MulticastForwardCallback forwardMulticast,
                    LocalDeliverCallback deliver, ErrorCallback error) override;

  private:
    /* An inside host's port, and the outside one that stands for it. */
    struct Mapping {
        uint8_t protocol;
        uint32_t address;
        uint16_t port, outsidePort;
        int64_t used;
    };
    struct FragmentKey {
        explicit FragmentKey(const Ipv4Header &header);
        uint64_t addresses;
        uint32_t datagram; //!< protocol and identification
        bool operator==(const FragmentKey &other) const
        {
            return addresses == other.addresses && datagram == other.datagram;
        }
    };
    struct FragmentKeyHash {
        std::size_t operator()(const FragmentKey &key) const
        {
            return std::hash<uint64_t>()(key.addresses ^ uint64_t{key.datagram} << 29);
        }
    };
    /* A datagram in fragments whose first one was translated: the others have no ports. */
    struct Fragmented {
        FragmentKey key;  //!< as they came
        uint32_t address; //!< that replaces the source (outbound) or the destination
        uint16_t identification;
        int64_t used;
    };
    using MappingPlace = ExpiringTable<Mapping>::Place;

    /* What a packet's ports are, and where: false if it has none that can be translated. */
    struct Ports {
        uint8_t *port;     //!< the inside host's (outbound) or ours (inbound)
        uint8_t *checksum; //!< that covers it
        bool coversAddresses;
    };
    static bool FindPorts(Ports &ports, uint8_t protocol, uint8_t *body, std::size_t len, bool outbound);

    /* The rewritten packet, or null: it was dropped and counted. */
    Ptr<Packet> TranslateOutbound(Ptr<const Packet> packet, Ipv4Header &header);
    Ptr<Packet> TranslateInbound(Ptr<const Packet> packet, Ipv4Header &header);
    bool FollowFirst(Ipv4Header &header, bool outbound);
    void RememberFirst(const Ipv4Header &before, Ipv4Header &after, bool outbound);
    Mapping *MapOutbound(uint8_t protocol, uint32_t address, uint16_t port);
    bool IsOfRange(const Mapping &mapping) const;
    bool ChoosePort(uint8_t protocol, uint16_t wanted, uint16_t &port);
    void Expire();

    ns3c_nat_config m_config{};
    uint32_t m_outsideAddress{0};
    uint32_t m_nextPort{0};
    uint16_t m_nextIdentification{0};
    ExpiringTable<Mapping> m_mappings;
    std::unordered_map<uint64_t, MappingPlace> m_byInside;  //!< protocol, address and port
    std::unordered_map<uint32_t, MappingPlace> m_byOutside; //!< protocol and port
    uint32_t m_inRange[2]{0, 0};                            //!< ports of the range in use: UDP, ICMP
    ExpiringTable<Fragmented> m_fragmented;
    std::unordered_map<FragmentKey, ExpiringTable<Fragmented>::Place, FragmentKeyHash> m_byDatagram;
    ns3c_nat_counters m_counters{};
};

} // namespace ns3
#endif
