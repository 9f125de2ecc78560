/* What tunnels, topology, traffic and the timeline mean. Wrong ones: test_scenario_wrong_tunnels.c. */
#include "scenario_fixture.h"

#include "hash.h"
#include "units.h"

#define PROPOSAL "<proposal use=\"g2-esp-aes128-sha\"/>"
#define HUB_END  "<end gateway=\"hub\" vendor=\"junos\"/>"
#define BARE     "<gateway name=\"bare\" address=\"192.0.2.1\"/>"
#define REKEY2   "<rekey tunnel=\"vpn[2]\"/>"

static void load_changed(struct scenario_set *set, const char *from, const char *to)
{
    char *text = fixture_replace(fixture_text, from, to);
    fixture_load(set, text);
    free(text);
}

/* PFS is an axis of the fixture; here the names of the proposals are to decide. */
static void load_as_named(struct scenario_set *set, const char *from, const char *to)
{
    char *other = fixture_replace(fixture_text, "set=\"//policy/@pfs\" values=\"none group2\"",
                                  "set=\"//policy/@lifetime\" values=\"20s\"");
    char *named = fixture_replace(other, "pfs=\"group5\" ", "");
    char *any = fixture_replace(named, "case=\"none\" ", "");
    char *text = fixture_replace(any, from, to);
    fixture_load(set, text);
    free(other);
    free(named);
    free(any);
    free(text);
}

