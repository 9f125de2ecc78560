#include "forge.h"

#include "keymat.h"

#include <assert.h>

/* --- payloads --- */

struct forge_payload *forge_find(struct forge_message *message, uint8_t type)
{
    for (size_t i = 0; i < message->num; i++) {
        if (message->payloads[i].type == type)
            return &message->payloads[i];
    }
    fprintf(stderr, "forge: no payload of type %u\n", type);
    abort();
}

void forge_add(struct forge_message *message, uint8_t type, const void *body, size_t len)
{
    assert(message->num < FORGE_PAYLOADS && len <= FORGE_BODY);
    struct forge_payload *payload = &message->payloads[message->num++];
    payload->type = type;
    payload->len = len;
    memcpy(payload->body, body, len);
}

void forge_remove(struct forge_message *message, uint8_t type)
{
    struct forge_payload *at = forge_find(message, type);
    size_t behind = (size_t)(message->payloads + message->num - (at + 1));
    memmove(at, at + 1, behind * sizeof(*at));
    message->num--;
}

/* --- keys --- */

static struct p2_isakmp_keys keys_of(const struct forge *forge, int side)
{
    const struct p2_isakmp_info *info = sim_isakmp(forge->sim, side);
    struct p2_isakmp_keys keys = {.hash = info->hash, .cipher = info->cipher};
    memcpy(keys.skeyid_d, info->keys.skeyid_d, sizeof(keys.skeyid_d));
    memcpy(keys.skeyid_a, info->keys.skeyid_a, sizeof(keys.skeyid_a));
    memcpy(keys.skeyid_e, info->keys.skeyid_e, sizeof(keys.skeyid_e));
    memcpy(keys.last_block, info->keys.iv, sizeof(keys.last_block));
    p2_keymat_prepare(&keys);
    return keys;
}

static bool is_encrypted(const struct p2_isakmp_header *header)
{
    return header->flags & P2_FLAG_ENCRYPTED;
}

/* The last block of a message is the next one's IV. */
static void chain(uint8_t *iv, const struct p2_isakmp_keys *keys, const uint8_t *message, size_t len)
{
    size_t block = p2_cipher_of(keys->cipher)->block_len;
    memcpy(iv, message + len - block, block);
}

/* --- from bytes to payloads and back --- */

static void parse(struct forge_message *out, const uint8_t *data, size_t len)
{
    struct p2_payloads payloads;
    int r = p2_isakmp_parse_payloads(&payloads, out->header.next_payload, data, len);
    assert(r == P2_OK);
    (void)r;
    for (size_t i = 0; i < payloads.num; i++)
        forge_add(out, payloads.list[i].type, payloads.list[i].body.data, payloads.list[i].body.len);
}

static void open_message(struct forge_message *out, struct forge_exchange *exchange,
                         const struct p2_isakmp_keys *keys, const uint8_t *data, size_t len)
{
    uint8_t plain[2048], iv[P2_CIPHER_MAX_BLOCK];
    size_t body = len - P2_ISAKMP_HEADER_LEN;
    if (!is_encrypted(&out->header)) {
        parse(out, data + P2_ISAKMP_HEADER_LEN, body);
        return;
    }
    memcpy(iv, exchange->iv[out->from], sizeof(iv));
    p2_cipher_decrypt(&keys->cipher_key, iv, plain, data + P2_ISAKMP_HEADER_LEN, body);
    chain(exchange->iv[out->from], keys, data, len);
    parse(out, plain, body);
}

static struct p2_bytes bytes_of(const struct forge_payload *payload)
{
    return (struct p2_bytes){payload->body, payload->len};
}

/* What HASH the receiver expects: of Quick Mode (RFC 2409 section 5.5) or of an informational exchange. */
static void rehash(struct forge_message *m, const struct forge_exchange *exchange,
                   const struct p2_isakmp_keys *keys, struct p2_message *built)
{
    const struct forge_payload *nonces = exchange->nonces[!m->from];
    struct p2_bytes ni = bytes_of(&nonces[0]), nr = bytes_of(&nonces[1]);
    bool quick = m->header.exchange_type == P2_EXCHANGE_QUICK;
    uint8_t *hash = built->b.data + P2_ISAKMP_HEADER_LEN + 4;
    size_t after = P2_ISAKMP_HEADER_LEN + 4 + p2_hash_of(keys->hash)->len;
    struct p2_bytes rest = {built->b.data + after, built->b.len - after};
    if (quick && m->number == 3)
        p2_keymat_hash_3(keys, m->header.message_id, ni, nr, hash);
    else
        p2_keymat_hash_1_2(keys, m->header.message_id, quick && m->number == 2 ? &ni : NULL, rest, hash);
}

