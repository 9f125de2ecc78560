/* What users get wrong, and what they are told: file, line, what was found, what is allowed. */
#include "wrong_fixture.h"

static void the_fixture_itself_is_right(void)
{
    struct fixture fixture;
    struct scenario_set set;
    struct scenario_message message = {""};
    fixture_init(&fixture);
    CU_ASSERT_EQUAL_FATAL(scenario_set_load(&set, fixture.file, NULL, &message), 0);
    scenario_set_cleanup(&set);
    fixture_cleanup(&fixture);
}

static void elements_and_attributes(void)
{
    static const struct wrong rows[] = {
        {"<topology>", "<topologie/><topology>", 5, "<topologie> in <scenario>", "topology"},
        {"<gateway name=\"bare\" address", "<gateway name=\"bare\" adress", 10,
         "<gateway> adress=\"192.0.2.1\"", "allowed: address"},
        {"delay=\"20ms\" ", "", 11, "<link> without delay", "delay=\"...\" with a number and ns"},
        {"<end gateway=\"spoke\"/>\n", "\n", 14, "<tunnel> is not complete", "end"},
        {"<end gateway=\"spoke\"/>", "<end gateway=\"spoke\"/><end gateway=\"bare\"/>", 20, "<end> number 3",
         "at most 2"},
        {"<proposal use=\"g2-esp-aes128-sha\"/>",
         "<proposal use=\"g2-esp-3des-sha\"/><proposal use=\"g2-esp-aes128-sha\"/><proposal "
         "use=\"nopfs-esp-3des-sha\"/>"
         "<proposal use=\"nopfs-esp-aes128-sha\"/>\n<proposal use=\"g2-esp-aes128-sha\"/>",
         18, "a policy has at most 4 proposals", "allowed: 1 to 4"},
        {"  <tunnels>\n", "  <traffic/><tunnels>\n", 13, "<traffic> at this place", "tunnels"},
        {"<flow from=\"spoke\"", "text <flow from=\"spoke\"", 23, "text in <traffic>", "flow"},
        {"<timeline>", "<timeline xmlns=\"urn:other\">", 26, "<timeline> in <scenario>", "timeline"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<rekey tunnel=\"vpn[2]\"><now/></rekey>", 28, "<now> in <rekey>",
         "nothing"},
        {"<lesson><question>Does it\n      load?</question>", "<lesson>\n\n", 4, "<p> at this place",
         "question"},
        {"<p>Yes.</p>", "<p></p>", 3, "<p> holds \"\"", "text that is not empty"},
        {"<that case=\"none\" metric", "<that case=\"none\" metrics", 35, "metrics", "metric"},
        {" name=\"small\"", "", 1, "<scenario> without name", "name"},
    };
    CHECK_ROWS(rows);
}

