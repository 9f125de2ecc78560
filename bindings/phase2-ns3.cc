#include "phase2-ns3.h"

#include "ns3c-impl.h"
#include "phase2-gateway.h"

#include "ns3/integer.h"
#include "ns3/uinteger.h"

using namespace ns3;

struct phase2_gateway {
    Ptr<Phase2Gateway> application;
    phase2_observe_fn *observe;
    void *ctx;

    static void Observe(void *self, p2_time now, const p2_action *action, uint64_t event)
    {
        auto gateway = static_cast<phase2_gateway *>(self);
        gateway->observe(gateway->ctx, gateway, now, action, event);
    }
};

phase2_gateway *phase2_gateway_install(ns3c_node *node, const phase2_gateway_config *config)
{
    auto gateway = std::make_shared<phase2_gateway>();
    gateway->application = CreateObjectWithAttributes<Phase2Gateway>("CpuCores", UintegerValue(config->cores),
                                                                     "CpuQueue", UintegerValue(config->queue),
                                                                     "Stream", IntegerValue(config->stream));
    gateway->observe = config->observe;
    gateway->ctx = config->ctx;
    node->node->AddApplication(gateway->application);
    if (config->observe) {
        gateway->application->SetObserver(phase2_gateway::Observe, gateway.get());
    }
    if (config->injected) {
        gateway->application->SetInjectedObserver(config->injected, config->ctx);
    }
    if (gateway->application->Configure(config->gateway, config->profile, config->causes) < 0) {
        return nullptr;
    }
    Keep(gateway);
    return gateway.get();
}

void phase2_gateway_rekey(phase2_gateway *gateway, size_t tunnel)
{
    gateway->application->Rekey(tunnel);
}

void phase2_gateway_take_down(phase2_gateway *gateway, size_t tunnel)
{
    gateway->application->TakeDown(tunnel);
}

void phase2_gateway_restart(phase2_gateway *gateway)
{
    gateway->application->Restart();
}

uint64_t phase2_gateway_keepalives(const phase2_gateway *gateway)
{
    return gateway->application->GetKeepalives();
}

uint64_t phase2_gateway_bypassed(const phase2_gateway *gateway)
{
    return gateway->application->GetBypassed();
}

host *phase2_gateway_host(phase2_gateway *gateway)
{
    return gateway->application->GetHost();
}
