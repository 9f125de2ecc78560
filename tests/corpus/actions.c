/* The core in a play: built, driven, and what it wants done noted down. */
#include "play.h"

#include <assert.h>

bool play_expect(const struct play *play, bool holds, const char *text, const char *file, int line)
{
    if (!holds)
        printf("\n      %s, %s, frame %u: %s", play->corpus->name,
               play->side == CORPUS_INITIATOR ? "as initiator" : "as responder",
               play->frame ? play->frame->number : 0, text);
    return CU_assertImplementation(holds, (unsigned)line, text, file, "", CU_FALSE) == CU_TRUE;
}

void play_check_ok(const struct play *play, int result)
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
    EXPECT(play, strcmp(p2_cipher_of(sa->cipher)->wireshark, theirs->cipher) == 0);
    EXPECT(play, strcmp(p2_auth_of(sa->auth)->wireshark, theirs->auth) == 0);
    EXPECT(play, theirs->encryption_key_len == p2_cipher_of(sa->cipher)->key_len);
    EXPECT(play, theirs->authentication_key_len == p2_auth_of(sa->auth)->key_len);
    EXPECT(play, memcmp(sa->encryption_key, theirs->encryption_key, theirs->encryption_key_len) == 0);
    EXPECT(play,
           memcmp(sa->authentication_key, theirs->authentication_key, theirs->authentication_key_len) == 0);
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
void play_drain(struct play *play)
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
        play_check_ok(play, p2_gateway_finish_job(play->gw, play->now, 0, jobs[done++]));
    }
}

void play_run_until(struct play *play, p2_time until)
{
    p2_time due;
    while ((due = p2_gateway_next_timeout(play->gw)) <= until) {
        play->now = due > play->now ? due : play->now;
        play_check_ok(play, p2_gateway_tick(play->gw, play->now, 0));
        play_drain(play);
    }
    play->now = until > play->now ? until : play->now;
}

void play_receive(struct play *play, const uint8_t *data, size_t len)
{
    const struct corpus_end *ends = play->corpus->ends;
    struct p2_datagram datagram = {ends[!play->side].gateway, ends[play->side].gateway, 500, 500, data, len};
    play_check_ok(play, p2_gateway_receive_ike(play->gw, play->now, 0, &datagram));
    play_drain(play);
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
    play_drain(play);
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
