/* Every suite, in every mode, over IPv4 and IPv6: negotiated by two gateways, and packets of many sizes
 * through the SAs that came of it. */
#include "sim/sim.h"

#include "internal.h"
#include "ip.h"

static void agree_on(struct sim_options *o, const struct p2_proposal *proposal)
{
    for (int side = 0; side < 2; side++) {
        o->peer[side].phase1.mode = P2_PHASE1_PRESET;
        o->tunnel[side].policy.proposals[0] = *proposal;
    }
}

static void check_packets(struct sim *sim)
{
    static const size_t sizes[] = {48, 49, 63, 64, 65, 80, 576, 1400, 9000};
    for (int from = 0; from < 2; from++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            size_t before = sim_delivered(sim, !from);
            sim_send(sim, from, sizes[i]);
            sim_run(sim, sim_now(sim) + 20 * P2_MS);
            CU_ASSERT_EQUAL(sim_delivered(sim, !from), before + 1);
            CU_ASSERT_TRUE(sim_arrived_whole(sim, !from));
        }
    }
}

/* The protocols on the wire, from the outermost header on; 0 ends. */
static bool wire_is(const struct sim *sim, uint8_t family, const uint8_t *protocols)
{
    struct p2_ip_view view;
    struct p2_bytes packet = sim_last_ipsec(sim, 0);
    if (p2_ip_parse(&view, packet.data, packet.len) < 0 || view.family != family)
        return false;
    uint8_t protocol = view.protocol;
    const uint8_t *at = view.payload.data;
    for (; *protocols; protocols++) {
        if (protocol != *protocols)
            return false;
        protocol = protocol == P2_IP_PROTO_AH ? at[0] : 0;
        at += 4 * (at[1] + 2);
    }
    return true;
}

static void carries(struct sim_options *o, const struct p2_proposal *proposal, uint8_t family,
                    const uint8_t *protocols)
{
    agree_on(o, proposal);
    struct sim *sim = sim_new(o);
    sim_run(sim, P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    check_packets(sim);
    CU_ASSERT_TRUE(wire_is(sim, family, protocols));
    sim_free(sim);
}

/* --- the networks --- */

static struct p2_address address_of(const char *text)
{
    struct p2_address address = {0};
    CU_ASSERT_TRUE_FATAL(p2_address_parse(&address, text));
    return address;
}

static struct p2_selector selector_of(const char *text)
{
    struct p2_selector selector = {0};
    CU_ASSERT_TRUE_FATAL(p2_selector_parse(&selector, text));
    return selector;
}

struct network {
    bool transport;
    uint8_t family; /* outside */
    const char *outside[2], *inside[2];
};

static const struct network networks[] = {
    {false, 4, {"192.0.2.1", "192.0.2.2"}, {"10.1.0.0/24", "10.2.0.0/24"}},
    {false, 4, {"192.0.2.1", "192.0.2.2"}, {"fd00:1::/64", "fd00:2::/64"}},
    {false, 6, {"fd00::1", "fd00::2"}, {"10.1.0.0/24", "10.2.0.0/24"}},
    {false, 6, {"fd00::1", "fd00::2"}, {"fd00:1::/64", "fd00:2::/64"}},
    {true, 4, {"192.0.2.1", "192.0.2.2"}, {"192.0.2.1", "192.0.2.2"}},
    {true, 6, {"fd00::1", "fd00::2"}, {"fd00::1", "fd00::2"}},
    {false, 4, {"192.0.2.1", "192.0.2.2"}, {"10.1.0.1-10.1.0.77", "10.2.0.1-10.2.3.200"}},
};

#define NUM_NETWORKS (sizeof(networks) / sizeof(networks[0]))

static struct sim_options options_for(const struct network *network)
{
    struct sim_options o = sim_defaults();
    for (int side = 0; side < 2; side++) {
        o.peer[side].local = address_of(network->outside[side]);
        o.peer[side].remote = address_of(network->outside[!side]);
        o.tunnel[side].local = selector_of(network->inside[side]);
        o.tunnel[side].remote = selector_of(network->inside[!side]);
        o.tunnel[side].policy.mode = network->transport ? P2_MODE_TRANSPORT : P2_MODE_TUNNEL;
    }
    return o;
}

/* --- the suites --- */

static bool is_legal(enum p2_cipher cipher, enum p2_auth auth)
{
    bool combined = p2_cipher_of(cipher)->icv_len > 0;
    return combined ? auth == P2_AUTH_NONE : auth != P2_AUTH_NONE;
}

static void esp_with_every_cipher_and_hmac(void)
{
    static const uint8_t wire[] = {P2_IP_PROTO_ESP, 0};
    size_t tried = 0;
    for (unsigned cipher = P2_CIPHER_NONE + 1; cipher < P2_NUM_CIPHERS; cipher++) {
        for (unsigned auth = P2_AUTH_NONE; auth < P2_NUM_AUTHS; auth++) {
            if (!is_legal((enum p2_cipher)cipher, (enum p2_auth)auth))
                continue;
            const struct network *network = &networks[tried++ % NUM_NETWORKS];
            struct sim_options o = options_for(network);
            struct p2_proposal p = p2_proposal_of(P2_PROTO_ESP, (enum p2_cipher)cipher, (enum p2_auth)auth);
            carries(&o, &p, network->family, wire);
        }
    }
    CU_ASSERT_EQUAL(tried, 9 * 5 + 3);
}

static void esp_in_every_network(void)
{
    static const uint8_t wire[] = {P2_IP_PROTO_ESP, 0};
    for (size_t i = 0; i < NUM_NETWORKS; i++) {
        struct sim_options o = options_for(&networks[i]);
        struct p2_proposal p = p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES128_GCM16, P2_AUTH_NONE);
        carries(&o, &p, networks[i].family, wire);
    }
}

