/* Phase 1 in main mode with a pre-shared key (RFC 2409 section 5.4):
 *
 *      Initiator                 Responder
 *      HDR, SA            -->
 *                         <--    HDR, SA
 *      HDR, KE, Ni        -->
 *                         <--    HDR, KE, Nr
 *      HDR*, IDii, HASH_I -->
 *                         <--    HDR*, IDir, HASH_R
 *
 * Only the initiator resends; the responder answers duplicates from store. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

/* RFC 2409 appendix A */
enum {
    ATTR_ENCRYPTION = 1,
    ATTR_HASH = 2,
    ATTR_AUTH_METHOD = 3,
    ATTR_GROUP = 4,
    ATTR_LIFE_TYPE = 11,
    ATTR_LIFE_DURATION = 12,
    ATTR_KEY_LENGTH = 14,
};

enum { AUTH_PRE_SHARED_KEY = 1, LIFE_SECONDS = 1 };

enum { I_SENT_SA = 1, I_SENT_KE, I_SENT_HASH, R_SENT_SA, R_SENT_KE };

static const struct p2_phase1_policy *policy_of(const struct p2_exchange *ex)
{
    return &ex->isakmp->peer->config.phase1;
}

static struct p2_phase1_secrets secrets_of(const struct p2_exchange *ex, const uint8_t *shared)
{
    const struct p2_phase1_state *p = &ex->u.phase1;
    const struct p2_phase1_policy *policy = policy_of(ex);
    const struct p2_group_info *group = p2_group_info(policy->group);
    return (struct p2_phase1_secrets){.psk = {policy->psk, policy->psk_len},
                                      .ni = {p->nonce_i, p->nonce_i_len},
                                      .nr = {p->nonce_r, p->nonce_r_len},
                                      .ke_i = {p->public_i, group->public_len},
                                      .ke_r = {p->public_r, group->public_len},
                                      .shared = {shared, group->secret_len},
                                      .cookie_i = ex->isakmp->initiator_cookie,
                                      .cookie_r = ex->isakmp->responder_cookie};
}

static enum p2_verdict fail(struct p2_exchange *ex, enum p2_failure failure, uint16_t notify,
                            const char *field)
{
    struct p2_failure_detail detail = {.failure = failure, .notify = notify};
    snprintf(detail.field, sizeof(detail.field), "%s", field);
    return p2_exchange_fail(ex, &detail);
}

/* --- the SA payload --- */

static void build_attributes(struct p2_builder *b, const struct p2_phase1_policy *policy)
{
    const struct p2_cipher_info *cipher = p2_cipher_info(policy->cipher);
    p2_build_attribute(b, ATTR_ENCRYPTION, cipher->ike_id);
    if (cipher->key_length_attribute)
        p2_build_attribute(b, ATTR_KEY_LENGTH, (uint32_t)cipher->key_len * 8);
    p2_build_attribute(b, ATTR_HASH, p2_hash_info(policy->hash)->ike_id);
    p2_build_attribute(b, ATTR_GROUP, policy->group);
    p2_build_attribute(b, ATTR_AUTH_METHOD, AUTH_PRE_SHARED_KEY);
    p2_build_attribute(b, ATTR_LIFE_TYPE, LIFE_SECONDS);
    p2_build_attribute(b, ATTR_LIFE_DURATION, policy->lifetime_s);
}

/* The initiator's one transform, or the responder's answer: what it chose, as it came (RFC 2408 section 4.2).
 */
static size_t build_sa_body(const struct p2_exchange *ex, uint8_t *out, size_t capacity)
{
    const struct p2_phase1_state *p = &ex->u.phase1;
    struct p2_builder b = p2_builder_init(out, capacity);
    p2_build_u32(&b, P2_DOI_IPSEC);
    p2_build_u32(&b, P2_SIT_IDENTITY_ONLY);
    size_t proposal = b.len;
    p2_build_u32(&b, 0);
    p2_build_u8(&b, ex->initiator ? 1 : p->proposal_number);
    p2_build_u8(&b, P2_PROTO_ISAKMP);
    p2_build_u8(&b, 0);
    p2_build_u8(&b, 1);
    size_t transform = b.len;
    p2_build_u32(&b, 0);
    p2_build_u8(&b, ex->initiator ? 1 : p->transform_number);
    p2_build_u8(&b, P2_TRANSFORM_KEY_IKE);
    p2_build_u16(&b, 0);
    if (ex->initiator)
        build_attributes(&b, policy_of(ex));
    else
        p2_build_bytes(&b, p->attributes, p->attributes_len);
    p2_build_patch_u16(&b, transform + 2, (uint16_t)(b.len - transform));
    p2_build_patch_u16(&b, proposal + 2, (uint16_t)(b.len - proposal));
    return b.len;
}

