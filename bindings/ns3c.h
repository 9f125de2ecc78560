/* ns3c: a small general C API over ns-3 (3.37 and later). It knows nothing of IPsec.
 *
 * One simulation a process, as ns-3 has it: its random streams and its scheduler are global. Times are
 * nanoseconds. Objects live until ns3c_destroy, which frees them all; no handle may be used after it.
 * Callbacks run inside ns3c_run. Functions that return int give 0, or -1 if the arguments do not fit (the
 * message goes to stderr).
 *
 * IPv6 stands beside IPv4. A node gets its IPv6 stack with its first IPv6 address or route, so what has none
 * pays nothing for it. There is no neighbour discovery, duplicate address detection, router advertisement or
 * MLD: links are point-to-point. What differs from IPv4: an interface needs an MTU of 1280, only the sender
 * fragments (a router answers with Packet Too Big), ns-3 forwards nothing to 2001:db8::/32 (use fd00::/8),
 * and its stack walks all addresses of a node for every packet. */
#ifndef P2_NS3C_H
#define P2_NS3C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- addresses --- */
struct ns3c_address {
    uint8_t family;    /* 4, 6, or 0: none */
    uint8_t bytes[16]; /* network order; IPv4 in the first four, the others 0 */
};

/* ns3c_v4(0x0a000001) is 10.0.0.1. */
static inline struct ns3c_address ns3c_v4(uint32_t host_order)
{
    struct ns3c_address a = {4,
                             {(uint8_t)(host_order >> 24), (uint8_t)(host_order >> 16),
                              (uint8_t)(host_order >> 8), (uint8_t)host_order}};
    return a;
}

