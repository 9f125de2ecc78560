/* Packets that do not fit the path, what the outer header says of fragments, and DSCP and ECN across a
 * tunnel. */
#include "sim/sim.h"

#include "ip.h"
#include "path_mtu.h"

#define MTU 1000

/* --- the pieces --- */

/* By hand from RFC 791: 20 bytes of header, 28 of payload in pieces of at most 8 + 20 + 4 with a record-route
 * option (not copied) and a security option (copied). */
static void an_ipv4_packet_in_pieces(void)
{
    uint8_t packet[64], out[64];
    struct p2_ip_view view;
    struct p2_fragments fragments;
    size_t len = check_unhex("47000034 12340000 40110000 0a010001 0a020001"
                             "07030482 03040000" /* record route of 3, then 0x82 of 3, end */
                             "000102030405060708090a0b0c0d0e0f 1011121314151617",
                             packet, sizeof(packet));
    CU_ASSERT_EQUAL_FATAL(p2_ip_parse(&view, packet, len), P2_OK);
    p2_fragments_begin(&fragments, &view, packet, 40);
    CU_ASSERT_EQUAL(p2_fragments_next(&fragments, out), 36);
    CHECK_HEX(out, 10, "47000024 12342000 4011");
    CHECK_HEX(out + 20, 16, "0703048203040000 0001020304050607");
    CU_ASSERT_EQUAL(p2_fragments_next(&fragments, out), 40);
    CHECK_HEX(out, 10, "46000028 12340001 4011");
    CHECK_HEX(out + 20, 20, "82030400 08090a0b0c0d0e0f 1011121314151617");
    CU_ASSERT_EQUAL(p2_fragments_next(&fragments, out), 0);
}

/* What is a fragment already keeps its place, and that more follow. */
static void a_fragment_in_pieces(void)
{
    uint8_t packet[64], out[64];
    struct p2_ip_view view;
    struct p2_fragments fragments;
    size_t len = check_unhex("45000024 12342010 40110000 0a010001 0a020001 000102030405060708090a0b0c0d0e0f",
                             packet, sizeof(packet));
    CU_ASSERT_EQUAL_FATAL(p2_ip_parse(&view, packet, len), P2_OK);
    p2_fragments_begin(&fragments, &view, packet, 30);
    CU_ASSERT_EQUAL(p2_fragments_next(&fragments, out), 28);
    CHECK_HEX(out, 8, "4500001c 12342010");
    CU_ASSERT_EQUAL(p2_fragments_next(&fragments, out), 28);
    CHECK_HEX(out, 8, "4500001c 12342011");
    CU_ASSERT_EQUAL(p2_fragments_next(&fragments, out), 0);
    p2_fragments_begin(&fragments, &view, packet, 27); /* not even eight bytes fit */
    CU_ASSERT_EQUAL(p2_fragments_next(&fragments, out), 0);
}

/* --- through a tunnel --- */

struct packet {
    uint8_t bytes[4096];
    size_t len;
};

struct parcels { /* what a gateway sent, or delivered */
    struct packet list[16];
    size_t num;
};

static struct p2_address inside(int side, bool v6)
{
    struct p2_address address;
    const char *const texts[2][2] = {{"10.1.0.1", "10.2.0.1"}, {"fd00:1::1", "fd00:2::1"}};
    CU_ASSERT_TRUE_FATAL(p2_address_parse(&address, texts[v6][side]));
    return address;
}

static struct packet make(bool v6, size_t len, bool df, uint8_t tos)
{
    struct packet p = {.len = len};
    struct p2_ip_header header = {.source = inside(0, v6),
                                  .destination = inside(1, v6),
                                  .tos = tos,
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_UDP,
                                  .dont_fragment = df,
                                  .identification = 77,
                                  .payload_len = len - p2_ip_header_len(v6 ? 6 : 4)};
    size_t at = p2_ip_build(p.bytes, &header);
    for (size_t i = at; i < len; i++)
        p.bytes[i] = (uint8_t)(i * 3);
    return p;
}

