/* The dissector: messages made by hand for each payload, names of numbers, IP around them, and that leaves
 * cover every byte once whatever comes in. Packets are copies of the exact size, so that AddressSanitizer
 * sees one byte too many. */
#include "check.h"
#include "cursor.h"
#include "dissect.h"
#include "hash.h"
#include "vectors/corpus.h"

#define COOKIES "1111111111111111 2222222222222222 "

static uint8_t *exactly(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (len > 0)
        memcpy(copy, data, len);
    return copy;
}

/* --- what always holds --- */

static size_t count_uncovered(const struct dissection *d, enum dissect_where where, size_t len)
{
    uint8_t *covered = calloc(len + 1, 1);
    size_t wrong = 0;
    for (size_t i = 0; i < d->num; i++) {
        const struct dissect_field *f = &d->fields[i];
        if (f->where != where)
            continue;
        if (f->offset > len || f->len > len - f->offset) {
            wrong++;
            continue;
        }
        for (size_t at = f->offset; f->leaf && at < f->offset + f->len; at++)
            covered[at]++;
    }
    for (size_t i = 0; i < len; i++)
        wrong += covered[i] != 1;
    free(covered);
    return wrong;
}

/* Children stand within their parent; names and texts are there. */
static size_t count_unsound(const struct dissection *d)
{
    size_t wrong = 0;
    for (size_t i = 0; i < d->num; i++) {
        const struct dissect_field *f = &d->fields[i];
        bool has_child = i + 1 < d->num && d->fields[i + 1].depth > f->depth;
        wrong += !f->name || f->leaf == has_child || !memchr(f->text, '\0', DISSECT_TEXT);
        wrong += f->len > 0 && f->leaf && f->text[0] == '\0';
        for (size_t j = i + 1; j < d->num && d->fields[j].depth > f->depth; j++) {
            const struct dissect_field *child = &d->fields[j];
            bool inside = child->offset >= f->offset && child->offset + child->len <= f->offset + f->len;
            wrong += child->where == f->where && !inside;
            wrong += j == i + 1 && child->depth != f->depth + 1;
        }
    }
    return wrong;
}

static bool is_sound(const struct dissection *d, size_t packet_len, size_t plain_len)
{
    return !d->out_of_memory && count_uncovered(d, DISSECT_PACKET, packet_len) == 0 &&
           count_uncovered(d, DISSECT_PLAIN, plain_len) == 0 && count_unsound(d) == 0;
}

/* --- messages made by hand --- */

struct sample {
    struct dissection d;
    uint8_t *packet, *plain;
    size_t len, plain_len;
};

static void sample_free(struct sample *s)
{
    dissection_cleanup(&s->d);
    free(s->packet);
    free(s->plain);
}

/* An ISAKMP message of one payload; its length in the header is made right. */
static struct sample message_of(unsigned type, const char *payload)
{
    uint8_t bytes[4096], header[28];
    size_t len = 28 + check_unhex(payload, bytes + 28, sizeof(bytes) - 28);
    check_unhex(COOKIES "00 10 05 00 00000007 00000000", header, sizeof(header));
    memcpy(bytes, header, sizeof(header));
    bytes[16] = (uint8_t)type;
    p2_put_u32(bytes + 24, (uint32_t)len);
    struct sample s = {.packet = exactly(bytes, len), .len = len};
    dissect_isakmp(&s.d, (struct p2_bytes){s.packet, len}, (struct p2_bytes){NULL, 0});
    CU_ASSERT_TRUE(is_sound(&s.d, len, 0));
    return s;
}

static struct sample packet_of(const char *hex)
{
    uint8_t bytes[4096];
    size_t len = check_unhex(hex, bytes, sizeof(bytes));
    struct sample s = {.packet = exactly(bytes, len), .len = len};
    dissect(&s.d, &(struct dissect_input){.packet = {s.packet, len}});
    CU_ASSERT_TRUE(is_sound(&s.d, len, 0));
    return s;
}

static const struct dissect_field *find(const struct dissection *d, const char *filter, unsigned n)
{
    for (size_t i = 0; i < d->num; i++) {
        const char *key = d->fields[i].filter ? d->fields[i].filter : d->fields[i].name;
        if (strcmp(key, filter) == 0 && n-- == 0)
            return &d->fields[i];
    }
    return NULL;
}

