/* NAT traversal (RFC 3947): strongSwan's NAT-D hashes, detection on both sides, the move to port 4500,
 * keepalives, a mapping that changes, and two gateways behind one NAT. */
#include "sim/sim.h"

#include "internal.h"
#include "vectors/corpus.h"

/* --- NAT-D against a real daemon --- */

static size_t real_message(uint8_t *out, size_t capacity, unsigned i, struct p2_payloads *payloads)
{
    size_t len = check_unhex(corpus_nopfs.main_mode[i], out, capacity);
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_payloads(payloads, out[16], out + 28, len - 28), P2_OK);
    return len;
}

/* Messages 3 and 4 of the captured main mode, each built from its sender's side. */
static void nat_d_is_what_strongswan_sends(void)
{
    for (unsigned i = 0; i < 2; i++) {
        uint8_t bytes[2048], ours[256];
        struct p2_payloads theirs, own;
        struct p2_peer peer = {.config.local = p2_address_v4(0x0a630001 + i)};
        struct p2_isakmp_sa sa = {.peer = &peer,
                                  .keys.hash = P2_HASH_SHA1,
                                  .nat_t = true,
                                  .remote = p2_address_v4(0x0a630002 - i),
                                  .remote_port = 500,
                                  .local_port = 500};
        struct p2_exchange ex = {.isakmp = &sa};
        struct p2_message m;
        struct p2_isakmp_header header = {0};
        real_message(bytes, sizeof(bytes), i, &theirs);
        memcpy(sa.initiator_cookie, bytes, 8);
        memcpy(sa.responder_cookie, bytes + 8, 8);
        p2_message_begin(&m, ours, sizeof(ours), &header);
        p2_nat_add(&ex, &m);
        CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_payloads(&own, ours[16], ours + 28, m.b.len - 28), P2_OK);
        CU_ASSERT_EQUAL(own.num, 2);
        for (size_t n = 0; n < 2; n++) {
            const struct p2_payload *a = p2_isakmp_find(&own, P2_PAYLOAD_NAT_D, n),
                                    *b = p2_isakmp_find(&theirs, P2_PAYLOAD_NAT_D, n);
            CU_ASSERT_TRUE_FATAL(a && b && a->body.len == 20 && b->body.len == 20);
            CU_ASSERT_EQUAL(memcmp(a->body.data, b->body.data, 20), 0);
        }
    }
}