static void values(void)
{
    static const struct wrong rows[] = {
        {"duration=\"30s\"", "duration=\"30\"", 1, "duration=\"30\"", "ns, us, ms, s, min or h"},
        {"duration=\"30s\"", "duration=\"0s\"", 1, "duration=\"0s\"", "more than 0s"},
        {"duration=\"30s\"", "duration=\"30s\" seed=\"0\"", 1, "seed=\"0\"", "1 to 4294944442"},
        {"duration=\"30s\"", "duration=\"30s\" runs=\"many\"", 1, "runs=\"many\"", "1 to 100000"},
        {"name=\"small\"", "name=\"../small\"", 1, "name=\"../small\"", "a letter"},
        {"jitter=\"1.5ms\"", "jitter=\"20mss\"", 11, "jitter=\"20mss\"", "20ms"},
        {"jitter=\"1.5ms\"", "jitter=\"999999999h\"", 11, "jitter=\"999999999h\"", "up to 87600h"},
        {"jitter=\"1.5ms\"", "jitter=\"87600.1h\"", 11, "jitter=\"87600.1h\"", "ten years"},
        {"hash=\"sha256\"", "dpd-interval=\"87601h\"", 15, "dpd-interval=\"87601h\"", "at most 87600h"},
        {"hash=\"sha256\"", "nat-keepalive=\"87601h\"", 15, "nat-keepalive=\"87601h\"", "at most 87600h"},
        {"rate=\"100Mbps\"", "rate=\"100Mb/s\"", 11, "rate=\"100Mb/s\"", "bps, kbps, Mbps or Gbps"},
        {"rate=\"100Mbps\"", "rate=\"0bps\"", 11, "rate=\"0bps\"", "at least 1bps"},
        {"loss=\"0.1%\"", "loss=\"0.1\"", 11, "loss=\"0.1\"", "0% to 100%"},
        {"loss=\"0.1%\"", "loss=\"101%\"", 11, "loss=\"101%\"", "0% to 100%"},
        {"queue=\"7\"", "queue=\"0\"", 11, "queue=\"0\"", "1 to 1000000"},
        {"mtu=\"1400B\"", "mtu=\"1400\"", 11, "mtu=\"1400\"", "1400B"},
        {"mtu=\"1400B\"", "mtu=\"67B\"", 11, "mtu=\"67B\"", "68B to 65535B"},
        {"count=\"3\"", "count=\"0\"", 9, "count=\"0\"", "1 to 10000"},
        {"establish=\"on-traffic\"", "establish=\"on-trafic\"", 14, "establish=\"on-trafic\"",
         "allowed: on-traffic, immediately"},
        {"hash=\"sha256\"", "hash=\"md4\"", 15, "hash=\"md4\"", "md5, sha1, "},
        {"group=\"group2\"", "group=\"group3\"", 15, "group=\"group3\"",
         "group1, group2, group5, group14, group15, group16, group19"},
        {"group=\"group2\"", "encryption=\"aes-128\"", 15, "encryption=\"aes-128\"", "allowed: aes-128-cbc"},
        {"group=\"group2\"", "encryption=\"aes128-cbc\"", 15, "encryption=\"aes128-cbc\"",
         "allowed: aes-128-cbc"},
        {"group=\"group2\"", "encryption=\"aes-128-gcm-16\"", 15, "encryption=\"aes-128-gcm-16\"",
         "aes-128-cbc"},
        {"group=\"group2\"", "encryption=\"null\"", 15, "encryption=\"null\"", "des-cbc"},
        {"group=\"group2\"", "backoff=\"0.5\"", 15, "backoff=\"0.5\"", "from 1 to 10"},
        {"group=\"group2\"", "tries=\"101\"", 15, "tries=\"101\"", "0 to 100"},
        {"group=\"group2\"", "resend=\"0s\"", 15, "resend=\"0s\"", "1ms to 1h"},
        {"group=\"group2\"", "mode=\"agressive\"", 15, "mode=\"agressive\"", "allowed: aggressive, "},
        {"pfs=\"group5\"", "pfs=\"yes\"", 16, "pfs=\"yes\"", "none"},
        {"pfs=\"group5\"", "replay-window=\"16\"", 16, "replay-window=\"16\"",
         "32 to 131072 packets, or off"},
        {"pfs=\"group5\"", "replay-window=\"on\"", 16, "replay-window=\"on\"", "or off"},
        {"pfs=\"group5\"", "mode=\"transpart\"", 16, "mode=\"transpart\"", "allowed: transport, tunnel"},
        {"lifetime=\"20s\"", "lifetime=\"0s\"", 16, "lifetime=\"0s\"", "1s to"},
        {"lifetime=\"20s\"", "lifetime=\"1500ms\"", 16, "lifetime=\"1500ms\"", "whole seconds"},
        {"soft=\"75%\"", "soft=\"175%\"", 16, "soft=\"175%\"", "0% to 100%"},
        {"soft=\"75%\"", "soft=\"5%\"", 16, "fuzz=\"5%\" with soft=\"5%\"", "less than soft"},
        {"vendor=\"junos\"", "vendor=\"cisco\"", 20, "vendor=\"cisco\"", "junos"},
        {"vendor=\"junos\"", "vendor=\"junos\" strict=\"true\"", 20, "lifetime of 20s", "180s to 86400s"},
        {"packets=\"25/s\"", "packets=\"25\"", 24, "packets=\"25\"", "/ms, /s or /min"},
        {"packets=\"25/s\"", "packets=\"0/s\"", 24, "packets=\"0/s\"", "more than 0"},
        {"size=\"1400B\"", "size=\"27B\"", 24, "size=\"27B\"", "28B to 65535B"},
        {"size=\"1400B\"", "size=\"65536B\"", 24, "size=\"65536B\"", "28B to 65535B"},
        {"start=\"1s\"", "start=\"30s\"", 24, "start=\"30s\"", "before the scenario's duration"},
        {"start=\"1s\"", "start=\"5s\" stop=\"5s\"", 24, "stop=\"5s\"", "after start"},
        {"time=\"10s\"", "time=\"31s\"", 27, "time=\"31s\"", "before the scenario's duration"},
        {"all=\"true\"", "all=\"yes\"", 27, "all=\"yes\"", "true, false"},
        {"quantile=\"0.5\"", "quantile=\"50%\"", 35, "quantile=\"50%\"", "0.5 for the median"},
        {"is=\"below\"", "is=\"less\"", 35, "is=\"less\"", "below"},
        {"value=\"100ms\"", "value=\"soon\"", 35, "value=\"soon\"", "a number, a percentage or a time"},
    };
    CHECK_ROWS(rows);
}

