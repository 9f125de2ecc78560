#include "eavesdrop_impl.h"

#include "ah.h"
#include "ip.h"
#include "replay.h"

#include <stdlib.h>
#include <string.h>

int p2_eavesdrop_new(struct p2_eavesdrop **eavesdrop)
{
    *eavesdrop = calloc(1, sizeof(**eavesdrop));
    return *eavesdrop ? P2_OK : P2_ERR_NOMEM;
}

static void wipe_and_free(void *array, size_t size)
{
    if (array)
        p2_wipe(array, size);
    free(array);
}

void p2_eavesdrop_free(struct p2_eavesdrop *e)
{
    if (!e)
        return;
    wipe_and_free(e->isakmp, e->num_isakmp * sizeof(*e->isakmp));
    wipe_and_free(e->secrets, e->num_secrets * sizeof(*e->secrets));
    wipe_and_free(e->sas, e->num_sas * sizeof(*e->sas));
    free(e->exchanges);
    p2_map_cleanup(&e->exchange_places);
    p2_map_cleanup(&e->sa_places);
    wipe_and_free(e, sizeof(*e));
}

int p2_eavesdrop_learn(struct p2_eavesdrop *e, const struct p2_eavesdrop_isakmp *isakmp)
{
    struct p2_known_isakmp *bigger = realloc(e->isakmp, (e->num_isakmp + 1) * sizeof(*bigger));
    if (!bigger)
        return P2_ERR_NOMEM;
    e->isakmp = bigger;
    struct p2_known_isakmp *known = &bigger[e->num_isakmp++];
    *known = (struct p2_known_isakmp){.is = *isakmp};
    known->keys.hash = isakmp->hash;
    known->keys.cipher = isakmp->cipher;
    if (isakmp->knows_d)
        memcpy(known->keys.skeyid_d, isakmp->skeyid_d, sizeof(isakmp->skeyid_d));
    if (isakmp->knows_e)
        memcpy(known->keys.skeyid_e, isakmp->skeyid_e, sizeof(isakmp->skeyid_e));
    memcpy(known->keys.last_block, isakmp->last_block, sizeof(isakmp->last_block));
    p2_keymat_prepare(&known->keys);
    return P2_OK;
}

int p2_eavesdrop_learn_secret(struct p2_eavesdrop *e, const uint8_t initiator_cookie[8], uint32_t message_id,
                              struct p2_bytes secret)
{
    struct p2_known_secret *bigger = realloc(e->secrets, (e->num_secrets + 1) * sizeof(*bigger));
    if (!bigger)
        return P2_ERR_NOMEM;
    e->secrets = bigger;
    struct p2_known_secret *known = &bigger[e->num_secrets++];
    *known = (struct p2_known_secret){.message_id = message_id, .len = secret.len};
    memcpy(known->initiator_cookie, initiator_cookie, 8);
    memcpy(known->bytes, secret.data, secret.len);
    return P2_OK;
}

struct p2_heard_sa *p2_heard_sa(struct p2_eavesdrop *e, uint32_t spi)
{
    uintptr_t place = (uintptr_t)p2_map_get(&e->sa_places, spi);
    if (place != 0)
        return &e->sas[place - 1];
    struct p2_heard_sa *bigger = realloc(e->sas, (e->num_sas + 1) * sizeof(*bigger));
    if (!bigger)
        return NULL;
    e->sas = bigger;
    if (p2_map_put(&e->sa_places, spi, (void *)(uintptr_t)(e->num_sas + 1)) < 0)
        return NULL;
    bigger[e->num_sas] = (struct p2_heard_sa){.is = {.spi = spi}};
    return &bigger[e->num_sas++];
}

/* --- ESP --- */

/* Where there is no ICV, what came out must at least look like something. */
static bool makes_sense(const struct p2_heard_sa *sa, const struct p2_eavesdrop_packet *heard)
{
    struct p2_ip_view view;
    bool tunnel = heard->next == P2_IP_PROTO_IPV4 || heard->next == P2_IP_PROTO_IPV6;
    return sa->keys.icv_len > 0 || !tunnel ||
           p2_ip_parse(&view, heard->plain.data, p2_ip_total_len(heard->plain.data, heard->plain.len)) ==
               P2_OK;
}

