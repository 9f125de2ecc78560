/* ESP and AH for other programs: seals and opens whole IP packets with keys given on stdin, one request a
 * line, one answer a line. Bytes are in hex, "-" where there are none; numbers are in hex too.
 *
 *     ciphers                           a line each: name, mode, lengths of key, salt, IV, ICV, Wireshark's
 * name auths                             a line each: name, lengths of key and ICV, Wireshark's name (both
 * lists end with an empty line) esp-seal CIPHER AUTH ESN ENCRYPTION-KEY AUTHENTICATION-KEY SPI SEQUENCE IV
 * PACKET [OUTER-HEADER] esp-open CIPHER AUTH ESN ENCRYPTION-KEY AUTHENTICATION-KEY SPI SEQUENCE PACKET
 * [tunnel] ah-seal AUTH ESN KEY SPI SEQUENCE PACKET ah-open AUTH ESN KEY SPI SEQUENCE PACKET
 *
 * With an outer header the packet goes into a tunnel, without one it is sealed in transport mode; AH's packet
 * has its outer header already. What is refused is answered with the name of the reason. */
#include "ah.h"
#include "cursor.h"
#include "esp.h"
#include "ip.h"
#include "lines.h"

/* A key, whose length its algorithm knows. */
static const uint8_t *read_key(struct bytes *bytes, const char *hex, size_t len)
{
    lines_read(bytes, hex);
    if (bytes->len != len)
        lines_fail("a key of another length");
    return bytes->data;
}

static void answer(const uint8_t *data, size_t len)
{
    lines_print(data, len);
    printf("\n");
}

static void list_ciphers(void)
{
    for (unsigned i = P2_CIPHER_NONE + 1; i < P2_NUM_CIPHERS; i++) {
        const struct p2_cipher_info *c = p2_cipher_of((enum p2_cipher)i);
        static const char *const modes[] = {"none", "null", "cbc", "ctr", "gcm"};
        printf("%s %s %zu %zu %zu %zu %s\n", c->name, modes[c->mode], c->key_len, c->salt_len, c->iv_len,
               c->icv_len, c->wireshark);
    }
    printf("\n");
}

static void list_auths(void)
{
    for (unsigned i = P2_AUTH_NONE; i < P2_NUM_AUTHS; i++) {
        const struct p2_auth_info *a = p2_auth_of((enum p2_auth)i);
        printf("%s %zu %zu %s\n", a->name, a->key_len, a->icv_len, a->wireshark ? a->wireshark : "NULL");
    }
    printf("\n");
}

/* Words: CIPHER AUTH ESN ENCRYPTION-KEY AUTHENTICATION-KEY. */
static void read_esp_keys(struct p2_esp_keys *keys, char **words)
{
    static struct bytes e, a;
    enum p2_cipher cipher = p2_cipher_by_name(words[0]);
    enum p2_auth auth = p2_auth_by_name(words[1]);
    const struct p2_cipher_info *c = p2_cipher_of(cipher);
    if (cipher == P2_CIPHER_NONE)
        lines_fail("no such cipher");
    read_key(&e, words[3], c->key_len + c->salt_len);
    read_key(&a, words[4], p2_auth_of(auth)->key_len);
    p2_esp_init(keys, cipher, e.data, auth, a.data, words[2][0] == '1');
}

static void esp_seal(char **words, size_t num)
{
    static struct bytes iv, packet, outer;
    static uint8_t out[2 * LINES_MAX_BYTES];
    struct p2_esp_keys keys;
    struct p2_ip_view view, header;
    bool tunnel = num == 10;
    read_esp_keys(&keys, words);
    lines_read(&iv, words[7]);
    lines_read(&packet, words[8]);
    if (iv.len != keys.iv_len || p2_ip_parse(&view, packet.data, packet.len) < 0)
        lines_fail("an IV of another length, or no packet");
    header = view;
    if (tunnel) {
        lines_read(&outer, words[9]);
        if (p2_ip_parse(&header, outer.data, outer.len) < 0)
            lines_fail("no outer header");
    }
    struct p2_bytes payload = tunnel ? (struct p2_bytes){packet.data, packet.len} : view.payload;
    uint8_t next = tunnel ? (view.family == 6 ? P2_IP_PROTO_IPV6 : P2_IP_PROTO_IPV4) : view.protocol;
    size_t sealed = p2_esp_sealed_len(&keys, payload.len), at = header.header_len;
    p2_ip_copy_header(out, &header, P2_IP_PROTO_ESP, sealed);
    p2_esp_seal(&keys, (uint32_t)strtoul(words[5], NULL, 16), strtoull(words[6], NULL, 16), iv.data, next,
                payload, out + at);
    answer(out, at + sealed);
}

