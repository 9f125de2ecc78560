/* Values as people write them in scenarios. */
#include "units.h"
#include "units_meant.h"

#include "check.h"

static void check_prefix(const struct p2_selector *selector, const char *expected)
{
    char text[P2_SELECTOR_TEXT];
    p2_selector_format(selector, text);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void times(void)
{
    static const struct {
        const char *text;
        p2_time ns; /* -1: refused */
    } rows[] = {
        {"0s", 0},
        {"1ns", 1},
        {"20ms", 20 * P2_MS},
        {"1.5ms", 1500000},
        {"0.0000000004s", 0},
        {"0.5ns", 1},
        {"2min", 120 * P2_SECOND},
        {"1h", 3600 * P2_SECOND},
        {"1us", 1000},
        {"2562047h", INT64_C(9223369200000000000)},
        {"2562048h", -1},
        {"20mss", -1},
        {"20", -1},
        {"-1s", -1},
        {"1.s", -1},
        {".5s", -1},
        {" 1s", -1},
        {"1s ", -1},
        {"1 s", -1},
        {"", -1},
        {"s", -1},
        {"1e3s", -1},
        {"9999999999999999999ns", -1},
        {"0.000000001234567891s", -1},
        {"1S", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        p2_time ns = -1;
        bool ok = units_time(rows[i].text, &ns);
        if (ok != (rows[i].ns >= 0) || ns != rows[i].ns)
            printf("\n    \"%s\": %lld\n", rows[i].text, (long long)ns);
        CU_ASSERT_EQUAL(ok, rows[i].ns >= 0);
        CU_ASSERT_EQUAL(ns, rows[i].ns);
    }
}

static void other_units(void)
{
    uint64_t rate = 0;
    int64_t ps = 0;
    uint32_t size = 0, permille = 0;
    double part = 0;
    p2_time interval = 0;
    CU_ASSERT(units_rate("100Mbps", &rate) && rate == 100000000);
    CU_ASSERT(units_rate("2.5Gbps", &rate) && rate == UINT64_C(2500000000));
    CU_ASSERT_FALSE(units_rate("0.1bps", &rate));
    CU_ASSERT(units_picoseconds("1.27ns", &ps) && ps == 1270);
    CU_ASSERT(units_picoseconds("48.94us", &ps) && ps == 48940000);
    CU_ASSERT(units_size("1400B", &size) && size == 1400);
    CU_ASSERT_FALSE(units_size("4294967296B", &size));
    CU_ASSERT_FALSE(units_size("1.5B", &size));
    CU_ASSERT(units_permille("12.5%", &permille) && permille == 125);
    CU_ASSERT(units_probability("0.1%", &part) && part == 0.001);
    CU_ASSERT(units_probability("100%", &part) && part == 1);
    CU_ASSERT_FALSE(units_probability("100.1%", &part));
    CU_ASSERT(units_interval("25/s", &interval) && interval == 40 * P2_MS);
    CU_ASSERT(units_interval("0.5/s", &interval) && interval == 2 * P2_SECOND);
    CU_ASSERT(units_interval("3/s", &interval) && interval == 333333333);
    CU_ASSERT(units_interval("6/min", &interval) && interval == 10 * P2_SECOND);
    CU_ASSERT(units_interval("1000000/ms", &interval) && interval == 1);
    CU_ASSERT_FALSE(units_interval("0/s", &interval));
    CU_ASSERT_FALSE(units_interval("25", &interval));
}

static bool prefix(struct p2_selector *out, const char *text)
{
    return p2_selector_parse(out, text) && !out->is_range;
}

static void prefixes(void)
{
    struct p2_selector s;
    CU_ASSERT_FATAL(prefix(&s, "10.1.0.0/16"));
    check_prefix(&s, "10.1.0.0/16");
    CU_ASSERT_FATAL(prefix(&s, "0.0.0.0/0"));
    check_prefix(&s, "0.0.0.0/0");
    CU_ASSERT_FATAL(prefix(&s, "10.1.2.3"));
    check_prefix(&s, "10.1.2.3");
    CU_ASSERT_FATAL(prefix(&s, "fd00:1::/64"));
    check_prefix(&s, "fd00:1::/64");
    CU_ASSERT_FATAL(prefix(&s, "fd00::5"));
    check_prefix(&s, "fd00::5");
    CU_ASSERT_FATAL(prefix(&s, "::/0"));
    static const char *const wrong[] = {
        "10.1.0.0/8",  "10.1.0/16", "10.1.0.0/",    "10.1.0.0/33",    "10.1.0.0.0",  "10.1.0.0/-1",
        "256.0.0.0",   "",          "fd00:1::/16",  "fd00::/129",     "fd00::1::/8", "fd00::/",
        "fd00::g/128", "/24",       "10.1.0.0/24-", "10.1.0.0/24/24", "10.1.0.0 /24"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CU_ASSERT_FALSE(prefix(&s, wrong[i]));
}

static void ranges(void)
{
    static const char *const wrong[] = {
        "10.1.0.20-10.1.0.10", "10.1.0.1-fd00::1",           "10.1.0.1-",
        "-10.1.0.1",           "10.1.0.1-10.1.0.2-10.1.0.3", "10.1.0.0/24-10.1.1.0"};
    struct p2_selector s;
    struct p2_address first, last;
    char text[P2_ADDRESS_TEXT];
    CU_ASSERT_FATAL(p2_selector_parse(&s, "10.1.0.10-10.1.0.20"));
    p2_selector_bounds(&s, &first, &last);
    p2_address_format(&first, text);
    CU_ASSERT(s.is_range);
    CU_ASSERT_STRING_EQUAL(text, "10.1.0.10");
    p2_address_format(&last, text);
    CU_ASSERT_STRING_EQUAL(text, "10.1.0.20");
    CU_ASSERT(p2_selector_parse(&s, "fd00::1-fd00::ff") && s.is_range && s.last.bytes[15] == 0xff);
    CU_ASSERT(p2_selector_parse(&s, "10.1.0.0/22") && !s.is_range);
    p2_selector_bounds(&s, &first, &last);
    p2_address_format(&last, text);
    CU_ASSERT_STRING_EQUAL(text, "10.1.3.255");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CU_ASSERT_FALSE(p2_selector_parse(&s, wrong[i]));
}

/* Counting carries over bytes, and stops where the family ends. */
static void addresses_are_counted(void)
{
    static const struct {
        const char *from;
        uint64_t count;
        unsigned shift;
        const char *to; /* NULL: past the end */
    } rows[] = {
        {"10.1.0.0", 3, 8, "10.1.3.0"},
        {"10.1.255.0", 1, 8, "10.2.0.0"},
        {"10.0.0.1", 5, 3, "10.0.0.41"},
        {"255.255.255.255", 1, 0, NULL},
        {"192.0.0.0", 1, 31, NULL},
        {"1.0.0.0", UINT64_C(1) << 40, 0, NULL},
        {"fd00::", 1, 64, "fd00:0:0:1::"},
        {"fd00::ffff:ffff:ffff:ffff", 1, 0, "fd00:0:0:1::"},
        {"fd00::", 65535, 76, "fd00:0:fff:f000::"},
        {"fd00::", 5, 1, "fd00::a"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, 0, NULL},
        {"fd00::", 1, 128, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct p2_address address;
        char text[P2_ADDRESS_TEXT];
        CU_ASSERT_FATAL(p2_address_parse(&address, rows[i].from));
        CU_ASSERT_EQUAL(units_address_add(&address, rows[i].count, rows[i].shift), rows[i].to != NULL);
        p2_address_format(&address, text);
        if (rows[i].to && strcmp(text, rows[i].to) != 0)
            printf("\n    %s: %s\n", rows[i].from, text);
        CU_ASSERT_TRUE(!rows[i].to || strcmp(text, rows[i].to) == 0);
    }
}

static void volumes(void)
{
    uint32_t kilobytes = 0;
    CU_ASSERT(units_kilobytes("4608KB", &kilobytes) && kilobytes == 4608);
    CU_ASSERT(units_kilobytes("1.5MB", &kilobytes) && kilobytes == 1536);
    CU_ASSERT(units_kilobytes("1GB", &kilobytes) && kilobytes == 1048576);
    CU_ASSERT_FALSE(units_kilobytes("0KB", &kilobytes));
    CU_ASSERT_FALSE(units_kilobytes("4608", &kilobytes));
    CU_ASSERT_FALSE(units_kilobytes("4096GB", &kilobytes));
}

static void other_spellings(void)
{
    static const struct {
        const char *found, *meant; /* NULL: nobody knows */
    } rows[] = {
        {"10 sec", "10s"},
        {"10 MS", "10ms"},
        {"1,5 min", "1.5min"},
        {"2 hours", "2h"},
        {"5\xc2\xb5s", "5us"},
        {"100 Mbit/s", "100Mbps"},
        {"1400 bytes", "1400B"},
        {"25 pps", "25/s"},
        {"5 %", "5%"},
        {" 7 ", "7"},
        {"5m", NULL},
        {"sec", NULL},
        {"", NULL},
        {"10 parsecs", NULL},
        {"0x10", NULL},
        {"1e9s", NULL},
        {"1234567890123456789012345678901234567890", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char meant[48];
        bool known = units_meant(rows[i].found, meant, sizeof meant);
        CU_ASSERT_EQUAL(known, rows[i].meant != NULL);
        CU_ASSERT_TRUE(!known || strcmp(meant, rows[i].meant) == 0);
    }
    char small[3];
    CU_ASSERT_FALSE(units_meant("10 sec", small, sizeof small));
}

CHECK_MAIN("units", {"times", times}, {"other units", other_units}, {"prefixes", prefixes},
           {"ranges", ranges}, {"addresses are counted", addresses_are_counted}, {"volumes", volumes},
           {"other spellings", other_spellings})
