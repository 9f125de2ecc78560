/* AH: packets of another implementation, the fields that may change and all the others that may not, where AH
 * stands, and what it is not for. */
#include "ah.h"
#include "check.h"
#include "ip.h"

struct packet_case {
    const char *auth;
    bool esn;
    uint32_t spi;
    uint64_t sequence;
    bool is_where_we_put_it;
    const char *clear, *sealed;
};

static const struct packet_case packet_cases[] = {
#include "vectors/ah_packets.inc"
};

#define NUM_PACKETS (sizeof packet_cases / sizeof packet_cases[0])
#define MAX_PACKET  512

static struct p2_ah_keys keys_of(enum p2_auth auth, bool esn)
{
    struct p2_ah_keys keys;
    uint8_t key[P2_HASH_MAX_LEN];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(0x80 + i);
    p2_ah_init(&keys, auth, key, esn);
    return keys;
}

/* The bytes of a hex string in a buffer of exactly their size, for AddressSanitizer. */
static uint8_t *exact(const char *hex, size_t *len)
{
    uint8_t bytes[MAX_PACKET];
    *len = check_unhex(hex, bytes, sizeof bytes);
    uint8_t *packet = malloc(*len);
    memcpy(packet, bytes, *len);
    return packet;
}

/* Opens into a buffer of exactly `len` bytes; out, unless NULL, has room for as many. */
static enum p2_drop open_exact(const struct p2_ah_keys *keys, const uint8_t *packet, size_t len,
                               uint64_t sequence, uint8_t *out, size_t *out_len)
{
    uint8_t *opened = malloc(len > 0 ? len : 1);
    size_t opened_len = 0;
    enum p2_drop verdict = p2_ah_open(keys, packet, len, sequence, opened, &opened_len);
    if (verdict == P2_DROP_NONE && out)
        memcpy(out, opened, opened_len);
    if (out_len)
        *out_len = opened_len;
    free(opened);
    return verdict;
}

static enum p2_drop verdict_of(const struct p2_ah_keys *keys, const uint8_t *packet, size_t len,
                               uint64_t sequence)
{
    return open_exact(keys, packet, len, sequence, NULL, NULL);
}

/* --- vectors --- */

static void seals_as_scapy_does(void)
{
    size_t num = 0;
    for (size_t i = 0; i < NUM_PACKETS; i++) {
        const struct packet_case *c = &packet_cases[i];
        struct p2_ah_keys keys = keys_of(p2_auth_by_name(c->auth), c->esn);
        size_t len;
        uint8_t *clear = exact(c->clear, &len);
        size_t room = len + p2_ah_header_len(&keys, clear[0] >> 4);
        uint8_t *sealed = malloc(room);
        if (c->is_where_we_put_it) {
            CU_ASSERT_EQUAL(p2_ah_seal(&keys, c->spi, c->sequence, clear, len, sealed), room);
            CHECK_HEX(sealed, room, c->sealed);
            num++;
        }
        free(sealed);
        free(clear);
    }
    CU_ASSERT_EQUAL(num, 11);
}

static void opens_what_scapy_sealed(void)
{
    bool auth_seen[P2_NUM_AUTHS][2] = {{false}};
    for (size_t i = 0; i < NUM_PACKETS; i++) {
        const struct packet_case *c = &packet_cases[i];
        enum p2_auth auth = p2_auth_by_name(c->auth);
        struct p2_ah_keys keys = keys_of(auth, c->esn);
        struct p2_ah_view view;
        size_t len, opened_len = 0;
        uint8_t opened[MAX_PACKET], *sealed = exact(c->sealed, &len);
        CU_ASSERT_TRUE_FATAL(p2_ah_parse(&view, sealed, len));
        CU_ASSERT_EQUAL(view.spi, c->spi);
        CU_ASSERT_EQUAL(view.sequence, (uint32_t)c->sequence);
        CU_ASSERT_TRUE(p2_ah_plausible(&keys, sealed, &view));
        CU_ASSERT_EQUAL(view.len, p2_ah_header_len(&keys, sealed[0] >> 4));
        CU_ASSERT_EQUAL(open_exact(&keys, sealed, len, c->sequence, opened, &opened_len), P2_DROP_NONE);
        CHECK_HEX(opened, opened_len, c->clear);
        CU_ASSERT_EQUAL(verdict_of(&keys, sealed, len, c->sequence ^ UINT64_C(0x100000000)),
                        c->esn ? P2_DROP_ICV_MISMATCH : P2_DROP_NONE);
        auth_seen[auth][sealed[0] >> 4 == 6] = true;
        free(sealed);
    }
    for (unsigned a = P2_AUTH_NONE + 1; a < P2_NUM_AUTHS; a++)
        CU_ASSERT(auth_seen[a][0] && auth_seen[a][1]);
}

