/* ESP and AH packets: each verified and decrypted as far as there are keys, and put to the replay window in
 * the order in which it came. The window's verdict and the ICV's are two things here: a replayed packet has a
 * good ICV, which a receiver no longer looks at. */
#include "listener.h"

#include "array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum icv { ICV_UNKNOWN_SPI, ICV_NO_KEYS, ICV_NONE, ICV_OK, ICV_BAD };

struct verdict {
    enum icv icv;
    enum p2_drop window; /* P2_DROP_NONE: it would be taken */
};

/* A packet under an SA. */
struct piece {
    enum p2_protocol protocol;
    struct p2_bytes bytes; /* ESP: from the SPI on; AH: the whole IP packet */
    uint32_t spi, sequence;
    bool in_udp;
};

/* What came out. */
struct opened {
    struct p2_bytes plain;
    size_t trailer_len; /* of ESP: padding and what follows it, right behind plain */
    uint8_t next_header;
    bool dummy, bad_padding;
};

/* --- which SA --- */

static bool is_line_for(const struct known_esp *k, const struct p2_ip_view *view, uint32_t spi)
{
    return k->family == view->family && (k->any_spi || k->spi == spi) &&
           (k->any_source || p2_address_equal(&k->source, &view->source)) &&
           (k->any_destination || p2_address_equal(&k->destination, &view->destination));
}

/* A line of Wireshark's table makes it an SA with keys. */
static int take_from_table(struct explanation *e, size_t *sa, const struct piece *piece,
                           const struct p2_ip_view *view)
{
    *sa = EXPLAIN_NONE;
    for (size_t i = 0; e->known && piece->protocol == P2_PROTO_ESP && i < e->known->num_esp; i++) {
        const struct known_esp *k = &e->known->esp[i];
        if (!is_line_for(k, view, piece->spi))
            continue;
        if (explain_add_sa(e, sa, piece->protocol, piece->spi, true) < 0)
            return P2_ERR_NOMEM;
        if (*sa == EXPLAIN_NONE)
            return P2_OK;
        struct explain_sa *new = &e->sas[*sa];
        new->known = i;
        new->algorithms = (struct p2_algorithms){k->cipher, k->auth};
        snprintf(new->encryption, sizeof new->encryption, "%s", p2_cipher_of(k->cipher)->name);
        snprintf(new->authentication, sizeof new->authentication, "%s",
                 k->auth == P2_AUTH_NONE ? "none" : p2_auth_of(k->auth)->name);
        return explain_key_sa(e, new, k->encryption_key, k->authentication_key);
    }
    return P2_OK;
}

/* Of several with this number the newest for this destination; NAT may have changed that, so else the newest.
 */
static int sa_of(struct explanation *e, size_t *sa, const struct piece *piece, const struct p2_ip_view *view)
{
    *sa = explain_find_sa(e, piece->protocol, piece->spi);
    size_t n = 0;
    for (size_t k = *sa; k != EXPLAIN_NONE && n < EXPLAIN_MAX_OLDER; k = e->sas[k].older, n++) {
        if (p2_address_equal(&e->sas[k].destination, &view->destination)) {
            *sa = k;
            break;
        }
    }
    if (*sa != EXPLAIN_NONE)
        return P2_OK;
    int r = take_from_table(e, sa, piece, view);
    if (r == P2_OK && *sa == EXPLAIN_NONE)
        r = explain_add_sa(e, sa, piece->protocol, piece->spi, false);
    return r;
}

/* --- opening it --- */

static bool is_plausible(const struct explain_sa *sa, const struct piece *piece)
{
    struct p2_ah_view ah;
    if (sa->protocol == P2_PROTO_ESP)
        return p2_esp_plausible(&sa->keys->esp, piece->bytes.len);
    return p2_ah_parse(&ah, piece->bytes.data, piece->bytes.len) &&
           p2_ah_plausible(&sa->keys->ah, piece->bytes.data, &ah);
}