static size_t seal_message(struct forge_message *m, struct forge_exchange *exchange,
                           const struct p2_isakmp_keys *keys, uint8_t *out, size_t capacity)
{
    struct p2_message built;
    bool encrypted = is_encrypted(&m->header);
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    p2_message_begin(&built, out, capacity, &m->header);
    for (size_t i = 0; i < m->num; i++)
        p2_message_add(&built, m->payloads[i].type, m->payloads[i].body, m->payloads[i].len);
    if (encrypted && !m->keep_hash)
        rehash(m, exchange, keys, &built);
    long len = p2_message_end(&built, encrypted ? p2_cipher_of(keys->cipher)->block_len : 1);
    assert(len > 0);
    if (encrypted) {
        memcpy(iv, exchange->iv[!m->from], sizeof(iv));
        p2_cipher_encrypt(&keys->cipher_key, iv, out + P2_ISAKMP_HEADER_LEN, out + P2_ISAKMP_HEADER_LEN,
                          (size_t)len - P2_ISAKMP_HEADER_LEN);
        chain(exchange->iv[!m->from], keys, out, (size_t)len);
    }
    return (size_t)len;
}

/* --- exchanges --- */

static struct forge_exchange *follow(struct forge *forge, const struct p2_isakmp_header *header,
                                     const struct p2_isakmp_keys *keys)
{
    for (size_t i = 0; i < forge->num_exchanges; i++) {
        const struct p2_isakmp_header *first = &forge->exchanges[i].first;
        if (first->message_id == header->message_id &&
            memcmp(first->initiator_cookie, header->initiator_cookie, 8) == 0)
            return &forge->exchanges[i];
    }
    assert(forge->num_exchanges < FORGE_EXCHANGES);
    struct forge_exchange *exchange = &forge->exchanges[forge->num_exchanges++];
    exchange->first = *header;
    if (is_encrypted(header)) {
        p2_keymat_phase2_iv(keys, header->message_id, exchange->iv[0]);
        memcpy(exchange->iv[1], exchange->iv[0], sizeof(exchange->iv[1]));
    }
    return exchange;
}

/* A nonce is Ni in message 1 and Nr in message 2. `side` knows it so. */
static void learn_nonce(struct forge_exchange *exchange, const struct forge_message *m, int side)
{
    for (size_t i = 0; i < m->num && m->number <= 2; i++) {
        if (m->payloads[i].type == P2_PAYLOAD_NONCE)
            exchange->nonces[side][m->number - 1] = m->payloads[i];
    }
}

static bool is_copy(const struct forge_copy *copy, const struct sim_message *sent)
{
    return copy->came_len == sent->len && memcmp(copy->came, sent->bytes, sent->len) == 0;
}

/* True: the message was taken, and something else went on in its place. */
static bool pass_on(struct forge *forge, struct forge_exchange *exchange, struct forge_message *m,
                    const struct p2_isakmp_keys *keys, const struct sim_message *sent)
{
    struct forge_copy *copy = &exchange->last[sent->from];
    bool planned = forge->edit && m->header.exchange_type == forge->exchange_type &&
                   exchange->num_messages == forge->number;
    open_message(m, exchange, keys, sent->bytes, sent->len);
    learn_nonce(exchange, m, m->from);
    if (planned) {
        forge_edit *edit = forge->edit;
        forge->edit = NULL;
        forge->num_edited++;
        exchange->changed = true;
        edit(m);
    }
    learn_nonce(exchange, m, !m->from);
    copy->went_len = 0;
    if (exchange->changed) {
        copy->went_len = seal_message(m, exchange, keys, copy->went, sizeof(copy->went));
        sim_launch_ike(forge->sim, !sent->from, copy->went, copy->went_len);
    } else if (is_encrypted(&m->header)) {
        chain(exchange->iv[!m->from], keys, sent->bytes, sent->len);
    }
    return exchange->changed;
}

