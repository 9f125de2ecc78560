/* The host between a core and a CPU model: what work costs, and what becomes of it when there is no room.
 * Phase 1 is preset, so that a Quick Mode is all there is; times are by hand. */
#include "host_fixture.h"

#include "ip.h"

#define NETWORK (27 * P2_MS) /* three messages */

static void check_latency(struct sim *sim, p2_time network, p2_time cpu, p2_time cpu_wait,
                          p2_time retransmission)
{
    struct cause_split split;
    const struct ledger_entry *quick = sim_quick(sim, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(quick);
    CU_ASSERT_EQUAL_FATAL(ledger_outcome(quick), LEDGER_ESTABLISHED);
    p2_time latency = ledger_latency(quick, sim_causes(sim), &split);
    CU_ASSERT_EQUAL(latency, network + cpu + cpu_wait + retransmission);
    CU_ASSERT_EQUAL(split.network, network);
    CU_ASSERT_EQUAL(split.cpu, cpu);
    CU_ASSERT_EQUAL(split.cpu_wait, cpu_wait);
    CU_ASSERT_EQUAL(split.retransmission_wait, retransmission);
}

/* --- what a Quick Mode costs --- */

/* One IV at each end (2 hashes). HMACs: 1 for each HASH(n) made and checked (6), and KEYMAT of two SAs at
 * each end, 36 bytes from blocks of 20 (8). Three messages are encrypted and decrypted. */
static void a_quick_mode_costs_its_operations(void)
{
    const struct prices p = {.hash = 1000000, .hmac = 10000, .encrypt = 100, .decrypt = 1};
    struct profile profile = profile_of(&p, false);
    struct sim_options o = preset(&profile);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    check_latency(sim, NETWORK, 2140303, 0, 0);
    CU_ASSERT_EQUAL(sim_quick(sim, 0)->cpu_total, 2140303);
    CU_ASSERT_EQUAL(host_cpu(sim_host(sim, 0))->busy + host_cpu(sim_host(sim, 1))->busy, 2140303);
    sim_free(sim);
}

/* Payloads: HASH 24, SA 52, nonce 36, two IDs of 16: 144 bytes, and 24 in message 3, which make 32 of
 * ciphertext. Encrypted and decrypted: 144 + 144 + 32 each. HMACs: 144 four times, 69 (0 | M-ID | Ni | Nr),
 * 32, and eight KEYMAT blocks over 20 + 5 + 64. Hashes: 16 + 4, twice. */
static void a_quick_mode_costs_its_bytes(void)
{
    const struct prices p = {.hash = 10000000, .hmac = 100000, .encrypt = 1000, .decrypt = 1};
    struct profile profile = profile_of(&p, true);
    struct sim_options o = preset(&profile);
    struct sim *sim = sim_new(&o);
    sim_run(sim, 2 * P2_SECOND);
    check_latency(sim, NETWORK, 40 * p.hash + (4 * 144 + 69 + 32 + 8 * 89) * p.hmac + 320 * p.encrypt + 320,
                  0, 0);
    sim_free(sim);
}

static void pfs_costs_two_of_each_at_both_ends_together(void)
{
    const struct prices p = {.dh_generate = 3 * P2_MS, .dh_derive = 5 * P2_MS};
    struct profile profile = profile_of(&p, false);
    struct sim_options o = preset(&profile);
    o.tunnel[0].policy.pfs = o.tunnel[1].policy.pfs = P2_GROUP_2;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    check_latency(sim, NETWORK, 16 * P2_MS, 0, 0);
    sim_free(sim);
}

/* --- a busy CPU --- */

/* A first Quick Mode message that verifies under no key: the initiator's own with another message ID. */
static void inject_forged(struct sim *sim, uint8_t which)
{
    const struct sim_message *m = sim_sent(sim, 0);
    uint8_t forged[2048];
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    memcpy(forged, m->bytes, m->len);
    forged[20] ^= which;
    sim_inject_ike(sim, 1, forged, m->len);
}

/* HMAC 20 ms and nothing else: message 1 leaves at 20 ms and arrives at 30 ms. A forged one that came at 25
 * ms keeps the responder's CPU until 45 ms. Fourteen HMACs in all. */
static void work_waits_for_a_busy_cpu(void)
{
    const struct prices p = {.hmac = 20 * P2_MS};
    struct profile profile = profile_of(&p, false);
    struct sim_options o = preset(&profile);
    struct sim *sim = sim_new(&o);
    sim_run(sim, 25 * P2_MS);
    inject_forged(sim, 1);
    sim_run(sim, P2_SECOND);
    check_latency(sim, NETWORK, 14 * 20 * P2_MS, 15 * P2_MS, 0);
    CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_HASH_MISMATCH), 1);
    CU_ASSERT_EQUAL(host_cpu(sim_host(sim, 1))->waited, 15 * P2_MS);
    sim_free(sim);
}

