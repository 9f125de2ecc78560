/* The data path, suite by suite: packets through two gateways, sealed and opened, against the same ciphers
 * and HMACs on the same bytes; and what the replay window costs at each width. Ours and bare alternate in one
 * run; medians, and the ratio is the figure to look at.
 *
 * A benchmark and not a test: it judges nothing. */
#include "ah.h"
#include "bench.h"
#include "esp.h"
#include "ip.h"
#include "replay.h"
#include "sim/sim.h"

#define ROUNDS  15
#define PACKETS 1500

/* --- through two gateways --- */

struct lane {
    struct sim *sim;
    struct p2_gateway *gateways[2];
    uint8_t clear[2048], sealed[2048];
    size_t len, sealed_len, delivered;
};

static void drain(struct lane *lane, int side)
{
    struct p2_action action;
    while (p2_gateway_next_action(lane->gateways[side], &action)) {
        lane->delivered += action.type == P2_ACTION_DELIVER_CLEAR;
        if (action.type != P2_ACTION_SEND_IPSEC)
            continue;
        lane->sealed_len = action.u.packet.len;
        memcpy(lane->sealed, action.u.packet.data, lane->sealed_len);
    }
}

static void lane_open(struct lane *lane, const struct p2_proposal *proposal, size_t len)
{
    struct sim_options o = sim_defaults();
    memset(lane, 0, sizeof(*lane));
    for (int side = 0; side < 2; side++) {
        o.peer[side].phase1.mode = P2_PHASE1_PRESET;
        o.tunnel[side].policy.proposals[0] = *proposal;
        o.tunnel[side].policy.replay_window = 1024;
    }
    lane->sim = sim_new(&o);
    sim_run(lane->sim, P2_SECOND);
    for (int side = 0; side < 2; side++)
        lane->gateways[side] = host_gateway(sim_host(lane->sim, side));
    struct p2_ip_header header = {.source = p2_address_v4(0x0a010001),
                                  .destination = p2_address_v4(0x0a020001),
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_UDP,
                                  .payload_len = len - P2_IPV4_HEADER_LEN};
    p2_ip_build(lane->clear, &header);
    lane->len = len;
}

static double through_gateways(struct lane *lane)
{
    double start = bench_seconds();
    for (int i = 0; i < PACKETS; i++) {
        if (p2_gateway_send_clear(lane->gateways[0], P2_SECOND, 1, lane->clear, lane->len) < 0)
            abort();
        drain(lane, 0);
        if (p2_gateway_receive_ipsec(lane->gateways[1], P2_SECOND, 1, lane->sealed, lane->sealed_len) < 0)
            abort();
        drain(lane, 1);
    }
    return (bench_seconds() - start) / PACKETS;
}

/* --- the floor --- */

struct floor {
    struct p2_cipher_key cipher;
    struct p2_hmac hmac[2]; /* of ESP, of AH */
    struct p2_algorithms esp, ah;
    size_t esp_text, ah_covers; /* bytes */
    uint8_t bytes[2048];
};

static void floor_init(struct floor *floor, const struct p2_proposal *proposal, size_t len)
{
    static const uint8_t key[64] = {1, 2, 3};
    memset(floor, 0, sizeof(*floor));
    floor->ah_covers = len + P2_IPV4_HEADER_LEN;
    for (size_t i = proposal->num_protocols; i-- > 0;) {
        const struct p2_protocol_offer *offer = &proposal->protocols[i];
        const struct p2_algorithms *a = &offer->alternatives[0];
        const struct p2_auth_info *info = p2_auth_of(a->auth);
        bool ah = offer->protocol == P2_PROTO_AH;
        *(ah ? &floor->ah : &floor->esp) = *a;
        if (a->auth != P2_AUTH_NONE)
            p2_hmac_init(&floor->hmac[ah], info->hash, key, info->key_len);
        if (ah) {
            floor->ah_covers += 12 + info->icv_len;
            continue;
        }
        struct p2_esp_keys keys;
        p2_esp_init(&keys, a->cipher, key, a->auth, key, false);
        floor->cipher = keys.cipher;
        floor->esp_text = p2_esp_sealed_len(&keys, len) - P2_ESP_HEADER_LEN - keys.iv_len - keys.icv_len;
        floor->ah_covers = P2_IPV4_HEADER_LEN + p2_esp_sealed_len(&keys, len);
    }
}

static void bare_hmac(struct floor *floor, bool ah, size_t len)
{
    uint8_t icv[P2_HASH_MAX_LEN];
    struct p2_bytes covered = {floor->bytes, len};
    p2_hmac_compute(&floor->hmac[ah], &covered, 1, icv,
                    p2_auth_of(ah ? floor->ah.auth : floor->esp.auth)->icv_len);
}

static void bare_packet(struct floor *floor)
{
    uint8_t iv[16] = {0}, icv[16], *text = floor->bytes + 24;
    struct p2_bytes aad = {floor->bytes, 8};
    bool combined = floor->esp.cipher != P2_CIPHER_NONE && p2_cipher_of(floor->esp.cipher)->icv_len > 0;
    size_t len = floor->esp_text;
    if (combined) {
        p2_cipher_seal(&floor->cipher, iv, aad, text, text, len, icv);
        if (!p2_cipher_open(&floor->cipher, iv, aad, text, text, len, icv))
            abort();
    } else if (floor->esp.cipher != P2_CIPHER_NONE) {
        p2_cipher_encrypt(&floor->cipher, iv, text, text, len);
        bare_hmac(floor, false, len + 24);
        bare_hmac(floor, false, len + 24);
        p2_cipher_decrypt(&floor->cipher, iv, text, text, len);
    }
    for (int i = 0; i < 2 && floor->ah.auth != P2_AUTH_NONE; i++)
        bare_hmac(floor, true, floor->ah_covers);
}