static void check_address(const struct p2_address *address, const char *expected)
{
    char text[P2_ADDRESS_TEXT];
    p2_address_format(address, text);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void check_selector(const struct p2_selector *selector, const char *first, const char *last)
{
    struct p2_address a, b;
    p2_selector_bounds(selector, &a, &b);
    check_address(&a, first);
    check_address(&b, last);
}

static void lists_are_alternatives_in_order(void)
{
    struct scenario_set set;
    load_changed(&set, PROPOSAL,
                 "<proposal name=\"many\" protocol=\"esp\" encryption=\"aes-128-cbc  3des-cbc\" "
                 "authentication=\"hmac-sha256-128 hmac-sha1-96\"/>"
                 "<proposal protocol=\"ah\" authentication=\"hmac-sha1-96\"/>"
                 "<proposal name=\"both\"><ah authentication=\"hmac-sha256-128\"/>"
                 "<esp encryption=\"aes-256-cbc\" authentication=\"hmac-sha1-96\"/></proposal>");
    const struct p2_policy *policy = &set.base.tunnels[0].ends[0].policy;
    CU_ASSERT_EQUAL_FATAL(policy->num_proposals, 3);
    const struct p2_protocol_offer *many = &policy->proposals[0].protocols[0];
    static const struct p2_algorithms expected[] = {{P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA256_128},
                                                    {P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96},
                                                    {P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_SHA256_128},
                                                    {P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_SHA1_96}};
    CU_ASSERT_STRING_EQUAL(policy->proposals[0].name, "many");
    CU_ASSERT(policy->proposals[0].num_protocols == 1 && many->protocol == P2_PROTO_ESP);
    CU_ASSERT_EQUAL_FATAL(many->num, 4);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT(many->alternatives[i].cipher == expected[i].cipher &&
                  many->alternatives[i].auth == expected[i].auth);
    const struct p2_protocol_offer *ah = &policy->proposals[1].protocols[0];
    CU_ASSERT(policy->proposals[1].num_protocols == 1 && ah->protocol == P2_PROTO_AH && ah->num == 1 &&
              ah->alternatives[0].cipher == P2_CIPHER_NONE &&
              ah->alternatives[0].auth == P2_AUTH_HMAC_SHA1_96);
    const struct p2_proposal *both = &policy->proposals[2];
    CU_ASSERT_EQUAL_FATAL(both->num_protocols, 2);
    CU_ASSERT(both->protocols[0].protocol == P2_PROTO_AH && both->protocols[1].protocol == P2_PROTO_ESP);
    CU_ASSERT(both->protocols[1].alternatives[0].cipher == P2_CIPHER_AES256_CBC);
    scenario_set_cleanup(&set);
}

/* Whatever the build has of combined ciphers and of null. */
static void combined_ciphers_take_no_authentication(void)
{
    for (unsigned c = P2_CIPHER_NONE + 1; c < P2_NUM_CIPHERS; c++) {
        const char *name = p2_cipher_of((enum p2_cipher)c)->name;
        bool combined = strstr(name, "-gcm") != NULL;
        for (int with = 0; with < 2; with++) {
            struct scenario_set set;
            struct scenario_message message = {""};
            struct fixture fixture;
            char proposal[160];
            snprintf(proposal, sizeof proposal, "<proposal encryption=\"%s\"%s/>", name,
                     with ? " authentication=\"hmac-sha1-96\"" : "");
            char *text = fixture_replace(fixture_text, PROPOSAL, proposal);
            fixture_init(&fixture);
            fixture_write(&fixture, "scenario.xml", text);
            int result = scenario_set_load(&set, fixture.file, NULL, &message);
            CU_ASSERT_EQUAL(result, combined == (with == 0) ? 0 : -1);
            CU_ASSERT_TRUE(result == 0 || strstr(message.text, "authentication"));
            if (result == 0)
                scenario_set_cleanup(&set);
            fixture_cleanup(&fixture);
            free(text);
        }
    }
}

static void sets_are_their_members(void)
{
    static const char *const sets[] = {"standard", "compatible", "basic"};
    for (size_t i = 0; i < 3; i++) {
        const char *const *names = p2_proposal_set(sets[i]);
        struct p2_proposal member;
        size_t num = 0;
        char element[64];
        while (names[num] && p2_proposal_predefined(&member, NULL, names[num]))
            num++;
        if (names[num]) /* an algorithm of it is not built in */
            continue;
        struct scenario_set set;
        snprintf(element, sizeof element, "<proposals use=\"%s\"/>", sets[i]);
        load_changed(&set, PROPOSAL, element);
        const struct p2_policy *policy = &set.base.tunnels[0].ends[0].policy;
        CU_ASSERT_EQUAL_FATAL(policy->num_proposals, num);
        for (size_t j = 0; j < num; j++)
            CU_ASSERT_STRING_EQUAL(policy->proposals[j].name, names[j]);
        scenario_set_cleanup(&set);
    }
    CU_ASSERT_PTR_NOT_NULL(p2_proposal_set("standard"));
}

static void pfs_is_as_the_first_name_says(void)
{
    static const struct {
        const char *proposals;
        enum p2_group pfs;
        const char *warning; /* NULL: none */
    } rows[] = {
        {PROPOSAL, P2_GROUP_2, NULL},
        {"<proposal use=\"nopfs-esp-aes128-sha\"/>", P2_GROUP_NONE, NULL},
        {"<proposal encryption=\"3des-cbc\" authentication=\"hmac-sha1-96\"/>", P2_GROUP_NONE, NULL},
        {"<proposals use=\"standard\"/>", P2_GROUP_2, NULL},
        {PROPOSAL "<proposal use=\"nopfs-esp-3des-sha\"/>", P2_GROUP_2,
         ":16: warning: <policy> pfs=\"as-named\": proposal 1 stands for group2 and proposal 2 for no PFS"},
        {"<proposal use=\"nopfs-esp-3des-sha\"/>" PROPOSAL, P2_GROUP_NONE,
         "proposal 1 stands for no PFS and proposal 2 for group2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scenario_set set;
        load_as_named(&set, PROPOSAL, rows[i].proposals);
        CU_ASSERT_EQUAL(set.base.tunnels[0].ends[0].policy.pfs, rows[i].pfs);
        CU_ASSERT_EQUAL(set.base.tunnels[0].ends[1].policy.pfs, rows[i].pfs);
        CU_ASSERT_EQUAL(*set.warnings.text != '\0', rows[i].warning != NULL);
        CU_ASSERT_TRUE(!rows[i].warning || strstr(set.warnings.text, rows[i].warning));
        CU_ASSERT_PTR_NULL(
            strchr(set.warnings.text, '\n')); /* two cases, two ends, three tunnels: said once */
        scenario_set_cleanup(&set);
    }
}

/* An end that replaces the proposals replaces what their names say; one that says a group stays with it. */
static void pfs_of_an_end(void)
{
    struct scenario_set set;
    load_as_named(&set, HUB_END,
                  "<end gateway=\"hub\"><policy><proposal use=\"nopfs-esp-3des-sha\"/></policy></end>");
    CU_ASSERT_EQUAL(set.base.tunnels[0].ends[0].policy.pfs, P2_GROUP_2);
    CU_ASSERT_EQUAL(set.base.tunnels[0].ends[1].policy.pfs, P2_GROUP_NONE);
    scenario_set_cleanup(&set);
    load_as_named(&set, HUB_END, "<end gateway=\"hub\"><policy pfs=\"group14\"/></end>");
    CU_ASSERT_EQUAL(set.base.tunnels[0].ends[1].policy.pfs, P2_GROUP_14);
    scenario_set_cleanup(&set);
}

static void policies_have_their_defaults(void)
{
    struct scenario_set set;
    fixture_load(&set, fixture_text);
    const struct scenario_end *end = &set.base.tunnels[0].ends[0];
    const struct p2_policy *policy = &end->policy;
    const struct p2_phase1_policy *phase1 = &end->phase1, built_in = p2_phase1_policy_default("secret");
    CU_ASSERT(policy->lifetime_kb == 0 && policy->lifetime_rule == P2_LIFETIME_SHORTER &&
              policy->proxy_rule == P2_PROXY_SERVICE && !policy->commit_bit && policy->install_interval == 0);
    CU_ASSERT(phase1->soft_permille == built_in.soft_permille &&
              phase1->initial_contact == built_in.initial_contact);
    CU_ASSERT(phase1->dpd_interval == 0 && phase1->dpd_tries == built_in.dpd_tries &&
              phase1->nat_traversal == built_in.nat_traversal &&
              phase1->nat_keepalive == built_in.nat_keepalive);
    CU_ASSERT(end->basis == P2_ROUTE_BASED && end->waiting == 0 && end->retry == 10 * P2_SECOND);
    scenario_set_cleanup(&set);
}

static void ends_may_disagree_about_everything(void)
{
    struct scenario_set set;
    load_changed(&set, HUB_END,
                 "<end gateway=\"hub\" basis=\"policy\" waiting=\"5\" retry=\"0s\">"
                 "<phase1 mode=\"aggressive\" soft=\"50%\" initial-contact=\"false\" dpd-interval=\"5s\" "
                 "dpd-tries=\"7\" nat-traversal=\"false\" nat-keepalive=\"3s\"/>"
                 "<policy mode=\"transport\" lifetime-size=\"64KB\" lifetime-rule=\"claim\" "
                 "proxy-id-match=\"addresses\" commit-bit=\"true\" install-interval=\"2.5s\" "
                 "sequence-first=\"4294967290\"/></end>");
    const struct scenario_end *spoke = &set.base.tunnels[2].ends[0], *hub = &set.base.tunnels[2].ends[1];
    CU_ASSERT(hub->basis == P2_POLICY_BASED && hub->waiting == 5 && hub->retry == 0);
    CU_ASSERT(hub->phase1.mode == P2_PHASE1_AGGRESSIVE && hub->phase1.soft_permille == 500 &&
              !hub->phase1.initial_contact && hub->phase1.dpd_interval == 5 * P2_SECOND &&
              hub->phase1.dpd_tries == 7 && !hub->phase1.nat_traversal &&
              hub->phase1.nat_keepalive == 3 * P2_SECOND);
    CU_ASSERT(hub->policy.mode == P2_MODE_TRANSPORT && hub->policy.lifetime_kb == 64 &&
              hub->policy.lifetime_rule == P2_LIFETIME_CLAIM &&
              hub->policy.proxy_rule == P2_PROXY_ADDRESSES && hub->policy.commit_bit &&
              hub->policy.install_interval == 2500 * P2_MS);
    CU_ASSERT(hub->policy.sequence_first == 4294967290 && hub->policy.sequence_expected == 0);
    CU_ASSERT(spoke->policy.sequence_first == 0 && spoke->policy.sequence_expected == 4294967290);
    CU_ASSERT(spoke->basis == P2_ROUTE_BASED && spoke->waiting == 0 && spoke->retry == 10 * P2_SECOND &&
              spoke->phase1.mode == P2_PHASE1_MAIN && spoke->policy.mode == P2_MODE_TUNNEL &&
              !spoke->policy.commit_bit);
    scenario_set_cleanup(&set);
}

static void proxy_ids_are_services_and_ranges(void)
{
    struct scenario_set set;
    load_changed(
        &set, HUB_END,
        "<end gateway=\"hub\"><proxy-id local=\"10.0.0.10-10.0.0.20\" remote=\"10.1.0.30-10.1.0.40\" "
        "protocol=\"udp\" local-port=\"5001\" remote-port=\"any\"/></end>");
    const struct scenario_end *spoke = &set.base.tunnels[2].ends[0], *hub = &set.base.tunnels[2].ends[1];
    check_selector(&hub->local, "10.0.0.10", "10.0.0.20");
    check_selector(&hub->remote, "10.1.4.30", "10.1.4.40"); /* spoke[3]: step 2, blocks of /24 */
    check_selector(&spoke->local, "10.1.4.30", "10.1.4.40");
    CU_ASSERT(hub->local.is_range && hub->local.protocol == 17 && hub->local.port == 5001);
    CU_ASSERT(hub->remote.protocol == 17 && hub->remote.port == 0);
    CU_ASSERT(spoke->remote.port == 5001 && spoke->local.port == 0);
    scenario_set_cleanup(&set);
}

static void transport_mode_is_between_the_gateways(void)
{
    struct scenario_set set;
    load_changed(&set, "<policy pfs=\"group5\"", "<policy mode=\"transport\" pfs=\"group5\"");
    const struct scenario_end *spoke = &set.base.tunnels[1].ends[0];
    CU_ASSERT_EQUAL(spoke->basis, P2_POLICY_BASED);
    check_selector(&spoke->local, "198.51.100.3", "198.51.100.3");
    check_selector(&spoke->remote, "203.0.113.1", "203.0.113.1");
    check_address(&set.base.flows[1].source, "198.51.100.3");
    check_address(&set.base.flows[1].destination, "203.0.113.1");
    scenario_set_cleanup(&set);
}

/* One end alone in transport mode, and the other's proxy ID is then the peer itself: a route there would take
 * IKE into the tunnel. */
static void no_route_leads_to_the_peer(void)
{
    struct scenario_set set;
    load_changed(&set, "<end gateway=\"spoke\"/>",
                 "<end gateway=\"spoke\"><policy mode=\"transport\"/></end>");
    const struct scenario_end *hub = &set.base.tunnels[1].ends[1];
    CU_ASSERT_EQUAL(hub->policy.mode, P2_MODE_TUNNEL);
    check_selector(&hub->remote, "198.51.100.3", "198.51.100.3");
    CU_ASSERT_EQUAL(hub->basis, P2_POLICY_BASED);
    scenario_set_cleanup(&set);
}

/* IPv4 inside IPv6 and the reverse: outside and inside have nothing to do with each other. */
static void families_mix(void)
{
    struct scenario_set set;
    char *hub = fixture_replace(fixture_text, "address=\"203.0.113.1\" protects=\"10.0.0.0/24\"",
                                "address=\"fd00::1\" protects=\"10.0.0.0/24 fd00:a::/64\"");
    char *text = fixture_replace(hub, "address=\"198.51.100.1\" protects=\"10.1.0.0/24\"",
                                 "address=\"fd00::ff\" protects=\"fd00:b::/64  10.1.0.0/24\"");
    fixture_load(&set, text);
    const struct scenario *s = &set.base;
    CU_ASSERT(s->gateways[0].num_protects == 2 && s->gateways[3].num_protects == 2);
    check_address(&s->gateways[2].address, "fd00::101");
    check_selector(&s->gateways[3].protects[0], "fd00:b:0:4::", "fd00:b:0:4:ffff:ffff:ffff:ffff");
    check_selector(&s->gateways[3].protects[1], "10.1.4.0", "10.1.4.255");
    /* The first prefix of the first end that has a partner. */
    check_selector(&s->tunnels[2].ends[0].local, "fd00:b:0:4::", "fd00:b:0:4:ffff:ffff:ffff:ffff");
    check_selector(&s->tunnels[2].ends[0].remote, "fd00:a::", "fd00:a::ffff:ffff:ffff:ffff");
    check_address(&s->flows[2].source, "fd00:b:0:4::1");
    check_address(&s->flows[2].destination, "fd00:a::1");
    scenario_set_cleanup(&set);
    free(hub);
    free(text);
}

static void tunnels_share_a_peer(void)
{
    struct scenario_set set;
    load_changed(
        &set, "</tunnels>",
        "<tunnel name=\"voice\"><phase1 pre-shared-key=\"secret\" hash=\"sha256\" group=\"group2\"/>"
        "<policy>" PROPOSAL "</policy>"
        "<end gateway=\"hub\"><proxy-id local=\"10.0.0.0/24\" remote=\"10.1.0.0/24\" protocol=\"udp\"/>"
        "</end><end gateway=\"spoke\"/></tunnel></tunnels>");
    CU_ASSERT_EQUAL_FATAL(set.base.num_tunnels, 6);
    CU_ASSERT_STRING_EQUAL(set.base.tunnels[5].name, "voice[3]");
    CU_ASSERT(set.base.tunnels[5].ends[0].gateway == 0 && set.base.tunnels[5].ends[1].gateway == 3);
    scenario_set_cleanup(&set);
}

static void nats_stand_between(void)
{
    struct scenario_set set;
    char *boxes = fixture_replace(
        fixture_text, BARE,
        BARE "<nat name=\"box\" count=\"3\" address=\"192.0.2.10\" timeout=\"30s\" preserve-port=\"true\"/>"
             "<link from=\"box\" to=\"hub\" delay=\"1ms\"/>");
    char *text = fixture_replace(boxes, "<link from=\"spoke\" to=\"hub\"", "<link from=\"spoke\" to=\"box\"");
    fixture_load(&set, text);
    const struct scenario *s = &set.base;
    CU_ASSERT_EQUAL_FATAL(s->num_nats, 3);
    CU_ASSERT_STRING_EQUAL(s->nats[2].name, "box[3]");
    check_address(&s->nats[2].address, "192.0.2.12");
    CU_ASSERT(s->nats[0].timeout == 30 * P2_SECOND && s->nats[0].preserve_port);
    CU_ASSERT(s->gateways[0].nat == -1 && s->gateways[1].nat == 0 && s->gateways[3].nat == 2);
    CU_ASSERT_EQUAL_FATAL(s->num_links, 6);
    CU_ASSERT_STRING_EQUAL(s->links[0].name, "box[1]-hub");
    CU_ASSERT(s->links[0].from == 5 && s->links[0].to == 0); /* five gateways, then the NATs */
    CU_ASSERT_STRING_EQUAL(s->links[5].name, "spoke[3]-box[3]");
    CU_ASSERT(s->links[5].from == 3 && s->links[5].to == 7);
    scenario_set_cleanup(&set);
    free(boxes);
    free(text);
}

static void links_disturb(void)
{
    struct scenario_set set;
    load_changed(&set, "queue=\"7\"", "queue=\"7\" duplicate=\"1%\" reorder=\"2.5%\" reorder-delay=\"4ms\"");
    const struct scenario_link *link = &set.base.links[2];
    CU_ASSERT(link->duplicate == 0.01 && link->reorder == 0.025 && link->reorder_delay == 4 * P2_MS);
    scenario_set_cleanup(&set);
    fixture_load(&set, fixture_text);
    CU_ASSERT(set.base.links[0].duplicate == 0 && set.base.links[0].reorder == 0);
    scenario_set_cleanup(&set);
}

static void flows_say_between_whom(void)
{
    struct scenario_set set;
    load_changed(
        &set, "</traffic>",
        "<flow from=\"hub\" to=\"spoke[2]\" packets=\"1/s\" size=\"64B\" protocol=\"udp\" port=\"53\" "
        "source-port=\"4000\" to-address=\"10.1.2.77\" from-address=\"203.0.113.1\"/></traffic>");
    const struct scenario_flow *plain = &set.base.flows[2], *flow = &set.base.flows[3];
    check_address(&plain->source, "10.1.4.1");
    check_address(&plain->destination, "10.0.0.1");
    CU_ASSERT(plain->protocol == 17 && plain->port == 5001 && plain->source_port == 5001);
    check_address(&flow->source, "203.0.113.1");
    check_address(&flow->destination, "10.1.2.77");
    CU_ASSERT(flow->protocol == 17 && flow->port == 53 && flow->source_port == 4000);
    scenario_set_cleanup(&set);
}

static void events_have_their_variants(void)
{
    struct scenario_set set;
    load_changed(&set, REKEY2,
                 "<rekey tunnel=\"vpn[2]\" end=\"both\"/><delete tunnel=\"vpn[3]\" end=\"second\"/>"
                 "<restart gateway=\"spoke[2]\"/><cut link=\"spoke-hub\" for=\"10s\" all=\"true\"/>"
                 "<cut link=\"spoke[2]-hub\" for=\"1s\"/>"
                 "<lose link=\"spoke[1]-hub\" exchange=\"quick\" message=\"3\" copies=\"2\" action=\"delay\" "
                 "delay=\"2s\"/><lose link=\"spoke[1]-hub\" exchange=\"esp\"/>");
    const struct scenario_event *e = set.base.events;
    CU_ASSERT_EQUAL_FATAL(set.base.num_events, 9 + 3);
    CU_ASSERT(e[0].kind == SCENARIO_REKEY && e[0].u.tunnel.index == 1 && e[0].u.tunnel.ends[0] &&
              e[0].u.tunnel.ends[1]);
    CU_ASSERT(e[1].kind == SCENARIO_DELETE && e[1].u.tunnel.index == 2 && !e[1].u.tunnel.ends[0] &&
              e[1].u.tunnel.ends[1]);
    CU_ASSERT(e[2].kind == SCENARIO_RESTART && e[2].u.gateway == 2);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(e[3 + i].kind == SCENARIO_CUT && e[3 + i].u.cut.link == i &&
                  e[3 + i].u.cut.duration == 10 * P2_SECOND);
    CU_ASSERT(e[6].kind == SCENARIO_CUT && e[6].u.cut.link == 1);
    const struct scenario_lose *lose = &e[7].u.lose;
    CU_ASSERT(e[7].kind == SCENARIO_LOSE && lose->link == 0 && lose->exchange == SCENARIO_QUICK &&
              lose->message == 3 && lose->copies == 2 && lose->action == SCENARIO_LOSE_DELAY &&
              lose->delay == 2 * P2_SECOND);
    CU_ASSERT(e[8].u.lose.exchange == SCENARIO_ESP && e[8].u.lose.message == 0 && e[8].u.lose.copies == 1 &&
              e[8].u.lose.action == SCENARIO_LOSE_DROP);
    CU_ASSERT(e[9].time == 10 * P2_SECOND && e[9].u.tunnel.ends[0] && !e[9].u.tunnel.ends[1]);
    scenario_set_cleanup(&set);
}

static void expectations_have_units(void)
{
    static const struct {
        const char *attribute;
        enum scenario_unit unit;
        double value;
        const char *text;
    } rows[] = {
        {"metric=\"a\" is=\"below\" value=\"100ms\"", SCENARIO_UNIT_TIME, 100e6, "a is below 100ms"},
        {"metric=\"a\" is=\"at-most\" value=\"2%\"", SCENARIO_UNIT_PART, 0.02, "a is at most 2%"},
        {"metric=\"a\" is=\"equal\" value=\"7\"", SCENARIO_UNIT_COUNT, 7, "a is equal to 7"},
        {"metric=\"a\" is=\"equal\" text=\"g2-esp-3des-sha\"", SCENARIO_UNIT_TEXT, 0,
         "a is equal to g2-esp-3des-sha"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scenario_set set;
        char *text = fixture_replace(
            fixture_text,
            "case=\"none\" metric=\"rekey-latency\" quantile=\"0.5\" is=\"below\" value=\"100ms\"",
            rows[i].attribute);
        fixture_load(&set, text);
        const struct scenario_expectation *that = &set.base.expectations[0];
        CU_ASSERT(that->unit == rows[i].unit && that->value == rows[i].value && that->line == 35);
        CU_ASSERT_STRING_EQUAL(that->text, rows[i].text);
        scenario_set_cleanup(&set);
        free(text);
    }
}

CHECK_MAIN("scenario tunnels", {"lists are alternatives, in order", lists_are_alternatives_in_order},
           {"combined ciphers take no authentication", combined_ciphers_take_no_authentication},
           {"sets are their members", sets_are_their_members},
           {"PFS is as the first name says", pfs_is_as_the_first_name_says}, {"PFS of an end", pfs_of_an_end},
           {"policies have the library's defaults", policies_have_their_defaults},
           {"ends may disagree about everything", ends_may_disagree_about_everything},
           {"proxy IDs are services and ranges", proxy_ids_are_services_and_ranges},
           {"transport mode is between the gateways", transport_mode_is_between_the_gateways},
           {"no route leads to the peer", no_route_leads_to_the_peer},
           {"no route leads to the peer", no_route_leads_to_the_peer}, {"families mix", families_mix},
           {"tunnels share a peer", tunnels_share_a_peer}, {"NATs stand between", nats_stand_between},
           {"links disturb", links_disturb}, {"flows say between whom", flows_say_between_whom},
           {"events have their variants", events_have_their_variants},
           {"expectations have units", expectations_have_units})