/* Message 1 is verified from 30 ms to 50 ms and answered until 150 ms; a forged one that came at 40 ms waits
 * until then, and not between the two stages. */
static void verifying_and_answering_are_not_torn_apart(void)
{
    const struct prices p = {.hmac = 20 * P2_MS};
    struct profile profile = profile_of(&p, false);
    struct sim_options o = preset(&profile);
    struct sim *sim = sim_new(&o);
    sim_run(sim, 40 * P2_MS);
    inject_forged(sim, 1);
    sim_run(sim, P2_SECOND);
    check_latency(sim, NETWORK, 14 * 20 * P2_MS, 0, 0);
    CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_HASH_MISMATCH), 1);
    CU_ASSERT_EQUAL(host_cpu(sim_host(sim, 1))->waited, 110 * P2_MS);
    sim_free(sim);
}

/* One forged message runs and one waits in a queue for one: message 1 finds no room. Its copy, one second
 * after it, does, and the Quick Mode is as good as any. */
static void a_full_queue_drops_and_a_resend_recovers(void)
{
    const struct prices p = {.hmac = 20 * P2_MS};
    struct profile profile = profile_of(&p, false);
    struct sim_options o = preset(&profile);
    o.queue = 1;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 25 * P2_MS);
    inject_forged(sim, 1);
    inject_forged(sim, 2);
    sim_run(sim, 999 * P2_MS);
    CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_CPU_QUEUE_FULL), 1);
    CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_HASH_MISMATCH), 2);
    CU_ASSERT_EQUAL(sim_num_pairs(sim, 0) + sim_num_pairs(sim, 1), 0);
    sim_run(sim, 2 * P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    CU_ASSERT_EQUAL(sim_quick(sim, 0)->resent, 1);
    check_latency(sim, NETWORK, 14 * 20 * P2_MS, 0, P2_SECOND);
    CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_CPU_QUEUE_FULL), 1);
    sim_free(sim);
}

/* --- one host by itself --- */

struct seen {
    struct causes *causes;
    size_t num_drops, num_sent;
    enum p2_drop reason;
    uint64_t mark, emission;
    p2_time emitted_at;
};

static void see_send_ike(void *ctx, const struct p2_datagram *datagram, uint64_t emission)
{
    struct seen *seen = ctx;
    (void)datagram;
    seen->num_sent++;
    seen->emission = emission;
    seen->emitted_at = causes_time(seen->causes, emission);
}

static void see_packet(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    (void)ctx, (void)packet, (void)len, (void)mark;
    CU_FAIL("no packet was expected");
}

static void see(void *ctx, p2_time now, const struct p2_action *action, uint64_t event)
{
    struct seen *seen = ctx;
    (void)now, (void)event;
    if (action->type == P2_ACTION_DROP) {
        seen->num_drops++;
        seen->reason = action->u.drop.reason;
        seen->mark = action->mark;
    }
}

/* The left-hand side of the usual two; it starts by itself, or only with its peer. */
static struct host *one_host(struct seen *seen, struct test_random *random, enum p2_establish establish)
{
    struct sim_options o = preset(NULL);
    struct host *host;
    o.tunnel[0].establish = establish;
    *seen = (struct seen){0};
    CU_ASSERT_EQUAL_FATAL(causes_new(&seen->causes), P2_OK);
    struct host_config config = {.gateway = {&o.peer[0], 1, &o.tunnel[0], 1, false},
                                 .random = test_random(random),
                                 .cores = 1,
                                 .queue = 10,
                                 .causes = seen->causes,
                                 .ops = {seen, see_send_ike, see_packet, see_packet, see, NULL}};
    CU_ASSERT_EQUAL_FATAL(host_new(&host, &config), P2_OK);
    return host;
}

