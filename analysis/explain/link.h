/* The link layer of a captured frame, and where in it the IP packet begins.
 *
 * Link types are the LINKTYPE_ numbers that stand in capture files (tcpdump.org/linktypes.html). */
#ifndef P2_EXPLAIN_LINK_H
#define P2_EXPLAIN_LINK_H

#include "base.h"

enum link_type {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276,
};

/* The types above, for people. */
extern const char link_type_names[];

/* libpcap's DLT_ number made a LINKTYPE_ one; -1: none of the above. */
int link_type_of_dlt(int dlt);

struct link_payload {
    size_t header_len;
    uint8_t family; /* of the packet, as the link layer says: 4 or 6; 0: it does not say */
};

/* False: something else than IP, or the frame ends inside the link layer. */
bool link_take_off(struct link_payload *payload, int type, struct p2_bytes frame);

#endif
