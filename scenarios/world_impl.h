/* What the world's files share: world.c builds and runs, world_topology.c makes nodes, links and routes,
 * world_timeline.c does what is due, world_records.c tells. */
#ifndef P2_WORLD_IMPL_H
#define P2_WORLD_IMPL_H

#include "attack.h"
#include "attack_tap.h"
#include "eavesdrop.h"
#include "keyring.h"
#include "ledger.h"
#include "phase2-ns3.h"
#include "record.h"
#include "tamper.h"
#include "traffic.h"
#include "world.h"

struct world_gateway {
    struct world *world;
    int index;
    const struct scenario_gateway *config;
    const struct profile *profile; /* NULL: work is free */
    struct ns3c_node *node;
    struct phase2_gateway *gateway;
    struct ns3c_capture *capture;
    struct p2_peer_config *peers;
    size_t num_peers;
    struct p2_tunnel_config *tunnels;
    size_t num_tunnels;
    struct world_socket *sockets;
    uint64_t drops[P2_NUM_DROPS];
};

/* Which of the scenario's tunnels has a name, for actions name tunnels and do not number them. */
struct world_name {
    const char *name;
    int tunnel;
};

/* An address and port of a gateway, or of a host behind it, at which flows begin or end. */
struct world_socket {
    struct world_socket *next;
    struct p2_address address;
    uint16_t port;
    struct ns3c_udp *udp;
};

struct world_sender {
    struct world *world;
    size_t flow;
    struct ns3c_timer *timer;
    struct ns3c_udp *udp;
};

struct world_nat {
    struct ns3c_node *node;
    struct ns3c_nat *nat;
};

/* Where a node's routes lead. */
struct world_way {
    int only; /* the only link, if via is NULL; -1: none */
    int *via; /* by node: the first link there; -1: none */
};

/* A link that the timeline cuts or takes messages from, or on which there are attackers. */
struct world_tamper {
    struct world *world;
    struct tamper tamper;
    struct attack_tap tap;
    struct world_ear {
        struct world_tamper *link;
        int end;
    } ears[2];
};

/* One attack: what it injects and when, or what it read. */
struct world_attack {
    struct world *world;
    size_t event; /* the scenario's; also the number of its counts */
    const struct scenario_attack *config;
    struct ns3c_timer *timer;
    struct ns3c_stream *random;
    size_t *items; /* of the tap, in the order in which they go out */
    p2_time *due;
    size_t num, next;
    struct p2_eavesdrop *eavesdrop; /* of a compromise that has taken place */
    size_t num_isakmp;              /* ISAKMP SAs that it learned keys of */
};

/* ISAKMP SAs of the run, for whoever learns their keys. */
struct world_isakmp {
    struct p2_isakmp_info *infos;
    size_t num;
};

/* IPsec SAs that are gone, as records; those that are still there are told at the end. */
struct world_sas {
    struct record_sa *gone;
    size_t num;
};

struct world_event {
    struct world *world;
    const struct scenario_event *config;
    struct ns3c_timer *timer;
};

struct world {
    const struct scenario *scenario;
    const struct world_run *run;
    struct world_gateway *gateways;
    struct world_nat *nats;
    struct world_way *ways;         /* by node */
    struct world_tamper *tampers;   /* by link */
    struct world_attack *attackers; /* by the scenario's event; config NULL: it is something else */
    struct attacks attacks;
    struct world_isakmp isakmp;
    struct world_sas sas;
    struct ns3c_link **links;
    struct world_sender *senders;
    struct world_event *events;
    struct world_name *names;  /* of the tunnels, sorted */
    size_t (*local_tunnel)[2]; /* by the scenario's tunnel and end: which tunnel it is at that gateway */
    struct traffic traffic;
    struct ledger ledger;
    struct keyring keyring;
    struct causes *causes;
    struct traffic_window **windows; /* by the ledger's entry; NULL: Phase 1 */
    size_t windows_capacity;
    struct scenario_message *message;
};

/* Numbers of random streams: every consumer has its own, whatever else the scenario holds. */
#define WORLD_STREAM_LINK   (INT64_C(1) << 30)
#define WORLD_STREAM_ATTACK (INT64_C(1) << 36)

/* Sets the message; always -1. */
int world_fail(struct world *world, const char *what, const char *detail);

/* Nodes, links, addresses and routes. 0, or -1 with a message. */
int world_build_topology(struct world *world);
/* The socket of a gateway at this address and port, opened when it is first wanted; what arrives there counts
 * as delivered. NULL with a message. */
struct ns3c_udp *world_udp_open(struct world *world, int gateway, const struct p2_address *address,
                                uint16_t port);
/* One packet of a flow. */
void world_udp_send(struct ns3c_udp *udp, const struct scenario_flow *flow, const uint8_t *data, size_t len,
                    uint64_t mark);
void world_free_sockets(struct world_gateway *gateway);

/* The longest IP packet that goes from one gateway to another without being fragmented, which is what a
 * gateway finds out in time by the ICMP answers of routers (RFC 1191). 0: no way leads there. After
 * world_build_topology. */
uint32_t world_path_mtu(const struct world *world, int from, int to);
void world_free_ways(struct world *world);

/* Arms a timer for each event of the timeline. 0, or -1 with a message. */
int world_build_timeline(struct world *world);

/* In world_attack.c. Before the run, for the link must be recorded: 0, or -1 with a message. */
int world_plan_attack(struct world *world, size_t event);
/* The attack is due. */
void world_attack(struct world *world, size_t event);
/* With every action of every gateway: fates of what was injected, and keys. */
void world_observe_attacks(struct world *world, const struct p2_action *action);
void world_free_attacks(struct world *world);

/* In world_sas.c: SA_REMOVED of a gateway, and its SAs that are there now, as gone for that reason (NULL: not
 * gone). */
void world_sa_removed(struct world_gateway *gateway, p2_time now, const struct p2_sa_info *info);
void world_note_sas(struct world_gateway *gateway, p2_time now, const char *why);
/* A line on the debug log about what went no further. */
void world_debug_drop(const struct world_gateway *gateway, p2_time now, const struct p2_action *drop);

/* In world_records.c, and what is told of attacks and SAs in world_records_attack.c. */
struct world_writer {
    struct world *world;
    FILE *out;
    uint64_t written;
    int error;
};
void world_put(struct world_writer *writer, const struct record *record);
void world_put_attacks(struct world_writer *writer);
void world_put_sas(struct world_writer *writer);

/* 0, or -1 with errno. */
int world_write_records(struct world *world, FILE *out);

#endif
