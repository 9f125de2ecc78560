/* What users get wrong about tunnels, topology, traffic and what happens when, and what they are told. */
#include "wrong_fixture.h"

#define HUB_END  "<end gateway=\"hub\" vendor=\"junos\"/>"
#define PROXY(x) "<end gateway=\"hub\"><proxy-id " x "/></end>"

static void proxy_ids(void)
{
    static const struct wrong rows[] = {
        {HUB_END, PROXY("local=\"10.0.0.9-10.0.0.5\" remote=\"10.1.0.0/24\""), 20, "not a range", "in order"},
        {HUB_END, PROXY("local=\"10.0.0.0\" remote=\"fd00::/64\""), 20, "not of the same family",
         "both IPv4"},
        {HUB_END, PROXY("local=\"10.0.0.0\" remote=\"spoke\""), 20, "not an address, prefix or range",
         "10.1.0.10-10.1.0.20"},
        {HUB_END, PROXY("local=\"2001:db8::/64\" remote=\"fd00::/64\""), 20, "is for documentation",
         "fd00::/8"},
        {HUB_END, PROXY("local=\"10.0.0.0/24\" remote=\"10.1.0.0/24\" protocol=\"300\""), 20,
         "protocol=\"300\"", "0 to 255"},
        {HUB_END, PROXY("local=\"10.0.0.0/24\" remote=\"10.1.0.0/24\" protocol=\"tpc\""), 20,
         "protocol=\"tpc\"", "tcp, udp, icmp"},
        {HUB_END, PROXY("local=\"10.0.0.0/24\" remote=\"10.1.0.0/24\" local-port=\"80\""), 20,
         "local-port=\"80\": only TCP and UDP have ports", "protocol=\"tcp\" or \"udp\""},
        {HUB_END,
         PROXY("local=\"10.0.0.0/24\" remote=\"10.1.0.0/24\" protocol=\"udp\" remote-port=\"65536\""), 20,
         "remote-port=\"65536\"", "0 to 65535"},
        {HUB_END, PROXY("local=\"10.0.0.0/24\" remote=\"223.255.254.0/24\""), 20,
         "remote=\"223.255.254.0/24\": number 2 would be outside", "ends before"},
        {HUB_END,
         "<end gateway=\"hub\" basis=\"route\"><proxy-id local=\"203.0.113.1\" "
         "remote=\"198.51.100.1\"/></end>",
         20, "IKE would be routed into the tunnel", "policy"},
        {"protects=\"10.0.0.0/24\"", "protects=\"fd00:9::/64\"", 20, "what it protects is of another family",
         "one family at both ends"},
        {"protects=\"10.0.0.0/24\"", "", 20, "it protects nothing and there is no proxy-id", "<proxy-id>"},
    };
    CHECK_ROWS(rows);
}

#define PROPOSAL "<proposal use=\"g2-esp-aes128-sha\"/>"

