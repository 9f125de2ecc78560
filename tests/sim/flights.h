/* What is on its way between two gateways: datagrams and packets by their time of arrival. */
#ifndef P2_TESTS_FLIGHTS_H
#define P2_TESTS_FLIGHTS_H

#include "base.h"

#define FLIGHTS_MAX 16384

struct flight {
    p2_time at;     /* of arrival; ties in the order of departure */
    uint64_t order; /* set by flights_add */
    int to;
    bool ipsec;
    uint16_t source_port, destination_port; /* as its receiver sees them; of ESP without UDP: 0 */
    uint64_t emission;
    uint8_t *bytes;
    size_t len;
};

struct flights {
    struct flight list[FLIGHTS_MAX];
    size_t num;
    uint64_t next_order;
};

/* Copies the bytes; aborts when there are too many. */
void flights_add(struct flights *flights, const struct flight *like, const uint8_t *bytes);
/* The one that arrives next; NULL: none. */
const struct flight *flights_first(const struct flights *flights);
/* Takes the first one out; the caller frees its bytes. */
struct flight flights_take_first(struct flights *flights);
void flights_cleanup(struct flights *flights);

#endif
