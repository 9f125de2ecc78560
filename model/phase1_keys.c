/* Phase 1's Diffie-Hellman, nonces and keys, and the proofs that both ends hold the same pre-shared key (RFC
 * 2409 sections 5 and 5.4). */
#include "phase1.h"

#include <stdio.h>
#include <string.h>

static struct p2_phase1_secrets secrets_of(const struct p2_exchange *ex, const uint8_t *shared)
{
    const struct p2_phase1_state *p = &ex->u.phase1;
    const struct p2_phase1_policy *policy = p2_phase1_policy_of(ex);
    return (struct p2_phase1_secrets){.psk = {policy->psk, policy->psk_len},
                                      .ni = {p->nonce_i, p->nonce_i_len},
                                      .nr = {p->nonce_r, p->nonce_r_len},
                                      .ke_i = {p->public_i, p2_phase1_group_of(ex)->public_len},
                                      .ke_r = {p->public_r, p2_phase1_group_of(ex)->public_len},
                                      .shared = {shared, p2_phase1_group_of(ex)->secret_len},
                                      .cookie_i = ex->isakmp->initiator_cookie,
                                      .cookie_r = ex->isakmp->responder_cookie};
}

enum p2_verdict p2_phase1_generate(struct p2_exchange *ex)
{
    struct p2_phase1_state *p = &ex->u.phase1;
    uint8_t *public_key = ex->initiator ? p->public_i : p->public_r;
    if (p2_dh_generate(p2_phase1_group_of(ex)->group, ex->gw->random, p->private_key, public_key) < 0)
        return p2_exchange_fail_internally(ex, "diffie-hellman");
    p2_random_fill(ex->gw, P2_RANDOM_NONCE, ex->initiator ? p->nonce_i : p->nonce_r, P2_NONCE_LEN);
    *(ex->initiator ? &p->nonce_i_len : &p->nonce_r_len) = P2_NONCE_LEN;
    return P2_VERDICT_GOOD;
}

void p2_phase1_add_ke(struct p2_exchange *ex, struct p2_message *message)
{
    const struct p2_phase1_state *p = &ex->u.phase1;
    p2_message_add(message, P2_PAYLOAD_KE, ex->initiator ? p->public_i : p->public_r,
                   p2_phase1_group_of(ex)->public_len);
    p2_message_add(message, P2_PAYLOAD_NONCE, ex->initiator ? p->nonce_i : p->nonce_r, P2_NONCE_LEN);
}

static enum p2_verdict refuse_ke(struct p2_exchange *ex, const char *offered, const char *acceptable)
{
    struct p2_failure_detail detail = {
        .failure = P2_FAIL_INVALID_KEY_INFORMATION,
        .notify = P2_NOTIFY_INVALID_KEY_INFORMATION,
        .field = "key-exchange",
        .rule = "a KE payload holds one public value of the agreed group: RFC 2409 section 5"};
    snprintf(detail.offered, sizeof(detail.offered), "%s", offered);
    snprintf(detail.acceptable, sizeof(detail.acceptable), "%s", acceptable);
    return p2_phase1_refuse(ex, &detail);
}

static enum p2_verdict refuse_nonce(struct p2_exchange *ex, size_t len)
{
    struct p2_failure_detail detail = {.failure = P2_FAIL_PAYLOAD_MALFORMED,
                                       .notify = P2_NOTIFY_PAYLOAD_MALFORMED,
                                       .field = "nonce",
                                       .acceptable = "8 to 256 bytes",
                                       .rule = "a nonce has 8 to 256 bytes: RFC 2409 section 5"};
    snprintf(detail.offered, sizeof(detail.offered), "%zu bytes", len);
    return p2_phase1_refuse(ex, &detail);
}

/* Both ends derive the same one, so one of them says it. */
static enum p2_verdict refuse_weak_key(struct p2_exchange *ex)
{
    struct p2_failure_detail detail = {.failure = P2_FAIL_INVALID_KEY_INFORMATION,
                                       .notify = P2_NOTIFY_INVALID_KEY_INFORMATION,
                                       .field = "encryption-key",
                                       .acceptable = "one that is not weak",
                                       .rule = P2_RULE_WEAK_KEY};
    snprintf(detail.offered, sizeof(detail.offered), "a weak key for %s",
             p2_cipher_of(ex->isakmp->keys.cipher)->name);
    return p2_phase1_refuse(ex, &detail);
}

