#include "attacker.h"

#include "cursor.h"
#include "ip.h"

const char *attack_name(enum attack_kind kind)
{
    static const char *const names[ATTACK_FORGED] = {
        "at once", "late", "after a rekey", "after its SA's end", "reverse", "burst", "reflected"};
    return kind < ATTACK_FORGED ? names[kind] : mangle_name((enum mangle_kind)(kind - ATTACK_FORGED));
}

static uint64_t below(struct attacker *a, uint64_t n)
{
    return test_random_below(&a->random, n);
}

/* The outermost SPI. */
static uint32_t spi_of(const uint8_t *packet, size_t len)
{
    uint8_t protocol;
    size_t at = mangle_ipsec_at(packet, len, &protocol);
    return at > 0 ? p2_get_u32(packet + at + (protocol == P2_IP_PROTO_AH ? 4 : 0)) : 0;
}

static bool is_live(struct attacker *a, int side, uint32_t spi)
{
    struct p2_sa_info sa;
    for (size_t i = 0; p2_gateway_sa_at(disorder_gateway(a->world, side), i, &sa); i++) {
        if (sa.inbound && sa.spi == spi)
            return true;
    }
    return false;
}

/* --- what he sees --- */

static enum disorder_fate remember(void *ctx, const struct disorder_message *message, p2_time *delay)
{
    struct attacker *a = ctx;
    *delay = 0;
    if (!message->ipsec)
        return DISORDER_DELAY; /* by no time: past chance */
    if (a->num_remembered == ATTACKER_MEMORY || message->len > sizeof a->memory[0].bytes)
        abort();
    struct remembered *r = &a->memory[a->num_remembered++];
    r->from = message->from;
    r->mark = message->mark;
    r->len = message->len;
    memcpy(r->bytes, message->data, message->len);
    a->newest_spi[r->from][message->mark >> 1 & 1] = spi_of(r->bytes, r->len);
    return DISORDER_PASS;
}

void attacker_begin(struct attacker *a, struct disorder *world, uint64_t seed)
{
    memset(a, 0, sizeof *a);
    a->world = world;
    a->random.seed = seed;
    disorder_intercept(world, remember, a);
}

/* --- what he does --- */

static void inject(struct attacker *a, enum attack_kind kind, int to, const uint8_t *packet, size_t len)
{
    if (a->num_injections == ATTACKER_INJECTIONS)
        abort();
    uint64_t mark = ATTACKER_MARK + a->num_injections;
    a->injections[a->num_injections++].kind = kind;
    a->tally[kind].injected++;
    a->tally[kind].live += is_live(a, to, spi_of(packet, len));
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, packet, len);
    a->at_work = true;
    disorder_inject(a->world, to, exact, len, mark);
    a->at_work = false;
    free(exact);
}

static void replay(struct attacker *a, enum attack_kind kind, const struct remembered *r)
{
    inject(a, kind, !r->from, r->bytes, r->len);
}

static const struct remembered *any(struct attacker *a)
{
    return &a->memory[below(a, a->num_remembered)];
}

static void replay_late(struct attacker *a, const struct remembered *r)
{
    uint32_t spi = spi_of(r->bytes, r->len);
    enum attack_kind kind = ATTACK_LATE;
    if (!is_live(a, !r->from, spi))
        kind = ATTACK_AFTER_END;
    else if (spi != a->newest_spi[r->from][r->mark >> 1 & 1])
        kind = ATTACK_AFTER_REKEY;
    replay(a, kind, r);
}

static void replay_reverse(struct attacker *a)
{
    size_t num = 8 + below(a, 40);
    for (size_t i = 0; i < num && i < a->num_remembered; i++)
        replay(a, ATTACK_REVERSE, &a->memory[a->num_remembered - 1 - i]);
}

static void forge_one(struct attacker *a)
{
    uint8_t packet[1024];
    bool fresh = below(a, 2);
    const struct remembered *r = fresh ? &a->memory[a->num_remembered - 1] : any(a), *other = any(a);
    enum mangle_kind kind = (enum mangle_kind)(1 + below(a, MANGLE_NUM - 1));
    memcpy(packet, r->bytes, r->len);
    size_t len =
        mangle(kind, &a->random, packet, r->len, sizeof packet, (struct p2_bytes){other->bytes, other->len});
    inject(a, (enum attack_kind)(ATTACK_FORGED + kind), !r->from, packet, len);
}

void attacker_act(struct attacker *a)
{
    if (a->num_remembered == 0)
        return;
    const struct remembered *newest = &a->memory[a->num_remembered - 1];
    switch (below(a, 8)) {
    case 0:
        replay(a, ATTACK_AT_ONCE, newest);
        break;
    case 1:
        replay_late(a, any(a));
        break;
    case 2:
        replay_reverse(a);
        break;
    case 3:
        for (size_t n = 2 + below(a, 16); n > 0; n--)
            replay(a, ATTACK_BURST, newest);
        break;
    case 4:
        newest = any(a);
        inject(a, ATTACK_REFLECTED, newest->from, newest->bytes, newest->len);
        break;
    default:
        forge_one(a);
    }
}

/* --- what becomes of it --- */

void attacker_delivered(struct attacker *a, uint64_t mark)
{
    if (mark >= ATTACKER_MARK)
        a->tally[a->injections[mark - ATTACKER_MARK].kind].delivered++;
}

void attacker_observe(struct attacker *a, const struct p2_action *action)
{
    if (action->type == P2_ACTION_COMPUTE && action->u.compute.ipsec && a->at_work)
        a->injections[a->num_injections - 1].queued = true;
    if (action->type != P2_ACTION_DROP || action->mark < ATTACKER_MARK)
        return;
    const struct injection *injection = &a->injections[action->mark - ATTACKER_MARK];
    a->tally[injection->kind].second += injection->queued && action->u.drop.reason == P2_DROP_REPLAYED;
}
