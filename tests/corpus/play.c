#include "play.h"

#include "esp.h"
#include "ip.h"

#include <assert.h>

bool play_expect(const struct play *play, bool holds, const char *text, const char *file, int line)
{
    if (!holds)
        printf("\n      %s, %s, frame %u: %s", play->corpus->name,
               play->side == CORPUS_INITIATOR ? "as initiator" : "as responder", play->frame ? play->frame->number : 0,
               text);
    return CU_assertImplementation(holds, (unsigned)line, text, file, "", CU_FALSE) == CU_TRUE;
}

static void check_ok(const struct play *play, int result)
{
    EXPECT(play, result == P2_OK);
}

/* --- what the core wants done --- */

static void on_send(struct play *play, const struct p2_action *action)
{
    const struct p2_datagram *datagram = &action->u.send_ike.datagram;
    struct play_sent *sent = &play->sent[play->num_sent++];
    assert(play->num_sent <= PLAY_MAX && datagram->len <= PLAY_PACKET);
    memcpy(sent->bytes, datagram->data, datagram->len);
    sent->len = datagram->len;
    sent->resend = action->u.send_ike.resend;
    sent->answer = action->u.send_ike.answer;
    const struct corpus_end *ends = play->corpus->ends;
    EXPECT(play, memcmp(&datagram->source, &ends[play->side].gateway, sizeof(datagram->source)) == 0);
    EXPECT(play, memcmp(&datagram->destination, &ends[!play->side].gateway, sizeof(datagram->source)) == 0);
    EXPECT(play, datagram->source_port == 500 && datagram->destination_port == 500);
    if (!sent->resend && !sent->answer)
        EXPECT(play, corpus_message_open(&sent->message, &play->chains, &play->corpus->keys,
                                         (struct p2_bytes){sent->bytes, sent->len}));
}

static void on_installed(struct play *play, const struct p2_sa_info *sa)
{
    const struct corpus_sa *theirs = corpus_sa(play->corpus, sa->spi);
    assert(play->num_installed < PLAY_MAX);
    play->installed[play->num_installed++] = *sa;
    if (!EXPECT(play, theirs != NULL))
        return;
    EXPECT(play, strcmp(p2_cipher_info(sa->cipher)->wireshark, theirs->cipher) == 0);
    EXPECT(play, strcmp(p2_auth_info(sa->auth)->wireshark, theirs->auth) == 0);
    EXPECT(play, theirs->encryption_key_len == p2_cipher_info(sa->cipher)->key_len);
    EXPECT(play, theirs->authentication_key_len == p2_auth_info(sa->auth)->key_len);
    EXPECT(play, memcmp(sa->encryption_key, theirs->encryption_key, theirs->encryption_key_len) == 0);
    EXPECT(play, memcmp(sa->authentication_key, theirs->authentication_key, theirs->authentication_key_len) == 0);
}

static void on_secret(struct play *play, const struct p2_action *action)
{
    const struct corpus_secret *secret = corpus_secret(play->corpus, action->id.message_id);
    if (EXPECT(play, secret != NULL && secret->len == action->u.secret.len &&
                         memcmp(secret->bytes, action->u.secret.data, secret->len) == 0))
        play->num_secrets++;
}

static void on_packet(struct play *play, const struct p2_action *action)
{
    assert(action->u.packet.len <= PLAY_PACKET);
    memcpy(play->packet, action->u.packet.data, action->u.packet.len);
    play->packet_len = action->u.packet.len;
    *(action->type == P2_ACTION_DELIVER_CLEAR ? &play->num_delivered : &play->num_sealed) += 1;
}

static void on_action(struct play *play, const struct p2_action *action)
{
    switch (action->type) {
    case P2_ACTION_SEND_IKE:
        on_send(play, action);
        break;
    case P2_ACTION_SEND_IPSEC:
    case P2_ACTION_DELIVER_CLEAR:
        on_packet(play, action);
        break;
    case P2_ACTION_DH_SECRET:
        on_secret(play, action);
        break;
    case P2_ACTION_SA_INSTALLED:
        on_installed(play, &action->u.sa);
        break;
    case P2_ACTION_SA_REMOVED:
        assert(play->num_removed < PLAY_MAX);
        play->removed[play->num_removed++] = action->u.sa;
        break;
    case P2_ACTION_NEGOTIATION:
        assert(play->num_negotiations < PLAY_MAX);
        play->negotiations[play->num_negotiations++] = action->u.negotiation;
        break;
    case P2_ACTION_DROP:
        play->drops[action->u.drop.reason]++;
        break;
    default:
        break;
    }
}