static double through_library(struct floor *floor)
{
    double start = bench_seconds();
    for (int i = 0; i < PACKETS; i++)
        bare_packet(floor);
    return (bench_seconds() - start) / PACKETS;
}

static void bench_suite(const struct p2_proposal *proposal, size_t len)
{
    static struct lane lane;
    static struct floor floor;
    double ours[ROUNDS], bare[ROUNDS], ratio[ROUNDS];
    char text[P2_PROPOSAL_TEXT];
    lane_open(&lane, proposal, len);
    floor_init(&floor, proposal, len);
    for (int round = 0; round < ROUNDS; round++) {
        ours[round] = through_gateways(&lane);
        bare[round] = through_library(&floor);
        ratio[round] = ours[round] / bare[round];
    }
    if (lane.delivered != (size_t)ROUNDS * PACKETS)
        abort();
    p2_proposal_format(proposal, text);
    double each = bench_median(ours, ROUNDS);
    printf("%-46s %5zu %9.0f %9.0f %7.2f %11.0f\n", text, len, each * 1e9, bench_median(bare, ROUNDS) * 1e9,
           bench_median(ratio, ROUNDS), 1 / each);
    sim_free(lane.sim);
}

static void bench_suites(void)
{
    static const struct p2_algorithms esp[] = {
        {P2_CIPHER_NULL, P2_AUTH_HMAC_SHA1_96},          {P2_CIPHER_DES_CBC, P2_AUTH_HMAC_MD5_96},
        {P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_SHA1_96},      {P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96},
        {P2_CIPHER_AES256_CBC, P2_AUTH_HMAC_SHA256_128}, {P2_CIPHER_AES256_CBC, P2_AUTH_HMAC_SHA512_256},
        {P2_CIPHER_AES128_CTR, P2_AUTH_HMAC_SHA256_128}, {P2_CIPHER_AES128_GCM16, P2_AUTH_NONE},
        {P2_CIPHER_AES256_GCM16, P2_AUTH_NONE}};
    static const size_t sizes[] = {64, 1400};
    struct p2_proposal proposals[32];
    size_t num = 0;
    for (size_t i = 0; i < sizeof(esp) / sizeof(esp[0]); i++)
        proposals[num++] = p2_proposal_of(P2_PROTO_ESP, esp[i].cipher, esp[i].auth);
    for (unsigned auth = P2_AUTH_NONE + 1; auth < P2_NUM_AUTHS; auth++)
        proposals[num++] = p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, (enum p2_auth)auth);
    proposals[num] = p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA1_96);
    proposals[num].protocols[1] = proposals[3].protocols[0];
    proposals[num++].num_protocols = 2;
    printf("%-46s %5s %9s %9s %7s %11s\n", "seal and open", "bytes", "ours ns", "bare ns", "ratio",
           "packets/s");
    for (size_t i = 0; i < num; i++) {
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
            bench_suite(&proposals[i], sizes[s]);
    }
}

/* --- the window --- */

#define NUMBERS 20000

/* As the data path does it: extend if need be, check, mark. */
static uint64_t take(struct p2_replay *replay, const uint64_t *numbers, bool esn)
{
    uint64_t num = 0;
    for (size_t i = 0; i < NUMBERS; i++) {
        uint64_t number = esn ? p2_replay_extend(replay, (uint32_t)numbers[i]) : numbers[i];
        if (p2_replay_check(replay, number) != P2_DROP_NONE)
            continue;
        p2_replay_mark(replay, number);
        num++;
    }
    return num;
}

/* In order, or each packet up to 16 places from where it belongs. ns a packet. */
static double window(uint32_t width, bool shuffled, bool esn)
{
    static uint64_t numbers[NUMBERS];
    struct test_random random = {width};
    double times[ROUNDS];
    for (size_t i = 0; i < NUMBERS; i++)
        numbers[i] = i + 1;
    for (size_t i = 0; shuffled && i + 16 < NUMBERS; i++) {
        size_t other = i + test_random_next(&random) % 16;
        uint64_t swapped = numbers[i];
        numbers[i] = numbers[other];
        numbers[other] = swapped;
    }
    for (int round = 0; round < ROUNDS; round++) {
        struct p2_replay replay;
        if (p2_replay_init(&replay, width) < 0)
            abort();
        double start = bench_seconds();
        uint64_t num = take(&replay, numbers, esn);
        times[round] = (bench_seconds() - start) / NUMBERS * 1e9;
        if (num < NUMBERS / 2)
            abort();
        p2_replay_cleanup(&replay);
    }
    return bench_median(times, ROUNDS);
}

static void bench_windows(void)
{
    static const uint32_t widths[] = {32, 64, 1024, 4096, 131072};
    printf("%-46s %9s %12s %9s %14s\n", "replay window, ns a packet", "in order", "out of order", "with ESN",
           "out of order");
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
        printf("width %-40u %9.2f %12.2f %9.2f %14.2f\n", widths[i], window(widths[i], false, false),
               window(widths[i], true, false), window(widths[i], false, true), window(widths[i], true, true));
}

int main(void)
{
    bench_windows();
    bench_suites();
    return 0;
}
