/* <timeline>: what happens at given instants. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

struct scenario_event *load_event(struct loader *l, p2_time time, enum scenario_event_kind kind)
{
    struct scenario_event *event = LOAD_APPEND(l->problems, l->scenario->events, l->scenario->num_events);
    if (event)
        *event = (struct scenario_event){.time = time, .kind = kind};
    return event;
}

static bool too_many(struct loader *l, const xmlNode *node, const char *attribute, size_t num)
{
    return num + l->scenario->num_events > LOAD_MAX_EXPANDED &&
           load_too_many(l, node, attribute, "events", LOAD_MAX_EXPANDED);
}

/* all="true" beside a name that means one, "vpn[3]". */
static bool names_one_of_all(struct loader *l, const xmlNode *node, const char *attribute)
{
    if (!strchr(load_required(node, attribute), '[') || strcmp(load_required(node, "all"), "true") != 0)
        return false;
    load_wrong(l->problems, node, attribute, "that is one, but all=\"true\" is said",
               "the name without a number, or no all");
    return true;
}

/* A counted reference needs all="true": a storm should be meant. */
static bool load_several(struct loader *l, const xmlNode *node, const char *attribute,
                         const struct load_groups *groups, struct load_members *members)
{
    if (!load_reference(l->problems, node, attribute, attribute, groups, members) ||
        names_one_of_all(l, node, attribute))
        return false;
    if (!members->counted || strcmp(load_required(node, "all"), "true") == 0)
        return !too_many(l, node, attribute, members->num);
    char allowed[4 * SCENARIO_NAME];
    const char *name = members->group->name;
    snprintf(allowed, sizeof allowed, "%.80s[1] to %.80s[%zu], or all=\"true\"", name, name, members->num);
    load_wrong(l->problems, node, attribute, "it counts several", allowed);
    return false;
}

/* <rekey> and <delete>: of one end or of both. */
static bool load_tunnel_event(struct loader *l, const xmlNode *node, p2_time time,
                              enum scenario_event_kind kind)
{
    struct load_members tunnels;
    const char *end = load_required(node, "end");
    if (!load_several(l, node, "tunnel", &l->tunnels, &tunnels))
        return false;
    for (size_t i = 0; i < tunnels.num; i++) {
        struct scenario_event *event = load_event(l, time, kind);
        if (!event)
            return false;
        event->u.tunnel.index = (int)(tunnels.first + i);
        event->u.tunnel.ends[0] = strcmp(end, "second") != 0;
        event->u.tunnel.ends[1] = strcmp(end, "first") != 0;
    }
    return true;
}

static bool load_rekey(struct loader *l, const xmlNode *node, p2_time time)
{
    return load_tunnel_event(l, node, time, SCENARIO_REKEY);
}

static bool load_delete(struct loader *l, const xmlNode *node, p2_time time)
{
    return load_tunnel_event(l, node, time, SCENARIO_DELETE);
}

static bool has_tunnel(const struct scenario *s, size_t gateway)
{
    for (size_t i = 0; i < s->num_tunnels; i++) {
        if (s->tunnels[i].ends[0].gateway == (int)gateway || s->tunnels[i].ends[1].gateway == (int)gateway)
            return true;
    }
    return false;
}

static bool load_restart(struct loader *l, const xmlNode *node, p2_time time)
{
    struct load_members gateways;
    if (!load_several(l, node, "gateway", &l->gateways, &gateways))
        return false;
    for (size_t i = 0; i < gateways.num; i++) {
        if (l->tunnels_sound && !has_tunnel(l->scenario, gateways.first + i)) {
            load_wrong(l->problems, node, "gateway", "it has no tunnel, and so nothing to forget",
                       "a gateway at the end of a <tunnel>");
            return false;
        }
        struct scenario_event *event = load_event(l, time, SCENARIO_RESTART);
        if (!event)
            return false;
        event->u.gateway = (int)(gateways.first + i);
    }
    return true;
}