/* Whether a transform is what our policy says; then *lifetime_s is the shorter of both. */
static bool acceptable(const struct p2_isakmp_transform *t, const struct p2_phase1_policy *policy,
                       uint32_t *lifetime_s)
{
    struct p2_reader r = p2_reader_init(t->attributes.data, t->attributes.len);
    struct p2_attribute a;
    uint64_t values[16] = {0};
    while (p2_isakmp_next_attribute(&r, &a)) {
        if (a.type >= 16)
            return false;
        values[a.type] = a.value;
    }
    *lifetime_s = policy->lifetime_s;
    if (values[ATTR_LIFE_TYPE] == LIFE_SECONDS && values[ATTR_LIFE_DURATION] > 0 &&
        values[ATTR_LIFE_DURATION] < policy->lifetime_s)
        *lifetime_s = (uint32_t)values[ATTR_LIFE_DURATION];
    return !r.failed && t->protocol == P2_PROTO_ISAKMP && t->id == P2_TRANSFORM_KEY_IKE &&
           p2_cipher_by_ike_id((uint16_t)values[ATTR_ENCRYPTION], (uint16_t)values[ATTR_KEY_LENGTH]) ==
               policy->cipher &&
           p2_hash_by_ike_id((uint16_t)values[ATTR_HASH]) == policy->hash &&
           values[ATTR_AUTH_METHOD] == AUTH_PRE_SHARED_KEY && values[ATTR_GROUP] == policy->group;
}

/* The first transform of the SA payload in the inbox that we can accept. */
static bool choose(struct p2_exchange *ex, const struct p2_payload **payload)
{
    struct p2_phase1_state *p = &ex->u.phase1;
    struct p2_isakmp_sa_payload sa;
    *payload = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_SA, 0);
    if (!*payload || p2_isakmp_parse_sa(&sa, (*payload)->body) < 0)
        return false;
    for (size_t i = 0; i < sa.num; i++) {
        const struct p2_isakmp_transform *t = &sa.transforms[i];
        if (t->attributes.len > sizeof(p->attributes) || !acceptable(t, policy_of(ex), &p->lifetime_s))
            continue;
        p->proposal_number = t->proposal_number;
        p->transform_number = t->number;
        memcpy(p->attributes, t->attributes.data, t->attributes.len);
        p->attributes_len = t->attributes.len;
        return true;
    }
    return false;
}

static enum p2_verdict send_sa(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE], body[256];
    struct p2_message m;
    struct p2_isakmp_header header = p2_exchange_header(ex, false);
    size_t len = build_sa_body(ex, body, sizeof(body));
    if (ex->initiator) {
        memcpy(ex->u.phase1.sa_body, body, len);
        ex->u.phase1.sa_body_len = len;
    }
    p2_message_begin(&m, buffer, sizeof(buffer), &header);
    p2_message_add(&m, P2_PAYLOAD_SA, body, len);
    return p2_exchange_send(ex, &m);
}

static enum p2_verdict verify_sa(struct p2_exchange *ex)
{
    const struct p2_payload *sa;
    if (p2_exchange_open(ex) < 0)
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    if (!choose(ex, &sa)) {
        if (ex->initiator)
            return p2_exchange_drop(ex, P2_DROP_UNEXPECTED);
        return fail(ex, P2_FAIL_NO_PROPOSAL_CHOSEN, P2_NOTIFY_NO_PROPOSAL_CHOSEN, "phase1-proposal");
    }
    if (ex->initiator) {
        memcpy(ex->isakmp->responder_cookie, ex->inbox + 8, 8);
        return P2_VERDICT_GOOD;
    }
    if (sa->body.len > sizeof(ex->u.phase1.sa_body))
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    memcpy(ex->u.phase1.sa_body, sa->body.data, sa->body.len);
    ex->u.phase1.sa_body_len = sa->body.len;
    p2_exchange_negotiation(ex, P2_NEGOTIATION_STARTED, NULL);
    return P2_VERDICT_GOOD;
}

/* --- KE and nonce --- */

