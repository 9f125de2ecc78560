/* What transport mode asks of a tunnel. It protects what the two gateways send each other and nothing else
 * (RFC 4301 section 4.1), so its proxy IDs are their own addresses, and no route leads into it. Behind a NAT
 * a gateway's address is the NAT's to everybody but itself (see model/nat.c). */
#include "load_end.h"

#include <string.h>

static const xmlNode *basis_written_at(const xmlNode *tunnel, const struct load_end *end)
{
    return load_attribute(end->element, "basis") ? end->element : tunnel;
}

bool load_transport_basis(struct problems *problems, const xmlNode *tunnel, struct load_end *end)
{
    const xmlNode *where = basis_written_at(tunnel, end);
    const char *written = load_attribute(where, "basis");
    if (end->template.policy.mode != P2_MODE_TRANSPORT)
        return true;
    end->template.basis = P2_POLICY_BASED;
    if (!written || strcmp(written, "policy") == 0)
        return true;
    load_wrong(problems, where, "basis",
               "no route leads into a tunnel with mode=\"transport\", which is for what the gateways send "
               "themselves",
               "policy, which is also what transport mode means where no basis is written");
    return false;
}

const struct p2_address *load_seen_address(const struct scenario *s, int gateway)
{
    const struct scenario_gateway *g = &s->gateways[gateway];
    return g->nat >= 0 ? &s->nats[g->nat].address : &g->address;
}

/* A route to the peer's own address into the tunnel would take IKE's answers in as well, and Phase 1 would
 * wait for them for ever. */
bool load_host_basis(struct problems *problems, const xmlNode *tunnel, const struct load_end ends[2],
                     const struct scenario *scenario, struct scenario_tunnel *out)
{
    for (int e = 0; e < 2; e++) {
        struct p2_selector peer = p2_selector_single(load_seen_address(scenario, out->ends[1 - e].gateway));
        if (out->ends[e].basis != P2_ROUTE_BASED || !p2_selector_equal_addresses(&out->ends[e].remote, &peer))
            continue;
        const xmlNode *where = basis_written_at(tunnel, &ends[e]);
        if (load_attribute(where, "basis")) {
            load_wrong(
                problems, where, "basis",
                "the proxy-id's remote is the peer's own address, so IKE would be routed into the tunnel",
                "policy, which is also what such a proxy-id means where no basis is written");
            return false;
        }
        out->ends[e].basis = P2_POLICY_BASED;
    }
    return true;
}

static void set_address(struct p2_selector *selector, const struct p2_address *from,
                        const struct p2_address *to)
{
    struct p2_selector own = p2_selector_single(from);
    if (p2_selector_equal_addresses(selector, &own)) {
        own = p2_selector_single(to);
        own.protocol = selector->protocol;
        own.port = selector->port;
        *selector = own;
    }
}

static bool holds(struct loader *l, const struct scenario_tunnel *tunnel, const struct p2_selector *selector,
                  const struct p2_address *address)
{
    char found[P2_SELECTOR_TEXT], allowed[P2_SELECTOR_TEXT];
    if (p2_selector_contains(selector, address))
        return true;
    struct p2_selector own = p2_selector_single(address);
    p2_selector_format(selector, found);
    p2_selector_format(&own, allowed);
    problems_add(
        l->problems, tunnel->line,
        "<tunnel> %s: mode=\"transport\" and the proxy-id %s: it protects only what the gateways send each "
        "other; allowed: a proxy-id with %s in it, or none",
        tunnel->name, found, allowed);
    return false;
}

static bool overlap(const struct p2_selector *a, const struct p2_selector *b)
{
    return (a->protocol == 0 || b->protocol == 0 || a->protocol == b->protocol) &&
           (a->port == 0 || b->port == 0 || a->port == b->port);
}

/* Two gateways behind one NAT have the same address to their peer (RFC 3948 section 5.2): it could not tell
 * whose a packet is, unless the services differ. */
static bool conflicts(const struct scenario *s, const struct scenario_tunnel *a,
                      const struct scenario_tunnel *b)
{
    const struct scenario_end *hub_a = &a->ends[1], *hub_b = NULL;
    int nat = s->gateways[a->ends[0].gateway].nat;
    if (nat < 0) {
        hub_a = &a->ends[0];
        nat = s->gateways[a->ends[1].gateway].nat;
    }
    for (int e = 0; e < 2; e++) {
        if (b->ends[e].gateway == hub_a->gateway && s->gateways[b->ends[1 - e].gateway].nat == nat)
            hub_b = &b->ends[e];
    }
    return hub_b && hub_b->policy.mode == P2_MODE_TRANSPORT && overlap(&hub_a->remote, &hub_b->remote) &&
           overlap(&hub_a->local, &hub_b->local);
}

static bool check_conflicts(struct loader *l, const struct scenario_tunnel *tunnel)
{
    const struct scenario *s = l->scenario;
    for (const struct scenario_tunnel *other = s->tunnels; other < tunnel; other++) {
        if (!conflicts(s, tunnel, other))
            continue;
        problems_add(
            l->problems, tunnel->line,
            "<tunnel> %s: with mode=\"transport\" its packets look like those of %s, from behind the same "
            "NAT to the same gateway (RFC 3948 section 5.2); allowed: one such tunnel, or proxy-ids "
            "with different ports, or tunnel mode",
            tunnel->name, other->name);
        return false;
    }
    return true;
}

bool load_transport_tunnel(struct loader *l, struct scenario_tunnel *tunnel)
{
    const struct scenario *s = l->scenario;
    bool ok = true, nat = false;
    for (int e = 0; e < 2; e++) {
        if (tunnel->ends[e].policy.mode != P2_MODE_TRANSPORT)
            return true; /* the ends do not agree, which is for Quick Mode to say */
    }
    for (int e = 0; e < 2; e++) {
        struct scenario_end *end = &tunnel->ends[e];
        int peer = tunnel->ends[1 - e].gateway;
        nat = nat || s->gateways[peer].nat >= 0;
        set_address(&end->remote, &s->gateways[peer].address, load_seen_address(s, peer));
        set_address(&end->local, load_seen_address(s, end->gateway), &s->gateways[end->gateway].address);
        ok = ok && holds(l, tunnel, &end->local, &s->gateways[end->gateway].address) &&
             holds(l, tunnel, &end->remote, load_seen_address(s, peer));
    }
    return ok && (!nat || check_conflicts(l, tunnel));
}
