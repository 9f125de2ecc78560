/* What an eavesdropper reads with which keys. The Quick Modes are those of two real daemons, and the SAs'
 * keys are the ones that the daemons exported: what is opened here was sealed with them, not with keys of
 * ours. */
#include "check.h"
#include "cursor.h"
#include "dh.h"
#include "eavesdrop.h"
#include "esp.h"
#include "ip.h"
#include "vectors/corpus.h"

#define NUM_QUICKS (sizeof(corpus_quicks) / sizeof(corpus_quicks[0]))

enum { KNOWS_D = 1, KNOWS_E = 2 };

static struct p2_address address(uint8_t last)
{
    return (struct p2_address){.family = 4, .bytes = {10, 99, 0, last}};
}

static size_t packet_of(uint8_t *out, uint8_t protocol, const uint8_t *payload, size_t len)
{
    struct p2_ip_header header = {
        .source = address(1), .destination = address(2), .ttl = 64, .protocol = protocol, .payload_len = len};
    size_t at = p2_ip_build(out, &header);
    memcpy(out + at, payload, len);
    return at + len;
}

static struct p2_eavesdrop_packet hear(struct p2_eavesdrop *e, const uint8_t *packet, size_t len)
{
    struct p2_eavesdrop_packet heard;
    CU_ASSERT_EQUAL_FATAL(p2_eavesdrop_hear(e, &heard, packet, len), P2_OK);
    return heard;
}

static struct p2_eavesdrop_packet hear_ike(struct p2_eavesdrop *e, const uint8_t *message, size_t len,
                                           bool floated)
{
    uint8_t udp[2048] = {0}, packet[2100];
    size_t marker = floated ? 4 : 0;
    p2_udp_build(udp, floated ? 4500 : 500, floated ? 4500 : 500, marker + len);
    memcpy(udp + P2_UDP_HEADER_LEN + marker, message, len);
    return hear(e, packet, packet_of(packet, P2_IP_PROTO_UDP, udp, P2_UDP_HEADER_LEN + marker + len));
}

/* A packet of the SA, sealed with what the daemon said its keys were. True: it was read, and as it was. */
static bool reads_packet(struct p2_eavesdrop *e, const struct corpus_sa *sa, uint32_t number)
{
    uint8_t inner[100], content[60] = "what nobody else should know", esp[256], packet[300], iv[16] = {7};
    uint8_t encryption[32], authentication[32];
    struct p2_esp_keys keys;
    check_unhex(sa->encryption_key, encryption, sizeof(encryption));
    check_unhex(sa->authentication_key, authentication, sizeof(authentication));
    p2_esp_init(&keys, P2_CIPHER_AES128_CBC, encryption, P2_AUTH_HMAC_SHA1_96, authentication, false);
    struct p2_bytes plain = {inner, packet_of(inner, P2_IP_PROTO_UDP, content, sizeof(content))};
    p2_esp_seal(&keys, sa->spi, number, iv, P2_IP_PROTO_IPV4, plain, esp);
    size_t len = packet_of(packet, P2_IP_PROTO_ESP, esp, p2_esp_sealed_len(&keys, plain.len));
    struct p2_eavesdrop_packet heard = hear(e, packet, len);
    CU_ASSERT_EQUAL(heard.what, P2_HEARD_ESP);
    CU_ASSERT_EQUAL(heard.spi, sa->spi);
    if (!heard.read)
        return false;
    CU_ASSERT_EQUAL(heard.next, P2_IP_PROTO_IPV4);
    CU_ASSERT_EQUAL_FATAL(heard.plain.len, plain.len);
    CU_ASSERT_EQUAL(memcmp(heard.plain.data, plain.data, plain.len), 0);
    return true;
}