/* The n-th field (from 0) of a filter name, or of a name if it has no filter name. */
static void check_field(const struct sample *s, const char *filter, unsigned n, size_t offset, size_t len,
                        const char *text)
{
    const struct dissect_field *f = find(&s->d, filter, n);
    if (!f || f->offset != offset || f->len != len || strcmp(f->text, text) != 0)
        printf("\n      %s %u: offset %zu, %zu bytes, \"%s\"", filter, n, f ? f->offset : 0, f ? f->len : 0,
               f ? f->text : "no such field");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(f->offset, offset);
    CU_ASSERT_EQUAL(f->len, len);
    CU_ASSERT_STRING_EQUAL(f->text, text);
}

static void tells_the_header(void)
{
    struct sample s = message_of(0, "");
    check_field(&s, "isakmp.ispi", 0, 0, 8, "1111111111111111");
    check_field(&s, "isakmp.rspi", 0, 8, 8, "2222222222222222");
    check_field(&s, "isakmp.nextpayload", 0, 16, 1, "none (0)");
    check_field(&s, "isakmp.version", 0, 17, 1, "1.0");
    check_field(&s, "isakmp.exchangetype", 0, 18, 1, "Informational (5)");
    check_field(&s, "isakmp.flags", 0, 19, 1, "none (0x00)");
    check_field(&s, "isakmp.messageid", 0, 20, 4, "0x00000007");
    check_field(&s, "isakmp.length", 0, 24, 4, "28");
    sample_free(&s);
}

/* Payload 28, DOI 32, situation 36, proposal 40, its SPI 48, transform 52, attributes 60. */
static void tells_an_sa(void)
{
    struct sample s = message_of(1, "0000003c 00000001 00000001 00000030 01030401 aabbccdd"
                                    "00000024 010c0000 80010001 00020004 00000e10 80040003 80050005 80060100"
                                    "80630007");
    check_field(&s, "isakmp.typepayload", 0, 28, 60, "SA (1), 60 bytes");
    check_field(&s, "isakmp.sa.doi", 0, 32, 4, "IPsec (1)");
    check_field(&s, "isakmp.sa.situation", 0, 36, 4, "SIT_IDENTITY_ONLY (0x00000001)");
    check_field(&s, "isakmp.typepayload", 1, 40, 48, "Proposal (2), 48 bytes");
    check_field(&s, "isakmp.prop.protoid", 0, 45, 1, "esp (3)");
    check_field(&s, "isakmp.spi", 0, 48, 4, "aabbccdd");
    check_field(&s, "isakmp.typepayload", 2, 52, 36, "Transform (3), 36 bytes");
    check_field(&s, "isakmp.trans.id", 0, 57, 1, "ESP_AES (12)");
    check_field(&s, "isakmp.ipsec.attr.life_type", 0, 62, 2, "Seconds (1)");
    check_field(&s, "isakmp.ipsec.attr.type", 1, 64, 2, "SA Life Duration (2), long");
    check_field(&s, "isakmp.ipsec.attr.length", 0, 66, 2, "4");
    check_field(&s, "isakmp.ipsec.attr.life_duration", 0, 68, 4, "3600 seconds");
    check_field(&s, "isakmp.ipsec.attr.encap_mode", 0, 74, 2, "UDP-Encapsulated-Tunnel (3)");
    check_field(&s, "isakmp.ipsec.attr.auth_algorithm", 0, 78, 2, "HMAC-SHA2-256 (5)");
    check_field(&s, "isakmp.ipsec.attr", 4, 80, 4, "Key Length: 256 bits");
    sample_free(&s);
}

static void tells_payloads_of_one_piece(void)
{
    static const struct {
        unsigned type;
        const char *filter;
    } kinds[] = {{4, "isakmp.key_exchange.data"},
                 {8, "isakmp.hash"},
                 {9, "isakmp.sig"},
                 {10, "isakmp.nonce"},
                 {13, "isakmp.vid_bytes"},
                 {20, "isakmp.ike.nat_hash"},
                 {130, "isakmp.ike.nat_hash"},
                 {77, "isakmp.datapayload"},
                 {19, "isakmp.datapayload"}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct sample s = message_of(kinds[i].type, "0000000c 0102030405060708");
        check_field(&s, kinds[i].filter, 0, 32, 8, "0102030405060708");
        sample_free(&s);
    }
}

