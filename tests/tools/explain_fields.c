/* What the dissector says, for tests/test_explain_fields.sh to compare with Wireshark.
 *
 *     explain_fields CAPTURE [KEYS.XML]  a line for each leaf with a filter name: frame, filter name, bytes
 * in hex, text, with tabs between them. With keys, Phase 2's messages are decrypted; copies of earlier ones
 * are not. explain_fields --names             a line for each number with a name: filter name, number, name.
 */
#define _DEFAULT_SOURCE /* libpcap's header wants u_char */
#include "cursor.h"
#include "dissect.h"
#include "isakmp.h"
#include "keymat.h"
#include "lines.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <pcap/pcap.h>

enum { ETHERNET_LEN = 14, MAX_CHAINS = 64, MAX_SEEN = 1024 };

struct chain {
    uint32_t message_id;
    uint8_t iv[P2_CIPHER_MAX_BLOCK]; /* of the next message */
};

struct seen {
    uint8_t *bytes;
    size_t len;
};

struct session {
    bool has_keys;
    struct p2_isakmp_keys keys;
    uint8_t initiator_cookie[8];
    struct chain chains[MAX_CHAINS];
    size_t num_chains;
    struct seen seen[MAX_SEEN];
    size_t num_seen;
    uint8_t plain[LINES_MAX_BYTES];
};

/* --- keys.xml --- */

static void read_hex(xmlNode *node, const char *name, uint8_t *out, size_t capacity)
{
    static struct bytes bytes;
    xmlChar *text = xmlGetProp(node, BAD_CAST name);
    if (!text)
        lines_fail(name);
    lines_read(&bytes, (const char *)text);
    if (bytes.len > capacity)
        lines_fail("keys.xml: too many bytes");
    memcpy(out, bytes.data, bytes.len);
    xmlFree(text);
}

static void read_keys(struct session *session, const char *path)
{
    xmlDoc *doc = xmlReadFile(path, NULL, XML_PARSE_NONET);
    xmlNode *sa = doc ? xmlFirstElementChild(xmlDocGetRootElement(doc)) : NULL;
    if (!sa)
        lines_fail("keys.xml: no ISAKMP SA");
    xmlChar *cipher = xmlGetProp(sa, BAD_CAST "cipher"), *hash = xmlGetProp(sa, BAD_CAST "hash");
    session->keys.cipher = p2_cipher_by_name((const char *)cipher);
    session->keys.hash = p2_hash_by_name((const char *)hash);
    read_hex(sa, "initiator-cookie", session->initiator_cookie, 8);
    read_hex(sa, "skeyid-d", session->keys.skeyid_d, P2_HASH_MAX_LEN);
    read_hex(sa, "skeyid-a", session->keys.skeyid_a, P2_HASH_MAX_LEN);
    read_hex(sa, "skeyid-e", session->keys.skeyid_e, P2_HASH_MAX_LEN);
    read_hex(sa, "iv", session->keys.last_block, P2_CIPHER_MAX_BLOCK);
    p2_keymat_prepare(&session->keys);
    session->has_keys = true;
    xmlFree(cipher);
    xmlFree(hash);
    xmlFreeDoc(doc);
    xmlCleanupParser();
}

/* --- decryption --- */

static uint8_t *chain_of(struct session *session, uint32_t message_id)
{
    for (size_t i = 0; i < session->num_chains; i++) {
        if (session->chains[i].message_id == message_id)
            return session->chains[i].iv;
    }
    if (session->num_chains == MAX_CHAINS)
        lines_fail("too many exchanges");
    struct chain *chain = &session->chains[session->num_chains++];
    chain->message_id = message_id;
    p2_keymat_phase2_iv(&session->keys, message_id, chain->iv);
    return chain->iv;
}

static bool is_copy(struct session *session, struct p2_bytes message)
{
    for (size_t i = 0; i < session->num_seen; i++) {
        if (session->seen[i].len == message.len &&
            memcmp(session->seen[i].bytes, message.data, message.len) == 0)
            return true;
    }
    if (session->num_seen == MAX_SEEN)
        lines_fail("too many messages");
    uint8_t *copy = malloc(message.len);
    if (!copy)
        lines_fail("out of memory");
    memcpy(copy, message.data, message.len);
    session->seen[session->num_seen++] = (struct seen){copy, message.len};
    return false;
}

/* IPv4 without options and UDP port 500, which is all that the corpus has of ISAKMP. */
static struct p2_bytes decrypt(struct session *session, struct p2_bytes packet)
{
    struct p2_bytes none = {NULL, 0}, message = {packet.data + 28, packet.len - 28};
    struct p2_isakmp_header header;
    if (!session->has_keys || packet.len < 28 || packet.data[0] != 0x45 || packet.data[9] != 17 ||
        p2_isakmp_parse_header(&header, message.data, message.len) < 0 || header.message_id == 0 ||
        !(header.flags & P2_FLAG_ENCRYPTED) ||
        memcmp(header.initiator_cookie, session->initiator_cookie, 8) != 0 || is_copy(session, message))
        return none;
    size_t len = message.len - P2_ISAKMP_HEADER_LEN;
    if (len == 0 || len % p2_cipher_of(session->keys.cipher)->block_len != 0)
        return none;
    p2_cipher_decrypt(&session->keys.cipher_key, chain_of(session, header.message_id), session->plain,
                      message.data + P2_ISAKMP_HEADER_LEN, len);
    return (struct p2_bytes){session->plain, len};
}

