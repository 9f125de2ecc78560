/* Informational messages that are authentic and odd, and forged ones that come before the true one: each is
 * counted once, under one reason, and acts whole or not at all; the SAs live on. */
#include "sim/forge.h"

#include "cursor.h"

#define UNKNOWN   0x9c, 0x40 /* 40000, of private use */
#define CONTACT   0x60, 0x02 /* INITIAL-CONTACT */
#define ARE_YOU   0x8d, 0x28 /* R-U-THERE */
#define OF_DOI    0, 0, 0, P2_DOI_IPSEC
#define OF_ESP    OF_DOI, P2_PROTO_ESP
#define OF_ISAKMP OF_DOI, P2_PROTO_ISAKMP
#define N         P2_PAYLOAD_NOTIFY
#define D         P2_PAYLOAD_DELETE

struct row {
    const char *name;
    enum p2_drop reason;
    size_t num;
    struct {
        uint8_t type, len, body[40];
    } payloads[3];
};

static const struct row rows[] = {
    {"an unknown notify", P2_DROP_UNKNOWN_NOTIFY, 1, {{N, 8, {OF_ESP, 0, UNKNOWN}}}},
    {"two unknown notifies",
     P2_DROP_UNKNOWN_NOTIFY,
     2,
     {{N, 8, {OF_ESP, 0, UNKNOWN}}, {N, 8, {OF_ESP, 0, UNKNOWN}}}},
    {"an unknown notify, and R-U-THERE about other cookies",
     P2_DROP_UNKNOWN_NOTIFY,
     2,
     {{N, 8, {OF_ESP, 0, UNKNOWN}}, {N, 28, {OF_ISAKMP, 16, ARE_YOU}}}},
    {"R-U-THERE about other cookies, twice",
     P2_DROP_REPLAYED,
     2,
     {{N, 28, {OF_ISAKMP, 16, ARE_YOU}}, {N, 28, {OF_ISAKMP, 16, ARE_YOU}}}},
    {"a notify of no bytes", P2_DROP_MALFORMED, 1, {{N, 0, {0}}}},
    {"a notify of 7 bytes", P2_DROP_MALFORMED, 1, {{N, 7, {OF_ESP, 0, 0x9c}}}},
    {"a notify shorter than its SPI", P2_DROP_MALFORMED, 1, {{N, 11, {OF_ESP, 4, UNKNOWN}}}},
    {"INITIAL-CONTACT shorter than its SPI", P2_DROP_MALFORMED, 1, {{N, 8, {OF_ISAKMP, 16, CONTACT}}}},
    {"INITIAL-CONTACT, and a notify of 7 bytes",
     P2_DROP_MALFORMED,
     2,
     {{N, 8, {OF_ISAKMP, 0, CONTACT}}, {N, 7, {OF_ESP, 0, 0x9c}}}},
    {"an unknown notify, and a DELETE of 7 bytes",
     P2_DROP_MALFORMED,
     2,
     {{N, 8, {OF_ESP, 0, UNKNOWN}}, {D, 7, {OF_ESP, 4, 0}}}},
    {"a DELETE of two SPIs that has one", P2_DROP_MALFORMED, 1, {{D, 12, {OF_ESP, 4, 0, 2, 1, 2, 3, 4}}}},
    {"a DELETE of one SPI that has two", P2_DROP_MALFORMED, 1, {{D, 16, {OF_ESP, 4, 0, 1, 1, 2, 3, 4}}}},
    {"a DELETE of 65,535 SPIs that has none", P2_DROP_MALFORMED, 1, {{D, 8, {OF_ESP, 4, 0xff, 0xff}}}},
    {"a DELETE of ESP with an SPI of 8 bytes", P2_DROP_MALFORMED, 1, {{D, 16, {OF_ESP, 8, 0, 1}}}},
    {"a DELETE of an ISAKMP SA with half of its cookies",
     P2_DROP_MALFORMED,
     1,
     {{D, 16, {OF_ISAKMP, 8, 0, 1}}}},
    {"a DELETE of an ISAKMP SA with 15 bytes of cookies",
     P2_DROP_MALFORMED,
     1,
     {{D, 23, {OF_ISAKMP, 16, 0, 1}}}},
};

static void send_row(struct forge *forge, int from, const struct row *row)
{
    struct forge_payload *payloads = calloc(row->num, sizeof(*payloads));
    for (size_t i = 0; i < row->num; i++) {
        payloads[i].type = row->payloads[i].type;
        payloads[i].len = row->payloads[i].len;
        memcpy(payloads[i].body, row->payloads[i].body, row->payloads[i].len);
    }
    forge_informs(forge, from, payloads, row->num);
    free(payloads);
}

static void each_is_counted_once(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int to = 0; to < 2; to++) {
            struct sim_options o = sim_defaults();
            struct sim *sim = sim_new(&o);
            struct forge forge;
            forge_begin(&forge, sim);
            sim_run(sim, P2_SECOND);
            send_row(&forge, !to, &rows[i]);
            sim_run(sim, 2 * P2_SECOND);
            bool once = sim_all_drops(sim, to) == 1 && sim_drops(sim, to, rows[i].reason) == 1;
            CU_ASSERT_TRUE(once);
            if (!once)
                printf("\n      %s, to %d: %zu drops\n", rows[i].name, to, sim_all_drops(sim, to));
            CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
            CU_ASSERT_PTR_NULL(sim_isakmp_removed(sim, to, 0));
            sim_check_traffic(sim);
            forge_end(&forge);
            sim_free(sim);
        }
    }
}