static struct sim *established(bool v6, enum p2_df df, bool before, bool ah)
{
    struct sim_options o = sim_defaults();
    for (int side = 0; side < 2; side++) {
        struct p2_policy *policy = &o.tunnel[side].policy;
        o.peer[side].mtu = MTU;
        o.peer[side].phase1.mode = P2_PHASE1_PRESET;
        policy->df = df;
        policy->fragment_before = before;
        if (ah)
            policy->proposals[0] = p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA256_128);
        for (int end = 0; v6 && end < 2; end++) {
            struct p2_selector *selector = end ? &o.tunnel[side].remote : &o.tunnel[side].local;
            CU_ASSERT_TRUE_FATAL(p2_selector_parse(selector, (end ^ side) ? "fd00:2::/64" : "fd00:1::/64"));
        }
    }
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    CU_ASSERT_TRUE_FATAL(sim_sadbs_equal(sim, 1));
    return sim;
}

/* Straight into the gateway, past the simulated network: every action is seen. */
static void collect(struct p2_gateway *gw, enum p2_action_type type, struct parcels *out)
{
    struct p2_action action;
    out->num = 0;
    while (p2_gateway_next_action(gw, &action)) {
        if (action.type != type || out->num == 16)
            continue;
        struct packet *p = &out->list[out->num++];
        p->len = action.u.packet.len;
        CU_ASSERT_FATAL(p->len <= sizeof(p->bytes));
        memcpy(p->bytes, action.u.packet.data, p->len);
    }
}

static void send(struct sim *sim, const struct packet *p, enum p2_action_type type, struct parcels *out)
{
    struct p2_gateway *gw = host_gateway(sim_host(sim, 0));
    CU_ASSERT_EQUAL(p2_gateway_send_clear(gw, sim_now(sim), 1, p->bytes, p->len), P2_OK);
    collect(gw, type, out);
}

static void receive(struct sim *sim, const struct packet *p, struct parcels *out)
{
    struct p2_gateway *gw = host_gateway(sim_host(sim, 1));
    CU_ASSERT_EQUAL(p2_gateway_receive_ipsec(gw, sim_now(sim), 1, p->bytes, p->len), P2_OK);
    collect(gw, P2_ACTION_DELIVER_CLEAR, out);
}

static bool has_df(const struct packet *p)
{
    return p->bytes[6] & 0x40;
}

/* The table of RFC 4301 section 8.1, with packets that fit. */
static void the_outer_header_says_what_the_policy_says(void)
{
    static const struct {
        enum p2_df df;
        bool inner, outer;
    } rows[] = {{P2_DF_COPY, false, false}, {P2_DF_COPY, true, true}, {P2_DF_CLEAR, false, false},
                {P2_DF_CLEAR, true, false}, {P2_DF_SET, false, true}, {P2_DF_SET, true, true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int ah = 0; ah < 2; ah++) {
            struct sim *sim = established(false, rows[i].df, false, ah);
            struct packet p = make(false, 200, rows[i].inner, 0);
            struct parcels sent;
            send(sim, &p, P2_ACTION_SEND_IPSEC, &sent);
            CU_ASSERT_EQUAL_FATAL(sent.num, 1);
            CU_ASSERT_EQUAL(has_df(&sent.list[0]), rows[i].outer);
            sim_free(sim);
        }
    }
}

