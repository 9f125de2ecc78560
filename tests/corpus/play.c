#include "play.h"

#include "esp.h"
#include "ip.h"

#include <assert.h>

/* The capture's initiator deletes an SA at its hard limit. Our responder holds it to the same limit from 2 ms
 * earlier; its clock is a thousandth slow, so that it is the daemon's delete that it sees. */
static p2_time local_time(const struct play *play, p2_time at)
{
    return play->side == CORPUS_RESPONDER ? at - at / 1000 : at;
}

/* --- messages of ours --- */

static void show(const char *whose, struct p2_bytes bytes)
{
    printf("\n      %s ", whose);
    for (size_t i = 0; i < bytes.len; i++)
        printf("%02x", bytes.data[i]);
}

/* Everything but trailing padding, and the length in which it shows. */
static void compare(const struct play *play, const struct corpus_message *ours,
                    const struct corpus_message *theirs)
{
    struct p2_isakmp_header a = ours->header, b = theirs->header;
    EXPECT(play, memcmp(a.initiator_cookie, b.initiator_cookie, 8) == 0);
    EXPECT(play, memcmp(a.responder_cookie, b.responder_cookie, 8) == 0);
    EXPECT(play, a.next_payload == b.next_payload && a.version == b.version);
    EXPECT(play, a.exchange_type == b.exchange_type && a.flags == b.flags);
    EXPECT(play, a.message_id == b.message_id);
    EXPECT(play, ours->payloads.num == theirs->payloads.num);
    for (size_t i = 0; i < ours->payloads.num && i < theirs->payloads.num; i++) {
        const struct p2_payload *x = &ours->payloads.list[i], *y = &theirs->payloads.list[i];
        bool same = x->type == y->type && x->whole.len == y->whole.len &&
                    memcmp(x->whole.data, y->whole.data, x->whole.len) == 0;
        if (!same) {
            printf("\n      payload %zu: type %u, the daemon's %u", i, x->type, y->type);
            show("ours:        ", x->whole);
            show("the daemon's:", y->whole);
        }
        EXPECT(play, same);
    }
}

static const struct play_sent *next_sent(struct play *play)
{
    return play->num_compared < play->num_sent ? &play->sent[play->num_compared++] : NULL;
}

/* The newest of our messages that is no copy; a copy must be its very bytes. */
static void expect_copy(struct play *play, bool resend)
{
    const struct play_sent *copy = next_sent(play), *first = copy;
    if (!EXPECT(play, copy != NULL))
        return;
    while (first > play->sent && (first == copy || first->resend || first->answer))
        first--;
    EXPECT(play, copy->resend == resend && copy->answer == !resend);
    EXPECT(play,
           first != copy && copy->len == first->len && memcmp(copy->bytes, first->bytes, copy->len) == 0);
}

/* False: the core had nothing to say. */
static bool compare_next(struct play *play)
{
    const struct play_sent *sent = next_sent(play);
    if (!sent)
        return false;
    EXPECT(play, !sent->resend && !sent->answer);
    compare(play, &sent->message, &play->frame->message);
    return true;
}

/* What the core just answered comes once more, as if the answer had been lost: it is answered from store. */
static void expect_answer_again(struct play *play)
{
    const struct corpus_message *message = &play->frame->message;
    if (play->received_len == 0 || p2_get_u32(play->received + 20) != message->header.message_id)
        return; /* message 1 answers nothing */
    play_receive(play, play->received, play->received_len);
    expect_copy(play, false);
}

static void own_message(struct play *play)
{
    const struct corpus_frame *frame = play->frame;
    if (frame->copy_of) {
        expect_copy(play, true);
        return;
    }
    bool quick = frame->message.header.exchange_type == P2_EXCHANGE_QUICK;
    if (quick && play->side == CORPUS_INITIATOR && play->num_negotiations == 0) {
        /* the first one is asked for; the soft limit brings the others */
        play_check_ok(play, p2_gateway_rekey(play->gw, play->now, 0, 0));
        play_drain(play);
    }
    bool said = compare_next(play);
    bool may_come_later = corpus_deleted_spi(&frame->message) != 0 || corpus_deletes_isakmp(&frame->message);
    EXPECT(play, said || may_come_later);
    if (said && quick)
        expect_answer_again(play);
}

/* --- messages of theirs --- */

/* Exactly the two SAs go of which it names one, and nothing is sent back. */
static void expect_deleted(struct play *play, uint32_t spi, size_t before)
{
    size_t num = play->num_removed;
    if (!EXPECT(play, num >= 2 && play_num_sas(play) == before - 2))
        return;
    const struct p2_sa_info *in = &play->removed[num - 2], *out = &play->removed[num - 1];
    EXPECT(play, in->inbound && !out->inbound && out->spi == spi);
    EXPECT(play, in->negotiation.message_id == out->negotiation.message_id);
    EXPECT(play, in->removal == P2_REMOVED_BY_PEER && out->removal == P2_REMOVED_BY_PEER);
    EXPECT(play, play->num_sent == play->num_compared);
}

/* Nothing can come under an ISAKMP SA that the peer deleted. */
static void expect_isakmp_gone(struct play *play)
{
    size_t before = play->drops[P2_DROP_UNKNOWN_COOKIE];
    play_receive(play, play->received, play->received_len);
    EXPECT(play, play->drops[P2_DROP_UNKNOWN_COOKIE] == before + 1);
    play->drops[P2_DROP_UNKNOWN_COOKIE] = before;
}