static enum p2_drop open_with(const struct explain_sa *sa, const struct piece *piece, uint64_t number,
                              uint8_t *out, struct opened *opened)
{
    size_t len = 0;
    enum p2_drop r;
    *opened = (struct opened){.next_header = P2_IP_PROTO_NONE};
    if (sa->protocol == P2_PROTO_AH)
        r = p2_ah_open(&sa->keys->ah, piece->bytes.data, piece->bytes.len, number, out, &len);
    else
        r = p2_esp_open(&sa->keys->esp, piece->bytes.data, piece->bytes.len, number, out, &len,
                        &opened->next_header);
    if (r == P2_DROP_NONE)
        opened->plain = (struct p2_bytes){out, len};
    if (r == P2_DROP_NONE && sa->protocol == P2_PROTO_ESP)
        opened->trailer_len =
            piece->bytes.len - P2_ESP_HEADER_LEN - sa->keys->esp.iv_len - sa->keys->esp.icv_len - len;
    opened->bad_padding = r == P2_DROP_BAD_PADDING;
    opened->dummy =
        r == P2_DROP_NONE && sa->protocol == P2_PROTO_ESP && opened->next_header == P2_IP_PROTO_NONE;
    return r;
}

/* With extended numbers a capture that begins late does not show the upper half, so the first few are tried.
 */
static enum p2_drop open_piece(const struct explain_sa *sa, const struct piece *piece, uint64_t *number,
                               uint8_t *out, struct opened *opened)
{
    enum { MAX_UPPER = 256 };
    *number = sa->esn ? p2_replay_nearest(sa->top, piece->sequence) : piece->sequence;
    enum p2_drop r = open_with(sa, piece, *number, out, opened);
    for (uint64_t upper = 1; sa->esn && sa->top == 0 && r == P2_DROP_ICV_MISMATCH && upper < MAX_UPPER;
         upper++) {
        *number = upper << 32 | piece->sequence;
        r = open_with(sa, piece, *number, out, opened);
    }
    return r;
}

static bool has_icv(const struct explain_sa *sa)
{
    return sa->algorithms.auth != P2_AUTH_NONE || p2_cipher_of(sa->algorithms.cipher)->icv_len > 0;
}

/* Where nothing is authenticated, what came out must at least look like a packet. */
static bool makes_sense(const struct explain_sa *sa, const struct opened *opened)
{
    struct p2_ip_view view;
    const struct p2_bytes *plain = &opened->plain;
    bool tunnel = opened->next_header == P2_IP_PROTO_IPV4 || opened->next_header == P2_IP_PROTO_IPV6;
    return has_icv(sa) || !tunnel ||
           p2_ip_parse(&view, plain->data, p2_ip_total_len(plain->data, plain->len)) == P2_OK;
}

static struct verdict judge(struct explain_sa *sa, const struct piece *piece, bool is_cut, uint8_t *out,
                            struct opened *opened)
{
    struct verdict v = {ICV_NO_KEYS, P2_DROP_NONE};
    uint64_t number;
    *opened = (struct opened){.next_header = P2_IP_PROTO_NONE};
    if (!sa->has_keys || is_cut)
        return v;
    v.icv = ICV_BAD;
    if (!is_plausible(sa, piece))
        return v;
    enum p2_drop r = open_piece(sa, piece, &number, out, opened);
    if (r == P2_DROP_ICV_MISMATCH || r == P2_DROP_RUNT || !makes_sense(sa, opened))
        return v;
    v.icv = has_icv(sa) ? ICV_OK : ICV_NONE;
    v.window = p2_replay_check(&sa->window, number);
    sa->late += v.window == P2_DROP_NONE && number < sa->window.top;
    if (v.window == P2_DROP_NONE)
        p2_replay_mark(&sa->window, number);
    if (sa->icv_ok + sa->no_icv == 0)
        sa->first_sequence = number;
    sa->top = number > sa->top ? number : sa->top;
    return v;
}

/* --- what it held --- */