static void tells_notifies(void)
{
    struct sample s = message_of(11, "00000010 00000001 0304000e aabbccdd");
    check_field(&s, "isakmp.notify.protoid", 0, 36, 1, "esp (3)");
    check_field(&s, "isakmp.notify.msgtype", 0, 38, 2, "NO-PROPOSAL-CHOSEN (14)");
    check_field(&s, "isakmp.spi", 0, 40, 4, "aabbccdd");
    sample_free(&s);
    s = message_of(11, "00000018 00000001 03046000 aabbccdd 80010001 80020e10");
    check_field(&s, "isakmp.notify.data.resp_lifetime.ipsec.attr.life_type", 0, 46, 2, "Seconds (1)");
    check_field(&s, "isakmp.notify.data.resp_lifetime.ipsec.attr.life_duration", 0, 50, 2, "3600 seconds");
    sample_free(&s);
    s = message_of(11, "00000010 00000001 01008d28 00000102");
    check_field(&s, "isakmp.notify.msgtype", 0, 38, 2, "R-U-THERE (36136)");
    check_field(&s, "isakmp.notify.data.dpd.are_you_there", 0, 40, 4, "258");
    sample_free(&s);
    s = message_of(11, "0000000c 00000001 01006002");
    check_field(&s, "isakmp.notify.msgtype", 0, 38, 2, "INITIAL-CONTACT (24578)");
    sample_free(&s);
    s = message_of(11, "0000000c 00000001 01004000");
    check_field(&s, "isakmp.notify.msgtype", 0, 38, 2, "CONNECTED (16384)");
    sample_free(&s);
}

static void tells_each_deleted_spi(void)
{
    struct sample s = message_of(12, "00000014 00000001 03040002 aaaaaaaa bbbbbbbb");
    check_field(&s, "isakmp.spinum", 0, 38, 2, "2");
    check_field(&s, "isakmp.delete.spi", 0, 40, 4, "aaaaaaaa");
    check_field(&s, "isakmp.delete.spi", 1, 44, 4, "bbbbbbbb");
    sample_free(&s);
}

static void tells_other_payloads(void)
{
    struct sample s = message_of(6, "00000008 04 303132");
    check_field(&s, "isakmp.cert.encoding", 0, 32, 1, "X.509 certificate - signature (4)");
    check_field(&s, "isakmp.cert.data", 0, 33, 3, "303132");
    sample_free(&s);
    s = message_of(7, "00000008 04 303132");
    check_field(&s, "isakmp.ike.certreq.authority", 0, 33, 3, "303132");
    sample_free(&s);
    s = message_of(14, "00000014 01 00 0009 00010004 0a000001 c0880000");
    check_field(&s, "isakmp.cfg.type", 0, 32, 1, "ISAKMP_CFG_REQUEST (1)");
    check_field(&s, "isakmp.cfg.attr.type", 0, 36, 2, "INTERNAL_IP4_ADDRESS (1), long");
    check_field(&s, "isakmp.cfg.attr.type", 1, 44, 2, "XAUTH_TYPE (16520), short");
    sample_free(&s);
    s = message_of(21, "0000000c 01000000 0a000001");
    check_field(&s, "isakmp.ike.nat_original_address_ipv4", 0, 36, 4, "10.0.0.1");
    sample_free(&s);
    s = message_of(132, "0000000c 0007 02 01 deadbeef");
    check_field(&s, "isakmp.frag.packetid", 0, 32, 2, "7");
    check_field(&s, "isakmp.frag.last", 0, 35, 1, "the last one (1)");
    check_field(&s, "Piece of a message", 0, 36, 4, "deadbeef");
    sample_free(&s);
}

