# The scenario library, as a user runs it: every scenario loads, runs and keeps what it promises; and its promises can
# be broken: a change of the scenario that should break one does.
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failures=0 checks=0
export PHASE2SIM_SCENARIOS=scenarios # wherever $B is

# Those that measure rather than judge promise nothing, and one run of each is enough here.
measures=" lossy-rekey rekey-pfs rekey-storm two-gateways "

# run NAME EXIT ARGUMENTS...
run() {
    name=$1 wanted=$2
    shift 2
    case "$measures" in *" $name "*) runs="--runs 1" ;; *) runs= ;; esac
    "$B/phase2sim" run "$name" $runs --no-pcap -o "$out/result" "$@" >"$out/report" 2>&1 </dev/null
    got=$?
    checks=$((checks + 1))
    [ $got -eq "$wanted" ] && return
    failures=$((failures + 1))
    echo "FAILED: $name $*: exit code $got, not $wanted"
    if [ $got -ge 2 ]; then cat "$out/report"; else grep -A2 '^  FAILS' "$out/report"; fi
}

for file in scenarios/*.xml; do
    name=$(basename "$file" .xml)
    case $name in
    rekey-storm) run "$name" 0 --set "//gateway[@name='spoke']/@count=50" ;; # the time of the test
    *) run "$name" 0 ;;
    esac
    checks=$((checks + 1))
    case $measures in
    *" $name "*) continue ;;
    esac
    if ! grep -q '^  holds' "$out/report"; then
        failures=$((failures + 1))
        echo "FAILED: $name expects nothing"
    fi
done

# breaks NAME PATH=VALUE METRIC: then an expectation about METRIC fails.
breaks() {
    run "$1" 1 --set "$2"
    checks=$((checks + 1))
    if ! sed -n '/^Expectations/,$p' "$out/report" | tr -s ' \n' ' ' | grep -q "FAILS [^()]*$3"; then
        failures=$((failures + 1))
        echo "FAILED: $1 --set $2: no expectation about $3 failed"
    fi
}
# What a person reads of it: how many agreed, and on what.
run proposal-sets 0
for line in "In 5 of 9 cases a tunnel came up." "compatible / basic  *1  *0  nopfs-esp-des-sha  *-$" \
    "standard / compatible  *0  *1  -  *pfs-group$"; do
    checks=$((checks + 1))
    grep -q "$line" "$out/report" || { failures=$((failures + 1)); echo "FAILED: proposal-sets does not say: $line"; }
done

breaks proposal-sets '//policy/@pfs=none' failure-field
breaks custom-proposals "//tunnel[@name='to-order']/end[2]//@use=nopfs-esp-3des-sha" chosen-proposal
breaks pfs-mismatch '//link/@loss=100%' phase1-established
breaks proxy-id-mismatch "//tunnel[@name='to-wider']/end[2]/proxy-id/@local=10.2.0.0/24" failures.INVALID-ID-INFORMATION
breaks protocol-mismatch "//tunnel[@name='to-ah-ah']/end[2]//@authentication=hmac-md5-96" chosen-proposal
breaks mode-mismatch '//link/@loss=100%' established
breaks lifetime-mismatch '//end[1]/policy/@soft=90%' established
breaks lifetime-size-mismatch '//flow/@packets=25/s' established
breaks wrong-key "//tunnel[@name='to-other-key']//@pre-shared-key=the same after all" failures.wrong-key
breaks lossy-link '//policy/@replay-window=off' drops.replayed
breaks rekey-races '//phase1/@tries=0' retransmissions
breaks late-messages '//lose/@delay=1ms' retransmissions
breaks delete-race '//at/@time=12990ms' drops.unknown-spi
breaks restart '//phase1/@dpd-tries=50' packets-delivered
breaks phase1-modes '//link/@delay=20ms' rekey-latency
breaks policy-and-route-based '//end[1]/proxy-id/@local=10.0.0.0/23' drops.no-policy
breaks nat-traversal '//nat/@timeout=60s' drops.nat-unsolicited
breaks ipv6 "//tunnel[@name='six-in-four']/end[1]/proxy-id/@remote=fd00:9::/64" established
breaks isakmp-rekey '//link/@delay=20ms' rekey-latency
breaks dead-peer '//phase1/@dpd-tries=50' established

echo "$checks checks, $failures failures"
[ $failures -eq 0 ] && [ $checks -gt 0 ]
