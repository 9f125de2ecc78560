/* The story of a Quick Mode, and of what else goes on under an ISAKMP SA. */
#include "story.h"

#include "dissect.h"
#include "figure_text.h"
#include "offer_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- messages --- */

void story_message_name(const struct explanation *e, const struct explain_message *m, char *text, size_t size)
{
    char buffer[DISSECT_TEXT];
    const char *name = isakmp_exchange_name(m->header.exchange_type, buffer);
    const struct explain_message *original = explain_original(e, m);
    bool quick = m->header.exchange_type == P2_EXCHANGE_QUICK;
    if (quick && original->number > 0)
        snprintf(text, size, "%s %u", name, original->number);
    else
        snprintf(text, size, "%s", name);
}

/* Names as RFC 2409 has them, which depend on who speaks: Ni, IDci. */
static const char *payload_name(const struct p2_payload *p, unsigned number, size_t num_ids, char *buffer)
{
    if (p->type == P2_PAYLOAD_NONCE)
        return number == 1 ? "Ni" : number == 2 ? "Nr" : "nonce";
    if (p->type == P2_PAYLOAD_ID && number > 0)
        return num_ids == 0 ? "IDci" : "IDcr";
    if (p->type == P2_PAYLOAD_NOTIFY) {
        struct p2_isakmp_notify notify;
        if (p2_isakmp_parse_notify(&notify, p->body))
            return isakmp_notify_name(notify.type, buffer);
    }
    static const struct {
        uint8_t type;
        const char *name;
    } shorts[] = {{P2_PAYLOAD_SA, "SA"},         {P2_PAYLOAD_KE, "KE"},
                  {P2_PAYLOAD_ID, "ID"},         {P2_PAYLOAD_HASH, "HASH"},
                  {P2_PAYLOAD_DELETE, "DELETE"}, {P2_PAYLOAD_VENDOR, "VID"},
                  {P2_PAYLOAD_NAT_D, "NAT-D"},   {130, "NAT-D"},
                  {P2_PAYLOAD_NAT_OA, "NAT-OA"}, {131, "NAT-OA"}};
    for (size_t i = 0; i < sizeof shorts / sizeof shorts[0]; i++) {
        if (shorts[i].type == p->type)
            return shorts[i].name;
    }
    return isakmp_payload_name(p->type, buffer);
}

static void append(char *text, size_t size, const char *what)
{
    size_t len = strlen(text);
    snprintf(text + len, size - len, "%s%s", len > 0 ? ", " : "", what);
}

/* "4 VID" instead of "VID, VID, VID, VID". */
static void append_run(char *text, size_t size, const char *name, size_t num)
{
    char counted[DISSECT_TEXT + 16];
    if (num > 1)
        snprintf(counted, sizeof counted, "%zu %s", num, name);
    append(text, size, num > 1 ? counted : name);
}

void story_payloads(const struct explanation *e, const struct explain_message *m, char *text, size_t size)
{
    const struct explain_message *original = explain_original(e, m);
    struct p2_payloads p;
    char buffer[DISSECT_TEXT], last[DISSECT_TEXT] = "";
    size_t num_ids = 0, run = 0;
    text[0] = '\0';
    if (!explain_payloads(original, &p)) {
        bool encrypted = original->reading != EXPLAIN_BROKEN && original->reading != EXPLAIN_CLEAR;
        snprintf(text, size, encrypted ? "%zu bytes encrypted" : "%zu bytes, broken",
                 m->isakmp_len - P2_ISAKMP_HEADER_LEN);
        return;
    }
    unsigned number = m->header.exchange_type == P2_EXCHANGE_QUICK ? original->number : 0;
    for (size_t i = 0; i < p.num; i++) {
        const char *name = payload_name(&p.list[i], number, num_ids, buffer);
        num_ids += p.list[i].type == P2_PAYLOAD_ID;
        if (run > 0 && strcmp(name, last) != 0) {
            append_run(text, size, last, run);
            run = 0;
        }
        snprintf(last, sizeof last, "%s", name);
        run++;
    }
    if (run > 0)
        append_run(text, size, last, run);
}

bool story_was_answered(const struct explanation *e, const struct explain_message *m, p2_time until)
{
    enum {
        MAX_LOOKED_AT = 128
    }; /* an answer is not far; there may be a copy to ask this for in every frame */
    const struct explain_exchange *x = &e->exchanges[m->exchange];
    size_t looked = 0;
    for (size_t k = x->first; k != EXPLAIN_NONE && looked < MAX_LOOKED_AT;
         k = e->messages[k].next, looked++) {
        const struct explain_message *other = &e->messages[k];
        if (p2_address_equal(&other->source, &m->destination) && other->at > m->at && other->at < until)
            return true;
    }
    return x->notify_message != EXPLAIN_NONE && e->messages[x->notify_message].at > m->at &&
           e->messages[x->notify_message].at < until;
}

/* --- offers --- */

static void format_lifetime(const struct p2_transform_reading *r, char *text, size_t size)
{
    char kb[48] = "";
    if (r->kilobytes > 0)
        snprintf(kb, sizeof kb, "%s%" PRIu64 " KB", r->seconds > 0 ? " and " : "", r->kilobytes);
    if (r->seconds > 0)
        snprintf(text, size, "%" PRIu64 " s%s", r->seconds, kb);
    else
        snprintf(text, size, "%s", r->kilobytes > 0 ? kb : "lifetime not told (28800 s)");
}

