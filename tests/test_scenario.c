/* What right scenarios mean: units, structs, expansion, options and cases. Wrong ones: test_scenario_wrong.c.
 */
#include "scenario_fixture.h"

#include "cipher.h"
#include "dh.h"
#include "hash.h"
#include "units.h"

static const struct scenario_options no_options = {0};

/* The fixture, or a change of it, loaded; shows the message if it does not. */
static void load_with(struct scenario_set *set, const char *text, const struct scenario_options *options)
{
    struct fixture fixture;
    struct scenario_message message = {""};
    fixture_init(&fixture);
    fixture_write(&fixture, "scenario.xml", text);
    int result = scenario_set_load(set, fixture.file, options, &message);
    fixture_cleanup(&fixture);
    if (result != 0)
        printf("\n    %s\n", message.text);
    CU_ASSERT_EQUAL_FATAL(result, 0);
}

static void load_changed(struct scenario_set *set, const char *from, const char *to)
{
    char *text = fixture_replace(fixture_text, from, to);
    load_with(set, text, &no_options);
    free(text);
}

static void check_prefix(const struct p2_selector *selector, const char *expected)
{
    struct p2_selector wanted;
    char first[P2_ADDRESS_TEXT], last[P2_ADDRESS_TEXT];
    CU_ASSERT_FATAL(p2_selector_parse(&wanted, expected));
    bool equal = selector->is_range == wanted.is_range && selector->prefix_len == wanted.prefix_len &&
                 p2_address_compare(&selector->address, &wanted.address) == 0 &&
                 (!wanted.is_range || p2_address_compare(&selector->last, &wanted.last) == 0);
    p2_address_format(&selector->address, first);
    p2_address_format(&selector->last, last);
    if (!equal)
        printf("\n    %s/%u-%s, not %s\n", first, selector->prefix_len, last, expected);
    CU_ASSERT_TRUE(equal);
}

static void check_address(const struct p2_address *address, const char *expected)
{
    struct p2_selector single = {.address = *address, .prefix_len = units_address_bits(address)};
    check_prefix(&single, expected);
}

static void a_scenario_becomes_structs(void)
{
    struct scenario_set set;
    load_with(&set, fixture_text, &no_options);
    const struct scenario *s = &set.base;
    CU_ASSERT_STRING_EQUAL(s->name, "small");
    CU_ASSERT_STRING_EQUAL(s->question, "Does it load?");
    CU_ASSERT_EQUAL_FATAL(s->num_paragraphs, 2);
    CU_ASSERT_STRING_EQUAL(s->paragraphs[0], "It does.");
    CU_ASSERT_EQUAL(s->duration, 30 * P2_SECOND);
    CU_ASSERT_EQUAL(s->seed, 1);
    CU_ASSERT_EQUAL(s->runs, 1);
    CU_ASSERT_EQUAL_FATAL(s->num_profiles, 1);
    CU_ASSERT_STRING_EQUAL(s->profiles[0].name, "slow");
    CU_ASSERT_STRING_EQUAL(s->profiles[0].source, "None, assumed");
    CU_ASSERT_EQUAL(s->profiles[0].scale, 3);
    CU_ASSERT_EQUAL(s->profiles[0].prices[P2_OP_HMAC][P2_HASH_SHA1].fixed_ps, 1000000);
    CU_ASSERT_EQUAL(s->profiles[0].prices[P2_OP_HMAC][P2_HASH_SHA1].per_byte_ps, 1000);
    CU_ASSERT_EQUAL_FATAL(s->num_gateways, 5);
    const struct scenario_gateway *hub = &s->gateways[0], *spoke3 = &s->gateways[3], *bare = &s->gateways[4];
    CU_ASSERT_STRING_EQUAL(hub->name, "hub");
    check_address(&hub->address, "203.0.113.1");
    CU_ASSERT(hub->num_protects == 1 && hub->line == 6);
    check_prefix(&hub->protects[0], "10.0.0.0/24");
    CU_ASSERT(hub->cpu.profile == 0 && hub->cpu.cores == 2 && hub->cpu.queue == 10 && hub->cpu.price_ipsec);
    CU_ASSERT_STRING_EQUAL(spoke3->name, "spoke[3]");
    check_address(&spoke3->address, "198.51.100.5");
    check_prefix(&spoke3->protects[0], "10.1.4.0/24");
    CU_ASSERT(spoke3->cpu.profile == -1 && spoke3->cpu.cores == 1 && spoke3->cpu.queue == 1000 &&
              !spoke3->cpu.price_ipsec);
    CU_ASSERT(bare->num_protects == 0 && bare->line == 10);
    CU_ASSERT_EQUAL_FATAL(s->num_links, 3);
    const struct scenario_link *link = &s->links[1];
    CU_ASSERT_STRING_EQUAL(link->name, "spoke[2]-hub");
    CU_ASSERT(link->from == 2 && link->to == 0 && link->line == 11);
    CU_ASSERT(link->delay == 20 * P2_MS && link->jitter == 1500000 && link->rate == 100000000);
    CU_ASSERT(link->loss == 0 && link->queue == 7 &&
              link->mtu == 1400); /* the axis says 0% in the first case */
    scenario_set_cleanup(&set);
}