/* ns3c_v6(0xfd00000000000000, 1) is fd00::1. */
static inline struct ns3c_address ns3c_v6(uint64_t high, uint64_t low)
{
    struct ns3c_address a = {6, {0}};
    for (int i = 0; i < 8; i++) {
        a.bytes[i] = (uint8_t)(high >> (56 - 8 * i));
        a.bytes[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
    return a;
}

/* Any address of any family, where one may be left open. */
static inline struct ns3c_address ns3c_any(void)
{
    struct ns3c_address a = {0, {0}};
    return a;
}

/* IPv4 only: the number back. */
static inline uint32_t ns3c_to_v4(const struct ns3c_address *a)
{
    return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 | (uint32_t)a->bytes[2] << 8 |
           a->bytes[3];
}

/* --- simulation --- */
void ns3c_init(uint32_t seed, uint64_t run);
/* Runs until then, exactly: all that is due at that instant included. 0, or -1: something on a node had no
 * memory to go on with, and the simulation ended there. */
int ns3c_run(int64_t until_ns);
void ns3c_stop(void); /* ends ns3c_run after the present event */
int64_t ns3c_now(void);
uint64_t ns3c_events(void); /* events executed so far */
void ns3c_destroy(void);

/* --- timers --- */
struct ns3c_timer;
typedef void ns3c_timer_fn(void *ctx);
struct ns3c_timer *ns3c_timer_new(ns3c_timer_fn *fn, void *ctx);
/* Fires once at at_ns (not before now); re-arming replaces. Arming for the time it is armed for costs
 * nothing. */
void ns3c_timer_arm(struct ns3c_timer *timer, int64_t at_ns);
void ns3c_timer_cancel(struct ns3c_timer *timer);

/* --- random streams: numbered by the caller, independent of each other and of the order of creation --- */
struct ns3c_stream;
struct ns3c_stream *ns3c_stream_new(int64_t number);
double ns3c_stream_uniform(struct ns3c_stream *stream); /* [0, 1) */
void ns3c_stream_fill(struct ns3c_stream *stream, uint8_t *out, size_t len);

/* --- nodes, links, addresses, routes --- */
struct ns3c_node;
/* With an IPv4 and UDP stack that answers no path-MTU questions; routes of both families are kept in hashes
 * (see ns3c-routing.h). */
struct ns3c_node *ns3c_node_new(const char *name); /* NULL: no name */

/* Packets of some DSCPs (of the outermost header). Each class has a queue of its own; when a link may send,
 * the class of the highest priority does, and among equals whose packet came first. What no class names has
 * priority 0 and the link's own queue. A packet that is being sent is not interrupted. */
struct ns3c_link_class {
    uint64_t dscps; /* bit n: DSCP n */
    uint32_t priority;
    uint32_t queue_packets; /* drop-tail, each direction */
    int64_t delay_ns;       /* on top of the link's, as if these packets went another way: in order among
                               themselves, but overtaken by others */
};

struct ns3c_link_config {
    int64_t delay_ns;
    int64_t jitter_ns;      /* each packet: delay + uniform[0, jitter), order kept */
    uint64_t rate_bps;      /* of the IP packets' bytes; 0: sending takes no time */
    double loss;            /* probability; drawn for each packet and direction */
    uint32_t queue_packets; /* drop-tail, each direction; the packet being sent does not count */
    uint32_t mtu;
    int64_t stream;     /* uses stream numbers stream .. stream+3, and those plus 2^40 for the next two */
    double duplicate;   /* probability that a packet which is not lost arrives twice, at the same instant */
    double reorder;     /* probability that a packet is held up by reorder_ns, and may be overtaken */
    int64_t reorder_ns; /* on top of delay and jitter */
    const struct ns3c_link_class *classes; /* borrowed for the call */
    size_t num_classes;
};

/* loss: the link's own randomness dropped it; queue: no room. */
enum ns3c_link_drop { NS3C_LINK_LOSS, NS3C_LINK_QUEUE };
typedef void ns3c_link_drop_fn(void *ctx, enum ns3c_link_drop reason, uint64_t mark);

struct ns3c_link;
struct ns3c_link *ns3c_link_new(struct ns3c_node *a, struct ns3c_node *b,
                                const struct ns3c_link_config *config);
/* The interface number of the link on its first (end 0) or second node (end 1). */
uint32_t ns3c_link_interface(const struct ns3c_link *link, int end);
void ns3c_link_on_drop(struct ns3c_link *link, ns3c_link_drop_fn *fn, void *ctx);
/* Packets dropped so far, both directions. */
uint64_t ns3c_link_dropped(const struct ns3c_link *link, enum ns3c_link_drop reason);
/* Tests: the n-th packet (from 0) sent at `end` from now on is lost when bit n of mask is set; 0 ends that.
 */
void ns3c_link_lose(struct ns3c_link *link, int end, uint64_t mask);

/* What becomes of one packet, for "lose the third message". */
enum ns3c_link_action { NS3C_LINK_PASS, NS3C_LINK_DROP, NS3C_LINK_DELAY, NS3C_LINK_DUPLICATE };
struct ns3c_link_verdict {
    enum ns3c_link_action action;
    int64_t delay_ns; /* DELAY: on top of the link's own; others may overtake it */
};
/* The whole IP packet (a fragment, if it was fragmented), borrowed for the call. It may not send. */
typedef struct ns3c_link_verdict ns3c_link_intercept_fn(void *ctx, const uint8_t *packet, size_t len,
                                                        uint64_t mark);
/* fn judges each packet that the node at `end` puts into the link, after the queue had room for it; NULL ends
 * that. The link draws its own random numbers whatever fn says. A dropped packet counts as NS3C_LINK_LOSS and
 * is told when it has been sent, like a lost one. */
void ns3c_link_intercept(struct ns3c_link *link, int end, ns3c_link_intercept_fn *fn, void *ctx);
/* An attacker: this whole IP packet (or fragment; the bytes are copied) arrives at the node at `end` now, as
 * if it had come over the link, after what is happening at this instant. It waits in no queue, no delay or
 * loss touches it, nothing intercepts it, and captures of that node have it. -1, silently: it is no IP packet
 * of a family that the node has. */
int ns3c_link_inject(struct ns3c_link *link, int end, const uint8_t *packet, size_t len, uint64_t mark);

/* Several interfaces may bear the same address (an unnumbered gateway); prefix_len 32 or 128 then. */
void ns3c_address_add(struct ns3c_node *node, uint32_t interface, struct ns3c_address address,
                      unsigned prefix_len);
/* A host with that address on no link (like a loopback): packets for it are delivered to the node's sockets.
 */
void ns3c_address_local(struct ns3c_node *node, struct ns3c_address address);
void ns3c_route_add(struct ns3c_node *node, struct ns3c_address destination, unsigned prefix_len,
                    uint32_t interface);

/* --- marks: a number that travels with a packet inside the simulator, not on the wire --- */

/* --- UDP --- */
struct ns3c_udp;
struct ns3c_udp_packet {
    struct ns3c_address source, destination;
    uint16_t source_port, destination_port;
    const uint8_t *data;
    size_t len;
    uint64_t mark;
};
typedef void ns3c_udp_fn(void *ctx, const struct ns3c_udp_packet *packet);
/* ns3c_any(): any address of both families. NULL if the port is taken. */
struct ns3c_udp *ns3c_udp_open(struct ns3c_node *node, struct ns3c_address address, uint16_t port,
                               ns3c_udp_fn *fn, void *ctx);
int ns3c_udp_send(struct ns3c_udp *udp, struct ns3c_address destination, uint16_t port, const uint8_t *data,
                  size_t len, uint64_t mark);
/* What the IP header of a datagram says of it. */
struct ns3c_udp_marking {
    uint8_t tos;        /* DSCP and ECN: the whole octet of IPv4, or the traffic class of IPv6 */
    bool dont_fragment; /* IPv4 only. ns-3's own routers take no notice; a gateway does */
};
int ns3c_udp_send_marked(struct ns3c_udp *udp, struct ns3c_address destination, uint16_t port,
                         const uint8_t *data, size_t len, uint64_t mark,
                         const struct ns3c_udp_marking *marking);

/* --- whole IP packets --- */
typedef void ns3c_packet_fn(void *ctx, const uint8_t *packet, size_t len, uint64_t mark);
/* A tunnel interface: whole IP packets that are routed to it come to fn. Returns its interface number. */
uint32_t ns3c_tunnel_new(struct ns3c_node *node, uint32_t mtu, ns3c_packet_fn *fn, void *ctx);
/* A whole IP packet comes out of the tunnel interface and is delivered or forwarded. */
int ns3c_tunnel_receive(struct ns3c_node *node, uint32_t interface, const uint8_t *packet, size_t len,
                        uint64_t mark);
/* Whole, reassembled IP packets of this protocol (50: ESP) and either family that are addressed to the node.
 * In IPv6 it is the header after any extension headers, which are left out. */
void ns3c_protocol_open(struct ns3c_node *node, uint8_t protocol, ns3c_packet_fn *fn, void *ctx);
/* Routes and sends a whole IP packet with the header as given (but for the IPv6 flow label, which becomes
 * ns-3's own, 1); it is fragmented if it must be. */
int ns3c_packet_send(struct ns3c_node *node, const uint8_t *packet, size_t len, uint64_t mark);

/* --- policies: what is protected whatever the routes say --- */
struct ns3c_policy;
struct ns3c_policy_ops {
    /* Whether this whole packet (or fragment, in transit) is to be taken. */
    bool (*decide)(void *ctx, const uint8_t *packet, size_t len);
    /* Whether decide could take some packet between these addresses. Asked before decide is, and for what the
     * node itself sends before its ports are known. */
    bool (*decide_addresses)(void *ctx, struct ns3c_address source, struct ns3c_address destination);
    /* A packet was taken: it goes no further. */
    ns3c_packet_fn *take;
};
/* Judges what the node forwards and what it sends, of both families, before its routes are asked; never what
 * is addressed to the node itself. One a node, after which its routing protocol is not to be replaced. ops is
 * copied. */
struct ns3c_policy *ns3c_policy_open(struct ns3c_node *node, const struct ns3c_policy_ops *ops, void *ctx);
/* A whole IP packet comes in from what took it (decapsulated), to be delivered or forwarded; the policy does
 * not judge it again on this node. */
int ns3c_policy_receive(struct ns3c_policy *policy, const uint8_t *packet, size_t len, uint64_t mark);
/* Like ns3c_packet_send, past the policy: for outer packets. */
int ns3c_policy_send(struct ns3c_policy *policy, const uint8_t *packet, size_t len, uint64_t mark);

/* --- network address translation --- */
struct ns3c_nat;
struct ns3c_nat_config {
    uint32_t outside;               /* interface; its first address is the one that all inside hosts share */
    uint16_t first_port, last_port; /* given in order, then from the beginning; ICMP echo's ids likewise */
    int64_t timeout_ns;             /* of a mapping without outbound packets; 0: 60 s */
    bool preserve_port;             /* an inside host's own port if it is free outside */
};
struct ns3c_nat_counters {
    uint64_t outbound, inbound; /* packets translated */
    uint64_t mappings;          /* made so far */
    uint64_t expired;           /* of those, found to have timed out */
    /* packets dropped */
    uint64_t no_ports;    /* from inside: neither UDP nor ICMP echo (ESP, AH) */
    uint64_t unsolicited; /* from outside: no mapping */
    uint64_t fragments;   /* later fragments without, or before, their first one */
    uint64_t exhausted;   /* all ports are in use */
};
/* A node with interfaces inside and one outside becomes a port-translating NAT for IPv4: endpoint-independent
 * mapping and filtering (RFC 4787), UDP and ICMP echo, no hairpinning. Fragments follow their first one.
 * Translation keeps marks. Its own sockets hear nothing from outside. NULL if the outside interface has no
 * IPv4 address or there are no ports. */
struct ns3c_nat *ns3c_nat_new(struct ns3c_node *node, const struct ns3c_nat_config *config);
void ns3c_nat_read(const struct ns3c_nat *nat, struct ns3c_nat_counters *counters);

/* --- captures --- */
struct ns3c_capture;
/* Everything that enters or leaves the node's link interfaces at the IP layer (not its tunnel interfaces),
 * into a pcap file: LINKTYPE_RAW, nanoseconds, large buffer. NULL and errno if it can not be created. */
struct ns3c_capture *ns3c_capture_open(struct ns3c_node *node, const char *file);
/* Flushes and closes; -1 and errno if anything could not be written. Packets after that are not captured. */
int ns3c_capture_close(struct ns3c_capture *capture);

#ifdef __cplusplus
}
#endif
#endif