static const char *mode_name(uint64_t mode)
{
    static const char *const names[] = {"mode not told", "tunnel mode", "transport mode",
                                        "tunnel mode in UDP", "transport mode in UDP"};
    if (mode == 61443 || mode == 61444)
        mode -= 61440;
    return mode < sizeof names / sizeof names[0] ? names[mode] : "a mode nobody knows";
}

static void format_algorithms(const struct p2_isakmp_transform *t, const struct p2_transform_reading *r,
                              char *text, size_t size)
{
    char buffer[DISSECT_TEXT], encryption[64], authentication[64];
    p2_transform_name_encryption(t, r, encryption, sizeof encryption);
    p2_transform_name_authentication(t, r, authentication, sizeof authentication);
    bool esp = t->protocol == P2_PROTO_ESP, none = strcmp(authentication, "none") == 0;
    snprintf(text, size, "%s%s%s%s%s", isakmp_protocol_name(t->protocol, buffer), esp ? " " : "",
             esp ? encryption : "", none ? "" : " ", none ? "" : authentication);
}

static void format_transform(const struct p2_isakmp_transform *t, char *text, size_t size)
{
    struct p2_transform_reading r = p2_transform_read(t->attributes, 0);
    char algorithms[160], group[24], lifetime[96];
    format_algorithms(t, &r, algorithms, sizeof algorithms);
    explain_group_name((uint16_t)r.group, group, sizeof group);
    format_lifetime(&r, lifetime, sizeof lifetime);
    snprintf(text, size, "%s, %s, PFS %s, %s%s", algorithms, mode_name(r.mode), group, lifetime,
             r.esn == P2_ESN_64_BITS ? ", extended sequence numbers" : "");
}

void story_of_offer(const struct p2_isakmp_sa_payload *sa, struct lines *lines)
{
    for (size_t i = 0; i < sa->num; i++) {
        const struct p2_isakmp_transform *t = &sa->transforms[i];
        bool with_last = i > 0 && sa->transforms[i - 1].proposal_number == t->proposal_number &&
                         sa->transforms[i - 1].proposal != t->proposal;
        char text[400];
        format_transform(t, text, sizeof text);
        lines_add(lines, "%sproposal %u, transform %u: %s", with_last ? "with " : "", t->proposal_number,
                  t->number, text);
    }
}

/* The SA payload of part 1 or 2. */
static bool read_sa(const struct explanation *e, const struct explain_exchange *x, size_t part,
                    struct p2_isakmp_sa_payload *sa)
{
    struct p2_payloads p;
    if (x->part[part] == EXPLAIN_NONE || !explain_payloads(&e->messages[x->part[part]], &p))
        return false;
    const struct p2_payload *payload = p2_isakmp_find(&p, P2_PAYLOAD_SA, 0);
    return payload && p2_isakmp_parse_sa(sa, payload->body) == P2_OK;
}

/* --- a Quick Mode --- */

struct ends {
    char starter[P2_ADDRESS_TEXT], other[P2_ADDRESS_TEXT];
};

static struct ends ends_of(const struct explanation *e, const struct explain_exchange *x)
{
    const struct explain_message *m = &e->messages[x->first];
    struct ends ends;
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
    if (!read_sa(e, x, 0, &sa))
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
    if (!read_sa(e, x, 0, &offer) || !read_sa(e, x, 1, &choice) || choice.num == 0)
        return;
    const struct p2_isakmp_transform *chosen = &choice.transforms[0];
    char text[400];
    size_t place = 0;
    while (place < offer.num && !is_choice(&offer.transforms[place], chosen))
        place++;
    format_transform(chosen, text, sizeof text);
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
        lines_add(lines, "What there is verifies.");
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

static void tell_missing(const struct explanation *e, const struct explain_exchange *x,
                         const struct ends *ends, struct lines *lines)
{
    bool opened[2] = {false, false};
    if (x->part[0] == EXPLAIN_NONE)
        lines_add(lines, "Message 1 is not in the capture, or could not be read.");
    else if (x->part[1] == EXPLAIN_NONE)
        lines_add(lines, "%s did not answer message 1%s.", ends->other,
                  e->messages[x->part[0]].copies > 0 ? " nor its copies"
                                                     : ", or the answer is not in the capture");
    else if (x->part[2] == EXPLAIN_NONE)
        lines_add(lines, "Message 3 is not in the capture: %s waits for it before it uses the new SAs.",
                  ends->other);
    for (size_t i = 0; i < x->num_sas; i++) {
        const struct explain_sa *sa = &e->sas[x->sas[i]];
        opened[p2_address_equal(&sa->destination, &x->starter)] |= sa->icv_ok > 0;
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
                lines, "Frame %" PRIu64 " under the same message ID %s, and counts for nothing.", m->frame,
                m->reading == EXPLAIN_NONSENSE ? "does not decrypt" : "has a HASH that does not verify");
    }
}

void story_of_quick_mode(const struct explanation *e, size_t exchange, struct lines *lines)
{
    const struct explain_exchange *x = &e->exchanges[exchange];
    struct ends ends = ends_of(e, x);
    enum explain_outcome outcome = explain_outcome(e, x);
    if (outcome == EXPLAIN_UNDECRYPTABLE) {
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
    char spis[512] = "", name[DISSECT_TEXT], one[16];
    for (unsigned i = 0; i < num && spi_len == 4 && r.left >= 4; i++) {
        snprintf(one, sizeof one, "%08" PRIx32, p2_read_u32(&r));
        if (strlen(spis) + 16 < sizeof spis)
            append(spis, sizeof spis, one);
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
