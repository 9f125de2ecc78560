/* The story of a Phase 1: what it agreed on is in clear; who the ends say they are shows with SKEYID_e only.
 */
#include "story.h"

#include "dissect.h"

#include <inttypes.h>
#include <stdio.h>

/* RFC 2409 appendix A. */
enum { CIPHER = 1, HASH = 2, AUTH_METHOD = 3, GROUP = 4 };

/* Our own names where there are any, "AES-CBC (7)" where not. */
static void tell_algorithms(const struct explain_isakmp *i, struct lines *lines)
{
    char cipher_text[DISSECT_TEXT], hash_text[DISSECT_TEXT], method[DISSECT_TEXT], group[24];
    enum p2_cipher cipher = p2_cipher_by_ike_id(i->cipher_id, i->key_bits);
    enum p2_hash hash = p2_hash_by_ike_id(i->hash_id);
    const char *cipher_name = cipher != P2_CIPHER_NONE
                                  ? p2_cipher_of(cipher)->name
                                  : isakmp_attribute_value(1, CIPHER, i->cipher_id, cipher_text);
    const char *hash_name = hash != P2_HASH_NONE ? p2_hash_of(hash)->name
                                                 : isakmp_attribute_value(1, HASH, i->hash_id, hash_text);
    explain_group_name(i->group, group, sizeof group);
    lines_add(lines, "%s: %s, %s, %s, %s, lifetime %" PRIu64 " s.",
              i->answer != EXPLAIN_NONE ? "Agreed" : "Offered (no answer in the capture)", cipher_name,
              hash_name, group, isakmp_attribute_value(1, AUTH_METHOD, i->auth_method, method),
              i->lifetime_s);
}

static void tell_identities(const struct explanation *e, const struct explain_exchange *x,
                            struct lines *lines)
{
    for (size_t k = x->first; k != EXPLAIN_NONE; k = e->messages[k].next) {
        const struct explain_message *m = &e->messages[k];
        struct p2_payloads p;
        char from[P2_ADDRESS_TEXT], text[DISSECT_TEXT];
        if (!explain_payloads(m, &p))
            continue;
        const struct p2_payload *id = p2_isakmp_find(&p, P2_PAYLOAD_ID, 0);
        p2_address_format(&m->source, from);
        if (id)
            lines_add(lines, "%s says that it is %s.", from, isakmp_id_text(id->body, text));
    }
}

/* NAT-D payloads differ from what the other end reckons if a NAT is between; what shows is port 4500. */
static void tell_nat(const struct explanation *e, const struct explain_exchange *x, struct lines *lines)
{
    for (size_t k = x->first; k != EXPLAIN_NONE; k = e->messages[k].next) {
        const struct explain_message *m = &e->messages[k];
        if (m->source_port != 500 || m->destination_port != 500) {
            lines_add(lines,
                      "From frame %" PRIu64 " on it uses port 4500 (RFC 3947 section 4): a NAT was found, or "
                      "is expected.",
                      m->frame);
            return;
        }
    }
}

void story_of_phase1(const struct explanation *e, size_t exchange, struct lines *lines)
{
    const struct explain_exchange *x = &e->exchanges[exchange];
    const struct explain_isakmp *i = &e->isakmps[x->isakmp];
    char initiator[P2_ADDRESS_TEXT], responder[P2_ADDRESS_TEXT];
    p2_address_format(&i->initiator, initiator);
    p2_address_format(&i->responder, responder);
    if (i->initiator_known)
        lines_add(lines, "%s began it with %s.", initiator, responder);
    if (i->offer != EXPLAIN_NONE || i->answer != EXPLAIN_NONE)
        tell_algorithms(i, lines);
    tell_identities(e, x, lines);
    tell_nat(e, x, lines);
}
