#include "stream.h"

#include "problems.h"

#include <stdlib.h>
#include <string.h>

static size_t count_lines(const char *text, size_t len)
{
    size_t num_lines = 0;
    for (size_t i = 0; i < len; i++)
        num_lines += text[i] == '\n' || i + 1 == len;
    return num_lines;
}

static int parse_lines(struct stream *stream, const char *text, size_t len, char *message,
                       size_t message_size)
{
    char problem[256];
    for (size_t at = 0; at < len; stream->num_records++) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t line_len = newline ? (size_t)(newline - text) - at : len - at;
        if (record_parse(text + at, line_len, &stream->records[stream->num_records], problem,
                         sizeof problem)) {
            snprintf(message, message_size, "line %zu of its records: %s", stream->num_records + 1, problem);
            return -1;
        }
        at += line_len + 1;
    }
    return 0;
}

static int check_run(const struct record *first, const struct stream_expected *expected, char *message,
                     size_t message_size)
{
    const struct record_run *run = &first->u.run;
    if (first->type != RECORD_RUN)
        snprintf(message, message_size, "its records do not begin with the run record");
    else if (strcmp(run->format, RECORD_FORMAT) != 0)
        snprintf(message, message_size,
                 "its records have the format \"%s\", not \"%s\": is the worker of another "
                 "version?",
                 problems_quote(run->format).text, RECORD_FORMAT);
    else if (strcmp(run->case_name, expected->case_name) != 0 || run->run != expected->run ||
             run->seed != expected->seed)
        snprintf(message, message_size, "its records are of case %s, run %llu, seed %llu",
                 problems_quote(run->case_name).text, (unsigned long long)run->run,
                 (unsigned long long)run->seed);
    else
        return 0;
    return -1;
}

static int check_end(const struct stream *stream, char *message, size_t message_size)
{
    const struct record *last = &stream->records[stream->num_records - 1];
    for (size_t i = 1; i + 1 < stream->num_records; i++) {
        enum record_type type = stream->records[i].type;
        if (type == RECORD_RUN || type == RECORD_END) {
            snprintf(message, message_size, "line %zu of its records: a second %s record", i + 1,
                     type == RECORD_RUN ? "run" : "end");
            return -1;
        }
    }
    if (last->type != RECORD_END)
        snprintf(message, message_size, "its records stop after line %zu without an end record",
                 stream->num_records);
    else if (last->u.end.records != stream->num_records - 1)
        snprintf(message, message_size, "its end record counts %llu records, but %zu arrived",
                 (unsigned long long)last->u.end.records, stream->num_records - 1);
    else
        return 0;
    return -1;
}

int stream_parse(struct stream *stream, const char *text, size_t len, const struct stream_expected *expected,
                 char *message, size_t message_size)
{
    size_t num_lines = count_lines(text, len);
    *stream = (struct stream){0};
    if (num_lines == 0) {
        snprintf(message, message_size, "it wrote no records");
        return -1;
    }
    stream->records = calloc(num_lines, sizeof *stream->records);
    if (!stream->records) {
        snprintf(message, message_size, "out of memory for %zu records", num_lines);
        return -1;
    }
    if (parse_lines(stream, text, len, message, message_size) == 0 &&
        check_run(&stream->records[0], expected, message, message_size) == 0 &&
        check_end(stream, message, message_size) == 0)
        return 0;
    stream_cleanup(stream);
    return -1;
}

void stream_cleanup(struct stream *stream)
{
    free(stream->records);
    *stream = (struct stream){0};
}
