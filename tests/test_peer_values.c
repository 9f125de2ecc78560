/* Values of a peer that must not be used: a row each, of what is sent, which notify goes back and which
 * reason is told. Each is sent in every message that can carry it, to either end: main mode's 3 and 4,
 * aggressive mode's 1 and 2, Quick Mode's 1 and 2, there with PFS. Whoever gets it says so once, at once and
 * on the wire; the next negotiation, with a good value, is agreed on. */
#include "failure_fixture.h"
#include "primes.h"

#define RETRY (5 * P2_SECOND)
#define SETTLE                                                                                               \
    (100 * P2_SECOND) /* an end that has keys believes no notify in clear, and waits for an answer */

/* Which groups a value is one of. */
enum kind { ANY, MODP, SUBGROUP, ECP };

struct value {
    const char *name;
    enum kind kind;
    void (*make)(struct forge_payload *payload); /* of the right one that it finds there */
    uint8_t payload;
    enum p2_failure failure;
    uint16_t notify;
    const char *field;
};

static enum p2_group group; /* of the row that runs */
static const struct value *value;

/* --- Diffie-Hellman --- */

static void put_number(struct forge_payload *ke, unsigned long number)
{
    mpz_t z;
    mpz_init_set_ui(z, number);
    to_bytes(ke->body, ke->len, z);
    mpz_clear(z);
}

static void put_prime_plus(struct forge_payload *ke, int plus)
{
    mpz_t p;
    mpz_init(p);
    prime_of(p, group);
    if (plus < 0)
        mpz_sub_ui(p, p, 1);
    else
        mpz_add_ui(p, p, (unsigned long)plus);
    to_bytes(ke->body, ke->len, p);
    mpz_clear(p);
}

static void zero(struct forge_payload *ke)
{
    put_number(ke, 0);
}

static void one(struct forge_payload *ke)
{
    put_number(ke, 1);
}

static void prime_minus_one(struct forge_payload *ke)
{
    put_prime_plus(ke, -1);
}

static void prime(struct forge_payload *ke)
{
    put_prime_plus(ke, 0);
}

static void prime_plus_one(struct forge_payload *ke)
{
    put_prime_plus(ke, 1);
}

static void all_ones(struct forge_payload *ke)
{
    memset(ke->body, 0xff, ke->len);
}

/* Of order 2q or more, where it should be q: RFC 5114 section 2.3. */
static void two(struct forge_payload *ke)
{
    put_number(ke, 2);
}

/* p - g^x: its order is 2q, and its power tells whether our exponent is even. */
static void negated(struct forge_payload *ke)
{
    mpz_t p, z;
    mpz_inits(p, z, NULL);
    prime_of(p, group);
    mpz_import(z, ke->len, 1, 1, 1, 0, ke->body);
    mpz_sub(z, p, z);
    to_bytes(ke->body, ke->len, z);
    mpz_clears(p, z, NULL);
}

/* Beside the curve: of another one, where logarithms may be easy. */
static void other_y(struct forge_payload *ke)
{
    ke->body[ke->len - 1] ^= 1;
}

static void other_x(struct forge_payload *ke)
{
    ke->body[ke->len / 2 - 1] ^= 1;
}

static void x_without_y(struct forge_payload *ke)
{
    memset(ke->body + ke->len / 2, 0, ke->len / 2);
}

static void a_byte_less(struct forge_payload *ke)
{
    ke->len--;
}

static void a_byte_more(struct forge_payload *ke)
{
    ke->body[ke->len++] = 0;
}

/* As X9.62 writes an uncompressed point, and RFC 5903 section 7 does not. */
static void prefixed(struct forge_payload *ke)
{
    memmove(ke->body + 1, ke->body, ke->len++);
    ke->body[0] = 4;
}

static void empty(struct forge_payload *payload)
{
    payload->len = 0;
}

/* --- nonces --- */

static void nonce_of_7(struct forge_payload *nonce)
{
    nonce->len = 7;
}

static void nonce_of_257(struct forge_payload *nonce)
{
    memset(nonce->body, 0x5a, 257);
    nonce->len = 257;
}

static void nonce_of_1000(struct forge_payload *nonce)
{
    memset(nonce->body, 0x5a, 1000);
    nonce->len = 1000;
}

#define KEY   P2_PAYLOAD_KE, P2_FAIL_INVALID_KEY_INFORMATION, P2_NOTIFY_INVALID_KEY_INFORMATION, "key-exchange"
#define NONCE P2_PAYLOAD_NONCE, P2_FAIL_PAYLOAD_MALFORMED, P2_NOTIFY_PAYLOAD_MALFORMED, "nonce"

static const struct value values[] = {
    {"0", MODP, zero, KEY},
    {"1", MODP, one, KEY},
    {"p - 1", MODP, prime_minus_one, KEY},
    {"p", MODP, prime, KEY},
    {"p + 1", MODP, prime_plus_one, KEY},
    {"2^n - 1", MODP, all_ones, KEY},
    {"2, not in the subgroup", SUBGROUP, two, KEY},
    {"p - g^x, not in the subgroup", SUBGROUP, negated, KEY},
    {"0, 0: as some write the point at infinity", ECP, zero, KEY},
    {"0, 1", ECP, one, KEY},
    {"coordinates past the prime", ECP, all_ones, KEY},
    {"y beside the curve", ECP, other_y, KEY},
    {"x beside the curve", ECP, other_x, KEY},
    {"x, 0", ECP, x_without_y, KEY},
    {"a point with a prefix octet", ECP, prefixed, KEY},
    {"a byte less", ANY, a_byte_less, KEY},
    {"a byte more", ANY, a_byte_more, KEY},
    {"an empty value", ANY, empty, KEY},
};

