/* The record stream: what a worker tells about one replication of one case, and what the store keeps.
 *
 * One JSON object a line; the first is RECORD_RUN with the format's name and version, the last RECORD_END. A
 * stream without its end is the trace of a run that failed. Times are integers in nanoseconds of simulated
 * time. The JSON member names are the member names of the structs below, plus "type". */
#ifndef P2_RECORD_H
#define P2_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define RECORD_FORMAT "phase2sim-records/1"

enum record_type {
    RECORD_RUN,         /* "run" */
    RECORD_NEGOTIATION, /* "negotiation": a Phase 2 negotiation */
    RECORD_PHASE1,      /* "phase1": a Phase 1 negotiation */
    RECORD_FAILURE,     /* "failure": how one side saw a negotiation of either phase fail */
    RECORD_FLOW,        /* "flow": one traffic flow over the whole run */
    RECORD_DROP,        /* "drop": packets or messages that a gateway dropped, under one reason */
    RECORD_CPU,         /* "cpu": a gateway's CPU over the whole run */
    RECORD_SADB,        /* "sadb": a gateway's SAs at the end of the run */
    RECORD_SA,          /* "sa": one IPsec SA, over its life */
    RECORD_ATTACK,      /* "attack": what an attacker injected, and what became of it */
    RECORD_COMPROMISE,  /* "compromise": what an attacker read with the keys that it learned */
    RECORD_READING,     /* "reading": the same, of one SA */
    RECORD_END,         /* "end" */
    RECORD_NUM_TYPES
};

#define RECORD_TEXT 160

struct record_run {
    char format[32];
    char scenario[RECORD_TEXT];
    char case_name[RECORD_TEXT]; /* JSON "case": "PFS=none"; "base" for a scenario without axes */
    uint64_t run;                /* 1, 2, ... */
    uint64_t seed;
    int64_t duration_ns;
};

struct record_negotiation {
    char tunnel[RECORD_TEXT]; /* "vpn[3]" */
    char initiator[RECORD_TEXT];
    char responder[RECORD_TEXT];
    char reason[32];              /* initial, soft-lifetime, hard-lifetime, forced, traffic, deleted */
    char message_id[16];          /* 8 hex digits */
    char outcome[16];             /* established, failed, unfinished */
    char failure[48];             /* empty (JSON null) unless failed: "NO-PROPOSAL-CHOSEN", "timeout", ... */
    char failure_field[48];       /* which field could not be agreed on; empty: none */
    char offered[RECORD_TEXT];    /* what stood there */
    char acceptable[RECORD_TEXT]; /* what would have been taken */
    char explanation[512]; /* the failure as one sentence, or what it waited for at the end; may be empty */
    char proposal[48];     /* the name of what was agreed on; empty: unknown, or it has none */
    char suite[96];        /* its algorithms: "esp aes-128-cbc hmac-sha1-96"; empty: unknown */
    int pfs_group;         /* 0 (JSON null): no PFS */
    int64_t started_ns;
    int64_t latency_ns; /* -1 (JSON null) with the next four and the two "ready" unless established */
    int64_t network_ns;
    int64_t cpu_ns;
    int64_t cpu_wait_ns;
    int64_t retransmission_wait_ns;
    int64_t initiator_ready_ns; /* since started_ns: the initiator's own view */
    int64_t responder_ready_ns;
    int64_t cpu_off_path_ns; /* CPU time of both sides that lies off the chain of causes */
    uint64_t retransmissions;
    int64_t blackout_ns; /* -1 (JSON null): no flow to see it by */
    uint64_t packets_lost;
};

struct record_phase1 {
    char initiator[RECORD_TEXT];
    char responder[RECORD_TEXT];
    char mode[16];
    char outcome[16];
    char failure[48];
    char failure_field[48];
    char explanation[512];
    int64_t started_ns;
    int64_t latency_ns; /* -1: not established */
};

/* One side's view. Which negotiation: initiator's cookie and message ID, which is 00000000 in Phase 1. */
struct record_failure {
    uint64_t phase; /* 1 or 2 */
    char cookie[24];
    char message_id[16];
    char tunnel[RECORD_TEXT]; /* empty (JSON null): Phase 1, or the responder found none */
    char side[16];            /* initiator, responder */
    char gateway[RECORD_TEXT];
    char peer[RECORD_TEXT];
    char failure[48];
    char message[64]; /* which message was refused, or never came; with the rest: empty (JSON null): none */
    char rule[RECORD_TEXT];
    char notify[48];
    char notify_was[16]; /* sent, received */
    char field[48];
    char offered[RECORD_TEXT];
    char acceptable[RECORD_TEXT];
};

