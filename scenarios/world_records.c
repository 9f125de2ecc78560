/* What a run has to tell, as records. */
#include "world_impl.h"

#include "failure_text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void world_put(struct world_writer *w, const struct record *record)
{
    if (w->error == 0 && record_write(w->out, record) < 0)
        w->error = -1;
    w->written++;
}

/* Texts of records have their own sizes; what does not fit is cut. */
__attribute__((format(printf, 3, 4))) static void text(char *out, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(out, size, format, args);
    va_end(args);
}

#define TEXT(field, ...) text((field), sizeof(field), __VA_ARGS__)

static const char *gateway_name(const struct world *world, int index)
{
    return index >= 0 ? world->scenario->gateways[index].name : "";
}

static const char *outcome_name(const struct ledger_entry *entry)
{
    static const char *const names[] = {
        [LEDGER_UNFINISHED] = "unfinished", [LEDGER_ESTABLISHED] = "established", [LEDGER_FAILED] = "failed"};
    return names[ledger_outcome(entry)];
}

static const char *responder_name(const struct world *world, const struct ledger_entry *entry)
{
    return entry->responder >= 0 ? gateway_name(world, entry->responder) : entry->peer;
}

/* How Phase 1 with this peer is done, as its initiator is told; NULL: it has no such peer. */
static const struct p2_phase1_policy *phase1_of(const struct world *world, const struct ledger_entry *entry)
{
    const struct world_gateway *gateway = entry->initiator >= 0 ? &world->gateways[entry->initiator] : NULL;
    for (size_t i = 0; gateway && i < gateway->num_peers; i++) {
        if (strcmp(gateway->peers[i].name, entry->peer) == 0)
            return &gateway->peers[i].phase1;
    }
    return NULL;
}

/* The failure as a sentence that a person understands. */
static void explain(const struct world *world, const struct ledger_entry *entry, char out[FAILURE_TEXT])
{
    const struct p2_phase1_policy *phase1 = phase1_of(world, entry);
    struct failure_view view = {gateway_name(world, entry->initiator),
                                responder_name(world, entry),
                                entry->phase1,
                                phase1 ? phase1->mode : P2_PHASE1_MAIN,
                                ledger_outcome(entry) == LEDGER_UNFINISHED,
                                &entry->failure};
    failure_text(out, &view);
}

static void put_failure(struct world_writer *w, const struct ledger_entry *entry, int side)
{
    const struct world *world = w->world;
    const struct p2_negotiation *n = &entry->failures[side];
    struct record record = {.type = RECORD_FAILURE};
    struct record_failure *f = &record.u.failure;
    f->phase = entry->phase1 ? 1 : 2;
    for (size_t i = 0; i < 8; i++)
        text(f->cookie + 2 * i, 3, "%02x", entry->id.initiator_cookie[i]);
    TEXT(f->message_id, "%08x", entry->id.message_id);
    TEXT(f->tunnel, "%s", n->tunnel ? n->tunnel : "");
    TEXT(f->side, "%s", side == 0 ? "initiator" : "responder");
    TEXT(f->gateway, "%s", gateway_name(world, side == 0 ? entry->initiator : entry->responder));
    TEXT(f->peer, "%s", n->peer ? n->peer : "");
    TEXT(f->failure, "%s", p2_failure_name(n->failure));
    TEXT(f->message, "%s", n->message ? n->message : "");
    TEXT(f->rule, "%s", n->rule ? n->rule : "");
    failure_notify_name(f->notify, n->notify);
    TEXT(f->notify_was, "%s", n->notify == 0 ? "" : n->notify_received ? "received" : "sent");
    TEXT(f->field, "%s", n->field);
    TEXT(f->offered, "%s", n->offered);
    TEXT(f->acceptable, "%s", n->acceptable);
    world_put(w, &record);
}

static void put_failures(struct world_writer *w, const struct ledger_entry *entry)
{
    for (int side = 0; side < 2; side++) {
        if (entry->failed[side])
            put_failure(w, entry, side);
    }
}

