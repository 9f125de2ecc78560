/* Notifies and deletes (RFC 2408 section 3.14 and 3.15), and what they put an end to. */
#include "listener.h"

#include <string.h>

/* RFC 2408 section 3.14.1: numbers below are errors. */
enum { FIRST_STATUS = 16384 };

/* What a notify may refuse is looked for among the last so many Quick Modes of its ISAKMP SA. */
enum { MAX_LOOKED_AT = 128 };

/* An SPI of the offer, or of the answer. */
static bool names_spi(const struct explanation *e, const struct explain_exchange *x, size_t part,
                      struct p2_bytes spi)
{
    struct p2_isakmp_sa_payload sa;
    if (spi.len != 4 || p2_get_u32(spi.data) == 0 || x->part[part] == EXPLAIN_NONE ||
        !explain_sa_payload(&e->messages[x->part[part]], &sa))
        return false;
    for (size_t i = 0; i < sa.num; i++) {
        const struct p2_bytes *own = &sa.transforms[i].spi;
        if (own->len == 4 && memcmp(own->data, spi.data, 4) == 0)
            return true;
    }
    return false;
}

/* Whether it is this end's turn to answer: message 1 is refused by the responder, message 2 by the starter.
 */
static bool waits_for(const struct explain_exchange *x, const struct p2_address *sender)
{
    bool by_starter = p2_address_equal(sender, &x->starter);
    if (x->part[2] != EXPLAIN_NONE)
        return false;
    return by_starter == (x->part[1] != EXPLAIN_NONE);
}

/* Its SPI field says which one, with luck; its message ID is its own. Else it is the last one that waits; but
 * a foreign SPI is that of a packet. */
static size_t refused(const struct explanation *e, const struct explain_message *m,
                      const struct p2_isakmp_notify *notify)
{
    const struct explain_exchange *own = &e->exchanges[m->exchange];
    size_t latest = EXPLAIN_NONE;
    if (own->quick)
        return m->exchange;
    size_t k = e->isakmps[own->isakmp].latest_quick;
    for (size_t n = 0; k != EXPLAIN_NONE && n < MAX_LOOKED_AT; k = e->exchanges[k].older_quick, n++) {
        const struct explain_exchange *x = &e->exchanges[k];
        if (x->notify != 0)
            continue;
        if (names_spi(e, x, 0, notify->spi) || names_spi(e, x, 1, notify->spi))
            return k;
        bool later = latest == EXPLAIN_NONE || x->ended > e->exchanges[latest].ended;
        if (waits_for(x, &m->source) && later && notify->type != P2_NOTIFY_INVALID_SPI)
            latest = k;
    }
    return latest;
}

/* An error that refuses a negotiation; a cookie that is not known refuses none. */
static bool refuses(uint16_t notify)
{
    enum { INVALID_COOKIE = 4 };
    return notify != 0 && notify < FIRST_STATUS && notify != INVALID_COOKIE;
}

static void note_notify(struct explanation *e, size_t message, struct p2_bytes body)
{
    const struct explain_message *m = &e->messages[message];
    struct p2_isakmp_notify notify;
    if (!p2_isakmp_parse_notify(&notify, body) || !refuses(notify.type))
        return;
    size_t found = refused(e, m, &notify);
    if (found == EXPLAIN_NONE)
        return;
    struct explain_exchange *x = &e->exchanges[found];
    if (x->notify != 0 || x->part[2] != EXPLAIN_NONE) /* it was over */
        return;
    x->notify = notify.type;
    x->notify_message = message;
    x->notify_by_starter = p2_address_equal(&m->source, &x->starter);
}

/* A peer names the SAs that it receives under, as a rule; some name both directions. */
static void delete_sa(struct explanation *e, size_t message, uint8_t protocol, uint32_t spi)
{
    const struct explain_message *m = &e->messages[message];
    size_t found = EXPLAIN_NONE;
    size_t k = explain_find_sa(e, (enum p2_protocol)protocol, spi);
    for (size_t n = 0; k != EXPLAIN_NONE && n < EXPLAIN_MAX_OLDER; k = e->sas[k].older, n++) {
        const struct explain_sa *sa = &e->sas[k];
        bool to_sender = p2_address_equal(&sa->destination, &m->source),
             by_sender = p2_address_equal(&sa->source, &m->source);
        if (sa->deleted != EXPLAIN_NONE || !(to_sender || by_sender))
            continue;
        if (found == EXPLAIN_NONE || to_sender)
            found = k;
        if (to_sender)
            break;
    }
    if (found != EXPLAIN_NONE)
        e->sas[found].deleted = message;
}

static void note_delete(struct explanation *e, size_t message, struct p2_bytes body)
{
    struct p2_reader r = p2_reader_init(body.data, body.len);
    p2_read_u32(&r);
    uint8_t protocol = p2_read_u8(&r), spi_len = p2_read_u8(&r);
    uint16_t num = p2_read_u16(&r);
    struct explain_isakmp *i = &e->isakmps[e->exchanges[e->messages[message].exchange].isakmp];
    if (protocol == P2_PROTO_ISAKMP && i->deleted == EXPLAIN_NONE)
        i->deleted = message;
    if ((protocol != P2_PROTO_ESP && protocol != P2_PROTO_AH) || spi_len != 4)
        return;
    for (; num > 0 && r.left >= 4; num--)
        delete_sa(e, message, protocol, p2_read_u32(&r));
}

void explain_notes(struct explanation *e, size_t message)
{
    const struct explain_message *m = &e->messages[message];
    struct p2_payloads p;
    if (m->hash == EXPLAIN_HASH_BAD || !explain_payloads(m, &p))
        return;
    for (size_t i = 0; i < p.num; i++) {
        if (p.list[i].type == P2_PAYLOAD_NOTIFY)
            note_notify(e, message, p.list[i].body);
        else if (p.list[i].type == P2_PAYLOAD_DELETE && m->reading == EXPLAIN_DECRYPTED)
            note_delete(e, message, p.list[i].body);
    }
}
