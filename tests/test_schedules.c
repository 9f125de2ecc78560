/* Seeded random schedules of everything that may go wrong at once: loss, duplicates, disorder, corruption, an
 * attacker, forced rekeys, clears and restarts, lifetimes of seconds, of kilobytes and of few numbers, ends
 * that want different ones, slow CPUs with hardly a queue; under either mode of Phase 1 and every shape of
 * Phase 2. What must hold then is little, and always: nothing is stuck, and once the network is calm the
 * tunnels work and both ends agree.
 *
 * P2_SCHEDULES: how many instead of 300. P2_SEED: just that one, and it tells what happens. */
#include "sim/disorder.h"

#include "isakmp.h"

struct schedule {
    struct disorder_options options;
    struct profile profile[2];
    unsigned attack, rekey, clear, restart; /* thousandths, each time it looks */
    bool traffic;
    bool retries;      /* a failed negotiation is tried again */
    bool roomy_queues; /* no queue is so short that data packets can keep IKE out for good */
    uint32_t lifetime_s;
    p2_time active;
};

static unsigned sometimes(struct test_random *r, uint64_t limit)
{
    return test_random_below(r, 2) ? (unsigned)test_random_below(r, limit) : 0;
}

static void draw_network(struct schedule *s, struct test_random *r)
{
    const p2_time jitters[] = {0, 30 * P2_MS, 1500 * P2_MS};
    const uint64_t losses[] = {1, 100, 200, 600};
    struct disorder_options *o = &s->options;
    for (int side = 0; side < 2; side++)
        o->delay[side] = (p2_time)(1 + test_random_below(r, 30)) * P2_MS;
    o->jitter = jitters[test_random_below(r, 3)];
    o->loss = (unsigned)test_random_below(r, losses[test_random_below(r, 4)]);
    o->duplicates = sometimes(r, 300);
    o->corruption = sometimes(r, 100);
    s->attack = sometimes(r, 400);
}

static void draw_profile(struct profile *profile, struct test_random *r)
{
    p2_time generate = test_random_below(r, 2) ? 10 * P2_MS : 250 * P2_MS,
            other = test_random_below(r, 2) ? P2_MS / 10 : 5 * P2_MS;
    memset(profile, 0, sizeof(*profile));
    profile->scale = 1;
    for (unsigned op = 0; op < P2_NUM_OPERATIONS; op++) {
        p2_time fixed = op == P2_OP_DH_GENERATE ? generate : op == P2_OP_DH_DERIVE ? 2 * generate : other;
        for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++)
            profile->prices[op][a] =
                (struct profile_price){true, fixed * 1000, op > P2_OP_DH_DERIVE ? 1000 : 0};
    }
}

static void draw_hosts(struct schedule *s, struct test_random *r)
{
    struct disorder_options *o = &s->options;
    s->roomy_queues = true;
    for (int side = 0; side < 2; side++) {
        bool tiny = test_random_below(r, 4) == 0;
        o->cores[side] = 1 + (uint32_t)test_random_below(r, 2);
        o->queue[side] = tiny ? 1 + (uint32_t)test_random_below(r, 3) : 1000;
        draw_profile(&s->profile[side], r);
        if (test_random_below(r, 2)) {
            o->profile[side] = &s->profile[side];
            s->roomy_queues &= !tiny;
        }
    }
    o->defer_ipsec = test_random_below(r, 2);
}

static void draw_peers(struct schedule *s, struct test_random *r)
{
    struct disorder_options *o = &s->options;
    struct p2_phase1_policy policy = p2_phase1_policy_default("secret");
    bool priced = o->profile[0] || o->profile[1]; /* a copy each 200 ms would drown a slow CPU */
    policy.mode = test_random_below(r, 6) ? P2_PHASE1_MAIN : P2_PHASE1_PRESET;
    policy.group = P2_GROUP_1;
    policy.lifetime_s = test_random_below(r, 2) ? 28800 : 10 + (uint32_t)test_random_below(r, 60);
    policy.retransmission.first = (p2_time)((priced ? 700 : 200) + test_random_below(r, 600)) * P2_MS;
    policy.retransmission.backoff_permille = (priced ? 1600 : 1000) + (uint32_t)test_random_below(r, 401);
    policy.retransmission.tries = (priced ? 3 : 1) + (uint32_t)test_random_below(r, 3);
    for (int side = 0; side < 2; side++) {
        snprintf(o->peer[side].name, P2_NAME_MAX, "%s", side ? "left" : "right");
        o->peer[side].local = p2_address_v4(0xc0000201 + (uint32_t)side);
        o->peer[side].remote = p2_address_v4(0xc0000202 - (uint32_t)side);
        o->peer[side].phase1 = policy;
    }
}

