#include "reassembly.h"
#include "ip.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LEN     65535
#define HEADER_ROOM (P2_IPV6_HEADER_LEN + MAX_LEN) /* an IPv6 header may be that long with its extensions */
#define NUM_BLOCKS  (MAX_LEN / 8 + 1)              /* fragment offsets count blocks of 8 bytes */
#define TIMEOUT     (60 * P2_SECOND)               /* RFC 8200 section 4.5 */

enum { BLOCK_MISSING, BLOCK_BEGINS_PIECE, BLOCK_IN_PIECE };

struct reassembly_storage {
    uint8_t blocks[NUM_BLOCKS];
    uint8_t bytes[HEADER_ROOM + MAX_LEN]; /* the header ends, and the data begins, at HEADER_ROOM */
};

/* RFC 791 section 3.2: all but the last are multiples of 8 bytes long. RFC 8200 section 4.5 has the same. */
static enum reassembly_kind kind_of_piece(const struct reassembly_piece *piece)
{
    size_t len = piece->data.len + piece->cut;
    return len == 0 || (piece->more && len % 8 != 0) ? REASSEMBLY_MALFORMED : REASSEMBLY_PIECE;
}

static enum reassembly_kind look_v4(struct reassembly_piece *piece, struct p2_bytes packet, size_t cut)
{
    uint16_t fragment = p2_get_u16(packet.data + 6);
    if ((fragment & 0x3fff) == 0)
        return REASSEMBLY_WHOLE;
    size_t header_len = (packet.data[0] & 15u) * (size_t)4;
    *piece = (struct reassembly_piece){.header = {packet.data, header_len},
                                       .identification = p2_get_u16(packet.data + 4),
                                       .offset = (fragment & 0x1fffu) * (size_t)8,
                                       .more = fragment & 0x2000,
                                       .data = {packet.data + header_len, packet.len - header_len},
                                       .cut = cut};
    return kind_of_piece(piece);
}

static enum reassembly_kind piece_v6(struct reassembly_piece *piece, struct p2_bytes packet, size_t cut,
                                     size_t at, size_t next_at)
{
    const uint8_t *header = packet.data + at;
    *piece = (struct reassembly_piece){.header = {packet.data, at},
                                       .next_at = next_at,
                                       .next = header[0],
                                       .identification = p2_get_u32(header + 4),
                                       .offset = p2_get_u16(header + 2) & 0xfff8u,
                                       .more = header[3] & 1,
                                       .data = {header + 8, packet.len - at - 8},
                                       .cut = cut};
    return kind_of_piece(piece);
}

/* RFC 8200 section 4: steps over the extension headers to the one that makes it a fragment. */
static enum reassembly_kind look_v6(struct reassembly_piece *piece, struct p2_bytes packet, size_t cut)
{
    size_t next_at = 6, at = P2_IPV6_HEADER_LEN;
    for (;;) {
        uint8_t next = packet.data[next_at];
        if (next == P2_IP_PROTO_HOP_BY_HOP && next_at != 6) /* it stands first: section 4.1 */
            return REASSEMBLY_MALFORMED;
        if (next != P2_IP_PROTO_HOP_BY_HOP && next != P2_IP_PROTO_ROUTING && next != P2_IP_PROTO_FRAGMENT &&
            next != P2_IP_PROTO_DESTINATION)
            return REASSEMBLY_WHOLE;
        size_t left = packet.len - at;
        if (left + cut < 8)
            return REASSEMBLY_MALFORMED;
        if (left < 8)
            return REASSEMBLY_WHOLE;
        bool fragment = next == P2_IP_PROTO_FRAGMENT;
        size_t size = fragment ? 8 : (packet.data[at + 1] + 1u) * 8u;
        if (left + cut < size)
            return REASSEMBLY_MALFORMED;
        if (fragment && (p2_get_u16(packet.data + at + 2) & 0xfff9) != 0) /* else atomic: RFC 6946 */
            return piece_v6(piece, packet, cut, at, next_at);
        if (left < size)
            return REASSEMBLY_WHOLE;
        next_at = at;
        at += size;
    }
}