static void addresses(void)
{
    static const struct wrong rows[] = {
        {"203.0.113.1", "203.0.113.256", 6, "address=\"203.0.113.256\": not an address", "203.0.113.1"},
        {"203.0.113.1", "203.0.113.01", 6, "not an address", "IPv4 address"},
        {"203.0.113.1", "2001:db8::1", 6, "2001:db8::1\": 2001:db8::/32 is for documentation", "fd00::/8"},
        {"203.0.113.1", "fe80::1", 6, "fe80::1\": no host can have it", "fd00::1"},
        {"203.0.113.1", "fd00::1::2", 6, "not an address", "fd00::1"},
        {"203.0.113.1", "224.0.0.1", 6, "224.0.0.1", "223.255.255.255"},
        {"203.0.113.1", "127.0.0.1", 6, "127.0.0.1", "outside 127.0.0.0/8"},
        {"10.0.0.0/24", "10.0.0.5/24", 6, "protects=\"10.0.0.5/24\": bits are set behind the prefix",
         "allowed: 10.0.0.0/24"},
        {"10.0.0.0/24", "10.0.0.0/33", 6, "10.0.0.0/33", "10.1.0.0/24"},
        {"10.0.0.0/24", "2001:db8::/32", 6, "2001:db8::/32 is for documentation", "fd00::/8"},
        {"10.0.0.0/24", "10.0.0.0/24 fd00::5/64", 6, "bits are set behind the prefix", "allowed: fd00::/64"},
        {"10.0.0.0/24", "fd00::/127", 6, "too small", "/126"},
        {"10.0.0.0/24", "ff00::/8", 6, "hosts can not have such addresses", "fd00::/8"},
        {"10.0.0.0/24",
         "10.0.1.0/28 10.0.2.0/28 10.0.3.0/28 10.0.4.0/28 10.0.5.0/28 10.0.6.0/28 10.0.7.0/28 10.0.8.0/28 "
         "10.0.9.0/28",
         6, "too many prefixes", "at most 8"},
        {"10.0.0.0/24", "10.0.0.0/24 10.0.0.128/25", 6, "hub protects 10.0.0.128/25, and hub (line 6)",
         "do not overlap"},
        {"10.0.0.0/24", "10.0.0.0/31", 6, "too small", "/30"},
        {"10.0.0.0/24", "0.0.0.0/0", 6, "0.0.0.0/0", "223.255.255.255"},
        {"10.0.0.0/24", "10.0.0.0/8", 9,
         "spoke[1] protects 10.1.0.0/24, and hub (line 6) protects 10.0.0.0/8", "do not overlap"},
        {"10.0.0.0/24", "10.1.2.0/24", 9, "spoke[2] protects 10.1.2.0/24", "do not overlap"},
        {"192.0.2.1", "198.51.100.3", 10, "bare has address 198.51.100.3, and spoke[2]", "do not overlap"},
        {"192.0.2.1", "10.0.0.77", 10, "10.0.0.77, and hub (line 6) protects", "do not overlap"},
        {"198.51.100.1", "223.255.255.253", 9, "number 3 would be outside", "ends before 223.255.255.255"},
        {"10.1.0.0/24", "223.255.254.0/24", 9, "protects=\"223.255.254.0/24\": number 2 would be outside",
         "ends before"},
        {"<end gateway=\"hub\" vendor=\"junos\"/>",
         "<end gateway=\"hub\"><proxy-id local=\"10.0.0.0\" remote=\"10.1.0.1/24\"/></end>", 20,
         "remote=\"10.1.0.1/24\"", "10.1.0.0/24"},
    };
    CHECK_ROWS(rows);
}

