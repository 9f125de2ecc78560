/* Counted elements and the references to them. */
#include "load.h"

#include "array.h"

#include <stdlib.h>
#include <string.h>

void *load_append(struct problems *problems, void *array, size_t *num, size_t size)
{
    void *entry = array_append(array, num, size);
    if (!entry)
        problems_no_memory(problems);
    return entry;
}

bool load_is_cut_off(const struct loader *l)
{
    return l->too_many || l->problems->is_out_of_memory;
}

bool load_too_many(struct loader *l, const xmlNode *node, const char *attribute, const char *what,
                   size_t most)
{
    char why[40], allowed[40];
    snprintf(why, sizeof why, "too many %s", what);
    snprintf(allowed, sizeof allowed, "%zu in all", most);
    if (!l->too_many)
        load_wrong(l->problems, node, attribute, why, allowed);
    l->too_many = true;
    return true;
}

void load_member_name(char out[SCENARIO_NAME], const char *name, bool counted, size_t i)
{
    if (counted)
        snprintf(out, SCENARIO_NAME, "%.48s[%zu]", name, i + 1);
    else
        snprintf(out, SCENARIO_NAME, "%s", name);
}

size_t load_member(const struct load_members *members, size_t i)
{
    return members->first + (members->counted ? i : 0);
}

static void report_unknown(struct problems *problems, const xmlNode *element, const char *attribute,
                           const char *what, const struct load_groups *groups)
{
    struct problems_names names = {0};
    char why[64], allowed[PROBLEMS_LIST];
    for (size_t i = 0; i < groups->num; i++)
        problems_names_add(&names, groups->items[i].name);
    problems_list(allowed, &names, load_attribute(element, attribute));
    problems_names_cleanup(&names);
    snprintf(why, sizeof why, "no such %s", what);
    load_wrong(problems, element, attribute, why, allowed);
}

static const struct load_group *find_group(const struct load_groups *groups, const char *name, size_t len)
{
    for (size_t i = 0; i < groups->num; i++) {
        if (strlen(groups->items[i].name) == len && memcmp(groups->items[i].name, name, len) == 0)
            return &groups->items[i];
    }
    return NULL;
}

bool load_reference(struct problems *problems, const xmlNode *element, const char *attribute,
                    const char *what, const struct load_groups *groups, struct load_members *out)
{
    const char *text = load_required(element, attribute);
    size_t len = strcspn(text, "[");
    const struct load_group *group = find_group(groups, text, len);
    if (!group) {
        report_unknown(problems, element, attribute, what, groups);
        return false;
    }
    *out = (struct load_members){group->first, group->num, group->counted, group};
    if (group->num == 0)
        return false; /* reported where it is made */
    if (!text[len])
        return true;
    unsigned long i = strtoul(text + len + 1, NULL, 10);
    if (group->counted && i >= 1 && i <= group->num) {
        *out = (struct load_members){group->first + i - 1, 1, false, group};
        return true;
    }
    char allowed[4 * SCENARIO_NAME];
    if (group->counted)
        snprintf(allowed, sizeof allowed, "%.63s[1] to %.63s[%zu], or %.63s for all of them", group->name,
                 group->name, group->num, group->name);
    else
        snprintf(allowed, sizeof allowed, "%.63s, which has no count", group->name);
    load_wrong(problems, element, attribute, "no such member", allowed);
    return false;
}

size_t load_pairs(struct problems *problems, const xmlNode *element, const char *a_attribute,
                  const struct load_members *a, const struct load_members *b)
{
    if (a->counted && b->counted && a->num != b->num) {
        char why[160];
        snprintf(why, sizeof why, "%zu of %.48s do not pair up with %zu of %.48s", a->num, a->group->name,
                 b->num, b->group->name);
        load_wrong(problems, element, a_attribute, why,
                   "the same count at both ends, or a single one at one end");
        return 0;
    }
    if (a->first == b->first && a->num == b->num) {
        load_wrong(problems, element, a_attribute, "the same gateway at both ends", "two different gateways");
        return 0;
    }
    /* A member that would meet itself: "spoke" with "spoke[3]". */
    if (a->group == b->group) {
        load_wrong(problems, element, a_attribute, "one of them would meet itself", "two different gateways");
        return 0;
    }
    return a->counted ? a->num : b->num;
}

static int compare_gateways(const struct load_pair *x, int a, int b)
{
    if (x->a != a)
        return x->a < a ? -1 : 1;
    return x->b < b ? -1 : x->b > b;
}

static int compare_pairs(const void *x, const void *y)
{
    const struct load_pair *p = x, *q = y;
    int order = compare_gateways(p, q->a, q->b);
    return order != 0 ? order : p->index < q->index ? -1 : p->index > q->index;
}

void load_pairs_sort(struct load_pair *pairs, size_t num)
{
    if (num > 0)
        qsort(pairs, num, sizeof *pairs, compare_pairs);
}

const struct load_pair *load_pairs_find(const struct load_pair *pairs, size_t num, int a, int b)
{
    size_t low = 0, high = num;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_gateways(&pairs[middle], a, b) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < num && pairs[low].a == a && pairs[low].b == b ? &pairs[low] : NULL;
}