static void tunnels_become_structs(void)
{
    struct scenario_set set;
    load_with(&set, fixture_text, &no_options);
    const struct scenario *s = &set.base;
    CU_ASSERT_EQUAL_FATAL(s->num_tunnels, 3);
    const struct scenario_tunnel *tunnel = &s->tunnels[1];
    CU_ASSERT_STRING_EQUAL(tunnel->name, "vpn[2]");
    CU_ASSERT(tunnel->establish == SCENARIO_ON_TRAFFIC && tunnel->line == 14);
    const struct scenario_end *spoke = &tunnel->ends[0], *hub = &tunnel->ends[1];
    CU_ASSERT(spoke->gateway == 2 && hub->gateway == 0);
    CU_ASSERT_STRING_EQUAL(spoke->vendor, "");
    CU_ASSERT_STRING_EQUAL(hub->vendor, "junos");
    check_prefix(&spoke->local, "10.1.2.0/24");
    check_prefix(&spoke->remote, "10.0.0.0/24");
    check_prefix(&hub->local, "10.0.0.0/24");
    check_prefix(&hub->remote, "10.1.2.0/24");
    const struct p2_phase1_policy *phase1 = &hub->phase1;
    CU_ASSERT(phase1->mode == P2_PHASE1_MAIN && phase1->cipher == P2_CIPHER_AES128_CBC &&
              phase1->hash == P2_HASH_SHA256);
    CU_ASSERT(phase1->group == P2_GROUP_2 && phase1->lifetime_s == 28800 && !phase1->has_preset_keys);
    CU_ASSERT(phase1->psk_len == 6 && memcmp(phase1->psk, "secret", 6) == 0);
    CU_ASSERT(phase1->retransmission.first == P2_SECOND && phase1->retransmission.backoff_permille == 2000 &&
              phase1->retransmission.tries == 5);
    const struct p2_policy *policy = &spoke->policy;
    CU_ASSERT(policy->num_proposals == 1 &&
              policy->proposals[0].protocols[0].alternatives[0].cipher == P2_CIPHER_AES128_CBC &&
              policy->proposals[0].protocols[0].alternatives[0].auth == P2_AUTH_HMAC_SHA1_96);
    CU_ASSERT_STRING_EQUAL(policy->proposals[0].name, "g2-esp-aes128-sha");
    CU_ASSERT(policy->mode == P2_MODE_TUNNEL && policy->pfs == P2_GROUP_NONE); /* the axis says none */
    CU_ASSERT(policy->lifetime_s == 20 && policy->soft_permille == 750 && policy->fuzz_permille == 50);
    CU_ASSERT(policy->replay_window == 64 && policy->overlap == 2 * P2_SECOND);
    scenario_set_cleanup(&set);
}

