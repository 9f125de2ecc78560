/* Which peer a datagram comes from, and which tunnel a packet or a pair of proxy IDs belongs to. */
#include "check.h"
#include "internal.h"

#define MAX 8

static struct p2_address address(const char *text)
{
    struct p2_address a = {0};
    CU_ASSERT_TRUE_FATAL(p2_address_parse(&a, text));
    return a;
}

static struct p2_selector selector(const char *text)
{
    struct p2_selector s = {0};
    CU_ASSERT_TRUE_FATAL(p2_selector_parse(&s, text));
    return s;
}

struct setup {
    struct p2_peer_config peers[MAX];
    struct p2_tunnel_config tunnels[MAX];
    size_t num_peers, num_tunnels;
    struct test_random random;
};

static void add_peer(struct setup *s, struct p2_address remote)
{
    struct p2_peer_config *peer = &s->peers[s->num_peers++];
    *peer = (struct p2_peer_config){.local = address(remote.family == 6 ? "2001:db8:ffff::1" : "192.0.2.1"),
                                    .remote = remote,
                                    .phase1 = p2_phase1_policy_default("secret")};
}

static struct p2_tunnel_config *add_tunnel(struct setup *s, size_t peer, const char *local,
                                           const char *remote)
{
    struct p2_tunnel_config *tunnel = &s->tunnels[s->num_tunnels++];
    *tunnel = (struct p2_tunnel_config){.peer = peer,
                                        .local = selector(local),
                                        .remote = selector(remote),
                                        .basis = P2_POLICY_BASED,
                                        .policy = p2_policy_default("nopfs-esp-aes128-sha")};
    return tunnel;
}

static int create(struct setup *s, struct p2_gateway **gw)
{
    struct p2_gateway_config config = {
        .peers = s->peers, .num_peers = s->num_peers, .tunnels = s->tunnels, .num_tunnels = s->num_tunnels};
    return p2_gateway_new(gw, &config, test_random(&s->random));
}

/* Three behind one NAT, one of IPv6 whose hash is an IPv4 peer's address, two of IPv6 with one hash. */
static void peers_are_found_by_either_address(void)
{
    struct setup s = {.num_peers = 0};
    struct p2_address nat = address("198.51.100.7"), alone = address("198.51.100.8"),
                      same_hash = {.family = 6};
    struct p2_address six = address("2001:db8:0:1::1"), collides = address("2001:db8:0:2::");
    p2_put_u32(same_hash.bytes + 12, p2_address_to_v4(&alone));
    uint64_t lower = p2_address_hash(&six) ^ p2_address_hash(&collides);
    p2_put_u32(collides.bytes + 8, (uint32_t)(lower >> 32));
    p2_put_u32(collides.bytes + 12, (uint32_t)lower);
    CU_ASSERT_EQUAL(p2_address_hash(&alone), p2_address_hash(&same_hash));
    CU_ASSERT_EQUAL(p2_address_hash(&six), p2_address_hash(&collides));

    const struct p2_address order[] = {nat, six, alone, nat, same_hash, collides, nat};
    for (size_t i = 0; i < 7; i++)
        add_peer(&s, order[i]);
    struct p2_gateway *gw;
    CU_ASSERT_EQUAL_FATAL(create(&s, &gw), P2_OK);
    static const size_t first[] = {0, 1, 2, 0, 4, 5, 0}, next[] = {3, MAX, MAX, 6, MAX, MAX, MAX};
    for (size_t i = 0; i < 7; i++) {
        CU_ASSERT_PTR_EQUAL(p2_peer_by_address(gw, &order[i]), &gw->peers[first[i]]);
        CU_ASSERT_PTR_EQUAL(gw->peers[i].next_same_address, next[i] == MAX ? NULL : &gw->peers[next[i]]);
    }
    struct p2_address stranger = address("2001:db8:0:1::2"), none = {0};
    CU_ASSERT_PTR_NULL(p2_peer_by_address(gw, &stranger));
    CU_ASSERT_PTR_NULL(p2_peer_by_address(gw, &none));
    p2_gateway_free(gw);
}

/* A hub with three peers and the same networks for all, as route-based tunnels have them. */
static void a_tunnel_is_its_own_peers(void)
{
    struct setup s = {.num_peers = 0};
    struct p2_gateway *gw;
    struct p2_selector all = selector("0.0.0.0/0");
    for (size_t i = 0; i < 3; i++) {
        add_peer(&s, p2_address_v4(0xc6336401 + (uint32_t)i));
        add_tunnel(&s, i, "0.0.0.0/0", "0.0.0.0/0");
    }
    CU_ASSERT_EQUAL_FATAL(create(&s, &gw), P2_OK);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_PTR_EQUAL(p2_tunnel_by_selectors(gw, &gw->peers[i], &all, &all), &gw->tunnels[i]);
    p2_gateway_free(gw);
}

