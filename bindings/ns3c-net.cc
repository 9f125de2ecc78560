#include "ns3c-impl.h"
#include "ns3c-routing.h"
#include "ns3c-time.h"

#include "ns3/abort.h"
#include "ns3/double.h"
#include "ns3/icmpv4-l4-protocol.h"
#include "ns3/names.h"
#include "ns3/traffic-control-layer.h"
#include "ns3/udp-l4-protocol.h"
#include "ns3/uinteger.h"

using namespace ns3;

/* Only what IPv4 and UDP need: no ARP on point-to-point links, no TCP, no queue discs; IPv6 when it is used.
 * Ipv4L3Protocol wants a TrafficControlLayer to pass packets through, and ICMP to answer for it. */
ns3c_node *ns3c_node_new(const char *name)
{
    auto made = std::make_shared<ns3c_node>();
    made->name = name ? name : "";
    made->node = CreateObject<Node>();
    Ptr<Ipv4L3Protocol> ipv4 = CreateObject<Ipv4L3Protocol>();
    made->node->AggregateObject(CreateObject<TrafficControlLayer>());
    made->node->AggregateObject(ipv4);
    ipv4->SetRoutingProtocol(CreateObject<HashRouting>());
    made->node->AggregateObject(CreateObject<Icmpv4L4Protocol>());
    made->node->AggregateObject(CreateObject<UdpL4Protocol>());
    made->stacks = IpStacks(made->node);
    if (!made->name.empty() && !Names::Find<Node>(made->name)) {
        Names::Add(made->name, made->node);
    }
    Keep(made);
    return made.get();
}

struct ns3c_link {
    Ptr<LinkChannel> channel;
    Ptr<LinkNetDevice> ends[2];
    uint32_t interfaces[2];
    uint64_t dropped[2] = {0, 0};
    ns3c_link_drop_fn *fn = nullptr;
    void *ctx = nullptr;

    void Drop(LinkDrop reason, uint64_t mark)
    {
        const ns3c_link_drop c_reason = reason == LinkDrop::LOSS ? NS3C_LINK_LOSS : NS3C_LINK_QUEUE;
        dropped[c_reason]++;
        if (fn) {
            fn(ctx, c_reason, mark);
        }
    }
};

namespace
{

void AddEnd(ns3c_link &link, int end, ns3c_node *node, uint32_t mtu)
{
    Ptr<LinkNetDevice> device = CreateObject<LinkNetDevice>();
    device->SetMtu(static_cast<uint16_t>(mtu));
    node->node->AddDevice(device);
    link.ends[end] = device;
    link.interfaces[end] = node->stacks.AddInterface(device);
    device->SetIpv4(node->stacks.GetIpv4());
    device->TraceConnectWithoutContext("Drop", MakeCallback(&ns3c_link::Drop, &link));
    node->links.push_back(device);
    for (ns3c_capture *capture : node->captures) {
        AddToCapture(capture, device);
    }
}

} // namespace

ns3c_link *ns3c_link_new(ns3c_node *a, ns3c_node *b, const ns3c_link_config *config)
{
    NS_ABORT_MSG_IF(config->mtu < 68 || config->mtu > UINT16_MAX,
                    "a link's MTU is 68 to 65535, not " << config->mtu);
    auto link = std::make_shared<ns3c_link>();
    link->channel = CreateObjectWithAttributes<LinkChannel>(
        "Delay", TimeValue(FromNs(config->delay_ns)), "Jitter", TimeValue(FromNs(config->jitter_ns)), "Rate",
        UintegerValue(config->rate_bps), "Loss", DoubleValue(config->loss), "Duplicate",
        DoubleValue(config->duplicate), "Reorder", DoubleValue(config->reorder), "ReorderDelay",
        TimeValue(FromNs(config->reorder_ns)), "QueuePackets", UintegerValue(config->queue_packets));
    AddEnd(*link, 0, a, config->mtu);
    AddEnd(*link, 1, b, config->mtu);
    link->channel->Connect(link->ends[0], link->ends[1]);
    link->channel->AssignStreams(config->stream);
    for (size_t i = 0; i < config->num_classes; i++) {
        link->ends[0]->AddClass(config->classes[i]);
        link->ends[1]->AddClass(config->classes[i]);
    }
    Keep(link);
    return link.get();
}

uint32_t ns3c_link_interface(const ns3c_link *link, int end)
{
    return link->interfaces[end];
}

void ns3c_link_on_drop(ns3c_link *link, ns3c_link_drop_fn *fn, void *ctx)
{
    link->fn = fn;
    link->ctx = ctx;
}

uint64_t ns3c_link_dropped(const ns3c_link *link, ns3c_link_drop reason)
{
    return link->dropped[reason];
}

void ns3c_link_lose(ns3c_link *link, int end, uint64_t mask)
{
    link->ends[end]->SetLossMask(mask);
}

void ns3c_link_intercept(ns3c_link *link, int end, ns3c_link_intercept_fn *fn, void *ctx)
{
    link->ends[end]->SetIntercept(fn, ctx);
}

int ns3c_link_inject(ns3c_link *link, int end, const uint8_t *packet, size_t len, uint64_t mark)
{
    return link->ends[end]->Inject(packet, len, mark) ? 0 : -1;
}

namespace
{

void Check(const ns3c_node *node, uint32_t interface, const ns3c_address &address, unsigned prefix_len)
{
    NS_ABORT_MSG_IF(address.family != 4 && address.family != 6, node->name << ": an address of no family");
    NS_ABORT_MSG_IF(interface >= node->stacks.GetIpv4()->GetNInterfaces() ||
                        prefix_len > (address.family == 4 ? 32 : 128),
                    node->name << ": no interface " << interface << ", or no prefix length " << prefix_len);
}

} // namespace

void ns3c_address_add(ns3c_node *node, uint32_t interface, ns3c_address address, unsigned prefix_len)
{
    Check(node, interface, address, prefix_len);
    if (address.family == 4) {
        node->stacks.GetIpv4()->AddAddress(interface,
                                           Ipv4InterfaceAddress(ToIpv4(address), ToIpv4Mask(prefix_len)));
        return;
    }
    node->stacks.NeedIpv6()->AddAddress(static_cast<uint32_t>(node->stacks.GetIpv6Interface(interface)),
                                        Ipv6InterfaceAddress(ToIpv6(address), ToIpv6Prefix(prefix_len)),
                                        false);
}

void ns3c_address_local(ns3c_node *node, ns3c_address address)
{
    ns3c_address_add(node, LOOPBACK, address, address.family == 4 ? 32 : 128);
}

void ns3c_route_add(ns3c_node *node, ns3c_address destination, unsigned prefix_len, uint32_t interface)
{
    Check(node, interface, destination, prefix_len);
    node->stacks.AddRoute(destination, prefix_len, interface);
}