static enum p2_verdict verify_ke(struct p2_exchange *ex)
{
    struct p2_phase1_state *p = &ex->u.phase1;
    const struct p2_payload *ke, *nonce;
    if (p2_exchange_open(ex) < 0)
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    ke = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_KE, 0);
    nonce = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_NONCE, 0);
    if (!ke || !nonce || ke->body.len != p2_group_info(policy_of(ex)->group)->public_len ||
        nonce->body.len < P2_NONCE_MIN || nonce->body.len > P2_NONCE_MAX)
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    memcpy(ex->initiator ? p->public_r : p->public_i, ke->body.data, ke->body.len);
    memcpy(ex->initiator ? p->nonce_r : p->nonce_i, nonce->body.data, nonce->body.len);
    *(ex->initiator ? &p->nonce_r_len : &p->nonce_i_len) = nonce->body.len;
    return P2_VERDICT_GOOD;
}

static enum p2_verdict send_ke(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_phase1_state *p = &ex->u.phase1;
    struct p2_message m;
    struct p2_isakmp_header header = p2_exchange_header(ex, false);
    uint8_t *public_key = ex->initiator ? p->public_i : p->public_r,
            *nonce = ex->initiator ? p->nonce_i : p->nonce_r;
    if (p2_dh_generate(policy_of(ex)->group, ex->gw->random, p->private_key, public_key) < 0)
        return fail(ex, P2_FAIL_INTERNAL, 0, "diffie-hellman");
    p2_random_fill(ex->gw, P2_RANDOM_NONCE, nonce, P2_NONCE_LEN);
    *(ex->initiator ? &p->nonce_i_len : &p->nonce_r_len) = P2_NONCE_LEN;
    p2_message_begin(&m, buffer, sizeof(buffer), &header);
    p2_message_add(&m, P2_PAYLOAD_KE, public_key, p2_group_info(policy_of(ex)->group)->public_len);
    p2_message_add(&m, P2_PAYLOAD_NONCE, nonce, P2_NONCE_LEN);
    return p2_exchange_send(ex, &m);
}

/* Everything that follows from g^xy: SKEYID, SKEYID_d, _a, _e and the first IV. */
static enum p2_verdict derive(struct p2_exchange *ex)
{
    uint8_t shared[P2_DH_MAX_LEN];
    struct p2_phase1_state *p = &ex->u.phase1;
    const struct p2_group_info *group = p2_group_info(policy_of(ex)->group);
    int r = p2_dh_derive(group->group, p->private_key, ex->initiator ? p->public_r : p->public_i,
                         group->public_len, shared);
    if (r == P2_ERR_PEER_VALUE)
        return fail(ex, P2_FAIL_INVALID_KEY_INFORMATION, P2_NOTIFY_INVALID_KEY_INFORMATION,
                    "diffie-hellman value");
    if (r < 0)
        return fail(ex, P2_FAIL_INTERNAL, 0, "diffie-hellman");
    struct p2_phase1_secrets secrets = secrets_of(ex, shared);
    p2_keymat_skeyid(ex->isakmp->keys.hash, &secrets, p->skeyid);
    p2_keymat_skeyids(&ex->isakmp->keys, &secrets, p->skeyid);
    p2_keymat_phase1_iv(&ex->isakmp->keys, &secrets, ex->iv);
    p2_wipe(shared, sizeof(shared));
    p2_wipe(p->private_key, sizeof(p->private_key));
    return P2_VERDICT_GOOD;
}

static enum p2_verdict answer_ke(struct p2_exchange *ex)
{
    enum p2_verdict verdict = send_ke(ex);
    return verdict == P2_VERDICT_GOOD ? derive(ex) : verdict;
}

/* --- identity and HASH_I, HASH_R --- */

static void hash_ir(struct p2_exchange *ex, bool of_initiator, struct p2_bytes id, uint8_t *out)
{
    struct p2_phase1_secrets secrets = secrets_of(ex, NULL);
    struct p2_bytes sa = {ex->u.phase1.sa_body, ex->u.phase1.sa_body_len};
    p2_keymat_hash_ir(ex->isakmp->keys.hash, &secrets, ex->u.phase1.skeyid, of_initiator, sa, id, out);
}

static enum p2_verdict send_hash(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE], id[P2_SELECTOR_ID_MAX], hash[P2_HASH_MAX_LEN];
    struct p2_message m;
    struct p2_isakmp_header header = p2_exchange_header(ex, true);
    struct p2_selector self = p2_selector_single(&ex->isakmp->peer->config.local);
    size_t id_len = p2_selector_to_id(&self, id);
    hash_ir(ex, ex->initiator, (struct p2_bytes){id, id_len}, hash);
    p2_message_begin(&m, buffer, sizeof(buffer), &header);
    p2_message_add(&m, P2_PAYLOAD_ID, id, id_len);
    p2_message_add(&m, P2_PAYLOAD_HASH, hash, p2_hash_info(ex->isakmp->keys.hash)->len);
    return p2_exchange_send(ex, &m);
}

