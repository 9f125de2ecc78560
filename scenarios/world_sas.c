/* What is told of each IPsec SA: one record when it goes, or at the end of the run; and, on the debug log,
 * each packet that was rejected. */
#include "world_impl.h"

#include "array.h"

#include <inttypes.h>
#include <string.h>

static void note(struct world_gateway *gateway, p2_time removed, const char *why,
                 const struct p2_sa_info *info)
{
    struct world *world = gateway->world;
    struct record_sa *sa = ARRAY_APPEND(world->sas.gone, world->sas.num);
    if (!sa) {
        world->ledger.out_of_memory = true;
        return;
    }
    const struct p2_sa_counters *c = &info->inbound_counters;
    snprintf(sa->tunnel, sizeof sa->tunnel, "%s", info->tunnel);
    snprintf(sa->gateway, sizeof sa->gateway, "%s", gateway->config->name);
    snprintf(sa->direction, sizeof sa->direction, "%s", info->inbound ? "inbound" : "outbound");
    snprintf(sa->protocol, sizeof sa->protocol, "%s", info->protocol == P2_PROTO_AH ? "ah" : "esp");
    snprintf(sa->spi, sizeof sa->spi, "0x%08" PRIx32, info->spi);
    snprintf(sa->why, sizeof sa->why, "%s", why ? why : "");
    sa->packets = info->packets;
    sa->bytes = info->bytes;
    if (info->inbound) {
        sa->accepted = c->accepted;
        sa->replayed = c->replayed;
        sa->too_old = c->too_old;
        sa->icv_mismatch = c->icv_mismatch;
        sa->other = c->other;
    }
    sa->installed_ns = info->installed;
    sa->removed_ns = why ? removed : -1;
}

void world_sa_removed(struct world_gateway *gateway, p2_time now, const struct p2_sa_info *info)
{
    note(gateway, now, p2_removal_name(info->removal), info);
}

void world_note_sas(struct world_gateway *gateway, p2_time now, const char *why)
{
    struct p2_sa_info info;
    if (!gateway->gateway)
        return;
    const struct p2_gateway *core = host_gateway(phase2_gateway_host(gateway->gateway));
    for (size_t i = 0; p2_gateway_sa_at(core, i, &info); i++)
        note(gateway, now, why, &info);
}

/* The inbound SA with this SPI; false: there is none. */
static bool find_sa(const struct world_gateway *gateway, uint32_t spi, struct p2_sa_info *info)
{
    const struct p2_gateway *core = host_gateway(phase2_gateway_host(gateway->gateway));
    for (size_t i = 0; p2_gateway_sa_at(core, i, info); i++) {
        if (info->inbound && info->spi == spi)
            return true;
    }
    return false;
}

static uint32_t window_of(const struct world_gateway *gateway, const char *tunnel)
{
    for (size_t i = 0; i < gateway->num_tunnels; i++) {
        if (strcmp(gateway->tunnels[i].name, tunnel) == 0)
            return gateway->tunnels[i].policy.replay_window;
    }
    return 0;
}

void world_debug_drop(const struct world_gateway *gateway, p2_time now, const struct p2_action *drop)
{
    FILE *out = gateway->world->run->debug;
    enum p2_drop reason = drop->u.drop.reason;
    bool replay = reason == P2_DROP_REPLAYED || reason == P2_DROP_TOO_OLD;
    struct p2_sa_info info;
    fprintf(out, "%s: %" PRId64 ".%09" PRId64 " %s",
            !drop->u.drop.ipsec ? "RT_IKE_DROP"
            : replay            ? "RT_IPSEC_REPLAY"
                                : "RT_IPSEC_DROP",
            now / P2_SECOND, now % P2_SECOND, gateway->config->name);
    bool found = drop->u.drop.ipsec && drop->u.drop.spi != 0 && find_sa(gateway, drop->u.drop.spi, &info);
    if (found)
        fprintf(out, " tunnel %s", info.tunnel);
    if (drop->u.drop.spi != 0)
        fprintf(out, " spi 0x%08" PRIx32 " seq %" PRIu32, drop->u.drop.spi, drop->u.drop.sequence);
    fprintf(out, " %s", p2_drop_name(reason));
    if (found && replay)
        fprintf(out, ", window top %" PRIu64 " width %" PRIu32, info.sequence,
                window_of(gateway, info.tunnel));
    fputc('\n', out);
}