static void references(void)
{
    static const struct wrong rows[] = {
        {"<link from=\"spoke\"", "<link from=\"spook\"", 11, "from=\"spook\": no such gateway",
         "allowed: spoke, "},
        {"<link from=\"spoke\"", "<link from=\"spoke[4]\"", 11, "from=\"spoke[4]\": no such member",
         "spoke[1] to spoke[3]"},
        {"<link from=\"spoke\"", "<link from=\"bare[1]\"", 11, "from=\"bare[1]\": no such member",
         "bare, which has no count"},
        {"<link from=\"spoke\"", "<link from=\"hub\"", 11, "the same gateway at both ends",
         "two different gateways"},
        {"<link from=\"spoke\"", "<link from=\"hub\" to=\"spoke[1]\" delay=\"1ms\"/>\n<link from=\"spoke\"",
         12, "spoke[1]-hub: a second link", "allowed: one"},
        {"profile=\"slow\"", "profile=\"slowly\"", 7, "profile=\"slowly\": no such cpu-profile", "slow"},
        {"name=\"bare\"", "name=\"hub\"", 10, "name=\"hub\": a second gateway", "a name of its own"},
        {"base=\"fast.xml\"", "base=\"..\"", 4, "base=\"..\": a directory", "allowed:"},
        {"base=\"fast.xml\"", "base=\"fats.xml\"", 4, "base=\"fats.xml\": no such file", "fast.xml"},
        {"base=\"fast.xml\"", "base=\"scenario.xml\"", 1, "the root is <scenario>", "<cpu-profile"},
        {"base=\"fast.xml\" scale=\"3\"/>",
         "base=\"fast.xml\"><source cpu=\"x\" method=\"y\"/></cpu-profile>", 4, "beside prices",
         "either base"},
        {" base=\"fast.xml\"", "", 4, "without <source>", "where the prices come from"},
        {"<end gateway=\"hub\" v", "<end gateway=\"bare\" v", 14, "no links lead from spoke[1] to bare",
         "links connect"},
        {"<end gateway=\"hub\" v", "<end gateway=\"spoke[1]\" v", 20, "meet itself",
         "two different gateways"},
        {"<end gateway=\"hub\" v", "<end gateway=\"hubb\" v", 20, "gateway=\"hubb\": no such gateway",
         "allowed: hub, "},
        {" pre-shared-key=\"secret\"", "", 15, "<phase1> without pre-shared-key for end \"spoke\"",
         "each end"},
        {"<proposal use=\"g2-esp-aes128-sha\"/>", "", 16, "<policy> without <proposal>", "1 to 4"},
        {"g2-esp-aes128-sha", "g2-esp-aes256-sha", 17, "use=\"g2-esp-aes256-sha\"",
         "allowed: g2-esp-aes128-sha"},
        {"use=\"g2-esp-aes128-sha\"", "use=\"g2-esp-aes128-sha\" encryption=\"3des-cbc\"", 17,
         "beside algorithms", "either use"},
        {"use=\"g2-esp-aes128-sha\"", "encryption=\"aes-128-gcm-16\" authentication=\"hmac-sha1-96\"", 17,
         "GCM authenticates by itself", "no authentication"},
        {"use=\"g2-esp-aes128-sha\"", "encryption=\"3des-cbc\"", 17, "<proposal> without authentication",
         "use=\"g2-esp-aes128-sha\""},
        {"<flow from=\"spoke\" to=\"hub\"", "<flow from=\"spoke\" to=\"bare\"", 24,
         "from spoke[1] to bare: no tunnel joins them", "a <tunnel> between them"},
        {"<flow from=\"spoke\" to=\"hub\"", "<flow from=\"spoke[1]\" to=\"spoke[2]\"", 24, "meet itself",
         "two different gateways"},
        {"vpn[2]", "vpn[9]", 28, "tunnel=\"vpn[9]\"", "vpn[1] to vpn[3]"},
        {"vpn[2]", "vnp", 28, "tunnel=\"vnp\": no such tunnel", "vpn"},
        {"vpn[2]", "vpn", 28, "it counts several", "all=\"true\""},
        {"<that case=\"none\"", "<that case=\"nonne\"", 35, "case=\"nonne\": no such case",
         "PFS=none,loss=0%"},
    };
    CHECK_ROWS(rows);
}

