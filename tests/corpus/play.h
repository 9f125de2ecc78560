/* A case played again with our core in the place of one of the two daemons.
 *
 * Frames go by in captured order and at captured times. What the other daemon sent is handed to the core;
 * what "our" daemon sent is what the core must have sent by then, payload by payload; ESP packets of ours are
 * sealed again from their clear text and must come out the same, byte for byte, with the captured IV. Timers
 * run in between: resends, rekeys at the soft limit and deletes at the hard limit are the core's own. */
#ifndef P2_TESTS_PLAY_H
#define P2_TESTS_PLAY_H

#include "script.h"

#define PLAY_MAX    64   /* messages, SAs, negotiations */
#define PLAY_PACKET 2048 /* bytes of a message or packet */

struct play_sent {
    size_t len;
    uint8_t bytes[PLAY_PACKET];
    bool resend, answer;
    struct corpus_message message; /* opened; not so if it is a copy */
};

struct play {
    const struct corpus *corpus;
    enum corpus_side side;
    const struct corpus_frame *frame; /* going by; NULL: the capture is over */
    struct p2_gateway *gw;
    p2_time now;
    struct script script;
    struct corpus_chains chains;   /* of the conversation with our core */
    uint8_t received[PLAY_PACKET]; /* the last message handed to the core */
    size_t received_len;
    struct play_sent sent[PLAY_MAX];
    size_t num_sent, num_compared;
    struct p2_sa_info installed[PLAY_MAX], removed[PLAY_MAX];
    size_t num_installed, num_removed;
    struct p2_negotiation negotiations[PLAY_MAX];
    size_t num_negotiations;
    size_t num_secrets;          /* told and equal to keys.xml */
    uint8_t packet[PLAY_PACKET]; /* the last one delivered or sealed */
    size_t packet_len, num_delivered, num_sealed;
    size_t drops[P2_NUM_DROPS];
};

/* --- driving the core (actions.c) --- */

/* The core in the place of `side`, before the first frame. */
void play_open(struct play *play, const struct corpus *corpus, enum corpus_side side);
void play_close(struct play *play);
/* Serves every timer that is due by then. */
void play_run_until(struct play *play, p2_time until);
/* Hands it a datagram of the other side, as it stands. */
void play_receive(struct play *play, const uint8_t *data, size_t len);
/* After any other call to the core: its actions, and the jobs among them, are done. */
void play_drain(struct play *play);
void play_check_ok(const struct play *play, int result);

/* How many negotiations ended so (or began). */
size_t play_count(const struct play *play, enum p2_negotiation_event event);
/* SAs in the core's database, both directions. */
size_t play_num_sas(const struct play *play);

/* A CUnit assertion that says where in which capture it failed. */
#define EXPECT(play, condition) play_expect((play), (condition), #condition, __FILE__, __LINE__)
bool play_expect(const struct play *play, bool holds, const char *text, const char *file, int line);

/* --- the frames of the capture (play.c) --- */

/* All of them, then those of our deletes that only the hard limit brings. */
void play_frames(struct play *play);

#endif
