/* The world: one case of a scenario as a simulation, from the first event to its records.
 *
 * It builds nodes, links, routes and gateways from the plain structs, drives traffic and timeline, listens to
 * every gateway and, at the end, writes what happened as a record stream (analysis/record.h). */
#ifndef P2_WORLD_H
#define P2_WORLD_H

#include "alive.h"
#include "scenario.h"

#include <stdio.h>

struct world_run {
    const char *case_name;
    uint64_t run; /* ns-3's run number: 1, 2, ... */
    uint64_t seed;
    const char *captures; /* directory for pcap files and keys, which exists; NULL: none */
    FILE *debug;          /* a line for each packet that a gateway rejects; NULL: none */
    struct alive *alive;
};

/* 0, or -1 with one line in message. Records go to `out` when the simulation is over. */
int world_simulate(const struct scenario *scenario, const struct world_run *run, FILE *out,
                   struct scenario_message *message);

#endif
