#include "ns3c-policy.h"

#include "ns3c-impl.h"
#include "ns3c-ip.h"

#include "ns3/abort.h"
#include "ns3/ipv4-route.h"
#include "ns3/ipv6-route.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(JudgedTag);
NS_OBJECT_ENSURE_REGISTERED(PolicyRouting);
NS_OBJECT_ENSURE_REGISTERED(PolicyRouting6);
NS_OBJECT_ENSURE_REGISTERED(PolicyHook);

TypeId JudgedTag::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::JudgedTag").SetParent<Tag>().SetGroupName("Phase2").AddConstructor<JudgedTag>();
    return tid;
}

JudgedTag::JudgedTag(uint32_t node) : NumberTag(node)
{
}

TypeId JudgedTag::GetInstanceTypeId() const
{
    return GetTypeId();
}

void JudgedTag::Print(std::ostream &os) const
{
    os << "judged on " << GetNumber();
}

/* --- IPv4 --- */

TypeId PolicyRouting::GetTypeId()
{
    static TypeId tid = TypeId("ns3::PolicyRouting")
                            .SetParent<RoutingOnTop>()
                            .SetGroupName("Phase2")
                            .AddConstructor<PolicyRouting>();
    return tid;
}

void PolicyRouting::SetHook(Ptr<PolicyHook> hook)
{
    m_hook = hook;
}

void PolicyRouting::OpenIpv6(Ptr<Ipv6L3Protocol> ipv6)
{
    RoutingOnTop::OpenIpv6(ipv6);
    m_hook->OpenIpv6(ipv6);
}

/* A packet that could be taken needs no route of its own; but a source it needs. */
Ptr<Ipv4Route> PolicyRouting::RouteOutput(Ptr<Packet> packet, const Ipv4Header &header, Ptr<NetDevice> device,
                                          Socket::SocketErrno &error)
{
    Ptr<Ipv4Route> inner = RoutingOnTop::RouteOutput(packet, header, device, error);
    const bool hasSource = header.GetSource().IsInitialized() && !header.GetSource().IsAny();
    const ns3c_address source = hasSource ? FromIpv4(header.GetSource())
                                : inner   ? FromIpv4(inner->GetSource())
                                          : ns3c_any();
    const bool local = IsLocal(header.GetDestination());
    if (device || !source.family || local || !m_hook->CouldTake(source, FromIpv4(header.GetDestination()))) {
        if (packet && inner && !local) {
            m_hook->NotTaken(inner->GetOutputDevice());
        }
        return inner;
    }
    error = Socket::ERROR_NOTERROR;
    return MakeRoute<Ipv4Family>(header.GetDestination(), ToIpv4(source), m_hook->GetCaptureDevice());
}

/* A packet in transit has one hop less before it is taken, as when it is forwarded; one without hops left is
 * for the routing, which tells its sender. */
bool PolicyRouting::RouteInput(Ptr<const Packet> packet, const Ipv4Header &header,
                               Ptr<const NetDevice> device, UnicastForwardCallback forward,
                               MulticastForwardCallback forwardMulticast, LocalDeliverCallback deliver,
                               ErrorCallback error)
{
    if (header.GetTtl() > 1 &&
        m_hook->CouldTake(FromIpv4(header.GetSource()), FromIpv4(header.GetDestination())) &&
        !IsLocal(header.GetDestination()) && !m_hook->IsJudged(packet)) {
        Scratch scratch;
        Ipv4Header hop = header;
        hop.SetTtl(static_cast<uint8_t>(header.GetTtl() - 1));
        WriteIpv4Header(scratch.Data(), hop, packet->GetSize());
        if (m_hook->JudgeTransit(packet, scratch.Data(), IPV4_HEADER_LEN)) {
            return true;
        }
    }
    return RoutingOnTop::RouteInput(packet, header, device, forward, forwardMulticast, deliver, error);
}

void PolicyRouting::DoDispose()
{
    if (m_hook) {
        m_hook->Dispose();
    }
    m_hook = nullptr;
    RoutingOnTop::DoDispose();
}

/* --- IPv6 --- */

TypeId PolicyRouting6::GetTypeId()
{
    static TypeId tid = TypeId("ns3::PolicyRouting6")
                            .SetParent<RoutingOnTop6>()
                            .SetGroupName("Phase2")
                            .AddConstructor<PolicyRouting6>();
    return tid;
}

void PolicyRouting6::SetHook(Ptr<PolicyHook> hook)
{
    m_hook = hook;
}

Ptr<Ipv6Route> PolicyRouting6::RouteOutput(Ptr<Packet> packet, const Ipv6Header &header,
                                           Ptr<NetDevice> device, Socket::SocketErrno &error)
{
    Ptr<Ipv6Route> inner = RoutingOnTop6::RouteOutput(packet, header, device, error);
    const Ipv6Address from = header.GetSource().IsAny() && inner ? inner->GetSource() : header.GetSource();
    /* The routing sends what is for the node itself by the loopback. */
    const bool local = inner && inner->GetOutputDevice() == GetStack()->GetNetDevice(LOOPBACK);
    if (device || local || from.IsAny() || header.GetDestination().IsMulticast() ||
        !m_hook->CouldTake(FromIpv6(from), FromIpv6(header.GetDestination()))) {
        if (packet && inner && !local && !header.GetDestination().IsMulticast()) {
            m_hook->NotTaken(inner->GetOutputDevice());
        }
        return inner;
    }
    error = Socket::ERROR_NOTERROR;
    return MakeRoute<Ipv6Family>(header.GetDestination(), from, m_hook->GetCaptureDevice());
}

