/* What a run has to tell, as records. */
#include "world_impl.h"

#include "record.h"

#include <stdarg.h>
#include <string.h>

struct writer {
    struct world *world;
    FILE *out;
    uint64_t written;
    int error;
};

static void put(struct writer *w, const struct record *record)
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

/* The failure as a sentence that a person understands. */
static void explain(const struct world *world, const struct ledger_entry *entry, char *out, size_t size)
{
    const struct p2_negotiation *f = &entry->failure;
    const char *initiator = gateway_name(world, entry->initiator),
               *responder = gateway_name(world, entry->responder);
    if (f->failure == P2_FAIL_TIMEOUT || f->failure == P2_FAIL_WRONG_KEY)
        text(out, size, "%s waited for %s of %s; there was %s, expected %s.",
             f->initiator ? initiator : responder, f->field,
             f->initiator ? (*responder ? responder : entry->peer) : initiator, f->offered, f->acceptable);
    else if (f->field[0] && f->offered[0])
        text(out, size, "%s offered %s %s; %s accepts %s (%s).", initiator, f->field, f->offered,
             *responder ? responder : entry->peer, f->acceptable, p2_failure_name(f->failure));
    else if (f->failure == P2_FAIL_SUPERSEDED || f->failure == P2_FAIL_PHASE1_LOST)
        text(out, size, "%s and %s were interrupted: %s.", initiator, *responder ? responder : entry->peer,
             f->failure == P2_FAIL_SUPERSEDED ? "the peer deleted the SA before it was confirmed"
                                              : "the ISAKMP SA went away");
    else
        text(out, size, "%s and %s could not agree on %s (%s).", initiator,
             *responder ? responder : entry->peer, f->field[0] ? f->field : "the exchange",
             p2_failure_name(f->failure));
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

static void put_negotiation(struct writer *w, size_t place)
{
    const struct world *world = w->world;
    const struct ledger_entry *entry = &world->ledger.entries[place];
    const struct traffic_window *window = place < world->windows_capacity ? world->windows[place] : NULL;
    struct record record = {.type = RECORD_NEGOTIATION};
    struct record_negotiation *n = &record.u.negotiation;
    TEXT(n->tunnel, "%s", entry->tunnel ? entry->tunnel : "");
    TEXT(n->initiator, "%s", gateway_name(world, entry->initiator));
    TEXT(n->responder, "%s", entry->responder >= 0 ? gateway_name(world, entry->responder) : entry->peer);
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
    } else if (ledger_outcome(entry) == LEDGER_FAILED) {
        TEXT(n->failure, "%s", p2_failure_name(entry->failure.failure));
        TEXT(n->failure_field, "%s", entry->failure.field);
        TEXT(n->offered, "%s", entry->failure.offered);
        TEXT(n->acceptable, "%s", entry->failure.acceptable);
        explain(world, entry, n->explanation, sizeof(n->explanation));
    }
    put(w, &record);
}

static void put_phase1(struct writer *w, const struct ledger_entry *entry)
{
    struct record record = {.type = RECORD_PHASE1};
    struct record_phase1 *p = &record.u.phase1;
    TEXT(p->initiator, "%s", gateway_name(w->world, entry->initiator));
    TEXT(p->responder, "%s", entry->responder >= 0 ? gateway_name(w->world, entry->responder) : entry->peer);
    TEXT(p->mode, "main");
    TEXT(p->outcome, "%s", outcome_name(entry));
    p->started_ns = entry->started;
    p->latency_ns = -1;
    if (ledger_outcome(entry) == LEDGER_ESTABLISHED) {
        p2_time later = entry->ready_at[0] > entry->ready_at[1] ? entry->ready_at[0] : entry->ready_at[1];
        p->latency_ns = later - entry->started;
    } else if (ledger_outcome(entry) == LEDGER_FAILED) {
        TEXT(p->failure, "%s", p2_failure_name(entry->failure.failure));
        explain(w->world, entry, p->explanation, sizeof(p->explanation));
    }
    put(w, &record);
}

static void put_flow(struct writer *w, const struct traffic_flow *flow)
{
    struct record record = {.type = RECORD_FLOW};
    struct record_flow *f = &record.u.flow;
    TEXT(f->name, "%s", flow->config->name);
    f->sent = flow->sent;
    f->received = flow->received;
    f->longest_gap_ns = flow->longest_gap;
    f->mean_delay_ns = flow->received > 0 ? flow->delay_sum / (p2_time)flow->received : 0;
    put(w, &record);
}

static void put_drop(struct writer *w, const char *where, const char *reason, uint64_t packets)
{
    struct record record = {.type = RECORD_DROP};
    if (packets == 0)
        return;
    TEXT(record.u.drop.gateway, "%s", where);
    TEXT(record.u.drop.reason, "%s", reason);
    record.u.drop.packets = packets;
    put(w, &record);
}

static void put_gateway(struct writer *w, const struct world_gateway *gateway)
{
    for (unsigned reason = 1; reason < P2_NUM_DROPS; reason++)
        put_drop(w, gateway->config->name, p2_drop_name((enum p2_drop)reason), gateway->drops[reason]);
    if (!gateway->gateway || !gateway->profile)
        return;
    const struct cpu *cpu = host_cpu(phase2_gateway_host(gateway->gateway));
    struct record record = {.type = RECORD_CPU};
    TEXT(record.u.cpu.gateway, "%s", gateway->config->name);
    record.u.cpu.cores = cpu->num_cores;
    record.u.cpu.jobs = cpu->jobs;
    record.u.cpu.busy_ns = cpu->busy;
    record.u.cpu.waited_ns = cpu->waited;
    record.u.cpu.longest_queue = cpu->longest_queue;
    put(w, &record);
}

static void put_run(struct writer *w)
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
    put(w, &record);
}

int world_write_records(struct world *world, FILE *out)
{
    struct writer w = {.world = world, .out = out};
    traffic_end(&world->traffic, world->scenario->duration);
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
    struct record end = {.type = RECORD_END};
    end.u.end.records = w.written;
    end.u.end.simulated_ns = world->scenario->duration;
    end.u.end.events = ns3c_events();
    put(&w, &end);
    return w.error != 0 || fflush(out) != 0 ? -1 : 0;
}