/* The same messages as they would look behind NATs. */
static void detection_tells_which_end_is_behind_a_nat(void)
{
    const struct {
        uint32_t from, to;
        uint16_t from_port;
        bool local, remote;
    } rows[] = {
        {0x0a630001, 0x0a630002, 500, false, false}, {0x0a630001, 0x0a630002, 501, false, true},
        {0xc0000201, 0x0a630002, 500, false, true},  {0x0a630001, 0xc0a80101, 500, true, false},
        {0xc0000201, 0xc0a80101, 1024, true, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t bytes[2048];
        struct p2_isakmp_sa sa = {.keys.hash = P2_HASH_SHA1, .nat_t = true, .local_port = 500};
        struct p2_exchange ex = {.isakmp = &sa,
                                 .from = p2_address_v4(rows[i].from),
                                 .to = p2_address_v4(rows[i].to),
                                 .from_port = rows[i].from_port,
                                 .to_port = 500};
        real_message(bytes, sizeof(bytes), 0, &ex.payloads);
        memcpy(sa.initiator_cookie, bytes, 8);
        memcpy(sa.responder_cookie, bytes + 8, 8);
        p2_nat_read(&ex);
        CU_ASSERT_EQUAL(sa.nat_local, rows[i].local);
        CU_ASSERT_EQUAL(sa.nat_remote, rows[i].remote);
    }
}

/* --- one tunnel through a NAT --- */

static struct sim_options behind_nat(int side, bool aggressive_mode)
{
    struct sim_options o = sim_defaults();
    o.nat[side] = true;
    o.peer[!side].remote = p2_address_v4(0xcb007107); /* 203.0.113.7 */
    for (int i = 0; i < 2; i++)
        o.peer[i].phase1.mode = aggressive_mode ? P2_PHASE1_AGGRESSIVE : P2_PHASE1_MAIN;
    return o;
}

static size_t count_keepalives(struct sim *sim, int from)
{
    size_t num = 0;
    for (size_t i = 0; sim_sent(sim, i); i++)
        num += sim_sent(sim, i)->keepalive && sim_sent(sim, i)->from == from;
    return num;
}

static void without_a_nat_all_stays_on_port_500(void)
{
    struct sim_options o = sim_defaults();
    struct sim *sim = sim_new(&o);
    sim_run(sim, 100 * P2_SECOND);
    for (size_t i = 0; sim_sent(sim, i); i++)
        CU_ASSERT_TRUE(sim_sent(sim, i)->source_port == 500 && sim_sent(sim, i)->destination_port == 500);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_free(sim);
}

/* Main mode moves with message 5, aggressive mode with message 3; what the responder sends goes to the ports
 * of the mapping. */
static void both_modes_move_to_port_4500(void)
{
    for (int mode = 0; mode < 2; mode++) {
        size_t on_500 = mode ? 2 : 4;
        struct sim_options o = behind_nat(0, mode);
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
        for (size_t i = 0; sim_sent(sim, i); i++) {
            const struct sim_message *m = sim_sent(sim, i);
            uint16_t port = i < on_500 ? 500 : 4500;
            CU_ASSERT_EQUAL(m->source_port, port);
            CU_ASSERT_EQUAL(m->destination_port, m->from == 0 ? port : port + 20000);
        }
        sim_run(sim, 105 * P2_SECOND);
        CU_ASSERT_EQUAL(count_keepalives(sim, 0), 5);
        CU_ASSERT_EQUAL(count_keepalives(sim, 1), 0);
        sim_free(sim);
    }
}

/* Eight datagrams cover Phase 1 and its first resends, on either port. */
static void every_single_and_double_loss_behind_a_nat_heals(void)
{
    for (unsigned n = 0; n < 2 * 64; n++) {
        struct sim_options o = behind_nat(0, n >= 64);
        o.lose_main = UINT64_C(1) << n % 8 | UINT64_C(1) << n / 8 % 8;
        struct sim *sim = sim_new(&o);
        sim_run(sim, 100 * P2_SECOND);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
        CU_ASSERT_PTR_NULL(sim_phase1(sim, 1));
        sim_free(sim);
    }
}

static void without_nat_traversal_nobody_moves(void)
{
    for (int side = 0; side < 2; side++) { /* either end may not know it */
        struct sim_options o = behind_nat(0, false);
        o.peer[side].phase1.nat_traversal = false;
        struct sim *sim = sim_new(&o);
        sim_run(sim, 100 * P2_SECOND);
        for (size_t i = 0; sim_sent(sim, i); i++)
            CU_ASSERT_EQUAL(sim_sent(sim, i)->source_port, 500);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1)); /* IKE alone does not mind */
        sim_free(sim);
    }
}

/* The NAT forgets; the next authentic message shows the new ports, and the outer end follows. */
static void a_mapping_that_changed_is_followed(void)
{
    struct sim_options o = behind_nat(0, false);
    struct sim *sim = sim_new(&o);
    sim_run(sim, 5 * P2_SECOND);
    sim_move_nat(sim, 0);
    sim_rekey(sim, 0);
    sim_run(sim, 6 * P2_SECOND);
    CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 1)), LEDGER_ESTABLISHED);
    CU_ASSERT_EQUAL(sim_quick(sim, 1)->resent, 0);
    sim_rekey(sim, 1); /* now the other way, by the new mapping */
    sim_run(sim, 7 * P2_SECOND);
    CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 2)), LEDGER_ESTABLISHED);
    size_t last = 0;
    for (size_t i = 0; sim_sent(sim, i); i++)
        last = sim_sent(sim, i)->from == 1 ? sim_sent(sim, i)->destination_port : last;
    CU_ASSERT_EQUAL(last, 25500);
    sim_free(sim);
}

