/* From IP packets to what they carry: ISAKMP, ESP, AH, in UDP or not. */
#include "listener.h"

#include "array.h"
#include "gateway.h"

#include <stdlib.h>
#include <string.h>

int explanation_new(struct explanation **explanation, const struct known_keys *known, uint32_t window,
                    bool keep_samples)
{
    struct explanation *e = calloc(1, sizeof *e);
    *explanation = e;
    if (!e)
        return P2_ERR_NOMEM;
    e->known = known;
    e->window_width = window;
    e->keep_samples = keep_samples;
    e->plain = malloc(EXPLAIN_MAX_PACKET);
    e->opened = malloc(EXPLAIN_MAX_PACKET);
    if (e->plain && e->opened)
        return P2_OK;
    explanation_free(e);
    *explanation = NULL;
    return P2_ERR_NOMEM;
}

static void free_sas(struct explanation *e)
{
    for (size_t i = 0; i < e->num_sas; i++) {
        struct explain_sa *sa = &e->sas[i];
        p2_replay_cleanup(&sa->window);
        if (sa->keys)
            p2_wipe(sa->keys, sizeof *sa->keys);
        free(sa->keys);
        p2_wipe(sa, sizeof *sa);
    }
    free(e->sas);
}

void explanation_free(struct explanation *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->num_messages; i++) {
        free(e->messages[i].packet);
        free(e->messages[i].plain);
    }
    for (size_t i = 0; i < e->num_samples; i++) {
        free(e->samples[i].packet);
        free(e->samples[i].plain);
    }
    for (size_t i = 0; i < e->num_isakmps; i++) {
        if (e->isakmps[i].keys)
            p2_wipe(e->isakmps[i].keys, sizeof *e->isakmps[i].keys);
        free(e->isakmps[i].keys);
    }
    free_sas(e);
    free(e->pairs);
    free(e->events);
    free(e->messages);
    free(e->isakmps);
    free(e->exchanges);
    free(e->samples);
    p2_map_cleanup(&e->isakmp_places);
    p2_map_cleanup(&e->exchange_places);
    p2_map_cleanup(&e->sa_places);
    p2_map_cleanup(&e->pair_places);
    free(e->plain);
    free(e->opened);
    free(e);
}

uint64_t explain_key(const void *a, size_t a_len, const void *b, size_t b_len)
{
    uint8_t digest[P2_HASH_MAX_LEN];
    struct p2_bytes parts[] = {{a, a_len}, {b, b_len}};
    p2_hash_digest(P2_HASH_SHA1, parts, 2, digest);
    return p2_get_u64(digest);
}

/* --- who speaks with whom --- */

static bool is_pair(const struct explain_pair *pair, const struct p2_address *a, const struct p2_address *b)
{
    return p2_address_equal(&pair->peer[0], a) && p2_address_equal(&pair->peer[1], b);
}

int explain_pair_of(struct explanation *e, size_t *pair, bool *from_first, const struct p2_address *source,
                    const struct p2_address *destination)
{
    bool ordered = p2_address_compare(source, destination) < 0; /* both directions have the same key */
    const struct p2_address *low = ordered ? source : destination, *high = ordered ? destination : source;
    uint64_t key = explain_key(low, sizeof *low, high, sizeof *high);
    uintptr_t place;
    for (; (place = (uintptr_t)p2_map_get(&e->pair_places, key)) != 0; key++) {
        *pair = place - 1;
        *from_first = is_pair(&e->pairs[*pair], source, destination);
        if (*from_first || is_pair(&e->pairs[*pair], destination, source))
            return P2_OK;
    }
    *pair = EXPLAIN_NONE;
    if (e->num_pairs == EXPLAIN_MAX_PAIRS)
        return P2_OK;
    struct explain_pair *new = ARRAY_APPEND(e->pairs, e->num_pairs);
    if (!new || p2_map_put(&e->pair_places, key, (void *)(uintptr_t)e->num_pairs) < 0)
        return P2_ERR_NOMEM;
    *new = (struct explain_pair){.peer = {*source, *destination},
                                 .first_event = EXPLAIN_NONE,
                                 .last_event = EXPLAIN_NONE,
                                 .first_offer = EXPLAIN_NONE,
                                 .last_offer = EXPLAIN_NONE};
    *pair = e->num_pairs - 1;
    *from_first = true;
    return P2_OK;
}

