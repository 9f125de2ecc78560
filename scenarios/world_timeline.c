/* What the timeline says, when it is due. */
#include "world_impl.h"

static void rekey(struct world *world, const struct scenario_event *event)
{
    int tunnel = event->u.tunnel.index;
    for (int e = 0; e < 2; e++) {
        int gateway = world->scenario->tunnels[tunnel].ends[e].gateway;
        if (event->u.tunnel.ends[e])
            phase2_gateway_rekey(world->gateways[gateway].gateway, world->local_tunnel[tunnel][e]);
    }
}

static void on_event(void *ctx)
{
    const struct world_event *event = ctx;
    if (event->config->kind == SCENARIO_REKEY)
        rekey(event->world, event->config);
}

int world_build_timeline(struct world *world)
{
    static const char *const missing[] = {[SCENARIO_REKEY] = NULL,
                                          [SCENARIO_DELETE] = "delete is not simulated by this build",
                                          [SCENARIO_RESTART] = "restart is not simulated by this build",
                                          [SCENARIO_CUT] = "cut is not simulated by this build",
                                          [SCENARIO_LOSE] = "lose is not simulated by this build"};
    for (size_t i = 0; i < world->scenario->num_events; i++) {
        struct world_event *event = &world->events[i];
        *event = (struct world_event){world, &world->scenario->events[i], NULL};
        if (missing[event->config->kind])
            return world_fail(world, "timeline", missing[event->config->kind]);
        event->timer = ns3c_timer_new(on_event, event);
        ns3c_timer_arm(event->timer, event->config->time);
    }
    return 0;
}
