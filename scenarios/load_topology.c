/* <topology>: gateways and links, with the counted ones expanded. */
#include "load.h"

#include "units.h"

#include <stdlib.h>
#include <string.h>

#define LAST_ADDRESS 0xdfffffffu /* 223.255.255.255: multicast begins behind it */

static const char ipv4_only[] = "this is IPv6, which this version does not simulate";

/* Addresses that a gateway or a network behind one can have. */
static bool usable(uint64_t address)
{
    return address >= 0x01000000u && address <= LAST_ADDRESS && address >> 24 != 127;
}

static bool load_first_address(struct problems *problems, const xmlNode *node, uint32_t *out)
{
    static const char allowed[] =
        "an IPv4 address from 1.0.0.0 to 223.255.255.255 outside 127.0.0.0/8, such as 203.0.113.1";
    const char *text = load_required(node, "address");
    struct p2_address address;
    if (!units_address(text, &address)) {
        load_wrong(problems, node, "address", strchr(text, ':') ? ipv4_only : "not an address", allowed);
        return false;
    }
    *out = p2_address_to_v4(&address);
    if (usable(*out))
        return true;
    load_wrong(problems, node, "address", "no host can have it", allowed);
    return false;
}

/* Of the form A.B.C.D/N, wherever it stands. */
bool load_prefix(struct problems *problems, const xmlNode *node, const char *attribute,
                 struct p2_selector *out)
{
    const char *text = load_required(node, attribute);
    if (units_prefix(text, out))
        return true;
    /* The usual slip is a host's address with its network's length: say the network. */
    char host[16] = "";
    struct p2_address address;
    uint32_t prefix_len;
    size_t len = strcspn(text, "/");
    if (len < sizeof host)
        memcpy(host, text, len);
    if (text[len] && units_address(host, &address) && units_count(text + len + 1, &prefix_len) &&
        prefix_len <= 32) {
        struct p2_selector network = {.prefix_len = (uint8_t)prefix_len};
        network.address = p2_address_v4(p2_address_to_v4(&address) & units_mask((uint8_t)prefix_len));
        char allowed[P2_SELECTOR_TEXT];
        p2_selector_format(&network, allowed);
        load_wrong(problems, node, attribute, "bits are set behind the prefix", allowed);
    } else {
        load_wrong(problems, node, attribute, strchr(text, ':') ? ipv4_only : "not a prefix",
                   "an IPv4 prefix such as 10.1.0.0/24");
    }
    return false;
}

static bool load_first_protects(struct problems *problems, const xmlNode *node, struct p2_selector *out)
{
    if (!load_prefix(problems, node, "protects", out))
        return false;
    uint64_t first = p2_address_to_v4(&out->address), last = first + ~units_mask(out->prefix_len);
    if (out->prefix_len > 30) {
        load_wrong(problems, node, "protects",
                   "too small: the gateway's inside address and a host have no room",
                   "a prefix of at most /30, such as 10.1.0.0/24");
        return false;
    }
    if (usable(first) && usable(last))
        return true;
    load_wrong(problems, node, "protects", "hosts can not have such addresses",
               "a prefix inside 1.0.0.0 to 223.255.255.255 and outside 127.0.0.0/8");
    return false;
}

bool load_count_prefix(const struct p2_selector *first, uint64_t distance, struct p2_selector *out)
{
    uint64_t address = p2_address_to_v4(&first->address) + distance;
    *out = *first;
    out->address = p2_address_v4((uint32_t)address);
    return usable(address) && usable(address + ~units_mask(first->prefix_len));
}

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

struct gateway_group {
    uint32_t count, step;
};

static const struct field gateway_fields[] = {
    {"count", &field_count, offsetof(struct gateway_group, count)},
    {"step", &field_count, offsetof(struct gateway_group, step)},
};

/* Member i of a counted gateway, from the first one. */
static bool load_gateway_member(struct loader *l, const xmlNode *node, const struct scenario_gateway *first,
                                const struct load_group *group, size_t i)
{
    struct scenario_gateway *gateway =
        LOAD_APPEND(l->problems, l->scenario->gateways, l->scenario->num_gateways);
    if (!gateway)
        return false;
    *gateway = *first;
    load_member_name(gateway->name, group->name, group->counted, i);
    uint64_t address = p2_address_to_v4(&first->address) + (uint64_t)i * group->step;
    gateway->address = p2_address_v4((uint32_t)address);
    char why[64];
    snprintf(why, sizeof why, "number %zu would be outside", i + 1);
    if (!usable(address)) {
        load_wrong(l->problems, node, "address", why,
                   "a count that ends before 223.255.255.255 and outside 127.0.0.0/8");
        return false;
    }
    uint64_t size = (uint64_t)~units_mask(first->protects.prefix_len) + 1;
    if (first->has_protects &&
        !load_count_prefix(&first->protects, i * group->step * size, &gateway->protects)) {
        load_wrong(l->problems, node, "protects", why,
                   "a count that ends before 223.255.255.255 and outside 127.0.0.0/8");
        return false;
    }
    return true;
}

static bool load_gateway(struct loader *l, const xmlNode *node)
{
    struct scenario_gateway first = {.line = load_line(node)};
    const char *name = load_required(node, "name");
    for (size_t i = 0; i < l->gateways.num; i++) {
        if (strcmp(l->gateways.items[i].name, name) == 0) {
            load_wrong(l->problems, node, "name", "a second gateway of that name",
                       "a name of its own for each gateway");
            return false;
        }
    }
    struct load_group *group = LOAD_APPEND(l->problems, l->gateways.items, l->gateways.num);
    struct gateway_group counts = {1, 1};
    uint32_t address = 0;
    if (!group || !load_fields(l->problems, node, gateway_fields, FIELDS(gateway_fields), &counts))
        return false;
    snprintf(group->name, sizeof group->name, "%s", name);
    group->first = l->scenario->num_gateways;
    group->num = counts.count;
    group->counted = load_attribute(node, "count") != NULL;
    group->step = counts.step;
    first.has_protects = load_attribute(node, "protects") != NULL;
    bool ok = load_first_address(l->problems, node, &address);
    ok = (!first.has_protects || load_first_protects(l->problems, node, &first.protects)) && ok;
    ok = load_cpu(l, node, &first.cpu) && ok;
    first.address = p2_address_v4(address);
    if (ok && group->first + group->num > LOAD_MAX_GATEWAYS) {
        load_wrong(l->problems, node, load_attribute(node, "count") ? "count" : "name", "too many gateways",
                   "10000 in all");
        return false;
    }
    for (size_t i = 0; ok && i < group->num; i++)
        ok = load_gateway_member(l, node, &first, group, i);
    return ok;
}

bool load_gateways(struct loader *l, const xmlNode *topology)
{
    bool ok = true;
    for (const xmlNode *node = load_child(topology, "gateway"); node; node = load_next(node, "gateway"))
        ok = load_gateway(l, node) && ok;
    return ok;
}