static void tells_ids_of_all_types(void)
{
#define V6(n) "20010db80000000000000000000000" n
    static const struct {
        const char *body, *text;
    } ids[] = {{"01000000 0a000001", "10.0.0.1"},
               {"011101f4 0a000001", "10.0.0.1 udp port 500"},
               {"02000000 76706e2e6578616d706c65", "vpn.example (FQDN)"},
               {"03000000 614062", "a@b (USER_FQDN)"},
               {"04000000 0a010000 ffff0000", "10.1.0.0/16"},
               {"05000000" V6("01"), "2001:db8::1"},
               {"06000000" V6("00") "ffffffffffffffff0000000000000000", "2001:db8::/64"},
               {"07000000 0a000001 0a000009", "10.0.0.1-10.0.0.9"},
               {"08000000" V6("01") V6("09"), "2001:db8::1-2001:db8::9"},
               {"09000000 3000", "3000 (DER_ASN1_DN)"},
               {"0a000000 8201", "8201 (DER_ASN1_GN)"},
               {"0b000000 abcd", "abcd (KEY_ID)"},
               {"c8000000 ab", "ab (ID type 200)"},
               {"0100", "too short for an ID"}};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        uint8_t body[64];
        char buffer[DISSECT_TEXT], payload[256];
        size_t len = check_unhex(ids[i].body, body, sizeof(body));
        CU_ASSERT_STRING_EQUAL(isakmp_id_text((struct p2_bytes){body, len}, buffer), ids[i].text);
        snprintf(payload, sizeof(payload), "0000%04x %s", (unsigned)len + 4, ids[i].body);
        struct sample s = message_of(5, payload);
        if (len > 4)
            check_field(&s, "isakmp.id.data", 0, 36, len - 4, ids[i].text);
        sample_free(&s);
    }
    struct sample s = message_of(5, "00000010 04000000 0a010000 ffff0000");
    check_field(&s, "isakmp.id.type", 0, 32, 1, "IPV4_ADDR_SUBNET (4)");
    check_field(&s, "isakmp.id.protoid", 0, 33, 1, "any (0)");
    check_field(&s, "isakmp.id.port", 0, 34, 2, "any (0)");
    check_field(&s, "isakmp.id.data.ipv4_addr", 0, 36, 4, "10.1.0.0");
    check_field(&s, "isakmp.id.data.ipv4_subnet", 0, 40, 4, "255.255.0.0");
    sample_free(&s);
}

/* What does not parse is told, and what stands behind it too. */
static void goes_on_behind_faults(void)
{
    struct sample s = message_of(10, "0a000003 ffff");
    check_field(&s, "isakmp.payloadlength", 0, 30, 2, "3, less than its own header");
    sample_free(&s);
    s = message_of(10, "0a000063 ffff");
    check_field(&s, "isakmp.payloadlength", 0, 30, 2, "99, but only 6 are left");
    check_field(&s, "isakmp.nonce", 0, 32, 2, "ffff");
    sample_free(&s);
    s = message_of(11, "0a000006 0000 00000006 eeee");
    check_field(&s, "DOI", 0, 32, 2, "cut short: 2 of 4 bytes");
    check_field(&s, "isakmp.nonce", 0, 38, 2, "eeee");
    sample_free(&s);
    s = message_of(10, "05000006 ffff");
    check_field(&s, "Payload", 0, 34, 0, "Identification (5) is announced, but nothing is left");
    sample_free(&s);
    s = message_of(10, "00000006 ffff 0000");
    check_field(&s, "isakmp.extradata", 0, 34, 2, "0000");
    sample_free(&s);
}

static void tells_ciphertext_and_plaintext(void)
{
    uint8_t message[4096], plain[64];
    size_t len = check_unhex(COOKIES "08 10 20 01 9c88846c 0000002c 000102030405060708090a0b0c0d0e0f",
                             message, sizeof(message));
    size_t plain_len = check_unhex("0000000a 010203040506 000000000000", plain, sizeof(plain));
    struct sample s = {.packet = exactly(message, len), .plain = exactly(plain, plain_len), .len = len};
    dissect_isakmp(&s.d, (struct p2_bytes){s.packet, len}, (struct p2_bytes){NULL, 0});
    CU_ASSERT_TRUE(is_sound(&s.d, len, 0));
    check_field(&s, "isakmp.enc.data", 0, 28, 16, "16 bytes");
    CU_ASSERT_PTR_NULL(find(&s.d, "isakmp.hash", 0));
    dissect_isakmp(&s.d, (struct p2_bytes){s.packet, len}, (struct p2_bytes){s.plain, plain_len});
    CU_ASSERT_TRUE(is_sound(&s.d, len, plain_len));
    check_field(&s, "isakmp.enc.data", 0, 28, 16, "16 bytes");
    check_field(&s, "isakmp.hash", 0, 4, 6, "010203040506");
    check_field(&s, "isakmp.extradata", 0, 10, 6, "000000000000");
    CU_ASSERT_EQUAL(find(&s.d, "isakmp.hash", 0)->where, DISSECT_PLAIN);
    CU_ASSERT_STRING_EQUAL(find(&s.d, "isakmp.extradata", 0)->name, "Padding");
    sample_free(&s);
}

