/* The SAs: found by protocol and SPI, given keys and a window. */
#include "listener.h"

#include "array.h"

#include <stdlib.h>
#include <string.h>

static uint64_t key_of(enum p2_protocol protocol, uint32_t spi)
{
    return (uint64_t)protocol << 32 | spi;
}

size_t explain_find_sa(const struct explanation *e, enum p2_protocol protocol, uint32_t spi)
{
    return (uintptr_t)p2_map_get(&e->sa_places, key_of(protocol, spi)) - (uintptr_t)1;
}

/* An entry that is only known by its packets becomes the negotiated SA: they came before their time. */
static bool is_only_heard_of(const struct explain_sa *sa)
{
    return sa->exchange == EXPLAIN_NONE && sa->known == EXPLAIN_NONE;
}

int explain_add_sa(struct explanation *e, size_t *sa, enum p2_protocol protocol, uint32_t spi, bool keyed)
{
    size_t older = explain_find_sa(e, protocol, spi);
    size_t *num = keyed ? &e->num_keyed_sas : &e->num_unknown_spis;
    size_t max = keyed ? EXPLAIN_MAX_SAS : EXPLAIN_MAX_UNKNOWN_SPIS;
    *sa = EXPLAIN_NONE;
    if (*num == max)
        return P2_OK;
    (*num)++;
    if (keyed && older != EXPLAIN_NONE && is_only_heard_of(&e->sas[older])) {
        *sa = older;
        return P2_OK;
    }
    struct explain_sa *new = ARRAY_APPEND(e->sas, e->num_sas);
    if (!new || p2_map_put(&e->sa_places, key_of(protocol, spi), (void *)(uintptr_t)e->num_sas) < 0)
        return P2_ERR_NOMEM;
    *new = (struct explain_sa){.spi = spi,
                               .protocol = protocol,
                               .exchange = EXPLAIN_NONE,
                               .known = EXPLAIN_NONE,
                               .older = older,
                               .pair = EXPLAIN_NONE,
                               .deleted = EXPLAIN_NONE,
                               .run = EXPLAIN_NONE};
    *sa = e->num_sas - 1;
    return P2_OK;
}

int explain_key_sa(struct explanation *e, struct explain_sa *sa, const uint8_t *encryption_key,
                   const uint8_t *authentication_key)
{
    const struct p2_cipher_info *cipher = p2_cipher_of(sa->algorithms.cipher);
    if (sa->algorithms.cipher == P2_CIPHER_NULL && sa->algorithms.auth == P2_AUTH_NONE)
        return P2_OK;   /* RFC 4303 section 3.2 forbids it, and there is nothing to do with such keys */
    if (sa->has_window) /* it had other ones before */
        p2_replay_cleanup(&sa->window);
    if (!sa->keys)
        sa->keys = calloc(1, sizeof *sa->keys);
    if (!sa->keys || p2_replay_init(&sa->window, e->window_width) < 0)
        return P2_ERR_NOMEM;
    sa->has_window = true;
    sa->encryption_key_len = cipher->key_len + cipher->salt_len;
    sa->authentication_key_len = p2_auth_of(sa->algorithms.auth)->key_len;
    memcpy(sa->encryption_key, encryption_key, sa->encryption_key_len);
    memcpy(sa->authentication_key, authentication_key, sa->authentication_key_len);
    if (sa->protocol == P2_PROTO_AH)
        p2_ah_init(&sa->keys->ah, sa->algorithms.auth, sa->authentication_key, sa->esn);
    else
        p2_esp_init(&sa->keys->esp, sa->algorithms.cipher, sa->encryption_key, sa->algorithms.auth,
                    sa->authentication_key, sa->esn);
    sa->has_keys = true;
    return P2_OK;
}
