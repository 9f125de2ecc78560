/* The security policy database, against rows by hand and against a linear search. */
#include "check.h"
#include "spd.h"

#define NONE     0
#define MAX_ROWS 12

static struct p2_selector selector(const char *text)
{
    struct p2_selector s = {0};
    if (!p2_selector_parse(&s, text)) {
        fprintf(stderr, "no selector: %s\n", text);
        abort();
    }
    return s;
}

static struct p2_ip_view packet(const char *source, const char *destination, uint8_t protocol,
                                uint16_t source_port, uint16_t destination_port)
{
    struct p2_ip_view view = {.protocol = protocol,
                              .has_ports = source_port || destination_port,
                              .source_port = source_port,
                              .destination_port = destination_port};
    CU_ASSERT_TRUE(p2_address_parse(&view.source, source) &&
                   p2_address_parse(&view.destination, destination));
    view.family = view.source.family;
    return view;
}

/* An entry, in the order of addition; the numbers below count them from 1. */
struct row {
    const char *local, *remote;
    uint8_t protocol;
    uint16_t local_port, remote_port;
};

static struct p2_spd_entry entry_of(const struct row *row)
{
    struct p2_spd_entry entry = {.local = selector(row->local), .remote = selector(row->remote)};
    entry.local.protocol = entry.remote.protocol = row->protocol;
    entry.local.port = row->local_port;
    entry.remote.port = row->remote_port;
    return entry;
}

/* The values are addresses in here. */
static char numbers[MAX_ROWS + 1];

static size_t number_of(const void *value)
{
    return value ? (size_t)((const char *)value - numbers) : NONE;
}

static struct p2_spd spd_of(const struct row *rows, size_t num_rows)
{
    struct p2_spd spd = {0};
    for (size_t i = 0; i < num_rows && rows[i].local; i++) {
        struct p2_spd_entry entry = entry_of(&rows[i]);
        CU_ASSERT_EQUAL(p2_spd_add(&spd, &entry.local, &entry.remote, &numbers[i + 1]), P2_OK);
    }
    return spd;
}

