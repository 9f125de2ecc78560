#include "ns3c-link.h"

#include "ns3c-packet.h"
#include "ns3c-time.h"

#include "ns3/double.h"
#include "ns3/integer.h"
#include "ns3/mac48-address.h"
#include "ns3/node.h"
#include "ns3/simulator.h"
#include "ns3/uinteger.h"

#include <algorithm>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(LinkNetDevice);
NS_OBJECT_ENSURE_REGISTERED(LinkChannel);

TypeId LinkNetDevice::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::LinkNetDevice")
            .SetParent<NetDevice>()
            .SetGroupName("Phase2")
            .AddConstructor<LinkNetDevice>()
            .AddAttribute("Mtu", "The largest IP packet, in bytes", UintegerValue(1500),
                          MakeUintegerAccessor(&LinkNetDevice::SetMtu, &LinkNetDevice::GetMtu),
                          MakeUintegerChecker<uint16_t>())
            .AddTraceSource("Sent", "An IP packet is handed to the link, before its queue",
                            MakeTraceSourceAccessor(&LinkNetDevice::m_sentTrace),
                            "ns3::LinkNetDevice::PacketTracedCallback")
            .AddTraceSource("Received", "An IP packet arrived from the link",
                            MakeTraceSourceAccessor(&LinkNetDevice::m_receivedTrace),
                            "ns3::LinkNetDevice::PacketTracedCallback")
            .AddTraceSource("Drop", "A packet sent here was lost, or the queue had no room for it",
                            MakeTraceSourceAccessor(&LinkNetDevice::m_dropTrace),
                            "ns3::LinkNetDevice::DropTracedCallback");
    return tid;
}

LinkNetDevice::LinkNetDevice()
    : m_address(Mac48Address("00:00:00:00:00:00")), m_broadcast(Mac48Address::GetBroadcast())
{
}

void LinkNetDevice::SetIpv4(Ptr<Ipv4L3Protocol> ipv4)
{
    m_ipv4 = ipv4;
}

void LinkNetDevice::SetIpv6(Ptr<Ipv6L3Protocol> ipv6)
{
    m_ipv6 = ipv6;
}

void LinkNetDevice::SetLossMask(uint64_t mask)
{
    m_lossMask = mask;
}

void LinkNetDevice::SetIntercept(ns3c_link_intercept_fn *fn, void *ctx)
{
    m_intercept = fn;
    m_interceptCtx = ctx;
}

void LinkNetDevice::AddClass(const ns3c_link_class &added)
{
    m_classes.SetDefaultQueue(m_channel->m_queuePackets);
    m_classes.Add(added);
}

namespace
{

/* Made with its number: one made without takes an automatic stream first. */
Ptr<UniformRandomVariable> MakeStream(int64_t number)
{
    return CreateObjectWithAttributes<UniformRandomVariable>("Stream", IntegerValue(number));
}

} // namespace

void LinkNetDevice::AssignStreams(int64_t stream)
{
    m_lossStream = MakeStream(stream);
    m_jitterStream = MakeStream(stream + 1);
    m_duplicateStream = MakeStream(stream + LinkChannel::DISORDER_STREAMS);
    m_reorderStream = MakeStream(stream + 1 + LinkChannel::DISORDER_STREAMS);
}

bool LinkNetDevice::HasRoom(int64_t now)
{
    while (!m_waiting.empty() && m_waiting.front() <= now) {
        m_waiting.pop_front();
    }
    return m_busyUntil <= now || m_waiting.size() < m_channel->m_queuePackets;
}

/* The stream moves on for every packet, whatever the mask says, so that a mask changes nothing but its own
 * packets. */
bool LinkNetDevice::DrawLoss()
{
    const bool masked = m_lossMask & 1;
    m_lossMask >>= 1;
    return Draw(m_lossStream, m_channel->m_loss) || masked;
}

/* A probability of 0 draws nothing. */
bool LinkNetDevice::Draw(Ptr<UniformRandomVariable> stream, double probability)
{
    return probability > 0 && stream->GetValue() < probability;
}

ns3c_link_verdict LinkNetDevice::Judge(Ptr<const Packet> packet)
{
    if (!m_intercept) {
        return {NS3C_LINK_PASS, 0};
    }
    Scratch scratch;
    const size_t len = packet->CopyData(scratch.Data(), IP_PACKET_MAX);
    CompleteChecksums(scratch.Data(), len);
    return m_intercept(m_interceptCtx, scratch.Data(), len, GetPacketMark(packet));
}

bool LinkNetDevice::Send(Ptr<Packet> packet, const Address &, uint16_t protocol)
{
    const int64_t now = Simulator::Now().GetNanoSeconds();
    m_sentTrace(packet);
    if (m_classes.HaveAny()) {
        return SendByClass(packet, protocol, now);
    }
    if (!HasRoom(now)) {
        m_dropTrace(LinkDrop::QUEUE, GetPacketMark(packet));
        return false;
    }
    const int64_t start = std::max(now, m_busyUntil);
    if (start > now) {
        m_waiting.push_back(start);
    }
    m_busyUntil = start + m_channel->GetSerialisation(packet->GetSize());

    Carry(packet, protocol, now, 0);
    return true;
}