/* RFC 4302 section 2.2 and 2.6: 12 bytes and the ICV, padded to 4 in IPv4 and to 8 in IPv6. */
static void header_lengths_by_hand(void)
{
    static const struct {
        enum p2_auth auth;
        size_t ipv4, ipv6;
    } rows[] = {
        {P2_AUTH_HMAC_MD5_96, 24, 24},     {P2_AUTH_HMAC_SHA1_96, 24, 24},
        {P2_AUTH_HMAC_SHA256_128, 28, 32}, {P2_AUTH_HMAC_SHA384_192, 36, 40},
        {P2_AUTH_HMAC_SHA512_256, 44, 48},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct p2_ah_keys keys = keys_of(rows[i].auth, false);
        CU_ASSERT_EQUAL(p2_ah_header_len(&keys, 4), rows[i].ipv4);
        CU_ASSERT_EQUAL(p2_ah_header_len(&keys, 6), rows[i].ipv6);
        CU_ASSERT(rows[i].ipv6 <= P2_AH_MAX_HEADER);
    }
}

/* --- what may change on the way, and what may not --- */

/* RFC 4302 section 3.3.3.1: the bits of packet 0 (IPv4 without options) and 5 (IPv6 without extensions). Of
 * the fragment field only the flags DF and reserved: with the others it is no longer a whole packet. */
static bool may_change(bool is_ipv6, size_t bit)
{
    size_t byte = bit / 8, mask = 1u << bit % 8;
    if (is_ipv6)
        return (byte == 0 && mask < 0x10) || (byte >= 1 && byte <= 3) || byte == 7;
    return byte == 1 || (byte == 6 && mask >= 0x40) || byte == 8 || byte == 10 || byte == 11;
}

