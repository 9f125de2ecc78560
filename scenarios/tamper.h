/* What a scenario's timeline does to packets on one link: nothing passes while it is cut, and chosen messages
 * are lost, delayed or doubled. It sees every packet that enters the link, at either end, from the start of
 * the run, for it numbers the messages of each exchange as they first appear; a resent one keeps its number.
 */
#ifndef P2_SCENARIO_TAMPER_H
#define P2_SCENARIO_TAMPER_H

#include "map.h"
#include "scenario.h"

struct tamper_exchange;

struct tamper_rule {
    struct scenario_lose lose;
    uint32_t left; /* of lose.copies */
};

struct tamper {
    p2_time cut_until;
    struct tamper_rule *rules; /* in the order in which they began; the first that fits acts */
    size_t num_rules;
    struct tamper_exchange *exchanges;
    size_t num_exchanges;
    struct p2_map index; /* of exchanges, by cookie, message ID and type */
};

enum tamper_action { TAMPER_PASS, TAMPER_DROP, TAMPER_DELAY, TAMPER_DUPLICATE };

struct tamper_verdict {
    enum tamper_action action;
    p2_time delay; /* of TAMPER_DELAY */
};

/* A zeroed struct is ready. */
void tamper_cleanup(struct tamper *tamper);
/* The event is due: SCENARIO_CUT or SCENARIO_LOSE of this link. P2_OK or P2_ERR_NOMEM. */
int tamper_begin(struct tamper *tamper, p2_time now, const struct scenario_event *event) P2_WARN_UNUSED;
/* A whole IP packet enters the link. P2_OK or P2_ERR_NOMEM; what is no IKE, ESP or AH passes unless cut. */
int tamper_judge(struct tamper *tamper, struct tamper_verdict *verdict, p2_time now, const uint8_t *packet,
                 size_t len) P2_WARN_UNUSED;

#endif