enum p2_verdict p2_phase1_read_ke(struct p2_exchange *ex)
{
    struct p2_phase1_state *p = &ex->u.phase1;
    const struct p2_payload *ke = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_KE, 0);
    const struct p2_payload *nonce = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_NONCE, 0);
    if (!ke || !nonce)
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    if (nonce->body.len < P2_NONCE_MIN || nonce->body.len > P2_NONCE_MAX)
        return refuse_nonce(ex, nonce->body.len);
    if (ke->body.len != p2_phase1_group_of(ex)->public_len) {
        char offered[P2_WHY_MAX], acceptable[P2_WHY_MAX];
        snprintf(offered, sizeof(offered), "%zu bytes", ke->body.len);
        snprintf(acceptable, sizeof(acceptable), "%zu bytes: %s", p2_phase1_group_of(ex)->public_len,
                 p2_phase1_group_of(ex)->name);
        return refuse_ke(ex, offered, acceptable);
    }
    memcpy(ex->initiator ? p->public_r : p->public_i, ke->body.data, ke->body.len);
    memcpy(ex->initiator ? p->nonce_r : p->nonce_i, nonce->body.data, nonce->body.len);
    *(ex->initiator ? &p->nonce_r_len : &p->nonce_i_len) = nonce->body.len;
    return P2_VERDICT_GOOD;
}

enum p2_verdict p2_phase1_derive(struct p2_exchange *ex)
{
    uint8_t shared[P2_DH_MAX_LEN];
    struct p2_phase1_state *p = &ex->u.phase1;
    int r =
        p2_dh_derive(p2_phase1_group_of(ex)->group, p->private_key, ex->initiator ? p->public_r : p->public_i,
                     p2_phase1_group_of(ex)->public_len, shared);
    if (r == P2_ERR_PEER_VALUE)
        return refuse_ke(ex, "a value that is not of the group", "2 to p-2, or a point on the curve");
    if (r < 0)
        return p2_exchange_fail_internally(ex, "diffie-hellman");
    struct p2_phase1_secrets secrets = secrets_of(ex, shared);
    p2_keymat_skeyid(ex->isakmp->keys.hash, &secrets, p->skeyid);
    p2_keymat_skeyids(&ex->isakmp->keys, &secrets, p->skeyid);
    p2_keymat_phase1_iv(&ex->isakmp->keys, &secrets, ex->iv);
    p2_wipe(shared, sizeof(shared));
    p2_wipe(p->private_key, sizeof(p->private_key));
    if (p2_cipher_key_is_weak(ex->isakmp->keys.cipher, ex->isakmp->keys.encryption_key))
        return refuse_weak_key(ex);
    p->derived = true;
    return P2_VERDICT_GOOD;
}

/* --- HASH_I and HASH_R --- */

static void hash_ir(struct p2_exchange *ex, bool of_initiator, struct p2_bytes id, uint8_t *out)
{
    struct p2_phase1_secrets secrets = secrets_of(ex, NULL);
    struct p2_bytes sa = {ex->u.phase1.sa_body, ex->u.phase1.sa_body_len};
    p2_keymat_hash_ir(ex->isakmp->keys.hash, &secrets, ex->u.phase1.skeyid, of_initiator, sa, id, out);
}

void p2_phase1_add_hash(struct p2_exchange *ex, struct p2_message *message)
{
    uint8_t id[P2_SELECTOR_ID_MAX], hash[P2_HASH_MAX_LEN];
    size_t id_len = p2_phase1_own_id(ex, id);
    hash_ir(ex, ex->initiator, (struct p2_bytes){id, id_len}, hash);
    p2_message_add(message, P2_PAYLOAD_HASH, hash, p2_hash_of(ex->isakmp->keys.hash)->len);
}

bool p2_phase1_verify_hash(struct p2_exchange *ex)
{
    const struct p2_phase1_state *p = &ex->u.phase1;
    uint8_t expected[P2_HASH_MAX_LEN];
    size_t len = p2_hash_of(ex->isakmp->keys.hash)->len;
    const struct p2_payload *hash = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_HASH, 0);
    if (!hash || hash->body.len != len)
        return false;
    hash_ir(ex, !ex->initiator, (struct p2_bytes){p->peer_id, p->peer_id_len}, expected);
    return p2_equal_constant_time(expected, hash->body.data, len);
}