/* Work takes no time here: every job is finished as soon as the actions before it are out. */
static void drain(struct play *play)
{
    uint64_t jobs[PLAY_MAX];
    size_t num = 0, done = 0;
    struct p2_action action;
    for (;;) {
        while (p2_gateway_next_action(play->gw, &action)) {
            assert(num < PLAY_MAX);
            if (action.type == P2_ACTION_COMPUTE)
                jobs[num++] = action.u.compute.job;
            else
                on_action(play, &action);
        }
        if (done == num)
            return;
        check_ok(play, p2_gateway_finish_job(play->gw, play->now, 0, jobs[done++]));
    }
}

static void run_until(struct play *play, p2_time until)
{
    p2_time due;
    while ((due = p2_gateway_next_timeout(play->gw)) <= until) {
        play->now = due > play->now ? due : play->now;
        check_ok(play, p2_gateway_tick(play->gw, play->now, 0));
        drain(play);
    }
    play->now = until > play->now ? until : play->now;
}

/* The capture's initiator deletes an SA at its hard limit. Our responder holds it to the same limit from 2 ms earlier;
 * its clock is a thousandth slow, so that it is the daemon's delete that it sees. */
static p2_time local_time(const struct play *play, p2_time at)
{
    return play->side == CORPUS_RESPONDER ? at - at / 1000 : at;
}

/* --- messages of ours --- */

static void receive(struct play *play, const uint8_t *data, size_t len)
{
    const struct corpus_end *ends = play->corpus->ends;
    struct p2_datagram datagram = {ends[!play->side].gateway, ends[play->side].gateway, 500, 500, data, len};
    check_ok(play, p2_gateway_receive_ike(play->gw, play->now, 0, &datagram));
    drain(play);
}

static void show(const char *whose, struct p2_bytes bytes)
{
    printf("\n      %s ", whose);
    for (size_t i = 0; i < bytes.len; i++)
        printf("%02x", bytes.data[i]);
}

/* Everything but trailing padding, and the length in which it shows. */
static void compare(const struct play *play, const struct corpus_message *ours, const struct corpus_message *theirs)
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
    EXPECT(play, first != copy && copy->len == first->len && memcmp(copy->bytes, first->bytes, copy->len) == 0);
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
    receive(play, play->received, play->received_len);
    expect_copy(play, false);
}

