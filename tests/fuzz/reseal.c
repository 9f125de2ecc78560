/* Mutations behind the cipher: the plaintext of a Phase 2 message or of an ESP packet is mutated, and its
 * HASH, IV and ICV made right again. What a message's IV and HASH are made of changes with it, so that the
 * later messages of its exchange are sealed again as well. */
#include "fuzz.h"

#include "capture_file.h"
#include "listener.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PLAIN = 8192, MAX_MESSAGES = 16 };

/* One body and what is to come of it. */
struct job {
    struct explanation *e;
    struct capture_file file;
    unsigned seed;
    uint8_t sealed[MAX_MESSAGES][MAX_PLAIN + P2_ISAKMP_HEADER_LEN];
    struct replacement replacements[MAX_MESSAGES];
    size_t num;
};

/* 0 to n - 1. */
static unsigned below(struct job *job, size_t n)
{
    job->seed = job->seed * 1664525u + 1013904223u;
    return (unsigned)((job->seed >> 8) % n);
}

/* --- payloads --- */

struct payload {
    uint8_t type;
    size_t len;
    uint8_t body[1024];
};

struct chain {
    size_t num;
    struct payload list[P2_MAX_PAYLOADS];
};

static bool take_apart(struct chain *chain, const struct explain_message *m)
{
    struct p2_payloads p;
    if (!explain_payloads(m, &p))
        return false;
    chain->num = p.num;
    for (size_t i = 0; i < p.num; i++) {
        struct payload *to = &chain->list[i];
        if (p.list[i].body.len > sizeof to->body)
            return false;
        to->type = p.list[i].type;
        to->len = p.list[i].body.len;
        memcpy(to->body, p.list[i].body.data, to->len);
    }
    return true;
}

static void mutate_body(struct job *job, struct payload *p)
{
    (void)job;
    p->len = LLVMFuzzerMutate(p->body, p->len, sizeof p->body);
}

/* All but the HASH in front. */
static void mutate_chain(struct job *job, struct chain *chain)
{
    static const uint8_t types[] = {P2_PAYLOAD_SA, P2_PAYLOAD_NOTIFY, P2_PAYLOAD_DELETE, P2_PAYLOAD_NONCE,
                                    P2_PAYLOAD_ID, P2_PAYLOAD_KE,     P2_PAYLOAD_NAT_OA, P2_PAYLOAD_VENDOR};
    if (chain->num < 2)
        return;
    size_t which = 1 + below(job, chain->num - 1);
    struct payload *p = &chain->list[which];
    switch (below(job, 8)) {
    case 0:
        p->type = types[below(job, sizeof types)];
        break;
    case 1:
        if (chain->num < P2_MAX_PAYLOADS)
            chain->list[chain->num++] = *p;
        break;
    case 2:
        *p = chain->list[--chain->num];
        break;
    case 3:
        chain->list[0].len = LLVMFuzzerMutate(chain->list[0].body, chain->list[0].len, 24);
        break;
    default:
        mutate_body(job, p);
    }
}

/* Payloads, and zeros up to a whole block. */
static size_t put_together(uint8_t *plain, const struct chain *chain, size_t block)
{
    size_t used = 0;
    for (size_t i = 0; i < chain->num; i++) {
        const struct payload *p = &chain->list[i];
        if (used + 4 + p->len > MAX_PLAIN - 16)
            return 0;
        plain[used] = i + 1 < chain->num ? chain->list[i + 1].type : P2_PAYLOAD_NONE;
        plain[used + 1] = 0;
        plain[used + 2] = (uint8_t)((p->len + 4) >> 8);
        plain[used + 3] = (uint8_t)(p->len + 4);
        memcpy(plain + used + 4, p->body, p->len);
        used += 4 + p->len;
    }
    while (used % block != 0)
        plain[used++] = 0;
    return used;
}

/* --- messages --- */

struct sealing {
    struct p2_isakmp_keys keys;
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    struct payload nonce[2];
};

static const struct payload *find(const struct chain *chain, uint8_t type)
{
    for (size_t i = 0; i < chain->num; i++) {
        if (chain->list[i].type == type)
            return &chain->list[i];
    }
    return NULL;
}

static void put_hash(const struct sealing *s, const struct explain_message *m, const struct chain *chain,
                     uint8_t *plain)
{
    const struct payload *own = &chain->list[0];
    size_t at = 4 + own->len, end = 0;
    struct p2_bytes ni = {s->nonce[0].body, s->nonce[0].len}, nr = {s->nonce[1].body, s->nonce[1].len};
    if (own->type != P2_PAYLOAD_HASH || own->len != p2_hash_of(s->keys.hash)->len)
        return;
    for (size_t i = 0; i < chain->num; i++)
        end += 4 + chain->list[i].len;
    struct p2_bytes rest = {plain + at, end - at};
    if (m->number == 3)
        p2_keymat_hash_3(&s->keys, m->header.message_id, ni, nr, plain + 4);
    else
        p2_keymat_hash_1_2(&s->keys, m->header.message_id, m->number == 2 ? &ni : NULL, rest, plain + 4);
}

