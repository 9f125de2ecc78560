/* How a Quick Mode ends that nobody refused: no answer, a notify, or the SAs under it or of it going away. */
#include "failure_edits.h"
#include "failure_fixture.h"

#define OFFER       "esp aes-128-cbc hmac-sha1-96 pfs none"
#define IDS         "10.1.0.0/24 to 10.2.0.0/24"
#define RULE_WAIT   "RFC 2408 section 5.1"
#define RULE_DELETE "RFC 2408 section 3.15"
#define SETTLE      (100 * P2_SECOND)

static const struct view nothing = {.failure = P2_FAIL_NONE};

static unsigned seen(struct sim *sim, const char *name, size_t n, struct view initiator,
                     struct view responder)
{
    unsigned reasons = 0;
    struct view views[2] = {initiator, responder};
    check_views(name, sim_quick(sim, n), views, &reasons);
    return reasons;
}

/* --- losses --- */

enum { CONNECTED = 4 };

/* All copies of one message of every Quick Mode; of those from the left only 1 is longer than 100 bytes. */
static bool is_message(void *ctx, const struct sim_message *m)
{
    const unsigned *number = ctx;
    if (*number == CONNECTED)
        return m->from == 1 && m->exchange_type == P2_EXCHANGE_INFORMATIONAL && m->message_id != 0;
    return m->exchange_type == P2_EXCHANGE_QUICK && (m->from == 1 ? 2u : m->len > 100 ? 1u : 3u) == *number;
}

static struct sim_options losing(unsigned *number)
{
    struct sim_options o = sim_defaults();
    o.lose = is_message;
    o.lose_ctx = number;
    o.tunnel[1].policy.commit_bit = *number == CONNECTED;
    return o;
}

static struct view timeout(const char *message, const char *copies, const char *wait)
{
    return (struct view){P2_FAIL_TIMEOUT, message, message, copies, wait, RULE_WAIT, 0, false};
}

static unsigned timeouts(void)
{
    static const struct {
        uint32_t tries;
        const char *copies, *wait;
    } patience[] = {{5, "6 copies sent", "an answer within 63.0 s"},
                    {1, "2 copies sent", "an answer within 3.0 s"},
                    {0, "1 copy sent", "an answer within 1.0 s"}};
    unsigned reasons = 0;
    for (size_t i = 0; i < 3; i++) {
        const char *copies = patience[i].copies, *wait = patience[i].wait;
        const struct view second = timeout("message 2", copies, wait),
                          third = timeout("message 3", copies, wait),
                          connected = timeout("CONNECTED", copies, wait);
        const struct view views[4][2] = {
            {second, nothing}, {second, third}, {nothing, third}, {connected, nothing}};
        for (unsigned number = 1; number <= CONNECTED; number++) {
            struct sim_options o = losing(&number);
            o.peer[0].phase1.retransmission.tries = o.peer[1].phase1.retransmission.tries = patience[i].tries;
            struct sim *sim = sim_new(&o);
            sim_run(sim, SETTLE);
            reasons |= seen(sim, "timeout", 0, views[number - 1][0], views[number - 1][1]);
            CU_ASSERT_EQUAL(sim_num_pairs(sim, 0) + sim_num_pairs(sim, 1), 0);
            sim_free(sim);
        }
    }
    return reasons;
}

/* A HASH that can not be verified says nothing of who sent it: the message never came. */
static void short_hash(struct forge_message *m)
{
    m->payloads[0].len--;
    m->keep_hash = true;
}

static void other_hash(struct forge_message *m)
{
    memset(m->payloads[0].body, 0, m->payloads[0].len);
    m->keep_hash = true;
}

