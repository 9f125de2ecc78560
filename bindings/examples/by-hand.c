/* The library alone, without ns-3: two gateways whose datagrams are carried by hand in no time at all, whose
 * jobs are done at once, and whose randomness is a counter's. Main mode, then Quick Mode; who says what. */
#include "gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LETTERS 16

struct letter {
    int to;
    struct p2_datagram datagram;
    uint8_t bytes[2048];
};

static struct p2_gateway *gateways[2];
static const char *const names[2] = {"left", "right"};
static struct letter letters[MAX_LETTERS];
static size_t num_letters;

static void must(int error)
{
    if (error != P2_OK) {
        fprintf(stderr, "the library says %d\n", error);
        exit(1);
    }
}

/* Not random at all, which is what makes this example print the same each time. */
static void count_up(void *counter, enum p2_random_use use, uint8_t *out, size_t len)
{
    (void)use;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(++*(unsigned *)counter * 167u);
}

static struct p2_gateway *build(int side, unsigned *counter)
{
    const uint32_t outside[2] = {0xc0000201, 0xc0000202}, inside[2] = {0x0a000000, 0x0a010000};
    struct p2_peer_config peer = {.local = p2_address_v4(outside[side]),
                                  .remote = p2_address_v4(outside[!side]),
                                  .phase1 = p2_phase1_policy_default("example")};
    struct p2_tunnel_config tunnel = {.name = "vpn",
                                      .local = p2_selector_v4(inside[side], 16),
                                      .remote = p2_selector_v4(inside[!side], 16),
                                      .policy = p2_policy_default("g2-esp-aes128-sha"),
                                      .establish = side ? P2_ESTABLISH_PASSIVE : P2_ESTABLISH_IMMEDIATELY};
    struct p2_gateway_config config = {&peer, 1, &tunnel, 1, false};
    struct p2_gateway *gateway;
    must(p2_gateway_new(&gateway, &config, (struct p2_random){count_up, counter}));
    return gateway;
}

static void post(int to, const struct p2_datagram *datagram)
{
    if (num_letters == MAX_LETTERS || datagram->len > sizeof letters[0].bytes)
        abort();
    struct letter *letter = &letters[num_letters++];
    letter->to = to;
    letter->datagram = *datagram;
    letter->datagram.data = memcpy(letter->bytes, datagram->data, datagram->len);
}

/* What a gateway wants after each call: datagrams sent, work done, and to be heard. One job at a time stands
 * open here, since one exchange at a time is under way. */
static void serve(int side)
{
    struct p2_action action;
    uint64_t job;
    do {
        job = 0;
        while (p2_gateway_next_action(gateways[side], &action)) {
            if (action.type == P2_ACTION_COMPUTE)
                job = action.u.compute.job;
            else if (action.type == P2_ACTION_SEND_IKE)
                post(!side, &action.u.send_ike.datagram);
            else if (action.type == P2_ACTION_SA_INSTALLED)
                printf("%5s: %s SA %08x\n", names[side], action.u.sa.inbound ? "inbound" : "outbound",
                       action.u.sa.spi);
        }
        if (job)
            must(p2_gateway_finish_job(gateways[side], 0, 0, job));
    } while (job);
}

int main(void)
{
    unsigned counters[2] = {0, 100};
    for (int side = 0; side < 2; side++)
        gateways[side] = build(side, &counters[side]);
    while (p2_gateway_next_timeout(gateways[0]) == 0) {
        must(p2_gateway_tick(gateways[0], 0, 0));
        serve(0);
    }
    for (size_t i = 0; i < num_letters; i++) {
        struct letter *letter = &letters[i];
        printf("%5s: %zu bytes from the %s\n", names[letter->to], letter->datagram.len, names[!letter->to]);
        must(p2_gateway_receive_ike(gateways[letter->to], 0, 0, &letter->datagram));
        serve(letter->to);
    }
    p2_gateway_free(gateways[0]);
    p2_gateway_free(gateways[1]);
    return 0;
}
