/* Two gateways that hand each other their messages without a network or a host between them, so that each
 * call and its instant are the test's. Side 0 starts; keys are preset unless the test wants otherwise. */
#ifndef P2_TESTS_LINK_FIXTURE_H
#define P2_TESTS_LINK_FIXTURE_H

#include "check.h"
#include "internal.h"
#include "ip.h"

#define MAX_MAIL 64

struct mail { /* a message or a job that waits */
    bool is_job;
    uint64_t job;
    struct p2_datagram datagram;
    uint8_t bytes[4096];
};

struct end {
    struct p2_gateway *gw;
    struct test_random random;
    struct mail mail[MAX_MAIL];
    size_t num_mail;
    size_t drops[P2_NUM_DROPS], removed[P2_REMOVED_INITIAL_CONTACT + 1];
    size_t num_ike;                    /* messages that it sent */
    uint8_t wire[70000], inner[70000]; /* the last packets that it sent and delivered */
    size_t wire_len, inner_len;
};

struct link {
    struct p2_peer_config peer[2];
    struct p2_tunnel_config tunnel[2];
    struct end ends[2];
    p2_time now;
    bool may_run_out; /* of memory */
};

static inline void check_result(const struct link *link, int result)
{
    CU_ASSERT_TRUE(result == P2_OK || (link->may_run_out && result == P2_ERR_NOMEM));
}

static inline struct mail *new_mail(struct end *end)
{
    CU_ASSERT_TRUE_FATAL(end->num_mail < MAX_MAIL);
    return &end->mail[end->num_mail++];
}

static inline void post(struct end *to, const struct p2_datagram *datagram)
{
    struct mail *mail = new_mail(to);
    CU_ASSERT_TRUE_FATAL(datagram->len <= sizeof(mail->bytes));
    *mail = (struct mail){.datagram = *datagram};
    memcpy(mail->bytes, datagram->data, datagram->len);
}

static inline void keep(uint8_t *to, size_t *len, const struct p2_bytes *packet)
{
    CU_ASSERT_TRUE_FATAL(packet->len <= P2_PACKET_MAX);
    memcpy(to, packet->data, packet->len);
    *len = packet->len;
}

static inline void drain(struct link *link, int side)
{
    struct end *end = &link->ends[side];
    struct p2_action action;
    while (p2_gateway_next_action(end->gw, &action)) {
        if (action.type == P2_ACTION_SEND_IKE) {
            post(&link->ends[!side], &action.u.send_ike.datagram);
            end->num_ike++;
        } else if (action.type == P2_ACTION_COMPUTE) {
            *new_mail(end) = (struct mail){.is_job = true, .job = action.u.compute.job};
        } else if (action.type == P2_ACTION_SEND_IPSEC) {
            keep(end->wire, &end->wire_len, &action.u.packet);
        } else if (action.type == P2_ACTION_DELIVER_CLEAR) {
            keep(end->inner, &end->inner_len, &action.u.packet);
        } else if (action.type == P2_ACTION_DROP) {
            end->drops[action.u.drop.reason]++;
        } else if (action.type == P2_ACTION_SA_REMOVED && action.u.sa.inbound) {
            end->removed[action.u.sa.removal]++;
        }
    }
}

static inline void take_mail(struct link *link, int side)
{
    static struct mail mail;
    struct end *end = &link->ends[side];
    mail = end->mail[0];
    mail.datagram.data = mail.bytes;
    end->num_mail--;
    memmove(end->mail, end->mail + 1, end->num_mail * sizeof(end->mail[0]));
    int result = mail.is_job ? p2_gateway_finish_job(end->gw, link->now, 1, mail.job)
                             : p2_gateway_receive_ike(end->gw, link->now, 1, &mail.datagram);
    check_result(link, result);
    drain(link, side);
}

/* Lets both ends do all that is to be done at this instant. */
static inline void settle(struct link *link)
{
    for (bool busy = true; busy;) {
        busy = false;
        for (int side = 0; side < 2; side++) {
            struct end *end = &link->ends[side];
            while (end->num_mail > 0 || p2_gateway_next_timeout(end->gw) <= link->now) {
                busy = true;
                if (end->num_mail > 0) {
                    take_mail(link, side);
                    continue;
                }
                check_result(link, p2_gateway_tick(end->gw, link->now, 1));
                drain(link, side);
            }
        }
    }
}

