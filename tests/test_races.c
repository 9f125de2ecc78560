/* What goes wrong around a rekey, each case by its name: staged in order, and then among each of 1,000 seeded
 * schedules of loss, delay, duplication and disorder. Whatever happened, once the network has been calm for a
 * while traffic flows both ways, both databases are equal, nothing is stuck, no SA outlived its hard limit,
 * and the number of messages is bounded.
 *
 * P2_SCHEDULES: how many for each case. P2_SEED: just that one, and it tells what happens. */
#include "sim/disorder.h"

#include "isakmp.h"

#define LIFETIME 900 /* seconds: longer than all of it, so that nothing heals by expiring */

#define SETTLE ((63 + 20 + 3 + 14) * P2_SECOND)

struct race {
    const char *name;
    unsigned message; /* 1 to 3: side 0 rekeys, and this message of it meets its fate; 0: none is forced */
    enum disorder_fate fate;
    p2_time delay;
    void (*act)(struct disorder *world); /* what happens besides, after that; NULL: nothing */
};

struct stage { /* what a case does to the messages of the rekey that it forces */
    const struct race *race;
    unsigned copies; /* how many of them are left to be treated so */
};

/* --- what happens besides --- */

/* Data goes on, and arrives ahead of message 3 under the new SA. */
static void traffic_both_ways(struct disorder *w)
{
    for (int i = 0; i < 10; i++) {
        disorder_run(w, disorder_now(w) + 20 * P2_MS);
        disorder_send(w, 0, 0, 100);
        disorder_send(w, 1, 0, 100);
    }
}

static void both_at_once(struct disorder *w)
{
    disorder_rekey(w, 0, 0);
    disorder_rekey(w, 1, 0);
}

/* The initiator takes down all it has right after it sent message 3, which is slow. */
static void delete_overtakes_third(struct disorder *w)
{
    disorder_run(w, disorder_now(w) + 100 * P2_MS);
    disorder_clear(w, 0, 0);
}

/* The same of the responder, which has not seen message 3 yet. */
static void delete_of_the_unconfirmed(struct disorder *w)
{
    disorder_run(w, disorder_now(w) + 100 * P2_MS);
    disorder_clear(w, 1, 0);
}

static void rekey_during_a_rekey(struct disorder *w)
{
    disorder_run(w, disorder_now(w) + 300 * P2_MS);
    disorder_rekey(w, 1, 0);
    disorder_run(w, disorder_now(w) + 5 * P2_MS);
    disorder_rekey(w, 0, 0);
}

static void initiator_restarts(struct disorder *w)
{
    disorder_restart(w, 0);
}

static void responder_restarts(struct disorder *w)
{
    disorder_restart(w, 1);
}

static void restart_before_the_third_message(struct disorder *w)
{
    disorder_run(w, disorder_now(w) + 100 * P2_MS);
    disorder_restart(w, 1);
}

/* Message 1 again, while its Quick Mode is under way and long after it. */
static void the_same_message_id_again(struct disorder *w)
{
    disorder_run(w, disorder_now(w) + 50 * P2_MS);
    for (size_t n = 0; n < 4; n++) {
        disorder_replay(w, 0, P2_EXCHANGE_QUICK, n);
        disorder_run(w, disorder_now(w) + 200 * P2_MS);
        disorder_replay(w, 1, P2_EXCHANGE_QUICK, n);
    }
}

/* A message comes back to the one who sent it, under the message ID of its own Quick Mode. */
static void a_reflected_message(struct disorder *w)
{
    disorder_rekey(w, 0, 0);
    disorder_rekey(w, 1, 0);
    disorder_run(w, disorder_now(w) + 5 * P2_MS);
    for (int from = 0; from < 2; from++) {
        disorder_replay(w, from, P2_EXCHANGE_QUICK, 0);
        disorder_replay(w, !from, P2_EXCHANGE_QUICK, 0);
    }
}

