/* Seeded schedules of attacks on ESP and AH between two gateways, beside honest loss, disorder and
 * duplicates, forced rekeys, extended sequence numbers around 2^32, and packets that wait for a CPU or do
 * not. With the window on nothing is delivered twice and nothing forged at all, no forged number moves a
 * window, and no packet that was honestly sent is lost to it. The same schedule with the window off lets
 * replays in: so they did arrive.
 *
 * P2_ATTACKS: how many schedules instead of 1,000. P2_SEED: just that one. */
#include "sim/attacker.h"

#include "cursor.h"
#include "ip.h"

#define MAX_HONEST 2048
#define MAX_PACKET 256
#define STEP       (2 * P2_MS)
#define STEPS      200

struct schedule {
    struct disorder_options options;
    struct profile profile;
    uint64_t seed;
    unsigned attack, rekey; /* thousandths, each step */
};

struct findings {
    uint64_t num_sent, num_delivered; /* honest ones, each once */
    uint64_t num_again;               /* deliveries of what had been delivered */
    uint64_t num_forged, num_lost_to_window, num_windows_moved, num_other_drops;
    bool crossed; /* 2^32 */
};

struct scene {
    const struct schedule *schedule;
    struct disorder *world;
    struct attacker attacker;
    struct test_random random;
    bool delivered[MAX_HONEST];
    struct findings found;
};

/* --- schedules --- */

static struct p2_proposal draw_proposal(struct test_random *r)
{
    struct p2_proposal ah = p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA256_128);
    struct p2_proposal cbc = p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96);
    switch (test_random_below(r, 6)) {
    case 0:
        return cbc;
    case 1:
        return p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES128_GCM16, P2_AUTH_NONE);
    case 2:
        return p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_NULL, P2_AUTH_HMAC_SHA1_96);
    case 3:
        return p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES256_CTR, P2_AUTH_HMAC_SHA256_128);
    case 4:
        return ah;
    default:
        ah.protocols[ah.num_protocols++] = cbc.protocols[0];
        return ah;
    }
}

static void draw_tunnel(struct schedule *s, struct test_random *r, size_t n)
{
    static const uint32_t windows[] = {32, 64, 100, 1024};
    struct p2_policy policy = p2_policy_default("nopfs-esp-aes128-sha");
    struct p2_selector inside[2] = {p2_selector_v4(0x0a010000 + ((uint32_t)n << 8), 24),
                                    p2_selector_v4(0x0a020000 + ((uint32_t)n << 8), 24)};
    policy.proposals[0] = draw_proposal(r);
    policy.esn = test_random_below(r, 2);
    /* Far enough below 2^32 that the first packet that arrives is below it too: a window in which nothing was
     * seen knows no upper half. */
    policy.sequence_first = policy.esn ? UINT32_MAX - 20 - test_random_below(r, 40) : 0;
    policy.replay_window = windows[test_random_below(r, 4)];
    policy.overlap = P2_SECOND;
    for (int side = 0; side < 2; side++) {
        struct p2_tunnel_config *tunnel = &s->options.tunnel[side][n];
        snprintf(tunnel->name, P2_NAME_MAX, "t%zu", n);
        tunnel->local = inside[side];
        tunnel->remote = inside[!side];
        tunnel->policy = policy;
        tunnel->establish = side == 0 ? P2_ESTABLISH_IMMEDIATELY : P2_ESTABLISH_PASSIVE;
    }
}

