/* Tunnels between the same two gateways share one ISAKMP SA, so their Phase 1 must be the same; and they must
 * be told apart by their proxy IDs. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

static bool same_phase1(const struct p2_phase1_policy *a, const struct p2_phase1_policy *b)
{
    return a->mode == b->mode && a->psk_len == b->psk_len && memcmp(a->psk, b->psk, a->psk_len) == 0 &&
           a->cipher == b->cipher && a->hash == b->hash && a->group == b->group &&
           a->lifetime_s == b->lifetime_s && a->soft_permille == b->soft_permille &&
           a->initial_contact == b->initial_contact && a->dpd_interval == b->dpd_interval &&
           a->dpd_tries == b->dpd_tries && a->nat_traversal == b->nat_traversal &&
           a->nat_keepalive == b->nat_keepalive && a->retransmission.first == b->retransmission.first &&
           a->retransmission.backoff_permille == b->retransmission.backoff_permille &&
           a->retransmission.tries == b->retransmission.tries;
}

/* The end of a tunnel that is at this gateway. */
static const struct scenario_end *end_at(const struct scenario_tunnel *tunnel, int gateway)
{
    return &tunnel->ends[tunnel->ends[0].gateway == gateway ? 0 : 1];
}

static bool check_pair(struct loader *l, const struct scenario_tunnel *first,
                       const struct scenario_tunnel *other)
{
    for (int e = 0; e < 2; e++) {
        int gateway = first->ends[e].gateway;
        const struct scenario_end *a = &first->ends[e], *b = end_at(other, gateway);
        const char *name = l->scenario->gateways[gateway].name;
        if (!same_phase1(&a->phase1, &b->phase1)) {
            problems_add(l->problems, other->line,
                         "<tunnel> %s: its phase1 at %s is not that of %s (line %d), with which it shares an "
                         "ISAKMP SA; allowed: the same phase1 in all tunnels between the same gateways",
                         other->name, name, first->name, first->line);
            return false;
        }
        if (p2_selector_equal(&a->local, &b->local) && p2_selector_equal(&a->remote, &b->remote)) {
            problems_add(
                l->problems, other->line,
                "<tunnel> %s: at %s it has the proxy IDs of %s (line %d); allowed: proxy IDs of its own "
                "for each tunnel between the same gateways",
                other->name, name, first->name, first->line);
            return false;
        }
    }
    return true;
}

bool load_shared_peers(struct loader *l)
{
    const struct scenario *s = l->scenario;
    struct load_pair *pairs = calloc(s->num_tunnels + 1, sizeof *pairs);
    if (!pairs) {
        problems_no_memory(l->problems);
        return false;
    }
    for (size_t i = 0; i < s->num_tunnels; i++) {
        int a = s->tunnels[i].ends[0].gateway, b = s->tunnels[i].ends[1].gateway;
        pairs[i] = (struct load_pair){a < b ? a : b, a < b ? b : a, i};
    }
    load_pairs_sort(pairs, s->num_tunnels);
    bool ok = true;
    for (size_t i = 1, start = 0; i < s->num_tunnels && ok; i++) {
        if (pairs[i].a != pairs[start].a || pairs[i].b != pairs[start].b)
            start = i;
        for (size_t j = start; j < i && ok; j++)
            ok = check_pair(l, &s->tunnels[pairs[j].index], &s->tunnels[pairs[i].index]);
    }
    free(pairs);
    return ok;
}
