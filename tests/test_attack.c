/* Attackers without a simulation: what they see in packets, what they make of them, what they record, and
 * that each injected packet has exactly one fate. */
#include "attack.h"

#include "attack_tap.h"
#include "check.h"
#include "cursor.h"
#include "host.h"
#include "ip.h"

#define SPI UINT32_C(0x12345678)

/* splitmix64 behind the attacker's face. */
static void fill(void *ctx, uint8_t *out, size_t len)
{
    test_random_fill(ctx, P2_RANDOM_IV, out, len);
}

struct packet {
    uint8_t bytes[300];
    size_t len;
};

/* 10.0.0.1 to 10.0.0.2, or the other way round. */
static struct packet packet_of(bool back, uint8_t protocol, const uint8_t *payload, size_t len)
{
    struct packet packet;
    struct p2_ip_header header = {.source = {.family = 4, .bytes = {10, 0, 0, back ? 2 : 1}},
                                  .destination = {.family = 4, .bytes = {10, 0, 0, back ? 1 : 2}},
                                  .ttl = 64,
                                  .protocol = protocol,
                                  .payload_len = len};
    size_t at = p2_ip_build(packet.bytes, &header);
    memcpy(packet.bytes + at, payload, len);
    packet.len = at + len;
    return packet;
}

/* ESP's header stands first in the payload, AH's SPI four bytes in. */
static struct packet ipsec(bool back, bool ah, uint32_t spi, uint32_t sequence)
{
    uint8_t payload[120];
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)i;
    payload[0] = 4;
    payload[1] = 4;
    p2_put_u32(payload + (ah ? 4 : 0), spi);
    p2_put_u32(payload + (ah ? 8 : 4), sequence);
    return packet_of(back, ah ? 51 : 50, payload, sizeof payload);
}

static struct packet udp(uint16_t port, const uint8_t *data, size_t len)
{
    uint8_t payload[260];
    p2_udp_build(payload, port, port, len);
    memcpy(payload + P2_UDP_HEADER_LEN, data, len);
    return packet_of(false, P2_IP_PROTO_UDP, payload, P2_UDP_HEADER_LEN + len);
}

static struct packet ike(uint16_t port, uint8_t flags)
{
    uint8_t data[64] = {0};
    size_t at = port == 4500 ? 4 : 0;
    memcpy(data + at, "initiat.respond.", 16); /* NOLINT(bugprone-not-null-terminated-result): two cookies */
    data[at + 16] = 8;
    data[at + 17] = 0x10;
    data[at + 18] = 32;
    data[at + 19] = flags;
    p2_put_u32(data + at + 20, 77);
    p2_put_u32(data + at + 24, 60);
    return udp(port, data, at + 60);
}

static struct attack_view look(const struct packet *packet)
{
    return attack_look(packet->bytes, packet->len);
}

static void packets_are_told_apart(void)
{
    static const uint8_t keepalive[] = {0xff}, query[40] = {1, 2, 3};
    uint8_t esp[40] = {0x12, 0x34, 0x56, 0x78, 0, 0, 0, 9};
    struct packet p = ipsec(false, false, SPI, 5);
    struct attack_view view = look(&p);
    CU_ASSERT(view.protocol == SCENARIO_ATTACK_ESP && view.at == 20 && view.spi == SPI && view.sequence == 5);
    p = ipsec(false, true, SPI, 6);
    view = look(&p);
    CU_ASSERT(view.protocol == SCENARIO_ATTACK_AH && view.at == 20 && view.spi == SPI && view.sequence == 6);
    p = udp(4500, esp, sizeof esp);
    view = look(&p);
    CU_ASSERT(view.protocol == SCENARIO_ATTACK_ESP && view.at == 28 && view.spi == SPI && view.sequence == 9);
    p = ike(500, 1);
    CU_ASSERT(look(&p).protocol == SCENARIO_ATTACK_IKE && look(&p).at == 28);
    p = ike(4500, 1);
    CU_ASSERT(look(&p).protocol == SCENARIO_ATTACK_IKE && look(&p).at == 32);
    p = udp(4500, keepalive, sizeof keepalive);
    CU_ASSERT_EQUAL(look(&p).protocol, 0);
    p = udp(53, query, sizeof query);
    CU_ASSERT_EQUAL(look(&p).protocol, 0);
    for (size_t len = 0; len < p.len; len++) /* cut short: not a whole packet */
        CU_ASSERT_EQUAL(attack_look(p.bytes, len).protocol, 0);
}