static unsigned unverified(void)
{
    const struct view second = timeout("message 2", "6 copies sent", "an answer within 63.0 s"),
                      third = timeout("message 3", "6 copies sent", "an answer within 63.0 s");
    const struct view views[3][2] = {{second, nothing}, {second, third}, {nothing, third}};
    forge_edit *const edits[] = {short_hash, other_hash};
    unsigned reasons = 0;
    for (unsigned n = 0; n < 6; n++) {
        struct sim_options o = sim_defaults();
        struct forge forge;
        struct sim *sim = sim_new(&o);
        forge_begin(&forge, sim);
        forge_plan(&forge, P2_EXCHANGE_QUICK, n / 2 + 1, edits[n % 2]);
        sim_run(sim, SETTLE);
        CU_ASSERT(forge.num_edited == 1 && sim_drops(sim, n / 2 != 1, P2_DROP_HASH_MISMATCH) >= 6);
        reasons |= seen(sim, "hash", 0, views[n / 2][0], views[n / 2][1]);
        forge_end(&forge);
        sim_free(sim);
    }
    return reasons;
}

/* --- notifies --- */

static const struct {
    uint16_t type;
    enum p2_failure failure;
    const char *field, *sent[3]; /* in messages 1, 2 and 3 */
} notifies[] = {
    {1,
     P2_FAIL_INVALID_PAYLOAD_TYPE,
     "payloads",
     {"HASH, SA, Ni, IDci, IDcr", "HASH, SA, Nr, IDci, IDcr", "HASH(3)"}},
    {14, P2_FAIL_NO_PROPOSAL_CHOSEN, "proposal", {OFFER, OFFER, OFFER}},
    {16,
     P2_FAIL_PAYLOAD_MALFORMED,
     "payloads",
     {"HASH, SA, Ni, IDci, IDcr", "HASH, SA, Nr, IDci, IDcr", "HASH(3)"}},
    {17,
     P2_FAIL_INVALID_KEY_INFORMATION,
     "key-exchange",
     {"no KE payload", "no KE payload", "no KE payload"}},
    {18, P2_FAIL_INVALID_ID_INFORMATION, "proxy-id", {IDS, IDS, IDS}},
    {23, P2_FAIL_INVALID_HASH_INFORMATION, "hash", {"HASH(1)", "HASH(2)", "HASH(3)"}},
    {24, P2_FAIL_AUTHENTICATION_FAILED, "proposal", {OFFER, OFFER, OFFER}},
    {30, P2_FAIL_PEER_REFUSED, "proposal", {OFFER, OFFER, OFFER}},
    {8192, P2_FAIL_PEER_REFUSED, "proposal", {OFFER, OFFER, OFFER}},
};

/* Whoever waits for an answer to message 1, 2 or 3 gets each notify instead. */
static unsigned refusals(void)
{
    static const char *const messages[] = {"message 1", "message 2", "message 3"};
    unsigned reasons = 0;
    for (size_t i = 0; i < sizeof(notifies) / sizeof(notifies[0]); i++) {
        for (unsigned refused = 0; refused < 3; refused++) {
            unsigned lost = refused == 0 ? 1 : refused == 1 ? 3 : CONNECTED;
            struct sim_options o = losing(&lost);
            struct forge forge;
            struct sim *sim = sim_new(&o);
            sim_run(sim, P2_SECOND);
            forge_begin(&forge, sim);
            forge_notify(&forge, refused == 1 ? 0 : 1, notifies[i].type);
            const struct view heard = {notifies[i].failure,     messages[refused],
                                       notifies[i].field,       notifies[i].sent[refused],
                                       "the peer does not say", "RFC 2408 section 3.14.1",
                                       notifies[i].type,        true};
            reasons |= refused == 1 ? seen(sim, "notify", 0, nothing, heard)
                                    : seen(sim, "notify", 0, heard, nothing);
            forge_end(&forge);
            sim_free(sim);
        }
    }
    return reasons;
}