static void describe_inside(struct explain_sa *sa, const struct p2_ip_view *inner)
{
    char source[P2_ADDRESS_TEXT], destination[P2_ADDRESS_TEXT], what[24];
    p2_address_format(&inner->source, source);
    p2_address_format(&inner->destination, destination);
    static const struct {
        uint8_t protocol;
        const char *name;
    } names[] = {{P2_IP_PROTO_ICMP, "icmp"},     {P2_IP_PROTO_TCP, "tcp"}, {P2_IP_PROTO_UDP, "udp"},
                 {P2_IP_PROTO_ICMPV6, "icmpv6"}, {P2_IP_PROTO_IPV4, "ip"}, {P2_IP_PROTO_IPV6, "ipv6"}};
    snprintf(what, sizeof what, "protocol %u", inner->protocol);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].protocol == inner->protocol)
            snprintf(what, sizeof what, "%s", names[i].name);
    }
    snprintf(sa->inside, sizeof sa->inside, "%s to %s %s", source, destination, what);
}

/* RFC 4301 section 5.2, step 4: what comes out must lie between the selectors. */
static bool is_outside(const struct explanation *e, const struct explain_sa *sa,
                       const struct p2_ip_view *inner)
{
    if (sa->exchange == EXPLAIN_NONE || !e->exchanges[sa->exchange].has_ids)
        return false;
    const struct explain_exchange *x = &e->exchanges[sa->exchange];
    const struct p2_selector *from = &x->ids[sa->to_starter ? 1 : 0], *to = &x->ids[sa->to_starter ? 0 : 1];
    return !p2_selector_matches(from, &inner->source, inner->protocol, inner->source_port) ||
           !p2_selector_matches(to, &inner->destination, inner->protocol, inner->destination_port);
}

static void look_inside(const struct explanation *e, struct explain_sa *sa, const struct opened *opened)
{
    struct p2_ip_view inner;
    struct p2_bytes plain = opened->plain;
    bool tunnel = opened->next_header == P2_IP_PROTO_IPV4 || opened->next_header == P2_IP_PROTO_IPV6;
    sa->dummies += opened->dummy;
    sa->bad_padding += opened->bad_padding;
    if (sa->protocol != P2_PROTO_ESP || !tunnel)
        return;
    if (p2_ip_parse(&inner, plain.data, p2_ip_total_len(plain.data, plain.len)) < 0) {
        sa->outside++;
        return;
    }
    sa->outside += sa->mode != P2_MODE_TRANSPORT && is_outside(e, sa, &inner); /* else its own tunnel */
    if (sa->inside[0] == '\0')
        describe_inside(sa, &inner);
}

/* --- counting --- */

static int count_run(struct explanation *e, size_t index, const struct explain_heard *heard,
                     const struct verdict *v)
{
    struct explain_sa *sa = &e->sas[index];
    bool same = sa->packets > 0 && p2_address_equal(&sa->source, &heard->view.source) &&
                p2_address_equal(&sa->destination, &heard->view.destination) && sa->pair != EXPLAIN_NONE;
    size_t pair = sa->pair;
    bool from_first = same && p2_address_equal(&e->pairs[pair].peer[0], &sa->source);
    if (!same && explain_pair_of(e, &pair, &from_first, &heard->view.source, &heard->view.destination) < 0)
        return P2_ERR_NOMEM;
    if (pair == EXPLAIN_NONE)
        return P2_OK;
    if (!same) {
        sa->pair = pair;
        sa->source = heard->view.source;
        sa->destination = heard->view.destination;
        sa->run = EXPLAIN_NONE;
    }
    if (sa->run == EXPLAIN_NONE || sa->run_epoch != e->pairs[pair].epoch) {
        if (explain_event(e, &sa->run, pair) < 0)
            return P2_ERR_NOMEM;
        if (sa->run == EXPLAIN_NONE)
            return P2_OK;
        sa->run_epoch = e->pairs[pair].epoch;
        struct explain_event *new = &e->events[sa->run];
        new->sa = index;
        new->from_first = from_first;
        new->first_frame = heard->frame->number;
        new->first_at = heard->frame->at;
    }
    struct explain_event *run = &e->events[sa->run];
    run->packets++;
    run->bad += v->icv == ICV_BAD;
    run->replayed += v->window == P2_DROP_REPLAYED;
    run->too_old += v->window == P2_DROP_TOO_OLD;
    run->last_frame = heard->frame->number;
    run->last_at = heard->frame->at;
    return P2_OK;
}