static enum p2_verdict derive_and_send_hash(struct p2_exchange *ex)
{
    enum p2_verdict verdict = derive(ex);
    return verdict == P2_VERDICT_GOOD ? send_hash(ex) : verdict;
}

static enum p2_verdict verify_hash(struct p2_exchange *ex)
{
    uint8_t expected[P2_HASH_MAX_LEN];
    if (!(ex->inbox[19] & P2_FLAG_ENCRYPTED) || p2_exchange_open(ex) < 0)
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    const struct p2_payload *id = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_ID, 0);
    const struct p2_payload *hash = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_HASH, 0);
    size_t len = p2_hash_info(ex->isakmp->keys.hash)->len;
    if (!id || !hash || hash->body.len != len)
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    hash_ir(ex, !ex->initiator, id->body, expected);
    if (!p2_equal_constant_time(expected, hash->body.data, len))
        return p2_exchange_drop(ex, P2_DROP_HASH_MISMATCH);
    p2_exchange_chain(ex);
    return P2_VERDICT_GOOD;
}

/* The last ciphertext block of Phase 1 is where every later IV comes from. */
static enum p2_verdict established(struct p2_exchange *ex)
{
    struct p2_isakmp_sa *sa = ex->isakmp;
    memcpy(sa->keys.last_block, ex->iv, P2_CIPHER_MAX_BLOCK);
    if (sa->peer->phase1 == ex)
        sa->peer->phase1 = NULL;
    p2_arm(ex->gw, &sa->expire, ex->gw->now + (p2_time)ex->u.phase1.lifetime_s * P2_SECOND);
    p2_exchange_negotiation(ex, P2_NEGOTIATION_READY, NULL);
    p2_isakmp_sa_established(ex->gw, sa);
    return P2_VERDICT_GOOD;
}

static enum p2_verdict answer_hash(struct p2_exchange *ex)
{
    enum p2_verdict verdict = send_hash(ex);
    return verdict == P2_VERDICT_GOOD ? established(ex) : verdict;
}

/* --- what it costs --- */

static void work_generate(struct p2_exchange *ex, struct p2_work *work)
{
    p2_work_add(work, P2_OP_DH_GENERATE, policy_of(ex)->group, 1, 0);
}

static void work_derive(struct p2_exchange *ex, struct p2_work *work)
{
    const struct p2_phase1_policy *policy = policy_of(ex);
    p2_work_add(work, P2_OP_DH_DERIVE, policy->group, 1, 0);
    p2_work_add(work, P2_OP_HMAC, policy->hash, 4, p2_group_info(policy->group)->secret_len + 16);
}

static void work_generate_and_derive(struct p2_exchange *ex, struct p2_work *work)
{
    work_generate(ex, work);
    work_derive(ex, work);
}

/* ID payload (12 bytes for an IPv4 address) and HASH payload. */
static size_t hash_message_len(const struct p2_exchange *ex)
{
    return 12 + 4 + p2_hash_info(policy_of(ex)->hash)->len;
}

static void work_hash(struct p2_exchange *ex, struct p2_work *work, enum p2_operation direction)
{
    const struct p2_phase1_policy *policy = policy_of(ex);
    size_t covered = 2 * p2_group_info(policy->group)->public_len + 16 + ex->u.phase1.sa_body_len + 8;
    p2_work_add(work, P2_OP_HMAC, policy->hash, 1, covered);
    p2_work_add(work, direction, policy->cipher, 1, hash_message_len(ex));
}

static void work_derive_and_hash(struct p2_exchange *ex, struct p2_work *work)
{
    work_derive(ex, work);
    work_hash(ex, work, P2_OP_ENCRYPT);
}

static void work_send_hash(struct p2_exchange *ex, struct p2_work *work)
{
    work_hash(ex, work, P2_OP_ENCRYPT);
}

static void work_verify_hash(struct p2_exchange *ex, struct p2_work *work)
{
    work_hash(ex, work, P2_OP_DECRYPT);
}

/* --- the table --- */