static void every_bit_but_the_mutable_ones_is_protected(void)
{
    static const size_t simple[] = {0, 5};
    for (size_t i = 0; i < 2; i++) {
        const struct packet_case *c = &packet_cases[simple[i]];
        struct p2_ah_keys keys = keys_of(p2_auth_by_name(c->auth), c->esn);
        size_t len, num_mutable = 0;
        uint8_t *packet = exact(c->sealed, &len);
        for (size_t bit = 0; bit < len * 8; bit++) {
            packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
            enum p2_drop verdict = verdict_of(&keys, packet, len, c->sequence);
            if (may_change(i == 1, bit))
                CU_ASSERT_EQUAL(verdict, P2_DROP_NONE);
            if (!may_change(i == 1, bit))
                CU_ASSERT(verdict == P2_DROP_ICV_MISMATCH || verdict == P2_DROP_RUNT);
            num_mutable += verdict == P2_DROP_NONE;
            packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        CU_ASSERT_EQUAL(num_mutable, i == 1 ? 4 + 24 + 8 : 8 + 2 + 8 + 16);
        free(packet);
    }
}

/* A byte of a packet is overwritten; what opening says then. */
static enum p2_drop after_change(size_t index, size_t at, uint8_t value)
{
    const struct packet_case *c = &packet_cases[index];
    struct p2_ah_keys keys = keys_of(p2_auth_by_name(c->auth), c->esn);
    size_t len;
    uint8_t *packet = exact(c->sealed, &len);
    CU_ASSERT_NOT_EQUAL_FATAL(packet[at], value);
    packet[at] = value;
    enum p2_drop verdict = verdict_of(&keys, packet, len, c->sequence);
    free(packet);
    return verdict;
}

/* RFC 4302 section A.1, on packet 1, whose options begin at 20: NOP; router alert (148) 4 bytes, immutable;
 * record route (7) 11 bytes; NOP; security (130) 11 bytes, immutable; timestamp (68) 12 bytes. */
static void ipv4_options_that_may_change(void)
{
    static const struct {
        size_t at;
        uint8_t was, value;
        enum p2_drop verdict;
    } rows[] = {
        {20, 1, 0, P2_DROP_ICV_MISMATCH}, {21, 148, 149, P2_DROP_ICV_MISMATCH},
        {24, 0, 1, P2_DROP_ICV_MISMATCH}, {27, 8, 12, P2_DROP_NONE}, /* record route: its pointer */
        {32, 0, 10, P2_DROP_NONE},                                   /* record route: an address */
        {36, 1, 0, P2_DROP_ICV_MISMATCH}, {37, 130, 133, P2_DROP_ICV_MISMATCH},
        {40, 0, 1, P2_DROP_ICV_MISMATCH}, {48, 68, 7, P2_DROP_NONE}, /* not even the type counts */
        {59, 4, 5, P2_DROP_NONE},                                    /* the time */
        {49, 12, 13, P2_DROP_RUNT},                                  /* longer than the header */
        {49, 12, 0, P2_DROP_RUNT},        {22, 4, 1, P2_DROP_RUNT},
    };
    size_t len;
    uint8_t *packet = exact(packet_cases[1].sealed, &len);
    CU_ASSERT_EQUAL_FATAL(packet[0], 0x4f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_EQUAL(packet[rows[i].at], rows[i].was);
        CU_ASSERT_EQUAL(after_change(1, rows[i].at, rows[i].value), rows[i].verdict);
    }
    free(packet);
}

/* RFC 4302 section 3.3.3.1.2.2, on packet 6, whose hop-by-hop header is at 40: 2 bytes; router alert 4 bytes;
 * option 3e, whose data may change, 8 bytes; option 1e 6 bytes; padding. */
static void ipv6_options_that_may_change(void)
{
    CU_ASSERT_EQUAL(after_change(6, 48, 'M'), P2_DROP_NONE);
    CU_ASSERT_EQUAL(after_change(6, 53, 'E'), P2_DROP_NONE);
    CU_ASSERT_EQUAL(after_change(6, 46, 0x3d), P2_DROP_ICV_MISMATCH); /* its type may not */
    CU_ASSERT_EQUAL(after_change(6, 47, 0xff), P2_DROP_RUNT);         /* nor its length */
    CU_ASSERT_EQUAL(after_change(6, 44, 1), P2_DROP_ICV_MISMATCH);
    CU_ASSERT_EQUAL(after_change(6, 56, 'S'), P2_DROP_ICV_MISMATCH);
}

/* --- where it stands --- */

#define V6_ADDRESSES "20010db8000000000000000000000001 20010db8000000000000000000000002"

/* Destination options for the final destination stand behind AH, and their data count as zeros where they may
 * change. The covered bytes are written out here; the ICV is their HMAC (RFC 2404), whose own test is
 * elsewhere. */
static void destination_options_stand_behind_ah(void)
{
    struct p2_ah_keys keys = keys_of(P2_AUTH_HMAC_SHA1_96, false);
    struct p2_hmac hmac;
    uint8_t covered[MAX_PACKET], icv[12], key[20], sealed[MAX_PACKET];
    size_t len;
    uint8_t *clear = exact("6b912345 0018 3c 3d" V6_ADDRESSES "11 01 3e04 6d757461 1e04 73616d65 0100"
                           "0fa00035 0008 0000",
                           &len);
    for (uint8_t i = 0; i < 20; i++)
        key[i] = (uint8_t)(0x80 + i);
    struct p2_bytes parts = {
        covered,
        check_unhex("60000000 0030 33 00" V6_ADDRESSES "3c 04 0000 00001234 00000009"
                    "000000000000000000000000 11 01 3e04 00000000 1e04 73616d65 0100 0fa00035 0008 0000",
                    covered, sizeof covered)};
    p2_hmac_init(&hmac, P2_HASH_SHA1, key, sizeof key);
    p2_hmac_compute(&hmac, &parts, 1, icv, sizeof icv);
    CU_ASSERT_EQUAL_FATAL(p2_ah_seal(&keys, 0x1234, 9, clear, len, sealed), len + 24);
    CHECK_HEX(sealed, 52, "6b912345 0030 33 3d" V6_ADDRESSES "3c 04 0000 00001234 00000009");
    CU_ASSERT_EQUAL(memcmp(sealed + 52, icv, 12), 0);
    CU_ASSERT_EQUAL(memcmp(sealed + 64, clear + 40, 24), 0);
    uint8_t opened[MAX_PACKET];
    size_t opened_len = 0;
    sealed[64 + 4] ^= 0xff; /* changed on the way, and handed on like that */
    clear[40 + 4] ^= 0xff;
    CU_ASSERT_EQUAL(open_exact(&keys, sealed, len + 24, 9, opened, &opened_len), P2_DROP_NONE);
    CU_ASSERT(opened_len == len && memcmp(opened, clear, len) == 0);
    sealed[64 + 10] ^= 0xff; /* "same" */
    CU_ASSERT_EQUAL(verdict_of(&keys, sealed, len + 24, 9), P2_DROP_ICV_MISMATCH);
    free(clear);
}

/* Linux pads AH to 8 bytes in IPv4 too: 28 become 32 with SHA-256. The ICV was computed with python3 hmac
 * over 4500003c 00000000 00330000 0a000001 0a000002 11060000 00000100 00000001, 16 zeros, 4 zeros, 0fa00035
 * 00080000; see the key above. */
static void more_padding_than_needed_is_taken(void)
{
    struct p2_ah_keys keys = keys_of(P2_AUTH_HMAC_SHA256_128, false);
    uint8_t opened[MAX_PACKET];
    size_t len, opened_len = 0;
    uint8_t *packet = exact("4500003c 00000000 4033668d 0a000001 0a000002 11060000 00000100 00000001"
                            "11eaee5c 08ab1276 78e7a7f0 390579d0 00000000 0fa00035 00080000",
                            &len);
    CU_ASSERT_EQUAL(open_exact(&keys, packet, len, 1, opened, &opened_len), P2_DROP_NONE);
    CHECK_HEX(opened, opened_len, "4500001c 00000000 401166cf 0a000001 0a000002 0fa00035 00080000");
    packet[len - 9] = 1; /* padding is under the ICV as it is */
    CU_ASSERT_EQUAL(verdict_of(&keys, packet, len, 1), P2_DROP_ICV_MISMATCH);
    free(packet);
}

/* Exact buffers, every payload length: what comes back is what went in, and nothing is written or read
 * beyond. */
static void every_length_comes_back(void)
{
    for (unsigned auth = P2_AUTH_NONE + 1; auth < P2_NUM_AUTHS; auth++) {
        struct p2_ah_keys keys = keys_of((enum p2_auth)auth, auth % 2);
        for (size_t payload = 0; payload < 80; payload++) {
            for (int v6 = 0; v6 < 2; v6++) {
                size_t at = v6 ? 40 : 20, len = at + payload, opened_len = 0, room;
                uint8_t *packet = malloc(len), opened[MAX_PACKET];
                memset(packet, (int)payload, len);
                check_unhex(v6 ? "60000000 0000 11 40" V6_ADDRESSES
                               : "45000000 00000000 40110000 0a000001 0a000002",
                            packet, at);
                p2_put_u16(packet + (v6 ? 4 : 2), (uint16_t)(v6 ? payload : len));
                room = len + p2_ah_header_len(&keys, v6 ? 6 : 4);
                uint8_t *sealed = malloc(room);
                CU_ASSERT_EQUAL_FATAL(p2_ah_seal(&keys, 256, 1, packet, len, sealed), room);
                CU_ASSERT_EQUAL(open_exact(&keys, sealed, room, 1, opened, &opened_len), P2_DROP_NONE);
                if (!v6) /* its checksum is made good */
                    memcpy(packet + 10, opened + 10, 2);
                CU_ASSERT(opened_len == len && memcmp(opened, packet, len) == 0);
                free(sealed);
                free(packet);
            }
        }
    }
}

/* --- what it is not for --- */

static void refuses_what_it_can_not_protect(void)
{
    static const char *const bad[] = {
        "",
        "45",
        "00000014 00000000 40110000 0a000001 0a000002",                   /* no version */
        "45000014 00000000 40110000 0a000001 0a0000",                     /* cut off */
        "45000018 00000000 40110000 0a000001 0a000002",                   /* says that it is longer */
        "44000014 00000000 40110000 0a000001 0a000002",                   /* a header of 16 bytes */
        "46000014 00000000 40110000 0a000001 0a000002",                   /* options beyond the end */
        "45000014 00002000 40110000 0a000001 0a000002",                   /* the first fragment */
        "45000014 00000001 40110000 0a000001 0a000002",                   /* the last fragment */
        "46000018 00000000 40110000 0a000001 0a000002 07050000",          /* an option beyond the options */
        "47000018 00000000 40110000 0a000001 0a000002 83070400",          /* options beyond the end */
        "4700001c 00000000 40110000 0a000001 0a000002 83070400 00000001", /* a source route under way */
        "4700001c 00000000 40110000 0a000001 0a000002 89070400 00000001",
        "60000000 0000 11 40" V6_ADDRESSES "00",                /* one byte too many */
        "60000000 0008 2c 40" V6_ADDRESSES "11000001 00000001", /* a fragment */
        "60000000 0008 00 40" V6_ADDRESSES "2c000104 00000000", /* a fragment header, cut off */
        "60000000 0008 00 40" V6_ADDRESSES "11010104 00000000", /* an extension beyond the end */
        "60000000 0008 00 40" V6_ADDRESSES "11003e05 00000000", /* an option beyond its extension */
        "60000000 0018 2b 40" V6_ADDRESSES "11020001 00000000"
        "20010db8000000000000000000000003", /* under way */
    };
    struct p2_ah_keys keys = keys_of(P2_AUTH_HMAC_SHA1_96, false);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct p2_ah_view view;
        size_t len;
        uint8_t *packet = exact(bad[i], &len), *out = malloc(len + 24);
        CU_ASSERT_EQUAL(p2_ah_seal(&keys, 256, 1, packet, len, out), 0);
        CU_ASSERT_FALSE(p2_ah_parse(&view, packet, len));
        CU_ASSERT_EQUAL(verdict_of(&keys, packet, len, 1), P2_DROP_RUNT);
        free(out);
        free(packet);
    }
}