/* --- IP --- */

#define MESSAGE COOKIES "00 10 05 00 00000007 0000001c"

static void tells_udp_encapsulation(void)
{
    struct sample s =
        packet_of("4500003c00010000401100000a0100010a020001 11941194 00280000 00000000" MESSAGE);
    check_field(&s, "ip.proto", 0, 9, 1, "UDP (17)");
    check_field(&s, "ip.src", 0, 12, 4, "10.1.0.1");
    check_field(&s, "udp.srcport", 0, 20, 2, "4500");
    check_field(&s, "udpencap.non_esp_marker", 0, 28, 4, "00000000");
    check_field(&s, "isakmp.ispi", 0, 32, 8, "1111111111111111");
    sample_free(&s);
    s = packet_of(
        "4500002c00010000401100000a0100010a020001 11941194 00180000 00000100 00000005 aabbccdd 01020304");
    check_field(&s, "esp.spi", 0, 28, 4, "00000100");
    check_field(&s, "esp.sequence", 0, 32, 4, "5");
    check_field(&s, "Encrypted data and ICV", 0, 36, 8, "aabbccdd01020304");
    sample_free(&s);
    s = packet_of("4500001d00010000401100000a0100010a020001 11941194 00090000 ff");
    check_field(&s, "udpencap.nat_keepalive", 0, 28, 1, "ff");
    sample_free(&s);
}

static void tells_ipv6_with_extension_headers(void)
{
    struct sample s = packet_of("6123456700340040" V6("01") V6("02") "3c00010400000000 1100010400000000"
                                                                     "01f401f4 00240000" MESSAGE);
    check_field(&s, "ipv6.nxt", 0, 6, 1, "hop-by-hop options (0)");
    check_field(&s, "ipv6.src", 0, 8, 16, "2001:db8::1");
    check_field(&s, "ipv6.flow", 0, 1, 3, "traffic class 0x12, flow label 0x34567");
    check_field(&s, "ipv6.hopopts.nxt", 0, 40, 1, "destination options (60)");
    check_field(&s, "ipv6.dstopts.nxt", 0, 48, 1, "UDP (17)");
    check_field(&s, "isakmp.messageid", 0, 84, 4, "0x00000007");
    sample_free(&s);
}

static void tells_ah_around_esp(void)
{
    struct sample s = packet_of("4500004000010000403300000a0100010a020001 32040000 00001234 00000007"
                                "0102030405060708090a0b0c 00000100 00000005 aabbccddaabbccdd");
    check_field(&s, "ah.next_header", 0, 20, 1, "ESP (50)");
    check_field(&s, "ah.spi", 0, 24, 4, "00001234");
    check_field(&s, "ah.icv", 0, 32, 12, "0102030405060708090a0b0c");
    check_field(&s, "esp.sequence", 0, 48, 4, "5");
    sample_free(&s);
}

static void tells_what_esp_carries(void)
{
    uint8_t packet[128], plain[64];
    size_t len = check_unhex("4500003400010000403200000a0100010a020001 00000100 00000005 0001020304050607"
                             "aabbccddaabbccdd 0102030405060708",
                             packet, sizeof(packet));
    size_t plain_len =
        check_unhex("45000018000100004001000001020304 05060708 08000001", plain, sizeof(plain));
    struct sample s = {.packet = exactly(packet, len), .plain = exactly(plain, plain_len), .len = len};
    struct dissect_input input = {.packet = {s.packet, len},
                                  .plain = {s.plain, plain_len},
                                  .esp_known = true,
                                  .esp_iv_len = 8,
                                  .esp_icv_len = 8,
                                  .esp_next_header = 4};
    dissect(&s.d, &input);
    CU_ASSERT_TRUE(is_sound(&s.d, len, plain_len));
    check_field(&s, "esp.iv", 0, 28, 8, "0001020304050607");
    check_field(&s, "esp.icv", 0, 44, 8, "0102030405060708");
    check_field(&s, "ip.src", 1, 12, 4, "1.2.3.4");
    check_field(&s, "Payload", 0, 20, 4, "ICMP, 4 bytes");
    sample_free(&s);
}

