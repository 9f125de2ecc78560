#include "tamper.h"

#include "array.h"
#include "ip.h"
#include "isakmp.h"

#include <stdlib.h>
#include <string.h>

#define MAX_MESSAGES 6

/* What was seen of one exchange: a digest of each of its messages, in the order of their first appearance. */
struct tamper_exchange {
    uint64_t messages[MAX_MESSAGES];
    uint32_t num;
};

/* What a packet is to the rules. */
struct seen {
    bool known;
    enum scenario_exchange exchange;
    uint32_t message; /* 0: not numbered */
};

void tamper_cleanup(struct tamper *tamper)
{
    free(tamper->rules);
    free(tamper->exchanges);
    p2_map_cleanup(&tamper->index);
    *tamper = (struct tamper){0};
}

int tamper_begin(struct tamper *tamper, p2_time now, const struct scenario_event *event)
{
    if (event->kind == SCENARIO_CUT) {
        p2_time until = now + event->u.cut.duration;
        tamper->cut_until = until > tamper->cut_until ? until : tamper->cut_until;
        return P2_OK;
    }
    struct tamper_rule *rule = ARRAY_APPEND(tamper->rules, tamper->num_rules);
    if (!rule)
        return P2_ERR_NOMEM;
    *rule = (struct tamper_rule){event->u.lose, event->u.lose.copies};
    return P2_OK;
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits. */
static uint64_t digest(const uint8_t *data, size_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* The exchange with this key; NULL: out of memory. */
static struct tamper_exchange *find_exchange(struct tamper *tamper, uint64_t key)
{
    uintptr_t place = (uintptr_t)p2_map_get(&tamper->index, key);
    if (place > 0)
        return &tamper->exchanges[place - 1];
    struct tamper_exchange *exchange = ARRAY_APPEND(tamper->exchanges, tamper->num_exchanges);
    if (!exchange || p2_map_put(&tamper->index, key, (void *)(uintptr_t)tamper->num_exchanges) < 0)
        return NULL;
    return exchange;
}

static uint32_t number_of(struct tamper_exchange *exchange, uint64_t message)
{
    for (uint32_t i = 0; i < exchange->num; i++) {
        if (exchange->messages[i] == message)
            return i + 1;
    }
    if (exchange->num == MAX_MESSAGES)
        return 0;
    exchange->messages[exchange->num++] = message;
    return exchange->num;
}

static int see_ike(struct tamper *tamper, struct seen *seen, const uint8_t *ike, size_t len)
{
    static const struct {
        uint8_t type;
        enum scenario_exchange exchange;
    } types[] = {{P2_EXCHANGE_MAIN, SCENARIO_MAIN},
                 {P2_EXCHANGE_AGGRESSIVE, SCENARIO_AGGRESSIVE},
                 {P2_EXCHANGE_INFORMATIONAL, SCENARIO_INFORMATIONAL},
                 {P2_EXCHANGE_QUICK, SCENARIO_QUICK}};
    for (size_t i = 0; len >= P2_ISAKMP_HEADER_LEN && i < sizeof types / sizeof types[0]; i++) {
        if (ike[18] != types[i].type)
            continue;
        seen->known = true;
        seen->exchange = types[i].exchange;
    }
    if (!seen->known || seen->exchange == SCENARIO_INFORMATIONAL)
        return P2_OK;
    /* Phase 1 has message ID 0 and a responder's cookie only from its second message on. */
    uint64_t key = p2_get_u64(ike) ^ (uint64_t)p2_get_u32(ike + 20) * UINT64_C(0x9e3779b97f4a7c15);
    struct tamper_exchange *exchange = find_exchange(tamper, key);
    if (!exchange)
        return P2_ERR_NOMEM;
    seen->message = number_of(exchange, digest(ike, len));
    return P2_OK;
}

/* RFC 3948 section 2: on port 4500 four zero bytes are IKE's marker, and anything else is ESP. */
static int see_udp(struct tamper *tamper, struct seen *seen, const uint8_t *udp, size_t len)
{
    static const uint8_t marker[4] = {0};
    if (len < 8)
        return P2_OK;
    uint16_t source = p2_get_u16(udp), destination = p2_get_u16(udp + 2);
    bool floated = source == P2_PORT_NAT_T || destination == P2_PORT_NAT_T;
    if (!floated && source != P2_PORT_IKE && destination != P2_PORT_IKE)
        return P2_OK;
    if (!floated)
        return see_ike(tamper, seen, udp + 8, len - 8);
    if (len >= 12 && memcmp(udp + 8, marker, 4) == 0)
        return see_ike(tamper, seen, udp + 12, len - 12);
    if (len > 9) /* one byte alone is a keepalive */
        *seen = (struct seen){true, SCENARIO_ESP, 0};
    return P2_OK;
}

/* Later fragments bear no header to go by; they pass. */
static int see(struct tamper *tamper, struct seen *seen, const uint8_t *packet, size_t len)
{
    uint8_t version = len > 0 ? packet[0] >> 4 : 0;
    size_t header_len = version == 4 ? (packet[0] & 15u) * 4u : 40;
    if ((version != 4 && version != 6) || len < header_len || header_len < 20 ||
        (version == 4 && (p2_get_u16(packet + 6) & 0x1fff) != 0))
        return P2_OK;
    uint8_t protocol = packet[version == 4 ? 9 : 6];
    if (protocol == P2_IP_PROTO_ESP || protocol == P2_IP_PROTO_AH)
        *seen = (struct seen){true, protocol == P2_IP_PROTO_ESP ? SCENARIO_ESP : SCENARIO_AH, 0};
    return protocol == P2_IP_PROTO_UDP ? see_udp(tamper, seen, packet + header_len, len - header_len) : P2_OK;
}

static struct tamper_rule *find_rule(struct tamper *tamper, const struct seen *seen)
{
    for (size_t i = 0; seen->known && i < tamper->num_rules; i++) {
        struct tamper_rule *rule = &tamper->rules[i];
        if (rule->left > 0 && rule->lose.exchange == seen->exchange &&
            (rule->lose.message == 0 || rule->lose.message == seen->message))
            return rule;
    }
    return NULL;
}

int tamper_judge(struct tamper *tamper, struct tamper_verdict *verdict, p2_time now, const uint8_t *packet,
                 size_t len)
{
    static const enum tamper_action actions[] = {[SCENARIO_LOSE_DROP] = TAMPER_DROP,
                                                 [SCENARIO_LOSE_DELAY] = TAMPER_DELAY,
                                                 [SCENARIO_LOSE_DUPLICATE] = TAMPER_DUPLICATE};
    struct seen seen = {0};
    *verdict = (struct tamper_verdict){TAMPER_PASS, 0};
    int result = see(tamper, &seen, packet, len);
    if (result < 0)
        return result;
    if (now < tamper->cut_until) {
        verdict->action = TAMPER_DROP;
        return P2_OK;
    }
    struct tamper_rule *rule = find_rule(tamper, &seen);
    if (rule) {
        rule->left--;
        *verdict = (struct tamper_verdict){actions[rule->lose.action], rule->lose.delay};
    }
    return P2_OK;
}