static void a_reflected_packet_is_for_its_sender(void)
{
    struct packet p = ike(500, 1), esp = ipsec(false, false, SPI, 5), back = ipsec(true, false, SPI, 5);
    struct p2_ip_view view;
    p2_put_u16(p.bytes + 20, 1000);
    attack_reflect(p.bytes, p.len);
    CU_ASSERT_EQUAL_FATAL(p2_ip_parse(&view, p.bytes, p.len), P2_OK);
    CU_ASSERT(view.source.bytes[3] == 2 && view.destination.bytes[3] == 1);
    CU_ASSERT(view.source_port == 500 && view.destination_port == 1000);
    attack_reflect(esp.bytes, esp.len); /* the checksum too is that of the packet made that way */
    CU_ASSERT_EQUAL(memcmp(esp.bytes, back.bytes, esp.len), 0);
}

/* Sum of an IPv4 header with its checksum in it: RFC 1071. */
static bool has_good_checksum(const uint8_t *header)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < 20; i += 2)
        sum += p2_get_u16(header + i);
    return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

static size_t differing_bits(const uint8_t *a, const uint8_t *b, size_t len)
{
    size_t num = 0;
    for (size_t i = 0; i < len * 8; i++)
        num += ((a[i / 8] ^ b[i / 8]) >> i % 8 & 1) != 0;
    return num;
}

static void forgeries_are_what_they_say(void)
{
    static uint8_t out[ATTACK_PACKET_MAX];
    struct test_random state = {.seed = 1};
    struct attack_random random = {fill, &state};
    for (unsigned ah = 0; ah < 2; ah++) {
        struct packet p = ipsec(false, ah, SPI, 5);
        size_t behind = 20 + (ah ? 12 : 8), shortest = p.len;
        for (int i = 0; i < 200; i++) {
            size_t len = attack_forge(out, p.bytes, p.len, SCENARIO_FORGE_FLIP_BITS, 40, random);
            struct attack_view view = attack_look(out, len);
            CU_ASSERT(len == p.len && view.spi == SPI && view.sequence == 41);
            CU_ASSERT_EQUAL(differing_bits(out + behind, p.bytes + behind, len - behind), 1);
            len = attack_forge(out, p.bytes, p.len, SCENARIO_FORGE_TRUNCATE, 40, random);
            CU_ASSERT(len >= behind && len < p.len && p2_get_u16(out + 2) == len && has_good_checksum(out));
            shortest = len < shortest ? len : shortest;
            len = attack_forge(out, p.bytes, p.len, SCENARIO_FORGE_WRONG_SPI, 40, random);
            view = attack_look(out, len);
            CU_ASSERT(len == p.len && view.spi != SPI && view.spi >= 256 && view.sequence == 5);
            len = attack_forge(out, p.bytes, p.len, SCENARIO_FORGE_HIGH_SEQUENCE, 40, random);
            CU_ASSERT(attack_look(out, len).sequence == 40 + (UINT32_C(1) << 30));
            CU_ASSERT_EQUAL(memcmp(out + behind, p.bytes + behind, len - behind), 0);
            len = attack_forge(out, p.bytes, p.len, SCENARIO_FORGE_RANDOM, 40, random);
            view = attack_look(out, len);
            CU_ASSERT(len == p.len && view.spi == SPI && view.sequence == 41);
            CU_ASSERT(differing_bits(out + behind, p.bytes + behind, len - behind) > 300);
        }
        CU_ASSERT(shortest < behind + 10);
    }
}

