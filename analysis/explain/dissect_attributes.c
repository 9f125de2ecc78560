#include "dissect_impl.h"

#include <inttypes.h>
#include <stdio.h>

/* --- names of values --- */

/* RFC 2409 appendix A; 7: RFC 3602; 8: RFC 4312. */
static const struct number_name encryption_names[] = {
    {1, "DES-CBC"},  {2, "IDEA-CBC"}, {3, "BLOWFISH-CBC"}, {4, "RC5-R16-B64-CBC"},
    {5, "3DES-CBC"}, {6, "CAST-CBC"}, {7, "AES-CBC"},      {8, "CAMELLIA-CBC"},
};

/* RFC 2409 appendix A; 4 to 6: RFC 4868. */
static const struct number_name hash_names[] = {
    {1, "MD5"}, {2, "SHA"}, {3, "TIGER"}, {4, "SHA2-256"}, {5, "SHA2-384"}, {6, "SHA2-512"},
};

/* RFC 2409 appendix A; 9 to 11: RFC 4754; from 64221 draft-ietf-ipsec-isakmp-hybrid-auth-05 section 3.2.1;
 * from 65001 draft-beaulieu-ike-xauth-02 section 7.2. */
static const struct number_name method_names[] = {
    {1, "Pre-shared key"},
    {2, "DSS signatures"},
    {3, "RSA signatures"},
    {4, "Encryption with RSA"},
    {5, "Revised encryption with RSA"},
    {9, "ECDSA with SHA-256 on the P-256 curve"},
    {10, "ECDSA with SHA-384 on the P-384 curve"},
    {11, "ECDSA with SHA-512 on the P-521 curve"},
    {64221, "HybridInitRSA"},
    {64222, "HybridRespRSA"},
    {64223, "HybridInitDSS"},
    {64224, "HybridRespDSS"},
    {65001, "XAUTHInitPreShared"},
    {65002, "XAUTHRespPreShared"},
    {65003, "XAUTHInitDSS"},
    {65004, "XAUTHRespDSS"},
    {65005, "XAUTHInitRSA"},
    {65006, "XAUTHRespRSA"},
    {65007, "XAUTHInitRSAEncryption"},
    {65008, "XAUTHRespRSAEncryption"},
    {65009, "XAUTHInitRSARevisedEncryption"},
    {65010, "XAUTHRespRSARevisedEncryption"},
};

/* RFC 2409 section 6; 5, 14 to 18: RFC 3526; 19 to 21: RFC 5903; 22 to 26: RFC 5114; 27 to 30: RFC 6954. */
static const struct number_name group_names[] = {
    {1, "default 768-bit MODP group"},
    {2, "alternate 1024-bit MODP group"},
    {3, "EC2N group on GP[2^155]"},
    {4, "EC2N group on GP[2^185]"},
    {5, "1536-bit MODP group"},
    {14, "2048-bit MODP group"},
    {15, "3072-bit MODP group"},
    {16, "4096-bit MODP group"},
    {17, "6144-bit MODP group"},
    {18, "8192-bit MODP group"},
    {19, "256-bit random ECP group"},
    {20, "384-bit random ECP group"},
    {21, "521-bit random ECP group"},
    {22, "1024-bit MODP group with 160-bit prime order subgroup"},
    {23, "2048-bit MODP group with 224-bit prime order subgroup"},
    {24, "2048-bit MODP group with 256-bit prime order subgroup"},
    {25, "192-bit random ECP group"},
    {26, "224-bit random ECP group"},
    {27, "224-bit Brainpool ECP group"},
    {28, "256-bit Brainpool ECP group"},
    {29, "384-bit Brainpool ECP group"},
    {30, "512-bit Brainpool ECP group"},
};

static const struct number_name group_type_names[] = {{1, "MODP"}, {2, "ECP"}, {3, "EC2N"}};
static const struct number_name life_type_names[] = {{1, "Seconds"}, {2, "Kilobytes"}};

