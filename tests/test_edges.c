/* The edges of the data path and of the SA database: packets as long as packets get in every mode, what may
 * not be taken for ESP, notifies of nothing we know, SAs that end in another order than they began. */
#include "link_fixture.h"

/* --- long packets --- */

static struct p2_proposal suite(size_t i)
{
    struct p2_proposal esp = p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES256_CBC, P2_AUTH_HMAC_SHA1_96);
    struct p2_proposal ah = p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA256_128);
    if (i == 0)
        return esp;
    if (i == 2)
        ah.protocols[ah.num_protocols++] = esp.protocols[0];
    return ah;
}

/* It comes out as it went in, or it is dropped as too big, and nothing in between. */
static void send_long(struct link *link, size_t len)
{
    static uint8_t packet[70000];
    struct end *left = &link->ends[0], *right = &link->ends[1];
    size_t too_big = left->drops[P2_DROP_TOO_BIG];
    build_packet(link, 0, len, packet);
    left->wire_len = right->inner_len = 0;
    send(link, 0, packet, len);
    if (left->wire_len == 0) {
        CU_ASSERT_EQUAL(left->drops[P2_DROP_TOO_BIG], too_big + 1);
        return;
    }
    receive(link, 1, left->wire, left->wire_len);
    CU_ASSERT_EQUAL_FATAL(right->inner_len, len);
    CU_ASSERT_EQUAL(memcmp(right->inner, packet, len), 0);
}

static void the_longest_packets_come_out_whole_or_not_at_all(void)
{
    for (size_t n = 0; n < NUM_NETWORKS; n++) {
        for (size_t s = 0; s < 3; s++) {
            struct link *link = new_link(&networks[n]);
            for (int side = 0; side < 2; side++)
                link->tunnel[side].policy.proposals[0] = suite(s);
            start(link);
            CU_ASSERT_PTR_NOT_NULL_FATAL(link->ends[0].gw->tunnels[0].current);
            send_long(link, 65000);
            CU_ASSERT_EQUAL(link->ends[0].drops[P2_DROP_TOO_BIG], 0);
            for (size_t len = 65350; len <= P2_PACKET_MAX; len++)
                send_long(link, len);
            CU_ASSERT_TRUE(link->ends[0].drops[P2_DROP_TOO_BIG] > 20);
            const struct p2_sa_pair *pair = link->ends[0].gw->tunnels[0].current;
            CU_ASSERT_EQUAL(pair->out[0].sequence, pair->out[pair->num - 1].sequence);
            CU_ASSERT_EQUAL(pair->out[0].sequence, pair->out[0].packets);
            free_link(link);
        }
    }
}

/* An IPv6 packet does not count its own header, so that it may have 65,575 bytes. */
static void longer_ones_are_refused_both_ways(void)
{
    static uint8_t packet[P2_PACKET_MAX + P2_IPV6_HEADER_LEN];
    for (size_t s = 0; s < 3; s++) {
        struct link *link = new_link(&networks[5]);
        for (int side = 0; side < 2; side++)
            link->tunnel[side].policy.proposals[0] = suite(s);
        start(link);
        for (size_t len = P2_PACKET_MAX + 1; len <= sizeof(packet); len += 13) {
            send(link, 0, packet, build_packet(link, 0, len, packet));
            packet[6] = s == 0 ? P2_IP_PROTO_ESP : P2_IP_PROTO_AH;
            receive(link, 1, packet, len);
        }
        CU_ASSERT_EQUAL(link->ends[0].drops[P2_DROP_TOO_BIG], 4);
        CU_ASSERT_EQUAL(link->ends[1].drops[P2_DROP_TOO_BIG], 4);
        free_link(link);
    }
}

/* --- what is no ESP, and what no SA can be meant by --- */

/* The header of the last packet from side 0 says that more follows, or that it is the middle of something. */
static void receive_as_fragment(struct link *link, uint16_t fragment)
{
    uint8_t packet[2048];
    struct end *left = &link->ends[0];
    struct p2_ip_view view;
    CU_ASSERT_EQUAL_FATAL(p2_ip_parse(&view, left->wire, left->wire_len), P2_OK);
    if (view.family == 4) {
        memcpy(packet, left->wire, left->wire_len);
        p2_put_u16(packet + 6, (uint16_t)(fragment >> 3 | (fragment & 1) << 13));
        receive(link, 1, packet, left->wire_len);
        return;
    }
    memcpy(packet, left->wire, P2_IPV6_HEADER_LEN);
    memcpy(packet + 48, view.payload.data, view.payload.len);
    memset(packet + 40, 0, 8);
    p2_put_u16(packet + 4, (uint16_t)(8 + view.payload.len));
    packet[6] = 44;
    packet[40] = view.protocol;
    p2_put_u16(packet + 42, fragment);
    receive(link, 1, packet, 48 + view.payload.len);
}

