/* The address plan: no two gateways may share an address, and no network may stand behind two of them. */
#include "load.h"

#include "units.h"

#include <stdlib.h>

/* What one gateway has, first and last address: a single one, or the prefix it protects. */
struct range {
    uint32_t first, last;
    const struct scenario_gateway *gateway;
    bool is_prefix;
};

static int compare_ranges(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->gateway < y->gateway ? -1 : x->gateway > y->gateway;
}

static const char *describe(const struct range *range, char out[P2_SELECTOR_TEXT])
{
    struct p2_selector selector = range->gateway->protects;
    if (!range->is_prefix)
        selector = (struct p2_selector){.address = range->gateway->address, .prefix_len = 32};
    p2_selector_format(&selector, out);
    return out;
}

static void report_clash(struct problems *problems, const struct range *a, const struct range *b)
{
    char a_text[P2_SELECTOR_TEXT], b_text[P2_SELECTOR_TEXT];
    /* Said of the one that stands later in the file. */
    const struct range *first = a->gateway <= b->gateway ? a : b, *later = first == a ? b : a;
    problems_add(
        problems, later->gateway->line,
        "<gateway> %s %s %s, and %s (line %d) %s %s; allowed: addresses and networks that do not overlap",
        later->gateway->name, later->is_prefix ? "protects" : "has address", describe(later, a_text),
        first->gateway->name, first->gateway->line, first->is_prefix ? "protects" : "has address",
        describe(first, b_text));
}

bool load_address_plan(struct loader *l)
{
    const struct scenario *s = l->scenario;
    struct range *ranges = calloc(2 * s->num_gateways + 1, sizeof *ranges);
    if (!ranges) {
        problems_no_memory(l->problems);
        return false;
    }
    size_t num = 0;
    for (size_t i = 0; i < s->num_gateways; i++) {
        const struct scenario_gateway *gateway = &s->gateways[i];
        uint32_t address = p2_address_to_v4(&gateway->address),
                 net = p2_address_to_v4(&gateway->protects.address);
        ranges[num++] = (struct range){address, address, gateway, false};
        if (gateway->has_protects)
            ranges[num++] =
                (struct range){net, net | ~units_mask(gateway->protects.prefix_len), gateway, true};
    }
    qsort(ranges, num, sizeof *ranges, compare_ranges);
    /* Sorted by their beginning, an overlap is one with the range so far that reaches farthest. */
    const struct range *farthest = ranges;
    bool ok = true;
    for (size_t i = 1; i < num && ok; i++) {
        ok = ranges[i].first > farthest->last;
        if (!ok)
            report_clash(l->problems, farthest, &ranges[i]);
        if (ranges[i].last > farthest->last)
            farthest = &ranges[i];
    }
    free(ranges);
    return ok;
}