/* Honest packets are overtaken by fewer than the narrowest window has room for: one leaves each 2 ms. */
static void draw(struct schedule *s, uint64_t seed)
{
    struct test_random r = {seed * 104729};
    struct disorder_options *o = &s->options;
    memset(s, 0, sizeof *s);
    s->seed = o->seed = seed;
    s->profile.scale = 1;
    p2_time price = (p2_time)(5 + test_random_below(&r, 50)) * 1000;
    for (unsigned op = 0; op < P2_NUM_OPERATIONS; op++) {
        for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++)
            s->profile.prices[op][a] = (struct profile_price){true, price * 1000, 0};
    }
    o->jitter = (p2_time)test_random_below(&r, 3) * 12 * P2_MS;
    o->loss = test_random_below(&r, 2) ? (unsigned)test_random_below(&r, 100) : 0;
    o->duplicates = test_random_below(&r, 2) ? (unsigned)test_random_below(&r, 200) : 0;
    o->defer_ipsec = test_random_below(&r, 2);
    for (int side = 0; side < 2; side++) {
        o->delay[side] = (p2_time)(1 + test_random_below(&r, 20)) * P2_MS;
        o->profile[side] = o->defer_ipsec && seed % 4 ? &s->profile : NULL;
        o->cores[side] = 1 + (uint32_t)test_random_below(&r, 2);
        o->queue[side] = 1000;
        snprintf(o->peer[side].name, P2_NAME_MAX, "%s", side ? "left" : "right");
        o->peer[side].local = p2_address_v4(0xc0000201 + (uint32_t)side);
        o->peer[side].remote = p2_address_v4(0xc0000202 - (uint32_t)side);
        o->peer[side].phase1 = p2_phase1_policy_default("secret");
        o->peer[side].phase1.mode = P2_PHASE1_PRESET;
    }
    o->num_tunnels = DISORDER_TUNNELS;
    for (size_t n = 0; n < o->num_tunnels; n++)
        draw_tunnel(s, &r, n);
    s->attack = 300 + (unsigned)test_random_below(&r, 500);
    s->rekey = (unsigned)test_random_below(&r, 15);
}

/* Extended numbers can not be without a window. */
static void switch_windows_off(struct schedule *s)
{
    for (int side = 0; side < 2; side++) {
        for (size_t n = 0; n < DISORDER_TUNNELS; n++) {
            s->options.tunnel[side][n].policy.replay_window = 0;
            s->options.tunnel[side][n].policy.esn = false;
            s->options.tunnel[side][n].policy.sequence_first = 0;
        }
    }
}

/* --- honest packets: the rest of each follows from its mark --- */

static size_t make_honest(uint64_t mark, uint8_t *out)
{
    struct test_random r = {mark};
    size_t payload = 16 + test_random_below(&r, 150);
    uint32_t tunnel = (uint32_t)(mark >> 1 & 1) << 8, from = mark & 1;
    struct p2_ip_header header = {.source = p2_address_v4((from ? 0x0a020001 : 0x0a010001) + tunnel),
                                  .destination = p2_address_v4((from ? 0x0a010001 : 0x0a020001) + tunnel),
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_UDP,
                                  .payload_len = payload};
    size_t at = p2_ip_build(out, &header);
    p2_put_u64(out + at, 0);
    p2_put_u64(out + at + 8, mark);
    for (size_t i = 16; i < payload; i++)
        out[at + i] = (uint8_t)test_random_next(&r);
    return at + payload;
}

/* UINT64_MAX: no packet that the other side sent. */
static uint64_t mark_of(const struct scene *scene, int side, const uint8_t *packet, size_t len)
{
    uint8_t honest[MAX_PACKET];
    if (len < P2_IPV4_HEADER_LEN + 16)
        return UINT64_MAX;
    uint64_t mark = p2_get_u64(packet + P2_IPV4_HEADER_LEN + 8);
    if (mark / 4 >= scene->found.num_sent || (int)(mark & 1) == side)
        return UINT64_MAX;
    return make_honest(mark, honest) == len && memcmp(honest, packet, len) == 0 ? mark : UINT64_MAX;
}

static void on_deliver(void *ctx, int side, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct scene *scene = ctx;
    uint64_t honest = mark_of(scene, side, packet, len);
    attacker_delivered(&scene->attacker, mark);
    if (honest == UINT64_MAX) {
        scene->found.num_forged++;
        return;
    }
    bool *delivered = &scene->delivered[honest / 4];
    scene->found.num_again += *delivered;
    scene->found.num_delivered += !*delivered;
    *delivered = true;
}