static void draw_tunnel(struct schedule *s, struct test_random *r, size_t n, enum p2_group pfs)
{
    static const enum p2_establish starts[][2] = {
        {P2_ESTABLISH_IMMEDIATELY, P2_ESTABLISH_PASSIVE},
        {P2_ESTABLISH_PASSIVE, P2_ESTABLISH_IMMEDIATELY},
        {P2_ESTABLISH_IMMEDIATELY, P2_ESTABLISH_IMMEDIATELY},
        {P2_ESTABLISH_ON_TRAFFIC, P2_ESTABLISH_ON_TRAFFIC},
        {P2_ESTABLISH_ON_TRAFFIC, P2_ESTABLISH_IMMEDIATELY},
    };
    static const uint32_t soft_limits[] = {800, 800, 500, 1000};
    const enum p2_establish *start = starts[test_random_below(r, sizeof(starts) / sizeof(starts[0]))];
    struct p2_policy policy = p2_policy_default("nopfs-esp-aes128-sha");
    policy.pfs = pfs;
    policy.lifetime_s = s->lifetime_s;
    policy.soft_permille = soft_limits[test_random_below(r, 4)];
    policy.fuzz_permille = test_random_below(r, 2) ? 100 : 0;
    policy.overlap = (p2_time)test_random_below(r, 3) * P2_SECOND;
    struct p2_selector inside[2] = {p2_selector_v4(0x0a010000 + ((uint32_t)n << 8), 24),
                                    p2_selector_v4(0x0a020000 + ((uint32_t)n << 8), 24)};
    for (int side = 0; side < 2; side++) {
        struct p2_tunnel_config *tunnel = &s->options.tunnel[side][n];
        snprintf(tunnel->name, P2_NAME_MAX, "t%zu", n);
        tunnel->local = inside[side];
        tunnel->remote = inside[!side];
        tunnel->policy = policy;
        tunnel->establish = start[side];
        tunnel->retry = s->retries ? (p2_time)(1 + test_random_below(r, 10)) * P2_SECOND : 0;
    }
}

/* --- what an end may be told to do besides: drawn from a source of its own --- */

static void draw_watch(struct schedule *s, struct test_random *r)
{
    bool aggressive = test_random_below(r, 4) == 0,
         dpd[2] = {test_random_below(r, 2), test_random_below(r, 2)};
    for (int side = 0; side < 2; side++) {
        struct p2_phase1_policy *policy = &s->options.peer[side].phase1;
        if (aggressive && policy->mode == P2_PHASE1_MAIN)
            policy->mode = P2_PHASE1_AGGRESSIVE;
        policy->dpd_interval = dpd[side] ? (p2_time)(4 + test_random_below(r, 10)) * P2_SECOND : 0;
        policy->dpd_tries = 2 + (uint32_t)test_random_below(r, 3);
        policy->initial_contact = test_random_below(r, 4) != 0;
    }
}

static struct p2_proposal draw_proposal(struct test_random *r)
{
    struct p2_proposal ah = p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA256_128);
    struct p2_proposal esp = p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96);
    switch (test_random_below(r, 6)) {
    case 0:
        return ah;
    case 1:
        ah.protocols[ah.num_protocols++] = esp.protocols[0];
        return ah;
    case 2:
        return p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES128_GCM16, P2_AUTH_NONE);
    default:
        return esp;
    }
}

