/* An attacker's recorder on one link: what passes, in order of time, as far as anybody will want it; and
 * always the newest of each kind. It hears a packet as it enters the link, before the link can lose it. */
#ifndef P2_SCENARIO_ATTACK_TAP_H
#define P2_SCENARIO_ATTACK_TAP_H

#include "attack_packet.h"
#include "map.h"

struct attack_recorded {
    p2_time time;
    int end; /* that sent it */
    unsigned protocol;
    bool is_fragment;
    uint64_t mark; /* that the packet bore */
    uint8_t *bytes;
    size_t len;
};

struct attack_tap {
    struct attack_recorded *items;
    size_t num;
    const struct scenario_attack **wanted; /* who wants what */
    size_t num_wanted;
    struct p2_map newest;               /* by protocol and SPI: the newest number, plus 1 */
    struct attack_recorded last_ike[2]; /* encrypted, by sender; len 0: none yet */
    struct attack_recorded last_esp[2];
};

/* A zeroed struct is ready. */
void attack_tap_cleanup(struct attack_tap *tap);
/* Before the run: this attack will want what it says. Functions that return int: P2_OK or P2_ERR_NOMEM. */
int attack_tap_want(struct attack_tap *tap, const struct scenario_attack *attack) P2_WARN_UNUSED;
int attack_tap_hear(struct attack_tap *tap, p2_time now, int end, const uint8_t *packet, size_t len,
                    uint64_t mark) P2_WARN_UNUSED;
/* The newest number seen under the SPI of an ESP or AH packet. */
uint32_t attack_tap_newest(const struct attack_tap *tap, const struct attack_view *view);
/* Whether an attack means this packet. Floods that imitate mean none: they go by the newest of its kind. */
bool attack_tap_means(const struct scenario_attack *attack, const struct attack_recorded *item);

#endif
