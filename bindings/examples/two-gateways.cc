/* The same two gateways in C++, on ns-3's own nodes, links and routing: when each side is ready, and what
 * gets through.
 */
#include "phase2-gateway.h"

#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"

using namespace ns3;

static void OnNegotiation(std::string side, const p2_negotiation &negotiation)
{
    if (negotiation.event == P2_NEGOTIATION_READY)
        std::cout << Simulator::Now().As(Time::S) << ": phase " << (negotiation.id.message_id ? 2 : 1)
                  << " ready on the " << side << std::endl;
}

/* Behind the gateway lies 10.side.0.0/16; its one host is a socket on the loopback interface. */
static Ptr<Socket> Build(Ptr<Node> node, struct causes *causes, const Ipv4InterfaceContainer &wan,
                         uint8_t side, unsigned *received)
{
    const uint32_t inside[2] = {0x0a000000, 0x0a010000};
    p2_peer_config peer = {};
    peer.local = p2_address_v4(wan.GetAddress(side).Get());
    peer.remote = p2_address_v4(wan.GetAddress(!side).Get());
    peer.phase1 = p2_phase1_policy_default("example");
    p2_tunnel_config tunnel = {};
    tunnel.local = p2_selector_v4(inside[side], 16);
    tunnel.remote = p2_selector_v4(inside[!side], 16);
    tunnel.policy = p2_policy_default("g2-esp-aes128-sha");
    tunnel.establish = side ? P2_ESTABLISH_PASSIVE : P2_ESTABLISH_IMMEDIATELY;
    tunnel.policy.pfs = P2_GROUP_14;
    tunnel.policy.lifetime_s = 20;
    Ptr<Phase2Gateway> gateway = CreateObject<Phase2Gateway>();
    node->AddApplication(gateway);
    gateway->AssignStreams(side);
    NS_ABORT_IF(gateway->Configure({&peer, 1, &tunnel, 1, false}, nullptr, causes) < 0);
    gateway->TraceConnect("Negotiation", side ? "right" : "left", MakeCallback(&OnNegotiation));

    Ipv4Address host(inside[side] + 1);
    node->GetObject<Ipv4>()->AddAddress(0, Ipv4InterfaceAddress(host, Ipv4Mask::GetOnes()));
    Ptr<Socket> socket = Socket::CreateSocket(node, UdpSocketFactory::GetTypeId());
    socket->Bind(InetSocketAddress(host, 9));
    socket->SetRecvCallback(Callback<void, Ptr<Socket>>([received](Ptr<Socket> from) {
        while (from->Recv())
            ++*received;
    }));
    return socket;
}

int main()
{
    struct causes *causes;
    unsigned received[2] = {0, 0}, sent = 0;
    NS_ABORT_IF(causes_new(&causes) < 0);
    NodeContainer nodes(2);
    InternetStackHelper().Install(nodes);
    PointToPointHelper link;
    link.SetDeviceAttribute("DataRate", StringValue("100Mbps"));
    link.SetChannelAttribute("Delay", StringValue("20ms"));
    Ipv4InterfaceContainer wan = Ipv4AddressHelper("192.0.2.0", "255.255.255.0").Assign(link.Install(nodes));
    Ptr<Socket> left = Build(nodes.Get(0), causes, wan, 0, &received[0]);
    Ptr<Socket> right = Build(nodes.Get(1), causes, wan, 1, &received[1]);
    for (Time at = Seconds(1); at < Seconds(60); at += MilliSeconds(100), sent++) {
        Simulator::Schedule(at, [=]() {
            left->SendTo(Create<Packet>(5), 0, InetSocketAddress("10.1.0.1", 9));
            right->SendTo(Create<Packet>(5), 0, InetSocketAddress("10.0.0.1", 9));
        });
    }
    Simulator::Stop(Seconds(61));
    Simulator::Run();
    std::cout << sent << " packets sent each way: " << received[0] << " arrived on the left, " << received[1]
              << " on the right" << std::endl;
    left = right = nullptr;
    Simulator::Destroy();
    causes_free(causes);
    return 0;
}
