/* What the parts of the loader share. Each part reads one element of the DOM into one array of struct
 * scenario. */
#ifndef P2_SCENARIO_LOAD_H
#define P2_SCENARIO_LOAD_H

#include "load_fields.h"
#include "load_schema.h"

#define LOAD_MAX_GATEWAYS     10000
#define LOAD_MAX_EXPANDED     20000 /* links, tunnels, flows or events */
#define LOAD_MAX_PROFILES     100
#define LOAD_MAX_EXPECTATIONS 1000 /* as written */

/* What one element became: `num` entries of an array from `first` on. */
struct load_group {
    char name[2 * SCENARIO_NAME];
    int line;
    size_t first, num;
    bool counted;  /* the members are name[1], name[2], ... */
    uint32_t step; /* gateways and NATs only */
};

struct load_groups {
    struct load_group *items;
    size_t num;
};

struct loader {
    struct problems *problems;
    struct scenario *scenario;
    struct load_groups gateways, tunnels;
    struct load_groups nodes; /* gateways and NATs, numbered as struct scenario_link has it */
    struct load_groups links; /* by "from-to", as the element says it */
    int *component;           /* of each node: the same for those that links connect */
    /* Whether all of them are right. If not, what refers to them is still looked at, but not what rests on
     * what they are. */
    bool gateways_sound, links_sound, tunnels_sound;
    bool too_many; /* gateways, links, tunnels, ... */
};

/* The arrays are not complete, for there is too much or too little memory: nothing may rest on them. */
bool load_is_cut_off(const struct loader *l);

/* Says so, once. True. */
bool load_too_many(struct loader *l, const xmlNode *node, const char *attribute, const char *what,
                   size_t most);

/* As array_append, but reported. */
void *load_append(struct problems *problems, void *array, size_t *num, size_t size);
#define LOAD_APPEND(problems, array, num) load_append(problems, &(array), &(num), sizeof *(array))

/* The members that the reference in an attribute names. False: reported, with the names there are. */
struct load_members {
    size_t first, num;
    bool counted; /* all of a counted group */
    const struct load_group *group;
};
bool load_reference(struct problems *problems, const xmlNode *element, const char *attribute,
                    const char *what, const struct load_groups *groups, struct load_members *out);
/* How many pairs two references make: counted ones go in step, a single one stands for each. 0: reported. */
size_t load_pairs(struct problems *problems, const xmlNode *element, const char *a_attribute,
                  const struct load_members *a, const struct load_members *b);
/* The member of pair i. */
size_t load_member(const struct load_members *members, size_t i);
/* "name", or "name[i + 1]" if counted. */
void load_member_name(char out[SCENARIO_NAME], const char *name, bool counted, size_t i);

/* Two gateways and the entry that joins them, to find entries by their gateways. */
struct load_pair {
    int a, b;
    size_t index;
};
void load_pairs_sort(struct load_pair *pairs, size_t num);
/* The first of the pairs that have these gateways; NULL: none. */
const struct load_pair *load_pairs_find(const struct load_pair *pairs, size_t num, int a, int b);
/* The pairs of gateways that tunnels join, sorted, both ways: two for each tunnel, to be freed. NULL: out of
 * memory. */
struct load_pair *load_tunnel_pairs(const struct scenario *scenario);

/* Reads one <cpu-profile>; it must have a <source> if `complete`. */
bool load_profile(struct problems *problems, const xmlNode *element, struct profile *profile, bool complete);
/* Replaces base="file" of each <cpu-profile> by what the file holds. `file` is that of the scenario. */
bool load_inline_profiles(const struct load_schema *schema, struct problems *problems, xmlDoc *doc,
                          const char *file);

/* Addresses and prefixes, in load_address.c. */

/* An address that a node can have. */
bool load_address(struct problems *problems, const xmlNode *element, const char *attribute,
                  struct p2_address *out);
/* One prefix of an attribute; `text` is it, or one of a list. */
bool load_prefix(struct problems *problems, const xmlNode *element, const char *attribute, const char *text,
                 struct p2_selector *out);
/* An address, a prefix or a range. */
bool load_selector(struct problems *problems, const xmlNode *element, const char *attribute,
                   struct p2_selector *out);
/* Whether hosts can have all addresses of a prefix or range. */
bool load_usable(const struct p2_selector *selector);
/* A prefix or range so many blocks farther, a block being as large as a prefix of block_len. False, nothing
 * reported: it would leave what hosts can have. */
bool load_count_selector(const struct p2_selector *first, uint64_t blocks, uint8_t block_len,
                         struct p2_selector *out);
/* Says so: member i of a counted element would. */
void load_count_wrong(struct problems *problems, const xmlNode *element, const char *attribute, size_t i);

bool load_profiles(struct loader *l, const xmlNode *root);
bool load_gateways(struct loader *l, const xmlNode *topology);
/* After the gateways, for nodes are numbered in that order. */
bool load_nats(struct loader *l, const xmlNode *topology);
/* After the links: which gateway stands behind which NAT. */
bool load_behind_nats(struct loader *l);
/* The address by which all others know a gateway: that of its NAT, if it stands behind one. */
const struct p2_address *load_seen_address(const struct scenario *s, int gateway);
const char *load_node_name(const struct scenario *scenario, int node);
bool load_address_plan(struct loader *l);
/* The classes of one <link>. */
bool load_classes(struct loader *l, const xmlNode *element, struct scenario_link *link);
bool load_links(struct loader *l, const xmlNode *topology);
bool load_tunnels(struct loader *l, const xmlNode *tunnels);
bool load_check_prices(struct loader *l, const xmlNode *root);
/* Tunnels between the same gateways share an ISAKMP SA. */
bool load_shared_peers(struct loader *l);
bool load_flows(struct loader *l, const xmlNode *traffic);
bool load_timeline(struct loader *l, const xmlNode *timeline);

/* Events of one <at>, in load_timeline.c; and those of attackers, in load_attack.c. */

/* NULL, reported: out of memory. */
struct scenario_event *load_event(struct loader *l, p2_time time, enum scenario_event_kind kind);
/* The links that an attribute names; links have no names of their own: "spoke[3]-hub" is one, "spoke-hub" all
 * of the <link> that says so. False: reported. */
bool load_link_members(struct loader *l, const xmlNode *node, const char *attribute, size_t *first,
                       size_t *num);
/* <replay>, <forge>, <flood> or <compromise>. */
bool load_attack(struct loader *l, const xmlNode *node, p2_time time);
bool load_expectations(struct loader *l, const xmlNode *expect);
/* Says an expectation as a person would; value as it was written. */
void load_expectation_text(struct scenario_expectation *that, const char *value);

/* A validated document into structs. False: reported, and `scenario` is to be cleaned up. */
bool load_scenario(struct scenario *scenario, struct problems *problems, const xmlDoc *doc);

#endif
