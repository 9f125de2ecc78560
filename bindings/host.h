/* The host of one gateway: what stands between the sans-I/O core and anything that has a clock and a wire.
 *
 * It numbers the inputs as events in the chain of causes, queues jobs on the node's CPU and prices them, and
 * drains the core's actions into callbacks. ns-3's application and the two-core tests use this same file, so
 * both measure alike. One timer, re-armed from host_next_timeout, drives everything. */
#ifndef P2_HOST_H
#define P2_HOST_H

#include "causes.h"
#include "cpu.h"
#include "gateway.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The bit that marks of packets have which no host sent: an attacker's. The rest of such a mark is the
 * attacker's own. Marks of data packets and emissions never have it. */
#define HOST_INJECTED (UINT64_C(1) << 63)

/* Called while the core is being drained; they must not call back into the same host. */
struct host_ops {
    void *ctx;
    /* emission: an event number that travels with this very copy and comes back in host_receive_ike. */
    void (*send_ike)(void *ctx, const struct p2_datagram *datagram, uint64_t emission);
    /* mark: the data packet's own, as it came in. */
    void (*send_ipsec)(void *ctx, const uint8_t *packet, size_t len, uint64_t mark);
    void (*deliver_clear)(void *ctx, const uint8_t *packet, size_t len, uint64_t mark);
    /* Every action, after it was carried out, with the event it became (0: it is no event). May be NULL. */
    void (*observe)(void *ctx, p2_time now, const struct p2_action *action, uint64_t event);
    /* A packet with such a mark arrived, before the core sees it; event: what an IKE message became in the
     * chain of causes, and the mark of what it releases; 0: a data packet. May be NULL. */
    void (*injected)(void *ctx, p2_time now, uint64_t mark, uint64_t event);
};

struct host_config {
    struct p2_gateway_config gateway;
    struct p2_random random;
    const struct profile *profile; /* NULL: work takes no time. Must outlive the host */
    uint32_t cores;                /* >= 1 */
    uint32_t queue;                /* jobs that may wait */
    struct causes *causes;         /* shared by all hosts of a simulation; must outlive them */
    struct host_ops ops;
};

struct host;

/* May call ops.observe: a preset ISAKMP SA is there from the start. */
int host_new(struct host **host, const struct host_config *config) P2_WARN_UNUSED;
void host_free(struct host *host);

/* emission 0, or one with HOST_INJECTED: from somewhere that is no host. */
int host_receive_ike(struct host *host, p2_time now, const struct p2_datagram *datagram,
                     uint64_t emission) P2_WARN_UNUSED;
int host_receive_ipsec(struct host *host, p2_time now, const uint8_t *packet, size_t len,
                       uint64_t mark) P2_WARN_UNUSED;
/* ESP in UDP (RFC 3948): what p2_udp_payload calls ESP; mark: the data packet's own. */
int host_receive_udp_esp(struct host *host, p2_time now, const struct p2_datagram *datagram,
                         uint64_t mark) P2_WARN_UNUSED;
int host_send_clear(struct host *host, p2_time now, const uint8_t *packet, size_t len,
                    uint64_t mark) P2_WARN_UNUSED;
int host_rekey(struct host *host, p2_time now, size_t tunnel) P2_WARN_UNUSED;
int host_clear(struct host *host, p2_time now, size_t tunnel) P2_WARN_UNUSED;
/* The gateway forgets everything, as after a power cut, and begins anew with the same config; its random
 * stream goes on. No message tells the peer. What waited for the CPU or was being worked on there is observed
 * as dropped: a data packet as no-sa, an IKE message as unknown-cookie. Nothing else of the old gateway is
 * observed any more; the names in its actions stay good until host_free. */
int host_restart(struct host *host, p2_time now) P2_WARN_UNUSED;
/* Does what is due at `now`: job ends first, then the core's timers. */
int host_tick(struct host *host, p2_time now) P2_WARN_UNUSED;
/* P2_TIME_NEVER: nothing is waiting. Ask again after every call above. */
p2_time host_next_timeout(const struct host *host);

struct p2_gateway *host_gateway(struct host *host);
const struct cpu *host_cpu(const struct host *host);

#ifdef __cplusplus
}
#endif
#endif
