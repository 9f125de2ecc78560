/* Whether each CPU profile has a price for all that its gateways may have to compute. A profile need not
 * price what nobody asks for, so that one measured before an algorithm was built in stays good. */
#include "load.h"

struct needs {
    bool of[P2_NUM_OPERATIONS][P2_MAX_ALGORITHMS];
};

static void need_group(struct needs *needs, enum p2_group group)
{
    needs->of[P2_OP_DH_GENERATE][group] = needs->of[P2_OP_DH_DERIVE][group] = true;
}

static void need_cipher(struct needs *needs, enum p2_cipher cipher)
{
    needs->of[P2_OP_ENCRYPT][cipher] = needs->of[P2_OP_DECRYPT][cipher] = true;
}

static void need_phase1(struct needs *needs, const struct p2_phase1_policy *phase1)
{
    needs->of[P2_OP_HMAC][phase1->hash] = needs->of[P2_OP_HASH][phase1->hash] = true;
    need_cipher(needs, phase1->cipher);
    if (phase1->mode != P2_PHASE1_PRESET)
        need_group(needs, phase1->group);
}

static void need_packets(struct needs *needs, const struct p2_proposal *proposal)
{
    for (size_t i = 0; i < proposal->num_protocols; i++) {
        const struct p2_protocol_offer *offer = &proposal->protocols[i];
        for (size_t a = 0; a < offer->num; a++) {
            need_cipher(needs, offer->alternatives[a].cipher);
            needs->of[P2_OP_HMAC][p2_auth_of(offer->alternatives[a].auth)->hash] = true;
        }
    }
}

/* What either end is ready to do, either end may have to do. */
static void need_tunnel(struct needs *needs, const struct scenario_tunnel *tunnel, bool price_ipsec)
{
    for (int side = 0; side < 2; side++) {
        const struct scenario_end *end = &tunnel->ends[side];
        need_phase1(needs, &end->phase1);
        need_group(needs, end->policy.pfs);
        for (size_t i = 0; price_ipsec && i < end->policy.num_proposals; i++)
            need_packets(needs, &end->policy.proposals[i]);
    }
}

static bool check(struct problems *problems, const xmlNode *element, const struct profile *profile,
                  const struct needs *needs)
{
    for (unsigned o = 0; o < P2_NUM_OPERATIONS; o++) {
        for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++) {
            const char *algorithm = p2_operation_algorithm((enum p2_operation)o, a); /* NULL: costs nothing */
            if (!needs->of[o][a] || !algorithm || profile->prices[o][a].known)
                continue;
            problems_add(problems, load_line(element),
                         "<cpu-profile> \"%s\" has no price for %s %s, which a tunnel of its gateways uses; "
                         "allowed: a profile with a <price> for every operation and algorithm in use "
                         "(phase2sim calibrate measures them all)",
                         profile->name, p2_operation_name((enum p2_operation)o), algorithm);
            return false;
        }
    }
    return true;
}

bool load_check_prices(struct loader *l, const xmlNode *root)
{
    const struct scenario *s = l->scenario;
    const xmlNode *element = load_child(root, "cpu-profile");
    bool ok = true;
    for (size_t p = 0; p < s->num_profiles; p++, element = load_next(element, "cpu-profile")) {
        struct needs needs = {0};
        for (size_t t = 0; t < s->num_tunnels; t++) {
            for (int side = 0; side < 2; side++) {
                const struct scenario_cpu *cpu = &s->gateways[s->tunnels[t].ends[side].gateway].cpu;
                if (cpu->profile == (int)p)
                    need_tunnel(&needs, &s->tunnels[t], cpu->price_ipsec);
            }
        }
        ok = check(l->problems, element, &s->profiles[p], &needs) && ok;
    }
    return ok;
}