/* The longest packet of which the gateway said that it fits does, and one byte more does not. */
static void the_sender_learns_what_fits(void)
{
    for (int v6 = 0; v6 < 2; v6++) {
        for (int ah = 0; ah < 2; ah++) {
            struct sim *sim = established(v6, P2_DF_COPY, false, ah);
            struct packet p = make(v6, 1400, true, 0);
            struct parcels answer, sent;
            send(sim, &p, P2_ACTION_DELIVER_CLEAR, &answer);
            CU_ASSERT_EQUAL_FATAL(answer.num, 1);
            const uint8_t *a = answer.list[0].bytes, *icmp = a + p2_ip_header_len(v6 ? 6 : 4);
            struct p2_ip_view view;
            CU_ASSERT_EQUAL(p2_ip_parse(&view, a, answer.list[0].len), P2_OK);
            CU_ASSERT_TRUE(p2_address_equal(&view.destination, &(struct p2_address){0}) == false);
            size_t mtu = v6 ? p2_get_u32(icmp + 4) : p2_get_u16(icmp + 6);
            CU_ASSERT_EQUAL(icmp[0], v6 ? 2 : 3);
            CU_ASSERT_EQUAL(icmp[1], v6 ? 0 : 4);
            CU_ASSERT_EQUAL(memcmp(icmp + 8, p.bytes, v6 ? 1000 : 28), 0);
            if (!v6) { /* of an IPv6 packet the least that is said is 1,280 */
                p = make(false, mtu, true, 0);
                send(sim, &p, P2_ACTION_SEND_IPSEC, &sent);
                CU_ASSERT_EQUAL_FATAL(sent.num, 1);
                CU_ASSERT(sent.list[0].len <= MTU);
                p = make(false, mtu + 1, true, 0);
                send(sim, &p, P2_ACTION_SEND_IPSEC, &sent);
                CU_ASSERT_EQUAL(sent.num, 0);
            } else {
                CU_ASSERT_EQUAL(mtu, 1280);
                p = make(true, 1280, true, 0); /* any link carries that: it goes, to be fragmented outside */
                send(sim, &p, P2_ACTION_SEND_IPSEC, &sent);
                CU_ASSERT_EQUAL_FATAL(sent.num, 1);
                CU_ASSERT_FALSE(has_df(&sent.list[0]));
            }
            sim_free(sim);
        }
    }
}

/* Ahead of ESP or AH: each piece fits the path and is a packet of its own; together they are the whole. */
static void pieces_ahead_of_protection(void)
{
    for (int ah = 0; ah < 2; ah++) {
        for (int set = 0; set < 2;
             set++) { /* because the policy says so, or because the outer packet may not be */
            struct sim *sim = established(false, set ? P2_DF_SET : P2_DF_COPY, !set, ah);
            struct packet p = make(false, 3000, false, 0);
            struct parcels sent, came;
            uint8_t whole[3000] = {0};
            send(sim, &p, P2_ACTION_SEND_IPSEC, &sent);
            CU_ASSERT_EQUAL(sent.num, 4);
            for (size_t i = 0; i < sent.num; i++) {
                CU_ASSERT(sent.list[i].len <= MTU);
                receive(sim, &sent.list[i], &came);
                CU_ASSERT_EQUAL_FATAL(came.num, 1);
                const struct packet *piece = &came.list[0];
                size_t offset = (p2_get_u16(piece->bytes + 6) & 0x1fffu) * 8;
                CU_ASSERT_FATAL(offset + piece->len - 20 <= 2980);
                memcpy(whole + 20 + offset, piece->bytes + 20, piece->len - 20);
            }
            CU_ASSERT_EQUAL(memcmp(whole + 20, p.bytes + 20, 2980), 0);
            sim_free(sim);
        }
    }
}

/* Behind it: one long packet, which is the IP layer's to take apart. */
static void one_packet_to_be_fragmented_outside(void)
{
    for (int i = 0; i < 4; i++) {
        bool ah = i & 1, inner_df = i & 2;
        struct sim *sim = established(false, P2_DF_CLEAR, false, ah);
        struct packet p = make(false, 3000, inner_df, 0);
        struct parcels sent, came;
        send(sim, &p, P2_ACTION_SEND_IPSEC, &sent);
        CU_ASSERT_EQUAL_FATAL(sent.num, 1);
        CU_ASSERT(sent.list[0].len > MTU);
        CU_ASSERT_FALSE(has_df(&sent.list[0]));
        receive(sim, &sent.list[0], &came);
        CU_ASSERT_EQUAL_FATAL(came.num, 1);
        CU_ASSERT_EQUAL(memcmp(came.list[0].bytes, p.bytes, p.len), 0);
        sim_free(sim);
    }
}

