#include "ns3c-nat.h"

#include "ns3c-impl.h"
#include "ns3c-packet.h"

#include "ns3/simulator.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(NatRouting);

namespace
{

constexpr int64_t DEFAULT_TIMEOUT = INT64_C(60000000000);
constexpr int64_t FRAGMENT_TIMEOUT = INT64_C(30000000000); /* as long as the stack waits for them */
constexpr uint8_t ICMP = 1, UDP = 17;

uint64_t InsideKey(uint8_t protocol, uint32_t address, uint16_t port)
{
    return uint64_t{protocol} << 48 | uint64_t{address} << 16 | port;
}

uint32_t OutsideKey(uint8_t protocol, uint16_t port)
{
    return uint32_t{protocol} << 16 | port;
}

/* The checksum goes along with the 32 bits of an address. */
uint16_t AdjustForAddress(uint16_t checksum, uint32_t before, uint32_t after)
{
    checksum =
        AdjustChecksum(checksum, static_cast<uint16_t>(before >> 16), static_cast<uint16_t>(after >> 16));
    return AdjustChecksum(checksum, static_cast<uint16_t>(before), static_cast<uint16_t>(after));
}

} // namespace

TypeId NatRouting::GetTypeId()
{
    static TypeId tid = TypeId("ns3::NatRouting")
                            .SetParent<RoutingOnTop>()
                            .SetGroupName("Phase2")
                            .AddConstructor<NatRouting>();
    return tid;
}

bool NatRouting::Open(const IpStacks &stacks, const ns3c_nat_config &config)
{
    Ptr<Ipv4L3Protocol> ipv4 = stacks.GetIpv4();
    if (config.outside >= ipv4->GetNInterfaces() || ipv4->GetNAddresses(config.outside) == 0 ||
        config.first_port == 0 || config.first_port > config.last_port) {
        return false;
    }
    m_config = config;
    m_config.timeout_ns = config.timeout_ns > 0 ? config.timeout_ns : DEFAULT_TIMEOUT;
    m_outsideAddress = ipv4->GetAddress(config.outside, 0).GetLocal().Get();
    m_nextPort = config.first_port;
    RoutingOnTop::Open(ipv4);
    return true;
}

const ns3c_nat_counters &NatRouting::GetCounters() const
{
    return m_counters;
}

/* --- mappings --- */

void NatRouting::Expire()
{
    const int64_t now = Simulator::Now().GetNanoSeconds();
    m_mappings.Expire(now - m_config.timeout_ns, [this](const Mapping &mapping) {
        m_byInside.erase(InsideKey(mapping.protocol, mapping.address, mapping.port));
        m_byOutside.erase(OutsideKey(mapping.protocol, mapping.outsidePort));
        if (IsOfRange(mapping)) {
            m_inRange[mapping.protocol == ICMP]--;
        }
        m_counters.expired++;
    });
    m_fragmented.Expire(now - FRAGMENT_TIMEOUT,
                        [this](const Fragmented &datagram) { m_byDatagram.erase(datagram.key); });
}

/* A port that was kept need not be. */
bool NatRouting::IsOfRange(const Mapping &mapping) const
{
    return mapping.outsidePort >= m_config.first_port && mapping.outsidePort <= m_config.last_port;
}

/* In order, so that a run is easily followed; a port is not given again before all others were. */
bool NatRouting::ChoosePort(uint8_t protocol, uint16_t wanted, uint16_t &port)
{
    if (m_config.preserve_port && m_byOutside.count(OutsideKey(protocol, wanted)) == 0) {
        port = wanted;
        return true;
    }
    if (m_inRange[protocol == ICMP] == uint32_t{m_config.last_port} - m_config.first_port + 1) {
        return false;
    }
    do {
        port = static_cast<uint16_t>(m_nextPort);
        m_nextPort = m_nextPort == m_config.last_port ? m_config.first_port : m_nextPort + 1;
    } while (m_byOutside.count(OutsideKey(protocol, port)) != 0);
    return true;
}

