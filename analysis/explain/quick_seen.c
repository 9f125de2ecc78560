/* What a Quick Mode agreed on: its parts, the choice, and KEYMAT of the SAs that it made (RFC 2409 section
 * 5.5). */
#include "listener.h"

#include "gateway.h"
#include "offer_impl.h"

#include <stdio.h>
#include <string.h>

void explain_group_name(uint16_t group, char *text, size_t size)
{
    if (group == 0)
        snprintf(text, size, "none");
    else
        snprintf(text, size, "group%u", group);
}

/* --- keys --- */

static size_t find_secret(const struct explanation *e, const struct explain_exchange *x)
{
    const uint8_t *cookie = e->isakmps[x->isakmp].initiator_cookie;
    for (size_t i = 0; e->known && i < e->known->num_secrets; i++) {
        const struct known_secret *s = &e->known->secrets[i];
        if (s->message_id == x->message_id && memcmp(s->initiator_cookie, cookie, 8) == 0)
            return i;
    }
    return EXPLAIN_NONE;
}

static int derive(struct explanation *e, const struct explain_exchange *x, struct explain_sa *sa)
{
    struct explain_isakmp *i = &e->isakmps[x->isakmp];
    uint8_t keymat[P2_KEYMAT_MAX];
    struct p2_bytes shared = {NULL, 0};
    if (!i->can_derive || x->nonce[0].len == 0 || x->nonce[1].len == 0)
        return P2_OK;
    if (x->secret != EXPLAIN_NONE)
        shared = (struct p2_bytes){e->known->secrets[x->secret].bytes, e->known->secrets[x->secret].len};
    else if (x->has_ke[0] || x->has_ke[1])
        return P2_OK;
    size_t len = p2_algorithms_keymat_len(&sa->algorithms),
           auth_len = p2_auth_of(sa->algorithms.auth)->key_len;
    p2_keymat_derive(i->keys, shared, (uint8_t)sa->protocol, sa->spi, x->nonce[0], x->nonce[1], keymat, len);
    int r = explain_key_sa(e, sa, keymat, keymat + len - auth_len);
    p2_wipe(keymat, sizeof keymat);
    return r;
}

/* --- SAs --- */

/* RFC 3947 section 5.1, and its drafts, which real peers still use. */
static void read_mode(struct explain_sa *sa, uint64_t mode)
{
    static const struct {
        uint16_t number, mode;
        bool in_udp;
    } modes[] = {{1, P2_MODE_TUNNEL, false},    {2, P2_MODE_TRANSPORT, false},
                 {3, P2_MODE_TUNNEL, true},     {4, P2_MODE_TRANSPORT, true},
                 {61443, P2_MODE_TUNNEL, true}, {61444, P2_MODE_TRANSPORT, true}};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (modes[i].number == mode) {
            sa->mode = modes[i].mode;
            sa->in_udp = modes[i].in_udp;
        }
    }
}

static void describe(struct explain_sa *sa, const struct p2_isakmp_transform *t,
                     const struct p2_transform_reading *r)
{
    sa->esn = r->esn == P2_ESN_64_BITS;
    sa->lifetime_s = r->seconds;
    sa->lifetime_kb = r->kilobytes;
    read_mode(sa, r->mode);
    if (t->protocol == P2_PROTO_ESP)
        p2_transform_name_encryption(t, r, sa->encryption, sizeof sa->encryption);
    else
        snprintf(sa->encryption, sizeof sa->encryption, "none");
    p2_transform_name_authentication(t, r, sa->authentication, sizeof sa->authentication);
}

/* One direction: whoever named the SPI receives under it. */
static int add_sa(struct explanation *e, size_t exchange, const struct p2_isakmp_transform *t, uint32_t spi,
                  bool to_starter)
{
    struct explain_exchange *x = &e->exchanges[exchange];
    struct p2_transform_reading r = p2_transform_read(t->attributes, 0);
    const size_t size = sizeof x->sas / sizeof x->sas[0];
    size_t sa;
    if (x->num_sas == size || explain_add_sa(e, &sa, t->protocol, spi, true) < 0)
        return x->num_sas == size ? P2_OK : P2_ERR_NOMEM;
    if (sa == EXPLAIN_NONE)
        return P2_OK;
    struct explain_sa *new = &e->sas[sa];
    const struct explain_message *first = &e->messages[x->part[0]];
    new->exchange = exchange;
    new->pair = x->pair;
    new->to_starter = to_starter;
    new->source = to_starter ? first->destination : first->source;
    new->destination = to_starter ? first->source : first->destination;
    describe(new, t, &r);
    x->sas[x->num_sas++] = sa;
    if (p2_transform_algorithms(&new->algorithms, t, &r))
        return derive(e, x, new);
    new->algorithms =
        (struct p2_algorithms){P2_CIPHER_NONE, P2_AUTH_NONE}; /* half of them is as good as none */
    return P2_OK;
}

