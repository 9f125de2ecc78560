/* The replay window and nothing else: a ring of bits after RFC 6479, of any width, over sequence numbers of
 * 64 bits. Checking and marking are two functions, because the window may move only after the ICV verified
 * (RFC 4303 section 3.4.3).
 *
 * With extended sequence numbers only the lower half is on the wire, and the window says what the upper one
 * must be (RFC 4303 appendix A2); without them numbers stay below 2^32. */
#ifndef P2_REPLAY_H
#define P2_REPLAY_H

#include "reason.h"

#include "base.h"

#define P2_REPLAY_MAX_WIDTH 131072

struct p2_replay {
    uint64_t *ring;
    uint32_t words; /* a power of two, one more than the width needs */
    uint32_t width; /* packets; 0: nothing is checked */
    uint64_t top;   /* highest sequence number marked; 0: none */
};

/* P2_OK or P2_ERR_NOMEM. width 0: off. */
int p2_replay_init(struct p2_replay *replay, uint32_t width) P2_WARN_UNUSED;
void p2_replay_cleanup(struct p2_replay *replay);

/* What a number on the wire stands for with extended sequence numbers: of the numbers with this lower half
 * the one that lies in the window, or else the next one above it. */
uint64_t p2_replay_extend(const struct p2_replay *replay, uint32_t lower);

/* The same for somebody who has no window to go by, but has seen numbers up to top: the nearest one to it. */
uint64_t p2_replay_nearest(uint64_t top, uint32_t lower);

/* P2_DROP_NONE: new. Else P2_DROP_SEQUENCE_ZERO, P2_DROP_TOO_OLD or P2_DROP_REPLAYED. Changes nothing. */
enum p2_drop p2_replay_check(const struct p2_replay *replay, uint64_t sequence);
/* Marks a sequence number whose packet verified. The caller has just checked it. */
void p2_replay_mark(struct p2_replay *replay, uint64_t sequence);

#endif
