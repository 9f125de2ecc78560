/* Reads a capture: classic pcap (microseconds, little-endian), Ethernet, IPv4, and in it UDP port 500 or ESP.
 * Anything else, and anything odd, ends the program: it would be a slip in the test's own data. */
#ifndef P2_TESTS_CAPTURE_H
#define P2_TESTS_CAPTURE_H

#include "message.h"

struct corpus_frame {
    unsigned number; /* from 1, as Wireshark counts */
    p2_time at;      /* since the first frame */
    struct p2_address source, destination;
    bool esp;
    struct p2_bytes packet;  /* the whole IP packet */
    struct p2_bytes content; /* the ISAKMP message or the ESP packet in it */
    bool phase2;             /* an ISAKMP message with a message ID; then also: */
    struct corpus_message message;
    const struct corpus_frame *copy_of; /* the first of several identical messages; NULL: this one is new */
    bool copied;                        /* identical ones follow */
};

struct capture {
    uint8_t *file;
    struct corpus_frame *frames;
    size_t num_frames;
};

/* Decrypts the Phase 2 messages too. */
void capture_read(struct capture *capture, const char *path, const struct p2_isakmp_keys *keys);
void capture_free(struct capture *capture);

/* Ends the program. */
_Noreturn void corpus_broken(const char *file, const char *what);

#endif
