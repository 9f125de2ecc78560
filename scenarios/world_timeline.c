/* What the timeline says, when it is due. */
#include "world_impl.h"

/* phase2_gateway_rekey or phase2_gateway_take_down, at each end that is meant. */
static void at_ends(struct world *world, const struct scenario_event *event,
                    void (*act)(struct phase2_gateway *gateway, size_t tunnel))
{
    int tunnel = event->u.tunnel.index;
    for (int e = 0; e < 2; e++) {
        int gateway = world->scenario->tunnels[tunnel].ends[e].gateway;
        if (event->u.tunnel.ends[e])
            act(world->gateways[gateway].gateway, world->local_tunnel[tunnel][e]);
    }
}

static int link_of(const struct scenario_event *event)
{
    return event->kind == SCENARIO_CUT      ? event->u.cut.link
           : event->kind == SCENARIO_LOSE   ? event->u.lose.link
           : event->kind == SCENARIO_ATTACK ? event->u.attack.link
                                            : -1;
}

/* It tells of no SA that it forgets. */
static void restart(struct world_gateway *gateway)
{
    world_note_sas(gateway, ns3c_now(), "restart");
    phase2_gateway_restart(gateway->gateway);
}

static void on_event(void *ctx)
{
    const struct world_event *event = ctx;
    const struct scenario_event *config = event->config;
    struct world *world = event->world;
    int link = link_of(config);
    if (config->kind == SCENARIO_REKEY)
        at_ends(world, config, phase2_gateway_rekey);
    else if (config->kind == SCENARIO_DELETE)
        at_ends(world, config, phase2_gateway_take_down);
    else if (config->kind == SCENARIO_RESTART)
        restart(&world->gateways[config->u.gateway]);
    else if (config->kind == SCENARIO_ATTACK)
        world_attack(world, (size_t)(event - world->events));
    else if (link >= 0 && tamper_begin(&world->tampers[link].tamper, ns3c_now(), config) < 0)
        world->ledger.out_of_memory = true;
}

static struct ns3c_link_verdict on_link(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    static const enum ns3c_link_action actions[] = {[TAMPER_PASS] = NS3C_LINK_PASS,
                                                    [TAMPER_DROP] = NS3C_LINK_DROP,
                                                    [TAMPER_DELAY] = NS3C_LINK_DELAY,
                                                    [TAMPER_DUPLICATE] = NS3C_LINK_DUPLICATE};
    const struct world_ear *ear = ctx;
    struct world_tamper *self = ear->link;
    struct tamper_verdict verdict;
    if (tamper_judge(&self->tamper, &verdict, ns3c_now(), packet, len) < 0)
        self->world->ledger.out_of_memory = true;
    if (self->tap.num_wanted > 0 && attack_tap_hear(&self->tap, ns3c_now(), ear->end, packet, len, mark) < 0)
        self->world->ledger.out_of_memory = true;
    return (struct ns3c_link_verdict){actions[verdict.action], verdict.delay};
}

/* From the start of the run, for the messages are numbered as they appear. */
static void watch_link(struct world *world, int link)
{
    struct world_tamper *self = &world->tampers[link];
    if (self->world)
        return;
    self->world = world;
    for (int end = 0; end < 2; end++) {
        self->ears[end] = (struct world_ear){self, end};
        ns3c_link_intercept(world->links[link], end, on_link, &self->ears[end]);
    }
}

int world_build_timeline(struct world *world)
{
    for (size_t i = 0; i < world->scenario->num_events; i++) {
        struct world_event *event = &world->events[i];
        *event = (struct world_event){world, &world->scenario->events[i], NULL};
        if (link_of(event->config) >= 0)
            watch_link(world, link_of(event->config));
        if (event->config->kind == SCENARIO_ATTACK && world_plan_attack(world, i) < 0)
            return -1;
        event->timer = ns3c_timer_new(on_event, event);
        ns3c_timer_arm(event->timer, event->config->time);
    }
    return 0;
}
