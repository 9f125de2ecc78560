#include "direct.h"

#include "ip.h"

/* One row for each way through the data path. */
static const struct direct_kind kinds[] = {
    {"CBC", false, true, P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96, false, 64, false, 0},
    {"CBC, no window", false, true, P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96, false, 0, false, 0},
    {"3DES, ESN", false, true, P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_MD5_96, true, 64, false, 0},
    {"CTR", false, true, P2_CIPHER_AES256_CTR, P2_AUTH_HMAC_SHA256_128, false, 1024, false, 0},
    {"GCM", false, true, P2_CIPHER_AES128_GCM16, P2_AUTH_NONE, false, 32, false, 0},
    {"GCM, ESN", false, true, P2_CIPHER_AES256_GCM16, P2_AUTH_NONE, true, 64, false, 0},
    {"NULL, ESN", false, true, P2_CIPHER_NULL, P2_AUTH_HMAC_SHA256_128, true, 64, false, 0},
    {"NULL, no window", false, true, P2_CIPHER_NULL, P2_AUTH_HMAC_SHA1_96, false, 0, false, 0},
    {"AH", true, false, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA1_96, false, 64, false, 0},
    {"AH, ESN", true, false, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA256_128, true, 64, false, 0},
    {"AH, no window", true, false, P2_CIPHER_NONE, P2_AUTH_HMAC_MD5_96, false, 0, false, 0},
    {"AH and ESP", true, true, P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96, false, 64, false, 0},
    {"AH and ESP, ESN", true, true, P2_CIPHER_AES128_GCM16, P2_AUTH_NONE, true, 64, false, 0},
    {"ESP, transport", false, true, P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96, false, 64, true,
     P2_IP_PROTO_UDP},
    {"AH, transport", true, false, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA1_96, true, 64, true, P2_IP_PROTO_TCP},
    {"AH and ESP, transport", true, true, P2_CIPHER_NULL, P2_AUTH_HMAC_SHA1_96, false, 64, true,
     P2_IP_PROTO_ICMP},
};

#define NUM_KINDS (sizeof kinds / sizeof kinds[0])

static struct p2_address address(const char *format, unsigned number)
{
    char text[64];
    struct p2_address out = {0};
    snprintf(text, sizeof text, format, number);
    if (!p2_address_parse(&out, text))
        abort();
    return out;
}

static struct p2_policy policy_of(const struct direct_kind *kind)
{
    struct p2_policy policy = p2_policy_default("nopfs-esp-aes128-sha");
    struct p2_proposal esp = p2_proposal_of(P2_PROTO_ESP, kind->cipher, kind->auth);
    struct p2_proposal ah =
        p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, kind->esp ? P2_AUTH_HMAC_SHA1_96 : kind->auth);
    policy.proposals[0] = kind->ah ? ah : esp;
    if (kind->ah && kind->esp)
        policy.proposals[0].protocols[policy.proposals[0].num_protocols++] = esp.protocols[0];
    policy.mode = kind->transport ? P2_MODE_TRANSPORT : P2_MODE_TUNNEL;
    policy.esn = kind->esn;
    policy.sequence_first = kind->esn ? UINT32_MAX - 5 : 0;
    policy.replay_window = kind->window;
    return policy;
}

/* --- configuration --- */

static void plan_tunnels(struct direct *d)
{
    static const char *const inside[2] = {"10.1.%u.1", "10.2.%u.1"};
    static const char *const outside[2][2] = {{"192.0.2.1", "192.0.2.2"}, {"fd00::1", "fd00::2"}};
    static const char *const inside6[2] = {"fd01:%x::1", "fd02:%x::1"};
    for (unsigned v6 = 0; v6 < 2; v6++) {
        for (unsigned k = 0; k < NUM_KINDS; k++) {
            struct direct_tunnel *tunnel = &d->tunnels[d->num_tunnels++];
            tunnel->kind = &kinds[k];
            tunnel->family = v6 ? 6 : 4;
            for (int side = 0; side < 2; side++)
                tunnel->inside[side] = kinds[k].transport ? address(outside[v6][side], 0)
                                                          : address(v6 ? inside6[side] : inside[side], k);
        }
    }
}

static struct p2_selector selector_of(const struct direct_tunnel *tunnel, int side)
{
    return (struct p2_selector){.address = tunnel->inside[side],
                                .prefix_len = tunnel->family == 6 ? 128 : 32,
                                .protocol = tunnel->kind->protocol};
}