/* Its own end's business, on which the other one has no say. */
static void draw_limits(struct p2_policy *policy, struct test_random *r)
{
    static const enum p2_lifetime_rule rules[] = {P2_LIFETIME_SHORTER, P2_LIFETIME_SHORTER, P2_LIFETIME_CLAIM,
                                                  P2_LIFETIME_OBEY};
    policy->lifetime_rule = rules[test_random_below(r, 4)];
    if (test_random_below(r, 3) == 0)
        policy->lifetime_s -= (uint32_t)test_random_below(r, policy->lifetime_s / 2);
    if (test_random_below(r, 3) == 0)
        policy->lifetime_kb = 8 + (uint32_t)test_random_below(r, 60);
    if (test_random_below(r, 4) == 0)
        policy->sequence_max = 30 + (uint32_t)test_random_below(r, 200);
    if (test_random_below(r, 3) == 0)
        policy->install_interval = (p2_time)test_random_below(r, 4000) * P2_MS;
    policy->commit_bit = test_random_below(r, 3) == 0;
}

static void draw_features(struct schedule *s, uint64_t seed)
{
    struct test_random r = {seed * 104729 + 1};
    draw_watch(s, &r);
    for (size_t n = 0; n < s->options.num_tunnels; n++) {
        struct p2_proposal proposal = draw_proposal(&r);
        for (int side = 0; side < 2; side++) {
            struct p2_tunnel_config *tunnel = &s->options.tunnel[side][n];
            tunnel->policy.proposals[0] = proposal;
            tunnel->waiting = (uint32_t)(test_random_below(&r, 2) * test_random_below(&r, 6));
            draw_limits(&tunnel->policy, &r);
        }
    }
    s->clear = test_random_below(&r, 3) ? 0 : (unsigned)test_random_below(&r, 10);
    s->restart = test_random_below(&r, 3) ? 0 : (unsigned)test_random_below(&r, 10);
}

static void draw(struct schedule *s, uint64_t seed)
{
    const enum p2_group groups[] = {P2_GROUP_NONE, P2_GROUP_NONE, P2_GROUP_1, P2_GROUP_19};
    struct test_random r = {seed * 7919};
    memset(s, 0, sizeof(*s));
    s->options.seed = seed;
    s->options.num_tunnels = 1 + test_random_below(&r, DISORDER_TUNNELS);
    draw_network(s, &r);
    draw_hosts(s, &r);
    draw_peers(s, &r);
    s->lifetime_s = 8 + (uint32_t)test_random_below(&r, 40);
    s->retries = test_random_below(&r, 8) != 0;
    s->traffic = test_random_below(&r, 4) != 0;
    s->rekey = sometimes(&r, 30);
    s->active = (p2_time)(30 + test_random_below(&r, 60)) * P2_SECOND;
    enum p2_group pfs = groups[test_random_below(&r, 4)];
    for (size_t n = 0; n < s->options.num_tunnels; n++)
        draw_tunnel(s, &r, n, pfs);
    draw_features(s, seed);
}

static void print_policy(const struct p2_tunnel_config *tunnel)
{
    const struct p2_policy *p = &tunnel->policy;
    char text[P2_PROPOSAL_TEXT];
    p2_proposal_format(&p->proposals[0], text);
    printf("  %s: %s, %u s, %u KB, rule %d, %llu numbers, use after %.1f s, commit %d, %u wait\n",
           tunnel->name, text, p->lifetime_s, p->lifetime_kb, p->lifetime_rule,
           (unsigned long long)p->sequence_max, (double)p->install_interval / P2_SECOND, p->commit_bit,
           tunnel->waiting);
}