/* Of two Quick Modes any may be meant: both go on, and whichever ends unanswered has an explanation. */
static unsigned hints(void)
{
    unsigned lost = 1, reasons = 0;
    struct sim_options o = losing(&lost);
    struct forge forge;
    o.num_tunnels = 2;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    forge_begin(&forge, sim);
    forge_notify(&forge, 1, P2_NOTIFY_NO_PROPOSAL_CHOSEN);
    forge_end(&forge);
    sim_lose(sim, is_message, &lost);
    CU_ASSERT_FALSE(sim_quick(sim, 0)->failed[0] || sim_quick(sim, 1)->failed[0]);
    sim_run(sim, SETTLE);
    const struct view heard = HEARD(NO_PROPOSAL_CHOSEN, "message 1", "proposal", OFFER, 14);
    reasons |= seen(sim, "hint", 0, heard, nothing);
    reasons |= seen(sim, "hint", 1, heard, nothing);
    sim_free(sim);
    return reasons;
}

/* --- SAs that go away --- */

static uint32_t inbound_spi(struct sim *sim, int side)
{
    struct p2_sa_info info;
    CU_ASSERT_TRUE_FATAL(p2_gateway_sa_at(host_gateway(sim_host(sim, side)), 0, &info) && info.inbound);
    return info.spi;
}

static const char *went_away(char text[P2_WHY_MAX], struct sim *sim, int side, const char *why)
{
    snprintf(text, P2_WHY_MAX, "SPI 0x%08x went away: %s", inbound_spi(sim, side), why);
    return text;
}

static struct view superseded(const char *message, const char *offered, const char *rule)
{
    return (struct view){P2_FAIL_SUPERSEDED,
                         message,
                         "sa",
                         offered,
                         "SAs that stay until the Quick Mode is over",
                         rule,
                         0,
                         false};
}

/* The responder waits for message 3; its SAs go in four ways. */
static unsigned lost_sas_of_a_responder(void)
{
    static const char *const why[] = {"deleted-by-peer", "cleared", "hard-lifetime", "initial-contact"};
    unsigned reasons = 0;
    for (int n = 0; n < 4; n++) {
        char text[P2_WHY_MAX];
        unsigned lost = 3;
        struct sim_options o = losing(&lost);
        struct forge forge;
        o.tunnel[1].policy.lifetime_s = n == 2 ? 30 : 3600;
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        went_away(text, sim, 1, why[n]);
        if (n == 0) {
            forge_begin(&forge, sim);
            forge_delete(&forge, 0, inbound_spi(sim, 0));
            forge_end(&forge);
        } else if (n == 1) {
            CU_ASSERT_EQUAL(host_clear(sim_host(sim, 1), sim_now(sim), 0), P2_OK);
        } else if (n == 2) {
            sim_run(sim, 32 * P2_SECOND);
        } else {
            sim_restart(sim, 0);
            sim_run(sim, 2 * P2_SECOND);
        }
        const char *rule = n == 3 ? "RFC 2407 section 4.6.3.3" : RULE_DELETE;
        reasons |= seen(sim, why[n], 0, nothing, superseded("message 3", text, rule));
        sim_free(sim);
    }
    return reasons;
}

/* The initiator waits for CONNECTED, and gets a DELETE. */
static unsigned lost_sas_of_an_initiator(void)
{
    char text[P2_WHY_MAX];
    unsigned lost = CONNECTED;
    struct sim_options o = losing(&lost);
    struct forge forge;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    went_away(text, sim, 0, "deleted-by-peer");
    forge_begin(&forge, sim);
    forge_delete(&forge, 1, inbound_spi(sim, 1) ^ 1); /* one that is not known ends nothing */
    CU_ASSERT_FALSE(sim_quick(sim, 0)->failed[0]);
    forge_delete(&forge, 1, inbound_spi(sim, 1));
    unsigned reasons = seen(sim, "CONNECTED", 0, superseded("CONNECTED", text, RULE_DELETE), nothing);
    forge_end(&forge);
    sim_free(sim);
    return reasons;
}

static struct view phase1_lost(const char *message, const char *why)
{
    return (struct view){
        P2_FAIL_PHASE1_LOST,    message, "isakmp-sa", why, "an ISAKMP SA until the exchange is over",
        "RFC 2409 section 5.5", 0,       false};
}