static const struct value nonces[] = {
    {"no byte", ANY, empty, NONCE},
    {"7 bytes", ANY, nonce_of_7, NONCE},
    {"257 bytes", ANY, nonce_of_257, NONCE},
    {"1000 bytes", ANY, nonce_of_1000, NONCE},
};

/* --- sending them --- */

struct place {
    enum p2_phase1_mode mode;
    uint8_t exchange;
    unsigned number;
};

static const struct place places[] = {
    {P2_PHASE1_MAIN, P2_EXCHANGE_MAIN, 3},
    {P2_PHASE1_MAIN, P2_EXCHANGE_MAIN, 4},
    {P2_PHASE1_AGGRESSIVE, P2_EXCHANGE_AGGRESSIVE, 1},
    {P2_PHASE1_AGGRESSIVE, P2_EXCHANGE_AGGRESSIVE, 2},
    {P2_PHASE1_MAIN, P2_EXCHANGE_QUICK, 1},
    {P2_PHASE1_MAIN, P2_EXCHANGE_QUICK, 2},
};

static void spoil(struct forge_message *message)
{
    value->make(forge_find(message, value->payload));
}

static struct sim_options options_for(const struct place *place)
{
    struct sim_options o = sim_defaults();
    for (int i = 0; i < 2; i++) {
        o.peer[i].phase1.mode = place->mode;
        if (place->exchange == P2_EXCHANGE_QUICK)
            o.tunnel[i].policy.pfs = group;
        else
            o.peer[i].phase1.group = group;
        o.tunnel[i].retry = RETRY;
    }
    return o;
}

static bool is_told(const struct p2_negotiation *n, bool by_notify)
{
    return n->failure == value->failure && n->notify == value->notify && n->notify_received == by_notify &&
           (by_notify || (strcmp(n->field, value->field) == 0 && n->offered[0] && n->acceptable[0])) &&
           n->rule && names_its_source(n->rule);
}

/* Informational messages: its notify, and in this test nothing else. */
static unsigned notifies_of(const struct sim *sim, int side)
{
    const struct sim_message *m;
    unsigned num = 0;
    for (size_t i = 0; (m = sim_sent(sim, i)) != NULL; i++)
        num += m->from == side && m->exchange_type == P2_EXCHANGE_INFORMATIONAL;
    return num;
}

/* The end that got the value: one reason, one notify, nothing installed, nothing left over. */
static bool refuses(struct sim *sim, const struct ledger_entry *entry, int refuser)
{
    return entry && entry->failed[refuser] && is_told(&entry->failures[refuser], false) &&
           sim_failures(sim, refuser) == 1 && sim_all_drops(sim, refuser) == 0 &&
           notifies_of(sim, refuser) == 1 && sim_num_pairs(sim, 0) == 0 && sim_num_pairs(sim, 1) == 0 &&
           p2_gateway_negotiations(host_gateway(sim_host(sim, refuser))) == 0;
}

static void check(const struct place *place)
{
    struct forge forge;
    struct sim_options o = options_for(place);
    struct sim *sim = sim_new(&o);
    int refuser = place->number % 2 == 0 ? 0 : 1;
    forge_begin(&forge, sim);
    forge_plan(&forge, place->exchange, place->number, spoil);
    sim_run(sim, P2_SECOND);
    const struct ledger_entry *entry =
        place->exchange == P2_EXCHANGE_QUICK ? sim_quick(sim, 0) : sim_phase1(sim, 0);
    bool refused = forge.num_edited == 1 && refuses(sim, entry, refuser);
    forge_end(&forge);
    sim_run(sim, SETTLE);
    entry = place->exchange == P2_EXCHANGE_QUICK ? sim_quick(sim, 0) : sim_phase1(sim, 0);
    bool heard = entry && entry->failed[!refuser] && is_told(&entry->failures[!refuser], true);
    bool once = sim_failures(sim, 0) == 1 && sim_failures(sim, 1) == 1, again = sim_sadbs_equal(sim, 1);
    CU_ASSERT(refused && heard && once && again);
    if (!(refused && heard && once && again))
        printf("\n      %s, %s in message %u of exchange %u: refused %d, heard %d, once %d, then agreed %d\n",
               p2_group_of(group)->name, value->name, place->number, place->exchange, refused, heard, once,
               again);
    sim_free(sim);
}

static bool is_for(const struct value *v)
{
    bool ecp = group == P2_GROUP_19 || group == P2_GROUP_20 || group == P2_GROUP_21;
    return v->kind == ANY || (v->kind == ECP) == ecp ? v->kind != SUBGROUP || group == P2_GROUP_24 : false;
}

static void check_values(size_t from, size_t to)
{
    const struct p2_group_info *info;
    for (size_t g = 0; (info = p2_group_at(g)) != NULL; g++) {
        group = info->group;
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            value = &values[v];
            for (size_t p = from; p < to && is_for(value); p++)
                check(&places[p]);
        }
    }
}

static void public_values_in_main_mode(void)
{
    check_values(0, 2);
}

static void public_values_in_aggressive_mode(void)
{
    check_values(2, 4);
}

static void public_values_in_quick_mode(void)
{
    check_values(4, 6);
}

static void nonces_of_wrong_lengths(void)
{
    group = P2_GROUP_2;
    for (size_t v = 0; v < sizeof nonces / sizeof nonces[0]; v++) {
        value = &nonces[v];
        for (size_t p = 0; p < sizeof places / sizeof places[0]; p++)
            check(&places[p]);
    }
}

CHECK_MAIN("values of the peer", {"public values in main mode", public_values_in_main_mode},
           {"public values in aggressive mode", public_values_in_aggressive_mode},
           {"public values in Quick Mode with PFS", public_values_in_quick_mode},
           {"nonces of wrong lengths", nonces_of_wrong_lengths})