static void proposals(void)
{
    static const struct wrong rows[] = {
        {PROPOSAL, "<proposals use=\"standart\"/>", 17, "use=\"standart\"", "allowed: standard, "},
        {PROPOSAL, "<proposals use=\"compatible\"/>\n<proposals use=\"standard\"/>", 18,
         "a policy has at most 4 proposals", "those of sets included"},
        {PROPOSAL, "<proposal encryption=\"aes-128-cbc 3des-cbcc\" authentication=\"hmac-sha1-96\"/>", 17,
         "encryption=\"aes-128-cbc 3des-cbcc\"", "3des-cbc"},
        {PROPOSAL, "<proposal encryption=\" \" authentication=\"hmac-sha1-96\"/>", 17,
         "encryption=\" \": none", "one or more"},
        {PROPOSAL,
         "<proposal encryption=\"aes-128-cbc 3des-cbc aes-192-cbc aes-256-cbc des-cbc\" "
         "authentication=\"hmac-sha1-96 hmac-sha256-128\"/>",
         17, "more than 8 combinations", "at most 8"},
        {PROPOSAL, "<proposal protocol=\"ah\" encryption=\"3des-cbc\" authentication=\"hmac-sha1-96\"/>", 17,
         "encryption=\"3des-cbc\": AH does not encrypt", "authentication alone"},
        {PROPOSAL, "<proposal protocol=\"ah\"/>", 17, "of AH without authentication", "hmac-sha1-96"},
        {PROPOSAL, "<proposal protocol=\"eps\" authentication=\"hmac-sha1-96\"/>", 17, "protocol=\"eps\"",
         "esp"},
        {PROPOSAL, "<proposal encryption=\"3des-cbc\"/>", 17, "<proposal> without authentication",
         "GCM: encryption alone"},
        {PROPOSAL,
         "<proposal><ah authentication=\"hmac-sha1-96\"/>\n<esp encryption=\"3des-cbc\"/></proposal>", 18,
         "<esp> without authentication", "both encryption and authentication"},
        {PROPOSAL, "<proposal><ah encryption=\"3des-cbc\" authentication=\"hmac-sha1-96\"/></proposal>", 17,
         "<ah> encryption=\"3des-cbc\": no such attribute", "authentication"},
        {PROPOSAL, "<proposal protocol=\"esp\"><ah authentication=\"hmac-sha1-96\"/></proposal>", 17,
         "protocol=\"esp\": beside <ah> or <esp>", "either one"},
        {PROPOSAL, "<proposal use=\"g2-esp-3des-sha\"><ah authentication=\"hmac-sha1-96\"/></proposal>", 17,
         "beside algorithms", "either use"},
        {PROPOSAL, "<proposal>\n</proposal>", 17, "<proposal> without encryption", "use="},
    };
    CHECK_ROWS(rows);
}

static void policies(void)
{
    static const struct wrong rows[] = {
        {"pfs=\"group5\"", "lifetime-size=\"4608\"", 16, "lifetime-size=\"4608\"", "4608KB, or none"},
        {"pfs=\"group5\"", "lifetime-size=\"0KB\"", 16, "lifetime-size=\"0KB\"", "1KB to"},
        {"pfs=\"group5\"", "lifetime-rule=\"longer\"", 16, "lifetime-rule=\"longer\"", "shorter, "},
        {"pfs=\"group5\"", "proxy-id-match=\"port\"", 16, "proxy-id-match=\"port\"", "service"},
        {"pfs=\"group5\"", "commit-bit=\"1\"", 16, "commit-bit=\"1\"", "true, false"},
        {"pfs=\"group5\"", "install-interval=\"11s\"", 16, "install-interval=\"11s\"", "0s to 10s"},
        {"pfs=\"group5\"", "pfs=\"as-name\"", 16, "pfs=\"as-name\"", "allowed: as-named, "},
        {HUB_END,
         "<end gateway=\"hub\" vendor=\"junos\" strict=\"true\"><policy lifetime=\"200s\" "
         "lifetime-size=\"63KB\"/></end>",
         20, "lifetime-size of 63KB", "64KB to 1048576KB"},
        {HUB_END,
         "<end gateway=\"hub\" vendor=\"junos\" strict=\"true\"><policy lifetime=\"200s\" "
         "lifetime-size=\"1025MB\"/></end>",
         20, "lifetime-size of 1049600KB", "64KB to 1048576KB"},
        {"hash=\"sha256\"", "soft=\"101%\"", 15, "soft=\"101%\"", "0% to 100%"},
        {"hash=\"sha256\"", "initial-contact=\"no\"", 15, "initial-contact=\"no\"", "true, false"},
        {"hash=\"sha256\"", "dpd-interval=\"never\"", 15, "dpd-interval=\"never\"", "or off"},
        {"hash=\"sha256\"", "dpd-interval=\"0s\"", 15, "dpd-interval=\"0s\"", "at least 1ms, or off"},
        {"hash=\"sha256\"", "dpd-tries=\"0\"", 15, "dpd-tries=\"0\"", "1 to 100"},
        {"hash=\"sha256\"", "nat-traversal=\"off\"", 15, "nat-traversal=\"off\"", "true, false"},
        {"hash=\"sha256\"", "nat-keepalive=\"10ms\"", 15, "nat-keepalive=\"10ms\"", "at least 1s"},
        {"establish=\"on-traffic\"", "establish=\"on-traffic\" waiting=\"many\"", 14, "waiting=\"many\"",
         "0 to 100000"},
        {"establish=\"on-traffic\"", "basis=\"routes\"", 14, "basis=\"routes\"", "allowed: route, policy"},
        {"establish=\"on-traffic\"", "retry=\"10\"", 14, "retry=\"10\"", "such as 20ms"},
        {HUB_END, "<end gateway=\"hub\"><phase1 mode=\"preset\"/></end>", 14, "preset\" at one end only",
         "at both ends or at none"},
        {"</tunnels>",
         "<tunnel name=\"two\"><phase1 pre-shared-key=\"secret\"/><policy>" PROPOSAL "</policy>"
         "<end gateway=\"spoke\"><proxy-id local=\"10.1.0.0/25\" remote=\"10.0.0.0/24\"/></end>"
         "<end gateway=\"hub\"/></tunnel></tunnels>",
         22, "<tunnel> two[1]: its phase1 at spoke[1] is not that of vpn[1] (line 14)",
         "the same phase1 in all tunnels"},
        {"</tunnels>",
         "<tunnel name=\"two\"><phase1 pre-shared-key=\"secret\" hash=\"sha256\" "
         "group=\"group2\"/><policy>" PROPOSAL
         "</policy><end gateway=\"hub\"/><end gateway=\"spoke\"/></tunnel></tunnels>",
         22, "<tunnel> two[1]: at spoke[1] it has the proxy IDs of vpn[1] (line 14)", "proxy IDs of its own"},
    };
    CHECK_ROWS(rows);
}