static void delete_isakmp_sa(struct sim *sim, int from)
{
    struct forge forge;
    uint8_t body[8 + 16] = {0, 0, 0, P2_DOI_IPSEC, P2_PROTO_ISAKMP, 16, 0, 1};
    memcpy(body + 8, sim_isakmp(sim, from)->id.initiator_cookie, 8);
    memcpy(body + 16, sim_isakmp(sim, from)->id.responder_cookie, 8);
    forge_begin(&forge, sim);
    forge_inform(&forge, from, P2_PAYLOAD_DELETE, body, sizeof(body));
    forge_end(&forge);
}

/* The peer deletes it, under an initiator and under a responder; or begins anew. */
static unsigned lost_isakmp_sas(void)
{
    static const char deleted[] = "none any more: the peer deleted it",
                      anew[] = "none any more: the peer started anew";
    unsigned reasons = 0;
    for (int n = 0; n < 3; n++) {
        unsigned lost = n == 0 ? 1 : 3;
        struct sim_options o = losing(&lost);
        struct sim *sim = sim_new(&o);
        if (n == 2)
            sim_lose(sim, NULL, NULL);
        sim_run(sim, P2_SECOND);
        if (n < 2) {
            delete_isakmp_sa(sim, n == 0 ? 1 : 0);
            reasons |= n == 0 ? seen(sim, "deleted", 0, phase1_lost("message 2", deleted), nothing)
                              : seen(sim, "deleted", 0, nothing, phase1_lost("message 3", deleted));
        } else {
            unsigned second = 2; /* all that the right one sends in Quick Mode */
            sim_lose(sim, is_message, &second);
            sim_rekey(sim, 1);
            sim_run(sim, 2 * P2_SECOND);
            sim_restart(sim, 0);
            sim_run(sim, 3 * P2_SECOND);
            reasons |= seen(sim, "anew", 1, phase1_lost("message 2", anew), nothing);
        }
        sim_free(sim);
    }
    return reasons;
}

static bool everything(void *ctx, const struct sim_message *m)
{
    (void)ctx, (void)m;
    return true;
}

static unsigned dead_peers(void)
{
    struct sim_options o = sim_defaults();
    o.peer[0].phase1.dpd_interval = 10 * P2_SECOND;
    o.peer[0].phase1.dpd_tries = 3;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    sim_lose(sim, everything, NULL);
    sim_run(sim, 35 * P2_SECOND);
    sim_rekey(sim, 0); /* under way when it ends */
    sim_run(sim, 45 * P2_SECOND);
    const struct view dead = {P2_FAIL_PEER_DEAD,
                              "message 2",
                              "peer",
                              "no answer to 3 R-U-THERE",
                              "a sign of life, or R-U-THERE-ACK",
                              "RFC 3706 section 5",
                              0,
                              false};
    unsigned reasons = seen(sim, "dead", 1, dead, nothing);
    sim_free(sim);
    return reasons;
}

/* --- what is nobody's fault --- */

/* Private values that are all out of range, as from a source that got stuck. */
static void stuck(void *ctx, enum p2_random_use use, uint8_t *out, size_t len)
{
    if (use == P2_RANDOM_DH)
        memset(out, 0xff, len);
    else
        test_random_fill(ctx, use, out, len);
}