static void esp_open(char **words, size_t num)
{
    static struct bytes packet;
    static uint8_t out[LINES_MAX_BYTES];
    struct p2_esp_keys keys;
    struct p2_ip_view view;
    size_t len, at;
    uint8_t next;
    read_esp_keys(&keys, words);
    lines_read(&packet, words[7]);
    if (p2_ip_parse(&view, packet.data, packet.len) < 0 || view.protocol != P2_IP_PROTO_ESP ||
        !p2_esp_plausible(&keys, view.payload.len) ||
        p2_get_u32(view.payload.data) != (uint32_t)strtoul(words[5], NULL, 16)) {
        puts(p2_drop_name(P2_DROP_RUNT));
        return;
    }
    at = num == 9 ? 0 : view.header_len;
    enum p2_drop verdict = p2_esp_open(&keys, view.payload.data, view.payload.len,
                                       strtoull(words[6], NULL, 16), out + at, &len, &next);
    if (verdict == P2_DROP_NONE && at == 0 &&
        next != (out[0] >> 4 == 6 ? P2_IP_PROTO_IPV6 : P2_IP_PROTO_IPV4))
        verdict = P2_DROP_SELECTOR_MISMATCH;
    if (verdict != P2_DROP_NONE) {
        puts(p2_drop_name(verdict));
        return;
    }
    if (at > 0)
        p2_ip_copy_header(out, &view, next, len);
    answer(out, at + len);
}

/* Words: AUTH ESN KEY SPI SEQUENCE PACKET. */
static void ah(char **words, bool seal)
{
    static struct bytes key, packet;
    static uint8_t out[2 * LINES_MAX_BYTES];
    struct p2_ah_keys keys;
    struct p2_ah_view view;
    enum p2_auth auth = p2_auth_by_name(words[0]);
    uint32_t spi = (uint32_t)strtoul(words[3], NULL, 16);
    uint64_t sequence = strtoull(words[4], NULL, 16);
    size_t len = 0;
    if (auth == P2_AUTH_NONE)
        lines_fail("no such authentication");
    p2_ah_init(&keys, auth, read_key(&key, words[2], p2_auth_of(auth)->key_len), words[1][0] == '1');
    lines_read(&packet, words[5]);
    enum p2_drop verdict = P2_DROP_RUNT;
    if (seal) {
        len = p2_ah_seal(&keys, spi, sequence, packet.data, packet.len, out);
        verdict = len > 0 ? P2_DROP_NONE : P2_DROP_TOO_BIG;
    } else if (p2_ah_parse(&view, packet.data, packet.len) && view.spi == spi) {
        verdict = p2_ah_open(&keys, packet.data, packet.len, sequence, out, &len);
    }
    if (verdict == P2_DROP_NONE)
        answer(out, len);
    else
        puts(p2_drop_name(verdict));
}

static void serve(char **words, size_t num)
{
    if (strcmp(words[0], "ciphers") == 0 && num == 1)
        list_ciphers();
    else if (strcmp(words[0], "auths") == 0 && num == 1)
        list_auths();
    else if (strcmp(words[0], "esp-seal") == 0 && (num == 10 || num == 11))
        esp_seal(words + 1, num - 1);
    else if (strcmp(words[0], "esp-open") == 0 && (num == 9 || num == 10))
        esp_open(words + 1, num - 1);
    else if (strcmp(words[0], "ah-seal") == 0 && num == 7)
        ah(words + 1, true);
    else if (strcmp(words[0], "ah-open") == 0 && num == 7)
        ah(words + 1, false);
    else
        lines_fail("no such request");
}

int main(void)
{
    return lines_serve(serve);
}