static void the_most_specific_entry_wins(void)
{
    static const struct row rows[MAX_ROWS] = {
        {"0.0.0.0/0", "0.0.0.0/0", 0, 0, 0},               /* 1 */
        {"10.1.0.0/16", "10.2.0.0/16", 0, 0, 0},           /* 2 */
        {"10.1.0.0/24", "10.2.0.0/16", 0, 0, 0},           /* 3 */
        {"10.1.0.0/24", "10.2.0.0/24", 0, 0, 0},           /* 4 */
        {"10.1.0.0/24", "10.2.0.0/24", 6, 0, 443},         /* 5: better than 4 for what it matches */
        {"10.1.0.0/24", "10.2.0.0/24", 6, 0, 0},           /* 6 */
        {"10.1.0.0/24", "10.2.0.0/24", 6, 0, 443},         /* 7: never, 5 came first */
        {"10.1.0.100-10.1.0.200", "10.2.0.0/24", 0, 0, 0}, /* 8: narrower than its /24 */
        {"10.1.0.120-10.1.0.130", "10.2.0.0/24", 0, 0, 0}, /* 9: and narrower still */
        {"10.1.0.0/24", "10.2.0.0/24", 1, 0x800, 0},       /* 10: echo requests */
        {"2001:db8:1::/48", "::/0", 0, 0, 0},              /* 11 */
        {"2001:db8:1::5", "2001:db8:2::-2001:db8:2::ffff", 17, 500, 500}, /* 12 */
    };
    static const struct {
        const char *source, *destination;
        uint8_t protocol;
        uint16_t source_port, destination_port;
        size_t winner;
    } cases[] = {
        {"192.0.2.1", "192.0.2.2", 17, 1, 2, 1},
        {"10.2.0.1", "10.1.0.1", 17, 1, 2, 1}, /* the other way round is another matter */
        {"10.1.9.1", "10.2.0.1", 17, 1, 2, 2},
        {"10.1.0.1", "10.2.9.1", 17, 1, 2, 3},
        {"10.1.0.1", "10.2.0.1", 17, 1, 2, 4},
        {"10.1.0.1", "10.2.0.1", 6, 5000, 443, 5},
        {"10.1.0.1", "10.2.0.1", 6, 443, 5000, 6},
        {"10.1.0.1", "10.2.0.1", 6, 0, 0, 6}, /* a later fragment */
        {"10.1.0.99", "10.2.0.1", 17, 1, 2, 4},
        {"10.1.0.100", "10.2.0.1", 17, 1, 2, 8},
        {"10.1.0.200", "10.2.0.1", 6, 5000, 443, 8},
        {"10.1.0.201", "10.2.0.1", 17, 1, 2, 4},
        {"10.1.0.120", "10.2.0.1", 17, 1, 2, 9},
        {"10.1.0.130", "10.2.0.1", 17, 1, 2, 9},
        {"10.1.0.131", "10.2.0.1", 17, 1, 2, 8},
        {"10.1.0.1", "10.2.0.1", 1, 0x800, 0x800, 10},
        {"10.1.0.1", "10.2.0.1", 1, 0x300, 0x300, 4},
        {"2001:db8:1::5", "2001:db8:2::1", 17, 500, 500, 12},
        {"2001:db8:1::5", "2001:db8:2::1", 17, 500, 4500, 11},
        {"2001:db8:1::5", "2001:db8:2::1:0", 17, 500, 500, 11},
        {"2001:db8:2::5", "2001:db8:1::1", 17, 500, 500, NONE},
    };
    struct p2_spd spd = spd_of(rows, MAX_ROWS);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_ip_view view = packet(cases[i].source, cases[i].destination, cases[i].protocol,
                                        cases[i].source_port, cases[i].destination_port);
        CU_ASSERT_EQUAL(number_of(p2_spd_for_packet(&spd, &view)), cases[i].winner);
    }
    p2_spd_cleanup(&spd);
}

static void an_empty_one_has_nothing(void)
{
    struct p2_spd spd = {0};
    struct p2_selector all = selector("0.0.0.0/0");
    struct p2_ip_view view = packet("10.1.0.1", "10.2.0.1", 6, 1, 2);
    CU_ASSERT_PTR_NULL(p2_spd_for_packet(&spd, &view));
    CU_ASSERT_PTR_NULL(p2_spd_exact(&spd, &all, &all, P2_PROXY_ADDRESSES, NULL));
    p2_spd_cleanup(&spd);
}

/* All of them, as digits in their order: "25". */
static void list_exact(const struct p2_spd *spd, const struct row *row, enum p2_proxy_rule rule, char *out)
{
    struct p2_spd_entry wanted = entry_of(row);
    const struct p2_spd_entry *entry = NULL;
    while ((entry = p2_spd_exact(spd, &wanted.local, &wanted.remote, rule, entry)) != NULL)
        *out++ = (char)('0' + number_of(entry->value));
    *out = '\0';
}