#define BARE       "<gateway name=\"bare\" address=\"192.0.2.1\"/>"
#define NAT(x)     BARE "<nat name=\"box\" address=\"192.0.2.2\"" x "/>"
#define LINK(a, b) "<link from=\"" a "\" to=\"" b "\" delay=\"1ms\"/>"

static void topology(void)
{
    static const struct wrong rows[] = {
        {"loss=\"0.1%\"", "duplicate=\"2\"", 11, "duplicate=\"2\"", "0% to 100%"},
        {"loss=\"0.1%\"", "reorder=\"2%\"", 11, "reorder=\"2%\": nothing is overtaken", "reorder-delay"},
        {"loss=\"0.1%\"", "reorder-delay=\"2\"", 11, "reorder-delay=\"2\"", "such as 20ms"},
        {BARE, NAT(""), 10, "<nat> box has 0 links from gateways and 0 to the outside",
         "<link from=\"gateway\""},
        {BARE, NAT("") LINK("bare", "box"), 10, "1 links from gateways and 0 to the outside",
         "<link from=\"box\""},
        {BARE, NAT("") LINK("bare", "box") LINK("box", "hub") LINK("bare", "hub"), 10,
         "bare stands behind box and has another link", "only the link to its NAT"},
        {BARE,
         NAT("") "<nat name=\"outer\" address=\"192.0.2.3\"/>" LINK("bare", "box") LINK("box", "outer")
             LINK("outer", "hub"),
         10, "a NAT behind a NAT", "gateways inside"},
        {BARE, NAT(" timeout=\"0s\""), 10, "timeout=\"0s\": no time at all", "more than 0s"},
        {BARE, NAT(" preserve-port=\"yes\""), 10, "preserve-port=\"yes\"", "true, false"},
        {BARE, BARE "<nat name=\"hub\" address=\"192.0.2.2\"/>", 10, "a second gateway of that name",
         "each gateway and NAT"},
        {BARE, BARE "<nat name=\"box\" address=\"198.51.100.1\"/>", 10,
         "<nat> box has address 198.51.100.1, and spoke[1] (line 9)", "do not overlap"},
        {BARE, BARE "<nat name=\"box\" address=\"fd00::1\"/>", 10, "IPv6 has no such NATs", "203.0.113.1"},
        {"address=\"192.0.2.1\"/>",
         "address=\"fd00::1\"/><nat name=\"box\" address=\"192.0.2.2\"/>" LINK("bare", "box"), 10,
         "bare is IPv6 and the NAT is IPv4", "one family"},
        {"address=\"203.0.113.1\"", "address=\"fd00::1\"", 14,
         "spoke[1] has an IPv4 address and hub an IPv6 one", "outside addresses of one family"},
        {BARE, BARE "<nat name=\"box\" address=\"192.0.2.2\" count=\"0\"/>", 10, "count=\"0\"", "1 to 10000"},
    };
    CHECK_ROWS(rows);
}