static void flows_and_events_become_structs(void)
{
    struct scenario_set set;
    load_with(&set, fixture_text, &no_options);
    const struct scenario *s = &set.base;
    CU_ASSERT_EQUAL_FATAL(s->num_flows, 3);
    CU_ASSERT_STRING_EQUAL(s->flows[2].name, "spoke[3]>hub");
    CU_ASSERT(s->flows[2].from == 3 && s->flows[2].to == 0 && s->flows[2].interval == 40 * P2_MS);
    CU_ASSERT(s->flows[2].size == 1400 && s->flows[2].start == P2_SECOND &&
              s->flows[2].stop == 30 * P2_SECOND);
    CU_ASSERT_EQUAL_FATAL(s->num_events, 4);
    CU_ASSERT(s->events[0].time == 5 * P2_SECOND && s->events[0].kind == SCENARIO_REKEY &&
              s->events[0].u.tunnel.index == 1);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(s->events[i + 1].time == 10 * P2_SECOND && s->events[i + 1].u.tunnel.index == i);
    scenario_set_cleanup(&set);
}

static void expectations_name_their_cases(void)
{
    struct scenario_set set;
    load_with(&set, fixture_text, &no_options);
    const struct scenario *s = &set.base;
    CU_ASSERT_EQUAL_FATAL(s->num_expectations, 2);
    CU_ASSERT_STRING_EQUAL(s->expectations[0].case_name, "PFS=none,loss=0%");
    CU_ASSERT_STRING_EQUAL(s->expectations[1].case_name, "PFS=none,loss=5%");
    CU_ASSERT_STRING_EQUAL(s->expectations[1].metric, "rekey-latency");
    CU_ASSERT_STRING_EQUAL(s->expectations[1].is, "below");
    CU_ASSERT(s->expectations[1].quantile == 0.5 && s->expectations[1].value == 100e6);
    CU_ASSERT_STRING_EQUAL(s->expectations[1].text, "PFS=none,loss=5%: median rekey-latency is below 100ms");
    scenario_set_cleanup(&set);
    load_changed(
        &set, "<that case=\"none\" metric=\"rekey-latency\" quantile=\"0.5\" is=\"below\" value=\"100ms\"/>",
        "<that metric=\"replayed-accepted\" is=\"equal\" value=\"0\"/>");
    CU_ASSERT_EQUAL_FATAL(set.base.num_expectations, 1);
    CU_ASSERT_STRING_EQUAL(set.base.expectations[0].case_name, "");
    CU_ASSERT_STRING_EQUAL(set.base.expectations[0].text, "replayed-accepted is equal to 0");
    CU_ASSERT_EQUAL(set.base.expectations[0].quantile, -1);
    scenario_set_cleanup(&set);
}

/* An end says only what it does differently. */
static void an_end_overrides_attribute_by_attribute(void)
{
    struct scenario_set set;
    load_changed(&set, "<end gateway=\"hub\" vendor=\"junos\"/>",
                 "<end gateway=\"hub\"><phase1 pre-shared-key=\"other\"/><policy replay-window=\"off\" "
                 "lifetime=\"1min\">"
                 "<proposal encryption=\"aes-256-cbc\" authentication=\"hmac-sha256-128\" name=\"strong\"/>"
                 "<proposal use=\"nopfs-esp-3des-sha\"/></policy></end>");
    const struct scenario_end *spoke = &set.base.tunnels[0].ends[0], *hub = &set.base.tunnels[0].ends[1];
    CU_ASSERT(spoke->phase1.psk_len == 6 && hub->phase1.psk_len == 5 &&
              memcmp(hub->phase1.psk, "other", 5) == 0);
    CU_ASSERT(hub->phase1.hash == P2_HASH_SHA256 && hub->phase1.group == P2_GROUP_2);
    CU_ASSERT(hub->policy.replay_window == 0 && hub->policy.lifetime_s == 60 &&
              hub->policy.soft_permille == 750);
    CU_ASSERT_EQUAL_FATAL(hub->policy.num_proposals, 2);
    CU_ASSERT(hub->policy.proposals[0].protocols[0].alternatives[0].cipher == P2_CIPHER_AES256_CBC &&
              hub->policy.proposals[0].protocols[0].alternatives[0].auth == P2_AUTH_HMAC_SHA256_128);
    CU_ASSERT_STRING_EQUAL(hub->policy.proposals[0].name, "strong");
    CU_ASSERT_EQUAL(hub->policy.proposals[1].protocols[0].alternatives[0].cipher, P2_CIPHER_3DES_CBC);
    CU_ASSERT(spoke->policy.num_proposals == 1 && spoke->policy.replay_window == 64);
    scenario_set_cleanup(&set);
}