static void exact_lookup_lists_all_by_the_rule(void)
{
    static const struct row rows[MAX_ROWS] = {
        {"0.0.0.0/0", "0.0.0.0/0", 0, 0, 0},             /* 1 */
        {"10.1.0.0/24", "10.2.0.0/24", 0, 0, 0},         /* 2 */
        {"10.1.0.0/24", "10.2.0.0/24", 6, 0, 443},       /* 3 */
        {"0.0.0.0/0", "0.0.0.0/0", 0, 0, 0},             /* 4: another peer's */
        {"10.1.0.0-10.1.0.255", "10.2.0.0/24", 0, 0, 0}, /* 5: written in another way */
        {"10.1.0.0-10.1.0.254", "10.2.0.0/24", 0, 0, 0}, /* 6: not the same, but of the same bucket */
        {"10.2.0.0/24", "10.1.0.0/24", 0, 0, 0},         /* 7 */
        {"2001:db8::/64", "::/0", 0, 0, 0},              /* 8 */
        {"0.0.0.0/0", "0.0.0.0/0", 0, 0, 0},             /* 9 */
    };
    static const struct {
        struct row wanted;
        const char *service, *addresses;
    } cases[] = {
        {{"0.0.0.0/0", "0.0.0.0/0", 0, 0, 0}, "149", "149"},
        {{"0.0.0.0/0", "0.0.0.0/0", 17, 0, 0}, "", "149"},
        {{"10.1.0.0/24", "10.2.0.0/24", 0, 0, 0}, "25", "325"},
        {{"10.1.0.0/24", "10.2.0.0-10.2.0.255", 0, 0, 0}, "25", "325"},
        {{"10.1.0.0/24", "10.2.0.0/24", 6, 0, 443}, "3", "325"},
        {{"10.1.0.0/24", "10.2.0.0/24", 6, 443, 0}, "", "325"},
        {{"10.1.0.0-10.1.0.254", "10.2.0.0/24", 0, 0, 0}, "6", "6"},
        {{"10.1.0.0-10.1.0.253", "10.2.0.0/24", 0, 0, 0}, "", ""},
        {{"10.2.0.0/24", "10.1.0.0/24", 0, 0, 0}, "7", "7"},
        {{"10.1.0.0/25", "10.2.0.0/24", 0, 0, 0}, "", ""},
        {{"10.1.0.0/24", "10.2.0.1", 0, 0, 0}, "", ""},
        {{"2001:db8::/64", "::/0", 0, 0, 0}, "8", "8"},
        {{"::/0", "::/0", 0, 0, 0}, "", ""},
        {{"0.0.0.0/0", "::/0", 0, 0, 0}, "", ""},
    };
    struct p2_spd spd = spd_of(rows, MAX_ROWS);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char found[MAX_ROWS + 1];
        list_exact(&spd, &cases[i].wanted, P2_PROXY_SERVICE, found);
        CU_ASSERT_STRING_EQUAL(found, cases[i].service);
        list_exact(&spd, &cases[i].wanted, P2_PROXY_ADDRESSES, found);
        CU_ASSERT_STRING_EQUAL(found, cases[i].addresses);
    }
    p2_spd_cleanup(&spd);
}

static void refuses_what_no_packet_can_match(void)
{
    struct p2_selector four = selector("10.1.0.0/24"), six = selector("2001:db8::/64"), none = {0};
    struct p2_selector upside_down = selector("10.1.0.0-10.1.0.255"), mixed = upside_down, long_one = four;
    struct p2_spd spd = {0};
    upside_down.last = p2_address_v4(0x0a00ffff);
    mixed.last = six.address;
    long_one.prefix_len = 33;
    const struct p2_selector *const cases[] = {&six, &none, &upside_down, &mixed, &long_one};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CU_ASSERT_EQUAL(p2_spd_add(&spd, &four, cases[i], numbers), P2_ERR_MALFORMED);
        CU_ASSERT_EQUAL(p2_spd_add(&spd, cases[i], &four, numbers), P2_ERR_MALFORMED);
    }
    CU_ASSERT_EQUAL(p2_spd_add(&spd, &none, &none, numbers), P2_ERR_MALFORMED);
    p2_spd_cleanup(&spd);
}