enum reassembly_kind reassembly_look(struct reassembly_piece *piece, struct p2_bytes packet, size_t cut)
{
    return packet.data[0] >> 4 == 6 ? look_v6(piece, packet, cut) : look_v4(piece, packet, cut);
}

static void make_key(struct reassembly_key *key, const struct reassembly_piece *piece)
{
    const uint8_t *header = piece->header.data;
    memset(key, 0, sizeof *key);
    key->family = header[0] >> 4;
    key->identification = piece->identification;
    if (key->family == 6) {
        memcpy(key->source, header + 8, 16);
        memcpy(key->destination, header + 24, 16);
        return;
    }
    key->protocol = header[9];
    memcpy(key->source, header + 12, 4);
    memcpy(key->destination, header + 16, 4);
}

static void give_up(struct reassembly *reassembly, struct reassembly_datagram *datagram)
{
    datagram->used = false;
    if (!datagram->refused)
        reassembly->incomplete++;
}

static struct reassembly_datagram *find(struct reassembly *reassembly, const struct reassembly_key *key,
                                        p2_time at)
{
    for (size_t i = 0; i < FRAMES_MAX_PENDING; i++) {
        struct reassembly_datagram *datagram = &reassembly->datagrams[i];
        if (!datagram->used)
            continue;
        if (at - datagram->at > TIMEOUT)
            give_up(reassembly, datagram);
        else if (memcmp(&datagram->key, key, sizeof *key) == 0)
            return datagram;
    }
    return NULL;
}

/* NULL: out of memory. */
static struct reassembly_datagram *begin(struct reassembly *reassembly, const struct reassembly_key *key,
                                         p2_time at)
{
    struct reassembly_datagram *place = &reassembly->datagrams[0];
    for (size_t i = 0; i < FRAMES_MAX_PENDING && place->used; i++) {
        struct reassembly_datagram *other = &reassembly->datagrams[i];
        if (!other->used || other->order < place->order)
            place = other;
    }
    if (place->used)
        give_up(reassembly, place);
    struct reassembly_storage *storage = place->storage ? place->storage : malloc(sizeof *storage);
    *place = (struct reassembly_datagram){.key = *key, .at = at, .storage = storage};
    if (!storage)
        return NULL;
    memset(storage->blocks, BLOCK_MISSING, sizeof storage->blocks);
    place->order = reassembly->begun++;
    place->used = true;
    return place;
}

enum fit { FIT_NEW, FIT_DUPLICATE, FIT_CONFLICT };

static size_t num_blocks(const struct reassembly_piece *piece)
{
    return (piece->data.len + 7) / 8;
}

/* The same bytes in the same place, neither more nor less: RFC 8200 section 4.5 lets them be ignored. */
static bool is_duplicate(const struct reassembly_datagram *datagram, const struct reassembly_piece *piece)
{
    const uint8_t *blocks = datagram->storage->blocks;
    size_t first = piece->offset / 8, behind = first + num_blocks(piece);
    if (piece->more == (datagram->total == piece->offset + piece->data.len) ||
        blocks[first] != BLOCK_BEGINS_PIECE || (behind < NUM_BLOCKS && blocks[behind] == BLOCK_IN_PIECE))
        return false;
    for (size_t i = first + 1; i < behind; i++)
        if (blocks[i] != BLOCK_IN_PIECE)
            return false;
    return memcmp(datagram->storage->bytes + HEADER_ROOM + piece->offset, piece->data.data,
                  piece->data.len) == 0;
}

static enum fit fit_of(const struct reassembly_datagram *datagram, const struct reassembly_piece *piece)
{
    size_t end = piece->offset + piece->data.len;
    if (end > MAX_LEN || (!piece->more && end < datagram->reach))
        return FIT_CONFLICT;
    if (datagram->total != 0 && end > datagram->total)
        return FIT_CONFLICT;
    const uint8_t *blocks = datagram->storage->blocks + piece->offset / 8;
    for (size_t i = 0; i < num_blocks(piece); i++)
        if (blocks[i] != BLOCK_MISSING)
            return is_duplicate(datagram, piece) ? FIT_DUPLICATE : FIT_CONFLICT;
    return FIT_NEW;
}

