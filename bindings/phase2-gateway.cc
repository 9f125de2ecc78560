#include "phase2-gateway.h"

#include "ns3c-impl.h"
#include "phase2-address.h"
#include "ns3c-time.h"

#include "ns3/abort.h"
#include "ns3/fatal-error.h"
#include "ns3/integer.h"
#include "ns3/simulator.h"
#include "ns3/uinteger.h"

#include <algorithm>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(Phase2Gateway);

namespace
{

constexpr uint8_t PROTOCOLS[] = {50, 51}; /* ESP, AH */

void MustDo(int result, const char *call)
{
    if (result < 0 && !GiveUp()) {
        NS_FATAL_ERROR(call << " failed: "
                            << (result == P2_ERR_NOMEM ? "out of memory" : "the crypto library refused")
                            << " (" << result << ")");
    }
}

} // namespace

TypeId Phase2Gateway::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::Phase2Gateway")
            .SetParent<Application>()
            .SetGroupName("Phase2")
            .AddConstructor<Phase2Gateway>()
            .AddAttribute("Stream", "The number of the gateway's one random stream; it has no automatic one",
                          IntegerValue(-1), MakeIntegerAccessor(&Phase2Gateway::m_stream),
                          MakeIntegerChecker<int64_t>(-1))
            .AddAttribute("CpuCores", "Cores of the node's CPU", UintegerValue(1),
                          MakeUintegerAccessor(&Phase2Gateway::m_cpuCores), MakeUintegerChecker<uint32_t>(1))
            .AddAttribute("CpuQueue", "Jobs that may wait for the CPU", UintegerValue(1000),
                          MakeUintegerAccessor(&Phase2Gateway::m_cpuQueue), MakeUintegerChecker<uint32_t>())
            .AddTraceSource("Negotiation", "A negotiation of either phase began, is ready, or failed",
                            MakeTraceSourceAccessor(&Phase2Gateway::m_negotiationTrace),
                            "ns3::Phase2Gateway::NegotiationTracedCallback")
            .AddTraceSource("Drop", "A packet or an IKE message went no further",
                            MakeTraceSourceAccessor(&Phase2Gateway::m_dropTrace),
                            "ns3::Phase2Gateway::DropTracedCallback")
            .AddTraceSource("SaInstalled", "An IPsec SA was installed",
                            MakeTraceSourceAccessor(&Phase2Gateway::m_saInstalledTrace),
                            "ns3::Phase2Gateway::SaTracedCallback")
            .AddTraceSource("SaRemoved", "An IPsec SA was removed",
                            MakeTraceSourceAccessor(&Phase2Gateway::m_saRemovedTrace),
                            "ns3::Phase2Gateway::SaTracedCallback");
    return tid;
}

Phase2Gateway::Phase2Gateway() : m_ike(OnUdp, this), m_natTraversal(OnUdp, this)
{
}

Phase2Gateway::~Phase2Gateway()
{
    host_free(m_host);
}

int Phase2Gateway::Configure(const p2_gateway_config &config, const struct profile *profile,
                             struct causes *causes)
{
    NS_ABORT_MSG_IF(!GetNode(), "add a Phase2Gateway to its node before configuring it");
    NS_ABORT_MSG_IF(m_host, "a Phase2Gateway is configured once");
    m_stacks = IpStacks(GetNode());
    NS_ABORT_MSG_IF(!m_stacks.GetIpv4(), "a Phase2Gateway needs an IPv4 stack on its node");
    host_config host = {};
    host.gateway = config;
    host.random = {Fill, this};
    host.profile = profile;
    host.cores = m_cpuCores;
    host.queue = m_cpuQueue;
    host.causes = causes;
    host.ops = MakeOps();
    const int result = host_new(&m_host, &host);
    if (result < 0) {
        return result;
    }
    NS_ABORT_MSG_IF(!m_ike.Open(m_stacks, ns3c_any(), P2_PORT_IKE), "UDP port 500 is taken");
    NS_ABORT_MSG_IF(!m_natTraversal.Open(m_stacks, ns3c_any(), P2_PORT_NAT_T), "UDP port 4500 is taken");
    for (uint8_t protocol : PROTOCOLS) {
        CreateObject<WholePacketProtocol>()->Open(m_stacks, protocol, OnIpsec, this);
    }
    OpenTunnels(config);
    OpenPolicies(config);
    return P2_OK;
}

host_ops Phase2Gateway::MakeOps()
{
    return {this, SendIke, SendIpsec, DeliverClear, Observe, Injected};
}

void Phase2Gateway::Rekey(std::size_t tunnel)
{
    Command(Input::REKEY, tunnel);
}

void Phase2Gateway::TakeDown(std::size_t tunnel)
{
    Command(Input::TAKE_DOWN, tunnel);
}

void Phase2Gateway::Restart()
{
    Command(Input::RESTART);
}