static const struct p2_isakmp_transform *offer_of(const struct p2_isakmp_sa_payload *offer,
                                                  const struct p2_isakmp_transform *choice)
{
    const struct p2_isakmp_transform *of_protocol = NULL;
    for (size_t i = 0; i < offer->num; i++) {
        const struct p2_isakmp_transform *t = &offer->transforms[i];
        if (t->protocol != choice->protocol || t->spi.len != 4)
            continue;
        if (t->proposal_number == choice->proposal_number)
            return t;
        of_protocol = of_protocol ? of_protocol : t;
    }
    return of_protocol;
}

/* What a forged message made is undone when the right one comes. */
static void disown(struct explanation *e, struct explain_exchange *x)
{
    for (size_t i = 0; i < x->num_sas; i++) {
        struct explain_sa *sa = &e->sas[x->sas[i]];
        sa->exchange = EXPLAIN_NONE;
        sa->has_keys = false;
    }
    x->num_sas = 0;
    x->chosen = false;
}

/* The choice stands in message 2, with the responder's SPI; the initiator's stood beside the same number and
 * protocol in message 1. */
static int agree(struct explanation *e, size_t exchange)
{
    struct p2_isakmp_sa_payload offer, choice;
    struct explain_exchange *x = &e->exchanges[exchange];
    if (x->num_sas > 0 || x->part[0] == EXPLAIN_NONE || x->part[1] == EXPLAIN_NONE ||
        !explain_sa_payload(&e->messages[x->part[0]], &offer) ||
        !explain_sa_payload(&e->messages[x->part[1]], &choice))
        return P2_OK;
    x->chosen = true;
    x->group = (uint16_t)p2_transform_read(choice.transforms[0].attributes, 0).group;
    x->secret = find_secret(e, x);
    int r = P2_OK;
    for (size_t i = 0; i < choice.num && r == P2_OK; i++) {
        const struct p2_isakmp_transform *t = &choice.transforms[i], *offered = offer_of(&offer, t);
        bool ours = t->protocol == P2_PROTO_ESP || t->protocol == P2_PROTO_AH; /* IPCOMP stands beside them */
        if (ours && t->spi.len == 4)
            r = add_sa(e, exchange, t, p2_get_u32(t->spi.data), false);
        if (ours && offered && r == P2_OK)
            r = add_sa(e, exchange, t, p2_get_u32(offered->spi.data), true);
    }
    return r;
}

/* --- messages --- */

/* A message that verifies takes the place of one that does not. */
static bool takes_place(const struct explanation *e, const struct explain_exchange *x,
                        const struct explain_message *m)
{
    size_t before = x->part[m->number - 1];
    return before == EXPLAIN_NONE ||
           (e->messages[before].hash == EXPLAIN_HASH_BAD && m->hash != EXPLAIN_HASH_BAD);
}

static void read_ids(struct explain_exchange *x, const struct p2_payloads *p)
{
    const struct p2_payload *ids[2] = {p2_isakmp_find(p, P2_PAYLOAD_ID, 0),
                                       p2_isakmp_find(p, P2_PAYLOAD_ID, 1)};
    x->has_ids = ids[0] && ids[1];
    for (size_t i = 0; i < 2 && x->has_ids; i++)
        x->has_ids = p2_selector_from_id(&x->ids[i], ids[i]->body.data, ids[i]->body.len) == P2_OK;
}

/* What is answered after all was not refused: the notify was about another one, or nobody heeded it. */
static void withdraw_refusal(struct explanation *e, struct explain_exchange *x)
{
    if (x->notify == 0 || x->notify_by_starter)
        return;
    size_t message = x->notify_message;
    x->notify = 0;
    x->notify_message = EXPLAIN_NONE;
    explain_notes(e, message);
}

/* Whoever looks for another offer of the same two goes through these. */
static void note_offer(struct explanation *e, size_t exchange)
{
    size_t index = e->exchanges[exchange].pair;
    struct explain_pair *pair = index == EXPLAIN_NONE ? NULL : &e->pairs[index];
    if (!pair)
        return;
    if (pair->last_offer == EXPLAIN_NONE)
        pair->first_offer = exchange;
    else
        e->exchanges[pair->last_offer].next_offer = exchange;
    pair->last_offer = exchange;
}

