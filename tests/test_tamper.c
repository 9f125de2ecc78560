/* Which packets the timeline's cut and lose are about. */
#include "tamper.h"

#include "check.h"
#include "cursor.h"

enum { QUICK = 32, MAIN = 2, INFORMATIONAL = 5 };

/* An IP packet with an IKE message: exchange type, message ID, and a byte that makes it what it is. */
struct message {
    uint8_t bytes[96];
    size_t len;
};

static struct message ike(bool v6, uint16_t port, uint8_t type, uint32_t message_id, uint8_t body)
{
    struct message m = {.len = 0};
    size_t ip = v6 ? 40 : 20, at = ip + 8 + (port == 4500 ? 4u : 0u);
    m.bytes[0] = v6 ? 0x60 : 0x45;
    m.bytes[v6 ? 6 : 9] = 17;
    p2_put_u16(m.bytes + ip, port);
    p2_put_u16(m.bytes + ip + 2, port);
    m.bytes[at] = 0x11; /* the initiator's cookie */
    m.bytes[at + 18] = type;
    p2_put_u32(m.bytes + at + 20, message_id);
    m.bytes[at + 28] = body;
    m.len = at + 29;
    return m;
}

static struct message plain(uint8_t protocol)
{
    struct message m = {.len = 40};
    m.bytes[0] = 0x45;
    m.bytes[9] = protocol;
    return m;
}

static enum tamper_action judge(struct tamper *tamper, p2_time now, const struct message *m)
{
    struct tamper_verdict verdict;
    CU_ASSERT_EQUAL(tamper_judge(tamper, &verdict, now, m->bytes, m->len), P2_OK);
    CU_ASSERT(verdict.action != TAMPER_DELAY || verdict.delay == 7);
    return verdict.action;
}

static void begin(struct tamper *tamper, enum scenario_exchange exchange, uint32_t message, uint32_t copies,
                  enum scenario_lose_action action)
{
    struct scenario_event event = {.kind = SCENARIO_LOSE,
                                   .u.lose = {.exchange = exchange,
                                              .message = message,
                                              .copies = copies,
                                              .action = action,
                                              .delay = action == SCENARIO_LOSE_DELAY ? 7 : 0}};
    CU_ASSERT_EQUAL(tamper_begin(tamper, 0, &event), P2_OK);
}

/* A resent message keeps its number, and another Quick Mode counts by itself; over either family and port. */
static void the_third_message_is_the_third(void)
{
    static const struct {
        bool v6;
        uint16_t port;
    } ways[] = {{false, 500}, {true, 500}, {false, 4500}, {true, 4500}};
    for (size_t i = 0; i < 4; i++) {
        struct tamper tamper = {0};
        struct message m[4];
        for (uint8_t n = 1; n <= 3; n++)
            m[n] = ike(ways[i].v6, ways[i].port, QUICK, 9, n);
        struct message other = ike(ways[i].v6, ways[i].port, QUICK, 10, 1);
        begin(&tamper, SCENARIO_QUICK, 3, 2, SCENARIO_LOSE_DROP);
        CU_ASSERT_EQUAL(judge(&tamper, 1, &m[1]), TAMPER_PASS);
        CU_ASSERT_EQUAL(judge(&tamper, 2, &m[1]), TAMPER_PASS);
        CU_ASSERT_EQUAL(judge(&tamper, 3, &m[2]), TAMPER_PASS);
        CU_ASSERT_EQUAL(judge(&tamper, 4, &other), TAMPER_PASS);
        CU_ASSERT_EQUAL(judge(&tamper, 5, &m[3]), TAMPER_DROP);
        CU_ASSERT_EQUAL(judge(&tamper, 6, &m[2]), TAMPER_PASS);
        CU_ASSERT_EQUAL(judge(&tamper, 7, &m[3]), TAMPER_DROP);
        CU_ASSERT_EQUAL(judge(&tamper, 8, &m[3]), TAMPER_PASS); /* two copies, and no more */
        tamper_cleanup(&tamper);
    }
}

