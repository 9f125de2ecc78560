/* Any bytes as ISAKMP datagrams, several in a row, into gateways with tunnels. Whoever throws them has no
 * keys, so the tunnels stand afterwards, and each datagram ended under one reason at most. */
#include "pieces.h"
#include "sim/duel.h"

#include "cursor.h"
#include "isakmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TO = 1, COOKIES = 2, LENGTH = 4, LATER = 8, REKEY = 16, MESSAGE_ID = 32 };

/* So that more than parsers is reached: the ISAKMP SA's cookies, the right length, a message ID in use. */
static void dress(const struct duel *d, const struct piece *piece, uint8_t *bytes)
{
    const struct p2_negotiation_id *id = &d->isakmp[0].id;
    if (piece->len < P2_ISAKMP_HEADER_LEN)
        return;
    if (piece->what & COOKIES) {
        memcpy(bytes, id->initiator_cookie, 8);
        memcpy(bytes + 8, id->responder_cookie, 8);
    }
    if (piece->what & MESSAGE_ID)
        memcpy(bytes + 20, d->kept[6].bytes + 20, 4);
    if (piece->what & LENGTH)
        p2_put_u32(bytes + 24, (uint32_t)piece->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct duel *d = duel_new(1);
    struct piece piece;
    for (size_t tunnel = 0; piece_next(&piece, &data, &size); tunnel++) {
        uint8_t *bytes = malloc(piece.len + 1);
        memcpy(bytes, piece.data, piece.len);
        dress(d, &piece, bytes);
        if (piece.what & LATER)
            duel_wait(d, 7 * P2_SECOND);
        if (piece.what & REKEY)
            duel_rekey(d, tunnel % DUEL_TUNNELS);
        duel_throw(d, piece.what & TO, bytes, piece.len);
        free(bytes);
    }
    duel_wait(d, 120 * P2_SECOND);
    if (duel_check(d)) {
        fprintf(stderr, "found: %s\n", d->wrong);
        abort();
    }
    duel_free(d);
    return 0;
}
