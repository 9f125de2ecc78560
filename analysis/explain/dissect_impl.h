/* What the files of dissect.h share: a walk over bytes that adds a field for each piece it takes, and tables
 * of numbers with names. */
#ifndef P2_EXPLAIN_DISSECT_IMPL_H
#define P2_EXPLAIN_DISSECT_IMPL_H

#include "cursor.h"
#include "dissect.h"

/* What is the same of a field wherever it stands; literals. */
struct field_kind {
    const char *name, *filter, *section;
};
#define KIND(name, filter, section) ((struct field_kind){name, filter, section})

/* Once a piece is missing or cut short the walk has failed: what is taken from it afterwards adds nothing,
 * and says nothing. */
struct walk {
    struct dissection *list;
    enum dissect_where where;
    uint8_t depth;        /* of the fields that it adds */
    size_t offset;        /* of what is left */
    struct p2_bytes left; /* not taken yet */
    const char *rest;     /* what is left in the end is called */
    const char *section;  /* where it is written what stands here */
    size_t announced;     /* bytes that were announced beyond the end, for an announcing field to tell */
    bool failed;
};

struct walk walk_over(struct dissection *list, enum dissect_where where, struct p2_bytes bytes);

/* Without a field: len bytes that are left. */
struct p2_bytes walk_skip(struct walk *walk, size_t len);
/* A leaf of len bytes, told in hex. Fewer are left: a leaf of those, and the walk has failed. */
struct p2_bytes walk_bytes(struct walk *walk, size_t len, struct field_kind kind);
/* A leaf of 1 to 8 bytes, told in decimal; 0 once the walk has failed. */
uint64_t walk_number(struct walk *walk, size_t len, struct field_kind kind);
/* Says something better of the field that was just taken. */
void walk_say(struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A field without bytes. */
void walk_remark(struct walk *walk, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A field with children, which are what is taken from the result; it must be left, and the outer walk not
 * used before. Fewer bytes than len are left: it has those. */
struct walk walk_enter(struct walk *walk, size_t len, struct field_kind kind);
/* What is left inside becomes a leaf (walk->rest). */
void walk_leave(struct walk *inner);
/* Says something of a field with children, whose fields have been added already. */
size_t walk_mark(const struct walk *walk);
void walk_say_at(struct walk *walk, size_t mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Bytes as text for people: printable ASCII as it is, the rest as dots. */
void dissect_ascii(struct p2_bytes bytes, char *text, size_t size);
/* Of 4 or 16 bytes; anything else is told in hex. */
void dissect_address(struct p2_bytes bytes, char text[DISSECT_TEXT]);
void dissect_hex(struct p2_bytes bytes, char text[DISSECT_TEXT]);

/* A whole ISAKMP message; plain as in dissect_input. */
void dissect_message(struct walk *walk, struct p2_bytes plain);

#define ISAKMP(n) "RFC 2408 section " n
#define DOI(n)    "RFC 2407 section " n

/* Fields that several payloads have. */
uint8_t walk_payload_type(struct walk *walk, const char *name, const char *section);
uint32_t walk_doi(struct walk *walk, struct field_kind kind);
uint8_t walk_protocol(struct walk *walk, struct field_kind kind);
void walk_address(struct walk *walk, size_t len, struct field_kind kind); /* 4 or 16 bytes */
void walk_rest(struct walk *walk, struct field_kind kind);                /* says so if there is none */

/* Bodies of payloads, from behind the generic header. */
void dissect_simple(struct walk *walk, uint8_t type); /* the ones that are one piece of bytes */
const char *dissect_simple_section(uint8_t type);
void dissect_vendor(struct walk *walk);
void dissect_certificate(struct walk *walk);
void dissect_certificate_request(struct walk *walk);
void dissect_id(struct walk *walk);
void dissect_notify(struct walk *walk);
void dissect_delete(struct walk *walk);
void dissect_nat_oa(struct walk *walk);
void dissect_config(struct walk *walk);
void dissect_fragment(struct walk *walk);

/* Which names Wireshark has for the attributes of a place. */
enum attribute_place {
    ATTRIBUTES_PHASE1,
    ATTRIBUTES_PHASE2,
    ATTRIBUTES_LIFETIME_PHASE1, /* in a RESPONDER-LIFETIME of that phase */
    ATTRIBUTES_LIFETIME_PHASE2,
    ATTRIBUTES_CONFIG,
};
/* All that is left of the walk. */
void dissect_attributes(struct walk *walk, enum attribute_place place);

struct number_name {
    uint32_t number;
    const char *name;
};
#define NAMES(array)                                                                                         \
    (struct name_table)                                                                                      \
    {                                                                                                        \
        array, sizeof(array) / sizeof((array)[0])                                                            \
    }
struct name_table {
    const struct number_name *names;
    size_t num;
};
/* NULL: not in it. */
const char *name_of_number(struct name_table table, uint64_t number);

/* "IPV4_ADDR", "X.509 certificate - signature", "IPsec": NULL: not known. */
const char *isakmp_id_type_name(uint8_t type);
const char *isakmp_certificate_name(uint8_t encoding);
const char *isakmp_doi_name(uint32_t doi);
const char *isakmp_config_type_name(uint8_t type);
const char *isakmp_config_attribute_name(uint16_t type);
const char *ip_protocol_name(uint8_t protocol);

#endif