int explain_quick(struct explanation *e, size_t message)
{
    const struct explain_message *m = &e->messages[message];
    struct explain_exchange *x = &e->exchanges[m->exchange];
    struct p2_isakmp_sa_payload sa;
    struct p2_payloads p;
    if (m->reading != EXPLAIN_DECRYPTED || m->number == 0 || m->number > EXPLAIN_PARTS ||
        !takes_place(e, x, m))
        return P2_OK;
    if (m->number == 1 && x->part[0] == EXPLAIN_NONE)
        note_offer(e, m->exchange);
    if (m->number <= 2)
        disown(e, x);
    x->part[m->number - 1] = message;
    if (m->number == 3 && m->hash == EXPLAIN_HASH_GOOD) { /* then that was not about this one */
        x->notify = 0;
        x->notify_message = EXPLAIN_NONE;
    }
    if (m->number > 2 || !explain_payloads(m, &p))
        return P2_OK;
    if (m->number == 2 && m->hash != EXPLAIN_HASH_BAD)
        withdraw_refusal(e, x);
    size_t side = m->number - 1;
    const struct p2_payload *nonce = p2_isakmp_find(&p, P2_PAYLOAD_NONCE, 0);
    x->nonce[side] = nonce ? nonce->body : (struct p2_bytes){NULL, 0};
    x->has_ke[side] = p2_isakmp_find(&p, P2_PAYLOAD_KE, 0) != NULL;
    if (m->number == 1) {
        x->starter = m->source;
        read_ids(x, &p);
        if (explain_sa_payload(m, &sa))
            x->group = (uint16_t)p2_transform_read(sa.transforms[0].attributes, 0).group;
    }
    struct explain_isakmp *i = &e->isakmps[x->isakmp];
    if (m->number == 1 && i->initiator.family == 0) { /* no Phase 1 here: whoever begins, most likely */
        i->initiator = m->source;
        i->responder = m->destination;
    }
    return agree(e, m->exchange);
}

/* --- how it ended --- */

/* Its messages do not decrypt, but the keys are right and both ends took part: what is wrong with it is that
 * its beginning is not in the capture. */
static bool lacks_its_beginning(const struct explanation *e, const struct explain_exchange *x)
{
    bool both = false;
    for (size_t k = x->first; k != EXPLAIN_NONE; k = e->messages[k].next)
        both = both || !p2_address_equal(&e->messages[k].source, &e->messages[x->first].source);
    return both && e->isakmps[x->isakmp].opened > 0;
}

bool explain_was_read(const struct explain_exchange *x)
{
    bool any = false;
    for (size_t i = 0; i < EXPLAIN_PARTS; i++)
        any = any || x->part[i] != EXPLAIN_NONE;
    return any;
}

enum explain_outcome explain_outcome(const struct explanation *e, const struct explain_exchange *x)
{
    if (x->notify != 0)
        return EXPLAIN_REJECTED;
    if (!explain_was_read(x))
        return lacks_its_beginning(e, x) ? EXPLAIN_INCOMPLETE : EXPLAIN_UNDECRYPTABLE;
    bool three = x->chosen && x->part[2] != EXPLAIN_NONE;
    return three && e->messages[x->part[2]].hash != EXPLAIN_HASH_BAD ? EXPLAIN_ESTABLISHED
                                                                     : EXPLAIN_INCOMPLETE;
}

const char *explain_outcome_name(enum explain_outcome outcome)
{
    static const char *const names[] = {[EXPLAIN_ESTABLISHED] = "established",
                                        [EXPLAIN_REJECTED] = "rejected",
                                        [EXPLAIN_INCOMPLETE] = "incomplete",
                                        [EXPLAIN_UNDECRYPTABLE] = "undecryptable"};
    return names[outcome];
}

bool explain_started_by_initiator(const struct explanation *e, const struct explain_exchange *x)
{
    const struct explain_isakmp *i = &e->isakmps[x->isakmp];
    if (i->initiator.family == 0 || p2_address_equal(&i->initiator, &x->starter))
        return true;
    /* Behind NAT its address may have become another one since. */
    const struct explain_message *first = &e->messages[x->part[0] != EXPLAIN_NONE ? x->part[0] : x->first];
    return !p2_address_equal(&i->responder, &x->starter) &&
           p2_address_equal(&i->responder, &first->destination);
}
