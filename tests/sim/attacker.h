/* An attacker between two gateways, who sees every ESP and AH packet that leaves them and hands them packets
 * of his own: replays, and what forge.h does. Each injection bears a mark of its own, so that what became of
 * it is known. */
#ifndef P2_TESTS_ATTACKER_H
#define P2_TESTS_ATTACKER_H

#include "disorder.h"
#include "mangle.h"

enum attack_kind {
    ATTACK_AT_ONCE,     /* a verbatim copy, which overtakes the packet itself */
    ATTACK_LATE,        /* a copy of any packet so far under the newest SA of its tunnel */
    ATTACK_AFTER_REKEY, /* the same under an older SA that is still there */
    ATTACK_AFTER_END,   /* the same under an SA that is gone */
    ATTACK_REVERSE,     /* the last ones, newest first */
    ATTACK_BURST,       /* many copies of the newest at the same instant */
    ATTACK_REFLECTED,   /* back to its sender */
    ATTACK_FORGED,      /* this and the next MANGLE_NUM - 1: see enum mangle_kind */
    ATTACK_NUM = ATTACK_FORGED + MANGLE_NUM
};

const char *attack_name(enum attack_kind kind);

struct attack_tally {
    uint64_t injected;
    uint64_t live;      /* its SPI was that of an inbound SA of the receiver */
    uint64_t delivered; /* something came out of it */
    uint64_t second;    /* passed the first look at the window, and was refused by the second as a replay */
};

/* Packets of a schedule that he can remember and send; more are an abort. */
#define ATTACKER_MEMORY     4096
#define ATTACKER_INJECTIONS 16384
#define ATTACKER_MARK       (UINT64_C(1) << 40) /* the marks of injections are this and more */

struct attacker {
    struct disorder *world;
    struct test_random random;
    struct remembered {
        int from;
        uint64_t mark;
        size_t len;
        uint8_t bytes[512];
    } memory[ATTACKER_MEMORY];
    size_t num_remembered;
    uint32_t newest_spi[2][DISORDER_TUNNELS]; /* by sender and tunnel */
    struct injection {
        enum attack_kind kind;
        bool queued;
    } injections[ATTACKER_INJECTIONS];
    size_t num_injections;
    bool at_work; /* within an injection */
    struct attack_tally tally[ATTACK_NUM];
};

/* The marks of honest packets are to be 4 * number + 2 * tunnel + sender. He takes the world's interception,
 * and sees to it that IKE is neither lost nor doubled: what becomes of that is for other tests. */
void attacker_begin(struct attacker *attacker, struct disorder *world, uint64_t seed);
/* One attack, of any kind that he has packets for. */
void attacker_act(struct attacker *attacker);
/* To be told what a witness saw. */
void attacker_delivered(struct attacker *attacker, uint64_t mark);
void attacker_observe(struct attacker *attacker, const struct p2_action *action);

#endif
