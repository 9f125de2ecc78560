/* What became of each packet of a flow: one end each, so that the numbers add up to what was sent.
 *
 * A packet may have several copies (duplicates of a link, replays of an attacker, fragments). If any copy was
 * delivered the packet was; otherwise the first thing that happened to a copy is its fate. Hence a window
 * that rejects the second copy of a delivered packet did its duty, and FATE_WINDOW counts false positives
 * alone: packets that nobody doubled, or whose original the window refused, and that never came. */
#ifndef P2_FATE_H
#define P2_FATE_H

#include "base.h"
#include "reason.h"

enum fate {
    FATE_UNKNOWN, /* under way when the run ended; lost in a NAT or in a reassembly that lacked nothing we saw
                   */
    FATE_DELIVERED,
    FATE_WINDOW, /* replayed or too-old, says the window */
    FATE_LINK,   /* lost on a link, or no room in its queue */
    FATE_NO_SA,  /* no SA to send with, or none any more to receive with */
    FATE_TOO_BIG,
    FATE_CPU, /* no room in a CPU's queue */
    FATE_OTHER,
    FATE_NUM
};

/* Of one flow; zeroed is empty. A byte a packet. */
struct fates {
    uint8_t *of; /* by the packet's number */
    size_t capacity;
};

/* P2_OK or P2_ERR_NOMEM. */
int fates_note(struct fates *fates, uint64_t number, enum fate fate) P2_WARN_UNUSED;
enum fate fates_of(const struct fates *fates, uint64_t number);
enum fate fates_of_drop(enum p2_drop reason);
/* Of the first `sent` packets. */
void fates_count(const struct fates *fates, uint64_t sent, uint64_t counts[FATE_NUM]);
void fates_cleanup(struct fates *fates);

#endif