/* --- names --- */

static void names_numbers(void)
{
    char b[DISSECT_TEXT];
    CU_ASSERT_STRING_EQUAL(isakmp_payload_name(13, b), "Vendor ID");
    CU_ASSERT_STRING_EQUAL(isakmp_payload_name(77, b), "payload 77");
    CU_ASSERT_STRING_EQUAL(isakmp_exchange_name(2, b), "Main Mode");
    CU_ASSERT_STRING_EQUAL(isakmp_exchange_name(32, b), "Quick Mode");
    CU_ASSERT_STRING_EQUAL(isakmp_exchange_name(99, b), "exchange 99");
    CU_ASSERT_STRING_EQUAL(isakmp_notify_name(24576, b), "RESPONDER-LIFETIME");
    CU_ASSERT_STRING_EQUAL(isakmp_notify_name(40000, b), "notify 40000");
    CU_ASSERT_STRING_EQUAL(isakmp_protocol_name(4, b), "ipcomp");
    CU_ASSERT_STRING_EQUAL(isakmp_transform_name(1, 1, b), "KEY_IKE");
    CU_ASSERT_STRING_EQUAL(isakmp_transform_name(2, 3, b), "AH_SHA");
    CU_ASSERT_STRING_EQUAL(isakmp_transform_name(3, 20, b), "ESP_AES-GCM_16");
    CU_ASSERT_STRING_EQUAL(isakmp_transform_name(4, 2, b), "IPCOMP_DEFLATE");
    CU_ASSERT_STRING_EQUAL(isakmp_transform_name(200, 2, b), "transform 2");
    CU_ASSERT_STRING_EQUAL(isakmp_attribute_name(1, 14, b), "Key Length");
    CU_ASSERT_STRING_EQUAL(isakmp_attribute_name(2, 4, b), "Encapsulation Mode");
    CU_ASSERT_STRING_EQUAL(isakmp_attribute_name(2, 4000, b), "attribute 4000");
    CU_ASSERT_STRING_EQUAL(isakmp_attribute_value(1, 4, 14, b), "2048-bit MODP group (14)");
    CU_ASSERT_STRING_EQUAL(isakmp_attribute_value(2, 4, 61443, b), "UDP-Encapsulated-Tunnel (draft) (61443)");
    CU_ASSERT_STRING_EQUAL(isakmp_attribute_value(2, 5, 2, b), "HMAC-SHA (2)");
    CU_ASSERT_STRING_EQUAL(isakmp_attribute_value(2, 6, 128, b), "128 bits");
    CU_ASSERT_STRING_EQUAL(isakmp_attribute_value(2, 4, UINT64_MAX, b), "18446744073709551615");
}

