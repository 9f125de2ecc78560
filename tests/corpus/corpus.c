#include "corpus.h"

#include "check.h"

#include <jansson.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include <arpa/inet.h>

static const char *path_of(const struct corpus *corpus, const char *file, char *path, size_t size)
{
    const char *root = getenv("P2_VECTORS");
    snprintf(path, size, "%s/corpus/%s/%s", root ? root : "tests/vectors", corpus->name, file);
    return path;
}

/* --- keys.xml --- */

static size_t hex_attribute(xmlNode *node, const char *name, uint8_t *out, size_t capacity)
{
    xmlChar *text = xmlGetProp(node, BAD_CAST name);
    if (!text)
        corpus_broken("keys.xml", name);
    size_t len = check_unhex((const char *)text, out, capacity);
    xmlFree(text);
    return len;
}

static void read_phase1(struct corpus *corpus, xmlNode *node)
{
    struct p2_preset_keys *preset = &corpus->phase1.preset_keys;
    xmlChar *cipher = xmlGetProp(node, BAD_CAST "cipher"), *hash = xmlGetProp(node, BAD_CAST "hash");
    corpus->phase1 = (struct p2_phase1_policy){.mode = P2_PHASE1_PRESET,
                                               .cipher = p2_cipher_by_name((const char *)cipher),
                                               .hash = p2_hash_by_name((const char *)hash),
                                               .retransmission = P2_RETRANSMISSION_DEFAULT,
                                               .has_preset_keys = true};
    xmlFree(cipher);
    xmlFree(hash);
    hex_attribute(node, "initiator-cookie", preset->initiator_cookie, 8);
    hex_attribute(node, "responder-cookie", preset->responder_cookie, 8);
    hex_attribute(node, "skeyid-d", preset->skeyid_d, P2_HASH_MAX_LEN);
    hex_attribute(node, "skeyid-a", preset->skeyid_a, P2_HASH_MAX_LEN);
    hex_attribute(node, "skeyid-e", preset->skeyid_e, P2_HASH_MAX_LEN);
    hex_attribute(node, "iv", preset->iv, P2_CIPHER_MAX_BLOCK);
    corpus->keys.cipher = corpus->phase1.cipher;
    corpus->keys.hash = corpus->phase1.hash;
    memcpy(corpus->keys.skeyid_d, preset->skeyid_d, P2_HASH_MAX_LEN);
    memcpy(corpus->keys.skeyid_a, preset->skeyid_a, P2_HASH_MAX_LEN);
    memcpy(corpus->keys.skeyid_e, preset->skeyid_e, P2_HASH_MAX_LEN);
    memcpy(corpus->keys.last_block, preset->iv, P2_CIPHER_MAX_BLOCK);
    p2_keymat_prepare(&corpus->keys);
}

static void read_keys(struct corpus *corpus)
{
    char path[512];
    xmlDoc *doc = xmlReadFile(path_of(corpus, "keys.xml", path, sizeof(path)), NULL, XML_PARSE_NONET);
    xmlNode *sa = doc ? xmlFirstElementChild(xmlDocGetRootElement(doc)) : NULL;
    if (!sa || strcmp((const char *)sa->name, "isakmp-sa") != 0)
        corpus_broken(path, "has no isakmp-sa");
    read_phase1(corpus, sa);
    for (xmlNode *quick = xmlFirstElementChild(sa); quick; quick = xmlNextElementSibling(quick)) {
        struct corpus_secret *secret = &corpus->secrets[corpus->num_secrets++];
        uint8_t id[4];
        hex_attribute(quick, "message-id", id, sizeof(id));
        secret->message_id = p2_get_u32(id);
        secret->len = hex_attribute(quick, "dh-secret", secret->bytes, sizeof(secret->bytes));
    }
    xmlFreeDoc(doc);
    xmlCleanupParser();
}

/* --- expect.json --- */