static void axes(void)
{
    static const struct wrong rows[] = {
        {"//policy/@pfs", "//policy/@psf", 31, "set=\"//policy/@psf\": selects nothing here",
         "allowed: //policy/@pfs"},
        {"//policy/@pfs", "//policy[/@pfs", 31, "not XPath 1.0", "//policy/@pfs"},
        {"//policy/@pfs", "count(//policy)", 31, "computes a value", "//"},
        {"//policy/@pfs", "//policy", 31, "selects <policy>", "//policy/@pfs"},
        {"//policy/@pfs", "//link/@loss", 32, "axis PFS sets the same", "different attributes"},
        {"none group2", "none group3", 16, "pfs=\"group3\"", "(case PFS=group3,loss=0%)"},
        {"none group2", "none none", 31, "two values", "different values"},
        {"none group2", " ", 31, "values=\" \": none", "one or more"},
        {"\"loss\"", "\"PFS\"", 32, "a second axis", "a name of its own"},
    };
    CHECK_ROWS(rows);
}

static void documents(void)
{
    check_text("empty", "", 1, "nothing in it", "XML 1.0");
    check_text("blank", " \n\t\n", 1, "nothing in it", "XML 1.0");
    check_text("not XML", "scenario: rekey\nduration: 30s\n", 1, "not well-formed XML", "XML 1.0");
    check_text("cut off", "<scenario xmlns=\"urn:phase2sim:scenario:1\"\n name=\"x\">\n<topology>\n", 4,
               "not well-formed XML", "XML 1.0");
    char deep[8000] = "<scenario xmlns=\"urn:phase2sim:scenario:1\">\n";
    for (size_t i = 0; i < 1000; i++)
        strcat(deep, "<a>");
    check_text("deep", deep, 2, "deeper than 256", "phase2sim.xsd");
    check_text("no namespace", "\n<scenario name=\"x\" duration=\"1s\"/>", 2,
               "the root is <scenario> in namespace \"\"", "<scenario xmlns=\"urn:phase2sim:scenario:1\">");
    check_text("another root", "<cpu-profile xmlns=\"urn:phase2sim:scenario:1\" name=\"x\"/>", 1,
               "the root is <cpu-profile>", "<scenario xmlns=");
    check_text(
        "entities",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE scenario [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>\n"
        "<scenario xmlns=\"urn:phase2sim:scenario:1\" name=\"&b;\" duration=\"1s\"/>",
        2, "DOCTYPE", "without DTD");
    check_text("external DTD", "<!DOCTYPE scenario SYSTEM \"file:///etc/passwd\">\n<scenario/>", 1, "DOCTYPE",
               "without DTD");
    check_text("undefined entity",
               "<scenario xmlns=\"urn:phase2sim:scenario:1\" name=\"&b;\" duration=\"1s\"/>", 1,
               "not well-formed XML", "XML 1.0");
}

static void files_that_can_not_be_read(void)
{
    struct scenario_set set;
    struct scenario_message message;
    CU_ASSERT_EQUAL(scenario_set_load(&set, "/nowhere/scenario.xml", NULL, &message), -1);
    check_message("missing", message.text, "/nowhere/scenario.xml", 1, "No such file", "a readable XML file");
    CU_ASSERT_EQUAL(scenario_set_load(&set, "/tmp", NULL, &message), -1);
    check_message("a folder", message.text, "/tmp", 1, "can not be read", "a readable XML file");
}

static void files_that_are_too_long(void)
{
    struct scenario scenario;
    struct scenario_message message;
    size_t len = (16u << 20) + 1;
    char *text = malloc(len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, ' ', len);
    CU_ASSERT_EQUAL(scenario_load_memory(&scenario, text, len, "long.xml", &message), -1);
    check_message("too long", message.text, "long.xml", 1, "longer than 16 MB", "at most 16777216 bytes");
    free(text);
}

static void overrides(void)
{
    static const struct {
        struct scenario_override override;
        int line;
        const char *found, *allowed;
    } rows[] = {
        {{"//polcy/@pfs", "none"},
         1,
         "--set //polcy/@pfs=none: selects nothing here",
         "allowed: //policy/@pfs"},
        {{"//phase1/@pre-shared-key", "a\x01"}, 1, "not text", "UTF-8 without control"},
        {{"//phase1/@pre-shared-key", "\xff"}, 1, "not text", "UTF-8 without control"},
        {{"//link/@mtu", "9"}, 11, "mtu=\"9\"", "1400B"},
        {{"//policy/@lifetime", "0s"}, 16, "lifetime=\"0s\"", "1s to"},
        {{"//gateway[@name='hub']/@name", "hop"}, 11, "to=\"hub\": no such gateway", "hop"},
        {{"//axis[1]/@values", ""}, 31, "values=\"\"", "not empty"},
    };
    struct fixture fixture;
    fixture_init(&fixture);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scenario_options options = {.overrides = &rows[i].override, .num_overrides = 1};
        struct scenario_set set;
        struct scenario_message message;
        CU_ASSERT_EQUAL_FATAL(scenario_set_load(&set, fixture.file, &options, &message), -1);
        check_message(rows[i].override.path, message.text, fixture.file, rows[i].line, rows[i].found,
                      rows[i].allowed);
    }
    fixture_cleanup(&fixture);
}

