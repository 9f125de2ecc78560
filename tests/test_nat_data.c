/* Data through a NAT: ESP in UDP (RFC 3948) in tunnel and in transport mode, a mapping that moves, and the
 * original addresses that transport mode needs (RFC 3947 section 5.2). */
#include "internal.h"
#include "sim/sim.h"

#define NAT_ADDRESS 0xcb007107 /* 203.0.113.7 */
#define SPOKE       0
#define HUB         1

static struct sim_options behind_nat(enum p2_mode mode)
{
    struct sim_options o = sim_defaults();
    o.nat[SPOKE] = true;
    o.peer[HUB].remote = p2_address_v4(NAT_ADDRESS);
    for (int i = 0; i < 2 && mode == P2_MODE_TRANSPORT; i++) {
        o.tunnel[i].policy.mode = mode;
        o.tunnel[i].basis = P2_POLICY_BASED;
        o.tunnel[i].local = p2_selector_single(&o.peer[i].local);
        o.tunnel[i].remote = p2_selector_single(&o.peer[i].remote);
    }
    return o;
}

static void no_ipsec_drops(const struct sim *sim)
{
    for (int side = 0; side < 2; side++) {
        CU_ASSERT_EQUAL(sim_drops(sim, side, P2_DROP_UNKNOWN_SPI), 0);
        CU_ASSERT_EQUAL(sim_drops(sim, side, P2_DROP_ICV_MISMATCH), 0);
        CU_ASSERT_EQUAL(sim_drops(sim, side, P2_DROP_SELECTOR_MISMATCH), 0);
        CU_ASSERT_EQUAL(sim_drops(sim, side, P2_DROP_NO_SA), 0);
    }
}

/* The outer packet of the last one: UDP from port 4500, checksum 0, and no more. */
static void is_esp_in_udp(struct sim *sim, int from, uint16_t port)
{
    struct p2_bytes packet = sim_last_ipsec(sim, from);
    struct p2_ip_view view;
    CU_ASSERT_EQUAL_FATAL(p2_ip_parse(&view, packet.data, packet.len), P2_OK);
    CU_ASSERT_EQUAL(view.protocol, P2_IP_PROTO_UDP);
    CU_ASSERT_EQUAL(view.source_port, 4500);
    CU_ASSERT_EQUAL(view.destination_port, port);
    CU_ASSERT_EQUAL(p2_get_u16(view.payload.data + 4), view.payload.len);
    CU_ASSERT_EQUAL(p2_get_u16(view.payload.data + 6), 0);
    CU_ASSERT_NOT_EQUAL(p2_get_u32(view.payload.data + 8), 0); /* an SPI, not the non-ESP marker */
}

static void both_ways(struct sim *sim, uint16_t port)
{
    for (int from = 0; from < 2; from++) {
        size_t before = sim_delivered(sim, !from);
        sim_send(sim, from, 400);
        is_esp_in_udp(sim, from, from == SPOKE ? 4500 : port);
        sim_run(sim, sim_now(sim) + P2_SECOND);
        CU_ASSERT_EQUAL(sim_delivered(sim, !from), before + 1);
        CU_ASSERT_TRUE(sim_arrived_whole(sim, !from));
    }
}

/* --- tunnel mode --- */

static void tunnels_carry_packets_both_ways(void)
{
    for (int deferred = 0; deferred < 2; deferred++) {
        struct sim_options o = behind_nat(P2_MODE_TUNNEL);
        o.defer_ipsec = deferred;
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        both_ways(sim, 24500);
        for (int side = 0; side < 2; side++) { /* the new SAs as well, whoever asks for them */
            sim_rekey(sim, side);
            sim_run(sim, sim_now(sim) + P2_SECOND);
            both_ways(sim, 24500);
        }
        sim_run(sim, sim_now(sim) + 10 * P2_SECOND);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
        no_ipsec_drops(sim);
        sim_free(sim);
    }
}

static void rekeys_by_lifetime_go_on(void)
{
    struct sim_options o = behind_nat(P2_MODE_TUNNEL);
    o.tunnel[0].policy.lifetime_s = o.tunnel[1].policy.lifetime_s = 20;
    struct sim *sim = sim_new(&o);
    for (int i = 0; i < 30; i++) {
        sim_run(sim, sim_now(sim) + P2_SECOND);
        both_ways(sim, 24500);
    }
    CU_ASSERT_PTR_NOT_NULL(sim_quick(sim, 3));
    CU_ASSERT_EQUAL(sim_removed(sim, HUB, P2_REMOVED_HARD_LIFETIME), 0);
    no_ipsec_drops(sim);
    sim_free(sim);
}