static void note_latency(const struct world *world, const struct ledger_entry *entry,
                         struct record_negotiation *n)
{
    struct cause_split split;
    n->latency_ns = ledger_latency(entry, world->causes, &split);
    n->network_ns = split.network;
    n->cpu_ns = split.cpu;
    n->cpu_wait_ns = split.cpu_wait;
    n->retransmission_wait_ns = split.retransmission_wait;
    n->initiator_ready_ns = entry->ready_at[0] - entry->started;
    n->responder_ready_ns = entry->ready_at[1] - entry->started;
    n->cpu_off_path_ns = split.cpu < 0 ? -1 : entry->cpu_total > split.cpu ? entry->cpu_total - split.cpu : 0;
}

static void put_negotiation(struct world_writer *w, size_t place)
{
    const struct world *world = w->world;
    const struct ledger_entry *entry = &world->ledger.entries[place];
    const struct traffic_window *window = place < world->windows_capacity ? world->windows[place] : NULL;
    struct record record = {.type = RECORD_NEGOTIATION};
    struct record_negotiation *n = &record.u.negotiation;
    TEXT(n->tunnel, "%s", entry->tunnel ? entry->tunnel : "");
    TEXT(n->initiator, "%s", gateway_name(world, entry->initiator));
    TEXT(n->responder, "%s", responder_name(world, entry));
    TEXT(n->reason, "%s", p2_start_name(entry->start));
    TEXT(n->message_id, "%08x", entry->id.message_id);
    TEXT(n->outcome, "%s", outcome_name(entry));
    n->pfs_group = (int)entry->group;
    n->started_ns = entry->started;
    n->latency_ns = n->network_ns = n->cpu_ns = n->cpu_wait_ns = n->retransmission_wait_ns = -1;
    n->initiator_ready_ns = n->responder_ready_ns = -1;
    n->retransmissions = entry->resent;
    n->blackout_ns = window ? window->blackout : -1;
    n->packets_lost = window ? window->packets_lost : 0;
    if (ledger_outcome(entry) == LEDGER_ESTABLISHED) {
        note_latency(world, entry, n);
        TEXT(n->proposal, "%s", entry->suite.name);
        if (entry->suite.num > 0)
            p2_suite_format(&entry->suite, n->suite);
    } else if (ledger_outcome(entry) == LEDGER_FAILED) {
        TEXT(n->failure, "%s", p2_failure_name(entry->failure.failure));
        TEXT(n->failure_field, "%s", entry->failure.field);
        TEXT(n->offered, "%s", entry->failure.offered);
        TEXT(n->acceptable, "%s", entry->failure.acceptable);
        explain(world, entry, n->explanation);
    } else if (entry->waits) {
        explain(world, entry, n->explanation);
    }
    world_put(w, &record);
    put_failures(w, entry);
}

static void put_phase1(struct world_writer *w, const struct ledger_entry *entry)
{
    struct record record = {.type = RECORD_PHASE1};
    struct record_phase1 *p = &record.u.phase1;
    TEXT(p->initiator, "%s", gateway_name(w->world, entry->initiator));
    TEXT(p->responder, "%s", responder_name(w->world, entry));
    const struct p2_phase1_policy *phase1 = phase1_of(w->world, entry);
    TEXT(p->mode, "%s", phase1 && phase1->mode == P2_PHASE1_AGGRESSIVE ? "aggressive" : "main");
    TEXT(p->outcome, "%s", outcome_name(entry));
    p->started_ns = entry->started;
    p->latency_ns = -1;
    if (ledger_outcome(entry) == LEDGER_ESTABLISHED) {
        p2_time later = entry->ready_at[0] > entry->ready_at[1] ? entry->ready_at[0] : entry->ready_at[1];
        p->latency_ns = later - entry->started;
    } else if (ledger_outcome(entry) == LEDGER_FAILED) {
        TEXT(p->failure, "%s", p2_failure_name(entry->failure.failure));
        TEXT(p->failure_field, "%s", entry->failure.field);
        explain(w->world, entry, p->explanation);
    } else if (entry->waits) {
        explain(w->world, entry, p->explanation);
    }
    world_put(w, &record);
    put_failures(w, entry);
}