/* What becomes of a packet once it has been sent. All draws are made whatever any of them says. A class with
 * a delay of its own keeps its order by itself. */
void LinkNetDevice::Carry(Ptr<Packet> packet, uint16_t protocol, int64_t now, std::size_t of)
{
    const ns3c_link_verdict verdict = Judge(packet);
    const bool lost = DrawLoss();
    const bool twice = Draw(m_duplicateStream, m_channel->m_duplicate);
    const bool heldUp = Draw(m_reorderStream, m_channel->m_reorder);
    const int64_t longer = m_classes.GetDelay(of);
    int64_t &lastArrival = longer > 0 ? m_classes.LastArrival(of) : m_lastArrival;
    int64_t arrival = m_busyUntil + m_channel->m_delay.GetNanoSeconds() + longer;
    const int64_t jitter = m_channel->m_jitter.GetNanoSeconds();
    if (jitter > 0) {
        arrival += static_cast<int64_t>(m_jitterStream->GetValue() * static_cast<double>(jitter));
    }
    if (lost || verdict.action == NS3C_LINK_DROP) {
        Simulator::Schedule(FromNs(m_busyUntil - now), &LinkNetDevice::Lose, this, GetPacketMark(packet));
        return;
    }
    int64_t held = heldUp ? m_channel->m_reorderDelay.GetNanoSeconds() : 0;
    held += verdict.action == NS3C_LINK_DELAY ? std::max<int64_t>(verdict.delay_ns, 0) : 0;
    const bool copy = twice || verdict.action == NS3C_LINK_DUPLICATE;
    Ptr<Packet> second = copy ? packet->Copy() : nullptr;
    Deliver(packet, protocol, arrival, held, lastArrival);
    if (second) {
        Deliver(second, protocol, arrival, held, lastArrival);
    }
}

/* One that is held up does not hold up those after it. */
void LinkNetDevice::Deliver(Ptr<Packet> packet, uint16_t protocol, int64_t arrival, int64_t held,
                            int64_t &lastArrival)
{
    arrival = std::max(arrival, lastArrival);
    if (held == 0) {
        lastArrival = arrival;
    }
    const int64_t now = Simulator::Now().GetNanoSeconds();
    Simulator::ScheduleWithContext(m_peer->m_node->GetId(), FromNs(arrival + held - now),
                                   &LinkNetDevice::Receive, m_peer, packet, protocol);
}

void LinkNetDevice::Lose(uint64_t mark)
{
    m_dropTrace(LinkDrop::LOSS, mark);
}

void LinkNetDevice::Receive(Ptr<Packet> packet, uint16_t protocol)
{
    m_receivedTrace(packet);
    if (m_ipv4 && protocol == Ipv4L3Protocol::PROT_NUMBER) {
        m_ipv4->Receive(this, packet, protocol, m_address, m_broadcast, PACKET_HOST);
    } else if (m_ipv6 && protocol == Ipv6L3Protocol::PROT_NUMBER) {
        m_ipv6->Receive(this, packet, protocol, m_address, m_broadcast, PACKET_HOST);
    } else if (!m_ipv4 && !m_receive.IsNull()) {
        m_receive(this, packet, protocol, m_address);
    }
}

/* As an event of its own: the caller may be in the middle of another packet. */
bool LinkNetDevice::Inject(const uint8_t *packet, size_t len, uint64_t mark)
{
    const unsigned version = GetIpVersion(packet, len);
    const bool isV4 = version == 4 && m_ipv4 && len >= IPV4_HEADER_LEN;
    const bool isV6 = version == 6 && m_ipv6 && len >= IPV6_HEADER_LEN;
    if (len > IP_PACKET_MAX || (!isV4 && !isV6)) {
        return false;
    }
    Simulator::ScheduleWithContext(m_node->GetId(), Time(0), &LinkNetDevice::Receive, this,
                                   CreateMarkedPacket(packet, len, mark),
                                   isV4 ? Ipv4L3Protocol::PROT_NUMBER : Ipv6L3Protocol::PROT_NUMBER);
    return true;
}

void LinkNetDevice::DoDispose()
{
    Simulator::Cancel(m_next);
    m_classes.Clear();
    m_node = nullptr;
    m_channel = nullptr;
    m_peer = nullptr;
    m_ipv4 = nullptr;
    m_ipv6 = nullptr;
    m_lossStream = nullptr;
    m_jitterStream = nullptr;
    m_duplicateStream = nullptr;
    m_reorderStream = nullptr;
    m_intercept = nullptr;
    m_receive.Nullify();
    NetDevice::DoDispose();
}

/* What NetDevice asks of every device. */

void LinkNetDevice::SetIfIndex(const uint32_t index)
{
    m_ifIndex = index;
}

uint32_t LinkNetDevice::GetIfIndex() const
{
    return m_ifIndex;
}

Ptr<Channel> LinkNetDevice::GetChannel() const
{
    return m_channel;
}

void LinkNetDevice::SetAddress(Address address)
{
    m_address = address;
}

