/* Why an offer was refused. What the other end would have taken is not on the wire; but where it has made an
 * offer or a choice of its own elsewhere in the capture, that tells, and our own negotiation is asked what it
 * would say between the two. */
#include "story.h"

#include "dissect.h"
#include "offer_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- what the other end wants --- */

/* A Quick Mode of the same two, in which this end made an offer (or, second best, a choice). EXPLAIN_NONE. */
static size_t find_precedent(const struct explanation *e, const struct explain_exchange *refused,
                             const struct p2_address *end, bool *as_offer)
{
    enum { MAX_LOOKED_AT = 512 };
    size_t choice = EXPLAIN_NONE, looked = 0;
    size_t k = refused->pair == EXPLAIN_NONE ? EXPLAIN_NONE : e->pairs[refused->pair].first_offer;
    for (; k != EXPLAIN_NONE && looked < MAX_LOOKED_AT; k = e->exchanges[k].next_offer, looked++) {
        const struct explain_exchange *x = &e->exchanges[k];
        if (x == refused)
            continue;
        *as_offer = p2_address_equal(&x->starter, end);
        if (*as_offer)
            return k;
        if (x->part[1] != EXPLAIN_NONE && choice == EXPLAIN_NONE)
            choice = k;
    }
    return choice;
}

static void add_alternative(struct p2_protocol_offer *offer, const struct p2_algorithms *a)
{
    if (offer->num < P2_MAX_ALTERNATIVES)
        offer->alternatives[offer->num++] = *a;
}

/* A protocol without an algorithm that we have says nothing of what would be acceptable. */
static void leave_out_unknown(struct p2_policy *policy)
{
    size_t kept = 0;
    for (size_t i = 0; i < policy->num_proposals; i++) {
        const struct p2_proposal *proposal = &policy->proposals[i];
        bool known = proposal->num_protocols > 0;
        for (size_t k = 0; k < proposal->num_protocols; k++)
            known = known && proposal->protocols[k].num > 0;
        if (known)
            policy->proposals[kept++] = *proposal;
    }
    policy->num_proposals = kept;
}

/* One proposal a number; transforms that we do not have are left out. */
static bool policy_of(struct p2_policy *policy, const struct p2_isakmp_sa_payload *sa)
{
    struct p2_transform_reading first = p2_transform_read(sa->transforms[0].attributes, 1);
    struct p2_algorithms a;
    *policy = p2_policy_default(p2_proposal_predefined_name(0));
    policy->num_proposals = 0;
    policy->mode = first.mode % 2 == 1 ? P2_MODE_TUNNEL : P2_MODE_TRANSPORT;
    policy->pfs = (enum p2_group)first.group;
    policy->esn = first.esn == P2_ESN_64_BITS;
    for (size_t i = 0; i < sa->num; i++) {
        const struct p2_isakmp_transform *t = &sa->transforms[i];
        struct p2_transform_reading r = p2_transform_read(t->attributes, 1);
        bool new_number = i == 0 || t->proposal_number != sa->transforms[i - 1].proposal_number;
        bool new_payload = i == 0 || t->proposal != sa->transforms[i - 1].proposal;
        if (new_number && policy->num_proposals == P2_MAX_PROPOSALS)
            break;
        if (new_number)
            policy->proposals[policy->num_proposals++] = (struct p2_proposal){0};
        struct p2_proposal *proposal = &policy->proposals[policy->num_proposals - 1];
        if (new_payload && proposal->num_protocols == P2_MAX_BUNDLE)
            break;
        if (new_payload)
            proposal->protocols[proposal->num_protocols++].protocol = (enum p2_protocol)t->protocol;
        if (p2_transform_algorithms(&a, t, &r))
            add_alternative(&proposal->protocols[proposal->num_protocols - 1], &a);
    }
    leave_out_unknown(policy);
    return policy->num_proposals > 0;
}

/* --- the comparison --- */

static void compare_proposals(const struct explanation *e, const struct explain_exchange *refused,
                              const struct explain_exchange *precedent, bool as_offer, const char *end,
                              struct lines *lines)
{
    struct p2_isakmp_sa_payload offer, theirs;
    struct p2_policy policy;
    struct p2_offer_choice choice;
    if (!story_read_sa(e, refused, 0, &offer) || !story_read_sa(e, precedent, as_offer ? 0 : 1, &theirs) ||
        !policy_of(&policy, &theirs))
        return;
    struct p2_transform_reading r = p2_transform_read(offer.transforms[0].attributes, 1);
    struct p2_offer_context context = {&policy, r.mode == 3 || r.mode == 4, false};
    p2_offer_choose(&choice, &offer, &context);
    uint64_t frame = e->messages[precedent->part[as_offer ? 0 : 1]].frame;
    if (choice.found)
        lines_add(lines, "What %s %s in frame %" PRIu64 " would agree with it, so the reason is another one.",
                  end, as_offer ? "offered itself" : "chose", frame);
    else
        lines_add(lines, "The field is %s: offered %s, while %s %s %s in frame %" PRIu64 "; rule: %s.",
                  choice.field, choice.offered, end, as_offer ? "itself offers" : "chose", choice.acceptable,
                  frame, choice.rule ? choice.rule : "none");
}