static void put_flow(struct world_writer *w, const struct traffic_flow *flow)
{
    struct record record = {.type = RECORD_FLOW};
    struct record_flow *f = &record.u.flow;
    uint64_t counts[FATE_NUM];
    TEXT(f->name, "%s", flow->config->name);
    f->sent = flow->sent;
    f->received = flow->received + flow->copied;
    fates_count(&flow->fates, flow->sent, counts);
    f->delivered = counts[FATE_DELIVERED];
    f->false_positives = counts[FATE_WINDOW];
    f->lost_on_links = counts[FATE_LINK];
    f->lost_without_sa = counts[FATE_NO_SA];
    f->lost_too_big = counts[FATE_TOO_BIG];
    f->lost_to_cpu = counts[FATE_CPU];
    f->lost_otherwise = counts[FATE_OTHER];
    f->unaccounted = counts[FATE_UNKNOWN];
    f->icmp_too_big = flow->icmp_too_big;
    f->size_bytes = flow->config->size;
    f->protected_packets = flow->protected_packets;
    f->protected_bytes = flow->protected_bytes;
    f->longest_gap_ns = flow->longest_gap;
    f->mean_delay_ns = flow->received > 0 ? flow->delay_sum / (p2_time)flow->received : 0;
    f->first_delivery_ns = flow->first_delivery;
    world_put(w, &record);
}

static void put_drop(struct world_writer *w, const char *where, const char *reason, uint64_t packets)
{
    struct record record = {.type = RECORD_DROP};
    if (packets == 0)
        return;
    TEXT(record.u.drop.gateway, "%s", where);
    TEXT(record.u.drop.reason, "%s", reason);
    record.u.drop.packets = packets;
    world_put(w, &record);
}

static void put_gateway(struct world_writer *w, const struct world_gateway *gateway)
{
    for (unsigned reason = 1; reason < P2_NUM_DROPS; reason++)
        put_drop(w, gateway->config->name, p2_drop_name((enum p2_drop)reason), gateway->drops[reason]);
    if (!gateway->gateway)
        return;
    put_drop(w, gateway->config->name, "bypassed", phase2_gateway_bypassed(gateway->gateway));
    if (!gateway->profile)
        return;
    const struct cpu *cpu = host_cpu(phase2_gateway_host(gateway->gateway));
    struct record record = {.type = RECORD_CPU};
    TEXT(record.u.cpu.gateway, "%s", gateway->config->name);
    record.u.cpu.cores = cpu->num_cores;
    record.u.cpu.jobs = cpu->jobs;
    record.u.cpu.busy_ns = cpu->busy;
    record.u.cpu.waited_ns = cpu->waited;
    record.u.cpu.longest_queue = cpu->longest_queue;
    world_put(w, &record);
}

/* One end of an SA that a gateway has. */
struct held {
    const char *tunnel;
    uint32_t spi;
    enum p2_protocol protocol;
    bool inbound;
    size_t gateway;
};

static int compare_held(const void *x, const void *y)
{
    const struct held *a = x, *b = y;
    if (a->spi != b->spi)
        return a->spi < b->spi ? -1 : 1;
    int order = strcmp(a->tunnel, b->tunnel);
    if (order != 0)
        return order;
    if (a->protocol != b->protocol)
        return a->protocol < b->protocol ? -1 : 1;
    return a->gateway < b->gateway ? -1 : a->gateway > b->gateway;
}

/* Both ends of one SA, at two gateways. */
static bool belong_together(const struct held *a, const struct held *b)
{
    return a->spi == b->spi && a->protocol == b->protocol && a->inbound != b->inbound &&
           a->gateway != b->gateway && strcmp(a->tunnel, b->tunnel) == 0;
}

/* All SAs of all gateways; NULL when out of memory. */
static struct held *collect_sas(const struct world *world, size_t *num)
{
    size_t capacity = 64;
    struct held *held = calloc(capacity, sizeof(*held));
    *num = 0;
    for (size_t g = 0; held && g < world->scenario->num_gateways; g++) {
        struct p2_sa_info info;
        if (!world->gateways[g].gateway)
            continue;
        const struct p2_gateway *gateway = host_gateway(phase2_gateway_host(world->gateways[g].gateway));
        for (size_t i = 0; held && p2_gateway_sa_at(gateway, i, &info); i++) {
            if (*num == capacity) {
                struct held *bigger = realloc(held, 2 * capacity * sizeof(*held));
                if (!bigger)
                    free(held);
                held = bigger;
                capacity *= 2;
            }
            if (held)
                held[(*num)++] = (struct held){info.tunnel, info.spi, info.protocol, info.inbound, g};
        }
    }
    return held;
}

