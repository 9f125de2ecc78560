/* Attackers at work: they record links, inject at exact times, and read with the keys that they learn. */
#include "world_impl.h"

#include "array.h"
#include "cursor.h"

#include <stdlib.h>
#include <string.h>

static void fail_memory(struct world *world)
{
    world->attacks.out_of_memory = true;
}

static struct world_tamper *link_of(const struct world_attack *attack)
{
    return &attack->world->tampers[attack->config->link];
}

static void fill(void *ctx, uint8_t *out, size_t len)
{
    ns3c_stream_fill(ctx, out, len);
}

/* --- injecting --- */

static void inject(struct world_attack *attack, int end, const uint8_t *packet, size_t len, uint64_t copy_of)
{
    struct world *world = attack->world;
    bool ike = attack_look(packet, len).protocol == SCENARIO_ATTACK_IKE;
    uint64_t mark = attacks_inject(&world->attacks, attack->event, ike, copy_of);
    /* One that is no IP packet for that node arrives nowhere. */
    if (mark != 0)
        (void)ns3c_link_inject(world->links[attack->config->link], end, packet, len, mark);
}

static struct attack_random random_of(const struct world_attack *attack)
{
    return (struct attack_random){fill, attack->random};
}

/* With the number after the newest that was seen: however many were refused before, the window lets it pass.
 */
static size_t forge(const struct world_attack *attack, uint8_t *out, const struct attack_recorded *item)
{
    struct attack_view view = attack_look(item->bytes, item->len);
    uint32_t newest = attack_tap_newest(&link_of(attack)->tap, &view);
    return attack_forge(out, item->bytes, item->len, attack->config->method, newest, random_of(attack));
}

/* Where it comes out, and turned round if that is where it came from. */
static void inject_recorded(struct world_attack *attack, const struct attack_recorded *item)
{
    uint8_t packet[ATTACK_PACKET_MAX];
    int end = attack->config->toward >= 0 ? attack->config->toward : !item->end;
    size_t len = item->len;
    bool forged = attack->config->kind == SCENARIO_FORGE;
    if (forged)
        len = forge(attack, packet, item);
    else
        memcpy(packet, item->bytes, item->len);
    if (end == item->end)
        attack_reflect(packet, len);
    inject(attack, end, packet, len, forged ? 0 : item->mark);
}

static void on_recorded_due(void *ctx)
{
    struct world_attack *attack = ctx;
    const struct attack_tap *tap = &link_of(attack)->tap;
    while (attack->next < attack->num && attack->due[attack->next] <= ns3c_now())
        inject_recorded(attack, &tap->items[attack->items[attack->next++]]);
    if (attack->next < attack->num)
        ns3c_timer_arm(attack->timer, attack->due[attack->next]);
}

/* --- replay and forge: what, in which order, when --- */

static void collect(struct world_attack *attack)
{
    const struct attack_tap *tap = &link_of(attack)->tap;
    const struct scenario_attack *config = attack->config;
    for (size_t i = 0; i < tap->num; i++) {
        if (attack_tap_means(config, &tap->items[i]))
            attack->items[attack->num++] = i;
    }
    attack->world->attacks.counts[attack->event].recorded = attack->num;
    if (config->kind != SCENARIO_FLOOD && config->packets > 0 && attack->num > config->packets) {
        memmove(attack->items, attack->items + attack->num - config->packets,
                config->packets * sizeof *attack->items);
        attack->num = config->packets;
    }
}

static void plan_times(struct world_attack *attack)
{
    const struct attack_recorded *recorded = link_of(attack)->tap.items;
    const struct scenario_attack *config = attack->config;
    p2_time start = ns3c_now() + config->delay;
    for (size_t i = 0; i < attack->num; i++) {
        p2_time first = recorded[attack->items[0]].time, last = recorded[attack->items[attack->num - 1]].time;
        bool reverse = config->method == SCENARIO_REPLAY_REVERSE;
        p2_time since = reverse ? last - recorded[attack->items[attack->num - 1 - i]].time
                                : recorded[attack->items[i]].time - first;
        attack->due[i] = start;
        if (config->interval > 0)
            attack->due[i] += (p2_time)i * config->interval;
        else if (config->method != SCENARIO_REPLAY_BURST)
            attack->due[i] += since;
    }
}