int explain_event(struct explanation *e, size_t *event, size_t pair)
{
    *event = EXPLAIN_NONE;
    if (pair == EXPLAIN_NONE || e->num_events >= EXPLAIN_MAX_RUNS + EXPLAIN_MAX_MESSAGES)
        return P2_OK;
    struct explain_event *new = ARRAY_APPEND(e->events, e->num_events);
    if (!new)
        return P2_ERR_NOMEM;
    *new = (struct explain_event){.message = EXPLAIN_NONE, .sa = EXPLAIN_NONE, .next = EXPLAIN_NONE};
    *event = e->num_events - 1;
    struct explain_pair *p = &e->pairs[pair];
    if (p->last_event == EXPLAIN_NONE)
        p->first_event = *event;
    else
        e->events[p->last_event].next = *event;
    p->last_event = *event;
    return P2_OK;
}

/* --- what a packet carries --- */

static int hear_udp(struct explanation *e, struct explain_heard *heard)
{
    const struct p2_bytes payload = heard->view.payload;
    if (payload.len < P2_UDP_HEADER_LEN) {
        e->foreign++;
        return P2_OK;
    }
    heard->source_port = p2_get_u16(payload.data);
    heard->destination_port = p2_get_u16(payload.data + 2);
    size_t says = p2_get_u16(payload.data + 4);
    struct p2_bytes data = {payload.data + P2_UDP_HEADER_LEN, payload.len - P2_UDP_HEADER_LEN};
    if (says >= P2_UDP_HEADER_LEN && says < payload.len)
        data.len = says - P2_UDP_HEADER_LEN;
    bool nat_t = heard->source_port == P2_PORT_NAT_T || heard->destination_port == P2_PORT_NAT_T;
    bool ike = heard->source_port == P2_PORT_IKE || heard->destination_port == P2_PORT_IKE;
    if (!nat_t && !ike) {
        e->foreign++;
        return P2_OK;
    }
    if (!nat_t)
        return explain_hear_isakmp(e, heard, data);
    switch (p2_udp_payload(data.data, data.len)) {
    case P2_UDP_IKE:
        data.data += P2_NON_ESP_MARKER;
        data.len -= P2_NON_ESP_MARKER;
        return explain_hear_isakmp(e, heard, data);
    case P2_UDP_ESP:
        return explain_hear_esp(e, heard, data, true);
    case P2_UDP_KEEPALIVE:
        break;
    }
    return P2_OK;
}

static void note_time(struct explanation *e, p2_time at)
{
    if (!e->any || at < e->first_at)
        e->first_at = at;
    e->any = true;
}

/* A packet that the capture cut short still says what it is: seen as if it were as long as what there is. */
static int parse_cut(struct explanation *e, struct p2_ip_view *view, const struct frame *frame)
{
    size_t len = frame->packet.len;
    if (len > EXPLAIN_MAX_PACKET || p2_ip_total_len(frame->packet.data, len) < len)
        return P2_ERR_MALFORMED;
    memcpy(e->plain, frame->packet.data, len);
    size_t header = p2_ip_header_len(e->plain[0] >> 4);
    if (e->plain[0] >> 4 == 4)
        p2_put_u16(e->plain + 2, (uint16_t)len);
    else
        p2_put_u16(e->plain + 4, (uint16_t)(len - header));
    int r = p2_ip_parse(view, e->plain, len);
    view->payload.data = frame->packet.data + view->header_len;
    return r;
}

int explanation_hear(struct explanation *e, const struct frame *frame)
{
    struct explain_heard heard = {.frame = frame, .is_cut = frame->cut > 0};
    note_time(e, frame->at);
    int r = heard.is_cut ? parse_cut(e, &heard.view, frame)
                         : p2_ip_parse(&heard.view, frame->packet.data, frame->packet.len);
    if (r < 0 || heard.view.is_fragment) {
        e->foreign++;
        return P2_OK;
    }
    switch (heard.view.protocol) {
    case P2_IP_PROTO_UDP:
        return hear_udp(e, &heard);
    case P2_IP_PROTO_ESP:
        return explain_hear_esp(e, &heard, heard.view.payload, false);
    case P2_IP_PROTO_AH:
        return explain_hear_ah(e, &heard);
    default:
        e->foreign++;
        return P2_OK;
    }
}

double explain_since(const struct explanation *e, p2_time at)
{
    return (double)(at - e->first_at) / (double)P2_SECOND;
}

int explanation_read(struct explanation *e, struct frames *frames)
{
    struct frame frame;
    enum frames_result result;
    int r = P2_OK;
    while (r == P2_OK && (result = frames_next(frames, &frame, e->broken)) == FRAMES_NEXT)
        r = explanation_hear(e, &frame);
    if (r == P2_OK && result == FRAMES_NOMEM)
        r = P2_ERR_NOMEM;
    if (r == P2_OK && result != FRAMES_BROKEN)
        e->broken[0] = '\0';
    e->frames = frames_counts(frames);
    e->link_type = frames_link_type(frames);
    return r;
}