/* A delay of 1.7 s: the first resend is out before the message arrives. One of 300 or 400 ms: none is. */
static const struct race races[] = {
    {"a lost first message", 1, DISORDER_LOSE, 0, NULL},
    {"a lost second message", 2, DISORDER_LOSE, 0, NULL},
    {"a lost third message", 3, DISORDER_LOSE, 0, NULL},
    {"a delayed first message", 1, DISORDER_DELAY, 1700 * P2_MS, NULL},
    {"a delayed second message", 2, DISORDER_DELAY, 1700 * P2_MS, NULL},
    {"a delayed third message", 3, DISORDER_DELAY, 1700 * P2_MS, NULL},
    {"a doubled first message", 1, DISORDER_DOUBLE, 5 * P2_MS, NULL},
    {"a doubled second message", 2, DISORDER_DOUBLE, 5 * P2_MS, NULL},
    {"a doubled third message", 3, DISORDER_DOUBLE, 5 * P2_MS, NULL},
    {"a third message overtaken by ESP", 3, DISORDER_DELAY, 300 * P2_MS, traffic_both_ways},
    {"both sides rekey in the same instant", 0, DISORDER_PASS, 0, both_at_once},
    {"a DELETE overtakes the third message", 3, DISORDER_DELAY, 400 * P2_MS, delete_overtakes_third},
    {"a DELETE of what is not confirmed", 3, DISORDER_DELAY, 400 * P2_MS, delete_of_the_unconfirmed},
    {"a rekey during another rekey", 2, DISORDER_LOSE, 0, rekey_during_a_rekey},
    {"the initiator restarts and forgets", 0, DISORDER_PASS, 0, initiator_restarts},
    {"the responder restarts and forgets", 0, DISORDER_PASS, 0, responder_restarts},
    {"the responder restarts during a rekey", 3, DISORDER_DELAY, 400 * P2_MS,
     restart_before_the_third_message},
    {"the same message ID again", 2, DISORDER_DELAY, 100 * P2_MS, the_same_message_id_again},
    {"a message that is reflected", 0, DISORDER_PASS, 0, a_reflected_message},
};

/* --- the stage --- */

/* Which message of its Quick Mode this is: the initiator is known by the first message under the ID. */
static unsigned number_of(const struct disorder_message *m)
{
    /* Side 0 forces the rekey: its long messages are the first ones, its short ones the third. */
    if (m->ipsec || m->exchange_type != P2_EXCHANGE_QUICK)
        return 0;
    return m->from == 1 ? 2 : m->len > 100 ? 1 : 3;
}

static enum disorder_fate fate_of(void *ctx, const struct disorder_message *m, p2_time *delay)
{
    struct stage *s = ctx;
    if (s->copies == 0 || number_of(m) != s->race->message)
        return DISORDER_PASS;
    s->copies--;
    *delay = s->race->delay;
    return s->race->fate;
}

static struct disorder_options draw(uint64_t seed)
{
    const p2_time jitters[] = {0, 20 * P2_MS, 900 * P2_MS};
    struct test_random r = {seed * 6007 + 1};
    struct disorder_options o = {.seed = seed, .delay = {10 * P2_MS, 10 * P2_MS}, .num_tunnels = 1};
    struct p2_selector inside[2] = {p2_selector_v4(0x0a010000, 24), p2_selector_v4(0x0a020000, 24)};
    if (seed != 0) { /* 0: nothing but the case itself */
        o.loss = (unsigned)(test_random_next(&r) % (test_random_next(&r) % 2 ? 200 : 400));
        o.duplicates = (unsigned)(test_random_next(&r) % 200);
        o.jitter = jitters[test_random_next(&r) % 3];
    }
    for (int side = 0; side < 2; side++) {
        struct p2_peer_config *peer = &o.peer[side];
        struct p2_tunnel_config *tunnel = &o.tunnel[side][0];
        snprintf(peer->name, P2_NAME_MAX, "%s", side ? "left" : "right");
        peer->local = p2_address_v4(0xc0000201 + (uint32_t)side);
        peer->remote = p2_address_v4(0xc0000202 - (uint32_t)side);
        peer->phase1 = p2_phase1_policy_default("secret");
        peer->phase1.group = P2_GROUP_1;
        peer->phase1.dpd_interval = 5 * P2_SECOND;
        snprintf(tunnel->name, P2_NAME_MAX, "vpn");
        tunnel->local = inside[side];
        tunnel->remote = inside[!side];
        tunnel->policy = p2_policy_default("nopfs-esp-aes128-sha");
        tunnel->policy.lifetime_s = LIFETIME;
        tunnel->establish = side ? P2_ESTABLISH_PASSIVE : P2_ESTABLISH_IMMEDIATELY;
        tunnel->retry = 3 * P2_SECOND;
        o.cores[side] = 1;
        o.queue[side] = 1000;
    }
    return o;
}

