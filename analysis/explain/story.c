/* The story of a Quick Mode, and of what else goes on under an ISAKMP SA. */
#include "story.h"

#include "dissect.h"
#include "figure_text.h"
#include "offer_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool story_read_sa(const struct explanation *e, const struct explain_exchange *x, size_t part,
                   struct p2_isakmp_sa_payload *sa)
{
    return x->part[part] != EXPLAIN_NONE && explain_sa_payload(&e->messages[x->part[part]], sa);
}

/* --- a Quick Mode --- */

struct ends {
    char starter[P2_ADDRESS_TEXT], other[P2_ADDRESS_TEXT];
};

static struct ends ends_of(const struct explanation *e, const struct explain_exchange *x)
{
    const struct explain_message *m = &e->messages[x->first];
    struct ends ends = {"", ""};
    bool by_starter = p2_address_equal(&m->source, &x->starter);
    p2_address_format(&x->starter, ends.starter);
    p2_address_format(by_starter ? &m->destination : &m->source, ends.other);
    return ends;
}

static void tell_offer(const struct explanation *e, const struct explain_exchange *x, const struct ends *ends,
                       struct lines *lines)
{
    struct p2_isakmp_sa_payload sa;
    char pair[2 * P2_SELECTOR_TEXT + 8] = "traffic between the two themselves (no proxy IDs)";
    if (!story_read_sa(e, x, 0, &sa))
        return;
    if (x->has_ids)
        p2_selector_format_pair(&x->ids[0], &x->ids[1], pair, sizeof pair);
    lines_add(lines, "%s proposed to %s, for %s:", ends->starter, ends->other, pair);
    story_of_offer(&sa, lines);
}

/* Of the same number, protocol, algorithms. */
static bool is_choice(const struct p2_isakmp_transform *offer, const struct p2_isakmp_transform *choice)
{
    return offer->proposal_number == choice->proposal_number && offer->protocol == choice->protocol &&
           offer->number == choice->number && offer->id == choice->id;
}

static void tell_choice(const struct explanation *e, const struct explain_exchange *x,
                        const struct ends *ends, struct lines *lines)
{
    struct p2_isakmp_sa_payload offer, choice;
    if (!story_read_sa(e, x, 0, &offer) || !story_read_sa(e, x, 1, &choice))
        return;
    const struct p2_isakmp_transform *chosen = &choice.transforms[0];
    char text[400];
    size_t place = 0;
    while (place < offer.num && !is_choice(&offer.transforms[place], chosen))
        place++;
    story_transform(chosen, text, sizeof text);
    lines_add(lines, "%s chose proposal %u, transform %u: %s.", ends->other, chosen->proposal_number,
              chosen->number, text);
    if (place == offer.num)
        lines_add(lines, "That was not offered so: RFC 2408 section 4.2 wants the choice back as it came.");
    else if (place == 0)
        lines_add(lines, "It is the first one offered, and the initiator's order of preference decides among "
                         "those that the responder accepts (RFC 2408 section 4.2).");
    else
        lines_add(lines,
                  "It passed over the %zu before it, which it does not accept: the initiator's order of "
                  "preference decides among the others (RFC 2408 section 4.2).",
                  place);
}

static void tell_hashes(const struct explanation *e, const struct explain_exchange *x, struct lines *lines)
{
    unsigned good = 0, there = 0;
    for (size_t i = 0; i < 3; i++) {
        if (x->part[i] == EXPLAIN_NONE)
            continue;
        const struct explain_message *m = &e->messages[x->part[i]];
        there++;
        good += m->hash == EXPLAIN_HASH_GOOD;
        if (m->hash == EXPLAIN_HASH_BAD)
            lines_add(lines,
                      "HASH(%zu) in frame %" PRIu64 " does not verify: the message was changed or forged, or "
                      "SKEYID_a is another one.",
                      i + 1, m->frame);
        else if (m->hash == EXPLAIN_HASH_UNCHECKED)
            lines_add(lines, "HASH(%zu) could not be checked: %s.", i + 1,
                      e->isakmps[x->isakmp].can_verify ? "a nonce that it covers is not in the capture"
                                                       : "SKEYID_a is not among the keys");
    }
    if (good == 3)
        lines_add(lines, "HASH(1), HASH(2) and HASH(3) verify.");
    else if (good > 0 && good == there)
        lines_add(lines, good == 1 ? "HASH(1) verifies." : "HASH(1) and HASH(2) verify.");
}