static void exchange(size_t *a, size_t *b)
{
    size_t kept = *a;
    *a = *b;
    *b = kept;
}

/* The times stay as they are. */
static void put_in_order(struct world_attack *attack)
{
    size_t num = attack->num;
    if (attack->config->method == SCENARIO_REPLAY_REVERSE) {
        for (size_t i = 0; i < num / 2; i++)
            exchange(&attack->items[i], &attack->items[num - 1 - i]);
    } else if (attack->config->method == SCENARIO_REPLAY_RANDOM) {
        for (size_t i = num; i > 1; i--) /* Fisher and Yates */
            exchange(&attack->items[i - 1],
                     &attack->items[(size_t)(ns3c_stream_uniform(attack->random) * (double)i)]);
    }
}

/* False: out of memory. */
static bool prepare(struct world_attack *attack)
{
    size_t most = link_of(attack)->tap.num;
    attack->items = calloc(most + 1, sizeof *attack->items);
    attack->due = calloc(most + 1, sizeof *attack->due);
    if (!attack->items || !attack->due) {
        fail_memory(attack->world);
        return false;
    }
    collect(attack);
    return true;
}

static void begin_recorded(struct world_attack *attack)
{
    if (!prepare(attack))
        return;
    plan_times(attack);
    put_in_order(attack);
    attack->timer = ns3c_timer_new(on_recorded_due, attack);
    if (attack->num > 0)
        ns3c_timer_arm(attack->timer, attack->due[0]);
}

/* --- flood --- */

/* Over and over. */
static bool replays(const struct world_attack *attack)
{
    return attack->config->method == SCENARIO_FLOOD_REPLAYED_IKE ||
           attack->config->method == SCENARIO_FLOOD_REPLAYED_ESP;
}

static void flood_with_copies(struct world_attack *attack)
{
    const struct attack_recorded *items = link_of(attack)->tap.items;
    const struct attack_recorded *item =
        attack->num > 0 ? &items[attack->items[attack->next % attack->num]] : NULL;
    if (item)
        inject(attack, attack->config->toward, item->bytes, item->len, item->mark);
}

/* Nothing, as long as nothing was seen that could be imitated. */
static void flood_with_forgeries(struct world_attack *attack)
{
    uint8_t packet[ATTACK_PACKET_MAX];
    const struct attack_tap *tap = &link_of(attack)->tap;
    int from = !attack->config->toward;
    bool esp = attack->config->method == SCENARIO_FLOOD_SPOOFED_ESP;
    const struct attack_recorded *newest = esp ? &tap->last_esp[from] : &tap->last_ike[from];
    size_t len = 0;
    if (newest->len > 0)
        len = esp ? forge(attack, packet, newest)
                  : attack_bad_hash(packet, newest->bytes, newest->len, random_of(attack));
    if (len > 0)
        inject(attack, attack->config->toward, packet, len, 0);
}

static void on_flood_due(void *ctx)
{
    struct world_attack *attack = ctx;
    const struct scenario_attack *config = attack->config;
    p2_time began = attack->world->scenario->events[attack->event].time + config->delay;
    if (replays(attack))
        flood_with_copies(attack);
    else
        flood_with_forgeries(attack);
    attack->next++;
    p2_time next = began + (p2_time)attack->next * config->interval;
    if ((config->packets == 0 || attack->next < config->packets) &&
        (config->duration == 0 || next < began + config->duration))
        ns3c_timer_arm(attack->timer, next);
}

static void begin_flood(struct world_attack *attack)
{
    if (replays(attack) && !prepare(attack))
        return;
    attack->timer = ns3c_timer_new(on_flood_due, attack);
    ns3c_timer_arm(attack->timer, ns3c_now() + attack->config->delay);
}

/* --- compromise --- */

/* The initiators' cookies of the IKE that was recorded, as keys. */
static int collect_cookies(const struct attack_tap *tap, struct p2_map *cookies)
{
    int result = P2_OK;
    for (size_t i = 0; i < tap->num && result == P2_OK; i++) {
        const struct attack_recorded *item = &tap->items[i];
        if (item->protocol != SCENARIO_ATTACK_IKE)
            continue;
        const uint8_t *cookie = item->bytes + attack_look(item->bytes, item->len).at;
        result = p2_map_put(cookies, p2_get_u64(cookie), item->bytes);
    }
    return result;
}