static void print_schedule(const struct schedule *s)
{
    const struct disorder_options *o = &s->options;
    const struct p2_phase1_policy *phase1 = &o->peer[0].phase1;
    printf(
        "\nseed %llu: loss %u, duplicates %u, corruption %u, attack %u, jitter %.2f s, delay %.3f %.3f s\n",
        (unsigned long long)o->seed, o->loss, o->duplicates, o->corruption, s->attack,
        (double)o->jitter / P2_SECOND, (double)o->delay[0] / P2_SECOND, (double)o->delay[1] / P2_SECOND);
    for (int side = 0; side < 2; side++)
        printf("  side %d: priced %d, cores %u, queue %u\n", side, o->profile[side] != NULL, o->cores[side],
               o->queue[side]);
    printf("  mode %d, DPD %.0f %.0f s, clears %u, restarts %u\n", phase1->mode,
           (double)phase1->dpd_interval / P2_SECOND, (double)o->peer[1].phase1.dpd_interval / P2_SECOND,
           s->clear, s->restart);
    printf("  preset %d, ISAKMP SA %u s, resends after %.1f s, times %u/1000, %u tries\n",
           phase1->mode == P2_PHASE1_PRESET, phase1->lifetime_s,
           (double)phase1->retransmission.first / P2_SECOND, phase1->retransmission.backoff_permille,
           phase1->retransmission.tries);
    for (size_t n = 0; n < o->num_tunnels; n++)
        printf("  tunnel %zu: start %d %d, PFS %d, %u s, soft %u, retry %.0f %.0f s\n", n,
               o->tunnel[0][n].establish, o->tunnel[1][n].establish, o->tunnel[0][n].policy.pfs,
               s->lifetime_s, o->tunnel[0][n].policy.soft_permille, (double)o->tunnel[0][n].retry / P2_SECOND,
               (double)o->tunnel[1][n].retry / P2_SECOND);
    for (size_t n = 0; n < 2 * o->num_tunnels; n++)
        print_policy(&o->tunnel[n % 2][n / 2]);
}

/* --- one run --- */

/* Returns whether a side restarted. */
static bool break_off(struct disorder *w, const struct schedule *s, struct test_random *r)
{
    if (test_random_below(r, 1000) < s->clear)
        disorder_clear(w, (int)test_random_below(r, 2), test_random_below(r, s->options.num_tunnels));
    bool restarts = test_random_below(r, 1000) < s->restart;
    if (restarts)
        disorder_restart(w, (int)test_random_below(r, 2));
    return restarts;
}

static void disturb(struct disorder *w, const struct schedule *s, struct test_random *r)
{
    const struct disorder_options *o = &s->options;
    for (size_t n = 0; s->traffic && n < o->num_tunnels; n++) {
        for (int side = 0; side < 2; side++) {
            for (uint64_t k = test_random_below(r, 3); k > 0; k--)
                disorder_send(w, side, n, 60 + test_random_below(r, 1000));
        }
    }
    for (int side = 0; side < 2; side++) { /* with the same luck both at once */
        if (test_random_below(r, 1000) < s->rekey)
            disorder_rekey(w, side, test_random_below(r, o->num_tunnels));
    }
    if (test_random_below(r, 1000) < s->rekey / 2) {
        disorder_rekey(w, 0, 0);
        disorder_rekey(w, 1, 0);
    }
    if (test_random_below(r, 1000) < s->attack)
        disorder_attack(w);
}

static bool has_delivered(const struct disorder *w, const struct schedule *s, p2_time since)
{
    for (size_t n = 0; n < s->options.num_tunnels; n++) {
        if (disorder_last_delivery(w, 0, n) < since || disorder_last_delivery(w, 1, n) < since)
            return false;
    }
    return true;
}

struct findings {
    bool stuck, unfinished, agreed, delivered;
    p2_time silence;      /* the longest in the second part of the calm */
    double messages_each; /* IKE messages for each negotiation and each round of disturbance */
};

/* The calm has two parts: what the disorder left behind comes to its end, and then all must be well. */
static void settle(struct disorder *w, const struct schedule *s, struct findings *f)
{
    p2_time lifetime = (p2_time)s->lifetime_s * P2_SECOND,
            checked = disorder_now(w) + lifetime + 100 * P2_SECOND;
    p2_time end = checked + lifetime + 20 * P2_SECOND;
    disorder_calm(w);
    while (disorder_now(w) < end) {
        if (disorder_now(w) <= checked)
            disorder_longest_silence(w);
        for (size_t n = 0; n < s->options.num_tunnels; n++) {
            disorder_send(w, 0, n, 100);
            disorder_send(w, 1, n, 100);
        }
        disorder_run(w, disorder_now(w) + 500 * P2_MS);
        f->stuck |= disorder_is_stuck(w);
        /* While a rekey is under way only one end has its new SAs: between two of them is enough. */
        if (disorder_now(w) > end - 20 * P2_SECOND)
            f->agreed |= disorder_sadbs_equal(w);
    }
    f->silence = disorder_longest_silence(w);
    f->delivered = has_delivered(w, s, end - 20 * P2_SECOND);
}