static void tell_keys(const struct explanation *e, const struct explain_exchange *x, struct lines *lines)
{
    char group[24];
    explain_group_name(x->group, group, sizeof group);
    bool ke = x->has_ke[0] || x->has_ke[1];
    if (ke && x->secret == EXPLAIN_NONE)
        lines_add(lines,
                  "Its keys cannot be derived: it used PFS (%s), and g(qm)^xy of message ID %08" PRIx32
                  " is not among the keys (quick-mode/@dh-secret).",
                  group, x->message_id);
    else if (!e->isakmps[x->isakmp].can_derive)
        lines_add(lines, "Its keys cannot be derived: SKEYID_d is not among the keys.");
    for (size_t i = 0; i < x->num_sas; i++) {
        const struct explain_sa *sa = &e->sas[x->sas[i]];
        bool ours = sa->algorithms.cipher != P2_CIPHER_NONE || sa->algorithms.auth != P2_AUTH_NONE;
        if (!sa->has_keys && !ours)
            lines_add(lines, "SA %08" PRIx32 ": %s with %s is not known here, so it has no keys.", sa->spi,
                      sa->encryption, sa->authentication);
    }
}

static void tell_resends(const struct explanation *e, const struct explain_exchange *x, struct lines *lines)
{
    for (size_t k = x->first; k != EXPLAIN_NONE; k = e->messages[k].next) {
        const struct explain_message *m = &e->messages[k];
        char name[64];
        if (m->copies == 0)
            continue;
        story_message_name(e, m, name, sizeof name);
        lines_add(lines, "%s (frame %" PRIu64 ") was sent %u times.", name, m->frame, m->copies + 1);
    }
}

static void tell_time(const struct explanation *e, const struct explain_exchange *x, struct lines *lines)
{
    char took[FIGURE_TEXT];
    const struct explain_message *first = &e->messages[x->part[0]], *last = &e->messages[x->part[2]];
    figure_text_ns(took, (double)(last->at - first->at));
    lines_add(lines, "From message 1 to message 3 it took %s.", took);
}

/* Why nothing could be read. */
static void tell_unread(const struct explanation *e, const struct explain_exchange *x, struct lines *lines)
{
    const struct explain_isakmp *i = &e->isakmps[x->isakmp];
    if (e->messages[x->first].reading == EXPLAIN_BROKEN)
        lines_add(lines, "Its messages are broken: cut short by the capture, or not as long as they say.");
    else if (i->known == EXPLAIN_NONE)
        lines_add(lines, "It is encrypted, and no keys are given for this ISAKMP SA (--keys).");
    else if (!i->can_decrypt)
        lines_add(lines,
                  "It is encrypted, and the keys of this ISAKMP SA are not enough: it takes SKEYID_e with "
                  "its cipher and hash, which Phase 1 would show.");
    else if (i->opened == 0)
        lines_add(lines,
                  "Nothing under this ISAKMP SA can be decrypted: SKEYID_e, the cipher or the IV is not "
                  "the right one.");
    else
        lines_add(lines,
                  "It does not decrypt, though other exchanges of this ISAKMP SA do: an earlier message "
                  "is not in the capture (each IV is the end of the message before), or this one was "
                  "changed or forged.");
}

/* The starter sent more than message 1 and copies of it. */
static bool went_on(const struct explanation *e, const struct explain_exchange *x)
{
    for (size_t k = x->first; k != EXPLAIN_NONE; k = e->messages[k].next) {
        if (k != x->part[0] && p2_address_equal(&e->messages[k].source, &x->starter))
            return true;
    }
    return false;
}

static void tell_missing(const struct explanation *e, const struct explain_exchange *x,
                         const struct ends *ends, struct lines *lines)
{
    bool opened[2] = {false, false};
    if (x->part[0] == EXPLAIN_NONE)
        lines_add(lines, "Message 1 is not in the capture, or could not be read.");
    else if (x->part[1] == EXPLAIN_NONE && went_on(e, x))
        lines_add(lines, "Message 2 is not in the capture, or could not be read; %s went on, so it did come.",
                  ends->starter);
    else if (x->part[1] == EXPLAIN_NONE)
        lines_add(lines, "%s did not answer message 1%s.", ends->other,
                  e->messages[x->part[0]].copies > 0 ? " nor its copies"
                                                     : ", or the answer is not in the capture");
    else if (x->part[2] == EXPLAIN_NONE)
        lines_add(lines, "Message 3 is not in the capture: %s waits for it before it uses the new SAs.",
                  ends->other);
    for (size_t i = 0; i < x->num_sas; i++) {
        const struct explain_sa *sa = &e->sas[x->sas[i]];
        opened[sa->to_starter] |= sa->icv_ok > 0;
    }
    if (opened[0] || opened[1])
        lines_add(lines,
                  "It was completed all the same: %s sent packets under its SAs, and their ICVs are good.",
                  opened[0] && opened[1] ? "both ends"
                  : opened[0]            ? ends->starter
                                         : ends->other);
}

static void tell_strays(const struct explanation *e, const struct explain_exchange *x, struct lines *lines)
{
    for (size_t k = x->first; k != EXPLAIN_NONE; k = e->messages[k].next) {
        const struct explain_message *m = &e->messages[k];
        bool placed = false;
        for (size_t i = 0; i < EXPLAIN_PARTS; i++)
            placed = placed || x->part[i] == k;
        if (placed || k == x->notify_message)
            continue;
        if (m->reading == EXPLAIN_NONSENSE || m->hash == EXPLAIN_HASH_BAD)
            lines_add(
                lines, "Frame %" PRIu64 " under the same message ID %s.", m->frame,
                m->reading == EXPLAIN_NONSENSE
                    ? "does not decrypt: the message before it, whose end is its IV, is missing, or it was "
                      "changed or forged"
                    : "has a HASH that does not verify, and counts for nothing");
    }
}