static void ah_with_every_hmac_in_every_network(void)
{
    static const uint8_t wire[] = {P2_IP_PROTO_AH, 0};
    for (unsigned auth = P2_AUTH_NONE + 1; auth < P2_NUM_AUTHS; auth++) {
        for (size_t i = 0; i < NUM_NETWORKS; i++) {
            struct sim_options o = options_for(&networks[i]);
            struct p2_proposal p = p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, (enum p2_auth)auth);
            carries(&o, &p, networks[i].family, wire);
        }
    }
}

static struct p2_proposal ah_around_esp(void)
{
    struct p2_proposal p = p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA256_128);
    p.protocols[p.num_protocols++] =
        p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES256_CBC, P2_AUTH_HMAC_SHA1_96).protocols[0];
    return p;
}

static void ah_around_esp_in_every_network(void)
{
    static const uint8_t wire[] = {P2_IP_PROTO_AH, P2_IP_PROTO_ESP, 0};
    struct p2_proposal p = ah_around_esp();
    for (size_t i = 0; i < NUM_NETWORKS; i++) {
        struct sim_options o = options_for(&networks[i]);
        carries(&o, &p, networks[i].family, wire);
    }
}

static void a_bundle_is_rekeyed_and_taken_down_as_one(void)
{
    struct sim_options o = sim_defaults();
    struct p2_proposal p = ah_around_esp();
    agree_on(&o, &p);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    for (int i = 0; i < 3; i++) {
        sim_rekey(sim, i % 2);
        sim_run(sim, sim_now(sim) + P2_SECOND);
        check_packets(sim);
        sim_run(sim, sim_now(sim) + 5 * P2_SECOND);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    }
    sim_free(sim);
}

/* ESP of a bundle without the AH around it is not what was agreed on. */
static void a_bundle_takes_no_half(void)
{
    struct sim_options o = sim_defaults();
    struct p2_proposal p = ah_around_esp();
    agree_on(&o, &p);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    sim_send(sim, 0, 100);
    sim_run(sim, 2 * P2_SECOND);
    struct p2_bytes whole = sim_last_ipsec(sim, 0);
    struct p2_ip_view view;
    CU_ASSERT_EQUAL_FATAL(p2_ip_parse(&view, whole.data, whole.len), P2_OK);
    size_t ah_len = 4 * (view.payload.data[1] + 2u), esp_len = view.payload.len - ah_len;
    uint8_t half[2048];
    struct p2_ip_header header = {.source = view.source,
                                  .destination = view.destination,
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_ESP,
                                  .payload_len = esp_len};
    size_t at = p2_ip_build(half, &header);
    memcpy(half + at, view.payload.data + ah_len, esp_len);
    CU_ASSERT_EQUAL(host_receive_ipsec(sim_host(sim, 1), sim_now(sim), half, at + esp_len, 0), P2_OK);
    CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_SELECTOR_MISMATCH), 1);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 1);
    sim_free(sim);
}

static struct sim_options with_extended_numbers(const struct p2_proposal *proposal)
{
    struct sim_options o = sim_defaults();
    agree_on(&o, proposal);
    o.tunnel[0].policy.esn = o.tunnel[1].policy.esn = true;
    return o;
}

/* Every kind of suite with extended sequence numbers, from just below 2^32 to just above. */
static void extended_numbers_cross_2_32(void)
{
    const struct p2_proposal proposals[] = {
        p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96),
        p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES256_GCM16, P2_AUTH_NONE),
        p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_NULL, P2_AUTH_HMAC_SHA256_128),
        p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA1_96), ah_around_esp()};
    for (size_t i = 0; i < sizeof(proposals) / sizeof(proposals[0]); i++) {
        struct sim_options o = with_extended_numbers(&proposals[i]);
        for (int side = 0; side < 2; side++)
            o.tunnel[side].policy.sequence_first = UINT32_MAX - 3;
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        check_packets(sim); /* nine packets each way */
        struct p2_sa_info sa;
        for (size_t n = 0; p2_gateway_sa_at(host_gateway(sim_host(sim, 1)), n, &sa); n++)
            CU_ASSERT_EQUAL(sa.sequence, UINT64_C(0x100000004));
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1)); /* no limit was near */
        sim_free(sim);
    }
}