/* Only the first fragment's header is the packet's. RFC 8200 section 4.5: its fragment header has the number
 * of what stands behind the part that is in every fragment. */
static void keep_header(struct reassembly_datagram *datagram, const struct reassembly_piece *piece)
{
    uint8_t *header = datagram->storage->bytes + HEADER_ROOM - piece->header.len;
    memcpy(header, piece->header.data, piece->header.len);
    datagram->header_len = piece->header.len;
    if (datagram->key.family == 6)
        header[piece->next_at] = piece->next;
    else
        p2_put_u16(header + 6, p2_get_u16(header + 6) & 0x4000); /* a sender may fragment in spite of DF */
}

static void keep(struct reassembly_datagram *datagram, const struct reassembly_piece *piece)
{
    struct reassembly_storage *storage = datagram->storage;
    size_t end = piece->offset + piece->data.len;
    uint8_t *blocks = storage->blocks + piece->offset / 8;
    memset(blocks, BLOCK_IN_PIECE, num_blocks(piece));
    blocks[0] = BLOCK_BEGINS_PIECE;
    memcpy(storage->bytes + HEADER_ROOM + piece->offset, piece->data.data, piece->data.len);
    datagram->have += piece->data.len;
    datagram->reach = end > datagram->reach ? end : datagram->reach;
    datagram->num_pieces++;
    if (!piece->more)
        datagram->total = end;
    if (piece->offset == 0)
        keep_header(datagram, piece);
}

/* What came in pieces must be a packet, and not a piece again; nor is it one if its header has not the 16
 * bits for its length. */
static enum reassembly_result finish(struct reassembly_datagram *datagram, struct p2_bytes *packet,
                                     unsigned *num_pieces)
{
    uint8_t *start = datagram->storage->bytes + HEADER_ROOM - datagram->header_len;
    size_t len = datagram->header_len + datagram->total;
    struct p2_ip_view view;
    datagram->used = false;
    p2_ip_set_payload_len(start, datagram->header_len, datagram->total);
    if (p2_ip_parse(&view, start, len) != P2_OK || view.is_fragment)
        return REASSEMBLY_UNFIT;
    *packet = (struct p2_bytes){start, len};
    *num_pieces = datagram->num_pieces;
    return REASSEMBLY_DONE;
}

enum reassembly_result reassembly_add(struct reassembly *reassembly, struct p2_bytes *packet,
                                      unsigned *num_pieces, const struct reassembly_piece *piece, p2_time at)
{
    struct reassembly_key key;
    make_key(&key, piece);
    struct reassembly_datagram *datagram = find(reassembly, &key, at);
    if (!datagram)
        datagram = begin(reassembly, &key, at);
    if (!datagram)
        return REASSEMBLY_NOMEM;
    if (datagram->refused || piece->cut > 0) /* half a piece is none, but the datagram is known to be one */
        return REASSEMBLY_WAITS;
    switch (fit_of(datagram, piece)) {
    case FIT_CONFLICT: /* RFC 5722 section 4: with all of it, what is still to come included */
        datagram->refused = true;
        return REASSEMBLY_UNFIT;
    case FIT_DUPLICATE:
        return REASSEMBLY_WAITS;
    case FIT_NEW:
        keep(datagram, piece);
    }
    return datagram->total != 0 && datagram->have == datagram->total ? finish(datagram, packet, num_pieces)
                                                                     : REASSEMBLY_WAITS;
}

void reassembly_end(struct reassembly *reassembly)
{
    for (size_t i = 0; i < FRAMES_MAX_PENDING; i++)
        if (reassembly->datagrams[i].used)
            give_up(reassembly, &reassembly->datagrams[i]);
}

void reassembly_cleanup(struct reassembly *reassembly)
{
    for (size_t i = 0; i < FRAMES_MAX_PENDING; i++)
        free(reassembly->datagrams[i].storage);
    *reassembly = (struct reassembly){.begun = 0};
}
