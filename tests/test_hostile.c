/* Hostile packets: ESP and AH that were flipped, cut, spliced, renumbered or made of noise, IPv4 and IPv6, in
 * UDP too, into two gateways with an SA of every kind, between packets that are as they should be. Every
 * input is accounted for exactly once, nothing forged is delivered, nothing is delivered twice where there is
 * a window, and what is as it should be always gets through.
 *
 * P2_HOSTILE: how many packets instead of 300,000. P2_SEED: another seed. */
#include "sim/direct.h"
#include "sim/mangle.h"

#include "cursor.h"
#include "ip.h"

#define MAX_PACKET 768
#define NUM_KEPT   2048 /* sealed packets that the attacker has */
#define NUM_HELD   16   /* sealed packets under way: fewer than the narrowest window */

struct sealed {
    uint64_t id;
    int from;
    size_t len;
    uint8_t bytes[MAX_PACKET];
};

/* What became of one packet that was sealed. */
struct fate {
    bool arrived;   /* it came as it was, on its own account */
    bool delivered; /* it, or a copy of it */
    bool spent;     /* an altered copy used up its number, as it may where an outer header is not protected */
};

/* What became of one input. */
struct outcome {
    size_t num_drops, num_delivered, num_other;
    enum p2_drop reason;
    size_t len;
    uint8_t bytes[2 * MAX_PACKET];
};

struct battle {
    struct direct direct;
    struct test_random random;
    struct sealed kept[NUM_KEPT], held[NUM_HELD];
    size_t num_held, num_kept;
    bool collecting;
    struct fate *fates; /* by number */
    uint64_t num_ids, capacity;
    uint64_t num_inputs, num_legitimate, num_undisturbed, num_replays_in;
    uint64_t drops[P2_NUM_DROPS], num_delivered;
    uint64_t tried[MANGLE_NUM], num_live;
    uint64_t complaints; /* what went wrong */
};

static uint64_t below(struct battle *b, uint64_t n)
{
    return test_random_below(&b->random, n);
}

static void complain(struct battle *b, const char *what, uint64_t id)
{
    if (b->complaints++ < 10)
        printf("\n      input %llu: %s (packet %llu)", (unsigned long long)b->num_inputs, what,
               (unsigned long long)id);
}

/* --- inner packets: each says its number, and the rest follows from that --- */

static const struct direct_tunnel *tunnel_of(const struct battle *b, uint64_t id)
{
    struct test_random r = {id};
    return &b->direct.tunnels[test_random_next(&r) % b->direct.num_tunnels];
}

static size_t make_inner(const struct battle *b, uint64_t id, uint8_t *out)
{
    const struct direct_tunnel *tunnel = tunnel_of(b, id);
    struct test_random r = {id ^ UINT64_C(0xabcdef)};
    int from = (int)(id & 1);
    size_t payload = 16 + test_random_next(&r) % 200;
    struct p2_ip_header header = {.source = tunnel->inside[from],
                                  .destination = tunnel->inside[!from],
                                  .ttl = 64,
                                  .protocol =
                                      tunnel->kind->protocol ? tunnel->kind->protocol : P2_IP_PROTO_UDP,
                                  .payload_len = payload};
    size_t at = p2_ip_build(out, &header);
    memset(out + at, 0, 8); /* ports, or ICMP's type and code */
    p2_put_u64(out + at + 8, id);
    for (size_t i = 16; i < payload; i++)
        out[at + i] = (uint8_t)test_random_next(&r);
    return at + payload;
}

/* The number of the genuine packet that this one is; UINT64_MAX: of none. The header of a packet in transport
 * mode is protected by nobody (ESP) or in parts (AH): its addresses and what stands behind it are looked at.
 */
static uint64_t genuine(const struct battle *b, const uint8_t *packet, size_t len)
{
    uint8_t inner[MAX_PACKET];
    struct p2_ip_view got, wanted;
    if (p2_ip_parse(&got, packet, len) < 0 || got.payload.len < 16)
        return UINT64_MAX;
    uint64_t id = p2_get_u64(got.payload.data + 8);
    if (id >= b->num_ids)
        return UINT64_MAX;
    size_t inner_len = make_inner(b, id, inner);
    if (!tunnel_of(b, id)->kind->transport)
        return len == inner_len && memcmp(packet, inner, len) == 0 ? id : UINT64_MAX;
    if (p2_ip_parse(&wanted, inner, inner_len) < 0 || wanted.payload.len != got.payload.len)
        return UINT64_MAX;
    bool same = memcmp(wanted.payload.data, got.payload.data, got.payload.len) == 0 &&
                p2_address_equal(&wanted.source, &got.source) &&
                p2_address_equal(&wanted.destination, &got.destination) && wanted.protocol == got.protocol;
    return same ? id : UINT64_MAX;
}