/* The SAs come up, for IKE has ports; ESP has none. */
static void without_nat_traversal_nothing_passes(void)
{
    struct sim_options o = behind_nat(P2_MODE_TUNNEL);
    o.peer[0].phase1.nat_traversal = o.peer[1].phase1.nat_traversal = false;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_send(sim, SPOKE, 400);
    sim_send(sim, HUB, 400);
    sim_run(sim, 2 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_last_ipsec(sim, SPOKE).data[9], P2_IP_PROTO_ESP);
    CU_ASSERT_EQUAL(sim_delivered(sim, SPOKE) + sim_delivered(sim, HUB), 0);
    sim_free(sim);
}

/* --- a mapping that moves --- */

static void a_packet_shows_the_new_mapping(void)
{
    for (int deferred = 0; deferred < 2; deferred++) {
        struct sim_options o = behind_nat(P2_MODE_TUNNEL);
        o.defer_ipsec = deferred;
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        sim_move_nat(sim, SPOKE);
        sim_send(sim, HUB, 400); /* to where nobody is any more */
        sim_run(sim, 2 * P2_SECOND);
        CU_ASSERT_EQUAL(sim_delivered(sim, SPOKE), 0);
        sim_send(sim, SPOKE, 400);
        sim_run(sim, 3 * P2_SECOND);
        both_ways(sim, 25500);
        sim_rekey(sim, HUB); /* IKE goes there too */
        sim_run(sim, 6 * P2_SECOND);
        CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 1)), LEDGER_ESTABLISHED);
        CU_ASSERT_EQUAL(sim_quick(sim, 1)->resent, 0);
        both_ways(sim, 25500);
        sim_free(sim);
    }
}

/* The end behind the NAT asks whether its peer is there, and that is enough. */
static void dpd_shows_the_new_mapping(void)
{
    struct sim_options o = behind_nat(P2_MODE_TUNNEL);
    o.peer[SPOKE].phase1.dpd_interval = 5 * P2_SECOND;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    sim_move_nat(sim, SPOKE);
    sim_run(sim, 10 * P2_SECOND);
    sim_send(sim, HUB, 400);
    is_esp_in_udp(sim, HUB, 25500);
    sim_run(sim, 11 * P2_SECOND);
    CU_ASSERT_TRUE(sim_arrived_whole(sim, SPOKE));
    CU_ASSERT_PTR_NULL(sim_phase1(sim, 1));
    sim_free(sim);
}

static void inject(struct sim *sim, const struct sim_options *o, const uint8_t *esp, size_t len,
                   uint16_t port)
{
    struct p2_datagram d = {o->peer[HUB].remote, o->peer[HUB].local, port, 4500, esp, len};
    CU_ASSERT_EQUAL(host_receive_udp_esp(sim_host(sim, HUB), sim_now(sim), &d, 0), P2_OK);
}

/* Neither what is forged or replayed, nor what was overtaken by the move, leads back. */
static void only_the_newest_authentic_packet_is_followed(void)
{
    struct sim_options o = behind_nat(P2_MODE_TUNNEL);
    struct sim *sim = sim_new(&o);
    uint8_t late[600], forged[600];
    sim_run(sim, P2_SECOND);
    sim_lose_ipsec(sim, true);
    sim_send(sim, SPOKE, 400); /* it is late: see below */
    sim_lose_ipsec(sim, false);
    struct p2_bytes packet = sim_last_ipsec(sim, SPOKE);
    size_t len = packet.len - 28;
    memcpy(late, packet.data + 28, len);
    memcpy(forged, late, len);
    p2_put_u32(forged + 4, 99);
    sim_move_nat(sim, SPOKE);
    sim_send(sim, SPOKE, 400);
    sim_run(sim, 2 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, HUB), 1);
    inject(sim, &o, forged, len, 666);
    CU_ASSERT_EQUAL(sim_drops(sim, HUB, P2_DROP_ICV_MISMATCH), 1);
    inject(sim, &o, late, len, 24500);
    CU_ASSERT_EQUAL(sim_delivered(sim, HUB), 2);
    inject(sim, &o, late, len, 666);
    CU_ASSERT_EQUAL(sim_drops(sim, HUB, P2_DROP_REPLAYED), 1);
    sim_send(sim, HUB, 400);
    is_esp_in_udp(sim, HUB, 25500);
    sim_run(sim, 3 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, SPOKE), 1);
    sim_free(sim);
}

/* --- transport mode --- */

