#include "attack.h"

#include "array.h"
#include "host.h"

#include <stdlib.h>

int attacks_init(struct attacks *attacks, size_t num_events)
{
    *attacks = (struct attacks){.counts = calloc(num_events + 1, sizeof *attacks->counts)};
    return attacks->counts ? P2_OK : P2_ERR_NOMEM;
}

void attacks_cleanup(struct attacks *attacks)
{
    free(attacks->counts);
    free(attacks->packets);
    p2_map_cleanup(&attacks->by_event);
    *attacks = (struct attacks){0};
}

static struct attack_packet *packet_of(const struct attacks *attacks, uint64_t mark)
{
    uint64_t place = mark & ~HOST_INJECTED;
    return mark & HOST_INJECTED && place < attacks->num_packets ? &attacks->packets[place] : NULL;
}

uint64_t attacks_original(const struct attacks *attacks, uint64_t mark)
{
    const struct attack_packet *packet = packet_of(attacks, mark);
    return packet ? packet->copy_of : mark;
}

uint64_t attacks_inject(struct attacks *attacks, size_t event, bool ike, uint64_t copy_of)
{
    uint64_t mark = HOST_INJECTED | attacks->num_packets;
    struct attack_packet *packet = ARRAY_APPEND(attacks->packets, attacks->num_packets);
    if (!packet) {
        attacks->out_of_memory = true;
        return 0;
    }
    *packet = (struct attack_packet){
        .attack = (uint32_t)event, .ike = ike, .copy_of = attacks_original(attacks, copy_of)};
    attacks->counts[event].injected++;
    attacks->counts[event].ike += ike;
    return mark;
}

/* One that wanders through several gateways arrives at the first. */
void attacks_arrived(struct attacks *attacks, uint64_t mark, uint64_t event)
{
    struct attack_packet *packet = packet_of(attacks, mark);
    if (!packet || packet->arrived)
        return;
    packet->arrived = true;
    attacks->counts[packet->attack].arrived++;
    uintptr_t place = (uintptr_t)(packet - attacks->packets) + 1;
    if (event != 0 && p2_map_put(&attacks->by_event, event, (void *)place) < 0)
        attacks->out_of_memory = true;
}

void attacks_came_first(struct attacks *attacks, uint64_t mark)
{
    const struct attack_packet *packet = packet_of(attacks, mark);
    if (packet)
        attacks->counts[packet->attack].came_first++;
}

/* The first thing that becomes of it counts. */
static void decide(struct attacks *attacks, struct attack_packet *packet, uint64_t *count, bool live)
{
    if (packet->decided || !packet->arrived)
        return;
    packet->decided = true;
    ++*count;
    attacks->counts[packet->attack].live += live;
}

static void observe_ipsec(struct attacks *attacks, const struct p2_action *action)
{
    struct attack_packet *packet = packet_of(attacks, action->mark);
    if (!packet)
        return;
    struct attack_counts *counts = &attacks->counts[packet->attack];
    if (action->type == P2_ACTION_DELIVER_CLEAR)
        decide(attacks, packet, &counts->accepted, true);
    else
        decide(attacks, packet, &counts->rejected[action->u.drop.reason],
               action->u.drop.spi != 0 && action->u.drop.reason != P2_DROP_UNKNOWN_SPI);
}

/* Whether it was for an ISAKMP SA that is there. */
static bool reached_isakmp(enum p2_drop reason)
{
    return reason != P2_DROP_UNKNOWN_COOKIE && reason != P2_DROP_UNKNOWN_PEER && reason != P2_DROP_MALFORMED;
}

static void observe_ike(struct attacks *attacks, const struct causes *causes, const struct p2_action *action)
{
    uintptr_t place = (uintptr_t)p2_map_get(&attacks->by_event, causes_origin(causes, action->mark));
    if (place == 0)
        return;
    struct attack_packet *packet = &attacks->packets[place - 1];
    struct attack_counts *counts = &attacks->counts[packet->attack];
    if (action->type == P2_ACTION_DROP) {
        enum p2_drop reason = action->u.drop.reason;
        if (reason != P2_DROP_UNKNOWN_NOTIFY) /* the rest of its message counts */
            decide(attacks, packet, &counts->rejected[reason], reached_isakmp(reason));
    } else if (action->type == P2_ACTION_SEND_IKE && action->u.send_ike.answer) {
        decide(attacks, packet, &counts->answered, true);
    } else if (action->type != P2_ACTION_SEND_IKE || !action->u.send_ike.resend) {
        decide(attacks, packet, &counts->accepted, true);
    }
}

void attacks_observe(struct attacks *attacks, const struct causes *causes, const struct p2_action *action)
{
    switch (action->type) {
    case P2_ACTION_DELIVER_CLEAR:
        observe_ipsec(attacks, action);
        break;
    case P2_ACTION_DROP:
        if (action->u.drop.ipsec) {
            observe_ipsec(attacks, action);
            break;
        }
        /* fall through */
    case P2_ACTION_SEND_IKE:
    case P2_ACTION_NEGOTIATION:
    case P2_ACTION_SA_INSTALLED:
    case P2_ACTION_SA_REMOVED:
    case P2_ACTION_ISAKMP_SA:
    case P2_ACTION_ISAKMP_REMOVED:
        if (attacks->by_event.count > 0 && action->mark != 0)
            observe_ike(attacks, causes, action);
        break;
    default: /* work, data packets on their way out, keys: nothing is decided by them */
        break;
    }
}

/* What arrived and has no fate waits for the CPU, which it does only for the sake of an SA. */
void attacks_end(struct attacks *attacks)
{
    for (size_t i = 0; i < attacks->num_packets; i++) {
        struct attack_packet *packet = &attacks->packets[i];
        decide(attacks, packet, &attacks->counts[packet->attack].unfinished, true);
    }
}

const char *attack_kind_name(enum scenario_attack_kind kind)
{
    static const char *const names[] = {[SCENARIO_REPLAY] = "replay",
                                        [SCENARIO_FORGE] = "forge",
                                        [SCENARIO_FLOOD] = "flood",
                                        [SCENARIO_COMPROMISE] = "compromise"};
    return names[kind];
}

const char *attack_method_name(enum scenario_attack_method method)
{
    static const char *const names[SCENARIO_NUM_ATTACK_METHODS] = {
        [SCENARIO_REPLAY_SAME] = "same",
        [SCENARIO_REPLAY_REVERSE] = "reverse",
        [SCENARIO_REPLAY_RANDOM] = "random",
        [SCENARIO_REPLAY_BURST] = "burst",
        [SCENARIO_FORGE_FLIP_BITS] = "flip-bits",
        [SCENARIO_FORGE_TRUNCATE] = "truncate",
        [SCENARIO_FORGE_WRONG_SPI] = "wrong-spi",
        [SCENARIO_FORGE_HIGH_SEQUENCE] = "high-sequence",
        [SCENARIO_FORGE_RANDOM] = "random",
        [SCENARIO_FLOOD_BAD_HASH] = "quick-mode-bad-hash",
        [SCENARIO_FLOOD_REPLAYED_IKE] = "replayed-ike",
        [SCENARIO_FLOOD_REPLAYED_ESP] = "replayed-esp",
        [SCENARIO_FLOOD_SPOOFED_ESP] = "spoofed-esp",
        [SCENARIO_COMPROMISE_KEYS] = "keys",
    };
    return names[method];
}