/* The limit is an error, what was there before is still found, and the other family has its own. */
static void too_many_shapes_are_an_error(void)
{
    struct p2_spd spd = {0};
    struct p2_selector local = p2_selector_v4(0, 0), remote = p2_selector_v4(0, 0);
    struct p2_selector six = selector("2001:db8::/64");
    size_t added = 0;
    int r = P2_OK;
    for (uint8_t i = 0; i <= 32 && r == P2_OK; i++) {
        for (uint8_t n = 0; n <= 32 && r == P2_OK; n++) {
            local.prefix_len = i;
            remote.prefix_len = n;
            r = p2_spd_add(&spd, &local, &remote, &numbers[1]);
            added += r == P2_OK;
        }
    }
    CU_ASSERT_EQUAL(r, P2_ERR_SPACE);
    CU_ASSERT_EQUAL(added, P2_SPD_MAX_SHAPES);
    CU_ASSERT_PTR_NULL(p2_spd_exact(&spd, &local, &remote, P2_PROXY_ADDRESSES, NULL));
    CU_ASSERT_EQUAL(p2_spd_add(&spd, &local, &remote, &numbers[1]), P2_ERR_SPACE);
    CU_ASSERT_EQUAL(p2_spd_add(&spd, &six, &six, &numbers[2]), P2_OK);
    local = remote = p2_selector_v4(0, 0);
    CU_ASSERT_EQUAL(p2_spd_add(&spd, &local, &remote, &numbers[2]), P2_OK); /* a known shape */
    CU_ASSERT_PTR_NOT_NULL(p2_spd_exact(&spd, &local, &remote, P2_PROXY_ADDRESSES, NULL));
    p2_spd_cleanup(&spd);
}

/* 2001:db8:0:n::/64 with the lower half that gives all of them one hash (see p2_address_hash). */
static struct p2_selector colliding(uint16_t n)
{
    struct p2_address first = selector("2001:db8::1").address, a = first;
    memset(a.bytes + 8, 0, 8);
    p2_put_u16(a.bytes + 6, n);
    uint64_t lower = p2_address_hash(&first) ^ p2_address_hash(&a);
    p2_put_u32(a.bytes + 8, (uint32_t)(lower >> 32));
    p2_put_u32(a.bytes + 12, (uint32_t)lower);
    CU_ASSERT_EQUAL(p2_address_hash(&a), p2_address_hash(&first));
    return p2_selector_single(&a);
}

static void collisions_are_told_apart(void)
{
    enum { NUM = 50 };
    static char values[NUM];
    struct p2_spd spd = {0};
    struct p2_selector local = selector("2001:db8:ffff::/48");
    for (uint16_t n = 0; n < (uint16_t)NUM; n++) {
        struct p2_selector remote = colliding(n);
        if (n % 2 == 0) /* the odd ones are never added */
            CU_ASSERT_EQUAL(p2_spd_add(&spd, &local, &remote, &values[n]), P2_OK);
    }
    for (uint16_t n = 0; n < (uint16_t)NUM; n++) {
        struct p2_selector remote = colliding(n);
        struct p2_ip_view view = {.family = 6, .source = local.address, .destination = remote.address};
        void *expected = n % 2 == 0 ? &values[n] : NULL;
        const struct p2_spd_entry *exact = p2_spd_exact(&spd, &local, &remote, P2_PROXY_SERVICE, NULL);
        CU_ASSERT_PTR_EQUAL(p2_spd_for_packet(&spd, &view), expected);
        CU_ASSERT_PTR_EQUAL(exact ? exact->value : NULL, expected);
        CU_ASSERT_PTR_NULL(exact ? p2_spd_exact(&spd, &local, &remote, P2_PROXY_SERVICE, exact) : NULL);
    }
    p2_spd_cleanup(&spd);
}

/* --- against a linear search with an arithmetic of its own --- */

__extension__ typedef unsigned __int128 wide;

static wide wide_of(const struct p2_address *address)
{
    wide value = 0;
    for (size_t i = 0; i < (address->family == 6 ? 16 : 4); i++)
        value = value << 8 | address->bytes[i];
    return value;
}

struct span {
    uint8_t family;
    wide first, last;
    unsigned prefix_len; /* of what covers it */
};

static struct span span_of(const struct p2_selector *s)
{
    struct span span = {.family = s->address.family, .first = wide_of(&s->address)};
    unsigned bits = span.family == 6 ? 128 : 32;
    wide ones = ~(wide)0 >> (128 - bits);
    span.last = s->is_range
                    ? wide_of(&s->last)
                    : span.first | (s->prefix_len == 0 ? ones : ((wide)1 << (bits - s->prefix_len)) - 1);
    for (wide difference = span.first ^ span.last; difference; difference >>= 1)
        bits--;
    span.prefix_len = bits;
    return span;
}