/* RFC 2407 section 4.5; 3, 4: RFC 3947 section 5.1; 61443, 61444: its drafts. */
static const struct number_name mode_names[] = {
    {1, "Tunnel"},
    {2, "Transport"},
    {3, "UDP-Encapsulated-Tunnel"},
    {4, "UDP-Encapsulated-Transport"},
    {61443, "UDP-Encapsulated-Tunnel (draft)"},
    {61444, "UDP-Encapsulated-Transport (draft)"},
};

/* RFC 2407 section 4.5; 5 to 7: RFC 4868; 8: RFC 2857; 9: RFC 3566; 10: RFC 4359; 11 to 13: RFC 4543. */
static const struct number_name authentication_names[] = {
    {1, "HMAC-MD5"},      {2, "HMAC-SHA"},      {3, "DES-MAC"},       {4, "KPDK"},
    {5, "HMAC-SHA2-256"}, {6, "HMAC-SHA2-384"}, {7, "HMAC-SHA2-512"}, {8, "HMAC-RIPEMD"},
    {9, "AES-XCBC-MAC"},  {10, "SIG-RSA"},      {11, "AES-128-GMAC"}, {12, "AES-192-GMAC"},
    {13, "AES-256-GMAC"},
};

static const struct number_name ecn_names[] = {{1, "Allowed"}, {2, "Forbidden"}};
static const struct number_name esn_names[] = {{1, "64-bit Sequence Number"}};

/* --- attributes --- */

enum attribute_look { LOOK_NUMBER, LOOK_BITS, LOOK_BYTES, LOOK_DURATION };

struct attribute {
    uint16_t type;
    const char *name, *filter; /* filter: without the place's prefix would not be a literal */
    enum attribute_look look;
    struct name_table values;
    const char *section;
};

#define P1(name) "isakmp.ike.attr." name
#define P2(name) "isakmp.ipsec.attr." name
#define A        "RFC 2409 appendix A"
#define D        "RFC 2407 section 4.5"
#define NO_NAMES ((struct name_table){NULL, 0})

static const struct attribute phase1_attributes[] = {
    {1, "Encryption Algorithm", P1("encryption_algorithm"), LOOK_NUMBER, NAMES(encryption_names), A},
    {2, "Hash Algorithm", P1("hash_algorithm"), LOOK_NUMBER, NAMES(hash_names), A},
    {3, "Authentication Method", P1("authentication_method"), LOOK_NUMBER, NAMES(method_names), A},
    {4, "Group Description", P1("group_description"), LOOK_NUMBER, NAMES(group_names), A},
    {5, "Group Type", P1("group_type"), LOOK_NUMBER, NAMES(group_type_names), A},
    {6, "Group Prime", P1("group_prime"), LOOK_BYTES, NO_NAMES, A},
    {7, "Group Generator One", P1("group_generator_one"), LOOK_BYTES, NO_NAMES, A},
    {8, "Group Generator Two", P1("group_generator_two"), LOOK_BYTES, NO_NAMES, A},
    {9, "Group Curve A", P1("group_curve_a"), LOOK_BYTES, NO_NAMES, A},
    {10, "Group Curve B", P1("group_curve_b"), LOOK_BYTES, NO_NAMES, A},
    {11, "Life Type", P1("life_type"), LOOK_NUMBER, NAMES(life_type_names), A},
    {12, "Life Duration", P1("life_duration"), LOOK_DURATION, NO_NAMES, A},
    {13, "PRF", P1("prf"), LOOK_BYTES, NO_NAMES, A},
    {14, "Key Length", P1("key_length"), LOOK_BITS, NO_NAMES, A},
    {15, "Field Size", P1("field_size"), LOOK_BYTES, NO_NAMES, A},
    {16, "Group Order", P1("group_order"), LOOK_BYTES, NO_NAMES, A},
};

