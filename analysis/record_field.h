/* The members of each record as a table, so that JSON and SQLite name and convert them alike. A new member of
 * a struct in record.h is one row in record.c and nothing else. */
#ifndef P2_RECORD_FIELD_H
#define P2_RECORD_FIELD_H

#include "record.h"

enum record_kind {
    RECORD_KIND_TEXT,          /* char[]; always there */
    RECORD_KIND_OPTIONAL_TEXT, /* char[]; empty is null */
    RECORD_KIND_COUNT,         /* uint64_t, at most INT64_MAX */
    RECORD_KIND_TIME,          /* int64_t; always there */
    RECORD_KIND_OPTIONAL_TIME, /* int64_t; -1 is null */
    RECORD_KIND_OPTIONAL_INT,  /* int; 0 is null */
};

struct record_field {
    const char *name;   /* of the JSON member */
    const char *column; /* of the SQL column: the same, save where SQL reserves the word */
    enum record_kind kind;
    size_t offset; /* in struct record */
    size_t size;   /* of the member, in bytes */
};

struct record_layout {
    const char *type;  /* "negotiation": the JSON "type" */
    const char *table; /* "negotiations": the SQL table */
    const struct record_field *fields;
    size_t num_fields;
};

/* Never NULL for a type below RECORD_NUM_TYPES. */
const struct record_layout *record_layout_of(enum record_type type);

/* One member's value, free of its struct: exactly one of text and integer, or neither. The text borrows. */
struct record_value {
    bool is_null;
    const char *text; /* NULL: an integer */
    int64_t integer;
};

/* 0, or -1 with errno EOVERFLOW: a count too large for a signed integer. */
int record_field_get(const struct record *record, const struct record_field *field,
                     struct record_value *value);
/* 0, or -1: the value is of the wrong kind, out of range, or too long for the member. */
int record_field_set(struct record *record, const struct record_field *field,
                     const struct record_value *value);

#endif