/* The spokes each behind a NAT of their own. */
static void behind_nats(void)
{
    static const struct wrong rows[] = {
        {"establish=\"on-traffic\">", "><!-- -->", 14, "can not be reached before it has spoken",
         "the end behind the NAT first"},
        {"<link from=\"box\" to=\"hub\"",
         "<nat name=\"other\" address=\"192.0.2.99\"/>" LINK("hub", "other")
             LINK("other", "bare") "<link from=\"box\" to=\"bare\"",
         14, "spoke[1] and hub both stand behind a NAT", "one end behind a NAT"},
    };
    char *boxes = fixture_replace(fixture_text, BARE,
                                  BARE "<nat name=\"box\" count=\"3\" address=\"192.0.2.10\"/>"
                                       "<link from=\"box\" to=\"hub\" delay=\"1ms\"/>");
    char *inside =
        fixture_replace(boxes, "<link from=\"spoke\" to=\"hub\"", "<link from=\"spoke\" to=\"box\"");
    char *first = fixture_replace(inside, "<end gateway=\"spoke\"/>", "<end gateway=\"hub\"/>");
    char *swapped = fixture_replace(first, HUB_END, "<end gateway=\"spoke\"/>");
    for (size_t i = 0; i < 2; i++) {
        char *text = fixture_replace(i == 0 ? swapped : inside, rows[i].from, rows[i].to);
        check_text(rows[i].to, text, rows[i].line, rows[i].found, rows[i].allowed);
        free(text);
    }
    free(boxes);
    free(inside);
    free(first);
    free(swapped);
}

#define REKEY2 "<rekey tunnel=\"vpn[2]\"/>"
#define FLOW   "packets=\"25/s\""

static void timeline_and_traffic(void)
{
    static const struct wrong rows[] = {
        {REKEY2, "<rekey tunnel=\"vpn[2]\" end=\"third\"/>", 28, "end=\"third\"", "first"},
        {REKEY2, "<delete tunnel=\"vpn\"/>", 28, "it counts several", "all=\"true\""},
        {REKEY2, "<delete tunnel=\"vpn[4]\"/>", 28, "tunnel=\"vpn[4]\": no such member", "vpn[1] to vpn[3]"},
        {REKEY2, "<restart gateway=\"spoke\"/>", 28, "it counts several", "spoke[1] to spoke[3]"},
        {REKEY2, "<restart gateway=\"bare\"/>", 28, "it has no tunnel", "at the end of a <tunnel>"},
        {REKEY2, "<restart gateway=\"hubb\"/>", 28, "no such gateway", "hub"},
        {REKEY2, "<cut link=\"spoke-hub\" for=\"1s\"/>", 28, "it counts several", "spoke[1]-hub"},
        {REKEY2, "<cut link=\"spoke[9]-hub\" for=\"1s\"/>", 28, "no such link", "spoke[1]-hub"},
        {REKEY2, "<cut link=\"spoke[1]-hub\" for=\"0s\"/>", 28, "for=\"0s\": no time at all", "more than 0s"},
        {REKEY2, "<cut link=\"spoke[1]-hub\"/>", 28, "<cut> without for", "for="},
        {REKEY2, "<lose link=\"spoke[1]-hub\" exchange=\"quik\"/>", 28, "exchange=\"quik\"",
         "allowed: quick"},
        {REKEY2, "<lose link=\"spoke[1]-hub\" exchange=\"quick\" message=\"4\"/>", 28,
         "message=\"4\": there is no such message", "1 to 3"},
        {REKEY2, "<lose link=\"spoke[1]-hub\" exchange=\"esp\" message=\"1\"/>", 28,
         "there is no such message", "not numbered"},
        {REKEY2, "<lose link=\"spoke[1]-hub\" exchange=\"main\" message=\"7\"/>", 28, "message=\"7\"",
         "1 to 6"},
        {REKEY2, "<lose link=\"spoke[1]-hub\" exchange=\"esp\" copies=\"0\"/>", 28, "copies=\"0\"",
         "1 to 10000"},
        {REKEY2, "<lose link=\"spoke[1]-hub\" exchange=\"esp\" action=\"eat\"/>", 28, "action=\"eat\"",
         "delay"},
        {REKEY2, "<lose link=\"spoke[1]-hub\" exchange=\"esp\" action=\"delay\"/>", 28, "without a delay",
         "more than 0s"},
        {REKEY2, "<lose link=\"spoke[1]-hub\" exchange=\"esp\" delay=\"1s\"/>", 28, "only what is delayed",
         "action=\"delay\""},
        {FLOW, FLOW " port=\"0\"", 24, "port=\"0\"", "1 to 65535"},
        {FLOW, FLOW " source-port=\"x\"", 24, "source-port=\"x\"", "1 to 65535"},
        {FLOW, FLOW " protocol=\"tcp\"", 24, "protocol=\"tcp\"", "udp"},
        {FLOW, FLOW " to-address=\"10.9.0.1\"", 24, "to-address=\"10.9.0.1\": no host there has it",
         "the address of a host in what hub protects"},
        {FLOW, FLOW " to-address=\"hub\"", 24, "to-address=\"hub\": not an address", "such as 203.0.113.1"},
        {FLOW, FLOW " from-address=\"10.1.0.5\"", 24, "from-address=\"10.1.0.5\": no host there has it",
         "spoke[2] protects"},
    };
    CHECK_ROWS(rows);
}