/* --- in and out of the gateways --- */

static void look_at(struct outcome *o, const struct p2_action *action)
{
    switch (action->type) {
    case P2_ACTION_DROP:
        o->num_drops++;
        o->reason = action->u.drop.reason;
        o->num_other += !action->u.drop.ipsec;
        break;
    case P2_ACTION_DELIVER_CLEAR:
    case P2_ACTION_SEND_IPSEC:
        o->num_delivered++;
        CU_ASSERT_FATAL(action->u.packet.len <= sizeof o->bytes);
        o->len = action->u.packet.len;
        memcpy(o->bytes, action->u.packet.data, o->len);
        break;
    case P2_ACTION_SEND_IKE: /* INVALID-SPI, and what the CPU would do for it */
    case P2_ACTION_COMPUTE:
        break;
    default:
        o->num_other++;
    }
}

/* Jobs end at once; now and then the CPU has no room for one. */
static void drain(struct battle *b, int side, bool may_refuse, struct outcome *o)
{
    struct p2_action action;
    struct p2_gateway *gw = b->direct.gateways[side];
    uint64_t jobs[4];
    bool ipsec[4];
    size_t num = 0;
    while (p2_gateway_next_action(gw, &action)) {
        look_at(o, &action);
        if (action.type == P2_ACTION_COMPUTE && num < 4) {
            ipsec[num] = action.u.compute.ipsec;
            jobs[num++] = action.u.compute.job;
        }
    }
    for (size_t i = 0; i < num; i++) {
        if (may_refuse && ipsec[i] && below(b, 16) == 0)
            check_ok(p2_gateway_refuse_job(gw, DIRECT_NOW, 1, jobs[i]));
        else
            check_ok(p2_gateway_finish_job(gw, DIRECT_NOW, 1, jobs[i]));
        drain(b, side, may_refuse, o);
    }
}

/* Of ESP the payload alone, as UDP brings it; false: it is no such packet. */
static bool hand_over_in_udp(struct battle *b, int side, const uint8_t *packet, size_t len)
{
    uint8_t protocol = 0;
    struct p2_ip_view view;
    size_t at = mangle_ipsec_at(packet, len, &protocol);
    if (at == 0 || protocol != P2_IP_PROTO_ESP || p2_ip_parse(&view, packet, len) < 0 ||
        p2_udp_payload(packet + at, len - at) != P2_UDP_ESP)
        return false;
    uint8_t *exact = malloc(len - at);
    memcpy(exact, packet + at, len - at);
    struct p2_datagram datagram = {view.source, view.destination, 4500, 4500, exact, len - at};
    check_ok(p2_gateway_receive_udp_esp(b->direct.gateways[side], DIRECT_NOW, 1, &datagram));
    free(exact);
    return true;
}

/* In a buffer of exactly its size, for AddressSanitizer. Exactly one thing becomes of it. */
static struct outcome receive(struct battle *b, int side, const uint8_t *packet, size_t len, bool udp,
                              bool may_refuse)
{
    static struct outcome o;
    o.num_drops = o.num_delivered = o.num_other = o.len = 0;
    o.reason = P2_DROP_NONE;
    if (!udp || !hand_over_in_udp(b, side, packet, len)) {
        uint8_t *exact = malloc(len > 0 ? len : 1);
        memcpy(exact, packet, len);
        check_ok(p2_gateway_receive_ipsec(b->direct.gateways[side], DIRECT_NOW, 1, exact, len));
        free(exact);
    }
    drain(b, side, may_refuse, &o);
    b->num_inputs++;
    b->drops[o.reason] += o.num_drops;
    b->num_delivered += o.num_delivered;
    if (o.num_drops + o.num_delivered != 1 || o.num_other != 0)
        complain(b, "not exactly one thing became of it", UINT64_MAX);
    return o;
}

/* --- what is as it should be --- */

static void seal_one(struct battle *b)
{
    uint8_t inner[MAX_PACKET];
    static struct outcome o;
    struct sealed *sealed = &b->held[b->num_held++];
    if (b->num_ids == b->capacity) {
        b->capacity = b->capacity ? 2 * b->capacity : 65536;
        b->fates = realloc(b->fates, b->capacity * sizeof(*b->fates));
    }
    b->fates[b->num_ids] = (struct fate){0};
    *sealed = (struct sealed){.id = b->num_ids++};
    sealed->from = (int)(sealed->id & 1);
    size_t len = make_inner(b, sealed->id, inner);
    o = (struct outcome){0};
    check_ok(p2_gateway_send_clear(b->direct.gateways[sealed->from], DIRECT_NOW, 1, inner, len));
    drain(b, sealed->from, false, &o);
    CU_ASSERT_FATAL(o.num_delivered == 1 && o.num_drops == 0 && o.len <= MAX_PACKET);
    sealed->len = o.len;
    memcpy(sealed->bytes, o.bytes, o.len);
    b->kept[b->num_kept++ % NUM_KEPT] = *sealed;
}

