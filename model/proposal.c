#include "proposal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct predefined_row {
    const char *name;
    enum p2_cipher cipher;
    enum p2_auth auth;
    enum p2_group pfs;
};

/* Junos's predefined IPsec proposals: {nopfs, g2} x esp x {des, 3des, aes128} x {md5, sha}. */
static const struct predefined_row predefined[] = {
    {"nopfs-esp-des-md5", P2_CIPHER_DES_CBC, P2_AUTH_HMAC_MD5_96, P2_GROUP_NONE},
    {"nopfs-esp-des-sha", P2_CIPHER_DES_CBC, P2_AUTH_HMAC_SHA1_96, P2_GROUP_NONE},
    {"nopfs-esp-3des-md5", P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_MD5_96, P2_GROUP_NONE},
    {"nopfs-esp-3des-sha", P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_SHA1_96, P2_GROUP_NONE},
    {"nopfs-esp-aes128-md5", P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_MD5_96, P2_GROUP_NONE},
    {"nopfs-esp-aes128-sha", P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96, P2_GROUP_NONE},
    {"g2-esp-des-md5", P2_CIPHER_DES_CBC, P2_AUTH_HMAC_MD5_96, P2_GROUP_2},
    {"g2-esp-des-sha", P2_CIPHER_DES_CBC, P2_AUTH_HMAC_SHA1_96, P2_GROUP_2},
    {"g2-esp-3des-md5", P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_MD5_96, P2_GROUP_2},
    {"g2-esp-3des-sha", P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_SHA1_96, P2_GROUP_2},
    {"g2-esp-aes128-md5", P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_MD5_96, P2_GROUP_2},
    {"g2-esp-aes128-sha", P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96, P2_GROUP_2},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

size_t p2_algorithms_keymat_len(const struct p2_algorithms *a)
{
    const struct p2_cipher_info *cipher = p2_cipher_of(a->cipher);
    return cipher->key_len + cipher->salt_len + p2_auth_of(a->auth)->key_len;
}

struct p2_proposal p2_proposal_of(enum p2_protocol protocol, enum p2_cipher cipher, enum p2_auth auth)
{
    struct p2_proposal proposal = {.num_protocols = 1};
    proposal.protocols[0] =
        (struct p2_protocol_offer){.protocol = protocol, .num = 1, .alternatives = {{cipher, auth}}};
    return proposal;
}

const char *p2_proposal_predefined_name(size_t i)
{
    return i < COUNT(predefined) ? predefined[i].name : NULL;
}

bool p2_proposal_predefined(struct p2_proposal *proposal, enum p2_group *pfs, const char *name)
{
    for (size_t i = 0; i < COUNT(predefined); i++) {
        if (strcmp(predefined[i].name, name) == 0) {
            *proposal = p2_proposal_of(P2_PROTO_ESP, predefined[i].cipher, predefined[i].auth);
            snprintf(proposal->name, sizeof(proposal->name), "%s", name);
            if (pfs)
                *pfs = predefined[i].pfs;
            return true;
        }
    }
    return false;
}

/* Junos's proposal sets. */
static const struct set_row {
    const char *name, *proposals[P2_MAX_PROPOSALS + 1];
} sets[] = {
    {"standard", {"g2-esp-3des-sha", "g2-esp-aes128-sha"}},
    {"compatible", {"nopfs-esp-3des-sha", "nopfs-esp-3des-md5", "nopfs-esp-des-sha", "nopfs-esp-des-md5"}},
    {"basic", {"nopfs-esp-des-sha", "nopfs-esp-des-md5"}},
};

const char *p2_proposal_set_name(size_t i)
{
    return i < COUNT(sets) ? sets[i].name : NULL;
}

const char *const *p2_proposal_set(const char *name)
{
    for (size_t i = 0; i < COUNT(sets); i++) {
        if (strcmp(sets[i].name, name) == 0)
            return sets[i].proposals;
    }
    return NULL;
}

__attribute__((format(printf, 2, 3))) static void append(char text[P2_PROPOSAL_TEXT], const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + len, P2_PROPOSAL_TEXT - len, format, args);
    va_end(args);
}

static void append_algorithms(char text[P2_PROPOSAL_TEXT], const struct p2_algorithms *a)
{
    if (a->cipher != P2_CIPHER_NONE)
        append(text, "%s", p2_cipher_of(a->cipher)->name);
    if (a->auth != P2_AUTH_NONE)
        append(text, "%s%s", a->cipher != P2_CIPHER_NONE ? " " : "", p2_auth_of(a->auth)->name);
}

static void append_protocol(char text[P2_PROPOSAL_TEXT], enum p2_protocol protocol)
{
    append(text, "%s%s ", *text ? " and " : "", protocol == P2_PROTO_AH ? "ah" : "esp");
}

void p2_proposal_format(const struct p2_proposal *proposal, char text[P2_PROPOSAL_TEXT])
{
    text[0] = 0;
    for (size_t i = 0; i < proposal->num_protocols; i++) {
        const struct p2_protocol_offer *offer = &proposal->protocols[i];
        append_protocol(text, offer->protocol);
        for (size_t j = 0; j < offer->num; j++) {
            append(text, "%s", j ? " / " : "");
            append_algorithms(text, &offer->alternatives[j]);
        }
    }
}

void p2_suite_format(const struct p2_suite *suite, char text[P2_PROPOSAL_TEXT])
{
    text[0] = 0;
    for (size_t i = 0; i < suite->num; i++) {
        append_protocol(text, suite->protocol[i]);
        append_algorithms(text, &suite->algorithms[i]);
    }
}
