/* What a run has to tell of attacks and of each SA. */
#include "world_impl.h"

#include <inttypes.h>
#include <string.h>

static const char *link_name(const struct world_attack *attack)
{
    return attack->world->scenario->links[attack->config->link].name;
}

static p2_time time_of(const struct world_attack *attack)
{
    return attack->world->scenario->events[attack->event].time;
}

/* One more reason that has no column of its own. */
static void add_other(struct record_attack *record, const char *reason, uint64_t packets)
{
    size_t len = strlen(record->other_reasons);
    record->other += packets;
    if (packets > 0)
        snprintf(record->other_reasons + len, sizeof record->other_reasons - len, "%s%s %" PRIu64,
                 len > 0 ? ", " : "", reason, packets);
}

static bool has_column(enum p2_drop reason)
{
    return reason == P2_DROP_REPLAYED || reason == P2_DROP_TOO_OLD || reason == P2_DROP_ICV_MISMATCH ||
           reason == P2_DROP_UNKNOWN_SPI;
}

static void put_injections(struct world_writer *w, const struct world_attack *attack)
{
    const struct attack_counts *c = &w->world->attacks.counts[attack->event];
    struct record record = {.type = RECORD_ATTACK};
    struct record_attack *a = &record.u.attack;
    snprintf(a->kind, sizeof a->kind, "%s", attack_kind_name(attack->config->kind));
    snprintf(a->method, sizeof a->method, "%s", attack_method_name(attack->config->method));
    snprintf(a->link, sizeof a->link, "%s", link_name(attack));
    a->at_ns = time_of(attack);
    a->recorded = c->recorded;
    a->injected = c->injected;
    a->ike = c->ike;
    a->arrived = c->arrived;
    a->replayed = c->rejected[P2_DROP_REPLAYED];
    a->too_old = c->rejected[P2_DROP_TOO_OLD];
    a->icv_mismatch = c->rejected[P2_DROP_ICV_MISMATCH];
    a->unknown_spi = c->rejected[P2_DROP_UNKNOWN_SPI];
    for (unsigned reason = 1; reason < P2_NUM_DROPS; reason++) {
        if (!has_column((enum p2_drop)reason))
            add_other(a, p2_drop_name((enum p2_drop)reason), c->rejected[reason]);
    }
    a->answered = c->answered;
    a->unfinished = c->unfinished;
    a->accepted = c->accepted;
    a->came_first = c->came_first;
    a->live = c->live;
    world_put(w, &record);
}

static const char *knows(const struct scenario_attack *attack)
{
    return !attack->knows_e ? "skeyid-d" : attack->knows_d ? "skeyid-d skeyid-e" : "skeyid-e";
}

static void put_readings(struct world_writer *w, const struct world_attack *attack)
{
    struct p2_eavesdrop_sa sa;
    for (size_t i = 0; p2_eavesdrop_sa_at(attack->eavesdrop, i, &sa); i++) {
        struct record record = {.type = RECORD_READING};
        struct record_reading *r = &record.u.reading;
        snprintf(r->link, sizeof r->link, "%s", link_name(attack));
        snprintf(r->knows, sizeof r->knows, "%s", knows(attack->config));
        snprintf(r->spi, sizeof r->spi, "0x%08" PRIx32, sa.spi);
        snprintf(r->negotiation, sizeof r->negotiation, "%s", sa.negotiated ? "read" : "not-read");
        r->at_ns = time_of(attack);
        r->packets = sa.packets;
        r->packets_read = sa.read;
        world_put(w, &record);
    }
}

static void put_compromise(struct world_writer *w, const struct world_attack *attack)
{
    struct p2_eavesdrop_counts counts = p2_eavesdrop_counts(attack->eavesdrop);
    struct record record = {.type = RECORD_COMPROMISE};
    struct record_compromise *c = &record.u.compromise;
    snprintf(c->link, sizeof c->link, "%s", link_name(attack));
    snprintf(c->knows, sizeof c->knows, "%s", knows(attack->config));
    c->at_ns = time_of(attack);
    c->isakmp_sas = attack->num_isakmp;
    c->quick_modes = counts.quick_modes;
    c->quick_modes_read = counts.quick_modes_read;
    c->packets = counts.packets;
    c->packets_read = counts.packets_read;
    world_put(w, &record);
    put_readings(w, attack);
}

void world_put_attacks(struct world_writer *w)
{
    for (size_t i = 0; w->world->attackers && i < w->world->scenario->num_events; i++) {
        const struct world_attack *attack = &w->world->attackers[i];
        if (attack->config && attack->config->kind == SCENARIO_COMPROMISE)
            put_compromise(w, attack);
        else if (attack->config)
            put_injections(w, attack);
    }
}

/* In the order in which they went, then those that are still there, gateway by gateway. */
void world_put_sas(struct world_writer *w)
{
    struct world *world = w->world;
    for (size_t g = 0; g < world->scenario->num_gateways; g++)
        world_note_sas(&world->gateways[g], world->scenario->duration, NULL);
    if (world->ledger.out_of_memory)
        w->error = -1;
    for (size_t i = 0; i < world->sas.num; i++) {
        struct record record = {.type = RECORD_SA, .u.sa = world->sas.gone[i]};
        world_put(w, &record);
    }
}
