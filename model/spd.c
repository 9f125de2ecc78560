#include "spd.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A pair of prefixes, host bits zero. */
struct prefixes {
    struct p2_address local, remote;
    uint8_t local_len, remote_len;
};

struct p2_spd_bucket {
    struct prefixes prefixes;
    struct p2_spd_entry *first, *last;
    struct p2_spd_bucket *next; /* of the SPD */
};

void p2_spd_cleanup(struct p2_spd *spd)
{
    while (spd->buckets) {
        struct p2_spd_bucket *bucket = spd->buckets;
        spd->buckets = bucket->next;
        while (bucket->first) {
            struct p2_spd_entry *entry = bucket->first;
            bucket->first = entry->next;
            free(entry);
        }
        free(bucket);
    }
    p2_map_cleanup(&spd->by_prefixes);
    *spd = (struct p2_spd){0};
}

/* --- prefixes and buckets --- */

static struct prefixes prefixes_of(const struct p2_address *local, unsigned local_len,
                                   const struct p2_address *remote, unsigned remote_len)
{
    return (struct prefixes){p2_address_masked(local, local_len), p2_address_masked(remote, remote_len),
                             (uint8_t)local_len, (uint8_t)remote_len};
}

/* The length of the smallest prefix that covers the selector. */
static unsigned covering_len(const struct p2_selector *selector)
{
    struct p2_address first, last;
    p2_selector_bounds(selector, &first, &last);
    unsigned len = 0, bits = (unsigned)p2_address_len(first.family) * 8;
    while (len < bits && ((first.bytes[len / 8] ^ last.bytes[len / 8]) >> (7 - len % 8) & 1) == 0)
        len++;
    return len;
}

static struct prefixes covering(const struct p2_selector *local, const struct p2_selector *remote)
{
    return prefixes_of(&local->address, covering_len(local), &remote->address, covering_len(remote));
}

static bool prefixes_equal(const struct prefixes *a, const struct prefixes *b)
{
    return a->local_len == b->local_len && a->remote_len == b->remote_len &&
           p2_address_equal(&a->local, &b->local) && p2_address_equal(&a->remote, &b->remote);
}

static uint64_t key_of(const struct prefixes *p)
{
    uint64_t lengths = (uint64_t)p->local_len << 8 | p->remote_len;
    uint64_t key = (p2_address_hash(&p->local) ^ lengths << 48) * UINT64_C(0x9e3779b97f4a7c15);
    return (key ^ key >> 32) ^ p2_address_hash(&p->remote);
}

/* Pairs of prefixes whose keys collide stand under the keys that follow, which works since none is ever
 * removed. *key: where the bucket is or belongs. NULL: there is none. */
static struct p2_spd_bucket *find_bucket(const struct p2_spd *spd, const struct prefixes *prefixes,
                                         uint64_t *key)
{
    struct p2_spd_bucket *bucket;
    *key = key_of(prefixes);
    while ((bucket = p2_map_get(&spd->by_prefixes, *key)) != NULL &&
           !prefixes_equal(&bucket->prefixes, prefixes))
        ++*key;
    return bucket;
}

/* --- adding --- */

static bool is_sound(const struct p2_selector *selector)
{
    uint8_t family = selector->address.family;
    if (selector->is_range)
        return selector->last.family == family &&
               p2_address_compare(&selector->address, &selector->last) <= 0;
    return selector->prefix_len <= p2_address_len(family) * 8;
}

/* How many addresses it covers, less one: that fits into an address. */
static void width(const struct p2_selector *selector, uint8_t out[16])
{
    struct p2_address first, last;
    unsigned borrow = 0;
    p2_selector_bounds(selector, &first, &last);
    memset(out, 0, 16);
    for (size_t i = p2_address_len(first.family); i-- > 0;) {
        unsigned difference = 256u + last.bytes[i] - first.bytes[i] - borrow;
        out[i] = (uint8_t)difference;
        borrow = difference < 256;
    }
}

static int compare_widths(const struct p2_selector *a, const struct p2_selector *b)
{
    uint8_t width_a[16], width_b[16];
    width(a, width_a);
    width(b, width_b);
    return memcmp(width_a, width_b, 16);
}

static int services_named(const struct p2_spd_entry *entry)
{
    return (entry->local.protocol != 0 || entry->remote.protocol != 0) + (entry->local.port != 0) +
           (entry->remote.port != 0);
}

/* Of two entries of one bucket. */
static bool goes_before(const struct p2_spd_entry *a, const struct p2_spd_entry *b)
{
    int order = compare_widths(&a->local, &b->local);
    if (order == 0)
        order = compare_widths(&a->remote, &b->remote);
    if (order == 0)
        order = services_named(b) - services_named(a);
    return order < 0;
}

static void insert(struct p2_spd_bucket *bucket, struct p2_spd_entry *entry)
{
    struct p2_spd_entry **at = &bucket->first;
    if (bucket->last && !goes_before(entry, bucket->last)) /* any number of equal ones is appended */
        at = &bucket->last->next;
    while (*at && !goes_before(entry, *at))
        at = &(*at)->next;
    entry->next = *at;
    *at = entry;
    if (!entry->next)
        bucket->last = entry;
}

