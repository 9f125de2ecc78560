/* <topology>: gateways and NATs, with the counted ones expanded. */
#include "load.h"

#include "units.h"

#include <stdlib.h>
#include <string.h>

static bool field_data(const char *text, void *out)
{
    *(bool *)out = strcmp(text, "shared") == 0;
    return true;
}

static const struct field_kind field_data_cpu = {"free or shared", field_data};

static const struct field cpu_fields[] = {
    {"cores", &field_count, offsetof(struct scenario_cpu, cores)},
    {"queue", &field_count, offsetof(struct scenario_cpu, queue)},
    {"data", &field_data_cpu, offsetof(struct scenario_cpu, price_ipsec)},
};

static bool load_cpu(struct loader *l, const xmlNode *gateway, struct scenario_cpu *cpu)
{
    const xmlNode *node = load_child(gateway, "cpu");
    *cpu = (struct scenario_cpu){.profile = -1, .cores = 1, .queue = 1000};
    if (!node)
        return true;
    const char *name = load_required(node, "profile");
    struct problems_names names = {0};
    for (size_t i = 0; i < l->scenario->num_profiles; i++) {
        if (strcmp(l->scenario->profiles[i].name, name) == 0)
            cpu->profile = (int)i;
        problems_names_add(&names, l->scenario->profiles[i].name);
    }
    if (cpu->profile < 0) {
        char allowed[PROBLEMS_LIST];
        problems_list(allowed, &names, name);
        load_wrong(l->problems, node, "profile", "no such cpu-profile",
                   names.num > 0 ? allowed : "the name of a <cpu-profile>, of which there is none");
    }
    problems_names_cleanup(&names);
    return load_fields(l->problems, node, cpu_fields, FIELDS(cpu_fields), cpu) && cpu->profile >= 0;
}

/* What a counted element says, and the first member's address. */
struct node_group {
    uint32_t count, step;
    struct p2_address address;
};

static const struct field group_fields[] = {
    {"count", &field_count, offsetof(struct node_group, count)},
    {"step", &field_count, offsetof(struct node_group, step)},
};

/* Starts a group of nodes; its members are still to be made. NULL: reported. groups: all that it must not
 * have the name of. */
static struct load_group *load_node_group(struct loader *l, const xmlNode *node, struct load_groups *groups,
                                          struct node_group *counts)
{
    const char *name = load_required(node, "name");
    for (size_t i = 0; i < groups->num; i++) {
        if (strcmp(groups->items[i].name, name) == 0) {
            load_wrong(l->problems, node, "name", "a second gateway of that name",
                       "a name of its own for each gateway and NAT");
            return NULL;
        }
    }
    struct load_group *group = LOAD_APPEND(l->problems, groups->items, groups->num);
    *counts = (struct node_group){.count = 1, .step = 1};
    if (!group || !load_fields(l->problems, node, group_fields, FIELDS(group_fields), counts))
        return NULL;
    snprintf(group->name, sizeof group->name, "%s", name);
    group->num = counts->count;
    group->counted = load_attribute(node, "count") != NULL;
    group->step = counts->step;
    return group;
}

static bool too_many_nodes(struct loader *l, const xmlNode *node, size_t num)
{
    return num > LOAD_MAX_GATEWAYS && load_too_many(l, node, load_attribute(node, "count") ? "count" : "name",
                                                    "gateways", LOAD_MAX_GATEWAYS);
}

/* The address of member i. */
static bool count_address(struct loader *l, const xmlNode *node, const struct load_group *group, size_t i,
                          const struct p2_address *first, struct p2_address *out)
{
    struct p2_selector single = p2_selector_single(first), counted;
    bool ok = load_count_selector(&single, i * group->step, single.prefix_len, &counted);
    *out = counted.address;
    if (!ok)
        load_count_wrong(l->problems, node, "address", i);
    return ok;
}

/* Member i of a counted gateway, from the first one. One that is not sound is there for those that name it.
 */
static bool load_gateway_member(struct loader *l, const xmlNode *node, const struct scenario_gateway *first,
                                const struct load_group *group, size_t i, bool sound)
{
    struct scenario_gateway *gateway =
        LOAD_APPEND(l->problems, l->scenario->gateways, l->scenario->num_gateways);
    if (!gateway)
        return false;
    *gateway = *first;
    load_member_name(gateway->name, group->name, group->counted, i);
    if (!sound || !count_address(l, node, group, i, &first->address, &gateway->address))
        return false;
    for (size_t p = 0; p < first->num_protects; p++) {
        const struct p2_selector *prefix = &first->protects[p];
        if (!load_count_selector(prefix, i * group->step, prefix->prefix_len, &gateway->protects[p])) {
            load_count_wrong(l->problems, node, "protects", i);
            return false;
        }
    }
    return true;
}

