/* Two gateways with a tunnel of every kind (tests/sim/direct.h) for other programs, one request a line, one
 * answer a line. Bytes are in hex, "-" where there are none; sequence numbers are in hex too.
 *
 *     sas                 a line each for what side 0 sends with, the outermost first, and an empty line:
 * tunnel, mode, protocol, SPI, cipher, authentication, ESN, encryption key, authentication key, outer source
 *                         and destination, last sequence number, inner source and destination, inner protocol
 *     send PACKET         side 0 gets a clear packet: the packet that it sends, or why none
 *     receive PACKET      side 1 gets a packet: what it delivers, or why not */
#include "ip.h"
#include "lines.h"
#include "sim/direct.h"

static struct direct gateways;

static void print_address(const struct p2_address *address)
{
    char text[P2_ADDRESS_TEXT];
    p2_address_format(address, text);
    printf(" %s", text);
}

static void print_sa(const struct p2_sa_info *sa)
{
    const struct p2_cipher_info *cipher = p2_cipher_of(sa->cipher);
    const struct direct_tunnel *tunnel = &gateways.tunnels[strtoul(sa->tunnel, NULL, 10)];
    bool esp = sa->protocol == P2_PROTO_ESP;
    printf("%s %s %s %x %s %s %d ", sa->tunnel, sa->mode == P2_MODE_TUNNEL ? "tunnel" : "transport",
           esp ? "esp" : "ah", sa->spi, esp ? cipher->name : "none", p2_auth_of(sa->auth)->name, sa->esn);
    lines_print(sa->encryption_key, esp ? cipher->key_len + cipher->salt_len : 0);
    printf(" ");
    lines_print(sa->authentication_key, p2_auth_of(sa->auth)->key_len);
    print_address(&sa->source);
    print_address(&sa->destination);
    printf(" %llx", (unsigned long long)sa->sequence);
    print_address(&tunnel->inside[0]);
    print_address(&tunnel->inside[1]);
    printf(" %d\n", tunnel->kind->protocol ? tunnel->kind->protocol : P2_IP_PROTO_UDP);
}

static void print_sas(void)
{
    struct p2_sa_info sa;
    for (int ah = 1; ah >= 0; ah--) {
        for (size_t i = 0; p2_gateway_sa_at(gateways.gateways[0], i, &sa); i++) {
            if (!sa.inbound && (sa.protocol == P2_PROTO_AH) == ah)
                print_sa(&sa);
        }
    }
    printf("\n");
}

/* The one packet, or the one reason, that comes of a call. */
static void print_outcome(int side)
{
    struct p2_action action;
    while (p2_gateway_next_action(gateways.gateways[side], &action)) {
        if (action.type == P2_ACTION_SEND_IPSEC || action.type == P2_ACTION_DELIVER_CLEAR)
            lines_print(action.u.packet.data, action.u.packet.len);
        if (action.type == P2_ACTION_DROP)
            printf("%s", p2_drop_name(action.u.drop.reason));
    }
    printf("\n");
}

static void serve(char **words, size_t num)
{
    static struct bytes packet;
    if (strcmp(words[0], "sas") == 0 && num == 1) {
        print_sas();
        return;
    }
    int side = strcmp(words[0], "receive") == 0, result;
    if (num != 2 || (side == 0 && strcmp(words[0], "send") != 0))
        lines_fail("no such request");
    lines_read(&packet, words[1]);
    if (side == 0)
        result = p2_gateway_send_clear(gateways.gateways[0], DIRECT_NOW, 1, packet.data, packet.len);
    else
        result = p2_gateway_receive_ipsec(gateways.gateways[1], DIRECT_NOW, 1, packet.data, packet.len);
    if (result < 0)
        lines_fail("a gateway call failed");
    print_outcome(side);
}

int main(void)
{
    direct_init(&gateways, 1, false);
    int result = lines_serve(serve);
    direct_cleanup(&gateways);
    return result;
}
