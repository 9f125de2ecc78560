#include "keyring.h"

#include "array.h"
#include "cursor.h"

#include <errno.h>
#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void keyring_cleanup(struct keyring *keyring)
{
    for (size_t i = 0; i < keyring->num_isakmp; i++) {
        while (keyring->isakmp[i].first) {
            struct keyring_quick *quick = keyring->isakmp[i].first;
            keyring->isakmp[i].first = quick->next;
            free(quick);
        }
    }
    free(keyring->isakmp);
    free(keyring->sas);
    p2_map_cleanup(&keyring->known);
    p2_map_cleanup(&keyring->known_quick);
    *keyring = (struct keyring){0};
}

static uint64_t cookie_of(const struct p2_negotiation_id *id)
{
    return p2_get_u64(id->initiator_cookie);
}

/* Both ends tell of the same ISAKMP SA; the first one counts. */
static void add_isakmp(struct keyring *keyring, const struct p2_isakmp_info *info)
{
    if (p2_map_get(&keyring->known, cookie_of(&info->id)))
        return;
    struct keyring_isakmp *entry = ARRAY_APPEND(keyring->isakmp, keyring->num_isakmp);
    if (!entry ||
        p2_map_put(&keyring->known, cookie_of(&info->id), (void *)(uintptr_t)keyring->num_isakmp) < 0) {
        keyring->out_of_memory = true;
        return;
    }
    *entry = (struct keyring_isakmp){.info = *info};
}

static void add_secret(struct keyring *keyring, const struct p2_negotiation_id *id, struct p2_bytes secret)
{
    uintptr_t place = (uintptr_t)p2_map_get(&keyring->known, cookie_of(id));
    uint64_t key = cookie_of(id) ^ (uint64_t)id->message_id * UINT64_C(0x9e3779b97f4a7c15);
    if (place == 0 || p2_map_get(&keyring->known_quick, key))
        return;
    struct keyring_quick *quick = calloc(1, sizeof(*quick));
    if (!quick || p2_map_put(&keyring->known_quick, key, quick) < 0) {
        free(quick);
        keyring->out_of_memory = true;
        return;
    }
    struct keyring_isakmp *isakmp = &keyring->isakmp[place - 1];
    quick->message_id = id->message_id;
    quick->secret_len = secret.len;
    memcpy(quick->secret, secret.data, secret.len);
    if (isakmp->last)
        isakmp->last->next = quick;
    else
        isakmp->first = quick;
    isakmp->last = quick;
}

void keyring_observe(struct keyring *keyring, const struct p2_action *action)
{
    if (action->type == P2_ACTION_ISAKMP_SA) {
        add_isakmp(keyring, &action->u.isakmp);
    } else if (action->type == P2_ACTION_DH_SECRET) {
        add_secret(keyring, &action->id, action->u.secret);
    } else if (action->type == P2_ACTION_SA_INSTALLED && action->u.sa.inbound) {
        struct p2_sa_info *sa = ARRAY_APPEND(keyring->sas, keyring->num_sas);
        if (sa)
            *sa = action->u.sa;
        else
            keyring->out_of_memory = true;
    }
}

/* --- files --- */

static void hex(char *out, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sprintf(out + 2 * i, "%02x", data[i]);
    out[2 * len] = '\0';
}

static void attribute(xmlTextWriterPtr writer, const char *name, const uint8_t *data, size_t len)
{
    char text[2 * P2_DH_MAX_LEN + 1];
    hex(text, data, len);
    xmlTextWriterWriteAttribute(writer, BAD_CAST name, BAD_CAST text);
}

static void write_isakmp(xmlTextWriterPtr writer, const struct keyring_isakmp *entry)
{
    const struct p2_isakmp_info *info = &entry->info;
    size_t len = p2_hash_of(info->hash)->len;
    xmlTextWriterStartElement(writer, BAD_CAST "isakmp-sa");
    attribute(writer, "initiator-cookie", info->keys.initiator_cookie, 8);
    attribute(writer, "responder-cookie", info->keys.responder_cookie, 8);
    xmlTextWriterWriteAttribute(writer, BAD_CAST "cipher", BAD_CAST p2_cipher_of(info->cipher)->name);
    xmlTextWriterWriteAttribute(writer, BAD_CAST "hash", BAD_CAST p2_hash_of(info->hash)->name);
    attribute(writer, "skeyid-d", info->keys.skeyid_d, len);
    attribute(writer, "skeyid-a", info->keys.skeyid_a, len);
    attribute(writer, "skeyid-e", info->keys.skeyid_e, len);
    attribute(writer, "iv", info->keys.iv, p2_cipher_of(info->cipher)->block_len);
    for (const struct keyring_quick *quick = entry->first; quick; quick = quick->next) {
        uint8_t message_id[4];
        p2_put_u32(message_id, quick->message_id);
        xmlTextWriterStartElement(writer, BAD_CAST "quick-mode");
        attribute(writer, "message-id", message_id, 4);
        attribute(writer, "dh-secret", quick->secret, quick->secret_len);
        xmlTextWriterEndElement(writer);
    }
    xmlTextWriterEndElement(writer);
}