static const struct attribute phase2_attributes[] = {
    {1, "SA Life Type", P2("life_type"), LOOK_NUMBER, NAMES(life_type_names), D},
    {2, "SA Life Duration", P2("life_duration"), LOOK_DURATION, NO_NAMES, D},
    {3, "Group Description", P2("group_description"), LOOK_NUMBER, NAMES(group_names), D},
    {4, "Encapsulation Mode", P2("encap_mode"), LOOK_NUMBER, NAMES(mode_names), D},
    {5, "Authentication Algorithm", P2("auth_algorithm"), LOOK_NUMBER, NAMES(authentication_names), D},
    {6, "Key Length", P2("key_length"), LOOK_BITS, NO_NAMES, D},
    {7, "Key Rounds", P2("key_rounds"), LOOK_NUMBER, NO_NAMES, D},
    {8, "Compress Dictionary Size", P2("cmpr_dict_size"), LOOK_NUMBER, NO_NAMES, D},
    {9, "Compress Private Algorithm", P2("cmpr_algorithm"), LOOK_BYTES, NO_NAMES, D},
    {10, "ECN Tunnel", P2("ecn_tunnel"), LOOK_NUMBER, NAMES(ecn_names), "RFC 3168 section 9.2.2"},
    {11, "Extended (64-bit) Sequence Number", P2("ext_seq_nbr"), LOOK_NUMBER, NAMES(esn_names),
     "RFC 4304 section 2"},
};

/* What stands in a RESPONDER-LIFETIME: RFC 2407 section 4.6.3.1. */
#define L "RFC 2407 section 4.6.3.1"
#define LIFETIME(number, type, duration)                                                                     \
    {                                                                                                        \
        {number, "Life Type", type, LOOK_NUMBER, NAMES(life_type_names), L},                                 \
        {                                                                                                    \
            (number) + 1, "Life Duration", duration, LOOK_DURATION, NO_NAMES, L                              \
        }                                                                                                    \
    }
#define N "isakmp.notify.data.resp_lifetime."
static const struct attribute lifetime1_attributes[] =
    LIFETIME(11, N "ike.attr.life_type", N "ike.attr.life_duration");
static const struct attribute lifetime2_attributes[] =
    LIFETIME(1, N "ipsec.attr.life_type", N "ipsec.attr.life_duration");

/* How Wireshark calls the parts of an attribute in a place; a duration of another length has another name. */
struct place {
    const struct attribute *attributes;
    size_t num;
    int phase; /* 0: mode config */
    const char *whole, *type, *length, *value, *duration64, *duration_bytes, *section;
};

#define PREFIXED(p) p, p ".type", p ".length", p ".value", p ".life_duration64", p ".life_duration_bytes"
#define ROWS(array) array, sizeof(array) / sizeof((array)[0])

static const struct place places[] = {
    [ATTRIBUTES_PHASE1] = {ROWS(phase1_attributes), 1, PREFIXED("isakmp.ike.attr"), A},
    [ATTRIBUTES_PHASE2] = {ROWS(phase2_attributes), 2, PREFIXED("isakmp.ipsec.attr"), D},
    [ATTRIBUTES_LIFETIME_PHASE1] = {ROWS(lifetime1_attributes), 1, PREFIXED(N "ike.attr"), L},
    [ATTRIBUTES_LIFETIME_PHASE2] = {ROWS(lifetime2_attributes), 2, PREFIXED(N "ipsec.attr"), L},
    [ATTRIBUTES_CONFIG] = {NULL, 0, 0, PREFIXED("isakmp.cfg.attr"),
                           "draft-dukes-ike-mode-cfg-02 section 3.3"},
};

static const struct attribute *find_attribute(const struct place *place, uint16_t type)
{
    for (size_t i = 0; i < place->num; i++) {
        if (place->attributes[i].type == type)
            return &place->attributes[i];
    }
    return NULL;
}

static const struct place *place_of_phase(int phase)
{
    return &places[phase == 1 ? ATTRIBUTES_PHASE1 : ATTRIBUTES_PHASE2];
}

const char *isakmp_attribute_name(int phase, uint16_t type, char *buffer)
{
    const struct attribute *a = find_attribute(place_of_phase(phase), type);
    if (a)
        return a->name;
    snprintf(buffer, DISSECT_TEXT, "attribute %u", type);
    return buffer;
}