/* An ID without a service finds what was configured without one first; the tunnel that asks for addresses
 * alone takes any other service. */
static void proxy_ids_follow_the_rule_of_the_policy(void)
{
    struct setup s = {.num_peers = 0};
    struct p2_gateway *gw;
    add_peer(&s, address("198.51.100.1"));
    struct p2_tunnel_config *web = add_tunnel(&s, 0, "10.1.0.0/24", "10.2.0.0/24");
    web->local.protocol = web->remote.protocol = 6;
    web->remote.port = 443;
    struct p2_tunnel_config *lax = add_tunnel(&s, 0, "10.1.0.0-10.1.0.255", "10.2.0.0/24");
    lax->local.protocol = lax->remote.protocol = 17;
    lax->policy.proxy_rule = P2_PROXY_ADDRESSES;
    add_tunnel(&s, 0, "10.1.0.0/24", "10.2.0.0/24");
    add_tunnel(&s, 0, "10.3.0.0/24", "10.2.0.0/24");
    CU_ASSERT_EQUAL_FATAL(create(&s, &gw), P2_OK);
    static const struct {
        const char *local;
        uint8_t protocol;
        uint16_t remote_port;
        int tunnel; /* -1: none */
    } cases[] = {{"10.1.0.0/24", 6, 443, 0},  {"10.1.0.0/24", 17, 0, 1}, {"10.1.0.0/24", 0, 0, 2},
                 {"10.1.0.0/24", 6, 80, 1},   {"10.1.0.0/24", 47, 0, 1}, {"10.3.0.0/24", 0, 0, 3},
                 {"10.3.0.0/24", 6, 443, -1}, {"10.1.0.0/25", 0, 0, -1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_selector local = selector(cases[i].local), remote = selector("10.2.0.0/24");
        local.protocol = remote.protocol = cases[i].protocol;
        remote.port = cases[i].remote_port;
        const struct p2_tunnel *tunnel = p2_tunnel_by_selectors(gw, &gw->peers[0], &local, &remote);
        CU_ASSERT_EQUAL(tunnel ? (int)(tunnel - gw->tunnels) : -1, cases[i].tunnel);
    }
    p2_gateway_free(gw);
}

static void ipv6_packets_are_protected(void)
{
    struct setup s = {.num_peers = 0};
    struct p2_gateway *gw;
    add_peer(&s, address("2001:db8:ffff::2"));
    struct p2_tunnel_config *tunnel = add_tunnel(&s, 0, "2001:db8:1::/48", "2001:db8:2::-2001:db8:2::ff");
    tunnel->remote.protocol = tunnel->local.protocol = P2_IP_PROTO_UDP;
    tunnel->remote.port = 53;
    CU_ASSERT_EQUAL_FATAL(create(&s, &gw), P2_OK);
    static const struct {
        const char *destination;
        uint16_t port;
        bool protects;
    } cases[] = {{"2001:db8:2::1", 53, true}, {"2001:db8:2::1", 54, false}, {"2001:db8:2::100", 53, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t packet[P2_IPV6_HEADER_LEN + P2_UDP_HEADER_LEN];
        struct p2_ip_header header = {.source = address("2001:db8:1::1"),
                                      .destination = address(cases[i].destination),
                                      .protocol = P2_IP_PROTO_UDP,
                                      .payload_len = P2_UDP_HEADER_LEN};
        p2_udp_build(packet + p2_ip_build(packet, &header), 5000, cases[i].port, 0);
        CU_ASSERT_EQUAL(p2_gateway_protects(gw, packet, sizeof(packet)), cases[i].protects);
    }
    p2_gateway_free(gw);
}

static void a_config_that_can_not_be_indexed_is_an_error(void)
{
    struct setup s = {.num_peers = 0};
    struct p2_gateway *gw;
    add_peer(&s, address("198.51.100.1"));
    add_tunnel(&s, 0, "10.1.0.0/24", "2001:db8::/64");
    CU_ASSERT_EQUAL(create(&s, &gw), P2_ERR_MALFORMED);
}

CHECK_MAIN("lookup", {"peers are found by either address", peers_are_found_by_either_address},
           {"a tunnel is its own peer's", a_tunnel_is_its_own_peers},
           {"proxy IDs follow the rule of the policy", proxy_ids_follow_the_rule_of_the_policy},
           {"IPv6 packets are protected", ipv6_packets_are_protected},
           {"a config that can not be indexed is an error", a_config_that_can_not_be_indexed_is_an_error})
