/* Attackers that are wrong in one place each, and what their users are told; and what right ones become. */
#include "wrong_fixture.h"

/* Attackers stand on links, and know no future. */
static void attackers(void)
{
    static const struct wrong rows[] = {
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay on=\"spoke[4]-hub\"/>", 28, "on=\"spoke[4]-hub\"",
         "spoke[1]-hub"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay on=\"spoke-hub\"/>", 28, "counts several", "spoke[1]-hub"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay/>", 28, "<replay> without on", "a link such as"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay on=\"spoke[1]-hub\" protocol=\"gre\"/>", 28,
         "protocol=\"gre\"", "ike, any, esp, ah"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay on=\"spoke[1]-hub\" order=\"backwards\"/>", 28,
         "order=\"backwards\"", "reverse"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay on=\"spoke[1]-hub\" order=\"burst\" rate=\"5/s\"/>", 28,
         "rate=\"5/s\"", "no rate, or another order"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay on=\"spoke[1]-hub\" capture=\"2s\" from=\"1s\"/>", 28,
         "capture=\"2s\"", "one or the other"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay on=\"spoke[1]-hub\" capture=\"0s\"/>", 28, "capture=\"0s\"",
         "more than 0s"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay on=\"spoke[1]-hub\" until=\"6s\"/>", 28, "until=\"6s\"",
         "at most the <at>'s time"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay on=\"spoke[1]-hub\" from=\"3s\" until=\"3s\"/>", 28,
         "from=\"3s\"", "from before until"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay on=\"spoke[1]-hub\" packets=\"0\"/>", 28, "packets=\"0\"",
         "1 to 1000000"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay on=\"spoke[1]-hub\" delay=\"25s\"/>", 28, "delay=\"25s\"",
         "before the scenario"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay on=\"spoke[1]-hub\" toward=\"bare\"/>", 28, "toward=\"bare\"",
         "spoke[1] or hub"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<replay on=\"spoke[1]-hub\" sent-by=\"spoke[2]\"/>", 28,
         "sent-by=\"spoke[2]\"", "spoke[1] or hub"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<forge on=\"spoke[1]-hub\"/>", 28, "<forge> without kind",
         "flip-bits"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<forge on=\"spoke[1]-hub\" kind=\"flip-bit\"/>", 28,
         "kind=\"flip-bit\"", "flip-bits"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<forge on=\"spoke[1]-hub\" kind=\"random\" protocol=\"ike\"/>", 28,
         "protocol=\"ike\"", "esp, ah"},
        {"<rekey tunnel=\"vpn[2]\"/>",
         "<flood on=\"spoke[1]-hub\" toward=\"hub\" kind=\"spoofed-esp\" rate=\"5/s\"/>", 28,
         "without an end", "duration"},
        {"<rekey tunnel=\"vpn[2]\"/>",
         "<flood on=\"spoke[1]-hub\" toward=\"hub\" kind=\"spoofed-esp\" duration=\"1s\"/>", 28,
         "<flood> without rate", "/s"},
        {"<rekey tunnel=\"vpn[2]\"/>",
         "<flood on=\"spoke[1]-hub\" kind=\"spoofed-esp\" rate=\"5/s\" duration=\"1s\"/>", 28,
         "<flood> without toward", "a name"},
        {"<rekey tunnel=\"vpn[2]\"/>",
         "<flood on=\"spoke[1]-hub\" toward=\"hub\" kind=\"syn\" rate=\"5/s\" duration=\"1s\"/>", 28,
         "kind=\"syn\"", "quick-mode-bad-hash"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<compromise on=\"spoke[1]-hub\" knows=\"skeyid-a\"/>", 28,
         "knows=\"skeyid-a\"", "skeyid-d"},
        {"<rekey tunnel=\"vpn[2]\"/>", "<compromise on=\"spoke[1]-hub\"/>", 28, "<compromise> without knows",
         "skeyid-d"},
    };
    CHECK_ROWS(rows);
}

/* One <at> with these elements in it. */
static void load_at_5s(struct scenario_set *set, const char *elements)
{
    char *text = fixture_replace(fixture_text, "<rekey tunnel=\"vpn[2]\"/>", elements);
    fixture_load(set, text);
    free(text);
}

static void what_right_ones_become(void)
{
    struct scenario_set set;
    load_at_5s(&set,
               "<replay on=\"spoke[2]-hub\" protocol=\"esp\" capture=\"2s\" packets=\"500\" delay=\"3s\" "
               "order=\"reverse\" rate=\"1000/s\" sent-by=\"hub\" toward=\"hub\"/>");
    const struct scenario_event *event = &set.base.events[0];
    CU_ASSERT_FATAL(event->kind == SCENARIO_ATTACK && event->time == 5 * P2_SECOND);
    const struct scenario_attack *a = &event->u.attack;
    CU_ASSERT(a->kind == SCENARIO_REPLAY && a->method == SCENARIO_REPLAY_REVERSE);
    CU_ASSERT(a->protocols == SCENARIO_ATTACK_ESP && a->link == 1 && a->sent_by == 1 && a->toward == 1);
    CU_ASSERT(a->from == 3 * P2_SECOND && a->until == 5 * P2_SECOND && a->packets == 500);
    CU_ASSERT(a->delay == 3 * P2_SECOND && a->interval == P2_SECOND / 1000);
    scenario_set_cleanup(&set);
    load_at_5s(&set, "<replay on=\"spoke[1]-hub\"/>");
    a = &set.base.events[0].u.attack;
    CU_ASSERT(a->from == 0 && a->until == 5 * P2_SECOND && a->packets == 0 && a->interval == 0);
    CU_ASSERT(a->sent_by == -1 && a->toward == -1 && a->method == SCENARIO_REPLAY_SAME);
    CU_ASSERT(a->protocols == (SCENARIO_ATTACK_ESP | SCENARIO_ATTACK_AH | SCENARIO_ATTACK_IKE));
    scenario_set_cleanup(&set);
}

/* An attacker on each link, and each end by its group's name. */
static void counted_ones(void)
{
    struct scenario_set set;
    load_at_5s(&set,
               "<flood on=\"spoke-hub\" all=\"true\" toward=\"spoke\" kind=\"spoofed-esp\" rate=\"50/s\" "
               "duration=\"2s\"/><compromise on=\"spoke-hub\" all=\"true\" knows=\"skeyid-e skeyid-d\"/>");
    for (int i = 0; i < 3; i++) {
        const struct scenario_attack *flood = &set.base.events[i].u.attack;
        const struct scenario_attack *compromise = &set.base.events[i + 3].u.attack;
        CU_ASSERT(flood->kind == SCENARIO_FLOOD && flood->method == SCENARIO_FLOOD_SPOOFED_ESP);
        CU_ASSERT(flood->link == i && flood->toward == 0 && flood->sent_by == 1);
        CU_ASSERT(flood->duration == 2 * P2_SECOND && flood->interval == P2_SECOND / 50);
        CU_ASSERT(compromise->kind == SCENARIO_COMPROMISE && compromise->link == i);
        CU_ASSERT(compromise->knows_d && compromise->knows_e && compromise->until == 5 * P2_SECOND);
    }
    scenario_set_cleanup(&set);
}

CHECK_MAIN("wrong attackers", {"attackers", attackers}, {"what right ones become", what_right_ones_become},
           {"counted ones", counted_ones})