static uint32_t number_of(const char *hex)
{
    uint8_t bytes[4];
    return check_unhex(hex, bytes, sizeof(bytes)) == 4 ? p2_get_u32(bytes) : 0;
}

static void read_sa(struct corpus_sa *sa, const char *spi, const json_t *value)
{
    const char *cipher, *auth, *cipher_key, *auth_key;
    sa->spi = number_of(spi);
    if (json_unpack((json_t *)value, "{s:s, s:s, s:s, s:s}", "encr", &cipher, "encr_key", &cipher_key, "auth",
                    &auth, "auth_key", &auth_key) != 0)
        corpus_broken("expect.json", "an SA without its keys");
    snprintf(sa->cipher, sizeof(sa->cipher), "%s", cipher);
    snprintf(sa->auth, sizeof(sa->auth), "%s", auth);
    sa->encryption_key_len = check_unhex(cipher_key, sa->encryption_key, sizeof(sa->encryption_key));
    sa->authentication_key_len =
        check_unhex(auth_key, sa->authentication_key, sizeof(sa->authentication_key));
}

static void read_expectations(struct corpus *corpus)
{
    char path[512];
    json_t *quicks, *sas, *value;
    const char *key;
    int ipsec, with_keys, pfs;
    json_t *root = json_load_file(path_of(corpus, "expect.json", path, sizeof(path)), 0, NULL);
    if (json_unpack(root, "{s:o, s:o, s:i, s:i, s:i}", "quick_mode_message_ids", &quicks, "sas", &sas,
                    "ipsec_packets", &ipsec, "negotiations_with_keys", &with_keys, "pfs", &pfs) != 0)
        corpus_broken(path, "is not what this test reads");
    corpus->num_ipsec = (size_t)ipsec;
    corpus->num_with_keys = (size_t)with_keys;
    corpus->pfs = pfs != 0;
    json_object_foreach(quicks, key, value) corpus->quicks[corpus->num_quicks++] =
        (struct corpus_quick){number_of(key), (unsigned)json_integer_value(value)};
    json_object_foreach(sas, key, value) read_sa(&corpus->sas[corpus->num_sas++], key, value);
    json_decref(root);
}

/* --- policy.txt --- */

static bool read_address(struct p2_address *address, const char *text)
{
    *address = (struct p2_address){.family = 4};
    return inet_pton(AF_INET, text, address->bytes) == 1;
}

static bool read_network(struct p2_selector *network, const char *text)
{
    char address[32];
    unsigned prefix;
    *network = (struct p2_selector){0};
    if (sscanf(text, "%31[0-9.]/%u", address, &prefix) != 2 || prefix > 32)
        return false;
    network->prefix_len = (uint8_t)prefix;
    return read_address(&network->address, address);
}

static bool read_property(struct corpus_end *end, const char *name, const char *value)
{
    struct p2_policy *policy = &end->policy;
    struct p2_algorithms *algorithms = &policy->proposals[0].protocols[0].alternatives[0];
    if (strcmp(name, "gateway") == 0)
        return read_address(&end->gateway, value);
    if (strcmp(name, "network") == 0)
        return read_network(&end->network, value);
    if (strcmp(name, "encryption") == 0)
        return (algorithms->cipher = p2_cipher_by_name(value)) != P2_CIPHER_NONE;
    if (strcmp(name, "authentication") == 0)
        return (algorithms->auth = p2_auth_by_name(value)) != P2_AUTH_NONE;
    if (strcmp(name, "lifetime") == 0)
        return (policy->lifetime_s = (uint32_t)strtoul(value, NULL, 10)) > 0;
    if (strcmp(name, "soft") == 0)
        return (policy->soft_permille = (uint32_t)strtoul(value, NULL, 10)) > 0;
    if (strcmp(name, "replay-window") == 0)
        return (policy->replay_window = (uint32_t)strtoul(value, NULL, 10)) > 0;
    if (strcmp(name, "pfs") != 0)
        return false;
    policy->pfs = p2_group_by_name(value);
    return policy->pfs != P2_GROUP_NONE || strcmp(value, "none") == 0;
}

