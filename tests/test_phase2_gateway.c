/* Gateways on simulated nodes: they establish, carry packets both ways, may be re-entered, and repeat
 * exactly. */
#include "gateway_fixture.h"

#include <unistd.h>

static void a_pair_establishes_and_carries_packets(void)
{
    pair_open(1, 1500);
    ns3c_run(P2_SECOND);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(sites[i].phase1_ready, 1);
        CU_ASSERT_EQUAL(sites[i].phase2_ready, 1);
        CU_ASSERT_EQUAL(sites[i].failed, 0);
        CU_ASSERT_EQUAL(sites[i].installed, 2);
    }
    /* Main mode has six messages and Quick Mode three: nine one-way delays, and the serialisation of each. */
    CU_ASSERT_TRUE(sites[1].ready_at > 90 * P2_MS && sites[1].ready_at < 91 * P2_MS);
    exchange_packets(50, 1000);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(sites[i].received, 50);
        CU_ASSERT_EQUAL(sites[i].drops, 0);
        for (unsigned j = 0; j < 50; j++)
            CU_ASSERT_EQUAL(sites[i].marks[j], j + 1 + (i == 0 ? 1000 : 0));
    }
    sites_close();
}

static void without_a_tunnel_yet_packets_are_dropped(void)
{
    pair_open(1, 1500);
    exchange_packets(1, 100); /* at time 0, before any SA */
    CU_ASSERT_EQUAL(sites[0].received + sites[1].received, 0);
    CU_ASSERT_EQUAL(sites[0].drops, 1);
    CU_ASSERT_EQUAL(sites[1].drops, 1);
    sites_close();
}

static void outer_packets_are_fragmented_and_reassembled(void)
{
    pair_open(1, 1000);
    ns3c_run(P2_SECOND);
    exchange_packets(20, 1400);
    CU_ASSERT_EQUAL(sites[0].received, 20);
    CU_ASSERT_EQUAL(sites[1].received, 20);
    CU_ASSERT_EQUAL(sites[0].drops + sites[1].drops, 0);
    sites_close();
}

static void a_delivery_may_send_into_the_tunnel(void)
{
    pair_open(1, 1500);
    sites[1].echoes = true;
    ns3c_run(P2_SECOND);
    for (unsigned i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(
            ns3c_udp_send(sites[0].host, ns3c_v4(host_address(1)), HOST_PORT, (const uint8_t *)"ping", 4, i),
            0);
    ns3c_run(2 * P2_SECOND);
    CU_ASSERT_EQUAL(sites[1].received, 10);
    CU_ASSERT_EQUAL(sites[0].received, 10);
    for (unsigned i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(sites[0].marks[i], 1000000 + i);
    sites_close();
}

static void a_hub_passes_from_tunnel_to_tunnel(void)
{
    hub_open(P2_ROUTE_BASED);
    ns3c_run(P2_SECOND);
    CU_ASSERT_EQUAL(sites[0].phase2_ready, 2);
    check_spoke_to_spoke();
    sites_close();
}

static void a_rekey_can_be_asked_for(void)
{
    pair_open(1, 1500);
    ns3c_run(P2_SECOND);
    phase2_gateway_rekey(sites[0].gateway, 0);
    exchange_packets(20, 100);
    ns3c_run(10 * P2_SECOND);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(sites[i].phase1_ready, 1);
        CU_ASSERT_EQUAL(sites[i].phase2_ready, 2);
        CU_ASSERT_EQUAL(sites[i].installed, 4);
        CU_ASSERT_EQUAL(sites[i].received, 20);
    }
    sites_close();
}

static size_t run_captured(const char *file, uint64_t run, uint8_t *bytes, size_t capacity)
{
    pair_open(run, 1500);
    struct ns3c_capture *capture = ns3c_capture_open(sites[0].node, file);
    CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
    ns3c_run(P2_SECOND);
    exchange_packets(20, 200);
    CU_ASSERT_EQUAL(ns3c_capture_close(capture), 0);
    sites_close();
    FILE *f = fopen(file, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    size_t len = fread(bytes, 1, capacity, f);
    fclose(f);
    return len;
}

static void captures_repeat_byte_for_byte(void)
{
    static uint8_t first[1 << 16], again[1 << 16], other[1 << 16];
    char file[] = "/tmp/phase2-capture-XXXXXX", command[300], line[200] = "";
    int fd = mkstemp(file);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    close(fd);
    size_t other_len = run_captured(file, 2, other, sizeof other);
    size_t first_len = run_captured(file, 1, first, sizeof first);
    size_t again_len = run_captured(file, 1, again, sizeof again);
    CU_ASSERT_TRUE(first_len > 10000);
    CU_ASSERT_TRUE(first_len == again_len && memcmp(first, again, first_len) == 0);
    CU_ASSERT_TRUE(first_len != other_len || memcmp(first, other, first_len) != 0);

    /* Nothing in it is malformed, and tshark takes its packets for what they are: 9 of ISAKMP, 40 of ESP. */
    snprintf(command, sizeof command,
             "tshark -r %s -o ip.check_checksum:TRUE -T fields -e _ws.malformed -e _ws.expert.severity -e "
             "ip.proto "
             "2>/dev/null | tr -d '\\t' | sort | uniq -c | tr -s ' \\n' ' '",
             file);
    FILE *pipe = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(pipe);
    CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof line, pipe));
    pclose(pipe);
    CU_ASSERT_STRING_EQUAL(line, " 9 17 40 50 ");
    unlink(file);
}

CHECK_MAIN("phase2 gateway",
           {"a pair establishes and carries packets", a_pair_establishes_and_carries_packets},
           {"without a tunnel yet packets are dropped", without_a_tunnel_yet_packets_are_dropped},
           {"outer packets are fragmented and reassembled", outer_packets_are_fragmented_and_reassembled},
           {"a delivery may send into the tunnel", a_delivery_may_send_into_the_tunnel},
           {"a hub passes from tunnel to tunnel", a_hub_passes_from_tunnel_to_tunnel},
           {"a rekey can be asked for", a_rekey_can_be_asked_for},
           {"captures repeat byte for byte", captures_repeat_byte_for_byte})
