/* Every reason for which a message or a packet goes no further: provoked once, and counted once, at that end,
 * on that path, and nothing else with it. */
#include "sim/forge.h"

#include "internal.h"
#include "ip.h"

struct row {
    const char *name;
    enum p2_drop reason;
    int side;   /* that drops it */
    bool ipsec; /* on the data path */
    void (*configure)(struct sim_options *o);
    void (*provoke)(struct sim *sim);
};

/* --- IKE --- */

static const struct sim_message *quick_message(struct sim *sim, unsigned number)
{
    const struct sim_message *m = NULL;
    for (size_t i = 0; (m = sim_sent(sim, i)) != NULL; i++) {
        if (m->exchange_type == P2_EXCHANGE_QUICK && --number == 0)
            break;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    return m;
}

/* A copy of one Quick Mode message, with one byte changed. */
static void inject_changed(struct sim *sim, unsigned number, size_t at, uint8_t by)
{
    uint8_t copy[2048];
    const struct sim_message *m = quick_message(sim, number);
    memcpy(copy, m->bytes, m->len);
    copy[at] ^= by;
    sim_inject_ike(sim, 1, copy, m->len);
}

static void no_header(struct sim *sim)
{
    sim_inject_ike(sim, 1, quick_message(sim, 1)->bytes, P2_ISAKMP_HEADER_LEN - 1);
}

static void other_length(struct sim *sim)
{
    inject_changed(sim, 1, 27, 1);
}

static void stranger(struct sim *sim)
{
    const struct sim_message *m = quick_message(sim, 1);
    struct p2_datagram d = {p2_address_v4(0xc6336401), p2_address_v4(0xc0000202), 500, 500, m->bytes, m->len};
    CU_ASSERT_EQUAL(host_receive_ike(sim_host(sim, 1), sim_now(sim), &d, 0), P2_OK);
}

static void other_cookie(struct sim *sim)
{
    inject_changed(sim, 1, 0, 1);
}

/* A new message ID, so that it is no copy. */
static void in_clear(struct sim *sim)
{
    uint8_t copy[2048];
    const struct sim_message *m = quick_message(sim, 1);
    memcpy(copy, m->bytes, m->len);
    copy[19] = 0;
    copy[20] ^= 1;
    sim_inject_ike(sim, 1, copy, m->len);
}

static void another_in_a_finished_exchange(struct sim *sim)
{
    inject_changed(sim, 1, 40, 1);
}

static void other_message_id(struct sim *sim)
{
    inject_changed(sim, 1, 20, 1);
}

static void copy_of_the_last_message(struct sim *sim)
{
    inject_changed(sim, 3, 0, 0);
}

static void copy_of_an_old_message(struct sim *sim)
{
    sim_run(sim, 200 * P2_SECOND);
    inject_changed(sim, 1, 0, 0);
}

static void begin_again(struct sim *sim, p2_time until)
{
    sim_rekey(sim, 0);
    sim_run(sim, sim_now(sim) + until);
}

/* The first message of a rekey comes a second time while it is being verified. */
static void copy_during_the_work(struct sim *sim)
{
    begin_again(sim, 20 * P2_MS);
    inject_changed(sim, 4, 0, 0);
}

static void inform(struct sim *sim, uint16_t type)
{
    struct forge forge;
    forge_begin(&forge, sim);
    forge_notify(&forge, 0, type);
    forge_end(&forge);
}

static void notify_of_nothing(struct sim *sim)
{
    inform(sim, 16390);
}

/* An answer of DPD that was not asked for is an old one. */
static void old_answer(struct sim *sim)
{
    inform(sim, P2_NOTIFY_R_U_THERE_ACK);
}

/* Many exchanges under way, as far as the gateway can tell; 66,000 real ones are in test_recovery.c. */
static void full_pool(struct sim *sim)
{
    struct p2_gateway *gw = host_gateway(sim_host(sim, 1));
    size_t before = gw->num_exchanges;
    uint8_t first[2048];
    const struct sim_message *m = sim_sent(sim, 0);
    memcpy(first, m->bytes, m->len);
    first[0] ^= 1;
    gw->num_exchanges = P2_MAX_EXCHANGES;
    sim_inject_ike(sim, 1, first, m->len);
    gw->num_exchanges = before;
}

/* One packet runs, one waits; a message finds no room. Its copy does. */
static void message_without_room(struct sim *sim)
{
    sim_send(sim, 0, 100);
    sim_send(sim, 0, 100);
    begin_again(sim, 5 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 2);
}

/* --- packets --- */

static void packet_without_room(struct sim *sim)
{
    for (int i = 0; i < 3; i++)
        sim_send(sim, 0, 100);
    sim_run(sim, sim_now(sim) + P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 2);
}

static void send_clear(struct sim *sim, uint32_t destination)
{
    uint8_t packet[40] = {0};
    struct p2_ip_header header = {.source = p2_address_v4(0x0a010001),
                                  .destination = p2_address_v4(destination),
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_UDP,
                                  .payload_len = sizeof(packet) - P2_IPV4_HEADER_LEN};
    p2_ip_build(packet, &header);
    size_t len = destination ? sizeof(packet) : P2_IPV4_HEADER_LEN - 1;
    CU_ASSERT_EQUAL(host_send_clear(sim_host(sim, 0), sim_now(sim), packet, len, 1), P2_OK);
}

static void no_packet(struct sim *sim)
{
    send_clear(sim, 0);
}

static void nowhere(struct sim *sim)
{
    send_clear(sim, 0x0a030001);
}

static void send_one(struct sim *sim)
{
    sim_send(sim, 0, 100);
}

/* Further than an IP packet can be long, once it is in another one. */
static void send_huge(struct sim *sim)
{
    sim_send(sim, 0, 65535);
}

static void last_number(struct sim *sim)
{
    struct p2_sa_pair *pair = host_gateway(sim_host(sim, 0))->pairs;
    pair->out->sequence = UINT32_MAX;
    sim_send(sim, 0, 100);
}

/* An authentic ESP packet for the right side's SA, around an inner packet that fits into two blocks. */
static size_t make_packet(struct sim *sim, uint32_t sequence, uint32_t source, uint8_t out[256])
{
    struct p2_sa_info sa;
    struct p2_esp_keys keys;
    uint8_t inner[P2_IPV4_HEADER_LEN];
    static const uint8_t iv[16] = {9, 8, 7};
    CU_ASSERT_TRUE_FATAL(p2_gateway_sa_at(host_gateway(sim_host(sim, 1)), 0, &sa) && sa.inbound);
    struct p2_ip_header header = {.source = p2_address_v4(source),
                                  .destination = p2_address_v4(0x0a020001),
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_NONE};
    p2_ip_build(inner, &header);
    p2_esp_init(&keys, sa.cipher, sa.encryption_key, sa.auth, sa.authentication_key, false);
    struct p2_ip_header outer = {.source = sa.source,
                                 .destination = sa.destination,
                                 .ttl = 64,
                                 .protocol = P2_IP_PROTO_ESP,
                                 .payload_len = p2_esp_sealed_len(&keys, sizeof(inner))};
    p2_ip_build(out, &outer);
    p2_esp_seal(&keys, sa.spi, sequence, iv, P2_IP_PROTO_IPV4, (struct p2_bytes){inner, sizeof(inner)},
                out + P2_IPV4_HEADER_LEN);
    return P2_IPV4_HEADER_LEN + outer.payload_len;
}

static void arrive(struct sim *sim, const uint8_t *packet, size_t len)
{
    CU_ASSERT_EQUAL(host_receive_ipsec(sim_host(sim, 1), sim_now(sim), packet, len, 5), P2_OK);
}

static void arrive_numbered(struct sim *sim, uint32_t sequence)
{
    uint8_t packet[256];
    arrive(sim, packet, make_packet(sim, sequence, 0x0a010001, packet));
}

/* With one byte changed on the way. */
static void arrive_changed(struct sim *sim, size_t at)
{
    uint8_t packet[256];
    size_t len = make_packet(sim, 1, 0x0a010001, packet);
    packet[at] ^= 1;
    arrive(sim, packet, len);
}

static void twice(struct sim *sim)
{
    arrive_numbered(sim, 1);
    arrive_numbered(sim, 1);
}

static void too_late(struct sim *sim)
{
    arrive_numbered(sim, 65);
    arrive_numbered(sim, 1);
}

static void number_zero(struct sim *sim)
{
    arrive_numbered(sim, 0);
}

static void other_spi(struct sim *sim)
{
    arrive_changed(sim, P2_IPV4_HEADER_LEN);
}

static void other_byte(struct sim *sim)
{
    arrive_changed(sim, 60);
}

static void cut_off(struct sim *sim)
{
    uint8_t packet[256];
    size_t len = make_packet(sim, 1, 0x0a010001, packet) - 1;
    p2_put_u16(packet + 2, (uint16_t)len);
    arrive(sim, packet, len);
}

static void first_piece(struct sim *sim)
{
    uint8_t packet[256];
    size_t len = make_packet(sim, 1, 0x0a010001, packet);
    packet[6] |= 0x20; /* more follow */
    arrive(sim, packet, len);
}

static void other_source(struct sim *sim)
{
    uint8_t packet[256];
    arrive(sim, packet, make_packet(sim, 1, 0x0a090001, packet));
}

/* Changes the last block's plain text, which ends with the padding, its length and the next header: what
 * stands before a block in CBC changes it bit by bit. The ICV is made anew. */
static void arrive_with_other_end(struct sim *sim, size_t at, uint8_t bits)
{
    uint8_t packet[256], icv[P2_HASH_MAX_LEN], *esp = packet + P2_IPV4_HEADER_LEN;
    struct p2_sa_info sa;
    struct p2_hmac hmac;
    size_t len = make_packet(sim, 1, 0x0a010001, packet), icv_len = 12;
    CU_ASSERT_TRUE_FATAL(p2_gateway_sa_at(host_gateway(sim_host(sim, 1)), 0, &sa));
    struct p2_bytes covered = {esp, len - P2_IPV4_HEADER_LEN - icv_len};
    esp[covered.len - 2 * 16 + at] ^= bits;
    p2_hmac_init(&hmac, P2_HASH_SHA1, sa.authentication_key, 20);
    p2_hmac_compute(&hmac, &covered, 1, icv, icv_len);
    memcpy(packet + len - icv_len, icv, icv_len);
    arrive(sim, packet, len);
}

static void other_padding(struct sim *sim)
{
    arrive_with_other_end(sim, 13, 1);
}

static void dummy(struct sim *sim)
{
    arrive_with_other_end(sim, 15, P2_IP_PROTO_IPV4 ^ P2_IP_PROTO_NONE);
}

/* --- all of them --- */

static struct profile slow(void)
{
    struct profile profile = {.name = "by hand", .scale = 1};
    for (size_t op = 0; op < P2_NUM_OPERATIONS; op++) {
        for (size_t a = 0; a < P2_MAX_ALGORITHMS; a++) {
            profile.prices[op][a].known = true;
            profile.prices[op][a].fixed_ps = op == P2_OP_HMAC ? 50 * P2_MS * 1000 : 0;
        }
    }
    return profile;
}

/* The right side takes 50 ms for each HMAC, and one job may wait. */
static void slow_right(struct sim_options *o)
{
    o->peer[0].phase1.mode = o->peer[1].phase1.mode = P2_PHASE1_PRESET;
    o->defer_ipsec = true;
    o->queue = 1;
}

static void passive(struct sim_options *o)
{
    o->tunnel[0].establish = P2_ESTABLISH_PASSIVE;
}

static const struct row rows[] = {
    {"no header", P2_DROP_MALFORMED, 1, false, NULL, no_header},
    {"other length", P2_DROP_MALFORMED, 1, false, NULL, other_length},
    {"stranger", P2_DROP_UNKNOWN_PEER, 1, false, NULL, stranger},
    {"other cookie", P2_DROP_UNKNOWN_COOKIE, 1, false, NULL, other_cookie},
    {"in clear", P2_DROP_UNEXPECTED, 1, false, NULL, in_clear},
    {"another in a finished exchange", P2_DROP_UNEXPECTED, 1, false, NULL, another_in_a_finished_exchange},
    {"other message ID", P2_DROP_HASH_MISMATCH, 1, false, NULL, other_message_id},
    {"copy during the work", P2_DROP_IN_PROGRESS, 1, false, slow_right, copy_during_the_work},
    {"copy of the last message", P2_DROP_DUPLICATE, 1, false, NULL, copy_of_the_last_message},
    {"copy of an old message", P2_DROP_DUPLICATE, 1, false, NULL, copy_of_an_old_message},
    {"message without room", P2_DROP_CPU_QUEUE_FULL, 1, false, slow_right, message_without_room},
    {"full pool", P2_DROP_POOL_EXHAUSTED, 1, false, NULL, full_pool},
    {"notify of nothing", P2_DROP_UNKNOWN_NOTIFY, 1, false, NULL, notify_of_nothing},
    {"old answer", P2_DROP_REPLAYED, 1, false, NULL, old_answer},
    {"no packet", P2_DROP_MALFORMED, 0, true, NULL, no_packet},
    {"nowhere", P2_DROP_NO_POLICY, 0, true, NULL, nowhere},
    {"no SA", P2_DROP_NO_SA, 0, true, passive, send_one},
    {"huge", P2_DROP_TOO_BIG, 0, true, NULL, send_huge},
    {"last number", P2_DROP_SEQUENCE_OVERFLOW, 0, true, NULL, last_number},
    {"packet without room", P2_DROP_CPU_QUEUE_FULL, 1, true, slow_right, packet_without_room},
    {"other SPI", P2_DROP_UNKNOWN_SPI, 1, true, NULL, other_spi},
    {"cut off", P2_DROP_RUNT, 1, true, NULL, cut_off},
    {"twice", P2_DROP_REPLAYED, 1, true, NULL, twice},
    {"too late", P2_DROP_TOO_OLD, 1, true, NULL, too_late},
    {"number zero", P2_DROP_SEQUENCE_ZERO, 1, true, NULL, number_zero},
    {"other byte", P2_DROP_ICV_MISMATCH, 1, true, NULL, other_byte},
    {"other padding", P2_DROP_BAD_PADDING, 1, true, NULL, other_padding},
    {"first piece", P2_DROP_FRAGMENT, 1, true, NULL, first_piece},
    {"dummy", P2_DROP_DUMMY, 1, true, NULL, dummy},
    {"other source", P2_DROP_SELECTOR_MISMATCH, 1, true, NULL, other_source},
};

static bool is_counted(const struct sim *sim, const struct row *row)
{
    bool right = true;
    for (int side = 0; side < 2; side++) {
        for (unsigned reason = 0; reason < P2_NUM_DROPS; reason++) {
            size_t expected = side == row->side && reason == row->reason;
            size_t all = sim_drops(sim, side, (enum p2_drop)reason),
                   ipsec = sim_ipsec_drops(sim, side, (enum p2_drop)reason);
            if (all == expected && ipsec == (row->ipsec ? expected : 0))
                continue;
            printf("\n      %s: side %d, %s: %zu, of packets %zu\n", row->name, side,
                   p2_drop_name((enum p2_drop)reason), all, ipsec);
            right = false;
        }
    }
    return right;
}

static void each_reason_is_counted_once(void)
{
    uint32_t provoked = 1; /* none */
    struct profile profile = slow();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct sim_options o = sim_defaults();
        if (row->configure)
            row->configure(&o);
        if (row->configure == slow_right)
            o.profile[1] = &profile;
        struct sim *sim = sim_new(&o);
        sim_run(sim, 2 * P2_SECOND);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, row->configure == passive ? 0 : 1));
        row->provoke(sim);
        sim_run(sim, sim_now(sim) + 5 * P2_SECOND);
        CU_ASSERT_TRUE(is_counted(sim, row));
        provoked |= UINT32_C(1) << row->reason;
        sim_free(sim);
    }
    CU_ASSERT_EQUAL(provoked, (UINT32_C(1) << P2_NUM_DROPS) - 1);
}

/* Each has a name of its own. */
static void each_reason_has_a_name(void)
{
    for (unsigned i = 0; i < P2_NUM_DROPS; i++) {
        for (unsigned j = 0; j < i; j++)
            CU_ASSERT_STRING_NOT_EQUAL(p2_drop_name((enum p2_drop)i), p2_drop_name((enum p2_drop)j));
    }
    for (unsigned i = 0; i < P2_NUM_FAILURES; i++) {
        for (unsigned j = 0; j < i; j++)
            CU_ASSERT_STRING_NOT_EQUAL(p2_failure_name((enum p2_failure)i),
                                       p2_failure_name((enum p2_failure)j));
    }
}

CHECK_MAIN("drops", {"each reason is counted once", each_reason_is_counted_once},
           {"each reason has a name", each_reason_has_a_name})