Address LinkNetDevice::GetAddress() const
{
    return m_address;
}

bool LinkNetDevice::SetMtu(const uint16_t mtu)
{
    m_mtu = mtu;
    return true;
}

uint16_t LinkNetDevice::GetMtu() const
{
    return m_mtu;
}

bool LinkNetDevice::IsLinkUp() const
{
    return m_peer != nullptr;
}

void LinkNetDevice::AddLinkChangeCallback(Callback<void>)
{
}

bool LinkNetDevice::IsBroadcast() const
{
    return true;
}

Address LinkNetDevice::GetBroadcast() const
{
    return m_broadcast;
}

bool LinkNetDevice::IsMulticast() const
{
    return false;
}

Address LinkNetDevice::GetMulticast(Ipv4Address) const
{
    return m_broadcast;
}

Address LinkNetDevice::GetMulticast(Ipv6Address) const
{
    return m_broadcast;
}

bool LinkNetDevice::IsBridge() const
{
    return false;
}

bool LinkNetDevice::IsPointToPoint() const
{
    return true;
}

bool LinkNetDevice::SendFrom(Ptr<Packet> packet, const Address &, const Address &destination,
                             uint16_t protocol)
{
    return Send(packet, destination, protocol);
}

Ptr<Node> LinkNetDevice::GetNode() const
{
    return m_node;
}

void LinkNetDevice::SetNode(Ptr<Node> node)
{
    m_node = node;
}

bool LinkNetDevice::NeedsArp() const
{
    return false;
}

void LinkNetDevice::SetReceiveCallback(ReceiveCallback callback)
{
    m_receive = callback;
}

void LinkNetDevice::SetPromiscReceiveCallback(PromiscReceiveCallback)
{
}

bool LinkNetDevice::SupportsSendFrom() const
{
    return false;
}

TypeId LinkChannel::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::LinkChannel")
            .SetParent<Channel>()
            .SetGroupName("Phase2")
            .AddConstructor<LinkChannel>()
            .AddAttribute("Delay", "Propagation delay", TimeValue(Time(0)),
                          MakeTimeAccessor(&LinkChannel::m_delay), MakeTimeChecker(Time(0)))
            .AddAttribute("Jitter", "Each packet is delayed by uniform[0, Jitter) more, in order",
                          TimeValue(Time(0)), MakeTimeAccessor(&LinkChannel::m_jitter),
                          MakeTimeChecker(Time(0)))
            .AddAttribute("Rate", "Bits a second; 0: sending takes no time", UintegerValue(0),
                          MakeUintegerAccessor(&LinkChannel::m_rate), MakeUintegerChecker<uint64_t>())
            .AddAttribute("Loss", "The probability that a packet is lost", DoubleValue(0),
                          MakeDoubleAccessor(&LinkChannel::m_loss), MakeDoubleChecker<double>(0, 1))
            .AddAttribute("Duplicate", "The probability that a packet arrives twice", DoubleValue(0),
                          MakeDoubleAccessor(&LinkChannel::m_duplicate), MakeDoubleChecker<double>(0, 1))
            .AddAttribute("Reorder", "The probability that a packet is held up by ReorderDelay",
                          DoubleValue(0), MakeDoubleAccessor(&LinkChannel::m_reorder),
                          MakeDoubleChecker<double>(0, 1))
            .AddAttribute("ReorderDelay", "How long, on top of delay and jitter; others may overtake",
                          TimeValue(Time(0)), MakeTimeAccessor(&LinkChannel::m_reorderDelay),
                          MakeTimeChecker(Time(0)))
            .AddAttribute("QueuePackets", "Packets that may wait at each end", UintegerValue(100),
                          MakeUintegerAccessor(&LinkChannel::m_queuePackets),
                          MakeUintegerChecker<uint32_t>());
    return tid;
}

void LinkChannel::Connect(Ptr<LinkNetDevice> a, Ptr<LinkNetDevice> b)
{
    m_ends[0] = a;
    m_ends[1] = b;
    for (int end = 0; end < 2; end++) {
        m_ends[end]->m_channel = this;
        m_ends[end]->m_peer = PeekPointer(m_ends[1 - end]);
    }
}

int64_t LinkChannel::AssignStreams(int64_t stream)
{
    m_ends[0]->AssignStreams(stream);
    m_ends[1]->AssignStreams(stream + 2);
    return 4;
}

int64_t LinkChannel::GetSerialisation(uint32_t bytes) const
{
    if (m_rate == 0) {
        return 0;
    }
    constexpr uint64_t NS_A_SECOND = 1000000000;
    return static_cast<int64_t>((bytes * 8 * NS_A_SECOND + m_rate - 1) / m_rate);
}

std::size_t LinkChannel::GetNDevices() const
{
    return m_ends[0] ? 2 : 0;
}

Ptr<NetDevice> LinkChannel::GetDevice(std::size_t i) const
{
    return m_ends[i];
}

void LinkChannel::DoDispose()
{
    m_ends[0] = nullptr;
    m_ends[1] = nullptr;
    Channel::DoDispose();
}

} // namespace ns3
