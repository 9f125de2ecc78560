#!/bin/sh
# Stands in for phase2sim-worker in tests: reads a scenario, writes a small record stream that depends on nothing but
# its arguments. FAKE_WORKER says how it behaves:
#   ok         (or unset) as it should
#   mixed      as it should, but later runs end sooner, so that they overtake each other
#   loud       as it should, with a word on stderr
#   exit       run 2 ends with exit code 5 and a reason on stderr
#   crash      run 2 is killed by SIGSEGV after half of its records
#   silent     run 2 ends well, but without an end record
#   half       cases with a group hang after they began a capture
#   hang       run 2 hangs after it began a capture
#   lively     run 2 takes three seconds, and shows that it is alive meanwhile
#   slow       every run but the first hangs
#   together   every run but the first has a signal sent to its parent and ends with exit code 9, as if both had got it
#   refuse     every negotiation fails
#   broken     every run ends with exit code 1
while [ $# -gt 0 ]; do
    case $1 in
    --case) case_name=$2 ;;
    --run) run=$2 ;;
    --seed) seed=$2 ;;
    --captures) captures=$2 ;;
    --debug) debug=$2 ;;
    --alive) ;;
    *) echo "fake-worker: unknown option $1" >&2; exit 2 ;;
    esac
    shift 2
done
mode=${FAKE_WORKER:-ok}
bytes=$(wc -c)
[ "$bytes" -gt 0 ] || { echo "fake-worker: no scenario on stdin" >&2; exit 2; }
[ "$mode" = broken ] && { echo "out of order" >&2; exit 1; }
[ "$mode" = slow ] && [ "$run" != 1 ] && sleep 60
[ "$mode" = together ] && [ "$run" != 1 ] && { kill -TERM $PPID; exit 9; }
[ "$mode" = mixed ] && sleep "0.$((4 - run % 4))"
[ "$mode" = loud ] && echo "something to know" >&2
[ "$mode" = exit ] && [ "$run" = 2 ] && { echo "no memory for the world" >&2; exit 5; }
[ -n "$captures" ] && echo "a capture" >"$captures/hub.pcap"
[ -n "$debug" ] && echo "a line" >"$debug"
[ "$mode" = hang ] && [ "$run" = 2 ] && sleep 60
[ "$mode" = lively ] && [ "$run" = 2 ] && for i in 1 2 3 4 5 6; do sleep 0.5; printf . >&3; done
[ "$mode" = half ] && case $case_name in *group*) sleep 60 ;; esac
awk -v case_name="$case_name" -v run="$run" -v seed="$seed" -v mode="$mode" '
# mawk stops %d at 2^31, hence %.0f for times.
function cpu_of(name) { return name ~ /group14/ ? 61000000 : name ~ /group/ ? 4200000 : 200000 }
BEGIN {
    printf "{\"type\":\"run\",\"format\":\"phase2sim-records/1\",\"scenario\":\"fake\",\"case\":\"%s\",\"run\":%d,\"seed\":%d,\"duration_ns\":60000000000}\n", case_name, run, seed
    printf "{\"type\":\"phase1\",\"initiator\":\"spoke\",\"responder\":\"hub\",\"mode\":\"main\",\"outcome\":\"established\",\"failure\":null,\"explanation\":null,\"started_ns\":0,\"latency_ns\":%.0f}\n", 200000000 + run
    for (i = 0; i < 8; i++) {
        network = 40000000 + (run * 7919 + i * 104729 + seed * 31) % 2000000
        cpu = cpu_of(case_name); wait = i * 10000
        if (mode == "refuse")
            printf "{\"type\":\"negotiation\",\"tunnel\":\"vpn\",\"initiator\":\"spoke\",\"responder\":\"hub\",\"reason\":\"%s\",\"message_id\":\"%08x\",\"outcome\":\"failed\",\"failure\":\"NO-PROPOSAL-CHOSEN\",\"failure_field\":\"pfs-group\",\"offered\":\"none\",\"acceptable\":\"group14\",\"explanation\":\"spoke offers no PFS, but hub takes group14 only.\",\"pfs_group\":null,\"started_ns\":%.0f,\"latency_ns\":null,\"network_ns\":null,\"cpu_ns\":null,\"cpu_wait_ns\":null,\"retransmission_wait_ns\":null,\"initiator_ready_ns\":null,\"responder_ready_ns\":null,\"cpu_off_path_ns\":0,\"retransmissions\":0,\"blackout_ns\":null,\"packets_lost\":0}\n", i ? "soft-lifetime" : "initial", i + 1, i * 7000000000
        else
            printf "{\"type\":\"negotiation\",\"tunnel\":\"vpn\",\"initiator\":\"spoke\",\"responder\":\"hub\",\"reason\":\"%s\",\"message_id\":\"%08x\",\"outcome\":\"established\",\"failure\":null,\"failure_field\":null,\"offered\":null,\"acceptable\":null,\"explanation\":null,\"pfs_group\":%s,\"started_ns\":%.0f,\"latency_ns\":%.0f,\"network_ns\":%.0f,\"cpu_ns\":%.0f,\"cpu_wait_ns\":%.0f,\"retransmission_wait_ns\":0,\"initiator_ready_ns\":%.0f,\"responder_ready_ns\":%.0f,\"cpu_off_path_ns\":1000,\"retransmissions\":%d,\"blackout_ns\":%.0f,\"packets_lost\":%d}\n", i ? "soft-lifetime" : "initial", i + 1, case_name ~ /group14/ ? "14" : "null", i * 7000000000, network + cpu + wait, network, cpu, wait, network, network + cpu + wait, i == 3, i * 1000000, i == 5
        if (i == 4 && mode == "crash" && run == 2) exit
    }
    printf "{\"type\":\"flow\",\"name\":\"spoke>hub\",\"sent\":1500,\"received\":1499,\"delivered\":1499,\"false_positives\":0,\"lost_on_links\":1,\"lost_without_sa\":0,\"lost_too_big\":0,\"lost_to_cpu\":0,\"lost_otherwise\":0,\"unaccounted\":0,\"icmp_too_big\":0,\"size_bytes\":300,\"protected_packets\":1500,\"protected_bytes\":540000,\"longest_gap_ns\":80000000,\"mean_delay_ns\":20400000}\n"
    printf "{\"type\":\"drop\",\"gateway\":\"hub\",\"reason\":\"replayed\",\"packets\":%d}\n", run
    printf "{\"type\":\"cpu\",\"gateway\":\"hub\",\"cores\":1,\"jobs\":24,\"busy_ns\":%.0f,\"waited_ns\":280000,\"longest_queue\":3}\n", 8 * cpu_of(case_name)
    if (!(mode == "silent" && run == 2))
        printf "{\"type\":\"end\",\"records\":13,\"simulated_ns\":60000000000,\"events\":123456}\n"
}'
[ "$mode" = crash ] && [ "$run" = 2 ] && kill -SEGV $$
exit 0