const char *isakmp_attribute_value(int phase, uint16_t type, uint64_t value, char *buffer)
{
    const struct attribute *a = find_attribute(place_of_phase(phase), type);
    const char *name = a ? name_of_number(a->values, value) : NULL;
    if (name)
        snprintf(buffer, DISSECT_TEXT, "%s (%" PRIu64 ")", name, value);
    else
        snprintf(buffer, DISSECT_TEXT, "%" PRIu64 "%s", value, a && a->look == LOOK_BITS ? " bits" : "");
    return buffer;
}

/* --- on the wire: RFC 2408 section 3.3 --- */

static const char *type_name(const struct place *place, uint16_t type, char *buffer)
{
    const char *name = place->phase == 0 ? isakmp_config_attribute_name(type) : NULL;
    if (place->phase == 0 && !name)
        snprintf(buffer, DISSECT_TEXT, "attribute %u", type);
    return place->phase != 0 ? isakmp_attribute_name(place->phase, type, buffer) : name ? name : buffer;
}

static struct field_kind value_kind(const struct place *place, const struct attribute *a, size_t len)
{
    struct field_kind kind = {"Value", place->value, place->section};
    if (a)
        kind = (struct field_kind){a->name, a->filter, a->section};
    if (a && a->look == LOOK_DURATION && len > 4)
        kind.filter = len <= 8 ? place->duration64 : place->duration_bytes;
    return kind;
}

/* A duration is told with the unit that the last life type named. */
static void say_value(struct walk *walk, const struct place *place, const struct attribute *a, uint64_t value,
                      uint64_t life_type, size_t mark)
{
    char buffer[DISSECT_TEXT];
    const char *unit = a->look != LOOK_DURATION ? ""
                       : life_type == 1         ? " seconds"
                       : life_type == 2         ? " kilobytes"
                                                : "";
    const char *text = isakmp_attribute_value(place->phase, a->type, value, buffer);
    walk_say(walk, "%s%s", text, unit);
    walk_say_at(walk, mark, "%s: %s%s", a->name, text, unit);
}

static void take_value(struct walk *walk, const struct place *place, uint16_t type, size_t len,
                       uint64_t *life_type, size_t mark)
{
    const struct attribute *a = find_attribute(place, type);
    struct field_kind kind = value_kind(place, a, len);
    if (len == 0) {
        walk_remark(walk, kind.name, "empty");
        return;
    }
    if (!a || a->look == LOOK_BYTES || len > 8) {
        char text[DISSECT_TEXT];
        struct p2_bytes bytes = walk_bytes(walk, len, kind);
        if (place->phase == 0 && bytes.len > 2) {
            dissect_ascii(bytes, text, sizeof(text));
            walk_say(walk, "\"%s\"", text);
        }
        return;
    }
    uint64_t value = walk_number(walk, len, kind);
    if (walk->failed)
        return;
    if (a->values.names == life_type_names)
        *life_type = value;
    say_value(walk, place, a, value, *life_type, mark);
}

static void dissect_attribute(struct walk *walk, const struct place *place, uint64_t *life_type)
{
    char buffer[DISSECT_TEXT];
    struct p2_bytes left = walk->left;
    bool is_short = left.len >= 1 && left.data[0] & 0x80;
    size_t len = is_short || left.len < 4 ? 4 : 4u + p2_get_u16(left.data + 2);
    struct walk inner = walk_enter(walk, len, KIND("Attribute", place->whole, ISAKMP("3.3")));
    size_t mark = walk_mark(walk);
    uint16_t type = (uint16_t)walk_number(&inner, 2, KIND("Attribute type", place->type, place->section));
    type &= 0x7fff;
    const char *name = type_name(place, type, buffer);
    walk_say(&inner, "%s (%u), %s", name, type, is_short ? "short" : "long");
    if (!inner.failed)
        walk_say_at(walk, mark, "%s", name);
    if (!is_short)
        walk_number(&inner, 2, KIND("Attribute length", place->length, ISAKMP("3.3")));
    if (!inner.failed)
        take_value(&inner, place, type, is_short ? 2 : len - 4, life_type, mark);
    walk_leave(&inner);
}

void dissect_attributes(struct walk *walk, enum attribute_place place)
{
    uint64_t life_type = 0;
    while (!walk->failed && walk->left.len > 0)
        dissect_attribute(walk, &places[place], &life_type);
}
