#include "ledger.h"

#include "cursor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void ledger_cleanup(struct ledger *ledger)
{
    free(ledger->entries);
    p2_map_cleanup(&ledger->index);
    *ledger = (struct ledger){0};
}

/* Phase 1 is known by the initiator's cookie alone, for the responder's is not there from the start. */
static uint64_t key_of(const struct p2_negotiation_id *id)
{
    return p2_get_u64(id->initiator_cookie) ^ (uint64_t)id->message_id * UINT64_C(0x9e3779b97f4a7c15);
}

static bool same(const struct p2_negotiation_id *a, const struct p2_negotiation_id *b)
{
    return a->message_id == b->message_id && memcmp(a->initiator_cookie, b->initiator_cookie, 8) == 0;
}

static struct ledger_entry *find(const struct ledger *ledger, const struct p2_negotiation_id *id,
                                 uint64_t *key)
{
    for (*key = key_of(id);; ++*key) {
        uintptr_t place = (uintptr_t)p2_map_get(&ledger->index, *key);
        if (place == 0)
            return NULL;
        if (same(&ledger->entries[place - 1].id, id))
            return &ledger->entries[place - 1];
    }
}

size_t ledger_find(const struct ledger *ledger, const struct p2_negotiation_id *id)
{
    uint64_t key;
    const struct ledger_entry *entry = find(ledger, id, &key);
    return entry ? (size_t)(entry - ledger->entries) : SIZE_MAX;
}

static struct ledger_entry *find_or_add(struct ledger *ledger, const struct p2_negotiation_id *id)
{
    uint64_t key;
    struct ledger_entry *entry = find(ledger, id, &key);
    if (entry)
        return entry;
    if (ledger->num_entries == ledger->capacity) {
        size_t capacity = ledger->capacity ? ledger->capacity * 2 : 64;
        struct ledger_entry *entries = realloc(ledger->entries, capacity * sizeof(*entries));
        if (!entries)
            return NULL;
        ledger->entries = entries;
        ledger->capacity = capacity;
    }
    if (p2_map_put(&ledger->index, key, (void *)(uintptr_t)(ledger->num_entries + 1)) < 0)
        return NULL;
    entry = &ledger->entries[ledger->num_entries++];
    *entry =
        (struct ledger_entry){.id = *id, .phase1 = id->message_id == 0, .initiator = -1, .responder = -1};
    return entry;
}

/* The side that refused knows why; one that was told so, or waited in vain, does not. */
static bool knows_more(const struct p2_negotiation *n, const struct p2_negotiation *than)
{
    bool hearsay = than->notify_received || than->failure == P2_FAIL_TIMEOUT;
    return hearsay && !n->notify_received && n->failure != P2_FAIL_TIMEOUT;
}

static void note_failure(struct ledger_entry *entry, const struct p2_negotiation *n)
{
    bool first = !entry->failed[0] && !entry->failed[1];
    if (first || knows_more(n, &entry->failure))
        entry->failure = *n;
    entry->failures[!n->initiator] = *n;
    entry->failed[!n->initiator] = true;
}

static void note_negotiation(struct ledger_entry *entry, int host, p2_time now,
                             const struct p2_negotiation *n, uint64_t event)
{
    /* Whatever comes under the same cookie afterwards is somebody's copy of its first message. */
    if (entry->ready_event[0] != 0 && entry->ready_event[1] != 0)
        return;
    *(n->initiator ? &entry->initiator : &entry->responder) = host;
    if (n->initiator || entry->initiator < 0) {
        entry->peer = n->peer;
        entry->tunnel = n->tunnel;
        entry->group = n->group;
        entry->start = n->start;
    }
    switch (n->event) {
    case P2_NEGOTIATION_STARTED:
        if (n->initiator)
            entry->started = now;
        break;
    case P2_NEGOTIATION_READY:
        entry->ready_event[!n->initiator] = event;
        entry->ready_at[!n->initiator] = now;
        if (entry->suite.num == 0)
            entry->suite = n->suite;
        break;
    case P2_NEGOTIATION_FAILED:
        note_failure(entry, n);
        break;
    }
}

void ledger_observe(struct ledger *ledger, int host, p2_time now, const struct p2_action *action,
                    uint64_t event, const struct profile *profile)
{
    uint64_t key;
    struct ledger_entry *entry;
    if (action->type == P2_ACTION_NEGOTIATION) {
        entry = find_or_add(ledger, &action->u.negotiation.id);
        if (entry)
            note_negotiation(entry, host, now, &action->u.negotiation, event);
        else
            ledger->out_of_memory = true;
    } else if (action->type == P2_ACTION_COMPUTE && !action->u.compute.ipsec && profile) {
        /* A responder's first look at a message comes before it says that a negotiation started. */
        entry = find(ledger, &action->id, &key);
        if (entry)
            entry->cpu_total += profile_price_of(profile, &action->u.compute.work);
    } else if (action->type == P2_ACTION_SEND_IKE && action->u.send_ike.resend) {
        entry = find(ledger, &action->id, &key);
        if (entry)
            entry->resent++;
    }
}

enum ledger_outcome ledger_outcome(const struct ledger_entry *entry)
{
    if (entry->failed[0] || entry->failed[1])
        return LEDGER_FAILED;
    return entry->ready_event[0] && entry->ready_event[1] ? LEDGER_ESTABLISHED : LEDGER_UNFINISHED;
}

/* Of a wrong key the responder sees more: messages that it can not read, and not only silence. */
void ledger_note_open(struct ledger *ledger, const struct p2_negotiation *n)
{
    uint64_t key;
    struct ledger_entry *entry = find(ledger, &n->id, &key);
    if (!entry || ledger_outcome(entry) != LEDGER_UNFINISHED)
        return;
    bool saw_more = n->failure == P2_FAIL_WRONG_KEY && !n->initiator;
    if (!entry->waits || saw_more || knows_more(n, &entry->failure))
        entry->failure = *n;
    entry->waits = true;
}

p2_time ledger_latency(const struct ledger_entry *entry, const struct causes *causes,
                       struct cause_split *split)
{
    uint64_t last = entry->ready_event[0]; /* the later one; ties by the events' numbers */
    if (entry->ready_at[1] > entry->ready_at[0] ||
        (entry->ready_at[1] == entry->ready_at[0] && entry->ready_event[1] > last))
        last = entry->ready_event[1];
    bool whole = causes_walk(causes, last, entry->started, split);
    p2_time latency = causes_time(causes, last) - entry->started;
    if (!whole) /* something from outside helped: an attacker's copy stood in for a lost message */
        *split = (struct cause_split){-1, -1, -1, -1};
    assert(!whole || latency == split->network + split->cpu + split->cpu_wait + split->retransmission_wait);
    return latency;
}
