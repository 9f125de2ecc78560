#include "ns3c-link-classes.h"

#include "ns3c-link.h"
#include "ns3c-packet.h"
#include "ns3c-time.h"

#include "ns3/abort.h"
#include "ns3/simulator.h"

namespace ns3
{

LinkClasses::LinkClasses() : m_classes(1), m_classOf{}
{
}

void LinkClasses::SetDefaultQueue(uint32_t packets)
{
    m_classes[0].room = packets;
}

void LinkClasses::Add(const ns3c_link_class &added)
{
    NS_ABORT_MSG_IF(m_classes.size() > UINT8_MAX, "too many classes on a link");
    for (unsigned dscp = 0; dscp < m_classOf.size(); dscp++) {
        if (added.dscps >> dscp & 1) {
            m_classOf[dscp] = static_cast<uint8_t>(m_classes.size());
        }
    }
    m_classes.push_back({added.priority, added.queue_packets, added.delay_ns, 0, {}});
}

bool LinkClasses::HaveAny() const
{
    return m_classes.size() > 1;
}

/* The DSCP is the upper six bits of IPv4's second byte, and of what lies four bits to the left in IPv6. */
std::size_t LinkClasses::Classify(Ptr<const Packet> packet) const
{
    uint8_t start[2] = {0, 0};
    packet->CopyData(start, sizeof start);
    const unsigned octet =
        start[0] >> 4 == 6 ? (start[0] & 0xfu) << 4 | start[1] >> 4 : static_cast<unsigned>(start[1]);
    return m_classOf[octet >> 2];
}

int64_t LinkClasses::GetDelay(std::size_t of) const
{
    return m_classes[of].delay;
}

int64_t &LinkClasses::LastArrival(std::size_t of)
{
    return m_classes[of].lastArrival;
}

bool LinkClasses::Push(std::size_t of, Ptr<Packet> packet, uint16_t protocol)
{
    Class &into = m_classes[of];
    if (into.waiting.size() >= into.room) {
        return false;
    }
    into.waiting.push_back({packet, protocol, of, m_came++});
    return true;
}

bool LinkClasses::IsEmpty() const
{
    for (const Class &one : m_classes) {
        if (!one.waiting.empty()) {
            return false;
        }
    }
    return true;
}

LinkClasses::Waiting LinkClasses::Pop()
{
    Class *next = nullptr;
    for (Class &one : m_classes) {
        if (one.waiting.empty()) {
            continue;
        }
        if (!next || one.priority > next->priority ||
            (one.priority == next->priority && one.waiting.front().number < next->waiting.front().number)) {
            next = &one;
        }
    }
    NS_ABORT_MSG_IF(!next, "nothing waits at this link");
    Waiting popped = next->waiting.front();
    next->waiting.pop_front();
    return popped;
}

void LinkClasses::Clear()
{
    for (Class &one : m_classes) {
        one.waiting.clear();
    }
}

/* --- what a device with classes does --- */

bool LinkNetDevice::SendByClass(Ptr<Packet> packet, uint16_t protocol, int64_t now)
{
    const std::size_t of = m_classes.Classify(packet);
    if (m_busyUntil <= now && m_classes.IsEmpty()) {
        Begin(packet, protocol, now, of);
        return true;
    }
    if (!m_classes.Push(of, packet, protocol)) {
        m_dropTrace(LinkDrop::QUEUE, GetPacketMark(packet));
        return false;
    }
    if (!m_next.IsRunning()) {
        m_next = Simulator::Schedule(FromNs(m_busyUntil - now), &LinkNetDevice::SendNext, this);
    }
    return true;
}

void LinkNetDevice::Begin(Ptr<Packet> packet, uint16_t protocol, int64_t now, std::size_t of)
{
    m_busyUntil = now + m_channel->GetSerialisation(packet->GetSize());
    Carry(packet, protocol, now, of);
}

void LinkNetDevice::SendNext()
{
    const int64_t now = Simulator::Now().GetNanoSeconds();
    const LinkClasses::Waiting next = m_classes.Pop();
    Begin(next.packet, next.protocol, now, next.of);
    if (!m_classes.IsEmpty()) {
        m_next = Simulator::Schedule(FromNs(m_busyUntil - now), &LinkNetDevice::SendNext, this);
    }
}

} // namespace ns3