/* Phase 1's encrypted messages are left alone: its keys are not known yet. */
static bool on_message(void *ctx, const struct sim_message *sent)
{
    struct forge *forge = ctx;
    struct forge_message *m = calloc(1, sizeof(*m));
    bool taken = false;
    m->from = sent->from;
    if (!sent->keepalive && p2_isakmp_parse_header(&m->header, sent->bytes, sent->len) == P2_OK &&
        !(is_encrypted(&m->header) && m->header.message_id == 0)) {
        struct p2_isakmp_keys keys = {0};
        if (is_encrypted(&m->header))
            keys = keys_of(forge, sent->from);
        struct forge_exchange *exchange = follow(forge, &m->header, &keys);
        struct forge_copy *copy = &exchange->last[sent->from];
        if (is_copy(copy, sent)) {
            taken = copy->went_len > 0;
            if (taken)
                sim_launch_ike(forge->sim, !sent->from, copy->went, copy->went_len);
        } else {
            m->number = ++exchange->num_messages;
            memcpy(copy->came, sent->bytes, sent->len);
            copy->came_len = sent->len;
            taken = pass_on(forge, exchange, m, &keys, sent);
        }
    }
    free(m);
    return taken;
}

/* --- the face --- */

void forge_begin(struct forge *forge, struct sim *sim)
{
    *forge = (struct forge){.sim = sim, .next_message_id = 0x7f000001};
    forge->exchanges = calloc(FORGE_EXCHANGES, sizeof(*forge->exchanges));
    sim_lose(sim, on_message, forge);
}

void forge_end(struct forge *forge)
{
    sim_lose(forge->sim, NULL, NULL);
    free(forge->exchanges);
}

void forge_plan(struct forge *forge, uint8_t exchange_type, unsigned number, forge_edit *edit)
{
    forge->exchange_type = exchange_type;
    forge->number = number;
    forge->edit = edit;
}

void forge_let_copies_pass(struct forge *forge)
{
    for (size_t i = 0; i < forge->num_exchanges; i++)
        forge->exchanges[i].last[0].went_len = forge->exchanges[i].last[1].went_len = 0;
}

void forge_inform(struct forge *forge, int from, uint8_t payload, const void *body, size_t len)
{
    struct forge_payload *only = calloc(1, sizeof(*only));
    assert(len <= FORGE_BODY);
    only->type = payload;
    only->len = len;
    memcpy(only->body, body, len);
    forge_informs(forge, from, only, 1);
    free(only);
}

void forge_informs(struct forge *forge, int from, const struct forge_payload *payloads, size_t num)
{
    uint8_t out[2048];
    struct forge_message *m = calloc(1, sizeof(*m));
    const struct p2_isakmp_info *info = sim_isakmp(forge->sim, from);
    struct p2_isakmp_keys keys = keys_of(forge, from);
    static const uint8_t zeros[P2_HASH_MAX_LEN];
    *m = (struct forge_message){.from = from, .number = 1};
    m->header = (struct p2_isakmp_header){.exchange_type = P2_EXCHANGE_INFORMATIONAL,
                                          .flags = P2_FLAG_ENCRYPTED,
                                          .message_id = forge->next_message_id++};
    memcpy(m->header.initiator_cookie, info->id.initiator_cookie, 8);
    memcpy(m->header.responder_cookie, info->id.responder_cookie, 8);
    forge_add(m, P2_PAYLOAD_HASH, zeros, p2_hash_of(keys.hash)->len);
    for (size_t i = 0; i < num; i++)
        forge_add(m, payloads[i].type, payloads[i].body, payloads[i].len);
    size_t out_len = seal_message(m, follow(forge, &m->header, &keys), &keys, out, sizeof(out));
    free(m);
    sim_inject_ike(forge->sim, !from, out, out_len);
}

void forge_notify(struct forge *forge, int from, uint16_t type)
{
    uint8_t body[12] = {0, 0, 0, P2_DOI_IPSEC, P2_PROTO_ESP, 4, (uint8_t)(type >> 8), (uint8_t)type};
    forge_inform(forge, from, P2_PAYLOAD_NOTIFY, body, sizeof(body));
}

void forge_delete(struct forge *forge, int from, uint32_t spi)
{
    uint8_t body[12] = {0, 0, 0, P2_DOI_IPSEC, P2_PROTO_ESP, 4, 0, 1};
    p2_put_u32(body + 8, spi);
    forge_inform(forge, from, P2_PAYLOAD_DELETE, body, sizeof(body));
}
