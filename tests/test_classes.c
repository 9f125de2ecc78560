/* Classes of links, and DSCP and DF of flows, as people write them. */
#include "wrong_fixture.h"

#include "units.h"

/* RFC 2474 (cs), 2597 (af), 3246 (ef), 5865 (va), 8622 (le). */
static void code_points_have_their_names(void)
{
    static const struct {
        const char *name;
        uint8_t dscp;
    } rows[] = {{"be", 0},    {"le", 1},    {"cs0", 0},   {"cs1", 8},   {"cs7", 56},  {"af11", 10},
                {"af12", 12}, {"af13", 14}, {"af21", 18}, {"af33", 30}, {"af41", 34}, {"af43", 38},
                {"ef", 46},   {"va", 44},   {"0", 0},     {"63", 63}};
    static const char *const wrong[] = {"",     "EF",  "ef ", "cs8", "cs",  "af14",
                                        "af51", "af4", "64",  "-1",  "0x2e"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t dscp = 99;
        CU_ASSERT_TRUE(units_dscp(rows[i].name, &dscp));
        CU_ASSERT_EQUAL(dscp, rows[i].dscp);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t dscp = 99;
        CU_ASSERT_FALSE(units_dscp(wrong[i], &dscp));
        CU_ASSERT_EQUAL(dscp, 99);
    }
}

static void several_code_points_make_a_set(void)
{
    uint64_t dscps = 5;
    CU_ASSERT_TRUE(units_dscps(" ef\taf41 46\n0 ", &dscps));
    CU_ASSERT_EQUAL(dscps, UINT64_C(1) << 46 | UINT64_C(1) << 34 | 1);
    CU_ASSERT_FALSE(units_dscps("  ", &dscps));
    CU_ASSERT_FALSE(units_dscps("ef, af41", &dscps));
    CU_ASSERT_FALSE(units_dscps("ef bestest", &dscps));
}

static char *with(const char *link_ends, const char *flow_ends)
{
    char *one = fixture_replace(fixture_text, "mtu=\"1400B\"/>", link_ends);
    char *both = fixture_replace(one, "size=\"1400B\" start=\"1s\"/>", flow_ends);
    free(one);
    return both;
}

static void a_link_has_its_classes_and_a_flow_its_marks(void)
{
    struct scenario_set set;
    char *text = with("mtu=\"1400B\"><class dscp=\"ef va\" queue=\"7\"/>"
                      "<class dscp=\"af41\" priority=\"0\" delay=\"3ms\"/></link>",
                      "size=\"1400B\" start=\"1s\" dscp=\"af41\" df=\"true\"/>"
                      "<flow from=\"hub\" to=\"spoke\" packets=\"1/s\" size=\"100B\"/>");
    fixture_load(&set, text);
    for (size_t i = 0; i < 3; i++) { /* each member of the counted link */
        const struct scenario_link *link = &set.base.links[i];
        CU_ASSERT_EQUAL_FATAL(link->num_classes, 2);
        CU_ASSERT_EQUAL(link->classes[0].dscps, UINT64_C(1) << 46 | UINT64_C(1) << 44);
        CU_ASSERT(link->classes[0].priority == 1 && link->classes[0].queue == 7 &&
                  link->classes[0].delay == 0);
        CU_ASSERT_EQUAL(link->classes[1].dscps, UINT64_C(1) << 34);
        CU_ASSERT(link->classes[1].priority == 0 && link->classes[1].queue == 100 &&
                  link->classes[1].delay == 3 * P2_MS);
    }
    CU_ASSERT(set.base.flows[0].dscp == 34 && set.base.flows[0].dont_fragment);
    CU_ASSERT(set.base.flows[3].dscp == 0 && !set.base.flows[3].dont_fragment);
    scenario_set_cleanup(&set);
    free(text);
}

static void what_is_wrong_is_told(void)
{
    static const struct wrong rows[] = {
        {"mtu=\"1400B\"/>", "mtu=\"1400B\"><class dscp=\"eff\"/></link>", 11, "<class> dscp=\"eff\"",
         "allowed: DSCPs such as"},
        {"mtu=\"1400B\"/>", "mtu=\"1400B\"><class/></link>", 11, "<class> without dscp", "cs0 to cs7"},
        {"mtu=\"1400B\"/>", "mtu=\"1400B\"><class dscp=\"ef\"/>\n<class dscp=\"af41 46\"/></link>", 12,
         "another class of this link has it", "DSCPs of one class each"},
        {"mtu=\"1400B\"/>", "mtu=\"1400B\"><class dscp=\"ef\" priority=\"8\"/></link>", 11,
         "<class> priority=\"8\"", "from 0 to 7"},
        {"mtu=\"1400B\"/>", "mtu=\"1400B\"><class dscp=\"ef\" queue=\"0\"/></link>", 11,
         "<class> queue=\"0\"", "from 1 to 1000000"},
        {"size=\"1400B\" start", "size=\"1400B\" dscp=\"fast\" start", 24, "<flow> dscp=\"fast\"",
         "af11 to af43"},
        {"size=\"1400B\" start", "size=\"1400B\" df=\"yes\" start", 24, "<flow> df=\"yes\"",
         "allowed: true, false"},
    };
    CHECK_ROWS(rows);
}

CHECK_MAIN("classes", {"code points have their names", code_points_have_their_names},
           {"several code points make a set", several_code_points_make_a_set},
           {"a link has its classes and a flow its marks", a_link_has_its_classes_and_a_flow_its_marks},
           {"what is wrong is told", what_is_wrong_is_told})