static bool report_no_link(struct loader *l, const xmlNode *node, const char *attribute, const char *why)
{
    if (!l->links_sound)
        return false; /* it may be the one that is wrong */
    struct problems_names names = {0};
    char allowed[PROBLEMS_LIST];
    for (size_t i = 0; i < l->scenario->num_links; i++)
        problems_names_add(&names, l->scenario->links[i].name);
    problems_list(allowed, &names, load_attribute(node, attribute));
    problems_names_cleanup(&names);
    load_wrong(l->problems, node, attribute, why, allowed);
    return false;
}

bool load_link_members(struct loader *l, const xmlNode *node, const char *attribute, size_t *first,
                       size_t *num)
{
    const char *text = load_required(node, attribute);
    for (size_t i = 0; i < l->scenario->num_links; i++) {
        if (strcmp(l->scenario->links[i].name, text) == 0) {
            *first = i;
            *num = 1;
            return !names_one_of_all(l, node, attribute) && !too_many(l, node, attribute, 1);
        }
    }
    for (size_t i = 0; i < l->links.num; i++) {
        const struct load_group *group = &l->links.items[i];
        if (strcmp(group->name, text) != 0)
            continue;
        if (group->num > 1 && strcmp(load_required(node, "all"), "true") != 0)
            return report_no_link(l, node, attribute, "it counts several and all=\"true\" is not said");
        *first = group->first;
        *num = group->num;
        return !too_many(l, node, attribute, *num);
    }
    return report_no_link(l, node, attribute, "no such link");
}

static bool load_cut(struct loader *l, const xmlNode *node, p2_time time)
{
    static const struct field fields[] = {{"for", &field_time, 0}};
    p2_time duration = 0;
    size_t first, num;
    bool ok = load_fields(l->problems, node, fields, FIELDS(fields), &duration);
    if (ok && duration <= 0) {
        load_wrong(l->problems, node, "for", "no time at all", "more than 0s");
        ok = false;
    }
    if (!load_link_members(l, node, "link", &first, &num) || !ok)
        return false;
    for (size_t i = 0; i < num; i++) {
        struct scenario_event *event = load_event(l, time, SCENARIO_CUT);
        if (!event)
            return false;
        event->u.cut.link = (int)(first + i);
        event->u.cut.duration = duration;
    }
    return true;
}

/* What each exchange is called, and how many messages it has; 0: they are not numbered. */
static const struct {
    const char *name;
    enum scenario_exchange exchange;
    uint32_t messages;
} exchanges[] = {
    {"quick", SCENARIO_QUICK, 3},
    {"main", SCENARIO_MAIN, 6},
    {"aggressive", SCENARIO_AGGRESSIVE, 3},
    {"informational", SCENARIO_INFORMATIONAL, 0},
    {"esp", SCENARIO_ESP, 0},
    {"ah", SCENARIO_AH, 0},
};

static bool load_exchange(struct problems *problems, const xmlNode *node, struct scenario_lose *lose)
{
    const char *name = load_required(node, "exchange");
    size_t i = 0;
    while (i + 1 < sizeof exchanges / sizeof exchanges[0] && strcmp(exchanges[i].name, name) != 0)
        i++;
    lose->exchange = exchanges[i].exchange;
    if (lose->message <= exchanges[i].messages)
        return true;
    char allowed[64] = "no message: these are not numbered";
    if (exchanges[i].messages > 0)
        snprintf(allowed, sizeof allowed, "1 to %u", exchanges[i].messages);
    load_wrong(problems, node, "message", "there is no such message", allowed);
    return false;
}

static bool parse_action(const char *text, void *out)
{
    *(enum scenario_lose_action *)out = strcmp(text, "delay") == 0       ? SCENARIO_LOSE_DELAY
                                        : strcmp(text, "duplicate") == 0 ? SCENARIO_LOSE_DUPLICATE
                                                                         : SCENARIO_LOSE_DROP;
    return true;
}

static const struct field_kind field_action = {"drop, delay or duplicate", parse_action};

