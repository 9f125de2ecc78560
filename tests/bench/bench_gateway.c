/* What the core costs beside the bare cryptography, in one run: ESP packets through two gateways against the
 * same nettle calls on the same bytes, and Quick Modes through two gateways against their four
 * exponentiations. Medians; the ratio is the figure to look at. */
#include "bench.h"
#include "esp.h"
#include "ip.h"
#include "sim/sim.h"

#define ROUNDS 15

/* --- ESP --- */

struct pipe { /* what one gateway sends, the other one receives */
    struct p2_gateway *gateways[2];
    uint8_t packet[65536];
    size_t delivered;
};

/* Drains a gateway; ESP packets are kept, everything else of the data path is counted. */
static size_t drain(struct pipe *pipe, int side)
{
    struct p2_action action;
    size_t len = 0;
    while (p2_gateway_next_action(pipe->gateways[side], &action)) {
        if (action.type == P2_ACTION_SEND_IPSEC) {
            len = action.u.packet.len;
            memcpy(pipe->packet, action.u.packet.data, len);
        }
        pipe->delivered += action.type == P2_ACTION_DELIVER_CLEAR;
    }
    return len;
}

static void one_packet(struct pipe *pipe, const uint8_t *clear, size_t len, p2_time now)
{
    if (p2_gateway_send_clear(pipe->gateways[0], now, 1, clear, len) < 0)
        abort();
    size_t sealed = drain(pipe, 0);
    if (p2_gateway_receive_ipsec(pipe->gateways[1], now, 1, pipe->packet, sealed) < 0)
        abort();
    drain(pipe, 1);
}

/* The floor: the same ciphers and HMACs over the same bytes, and a memcpy each way. */
static void bare_packet(struct p2_esp_keys *keys, uint8_t *buffer, size_t len)
{
    uint8_t iv[16] = {0}, icv[12];
    size_t text = (len + 2 + 15) / 16 * 16;
    struct p2_bytes covered = {buffer, text + 24};
    p2_cipher_encrypt(&keys->cipher, iv, buffer + 24, buffer + 24, text);
    p2_hmac_compute(&keys->hmac, &covered, 1, icv, sizeof(icv));
    p2_hmac_compute(&keys->hmac, &covered, 1, icv, sizeof(icv));
    p2_cipher_decrypt(&keys->cipher, iv, buffer + 24, buffer + 24, text);
}

enum { PACKETS = 20000 };

/* Seconds a packet, sealed and opened, through gateways with so many established tunnels. */
static double through_gateways(size_t len, size_t num_tunnels)
{
    static uint8_t clear[2048];
    struct sim_options o = sim_defaults();
    o.num_tunnels = num_tunnels;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    struct pipe pipe = {.gateways = {host_gateway(sim_host(sim, 0)), host_gateway(sim_host(sim, 1))}};
    uint32_t last = (uint32_t)(num_tunnels - 1) << 8;
    struct p2_ip_header header = {.source = p2_address_v4(0x0a010001 + last),
                                  .destination = p2_address_v4(0x0a020001 + last),
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_UDP,
                                  .payload_len = len - P2_IPV4_HEADER_LEN};
    double times[ROUNDS];
    p2_ip_build(clear, &header);
    for (int round = 0; round < ROUNDS; round++) {
        double start = bench_seconds();
        for (int i = 0; i < PACKETS; i++)
            one_packet(&pipe, clear, len, P2_SECOND);
        times[round] = (bench_seconds() - start) / PACKETS;
    }
    if (pipe.delivered != (size_t)ROUNDS * PACKETS)
        abort();
    sim_free(sim);
    return bench_median(times, ROUNDS);
}

static double through_library(size_t len)
{
    static uint8_t buffer[2048 + 64];
    const uint8_t key[32] = {1, 2, 3};
    struct p2_esp_keys keys;
    double times[ROUNDS];
    p2_esp_init(&keys, P2_CIPHER_AES128_CBC, key, P2_AUTH_HMAC_SHA1_96, key, false);
    for (int round = 0; round < ROUNDS; round++) {
        double start = bench_seconds();
        for (int i = 0; i < PACKETS; i++)
            bare_packet(&keys, buffer, len);
        times[round] = (bench_seconds() - start) / PACKETS;
    }
    return bench_median(times, ROUNDS);
}

static void bench_esp(size_t len)
{
    double gateways = through_gateways(len, 1), library = through_library(len);
    printf("ESP, AES-128 and SHA-1, %4zu bytes: seal and open %6.0f ns, bare crypto %6.0f ns, ratio %.2f\n",
           len, gateways * 1e9, library * 1e9, gateways / library);
}

/* Lookups that scanned would show here. */
static void bench_tunnels(void)
{
    double one = through_gateways(64, 1), thousand = through_gateways(64, 1000);
    printf("ESP, 64 bytes, 1,000 tunnels instead of 1: %6.0f ns instead of %6.0f ns, ratio %.2f\n",
           thousand * 1e9, one * 1e9, thousand / one);
}

/* --- Quick Mode --- */

static double quick_modes(enum p2_group group, int num)
{
    struct sim_options o = sim_defaults();
    o.tunnel[0].policy.pfs = o.tunnel[1].policy.pfs = group;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    double start = bench_seconds();
    for (int i = 0; i < num; i++) {
        sim_rekey(sim, 0);
        sim_run(sim, sim_now(sim) + 100 * P2_MS);
    }
    double each = (bench_seconds() - start) / num;
    sim_free(sim);
    return each;
}

static double exponentiations(enum p2_group group, int num)
{
    struct test_random state = {.seed = 1};
    uint8_t private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN], secret[P2_DH_MAX_LEN];
    double start = bench_seconds();
    for (int i = 0; i < 2 * num; i++) {
        if (p2_dh_generate(group, test_random(&state), private_key, public_key) < 0 ||
            p2_dh_derive(group, private_key, public_key, p2_group_of(group)->public_len, secret) < 0)
            abort();
    }
    return (bench_seconds() - start) / num;
}

static void bench_quick_mode(enum p2_group group)
{
    const struct p2_group_info *info = p2_group_of(group);
    double through[ROUNDS], bare[ROUNDS] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        through[round] = quick_modes(group, 50);
        if (info)
            bare[round] = exponentiations(group, 50);
    }
    double a = bench_median(through, ROUNDS), b = bench_median(bare, ROUNDS);
    printf("Quick Mode, both sides, PFS %-8s %7.1f us", info ? info->name : "none:", a * 1e6);
    if (info)
        printf(", its four exponentiations %7.1f us, ratio %.2f", b * 1e6, a / b);
    printf("\n");
}

int main(void)
{
    const size_t sizes[] = {64, 512, 1400};
    const enum p2_group groups[] = {P2_GROUP_NONE, P2_GROUP_2, P2_GROUP_14, P2_GROUP_19};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        bench_esp(sizes[i]);
    bench_tunnels();
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        bench_quick_mode(groups[i]);
    return 0;
}
