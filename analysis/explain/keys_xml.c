/* keys.xml. Elements are taken as the parser meets them, so that no tree stands in memory. */
#include "keys_impl.h"

#include "cursor.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>

#define KEYS_NAMESPACE "urn:phase2sim:keys:1"
#define ROOT           "<keys xmlns=\"" KEYS_NAMESPACE "\">"

/* As libxml2 hands them on: local name, prefix, namespace, where the value begins and ends. */
struct attributes {
    const xmlChar **list;
    int num;
};

struct state {
    struct keys_reader *reader;
    unsigned depth; /* how many elements are open */
};

/* What may stand how deep. */
static const struct element {
    const char *name, *attributes[10];
} elements[] = {
    {"keys", {NULL}},
    {"isakmp-sa",
     {"initiator-cookie", "responder-cookie", "cipher", "hash", "skeyid-d", "skeyid-a", "skeyid-e", "iv"}},
    {"quick-mode", {"message-id", "dh-secret"}},
};
#define NUM_ELEMENTS (sizeof elements / sizeof elements[0])

static bool find(struct keys_text *value, const struct attributes *attributes, const char *name)
{
    for (int i = 0; i < attributes->num; i++) {
        const xmlChar **one = attributes->list + 5 * (size_t)i;
        if (!one[1] && strcmp((const char *)one[0], name) == 0) {
            *value = (struct keys_text){(const char *)one[3], (size_t)(one[4] - one[3])};
            return true;
        }
    }
    return false;
}

static void list_names(char list[PROBLEMS_LIST], const char *const *candidates, const char *found)
{
    struct problems_names names = {0};
    for (; *candidates; candidates++)
        problems_names_add(&names, *candidates);
    problems_list(list, &names, found);
    problems_names_cleanup(&names);
}

static int check_names(struct keys_reader *reader, const struct element *element,
                       const struct attributes *attributes)
{
    for (int i = 0; i < attributes->num; i++) {
        const char *name = (const char *)attributes->list[5 * (size_t)i];
        const char *prefix = (const char *)attributes->list[5 * i + 1];
        const char *const *known = element->attributes;
        while (*known && (prefix || strcmp(*known, name) != 0))
            known++;
        if (!*known) {
            char list[PROBLEMS_LIST];
            list_names(list, element->attributes, name);
            return keys_complain(reader, "<%s> with the attribute %.20s%s%s; allowed: %s", element->name,
                                 prefix ? prefix : "", prefix ? ":" : "", problems_quote(name).text, list);
        }
    }
    return 0;
}

/* Exactly len bytes. */
static int require_hex(struct keys_reader *reader, uint8_t *out, const struct attributes *attributes,
                       const char *element, const char *name, size_t len)
{
    struct keys_text value;
    if (!find(&value, attributes, name))
        return keys_complain(reader, "<%s> without %s; allowed: %s=\"...\" with %zu hex digits", element,
                             name, name, 2 * len);
    return keys_hex_exactly(reader, out, name, value, len);
}

static int optional_hex(struct keys_reader *reader, uint8_t *out, bool *has,
                        const struct attributes *attributes, const char *name, size_t len)
{
    struct keys_text value;
    *has = find(&value, attributes, name);
    return *has ? keys_hex_exactly(reader, out, name, value, len) : 0;
}

static int complain_algorithm(struct keys_reader *reader, const char *name, const struct keys_text *found,
                              const char *const *allowed)
{
    char list[PROBLEMS_LIST];
    list_names(list, allowed, found ? keys_name(*found).text : NULL);
    if (!found)
        return keys_complain(reader, "<isakmp-sa> without %s; allowed: %s=\"...\" with one of %s", name, name,
                             list);
    return keys_complain(reader, "%s=\"%s\"; allowed: %s", name, keys_quote(*found).text, list);
}

static int read_cipher(struct keys_reader *reader, enum p2_cipher *cipher,
                       const struct attributes *attributes)
{
    struct keys_text value;
    bool has = find(&value, attributes, "cipher");
    *cipher = has ? p2_cipher_by_name(keys_name(value).text) : P2_CIPHER_NONE;
    if (p2_cipher_is_for_ike(*cipher))
        return 0;
    const char *allowed[P2_NUM_CIPHERS + 1] = {NULL};
    for (unsigned c = 0, n = 0; c < P2_NUM_CIPHERS; c++) {
        if (p2_cipher_is_for_ike((enum p2_cipher)c))
            allowed[n++] = p2_cipher_of((enum p2_cipher)c)->name;
    }
    return complain_algorithm(reader, "cipher", has ? &value : NULL, allowed);
}

