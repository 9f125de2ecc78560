/* A worker's whole record stream: parsed and checked. */
#ifndef P2_STREAM_H
#define P2_STREAM_H

#include "record.h"

struct stream {
    struct record *records; /* RECORD_RUN first, RECORD_END last */
    size_t num_records;
};

/* What the stream must say of itself. */
struct stream_expected {
    const char *case_name;
    uint64_t run;
    uint64_t seed;
};

/* 0, or -1 with one line in message: a line that does not parse, another case, run, seed or format than
 * expected, or a stream that does not begin with its run record and end with its end record. */
int stream_parse(struct stream *stream, const char *text, size_t len, const struct stream_expected *expected,
                 char *message, size_t message_size);
void stream_cleanup(struct stream *stream);

#endif
