/* Reading the messages that travel under SKEYID_e: a Quick Mode's nonces and SPIs, and the keys they make. */
#include "eavesdrop_impl.h"

#include "isakmp.h"
#include "offer_impl.h"

#include <stdlib.h>
#include <string.h>

/* --- which exchange --- */

static uint64_t key_of(const struct p2_isakmp_header *header)
{
    return p2_get_u64(header->initiator_cookie) ^ (uint64_t)header->message_id * UINT64_C(0x9e3779b97f4a7c15);
}

/* SIZE_MAX: nothing is known of it. */
static size_t find_isakmp(const struct p2_eavesdrop *e, const struct p2_isakmp_header *header)
{
    for (size_t i = 0; i < e->num_isakmp; i++) {
        const struct p2_eavesdrop_isakmp *is = &e->isakmp[i].is;
        if (memcmp(is->initiator_cookie, header->initiator_cookie, 8) == 0 &&
            memcmp(is->responder_cookie, header->responder_cookie, 8) == 0)
            return i;
    }
    return SIZE_MAX;
}

static void begin_exchange(struct p2_eavesdrop *e, struct p2_heard_exchange *ex,
                           const struct p2_isakmp_header *header)
{
    *ex = (struct p2_heard_exchange){.message_id = header->message_id, .isakmp = find_isakmp(e, header)};
    memcpy(ex->initiator_cookie, header->initiator_cookie, 8);
    memcpy(ex->responder_cookie, header->responder_cookie, 8);
    ex->lost = ex->isakmp == SIZE_MAX || !e->isakmp[ex->isakmp].is.knows_e;
    if (!ex->lost)
        p2_keymat_phase2_iv(&e->isakmp[ex->isakmp].keys, ex->message_id, ex->iv);
}

/* NULL: out of memory. */
static struct p2_heard_exchange *exchange_of(struct p2_eavesdrop *e, const struct p2_isakmp_header *header)
{
    uint64_t key = key_of(header);
    uintptr_t place = (uintptr_t)p2_map_get(&e->exchange_places, key);
    if (place != 0)
        return &e->exchanges[place - 1];
    struct p2_heard_exchange *bigger = realloc(e->exchanges, (e->num_exchanges + 1) * sizeof(*bigger));
    if (!bigger)
        return NULL;
    e->exchanges = bigger;
    if (p2_map_put(&e->exchange_places, key, (void *)(uintptr_t)(e->num_exchanges + 1)) < 0)
        return NULL;
    begin_exchange(e, &bigger[e->num_exchanges], header);
    return &bigger[e->num_exchanges++];
}

/* Ciphertext: its last bytes tell messages apart. */
static bool is_resent(struct p2_heard_exchange *ex, const uint8_t *message, size_t len)
{
    uint64_t last = p2_get_u64(message + len - 8);
    for (size_t i = 0; i < ex->num_messages; i++) {
        if (ex->messages[i] == last)
            return true;
    }
    if (ex->num_messages == P2_HEARD_MAX_MESSAGES)
        return true;
    ex->messages[ex->num_messages++] = last;
    return false;
}

/* --- the SAs of a Quick Mode --- */

/* g(qm)^xy if somebody told us; else none, which is right without PFS and opens nothing with it. */
static struct p2_bytes secret_of(const struct p2_eavesdrop *e, const struct p2_heard_exchange *ex)
{
    for (size_t i = 0; i < e->num_secrets; i++) {
        const struct p2_known_secret *secret = &e->secrets[i];
        if (secret->message_id == ex->message_id &&
            memcmp(secret->initiator_cookie, ex->initiator_cookie, 8) == 0)
            return (struct p2_bytes){secret->bytes, secret->len};
    }
    return (struct p2_bytes){NULL, 0};
}

static void derive(const struct p2_eavesdrop *e, const struct p2_heard_exchange *ex,
                   const struct p2_isakmp_transform *t, struct p2_heard_sa *sa)
{
    uint8_t keymat[P2_KEYMAT_MAX];
    struct p2_algorithms a;
    struct p2_transform_reading reading = p2_transform_read(t->attributes, 0);
    if (!e->isakmp[ex->isakmp].is.knows_d || !p2_transform_algorithms(&a, t, &reading))
        return;
    size_t len = p2_algorithms_keymat_len(&a), cipher_len = len - p2_auth_of(a.auth)->key_len;
    p2_keymat_derive(&e->isakmp[ex->isakmp].keys, secret_of(e, ex), t->protocol, sa->is.spi,
                     (struct p2_bytes){ex->nonce[0], ex->nonce_len[0]},
                     (struct p2_bytes){ex->nonce[1], ex->nonce_len[1]}, keymat, len);
    p2_esp_init(&sa->keys, a.cipher, keymat, a.auth, keymat + cipher_len, reading.esn == P2_ESN_64_BITS);
    p2_wipe(keymat, sizeof(keymat));
    sa->has_keys = true;
}

static int note_sa(struct p2_eavesdrop *e, const struct p2_heard_exchange *ex,
                   const struct p2_isakmp_transform *t, uint32_t spi)
{
    struct p2_heard_sa *sa = p2_heard_sa(e, spi);
    if (!sa)
        return P2_ERR_NOMEM;
    sa->is.negotiated = true;
    sa->is.pfs = ex->pfs;
    derive(e, ex, t, sa);
    return P2_OK;
}