NatRouting::Mapping *NatRouting::MapOutbound(uint8_t protocol, uint32_t address, uint16_t port)
{
    const int64_t now = Simulator::Now().GetNanoSeconds();
    auto known = m_byInside.find(InsideKey(protocol, address, port));
    if (known != m_byInside.end()) {
        m_mappings.Refresh(known->second, now);
        return &*known->second;
    }
    Mapping mapping = {protocol, address, port, 0, now};
    if (!ChoosePort(protocol, port, mapping.outsidePort)) {
        return nullptr;
    }
    const MappingPlace place = m_mappings.Add(mapping);
    m_byInside[InsideKey(protocol, address, port)] = place;
    m_byOutside[OutsideKey(protocol, mapping.outsidePort)] = place;
    if (IsOfRange(mapping)) {
        m_inRange[protocol == ICMP]++;
    }
    m_counters.mappings++;
    return &*place;
}

/* --- fragments --- */

NatRouting::FragmentKey::FragmentKey(const Ipv4Header &header)
    : addresses(uint64_t{header.GetSource().Get()} << 32 | header.GetDestination().Get()),
      datagram(uint32_t{header.GetProtocol()} << 16 | header.GetIdentification())
{
}

/* Identifications of several inside hosts may be the same, and behind one address they must differ (RFC 6864
 * section 5.3): fragmented datagrams get a new one on their way out. */
void NatRouting::RememberFirst(const Ipv4Header &before, Ipv4Header &after, bool outbound)
{
    if (before.IsLastFragment()) {
        return;
    }
    if (outbound) {
        after.SetIdentification(m_nextIdentification++);
    }
    const FragmentKey key(before);
    const Fragmented datagram = {key, outbound ? after.GetSource().Get() : after.GetDestination().Get(),
                                 after.GetIdentification(), Simulator::Now().GetNanoSeconds()};
    auto known = m_byDatagram.find(key);
    if (known != m_byDatagram.end()) {
        m_fragmented.Remove(known->second);
    }
    m_byDatagram[key] = m_fragmented.Add(datagram);
}

bool NatRouting::FollowFirst(Ipv4Header &header, bool outbound)
{
    auto known = m_byDatagram.find(FragmentKey(header));
    if (known == m_byDatagram.end()) {
        m_counters.fragments++;
        return false;
    }
    header.SetIdentification(known->second->identification);
    if (outbound) {
        header.SetSource(Ipv4Address(known->second->address));
        m_counters.outbound++;
    } else {
        header.SetDestination(Ipv4Address(known->second->address));
        m_counters.inbound++;
    }
    return true;
}

/* --- translation --- */

/* ICMP echo has one identifier for both directions, and no pseudo-header (RFC 5508 section 3). */
bool NatRouting::FindPorts(Ports &ports, uint8_t protocol, uint8_t *body, std::size_t len, bool outbound)
{
    constexpr std::size_t HEADER_LEN = 8; /* of either */
    constexpr uint8_t ECHO_REPLY = 0, ECHO_REQUEST = 8;
    if (len < HEADER_LEN) {
        return false;
    }
    if (protocol == UDP) {
        ports = {body + (outbound ? 0 : 2), body + 6, true};
        return true;
    }
    if (protocol == ICMP && body[0] == (outbound ? ECHO_REQUEST : ECHO_REPLY)) {
        ports = {body + 4, body + 2, false};
        return true;
    }
    return false;
}

namespace
{

/* A checksum of 0 says that there is none: UDP may do without (RFC 768), and ns-3 leaves ICMP's to captures.
 */
void Rewrite(uint8_t *port, uint8_t *checksum, uint16_t newPort, bool coversAddresses, uint32_t before,
             uint32_t after)
{
    if (GetWord(checksum) != 0) {
        uint16_t sum = AdjustChecksum(GetWord(checksum), GetWord(port), newPort);
        if (coversAddresses) {
            sum = AdjustForAddress(sum, before, after);
            sum = sum ? sum : 0xffff;
        }
        PutWord(checksum, sum);
    }
    PutWord(port, newPort);
}

} // namespace