static void own_message(struct play *play)
{
    const struct corpus_frame *frame = play->frame;
    if (frame->copy_of) {
        EXPECT(play, frame->content.len == frame->copy_of->content.len &&
                         memcmp(frame->content.data, frame->copy_of->content.data, frame->content.len) == 0);
        expect_copy(play, true);
        return;
    }
    bool quick = frame->message.header.exchange_type == P2_EXCHANGE_QUICK;
    if (quick && play->side == CORPUS_INITIATOR && play->num_negotiations == 0) {
        check_ok(play, p2_gateway_rekey(play->gw, play->now, 0, 0)); /* the first one; the soft limit brings the others */
        drain(play);
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
    receive(play, play->received, play->received_len);
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
    receive(play, play->received, play->received_len);
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
    p2_esp_init(&keys, P2_CIPHER_AES128_CBC, sa->encryption_key, P2_AUTH_HMAC_SHA1_96, sa->authentication_key);
    bool opens = esp.len <= PLAY_PACKET && p2_esp_plausible(&keys, esp.len) &&
                 p2_esp_verify(&keys, esp.data, esp.len) &&
                 p2_esp_open(&keys, esp.data, esp.len, clear, &len, &next_header) == P2_DROP_NONE;
    if (!EXPECT(play, opens && next_header == P2_IP_PROTO_IPV4 && p2_ip_parse(&view, clear, len) == P2_OK))
        return none;
    return (struct p2_bytes){clear, len};
}

static void their_packet(struct play *play)
{
    uint8_t clear[PLAY_PACKET];
    struct p2_bytes inner = open_esp(play, clear);
    size_t before = play->num_delivered;
    check_ok(play, p2_gateway_receive_ipsec(play->gw, play->now, 0, play->frame->packet.data, play->frame->packet.len));
    drain(play);
    EXPECT(play, play->num_delivered == before + 1);
    EXPECT(play, play->packet_len == inner.len && memcmp(play->packet, inner.data, inner.len) == 0);
}

static void own_packet(struct play *play)
{
    uint8_t clear[PLAY_PACKET];
    struct p2_bytes inner = open_esp(play, clear), esp = play->frame->content;
    size_t before = play->num_sealed;
    script_iv(&play->script, esp.data + P2_ESP_HEADER_LEN, P2_CIPHER_MAX_BLOCK);
    check_ok(play, p2_gateway_send_clear(play->gw, play->now, 0, inner.data, inner.len));
    drain(play);
    EXPECT(play, play->num_sealed == before + 1);
    EXPECT(play, play->packet_len == P2_IPV4_HEADER_LEN + esp.len &&
                     memcmp(play->packet + P2_IPV4_HEADER_LEN, esp.data, esp.len) == 0);
    /* protocol, checksum aside: source and destination */
    EXPECT(play, play->packet[9] == P2_IP_PROTO_ESP && memcmp(play->packet + 12, play->frame->packet.data + 12, 8) == 0);
}

/* --- the whole --- */

/* The daemon was stopped by hand and deleted what it had. Our core deletes an SA at its hard limit: the same message
 * under the same message ID, only later. Not so the newest SA of a tunnel that would be rekeyed before. */
static void own_late_deletes(struct play *play)
{
    const struct capture *capture = &play->corpus->capture;
    bool rekeys = play->corpus->ends[play->side].policy.soft_permille < 1000;
    for (size_t i = 0; i < capture->num_frames; i++) {
        play->frame = &capture->frames[i];
        uint32_t spi = play->frame->phase2 ? corpus_deleted_spi(&play->frame->message) : 0;
        for (size_t k = 0; k < play->num_installed && spi; k++) {
            const struct p2_sa_info *sa = &play->installed[k];
            if (!sa->inbound || sa->spi != spi || sa->hard_at <= play->now || (rekeys && k + 2 == play->num_installed))
                continue;
            run_until(play, sa->hard_at);
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
        run_until(play, local_time(play, play->frame->at));
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

void play_open(struct play *play, const struct corpus *corpus, enum corpus_side side)
{
    const struct corpus_end *ours = &corpus->ends[side], *theirs = &corpus->ends[!side];
    memset(play, 0, sizeof(*play));
    play->corpus = corpus;
    play->side = side;
    script_init(&play->script, corpus, side);
    struct p2_peer_config peer = {.name = "peer", .local = ours->gateway, .remote = theirs->gateway};
    peer.phase1 = corpus->phase1;
    struct p2_tunnel_config tunnel = {.name = "vpn",
                                      .local = ours->network,
                                      .remote = theirs->network,
                                      .policy = ours->policy,
                                      .establish = P2_ESTABLISH_PASSIVE};
    struct p2_gateway_config config = {.peers = &peer, .num_peers = 1, .tunnels = &tunnel, .num_tunnels = 1};
    if (p2_gateway_new(&play->gw, &config, script_random(&play->script)) != P2_OK)
        corpus_broken(corpus->name, "no gateway");
    drain(play);
}

void play_close(struct play *play)
{
    for (size_t i = 0; i < play->num_sent; i++)
        corpus_message_free(&play->sent[i].message);
    p2_gateway_free(play->gw);
}

size_t play_count(const struct play *play, enum p2_negotiation_event event)
{
    size_t num = 0;
    for (size_t i = 0; i < play->num_negotiations; i++)
        num += play->negotiations[i].event == event;
    return num;
}

size_t play_num_sas(const struct play *play)
{
    struct p2_sa_info sa;
    size_t num = 0;
    while (p2_gateway_sa_at(play->gw, num, &sa))
        num++;
    return num;
}