static int hear_esp(struct p2_eavesdrop *e, struct p2_eavesdrop_packet *heard, const uint8_t *esp, size_t len)
{
    if (len < P2_ESP_HEADER_LEN)
        return P2_OK;
    struct p2_heard_sa *sa = p2_heard_sa(e, p2_get_u32(esp));
    if (!sa)
        return P2_ERR_NOMEM;
    heard->what = P2_HEARD_ESP;
    heard->spi = sa->is.spi;
    sa->is.packets++;
    e->counts.packets++;
    if (!sa->has_keys || !p2_esp_plausible(&sa->keys, len))
        return P2_OK;
    uint64_t number = p2_replay_nearest(sa->top, p2_get_u32(esp + 4));
    size_t plain_len;
    if (p2_esp_open(&sa->keys, esp, len, number, e->plain, &plain_len, &heard->next) != P2_DROP_NONE)
        return P2_OK;
    heard->plain = (struct p2_bytes){e->plain, plain_len};
    if (!makes_sense(sa, heard))
        return P2_OK;
    heard->read = true;
    sa->top = number > sa->top ? number : sa->top;
    sa->is.read++;
    e->counts.packets_read++;
    return P2_OK;
}

/* --- what it is --- */

static int hear_udp(struct p2_eavesdrop *e, struct p2_eavesdrop_packet *heard, const struct p2_ip_view *view)
{
    const uint8_t *data = view->payload.data + P2_UDP_HEADER_LEN;
    size_t len = view->payload.len - P2_UDP_HEADER_LEN;
    bool nat_t = view->source_port == P2_PORT_NAT_T || view->destination_port == P2_PORT_NAT_T;
    bool ike = view->source_port == P2_PORT_IKE || view->destination_port == P2_PORT_IKE;
    if (!nat_t)
        return ike ? p2_eavesdrop_ike(e, heard, data, len) : P2_OK;
    if (p2_udp_payload(data, len) == P2_UDP_IKE)
        return p2_eavesdrop_ike(e, heard, data + P2_NON_ESP_MARKER, len - P2_NON_ESP_MARKER);
    return hear_esp(e, heard, data, len); /* a keepalive is too short for it */
}

/* AH hides nothing; what it protects may be ESP. */
static int hear_ah(struct p2_eavesdrop *e, struct p2_eavesdrop_packet *heard, const uint8_t *packet,
                   size_t len)
{
    struct p2_ah_view ah;
    if (!p2_ah_parse(&ah, packet, len) || ah.next_header != P2_IP_PROTO_ESP)
        return P2_OK;
    return hear_esp(e, heard, packet + ah.offset + ah.len, len - ah.offset - ah.len);
}

int p2_eavesdrop_hear(struct p2_eavesdrop *e, struct p2_eavesdrop_packet *heard, const uint8_t *packet,
                      size_t len)
{
    struct p2_ip_view view;
    *heard = (struct p2_eavesdrop_packet){0};
    if (len > P2_HEARD_MAX || p2_ip_parse(&view, packet, len) < 0 || view.is_fragment)
        return P2_OK;
    if (view.protocol == P2_IP_PROTO_ESP)
        return hear_esp(e, heard, view.payload.data, view.payload.len);
    if (view.protocol == P2_IP_PROTO_UDP && view.payload.len >= P2_UDP_HEADER_LEN)
        return hear_udp(e, heard, &view);
    return hear_ah(e, heard, packet, len);
}

/* --- what came of it --- */

struct p2_eavesdrop_counts p2_eavesdrop_counts(const struct p2_eavesdrop *e)
{
    return e->counts;
}

bool p2_eavesdrop_sa_at(const struct p2_eavesdrop *e, size_t i, struct p2_eavesdrop_sa *sa)
{
    if (i >= e->num_sas)
        return false;
    *sa = e->sas[i].is;
    return true;
}