Ptr<Packet> NatRouting::TranslateOutbound(Ptr<const Packet> packet, Ipv4Header &header)
{
    if (header.GetFragmentOffset() != 0) {
        return FollowFirst(header, true) ? packet->Copy() : nullptr;
    }
    Scratch scratch;
    const std::size_t len = packet->CopyData(scratch.Data(), packet->GetSize());
    Ports ports;
    if (!FindPorts(ports, header.GetProtocol(), scratch.Data(), len, true)) {
        m_counters.no_ports++;
        return nullptr;
    }
    const Ipv4Header before = header;
    Mapping *mapping = MapOutbound(header.GetProtocol(), before.GetSource().Get(), GetWord(ports.port));
    if (!mapping) {
        m_counters.exhausted++;
        return nullptr;
    }
    Rewrite(ports.port, ports.checksum, mapping->outsidePort, ports.coversAddresses, before.GetSource().Get(),
            m_outsideAddress);
    header.SetSource(Ipv4Address(m_outsideAddress));
    RememberFirst(before, header, true);
    m_counters.outbound++;
    return CreateMarkedPacket(scratch.Data(), len, GetPacketMark(packet));
}

Ptr<Packet> NatRouting::TranslateInbound(Ptr<const Packet> packet, Ipv4Header &header)
{
    if (header.GetFragmentOffset() != 0) {
        return FollowFirst(header, false) ? packet->Copy() : nullptr;
    }
    Scratch scratch;
    const std::size_t len = packet->CopyData(scratch.Data(), packet->GetSize());
    Ports ports;
    auto known = m_byOutside.end();
    if (header.GetDestination().Get() == m_outsideAddress &&
        FindPorts(ports, header.GetProtocol(), scratch.Data(), len, false)) {
        known = m_byOutside.find(OutsideKey(header.GetProtocol(), GetWord(ports.port)));
    }
    if (known == m_byOutside.end()) {
        m_counters.unsolicited++;
        return nullptr;
    }
    const Ipv4Header before = header;
    const Mapping &mapping = *known->second;
    Rewrite(ports.port, ports.checksum, mapping.port, ports.coversAddresses, m_outsideAddress,
            mapping.address);
    header.SetDestination(Ipv4Address(mapping.address));
    RememberFirst(before, header, false);
    m_counters.inbound++;
    return CreateMarkedPacket(scratch.Data(), len, GetPacketMark(packet));
}

/* Between inside interfaces, and to the node's inside addresses, all is as without a NAT. A packet on its
 * last hop goes to the routing as it is, which tells its sender. */
bool NatRouting::RouteInput(Ptr<const Packet> packet, const Ipv4Header &header, Ptr<const NetDevice> device,
                            UnicastForwardCallback forward, MulticastForwardCallback forwardMulticast,
                            LocalDeliverCallback deliver, ErrorCallback error)
{
    const int32_t from = GetStack()->GetInterfaceForDevice(device);
    const auto passOn = [&]() {
        return RoutingOnTop::RouteInput(packet, header, device, forward, forwardMulticast, deliver, error);
    };
    Expire();
    Ipv4Header translated = header;
    Ptr<Packet> rewritten;
    if (from == static_cast<int32_t>(m_config.outside)) {
        rewritten = TranslateInbound(packet, translated);
    } else {
        if (from == static_cast<int32_t>(LOOPBACK) || IsLocal(header.GetDestination()) ||
            header.GetTtl() <= 1) {
            return passOn();
        }
        Socket::SocketErrno code;
        Ptr<Ipv4Route> route = RouteOutput(nullptr, header, nullptr, code);
        if (!route || GetStack()->GetInterfaceForDevice(route->GetOutputDevice()) !=
                          static_cast<int32_t>(m_config.outside)) {
            return passOn();
        }
        rewritten = TranslateOutbound(packet, translated);
    }
    if (!rewritten) {
        return true; /* dropped, and counted: not an error of the routing */
    }
    return RoutingOnTop::RouteInput(rewritten, translated, device, forward, forwardMulticast, deliver, error);
}

} // namespace ns3

using namespace ns3;

struct ns3c_nat {
    Ptr<NatRouting> routing;
};

ns3c_nat *ns3c_nat_new(ns3c_node *node, const ns3c_nat_config *config)
{
    auto nat = std::make_shared<ns3c_nat>();
    nat->routing = CreateObject<NatRouting>();
    if (!nat->routing->Open(node->stacks, *config)) {
        return nullptr;
    }
    Keep(nat);
    return nat.get();
}

void ns3c_nat_read(const ns3c_nat *nat, ns3c_nat_counters *counters)
{
    *counters = nat->routing->GetCounters();
}