static bool end_matches(const struct p2_selector *s, const struct p2_address *address, uint8_t protocol,
                        uint16_t port)
{
    struct span span = span_of(s);
    wide value = wide_of(address);
    return span.family == address->family && value >= span.first && value <= span.last &&
           (!s->protocol || s->protocol == protocol) && (!s->port || s->port == port);
}

/* The order of spd.h as a list of numbers, the greater the better. */
static bool better(const struct p2_spd_entry *a, const struct p2_spd_entry *b)
{
    struct span al = span_of(&a->local), ar = span_of(&a->remote), bl = span_of(&b->local),
                br = span_of(&b->remote);
    if (al.prefix_len != bl.prefix_len)
        return al.prefix_len > bl.prefix_len;
    if (ar.prefix_len != br.prefix_len)
        return ar.prefix_len > br.prefix_len;
    if (al.last - al.first != bl.last - bl.first)
        return al.last - al.first < bl.last - bl.first;
    if (ar.last - ar.first != br.last - br.first)
        return ar.last - ar.first < br.last - br.first;
    int named_a = (a->local.protocol || a->remote.protocol) + !!a->local.port + !!a->remote.port;
    int named_b = (b->local.protocol || b->remote.protocol) + !!b->local.port + !!b->remote.port;
    return named_a > named_b;
}

static uint32_t few(struct test_random *random, uint32_t n)
{
    return (uint32_t)(test_random_next(random) >> 33) % n;
}

/* From a small world, so that entries nest, overlap and are equal often. */
static struct p2_address random_address(struct test_random *random, bool ipv6)
{
    struct p2_address a = selector(ipv6 ? "2001:db8::" : "10.0.0.0").address;
    size_t end = ipv6 ? 15 : 3;
    a.bytes[end - 1] = (uint8_t)(few(random, 2) ? 0 : 0x80 >> few(random, 8));
    a.bytes[end] = (uint8_t)few(random, 256);
    if (ipv6)
        a.bytes[7] = (uint8_t)few(random, 2);
    return a;
}

static struct p2_selector random_selector(struct test_random *random, bool ipv6)
{
    struct p2_address a = random_address(random, ipv6), b = random_address(random, ipv6);
    struct p2_selector s = p2_selector_single(&a), masked;
    if (few(random, 3) == 0) {
        s.is_range = true;
        s.address = wide_of(&a) < wide_of(&b) ? a : b;
        s.last = wide_of(&a) < wide_of(&b) ? b : a;
    } else {
        s.prefix_len = (uint8_t)(few(random, 8) == 0 ? 0 : s.prefix_len - few(random, 4) * 4);
        masked = s;
        p2_selector_bounds(&masked, &s.address, &masked.last);
    }
    return s;
}

static struct p2_spd_entry random_entry(struct test_random *random, bool ipv6)
{
    struct p2_spd_entry entry = {random_selector(random, ipv6), random_selector(random, ipv6), NULL, NULL};
    if (few(random, 2)) {
        entry.local.protocol = entry.remote.protocol = few(random, 2) ? 6 : 17;
        entry.local.port = (uint16_t)(few(random, 3) == 0);
        entry.remote.port = (uint16_t)(few(random, 3) == 0);
    }
    return entry;
}

#define MAX_ENTRIES 200

struct world {
    struct p2_spd spd;
    struct p2_spd_entry entries[MAX_ENTRIES]; /* in the order of addition */
    char values[MAX_ENTRIES];                 /* an address for each of them */
    size_t num;
    unsigned wrong, hits, full;
};