static struct p2_eavesdrop *listen(const struct corpus_isakmp_sa *sa, unsigned knows)
{
    struct p2_eavesdrop *e;
    uint8_t first[1024];
    struct p2_eavesdrop_isakmp known = {.cipher = p2_cipher_by_name(sa->cipher),
                                        .hash = p2_hash_by_name(sa->hash),
                                        .knows_d = knows & KNOWS_D,
                                        .knows_e = knows & KNOWS_E};
    check_unhex(sa->main_mode[0], first, sizeof(first));
    memcpy(known.initiator_cookie, first, 8);
    memcpy(known.responder_cookie, first + 8, 8);
    check_unhex(sa->skeyid_d, known.skeyid_d, sizeof(known.skeyid_d));
    check_unhex(sa->skeyid_e, known.skeyid_e, sizeof(known.skeyid_e));
    check_unhex(sa->iv, known.last_block, sizeof(known.last_block));
    CU_ASSERT_EQUAL_FATAL(p2_eavesdrop_new(&e), P2_OK);
    CU_ASSERT_EQUAL_FATAL(p2_eavesdrop_learn(e, &known), P2_OK);
    return e;
}

static size_t hear_quick(struct p2_eavesdrop *e, const struct corpus_quick *quick, bool floated)
{
    size_t read = 0;
    for (size_t i = 0; i < 3; i++) {
        uint8_t message[1024];
        size_t len = check_unhex(quick->messages[i], message, sizeof(message));
        read += hear_ike(e, message, len, floated).read;
        CU_ASSERT_FALSE(hear_ike(e, message, len, floated).read); /* a resent one says nothing new */
    }
    return read;
}

/* The table of the question: which keys open what, with PFS and without. */
static void keys_open_what_they_should(void)
{
    size_t with_pfs = 0;
    for (size_t i = 0; i < NUM_QUICKS; i++) {
        const struct corpus_quick *quick = &corpus_quicks[i];
        with_pfs += quick->dh_secret != NULL;
        for (unsigned knows = 0; knows < 4; knows++) {
            struct p2_eavesdrop *e = listen(quick->isakmp, knows);
            bool reads = knows & KNOWS_E, opens = knows == (KNOWS_D | KNOWS_E) && !quick->dh_secret;
            CU_ASSERT_EQUAL(hear_quick(e, quick, i % 2), reads ? 3 : 0);
            CU_ASSERT_EQUAL(reads_packet(e, &quick->to_initiator, 1), opens);
            CU_ASSERT_EQUAL(reads_packet(e, &quick->to_responder, 1), opens);
            struct p2_eavesdrop_counts counts = p2_eavesdrop_counts(e);
            CU_ASSERT_EQUAL(counts.quick_modes, 1);
            CU_ASSERT_EQUAL(counts.quick_modes_read, reads ? 1 : 0);
            CU_ASSERT_EQUAL(counts.packets, 2);
            CU_ASSERT_EQUAL(counts.packets_read, opens ? 2 : 0);
            struct p2_eavesdrop_sa sa;
            for (size_t k = 0; k < 2; k++) {
                CU_ASSERT_TRUE_FATAL(p2_eavesdrop_sa_at(e, k, &sa));
                CU_ASSERT_EQUAL(sa.negotiated, reads);
                CU_ASSERT_EQUAL(sa.pfs, reads && quick->dh_secret);
                CU_ASSERT_EQUAL(sa.packets, 1);
                CU_ASSERT_EQUAL(sa.read, opens ? 1 : 0);
            }
            CU_ASSERT_FALSE(p2_eavesdrop_sa_at(e, 2, &sa));
            p2_eavesdrop_free(e);
        }
    }
    CU_ASSERT(with_pfs > 0 && with_pfs < NUM_QUICKS);
}

