/* What holds of every explanation, whatever the capture. */
#include "fuzz.h"

#include "dissect.h"

#include <stdlib.h>
#include <string.h>

/* --- counts --- */

static void check_counts(const struct explanation *e)
{
    const struct explain_ipsec_counts *c = &e->ipsec;
    if (c->packets != c->icv_ok + c->icv_bad + c->unknown_spi + c->no_icv + c->no_keys)
        fuzz_found("counts of IPsec packets do not add up");
    for (size_t i = 0; i < e->num_sas; i++) {
        const struct explain_sa *sa = &e->sas[i];
        if (sa->packets != sa->icv_ok + sa->icv_bad + sa->no_icv + sa->unread)
            fuzz_found("counts of an SA do not add up");
        if (sa->replayed + sa->too_old + sa->late > sa->icv_ok + sa->no_icv)
            fuzz_found("the window judged packets that are not authentic");
    }
    if (e->num_messages + e->beyond_limits != e->isakmp_messages)
        fuzz_found("messages were lost");
}

/* --- every HASH that is called good --- */

void fuzz_isakmp_keys(struct p2_isakmp_keys *keys, const struct known_isakmp *known)
{
    memset(keys, 0, sizeof *keys);
    keys->hash = known->hash;
    keys->cipher = known->cipher;
    memcpy(keys->skeyid_d, known->skeyid_d, sizeof keys->skeyid_d);
    memcpy(keys->skeyid_a, known->skeyid_a, sizeof keys->skeyid_a);
    memcpy(keys->skeyid_e, known->skeyid_e, sizeof keys->skeyid_e);
    memcpy(keys->last_block, known->iv, sizeof keys->last_block);
    p2_keymat_prepare(keys);
}

/* The nonces of an exchange, of whichever messages. */
struct nonces {
    size_t num;
    struct p2_bytes list[16];
};

static void collect_nonces(struct nonces *nonces, const struct explanation *e,
                           const struct explain_exchange *x)
{
    struct p2_payloads p;
    nonces->num = 0;
    for (size_t k = x->first; k != EXPLAIN_NONE && nonces->num < 16; k = e->messages[k].next) {
        const struct explain_message *m = &e->messages[k];
        const struct p2_payload *nonce;
        if (m->plain && explain_payloads(m, &p) && (nonce = p2_isakmp_find(&p, P2_PAYLOAD_NONCE, 0)))
            nonces->list[nonces->num++] = nonce->body;
    }
}

static bool verifies(const struct p2_isakmp_keys *keys, uint32_t message_id, const struct nonces *nonces,
                     const struct p2_payloads *p)
{
    uint8_t hash[P2_HASH_MAX_LEN];
    const struct p2_payload *own = &p->list[0];
    struct p2_bytes rest = {own->whole.data + own->whole.len, p->len - own->whole.len};
    size_t len = p2_hash_of(keys->hash)->len;
    if (own->type != P2_PAYLOAD_HASH || own->body.len != len)
        return false;
    p2_keymat_hash_1_2(keys, message_id, NULL, rest, hash);
    bool good = memcmp(hash, own->body.data, len) == 0;
    for (size_t i = 0; i < nonces->num && !good; i++) {
        p2_keymat_hash_1_2(keys, message_id, &nonces->list[i], rest, hash);
        good = memcmp(hash, own->body.data, len) == 0;
        for (size_t k = 0; k < nonces->num && !good; k++) {
            p2_keymat_hash_3(keys, message_id, nonces->list[i], nonces->list[k], hash);
            good = memcmp(hash, own->body.data, len) == 0;
        }
    }
    return good;
}

static void check_hashes(const struct explanation *e)
{
    for (size_t i = 0; i < e->num_messages; i++) {
        const struct explain_message *m = &e->messages[i];
        struct p2_isakmp_keys keys;
        struct p2_payloads p;
        struct nonces nonces;
        if (m->copy_of != EXPLAIN_NONE || m->hash != EXPLAIN_HASH_GOOD)
            continue;
        const struct explain_exchange *x = &e->exchanges[m->exchange];
        const struct explain_isakmp *isakmp = &e->isakmps[x->isakmp];
        if (m->reading != EXPLAIN_DECRYPTED || isakmp->known == EXPLAIN_NONE || !explain_payloads(m, &p))
            fuzz_found("a HASH is good that was never read");
        fuzz_isakmp_keys(&keys, &e->known->isakmp[isakmp->known]);
        collect_nonces(&nonces, e, x);
        if (nonces.num < 16 && !verifies(&keys, x->message_id, &nonces, &p))
            fuzz_found("a HASH is called good that does not verify");
    }
}

/* --- every byte has one name --- */

static void check_cover(const struct dissection *d, enum dissect_where where, size_t len)
{
    uint8_t *covered = calloc(len + 1, 1);
    size_t total = 0;
    for (size_t i = 0; i < d->num; i++) {
        const struct dissect_field *f = &d->fields[i];
        if (f->where != where || f->len == 0)
            continue;
        if (f->offset > len || f->len > len - f->offset)
            fuzz_found("a field reaches beyond the packet");
        for (size_t k = 0; f->leaf && k < f->len; k++) {
            if (covered[f->offset + k]++)
                fuzz_found("two leaves have one byte");
            total++;
        }
    }
    free(covered);
    if (total != len)
        fuzz_found("a byte is in no leaf");
}

static void check_dissection(struct dissection *d, const struct dissect_input *input)
{
    dissect(d, input);
    if (d->out_of_memory)
        fuzz_found("out of memory while dissecting");
    check_cover(d, DISSECT_PACKET, input->packet.len);
    check_cover(d, DISSECT_PLAIN, input->plain.len);
}

static void check_dissections(const struct explanation *e)
{
    struct dissection d = {0};
    for (size_t i = 0; i < e->num_messages; i++) {
        const struct explain_message *m = &e->messages[i];
        struct dissect_input input = {.packet = {m->packet, m->packet_len}};
        if (m->reading == EXPLAIN_DECRYPTED)
            input.plain = (struct p2_bytes){m->plain, m->plain_len};
        check_dissection(&d, &input);
    }
    for (size_t i = 0; i < e->num_samples; i++) {
        const struct explain_sample *s = &e->samples[i];
        const struct explain_sa *sa = &e->sas[s->sa];
        struct dissect_input input = {.packet = {s->packet, s->packet_len},
                                      .plain = {s->plain, s->plain_len},
                                      .esp_next_header = s->next_header};
        input.esp_known = sa->has_keys && sa->protocol == P2_PROTO_ESP;
        if (input.esp_known) {
            input.esp_iv_len = sa->keys->esp.iv_len;
            input.esp_icv_len = sa->keys->esp.icv_len;
        }
        check_dissection(&d, &input);
    }
    dissection_cleanup(&d);
}

void fuzz_check(const struct explanation *e)
{
    check_counts(e);
    check_hashes(e);
    check_dissections(e);
}
