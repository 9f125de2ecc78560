#include "script.h"

#include "cursor.h"

#include <assert.h>
#include <string.h>

/* The next draw for a use, behind those that are there already. */
static void add(struct script *script, enum p2_random_use use, const void *bytes, size_t len)
{
    struct script_draws *draws = &script->draws[use];
    assert(draws->num < SCRIPT_MAX && len <= SCRIPT_MAX_DRAW);
    memcpy(draws->list[draws->num].bytes, bytes, len);
    draws->list[draws->num++].len = len;
}

void script_iv(struct script *script, const uint8_t *iv, size_t len)
{
    script->draws[P2_RANDOM_IV].num = script->draws[P2_RANDOM_IV].next = 0;
    add(script, P2_RANDOM_IV, iv, len);
}

/* The fuzz of the soft lifetime is no part of a policy here, so its draw does not matter. */
static void fill(void *ctx, enum p2_random_use use, uint8_t *out, size_t len)
{
    struct script *script = ctx;
    struct script_draws *draws = &script->draws[use];
    if (draws->next < draws->num && draws->list[draws->next].len == len) {
        memcpy(out, draws->list[draws->next++].bytes, len);
        return;
    }
    draws->unscripted += use != P2_RANDOM_FUZZ;
    test_random_fill(&script->rest, use, out, len);
}

struct p2_random script_random(struct script *script)
{
    return (struct p2_random){fill, script};
}

const struct script_dh *script_take_dh(struct script *script)
{
    return script->next_dh < script->num_dh ? &script->dh[script->next_dh++] : NULL;
}

static void add_message_id(struct script *script, uint32_t message_id)
{
    uint8_t bytes[4];
    p2_put_u32(bytes, message_id);
    add(script, P2_RANDOM_MESSAGE_ID, bytes, sizeof(bytes));
}

/* The other side's KE payload in the same Quick Mode. */
static struct p2_bytes peer_ke(const struct corpus *corpus, const struct corpus_frame *ours)
{
    for (size_t i = 0; i < corpus->capture.num_frames; i++) {
        const struct corpus_frame *frame = &corpus->capture.frames[i];
        bool same = frame->phase2 && !frame->copy_of &&
                    frame->message.header.message_id == ours->message.header.message_id &&
                    corpus_sender(corpus, frame) != corpus_sender(corpus, ours);
        const struct p2_payload *ke =
            same ? p2_isakmp_find(&frame->message.payloads, P2_PAYLOAD_KE, 0) : NULL;
        if (ke)
            return ke->body;
    }
    corpus_broken(corpus->name, "a KE payload without a counterpart");
}

static void add_dh(struct script *script, const struct corpus *corpus, const struct corpus_frame *frame,
                   struct p2_bytes ke)
{
    struct p2_bytes peer = peer_ke(corpus, frame);
    const struct corpus_secret *secret = corpus_secret(corpus, frame->message.header.message_id);
    if (!secret || ke.len > P2_DH_MAX_LEN || peer.len != ke.len)
        corpus_broken(corpus->name, "a Quick Mode with PFS whose secret is not in keys.xml");
    struct script_dh *dh = &script->dh[script->num_dh++];
    memcpy(dh->public_key, ke.data, ke.len);
    memcpy(dh->peer_public, peer.data, peer.len);
    memcpy(dh->secret, secret->bytes, secret->len);
    dh->public_len = ke.len;
    dh->secret_len = secret->len;
}

static void add_quick(struct script *script, const struct corpus *corpus, const struct corpus_frame *frame,
                      enum corpus_side side)
{
    const struct p2_payloads *payloads = &frame->message.payloads;
    const struct p2_payload *sa = p2_isakmp_find(payloads, P2_PAYLOAD_SA, 0);
    const struct p2_payload *nonce = p2_isakmp_find(payloads, P2_PAYLOAD_NONCE, 0);
    const struct p2_payload *ke = p2_isakmp_find(payloads, P2_PAYLOAD_KE, 0);
    struct p2_isakmp_sa_payload offer;
    if (!sa || !nonce) /* message 3 */
        return;
    if (p2_isakmp_parse_sa(&offer, sa->body) < 0)
        corpus_broken(corpus->name, "an SA payload that does not parse");
    if (side == CORPUS_INITIATOR)
        add_message_id(script, frame->message.header.message_id);
    add(script, P2_RANDOM_SPI, offer.transforms[0].spi.data, offer.transforms[0].spi.len);
    add(script, P2_RANDOM_NONCE, nonce->body.data, nonce->body.len);
    if (ke)
        add_dh(script, corpus, frame, ke->body);
}

void script_init(struct script *script, const struct corpus *corpus, enum corpus_side side)
{
    memset(script, 0, sizeof(*script));
    script->rest.seed = 1;
    for (size_t i = 0; i < corpus->capture.num_frames; i++) {
        const struct corpus_frame *frame = &corpus->capture.frames[i];
        if (!frame->phase2 || frame->copy_of || corpus_sender(corpus, frame) != side)
            continue;
        if (frame->message.header.exchange_type == P2_EXCHANGE_QUICK)
            add_quick(script, corpus, frame, side);
        else if (!corpus_deletes_isakmp(&frame->message)) /* our core never sends that one */
            add_message_id(script, frame->message.header.message_id);
    }
}