static int write_keys(const struct keyring *keyring, const char *file)
{
    xmlTextWriterPtr writer = xmlNewTextWriterFilename(file, 0);
    if (!writer)
        return -1;
    xmlTextWriterSetIndent(writer, 1);
    int r = xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL);
    xmlTextWriterStartElementNS(writer, NULL, BAD_CAST "keys", BAD_CAST "urn:phase2sim:keys:1");
    for (size_t i = 0; i < keyring->num_isakmp; i++)
        write_isakmp(writer, &keyring->isakmp[i]);
    if (r >= 0)
        r = xmlTextWriterEndDocument(writer);
    xmlFreeTextWriter(writer);
    return r < 0 ? -1 : 0;
}

static void print_isakmp(FILE *out, const struct keyring *keyring)
{
    for (size_t i = 0; i < keyring->num_isakmp; i++) {
        const struct p2_isakmp_info *info = &keyring->isakmp[i].info;
        char cookie[17], key[2 * P2_CIPHER_MAX_KEY + 1];
        hex(cookie, info->keys.initiator_cookie, 8);
        hex(key, info->encryption_key, p2_cipher_of(info->cipher)->key_len);
        fprintf(out, "%s,%s\n", cookie, key);
    }
}

/* Wireshark's table knows ESP only. Behind a NAT the outer addresses change on the way, and every copy of a
 * packet is to be opened: the SPI tells SAs apart then, and any address will do. */
static void print_esp(FILE *out, const struct keyring *keyring)
{
    for (size_t i = 0; i < keyring->num_sas; i++) {
        const struct p2_sa_info *sa = &keyring->sas[i];
        char encryption[2 * P2_CIPHER_MAX_KEY + 1], authentication[2 * P2_HASH_MAX_LEN + 1];
        char source[P2_ADDRESS_TEXT] = "*", destination[P2_ADDRESS_TEXT] = "*";
        if (sa->protocol == P2_PROTO_AH)
            continue;
        if (sa->udp_source == 0 && !keyring->has_nats) {
            p2_address_format(&sa->source, source);
            p2_address_format(&sa->destination, destination);
        }
        bool authenticated = sa->auth != P2_AUTH_NONE;
        const struct p2_cipher_info *cipher = p2_cipher_of(sa->cipher);
        hex(encryption, sa->encryption_key, cipher->key_len + cipher->salt_len); /* as Wireshark wants it */
        hex(authentication, sa->authentication_key, authenticated ? p2_auth_of(sa->auth)->key_len : 0);
        fprintf(out, "\"IPv%d\",\"%s\",\"%s\",\"0x%08x\",\"%s\",\"%s%s\",\"%s\",\"%s%s\"\n",
                sa->source.family == 6 ? 6 : 4, source, destination, sa->spi, cipher->wireshark,
                *encryption ? "0x" : "", encryption, authenticated ? p2_auth_of(sa->auth)->wireshark : "NULL",
                authenticated ? "0x" : "", authentication);
    }
}

static void print_preferences(FILE *out, const struct keyring *keyring)
{
    (void)keyring;
    fputs("esp.enable_encryption_decode: TRUE\nesp.enable_authentication_check: TRUE\n", out);
}

static int write_text(const struct keyring *keyring, const char *file,
                      void (*print)(FILE *, const struct keyring *))
{
    FILE *out = fopen(file, "w");
    if (!out)
        return -1;
    print(out, keyring);
    int failed = ferror(out);
    return fclose(out) != 0 || failed ? -1 : 0;
}

int keyring_write(const struct keyring *keyring, const char *directory, const char **failed)
{
    static const struct {
        const char *name;
        void (*print)(FILE *, const struct keyring *);
    } files[] = {
        {"keys.xml", NULL},
        {"ikev1_decryption_table", print_isakmp},
        {"esp_sa", print_esp},
        {"preferences", print_preferences},
    };
    char path[4096];
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        *failed = files[i].name;
        if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, files[i].name) >= sizeof(path)) {
            errno = ENAMETOOLONG;
            return -1;
        }
        if ((files[i].print ? write_text(keyring, path, files[i].print) : write_keys(keyring, path)) < 0)
            return -1;
    }
    return 0;
}
