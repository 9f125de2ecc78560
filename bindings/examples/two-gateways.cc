/* Two gateways, a link of 20 ms and a tunnel: how long each negotiation takes, and what gets through. In C++,
 * on ns-3's own nodes, links and routing. */
#include "phase2-gateway.h"

#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"

#include <cstring>
#include <iostream>

using namespace ns3;

static void OnNegotiation(std::string name, const p2_negotiation &negotiation)
{
    static Time started;
    if (negotiation.event == P2_NEGOTIATION_STARTED && negotiation.initiator) {
        started = Simulator::Now();
    } else if (negotiation.event == P2_NEGOTIATION_READY) {
        std::cout << name << " phase " << (negotiation.id.message_id ? 2 : 1) << " ready after "
                  << (Simulator::Now() - started).As(Time::MS) << std::endl;
    }
}

static void Install(Ptr<Node> node, const char *name, struct causes *causes, Ipv4Address local,
                    Ipv4Address remote, Ipv4Address localPrefix, Ipv4Address remotePrefix, bool initiator)
{
    p2_peer_config peer = {"peer", p2_address_v4(local.Get()), p2_address_v4(remote.Get()), {}};
    peer.phase1.mode = P2_PHASE1_MAIN;
    peer.phase1.psk_len = strlen("example");
    memcpy(peer.phase1.psk, "example", peer.phase1.psk_len);
    peer.phase1.cipher = P2_CIPHER_AES128_CBC;
    peer.phase1.hash = P2_HASH_SHA1;
    peer.phase1.group = P2_GROUP_14;
    peer.phase1.lifetime_s = 86400;
    peer.phase1.retransmission = {P2_SECOND, 2000, 5};
    p2_tunnel_config tunnel = {"vpn",
                               0,
                               {p2_address_v4(localPrefix.Get()), 16, 0, 0},
                               {p2_address_v4(remotePrefix.Get()), 16, 0, 0},
                               {},
                               initiator ? P2_ESTABLISH_IMMEDIATELY : P2_ESTABLISH_PASSIVE,
                               P2_SECOND};
    tunnel.policy.num_proposals = 1;
    p2_proposal_predefined(&tunnel.policy.proposals[0], "g2-esp-aes128-sha");
    tunnel.policy.mode = P2_MODE_TUNNEL;
    tunnel.policy.pfs = P2_GROUP_14;
    tunnel.policy.lifetime_s = 20;
    tunnel.policy.soft_permille = 800;
    tunnel.policy.fuzz_permille = 100;
    tunnel.policy.replay_window = 64;
    tunnel.policy.overlap = P2_SECOND;

    Ptr<Phase2Gateway> gateway = CreateObject<Phase2Gateway>();
    node->AddApplication(gateway);
    gateway->AssignStreams(initiator ? 10 : 11);
    NS_ABORT_IF(gateway->Configure({&peer, 1, &tunnel, 1, false}, nullptr, causes) < 0);
    gateway->TraceConnect("Negotiation", name, MakeCallback(&OnNegotiation));
}

/* A socket of the protected side: its address is on the loopback interface. */
static Ptr<Socket> OpenHost(Ptr<Node> node, Ipv4Address address, unsigned *received)
{
    node->GetObject<Ipv4>()->AddAddress(0, Ipv4InterfaceAddress(address, Ipv4Mask::GetOnes()));
    Ptr<Socket> socket = Socket::CreateSocket(node, UdpSocketFactory::GetTypeId());
    socket->Bind(InetSocketAddress(address, 9));
    socket->SetRecvCallback(Callback<void, Ptr<Socket>>([received](Ptr<Socket> from) {
        while (from->Recv()) {
            ++*received;
        }
    }));
    return socket;
}

int main()
{
    RngSeedManager::SetSeed(1);
    struct causes *causes;
    NS_ABORT_IF(causes_new(&causes) < 0);
    NodeContainer nodes(2);
    InternetStackHelper().Install(nodes);
    PointToPointHelper link;
    link.SetDeviceAttribute("DataRate", StringValue("100Mbps"));
    link.SetChannelAttribute("Delay", StringValue("20ms"));
    Ipv4InterfaceContainer wan =
        Ipv4AddressHelper("203.0.113.0", "255.255.255.0").Assign(link.Install(nodes));

    Install(nodes.Get(0), "left ", causes, wan.GetAddress(0), wan.GetAddress(1), "10.1.0.0", "10.2.0.0",
            true);
    Install(nodes.Get(1), "right", causes, wan.GetAddress(1), wan.GetAddress(0), "10.2.0.0", "10.1.0.0",
            false);
    unsigned received[2] = {0, 0}, sent = 0;
    Ptr<Socket> left = OpenHost(nodes.Get(0), "10.1.0.1", &received[0]);
    Ptr<Socket> right = OpenHost(nodes.Get(1), "10.2.0.1", &received[1]);
    for (Time at = Seconds(1); at < Seconds(60); at += MilliSeconds(100), sent++) {
        Simulator::Schedule(at, [=]() {
            left->SendTo(Create<Packet>(1000), 0, InetSocketAddress("10.2.0.1", 9));
            right->SendTo(Create<Packet>(1000), 0, InetSocketAddress("10.1.0.1", 9));
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
