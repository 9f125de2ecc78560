/* Packets under the SAs of two hosts: what is refused for which reason, and a data path that is priced like
 * everything else. */
#include "host_fixture.h"

#include "ah.h"
#include "esp.h"
#include "internal.h"
#include "ip.h"

/* A packet for the inbound SA of the right-hand side, made with that SA's own keys. */
struct forgery {
    uint32_t sequence;
    uint32_t source;     /* of the inner packet; 0: 10.1.0.1, which is inside */
    uint8_t next_header; /* 0: IPv4 */
    uint32_t spi_change; /* added to the SPI, and still under a good ICV */
};

static size_t build_esp(const struct p2_sa_info *sa, const struct forgery *f, struct p2_bytes inner,
                        uint8_t *out)
{
    struct p2_esp_keys keys;
    static const uint8_t iv[16] = {9, 8, 7};
    p2_esp_init(&keys, sa->cipher, sa->encryption_key, sa->auth, sa->authentication_key, false);
    struct p2_ip_header outer = {.source = sa->source,
                                 .destination = sa->destination,
                                 .ttl = 64,
                                 .protocol = P2_IP_PROTO_ESP,
                                 .payload_len = p2_esp_sealed_len(&keys, inner.len)};
    p2_ip_build(out, &outer);
    p2_esp_seal(&keys, sa->spi + f->spi_change, f->sequence, iv,
                f->next_header ? f->next_header : P2_IP_PROTO_IPV4, inner, out + P2_IPV4_HEADER_LEN);
    return P2_IPV4_HEADER_LEN + outer.payload_len;
}

static size_t build_ah(const struct p2_sa_info *sa, const struct forgery *f, struct p2_bytes inner,
                       uint8_t *out)
{
    struct p2_ah_keys keys;
    uint8_t plain[256];
    struct p2_ip_header outer = {.source = sa->source,
                                 .destination = sa->destination,
                                 .ttl = 64,
                                 .protocol = f->next_header ? f->next_header : P2_IP_PROTO_IPV4,
                                 .payload_len = inner.len};
    p2_ah_init(&keys, sa->auth, sa->authentication_key, false);
    p2_ip_build(plain, &outer);
    memcpy(plain + P2_IPV4_HEADER_LEN, inner.data, inner.len);
    return p2_ah_seal(&keys, sa->spi + f->spi_change, f->sequence, plain, P2_IPV4_HEADER_LEN + inner.len,
                      out);
}

static size_t make_packet(struct sim *sim, const struct forgery *f, uint8_t out[256])
{
    struct p2_sa_info sa = {0};
    for (size_t i = 0; p2_gateway_sa_at(host_gateway(sim_host(sim, 1)), i, &sa) && !sa.inbound; i++)
        ;
    CU_ASSERT_TRUE_FATAL(sa.inbound);
    uint8_t inner[100] = {0};
    struct p2_ip_header header = {.source = p2_address_v4(f->source ? f->source : 0x0a010001),
                                  .destination = p2_address_v4(0x0a020001),
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_UDP,
                                  .payload_len = sizeof(inner) - P2_IPV4_HEADER_LEN};
    p2_ip_build(inner, &header);
    return (sa.protocol == P2_PROTO_AH ? build_ah : build_esp)(&sa, f,
                                                               (struct p2_bytes){inner, sizeof(inner)}, out);
}

static void arrive(struct sim *sim, const uint8_t *packet, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (len > 0)
        memcpy(copy, packet, len);
    CU_ASSERT_EQUAL(host_receive_ipsec(sim_host(sim, 1), sim_now(sim), copy, len, 5), P2_OK);
    free(copy);
}

static void arrive_made(struct sim *sim, const struct forgery *f)
{
    uint8_t packet[256];
    arrive(sim, packet, make_packet(sim, f, packet));
}

static void arrive_numbered(struct sim *sim, uint32_t sequence)
{
    struct forgery f = {.sequence = sequence};
    arrive_made(sim, &f);
}