/* What the window refuses of honest packets has been delivered: it is a copy. */
static void on_observe(void *ctx, int side, const struct p2_action *action)
{
    struct scene *scene = ctx;
    (void)side;
    attacker_observe(&scene->attacker, action);
    if (action->type != P2_ACTION_DROP || !action->u.drop.ipsec || action->mark >= ATTACKER_MARK)
        return;
    enum p2_drop reason = action->u.drop.reason;
    bool by_window =
        reason == P2_DROP_REPLAYED || reason == P2_DROP_TOO_OLD || reason == P2_DROP_SEQUENCE_ZERO;
    if (by_window && !scene->delivered[action->mark / 4])
        scene->found.num_lost_to_window++;
    else if (!by_window && reason != P2_DROP_CPU_QUEUE_FULL)
        scene->found.num_other_drops++;
}

/* The top of a window is never above what its peer has sent. */
static void look_at_windows(struct scene *scene)
{
    struct p2_sa_info in, out;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; p2_gateway_sa_at(disorder_gateway(scene->world, side), i, &in); i++) {
            scene->found.crossed |= in.inbound && in.sequence > UINT32_MAX;
            for (size_t n = 0; p2_gateway_sa_at(disorder_gateway(scene->world, !side), n, &out); n++)
                scene->found.num_windows_moved +=
                    in.inbound && !out.inbound && in.spi == out.spi && in.sequence > out.sequence;
        }
    }
}

/* --- one schedule --- */

static void step(struct scene *scene)
{
    uint8_t packet[MAX_PACKET];
    const struct schedule *s = scene->schedule;
    struct test_random *r = &scene->random;
    for (uint64_t from = 0; from < 2; from++) {
        uint64_t mark = 4 * scene->found.num_sent++ + 2 * test_random_below(r, 2) + from;
        disorder_send_packet(scene->world, (int)from, packet, make_honest(mark, packet), mark);
    }
    if (test_random_below(r, 1000) < s->rekey)
        disorder_rekey(scene->world, (int)test_random_below(r, 2), test_random_below(r, DISORDER_TUNNELS));
    disorder_run(scene->world, disorder_now(scene->world) + (p2_time)test_random_below(r, STEP));
    if (test_random_below(r, 1000) < s->attack)
        attacker_act(&scene->attacker);
}

static void attack_for_a_while(struct scene *scene, int num)
{
    for (int i = 0; i < num; i++) {
        attacker_act(&scene->attacker);
        disorder_run(scene->world, disorder_now(scene->world) + STEP);
    }
    look_at_windows(scene);
}

/* Traffic and attacks; attacks after the old SAs went; attacks after all of them did. */
static void run(struct scene *scene, const struct schedule *s)
{
    memset(scene, 0, sizeof *scene);
    scene->schedule = s;
    scene->random.seed = s->seed * 15485863;
    scene->world = disorder_new(&s->options);
    attacker_begin(&scene->attacker, scene->world, s->seed * 32452843);
    struct disorder_witness witness = {scene, on_deliver, on_observe};
    disorder_call_witness(scene->world, &witness);
    disorder_run(scene->world, P2_SECOND);
    for (int i = 0; i < STEPS; i++) {
        p2_time until = disorder_now(scene->world) + STEP;
        step(scene);
        disorder_run(scene->world, until);
        if (i % 16 == 0)
            look_at_windows(scene);
    }
    disorder_run(scene->world, disorder_now(scene->world) + 3 * P2_SECOND);
    attack_for_a_while(scene, 20);
    for (size_t n = 0; n < DISORDER_TUNNELS; n++)
        disorder_clear(scene->world, 1, n);
    disorder_run(scene->world, disorder_now(scene->world) + 100 * P2_MS);
    attack_for_a_while(scene, 5);
    disorder_free(scene->world);
}

static bool is_verbatim(unsigned kind)
{
    return kind < ATTACK_REFLECTED;
}

/* Of those whose SA was there. */
static uint64_t live(const struct scene *scene, bool verbatim)
{
    uint64_t sum = 0;
    for (unsigned kind = 0; kind < ATTACK_NUM; kind++)
        sum += is_verbatim(kind) == verbatim ? scene->attacker.tally[kind].live : 0;
    return sum;
}

static void add(struct attack_tally *sums, const struct attacker *attacker)
{
    for (unsigned kind = 0; kind < ATTACK_NUM; kind++) {
        sums[kind].injected += attacker->tally[kind].injected;
        sums[kind].live += attacker->tally[kind].live;
        sums[kind].delivered += attacker->tally[kind].delivered;
        sums[kind].second += attacker->tally[kind].second;
    }
}

