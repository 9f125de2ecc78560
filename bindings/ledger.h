/* The ledger of negotiations: what both ends tell about each Quick Mode and each Phase 1, put together into
 * one entry, and the latency with its split, walked along the chain of causes.
 *
 * Latency: t0 is the instant at which the initiator starts the Quick Mode, Phase 1 being ready; t1 is the
 * later of the two instants at which each peer has its inbound SA installed and its outbound SA authorised.
 * For Phase 1: from its first message until the later of both ends has the ISAKMP SA. */
#ifndef P2_LEDGER_H
#define P2_LEDGER_H

#include "causes.h"
#include "gateway.h"
#include "map.h"
#include "profile.h"

#ifdef __cplusplus
extern "C" {
#endif

enum ledger_outcome { LEDGER_UNFINISHED, LEDGER_ESTABLISHED, LEDGER_FAILED };

struct ledger_entry {
    struct p2_negotiation_id id;
    bool phase1;
    const char *peer, *tunnel; /* names as the initiator's config has them; tunnel NULL in Phase 1 */
    int initiator, responder;  /* the hosts' numbers; -1: never heard of */
    enum p2_start start;
    enum p2_group group;
    p2_time started;         /* t0 */
    uint64_t ready_event[2]; /* initiator's, responder's; 0: not ready */
    p2_time ready_at[2];
    unsigned resent;       /* messages sent again by their timers, both sides */
    p2_time cpu_total;     /* price of all work of both sides that was begun */
    struct p2_suite suite; /* what was agreed, as the first side that was ready told it; num 0: unknown */
    bool failed[2];
    struct p2_negotiation failures[2]; /* initiator's, responder's: as each of them saw it */
    struct p2_negotiation failure;     /* the refusing side's view, else the first one told */
    bool waits; /* unfinished when the run ended: failure says what for, as if it gave up then */
};

struct ledger {
    struct ledger_entry *entries; /* in the order in which they were first heard of */
    size_t num_entries, capacity;
    struct p2_map index;
    bool out_of_memory;
};

void ledger_cleanup(struct ledger *ledger);
/* To be called with every action of every host. profile: that host's, NULL if work is free. */
void ledger_observe(struct ledger *ledger, int host, p2_time now, const struct p2_action *action,
                    uint64_t event, const struct profile *profile);
/* To be called at the end of a run with what p2_gateway_open_at tells of each gateway. */
void ledger_note_open(struct ledger *ledger, const struct p2_negotiation *n);
/* The place of an entry in `entries`, which never changes; SIZE_MAX: not heard of. */
size_t ledger_find(const struct ledger *ledger, const struct p2_negotiation_id *id);
enum ledger_outcome ledger_outcome(const struct ledger_entry *entry);
/* Of an established entry: t1 - t0 and its parts, which add up to it (asserted). All parts are -1 if the
 * chain of causes does not lead back to t0, since a message from outside (an attacker's replay) did the work
 * of one that was lost. */
p2_time ledger_latency(const struct ledger_entry *entry, const struct causes *causes,
                       struct cause_split *split);

#ifdef __cplusplus
}
#endif
#endif