static void a_bad_hash_looks_like_a_quick_mode(void)
{
    static uint8_t out[ATTACK_PACKET_MAX];
    struct test_random state = {.seed = 1};
    struct attack_random random = {fill, &state};
    uint32_t ids[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        struct packet p = ike(i ? 4500 : 500, 1);
        size_t len = attack_bad_hash(out, p.bytes, p.len, random);
        struct attack_view view = attack_look(out, len);
        CU_ASSERT_EQUAL_FATAL(view.protocol, SCENARIO_ATTACK_IKE);
        const uint8_t *header = out + view.at;
        CU_ASSERT_EQUAL(memcmp(header, "initiat.respond.", 16), 0);
        CU_ASSERT(header[16] == 8 && header[17] == 0x10 && header[18] == 32 && header[19] == 1);
        CU_ASSERT_EQUAL(p2_get_u32(header + 24), len - view.at);
        CU_ASSERT_EQUAL((len - view.at - 28) % 16, 0);
        CU_ASSERT_EQUAL(p2_get_u16(out + 2), len);
        CU_ASSERT_EQUAL(p2_get_u16(out + 24), len - 20);
        ids[i] = p2_get_u32(header + 20);
    }
    CU_ASSERT(ids[0] != 0 && ids[1] != 0 && ids[0] != ids[1] && ids[0] != 77);
    struct packet esp = ipsec(false, false, SPI, 1);
    CU_ASSERT_EQUAL(attack_bad_hash(out, esp.bytes, esp.len, random), 0);
}

static void hear(struct attack_tap *tap, p2_time now, int end, const struct packet *packet)
{
    CU_ASSERT_EQUAL_FATAL(attack_tap_hear(tap, now, end, packet->bytes, packet->len, (uint64_t)now), P2_OK);
}

static void a_tap_keeps_what_is_wanted(void)
{
    struct attack_tap tap = {0};
    struct scenario_attack wanted = {
        .kind = SCENARIO_REPLAY, .protocols = SCENARIO_ATTACK_ESP, .sent_by = 0, .from = 10, .until = 20};
    CU_ASSERT_EQUAL_FATAL(attack_tap_want(&tap, &wanted), P2_OK);
    struct packet p, ah = ipsec(false, true, SPI, 1), message = ike(500, 1), plain = ike(500, 0);
    for (uint32_t i = 5; i < 25; i++) {
        p = ipsec(false, false, SPI, i);
        hear(&tap, i, 0, &p);
        hear(&tap, i, 1, &p);
        hear(&tap, i, 0, &ah);
    }
    CU_ASSERT_EQUAL_FATAL(tap.num, 11); /* 10 to 20, both included */
    for (uint32_t i = 0; i < 11; i++) {
        CU_ASSERT(tap.items[i].time == 10 + i && tap.items[i].end == 0 && tap.items[i].mark == 10 + i);
        CU_ASSERT_EQUAL(attack_look(tap.items[i].bytes, tap.items[i].len).sequence, 10 + i);
    }
    struct attack_view view = look(&p);
    CU_ASSERT_EQUAL(attack_tap_newest(&tap, &view), 24);
    p = ipsec(false, false, SPI, 7); /* an old one changes nothing */
    hear(&tap, 30, 0, &p);
    CU_ASSERT_EQUAL(attack_tap_newest(&tap, &view), 24);
    p = ipsec(false, false, SPI + 1, 7);
    view = look(&p);
    CU_ASSERT_EQUAL(attack_tap_newest(&tap, &view), 7); /* never heard: what it says itself */
    hear(&tap, 31, 1, &message);
    hear(&tap, 32, 1, &plain); /* Phase 1 in the clear is nothing to imitate */
    CU_ASSERT(tap.last_ike[1].time == 31 && tap.last_ike[0].len == 0);
    attack_tap_cleanup(&tap);
}