static void compare_ids(const struct explanation *e, const struct explain_exchange *refused,
                        const struct explain_exchange *precedent, bool as_offer, const char *end,
                        struct lines *lines)
{
    char offered[2 * P2_SELECTOR_TEXT + 8], wanted[2 * P2_SELECTOR_TEXT + 8];
    size_t from = as_offer ? 1 : 0; /* its own offer, as seen from the one that was refused */
    if (!refused->has_ids || !precedent->has_ids)
        return;
    p2_selector_format_pair(&refused->ids[0], &refused->ids[1], offered, sizeof offered);
    p2_selector_format_pair(&precedent->ids[from], &precedent->ids[1 - from], wanted, sizeof wanted);
    uint64_t frame = e->messages[precedent->part[0]].frame;
    if (p2_selector_equal(&refused->ids[0], &precedent->ids[from]) &&
        p2_selector_equal(&refused->ids[1], &precedent->ids[1 - from]))
        lines_add(lines, "%s has used the same proxy IDs in frame %" PRIu64 ", so the reason is another one.",
                  end, frame);
    else
        lines_add(lines,
                  "The field is proxy-id: offered %s, while frame %" PRIu64
                  " shows that %s would have %s; rule: "
                  "each end's local must be the other's remote (RFC 2409 section 5.5, as Junos holds it).",
                  offered, frame, end, wanted);
}

/* What the notify is about. */
static const char *meaning_of(uint16_t notify)
{
    static const struct {
        uint16_t notify;
        const char *meaning;
    } meanings[] = {
        {P2_NOTIFY_NO_PROPOSAL_CHOSEN, "none of the proposals is one that it accepts (RFC 2408 section 4.2)"},
        {P2_NOTIFY_INVALID_ID_INFORMATION,
         "the proxy IDs are not the mirror of its own (RFC 2409 section 5.5)"},
        {P2_NOTIFY_INVALID_KEY_INFORMATION,
         "the Diffie-Hellman value, or that there is none, does not suit it, or it leads to a weak key"},
        {P2_NOTIFY_INVALID_HASH_INFORMATION, "the HASH does not verify: the ends' keys differ"},
        {P2_NOTIFY_INVALID_PAYLOAD_TYPE, "a payload came that it does not know, or not here"},
        {P2_NOTIFY_PAYLOAD_MALFORMED, "a payload does not parse, or its length is out of range"},
        {P2_NOTIFY_AUTHENTICATION_FAILED, "it could not authenticate the peer"},
    };
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (meanings[i].notify == notify)
            return meanings[i].meaning;
    }
    return "RFC 2408 section 3.14.1";
}

void story_of_refusal(const struct explanation *e, size_t exchange, struct lines *lines)
{
    const struct explain_exchange *x = &e->exchanges[exchange];
    const struct explain_message *m = &e->messages[x->notify_message];
    char end[P2_ADDRESS_TEXT], name[DISSECT_TEXT];
    bool as_offer = false;
    p2_address_format(&m->source, end);
    lines_add(lines, "%s refused it with %s in frame %" PRIu64 ": %s%s.", end,
              isakmp_notify_name(x->notify, name), m->frame, meaning_of(x->notify),
              m->reading == EXPLAIN_CLEAR ? "; in clear, so that anybody may have sent it" : "");
    bool by_field =
        x->notify == P2_NOTIFY_NO_PROPOSAL_CHOSEN || x->notify == P2_NOTIFY_INVALID_ID_INFORMATION;
    size_t precedent =
        by_field && !x->notify_by_starter ? find_precedent(e, x, &m->source, &as_offer) : EXPLAIN_NONE;
    if (precedent == EXPLAIN_NONE) {
        lines_add(lines,
                  "What %s would have taken is not in the capture: compare its own configuration with the "
                  "offer above.",
                  end);
        return;
    }
    if (x->notify == P2_NOTIFY_NO_PROPOSAL_CHOSEN)
        compare_proposals(e, x, &e->exchanges[precedent], as_offer, end, lines);
    else
        compare_ids(e, x, &e->exchanges[precedent], as_offer, end, lines);
}