static void their_message(struct play *play)
{
    const struct corpus_frame *frame = play->frame;
    const struct corpus_message *message = frame->copy_of ? &frame->copy_of->message : &frame->message;
    size_t before = play_num_sas(play), removed = play->num_removed;
    if (frame->copied) /* the daemon did not get it, or it would not have been resent */
        return;
    assert(frame->content.len <= PLAY_PACKET);
    corpus_message_carry(play->received, &play->chains, &play->corpus->keys, message, frame->content);
    play->received_len = frame->content.len;
    play_receive(play, play->received, play->received_len);
    if (corpus_deleted_spi(message) != 0)
        expect_deleted(play, corpus_deleted_spi(message), before);
    else
        EXPECT(play, play->num_removed == removed);
    if (corpus_deletes_isakmp(message))
        expect_isakmp_gone(play);
}

/* --- ESP --- */

/* With the daemon's exported keys, beside the core. */
static struct p2_bytes open_esp(const struct play *play, uint8_t clear[PLAY_PACKET])
{
    struct p2_bytes esp = play->frame->content, none = {clear, 0};
    const struct corpus_sa *sa = corpus_sa(play->corpus, p2_get_u32(esp.data));
    struct p2_esp_keys keys;
    struct p2_ip_view view;
    size_t len;
    uint8_t next_header;
    if (!EXPECT(play, sa != NULL))
        return none;
    p2_esp_init(&keys, P2_CIPHER_AES128_CBC, sa->encryption_key, P2_AUTH_HMAC_SHA1_96, sa->authentication_key,
                false);
    bool opens = esp.len <= PLAY_PACKET && p2_esp_plausible(&keys, esp.len) &&
                 p2_esp_open(&keys, esp.data, esp.len, p2_get_u32(esp.data + 4), clear, &len, &next_header) ==
                     P2_DROP_NONE;
    if (!EXPECT(play, opens && next_header == P2_IP_PROTO_IPV4 && p2_ip_parse(&view, clear, len) == P2_OK))
        return none;
    return (struct p2_bytes){clear, len};
}

static void their_packet(struct play *play)
{
    uint8_t clear[PLAY_PACKET];
    struct p2_bytes inner = open_esp(play, clear);
    size_t before = play->num_delivered;
    play_check_ok(play, p2_gateway_receive_ipsec(play->gw, play->now, 0, play->frame->packet.data,
                                                 play->frame->packet.len));
    play_drain(play);
    EXPECT(play, play->num_delivered == before + 1);
    EXPECT(play, play->packet_len == inner.len && memcmp(play->packet, inner.data, inner.len) == 0);
}

static void own_packet(struct play *play)
{
    uint8_t clear[PLAY_PACKET];
    struct p2_bytes inner = open_esp(play, clear), esp = play->frame->content;
    size_t before = play->num_sealed;
    script_iv(&play->script, esp.data + P2_ESP_HEADER_LEN, P2_CIPHER_MAX_BLOCK);
    play_check_ok(play, p2_gateway_send_clear(play->gw, play->now, 0, inner.data, inner.len));
    play_drain(play);
    EXPECT(play, play->num_sealed == before + 1);
    EXPECT(play, play->packet_len == P2_IPV4_HEADER_LEN + esp.len &&
                     memcmp(play->packet + P2_IPV4_HEADER_LEN, esp.data, esp.len) == 0);
    /* protocol, checksum aside: source and destination */
    EXPECT(play, play->packet[9] == P2_IP_PROTO_ESP &&
                     memcmp(play->packet + 12, play->frame->packet.data + 12, 8) == 0);
}

/* --- the whole --- */

/* The daemon was stopped by hand and deleted what it had. Our core deletes an SA at its hard limit: the same
 * message under the same message ID, only later. Not so the newest SA of a tunnel that would be rekeyed
 * before. */
static void own_late_deletes(struct play *play)
{
    const struct capture *capture = &play->corpus->capture;
    bool rekeys = play->corpus->ends[play->side].policy.soft_permille < 1000;
    for (size_t i = 0; i < capture->num_frames; i++) {
        play->frame = &capture->frames[i];
        uint32_t spi = play->frame->phase2 ? corpus_deleted_spi(&play->frame->message) : 0;
        for (size_t k = 0; k < play->num_installed && spi; k++) {
            const struct p2_sa_info *sa = &play->installed[k];
            if (!sa->inbound || sa->spi != spi || sa->hard_at <= play->now ||
                (rekeys && k + 2 == play->num_installed))
                continue;
            play_run_until(play, sa->hard_at);
            EXPECT(play, compare_next(play));
        }
    }
    play->frame = NULL;
}

void play_frames(struct play *play)
{
    const struct capture *capture = &play->corpus->capture;
    for (size_t i = 0; i < capture->num_frames; i++) {
        play->frame = &capture->frames[i];
        bool own = corpus_sender(play->corpus, play->frame) == play->side;
        play_run_until(play, local_time(play, play->frame->at));
        if (play->frame->esp && own)
            own_packet(play);
        else if (play->frame->esp)
            their_packet(play);
        else if (play->frame->phase2 && own)
            own_message(play);
        else if (play->frame->phase2)
            their_message(play);
    }
    if (play->side == CORPUS_INITIATOR)
        own_late_deletes(play);
    play->frame = NULL;
    EXPECT(play, play->num_compared == play->num_sent);
}
