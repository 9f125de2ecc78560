/* <replay>, <forge>, <flood> and <compromise> of the timeline. */
#include "load.h"

#include <string.h>

/* A name in the schema's lists and what it stands for. */
struct choice {
    const char *name;
    unsigned value;
};

static const struct choice orders[] = {{"same", SCENARIO_REPLAY_SAME},
                                       {"reverse", SCENARIO_REPLAY_REVERSE},
                                       {"random", SCENARIO_REPLAY_RANDOM},
                                       {"burst", SCENARIO_REPLAY_BURST}};
static const struct choice forgeries[] = {{"flip-bits", SCENARIO_FORGE_FLIP_BITS},
                                          {"truncate", SCENARIO_FORGE_TRUNCATE},
                                          {"wrong-spi", SCENARIO_FORGE_WRONG_SPI},
                                          {"high-sequence", SCENARIO_FORGE_HIGH_SEQUENCE},
                                          {"random", SCENARIO_FORGE_RANDOM}};
static const struct choice floods[] = {{"quick-mode-bad-hash", SCENARIO_FLOOD_BAD_HASH},
                                       {"replayed-ike", SCENARIO_FLOOD_REPLAYED_IKE},
                                       {"replayed-esp", SCENARIO_FLOOD_REPLAYED_ESP},
                                       {"spoofed-esp", SCENARIO_FLOOD_SPOOFED_ESP}};
static const struct choice protocols[] = {
    {"any", SCENARIO_ATTACK_ESP | SCENARIO_ATTACK_AH | SCENARIO_ATTACK_IKE},
    {"esp", SCENARIO_ATTACK_ESP},
    {"ah", SCENARIO_ATTACK_AH},
    {"ike", SCENARIO_ATTACK_IKE}};

/* The schema has seen that it is one of them. */
static unsigned choose(const xmlNode *node, const char *attribute, const struct choice *choices, size_t num)
{
    const char *text = load_required(node, attribute);
    size_t i = 0;
    while (i + 1 < num && strcmp(choices[i].name, text) != 0)
        i++;
    return choices[i].value;
}

#define CHOOSE(node, attribute, choices) choose(node, attribute, choices, FIELDS(choices))

static const struct field recorded_fields[] = {
    {"from", &field_time, offsetof(struct scenario_attack, from)},
    {"until", &field_time, offsetof(struct scenario_attack, until)},
    {"packets", &field_count, offsetof(struct scenario_attack, packets)},
    {"delay", &field_time, offsetof(struct scenario_attack, delay)},
    {"rate", &field_interval, offsetof(struct scenario_attack, interval)},
};

static const struct field flood_fields[] = {
    {"packets", &field_count, offsetof(struct scenario_attack, packets)},
    {"delay", &field_time, offsetof(struct scenario_attack, delay)},
    {"rate", &field_interval, offsetof(struct scenario_attack, interval)},
    {"duration", &field_time, offsetof(struct scenario_attack, duration)},
};

static bool load_method(struct loader *l, const xmlNode *node, struct scenario_attack *attack)
{
    if (load_is(node, "replay")) {
        attack->kind = SCENARIO_REPLAY;
        attack->method = (enum scenario_attack_method)CHOOSE(node, "order", orders);
        attack->protocols = CHOOSE(node, "protocol", protocols);
    } else if (load_is(node, "forge")) {
        attack->kind = SCENARIO_FORGE;
        attack->method = (enum scenario_attack_method)CHOOSE(node, "kind", forgeries);
        attack->protocols = CHOOSE(node, "protocol", protocols);
    } else if (load_is(node, "flood")) {
        attack->kind = SCENARIO_FLOOD;
        attack->method = (enum scenario_attack_method)CHOOSE(node, "kind", floods);
        bool ike = attack->method == SCENARIO_FLOOD_BAD_HASH || attack->method == SCENARIO_FLOOD_REPLAYED_IKE;
        attack->protocols = ike ? SCENARIO_ATTACK_IKE : SCENARIO_ATTACK_ESP;
    } else {
        attack->kind = SCENARIO_COMPROMISE;
        attack->method = SCENARIO_COMPROMISE_KEYS;
        attack->protocols = SCENARIO_ATTACK_ESP | SCENARIO_ATTACK_AH | SCENARIO_ATTACK_IKE;
        attack->knows_d = strstr(load_required(node, "knows"), "skeyid-d") != NULL;
        attack->knows_e = strstr(load_required(node, "knows"), "skeyid-e") != NULL;
        return true;
    }
    return attack->kind == SCENARIO_FLOOD
               ? load_fields(l->problems, node, flood_fields, FIELDS(flood_fields), attack)
               : load_fields(l->problems, node, recorded_fields, FIELDS(recorded_fields), attack);
}

