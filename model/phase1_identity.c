/* Who is at the other end of a Phase 1, and whether it has forgotten us: identities (RFC 2407 section 4.6.2)
 * and INITIAL-CONTACT (section 4.6.3.3). */
#include "phase1.h"

#include <stdio.h>
#include <string.h>

size_t p2_phase1_own_id(const struct p2_exchange *ex, uint8_t id[P2_SELECTOR_ID_MAX])
{
    struct p2_selector self = p2_selector_single(&ex->isakmp->peer->config.local);
    return p2_selector_to_id(&self, id);
}

void p2_phase1_add_id(struct p2_exchange *ex, struct p2_message *message)
{
    uint8_t id[P2_SELECTOR_ID_MAX];
    size_t len = p2_phase1_own_id(ex, id);
    p2_message_add(message, P2_PAYLOAD_ID, id, len);
}

enum p2_verdict p2_phase1_read_id(struct p2_exchange *ex)
{
    struct p2_phase1_state *p = &ex->u.phase1;
    const struct p2_payload *id = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_ID, 0);
    if (!id || id->body.len < 4 || id->body.len > sizeof(p->peer_id))
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    memcpy(p->peer_id, id->body.data, id->body.len);
    p->peer_id_len = id->body.len;
    return P2_VERDICT_GOOD;
}

/* Another peer of the same address that this may be just as well: see phase1.h. */
static bool may_be(const struct p2_exchange *ex, const struct p2_peer *peer)
{
    const struct p2_phase1_policy *a = p2_phase1_policy_of(ex), *b = &peer->config.phase1;
    bool used_already = ex->kind == &p2_main_mode;
    return peer == ex->isakmp->peer ||
           (a->mode == b->mode &&
            (!used_already || (a->psk_len == b->psk_len && memcmp(a->psk, b->psk, a->psk_len) == 0 &&
                               a->cipher == b->cipher && a->hash == b->hash && a->group == b->group)));
}

/* By its very identity if there is one, else one that takes any. NULL: none. */
static struct p2_peer *peer_by_id(const struct p2_exchange *ex, const struct p2_address *id)
{
    struct p2_peer *current = ex->isakmp->peer, *any = current->config.remote_id.family == 0 ? current : NULL;
    if (ex->initiator)
        return any || p2_address_equal(&current->config.remote_id, id) ? current : NULL;
    struct p2_peer *peer = p2_peer_by_address(ex->gw, &current->config.remote);
    for (; peer; peer = peer->next_same_address) {
        if (!may_be(ex, peer))
            continue;
        if (p2_address_equal(&peer->config.remote_id, id))
            return peer;
        if (!any && peer->config.remote_id.family == 0)
            any = peer;
    }
    return any;
}

enum p2_verdict p2_phase1_check_id(struct p2_exchange *ex)
{
    const struct p2_phase1_state *p = &ex->u.phase1;
    struct p2_selector id = {0}, wanted = p2_selector_single(&ex->isakmp->peer->config.remote_id);
    bool is_address = p2_selector_from_id(&id, p->peer_id, p->peer_id_len) == P2_OK && !id.is_range;
    if (!is_address)
        id.address = (struct p2_address){.family = 255}; /* equals no peer's */
    struct p2_peer *peer = peer_by_id(ex, &id.address);
    if (peer) {
        ex->isakmp->peer = peer;
        return P2_VERDICT_GOOD;
    }
    struct p2_failure_detail detail = {
        .failure = P2_FAIL_INVALID_ID_INFORMATION,
        .notify = P2_NOTIFY_INVALID_ID_INFORMATION,
        .field = "phase1-identity",
        .rule = "the peer's Phase 1 identity must be the configured one: RFC 2407 section 4.6.2"};
    p2_selector_format(&wanted, detail.acceptable);
    if (is_address)
        p2_selector_format(&id, detail.offered);
    else
        snprintf(detail.offered, sizeof(detail.offered), "an identity of type %u", p->peer_id[0]);
    return p2_phase1_refuse(ex, &detail);
}

/* --- INITIAL-CONTACT: RFC 2407 section 4.6.3.3 --- */

#define CONTACT_LEN (8 + 16) /* body: DOI, protocol, SPI size, type; both cookies */

size_t p2_phase1_contact_len(const struct p2_exchange *ex)
{
    bool first = p2_phase1_policy_of(ex)->initial_contact && !p2_peer_has_sas(ex->gw, ex->isakmp->peer);
    return first ? 4 + CONTACT_LEN : 0;
}

void p2_phase1_add_contact(struct p2_exchange *ex, struct p2_message *message)
{
    if (p2_phase1_contact_len(ex) == 0)
        return;
    struct p2_builder *b = &message->b;
    p2_message_open(message, P2_PAYLOAD_NOTIFY);
    p2_build_notify(b, P2_PROTO_ISAKMP, 16, P2_NOTIFY_INITIAL_CONTACT);
    p2_build_bytes(b, ex->isakmp->initiator_cookie, 8);
    p2_build_bytes(b, ex->isakmp->responder_cookie, 8);
    p2_message_close(message);
}

/* Only in a message that was protected. */
void p2_phase1_read_contact(struct p2_exchange *ex)
{
    const struct p2_payload *payload;
    struct p2_isakmp_notify notify;
    if (!p2_exchange_is_encrypted(ex))
        return;
    for (size_t n = 0; (payload = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_NOTIFY, n)) != NULL; n++) {
        if (p2_isakmp_parse_notify(&notify, payload->body) && notify.type == P2_NOTIFY_INITIAL_CONTACT)
            ex->u.phase1.initial_contact = true;
    }
}