static const struct p2_step steps[] = {
    /* initiator, state, awaits, verify, compute, next state, resends */
    {true, P2_STATE_START, NULL, NULL, NULL, NULL, send_sa, I_SENT_SA, true},
    {true, I_SENT_SA, "message 2", NULL, verify_sa, work_generate, send_ke, I_SENT_KE, true},
    {true, I_SENT_KE, "message 4", NULL, verify_ke, work_derive_and_hash, derive_and_send_hash, I_SENT_HASH,
     true},
    {true, I_SENT_HASH, "message 6", work_verify_hash, verify_hash, NULL, established, P2_STATE_DONE, false},
    {false, P2_STATE_START, "message 1", NULL, verify_sa, NULL, send_sa, R_SENT_SA, false},
    {false, R_SENT_SA, "message 3", NULL, verify_ke, work_generate_and_derive, answer_ke, R_SENT_KE, false},
    {false, R_SENT_KE, "message 5", work_verify_hash, verify_hash, work_send_hash, answer_hash, P2_STATE_DONE,
     false},
};

/* Tunnels that waited for Phase 1 try again later. */
static void send_away(struct p2_gateway *gw, struct p2_peer *peer)
{
    for (struct p2_tunnel *tunnel; (tunnel = p2_peer_take_waiting(peer)) != NULL;)
        p2_tunnel_failed(gw, tunnel);
}

static void main_mode_failed(struct p2_exchange *ex)
{
    struct p2_peer *peer = ex->isakmp->peer;
    if (peer->phase1 == ex) {
        peer->phase1 = NULL;
        send_away(ex->gw, peer);
    }
}

/* Messages did come, but none could be read: the ends hold different keys. */
static void main_mode_timed_out(struct p2_exchange *ex, struct p2_failure_detail *detail)
{
    if (ex->unreadable == 0)
        return;
    detail->failure = P2_FAIL_WRONG_KEY;
    snprintf(detail->offered, sizeof(detail->offered), "%u that could not be decrypted or verified",
             ex->unreadable);
    snprintf(detail->acceptable, sizeof(detail->acceptable), "one under the same pre-shared key");
}

const struct p2_exchange_kind p2_main_mode = {P2_EXCHANGE_MAIN, steps, sizeof(steps) / sizeof(steps[0]),
                                              main_mode_timed_out, main_mode_failed};

void p2_phase1_start(struct p2_gateway *gw, struct p2_peer *peer)
{
    struct p2_isakmp_sa *sa = p2_isakmp_sa_new(gw, peer, true);
    if (!sa)
        return;
    p2_random_fill(gw, P2_RANDOM_COOKIE, sa->initiator_cookie, 8);
    struct p2_exchange *ex = p2_exchange_new(gw, &p2_main_mode, sa, true, 0);
    if (!ex || p2_isakmp_sa_register(gw, sa) < 0) {
        if (ex)
            p2_fail_memory(gw);
        p2_isakmp_sa_remove(gw, sa);
        send_away(gw, peer);
        return;
    }
    peer->phase1 = ex;
    p2_exchange_negotiation(ex, P2_NEGOTIATION_STARTED, NULL);
    p2_exchange_begin(ex);
}

/* A message without a responder cookie: the first one, or a copy of it. */
void p2_phase1_respond(struct p2_gateway *gw, struct p2_peer *peer, const struct p2_isakmp_header *header,
                       const struct p2_datagram *datagram)
{
    uint64_t key = p2_get_u64(header->initiator_cookie);
    struct p2_isakmp_sa *sa = p2_map_get(&gw->isakmp_by_cookie, key);
    if (sa) {
        struct p2_exchange *ex = sa->peer == peer && !sa->initiator ? p2_exchange_find(sa, 0) : NULL;
        if (ex)
            p2_exchange_receive(ex, datagram);
        else
            p2_drop(gw, P2_DROP_UNEXPECTED, 0, false);
        return;
    }
    if (header->exchange_type != P2_EXCHANGE_MAIN || header->message_id != 0 ||
        peer->config.phase1.mode != P2_PHASE1_MAIN) {
        p2_drop(gw, P2_DROP_UNEXPECTED, 0, false);
        return;
    }
    sa = p2_isakmp_sa_new(gw, peer, false);
    if (!sa)
        return;
    memcpy(sa->initiator_cookie, header->initiator_cookie, 8);
    p2_random_fill(gw, P2_RANDOM_COOKIE, sa->responder_cookie, 8);
    struct p2_exchange *ex = p2_exchange_new(gw, &p2_main_mode, sa, false, 0);
    if (!ex || p2_isakmp_sa_register(gw, sa) < 0) {
        p2_isakmp_sa_remove(gw, sa);
        return;
    }
    p2_exchange_receive(ex, datagram);
}