/* RFC 1071 over the pseudo-header and the rest: 0 if the checksum in it is right. */
static uint16_t remainder_of(const uint8_t *packet, size_t len)
{
    uint32_t sum = packet[9] + (uint32_t)(len - 20);
    for (size_t i = 12; i + 1 < len; i += 2)
        sum += p2_get_u16(packet + i);
    if (len % 2)
        sum += (uint32_t)packet[len - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

enum { RIGHT, WRONG, NONE };

/* A segment or datagram with a checksum that is right, wrong by one, or not there. */
static size_t build(uint8_t *out, const struct sim_options *o, int from, uint8_t protocol, int kind)
{
    size_t len = 20 + 83, at = protocol == P2_IP_PROTO_TCP ? 36 : 26;
    struct p2_ip_header header = {.source = o->peer[from].local,
                                  .destination = o->peer[from].remote,
                                  .ttl = 64,
                                  .protocol = protocol,
                                  .payload_len = len - 20};
    p2_ip_build(out, &header);
    for (size_t i = 20; i < len; i++)
        out[i] = (uint8_t)(i * 37 + (size_t)kind);
    if (protocol == P2_IP_PROTO_UDP)
        p2_put_u16(out + 24, (uint16_t)(len - 20));
    p2_put_u16(out + at, 0);
    if (kind != NONE)
        p2_put_u16(out + at, (uint16_t)(remainder_of(out, len) ^ (kind == WRONG)));
    return len;
}

static void one_transport_packet(struct sim *sim, const struct sim_options *o, int from, uint8_t protocol,
                                 int kind)
{
    uint8_t packet[128];
    size_t len = build(packet, o, from, protocol, kind), before = sim_delivered(sim, !from);
    size_t at = protocol == P2_IP_PROTO_TCP ? 36 : 26;
    sim_send_packet(sim, from, packet, len);
    is_esp_in_udp(sim, from, from == SPOKE ? 4500 : 24500);
    sim_run(sim, sim_now(sim) + P2_SECOND);
    CU_ASSERT_EQUAL_FATAL(sim_delivered(sim, !from), before + 1);
    struct p2_bytes got = sim_last_delivered(sim, !from);
    struct p2_ip_view view;
    CU_ASSERT_EQUAL_FATAL(p2_ip_parse(&view, got.data, got.len), P2_OK);
    CU_ASSERT_TRUE(p2_address_equal(&view.source, &o->peer[!from].remote));
    CU_ASSERT_TRUE(p2_address_equal(&view.destination, &o->peer[!from].local));
    CU_ASSERT_EQUAL_FATAL(got.len, len);
    CU_ASSERT_EQUAL(remainder_of(got.data, got.len) == 0, kind == RIGHT);
    CU_ASSERT_EQUAL(p2_get_u16(got.data + at) == 0, kind == NONE);
    CU_ASSERT_EQUAL(memcmp(got.data + 20, packet + 20, at - 20), 0);
    CU_ASSERT_EQUAL(memcmp(got.data + at + 2, packet + at + 2, len - at - 2), 0);
}

/* Whoever began the Quick Mode: original addresses go by the roles in it. */
static void checksums_are_right_after_the_addresses_changed(void)
{
    struct sim_options o = behind_nat(P2_MODE_TRANSPORT);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    for (int round = 0; round < 3; round++) {
        for (int from = 0; from < 2; from++) {
            for (int kind = RIGHT; kind <= NONE; kind++)
                one_transport_packet(sim, &o, from, P2_IP_PROTO_UDP, kind);
            one_transport_packet(sim, &o, from, P2_IP_PROTO_TCP, RIGHT);
            one_transport_packet(sim, &o, from, P2_IP_PROTO_TCP, WRONG);
        }
        sim_rekey(sim, round == 0 ? HUB : SPOKE);
        sim_run(sim, sim_now(sim) + P2_SECOND);
        CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, (size_t)round + 1)), LEDGER_ESTABLISHED);
    }
    no_ipsec_drops(sim);
    sim_free(sim);
}

/* The payloads of a Quick Mode's first message, opened with the keys that the simulation tells. */
static void open_message_1(struct sim *sim, int from, struct p2_payloads *payloads, uint8_t *plain)
{
    const struct p2_isakmp_info *info = sim_isakmp(sim, from);
    struct p2_isakmp_keys keys = {.hash = info->hash, .cipher = info->cipher};
    struct p2_cipher_key key;
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    const struct sim_message *m = NULL;
    for (size_t i = 0; sim_sent(sim, i); i++) {
        bool first = sim_sent(sim, i)->exchange_type == P2_EXCHANGE_QUICK && sim_sent(sim, i)->from == from &&
                     (i == 0 || sim_sent(sim, i - 1)->message_id != sim_sent(sim, i)->message_id);
        m = first ? sim_sent(sim, i) : m;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    memcpy(keys.last_block, info->keys.iv, sizeof(keys.last_block));
    p2_cipher_init(&key, info->cipher, info->encryption_key);
    p2_keymat_phase2_iv(&keys, m->message_id, iv);
    p2_cipher_decrypt(&key, iv, plain, m->bytes + 28, m->len - 28);
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_payloads(payloads, m->bytes[16], plain, m->len - 28), P2_OK);
}