/* --- output --- */

static void print_fields(const struct dissection *dissection, const struct dissect_input *input,
                         unsigned frame)
{
    for (size_t i = 0; i < dissection->num; i++) {
        const struct dissect_field *f = &dissection->fields[i];
        const uint8_t *base = f->where == DISSECT_PLAIN ? input->plain.data : input->packet.data;
        if (!f->leaf || !f->filter || f->len == 0)
            continue;
        printf("%u\t%s\t", frame, f->filter);
        lines_print(base + f->offset, f->len);
        printf("\t%s\n", f->text);
    }
}

static void print_capture(const char *path, struct session *session)
{
    char error[PCAP_ERRBUF_SIZE];
    struct dissection dissection = {0};
    struct pcap_pkthdr *record;
    const u_char *bytes;
    pcap_t *pcap = pcap_open_offline(path, error);
    if (!pcap)
        lines_fail(error);
    for (unsigned frame = 1; pcap_next_ex(pcap, &record, &bytes) == 1; frame++) {
        if (record->caplen <= ETHERNET_LEN || record->caplen != record->len)
            lines_fail("a cut frame");
        struct dissect_input input = {
            .packet = {bytes + ETHERNET_LEN, record->caplen - (size_t)ETHERNET_LEN}};
        input.plain = decrypt(session, input.packet);
        dissect(&dissection, &input);
        print_fields(&dissection, &input, frame);
    }
    dissection_cleanup(&dissection);
    pcap_close(pcap);
}

static const struct {
    const char *filter;
    uint16_t type;
} phase1_values[] = {{"isakmp.ike.attr.encryption_algorithm", 1},
                     {"isakmp.ike.attr.hash_algorithm", 2},
                     {"isakmp.ike.attr.authentication_method", 3},
                     {"isakmp.ike.attr.group_description", 4},
                     {"isakmp.ike.attr.group_type", 5},
                     {"isakmp.ike.attr.life_type", 11}},
  phase2_values[] = {{"isakmp.ipsec.attr.life_type", 1},   {"isakmp.ipsec.attr.group_description", 3},
                     {"isakmp.ipsec.attr.encap_mode", 4},  {"isakmp.ipsec.attr.auth_algorithm", 5},
                     {"isakmp.ipsec.attr.ecn_tunnel", 10}, {"isakmp.ipsec.attr.ext_seq_nbr", 11}};

static void print_name(const char *filter, unsigned number, const char *name, const char *buffer)
{
    if (name != buffer)
        printf("%s\t%u\t%s\n", filter, number, name);
}

/* A value that has a name ends in its number in brackets. */
static void print_values(int phase, const char *filter, uint16_t type)
{
    char buffer[DISSECT_TEXT];
    for (unsigned n = 0; n < 65536; n++) {
        const char *value = isakmp_attribute_value(phase, type, n, buffer);
        if (strchr(value, '('))
            printf("%s\t%u\t%.*s\n", filter, n, (int)(strrchr(value, '(') - value - 1), value);
    }
}

static void print_names(void)
{
    char b[DISSECT_TEXT];
    for (unsigned n = 0; n < 65536; n++) {
        uint16_t n16 = (uint16_t)n;
        uint8_t n8 = (uint8_t)n;
        print_name("isakmp.notify.msgtype", n, isakmp_notify_name(n16, b), b);
        print_name("isakmp.ike.attr.type", n, isakmp_attribute_name(1, n16, b), b);
        print_name("isakmp.ipsec.attr.type", n, isakmp_attribute_name(2, n16, b), b);
        if (n > 255)
            continue;
        print_name("isakmp.nextpayload", n, isakmp_payload_name(n8, b), b);
        print_name("isakmp.exchangetype", n, isakmp_exchange_name(n8, b), b);
        print_name("isakmp.prop.protoid", n, isakmp_protocol_name(n8, b), b);
    }
    for (size_t i = 0; i < sizeof(phase1_values) / sizeof(phase1_values[0]); i++)
        print_values(1, phase1_values[i].filter, phase1_values[i].type);
    for (size_t i = 0; i < sizeof(phase2_values) / sizeof(phase2_values[0]); i++)
        print_values(2, phase2_values[i].filter, phase2_values[i].type);
}

int main(int argc, char **argv)
{
    static struct session session;
    if (argc == 2 && strcmp(argv[1], "--names") == 0) {
        print_names();
        return EXIT_SUCCESS;
    }
    if (argc < 2)
        lines_fail("usage: explain_fields CAPTURE [KEYS.XML]");
    if (argc > 2)
        read_keys(&session, argv[2]);
    print_capture(argv[1], &session);
    for (size_t i = 0; i < session.num_seen; i++)
        free(session.seen[i].bytes);
    return EXIT_SUCCESS;
}
