/* What fuzzing and captures made to be slow have found in explain. */
#include "check.h"
#include "esp.h"
#include "explanation.h"
#include "ip.h"
#include "isakmp.h"
#include "write.h"

#include <time.h>

static const uint64_t other = UINT64_C(0x9e3779b97f4a7c15);

static struct p2_address peers[2];

static struct explanation *begin(const struct known_keys *known)
{
    struct explanation *e;
    peers[0] = p2_address_v4(0xc0000201);
    peers[1] = p2_address_v4(0xc0000202);
    check_ok(explanation_new(&e, known, EXPLAIN_WINDOW, false));
    return e;
}

static void hear(struct explanation *e, size_t from, uint8_t protocol, const uint8_t *payload, size_t len)
{
    static uint8_t packet[4096];
    static uint64_t number;
    struct p2_ip_header header = {.source = peers[from],
                                  .destination = peers[1 - from],
                                  .ttl = 64,
                                  .protocol = protocol,
                                  .payload_len = len};
    p2_ip_build(packet, &header);
    memcpy(packet + P2_IPV4_HEADER_LEN, payload, len);
    number++;
    struct frame frame = {.number = number,
                          .at = (p2_time)number * P2_MS,
                          .packet = {packet, P2_IPV4_HEADER_LEN + len},
                          .fragments = 1};
    check_ok(explanation_hear(e, &frame));
}

struct said {
    uint64_t initiator, responder;
    uint8_t next_payload, exchange, flags;
    uint32_t message_id;
};

static void put_u64(uint8_t *out, uint64_t value)
{
    p2_put_u32(out, (uint32_t)(value >> 32));
    p2_put_u32(out + 4, (uint32_t)value);
}

/* An ISAKMP message from port 500 to port 500. */
static void say(struct explanation *e, size_t from, struct said said, const uint8_t *body, size_t len)
{
    uint8_t udp[2048] = {1, 244, 1, 244}, *m = udp + P2_UDP_HEADER_LEN;
    p2_put_u16(udp + 4, (uint16_t)(P2_UDP_HEADER_LEN + P2_ISAKMP_HEADER_LEN + len));
    put_u64(m, said.initiator);
    put_u64(m + 8, said.responder);
    m[16] = said.next_payload;
    m[17] = 0x10;
    m[18] = said.exchange;
    m[19] = said.flags;
    p2_put_u32(m + 20, said.message_id);
    p2_put_u32(m + 24, (uint32_t)(P2_ISAKMP_HEADER_LEN + len));
    memcpy(m + P2_ISAKMP_HEADER_LEN, body, len);
    hear(e, from, P2_IP_PROTO_UDP, udp, P2_UDP_HEADER_LEN + P2_ISAKMP_HEADER_LEN + len);
}

/* Seconds of CPU time; what takes that long has become quadratic, which took minutes. No measurement. */
enum { HANGS = 60 };

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* --- time --- */

static void say_numbered(struct explanation *e, size_t from, struct said said, uint32_t n)
{
    uint8_t body[16] = {0};
    p2_put_u32(body, n);
    say(e, from, said, body, sizeof body);
}

/* Cookies chosen so that the simplest of keys is the same for all. */
static void cookies_that_meet(void)
{
    struct explanation *e = begin(NULL);
    double start = seconds();
    for (uint64_t i = 1; i <= 50000; i++)
        say_numbered(e, 0, (struct said){i * other, i, P2_PAYLOAD_HASH, P2_EXCHANGE_QUICK, 1, 5}, 0);
    CU_ASSERT_EQUAL(e->num_isakmps, 50000);
    CU_ASSERT_TRUE(seconds() - start < HANGS);
    explanation_free(e);
}

/* Sums of neighbouring addresses are few. */
static void neighbours_that_meet(void)
{
    struct explanation *e = begin(NULL);
    double start = seconds();
    for (uint32_t i = 0; i < 200000; i++) {
        uint8_t esp[64] = {0, 0, 1, 0};
        peers[0] = p2_address_v4(0x0a000000 + i % 200);
        peers[1] = p2_address_v4(0x0a000100 + i / 200 % 200);
        hear(e, 0, P2_IP_PROTO_ESP, esp, sizeof esp);
    }
    CU_ASSERT_EQUAL(e->num_pairs, EXPLAIN_MAX_PAIRS);
    CU_ASSERT_EQUAL(e->ipsec.packets, 200000);
    CU_ASSERT_TRUE(seconds() - start < HANGS);
    explanation_free(e);
}

static struct known_keys known_sa(struct known_isakmp *isakmp)
{
    *isakmp = (struct known_isakmp){
        .cipher = P2_CIPHER_AES128_CBC, .hash = P2_HASH_SHA1, .has_a = true, .has_e = true, .has_iv = true};
    put_u64(isakmp->initiator_cookie, 1);
    put_u64(isakmp->responder_cookie, 2);
    return (struct known_keys){.isakmp = isakmp, .num_isakmp = 1};
}