/* 100 s are longer than all copies of a message wait. An initiator may be ready where the responder never
 * heard of it: its message 1 was the attacker's. What a side forgot in a restart ends with it. */
static bool is_left_over(const struct ledger_entry *e, p2_time restarted, p2_time now)
{
    return e->started > restarted && ledger_outcome(e) == LEDGER_UNFINISHED && e->initiator >= 0 &&
           now - e->started > 100 * P2_SECOND && (e->ready_event[0] == 0 || e->responder >= 0);
}

static struct findings run(const struct schedule *s)
{
    struct findings f = {0};
    struct cause_split split;
    struct test_random r = {s->options.seed};
    struct disorder *w = disorder_new(&s->options);
    struct test_random breaks = {s->options.seed * 31};
    p2_time restarted = -1;
    size_t num_looks = 0;
    for (; disorder_now(w) < s->active; num_looks++) {
        disturb(w, s, &r);
        if (break_off(w, s, &breaks))
            restarted = disorder_now(w);
        disorder_run(w, disorder_now(w) + 200 * P2_MS);
        f.stuck |= disorder_is_stuck(w);
    }
    settle(w, s, &f);
    const struct ledger *ledger = disorder_ledger(w);
    for (size_t i = 0; i < ledger->num_entries; i++) {
        const struct ledger_entry *e = &ledger->entries[i];
        f.unfinished |= is_left_over(e, restarted, disorder_now(w));
        if (ledger_outcome(e) == LEDGER_ESTABLISHED) /* its parts add up: asserted there */
            ledger_latency(e, disorder_causes(w), &split);
    }
    f.messages_each = (double)disorder_num_messages(w) / (double)(ledger->num_entries + num_looks);
    disorder_free(w);
    return f;
}

/* --- many --- */

/* Measured: 2.4 at most in 3,000 schedules. Two ends that answer each other's copies for ever reach
 * thousands. */
#define MAX_MESSAGES_EACH 5.0
/* Tunnels that may not rekey ahead of their hard limits are down while both ends start one Quick Mode for
 * each and a slow core computes them in turn: 5.5 s at most in 6,000 schedules. A tunnel that lost its SAs at
 * one end stays silent until the hard limit. */
#define MAX_SILENCE (8 * P2_SECOND)

static bool is_well(const struct findings *f)
{
    return f->agreed && f->delivered && f->silence <= MAX_SILENCE;
}

static bool breaks_a_rule(const struct schedule *s, const struct findings *f)
{
    bool eligible = s->retries && s->roomy_queues;
    bool bad = f->stuck || f->unfinished || f->messages_each > MAX_MESSAGES_EACH || (eligible && !is_well(f));
    if (bad) {
        print_schedule(s);
        printf("  P2_SEED=%llu: stuck %d, unfinished %d, ends agree %d, delivered %d, silence %.1f s, %.1f "
               "messages each\n",
               (unsigned long long)s->options.seed, f->stuck, f->unfinished, f->agreed, f->delivered,
               (double)f->silence / P2_SECOND, f->messages_each);
    }
    return bad;
}

static void every_schedule_ends_well(void)
{
    static struct schedule s;
    uint64_t only = check_setting("P2_SEED", 0);
    uint64_t num = only ? 1 : check_setting("P2_SCHEDULES", 300);
    size_t eligible = 0, low_loss = 0, established = 0;
    for (uint64_t i = 0; i < num; i++) {
        draw(&s, only ? only : i + 1);
        s.options.verbose = only != 0;
        if (only)
            print_schedule(&s);
        struct findings f = run(&s);
        CU_ASSERT_FALSE(breaks_a_rule(&s, &f));
        eligible += s.retries && s.roomy_queues;
        low_loss += s.options.loss < 200;
        established += s.options.loss < 200 && is_well(&f);
    }
    if (only)
        return;
    printf("\n    %zu of %llu had to deliver; %zu of %zu with little loss ended established ", eligible,
           (unsigned long long)num, established, low_loss);
    CU_ASSERT_TRUE(2 * eligible > num);
    CU_ASSERT_TRUE(100 * established >= 95 * low_loss && low_loss > 0);
}

CHECK_MAIN("schedules", {"every schedule ends well", every_schedule_ends_well})
