/* From attributes to struct members, by table: one row an attribute.
 *
 *     static const struct field fields[] = {
 *         {"delay", &field_time, offsetof(struct scenario_link, delay)},
 *     };
 *     load_fields(problems, node, fields, FIELDS(fields), link);
 *
 * Defaults stand in the schema, which has put them into the document before; an attribute that is absent
 * leaves its member as it is, which is how an end of a tunnel overrides the tunnel. */
#ifndef P2_SCENARIO_LOAD_FIELDS_H
#define P2_SCENARIO_LOAD_FIELDS_H

#include "load_xml.h"

/* A kind of value: how to read it, and what to say if that fails. */
struct field_kind {
    const char *allowed;
    bool (*parse)(const char *text, void *out);
};

struct field {
    const char *attribute;
    const struct field_kind *kind;
    size_t offset;
};

#define FIELDS(table) (sizeof(table) / sizeof(table)[0])

/* False: something was reported. */
bool load_fields(struct problems *problems, const xmlNode *element, const struct field *fields,
                 size_t num_fields, void *out);
/* Reports an attribute: "<link> delay="20mss": <why>; allowed: <allowed>". */
void load_wrong(struct problems *problems, const xmlNode *element, const char *attribute, const char *why,
                const char *allowed);

/* Kinds that several elements have. The member's type stands behind. */
extern const struct field_kind field_name;        /* char [SCENARIO_NAME] */
extern const struct field_kind field_time;        /* p2_time */
extern const struct field_kind field_lifetime;    /* uint32_t, seconds; at least 1 */
extern const struct field_kind field_count;       /* uint32_t */
extern const struct field_kind field_number;      /* uint64_t */
extern const struct field_kind field_rate;        /* uint64_t, bit/s */
extern const struct field_kind field_interval;    /* p2_time, of "25/s" */
extern const struct field_kind field_probability; /* double */
extern const struct field_kind field_permille;    /* uint32_t */
extern const struct field_kind field_boolean;     /* bool */
extern const struct field_kind field_hash;        /* enum p2_hash */
extern const struct field_kind field_group;       /* enum p2_group */
extern const struct field_kind field_pfs;         /* enum p2_group, "none" too */

#endif
