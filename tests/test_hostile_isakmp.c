/* Hostile ISAKMP: noise, replays, reflected, cut, grown, flipped and spliced messages, false headers, first
 * messages of Phase 1 in numbers, into two gateways with tunnels that rekey meanwhile. Each datagram ends
 * under exactly one reason, or is answered or moves something, as copies of good ones may. The attacker has
 * no keys, so no tunnel comes to harm: packets flow in each, and each rekey comes to its end.
 *
 * P2_HOSTILE: how many datagrams instead of 100,000. P2_SEED: another seed. */
#include "sim/duel.h"

#include "cursor.h"
#include "isakmp.h"

#define ROUND 500 /* datagrams between two looks at the tunnels */

enum kind {
    NOISE,
    FRAMED_NOISE, /* with a header that could be one */
    REPLAYED,
    REFLECTED,
    FLIPPED,
    CUT,
    GROWN,
    SPLICED,
    HEADER,
    FIRST, /* a first message of Phase 1 with a cookie of its own */
    NUM_KINDS
};

struct siege {
    struct duel *duel;
    struct test_random random;
    uint64_t tried[NUM_KINDS], silent;
    size_t most_open;
};

static uint64_t below(struct siege *s, uint64_t n)
{
    return test_random_below(&s->random, n);
}

static void fill(struct siege *s, uint8_t *out, size_t len)
{
    test_random_fill(&s->random, P2_RANDOM_NONCE, out, len);
}

static const struct duel_message *any(struct siege *s)
{
    if (below(s, 4) == 0)
        return &s->duel->kept[below(s, DUEL_FIRST)];
    uint64_t num = s->duel->num_kept < DUEL_KEPT ? s->duel->num_kept : DUEL_KEPT;
    return &s->duel->kept[below(s, num)];
}

static size_t copy(uint8_t *out, const struct duel_message *message)
{
    memcpy(out, message->bytes, message->datagram.len);
    return message->datagram.len;
}

/* Any field of the header; its length stays right but for now and then. */
static void change_header(struct siege *s, uint8_t *out, size_t len)
{
    static const uint8_t exchanges[] = {0, 1, 2, 3, 4, 5, 32, 33, 34, 35, 240};
    switch (below(s, 8)) {
    case 0:
        fill(s, out, 8);
        break;
    case 1:
        fill(s, out + 8, 8);
        break;
    case 2:
        memset(out + 8, 0, 8);
        break;
    case 3:
        out[16] = (uint8_t)below(s, 256);
        break;
    case 4:
        out[18] = exchanges[below(s, sizeof exchanges)];
        break;
    case 5:
        out[19] ^= (uint8_t)(1u << below(s, 8));
        break;
    case 6:
        fill(s, out + 20, 4);
        break;
    default:
        p2_put_u32(out + 24, (uint32_t)(below(s, 2) ? len + below(s, 9) - 4 : test_random_next(&s->random)));
    }
}

static size_t make(struct siege *s, enum kind kind, uint8_t out[DUEL_MESSAGE], int *to)
{
    const struct duel_message *message = kind == FIRST ? &s->duel->kept[0] : any(s), *other = any(s);
    size_t len = copy(out, message), cut;
    *to = !message->from;
    switch (kind) {
    case NOISE:
    case FRAMED_NOISE:
        len = below(s, 400);
        fill(s, out, len);
        *to = (int)below(s, 2);
        if (kind == FRAMED_NOISE && len >= P2_ISAKMP_HEADER_LEN) {
            memcpy(out, message->bytes, 20);
            p2_put_u32(out + 24, (uint32_t)len);
        }
        break;
    case REFLECTED:
        *to = message->from;
        break;
    case FLIPPED:
        for (uint64_t n = 1 + below(s, 8); n > 0; n--)
            out[below(s, len)] ^= (uint8_t)(1u << below(s, 8));
        break;
    case CUT:
        len = below(s, len);
        if (len >= P2_ISAKMP_HEADER_LEN && below(s, 2))
            p2_put_u32(out + 24, (uint32_t)len);
        break;
    case GROWN:
        cut = 1 + below(s, 64);
        fill(s, out + len, cut);
        len += cut;
        if (below(s, 2))
            p2_put_u32(out + 24, (uint32_t)len);
        break;
    case SPLICED:
        cut = P2_ISAKMP_HEADER_LEN + below(s, len - P2_ISAKMP_HEADER_LEN + 1);
        if (other->datagram.len > cut) {
            memcpy(out + cut, other->bytes + cut, other->datagram.len - cut);
            len = other->datagram.len;
            p2_put_u32(out + 24, (uint32_t)len);
        }
        break;
    case HEADER:
        change_header(s, out, len);
        break;
    case FIRST:
        fill(s, out, 8);
        memset(out + 8, 0, 8);
        break;
    default:
        break;
    }
    return len;
}

/* Random sizes in a block of their own, so that a sanitizer sees a byte too many. */
static void throw_one(struct siege *s)
{
    uint8_t made[DUEL_MESSAGE];
    int to;
    enum kind kind = (enum kind)below(s, NUM_KINDS);
    if (kind == FIRST && below(s, 20))
        kind = FLIPPED; /* each that is begun lives for half a minute */
    size_t len = make(s, kind, made, &to);
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, made, len);
    struct duel_outcome outcome = duel_throw(s->duel, to, exact, len);
    free(exact);
    s->tried[kind]++;
    s->silent += outcome.drops == 0 && outcome.answers + outcome.steps == 0;
    duel_wait(s->duel, 10 * P2_MS);
}

static bool rekeys(struct siege *s, size_t tunnel)
{
    size_t before[2] = {s->duel->installed[0], s->duel->installed[1]};
    duel_rekey(s->duel, tunnel);
    return s->duel->installed[0] == before[0] + 2 && s->duel->installed[1] == before[1] + 2;
}

static void tunnels_stand(void)
{
    uint64_t num = check_setting("P2_HOSTILE", 100000);
    struct siege s = {.duel = duel_new(check_setting("P2_SEED", 1)), .random = {check_setting("P2_SEED", 1)}};
    const char *wrong = NULL;
    uint64_t dropped = 0;
    for (uint64_t i = 0; i < num && !wrong; i++) {
        throw_one(&s);
        if (i % ROUND == ROUND / 2 && !rekeys(&s, (size_t)(i / ROUND % DUEL_TUNNELS)))
            wrong = "a rekey does not come to its end";
        if (i % ROUND != ROUND - 1)
            continue;
        wrong = duel_check(s.duel);
        for (int side = 0; side < 2; side++) {
            size_t open = p2_gateway_negotiations(s.duel->gateways[side]);
            s.most_open = open > s.most_open ? open : s.most_open;
        }
    }
    if (wrong)
        printf("\n      %s\n", wrong);
    CU_ASSERT_PTR_NULL(wrong);
    CU_ASSERT_EQUAL(s.silent, 0);
    for (int r = 0; r < P2_NUM_DROPS; r++) {
        uint64_t both = s.duel->drops[0][r] + s.duel->drops[1][r];
        dropped += both;
        if (both > 0)
            printf("\n      %10llu %s", (unsigned long long)both, p2_drop_name((enum p2_drop)r));
    }
    printf("\n      %10llu silent; at most %zu negotiations open\n", (unsigned long long)s.silent,
           s.most_open);
    CU_ASSERT(dropped > num / 2);
    for (int k = 0; k < NUM_KINDS; k++)
        CU_ASSERT(s.tried[k] > num / 1000);
    duel_free(s.duel);
}

CHECK_MAIN("hostile ISAKMP", {"the tunnels stand", tunnels_stand})