/* 65,535 bytes are the most that either length field can say. */
static void refuses_what_would_be_too_long(void)
{
    static uint8_t packet[65575], out[65575 + 24];
    struct p2_ah_keys keys = keys_of(P2_AUTH_HMAC_SHA1_96, false);
    static const struct {
        size_t len, sealed;
    } ipv4[] = {{65535 - 24, 65535}, {65535 - 23, 0}}, ipv6[] = {{65575 - 24, 65575}, {65575 - 23, 0}};
    for (size_t i = 0; i < 2; i++) {
        check_unhex("45000000 00000000 40110000 0a000001 0a000002", packet, 20);
        p2_put_u16(packet + 2, (uint16_t)ipv4[i].len);
        CU_ASSERT_EQUAL(p2_ah_seal(&keys, 256, 1, packet, ipv4[i].len, out), ipv4[i].sealed);
        check_unhex("60000000 0000 11 40" V6_ADDRESSES, packet, 40);
        p2_put_u16(packet + 4, (uint16_t)(ipv6[i].len - 40));
        CU_ASSERT_EQUAL(p2_ah_seal(&keys, 256, 1, packet, ipv6[i].len, out), ipv6[i].sealed);
    }
}

/* Cut off anywhere, with the length field as it was and with one that fits: never NONE, and nothing is read
 * or written beyond the end. */
