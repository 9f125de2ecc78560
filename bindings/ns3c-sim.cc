#include "ns3c-impl.h"
#include "ns3c-time.h"

#include "ns3/integer.h"
#include "ns3/names.h"
#include "ns3/random-variable-stream.h"
#include "ns3/rng-seed-manager.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <iostream>

using namespace ns3;

namespace
{

/* The scheduler is the process's own, so this is too. */
struct Simulation {
    std::vector<std::shared_ptr<void>> kept;
    uint64_t housekeeping = 0; /* events of ours that nobody asked for */
    uint64_t seen = 0;         /* events when FinishInstant last looked */
    bool running = false;      /* within ns3c_run */
    bool failed = false;
};

Simulation &GetSimulation()
{
    static Simulation simulation;
    return simulation;
}

/* Ends a run once nothing more is due at its last instant: what is scheduled for an instant while it lasts
 * belongs to it, so an event count that has not moved but for this one means that the instant is over. */
void FinishInstant(EventId *pending)
{
    Simulation &simulation = GetSimulation();
    const uint64_t events = Simulator::GetEventCount();
    simulation.housekeeping++;
    if (events == simulation.seen + 1) {
        Simulator::Stop();
        return;
    }
    simulation.seen = events;
    *pending = Simulator::ScheduleNow(&FinishInstant, pending);
}

} // namespace

namespace ns3
{

void Keep(std::shared_ptr<void> handle)
{
    GetSimulation().kept.push_back(std::move(handle));
}

void FillRandom(Ptr<UniformRandomVariable> uniform, uint8_t *out, size_t len)
{
    constexpr double BITS_24 = 16777216.0;
    while (len) {
        const auto draw = static_cast<uint32_t>(uniform->GetValue() * BITS_24);
        for (int shift = 0; shift < 24 && len; shift += 8, len--) {
            *out++ = static_cast<uint8_t>(draw >> shift);
        }
    }
}

bool GiveUp()
{
    Simulation &simulation = GetSimulation();
    if (simulation.running) {
        simulation.failed = true;
        Simulator::Stop();
    }
    return simulation.running;
}

std::ostream &Complain()
{
    return std::cerr << "ns3c: ";
}

} // namespace ns3

void ns3c_init(uint32_t seed, uint64_t run)
{
    RngSeedManager::SetSeed(seed);
    RngSeedManager::SetRun(run);
}

int ns3c_run(int64_t until_ns)
{
    Simulation &simulation = GetSimulation();
    simulation.seen = UINT64_MAX - 1;
    EventId pending;
    pending =
        Simulator::Schedule(FromNs(std::max<int64_t>(until_ns - ns3c_now(), 0)), &FinishInstant, &pending);
    simulation.running = true;
    Simulator::Run();
    simulation.running = false;
    Simulator::Remove(pending); /* after ns3c_stop it is still waiting */
    return simulation.failed ? -1 : 0;
}

void ns3c_stop(void)
{
    Simulator::Stop();
}

int64_t ns3c_now(void)
{
    return Simulator::Now().GetNanoSeconds();
}

uint64_t ns3c_events(void)
{
    return Simulator::GetEventCount() - GetSimulation().housekeeping;
}

void ns3c_destroy(void)
{
    Simulator::Destroy();
    Names::Clear();
    GetSimulation() = Simulation();
}

struct ns3c_timer {
    ns3c_timer_fn *fn;
    void *ctx;
    int64_t at;
    EventId event;

    void Fire()
    {
        fn(ctx);
    }
};

ns3c_timer *ns3c_timer_new(ns3c_timer_fn *fn, void *ctx)
{
    auto timer = std::make_shared<ns3c_timer>(ns3c_timer{fn, ctx, 0, EventId()});
    Keep(timer);
    return timer.get();
}

void ns3c_timer_arm(ns3c_timer *timer, int64_t at_ns)
{
    const int64_t now = ns3c_now();
    const int64_t at = std::max(at_ns, now);
    if (timer->event.IsRunning()) {
        if (timer->at == at) {
            return;
        }
        Simulator::Remove(timer->event);
    }
    timer->at = at;
    timer->event = Simulator::Schedule(FromNs(at - now), &ns3c_timer::Fire, timer);
}

/* Removed, not merely cancelled: a timer that is put off with every packet must not leave an event behind
 * each time. */
void ns3c_timer_cancel(ns3c_timer *timer)
{
    Simulator::Remove(timer->event);
}

struct ns3c_stream {
    Ptr<UniformRandomVariable> uniform;
};

ns3c_stream *ns3c_stream_new(int64_t number)
{
    auto stream = std::make_shared<ns3c_stream>();
    stream->uniform = CreateObjectWithAttributes<UniformRandomVariable>("Stream", IntegerValue(number));
    Keep(stream);
    return stream.get();
}

double ns3c_stream_uniform(ns3c_stream *stream)
{
    return stream->uniform->GetValue();
}

void ns3c_stream_fill(ns3c_stream *stream, uint8_t *out, size_t len)
{
    FillRandom(stream->uniform, out, len);
}