uint64_t Phase2Gateway::GetKeepalives() const
{
    return m_keepalives;
}

uint64_t Phase2Gateway::GetBypassed() const
{
    return m_policy ? m_policy->GetBypassed() : 0;
}

int64_t Phase2Gateway::AssignStreams(int64_t stream)
{
    NS_ABORT_MSG_IF(m_uniform, "a Phase2Gateway's stream is assigned before its first use");
    m_stream = stream;
    return 1;
}

struct host *Phase2Gateway::GetHost() const
{
    return m_host;
}

uint32_t Phase2Gateway::GetTunnelInterface() const
{
    return m_tunnel->GetInterface();
}

void Phase2Gateway::SetObserver(Observer observer, void *ctx)
{
    m_observer = observer;
    m_observerCtx = ctx;
}

void Phase2Gateway::SetInjectedObserver(InjectedObserver observer, void *ctx)
{
    m_injectedObserver = observer;
    m_injectedObserverCtx = ctx;
}

void Phase2Gateway::StartApplication()
{
    NS_ABORT_MSG_IF(!m_host, "a Phase2Gateway must be configured before the simulation runs");
    Tick();
}

void Phase2Gateway::StopApplication()
{
    m_stopped = true;
    Simulator::Remove(m_timer);
}

void Phase2Gateway::DoDispose()
{
    Simulator::Remove(m_timer);
    host_free(m_host);
    m_host = nullptr;
    m_stopped = true;
    if (m_tunnel) {
        m_tunnel->Dispose();
    }
    m_tunnel = nullptr;
    if (m_policy) {
        m_policy->Dispose();
    }
    m_policy = nullptr;
    m_stacks.Clear();
    m_uniform = nullptr;
    m_observer = nullptr;
    m_injectedObserver = nullptr;
    Application::DoDispose();
}

/* The host calls out while it drains its core, and must not be called back then. A packet that it delivers
 * may make a local application answer at once, into the same tunnel; a trace sink may ask for a rekey. */
void Phase2Gateway::Handle(const Input &input)
{
    if (m_stopped) {
        return;
    }
    if (m_inHost) {
        Defer(input);
        return;
    }
    m_inHost = true;
    Call(input);
    for (std::size_t i = 0; i < m_numDeferred; i++) {
        /* Taken out while it is used: another one may make the vector grow. */
        Deferred deferred = std::move(m_deferred[i]);
        Call(deferred.input);
        m_deferred[i] = std::move(deferred);
    }
    m_numDeferred = 0;
    m_inHost = false;
    Arm();
}

void Phase2Gateway::Defer(const Input &input)
{
    if (m_numDeferred == m_deferred.size()) {
        m_deferred.emplace_back();
    }
    Deferred &slot = m_deferred[m_numDeferred++];
    slot.input = input;
    if (input.datagram.len) {
        slot.bytes.assign(input.datagram.data, input.datagram.data + input.datagram.len);
        slot.input.datagram.data = slot.bytes.data(); /* moving a vector leaves its bytes where they are */
    }
}

void Phase2Gateway::Call(const Input &input)
{
    const p2_time now = Simulator::Now().GetNanoSeconds();
    const p2_datagram &datagram = input.datagram;
    switch (input.kind) {
    case Input::TICK:
        MustDo(host_tick(m_host, now), "host_tick");
        break;
    case Input::IKE:
        MustDo(host_receive_ike(m_host, now, &datagram, input.mark), "host_receive_ike");
        break;
    case Input::IPSEC:
        MustDo(host_receive_ipsec(m_host, now, datagram.data, datagram.len, input.mark),
               "host_receive_ipsec");
        break;
    case Input::UDP_ESP:
        MustDo(host_receive_udp_esp(m_host, now, &datagram, input.mark), "host_receive_udp_esp");
        break;
    case Input::CLEAR:
        MustDo(host_send_clear(m_host, now, datagram.data, datagram.len, input.mark), "host_send_clear");
        break;
    case Input::REKEY:
        MustDo(host_rekey(m_host, now, input.tunnel), "host_rekey");
        break;
    case Input::TAKE_DOWN:
        MustDo(host_clear(m_host, now, input.tunnel), "host_clear");
        break;
    case Input::RESTART:
        MustDo(host_restart(m_host, now), "host_restart");
        break;
    }
}

void Phase2Gateway::Arm()
{
    const p2_time next = host_next_timeout(m_host);
    if (next == P2_TIME_NEVER) {
        Simulator::Remove(m_timer);
        return;
    }
    const p2_time now = Simulator::Now().GetNanoSeconds();
    const p2_time at = std::max(next, now);
    if (m_timer.IsRunning()) {
        if (m_timerAt == at) {
            return;
        }
        Simulator::Remove(m_timer);
    }
    m_timerAt = at;
    m_timer = Simulator::Schedule(FromNs(at - now), &Phase2Gateway::Tick, this);
}