/* --- fates --- */

static void drop(struct attacks *attacks, const struct causes *causes, uint64_t mark, enum p2_drop reason,
                 uint32_t spi, bool of_ipsec)
{
    struct p2_action action = {.type = P2_ACTION_DROP, .mark = mark};
    action.u.drop.reason = reason;
    action.u.drop.spi = spi;
    action.u.drop.ipsec = of_ipsec;
    attacks_observe(attacks, causes, &action);
}

static void each_packet_has_one_fate(void)
{
    struct attacks attacks;
    struct causes *causes;
    struct p2_action deliver = {.type = P2_ACTION_DELIVER_CLEAR};
    uint64_t marks[8];
    CU_ASSERT_EQUAL_FATAL(causes_new(&causes), P2_OK);
    CU_ASSERT_EQUAL_FATAL(attacks_init(&attacks, 2), P2_OK);
    for (size_t i = 0; i < 8; i++) {
        marks[i] = attacks_inject(&attacks, 1, false, 0);
        CU_ASSERT_TRUE((marks[i] & HOST_INJECTED) != 0);
        if (i > 0) /* the first never arrives */
            attacks_arrived(&attacks, marks[i], 0);
        if (i > 1)
            attacks_arrived(&attacks, marks[1], 0); /* nor does one arrive twice */
    }
    drop(&attacks, causes, marks[1], P2_DROP_REPLAYED, SPI, true);
    drop(&attacks, causes, marks[1], P2_DROP_TOO_OLD, SPI, true); /* at another gateway: the first counts */
    drop(&attacks, causes, marks[2], P2_DROP_ICV_MISMATCH, SPI, true);
    drop(&attacks, causes, marks[3], P2_DROP_UNKNOWN_SPI, SPI, true);
    drop(&attacks, causes, marks[4], P2_DROP_RUNT, 0, true);
    deliver.mark = marks[5];
    attacks_observe(&attacks, causes, &deliver);
    drop(&attacks, causes, marks[5], P2_DROP_NO_SA, 0, true); /* delivered, and not sent on */
    drop(&attacks, causes, marks[6], P2_DROP_CPU_QUEUE_FULL, SPI, true);
    drop(&attacks, causes, 3, P2_DROP_REPLAYED, SPI, true); /* somebody else's */
    attacks_end(&attacks);
    const struct attack_counts *c = &attacks.counts[1];
    CU_ASSERT(c->injected == 8 && c->arrived == 7 && c->ike == 0);
    CU_ASSERT(c->rejected[P2_DROP_REPLAYED] == 1 && c->rejected[P2_DROP_TOO_OLD] == 0);
    CU_ASSERT(c->rejected[P2_DROP_ICV_MISMATCH] == 1 && c->rejected[P2_DROP_UNKNOWN_SPI] == 1);
    CU_ASSERT(c->rejected[P2_DROP_RUNT] == 1 && c->rejected[P2_DROP_CPU_QUEUE_FULL] == 1);
    CU_ASSERT(c->accepted == 1 && c->unfinished == 1);
    CU_ASSERT_EQUAL(c->live, 5); /* what waits for the CPU does so for an SA */
    uint64_t fates = c->accepted + c->answered + c->unfinished;
    for (unsigned reason = 0; reason < P2_NUM_DROPS; reason++)
        fates += c->rejected[reason];
    CU_ASSERT_EQUAL(fates, c->arrived);
    CU_ASSERT_EQUAL(attacks.counts[0].injected, 0);
    attacks_cleanup(&attacks);
    causes_free(causes);
}

