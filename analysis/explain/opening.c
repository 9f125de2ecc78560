/* Decrypting a message and verifying its HASH (RFC 2409 section 5.5 and 5.7, appendix B).
 *
 * Which IV a message was encrypted with is not told: it is the end of the message before it, unless a forged
 * one came between them, or one is not in the capture. So each IV that can be is tried, and each place in the
 * exchange that the message can have, until a HASH verifies. */
#include "listener.h"

#include <stdlib.h>
#include <string.h>

/* --- keys --- */

static size_t find_known(const struct known_keys *known, const struct explain_isakmp *i)
{
    size_t found = EXPLAIN_NONE;
    for (size_t k = 0; k < known->num_isakmp; k++) {
        const struct known_isakmp *is = &known->isakmp[k];
        if (memcmp(is->initiator_cookie, i->initiator_cookie, 8) != 0)
            continue;
        if (!is->any_responder && memcmp(is->responder_cookie, i->responder_cookie, 8) == 0)
            return k;
        if (is->any_responder && found == EXPLAIN_NONE)
            found = k;
    }
    return found;
}

static void prepare(struct p2_isakmp_keys *keys, struct explain_isakmp *i, const struct known_isakmp *known)
{
    keys->cipher =
        known->cipher != P2_CIPHER_NONE ? known->cipher : p2_cipher_by_ike_id(i->cipher_id, i->key_bits);
    keys->hash = known->hash != P2_HASH_NONE ? known->hash : p2_hash_by_ike_id(i->hash_id);
    i->can_decrypt = i->can_verify = i->can_derive = false; /* what Phase 1 shows may have changed */
    if (keys->hash == P2_HASH_NONE)
        return;
    memcpy(keys->skeyid_d, known->skeyid_d, sizeof keys->skeyid_d);
    memcpy(keys->skeyid_a, known->skeyid_a, sizeof keys->skeyid_a);
    memcpy(keys->skeyid_e, known->skeyid_e, sizeof keys->skeyid_e);
    i->can_verify = known->has_a;
    i->can_derive = known->has_d;
    if (keys->cipher == P2_CIPHER_NONE || !p2_cipher_is_for_ike(keys->cipher))
        keys->cipher = P2_CIPHER_3DES_CBC; /* any: nothing is decrypted, but contexts want one */
    else
        i->can_decrypt = known->has_e || known->key_len == p2_cipher_of(keys->cipher)->key_len;
    p2_keymat_prepare(keys);
    if (known->key_len > 0 && i->can_decrypt && !known->has_e)
        p2_cipher_init(&keys->cipher_key, keys->cipher, known->key);
}

int explain_prepare_keys(struct explanation *e, struct explain_isakmp *i)
{
    size_t known = e->known ? find_known(e->known, i) : EXPLAIN_NONE;
    if (known == EXPLAIN_NONE || (!i->keys && e->num_keyed_isakmps == EXPLAIN_MAX_KEYED_ISAKMPS))
        return P2_OK;
    if (!i->keys) {
        i->keys = calloc(1, sizeof *i->keys);
        if (!i->keys)
            return P2_ERR_NOMEM;
        e->num_keyed_isakmps++;
    }
    i->known = known;
    prepare(i->keys, i, &e->known->isakmp[known]);
    return P2_OK;
}

/* --- which IV --- */

enum { MAX_IVS = 12 };

struct ivs {
    size_t num;
    uint8_t list[MAX_IVS][P2_CIPHER_MAX_BLOCK];
};

static void add_iv(struct ivs *ivs, const uint8_t *iv)
{
    if (ivs->num < MAX_IVS)
        memcpy(ivs->list[ivs->num++], iv, P2_CIPHER_MAX_BLOCK);
}

static void add_phase2_iv(struct ivs *ivs, const struct explain_isakmp *i, uint32_t message_id,
                          const uint8_t *last_block)
{
    uint8_t iv[P2_CIPHER_MAX_BLOCK] = {0};
    memcpy(i->keys->last_block, last_block, sizeof i->keys->last_block);
    p2_keymat_phase2_iv(i->keys, message_id, iv);
    add_iv(ivs, iv);
}

static bool phase1_iv(const struct explain_isakmp *i, uint8_t iv[P2_CIPHER_MAX_BLOCK])
{
    if (!i->ke_body[0].data || !i->ke_body[1].data)
        return false;
    struct p2_phase1_secrets secrets = {.ke_i = i->ke_body[0], .ke_r = i->ke_body[1]};
    memset(iv, 0, P2_CIPHER_MAX_BLOCK);
    p2_keymat_phase1_iv(i->keys, &secrets, iv);
    return true;
}