static const struct field lose_fields[] = {
    {"message", &field_count, offsetof(struct scenario_lose, message)},
    {"copies", &field_count, offsetof(struct scenario_lose, copies)},
    {"action", &field_action, offsetof(struct scenario_lose, action)},
    {"delay", &field_time, offsetof(struct scenario_lose, delay)},
};

static bool load_lose(struct loader *l, const xmlNode *node, p2_time time)
{
    struct scenario_lose lose = {0};
    size_t first, num;
    bool ok = load_fields(l->problems, node, lose_fields, FIELDS(lose_fields), &lose);
    ok = ok && load_exchange(l->problems, node, &lose);
    ok = load_link_members(l, node, "link", &first, &num) && ok;
    if (ok && lose.action == SCENARIO_LOSE_DELAY && lose.delay <= 0) {
        load_wrong(l->problems, node, "action", "without a delay", "a delay of more than 0s beside it");
        return false;
    }
    if (ok && lose.action != SCENARIO_LOSE_DELAY && lose.delay > 0) {
        load_wrong(l->problems, node, "delay", "only what is delayed has one", "action=\"delay\" beside it");
        return false;
    }
    for (size_t i = 0; ok && i < num; i++) {
        struct scenario_event *event = load_event(l, time, SCENARIO_LOSE);
        if (!event)
            return false;
        event->u.lose = lose;
        event->u.lose.link = (int)(first + i);
    }
    return ok;
}

static const struct {
    const char *name;
    bool (*load)(struct loader *l, const xmlNode *node, p2_time time);
} kinds[] = {{"rekey", load_rekey},  {"delete", load_delete}, {"restart", load_restart},
             {"cut", load_cut},      {"lose", load_lose},     {"replay", load_attack},
             {"forge", load_attack}, {"flood", load_attack},  {"compromise", load_attack}};

static bool load_at(struct loader *l, const xmlNode *node)
{
    p2_time time = 0;
    static const struct field at_fields[] = {{"time", &field_time, 0}};
    bool ok = load_fields(l->problems, node, at_fields, FIELDS(at_fields), &time);
    if (ok && time >= l->scenario->duration) {
        load_wrong(l->problems, node, "time", "the run is over by then",
                   "a time before the scenario's duration");
        ok = false;
    }
    bool known = ok && load_attribute(node, "time");
    for (const xmlNode *event = load_child(node, NULL); event; event = load_next(event, NULL)) {
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            /* What attackers do is measured from this time. */
            if (load_is(event, kinds[i].name) && (known || kinds[i].load != load_attack))
                ok = kinds[i].load(l, event, time) && ok;
        }
    }
    return ok;
}

/* Stable, so that events of one instant keep the order of the file: insertion by merging runs of equal times.
 */
static bool sort_events(struct loader *l)
{
    struct scenario *s = l->scenario;
    struct scenario_event *sorted = calloc(s->num_events + 1, sizeof *sorted);
    if (!sorted) {
        problems_no_memory(l->problems);
        return false;
    }
    for (size_t width = 1; width < s->num_events; width *= 2) {
        for (size_t low = 0; low < s->num_events; low += 2 * width) {
            size_t middle = low + width < s->num_events ? low + width : s->num_events;
            size_t high = low + 2 * width < s->num_events ? low + 2 * width : s->num_events;
            for (size_t i = low, j = middle, k = low; k < high; k++)
                sorted[k] = i < middle && (j >= high || s->events[i].time <= s->events[j].time)
                                ? s->events[i++]
                                : s->events[j++];
        }
        memcpy(s->events, sorted, s->num_events * sizeof *sorted);
    }
    free(sorted);
    return true;
}

bool load_timeline(struct loader *l, const xmlNode *timeline)
{
    bool ok = true;
    const xmlNode *node = load_child(timeline, "at");
    for (; node && !load_is_cut_off(l); node = load_next(node, "at"))
        ok = load_at(l, node) && ok;
    return ok && sort_events(l);
}