static void a_passive_host_waits_for_nothing(void)
{
    struct seen seen;
    struct test_random random = {.seed = 1};
    struct host *host = one_host(&seen, &random, P2_ESTABLISH_PASSIVE);
    CU_ASSERT_EQUAL(host_tick(host, P2_SECOND), P2_OK);
    CU_ASSERT_EQUAL(seen.num_sent, 0);
    CU_ASSERT_EQUAL(host_next_timeout(host), P2_TIME_NEVER);
    host_free(host);
    causes_free(seen.causes);
}

static void a_drop_bears_the_packets_own_mark(void)
{
    struct seen seen;
    struct test_random random = {.seed = 1};
    struct host *host = one_host(&seen, &random, P2_ESTABLISH_PASSIVE);
    uint8_t packet[64] = {0};
    struct p2_ip_header header = {.source = p2_address_v4(0x0a010001),
                                  .destination = p2_address_v4(0x0a020001),
                                  .protocol = P2_IP_PROTO_UDP,
                                  .payload_len = 44};
    p2_ip_build(packet, &header);
    CU_ASSERT_EQUAL(host_send_clear(host, 0, packet, 64, 71), P2_OK);
    CU_ASSERT_EQUAL(seen.reason, P2_DROP_NO_SA);
    CU_ASSERT_EQUAL(seen.mark, 71);
    header.destination = p2_address_v4(0x0a030001);
    p2_ip_build(packet, &header);
    CU_ASSERT_EQUAL(host_send_clear(host, 0, packet, 64, 72), P2_OK);
    CU_ASSERT_EQUAL(seen.reason, P2_DROP_NO_POLICY);
    CU_ASSERT_EQUAL(seen.mark, 72);
    header.protocol = P2_IP_PROTO_ESP;
    p2_ip_build(packet, &header);
    CU_ASSERT_EQUAL(host_receive_ipsec(host, 0, packet, 64, 73), P2_OK);
    CU_ASSERT_EQUAL(seen.reason, P2_DROP_UNKNOWN_SPI);
    CU_ASSERT_EQUAL(seen.mark, 73);
    CU_ASSERT_EQUAL(seen.num_drops, 3);
    host_free(host);
    causes_free(seen.causes);
}

/* Message 1 at 5 s, as late as the first tick comes; its copies after 1, 2, 4, 8 and 16 s more; each is an
 * emission of its own, at its own time. */
static void copies_are_emissions_at_their_own_times(void)
{
    static const int64_t at_s[] = {5, 6, 8, 12, 20, 36};
    struct seen seen;
    struct test_random random = {.seed = 1};
    struct host *host = one_host(&seen, &random, P2_ESTABLISH_IMMEDIATELY);
    uint64_t before = 0;
    CU_ASSERT_EQUAL(host_next_timeout(host), 0);
    for (size_t i = 0; i < 6; i++) {
        if (i > 0)
            CU_ASSERT_EQUAL(host_next_timeout(host), at_s[i] * P2_SECOND);
        CU_ASSERT_EQUAL(host_tick(host, at_s[i] * P2_SECOND), P2_OK);
        CU_ASSERT_EQUAL(seen.num_sent, i + 1);
        CU_ASSERT_EQUAL(seen.emitted_at, at_s[i] * P2_SECOND);
        CU_ASSERT(seen.emission > before);
        before = seen.emission;
    }
    CU_ASSERT_EQUAL(host_tick(host, host_next_timeout(host)), P2_OK);
    CU_ASSERT_EQUAL(seen.num_sent, 6);
    host_free(host);
    causes_free(seen.causes);
}

CHECK_MAIN("host", {"a Quick Mode costs its operations", a_quick_mode_costs_its_operations},
           {"a Quick Mode costs its bytes", a_quick_mode_costs_its_bytes},
           {"PFS costs two of each at both ends together", pfs_costs_two_of_each_at_both_ends_together},
           {"work waits for a busy CPU", work_waits_for_a_busy_cpu},
           {"verifying and answering are not torn apart", verifying_and_answering_are_not_torn_apart},
           {"a full queue drops and a resend recovers", a_full_queue_drops_and_a_resend_recovers},
           {"a passive host waits for nothing", a_passive_host_waits_for_nothing},
           {"a drop bears the packet's own mark", a_drop_bears_the_packets_own_mark},
           {"copies are emissions at their own times", copies_are_emissions_at_their_own_times})