/* With PFS it takes g(qm)^xy, and then it is enough. */
static void the_exchange_of_the_quick_mode_opens_pfs(void)
{
    for (size_t i = 0; i < NUM_QUICKS; i++) {
        const struct corpus_quick *quick = &corpus_quicks[i];
        uint8_t secret[P2_DH_MAX_LEN], first[1024];
        if (!quick->dh_secret)
            continue;
        struct p2_bytes bytes = {secret, check_unhex(quick->dh_secret, secret, sizeof(secret))};
        check_unhex(quick->messages[0], first, sizeof(first));
        for (uint32_t wrong = 0; wrong < 2; wrong++) {
            struct p2_eavesdrop *e = listen(quick->isakmp, KNOWS_D | KNOWS_E);
            CU_ASSERT_EQUAL_FATAL(p2_eavesdrop_learn_secret(e, first, quick->message_id + wrong, bytes),
                                  P2_OK);
            hear_quick(e, quick, false);
            CU_ASSERT_EQUAL(reads_packet(e, &quick->to_initiator, 1), !wrong);
            CU_ASSERT_EQUAL(reads_packet(e, &quick->to_responder, 1), !wrong);
            p2_eavesdrop_free(e);
        }
    }
}

/* A packet that was changed does not count as read, and numbers may come in any order. */
static void a_changed_packet_is_not_read(void)
{
    struct p2_eavesdrop *e = listen(corpus_quicks[0].isakmp, KNOWS_D | KNOWS_E);
    struct corpus_sa wrong = corpus_quicks[0].to_initiator;
    CU_ASSERT_PTR_NULL_FATAL(corpus_quicks[0].dh_secret);
    hear_quick(e, &corpus_quicks[0], false);
    wrong.authentication_key = corpus_quicks[0].to_responder.authentication_key;
    CU_ASSERT_TRUE(reads_packet(e, &corpus_quicks[0].to_initiator, 9));
    CU_ASSERT_FALSE(reads_packet(e, &wrong, 10));
    CU_ASSERT_TRUE(reads_packet(e, &corpus_quicks[0].to_initiator, 3));
    CU_ASSERT_EQUAL(p2_eavesdrop_counts(e).packets, 3);
    CU_ASSERT_EQUAL(p2_eavesdrop_counts(e).packets_read, 2);
    p2_eavesdrop_free(e);
}

/* Without the first message the second one's IV is not known, and nothing follows from it. */
static void a_missed_message_breaks_the_chain(void)
{
    const struct corpus_quick *quick = &corpus_quicks[0];
    struct p2_eavesdrop *e = listen(quick->isakmp, KNOWS_D | KNOWS_E);
    for (size_t i = 1; i < 3; i++) {
        uint8_t message[1024];
        size_t len = check_unhex(quick->messages[i], message, sizeof(message));
        CU_ASSERT_FALSE(hear_ike(e, message, len, false).read);
    }
    CU_ASSERT_FALSE(reads_packet(e, &quick->to_initiator, 1));
    CU_ASSERT_EQUAL(p2_eavesdrop_counts(e).quick_modes, 1);
    CU_ASSERT_EQUAL(p2_eavesdrop_counts(e).quick_modes_read, 0);
    p2_eavesdrop_free(e);
}

/* Every length and every byte of rubbish is survived, and none of it is read. */
static void rubbish_is_survived(void)
{
    const struct corpus_quick *quick = &corpus_quicks[0];
    struct p2_eavesdrop *e = listen(quick->isakmp, KNOWS_D | KNOWS_E);
    uint8_t message[1024], packet[300] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64};
    size_t len = check_unhex(quick->messages[0], message, sizeof(message));
    for (size_t cut = 0; cut < len; cut++)
        CU_ASSERT_FALSE(hear_ike(e, message, cut, cut % 2).read);
    for (size_t cut = 0; cut < sizeof(packet); cut++) {
        packet[2] = (uint8_t)(cut >> 8);
        packet[3] = (uint8_t)cut;
        packet[9] = (uint8_t)(cut % 3 == 0 ? 50 : cut % 3 == 1 ? 51 : 17);
        CU_ASSERT_FALSE(hear(e, packet, cut).read);
    }
    p2_eavesdrop_free(e);
}

CHECK_MAIN("eavesdrop", {"which keys open what", keys_open_what_they_should},
           {"PFS takes the Quick Mode's own secret", the_exchange_of_the_quick_mode_opens_pfs},
           {"a changed packet is not read", a_changed_packet_is_not_read},
           {"a missed message breaks the chain", a_missed_message_breaks_the_chain},
           {"rubbish is survived", rubbish_is_survived})