/* Hub and spokes with both families inside, the hub's packets in IPv6 only for one of them. */
static void families_of_flows(void)
{
    static const struct wrong rows[] = {
        {FLOW, FLOW " to-address=\"fd00:a::1\" from-address=\"10.1.0.1\"", 24,
         "the other address is of another family", "two addresses of one family"},
        {FLOW " size=\"1400B\"", FLOW " to-address=\"fd00:a::1\" size=\"47B\"", 24,
         "size=\"47B\": too small for IPv6", "48B to 65535B"},
        {"10.1.0.0/24 fd00:b::/64", "10.1.0.0/24", 24, "they have no addresses of one family",
         "prefixes of one family"},
    };
    char *hub =
        fixture_replace(fixture_text, "protects=\"10.0.0.0/24\"", "protects=\"10.0.0.0/24 fd00:a::/64\"");
    char *both = fixture_replace(hub, "protects=\"10.1.0.0/24\"", "protects=\"10.1.0.0/24 fd00:b::/64\"");
    char *one = fixture_replace(both, "<flow from=\"spoke\"", "<flow from=\"spoke[1]\"");
    char *far = fixture_replace(one, FLOW, FLOW " to-address=\"fd00:a::9\"");
    for (size_t i = 0; i < 3; i++) {
        char *text = fixture_replace(i == 2 ? far : one, rows[i].from, rows[i].to);
        check_text(rows[i].to, text, rows[i].line, rows[i].found, rows[i].allowed);
        free(text);
    }
    free(hub);
    free(both);
    free(one);
    free(far);
}

static void expectations(void)
{
    static const struct wrong rows[] = {
        {" value=\"100ms\"", "", 35, "<that> with neither value nor text", "either value or text"},
        {" value=\"100ms\"", " value=\"1\" text=\"a\"", 35, "<that> with both value and text",
         "either value or text"},
        {"value=\"100ms\"",
         "text=\"a text that nobody would choose as the name of a proposal, for it goes on and on and on, "
         "and on "
         "again\"",
         35, "too long", "at most 95 bytes"},
        {"value=\"100ms\"", "value=\"101%\"", 35, "value=\"101%\"", "a percentage up to 100%"},
    };
    CHECK_ROWS(rows);
}

CHECK_MAIN("wrong tunnels", {"proxy IDs", proxy_ids}, {"proposals", proposals},
           {"policies and Phase 1", policies}, {"links and NATs", topology},
           {"tunnels through NATs", behind_nats}, {"timeline and traffic", timeline_and_traffic},
           {"families of flows", families_of_flows}, {"expectations", expectations})