static void truncated_packets_are_runts(void)
{
    for (size_t i = 0; i < NUM_PACKETS; i++) {
        const struct packet_case *c = &packet_cases[i];
        struct p2_ah_keys keys = keys_of(p2_auth_by_name(c->auth), c->esn);
        size_t whole, field = 2, before = 0;
        uint8_t *packet = exact(c->sealed, &whole);
        if (packet[0] >> 4 == 6)
            field = 4, before = 40;
        for (size_t len = 0; len < whole; len++) {
            uint8_t *cut = malloc(len > 0 ? len : 1);
            memcpy(cut, packet, len);
            CU_ASSERT_EQUAL(verdict_of(&keys, cut, len, c->sequence), P2_DROP_RUNT);
            if (len >= before + 20) {
                p2_put_u16(cut + field, (uint16_t)(len - before));
                CU_ASSERT_NOT_EQUAL(verdict_of(&keys, cut, len, c->sequence), P2_DROP_NONE);
            }
            free(cut);
        }
        free(packet);
    }
}

/* An AH that is shorter or longer than the SA's, whatever the ICV. */
static void the_length_must_be_the_sas(void)
{
    struct p2_ah_keys keys = keys_of(P2_AUTH_HMAC_SHA1_96, false);
    for (unsigned words = 0; words < 256; words++) {
        uint8_t packet[2048] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, P2_IP_PROTO_AH};
        p2_put_u16(packet + 2, sizeof packet);
        packet[20] = 17;
        packet[21] = (uint8_t)words;
        bool fits = words == 24 / 4 - 2 || words == 28 / 4 - 2;
        CU_ASSERT_EQUAL(verdict_of(&keys, packet, sizeof packet, 0),
                        fits ? P2_DROP_ICV_MISMATCH : P2_DROP_RUNT);
    }
}

CHECK_MAIN("ah", {"seals as scapy does", seals_as_scapy_does},
           {"opens what scapy sealed", opens_what_scapy_sealed},
           {"header lengths by hand", header_lengths_by_hand},
           {"every bit but the mutable ones is protected", every_bit_but_the_mutable_ones_is_protected},
           {"IPv4 options that may change", ipv4_options_that_may_change},
           {"IPv6 options that may change", ipv6_options_that_may_change},
           {"destination options stand behind AH", destination_options_stand_behind_ah},
           {"more padding than needed is taken", more_padding_than_needed_is_taken},
           {"every length comes back", every_length_comes_back},
           {"refuses what it can not protect", refuses_what_it_can_not_protect},
           {"refuses what would be too long", refuses_what_would_be_too_long},
           {"truncated packets are runts", truncated_packets_are_runts},
           {"the length must be the SA's", the_length_must_be_the_sas})