/* RFC 4303 section 3.4.1: a fragment must be discarded. The middle of a packet has no SPI either that the
 * peer could be told of. */
static void fragments_are_not_taken_for_esp(void)
{
    uint8_t packet[100];
    for (size_t n = 1; n < 4; n += 2) { /* over IPv4 and IPv6, in tunnel mode */
        struct link *link = new_link(&networks[n]);
        struct end *right = &link->ends[1];
        start(link);
        send(link, 0, packet, build_packet(link, 0, sizeof(packet), packet));
        size_t told = right->num_ike;
        receive_as_fragment(link, 1);           /* the first one */
        link->ends[0].wire[n == 1 ? 20 : 40]++; /* an SPI that is not known */
        receive_as_fragment(link, 8 | 1);       /* one from the middle */
        receive_as_fragment(link, 8);           /* the last one */
        settle(link);
        CU_ASSERT_EQUAL(right->drops[P2_DROP_FRAGMENT], 3);
        CU_ASSERT_EQUAL(right->drops[P2_DROP_UNKNOWN_SPI] + right->drops[P2_DROP_ICV_MISMATCH], 0);
        CU_ASSERT_EQUAL(right->num_ike, told);
        free_link(link);
    }
}

/* Protocols that IPsec SAs do not have: none, ISAKMP, IPCOMP, a private one. */
static void deletes_of_other_protocols_mean_no_sa(void)
{
    static const uint8_t others[] = {0, P2_PROTO_ISAKMP, 4, 250};
    struct link *link = new_link(&networks[0]);
    start(link);
    struct p2_gateway *gw = link->ends[1].gw;
    uint8_t spi[4];
    p2_put_u32(spi, gw->pairs->in[0].spi);
    for (size_t i = 0; i < sizeof(others); i++) {
        p2_informational_notify_data(gw, gw->peers[0].isakmp, others[i], P2_NOTIFY_INVALID_SPI, spi, 4, spi,
                                     0);
        if (others[i] != P2_PROTO_ISAKMP)
            p2_informational_delete(gw, gw->peers[0].isakmp, others[i], gw->pairs->in[0].spi);
        drain(link, 1);
        settle(link);
        CU_ASSERT_PTR_NOT_NULL_FATAL(link->ends[0].gw->pairs);
    }
    p2_informational_delete(gw, gw->peers[0].isakmp, P2_PROTO_ESP, gw->pairs->in[0].spi);
    drain(link, 1);
    settle(link);
    CU_ASSERT_EQUAL(link->ends[0].removed[P2_REMOVED_BY_PEER], 1);
    free_link(link);
}

/* --- the order in which SAs come and go --- */

/* Side 0's newest pair. */
static struct p2_sa_pair *rekey(struct link *link)
{
    CU_ASSERT_EQUAL(p2_gateway_rekey(link->ends[0].gw, link->now, 1, 0), P2_OK);
    drain(link, 0);
    settle(link);
    return link->ends[0].gw->tunnels[0].pairs;
}

/* A is in use, B and C wait for their install intervals when A goes: C is used at once, and B's interval
 * does not bring B back when it ends. */
static void an_older_sa_does_not_come_back_by_its_install_interval(void)
{
    struct link *link = new_link(&networks[0]);
    link->tunnel[0].policy.install_interval = 10 * P2_SECOND;
    start(link);
    struct p2_gateway *left = link->ends[0].gw, *right = link->ends[1].gw;
    const struct p2_sa_pair *a = left->pairs;
    wait_until(link, P2_SECOND);
    rekey(link);
    wait_until(link, 2 * P2_SECOND);
    const struct p2_sa_pair *c = rekey(link);
    CU_ASSERT_PTR_EQUAL(left->tunnels[0].current, a);
    p2_informational_delete(right, right->peers[0].isakmp, P2_PROTO_ESP, right->pairs->in[0].spi);
    drain(link, 1);
    settle(link);
    for (int t = 3; t < 20; t++) {
        wait_until(link, t * P2_SECOND);
        CU_ASSERT_PTR_EQUAL(left->tunnels[0].current, c);
    }
    free_link(link);
}

