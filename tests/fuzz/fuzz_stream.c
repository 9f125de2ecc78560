/* Any bytes as the record stream that a worker writes. */
#include "stream.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "found: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct stream_expected expected = {"PFS=none", 1, 1};
    struct stream stream = {0};
    char message[512] = "";
    if (stream_parse(&stream, (const char *)data, size, &expected, message, sizeof message) != 0) {
        require(message[0] != '\0' && !strchr(message, '\n'), "a failure is not told in one line");
        require(!stream.records && stream.num_records == 0, "a failure leaves records behind");
        return 0;
    }
    require(stream.num_records >= 2, "a stream without its ends");
    require(stream.records[0].type == RECORD_RUN, "it does not begin with its run");
    require(stream.records[stream.num_records - 1].type == RECORD_END, "it does not end with its end");
    for (size_t i = 1; i + 1 < stream.num_records; i++)
        require(stream.records[i].type != RECORD_RUN && stream.records[i].type != RECORD_END,
                "a second beginning or end");
    stream_cleanup(&stream);
    return 0;
}