static unsigned internal(void)
{
    struct test_random state = {.seed = 1};
    struct p2_random random = {stuck, &state};
    struct sim_options o = sim_defaults();
    o.peer[0].phase1.mode = P2_PHASE1_PRESET;
    o.tunnel[0].policy.pfs = P2_GROUP_19;
    struct p2_gateway_config config = {&o.peer[0], 1, &o.tunnel[0], 1, false};
    struct p2_gateway *gw;
    struct p2_action action;
    unsigned reasons = 0;
    const struct view view = {P2_FAIL_INTERNAL, "message 1", "diffie-hellman", "", "", NULL, 0, false};
    CU_ASSERT_EQUAL_FATAL(p2_gateway_new(&gw, &config, random), P2_OK);
    while (p2_gateway_next_action(gw, &action))
        ;
    CU_ASSERT_EQUAL(p2_gateway_tick(gw, 0, 1), P2_OK);
    for (uint64_t job = 0; reasons == 0 && job < 3; job++) {
        while (p2_gateway_next_action(gw, &action)) {
            const struct p2_negotiation *n = &action.u.negotiation;
            if (action.type == P2_ACTION_NEGOTIATION && n->event == P2_NEGOTIATION_FAILED) {
                CU_ASSERT_TRUE(is_seen(n, &view));
                reasons |= 1u << n->failure;
            }
        }
        CU_ASSERT_EQUAL(p2_gateway_finish_job(gw, 0, 1, job + 1), P2_OK);
    }
    while (p2_gateway_next_action(gw, &action))
        ;
    p2_gateway_free(gw);
    return reasons;
}

/* --- all of them --- */

static void check_timeouts(void)
{
    CU_ASSERT_EQUAL(timeouts() | unverified(), BIT(TIMEOUT));
}

static void check_notifies(void)
{
    unsigned others = BIT(TIMEOUT) | BIT(SUPERSEDED) | BIT(PHASE1_LOST) | BIT(PEER_DEAD) | BIT(INTERNAL);
    CU_ASSERT_EQUAL(refusals(), FAILURES_ENDS & ~others);
    CU_ASSERT_EQUAL(hints(), BIT(NO_PROPOSAL_CHOSEN));
}

static void check_sas(void)
{
    CU_ASSERT_EQUAL(lost_sas_of_a_responder(), BIT(SUPERSEDED));
    CU_ASSERT_EQUAL(lost_sas_of_an_initiator(), BIT(SUPERSEDED));
    CU_ASSERT_EQUAL(lost_isakmp_sas(), BIT(PHASE1_LOST));
    CU_ASSERT_EQUAL(dead_peers(), BIT(PEER_DEAD));
}

static void check_internal(void)
{
    CU_ASSERT_EQUAL(internal(), BIT(INTERNAL));
}

/* Before the time is over it can be asked what is waited for, and asking changes nothing. */
static void what_is_open_can_be_asked(void)
{
    unsigned number = 2;
    struct sim_options o = losing(&number);
    struct sim *sim = sim_new(&o);
    sim_run(sim, 10 * P2_SECOND);
    static const char *const awaited[] = {"message 2", "message 3"};
    for (int side = 0; side < 2; side++) {
        const struct p2_gateway *gw = host_gateway(sim_host(sim, side));
        struct p2_negotiation n;
        CU_ASSERT_EQUAL_FATAL(p2_gateway_negotiations(gw), 1);
        CU_ASSERT_TRUE_FATAL(p2_gateway_open_at(gw, 0, &n));
        CU_ASSERT(n.failure == P2_FAIL_TIMEOUT && n.initiator == (side == 0) && n.id.message_id != 0);
        CU_ASSERT_STRING_EQUAL(n.message, awaited[side]);
        CU_ASSERT_STRING_EQUAL(n.tunnel, o.tunnel[side].name);
        CU_ASSERT_STRING_EQUAL(n.acceptable, "an answer within 63.0 s");
        CU_ASSERT_FALSE(p2_gateway_open_at(gw, 1, &n));
        CU_ASSERT_EQUAL(p2_gateway_negotiations(gw), 1);
    }
    sim_run(sim, SETTLE);
    seen(sim, "asked before", 0, timeout("message 2", "6 copies sent", "an answer within 63.0 s"),
         timeout("message 3", "6 copies sent", "an answer within 63.0 s"));
    sim_free(sim);
}

CHECK_MAIN("how a Quick Mode ends", {"timeouts name the message and its copies", check_timeouts},
           {"notifies name the field and what was sent", check_notifies},
           {"SAs that go away take the negotiation with them", check_sas},
           {"a stuck source of randomness", check_internal},
           {"what is open can be asked", what_is_open_can_be_asked})