static inline void wait_until(struct link *link, p2_time until)
{
    for (;;) {
        settle(link);
        p2_time a = p2_gateway_next_timeout(link->ends[0].gw), b = p2_gateway_next_timeout(link->ends[1].gw);
        p2_time next = a < b ? a : b;
        if (next > until)
            break;
        link->now = next;
    }
    link->now = until;
}

static inline struct p2_address address_of(const char *text)
{
    struct p2_address address = {0};
    CU_ASSERT_TRUE_FATAL(p2_address_parse(&address, text));
    return address;
}

static inline struct p2_selector selector_of(const char *text)
{
    struct p2_selector selector = {0};
    CU_ASSERT_TRUE_FATAL(p2_selector_parse(&selector, text));
    return selector;
}

struct network {
    bool transport;
    const char *outside[2], *inside[2];
};

static const struct network networks[] = {
    {false, {"192.0.2.1", "192.0.2.2"}, {"10.1.0.1", "10.2.0.1"}},
    {false, {"192.0.2.1", "192.0.2.2"}, {"fd00:1::1", "fd00:2::1"}},
    {false, {"fd00::1", "fd00::2"}, {"10.1.0.1", "10.2.0.1"}},
    {false, {"fd00::1", "fd00::2"}, {"fd00:1::1", "fd00:2::1"}},
    {true, {"192.0.2.1", "192.0.2.2"}, {"192.0.2.1", "192.0.2.2"}},
    {true, {"fd00::1", "fd00::2"}, {"fd00::1", "fd00::2"}},
};
#define NUM_NETWORKS (sizeof(networks) / sizeof(networks[0]))

/* Preset keys; side 0 starts. */
static inline struct link *new_link(const struct network *network)
{
    struct link *link = calloc(1, sizeof(*link));
    for (int side = 0; side < 2; side++) {
        struct p2_peer_config *peer = &link->peer[side];
        struct p2_tunnel_config *tunnel = &link->tunnel[side];
        snprintf(peer->name, P2_NAME_MAX, "peer");
        snprintf(tunnel->name, P2_NAME_MAX, "vpn");
        peer->local = address_of(network->outside[side]);
        peer->remote = address_of(network->outside[!side]);
        peer->phase1 = p2_phase1_policy_default("secret");
        peer->phase1.mode = P2_PHASE1_PRESET;
        tunnel->local = selector_of(network->inside[side]);
        tunnel->remote = selector_of(network->inside[!side]);
        tunnel->policy = p2_policy_default("nopfs-esp-aes128-sha");
        tunnel->policy.mode = network->transport ? P2_MODE_TRANSPORT : P2_MODE_TUNNEL;
        tunnel->establish = side ? P2_ESTABLISH_PASSIVE : P2_ESTABLISH_IMMEDIATELY;
        link->ends[side].random.seed = (uint64_t)side + 1;
    }
    return link;
}

static inline void start(struct link *link)
{
    for (int side = 0; side < 2; side++) {
        struct p2_gateway_config config = {&link->peer[side], 1, &link->tunnel[side], 1, false};
        CU_ASSERT_EQUAL_FATAL(
            p2_gateway_new(&link->ends[side].gw, &config, test_random(&link->ends[side].random)), P2_OK);
        drain(link, side);
    }
    settle(link);
}

static inline void free_link(struct link *link)
{
    p2_gateway_free(link->ends[0].gw);
    p2_gateway_free(link->ends[1].gw);
    free(link);
}

/* A packet of so many bytes from the first host of one side to that of the other. Returns its length. */
static inline size_t build_packet(const struct link *link, int from, size_t len, uint8_t *out)
{
    struct p2_ip_header header = {.source = link->tunnel[from].local.address,
                                  .destination = link->tunnel[from].remote.address,
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_UDP};
    size_t at = p2_ip_header_len(header.source.family);
    header.payload_len = len - at;
    p2_ip_build(out, &header);
    for (size_t i = at; i < len; i++)
        out[i] = (uint8_t)(i * 7 + i / 251);
    return len;
}

static inline void send(struct link *link, int from, const uint8_t *packet, size_t len)
{
    CU_ASSERT_EQUAL(p2_gateway_send_clear(link->ends[from].gw, link->now, 1, packet, len), P2_OK);
    drain(link, from);
}

static inline void receive(struct link *link, int side, const uint8_t *packet, size_t len)
{
    CU_ASSERT_EQUAL(p2_gateway_receive_ipsec(link->ends[side].gw, link->now, 1, packet, len), P2_OK);
    drain(link, side);
}

#endif
