/* A classic capture of Ethernet frames in memory, of which single packets are replaced. */
#ifndef P2_TESTS_CAPTURE_FILE_H
#define P2_TESTS_CAPTURE_FILE_H

#include "base.h"

#define CAPTURE_MAX_RECORDS 4096
#define CAPTURE_MAX_PACKET  9000

struct capture_file {
    struct p2_bytes bytes;
    size_t num;
    size_t at[CAPTURE_MAX_RECORDS]; /* of each record's header */
};

/* False: another form of capture, or one that is broken before its first frame. */
bool capture_file_read(struct capture_file *file, const uint8_t *data, size_t size);
/* The IPv4 packet without options in a frame (from 0); empty: it has none. */
struct p2_bytes capture_file_packet(const struct capture_file *file, size_t frame);

/* What is to stand behind the first `at` bytes of a frame's packet instead of what does. */
struct replacement {
    size_t frame, at;
    struct p2_bytes content;
};

/* The capture with its packets replaced (in order of frames), lengths and checksums right. Its size; 0: there
 * is no room for it. */
size_t capture_file_write(uint8_t *out, size_t max, const struct capture_file *file,
                          const struct replacement *replacements, size_t num);

#endif