/* Holds whatever the window is; and the attack did take place. */
static bool holds(const struct scene *scene)
{
    const struct findings *f = &scene->found;
    return f->num_forged == 0 && f->num_other_drops == 0 && f->num_delivered * 4 > f->num_sent * 3 &&
           live(scene, true) > 100 && live(scene, false) > 10 &&
           scene->attacker.tally[ATTACK_AFTER_END].delivered == 0 &&
           scene->attacker.tally[ATTACK_REFLECTED].delivered == 0;
}

static void tell(const struct scene *scene, const char *window)
{
    const struct findings *f = &scene->found;
    printf("\n      P2_SEED=%llu, window %s: sent %llu, delivered %llu, again %llu, forged %llu, lost to the "
           "window "
           "%llu, windows moved %llu, dropped otherwise %llu; live replays %llu, forgeries %llu",
           (unsigned long long)scene->schedule->seed, window, (unsigned long long)f->num_sent,
           (unsigned long long)f->num_delivered, (unsigned long long)f->num_again,
           (unsigned long long)f->num_forged, (unsigned long long)f->num_lost_to_window,
           (unsigned long long)f->num_windows_moved, (unsigned long long)f->num_other_drops,
           (unsigned long long)live(scene, true), (unsigned long long)live(scene, false));
}

/* --- all of them --- */

static void print(const struct attack_tally *on, const struct attack_tally *off)
{
    printf("\n      %-20s %10s %10s %10s %10s %14s", "attack", "injected", "live", "delivered", "2nd look",
           "without window");
    for (unsigned kind = 0; kind < ATTACK_NUM; kind++) {
        if (on[kind].injected > 0)
            printf("\n      %-20s %10llu %10llu %10llu %10llu %14llu", attack_name((enum attack_kind)kind),
                   (unsigned long long)on[kind].injected, (unsigned long long)on[kind].live,
                   (unsigned long long)on[kind].delivered, (unsigned long long)on[kind].second,
                   (unsigned long long)off[kind].delivered);
    }
    printf("\n      ");
}

/* Each kind reached live SAs, where it is of that sort; copies met in the queue of the CPU. */
static void check_that_it_happened(const struct attack_tally *on, uint64_t num_crossed, uint64_t num)
{
    uint64_t second = 0;
    for (unsigned kind = 0; kind < ATTACK_NUM; kind++) {
        bool to_none =
            kind == ATTACK_AFTER_END || kind == ATTACK_REFLECTED || kind == ATTACK_FORGED + MANGLE_SPI;
        second += on[kind].second;
        if (kind == ATTACK_FORGED + MANGLE_NOTHING)
            continue;
        CU_ASSERT(on[kind].injected > num);
        if (!to_none)
            CU_ASSERT(on[kind].live > num / 2);
    }
    CU_ASSERT(second > num);
    CU_ASSERT(num_crossed > num / 3);
}

static void no_attack_gets_through_the_window(void)
{
    static struct schedule s;
    static struct scene scene;
    static struct attack_tally on[ATTACK_NUM], off[ATTACK_NUM];
    uint64_t num_crossed = 0, only = check_setting("P2_SEED", 0);
    uint64_t num = only ? 1 : check_setting("P2_ATTACKS", 1000);
    for (uint64_t i = 0; i < num; i++) {
        draw(&s, only ? only : i + 1);
        run(&scene, &s);
        bool good = holds(&scene) && scene.found.num_again == 0 && scene.found.num_lost_to_window == 0 &&
                    scene.found.num_windows_moved == 0;
        CU_ASSERT_TRUE(good);
        if (!good || only)
            tell(&scene, "on");
        num_crossed += scene.found.crossed;
        add(on, &scene.attacker);
        switch_windows_off(&s);
        run(&scene, &s);
        good = holds(&scene) && scene.found.num_again > live(&scene, true) / 2;
        CU_ASSERT_TRUE(good);
        if (!good || only)
            tell(&scene, "off");
        add(off, &scene.attacker);
    }
    print(on, off);
    if (!only)
        check_that_it_happened(on, num_crossed, num);
}

CHECK_MAIN("attacks", {"no attack gets through the window", no_attack_gets_through_the_window})