static int learn_one(struct world_attack *attack, const struct p2_isakmp_info *info)
{
    struct p2_eavesdrop_isakmp known = {.cipher = info->cipher,
                                        .hash = info->hash,
                                        .knows_d = attack->config->knows_d,
                                        .knows_e = attack->config->knows_e};
    memcpy(known.initiator_cookie, info->id.initiator_cookie, 8);
    memcpy(known.responder_cookie, info->id.responder_cookie, 8);
    memcpy(known.skeyid_d, info->keys.skeyid_d, sizeof known.skeyid_d);
    memcpy(known.skeyid_e, info->keys.skeyid_e, sizeof known.skeyid_e);
    memcpy(known.last_block, info->keys.iv, sizeof known.last_block);
    attack->num_isakmp++;
    return p2_eavesdrop_learn(attack->eavesdrop, &known);
}

/* The keys of ISAKMP SAs whose packets passed here. */
static int learn(struct world_attack *attack)
{
    const struct world_isakmp *isakmp = &attack->world->isakmp;
    struct p2_map cookies = {0};
    int result = collect_cookies(&link_of(attack)->tap, &cookies);
    for (size_t i = 0; i < isakmp->num && result == P2_OK; i++) {
        if (p2_map_get(&cookies, p2_get_u64(isakmp->infos[i].id.initiator_cookie)))
            result = learn_one(attack, &isakmp->infos[i]);
    }
    p2_map_cleanup(&cookies);
    return result;
}

static void begin_compromise(struct world_attack *attack)
{
    const struct attack_tap *tap = &link_of(attack)->tap;
    struct p2_eavesdrop_packet heard;
    int result = p2_eavesdrop_new(&attack->eavesdrop);
    if (result == P2_OK)
        result = learn(attack);
    for (size_t i = 0; i < tap->num && result == P2_OK; i++)
        result = p2_eavesdrop_hear(attack->eavesdrop, &heard, tap->items[i].bytes, tap->items[i].len);
    if (result < 0)
        fail_memory(attack->world);
}

/* --- all of them --- */

int world_plan_attack(struct world *world, size_t event)
{
    const struct scenario *scenario = world->scenario;
    if (!world->attackers)
        world->attackers = calloc(scenario->num_events, sizeof *world->attackers);
    if (!world->attackers)
        return world_fail(world, "world", "out of memory");
    struct world_attack *attack = &world->attackers[event];
    *attack = (struct world_attack){.world = world,
                                    .event = event,
                                    .config = &scenario->events[event].u.attack,
                                    .random = ns3c_stream_new(WORLD_STREAM_ATTACK + (int64_t)event)};
    if (attack_tap_want(&link_of(attack)->tap, attack->config) < 0)
        return world_fail(world, "world", "out of memory");
    return 0;
}

void world_attack(struct world *world, size_t event)
{
    struct world_attack *attack = &world->attackers[event];
    if (attack->config->kind == SCENARIO_COMPROMISE)
        begin_compromise(attack);
    else if (attack->config->kind == SCENARIO_FLOOD)
        begin_flood(attack);
    else
        begin_recorded(attack);
}

/* Both ends tell of an ISAKMP SA, with the same keys. */
static void note_isakmp(struct world *world, const struct p2_isakmp_info *info)
{
    if (!info->initiator)
        return;
    struct p2_isakmp_info *noted = ARRAY_APPEND(world->isakmp.infos, world->isakmp.num);
    if (noted)
        *noted = *info;
    else
        fail_memory(world);
}

void world_observe_attacks(struct world *world, const struct p2_action *action)
{
    if (action->type == P2_ACTION_ISAKMP_SA)
        note_isakmp(world, &action->u.isakmp);
    attacks_observe(&world->attacks, world->causes, action);
}

void world_free_attacks(struct world *world)
{
    for (size_t i = 0; world->attackers && i < world->scenario->num_events; i++) {
        free(world->attackers[i].items);
        free(world->attackers[i].due);
        p2_eavesdrop_free(world->attackers[i].eavesdrop);
    }
    free(world->attackers);
    free(world->isakmp.infos);
    attacks_cleanup(&world->attacks);
}