static struct p2_spd_shapes *shapes_of(struct p2_spd *spd, const struct prefixes *prefixes)
{
    return prefixes->local.family == 6 ? &spd->v6 : &spd->v4;
}

/* Where the shape of these prefixes is or belongs. */
static size_t find_shape(const struct p2_spd_shapes *shapes, uint16_t shape)
{
    size_t i = 0;
    while (i < shapes->num && shapes->shapes[i] > shape)
        i++;
    return i;
}

static bool add_shape(struct p2_spd_shapes *shapes, const struct prefixes *prefixes)
{
    uint16_t shape = (uint16_t)(prefixes->local_len << 8 | prefixes->remote_len);
    size_t i = find_shape(shapes, shape);
    if (i < shapes->num && shapes->shapes[i] == shape)
        return true;
    if (shapes->num == P2_SPD_MAX_SHAPES)
        return false;
    memmove(shapes->shapes + i + 1, shapes->shapes + i, (shapes->num - i) * sizeof(shapes->shapes[0]));
    shapes->shapes[i] = shape;
    shapes->num++;
    return true;
}

static int add_bucket(struct p2_spd *spd, const struct prefixes *prefixes, uint64_t key,
                      struct p2_spd_bucket **out)
{
    struct p2_spd_bucket *bucket = calloc(1, sizeof(*bucket));
    int r = bucket ? p2_map_put(&spd->by_prefixes, key, bucket) : P2_ERR_NOMEM;
    if (r == P2_OK && !add_shape(shapes_of(spd, prefixes), prefixes)) {
        p2_map_remove(&spd->by_prefixes, key);
        r = P2_ERR_SPACE;
    }
    if (r < 0) {
        free(bucket);
        return r;
    }
    bucket->prefixes = *prefixes;
    bucket->next = spd->buckets;
    spd->buckets = bucket;
    *out = bucket;
    return P2_OK;
}

int p2_spd_add(struct p2_spd *spd, const struct p2_selector *local, const struct p2_selector *remote,
               void *value)
{
    assert(value);
    uint8_t family = local->address.family;
    if ((family != 4 && family != 6) || remote->address.family != family || !is_sound(local) ||
        !is_sound(remote))
        return P2_ERR_MALFORMED;
    uint64_t key;
    struct prefixes prefixes = covering(local, remote);
    struct p2_spd_bucket *bucket = find_bucket(spd, &prefixes, &key);
    struct p2_spd_entry *entry = malloc(sizeof(*entry));
    int r = entry ? P2_OK : P2_ERR_NOMEM;
    if (r == P2_OK && !bucket)
        r = add_bucket(spd, &prefixes, key, &bucket);
    if (r < 0) {
        free(entry);
        return r;
    }
    *entry = (struct p2_spd_entry){.local = *local, .remote = *remote, .value = value};
    insert(bucket, entry);
    return P2_OK;
}

/* --- looking up --- */

static bool matches(const struct p2_spd_entry *entry, const struct p2_ip_view *packet)
{
    return p2_selector_matches(&entry->local, &packet->source, packet->protocol, packet->source_port) &&
           p2_selector_matches(&entry->remote, &packet->destination, packet->protocol,
                               packet->destination_port);
}

void *p2_spd_for_packet(const struct p2_spd *spd, const struct p2_ip_view *packet)
{
    const struct p2_spd_shapes *shapes = packet->family == 6 ? &spd->v6 : &spd->v4;
    for (size_t i = 0; i < shapes->num; i++) {
        uint64_t key;
        struct prefixes prefixes = prefixes_of(&packet->source, shapes->shapes[i] >> 8, &packet->destination,
                                               shapes->shapes[i] & 0xff);
        const struct p2_spd_bucket *bucket = find_bucket(spd, &prefixes, &key);
        const struct p2_spd_entry *entry = bucket ? bucket->first : NULL;
        while (entry && !matches(entry, packet))
            entry = entry->next;
        if (entry)
            return entry->value;
    }
    return NULL;
}

const struct p2_spd_entry *p2_spd_exact(const struct p2_spd *spd, const struct p2_selector *local,
                                        const struct p2_selector *remote, enum p2_proxy_rule rule,
                                        const struct p2_spd_entry *previous)
{
    const struct p2_spd_entry *entry;
    if (previous) {
        entry = previous->next;
    } else {
        uint64_t key;
        struct prefixes prefixes = covering(local, remote);
        const struct p2_spd_bucket *bucket = find_bucket(spd, &prefixes, &key);
        entry = bucket ? bucket->first : NULL;
    }
    while (entry && !(p2_proxy_ids_mirror(rule, &entry->local, local) &&
                      p2_proxy_ids_mirror(rule, &entry->remote, remote)))
        entry = entry->next;
    return entry;
}
