/* Values as people write them in scenarios. */
#include "units.h"

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

static void prefixes(void)
{
    struct p2_selector s;
    CU_ASSERT_FATAL(units_prefix("10.1.0.0/16", &s));
    check_prefix(&s, "10.1.0.0/16");
    CU_ASSERT_FATAL(units_prefix("0.0.0.0/0", &s));
    check_prefix(&s, "0.0.0.0/0");
    CU_ASSERT_FATAL(units_prefix("10.1.2.3", &s));
    check_prefix(&s, "10.1.2.3");
    static const char *const wrong[] = {"10.1.0.0/8", "10.1.0/16",   "10.1.0.0/", "10.1.0.0/33",
                                        "10.1.0.0.0", "10.1.0.0/-1", "256.0.0.0", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CU_ASSERT_FALSE(units_prefix(wrong[i], &s));
}

CHECK_MAIN("units", {"times", times}, {"other units", other_units}, {"prefixes", prefixes})