/* Vendors announce themselves with the MD5 of a text. */
static void names_vendors(void)
{
    static const struct {
        const char *text, *name;
        size_t len;
    } hashed[] = {{"RFC 3947", "NAT traversal (RFC 3947)", 16},
                  {"draft-ietf-ipsec-nat-t-ike-00", "NAT traversal (draft-ietf-ipsec-nat-t-ike-00)", 16},
                  {"draft-ietf-ipsec-nat-t-ike-02", "NAT traversal (draft-ietf-ipsec-nat-t-ike-02)", 16},
                  {"draft-ietf-ipsec-nat-t-ike-02\n", "NAT traversal (draft-ietf-ipsec-nat-t-ike-02\\n)", 16},
                  {"draft-ietf-ipsec-nat-t-ike-03", "NAT traversal (draft-ietf-ipsec-nat-t-ike-03)", 16},
                  {"draft-ietf-ipsec-nat-t-ike-08", "NAT traversal (draft-ietf-ipsec-nat-t-ike-08)", 16},
                  {"draft-ietf-ipsra-isakmp-xauth-06.txt", "XAUTH", 8},
                  {"strongSwan", "strongSwan", 16},
                  {"CISCO-UNITY", "Cisco Unity", 16},
                  {"ALTIGA GATEWAY", "Cisco VPN concentrator", 14},
                  {"FRAGMENTATION", "IKE fragmentation (Cisco)", 16},
                  {"MS NT5 ISAKMPOAKLEY", "MS NT5 ISAKMPOAKLEY", 16},
                  {"KAME/racoon", "racoon (KAME)", 16}};
    uint8_t id[64];
    for (size_t i = 0; i < sizeof(hashed) / sizeof(hashed[0]); i++) {
        struct p2_bytes text = {(const uint8_t *)hashed[i].text, strlen(hashed[i].text)};
        p2_hash_digest(P2_HASH_MD5, &text, 1, id);
        const char *name = isakmp_vendor_name((struct p2_bytes){id, hashed[i].len});
        CU_ASSERT_PTR_NOT_NULL_FATAL(name);
        CU_ASSERT_STRING_EQUAL(name, hashed[i].name);
        CU_ASSERT_PTR_NULL(isakmp_vendor_name((struct p2_bytes){id, 7}));
    }
    size_t len = check_unhex("afcad71368a1f1c96b8696fc77570100", id, sizeof(id));
    CU_ASSERT_STRING_EQUAL(isakmp_vendor_name((struct p2_bytes){id, len}), "Dead Peer Detection (RFC 3706)");
    CU_ASSERT_STRING_EQUAL(isakmp_vendor_name((struct p2_bytes){(const uint8_t *)"OEabcd@_^]xy", 12}),
                           "Openswan or Libreswan");
    CU_ASSERT_PTR_NULL(isakmp_vendor_name((struct p2_bytes){(const uint8_t *)"OE", 2}));
    CU_ASSERT_PTR_NULL(isakmp_vendor_name((struct p2_bytes){NULL, 0}));
}

/* --- whatever comes in --- */

static const char *const folders[] = {"aggressive-mode", "no-proposal-chosen", "qm-nopfs-aes128-sha1",
                                      "qm-pfs-modp1024-aes128-sha1", "rekey-under-traffic"};
static const char *const plaintexts[] = {CORPUS_QUICK_1_PLAIN, CORPUS_PFS_QUICK_2_PLAIN};

#define MAX_PACKETS 1024

struct packets {
    uint8_t *file[sizeof(folders) / sizeof(folders[0])];
    struct p2_bytes list[MAX_PACKETS];
    size_t num;
};

static uint32_t little(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

/* Classic pcap of Ethernet. */
static void read_packets(struct packets *packets)
{
    const char *root = getenv("P2_VECTORS");
    memset(packets, 0, sizeof(*packets));
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/corpus/%s/capture.pcap", root ? root : "tests/vectors", folders[i]);
        FILE *f = fopen(path, "rb");
        CU_ASSERT_PTR_NOT_NULL_FATAL(f);
        size_t capacity = 1 << 20;
        packets->file[i] = malloc(capacity);
        size_t len = fread(packets->file[i], 1, capacity, f);
        fclose(f);
        for (size_t at = 24; at + 16 < len && packets->num < MAX_PACKETS;) {
            size_t size = little(packets->file[i] + at + 8);
            packets->list[packets->num++] = (struct p2_bytes){packets->file[i] + at + 30, size - 14};
            at += 16 + size;
        }
    }
    CU_ASSERT_FATAL(packets->num > 600);
}

static void free_packets(struct packets *packets)
{
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        free(packets->file[i]);
}

static void covers_every_byte_of_the_corpus(void)
{
    static struct packets packets;
    struct dissection d = {0};
    read_packets(&packets);
    for (size_t i = 0; i < packets.num; i++) {
        dissect(&d, &(struct dissect_input){.packet = packets.list[i]});
        CU_ASSERT_TRUE(is_sound(&d, packets.list[i].len, 0));
    }
    for (size_t i = 0; i < sizeof(plaintexts) / sizeof(plaintexts[0]); i++) {
        uint8_t message[4096];
        size_t len = check_unhex(plaintexts[i], message, sizeof(message));
        dissect_isakmp(&d, (struct p2_bytes){message, len}, (struct p2_bytes){message + 28, len - 28});
        CU_ASSERT_TRUE(is_sound(&d, len, len - 28));
        CU_ASSERT_PTR_NOT_NULL(find(&d, "isakmp.id.data.ipv4_subnet", 1));
        CU_ASSERT_PTR_NULL(find(&d, "isakmp.datapayload", 0));
    }
    dissection_cleanup(&d);
    free_packets(&packets);
}