static void make_gateway(struct direct *d, int side, bool defer_ipsec)
{
    static struct p2_tunnel_config tunnels[DIRECT_MAX_TUNNELS];
    static const char *const outside[2][2] = {{"192.0.2.1", "192.0.2.2"}, {"fd00::1", "fd00::2"}};
    struct p2_peer_config peers[2] = {0};
    memset(tunnels, 0, sizeof tunnels);
    for (int v6 = 0; v6 < 2; v6++) {
        snprintf(peers[v6].name, P2_NAME_MAX, "over IPv%d", v6 ? 6 : 4);
        peers[v6].local = address(outside[v6][side], 0);
        peers[v6].remote = address(outside[v6][!side], 0);
        peers[v6].phase1 = p2_phase1_policy_default(v6 ? "six" : "four");
        peers[v6].phase1.mode = P2_PHASE1_PRESET;
    }
    for (size_t i = 0; i < d->num_tunnels; i++) {
        const struct direct_tunnel *tunnel = &d->tunnels[i];
        tunnels[i].peer = tunnel->family == 6;
        snprintf(tunnels[i].name, P2_NAME_MAX, "%zu", i);
        tunnels[i].local = selector_of(tunnel, side);
        tunnels[i].remote = selector_of(tunnel, !side);
        tunnels[i].policy = policy_of(tunnel->kind);
        tunnels[i].establish = side == 0 ? P2_ESTABLISH_IMMEDIATELY : P2_ESTABLISH_PASSIVE;
    }
    struct p2_gateway_config config = {peers, 2, tunnels, d->num_tunnels, defer_ipsec};
    if (p2_gateway_new(&d->gateways[side], &config, test_random(&d->random[side])) != P2_OK)
        abort();
}

/* --- negotiation --- */

struct letter {
    int to;
    struct p2_datagram datagram;
    uint8_t bytes[2048];
};

struct post {
    struct letter letters[8 * DIRECT_MAX_TUNNELS];
    size_t num, next;
};

static void drain(struct direct *d, struct post *post, int side)
{
    struct p2_action action;
    uint64_t jobs[DIRECT_MAX_TUNNELS];
    size_t num_jobs = 0;
    while (p2_gateway_next_action(d->gateways[side], &action)) {
        if (action.type == P2_ACTION_COMPUTE)
            jobs[num_jobs++] = action.u.compute.job;
        if (action.type != P2_ACTION_SEND_IKE)
            continue;
        struct letter *letter = &post->letters[post->num++];
        const struct p2_datagram *datagram = &action.u.send_ike.datagram;
        letter->to = !side;
        letter->datagram = *datagram;
        memcpy(letter->bytes, datagram->data, datagram->len);
    }
    for (size_t i = 0; i < num_jobs; i++) {
        check_ok(p2_gateway_finish_job(d->gateways[side], DIRECT_NOW, 1, jobs[i]));
        drain(d, post, side);
    }
}

static void negotiate(struct direct *d)
{
    struct post *post = calloc(1, sizeof *post);
    for (int side = 0; side < 2; side++)
        drain(d, post, side);
    while (p2_gateway_next_timeout(d->gateways[0]) <= DIRECT_NOW) {
        check_ok(p2_gateway_tick(d->gateways[0], DIRECT_NOW, 1));
        drain(d, post, 0);
    }
    while (post->next < post->num) {
        struct letter *letter = &post->letters[post->next++];
        letter->datagram.data = letter->bytes;
        check_ok(p2_gateway_receive_ike(d->gateways[letter->to], DIRECT_NOW, 1, &letter->datagram));
        drain(d, post, letter->to);
    }
    free(post);
}

void direct_init(struct direct *d, uint64_t seed, bool defer_ipsec)
{
    size_t num_sas = 0, expected = 0;
    struct p2_sa_info sa;
    memset(d, 0, sizeof *d);
    plan_tunnels(d);
    for (int side = 0; side < 2; side++) {
        d->random[side].seed = 2 * seed + (uint64_t)side;
        make_gateway(d, side, defer_ipsec);
    }
    negotiate(d);
    for (size_t i = 0; i < d->num_tunnels; i++)
        expected += 2u * (d->tunnels[i].kind->ah + d->tunnels[i].kind->esp);
    while (p2_gateway_sa_at(d->gateways[1], num_sas, &sa) && sa.authorised)
        num_sas++;
    if (num_sas != expected) {
        fprintf(stderr, "direct: %zu SAs instead of %zu\n", num_sas, expected);
        abort();
    }
}

void direct_cleanup(struct direct *d)
{
    p2_gateway_free(d->gateways[0]);
    p2_gateway_free(d->gateways[1]);
}
