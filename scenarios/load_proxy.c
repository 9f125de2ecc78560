/* <proxy-id>: which traffic a tunnel is for. */
#include "load_end.h"

#include "units.h"

#include <string.h>

static bool parse_protocol(const char *text, void *out)
{
    static const struct {
        const char *name;
        uint8_t number;
    } names[] = {{"any", 0}, {"icmp", 1}, {"tcp", 6}, {"udp", 17}, {"icmpv6", 58}};
    uint32_t number = 256;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        number = strcmp(text, names[i].name) == 0 ? names[i].number : number;
    if (number == 256 && (!units_count(text, &number) || number > 255))
        return false;
    *(uint8_t *)out = (uint8_t)number;
    return true;
}

static bool parse_port(const char *text, void *out)
{
    uint32_t port = 0;
    if (strcmp(text, "any") != 0 && (!units_count(text, &port) || port > 65535))
        return false;
    *(uint16_t *)out = (uint16_t)port;
    return true;
}

static const struct field_kind field_protocol = {"tcp, udp, icmp, icmpv6, any, or a number from 0 to 255",
                                                 parse_protocol};
static const struct field_kind field_port = {"0 to 65535, or any", parse_port};

struct service {
    uint8_t protocol;
    uint16_t local_port, remote_port;
};

static const struct field service_fields[] = {
    {"protocol", &field_protocol, offsetof(struct service, protocol)},
    {"local-port", &field_port, offsetof(struct service, local_port)},
    {"remote-port", &field_port, offsetof(struct service, remote_port)},
};

bool load_proxy_id(struct problems *problems, struct load_end *end)
{
    const xmlNode *element = load_child(end->element, "proxy-id");
    struct service service = {0};
    end->has_proxy_id = element != NULL;
    if (!element)
        return true;
    bool ok = load_fields(problems, element, service_fields, FIELDS(service_fields), &service);
    ok = load_selector(problems, element, "local", &end->local) && ok;
    ok = load_selector(problems, element, "remote", &end->remote) && ok;
    if (!ok)
        return false;
    const char *port = service.local_port ? "local-port" : "remote-port";
    if ((service.local_port || service.remote_port) && service.protocol != 6 && service.protocol != 17) {
        load_wrong(problems, element, port, "only TCP and UDP have ports",
                   "protocol=\"tcp\" or \"udp\" beside it");
        return false;
    }
    if (end->local.address.family != end->remote.address.family) {
        load_wrong(problems, element, "remote", "not of the same family as local",
                   "both IPv4 or both IPv6: a packet has one family");
        return false;
    }
    if (end->local.prefix_len > 0 && p2_selector_equal(&end->local, &end->remote)) {
        load_wrong(problems, element, "remote", "the same as local, so that there is nothing between them",
                   "another prefix, or 0.0.0.0/0 for both");
        return false;
    }
    end->local.protocol = end->remote.protocol = service.protocol;
    end->local.port = service.local_port;
    end->remote.port = service.remote_port;
    return true;
}

/* How large a step is when the gateways are counted: what the gateway protects, else what was written. */
static uint8_t block_of(const struct scenario_gateway *gateway, const struct p2_selector *written)
{
    uint8_t bits = units_address_bits(&written->address);
    for (size_t i = 0; i < gateway->num_protects; i++) {
        if (gateway->protects[i].address.family == written->address.family)
            return gateway->protects[i].prefix_len;
    }
    return written->is_range ? bits : written->prefix_len;
}

static bool is_wider(const struct p2_selector *written, uint8_t block_len)
{
    struct p2_address first, last, end;
    p2_selector_bounds(written, &first, &last);
    units_address_mask(&first, block_len);
    p2_selector_bounds(&(struct p2_selector){.address = first, .prefix_len = block_len}, &first, &end);
    return p2_address_compare(&last, &end) > 0;
}

/* What is written is that of the first member; it counts up with what that gateway protects, unless it is
 * wider and so meant for all of them. */
static bool count_proxy_id(const struct scenario *s, const struct load_members *side, size_t i,
                           const struct p2_selector *written, struct p2_selector *out)
{
    *out = *written;
    uint8_t block_len = block_of(&s->gateways[side->first], written);
    if (!side->counted || i == 0 || is_wider(written, block_len))
        return true;
    return load_count_selector(written, (uint64_t)i * side->group->step, block_len, out);
}

static bool count_proxy_ids(struct loader *l, const struct load_end *end, const struct load_end *peer,
                            size_t i, struct scenario_end *out)
{
    const xmlNode *element = load_child(end->element, "proxy-id");
    const char *wrong = NULL;
    if (!count_proxy_id(l->scenario, &end->members, i, &end->local, &out->local))
        wrong = "local";
    else if (!count_proxy_id(l->scenario, &peer->members, i, &end->remote, &out->remote))
        wrong = "remote";
    if (wrong)
        load_count_wrong(l->problems, element, wrong, i);
    return !wrong;
}

/* The first prefixes of one family that both gateways have. */
static bool common_prefixes(const struct scenario_gateway *a, const struct scenario_gateway *b,
                            struct p2_selector *a_out, struct p2_selector *b_out)
{
    for (size_t i = 0; i < a->num_protects; i++) {
        for (size_t j = 0; j < b->num_protects; j++) {
            if (a->protects[i].address.family != b->protects[j].address.family)
                continue;
            *a_out = a->protects[i];
            *b_out = b->protects[j];
            return true;
        }
    }
    return false;
}

/* Tunnel mode protects the networks; transport mode what the gateways send themselves. */
static bool default_proxy_ids(struct loader *l, const struct load_end ends[2], struct scenario_tunnel *tunnel)
{
    const struct scenario_gateway *gateways[2];
    struct p2_selector of[2];
    bool transport = tunnel->ends[0].policy.mode == P2_MODE_TRANSPORT;
    for (int e = 0; e < 2; e++) {
        gateways[e] = &l->scenario->gateways[tunnel->ends[e].gateway];
        of[e] = p2_selector_single(&gateways[e]->address);
        if (transport || gateways[e]->num_protects > 0)
            continue;
        load_wrong(l->problems, ends[e].element, "gateway", "it protects nothing and there is no proxy-id",
                   "a gateway with protects, or a <proxy-id> here");
        return false;
    }
    if (!transport && !common_prefixes(gateways[0], gateways[1], &of[0], &of[1])) {
        load_wrong(l->problems, ends[1].element, "gateway",
                   "what it protects is of another family than what the first end protects",
                   "prefixes of one family at both ends, or a <proxy-id> here");
        return false;
    }
    for (int e = 0; e < 2; e++) {
        tunnel->ends[e].local = of[e];
        tunnel->ends[e].remote = of[1 - e];
    }
    return true;
}

bool load_proxy_ids(struct loader *l, const struct load_end ends[2], size_t i, struct scenario_tunnel *tunnel)
{
    if (!ends[0].has_proxy_id && !ends[1].has_proxy_id)
        return default_proxy_ids(l, ends, tunnel);
    for (int e = 0; e < 2; e++) {
        struct scenario_end *own = &tunnel->ends[e], *peer = &tunnel->ends[1 - e];
        if (!ends[e].has_proxy_id)
            continue;
        if (!count_proxy_ids(l, &ends[e], &ends[1 - e], i, own))
            return false;
        if (!ends[1 - e].has_proxy_id) {
            peer->local = own->remote;
            peer->remote = own->local;
        }
    }
    return true;
}