static struct p2_bytes mutated(struct test_random *random, struct p2_bytes original)
{
    size_t len =
        test_random_below(random, 4) == 0 ? test_random_below(random, original.len + 1) : original.len;
    uint8_t *copy = exactly(original.data, len);
    size_t num = len > 0 ? test_random_below(random, 8) : 0;
    static const uint8_t likely[] = {0, 1, 2, 3, 4, 5, 17, 41, 50, 51, 60, 127, 128, 255};
    for (size_t i = 0; i < num; i++)
        copy[test_random_below(random, len)] = test_random_below(random, 2) == 0
                                                   ? (uint8_t)test_random_next(random)
                                                   : likely[test_random_below(random, sizeof(likely))];
    return (struct p2_bytes){copy, len};
}

static void survives_mutations(void)
{
    static struct packets packets;
    struct test_random random = {.seed = check_setting("P2_SEED", 1)};
    struct dissection d = {0};
    uint8_t plain[4096];
    read_packets(&packets);
    uint64_t rounds = check_setting("P2_ROUNDS", 200000), unsound = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        bool clear = test_random_below(&random, 2) == 0;
        size_t plain_len = check_unhex(plaintexts[i % 2], plain, sizeof(plain));
        struct p2_bytes body = {plain + 28, clear ? 0 : plain_len - 28};
        struct p2_bytes original = packets.list[test_random_below(&random, packets.num)];
        if (i % 3 == 0)
            original = packets.list[test_random_below(&random, 9)];
        struct dissect_input input = {.packet = mutated(&random, original),
                                      .plain = mutated(&random, body),
                                      .esp_known = test_random_below(&random, 2) == 0,
                                      .esp_iv_len = test_random_below(&random, 20),
                                      .esp_icv_len = test_random_below(&random, 20),
                                      .esp_next_header = (uint8_t)test_random_below(&random, 64)};
        dissect(&d, &input);
        unsound += !is_sound(&d, input.packet.len, input.plain.len);
        dissect_isakmp(&d, input.plain, input.packet);
        unsound += !is_sound(&d, input.plain.len, input.packet.len);
        free((void *)input.packet.data);
        free((void *)input.plain.data);
    }
    CU_ASSERT_EQUAL(unsound, 0);
    dissection_cleanup(&d);
    free_packets(&packets);
}

/* A header in a header, as often as 64 KB hold: neither the stack nor the time runs out. */
static void bounds_headers_in_headers(void)
{
    size_t len = 65520;
    uint8_t *packet = calloc(len, 1);
    struct dissection d = {0};
    for (size_t at = 0; at + 20 <= len; at += 20) {
        packet[at] = 0x45;
        packet[at + 9] = 4;
        p2_put_u16(packet + at + 2, (uint16_t)(len - at));
    }
    dissect(&d, &(struct dissect_input){.packet = {packet, len}});
    CU_ASSERT_TRUE(is_sound(&d, len, 0));
    dissection_cleanup(&d);
    free(packet);
}

CHECK_MAIN("dissect", {"the header", tells_the_header}, {"an SA payload", tells_an_sa},
           {"payloads of one piece", tells_payloads_of_one_piece}, {"notifies", tells_notifies},
           {"each deleted SPI", tells_each_deleted_spi}, {"other payloads", tells_other_payloads},
           {"IDs of all types", tells_ids_of_all_types}, {"goes on behind faults", goes_on_behind_faults},
           {"ciphertext and plaintext", tells_ciphertext_and_plaintext},
           {"UDP encapsulation", tells_udp_encapsulation},
           {"IPv6 with extension headers", tells_ipv6_with_extension_headers},
           {"AH around ESP", tells_ah_around_esp}, {"what ESP carries", tells_what_esp_carries},
           {"names of numbers", names_numbers}, {"vendors", names_vendors},
           {"covers every byte of the corpus", covers_every_byte_of_the_corpus},
           {"survives mutations", survives_mutations}, {"headers in headers", bounds_headers_in_headers})