/* The upper half is not on the wire, and yet it is what the ICV covers: an end that reckons otherwise finds
 * it wrong. */
static void an_upper_half_that_differs_fails_the_icv(void)
{
    const struct p2_proposal proposals[] = {
        p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96),
        p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES128_GCM16, P2_AUTH_NONE),
        p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA1_96), ah_around_esp()};
    for (size_t i = 0; i < sizeof(proposals) / sizeof(proposals[0]); i++) {
        struct sim_options o = with_extended_numbers(&proposals[i]);
        o.tunnel[0].policy.sequence_first = UINT64_C(0x700000001);
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        sim_send(sim, 0, 100); /* the receiver takes it for number 1 */
        sim_run(sim, 2 * P2_SECOND);
        CU_ASSERT_EQUAL(sim_delivered(sim, 1), 0);
        CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_ICV_MISMATCH), 1);
        sim_free(sim);
    }
}

/* The first packets past 2^32 are lost, and the receiver still knows the upper half: its window began where
 * the sender's counter did. */
static void the_window_begins_where_the_peers_counter_does(void)
{
    static const uint64_t firsts[] = {UINT32_MAX, UINT64_C(0x100000001), UINT64_C(0x700000001)};
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        struct p2_proposal proposal = ah_around_esp();
        struct sim_options o = with_extended_numbers(&proposal);
        o.tunnel[0].policy.sequence_first = o.tunnel[1].policy.sequence_expected = firsts[i];
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        sim_lose_ipsec(sim, true);
        for (int packet = 0; packet < 3; packet++)
            sim_send(sim, 0, 100);
        sim_run(sim, 2 * P2_SECOND);
        sim_lose_ipsec(sim, false);
        for (int packet = 0; packet < 5; packet++) {
            sim_send(sim, 0, 100);
            sim_send(sim, 1, 100);
        }
        sim_run(sim, 3 * P2_SECOND);
        CU_ASSERT_EQUAL(sim_delivered(sim, 1), 5);
        CU_ASSERT_EQUAL(sim_delivered(sim, 0), 5);
        sim_free(sim);
    }
}

/* The initiator offers AH with ESP, ESP alone with two ciphers, AH alone; the responder takes one of each. */
static void alternatives_are_settled_by_the_initiators_order(void)
{
    struct p2_proposal offered[3] = {ah_around_esp(),
                                     p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_DES_CBC, P2_AUTH_HMAC_MD5_96),
                                     p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA1_96)};
    offered[1].protocols[0].alternatives[offered[1].protocols[0].num++] =
        (struct p2_algorithms){P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_MD5_96};
    const struct p2_proposal wanted[] = {
        ah_around_esp(), p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_MD5_96),
        p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA1_96)};
    static const char *const chosen[] = {"esp aes-256-cbc hmac-sha1-96 and ah hmac-sha256-128",
                                         "esp 3des-cbc hmac-md5-96", "ah hmac-sha1-96"};
    for (size_t i = 0; i < 3; i++) {
        struct sim_options o = sim_defaults();
        agree_on(&o, &wanted[i]);
        memcpy(o.tunnel[0].policy.proposals, offered, sizeof(offered));
        o.tunnel[0].policy.num_proposals = 3;
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
        check_packets(sim);
        struct p2_sa_info sa;
        CU_ASSERT_TRUE(p2_gateway_sa_at(host_gateway(sim_host(sim, 1)), 0, &sa));
        char text[P2_PROPOSAL_TEXT];
        p2_suite_format(&host_gateway(sim_host(sim, 0))->pairs->suite, text);
        CU_ASSERT_STRING_EQUAL(text, chosen[i]);
        sim_free(sim);
    }
}

CHECK_MAIN("suites", {"ESP with every cipher and HMAC", esp_with_every_cipher_and_hmac},
           {"ESP in every network", esp_in_every_network},
           {"AH with every HMAC in every network", ah_with_every_hmac_in_every_network},
           {"AH around ESP in every network", ah_around_esp_in_every_network},
           {"a bundle is rekeyed and taken down as one", a_bundle_is_rekeyed_and_taken_down_as_one},
           {"a bundle takes no half", a_bundle_takes_no_half},
           {"extended numbers cross 2^32", extended_numbers_cross_2_32},
           {"an upper half that differs fails the ICV", an_upper_half_that_differs_fails_the_icv},
           {"the window begins where the peer's counter does",
            the_window_begins_where_the_peers_counter_does},
           {"alternatives are settled by the initiator's order",
            alternatives_are_settled_by_the_initiators_order})