/* Where an exchange under a message ID of its own begins. */
static void add_first_ivs(const struct explanation *e, struct ivs *ivs, const struct explain_isakmp *i,
                          uint32_t message_id)
{
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    const struct known_isakmp *known = &e->known->isakmp[i->known];
    if (message_id == 0) {
        if (phase1_iv(i, iv))
            add_iv(ivs, iv);
        return;
    }
    if (known->has_iv)
        add_phase2_iv(ivs, i, message_id, known->iv);
    for (size_t k = 0; k < i->num_last_blocks; k++)
        add_phase2_iv(ivs, i, message_id, i->last_blocks[k]);
    if (i->num_last_blocks == 0 && phase1_iv(i, iv)) /* aggressive mode that ended in clear */
        add_phase2_iv(ivs, i, message_id, iv);
}

/* Behind each of the messages before: one that could not be read, or whose HASH is wrong, may have been
 * changed in the middle; and one that was encrypted anew when it was sent again goes on behind the message
 * that it answers, as does what answers the first of the two. */
static void add_earlier_ivs(const struct explanation *e, struct ivs *ivs, const struct explain_exchange *x,
                            const struct explain_message *m, size_t block)
{
    enum { MAX_EARLIER = 6, MAX_LOOKED_AT = 64 };
    size_t n = 0, looked = 0;
    for (size_t k = x->first; k != EXPLAIN_NONE && n < MAX_EARLIER && looked < MAX_LOOKED_AT;
         k = e->messages[k].next, looked++) {
        const struct explain_message *other = &e->messages[k];
        bool encrypted = other->header.flags & P2_FLAG_ENCRYPTED;
        if (other == m || !encrypted || other->isakmp_len < P2_ISAKMP_HEADER_LEN + block)
            continue;
        uint8_t iv[P2_CIPHER_MAX_BLOCK] = {0};
        struct p2_bytes bytes = explain_isakmp_bytes(other);
        memcpy(iv, bytes.data + bytes.len - block, block);
        add_iv(ivs, iv);
        n++;
    }
}

/* --- which place in the exchange, and whether its HASH verifies --- */

struct opening {
    enum explain_reading reading;
    enum explain_hash hash;
    unsigned number;
};

static enum explain_hash verify_as(const struct explain_isakmp *i, const struct explain_exchange *x,
                                   const struct p2_payloads *p, unsigned number)
{
    uint8_t hash[P2_HASH_MAX_LEN];
    const struct p2_payload *own = &p->list[0];
    struct p2_bytes rest = {own->whole.data + own->whole.len, p->len - own->whole.len};
    bool ni = x->nonce[0].len > 0, nr = x->nonce[1].len > 0;
    if (!i->can_verify || (number == 2 && !ni) || (number == 3 && !(ni && nr)))
        return EXPLAIN_HASH_UNCHECKED;
    if (number == 3)
        p2_keymat_hash_3(i->keys, x->message_id, x->nonce[0], x->nonce[1], hash);
    else
        p2_keymat_hash_1_2(i->keys, x->message_id, number == 2 ? &x->nonce[0] : NULL, rest, hash);
    return memcmp(hash, own->body.data, own->body.len) == 0 ? EXPLAIN_HASH_GOOD : EXPLAIN_HASH_BAD;
}

/* The places that a message can have, the likelier one first. */
static void places_of(const struct explain_exchange *x, const struct explain_message *m,
                      const struct p2_payloads *p, unsigned places[2])
{
    bool by_starter = p2_address_equal(&m->source, &x->starter);
    places[1] = 0;
    if (m->header.exchange_type != P2_EXCHANGE_QUICK) {
        bool connected = x->quick && p2_isakmp_find(p, P2_PAYLOAD_NOTIFY, 0);
        places[0] = connected ? 4 : 1;
    } else if (p2_isakmp_find(p, P2_PAYLOAD_SA, 0)) {
        places[0] = by_starter || x->part[0] == EXPLAIN_NONE ? 1 : 2;
        places[1] = 3 - places[0];
    } else {
        places[0] = by_starter ? 3 : 4;
        places[1] = 7 - places[0];
    }
}