/* False: it does not fit. */
static bool seal(struct job *job, struct sealing *s, const struct explain_message *m,
                 const struct chain *chain)
{
    uint8_t plain[MAX_PLAIN];
    size_t block = p2_cipher_of(s->keys.cipher)->block_len, len = put_together(plain, chain, block);
    struct p2_bytes packet = capture_file_packet(&job->file, m->frame - 1);
    if (len == 0 || packet.len < m->isakmp_at + P2_ISAKMP_HEADER_LEN)
        return false;
    put_hash(s, m, chain, plain);
    uint8_t *out = job->sealed[job->num];
    memcpy(out, packet.data + m->isakmp_at, P2_ISAKMP_HEADER_LEN);
    out[16] = chain->list[0].type;
    p2_put_u32(out + 24, (uint32_t)(P2_ISAKMP_HEADER_LEN + len));
    p2_cipher_encrypt(&s->keys.cipher_key, s->iv, out + P2_ISAKMP_HEADER_LEN, plain, len);
    job->replacements[job->num++] =
        (struct replacement){m->frame - 1, m->isakmp_at, {out, P2_ISAKMP_HEADER_LEN + len}};
    return true;
}

static bool reseal_exchange(struct job *job, const struct explain_message *chosen)
{
    static struct sealing s;
    static struct chain chain;
    const struct explain_exchange *x = &job->e->exchanges[chosen->exchange];
    const struct known_isakmp *known = &job->e->known->isakmp[job->e->isakmps[x->isakmp].known];
    memset(&s, 0, sizeof s);
    fuzz_isakmp_keys(&s.keys, known);
    p2_keymat_phase2_iv(&s.keys, x->message_id, s.iv);
    for (size_t k = x->first; k != EXPLAIN_NONE && job->num < MAX_MESSAGES; k = job->e->messages[k].next) {
        const struct explain_message *m = &job->e->messages[k];
        if (m->reading != EXPLAIN_DECRYPTED || m->frame > job->file.num)
            continue;
        if (!take_apart(&chain, m) || chain.num == 0)
            return false;
        if (m == chosen)
            mutate_chain(job, &chain);
        const struct payload *nonce = find(&chain, P2_PAYLOAD_NONCE);
        if (nonce && (m->number == 1 || m->number == 2))
            s.nonce[m->number - 1] = *nonce;
        if (!seal(job, &s, m, &chain))
            return false;
    }
    return job->num > 0;
}

/* Under an ID of its own, and read. */
static bool reseal_message(struct job *job)
{
    const struct explain_message *chosen = NULL;
    size_t seen = 0;
    for (size_t i = 0; i < job->e->num_messages; i++) {
        const struct explain_message *m = &job->e->messages[i];
        bool fits = m->copy_of == EXPLAIN_NONE && m->reading == EXPLAIN_DECRYPTED;
        if (fits && m->header.message_id != 0 && below(job, ++seen) == 0)
            chosen = m;
    }
    return chosen && reseal_exchange(job, chosen);
}

/* --- ESP --- */

static const struct explain_sa *sa_of(const struct job *job, struct p2_bytes packet)
{
    if (packet.len < P2_IPV4_HEADER_LEN + P2_ESP_HEADER_LEN || packet.data[9] != P2_IP_PROTO_ESP)
        return NULL;
    size_t sa = explain_find_sa(job->e, P2_PROTO_ESP, p2_get_u32(packet.data + P2_IPV4_HEADER_LEN));
    return sa != EXPLAIN_NONE && job->e->sas[sa].has_keys ? &job->e->sas[sa] : NULL;
}

static bool reseal_packet(struct job *job, size_t frame)
{
    static const uint8_t iv[P2_CIPHER_MAX_IV];
    uint8_t plain[MAX_PLAIN], next_header;
    struct p2_bytes packet = capture_file_packet(&job->file, frame);
    const struct explain_sa *sa = sa_of(job, packet);
    size_t len = packet.len - P2_IPV4_HEADER_LEN, plain_len;
    const uint8_t *esp = packet.data + P2_IPV4_HEADER_LEN;
    if (!sa || len > MAX_PLAIN || !p2_esp_plausible(&sa->keys->esp, len) ||
        p2_esp_open(&sa->keys->esp, esp, len, p2_get_u32(esp + 4), plain, &plain_len, &next_header) !=
            P2_DROP_NONE)
        return false;
    uint32_t sequence = p2_get_u32(esp + 4);
    if (below(job, 4) == 0)
        sequence = below(job, 2) ? below(job, 300) : sequence - below(job, 100);
    if (below(job, 4) == 0)
        next_header = (uint8_t)below(job, 256);
    plain_len = LLVMFuzzerMutate(plain, plain_len, 2000);
    size_t sealed_len = p2_esp_sealed_len(&sa->keys->esp, plain_len);
    if (sealed_len > sizeof job->sealed[0])
        return false;
    p2_esp_seal(&sa->keys->esp, sa->spi, sequence, iv, next_header, (struct p2_bytes){plain, plain_len},
                job->sealed[0]);
    job->replacements[job->num++] =
        (struct replacement){frame, P2_IPV4_HEADER_LEN, {job->sealed[0], sealed_len}};
    return true;
}

static bool reseal_esp(struct job *job)
{
    size_t chosen = 0, seen = 0;
    for (size_t i = 0; i < job->file.num; i++) {
        if (sa_of(job, capture_file_packet(&job->file, i)) && below(job, ++seen) == 0)
            chosen = i;
    }
    return seen > 0 && reseal_packet(job, chosen);
}

size_t fuzz_reseal(const struct known_keys *known, uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static struct job job;
    size_t written = 0;
    job.seed = seed;
    job.num = 0;
    if (!capture_file_read(&job.file, data, size) || !(job.e = fuzz_listen(known, data, size)))
        return 0;
    bool done = below(&job, 4) == 0 ? reseal_esp(&job) : reseal_message(&job);
    uint8_t *out = done ? malloc(max_size) : NULL;
    if (out)
        written = capture_file_write(out, max_size, &job.file, job.replacements, job.num);
    if (written > 0)
        memcpy(data, out, written);
    free(out);
    explanation_free(job.e);
    return written;
}