/* Garbage from other ports moves nothing. */
static void a_forged_message_is_not_followed(void)
{
    struct sim_options o = behind_nat(0, false);
    struct sim *sim = sim_new(&o);
    sim_run(sim, 5 * P2_SECOND);
    uint8_t forged[4 + 60] = {0};
    size_t i = 0;
    while (sim_sent(sim, i)->exchange_type != P2_EXCHANGE_QUICK)
        i++;
    memcpy(forged + 4, sim_sent(sim, i)->bytes, 60);
    p2_put_u32(forged + 4 + 20, 0x12345678);
    p2_put_u32(forged + 4 + 24, 60);
    struct p2_datagram d = {o.peer[1].remote, o.peer[1].local, 666, 4500, forged, sizeof(forged)};
    CU_ASSERT_EQUAL(host_receive_ike(sim_host(sim, 1), sim_now(sim), &d, 0), P2_OK);
    CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_HASH_MISMATCH), 1);
    sim_rekey(sim, 1);
    sim_run(sim, 6 * P2_SECOND);
    CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 1)), LEDGER_ESTABLISHED);
    CU_ASSERT_EQUAL(sim_quick(sim, 1)->resent, 0);
    sim_free(sim);
}

/* The mapping of port 500 may be gone by then, that of port 4500 is kept alive. */
static void rekeys_stay_on_port_4500(void)
{
    struct sim_options o = behind_nat(0, false);
    o.peer[0].phase1.lifetime_s = o.peer[1].phase1.lifetime_s = 100;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 300 * P2_SECOND);
    CU_ASSERT_PTR_NOT_NULL(sim_phase1(sim, 2));
    for (size_t i = 4; sim_sent(sim, i); i++)
        CU_ASSERT_EQUAL(sim_sent(sim, i)->source_port, 4500);
    for (size_t n = 0; sim_phase1(sim, n); n++)
        CU_ASSERT_EQUAL(ledger_outcome(sim_phase1(sim, n)), LEDGER_ESTABLISHED);
    sim_free(sim);
}

/* --- two gateways behind one NAT --- */

enum { HUB, ANN, BOB, NUM };

struct net {
    struct p2_gateway *gw[NUM];
    struct test_random random[NUM];
    struct p2_address own[NUM], nat;
    p2_time now;
    unsigned ready[2]; /* Quick Modes of the hub's peers */
    unsigned delivered[NUM];
    unsigned refused;
};

static void note(struct net *net, int at, const struct p2_action *a)
{
    const struct p2_negotiation *n = &a->u.negotiation;
    if (at != HUB || a->type != P2_ACTION_NEGOTIATION)
        return;
    if (n->event == P2_NEGOTIATION_READY && n->tunnel)
        net->ready[strcmp(n->peer, "bob") == 0]++;
    net->refused += n->event == P2_NEGOTIATION_FAILED;
}

struct letter {
    int to;
    struct p2_datagram d;
    uint8_t bytes[2048];
};

/* The datagram that an IPsec packet is. */
static struct p2_datagram datagram_of(struct p2_bytes packet)
{
    struct p2_ip_view view;
    CU_ASSERT_EQUAL_FATAL(p2_ip_parse(&view, packet.data, packet.len), P2_OK);
    CU_ASSERT_EQUAL_FATAL(view.protocol, P2_IP_PROTO_UDP);
    return (struct p2_datagram){view.source,           view.destination,      view.source_port,
                                view.destination_port, view.payload.data + 8, view.payload.len - 8};
}

/* Ann's ports are mapped to 11000 and more, Bob's to 21000 and more. */
static bool carry(const struct net *net, int from, const struct p2_datagram *d, struct letter *out)
{
    out->d = *d;
    memcpy(out->bytes, d->data, d->len);
    if (from == HUB) {
        out->to = d->destination_port >= 21000 ? BOB : ANN;
        out->d.destination = net->own[out->to];
        out->d.destination_port = (uint16_t)(d->destination_port - (out->to == BOB ? 21000 : 11000));
    } else {
        out->to = HUB;
        out->d.source = net->nat;
        out->d.source_port = (uint16_t)(d->source_port + (from == BOB ? 21000 : 11000));
    }
    return d->len > 1;
}

static void drain(struct net *net, int at);

static void deliver(struct net *net, struct letter *l)
{
    l->d.data = l->bytes;
    bool esp = l->d.destination_port == 4500 && p2_udp_payload(l->d.data, l->d.len) == P2_UDP_ESP;
    int result = esp ? p2_gateway_receive_udp_esp(net->gw[l->to], net->now, 0, &l->d)
                     : p2_gateway_receive_ike(net->gw[l->to], net->now, 0, &l->d);
    CU_ASSERT_EQUAL(result, P2_OK);
    drain(net, l->to);
    free(l);
}