struct findings {
    bool stuck, outlived, agreed, delivered, established;
    bool staged; /* the message that the case is about did meet its fate */
    size_t messages;
};

static void look(struct disorder *w, struct findings *f)
{
    f->stuck |= disorder_is_stuck(w);
    f->outlived |= !disorder_limits_kept(w);
}

static void let_flow(struct disorder *w, p2_time until, struct findings *f)
{
    while (disorder_now(w) < until) {
        disorder_send(w, 0, 0, 100);
        disorder_send(w, 1, 0, 100);
        disorder_run(w, disorder_now(w) + 500 * P2_MS);
        look(w, f);
    }
}

static struct findings run(const struct race *race, uint64_t seed, bool verbose)
{
    struct disorder_options o = draw(seed);
    o.verbose = verbose;
    struct disorder *w = disorder_new(&o);
    struct stage stage = {race, race->message != 0};
    struct findings f = {0};
    let_flow(w, 5 * P2_SECOND, &f);
    f.established = p2_gateway_sa_at(disorder_gateway(w, 0), 0, &(struct p2_sa_info){0});
    disorder_intercept(w, fate_of, &stage);
    if (race->message != 0)
        disorder_rekey(w, 0, 0);
    if (race->act)
        race->act(w);
    let_flow(w, 15 * P2_SECOND, &f);
    f.staged = stage.copies == 0;
    disorder_calm(w);
    /* All resends of a message (63 s), DPD that finds the peer dead (20 s), a retry, and Phase 1 and a Quick
     * Mode after it. */
    let_flow(w, disorder_now(w) + SETTLE, &f);
    for (int i = 0; i < 40 && !f.agreed; i++) { /* between two rekeys */
        f.agreed = disorder_sadbs_equal(w);
        let_flow(w, disorder_now(w) + 500 * P2_MS, &f);
    }
    f.delivered = disorder_last_delivery(w, 0, 0) > disorder_now(w) - P2_SECOND &&
                  disorder_last_delivery(w, 1, 0) > disorder_now(w) - P2_SECOND;
    f.messages = disorder_num_messages(w);
    disorder_free(w);
    return f;
}

/* 170 s hold three or four Quick Modes, a Phase 1 or two, their resends, deletes, and a DPD exchange every
 * five seconds at most. */
#define MAX_MESSAGES 400

static bool holds(const struct race *race, uint64_t seed, const struct findings *f)
{
    bool good = !f->stuck && !f->outlived && f->agreed && f->delivered && f->messages <= MAX_MESSAGES;
    if (!good)
        printf("\n  %s, P2_SEED=%llu: stuck %d, outlived %d, agreed %d, delivered %d, %zu messages\n",
               race->name, (unsigned long long)seed, f->stuck, f->outlived, f->agreed, f->delivered,
               f->messages);
    return good;
}

static void each_case_heals_by_itself(void)
{
    for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++) {
        struct findings f = run(&races[i], 0, false);
        CU_ASSERT_TRUE(f.established);
        CU_ASSERT_TRUE(f.staged);
        CU_ASSERT_TRUE(holds(&races[i], 0, &f));
    }
}

static void each_case_heals_among_all_schedules(void)
{
    uint64_t only = check_setting("P2_SEED", 0);
    uint64_t num = only ? 1 : check_setting("P2_SCHEDULES", 1000);
    for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++) {
        size_t low_loss = 0, well = 0;
        for (uint64_t n = 1; n <= num; n++) {
            uint64_t seed = only ? only : n;
            struct findings f = run(&races[i], seed, only != 0);
            CU_ASSERT_TRUE(holds(&races[i], seed, &f));
            bool low = draw(seed).loss < 200;
            low_loss += low;
            well += low && f.agreed && f.delivered;
        }
        CU_ASSERT_TRUE(only || (low_loss > 0 && 100 * well >= 95 * low_loss));
    }
}

CHECK_MAIN("races", {"each case heals by itself", each_case_heals_by_itself},
           {"each case heals among all schedules", each_case_heals_among_all_schedules})
