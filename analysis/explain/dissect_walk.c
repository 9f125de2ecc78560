#include "dissect_impl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the list --- */

static struct dissect_field *add(struct dissection *list)
{
    if (list->out_of_memory)
        return NULL;
    if (list->num == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        struct dissect_field *fields = realloc(list->fields, capacity * sizeof(*fields));
        if (!fields) {
            list->out_of_memory = true;
            return NULL;
        }
        list->fields = fields;
        list->capacity = capacity;
    }
    return &list->fields[list->num++];
}

static void add_field(const struct walk *walk, size_t len, struct field_kind kind)
{
    struct dissect_field *field = add(walk->list);
    if (field)
        *field = (struct dissect_field){.depth = walk->depth,
                                        .where = walk->where,
                                        .offset = walk->offset,
                                        .len = len,
                                        .name = kind.name,
                                        .filter = kind.filter,
                                        .section = kind.section};
}

void dissection_cleanup(struct dissection *dissection)
{
    free(dissection->fields);
    *dissection = (struct dissection){0};
}

/* --- texts --- */

void dissect_hex(struct p2_bytes bytes, char text[DISSECT_TEXT])
{
    size_t most = (DISSECT_TEXT - 4) / 2, num = bytes.len < most ? bytes.len : most;
    for (size_t i = 0; i < num; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes.data[i]);
    snprintf(text + 2 * num, 4, "%s", num < bytes.len ? "..." : "");
}

void dissect_ascii(struct p2_bytes bytes, char *text, size_t size)
{
    size_t num = bytes.len < size - 1 ? bytes.len : size - 1;
    for (size_t i = 0; i < num; i++)
        text[i] = (char)(bytes.data[i] >= ' ' && bytes.data[i] < 0x7f ? bytes.data[i] : '.');
    text[num] = '\0';
}

void dissect_address(struct p2_bytes bytes, char text[DISSECT_TEXT])
{
    struct p2_address address = {.family = bytes.len == 4 ? 4 : 6};
    if (bytes.len != 4 && bytes.len != 16) {
        dissect_hex(bytes, text);
        return;
    }
    memcpy(address.bytes, bytes.data, bytes.len);
    p2_address_format(&address, text);
}

/* --- the walk --- */

struct walk walk_over(struct dissection *list, enum dissect_where where, struct p2_bytes bytes)
{
    return (struct walk){.list = list, .where = where, .left = bytes, .rest = "Rest"};
}

struct p2_bytes walk_skip(struct walk *walk, size_t len)
{
    struct p2_bytes bytes = {walk->left.data, len};
    if (len > 0)
        walk->left.data += len;
    walk->left.len -= len;
    walk->offset += len;
    return bytes;
}

static void say(const struct walk *walk, size_t mark, const char *format, va_list arguments)
{
    if (!walk->list->out_of_memory && mark < walk->list->num)
        vsnprintf(walk->list->fields[mark].text, DISSECT_TEXT, format, arguments);
}

void walk_say_at(struct walk *walk, size_t mark, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(walk, mark, format, arguments);
    va_end(arguments);
}

void walk_say(struct walk *walk, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!walk->failed)
        say(walk, walk_mark(walk), format, arguments);
    va_end(arguments);
}

size_t walk_mark(const struct walk *walk)
{
    return walk->list->num - 1;
}

void walk_remark(struct walk *walk, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_field(walk, 0, KIND(name, NULL, NULL));
    say(walk, walk_mark(walk), format, arguments);
    va_end(arguments);
}

struct p2_bytes walk_bytes(struct walk *walk, size_t len, struct field_kind kind)
{
    size_t there = walk->left.len;
    if (walk->failed)
        return (struct p2_bytes){NULL, 0};
    if (there < len) {
        walk->failed = true;
        if (there == 0) {
            walk_remark(walk, kind.name, "missing: it ends before these %zu bytes", len);
        } else {
            add_field(walk, there, KIND(kind.name, NULL, kind.section));
            walk_say_at(walk, walk_mark(walk), "cut short: %zu of %zu bytes", there, len);
        }
        walk_skip(walk, there);
        return (struct p2_bytes){NULL, 0};
    }
    if (len == 0)
        return walk_skip(walk, 0);
    add_field(walk, len, kind);
    struct p2_bytes bytes = walk_skip(walk, len);
    char text[DISSECT_TEXT];
    dissect_hex(bytes, text);
    walk_say(walk, "%s", text);
    return bytes;
}

uint64_t walk_number(struct walk *walk, size_t len, struct field_kind kind)
{
    struct p2_bytes bytes = walk_bytes(walk, len, kind);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | bytes.data[i];
    walk_say(walk, "%" PRIu64, value);
    return value;
}

struct walk walk_enter(struct walk *walk, size_t len, struct field_kind kind)
{
    struct walk inner = *walk;
    inner.announced = len > walk->left.len ? len - walk->left.len : 0;
    len -= inner.announced;
    add_field(walk, len, kind);
    inner.left = walk_skip(walk, len);
    inner.depth++;
    inner.section = kind.section;
    inner.rest = "Rest, not understood";
    return inner;
}

void walk_leave(struct walk *inner)
{
    inner->failed = false;
    if (inner->left.len > 0)
        walk_bytes(inner, inner->left.len, KIND(inner->rest, NULL, inner->section));
}