/* A DELETE that names the SA of the tunnel, `beside` which stands something. */
static void delete_beside(struct sim *sim, struct forge *forge, struct forge_payload *beside)
{
    struct p2_bytes packet;
    struct forge_payload *payloads = calloc(2, sizeof(*payloads));
    sim_send(sim, 0, 100);
    packet = sim_last_ipsec(sim, 0); /* of an IPv4 header and ESP */
    payloads[0] = (struct forge_payload){.type = D, .len = 12, .body = {OF_ESP, 4, 0, 1}};
    memcpy(payloads[0].body + 8, packet.data + 20, 4);
    payloads[1] = *beside;
    forge_informs(forge, 1, payloads, 2);
    free(payloads);
}

static void a_delete_acts_with_all_or_nothing(void)
{
    static struct forge_payload cut = {.type = N, .len = 7, .body = {OF_ESP, 0, 0x9c}},
                                stale = {.type = N, .len = 28, .body = {OF_ISAKMP, 16, ARE_YOU}};
    struct {
        struct forge_payload *beside;
        size_t pairs, malformed;
    } cases[] = {{&cut, 1, 1}, {&stale, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sim_options o = sim_defaults();
        struct sim *sim = sim_new(&o);
        struct forge forge;
        forge_begin(&forge, sim);
        sim_run(sim, P2_SECOND);
        delete_beside(sim, &forge, cases[i].beside);
        CU_ASSERT_EQUAL(sim_num_pairs(sim, 0), cases[i].pairs);
        CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_MALFORMED), cases[i].malformed);
        CU_ASSERT_EQUAL(sim_all_drops(sim, 0), cases[i].malformed);
        forge_end(&forge);
        sim_free(sim);
    }
}

/* What was changed is dropped, once; its copy, as it was sent, is taken after that. */
static void true_one_gets_through(struct sim *sim, struct forge *forge, enum p2_drop reason)
{
    CU_ASSERT_EQUAL(forge->num_edited, 1);
    CU_ASSERT_EQUAL(sim_all_drops(sim, 0), 1);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, reason), 1);
    forge_let_copies_pass(forge);
    sim_run(sim, 30 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_all_drops(sim, 0), 1);
    CU_ASSERT_EQUAL(sim_failures(sim, 0) + sim_failures(sim, 1), 0);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
}

static void to_another_notify(struct forge_message *message)
{
    static const uint8_t type[] = {UNKNOWN};
    memcpy(forge_find(message, N)->body + 6, type, sizeof(type));
}

static void to_a_cut_notify(struct forge_message *message)
{
    forge_find(message, N)->len = 7;
}

static void without_notify(struct forge_message *message)
{
    forge_remove(message, N);
}

/* The true CONNECTED is chained to message 3, whatever came between them. */
static void another_message_where_connected_is_awaited(void)
{
    forge_edit *const edits[] = {to_another_notify, to_a_cut_notify, without_notify};
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        struct sim_options o = sim_defaults();
        struct forge forge;
        o.tunnel[1].policy.commit_bit = true;
        struct sim *sim = sim_new(&o);
        forge_begin(&forge, sim);
        forge_plan(&forge, P2_EXCHANGE_INFORMATIONAL, 4, edits[i]);
        sim_run(sim, P2_SECOND);
        true_one_gets_through(sim, &forge, P2_DROP_UNEXPECTED);
        sim_check_traffic(sim);
        forge_end(&forge);
        sim_free(sim);
    }
}

static uint8_t missing;

static void of_somebody_else(struct forge_message *message)
{
    message->header.responder_cookie[0] ^= 0xff;
    forge_remove(message, missing);
}

/* In clear, so anybody may send it; what is not whole leaves no cookie behind. */
static void a_spoofed_answer_in_aggressive_mode(void)
{
    static const uint8_t kinds[] = {P2_PAYLOAD_KE, P2_PAYLOAD_NONCE, P2_PAYLOAD_HASH, P2_PAYLOAD_ID,
                                    P2_PAYLOAD_SA};
    for (size_t i = 0; i < sizeof kinds; i++) {
        struct sim_options o = sim_defaults();
        struct forge forge;
        o.peer[0].phase1.mode = o.peer[1].phase1.mode = P2_PHASE1_AGGRESSIVE;
        struct sim *sim = sim_new(&o);
        missing = kinds[i];
        forge_begin(&forge, sim);
        forge_plan(&forge, P2_EXCHANGE_AGGRESSIVE, 2, of_somebody_else);
        sim_run(sim, P2_SECOND);
        true_one_gets_through(sim, &forge, P2_DROP_MALFORMED);
        forge_end(&forge);
        sim_free(sim);
    }
}

CHECK_MAIN("strange informational messages", {"each is counted once", each_is_counted_once},
           {"a DELETE acts with all of its message, or not at all", a_delete_acts_with_all_or_nothing},
           {"another message where CONNECTED is awaited", another_message_where_connected_is_awaited},
           {"a spoofed answer in aggressive mode", a_spoofed_answer_in_aggressive_mode})