static int read_hash(struct keys_reader *reader, enum p2_hash *hash, const struct attributes *attributes)
{
    struct keys_text value;
    bool has = find(&value, attributes, "hash");
    *hash = has ? p2_hash_by_name(keys_name(value).text) : P2_HASH_NONE;
    if (*hash != P2_HASH_NONE)
        return 0;
    const char *allowed[P2_NUM_HASHES + 1] = {NULL};
    for (unsigned h = P2_HASH_NONE + 1; h < P2_NUM_HASHES; h++)
        allowed[h - 1] = p2_hash_of((enum p2_hash)h)->name;
    return complain_algorithm(reader, "hash", has ? &value : NULL, allowed);
}

static int read_isakmp(struct keys_reader *reader, const struct attributes *attributes)
{
    struct known_keys *keys = reader->keys;
    struct known_isakmp *sa = KEYS_APPEND(keys->isakmp, keys->num_isakmp);
    if (!sa)
        return keys_no_memory(reader);
    if (require_hex(reader, sa->initiator_cookie, attributes, "isakmp-sa", "initiator-cookie", 8) < 0 ||
        require_hex(reader, sa->responder_cookie, attributes, "isakmp-sa", "responder-cookie", 8) < 0 ||
        read_cipher(reader, &sa->cipher, attributes) < 0 || read_hash(reader, &sa->hash, attributes) < 0)
        return -1;
    size_t hash_len = p2_hash_of(sa->hash)->len, block_len = p2_cipher_of(sa->cipher)->block_len;
    if (optional_hex(reader, sa->skeyid_d, &sa->has_d, attributes, "skeyid-d", hash_len) < 0 ||
        optional_hex(reader, sa->skeyid_a, &sa->has_a, attributes, "skeyid-a", hash_len) < 0 ||
        optional_hex(reader, sa->skeyid_e, &sa->has_e, attributes, "skeyid-e", hash_len) < 0 ||
        optional_hex(reader, sa->iv, &sa->has_iv, attributes, "iv", block_len) < 0)
        return -1;
    return 0;
}

static int read_quick_mode(struct keys_reader *reader, const struct attributes *attributes)
{
    struct known_keys *keys = reader->keys;
    uint8_t message_id[4];
    struct keys_text hex;
    if (require_hex(reader, message_id, attributes, "quick-mode", "message-id", sizeof message_id) < 0)
        return -1;
    if (!find(&hex, attributes, "dh-secret"))
        return 0;
    struct known_secret *secret = KEYS_APPEND(keys->secrets, keys->num_secrets);
    if (!secret)
        return keys_no_memory(reader);
    memcpy(secret->initiator_cookie, keys->isakmp[keys->num_isakmp - 1].initiator_cookie, 8);
    secret->message_id = p2_get_u32(message_id);
    return keys_hex(reader, secret->bytes, &secret->len, "dh-secret", hex, 1, sizeof secret->bytes);
}

/* --- what libxml2 calls --- */

static struct state *state_of(void *context)
{
    struct state *state = ((xmlParserCtxt *)context)->_private;
    int line = xmlSAX2GetLineNumber(context);
    state->reader->line = line > 0 ? line : 1;
    return state;
}

static int take_element(struct state *state, const char *name, const char *namespace,
                        const struct attributes *attributes)
{
    struct keys_reader *reader = state->reader;
    unsigned depth = state->depth;
    bool ours = namespace && strcmp(namespace, KEYS_NAMESPACE) == 0;
    bool known = depth < NUM_ELEMENTS && ours && strcmp(name, elements[depth].name) == 0;
    if (!known && (depth == 0 || !ours))
        return keys_complain(reader, "<%s> in %s%s%s; allowed: %s", problems_quote(name).text,
                             namespace ? "the namespace \"" : "no namespace",
                             namespace ? problems_quote(namespace).text : "", namespace ? "\"" : "",
                             depth == 0 ? ROOT : "elements in the namespace \"" KEYS_NAMESPACE "\"");
    if (!known && depth >= NUM_ELEMENTS)
        return keys_complain(reader, "<%s> in <quick-mode>; allowed: nothing", problems_quote(name).text);
    if (!known)
        return keys_complain(reader, "<%s> in <%s>; allowed: <%s>", problems_quote(name).text,
                             elements[depth - 1].name, elements[depth].name);
    if (check_names(reader, &elements[depth], attributes) < 0)
        return -1;
    return depth == 0   ? 0
           : depth == 1 ? read_isakmp(reader, attributes)
                        : read_quick_mode(reader, attributes);
}