static void says_originals(const struct p2_payloads *payloads, uint32_t initiator, uint32_t responder)
{
    const uint32_t wanted[2] = {initiator, responder};
    CU_ASSERT_PTR_NULL(p2_isakmp_find(payloads, P2_PAYLOAD_NAT_OA, 2));
    for (size_t i = 0; i < 2; i++) {
        const struct p2_payload *p = p2_isakmp_find(payloads, P2_PAYLOAD_NAT_OA, i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(p);
        CU_ASSERT_EQUAL_FATAL(p->body.len, 8);
        CU_ASSERT_EQUAL(p2_get_u32(p->body.data), UINT32_C(1) << 24); /* ID_IPV4_ADDR, reserved */
        CU_ASSERT_EQUAL(p2_get_u32(p->body.data + 4), wanted[i]);
    }
}

/* RFC 3947 section 5.2, example 1, from either end; and none in tunnel mode. */
static void original_addresses_are_those_of_the_rfcs_example(void)
{
    struct p2_payloads payloads;
    uint8_t plain[2048];
    struct sim_options o = behind_nat(P2_MODE_TRANSPORT);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    open_message_1(sim, SPOKE, &payloads, plain);
    says_originals(&payloads, 0xc0000201, 0xc0000202);
    sim_rekey(sim, HUB);
    sim_run(sim, 2 * P2_SECOND);
    open_message_1(sim, HUB, &payloads, plain);
    says_originals(&payloads, 0xc0000202, NAT_ADDRESS);
    sim_free(sim);
    o = behind_nat(P2_MODE_TUNNEL);
    sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    open_message_1(sim, SPOKE, &payloads, plain);
    CU_ASSERT_PTR_NULL(p2_isakmp_find(&payloads, P2_PAYLOAD_NAT_OA, 0));
    sim_free(sim);
}

/* The hub takes the IDs whether the spoke calls itself by its own address or by the NAT's; but no others. */
static void ids_may_be_the_own_address_or_the_nats(void)
{
    const uint32_t calls_itself[] = {0xc0000201, NAT_ADDRESS, 0xc0000299};
    for (size_t i = 0; i < 3; i++) {
        struct sim_options o = behind_nat(P2_MODE_TRANSPORT);
        o.tunnel[SPOKE].local = p2_selector_v4(calls_itself[i], 32);
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        CU_ASSERT_EQUAL(sim_sadbs_equal(sim, 1), i < 2);
        CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 0)), i < 2 ? LEDGER_ESTABLISHED : LEDGER_FAILED);
        sim_free(sim);
    }
}

static void original_addresses_come_in_pairs_of_one_family(void)
{
    static const uint8_t v4[] = {1, 0, 0, 0, 10, 0, 0, 1}, v6[20] = {5, 0, 0, 0, 0xfd},
                         subnet[] = {4, 0, 0, 0, 10, 0, 0, 0, 255, 0, 0, 0};
    const struct {
        size_t num, len;
        const uint8_t *body;
        bool good;
    } rows[] = {{0, 0, NULL, true}, {1, 8, v4, false},      {2, 8, v4, true}, {3, 8, v4, false},
                {2, 20, v6, false}, {2, 12, subnet, false}, {2, 7, v4, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct p2_isakmp_sa sa = {.remote = p2_address_v4(NAT_ADDRESS), .nat_remote = true};
        struct p2_exchange ex = {.isakmp = &sa, .payloads.num = rows[i].num};
        for (size_t n = 0; n < rows[i].num; n++)
            ex.payloads.list[n] =
                (struct p2_payload){.type = P2_PAYLOAD_NAT_OA, .body = {rows[i].body, rows[i].len}};
        CU_ASSERT_EQUAL(p2_nat_read_originals(&ex), rows[i].good);
    }
}

CHECK_MAIN("data through a NAT", {"tunnels carry packets both ways", tunnels_carry_packets_both_ways},
           {"rekeys by lifetime go on", rekeys_by_lifetime_go_on},
           {"without NAT traversal nothing passes", without_nat_traversal_nothing_passes},
           {"a packet shows the new mapping", a_packet_shows_the_new_mapping},
           {"DPD shows the new mapping", dpd_shows_the_new_mapping},
           {"only the newest authentic packet is followed", only_the_newest_authentic_packet_is_followed},
           {"checksums are right after the addresses changed",
            checksums_are_right_after_the_addresses_changed},
           {"original addresses are those of the RFC's example",
            original_addresses_are_those_of_the_rfcs_example},
           {"IDs may be the own address or the NAT's", ids_may_be_the_own_address_or_the_nats},
           {"original addresses come in pairs of one family", original_addresses_come_in_pairs_of_one_family})
