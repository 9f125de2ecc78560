/* The address plan: no two nodes may share an address, and no network may stand behind two of them. */
#include "load.h"

#include <stdlib.h>

/* What one node has, first and last address: a single one, or a prefix that it protects. */
struct range {
    struct p2_address first, last;
    size_t node; /* in the order of the nodes */
    int line;
    const struct p2_selector *prefix; /* NULL: a single address */
};

static int compare_ranges(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    int order = p2_address_compare(&x->first, &y->first);
    return order != 0 ? order : x->node < y->node ? -1 : x->node > y->node;
}

static const char *describe(const struct range *range, char out[P2_ADDRESS_TEXT + 8])
{
    char address[P2_ADDRESS_TEXT];
    p2_address_format(&range->first, address);
    if (range->prefix)
        snprintf(out, P2_ADDRESS_TEXT + 8, "%s/%u", address, range->prefix->prefix_len);
    else
        snprintf(out, P2_ADDRESS_TEXT + 8, "%s", address);
    return out;
}

static void report_clash(struct loader *l, const struct range *a, const struct range *b)
{
    char a_text[P2_ADDRESS_TEXT + 8], b_text[P2_ADDRESS_TEXT + 8];
    /* Said of the one that stands later in the file. */
    const struct range *first = a->line < b->line || (a->line == b->line && a->node <= b->node) ? a : b;
    const struct range *later = first == a ? b : a;
    problems_add(l->problems, later->line,
                 "<%s> %s %s %s, and %s (line %d) %s %s; allowed: addresses and networks that do not overlap",
                 later->node < l->scenario->num_gateways ? "gateway" : "nat",
                 load_node_name(l->scenario, (int)later->node), later->prefix ? "protects" : "has address",
                 describe(later, a_text), load_node_name(l->scenario, (int)first->node), first->line,
                 first->prefix ? "protects" : "has address", describe(first, b_text));
}

static size_t fill(const struct scenario *s, struct range *ranges)
{
    size_t num = 0;
    for (size_t i = 0; i < s->num_gateways; i++) {
        const struct scenario_gateway *gateway = &s->gateways[i];
        ranges[num++] = (struct range){gateway->address, gateway->address, i, gateway->line, NULL};
        for (size_t p = 0; p < gateway->num_protects; p++) {
            struct range *range = &ranges[num++];
            *range = (struct range){.node = i, .line = gateway->line, .prefix = &gateway->protects[p]};
            p2_selector_bounds(range->prefix, &range->first, &range->last);
        }
    }
    for (size_t i = 0; i < s->num_nats; i++)
        ranges[num++] = (struct range){s->nats[i].address, s->nats[i].address, s->num_gateways + i,
                                       s->nats[i].line, NULL};
    return num;
}

bool load_address_plan(struct loader *l)
{
    const struct scenario *s = l->scenario;
    size_t num = s->num_nats + s->num_gateways;
    for (size_t i = 0; i < s->num_gateways; i++)
        num += s->gateways[i].num_protects;
    struct range *ranges = calloc(num + 1, sizeof *ranges);
    if (!ranges) {
        problems_no_memory(l->problems);
        return false;
    }
    num = fill(s, ranges);
    qsort(ranges, num, sizeof *ranges, compare_ranges);
    /* Sorted by their beginning, an overlap is one with the range so far that reaches farthest. */
    const struct range *farthest = ranges;
    bool ok = true;
    int last_line = 0;
    for (size_t i = 1; i < num; i++) {
        bool clash = p2_address_compare(&ranges[i].first, &farthest->last) <= 0;
        /* Of counted ones, all may clash in the same way. */
        int line = ranges[i].line > farthest->line ? ranges[i].line : farthest->line;
        if (clash && line != last_line)
            report_clash(l, farthest, &ranges[i]);
        last_line = clash ? line : last_line;
        ok = ok && !clash;
        if (p2_address_compare(&ranges[i].last, &farthest->last) > 0)
            farthest = &ranges[i];
    }
    free(ranges);
    return ok;
}
