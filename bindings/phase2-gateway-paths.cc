/* Which packets of its node come to a gateway: what is routed into its tunnel interface, and what its
 * policies take. */
#include "phase2-gateway.h"

#include "ns3c-packet.h"
#include "phase2-address.h"

#include "ns3/abort.h"

#include <algorithm>

namespace ns3
{

namespace
{

/* As large as can be: inner packets go in whole, and the outer ones are fragmented by IP if they must be. */
constexpr uint16_t TUNNEL_MTU = UINT16_MAX;

/* The addresses of a whole IP packet. False: it is neither IPv4 nor IPv6. */
bool GetAddresses(const uint8_t *packet, std::size_t len, p2_address &source, p2_address &destination)
{
    const unsigned version = GetIpVersion(packet, len);
    const std::size_t size = version == 4 ? 4 : 16, at = version == 4 ? 12 : 8;
    if (version == 0 || len < at + 2 * size) {
        return false;
    }
    source = destination = {static_cast<uint8_t>(version), {0}};
    std::copy_n(packet + at, size, source.bytes);
    std::copy_n(packet + at + size, size, destination.bytes);
    return true;
}

void Increment(p2_address &address)
{
    std::size_t i = p2_address_len(address.family);
    while (i > 0 && ++address.bytes[--i] == 0) {
    }
}

/* The fewest prefixes that make up a range, the lowest first: at each place the largest that begins there and
 * does not reach beyond the end. */
template <typename Visit> void ForEachPrefix(const p2_selector &range, Visit visit)
{
    p2_selector prefix = {};
    for (prefix.address = range.address;;) {
        p2_address first, last;
        prefix.prefix_len = 0;
        p2_selector_bounds(&prefix, &first, &last);
        while (!p2_address_equal(&first, &prefix.address) || p2_address_compare(&last, &range.last) > 0) {
            prefix.prefix_len++;
            p2_selector_bounds(&prefix, &first, &last);
        }
        visit(prefix.address, prefix.prefix_len);
        if (p2_address_compare(&last, &range.last) >= 0) {
            return;
        }
        prefix.address = last;
        Increment(prefix.address);
    }
}

} // namespace

void Phase2Gateway::OpenTunnels(const p2_gateway_config &config)
{
    m_tunnel = CreateObject<TunnelInterface>();
    m_tunnel->Open(m_stacks, TUNNEL_MTU, OnClear, this);
    const auto route = [this](const p2_address &prefix, unsigned length) {
        NS_ABORT_MSG_IF(!m_stacks.AddRoute(ToNs3c(prefix), length, m_tunnel->GetInterface()),
                        "the node has no stack, or its routing protocol takes no routes, for what a tunnel "
                        "protects: "
                            << ToNs3c(prefix) << "/" << length);
    };
    for (std::size_t i = 0; i < config.num_tunnels; i++) {
        const p2_selector &remote = config.tunnels[i].remote;
        if (config.tunnels[i].basis == P2_POLICY_BASED) {
            continue;
        }
        if (remote.is_range) {
            ForEachPrefix(remote, route);
        } else {
            route(remote.address, remote.prefix_len);
        }
    }
}

void Phase2Gateway::OpenPolicies(const p2_gateway_config &config)
{
    for (std::size_t i = 0; i < config.num_peers; i++) {
        if (!IsOwn(config.peers[i].local)) {
            m_own.push_back(config.peers[i].local);
        }
    }
    bool needIpv6 = false;
    for (std::size_t i = 0; i < config.num_tunnels; i++) {
        if (config.tunnels[i].basis == P2_POLICY_BASED) {
            m_policies.push_back({config.tunnels[i].local, config.tunnels[i].remote});
            needIpv6 = needIpv6 || config.tunnels[i].remote.address.family == 6;
        }
    }
    if (m_policies.empty()) {
        return;
    }
    NS_ABORT_MSG_IF(needIpv6 && !m_stacks.NeedIpv6(), "a policy-based tunnel of IPv6 needs an IPv6 stack");
    m_policy = CreateObject<PolicyHook>();
    m_policy->Open(m_stacks, {Decide, DecideAddresses, OnClear}, this);
}

bool Phase2Gateway::IsOwn(const p2_address &address) const
{
    return std::any_of(m_own.begin(), m_own.end(),
                       [&](const p2_address &own) { return p2_address_equal(&own, &address); });
}

bool Phase2Gateway::Decide(void *ctx, const uint8_t *packet, std::size_t len)
{
    auto self = static_cast<Phase2Gateway *>(ctx);
    return self->m_host && p2_gateway_protects(host_gateway(self->m_host), packet, len);
}

/* What comes to the gateway's own outer address is for itself. */
bool Phase2Gateway::DecideAddresses(void *ctx, ns3c_address source, ns3c_address destination)
{
    auto self = static_cast<Phase2Gateway *>(ctx);
    const p2_address from = FromNs3c(source), to = FromNs3c(destination);
    return !self->IsOwn(to) &&
           std::any_of(self->m_policies.begin(), self->m_policies.end(), [&](const PolicySelectors &policy) {
               return p2_selector_contains(&policy.remote, &to) && p2_selector_contains(&policy.local, &from);
           });
}

/* What came out of a tunnel goes into another one where a policy says so (a hub between its spokes), but
 * never back into one that it could have come out of: between 0.0.0.0/0 and 0.0.0.0/0 it would go round for
 * ever. */
bool Phase2Gateway::IsTransit(const uint8_t *packet, std::size_t len) const
{
    p2_address from, to;
    if (!GetAddresses(packet, len, from, to)) {
        return false;
    }
    bool found = false;
    for (const PolicySelectors &policy : m_policies) {
        if (!p2_selector_contains(&policy.remote, &to) || !p2_selector_contains(&policy.local, &from)) {
            continue;
        }
        if (p2_selector_contains(&policy.remote, &from) && p2_selector_contains(&policy.local, &to)) {
            return false;
        }
        found = true;
    }
    return found;
}

} // namespace ns3