static void let_work(struct sim *sim)
{
    sim_run(sim, sim_now(sim) + 100 * P2_MS);
}

static uint64_t top_of_window(struct sim *sim)
{
    struct p2_sa_info sa;
    for (size_t i = 0; p2_gateway_sa_at(host_gateway(sim_host(sim, 1)), i, &sa); i++) {
        if (sa.inbound)
            return sa.sequence;
    }
    return 0;
}

static bool is_ah(struct sim *sim)
{
    return host_gateway(sim_host(sim, 1))->pairs->suite.protocol[0] == P2_PROTO_AH;
}

static void use_ah(struct sim_options *o)
{
    for (int side = 0; side < 2; side++)
        o->tunnel[side].policy.proposals[0] =
            p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA256_128);
}

/* The same packets, processed within the call, as jobs that are free, and as jobs that cost; with ESP and
 * with AH. */
static void in_all_ways(void (*run)(struct sim *sim))
{
    const struct prices p = {.hmac = 1000, .encrypt = 2000, .decrypt = 3000};
    struct profile profile = profile_of(&p, false);
    for (int way = 0; way < 6; way++) {
        struct sim_options o = preset(way % 3 == 2 ? &profile : NULL);
        o.defer_ipsec = way % 3 > 0;
        if (way >= 3)
            use_ah(&o);
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        CU_ASSERT_TRUE_FATAL(sim_sadbs_equal(sim, 1));
        CU_ASSERT_EQUAL(is_ah(sim), way >= 3);
        run(sim);
        sim_free(sim);
    }
}

static void check_arrivals(struct sim *sim, size_t delivered, enum p2_drop reason, size_t dropped)
{
    let_work(sim);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), delivered);
    CU_ASSERT_EQUAL(sim_drops(sim, 1, reason), dropped);
}

static void replay(struct sim *sim)
{
    for (uint32_t sequence = 1; sequence <= 100; sequence++)
        arrive_numbered(sim, sequence);
    check_arrivals(sim, 100, P2_DROP_REPLAYED, 0);
    for (uint32_t sequence = 100; sequence >= 1; sequence--) /* in reverse; the window has 64 */
        arrive_numbered(sim, sequence);
    check_arrivals(sim, 100, P2_DROP_REPLAYED, 64);
    CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_TOO_OLD), 36);
}

static void replayed_packets_are_refused(void)
{
    in_all_ways(replay);
}

/* A burst of one good packet and seven copies: with jobs, all eight pass the first look at the window before
 * the first of them is processed. */
static void burst(struct sim *sim)
{
    for (int i = 0; i < 8; i++)
        arrive_numbered(sim, 7);
    check_arrivals(sim, 1, P2_DROP_REPLAYED, 7);
}

static void copies_in_the_queue_cannot_both_pass(void)
{
    in_all_ways(burst);
}

/* Packets as jobs that cost, at one second. */
static struct sim *established(const struct profile *profile, uint32_t queue, bool ah)
{
    struct sim_options o = preset(profile);
    if (ah)
        use_ah(&o);
    o.defer_ipsec = true;
    o.queue = queue;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    return sim;
}

/* That they did pass the first look shows in what they cost: 1 + 3 ms with ESP, 1 ms with AH. */
static void copies_in_the_queue_are_paid_for(void)
{
    const struct prices p = {.hmac = 1 * P2_MS, .decrypt = 3 * P2_MS};
    struct profile profile = profile_of(&p, false);
    for (int ah = 0; ah < 2; ah++) {
        struct sim *sim = established(&profile, 10, ah);
        p2_time busy = host_cpu(sim_host(sim, 1))->busy, twice = (ah ? 2 : 8) * P2_MS;
        arrive_numbered(sim, 7);
        arrive_numbered(sim, 7);
        CU_ASSERT_EQUAL(sim_delivered(sim, 1), 0);
        check_arrivals(sim, 1, P2_DROP_REPLAYED, 1);
        CU_ASSERT_EQUAL(host_cpu(sim_host(sim, 1))->busy - busy, twice);
        arrive_numbered(sim, 7); /* now the first look is enough, and costs nothing */
        check_arrivals(sim, 1, P2_DROP_REPLAYED, 2);
        CU_ASSERT_EQUAL(host_cpu(sim_host(sim, 1))->busy - busy, twice);
        sim_free(sim);
    }
}