static void on_element(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *namespace,
                       int num_namespaces, const xmlChar **namespaces, int num_attributes, int num_defaulted,
                       const xmlChar **list)
{
    (void)prefix, (void)num_namespaces, (void)namespaces, (void)num_defaulted;
    struct state *state = state_of(context);
    struct attributes attributes = {list, num_attributes};
    if (take_element(state, (const char *)name, (const char *)namespace, &attributes) < 0)
        xmlStopParser(context);
    state->depth++;
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *namespace)
{
    (void)name, (void)prefix, (void)namespace;
    state_of(context)->depth--;
}

/* libxml2 goes on handing out text behind an error that ends the rest, also of elements it did not. */
static void on_text(void *context, const xmlChar *text, int len)
{
    struct state *state = state_of(context);
    bool is_over = *state->reader->error || !((xmlParserCtxt *)context)->wellFormed;
    int i = 0;
    while (!is_over && i < len && keys_is_space((char)text[i]))
        i++;
    if (is_over || i == len)
        return;
    const struct element *element = &elements[state->depth - 1];
    bool has_children = state->depth < NUM_ELEMENTS;
    keys_complain(state->reader, "text in <%s>; allowed: %s%s%s", element->name,
                  has_children ? "<" : "nothing", has_children ? element[1].name : "",
                  has_children ? ">" : "");
    xmlStopParser(context);
}

/* A DTD could define entities that expand without end or read other files; keys have no use for one. */
static void on_doctype(void *context, const xmlChar *name, const xmlChar *external_id,
                       const xmlChar *system_id)
{
    (void)name, (void)external_id, (void)system_id;
    keys_complain(state_of(context)->reader, "a DOCTYPE; allowed: XML without DTD and entities");
    xmlStopParser(context);
}

/* --- parsing --- */

static void listen(xmlParserCtxt *parser, struct state *state)
{
    parser->_private = state;
    parser->sax->startElementNs = on_element;
    parser->sax->endElementNs = on_end;
    parser->sax->characters = parser->sax->ignorableWhitespace = parser->sax->cdataBlock = on_text;
    parser->sax->internalSubset = on_doctype;
    parser->sax->comment = NULL;
    parser->sax->processingInstruction = NULL;
    parser->sax->reference = NULL;
    /* All that keys hold is ASCII. Of encodings that do not fit, libxml2 would tell on standard error. */
    xmlCtxtUseOptions(parser,
                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC);
}

static int complain_parser(struct keys_reader *reader, xmlParserCtxt *parser)
{
    const xmlError *error = xmlCtxtGetLastError(parser);
    if (error && error->code == XML_ERR_NO_MEMORY)
        return keys_no_memory(reader);
    const char *text = error && error->message ? error->message : "unreadable";
    struct keys_text first = {text, strcspn(text, "\n")};
    reader->line = error && error->line > 0 ? error->line : 1;
    return keys_complain(reader, "not well-formed XML: %s; allowed: XML 1.0 whose root is " ROOT,
                         keys_quote(first).text);
}

int keys_read_xml(struct keys_reader *reader, const char *xml, size_t len)
{
    xmlParserCtxt *parser = xmlCreateMemoryParserCtxt(xml, (int)len);
    struct state state = {.reader = reader};
    if (!parser)
        return keys_no_memory(reader);
    listen(parser, &state);
    xmlParseDocument(parser);
    int r = *reader->error ? -1 : 0;
    if (r == 0 && (!parser->wellFormed || !parser->nsWellFormed))
        r = complain_parser(reader, parser);
    xmlFreeDoc(parser->myDoc);
    parser->myDoc = NULL;
    xmlFreeParserCtxt(parser);
    return r;
}