/* Letters arrive when the sender's actions are all out; work takes no time. */
static void drain(struct net *net, int at)
{
    struct p2_action a;
    struct letter *letters[16];
    uint64_t jobs[16];
    size_t num_letters = 0, num_jobs = 0;
    while (p2_gateway_next_action(net->gw[at], &a)) {
        note(net, at, &a);
        if (a.type == P2_ACTION_COMPUTE) {
            jobs[num_jobs++] = a.u.compute.job;
        } else if (a.type == P2_ACTION_DELIVER_CLEAR) {
            net->delivered[at]++;
        } else if (a.type == P2_ACTION_SEND_IKE || a.type == P2_ACTION_SEND_IPSEC) {
            struct p2_datagram d =
                a.type == P2_ACTION_SEND_IKE ? a.u.send_ike.datagram : datagram_of(a.u.packet);
            letters[num_letters] = malloc(sizeof(struct letter));
            if (carry(net, at, &d, letters[num_letters]))
                num_letters++;
            else
                free(letters[num_letters]);
        }
    }
    for (size_t i = 0; i < num_jobs; i++) {
        CU_ASSERT_EQUAL(p2_gateway_finish_job(net->gw[at], net->now, 0, jobs[i]), P2_OK);
        drain(net, at);
    }
    for (size_t i = 0; i < num_letters; i++)
        deliver(net, letters[i]);
}

static void run(struct net *net, p2_time until)
{
    for (;;) {
        int first = 0;
        for (int i = 1; i < NUM; i++) {
            if (p2_gateway_next_timeout(net->gw[i]) < p2_gateway_next_timeout(net->gw[first]))
                first = i;
        }
        p2_time at = p2_gateway_next_timeout(net->gw[first]);
        if (at > until)
            return;
        net->now = at > net->now ? at : net->now;
        CU_ASSERT_EQUAL(p2_gateway_tick(net->gw[first], net->now, 0), P2_OK);
        drain(net, first);
    }
}

static void open_gateway(struct net *net, int at, const struct p2_peer_config *peers, size_t num)
{
    struct p2_tunnel_config tunnels[2];
    for (size_t i = 0; i < num; i++) {
        uint32_t spoke = at == HUB ? (uint32_t)i : (uint32_t)at - 1;
        struct p2_selector hub = p2_selector_v4(0x0a000000, 24),
                           other = p2_selector_v4(0x0a010000 + (spoke << 8), 24);
        tunnels[i] = (struct p2_tunnel_config){.peer = i,
                                               .local = at == HUB ? hub : other,
                                               .remote = at == HUB ? other : hub,
                                               .policy = p2_policy_default("nopfs-esp-aes128-sha"),
                                               .establish = at == HUB ? P2_ESTABLISH_PASSIVE
                                                                      : P2_ESTABLISH_IMMEDIATELY};
        snprintf(tunnels[i].name, P2_NAME_MAX, "vpn%u", spoke);
    }
    struct p2_gateway_config config = {peers, num, tunnels, num, false};
    net->random[at].seed = (uint64_t)at + 1;
    CU_ASSERT_EQUAL_FATAL(p2_gateway_new(&net->gw[at], &config, test_random(&net->random[at])), P2_OK);
}

static struct net *open_net(enum p2_phase1_mode mode, bool own_keys)
{
    struct net *net = calloc(1, sizeof(*net));
    static const char *const names[] = {"hub", "ann", "bob"};
    const uint32_t addresses[] = {0xc0000201, 0xc0a80102, 0xc0a80103};
    struct p2_peer_config of_hub[2];
    net->nat = p2_address_v4(0xcb007107);
    for (int i = 0; i < NUM; i++)
        net->own[i] = p2_address_v4(addresses[i]);
    for (int i = ANN; i < NUM; i++) {
        struct p2_peer_config spoke = {.name = "hub", .local = net->own[i], .remote = net->own[HUB]};
        spoke.phase1 = p2_phase1_policy_default(own_keys ? names[i] : "secret");
        spoke.phase1.group = P2_GROUP_2;
        spoke.phase1.mode = mode;
        of_hub[i - 1] = spoke;
        snprintf(of_hub[i - 1].name, P2_NAME_MAX, "%s", names[i]);
        of_hub[i - 1].local = net->own[HUB];
        of_hub[i - 1].remote = net->nat;
        of_hub[i - 1].remote_id = net->own[i];
        open_gateway(net, i, &spoke, 1);
    }
    open_gateway(net, HUB, of_hub, 2);
    return net;
}