void story_of_quick_mode(const struct explanation *e, size_t exchange, struct lines *lines)
{
    const struct explain_exchange *x = &e->exchanges[exchange];
    struct ends ends = ends_of(e, x);
    enum explain_outcome outcome = explain_outcome(e, x);
    if (!explain_was_read(x) && outcome != EXPLAIN_REJECTED) {
        tell_unread(e, x, lines);
        tell_resends(e, x, lines);
        return;
    }
    tell_offer(e, x, &ends, lines);
    tell_choice(e, x, &ends, lines);
    if (outcome == EXPLAIN_REJECTED)
        story_of_refusal(e, exchange, lines);
    tell_hashes(e, x, lines);
    tell_resends(e, x, lines);
    tell_strays(e, x, lines);
    if (outcome == EXPLAIN_ESTABLISHED && x->part[0] != EXPLAIN_NONE)
        tell_time(e, x, lines);
    if (outcome == EXPLAIN_INCOMPLETE)
        tell_missing(e, x, &ends, lines);
    if (x->chosen)
        tell_keys(e, x, lines);
    if (x->part[1] != EXPLAIN_NONE && e->messages[x->part[1]].header.flags & P2_FLAG_COMMIT)
        lines_add(lines, x->part[3] != EXPLAIN_NONE
                             ? "The commit bit was set, and CONNECTED ended it (RFC 2408 section 3.1)."
                             : "The commit bit was set, but no CONNECTED followed (RFC 2408 section 3.1).");
}

/* --- other exchanges --- */

static void tell_notify(const struct p2_payload *p, const char *from, struct lines *lines)
{
    struct p2_isakmp_notify n;
    char name[DISSECT_TEXT], protocol[DISSECT_TEXT], spi[40] = "";
    if (!p2_isakmp_parse_notify(&n, p->body)) {
        lines_add(lines, "%s sent a notify that does not parse.", from);
        return;
    }
    if (n.spi.len == 4)
        snprintf(spi, sizeof spi, ", SPI %08" PRIx32, p2_get_u32(n.spi.data));
    lines_add(lines, "%s says %s (%s%s).", from, isakmp_notify_name(n.type, name),
              isakmp_protocol_name(n.protocol, protocol), spi);
}

static void tell_delete(const struct p2_payload *p, const char *from, struct lines *lines)
{
    struct p2_reader r = p2_reader_init(p->body.data, p->body.len);
    p2_read_u32(&r);
    uint8_t protocol = p2_read_u8(&r), spi_len = p2_read_u8(&r);
    uint16_t num = p2_read_u16(&r);
    char spis[512] = "", name[DISSECT_TEXT];
    for (unsigned i = 0; i < num && spi_len == 4 && r.left >= 4; i++) {
        size_t len = strlen(spis);
        snprintf(spis + len, sizeof spis - len, "%s%08" PRIx32, i > 0 ? ", " : "", p2_read_u32(&r));
    }
    if (protocol == P2_PROTO_ISAKMP)
        lines_add(lines, "%s deletes the ISAKMP SA.", from);
    else
        lines_add(lines, "%s deletes %s %s.", from, isakmp_protocol_name(protocol, name), spis);
}

static void tell_payloads(const struct explain_message *m, struct lines *lines)
{
    struct p2_payloads p;
    char from[P2_ADDRESS_TEXT];
    p2_address_format(&m->source, from);
    if (!explain_payloads(m, &p))
        return;
    for (size_t i = 0; i < p.num; i++) {
        if (p.list[i].type == P2_PAYLOAD_NOTIFY)
            tell_notify(&p.list[i], from, lines);
        else if (p.list[i].type == P2_PAYLOAD_DELETE)
            tell_delete(&p.list[i], from, lines);
    }
}

void story_of_exchange(const struct explanation *e, size_t exchange, struct lines *lines)
{
    const struct explain_exchange *x = &e->exchanges[exchange];
    for (size_t k = x->first; k != EXPLAIN_NONE; k = e->messages[k].next) {
        const struct explain_message *m = &e->messages[k];
        tell_payloads(m, lines);
        if (m->hash == EXPLAIN_HASH_BAD)
            lines_add(lines, "HASH in frame %" PRIu64 " does not verify: the receiver drops it.", m->frame);
        else if (m->reading == EXPLAIN_CLEAR && x->message_id != 0)
            lines_add(lines, "It came in clear (frame %" PRIu64 "): anybody may have sent it.", m->frame);
    }
    if (e->messages[x->first].reading == EXPLAIN_NO_KEYS || e->messages[x->first].reading == EXPLAIN_NONSENSE)
        tell_unread(e, x, lines);
    tell_resends(e, x, lines);
}
