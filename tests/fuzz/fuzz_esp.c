/* Any bytes as ESP and AH, over IPv4 and IPv6, into gateways with SAs of every kind. Without keys nothing
 * comes out of it, and each packet ends under exactly one reason. */
#include "pieces.h"
#include "sim/direct.h"

#include "cursor.h"
#include "ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TO = 1, WRAP = 2, AH = 4, SPI = 8 };

static struct direct direct;

/* The SPI of some inbound SA of that protocol. */
static void take_spi(int to, const struct piece *piece, bool ah, uint8_t *header)
{
    struct p2_sa_info sa;
    size_t wanted = piece->what >> 4, seen = 0;
    for (size_t i = 0; p2_gateway_sa_at(direct.gateways[to], i, &sa); i++) {
        if (!sa.inbound || (sa.protocol == P2_PROTO_AH) != ah || seen++ < wanted)
            continue;
        p2_put_u32(header, sa.spi);
        return;
    }
}

static size_t wrap(int to, const struct piece *piece, uint8_t *packet)
{
    bool ah = piece->what & AH;
    struct p2_ip_header header = {.ttl = 64,
                                  .protocol = ah ? P2_IP_PROTO_AH : P2_IP_PROTO_ESP,
                                  .source = p2_address_v4(to ? 0xc0000201 : 0xc0000202),
                                  .destination = p2_address_v4(to ? 0xc0000202 : 0xc0000201),
                                  .payload_len = piece->len};
    size_t at = p2_ip_build(packet, &header);
    memcpy(packet + at, piece->data, piece->len);
    if (piece->what & SPI && piece->len >= 12)
        take_spi(to, piece, ah, packet + at + (ah ? 4 : 0));
    return at + piece->len;
}

static void throw_packet(int to, const uint8_t *packet, size_t len)
{
    static uint64_t mark = 1000; /* what is older is of the negotiations */
    struct p2_action action;
    unsigned drops = 0, others = 0;
    if (p2_gateway_receive_ipsec(direct.gateways[to], DIRECT_NOW, ++mark, packet, len) != P2_OK)
        abort();
    while (p2_gateway_next_action(direct.gateways[to], &action)) {
        drops += action.mark == mark && action.type == P2_ACTION_DROP;
        others += action.mark == mark && action.type != P2_ACTION_DROP;
    }
    if (drops == 1 && others == 0)
        return;
    fprintf(stderr, "found: %u drops, %u other actions of one packet\n", drops, others);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct piece piece;
    if (direct.num_tunnels == 0)
        direct_init(&direct, 1, false);
    while (piece_next(&piece, &data, &size)) {
        int to = piece.what & TO;
        uint8_t *packet = malloc(piece.len + 64);
        size_t len = piece.len;
        if (piece.what & WRAP)
            len = wrap(to, &piece, packet);
        else
            memcpy(packet, piece.data, piece.len);
        uint8_t *exact = malloc(len > 0 ? len : 1);
        memcpy(exact, packet, len);
        throw_packet(to, exact, len);
        free(exact);
        free(packet);
    }
    return 0;
}