/* The stack delivers what is for the node itself before it asks. */
bool PolicyRouting6::RouteInput(Ptr<const Packet> packet, const Ipv6Header &header,
                                Ptr<const NetDevice> device, UnicastForwardCallback forward,
                                MulticastForwardCallback forwardMulticast, LocalDeliverCallback deliver,
                                ErrorCallback error)
{
    if (header.GetHopLimit() > 1 &&
        m_hook->CouldTake(FromIpv6(header.GetSource()), FromIpv6(header.GetDestination())) &&
        !m_hook->IsJudged(packet)) {
        Scratch scratch;
        Ipv6Header hop = header;
        hop.SetHopLimit(static_cast<uint8_t>(header.GetHopLimit() - 1));
        WriteIpv6Header(scratch.Data(), hop, packet->GetSize());
        if (m_hook->JudgeTransit(packet, scratch.Data(), IPV6_HEADER_LEN)) {
            return true;
        }
    }
    return RoutingOnTop6::RouteInput(packet, header, device, forward, forwardMulticast, deliver, error);
}

void PolicyRouting6::DoDispose()
{
    m_hook = nullptr;
    RoutingOnTop6::DoDispose();
}

/* --- both --- */

TypeId PolicyHook::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::PolicyHook").SetParent<Object>().SetGroupName("Phase2").AddConstructor<PolicyHook>();
    return tid;
}

void PolicyHook::Open(const IpStacks &stacks, const ns3c_policy_ops &ops, void *ctx)
{
    m_stacks = stacks;
    m_ops = ops;
    m_ctx = ctx;
    m_capture = CreateObject<TunnelInterface>();
    m_capture->Open(stacks, UINT16_MAX, OnCaptured, this);
    Ptr<PolicyRouting> routing = CreateObject<PolicyRouting>();
    routing->SetHook(this);
    routing->Open(stacks.GetIpv4());
    if (stacks.GetIpv6()) {
        OpenIpv6(stacks.GetIpv6());
    }
}

void PolicyHook::OpenIpv6(Ptr<Ipv6L3Protocol> ipv6)
{
    Ptr<PolicyRouting6> routing = CreateObject<PolicyRouting6>();
    routing->SetHook(this);
    routing->Open(ipv6);
}

bool PolicyHook::Receive(const uint8_t *packet, size_t len, uint64_t mark, bool judged)
{
    return m_capture->Receive(packet, len, mark, judged);
}

const IpStacks &PolicyHook::GetStacks() const
{
    return m_stacks;
}

Ptr<NetDevice> PolicyHook::GetCaptureDevice() const
{
    return m_capture->GetDevice();
}

bool PolicyHook::CouldTake(const ns3c_address &source, const ns3c_address &destination) const
{
    return m_ops.decide_addresses(m_ctx, source, destination);
}

bool PolicyHook::Judge(const uint8_t *packet, size_t len, uint64_t mark) const
{
    const bool taken = m_ops.decide(m_ctx, packet, len);
    if (taken) {
        m_ops.take(m_ctx, packet, len, mark);
    }
    return taken;
}

/* What no packet of ours can hold (only IPv6 has such) is left to the routing. */
bool PolicyHook::JudgeTransit(Ptr<const Packet> packet, uint8_t *whole, size_t headerLen) const
{
    const size_t len = headerLen + packet->GetSize();
    if (len > IP_PACKET_MAX) {
        return false;
    }
    packet->CopyData(whole + headerLen, packet->GetSize());
    CompleteChecksums(whole, len);
    return Judge(whole, len, GetPacketMark(packet));
}

bool PolicyHook::IsJudged(Ptr<const Packet> packet) const
{
    JudgedTag tag;
    return packet->PeekPacketTag(tag) && tag.GetNumber() == m_stacks.GetNode()->GetId();
}

void PolicyHook::NotTaken(Ptr<const NetDevice> device)
{
    if (!DynamicCast<const VirtualNetDevice>(device)) {
        m_bypassed++;
    }
}

uint64_t PolicyHook::GetBypassed() const
{
    return m_bypassed;
}

/* There is a route below, or there was none and the packet ends here. */
void PolicyHook::OnCaptured(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    auto self = static_cast<PolicyHook *>(ctx);
    if (!self->Judge(packet, len, mark) &&
        SendWholePacket(self->m_stacks, packet, len, mark, SendRoute::BELOW) == SendResult::SENT) {
        self->m_bypassed++;
    }
}

void PolicyHook::DoDispose()
{
    if (m_capture) {
        m_capture->Dispose();
    }
    m_capture = nullptr;
    m_stacks.Clear();
    Object::DoDispose();
}

} // namespace ns3

using namespace ns3;

struct ns3c_policy {
    Ptr<PolicyHook> hook;
    std::string node;
};

ns3c_policy *ns3c_policy_open(ns3c_node *node, const ns3c_policy_ops *ops, void *ctx)
{
    auto policy = std::make_shared<ns3c_policy>();
    policy->hook = CreateObject<PolicyHook>();
    policy->hook->Open(node->stacks, *ops, ctx);
    policy->node = node->name;
    Keep(policy);
    return policy.get();
}

int ns3c_policy_receive(ns3c_policy *policy, const uint8_t *packet, size_t len, uint64_t mark)
{
    if (policy->hook->Receive(packet, len, mark, true)) {
        return 0;
    }
    Complain() << policy->node << ": past a policy: no whole IP packet that this node has a stack for, "
               << len << " bytes" << std::endl;
    return -1;
}

int ns3c_policy_send(ns3c_policy *policy, const uint8_t *packet, size_t len, uint64_t mark)
{
    if (SendWholePacket(policy->hook->GetStacks(), packet, len, mark, SendRoute::BELOW) == SendResult::SENT) {
        return 0;
    }
    Complain() << policy->node << ": past a policy: no route, or no whole IP packet, " << len << " bytes"
               << std::endl;
    return -1;
}