/* In clear, and then encrypted, under one message ID. */
static void messages_of_one_exchange(void)
{
    struct known_isakmp isakmp;
    struct known_keys known = known_sa(&isakmp);
    struct explanation *e = begin(&known);
    double start = seconds();
    for (uint32_t i = 0; i < 100000; i++)
        say_numbered(e, 0, (struct said){1, 2, P2_PAYLOAD_VENDOR, P2_EXCHANGE_QUICK, i >= 50000, 5}, i);
    CU_ASSERT_EQUAL(e->num_messages, 100000);
    CU_ASSERT_EQUAL(e->messages[99999].reading, EXPLAIN_NONSENSE);
    CU_ASSERT_TRUE(seconds() - start < HANGS);
    explanation_free(e);
}

static void copies_among_many(void)
{
    struct explain_options options = {.file = "x", .verbose = true};
    struct explanation *e = begin(NULL);
    FILE *out = fopen("/dev/null", "w");
    for (uint32_t i = 0; i < 100000; i++)
        say_numbered(e, 0, (struct said){1, 2, P2_PAYLOAD_HASH, P2_EXCHANGE_QUICK, 1, 5}, i < 50000 ? i : 0);
    CU_ASSERT_EQUAL(e->messages[0].copies, 50000);
    double start = seconds();
    check_ok(explain_write_ladder(out, e, 0, &options));
    CU_ASSERT_TRUE(seconds() - start < HANGS);
    fclose(out);
    explanation_free(e);
}

/* --- what ended the program --- */

/* RFC 4303 section 3.2 forbids it, but a line of esp_sa may say so. */
static void neither_cipher_nor_hmac(void)
{
    struct known_esp line = {.family = 4,
                             .any_source = true,
                             .any_destination = true,
                             .any_spi = true,
                             .cipher = P2_CIPHER_NULL,
                             .auth = P2_AUTH_NONE};
    struct known_keys known = {.esp = &line, .num_esp = 1};
    struct explanation *e = begin(&known);
    uint8_t esp[64] = {0, 0, 1, 0};
    hear(e, 0, P2_IP_PROTO_ESP, esp, sizeof esp);
    CU_ASSERT_EQUAL(e->ipsec.packets, 1);
    CU_ASSERT_EQUAL(e->ipsec.no_keys, 1);
    explanation_free(e);
}

/* The body of an SA payload with one transform. */
static void answer(struct explanation *e, const char *attributes)
{
    uint8_t body[128];
    char hex[256];
    snprintf(hex, sizeof hex,
             "0000 0030 00000001 00000001 00000024 01010001 0000001c 01010000 %s 80030001 80040002 800e0080",
             attributes);
    size_t len = check_unhex(hex, body, sizeof body);
    p2_put_u16(body + 2, (uint16_t)len);
    say(e, 1, (struct said){1, 2, P2_PAYLOAD_SA, P2_EXCHANGE_MAIN, 0, 0}, body, len);
}

/* With Wireshark's table cipher and hash come from Phase 1, and whoever forges an answer may name ones that
 * do not exist. */
static void phase1_that_changes_its_mind(void)
{
    struct known_isakmp isakmp = {.any_responder = true, .key_len = 16};
    put_u64(isakmp.initiator_cookie, 1);
    struct known_keys known = {.isakmp = &isakmp, .num_isakmp = 1};
    struct explanation *e = begin(&known);
    say_numbered(e, 0, (struct said){1, 0, P2_PAYLOAD_VENDOR, P2_EXCHANGE_MAIN, 0, 0}, 0x00000010);
    answer(e, "80010007 80020002"); /* AES, SHA-1 */
    CU_ASSERT_EQUAL_FATAL(e->num_isakmps, 1);
    CU_ASSERT_TRUE(e->isakmps[0].can_decrypt);
    answer(e, "80010007 8002ffff");
    CU_ASSERT_FALSE(e->isakmps[0].can_decrypt);
    say_numbered(e, 0, (struct said){1, 2, P2_PAYLOAD_HASH, P2_EXCHANGE_QUICK, 1, 5}, 7);
    answer(e, "8001ffff 80020002");
    CU_ASSERT_FALSE(e->isakmps[0].can_decrypt);
    say_numbered(e, 0, (struct said){1, 2, P2_PAYLOAD_HASH, P2_EXCHANGE_QUICK, 1, 5}, 8);
    CU_ASSERT_EQUAL(e->messages[e->num_messages - 1].reading, EXPLAIN_NO_KEYS);
    explanation_free(e);
}

CHECK_MAIN("explain, found", {"cookies that were chosen to meet", cookies_that_meet},
           {"pairs of neighbouring addresses", neighbours_that_meet},
           {"many messages of one exchange", messages_of_one_exchange},
           {"copies among many messages", copies_among_many},
           {"ESP with neither cipher nor HMAC", neither_cipher_nor_hmac},
           {"a Phase 1 that changes its mind", phase1_that_changes_its_mind})