static void a_copy_is_known_by_its_original(void)
{
    struct attacks attacks;
    CU_ASSERT_EQUAL_FATAL(attacks_init(&attacks, 2), P2_OK);
    uint64_t copy = attacks_inject(&attacks, 0, false, 77);
    uint64_t of_copy = attacks_inject(&attacks, 1, false, copy); /* heard on another link, and sent again */
    uint64_t forged = attacks_inject(&attacks, 1, false, 0);
    CU_ASSERT_EQUAL(attacks_original(&attacks, 77), 77);
    CU_ASSERT_EQUAL(attacks_original(&attacks, copy), 77);
    CU_ASSERT_EQUAL(attacks_original(&attacks, of_copy), 77);
    CU_ASSERT_EQUAL(attacks_original(&attacks, forged), 0);
    attacks_came_first(&attacks, of_copy);
    CU_ASSERT(attacks.counts[0].came_first == 0 && attacks.counts[1].came_first == 1);
    attacks_cleanup(&attacks);
}

/* An IKE message is known by its arrival, through the jobs that it made. */
static void ike_is_followed_through_jobs(void)
{
    struct attacks attacks;
    struct causes *causes;
    CU_ASSERT_EQUAL_FATAL(causes_new(&causes), P2_OK);
    CU_ASSERT_EQUAL_FATAL(attacks_init(&attacks, 1), P2_OK);
    uint64_t arrivals[4];
    for (size_t i = 0; i < 4; i++) {
        uint64_t mark = attacks_inject(&attacks, 0, true, 0);
        arrivals[i] = causes_add(causes, 5, CAUSE_EXTERNAL, 0);
        attacks_arrived(&attacks, mark, arrivals[i]);
    }
    uint64_t job = causes_add(causes, 5, CAUSE_JOB_SUBMIT, arrivals[0]);
    job = causes_add(causes, 7, CAUSE_JOB_END, causes_add(causes, 6, CAUSE_JOB_START, job));
    drop(&attacks, causes, job, P2_DROP_HASH_MISMATCH, 0, false);
    drop(&attacks, causes, arrivals[1], P2_DROP_UNKNOWN_COOKIE, 0, false);
    struct p2_action answer = {.type = P2_ACTION_SEND_IKE, .mark = arrivals[2]};
    answer.u.send_ike.answer = true;
    attacks_observe(&attacks, causes, &answer);
    struct p2_action ready = {.type = P2_ACTION_NEGOTIATION, .mark = arrivals[3]};
    attacks_observe(&attacks, causes, &ready);
    /* What another host sent and arrived is nobody's. */
    uint64_t sent = causes_add(causes, 7, CAUSE_EMISSION, job);
    drop(&attacks, causes, causes_add(causes, 8, CAUSE_ARRIVAL, sent), P2_DROP_MALFORMED, 0, false);
    attacks_end(&attacks);
    const struct attack_counts *c = &attacks.counts[0];
    CU_ASSERT(c->injected == 4 && c->arrived == 4 && c->ike == 4 && c->live == 3 && c->unfinished == 0);
    CU_ASSERT(c->rejected[P2_DROP_HASH_MISMATCH] == 1 && c->rejected[P2_DROP_UNKNOWN_COOKIE] == 1);
    CU_ASSERT(c->answered == 1 && c->accepted == 1 && c->rejected[P2_DROP_MALFORMED] == 0);
    attacks_cleanup(&attacks);
    causes_free(causes);
}

CHECK_MAIN("attack", {"packets are told apart", packets_are_told_apart},
           {"a reflected packet is for its sender", a_reflected_packet_is_for_its_sender},
           {"forgeries are what they say", forgeries_are_what_they_say},
           {"a bad hash looks like a Quick Mode", a_bad_hash_looks_like_a_quick_mode},
           {"a tap keeps what is wanted", a_tap_keeps_what_is_wanted},
           {"each packet has one fate", each_packet_has_one_fate},
           {"a copy is known by its original", a_copy_is_known_by_its_original},
           {"IKE is followed through jobs", ike_is_followed_through_jobs})