/* strongSwan keeps a replaced SA until its hard lifetime is over. */
static void read_policies(struct corpus *corpus)
{
    char path[512], line[128], name[32], value[2][32];
    unsigned num = 0;
    FILE *f = fopen(path_of(corpus, "policy.txt", path, sizeof(path)), "r");
    if (!f)
        corpus_broken(path, "cannot be opened (run from the root of the repository, or set P2_VECTORS)");
    for (int i = 0; i < 2; i++)
        corpus->ends[i].policy =
            (struct p2_policy){.num_proposals = 1,
                               .mode = P2_MODE_TUNNEL,
                               .proposals = {p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_NONE, P2_AUTH_NONE)}};
    while (fgets(line, sizeof(line), f)) {
        if (line[0] == '#')
            continue;
        if (sscanf(line, "%31s %31s %31s", name, value[0], value[1]) != 3 ||
            !read_property(&corpus->ends[0], name, value[0]) ||
            !read_property(&corpus->ends[1], name, value[1]))
            corpus_broken(path, line);
        num++;
    }
    fclose(f);
    if (num != 8)
        corpus_broken(path, "must have its eight properties");
    for (int i = 0; i < 2; i++)
        corpus->ends[i].policy.overlap = (p2_time)corpus->ends[i].policy.lifetime_s * P2_SECOND;
}

/* --- all of it --- */

void corpus_load(struct corpus *corpus, const char *name)
{
    char path[512];
    memset(corpus, 0, sizeof(*corpus));
    snprintf(corpus->name, sizeof(corpus->name), "%s", name);
    read_policies(corpus);
    read_keys(corpus);
    read_expectations(corpus);
    capture_read(&corpus->capture, path_of(corpus, "capture.pcap", path, sizeof(path)), &corpus->keys);
}

void corpus_free(struct corpus *corpus)
{
    capture_free(&corpus->capture);
}

enum corpus_side corpus_sender(const struct corpus *corpus, const struct corpus_frame *frame)
{
    for (int side = 0; side < 2; side++) {
        if (memcmp(&frame->source, &corpus->ends[side].gateway, sizeof(frame->source)) == 0 &&
            memcmp(&frame->destination, &corpus->ends[!side].gateway, sizeof(frame->destination)) == 0)
            return (enum corpus_side)side;
    }
    corpus_broken(corpus->name, "a packet between other addresses");
}

const struct corpus_sa *corpus_sa(const struct corpus *corpus, uint32_t spi)
{
    for (size_t i = 0; i < corpus->num_sas; i++) {
        if (corpus->sas[i].spi == spi)
            return &corpus->sas[i];
    }
    return NULL;
}

const struct corpus_secret *corpus_secret(const struct corpus *corpus, uint32_t message_id)
{
    for (size_t i = 0; i < corpus->num_secrets; i++) {
        if (corpus->secrets[i].message_id == message_id)
            return &corpus->secrets[i];
    }
    return NULL;
}

/* RFC 2408 section 3.15: DOI, protocol, SPI size, number of SPIs, SPIs. */
uint32_t corpus_deleted_spi(const struct corpus_message *message)
{
    const struct p2_payload *payload = p2_isakmp_find(&message->payloads, P2_PAYLOAD_DELETE, 0);
    bool one_esp = payload && payload->body.len == 12 && payload->body.data[4] == P2_PROTO_ESP &&
                   payload->body.data[5] == 4 && p2_get_u16(payload->body.data + 6) == 1;
    return one_esp ? p2_get_u32(payload->body.data + 8) : 0;
}

bool corpus_deletes_isakmp(const struct corpus_message *message)
{
    const struct p2_payload *payload = p2_isakmp_find(&message->payloads, P2_PAYLOAD_DELETE, 0);
    return payload && payload->body.len >= 8 && payload->body.data[4] == P2_PROTO_ISAKMP;
}