/* The choice stands in message 2, with the responder's SPI; the initiator's stood beside the same number and
 * protocol in message 1. */
static int note_choice(struct p2_eavesdrop *e, const struct p2_heard_exchange *ex,
                       const struct p2_isakmp_sa_payload *choice)
{
    int result = P2_OK;
    for (size_t i = 0; i < choice->num && result == P2_OK; i++) {
        const struct p2_isakmp_transform *t = &choice->transforms[i];
        if (t->protocol != P2_PROTO_ESP || t->spi.len != 4)
            continue;
        result = note_sa(e, ex, t, p2_get_u32(t->spi.data));
        for (size_t k = 0; k < ex->num_offers && result == P2_OK; k++) {
            const struct p2_heard_offer *offer = &ex->offers[k];
            if (offer->number != t->proposal_number || offer->protocol != t->protocol)
                continue;
            result = note_sa(e, ex, t, offer->spi);
            break;
        }
    }
    return result;
}

static void note_offers(struct p2_heard_exchange *ex, const struct p2_isakmp_sa_payload *sa)
{
    for (size_t i = 0; i < sa->num; i++) {
        const struct p2_isakmp_transform *t = &sa->transforms[i];
        if (t->spi.len == 4)
            ex->offers[ex->num_offers++] =
                (struct p2_heard_offer){t->proposal_number, t->protocol, p2_get_u32(t->spi.data)};
    }
}

/* --- a message --- */

/* Message 1 or 2. Nobody but the two peers can verify HASH(n) without SKEYID_a; but nothing else than the
 * right key makes a chain of payloads out of the bytes. */
static int read_quick(struct p2_eavesdrop *e, struct p2_heard_exchange *ex,
                      const struct p2_payloads *payloads)
{
    size_t side = ex->num_messages - 1;
    const struct p2_payload *sa_payload = p2_isakmp_find(payloads, P2_PAYLOAD_SA, 0);
    const struct p2_payload *nonce = p2_isakmp_find(payloads, P2_PAYLOAD_NONCE, 0);
    struct p2_isakmp_sa_payload sa;
    if (side > 1)
        return P2_OK;
    if (!sa_payload || !nonce || nonce->body.len > P2_HEARD_MAX_NONCE ||
        p2_isakmp_parse_sa(&sa, sa_payload->body) < 0) {
        ex->lost = true;
        return P2_OK;
    }
    memcpy(ex->nonce[side], nonce->body.data, nonce->body.len);
    ex->nonce_len[side] = nonce->body.len;
    ex->pfs = p2_isakmp_find(payloads, P2_PAYLOAD_KE, 0) != NULL;
    if (side == 0) {
        note_offers(ex, &sa);
        return P2_OK;
    }
    ex->read = true;
    e->counts.quick_modes_read++;
    return note_choice(e, ex, &sa);
}

static bool decrypt(struct p2_eavesdrop *e, struct p2_heard_exchange *ex, struct p2_payloads *payloads,
                    const uint8_t *message, size_t len)
{
    const struct p2_isakmp_keys *keys = &e->isakmp[ex->isakmp].keys;
    size_t body = len - P2_ISAKMP_HEADER_LEN, block = p2_cipher_of(keys->cipher)->block_len;
    if (body == 0 || body % block != 0 || body > sizeof(e->plain))
        return false;
    p2_cipher_decrypt(&keys->cipher_key, ex->iv, e->plain, message + P2_ISAKMP_HEADER_LEN, body);
    return p2_isakmp_parse_payloads(payloads, message[16], e->plain, body) == P2_OK && payloads->num > 0 &&
           payloads->list[0].type == P2_PAYLOAD_HASH &&
           payloads->list[0].body.len == p2_hash_of(keys->hash)->len;
}

int p2_eavesdrop_ike(struct p2_eavesdrop *e, struct p2_eavesdrop_packet *heard, const uint8_t *message,
                     size_t len)
{
    struct p2_isakmp_header header;
    struct p2_payloads payloads;
    if (p2_isakmp_parse_header(&header, message, len) < 0)
        return P2_OK;
    heard->what = P2_HEARD_IKE;
    if (!(header.flags & P2_FLAG_ENCRYPTED) || header.message_id == 0 || len < P2_ISAKMP_HEADER_LEN + 8)
        return P2_OK;
    struct p2_heard_exchange *ex = exchange_of(e, &header);
    if (!ex)
        return P2_ERR_NOMEM;
    bool quick = header.exchange_type == P2_EXCHANGE_QUICK;
    e->counts.quick_modes += quick && !ex->quick;
    ex->quick = ex->quick || quick;
    if (is_resent(ex, message, len) || ex->lost)
        return P2_OK;
    if (!decrypt(e, ex, &payloads, message, len)) {
        ex->lost = true;
        return P2_OK;
    }
    heard->read = true;
    heard->plain = (struct p2_bytes){e->plain, len - P2_ISAKMP_HEADER_LEN};
    heard->next = header.next_payload;
    return quick ? read_quick(e, ex, &payloads) : P2_OK;
}