/* A wrong profile file is named itself, not the scenario that uses it. */
static void profile_files(void)
{
    static const struct {
        const char *from, *to;
        int line;
        const char *found, *allowed;
    } rows[] = {
        {"algorithm=\"group1\" fixed=\"1us\" per-byte=\"1ns\"/>\n<price operation=\"dh-generate\" "
         "algorithm=\"group2\"",
         "algorithm=\"group2\" fixed=\"1us\"/>\n<price operation=\"dh-generate\" algorithm=\"group2\"", 4,
         "algorithm=\"group2\": a second price", "one price"},
        {"algorithm=\"3des-cbc\" fixed=\"1us\" per-byte=\"1ns\"/>\n<price operation=\"encrypt\" "
         "algorithm=\"aes-128-cbc\"",
         "algorithm=\"aes-129-cbc\" fixed=\"1us\"/>\n<price operation=\"encrypt\" algorithm=\"aes-128-cbc\"",
         34, "algorithm=\"aes-129-cbc\": encrypt knows no such algorithm", "aes-128-cbc"},
        {"operation=\"hmac\" algorithm=\"sha1\" fixed=\"1us\"",
         "operation=\"hmac\" algorithm=\"sha1\" fixed=\"1 us\"", 24, "fixed=\"1 us\"", "1.27ns"},
        {"operation=\"hmac\" algorithm=\"sha1\" fixed=\"1us\"",
         "operation=\"hmac\" algorithm=\"sha1\" fixed=\"11s\"", 24, "fixed=\"11s\"", "at most 10s"},
        {"operation=\"hmac\" algorithm=\"sha1\"", "operation=\"hmack\" algorithm=\"sha1\"", 24,
         "operation=\"hmack\"", "hmac"},
        {"name=\"fast\"", "name=\"fast\" scale=\"2\"", 1, "scale=\"2\": a scale in a profile file", "1;"},
        {"name=\"fast\"", "name=\"fast\" base=\"other.xml\"", 1,
         "base=\"other.xml\": a profile file that rests on another", "<price>"},
        {"<source cpu=\"None\" method", "<source cpus=\"None\" method", 2, "cpus=\"None\"", "cpu"},
    };
    static char profile[8192];
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_profile(profile, sizeof profile);
    char other[96];
    snprintf(other, sizeof other, "%s/fast.xml", fixture.folder);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = fixture_replace(profile, rows[i].from, rows[i].to);
        fixture_write(&fixture, "fast.xml", text);
        free(text);
        struct scenario_set set;
        struct scenario_message message;
        CU_ASSERT_EQUAL_FATAL(scenario_set_load(&set, fixture.file, NULL, &message), -1);
        check_message(rows[i].to, message.text, other, rows[i].line, rows[i].found, rows[i].allowed);
    }
    fixture_cleanup(&fixture);
}