/* What was recorded: by how long ago, or from when until when. */
static bool load_capture(struct loader *l, const xmlNode *node, p2_time time, struct scenario_attack *attack)
{
    static const struct field capture_fields[] = {{"capture", &field_time, 0}};
    p2_time capture = 0;
    bool windowed = load_attribute(node, "from") || load_attribute(node, "until");
    if (!load_attribute(node, "until"))
        attack->until = time;
    if (!load_fields(l->problems, node, capture_fields, FIELDS(capture_fields), &capture))
        return false;
    if (capture > 0 && windowed) {
        load_wrong(l->problems, node, "capture", "beside from or until", "one or the other");
        return false;
    }
    if (load_attribute(node, "capture") && capture <= 0) {
        load_wrong(l->problems, node, "capture", "no time at all", "more than 0s");
        return false;
    }
    if (capture > 0)
        attack->from = time > capture ? time - capture : 0;
    if (attack->until > time) {
        load_wrong(l->problems, node, "until", "nobody has recorded the future", "at most the <at>'s time");
        return false;
    }
    if (attack->from >= attack->until) {
        load_wrong(l->problems, node, load_attribute(node, "from") ? "from" : "until", "no time at all",
                   "from before until");
        return false;
    }
    return true;
}

static bool check_times(struct loader *l, const xmlNode *node, p2_time time,
                        const struct scenario_attack *attack)
{
    if (attack->delay >= l->scenario->duration - time) {
        load_wrong(l->problems, node, "delay", "the run is over by then",
                   "a time before the scenario's duration");
        return false;
    }
    if (attack->kind == SCENARIO_FLOOD && attack->packets == 0 && attack->duration <= 0) {
        load_wrong(l->problems, node, "kind", "without an end",
                   "duration (more than 0s) or packets beside it");
        return false;
    }
    if (attack->method == SCENARIO_REPLAY_BURST && attack->interval > 0) {
        load_wrong(l->problems, node, "rate", "a burst comes all at once", "no rate, or another order");
        return false;
    }
    return true;
}

/* "hub", "spoke[3]", or "spoke" for any of the counted ones. */
static bool is_called(const char *node_name, const char *text)
{
    size_t len = strlen(text);
    return strncmp(node_name, text, len) == 0 && (node_name[len] == '\0' || node_name[len] == '[');
}

/* An end of the link by the name of its node; -1 if the attribute is not there. False: reported. */
static bool load_link_end(struct loader *l, const xmlNode *node, const char *attribute,
                          const struct scenario_link *link, int *end)
{
    const char *text = load_attribute(node, attribute);
    const char *names[] = {load_node_name(l->scenario, link->from), load_node_name(l->scenario, link->to)};
    *end = -1;
    if (!text)
        return true;
    for (int e = 0; e < 2; e++) {
        if (is_called(names[e], text) && !is_called(names[!e], text))
            *end = e;
    }
    if (*end >= 0)
        return true;
    char allowed[3 * SCENARIO_NAME];
    snprintf(allowed, sizeof allowed, "%.60s or %.60s", names[0], names[1]);
    load_wrong(l->problems, node, attribute, "the link does not end there", allowed);
    return false;
}

bool load_attack(struct loader *l, const xmlNode *node, p2_time time)
{
    struct scenario_attack attack = {.until = time};
    size_t first, num;
    bool recorded = load_is(node, "replay") || load_is(node, "forge");
    bool ok = load_method(l, node, &attack);
    ok = ok && (!recorded || load_capture(l, node, time, &attack)) && check_times(l, node, time, &attack);
    if (!load_link_members(l, node, "on", &first, &num) || !ok)
        return false;
    for (size_t i = 0; i < num; i++) {
        const struct scenario_link *link = &l->scenario->links[first + i];
        attack.link = (int)(first + i);
        if (!load_link_end(l, node, "sent-by", link, &attack.sent_by) ||
            !load_link_end(l, node, "toward", link, &attack.toward))
            return false;
        if (attack.kind == SCENARIO_FLOOD)
            attack.sent_by = !attack.toward;
        struct scenario_event *event = load_event(l, time, SCENARIO_ATTACK);
        if (!event)
            return false;
        event->u.attack = attack;
    }
    return true;
}