/* One of those under way arrives, in any order; it is new, whatever came meanwhile. */
static void deliver_one(struct battle *b)
{
    size_t which = below(b, b->num_held);
    struct sealed *sealed = &b->held[which];
    struct outcome o = receive(b, !sealed->from, sealed->bytes, sealed->len, false, false);
    uint64_t id = o.num_delivered ? genuine(b, o.bytes, o.len) : UINT64_MAX;
    struct fate *fate = &b->fates[sealed->id];
    b->num_legitimate++;
    b->num_undisturbed += id == sealed->id && !fate->delivered;
    if (id != sealed->id && (!fate->spent || o.reason != P2_DROP_REPLAYED))
        complain(b, p2_drop_name(o.reason), sealed->id);
    fate->arrived = true;
    fate->delivered |= id == sealed->id;
    b->held[which] = b->held[--b->num_held];
}

/* --- what is not --- */

static const struct sealed *prey(struct battle *b)
{
    if (b->num_held > 0 && below(b, 3) == 0)
        return &b->held[below(b, b->num_held)];
    size_t num = b->num_kept < NUM_KEPT ? b->num_kept : NUM_KEPT;
    return &b->kept[below(b, num)];
}

/* It may be one that was sent: where there is no window, or for the first time if what was changed was not
 * under the ICV. */
static void judge_delivery(struct battle *b, const struct outcome *o)
{
    uint64_t id = genuine(b, o->bytes, o->len);
    if (id == UINT64_MAX) {
        complain(b, "a forged packet was delivered", id);
        return;
    }
    const struct direct_kind *kind = tunnel_of(b, id)->kind;
    if (b->fates[id].delivered && kind->window > 0)
        complain(b, "delivered twice", id);
    b->num_replays_in += b->fates[id].delivered;
    b->fates[id].delivered = true;
}

/* The verdicts that come before a number is used up. */
static bool is_before_the_mark(enum p2_drop reason)
{
    return reason != P2_DROP_NONE && reason != P2_DROP_SELECTOR_MISMATCH;
}

static void attack(struct battle *b)
{
    uint8_t packet[2 * MAX_PACKET];
    const struct sealed *victim = prey(b), *other = prey(b);
    struct fate *fate = &b->fates[victim->id];
    enum mangle_kind kind = (enum mangle_kind)below(b, MANGLE_NUM);
    size_t len = victim->len;
    memcpy(packet, victim->bytes, len);
    if (kind == MANGLE_NOTHING && !fate->arrived) /* that would be its delivery */
        kind = MANGLE_BITS;
    b->tried[kind]++;
    len = mangle(kind, &b->random, packet, len, sizeof packet, (struct p2_bytes){other->bytes, other->len});
    if (below(b, 32) == 0) /* two things at once */
        len = mangle((enum mangle_kind)(1 + below(b, MANGLE_NUM - 1)), &b->random, packet, len, sizeof packet,
                     (struct p2_bytes){other->bytes, other->len});
    int to = below(b, 16) == 0 ? victim->from : !victim->from; /* now and then back to its sender */
    struct outcome o = receive(b, to, packet, len, below(b, 8) == 0, true);
    if (o.num_delivered > 0)
        judge_delivery(b, &o);
    fate->spent |= !is_before_the_mark(o.reason);
    b->num_live +=
        o.reason != P2_DROP_UNKNOWN_SPI && o.reason != P2_DROP_RUNT && o.reason != P2_DROP_FRAGMENT;
}

/* Pure noise, or noise behind a header that says ESP or AH. */
static void noise(struct battle *b)
{
    uint8_t packet[128];
    size_t len = below(b, sizeof packet + 1);
    for (size_t i = 0; i < len; i++)
        packet[i] = (uint8_t)test_random_next(&b->random);
    if (len > P2_IPV6_HEADER_LEN && below(b, 4) > 0) {
        int v6 = (int)below(b, 2);
        const struct direct_tunnel *tunnel = &b->direct.tunnels[0];
        struct p2_ip_header header = {.source = tunnel->inside[0],
                                      .destination = tunnel->inside[1],
                                      .ttl = 9,
                                      .protocol = below(b, 2) ? P2_IP_PROTO_ESP : P2_IP_PROTO_AH,
                                      .payload_len = len - (v6 ? P2_IPV6_HEADER_LEN : P2_IPV4_HEADER_LEN)};
        if (v6)
            header.source = header.destination = (struct p2_address){.family = 6};
        p2_ip_build(packet, &header);
        if (v6 && below(b, 2)) /* extension headers that hold noise */
            packet[6] = (const uint8_t[]){0, 43, 44, 60}[below(b, 4)];
    }
    struct outcome o = receive(b, (int)below(b, 2), packet, len, false, true);
    if (o.num_delivered > 0)
        complain(b, "noise was delivered", UINT64_MAX);
}