/* The profile without its prices of one algorithm. */
static void write_profile_without(const struct fixture *fixture, const char *operation, const char *algorithm)
{
    static char profile[8192];
    char start[96];
    fixture_profile(profile, sizeof profile);
    snprintf(start, sizeof start, "<price operation=\"%s\" algorithm=\"%s\"", operation, algorithm);
    char *from = strstr(profile, start), *to = from ? strchr(from, '\n') : NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    memmove(from, to, strlen(to) + 1);
    fixture_write(fixture, "fast.xml", profile);
}

/* The scenario has main mode with AES-128, SHA-256 and group 2, PFS with group 2 in one case, and ESP with
 * AES-128 and SHA-1, whose packets cost something. A profile may lack anything else. */
static void only_prices_in_use_must_be_known(void)
{
    static const struct {
        const char *operation, *algorithm;
        bool is_needed;
    } rows[] = {
        {"dh-generate", "group2", true},   {"dh-derive", "group2", true},   {"hmac", "sha256", true},
        {"hash", "sha256", true},          {"hmac", "sha1", true},          {"encrypt", "aes-128-cbc", true},
        {"decrypt", "aes-128-cbc", true},  {"dh-derive", "group24", false}, {"hmac", "sha512", false},
        {"encrypt", "aes-256-ctr", false}, {"hash", "sha1", false},         {"decrypt", "3des-cbc", false},
    };
    struct fixture fixture;
    fixture_init(&fixture);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scenario_set set;
        struct scenario_message message;
        char found[96];
        snprintf(found, sizeof found, "no price for %s %s", rows[i].operation, rows[i].algorithm);
        write_profile_without(&fixture, rows[i].operation, rows[i].algorithm);
        int result = scenario_set_load(&set, fixture.file, NULL, &message);
        CU_ASSERT_EQUAL(result, rows[i].is_needed ? -1 : 0);
        if (result == 0)
            scenario_set_cleanup(&set);
        else
            check_message(found, message.text, fixture.file, 4, found, "operation and algorithm in use");
    }
    fixture_cleanup(&fixture);
}

/* Packets that cost nothing need no price. */
static void free_packets_need_no_price(void)
{
    struct fixture fixture;
    struct scenario_set set;
    struct scenario_message message;
    char *text = fixture_replace(fixture_text, " data=\"shared\"", "");
    fixture_init(&fixture);
    fixture_write(&fixture, "scenario.xml", text);
    write_profile_without(&fixture, "hmac", "sha1");
    int result = scenario_set_load(&set, fixture.file, NULL, &message);
    CU_ASSERT_EQUAL(result, 0);
    if (result == 0)
        scenario_set_cleanup(&set);
    fixture_cleanup(&fixture);
    free(text);
}

static void several_errors_are_all_said(void)
{
    char *one = fixture_replace(fixture_text, "jitter=\"1.5ms\"", "jitter=\"soon\"");
    char *two = fixture_replace(one, "hash=\"sha256\"", "hash=\"md4\"");
    check_text("two errors", two, 11, "jitter=\"soon\"", ":15: <phase1> hash=\"md4\"");
    free(one);
    free(two);
}

CHECK_MAIN("wrong scenarios", {"the fixture itself is right", the_fixture_itself_is_right},
           {"unknown, missing and misplaced elements and attributes", elements_and_attributes},
           {"values", values}, {"addresses and prefixes", addresses}, {"references", references},
           {"axes", axes}, {"documents", documents},
           {"files that can not be read", files_that_can_not_be_read},
           {"files that are too long", files_that_are_too_long}, {"overrides", overrides},
           {"profile files", profile_files},
           {"only prices in use must be known", only_prices_in_use_must_be_known},
           {"free packets need no price", free_packets_need_no_price},
           {"several errors are all said", several_errors_are_all_said})
