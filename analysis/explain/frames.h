/* IP packets out of a capture: pcap or pcapng read by libpcap, the link layer taken off, fragments put
 * together.
 *
 * Link types: 1 (Ethernet, with 802.1Q and 802.1ad tags and PPPoE), 9 (PPP), 101 (raw IP), 113 and 276 (Linux
 * "cooked"), 228 and 229 (IPv4, IPv6); also 0 and 108 (BSD loopback). RFC 791 and RFC 8200 section 4.5
 * (fragments; overlapping ones are dropped whole: RFC 5722).
 *
 * Memory is bounded whatever the capture holds: at most FRAMES_MAX_PENDING datagrams wait for pieces, and the
 * one that has waited longest makes room. */
#ifndef P2_EXPLAIN_FRAMES_H
#define P2_EXPLAIN_FRAMES_H

#include "base.h"

#include <stdio.h>

#define FRAMES_MAX_PENDING 64
#define FRAMES_ERROR       512

struct frames;

/* One IP packet. */
struct frame {
    uint64_t number;      /* of the frame in the file, from 1 as Wireshark counts; of its last fragment */
    p2_time at;           /* nanoseconds since 1970 */
    struct p2_bytes link; /* what stands in front of the packet in the frame; empty if reassembled */
    /* From the IP header to what that header says is the end: padding of the link layer is cut off. Good
     * until the next call. Reassembled ones look like the packet before it was fragmented (the fragment
     * fields 0, IPv6 fragment header taken out, total length and next header right, IPv4 checksum right). */
    struct p2_bytes packet;
    size_t cut;         /* bytes of the packet that the capture did not keep (snap length); packet.len is what
                           there is, and less than its header says by this */
    unsigned fragments; /* how many pieces it was put together from; 1: never fragmented */
};

struct frames_counts {
    uint64_t frames, bytes; /* read from the file; bytes as captured */
    uint64_t packets;       /* handed out */
    uint64_t not_ip;        /* ARP and the like, and what the link layer cuts short */
    uint64_t malformed_ip;  /* says IP, but the header does not parse */
    uint64_t fragments;     /* pieces seen */
    uint64_t incomplete; /* datagrams of which a piece never came; counted at the end and when pushed out */
};

enum frames_result {
    FRAMES_NEXT,   /* *frame is set */
    FRAMES_END,    /* the capture is over */
    FRAMES_BROKEN, /* it cannot be read further: error says what and in which frame; nothing comes after it */
    FRAMES_NOMEM,
};

/* 0, or -1 with one line in error that names the file: not there, not a capture, a link type that is not one
 * of the above (which are listed by name). path "-": standard input. */
int frames_open(struct frames **frames, const char *path, char error[FRAMES_ERROR]) P2_WARN_UNUSED;
/* The same from a stream, which is closed with it (on failure too); name: what errors call it. */
int frames_open_stream(struct frames **frames, FILE *stream, const char *name,
                       char error[FRAMES_ERROR]) P2_WARN_UNUSED;
void frames_close(struct frames *frames); /* NULL is harmless */

enum frames_result frames_next(struct frames *frames, struct frame *frame, char error[FRAMES_ERROR]);

struct frames_counts frames_counts(const struct frames *frames);
/* LINKTYPE_ number of the capture. */
int frames_link_type(const struct frames *frames);

#endif
