/* What the readers of key files share: where keys go, how errors are worded, hex. */
#ifndef P2_EXPLAIN_KEYS_IMPL_H
#define P2_EXPLAIN_KEYS_IMPL_H

#include "keys.h"
#include "problems.h"

/* Text that somebody else owns, such as a field of a line; no zero byte ends it. */
struct keys_text {
    const char *data;
    size_t len;
};

struct keys_reader {
    struct known_keys *keys; /* grows by keys_append only, which wipes what it leaves behind */
    char path[4096];
    int line;
    char *error; /* KEYS_ERROR bytes; empty: nothing is wrong yet */
};

/* Returns -1. "file:line: what was found; what is allowed"; the first one counts. */
int keys_complain(struct keys_reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
int keys_no_memory(struct keys_reader *reader);
struct problems_quote keys_quote(struct keys_text text);
bool keys_is(struct keys_text text, const char *word);
/* The text with a zero byte behind it; what does not fit is as good as unknown, and becomes "". */
struct keys_name {
    char text[80];
};
struct keys_name keys_name(struct keys_text text);

/* A new zeroed entry, as ARRAY_APPEND has it. */
void *keys_append(void *array, size_t *num, size_t size);
#define KEYS_APPEND(array, num) keys_append(&(array), &(num), sizeof *(array))

/* Decodes min to max bytes. Errors call it `name` and never quote it: it may be a key. 0 or -1. */
int keys_hex(struct keys_reader *reader, uint8_t *out, size_t *len, const char *name, struct keys_text hex,
             size_t min, size_t max);
/* Of exactly that many bytes. */
int keys_hex_exactly(struct keys_reader *reader, uint8_t *out, const char *name, struct keys_text hex,
                     size_t len);

/* Each adds what stands in a text. 0, or -1: complained; then the keys may hold some of it. */
int keys_read_xml(struct keys_reader *reader, const char *xml, size_t len);
int keys_read_tables(struct keys_reader *reader, const char *text, size_t len);

static inline bool keys_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

#endif