static void count_sa(struct explain_sa *sa, const struct explain_heard *heard, const struct verdict *v)
{
    const struct frame *frame = heard->frame;
    if (sa->packets++ == 0) {
        sa->first_frame = frame->number;
        sa->first_at = frame->at;
    }
    sa->last_frame = frame->number;
    sa->last_at = frame->at;
    sa->bytes += frame->packet.len + frame->cut;
    sa->icv_ok += v->icv == ICV_OK;
    sa->icv_bad += v->icv == ICV_BAD;
    sa->no_icv += v->icv == ICV_NONE;
    sa->unread += v->icv == ICV_NO_KEYS;
    sa->replayed += v->window == P2_DROP_REPLAYED;
    sa->too_old += v->window == P2_DROP_TOO_OLD;
    if (v->icv == ICV_BAD && sa->icv_bad == 1)
        sa->bad_frame = frame->number;
    if (v->window == P2_DROP_REPLAYED && sa->replayed == 1)
        sa->replayed_frame = frame->number;
}

static const char *why_sampled(const struct explain_sa *sa, const struct verdict *v)
{
    if (v->icv == ICV_BAD)
        return sa->icv_bad == 1 ? "the first whose ICV is bad" : NULL;
    if (v->window == P2_DROP_REPLAYED)
        return sa->replayed == 1 ? "the first one replayed" : NULL;
    if (v->window == P2_DROP_TOO_OLD)
        return sa->too_old == 1 ? "the first one too old" : NULL;
    return sa->packets == 1 ? "the first of its SA" : sa->packets == 2 ? "the second of its SA" : NULL;
}

static int keep_sample(struct explanation *e, size_t sa, const struct explain_heard *heard,
                       const struct opened *opened, const char *why)
{
    const struct frame *frame = heard->frame;
    struct explain_sample *s = ARRAY_APPEND(e->samples, e->num_samples);
    if (!s)
        return P2_ERR_NOMEM;
    *s = (struct explain_sample){.frame = frame->number,
                                 .at = frame->at,
                                 .sa = sa,
                                 .packet_len = frame->packet.len,
                                 .next_header = opened->next_header,
                                 .why = why};
    size_t plain_len = opened->plain.len + opened->trailer_len;
    bool esp = e->sas[sa].protocol == P2_PROTO_ESP && plain_len > 0;
    s->packet = malloc(frame->packet.len);
    s->plain = esp ? malloc(plain_len) : NULL;
    if (!s->packet || (esp && !s->plain))
        return P2_ERR_NOMEM;
    memcpy(s->packet, frame->packet.data, frame->packet.len);
    if (esp) {
        memcpy(s->plain, opened->plain.data, plain_len);
        s->plain_len = plain_len;
        s->trailer_len = opened->trailer_len;
    }
    return P2_OK;
}