static void proxy_ids_count_and_mirror(void)
{
    static const struct {
        const char *proxy_id, *local, *remote; /* of the hub, in the third tunnel */
    } rows[] = {
        {"<proxy-id local=\"10.0.0.0/25\" remote=\"10.1.0.0/24\"/>", "10.0.0.0/25", "10.1.4.0/24"},
        {"<proxy-id local=\"10.0.0.0/24\" remote=\"10.1.0.128/25\"/>", "10.0.0.0/24", "10.1.4.128/25"},
        {"<proxy-id local=\"0.0.0.0/0\" remote=\"10.0.0.0/8\"/>", "0.0.0.0/0", "10.0.0.0/8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char end[256];
        struct scenario_set set;
        snprintf(end, sizeof end, "<end gateway=\"hub\">%s</end>", rows[i].proxy_id);
        load_changed(&set, "<end gateway=\"hub\" vendor=\"junos\"/>", end);
        const struct scenario_end *spoke = &set.base.tunnels[2].ends[0], *hub = &set.base.tunnels[2].ends[1];
        check_prefix(&hub->local, rows[i].local);
        check_prefix(&hub->remote, rows[i].remote);
        check_prefix(&spoke->local, rows[i].remote);
        check_prefix(&spoke->remote, rows[i].local);
        scenario_set_cleanup(&set);
    }
}

/* Both sides say what they want, and it need not fit: that is a scenario, not an error. */
static void proxy_ids_may_disagree(void)
{
    struct scenario_set set;
    char *one = fixture_replace(
        fixture_text, "<end gateway=\"spoke\"/>",
        "<end gateway=\"spoke\"><proxy-id local=\"10.1.0.0/24\" remote=\"10.0.0.0/24\"/></end>");
    char *both = fixture_replace(
        one, "<end gateway=\"hub\" vendor=\"junos\"/>",
        "<end gateway=\"hub\"><proxy-id local=\"10.0.0.0/16\" remote=\"10.1.0.0/24\"/></end>");
    load_with(&set, both, &no_options);
    check_prefix(&set.base.tunnels[1].ends[0].remote, "10.0.0.0/24");
    check_prefix(&set.base.tunnels[1].ends[1].local, "10.0.0.0/16");
    check_prefix(&set.base.tunnels[1].ends[1].remote, "10.1.2.0/24");
    scenario_set_cleanup(&set);
    free(one);
    free(both);
}

static void counted_gateways_pair_up(void)
{
    struct scenario_set set;
    char *one = fixture_replace(
        fixture_text, "<gateway name=\"bare\" address=\"192.0.2.1\"/>",
        "<gateway name=\"branch\" count=\"3\" address=\"192.0.2.1\" protects=\"10.9.0.0/28\"/>"
        "<link from=\"spoke\" to=\"branch\" delay=\"1ms\"/>"
        "<link from=\"branch[1]\" to=\"hub\" delay=\"1ms\"/>");
    char *two =
        fixture_replace(one, "</traffic>",
                        "<flow from=\"hub\" to=\"spoke[2]\" packets=\"1/s\" size=\"64B\"/>"
                        "<flow from=\"spoke[2]\" to=\"hub\" packets=\"1/s\" size=\"64B\"/></traffic>");
    load_with(&set, two, &no_options);
    const struct scenario *s = &set.base;
    CU_ASSERT_EQUAL_FATAL(s->num_links, 7);
    CU_ASSERT_STRING_EQUAL(s->links[2].name, "spoke[3]-branch[3]");
    CU_ASSERT_STRING_EQUAL(s->links[3].name, "branch[1]-hub");
    check_prefix(&s->gateways[6].protects[0], "10.9.0.32/28");
    CU_ASSERT_EQUAL_FATAL(s->num_flows, 5);
    CU_ASSERT_STRING_EQUAL(s->flows[3].name, "hub>spoke[2]");
    CU_ASSERT_STRING_EQUAL(s->flows[4].name, "spoke[2]>hub#2");
    scenario_set_cleanup(&set);
    free(one);
    free(two);
}

static void cases_cross_the_axes(void)
{
    static const char *const names[] = {"PFS=none,loss=0%", "PFS=none,loss=5%", "PFS=group2,loss=0%",
                                        "PFS=group2,loss=5%"};
    struct scenario_set set;
    load_with(&set, fixture_text, &no_options);
    CU_ASSERT_EQUAL_FATAL(set.num_cases, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct scenario_case *c = &set.cases[i];
        struct scenario s;
        struct scenario_message message;
        CU_ASSERT_STRING_EQUAL(c->name, names[i]);
        CU_ASSERT_EQUAL_FATAL(c->num_settings, 2);
        CU_ASSERT_STRING_EQUAL(c->settings[0].axis, "PFS");
        CU_ASSERT_STRING_EQUAL(c->settings[0].value, i < 2 ? "none" : "group2");
        CU_ASSERT_STRING_EQUAL(c->settings[1].value, i % 2 ? "5%" : "0%");
        CU_ASSERT_EQUAL(strlen(c->xml), c->xml_len);
        CU_ASSERT_PTR_NULL(strstr(c->xml, "<vary"));
        CU_ASSERT_PTR_NULL(strstr(c->xml, "base="));
        CU_ASSERT_PTR_NOT_NULL(strstr(c->xml, "file=\"fast.xml\""));
        CU_ASSERT_EQUAL_FATAL(scenario_load_memory(&s, c->xml, c->xml_len, "case", &message), 0);
        CU_ASSERT_EQUAL(s.tunnels[2].ends[1].policy.pfs, i < 2 ? P2_GROUP_NONE : P2_GROUP_2);
        CU_ASSERT_EQUAL(s.links[0].loss, i % 2 ? 0.05 : 0);
        CU_ASSERT_EQUAL(s.profiles[0].scale, 3);
        scenario_cleanup(&s);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(set.xml, "<vary"));
    CU_ASSERT_PTR_NULL(strstr(set.xml, "base="));
    scenario_set_cleanup(&set);
}

static void without_axes_there_is_one_case(void)
{
    struct scenario_set set;
    char *text = fixture_replace(fixture_text, "  <vary>\n", "  <!-- \n");
    char *none = fixture_replace(text, "  </vary>\n", "  -->\n");
    char *right = fixture_replace(none, "case=\"none\" ", "case=\"base\" ");
    load_with(&set, right, &no_options);
    CU_ASSERT_EQUAL_FATAL(set.num_cases, 1);
    CU_ASSERT_STRING_EQUAL(set.cases[0].name, "base");
    CU_ASSERT_EQUAL(set.cases[0].num_settings, 0);
    CU_ASSERT_EQUAL(set.base.tunnels[0].ends[0].policy.pfs, P2_GROUP_5);
    CU_ASSERT_EQUAL(set.base.links[0].loss, 0.001);
    CU_ASSERT_STRING_EQUAL(set.base.expectations[0].case_name, "base");
    scenario_set_cleanup(&set);
    free(text);
    free(none);
    free(right);
}

/* Every kind of path that the language promises, also to a default that is not written. */
static void axes_reach_everything(void)
{
    static const struct {
        const char *set, *values, *second_name;
    } rows[] = {
        {"//cpu-profile/@scale", "1 20", "PFS=20,loss=0%"},
        {"//gateway[@name='hub']/cpu/@cores", "1 4", "PFS=4,loss=0%"},
        {"/scenario/tunnels/tunnel[@name='vpn']/phase1/@tries", "1 2", "PFS=2,loss=0%"},
        {"//gateway[@name='spoke']/@count", "2 3", "PFS=3,loss=0%"},
        {"//flow/@packets", "25/s\n 50/s", "PFS=50_s,loss=0%"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scenario_set set;
        char axis[256];
        snprintf(axis, sizeof axis, "set=\"%s\" values=\"%s\"", rows[i].set, rows[i].values);
        char *text = fixture_replace(fixture_text, "set=\"//policy/@pfs\" values=\"none group2\"", axis);
        char *timeless = fixture_replace(text, "case=\"none\"", "case=\"0%\"");
        load_with(&set, timeless, &no_options);
        CU_ASSERT_EQUAL_FATAL(set.num_cases, 4);
        CU_ASSERT_STRING_EQUAL(set.cases[2].name, rows[i].second_name);
        scenario_set_cleanup(&set);
        free(text);
        free(timeless);
    }
}

static void options_change_the_scenario(void)
{
    static const struct scenario_override overrides[] = {{"//link/@delay", "5ms"},
                                                         {"//policy/@replay-window", "128"},
                                                         {"/scenario/@duration", "40s"},
                                                         {"//vary/axis[1]/@values", "group14"}};
    struct scenario_options options = {
        .overrides = overrides, .num_overrides = 4, .runs = 7, .has_seed = true, .seed = 99};
    struct scenario_set set;
    char *text = fixture_replace(fixture_text, "case=\"none\" ", "");
    load_with(&set, text, &options);
    free(text);
    CU_ASSERT(set.base.runs == 7 && set.base.seed == 99 && set.base.duration == 40 * P2_SECOND);
    CU_ASSERT_EQUAL(set.base.links[2].delay, 5 * P2_MS);
    CU_ASSERT_EQUAL(set.base.tunnels[0].ends[0].policy.replay_window, 128);
    CU_ASSERT_EQUAL(set.base.tunnels[0].ends[0].policy.pfs, P2_GROUP_14);
    CU_ASSERT_EQUAL(set.base.flows[0].stop, 40 * P2_SECOND);
    CU_ASSERT_EQUAL(set.num_cases, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(set.xml, "delay=\"5ms\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(set.xml, "runs=\"7\""));
    scenario_set_cleanup(&set);
}

/* The text of a set loads again and means the same: it is what a result directory keeps. */
static void the_stored_scenario_loads_again(void)
{
    struct scenario_set set, again;
    load_with(&set, fixture_text, &no_options);
    load_with(&again, set.xml, &no_options);
    CU_ASSERT_EQUAL_FATAL(set.num_cases, again.num_cases);
    for (size_t i = 0; i < set.num_cases; i++) {
        CU_ASSERT_STRING_EQUAL(set.cases[i].name, again.cases[i].name);
        CU_ASSERT_STRING_EQUAL(set.cases[i].xml, again.cases[i].xml);
    }
    scenario_set_cleanup(&set);
    scenario_set_cleanup(&again);
}

static void a_prefix_for_our_namespace_is_as_good(void)
{
    static const char text[] =
        "<s:scenario xmlns:s=\"urn:phase2sim:scenario:1\" name=\"tiny\" duration=\"1s\"><s:topology>"
        "<s:gateway name=\"a\" address=\"192.0.2.1\" protects=\"10.1.0.0/24\"/><s:gateway name=\"b\" "
        "address=\"192.0.2.2\" "
        "protects=\"10.2.0.0/24\"/><s:link from=\"a\" to=\"b\" "
        "delay=\"1ms\"/></s:topology><s:tunnels><s:tunnel name=\"t\">"
        "<s:phase1 mode=\"preset\" pre-shared-key=\"x\"/><s:policy><s:proposal "
        "use=\"g2-esp-3des-sha\"/></s:policy>"
        "<s:end gateway=\"a\"/><s:end gateway=\"b\"/></s:tunnel></s:tunnels>"
        "<s:vary><s:axis name=\"PFS\" set=\"//policy/@pfs\" values=\"none group2\"/></s:vary></s:scenario>";
    struct scenario_set set;
    load_with(&set, text, &no_options);
    CU_ASSERT_EQUAL(set.num_cases, 2);
    CU_ASSERT_STRING_EQUAL(set.base.tunnels[0].name, "t");
    CU_ASSERT_EQUAL(set.base.tunnels[0].ends[0].phase1.mode, P2_PHASE1_PRESET);
    CU_ASSERT_EQUAL(set.base.tunnels[0].ends[0].policy.lifetime_s, 3600);
    CU_ASSERT_EQUAL(set.base.tunnels[0].ends[0].policy.soft_permille, 800);
    CU_ASSERT_EQUAL(set.base.tunnels[0].ends[0].policy.fuzz_permille, 100);
    CU_ASSERT(set.base.links[0].rate == 1000000000 && set.base.links[0].queue == 100 &&
              set.base.links[0].mtu == 1500);
    scenario_set_cleanup(&set);
}

/* A new cipher, hash or group in the library is to be added to the schema too. */
static void the_schema_lists_what_is_built_in(void)
{
    char value[64];
    for (unsigned c = P2_CIPHER_NONE + 1; c < P2_NUM_CIPHERS; c++) {
        snprintf(value, sizeof value, "<xs:enumeration value=\"%s\"/>",
                 p2_cipher_of((enum p2_cipher)c)->name);
        CU_ASSERT_PTR_NOT_NULL(strstr(scenario_schema, value));
    }
    for (unsigned h = P2_HASH_NONE + 1; h < P2_NUM_HASHES; h++) {
        snprintf(value, sizeof value, "<xs:enumeration value=\"%s\"/>", p2_hash_of((enum p2_hash)h)->name);
        CU_ASSERT_PTR_NOT_NULL(strstr(scenario_schema, value));
    }
    for (unsigned a = P2_AUTH_NONE + 1; a < P2_NUM_AUTHS; a++) {
        snprintf(value, sizeof value, "<xs:enumeration value=\"%s\"/>", p2_auth_of((enum p2_auth)a)->name);
        CU_ASSERT_PTR_NOT_NULL(strstr(scenario_schema, value));
    }
    for (size_t i = 0; p2_group_at(i); i++) {
        snprintf(value, sizeof value, "<xs:enumeration value=\"%s\"/>", p2_group_at(i)->name);
        const char *first = strstr(scenario_schema, value);
        CU_ASSERT_PTR_NOT_NULL_FATAL(first);
        CU_ASSERT_PTR_NOT_NULL(strstr(first + 1, value)); /* for Phase 1 and for PFS */
    }
    CU_ASSERT_EQUAL(strlen(scenario_schema), scenario_schema_len);
}

CHECK_MAIN("scenario", {"a scenario becomes structs", a_scenario_becomes_structs},
           {"tunnels become structs", tunnels_become_structs},
           {"flows and events become structs", flows_and_events_become_structs},
           {"expectations name their cases", expectations_name_their_cases},
           {"an end overrides attribute by attribute", an_end_overrides_attribute_by_attribute},
           {"proxy IDs count and mirror", proxy_ids_count_and_mirror},
           {"proxy IDs may disagree", proxy_ids_may_disagree},
           {"counted gateways pair up", counted_gateways_pair_up},
           {"cases cross the axes", cases_cross_the_axes},
           {"without axes there is one case", without_axes_there_is_one_case},
           {"axes reach everything", axes_reach_everything},
           {"options change the scenario", options_change_the_scenario},
           {"the stored scenario loads again", the_stored_scenario_loads_again},
           {"a prefix for our namespace is as good", a_prefix_for_our_namespace_is_as_good},
           {"the schema lists what is built in", the_schema_lists_what_is_built_in})