static void check_packet(struct world *w, struct test_random *random)
{
    const struct p2_spd_entry *best = NULL;
    bool ipv6 = few(random, 2);
    struct p2_ip_view view = {.family = ipv6 ? 6 : 4,
                              .source = random_address(random, ipv6),
                              .destination = random_address(random, ipv6),
                              .protocol = few(random, 2) ? 6 : 17,
                              .source_port = (uint16_t)few(random, 2),
                              .destination_port = (uint16_t)few(random, 2)};
    for (size_t i = 0; i < w->num; i++) {
        const struct p2_spd_entry *entry = &w->entries[i];
        if (end_matches(&entry->local, &view.source, view.protocol, view.source_port) &&
            end_matches(&entry->remote, &view.destination, view.protocol, view.destination_port) &&
            (!best || better(entry, best)))
            best = entry;
    }
    w->wrong += p2_spd_for_packet(&w->spd, &view) != (best ? best->value : NULL);
    w->hits += best != NULL;
}

static bool same_traffic(const struct p2_selector *a, const struct p2_selector *b, enum p2_proxy_rule rule)
{
    struct span x = span_of(a), y = span_of(b);
    return x.family == y.family && x.first == y.first && x.last == y.last &&
           (rule == P2_PROXY_ADDRESSES || (a->protocol == b->protocol && a->port == b->port));
}

/* All that are listed belong there, and as many as there are. Each is listed once, since the list ends. */
static void check_exact(struct world *w, const struct p2_spd_entry *wanted, enum p2_proxy_rule rule)
{
    const struct p2_spd_entry *entry = NULL, *before;
    size_t expected = 0, listed = 0;
    for (size_t i = 0; i < w->num; i++)
        expected += same_traffic(&w->entries[i].local, &wanted->local, rule) &&
                    same_traffic(&w->entries[i].remote, &wanted->remote, rule);
    while (before = entry,
           (entry = p2_spd_exact(&w->spd, &wanted->local, &wanted->remote, rule, entry)) != NULL &&
               listed <= expected) {
        listed++;
        w->wrong += !same_traffic(&entry->local, &wanted->local, rule) ||
                    !same_traffic(&entry->remote, &wanted->remote, rule);
        w->wrong += before && better(entry, before);
    }
    w->wrong += listed != expected;
    w->hits += listed > 0;
}

static void fill(struct world *w, struct test_random *random)
{
    size_t wanted = 1 + few(random, MAX_ENTRIES);
    for (size_t i = 0; i < wanted; i++) {
        struct p2_spd_entry entry = random_entry(random, few(random, 2));
        if (i > 0 && few(random, 8) == 0)
            entry = w->entries[few(random, (uint32_t)w->num)]; /* the same traffic again */
        entry.value = &w->values[w->num];
        int r = p2_spd_add(&w->spd, &entry.local, &entry.remote, entry.value);
        if (r == P2_OK)
            w->entries[w->num++] = entry;
        w->full += r == P2_ERR_SPACE;
        w->wrong += r != P2_OK && r != P2_ERR_SPACE;
    }
}

static void agrees_with_a_linear_search(void)
{
    unsigned wrong = 0, hits = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct test_random random = {.seed = seed};
        struct world w = {.num = 0};
        fill(&w, &random);
        for (int i = 0; i < 150; i++)
            check_packet(&w, &random);
        for (int i = 0; i < 100; i++) {
            struct p2_spd_entry any = random_entry(&random, few(&random, 2));
            const struct p2_spd_entry *wanted =
                few(&random, 4) ? &w.entries[few(&random, (uint32_t)w.num)] : &any;
            check_exact(&w, wanted, few(&random, 2) ? P2_PROXY_SERVICE : P2_PROXY_ADDRESSES);
        }
        wrong += w.wrong;
        hits += w.hits;
        p2_spd_cleanup(&w.spd);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(hits > 150 * 100);
}

CHECK_MAIN("spd", {"the most specific entry wins", the_most_specific_entry_wins},
           {"an empty one has nothing", an_empty_one_has_nothing},
           {"exact lookup lists all by the rule", exact_lookup_lists_all_by_the_rule},
           {"refuses what no packet can match", refuses_what_no_packet_can_match},
           {"too many shapes are an error", too_many_shapes_are_an_error},
           {"collisions are told apart", collisions_are_told_apart},
           {"agrees with a linear search", agrees_with_a_linear_search})