/* --- the whole --- */

/* What the SAs counted is what was seen. */
static void check_counters(struct battle *b)
{
    struct p2_sa_counters sum = {0};
    struct p2_sa_info sa;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; p2_gateway_sa_at(b->direct.gateways[side], i, &sa); i++) {
            sum.accepted += sa.inbound_counters.accepted;
            sum.replayed += sa.inbound_counters.replayed;
            sum.too_old += sa.inbound_counters.too_old;
            sum.icv_mismatch += sa.inbound_counters.icv_mismatch;
        }
    }
    CU_ASSERT_EQUAL(sum.accepted, b->num_delivered);
    CU_ASSERT_EQUAL(sum.replayed, b->drops[P2_DROP_REPLAYED]);
    CU_ASSERT_EQUAL(sum.too_old, b->drops[P2_DROP_TOO_OLD]);
    CU_ASSERT_EQUAL(sum.icv_mismatch, b->drops[P2_DROP_ICV_MISMATCH]);
}

static void report(const struct battle *b)
{
    printf("\n      %llu packets, of which %llu as they should be (%llu before any copy);"
           " delivered %llu, of which again without a "
           "window %llu",
           (unsigned long long)b->num_inputs, (unsigned long long)b->num_legitimate,
           (unsigned long long)b->num_undisturbed, (unsigned long long)b->num_delivered,
           (unsigned long long)b->num_replays_in);
    for (unsigned reason = 0; reason < P2_NUM_DROPS; reason++) {
        if (b->drops[reason] > 0)
            printf("\n      %10llu %s", (unsigned long long)b->drops[reason],
                   p2_drop_name((enum p2_drop)reason));
    }
    printf("\n      ");
}

/* Nothing of this passes because nothing arrived. */
static void check_that_it_happened(const struct battle *b, bool defer)
{
    static const enum p2_drop reasons[] = {
        P2_DROP_UNKNOWN_SPI,   P2_DROP_RUNT,         P2_DROP_REPLAYED,          P2_DROP_TOO_OLD,
        P2_DROP_SEQUENCE_ZERO, P2_DROP_ICV_MISMATCH, P2_DROP_SELECTOR_MISMATCH, P2_DROP_FRAGMENT};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        CU_ASSERT(b->drops[reasons[i]] > b->num_inputs / 10000);
    for (unsigned kind = 0; kind < MANGLE_NUM; kind++)
        CU_ASSERT(b->tried[kind] > b->num_inputs / 30);
    CU_ASSERT_EQUAL(b->drops[P2_DROP_CPU_QUEUE_FULL] > 0, defer);
    CU_ASSERT(b->num_live > b->num_inputs / 3);
    CU_ASSERT(b->num_replays_in > b->num_inputs / 1000);
    CU_ASSERT(b->num_legitimate > b->num_inputs / 20);
    CU_ASSERT(b->num_undisturbed > b->num_legitimate * 3 / 4);
}

static void fight(uint64_t num, bool defer)
{
    struct battle *b = calloc(1, sizeof *b);
    uint64_t seed = check_setting("P2_SEED", 1), all = 0;
    b->random.seed = seed;
    direct_init(&b->direct, seed, defer);
    b->collecting = true;
    while (b->num_inputs < num || b->num_held > 0) {
        uint64_t chance = below(b, 8);
        if (chance == 0 && b->collecting)
            seal_one(b);
        else if (chance == 0)
            deliver_one(b);
        else if (chance == 1)
            noise(b);
        else if (b->num_kept > 0)
            attack(b);
        if (b->num_held == NUM_HELD || b->num_held == 0 || b->num_inputs >= num)
            b->collecting = b->num_held == 0;
    }
    for (unsigned reason = 0; reason < P2_NUM_DROPS; reason++)
        all += b->drops[reason];
    CU_ASSERT_EQUAL(all + b->num_delivered, b->num_inputs);
    CU_ASSERT_EQUAL(b->complaints, 0);
    report(b);
    check_counters(b);
    check_that_it_happened(b, defer);
    direct_cleanup(&b->direct);
    free(b->fates);
    free(b);
}

static void at_once(void)
{
    fight(check_setting("P2_HOSTILE", 300000) * 2 / 3, false);
}

static void as_jobs(void)
{
    fight(check_setting("P2_HOSTILE", 300000) / 3, true);
}

CHECK_MAIN("hostile", {"packets that are processed at once", at_once},
           {"packets that wait for the CPU", as_jobs})
