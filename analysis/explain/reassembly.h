/* Fragments of IPv4 and IPv6 packets put together.
 *
 * RFC 791 section 3.2, RFC 8200 section 4.5, RFC 5722 (overlapping ones), RFC 6946 (atomic ones, which are
 * whole). */
#ifndef P2_EXPLAIN_REASSEMBLY_H
#define P2_EXPLAIN_REASSEMBLY_H

#include "base.h"
#include "frames.h"

struct reassembly_piece {
    struct p2_bytes header; /* IPv6: the part that is in every fragment, without the fragment header */
    size_t next_at;         /* IPv6: where in it the fragment header is announced, */
    uint8_t next;           /* and what that one announces itself */
    uint32_t identification;
    size_t offset;
    bool more; /* follow */
    struct p2_bytes data;
    size_t cut; /* bytes of it that the capture did not keep */
};

enum reassembly_kind { REASSEMBLY_WHOLE, REASSEMBLY_PIECE, REASSEMBLY_MALFORMED };

/* What a packet is, of which `cut` bytes are missing at the end; *piece is set if it is one. The packet has
 * the header of its version, IPv4 options included, and is not longer than that says. IPv6 extension headers
 * are held to what p2_ip_parse wants of them as far as they are there. */
enum reassembly_kind reassembly_look(struct reassembly_piece *piece, struct p2_bytes packet, size_t cut);

struct reassembly_key {
    uint8_t family, protocol; /* protocol: IPv4 only */
    uint8_t zero[2];
    uint32_t identification;
    uint8_t source[16], destination[16];
};

struct reassembly_storage;

struct reassembly_datagram {
    struct reassembly_key key;
    bool used;
    bool refused;   /* its pieces contradict each other: what still comes of it is swallowed */
    uint64_t order; /* in which datagrams were begun */
    p2_time at;     /* when the first piece came */
    size_t header_len;
    size_t total; /* bytes behind the header; 0: the last fragment is still to come */
    size_t have, reach;
    unsigned num_pieces;
    struct reassembly_storage *storage; /* stays for the next one in this place */
};

/* Zeroed: an empty one. */
struct reassembly {
    struct reassembly_datagram datagrams[FRAMES_MAX_PENDING];
    uint64_t begun;
    uint64_t incomplete; /* given up for want of a piece */
};

enum reassembly_result {
    REASSEMBLY_WAITS,
    REASSEMBLY_DONE,  /* *packet and *num_pieces are set, until the next call */
    REASSEMBLY_UNFIT, /* the piece contradicts others, or what they make is no packet: the datagram is lost */
    REASSEMBLY_NOMEM,
};

enum reassembly_result reassembly_add(struct reassembly *reassembly, struct p2_bytes *packet,
                                      unsigned *num_pieces, const struct reassembly_piece *piece, p2_time at);
/* Gives up what still waits. */
void reassembly_end(struct reassembly *reassembly);
void reassembly_cleanup(struct reassembly *reassembly);

#endif