/* sent = delivered + false_positives + the lost ones + unaccounted: each packet has one end. */
struct record_flow {
    char name[RECORD_TEXT]; /* "spoke[1]>hub" */
    uint64_t sent;
    uint64_t received; /* copies included, if a replay window let them through */
    uint64_t delivered;
    uint64_t false_positives; /* dropped by a replay window though no copy of them was delivered */
    uint64_t lost_on_links;   /* or in their queues */
    uint64_t lost_without_sa;
    uint64_t lost_too_big;
    uint64_t lost_to_cpu; /* its queue was full */
    uint64_t lost_otherwise;
    uint64_t unaccounted;       /* under way when the run ended, or lost in a NAT */
    uint64_t icmp_too_big;      /* answers to its sender */
    uint64_t size_bytes;        /* of each packet */
    uint64_t protected_packets; /* by the sender's gateway */
    uint64_t protected_bytes;   /* the outer packets of these */
    int64_t longest_gap_ns;
    int64_t mean_delay_ns;
    int64_t first_delivery_ns; /* since its first packet was sent; -1 (JSON null): nothing arrived */
};

struct record_drop {
    char gateway[RECORD_TEXT]; /* or a link's name for loss on the wire */
    char reason[48];
    uint64_t packets;
};

struct record_cpu {
    char gateway[RECORD_TEXT];
    uint64_t cores;
    uint64_t jobs;
    int64_t busy_ns;
    int64_t waited_ns;
    uint64_t longest_queue;
};

struct record_sadb {
    char gateway[RECORD_TEXT];
    uint64_t sas;       /* in both directions */
    uint64_t left_over; /* of those, SAs that no peer has the other end of */
};

/* One end of an IPsec SA. */
struct record_sa {
    char tunnel[RECORD_TEXT];
    char gateway[RECORD_TEXT];
    char direction[16]; /* inbound, outbound */
    char protocol[16];  /* esp, ah */
    char spi[16];       /* "0x12345678" */
    uint64_t packets;
    uint64_t bytes;
    uint64_t accepted; /* inbound, with the next four: what came under it, each packet once */
    uint64_t replayed;
    uint64_t too_old;
    uint64_t icv_mismatch;
    uint64_t other;
    int64_t installed_ns;
    int64_t removed_ns; /* -1 (JSON null): it was there at the end of the run */
    char why[32];       /* it was removed: "hard-lifetime", "restart"; empty (JSON null): it was not */
};

/* One attack on one link. arrived = replayed + too_old + icv_mismatch + unknown_spi + other + answered +
 * unfinished + accepted, the first five of which are rejections; what was injected and did not arrive reached
 * no gateway. */
struct record_attack {
    char kind[16];   /* replay, forge, flood */
    char method[32]; /* the replay's order, the forgery's or flood's kind */
    char link[RECORD_TEXT];
    int64_t at_ns;
    uint64_t recorded; /* packets that it had to go by */
    uint64_t injected;
    uint64_t ike; /* of those */
    uint64_t arrived;
    uint64_t replayed;
    uint64_t too_old;
    uint64_t icv_mismatch;
    uint64_t unknown_spi;
    uint64_t other;
    char other_reasons[RECORD_TEXT]; /* "hash-mismatch 12, duplicate 3"; empty (JSON null): none */
    uint64_t answered;               /* IKE: from store, as a resent message is */
    uint64_t unfinished;             /* waited for the CPU when the run ended */
    uint64_t accepted;
    uint64_t came_first; /* of those: before the packets that they are copies of, or these were lost */
    uint64_t live;       /* reached an SA that was there */
};

struct record_compromise {
    char link[RECORD_TEXT];
    int64_t at_ns;
    char knows[48];       /* "skeyid-d skeyid-e" */
    uint64_t isakmp_sas;  /* whose keys these are */
    uint64_t quick_modes; /* recorded */
    uint64_t quick_modes_read;
    uint64_t packets; /* ESP, recorded */
    uint64_t packets_read;
};

struct record_reading {
    char link[RECORD_TEXT];
    int64_t at_ns;
    char knows[48];
    char spi[16];
    char negotiation[16]; /* read, not-read */
    uint64_t packets;
    uint64_t packets_read;
};

struct record_end {
    uint64_t records; /* how many stood before this one */
    int64_t simulated_ns;
    uint64_t events; /* of the simulator */
};

struct record {
    enum record_type type;
    union {
        struct record_run run;
        struct record_negotiation negotiation;
        struct record_phase1 phase1;
        struct record_failure failure;
        struct record_flow flow;
        struct record_drop drop;
        struct record_cpu cpu;
        struct record_sadb sadb;
        struct record_sa sa;
        struct record_attack attack;
        struct record_compromise compromise;
        struct record_reading reading;
        struct record_end end;
    } u;
};

/* Writes one line. 0, or -1 with errno. Identical records give identical bytes. */
int record_write(FILE *out, const struct record *record);
/* Parses one line (no newline needed). 0, or -1 with one clear line in message. Unknown members are ignored.
 */
int record_parse(const char *line, size_t len, struct record *record, char *message, size_t message_size);

#endif
