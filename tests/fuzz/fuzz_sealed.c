/* Any bytes as the payloads of Quick Modes and informational exchanges, hashed and encrypted with the ISAKMP
 * SA's keys, so that they come past HASH: as message 1, as the answer to one, and as an informational. Their
 * author is authentic, and may take SAs down; but each message ends under one reason at most, and the
 * gateways negotiate anew afterwards. */
#include "pieces.h"
#include "sim/duel.h"

#include "cursor.h"
#include "isakmp.h"
#include "keymat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TO = 1, INFORMATIONAL = 2, ANSWER = 4, LATER = 8 };

static struct p2_isakmp_keys keys_of(const struct p2_isakmp_info *info)
{
    struct p2_isakmp_keys keys = {.hash = info->hash, .cipher = info->cipher};
    memcpy(keys.skeyid_d, info->keys.skeyid_d, sizeof keys.skeyid_d);
    memcpy(keys.skeyid_a, info->keys.skeyid_a, sizeof keys.skeyid_a);
    memcpy(keys.skeyid_e, info->keys.skeyid_e, sizeof keys.skeyid_e);
    memcpy(keys.last_block, info->keys.iv, sizeof keys.last_block);
    p2_keymat_prepare(&keys);
    return keys;
}

/* What a message is sealed with. */
struct seal {
    struct p2_isakmp_keys keys;
    struct p2_isakmp_header header;
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    uint8_t nonce[256]; /* Ni, of which HASH(2) is made */
    size_t nonce_len;   /* 0: HASH(1) */
};

/* The first byte is the type of the first payload behind HASH. */
static void throw_sealed(struct duel *d, const struct seal *s, int to, const struct piece *piece)
{
    uint8_t out[DUEL_MESSAGE], iv[P2_CIPHER_MAX_BLOCK];
    size_t hash_len = p2_hash_of(s->keys.hash)->len, block = p2_cipher_of(s->keys.cipher)->block_len;
    size_t body = piece->len > 1 ? piece->len - 1 : 0, at = P2_ISAKMP_HEADER_LEN;
    if (body > 1500)
        return;
    struct p2_message built;
    uint8_t zeros[P2_HASH_MAX_LEN] = {0};
    p2_message_begin(&built, out, sizeof out, &s->header);
    p2_message_add(&built, P2_PAYLOAD_HASH, zeros, hash_len);
    out[at] = piece->len > 0 ? piece->data[0] : 0;
    memcpy(out + at + 4 + hash_len, piece->data + (piece->len > 0), body);
    struct p2_bytes rest = {out + at + 4 + hash_len, body}, ni = {s->nonce, s->nonce_len};
    p2_keymat_hash_1_2(&s->keys, s->header.message_id, s->nonce_len ? &ni : NULL, rest, out + at + 4);
    size_t len = at + 4 + hash_len + body, padded = at + (len - at + block - 1) / block * block;
    memset(out + len, 0, padded - len);
    p2_put_u32(out + 24, (uint32_t)padded);
    memcpy(iv, s->iv, sizeof iv);
    p2_cipher_encrypt(&s->keys.cipher_key, iv, out + at, out + at, padded - at);
    duel_throw(d, to, out, padded);
}

static struct seal begin(const struct duel *d, uint8_t exchange, uint32_t message_id)
{
    const struct p2_isakmp_info *info = &d->isakmp[0];
    struct seal s = {.keys = keys_of(info)};
    s.header = (struct p2_isakmp_header){
        .exchange_type = exchange, .flags = P2_FLAG_ENCRYPTED, .message_id = message_id};
    memcpy(s.header.initiator_cookie, info->id.initiator_cookie, 8);
    memcpy(s.header.responder_cookie, info->id.responder_cookie, 8);
    p2_keymat_phase2_iv(&s.keys, message_id, s.iv);
    return s;
}

/* Left asks for a rekey; what it sends does not get through, and this is the answer. */
static void answer(struct duel *d, const struct piece *piece)
{
    const struct duel_message *first = duel_ask(d, 0);
    struct p2_isakmp_header header;
    struct p2_payloads payloads;
    uint8_t plain[DUEL_MESSAGE], iv[P2_CIPHER_MAX_BLOCK];
    if (!first || p2_isakmp_parse_header(&header, first->bytes, first->datagram.len) != P2_OK ||
        header.exchange_type != P2_EXCHANGE_QUICK)
        return;
    struct seal s = begin(d, P2_EXCHANGE_QUICK, header.message_id);
    size_t len = first->datagram.len - P2_ISAKMP_HEADER_LEN;
    size_t block = p2_cipher_of(s.keys.cipher)->block_len;
    memcpy(iv, s.iv, sizeof iv);
    p2_cipher_decrypt(&s.keys.cipher_key, iv, plain, first->bytes + P2_ISAKMP_HEADER_LEN, len);
    memcpy(s.iv, first->bytes + first->datagram.len - block, block);
    if (p2_isakmp_parse_payloads(&payloads, header.next_payload, plain, len) != P2_OK)
        return; /* under another ISAKMP SA by now */
    for (size_t i = 0; i < payloads.num; i++) {
        if (payloads.list[i].type != P2_PAYLOAD_NONCE || payloads.list[i].body.len > sizeof s.nonce)
            continue;
        s.nonce_len = payloads.list[i].body.len;
        memcpy(s.nonce, payloads.list[i].body.data, s.nonce_len);
    }
    throw_sealed(d, &s, 0, piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct duel *d = duel_new(1);
    struct piece piece;
    for (uint32_t message_id = 0x10000000; piece_next(&piece, &data, &size); message_id++) {
        if (piece.what & LATER)
            duel_wait(d, 7 * P2_SECOND);
        if (piece.what & ANSWER) {
            answer(d, &piece);
            continue;
        }
        bool informational = piece.what & INFORMATIONAL;
        struct seal s = begin(d, informational ? P2_EXCHANGE_INFORMATIONAL : P2_EXCHANGE_QUICK, message_id);
        throw_sealed(d, &s, piece.what & TO, &piece);
    }
    duel_wait(d, 120 * P2_SECOND);
    if (d->wrong) {
        fprintf(stderr, "found: %s\n", d->wrong);
        abort();
    }
    duel_free(d);
    return 0;
}