void Phase2Gateway::Tick()
{
    Command(Input::TICK);
}

void Phase2Gateway::Command(Input::Kind kind, std::size_t tunnel)
{
    Input input = {};
    input.kind = kind;
    input.tunnel = tunnel;
    Handle(input);
}

void Phase2Gateway::HandlePacket(Input::Kind kind, const uint8_t *packet, std::size_t len, uint64_t mark)
{
    Input input = {};
    input.kind = kind;
    input.mark = mark;
    input.datagram.data = packet;
    input.datagram.len = len;
    Handle(input);
}

void Phase2Gateway::OnUdp(void *ctx, const ns3c_udp_packet *packet)
{
    auto self = static_cast<Phase2Gateway *>(ctx);
    Input input = {};
    input.kind = Input::IKE;
    if (packet->destination_port == P2_PORT_NAT_T) {
        switch (p2_udp_payload(packet->data, packet->len)) {
        case P2_UDP_KEEPALIVE:
            self->m_keepalives++;
            return;
        case P2_UDP_ESP:
            input.kind = Input::UDP_ESP;
            break;
        case P2_UDP_IKE:
            break;
        }
    }
    input.mark = packet->mark;
    input.datagram = {FromNs3c(packet->source),
                      FromNs3c(packet->destination),
                      packet->source_port,
                      packet->destination_port,
                      packet->data,
                      packet->len};
    self->Handle(input);
}

void Phase2Gateway::OnIpsec(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    static_cast<Phase2Gateway *>(ctx)->HandlePacket(Input::IPSEC, packet, len, mark);
}

void Phase2Gateway::OnClear(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    static_cast<Phase2Gateway *>(ctx)->HandlePacket(Input::CLEAR, packet, len, mark);
}

void Phase2Gateway::SendIke(void *ctx, const p2_datagram *datagram, uint64_t emission)
{
    auto self = static_cast<Phase2Gateway *>(ctx);
    UdpPort &port = datagram->source_port == P2_PORT_NAT_T ? self->m_natTraversal : self->m_ike;
    const ns3c_address destination = ToNs3c(datagram->destination);
    if (!port.Send(ToNs3c(datagram->source), destination, datagram->destination_port, datagram->data,
                   datagram->len, emission, SendRoute::BELOW)) {
        NS_FATAL_ERROR("a gateway has no route to its peer " << destination);
    }
}

void Phase2Gateway::SendIpsec(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    auto self = static_cast<Phase2Gateway *>(ctx);
    if (SendWholePacket(self->m_stacks, packet, len, mark, SendRoute::BELOW) != SendResult::SENT) {
        NS_FATAL_ERROR("a gateway can not send an IPsec packet of " << len << " bytes: no route to its peer");
    }
}

void Phase2Gateway::DeliverClear(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    /* What is no IP packet ends here, as on a real tunnel interface. */
    auto self = static_cast<Phase2Gateway *>(ctx);
    const bool judged = self->m_policy && !self->IsTransit(packet, len);
    self->m_tunnel->Receive(packet, len, mark, judged);
}

void Phase2Gateway::Observe(void *ctx, p2_time now, const p2_action *action, uint64_t event)
{
    auto self = static_cast<Phase2Gateway *>(ctx);
    if (self->m_observer) {
        self->m_observer(self->m_observerCtx, now, action, event);
    }
    self->Trace(*action);
}

void Phase2Gateway::Injected(void *ctx, p2_time now, uint64_t mark, uint64_t event)
{
    auto self = static_cast<Phase2Gateway *>(ctx);
    if (self->m_injectedObserver) {
        self->m_injectedObserver(self->m_injectedObserverCtx, now, mark, event);
    }
}

void Phase2Gateway::Trace(const p2_action &action)
{
    switch (action.type) {
    case P2_ACTION_NEGOTIATION:
        m_negotiationTrace(action.u.negotiation);
        break;
    case P2_ACTION_DROP:
        m_dropTrace(action);
        break;
    case P2_ACTION_SA_INSTALLED:
        m_saInstalledTrace(action.u.sa);
        break;
    case P2_ACTION_SA_REMOVED:
        m_saRemovedTrace(action.u.sa);
        break;
    default:
        break;
    }
}

void Phase2Gateway::Fill(void *ctx, p2_random_use, uint8_t *out, size_t len)
{
    auto self = static_cast<Phase2Gateway *>(ctx);
    if (!self->m_uniform) {
        NS_ABORT_MSG_IF(self->m_stream < 0,
                        "a Phase2Gateway needs the number of its random stream: AssignStreams");
        self->m_uniform =
            CreateObjectWithAttributes<UniformRandomVariable>("Stream", IntegerValue(self->m_stream));
    }
    FillRandom(self->m_uniform, out, len);
}

} // namespace ns3
