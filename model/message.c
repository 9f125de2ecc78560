/* Messages of an exchange on their way out and in: hash, padding, encryption and the chain of IVs (RFC
 * 2409 5.5 and appendix B). */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct p2_isakmp_header p2_exchange_header(const struct p2_exchange *ex, bool encrypted)
{
    struct p2_isakmp_header header = {.exchange_type = (uint8_t)ex->kind->type,
                                      .flags = encrypted ? P2_FLAG_ENCRYPTED : 0,
                                      .message_id = ex->message_id};
    memcpy(header.initiator_cookie, ex->isakmp->initiator_cookie, 8);
    memcpy(header.responder_cookie, ex->isakmp->responder_cookie, 8);
    return header;
}

void p2_message_begin_hashed(const struct p2_exchange *ex, struct p2_message *message, uint8_t *buffer,
                             size_t capacity, const struct p2_isakmp_header *header)
{
    static const uint8_t zeros[P2_HASH_MAX_LEN];
    p2_message_begin(message, buffer, capacity, header);
    p2_message_add(message, P2_PAYLOAD_HASH, zeros, p2_hash_of(ex->isakmp->keys.hash)->len);
}

void p2_message_hash(struct p2_exchange *ex, struct p2_message *message, const struct p2_bytes *nonce_i)
{
    const struct p2_isakmp_keys *keys = &ex->isakmp->keys;
    size_t hash_len = p2_hash_of(keys->hash)->len, after = P2_ISAKMP_HEADER_LEN + 4 + hash_len;
    if (message->b.failed)
        return;
    struct p2_bytes payloads = {message->b.data + after, message->b.len - after};
    p2_keymat_hash_1_2(keys, ex->message_id, nonce_i, payloads, message->b.data + P2_ISAKMP_HEADER_LEN + 4);
}

static bool is_encrypted(const uint8_t *message)
{
    return message[19] & P2_FLAG_ENCRYPTED;
}

bool p2_exchange_is_encrypted(const struct p2_exchange *ex)
{
    return is_encrypted(ex->inbox);
}

void p2_exchange_send_stored(struct p2_exchange *ex, bool resend, bool answer)
{
    const struct p2_isakmp_sa *sa = ex->isakmp;
    size_t marker = sa->local_port == P2_PORT_NAT_T ? P2_NON_ESP_MARKER : 0;
    struct p2_action *action = p2_emit(ex->gw, P2_ACTION_SEND_IKE);
    if (resend)
        action->mark = ex->sent_mark;
    action->id = p2_exchange_id(ex);
    action->u.send_ike.resend = resend;
    action->u.send_ike.answer = answer;
    action->u.send_ike.datagram = (struct p2_datagram){.source = sa->peer->config.local,
                                                       .destination = sa->remote,
                                                       .source_port = sa->local_port,
                                                       .destination_port = sa->remote_port,
                                                       .data = ex->sent + P2_NON_ESP_MARKER - marker,
                                                       .len = ex->sent_len + marker};
    ex->resent += resend || answer;
}

enum p2_verdict p2_exchange_send(struct p2_exchange *ex, struct p2_message *message)
{
    const struct p2_isakmp_keys *keys = &ex->isakmp->keys;
    bool encrypted = is_encrypted(message->b.data);
    long len = p2_message_end(message, encrypted ? p2_cipher_of(keys->cipher)->block_len : 1);
    uint8_t *store = len < 0 ? NULL : calloc(1, P2_NON_ESP_MARKER + (size_t)len);
    if (!store) {
        p2_fail_memory(ex->gw);
        return p2_exchange_fail_internally(ex, "memory");
    }
    uint8_t *copy = store + P2_NON_ESP_MARKER;
    memcpy(copy, message->b.data, (size_t)len);
    if (encrypted)
        p2_cipher_encrypt(&keys->cipher_key, ex->iv, copy + P2_ISAKMP_HEADER_LEN, copy + P2_ISAKMP_HEADER_LEN,
                          (size_t)len - P2_ISAKMP_HEADER_LEN);
    free(ex->sent);
    ex->sent = store;
    ex->sent_len = (size_t)len;
    ex->sent_mark = ex->gw->mark;
    p2_exchange_send_stored(ex, false, false);
    return P2_VERDICT_GOOD;
}

int p2_exchange_open(struct p2_exchange *ex)
{
    const uint8_t *in = ex->inbox + P2_ISAKMP_HEADER_LEN;
    size_t len = ex->inbox_len - P2_ISAKMP_HEADER_LEN;
    if (p2_exchange_is_encrypted(ex)) {
        const struct p2_isakmp_keys *keys = &ex->isakmp->keys;
        uint8_t iv[P2_CIPHER_MAX_BLOCK];
        size_t block = p2_cipher_of(keys->cipher)->block_len;
        if (keys->cipher_key.cipher == P2_CIPHER_NONE || len == 0 || len % block != 0)
            return P2_ERR_MALFORMED; /* also: nothing can be encrypted before there are keys */
        memcpy(iv, ex->iv, block);
        p2_cipher_decrypt(&keys->cipher_key, iv, ex->plain, in, len);
    } else if (len > 0) {
        memcpy(ex->plain, in, len);
    }
    return p2_isakmp_parse_payloads(&ex->payloads, ex->inbox[16], ex->plain, len);
}

void p2_exchange_chain(struct p2_exchange *ex)
{
    size_t block = p2_cipher_of(ex->isakmp->keys.cipher)->block_len;
    memcpy(ex->iv, ex->inbox + ex->inbox_len - block, block);
}

bool p2_exchange_verify_hash(struct p2_exchange *ex, const struct p2_bytes *nonce_i)
{
    uint8_t hash[P2_HASH_MAX_LEN];
    const struct p2_isakmp_keys *keys = &ex->isakmp->keys;
    const struct p2_payloads *payloads = &ex->payloads;
    size_t len = p2_hash_of(keys->hash)->len;
    if (payloads->num == 0 || payloads->list[0].type != P2_PAYLOAD_HASH || payloads->list[0].body.len != len)
        return false;
    size_t first = payloads->list[0].whole.len;
    struct p2_bytes rest = {ex->plain + first, payloads->len - first};
    p2_keymat_hash_1_2(keys, ex->message_id, nonce_i, rest, hash);
    return p2_equal_constant_time(hash, payloads->list[0].body.data, len);
}

const struct p2_payload *p2_payloads_foreign(const struct p2_payloads *payloads, uint32_t allowed)
{
    for (size_t i = 0; i < payloads->num; i++) {
        unsigned type = payloads->list[i].type;
        if (type >= 32 || !(allowed >> type & 1))
            return &payloads->list[i];
    }
    return NULL;
}