static void forge(struct sim *sim)
{
    uint8_t packet[256];
    struct forgery far = {.sequence = 1000000};
    size_t len = make_packet(sim, &far, packet);
    packet[len - 1] ^= 1;
    arrive(sim, packet, len);
    check_arrivals(sim, 0, P2_DROP_ICV_MISMATCH, 1);
    CU_ASSERT_EQUAL(top_of_window(sim), 0);
    arrive_numbered(sim, 1);
    check_arrivals(sim, 1, P2_DROP_ICV_MISMATCH, 1);
    CU_ASSERT_EQUAL(top_of_window(sim), 1);
    far.sequence = 2;
    len = make_packet(sim, &far, packet);
    packet[P2_IPV4_HEADER_LEN + (is_ah(sim) ? 9 : 5)] ^= 0x40; /* the number itself, on the way */
    arrive(sim, packet, len);
    check_arrivals(sim, 1, P2_DROP_ICV_MISMATCH, 2);
    CU_ASSERT_EQUAL(top_of_window(sim), 1);
}

static void a_forged_packet_does_not_move_the_window(void)
{
    in_all_ways(forge);
}

static void refuse(struct sim *sim)
{
    const struct {
        struct forgery forgery;
        enum p2_drop reason;
    } cases[] = {
        {{.sequence = 0}, P2_DROP_SEQUENCE_ZERO},
        {{.sequence = 1, .spi_change = 1}, P2_DROP_UNKNOWN_SPI},
        {{.sequence = 2, .source = 0x0a010100}, P2_DROP_SELECTOR_MISMATCH}, /* 10.1.1.0 */
        {{.sequence = 3, .source = 0x0a020001}, P2_DROP_SELECTOR_MISMATCH}, /* from this side itself */
        {{.sequence = 4, .next_header = P2_IP_PROTO_UDP}, P2_DROP_SELECTOR_MISMATCH},
        /* RFC 4303 section 2.6; AH has no dummies */
        {{.sequence = 5, .next_header = P2_IP_PROTO_NONE},
         is_ah(sim) ? P2_DROP_SELECTOR_MISMATCH : P2_DROP_DUMMY},
    };
    size_t expected[P2_NUM_DROPS] = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        arrive_made(sim, &cases[i].forgery);
        check_arrivals(sim, 0, cases[i].reason, ++expected[cases[i].reason]);
    }
    CU_ASSERT_EQUAL(top_of_window(sim), 5); /* what verified counts, whatever was in it */
}

static void what_does_not_belong_is_refused_for_its_reason(void)
{
    in_all_ways(refuse);
}

/* Too short for AES-128 and HMAC-SHA1-96, or no whole blocks; for AH with HMAC-SHA-256-128. */
static bool is_runt(bool ah, size_t len)
{
    size_t payload = len < 20 ? 0 : len - 20;
    return ah ? payload < 28 : payload < 8 + 16 + 16 + 12 || (payload - 8 - 16 - 12) % 16 != 0;
}

/* Every truncation, with an outer header that fits it. Cut within the ciphertext it is no whole block, or its
 * ICV is not where it should be. */
static void cut_short(struct sim *sim)
{
    uint8_t packet[256];
    struct forgery f = {.sequence = 1};
    size_t whole = make_packet(sim, &f, packet), runts = 0;
    for (size_t len = 0; len < whole; len++) {
        if (len >= 4)
            p2_put_u16(packet + 2, (uint16_t)len);
        runts += is_runt(is_ah(sim), len);
        arrive(sim, packet, len);
    }
    check_arrivals(sim, 0, P2_DROP_RUNT, runts);
    CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_ICV_MISMATCH), whole - runts);
    CU_ASSERT(whole - runts > 3);
    p2_put_u16(packet + 2, (uint16_t)whole);
    arrive(sim, packet, whole);
    check_arrivals(sim, 1, P2_DROP_RUNT, runts);
}