/* What each gateway has at the end, and what of it nobody else has the other end of. */
static void put_sadbs(struct world_writer *w)
{
    const struct world *world = w->world;
    size_t num;
    struct held *held = collect_sas(world, &num);
    struct record_sadb *counts = calloc(world->scenario->num_gateways + 1, sizeof(*counts));
    if (!held || !counts) {
        w->error = -1;
    } else {
        qsort(held, num, sizeof(*held), compare_held);
        for (size_t i = 0; i < num; i++) {
            bool matched = (i > 0 && belong_together(&held[i - 1], &held[i])) ||
                           (i + 1 < num && belong_together(&held[i], &held[i + 1]));
            counts[held[i].gateway].sas++;
            counts[held[i].gateway].left_over += !matched;
        }
        for (size_t g = 0; g < world->scenario->num_gateways; g++) {
            struct record record = {.type = RECORD_SADB, .u.sadb = counts[g]};
            TEXT(record.u.sadb.gateway, "%s", world->scenario->gateways[g].name);
            if (world->gateways[g].gateway)
                world_put(w, &record);
        }
    }
    free(held);
    free(counts);
}

/* What is still under way is told as what it waits for. */
static void note_open(struct world *world)
{
    struct p2_negotiation n;
    for (size_t g = 0; g < world->scenario->num_gateways; g++) {
        if (!world->gateways[g].gateway)
            continue;
        const struct p2_gateway *gateway = host_gateway(phase2_gateway_host(world->gateways[g].gateway));
        for (size_t i = 0; p2_gateway_open_at(gateway, i, &n); i++)
            ledger_note_open(&world->ledger, &n);
    }
}

static void put_run(struct world_writer *w)
{
    const struct scenario *scenario = w->world->scenario;
    struct record record = {.type = RECORD_RUN};
    struct record_run *r = &record.u.run;
    TEXT(r->format, "%s", RECORD_FORMAT);
    TEXT(r->scenario, "%s", scenario->name);
    TEXT(r->case_name, "%s", w->world->run->case_name);
    r->run = w->world->run->run;
    r->seed = w->world->run->seed;
    r->duration_ns = scenario->duration;
    world_put(w, &record);
}

int world_write_records(struct world *world, FILE *out)
{
    struct world_writer w = {.world = world, .out = out};
    traffic_end(&world->traffic, world->scenario->duration);
    note_open(world);
    put_run(&w);
    for (size_t i = 0; i < world->ledger.num_entries; i++) {
        if (world->ledger.entries[i].phase1)
            put_phase1(&w, &world->ledger.entries[i]);
        else
            put_negotiation(&w, i);
    }
    for (size_t i = 0; i < world->traffic.num_flows; i++)
        put_flow(&w, &world->traffic.flows[i]);
    for (size_t i = 0; i < world->scenario->num_gateways; i++)
        put_gateway(&w, &world->gateways[i]);
    for (size_t i = 0; i < world->scenario->num_links; i++) {
        put_drop(&w, world->scenario->links[i].name, "link-loss",
                 ns3c_link_dropped(world->links[i], NS3C_LINK_LOSS));
        put_drop(&w, world->scenario->links[i].name, "link-queue",
                 ns3c_link_dropped(world->links[i], NS3C_LINK_QUEUE));
    }
    for (size_t i = 0; i < world->scenario->num_nats; i++) {
        struct ns3c_nat_counters counters;
        const char *name = world->scenario->nats[i].name;
        ns3c_nat_read(world->nats[i].nat, &counters);
        put_drop(&w, name, "nat-no-ports", counters.no_ports);
        put_drop(&w, name, "nat-unsolicited", counters.unsolicited);
        put_drop(&w, name, "nat-fragments", counters.fragments);
        put_drop(&w, name, "nat-exhausted", counters.exhausted);
    }
    put_sadbs(&w);
    world_put_sas(&w);
    world_put_attacks(&w);
    struct record end = {.type = RECORD_END};
    end.u.end.records = w.written;
    end.u.end.simulated_ns = world->scenario->duration;
    end.u.end.events = ns3c_events();
    world_put(&w, &end);
    return w.error != 0 || fflush(out) != 0 ? -1 : 0;
}
