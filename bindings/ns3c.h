/* ns3c: a small general C API over ns-3 (3.37 and later). It knows nothing of IPsec.
 *
 * One simulation a process, as ns-3 has it: its random streams and its scheduler are global. Times are
 * nanoseconds. Objects live until ns3c_destroy, which frees them all; no handle may be used after it.
 * Callbacks run inside ns3c_run. Addresses are IPv4 in host byte order, as in 0x0a000001. Functions that
 * return int give 0, or -1 if the arguments do not fit (the message goes to stderr). */
#ifndef P2_NS3C_H
#define P2_NS3C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- simulation -------------------------------------------------------------------------------------------
 */
void ns3c_init(uint32_t seed, uint64_t run);
void ns3c_run(int64_t until_ns); /* runs until then, exactly: all that is due at that instant included */
void ns3c_stop(void);            /* ends ns3c_run after the present event */
int64_t ns3c_now(void);
uint64_t ns3c_events(void); /* events executed so far */
void ns3c_destroy(void);

/* --- timers -----------------------------------------------------------------------------------------------
 */
struct ns3c_timer;
typedef void ns3c_timer_fn(void *ctx);
struct ns3c_timer *ns3c_timer_new(ns3c_timer_fn *fn, void *ctx);
/* Fires once at at_ns (not before now); re-arming replaces. Arming for the time it is armed for costs
 * nothing. */
void ns3c_timer_arm(struct ns3c_timer *timer, int64_t at_ns);
void ns3c_timer_cancel(struct ns3c_timer *timer);

/* --- random streams: numbered by the caller, independent of each other and of the order of creation
 * -------------- */
struct ns3c_stream;
struct ns3c_stream *ns3c_stream_new(int64_t number);
double ns3c_stream_uniform(struct ns3c_stream *stream); /* [0, 1) */
void ns3c_stream_fill(struct ns3c_stream *stream, uint8_t *out, size_t len);

/* --- nodes, links, addresses, routes
 * ------------------------------------------------------------------------- */
struct ns3c_node;
/* With an IPv4 and UDP stack that answers no path-MTU questions; routes are kept in hashes (see
 * ns3c-routing.h). */
struct ns3c_node *ns3c_node_new(const char *name); /* NULL: no name */

struct ns3c_link_config {
    int64_t delay_ns;
    int64_t jitter_ns;      /* each packet: delay + uniform[0, jitter), order kept */
    uint64_t rate_bps;      /* of the IP packets' bytes; 0: sending takes no time */
    double loss;            /* probability; drawn for each packet and direction */
    uint32_t queue_packets; /* drop-tail, each direction; the packet being sent does not count */
    uint32_t mtu;
    int64_t stream; /* uses stream numbers stream .. stream+3 */
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

/* Several interfaces may bear the same address (an unnumbered gateway); prefix_len 32 then. */
void ns3c_address_add(struct ns3c_node *node, uint32_t interface, uint32_t address, unsigned prefix_len);
/* A host with that address on no link (like a loopback): packets for it are delivered to the node's sockets.
 */
void ns3c_address_local(struct ns3c_node *node, uint32_t address);
void ns3c_route_add(struct ns3c_node *node, uint32_t destination, unsigned prefix_len, uint32_t interface);

/* --- marks: a number that travels with a packet inside the simulator, not on the wire
 * ------------------------------ */

/* --- UDP
 * ------------------------------------------------------------------------------------------------------ */
struct ns3c_udp;
struct ns3c_udp_packet {
    uint32_t source, destination;
    uint16_t source_port, destination_port;
    const uint8_t *data;
    size_t len;
    uint64_t mark;
};
typedef void ns3c_udp_fn(void *ctx, const struct ns3c_udp_packet *packet);
/* address 0: any. NULL if the port is taken. */
struct ns3c_udp *ns3c_udp_open(struct ns3c_node *node, uint32_t address, uint16_t port, ns3c_udp_fn *fn,
                               void *ctx);
int ns3c_udp_send(struct ns3c_udp *udp, uint32_t destination, uint16_t port, const uint8_t *data, size_t len,
                  uint64_t mark);

/* --- whole IP packets
 * ------------------------------------------------------------------------------------------- */
typedef void ns3c_packet_fn(void *ctx, const uint8_t *packet, size_t len, uint64_t mark);
/* A tunnel interface: whole IP packets that are routed to it come to fn. Returns its interface number. */
uint32_t ns3c_tunnel_new(struct ns3c_node *node, uint32_t mtu, ns3c_packet_fn *fn, void *ctx);
/* A whole IP packet comes out of the tunnel interface and is delivered or forwarded. */
int ns3c_tunnel_receive(struct ns3c_node *node, uint32_t interface, const uint8_t *packet, size_t len,
                        uint64_t mark);
/* Whole, reassembled IP packets of this protocol (50: ESP) that are addressed to the node. */
void ns3c_protocol_open(struct ns3c_node *node, uint8_t protocol, ns3c_packet_fn *fn, void *ctx);
/* Routes and sends a whole IP packet with the header as given; it is fragmented if it must be. */
int ns3c_packet_send(struct ns3c_node *node, const uint8_t *packet, size_t len, uint64_t mark);

/* --- captures
 * ------------------------------------------------------------------------------------------------- */
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