static void close_net(struct net *net)
{
    for (int i = 0; i < NUM; i++)
        p2_gateway_free(net->gw[i]);
    free(net);
}

static void identities_tell_peers_behind_one_nat_apart(void)
{
    const struct {
        enum p2_phase1_mode mode;
        bool own_keys;
    } rows[] = {{P2_PHASE1_MAIN, false}, {P2_PHASE1_AGGRESSIVE, false}, {P2_PHASE1_AGGRESSIVE, true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net *net = open_net(rows[i].mode, rows[i].own_keys);
        run(net, P2_SECOND);
        CU_ASSERT_EQUAL(net->ready[0], 1);
        CU_ASSERT_EQUAL(net->ready[1], 1);
        CU_ASSERT_EQUAL(net->refused, 0);
        run(net, 100 * P2_SECOND);
        CU_ASSERT_EQUAL(net->refused, 0); /* Bob's INITIAL-CONTACT did not take Ann's SAs */
        struct p2_sa_info info;
        size_t num = 0;
        while (p2_gateway_sa_at(net->gw[HUB], num, &info))
            num++;
        CU_ASSERT_EQUAL(num, 4);
        close_net(net);
    }
}

static void send_inside(struct net *net, int at, uint32_t from, uint32_t to)
{
    uint8_t packet[100] = {0};
    struct p2_ip_header header = {.source = p2_address_v4(from),
                                  .destination = p2_address_v4(to),
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_UDP,
                                  .payload_len = 80};
    p2_ip_build(packet, &header);
    CU_ASSERT_EQUAL(p2_gateway_send_clear(net->gw[at], net->now, 0, packet, sizeof(packet)), P2_OK);
    drain(net, at);
}

/* Each by its own port at the NAT. */
static void peers_behind_one_nat_get_their_own_packets(void)
{
    for (int mode = 0; mode < 2; mode++) {
        struct net *net = open_net(mode ? P2_PHASE1_AGGRESSIVE : P2_PHASE1_MAIN, false);
        run(net, P2_SECOND);
        for (uint32_t spoke = 0; spoke < 2; spoke++) {
            int at = ANN + (int)spoke;
            send_inside(net, at, 0x0a010005 + (spoke << 8), 0x0a000005);
            CU_ASSERT_EQUAL(net->delivered[HUB], spoke + 1);
            send_inside(net, HUB, 0x0a000005, 0x0a010005 + (spoke << 8));
            CU_ASSERT_EQUAL(net->delivered[at], 1);
        }
        close_net(net);
    }
}

/* In main mode the key is used before the identity is known: keys of their own can not work (RFC 2409 section
 * 5.4), and Bob's attempt shows as a wrong key. */
static void main_mode_knows_one_key_for_an_address(void)
{
    struct net *net = open_net(P2_PHASE1_MAIN, true);
    run(net, 200 * P2_SECOND);
    CU_ASSERT_EQUAL(net->ready[0], 1);
    CU_ASSERT_EQUAL(net->ready[1], 0);
    CU_ASSERT_EQUAL(net->refused, 1);
    close_net(net);
}

CHECK_MAIN("nat", {"NAT-D is what strongSwan sends", nat_d_is_what_strongswan_sends},
           {"detection tells which end is behind a NAT", detection_tells_which_end_is_behind_a_nat},
           {"without a NAT all stays on port 500", without_a_nat_all_stays_on_port_500},
           {"both modes move to port 4500", both_modes_move_to_port_4500},
           {"every single and double loss behind a NAT heals",
            every_single_and_double_loss_behind_a_nat_heals},
           {"without NAT traversal nobody moves", without_nat_traversal_nobody_moves},
           {"a mapping that changed is followed", a_mapping_that_changed_is_followed},
           {"a forged message is not followed", a_forged_message_is_not_followed},
           {"rekeys stay on port 4500", rekeys_stay_on_port_4500},
           {"identities tell peers behind one NAT apart", identities_tell_peers_behind_one_nat_apart},
           {"peers behind one NAT get their own packets", peers_behind_one_nat_get_their_own_packets},
           {"main mode knows one key for an address", main_mode_knows_one_key_for_an_address})