/* One header of IPsec: SA, verdict, counts. */
static int hear(struct explanation *e, const struct explain_heard *heard, const struct piece *piece,
                uint8_t *out, struct verdict *v, struct opened *opened)
{
    size_t sa;
    *v = (struct verdict){ICV_UNKNOWN_SPI, P2_DROP_NONE};
    *opened = (struct opened){.next_header = P2_IP_PROTO_NONE};
    if (sa_of(e, &sa, piece, &heard->view) < 0)
        return P2_ERR_NOMEM;
    if (sa == EXPLAIN_NONE)
        return P2_OK;
    bool unknown = e->sas[sa].exchange == EXPLAIN_NONE && e->sas[sa].known == EXPLAIN_NONE;
    *v = judge(&e->sas[sa], piece, heard->is_cut, out, opened);
    if (count_run(e, sa, heard, v) < 0)
        return P2_ERR_NOMEM;
    e->sas[sa].in_udp = e->sas[sa].in_udp || piece->in_udp;
    count_sa(&e->sas[sa], heard, v);
    if (unknown)
        v->icv = ICV_UNKNOWN_SPI;
    else if (v->icv == ICV_OK || v->icv == ICV_NONE)
        look_inside(e, &e->sas[sa], opened);
    const char *why = why_sampled(&e->sas[sa], v);
    if (why && e->keep_samples && e->num_samples < EXPLAIN_MAX_SAMPLES)
        return keep_sample(e, sa, heard, opened, why);
    return P2_OK;
}

/* Of AH and the ESP in it the worse one counts. */
static void count_packet(struct explanation *e, const struct verdict *outer, const struct verdict *inner)
{
    static const int ranks[] = {
        [ICV_UNKNOWN_SPI] = 4, [ICV_BAD] = 3, [ICV_NO_KEYS] = 2, [ICV_NONE] = 1, [ICV_OK] = 0};
    enum icv icv = inner && ranks[inner->icv] > ranks[outer->icv] ? inner->icv : outer->icv;
    e->ipsec.packets++;
    e->ipsec.unknown_spi += icv == ICV_UNKNOWN_SPI;
    e->ipsec.icv_ok += icv == ICV_OK;
    e->ipsec.icv_bad += icv == ICV_BAD;
    e->ipsec.no_icv += icv == ICV_NONE;
    e->ipsec.no_keys += icv == ICV_NO_KEYS;
    e->ipsec.replayed += outer->window == P2_DROP_REPLAYED;
    e->ipsec.too_old += outer->window == P2_DROP_TOO_OLD;
}

static const struct verdict too_short = {ICV_BAD, P2_DROP_NONE}, cut_off = {ICV_NO_KEYS, P2_DROP_NONE};

int explain_hear_esp(struct explanation *e, const struct explain_heard *heard, struct p2_bytes esp,
                     bool in_udp)
{
    struct verdict v = heard->is_cut ? cut_off : too_short;
    struct opened opened;
    if (esp.len >= P2_ESP_HEADER_LEN) {
        struct piece piece = {P2_PROTO_ESP, esp, p2_get_u32(esp.data), p2_get_u32(esp.data + 4), in_udp};
        if (hear(e, heard, &piece, e->plain, &v, &opened) < 0)
            return P2_ERR_NOMEM;
    }
    count_packet(e, &v, NULL);
    return P2_OK;
}

/* Where the packet is all there, AH is where it says; what the capture cut is not looked into. */
int explain_hear_ah(struct explanation *e, const struct explain_heard *heard)
{
    struct verdict outer = too_short, inner;
    struct opened opened;
    struct p2_ah_view ah;
    struct p2_bytes whole = heard->frame->packet;
    if (heard->is_cut || !p2_ah_parse(&ah, whole.data, whole.len)) {
        count_packet(e, heard->is_cut ? &cut_off : &outer, NULL);
        return P2_OK;
    }
    struct piece piece = {P2_PROTO_AH, whole, ah.spi, ah.sequence, false};
    if (hear(e, heard, &piece, e->opened, &outer, &opened) < 0)
        return P2_ERR_NOMEM;
    struct p2_bytes behind = {whole.data + ah.offset + ah.len, whole.len - ah.offset - ah.len};
    bool esp = ah.next_header == P2_IP_PROTO_ESP && behind.len >= P2_ESP_HEADER_LEN;
    if (esp) {
        struct piece in = {P2_PROTO_ESP, behind, p2_get_u32(behind.data), p2_get_u32(behind.data + 4), false};
        if (hear(e, heard, &in, e->plain, &inner, &opened) < 0)
            return P2_ERR_NOMEM;
    }
    count_packet(e, &outer, esp ? &inner : NULL);
    return P2_OK;
}