/* The exchanges before the event count too, so that a rule in the middle of one finds its message. */
static void numbers_are_known_from_the_start(void)
{
    struct tamper tamper = {0};
    struct message first = ike(false, 500, MAIN, 0, 1), second = ike(false, 500, MAIN, 0, 2),
                   third = ike(false, 500, MAIN, 0, 3);
    CU_ASSERT_EQUAL(judge(&tamper, 1, &first), TAMPER_PASS);
    begin(&tamper, SCENARIO_MAIN, 2, 1, SCENARIO_LOSE_DELAY);
    CU_ASSERT_EQUAL(judge(&tamper, 2, &first), TAMPER_PASS);
    CU_ASSERT_EQUAL(judge(&tamper, 3, &second), TAMPER_DELAY);
    CU_ASSERT_EQUAL(judge(&tamper, 4, &third), TAMPER_PASS);
    tamper_cleanup(&tamper);
}

static void kinds_are_told_apart(void)
{
    struct message messages[] = {ike(false, 500, QUICK, 1, 1),
                                 ike(false, 500, MAIN, 0, 1),
                                 ike(false, 500, 4, 0, 1),
                                 ike(false, 500, INFORMATIONAL, 7, 1),
                                 plain(50),
                                 plain(51)};
    static const enum scenario_exchange exchanges[] = {SCENARIO_QUICK,      SCENARIO_MAIN,
                                                       SCENARIO_AGGRESSIVE, SCENARIO_INFORMATIONAL,
                                                       SCENARIO_ESP,        SCENARIO_AH};
    for (size_t rule = 0; rule < 6; rule++) {
        struct tamper tamper = {0};
        begin(&tamper, exchanges[rule], 0, 1, SCENARIO_LOSE_DUPLICATE);
        for (size_t i = 0; i < 6; i++)
            CU_ASSERT_EQUAL(judge(&tamper, 1, &messages[i]), i == rule ? TAMPER_DUPLICATE : TAMPER_PASS);
        tamper_cleanup(&tamper);
    }
    struct tamper tamper = {0};
    struct message esp = ike(false, 4500, 0, 0, 1), keepalive = esp, fragment = plain(50);
    esp.bytes[28] = 1; /* no marker: ESP in UDP */
    keepalive.len = 29;
    fragment.bytes[7] = 5;
    begin(&tamper, SCENARIO_ESP, 0, 9, SCENARIO_LOSE_DROP);
    CU_ASSERT_EQUAL(judge(&tamper, 1, &esp), TAMPER_DROP);
    CU_ASSERT_EQUAL(judge(&tamper, 1, &keepalive), TAMPER_PASS);
    CU_ASSERT_EQUAL(judge(&tamper, 1, &fragment), TAMPER_PASS);
    tamper_cleanup(&tamper);
}

static void a_cut_link_carries_nothing(void)
{
    struct tamper tamper = {0};
    struct scenario_event cut = {.kind = SCENARIO_CUT, .u.cut = {.duration = 10}},
                          shorter = {.kind = SCENARIO_CUT, .u.cut = {.duration = 2}};
    struct message packet = plain(6);
    CU_ASSERT_EQUAL(judge(&tamper, 4, &packet), TAMPER_PASS);
    CU_ASSERT(tamper_begin(&tamper, 5, &cut) == P2_OK && tamper_begin(&tamper, 6, &shorter) == P2_OK);
    CU_ASSERT_EQUAL(judge(&tamper, 14, &packet), TAMPER_DROP);
    CU_ASSERT_EQUAL(judge(&tamper, 15, &packet), TAMPER_PASS);
    tamper_cleanup(&tamper);
}

/* Whatever comes, nothing is read past its end. */
static void truncations_pass(void)
{
    struct tamper tamper = {0};
    begin(&tamper, SCENARIO_QUICK, 1, 100, SCENARIO_LOSE_DROP);
    for (int v6 = 0; v6 < 2; v6++) {
        struct message whole = ike(v6 != 0, 4500, QUICK, 3, 1);
        size_t header = (v6 ? 40u : 20u) + 12 + 28;
        for (size_t len = 0; len <= whole.len; len++) {
            struct tamper_verdict verdict;
            uint8_t *copy = malloc(len ? len : 1);
            CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
            memcpy(copy, whole.bytes, len);
            CU_ASSERT_EQUAL(tamper_judge(&tamper, &verdict, 1, copy, len), P2_OK);
            CU_ASSERT_TRUE(verdict.action == TAMPER_PASS || len >= header);
            free(copy);
        }
    }
    tamper_cleanup(&tamper);
}

CHECK_MAIN("tamper", {"the third message is the third", the_third_message_is_the_third},
           {"numbers are known from the start", numbers_are_known_from_the_start},
           {"kinds are told apart", kinds_are_told_apart},
           {"a cut link carries nothing", a_cut_link_carries_nothing}, {"truncations pass", truncations_pass})
