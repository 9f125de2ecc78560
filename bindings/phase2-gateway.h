/* An ns-3 application that is an IPsec gateway: it hosts libphase2 on a node, for C++ scripts. In C:
 * phase2-ns3.h.
 *
 *     Ptr<Phase2Gateway> gateway = CreateObjectWithAttributes<Phase2Gateway>("CpuCores", UintegerValue(2));
 *     node->AddApplication(gateway);
 *     gateway->AssignStreams(1000);
 *     gateway->Configure(config, nullptr, causes);
 *
 * Any ns-3 node with an IPv4 and UDP stack will do, and with an IPv6 one if a tunnel needs it. The gateway
 * owns UDP ports 500 and 4500, protocols 50 and 51, one tunnel interface, into which the remote selector of
 * every route-based tunnel is routed (a range as the prefixes that make it up), and, if there is a
 * policy-based tunnel, a policy on top of the node's routing. IKE, ESP and AH, which it sends itself, are
 * never subject to that policy; what else bears the node's own addresses is, as transport mode wants it. It
 * decides nothing of the protocol. */
#ifndef P2_PHASE2_GATEWAY_H
#define P2_PHASE2_GATEWAY_H

#include "host.h"
#include "ns3c-ip.h"
#include "ns3c-policy.h"
#include "ns3c-udp.h"

#include "ns3/application.h"
#include "ns3/event-id.h"
#include "ns3/random-variable-stream.h"
#include "ns3/traced-callback.h"

#include <vector>

namespace ns3
{

class Phase2Gateway : public Application
{
  public:
    static TypeId GetTypeId();
    Phase2Gateway();
    ~Phase2Gateway() override;

    /* Opens everything; the node must be known (Node::AddApplication) and the stream number assigned. The
     * config is copied; profile (NULL: work takes no time) and causes must outlive the simulation. P2_OK or
     * P2_ERR_NOMEM. */
    int Configure(const p2_gateway_config &config, const struct profile *profile,
                  struct causes *causes) P2_WARN_UNUSED;
    /* Starts a rekey of a tunnel now. */
    void Rekey(std::size_t tunnel);
    /* Takes all SAs of a tunnel down now and tells the peer. */
    void TakeDown(std::size_t tunnel);
    /* Forgets everything and begins anew: see host_restart. */
    void Restart();
    int64_t AssignStreams(int64_t stream); /* uses one */
    struct host *GetHost() const;
    uint32_t GetTunnelInterface() const;
    /* NAT keepalives that arrived so far. */
    uint64_t GetKeepalives() const;
    /* With policy-based tunnels: packets of the node itself that no policy matched and that left in clear. */
    uint64_t GetBypassed() const;

    typedef void (*Observer)(void *ctx, p2_time now, const p2_action *action, uint64_t event);
    /* Every action, as host_ops.observe has it: the trace sources without their price. */
    void SetObserver(Observer observer, void *ctx);
    typedef void (*InjectedObserver)(void *ctx, p2_time now, uint64_t mark, uint64_t event);
    /* Each packet that an attacker injected and that arrives here, as host_ops.injected has it. */
    void SetInjectedObserver(InjectedObserver observer, void *ctx);

    typedef void (*NegotiationTracedCallback)(const p2_negotiation &negotiation);
    typedef void (*DropTracedCallback)(const p2_action &drop);
    typedef void (*SaTracedCallback)(const p2_sa_info &sa);

  protected:
    void DoDispose() override;

  private:
    /* What the host is told. */
    struct Input {
        enum Kind { TICK, IKE, IPSEC, UDP_ESP, CLEAR, REKEY, TAKE_DOWN, RESTART } kind;
        uint64_t mark;
        p2_datagram datagram; //!< IKE, UDP_ESP: all of it; IPSEC, CLEAR: data and len
        std::size_t tunnel;
    };
    struct Deferred {
        Input input;
        std::vector<uint8_t> bytes;
    };

    void StartApplication() override;
    void StopApplication() override;

    host_ops MakeOps();
    void OpenTunnels(const p2_gateway_config &config);
    void OpenPolicies(const p2_gateway_config &config);
    bool IsTransit(const uint8_t *packet, std::size_t len) const;
    bool IsOwn(const p2_address &address) const;
    void Command(Input::Kind kind, std::size_t tunnel = 0);
    void HandlePacket(Input::Kind kind, const uint8_t *packet, std::size_t len, uint64_t mark);
    void Handle(const Input &input);
    void Defer(const Input &input);
    void Call(const Input &input);
    void Arm();
    void Tick();
    void Trace(const p2_action &action);

    static void OnUdp(void *ctx, const ns3c_udp_packet *packet);
    static bool Decide(void *ctx, const uint8_t *packet, std::size_t len);
    static bool DecideAddresses(void *ctx, ns3c_address source, ns3c_address destination);
    static void OnIpsec(void *ctx, const uint8_t *packet, size_t len, uint64_t mark);
    static void OnClear(void *ctx, const uint8_t *packet, size_t len, uint64_t mark);
    static void SendIke(void *ctx, const p2_datagram *datagram, uint64_t emission);
    static void SendIpsec(void *ctx, const uint8_t *packet, size_t len, uint64_t mark);
    static void DeliverClear(void *ctx, const uint8_t *packet, size_t len, uint64_t mark);
    static void Observe(void *ctx, p2_time now, const p2_action *action, uint64_t event);
    static void Injected(void *ctx, p2_time now, uint64_t mark, uint64_t event);
    static void Fill(void *ctx, p2_random_use use, uint8_t *out, size_t len);

    struct host *m_host{nullptr};
    struct PolicySelectors {
        p2_selector local, remote;
    };

    IpStacks m_stacks;
    Ptr<TunnelInterface> m_tunnel;
    Ptr<PolicyHook> m_policy;                //!< null: no tunnel is policy-based
    std::vector<PolicySelectors> m_policies; //!< of the policy-based tunnels
    std::vector<p2_address> m_own;           //!< the outer addresses, each once
    UdpPort m_ike;
    UdpPort m_natTraversal;
    uint64_t m_keepalives{0};
    Ptr<UniformRandomVariable> m_uniform;
    EventId m_timer;
    p2_time m_timerAt{0};
    bool m_inHost{false};             //!< a call to the host is under way: what comes meanwhile waits
    std::vector<Deferred> m_deferred; //!< slots keep their memory; the first m_numDeferred are in use
    std::size_t m_numDeferred{0};
    bool m_stopped{false};
    int64_t m_stream{-1};
    uint32_t m_cpuCores{1};
    uint32_t m_cpuQueue{1000};
    Observer m_observer{nullptr};
    void *m_observerCtx{nullptr};
    InjectedObserver m_injectedObserver{nullptr};
    void *m_injectedObserverCtx{nullptr};
    TracedCallback<const p2_negotiation &> m_negotiationTrace;
    TracedCallback<const p2_action &> m_dropTrace;
    TracedCallback<const p2_sa_info &> m_saInstalledTrace;
    TracedCallback<const p2_sa_info &> m_saRemovedTrace;
};

} // namespace ns3
#endif