/* One prefix of protects="...". */
static bool load_protected(struct problems *problems, const xmlNode *node, const char *text,
                           struct p2_selector *out)
{
    if (!load_prefix(problems, node, "protects", text, out))
        return false;
    if (out->prefix_len > units_address_bits(&out->address) - 2) {
        load_wrong(problems, node, "protects",
                   "too small: the gateway's inside address and a host have no room",
                   "a prefix of at most /30 (IPv6: /126), such as 10.1.0.0/24");
        return false;
    }
    if (load_usable(out))
        return true;
    load_wrong(problems, node, "protects", "hosts can not have such addresses",
               "a prefix inside 1.0.0.0 to 223.255.255.255 and outside 127.0.0.0/8, or inside 2000::/3 or "
               "fd00::/8");
    return false;
}

static bool load_protects(struct problems *problems, const xmlNode *node, struct scenario_gateway *gateway)
{
    static const char white[] = " \t\r\n";
    const char *text = load_required(node, "protects");
    for (text += strspn(text, white); *text; text += strspn(text, white)) {
        char prefix[PROBLEMS_LIST];
        size_t len = strcspn(text, white);
        if (gateway->num_protects == SCENARIO_MAX_PROTECTS) {
            load_wrong(problems, node, "protects", "too many prefixes", "at most 8");
            return false;
        }
        snprintf(prefix, sizeof prefix, "%.*s", (int)(len < sizeof prefix ? len : sizeof prefix - 1), text);
        if (!load_protected(problems, node, prefix, &gateway->protects[gateway->num_protects]))
            return false;
        gateway->num_protects++;
        text += len;
    }
    return true;
}

static bool load_gateway(struct loader *l, const xmlNode *node)
{
    struct scenario_gateway first = {.line = load_line(node), .nat = -1};
    struct node_group counts;
    struct load_group *group = load_node_group(l, node, &l->gateways, &counts);
    if (!group)
        return false;
    group->first = l->scenario->num_gateways;
    bool ok = load_address(l->problems, node, "address", &first.address);
    ok = load_protects(l->problems, node, &first) && ok;
    ok = load_cpu(l, node, &first.cpu) && ok;
    if (too_many_nodes(l, node, group->first + group->num))
        return false;
    for (size_t i = 0; i < group->num; i++)
        ok = load_gateway_member(l, node, &first, group, i, ok);
    return ok;
}

/* All gateways are nodes, under the same numbers. */
bool load_gateways(struct loader *l, const xmlNode *topology)
{
    bool ok = true;
    const xmlNode *node = load_child(topology, "gateway");
    for (; node && !load_is_cut_off(l); node = load_next(node, "gateway"))
        ok = load_gateway(l, node) && ok;
    for (size_t i = 0; i < l->gateways.num; i++) {
        struct load_group *group = LOAD_APPEND(l->problems, l->nodes.items, l->nodes.num);
        if (!group)
            return false;
        *group = l->gateways.items[i];
    }
    return ok;
}

static const struct field nat_fields[] = {
    {"timeout", &field_time, offsetof(struct scenario_nat, timeout)},
    {"preserve-port", &field_boolean, offsetof(struct scenario_nat, preserve_port)},
};

static bool load_nat(struct loader *l, const xmlNode *node)
{
    struct scenario *s = l->scenario;
    struct scenario_nat first = {.line = load_line(node)};
    struct node_group counts;
    struct load_group *group = load_node_group(l, node, &l->nodes, &counts);
    if (!group)
        return false;
    group->first = s->num_gateways + s->num_nats;
    bool ok = load_fields(l->problems, node, nat_fields, FIELDS(nat_fields), &first);
    ok = load_address(l->problems, node, "address", &first.address) && ok;
    if (ok && first.address.family != 4) {
        load_wrong(l->problems, node, "address", "IPv6 has no such NATs",
                   "an IPv4 address such as 203.0.113.1");
        ok = false;
    }
    if (ok && first.timeout <= 0) {
        load_wrong(l->problems, node, "timeout", "no time at all", "more than 0s");
        ok = false;
    }
    if (too_many_nodes(l, node, group->first + group->num))
        return false;
    for (size_t i = 0; i < group->num; i++) {
        struct scenario_nat *nat = LOAD_APPEND(l->problems, s->nats, s->num_nats);
        if (!nat)
            return false;
        *nat = first;
        load_member_name(nat->name, group->name, group->counted, i);
        ok = ok && count_address(l, node, group, i, &first.address, &nat->address);
    }
    return ok;
}

bool load_nats(struct loader *l, const xmlNode *topology)
{
    bool ok = true;
    for (const xmlNode *node = load_child(topology, "nat"); node && !load_is_cut_off(l);
         node = load_next(node, "nat"))
        ok = load_nat(l, node) && ok;
    return ok;
}

const char *load_node_name(const struct scenario *scenario, int node)
{
    size_t i = (size_t)node;
    return i < scenario->num_gateways ? scenario->gateways[i].name
                                      : scenario->nats[i - scenario->num_gateways].name;
}