/* RFC 4303 section 3.4.1, RFC 4302 section 3.4.1. */
static void a_piece_of_an_ipsec_packet_is_refused(void)
{
    for (int ah = 0; ah < 2; ah++) {
        struct sim *sim = established(false, P2_DF_CLEAR, false, ah);
        struct packet p = make(false, 3000, false, 0);
        struct parcels sent, drops;
        struct p2_ip_view view;
        struct p2_fragments fragments;
        struct packet piece;
        send(sim, &p, P2_ACTION_SEND_IPSEC, &sent);
        CU_ASSERT_EQUAL_FATAL(p2_ip_parse(&view, sent.list[0].bytes, sent.list[0].len), P2_OK);
        p2_fragments_begin(&fragments, &view, sent.list[0].bytes, MTU);
        while ((piece.len = p2_fragments_next(&fragments, piece.bytes)) > 0) {
            struct p2_gateway *gw = host_gateway(sim_host(sim, 1));
            struct p2_action action;
            CU_ASSERT_EQUAL(p2_gateway_receive_ipsec(gw, sim_now(sim), 1, piece.bytes, piece.len), P2_OK);
            CU_ASSERT_TRUE_FATAL(p2_gateway_next_action(gw, &action));
            CU_ASSERT_EQUAL(action.type, P2_ACTION_DROP);
            CU_ASSERT_EQUAL(action.u.drop.reason, P2_DROP_FRAGMENT);
            collect(gw, P2_ACTION_DROP, &drops);
            CU_ASSERT_EQUAL(drops.num, 0);
        }
        sim_free(sim);
    }
}

/* RFC 4301 section 5.1.2, outer header by inner one; and 5.1.2.1: CE outside marks an inner packet whose ends
 * know ECN. */
static void dscp_and_ecn(void)
{
    static const struct {
        uint8_t inner, outer_then, delivered;
    } rows[] = {
        {0xb8, 0xb8, 0xb8}, /* expedited forwarding, no ECN */
        {0xb8, 0xbb, 0xb8}, /* CE means nothing to it */
        {0xb9, 0xbb, 0xbb}, /* ECT(1) becomes CE */
        {0x02, 0x03, 0x03}, /* ECT(0) becomes CE */
        {0x02, 0x01, 0x02}, /* a change between the two codes stays outside */
        {0x03, 0x00, 0x03}, /* CE stays */
        {0x28, 0x00, 0x28}, /* a DSCP that was bleached on the way does not come in */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int mode = 0; mode < 4; mode++) {
            bool v6 = mode & 1, ah = mode & 2;
            struct sim *sim = established(v6, P2_DF_COPY, false, ah);
            struct packet p = make(v6, 100, false, rows[i].inner);
            struct parcels sent, came;
            send(sim, &p, P2_ACTION_SEND_IPSEC, &sent);
            CU_ASSERT_EQUAL_FATAL(sent.num, 1);
            CU_ASSERT_EQUAL(p2_ip_tos(sent.list[0].bytes), rows[i].inner);
            p2_ip_set_tos(sent.list[0].bytes, rows[i].outer_then);
            receive(sim, &sent.list[0], &came);
            CU_ASSERT_EQUAL_FATAL(came.num, 1);
            CU_ASSERT_EQUAL(p2_ip_tos(came.list[0].bytes), rows[i].delivered);
            struct p2_ip_view view;
            CU_ASSERT_EQUAL(p2_ip_parse(&view, came.list[0].bytes, came.list[0].len), P2_OK);
            sim_free(sim);
        }
    }
}

CHECK_MAIN("path MTU", {"an IPv4 packet in pieces", an_ipv4_packet_in_pieces},
           {"a fragment in pieces", a_fragment_in_pieces},
           {"the outer header says what the policy says", the_outer_header_says_what_the_policy_says},
           {"the sender learns what fits", the_sender_learns_what_fits},
           {"pieces ahead of protection", pieces_ahead_of_protection},
           {"one packet to be fragmented outside", one_packet_to_be_fragmented_outside},
           {"a piece of an IPsec packet is refused", a_piece_of_an_ipsec_packet_is_refused},
           {"DSCP and ECN", dscp_and_ecn})