/* A soft limit in time passed while nobody used the pair; the one by volume counts nevertheless. */
static void an_idle_pair_still_asks_at_its_soft_volume(void)
{
    uint8_t packet[1024];
    struct link *link = new_link(&networks[0]);
    for (int side = 0; side < 2; side++) {
        link->tunnel[side].establish = P2_ESTABLISH_ON_TRAFFIC;
        link->tunnel[side].policy.lifetime_s = 1000;
        link->tunnel[side].policy.lifetime_kb = 64;
    }
    start(link);
    rekey(link); /* its first pair */
    wait_until(link, 950 * P2_SECOND);
    for (int i = 0; i < 60; i++) {
        send(link, 0, packet, build_packet(link, 0, sizeof(packet), packet));
        settle(link);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(link->ends[0].gw->tunnels[0].pairs);
    CU_ASSERT_PTR_NOT_NULL(link->ends[0].gw->tunnels[0].pairs->older);
    CU_ASSERT_EQUAL(link->ends[0].drops[P2_DROP_NO_SA], 0);
    free_link(link);
}

/* --- what a suite agrees on --- */

static size_t build_attributes(uint8_t out[64], uint16_t auth, uint32_t key_bits, uint32_t seconds,
                               uint32_t kb)
{
    struct p2_builder b = p2_builder_init(out, 64);
    const uint32_t values[][2] = {{6, key_bits}, {5, auth}, {4, 1}, {1, 1}, {2, seconds}, {1, 2}, {2, kb}};
    for (size_t i = key_bits ? 0 : 1; i < (kb ? 7 : 5); i++)
        p2_build_attribute(&b, (uint16_t)values[i][0], values[i][1]);
    return b.len;
}

/* AH and ESP of one proposal with lifetimes of their own (RFC 2407 section 4.5): the shorter ones hold for
 * both, in whichever order they come. */
static void a_bundle_lives_as_long_as_its_shorter_half(void)
{
    static const uint8_t spi[4] = {0, 0, 1, 0};
    uint8_t bytes[2][64];
    struct p2_policy policy = p2_policy_default("nopfs-esp-aes128-sha");
    policy.proposals[0] = suite(2);
    policy.lifetime_s = 3600;
    for (size_t i = 0; i < 2; i++) {
        size_t ah_len = build_attributes(bytes[0], 5, 0, i ? 1000 : 2000, 64);
        size_t esp_len = build_attributes(bytes[1], 2, 256, i ? 2000 : 1000, 0);
        struct p2_isakmp_sa_payload sa = {
            .num = 2,
            .num_proposals = 2,
            .transforms = {{1, P2_PROTO_AH, {spi, 4}, 1, 5, {bytes[0], ah_len}, 0},
                           {1, P2_PROTO_ESP, {spi, 4}, 1, 12, {bytes[1], esp_len}, 1}}};
        struct p2_offer_context context = {.policy = &policy};
        struct p2_offer_choice choice;
        p2_offer_choose(&choice, &sa, &context);
        CU_ASSERT_TRUE_FATAL(choice.found);
        CU_ASSERT_EQUAL(choice.lifetime_s, 1000);
        CU_ASSERT_EQUAL(choice.lifetime_kb, 64);
    }
}

/* --- NATs that only one end believes in --- */

/* NAT-D payloads are authenticated by nothing: changed on their way, they make the ends see different things
 * (RFC 3947 section 3.2). The initiator's view is taken, for both understand either form. */
static void a_nat_that_one_end_sees_is_no_disagreement(void)
{
    for (int side = 0; side < 2; side++) {
        struct link *link = new_link(&networks[0]);
        link->tunnel[0].establish = P2_ESTABLISH_PASSIVE;
        start(link);
        for (int i = 0; i < 2; i++) {
            struct p2_isakmp_sa *sa = link->ends[i].gw->peers[0].isakmp;
            sa->nat_t = true;
            sa->local_port = sa->remote_port = P2_PORT_NAT_T;
        }
        link->ends[side].gw->peers[0].isakmp->nat_local = true;
        rekey(link); /* its first pair */
        for (int i = 0; i < 2; i++) {
            CU_ASSERT_PTR_NOT_NULL_FATAL(link->ends[i].gw->pairs);
            CU_ASSERT_EQUAL(link->ends[i].gw->pairs->encapsulated, side == 0);
            CU_ASSERT_TRUE(link->ends[i].gw->pairs->authorised);
        }
        free_link(link);
    }
}

/* Of two ISAKMP SAs with a peer the later one found no NAT: it does not say where ESP in UDP goes. */
static void an_isakmp_sa_on_port_500_leaves_the_path_alone(void)
{
    struct link *link = new_link(&networks[0]);
    start(link);
    struct p2_gateway *gw = link->ends[0].gw;
    struct p2_isakmp_sa *sa = gw->peers[0].isakmp;
    sa->local_port = sa->remote_port = P2_PORT_NAT_T;
    p2_nat_keep_alive(gw, sa);
    CU_ASSERT_EQUAL(gw->peers[0].nat_port, P2_PORT_NAT_T);
    sa->local_port = sa->remote_port = P2_PORT_IKE;
    p2_nat_keep_alive(gw, sa);
    CU_ASSERT_EQUAL(gw->peers[0].nat_port, P2_PORT_NAT_T);
    free_link(link);
}

/* AH has no place in UDP, alone or around ESP: whatever was seen of NATs it goes as it is. */
static void ah_never_goes_into_udp(void)
{
    uint8_t packet[200];
    for (size_t s = 1; s < 3; s++) {
        struct link *link = new_link(&networks[0]);
        for (int side = 0; side < 2; side++)
            link->tunnel[side].policy.proposals[0] = suite(s);
        link->tunnel[0].establish = P2_ESTABLISH_PASSIVE;
        start(link);
        for (int side = 0; side < 2; side++) {
            struct p2_isakmp_sa *sa = link->ends[side].gw->peers[0].isakmp;
            sa->nat_t = sa->nat_local = sa->nat_remote = true;
            sa->local_port = sa->remote_port = P2_PORT_NAT_T;
        }
        rekey(link);
        send(link, 0, packet, build_packet(link, 0, sizeof(packet), packet));
        receive(link, 1, link->ends[0].wire, link->ends[0].wire_len);
        CU_ASSERT_EQUAL(link->ends[1].inner_len, sizeof(packet));
        free_link(link);
    }
}

/* --- packets that wait for the first SA --- */

/* Three packets wait on side 0, and now there is an SA. */
static struct link *with_packets_that_wait(void)
{
    uint8_t packet[1000];
    struct link *link = new_link(&networks[0]);
    link->tunnel[0].establish = P2_ESTABLISH_ON_TRAFFIC;
    link->tunnel[0].waiting = 3;
    start(link);
    for (size_t i = 1; i <= 3; i++)
        send(link, 0, packet, build_packet(link, 0, 100 * i, packet));
    while (!link->ends[0].gw->tunnels[0].current) {
        for (int side = 0; side < 2; side++) {
            while (link->ends[side].num_mail > 0 && !link->ends[0].gw->tunnels[0].current)
                take_mail(link, side);
        }
    }
    CU_ASSERT_EQUAL(link->ends[0].gw->tunnels[0].num_waiting, 3);
    return link;
}

static void no_packet_overtakes_those_that_waited(void)
{
    uint8_t packet[1000];
    struct link *link = with_packets_that_wait();
    struct end *left = &link->ends[0], *right = &link->ends[1];
    send(link, 0, packet, build_packet(link, 0, 400, packet));
    for (size_t i = 1; i <= 4; i++) {
        CU_ASSERT_EQUAL(p2_gateway_tick(left->gw, link->now, 1), P2_OK);
        drain(link, 0);
        receive(link, 1, left->wire, left->wire_len);
        CU_ASSERT_EQUAL(right->inner_len, 100 * i);
    }
    CU_ASSERT_EQUAL(left->drops[P2_DROP_NO_SA], 0);
    CU_ASSERT_EQUAL(left->gw->tunnels[0].num_waiting, 0);
    free_link(link);
}

/* The SA goes before they could: they are traffic that a tunnel is wanted for, as before. */
static void packets_that_waited_outlive_the_sa_that_they_waited_for(void)
{
    struct link *link = with_packets_that_wait();
    struct end *left = &link->ends[0];
    CU_ASSERT_EQUAL(p2_gateway_clear(left->gw, link->now, 1, 0), P2_OK);
    drain(link, 0);
    settle(link);
    CU_ASSERT_EQUAL(left->gw->tunnels[0].num_waiting, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(left->gw->tunnels[0].current);
    CU_ASSERT_EQUAL(left->gw->tunnels[0].current->out[0].packets, 3);
    free_link(link);
}

CHECK_MAIN("edges",
           {"the longest packets come out whole or not at all",
            the_longest_packets_come_out_whole_or_not_at_all},
           {"longer ones are refused both ways", longer_ones_are_refused_both_ways},
           {"fragments are not taken for ESP", fragments_are_not_taken_for_esp},
           {"deletes of other protocols mean no SA", deletes_of_other_protocols_mean_no_sa},
           {"an older SA does not come back by its install interval",
            an_older_sa_does_not_come_back_by_its_install_interval},
           {"an idle pair still asks at its soft volume", an_idle_pair_still_asks_at_its_soft_volume},
           {"a NAT that one end sees is no disagreement", a_nat_that_one_end_sees_is_no_disagreement},
           {"an ISAKMP SA on port 500 leaves the path alone", an_isakmp_sa_on_port_500_leaves_the_path_alone},
           {"a bundle lives as long as its shorter half", a_bundle_lives_as_long_as_its_shorter_half},
           {"AH never goes into UDP", ah_never_goes_into_udp},
           {"no packet overtakes those that waited", no_packet_overtakes_those_that_waited},
           {"packets that waited outlive the SA that they waited for",
            packets_that_waited_outlive_the_sa_that_they_waited_for})