static struct opening judge(const struct explain_isakmp *i, const struct explain_exchange *x,
                            const struct explain_message *m, const struct p2_payloads *p)
{
    struct opening best = {EXPLAIN_NONSENSE, EXPLAIN_HASH_ABSENT, 0};
    if (m->header.message_id == 0)
        return (struct opening){EXPLAIN_DECRYPTED, EXPLAIN_HASH_UNCHECKED, 0};
    if (p->num == 0 || p->list[0].type != P2_PAYLOAD_HASH ||
        p->list[0].body.len != p2_hash_of(i->keys->hash)->len)
        return best;
    unsigned places[2];
    places_of(x, m, p, places);
    for (size_t k = 0; k < 2 && places[k] != 0 && best.hash != EXPLAIN_HASH_GOOD; k++) {
        enum explain_hash hash = verify_as(i, x, p, places[k]);
        /* HASH(3) covers nonces, which may not be in the capture. */
        bool may_be_third = places[k] == 3 && hash == EXPLAIN_HASH_UNCHECKED;
        if (k == 0 || hash == EXPLAIN_HASH_GOOD || may_be_third)
            best = (struct opening){EXPLAIN_DECRYPTED, hash, places[k]};
    }
    return best;
}

static int rank(const struct opening *o)
{
    static const int ranks[] = {[EXPLAIN_HASH_ABSENT] = 0,
                                [EXPLAIN_HASH_BAD] = 1,
                                [EXPLAIN_HASH_UNCHECKED] = 2,
                                [EXPLAIN_HASH_GOOD] = 3};
    return o->reading == EXPLAIN_DECRYPTED ? ranks[o->hash] : -1;
}

static struct opening try_iv(struct explanation *e, const struct explain_message *m,
                             const struct explain_isakmp *i, const struct explain_exchange *x,
                             const uint8_t *first_iv)
{
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    struct p2_payloads payloads;
    struct p2_bytes bytes = explain_isakmp_bytes(m);
    size_t len = bytes.len - P2_ISAKMP_HEADER_LEN;
    memcpy(iv, first_iv, sizeof iv);
    p2_cipher_decrypt(&i->keys->cipher_key, iv, e->plain, bytes.data + P2_ISAKMP_HEADER_LEN, len);
    if (p2_isakmp_parse_payloads(&payloads, m->header.next_payload, e->plain, len) < 0 || payloads.num == 0)
        return (struct opening){EXPLAIN_NONSENSE, EXPLAIN_HASH_ABSENT, 0};
    return judge(i, x, m, &payloads);
}

/* --- all of it --- */

static int keep_plain(struct explanation *e, struct explain_message *m, size_t len)
{
    free(m->plain);
    m->plain = malloc(len);
    if (!m->plain)
        return P2_ERR_NOMEM;
    memcpy(m->plain, e->plain, len);
    m->plain_len = len;
    return P2_OK;
}

static void chain(struct explain_exchange *x, const struct explain_message *m, size_t block)
{
    struct p2_bytes bytes = explain_isakmp_bytes(m);
    memset(x->iv, 0, sizeof x->iv);
    memcpy(x->iv, bytes.data + bytes.len - block, block);
    x->has_iv = true;
}

int explain_open(struct explanation *e, size_t message)
{
    struct explain_message *m = &e->messages[message];
    struct explain_exchange *x = &e->exchanges[m->exchange];
    struct explain_isakmp *i = &e->isakmps[x->isakmp];
    m->reading = EXPLAIN_NO_KEYS;
    if (i->known == EXPLAIN_NONE || !i->can_decrypt)
        return P2_OK;
    size_t block = p2_cipher_of(i->keys->cipher)->block_len, len = m->isakmp_len - P2_ISAKMP_HEADER_LEN;
    m->reading = EXPLAIN_NONSENSE;
    if (len == 0 || len % block != 0)
        return P2_OK;
    struct ivs ivs = {0};
    if (x->has_iv)
        add_iv(&ivs, x->iv);
    add_first_ivs(e, &ivs, i, m->header.message_id);
    add_earlier_ivs(e, &ivs, x, m, block);
    struct opening best = {EXPLAIN_NONSENSE, EXPLAIN_HASH_ABSENT, 0};
    for (size_t k = 0; k < ivs.num && best.hash != EXPLAIN_HASH_GOOD; k++) {
        struct opening now = try_iv(e, m, i, x, ivs.list[k]);
        if (rank(&now) <= rank(&best))
            continue;
        best = now;
        if (keep_plain(e, m, len) < 0)
            return P2_ERR_NOMEM;
    }
    m->reading = best.reading;
    m->hash = best.hash;
    m->number = best.number;
    if (best.reading == EXPLAIN_DECRYPTED && best.hash != EXPLAIN_HASH_BAD)
        chain(x, m, block);
    if (m->header.message_id != 0) {
        i->opened += best.reading == EXPLAIN_DECRYPTED;
        i->nonsense += best.reading == EXPLAIN_NONSENSE;
    }
    return P2_OK;
}