static void truncated_packets_are_refused(void)
{
    in_all_ways(cut_short);
}

/* RFC 4303 section 3.3.3: the counter must not cycle; the SA is replaced instead. No test sends 2^32 packets;
 * this one reaches into the core, past the soft limit. */
static void run_out(struct sim *sim)
{
    struct p2_sa_pair *pair = host_gateway(sim_host(sim, 0))->pairs;
    pair->out->sequence = UINT32_MAX - 2;
    pair->asked = true;
    for (int i = 0; i < 4; i++)
        sim_send(sim, 0, 60);
    check_arrivals(sim, 2, P2_DROP_REPLAYED, 0);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_SEQUENCE_OVERFLOW) + sim_drops(sim, 0, P2_DROP_NO_SA), 2);
    sim_run(sim, sim_now(sim) + P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    CU_ASSERT_EQUAL_FATAL(sim_quick(sim, 1)->start, P2_START_SEQUENCE);
    sim_send(sim, 0, 60);
    check_arrivals(sim, 3, P2_DROP_REPLAYED, 0);
    CU_ASSERT_EQUAL(top_of_window(sim), 1);
}

static void the_last_number_is_used_and_none_after_it(void)
{
    in_all_ways(run_out);
}

/* Sealing 1 + 2 ms, 10 ms on the wire, opening 1 + 3 ms; with AH there is nothing to encrypt. */
static void a_priced_packet_takes_its_time(void)
{
    const struct prices p = {.hmac = 1 * P2_MS, .encrypt = 2 * P2_MS, .decrypt = 3 * P2_MS};
    struct profile profile = profile_of(&p, false);
    for (int ah = 0; ah < 2; ah++) {
        struct sim *sim = established(&profile, 10, ah);
        p2_time at = P2_SECOND + (ah ? 12 : 17) * P2_MS;
        sim_send(sim, 0, 100);
        sim_run(sim, at - 1);
        CU_ASSERT_EQUAL(sim_delivered(sim, 1), 0);
        sim_run(sim, at);
        CU_ASSERT_EQUAL(sim_delivered(sim, 1), 1);
        sim_free(sim);
    }
}

/* One runs and four wait; the other five of ten are dropped. */
static void packets_without_room_are_dropped(void)
{
    const struct prices p = {.hmac = 1000};
    struct profile profile = profile_of(&p, false);
    for (int ah = 0; ah < 2; ah++) {
        struct sim *sim = established(&profile, 4, ah);
        for (int i = 0; i < 10; i++)
            sim_send(sim, 0, 100);
        CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_CPU_QUEUE_FULL), 5);
        let_work(sim);
        CU_ASSERT_EQUAL(sim_delivered(sim, 1), 5);
        CU_ASSERT_EQUAL(host_cpu(sim_host(sim, 0))->longest_queue, 4);
        sim_send(sim, 0, 100);
        let_work(sim);
        CU_ASSERT_EQUAL(sim_delivered(sim, 1), 6);
        sim_free(sim);
    }
}

CHECK_MAIN("host: packets", {"replayed packets are refused", replayed_packets_are_refused},
           {"copies in the queue cannot both pass", copies_in_the_queue_cannot_both_pass},
           {"copies in the queue are paid for", copies_in_the_queue_are_paid_for},
           {"a forged packet does not move the window", a_forged_packet_does_not_move_the_window},
           {"what does not belong is refused for its reason", what_does_not_belong_is_refused_for_its_reason},
           {"truncated packets are refused", truncated_packets_are_refused},
           {"the last number is used and none after it", the_last_number_is_used_and_none_after_it},
           {"a priced packet takes its time", a_priced_packet_takes_its_time},
           {"packets without room are dropped", packets_without_room_are_dropped})
