# The data path through the whole program: what the scenarios of the library expect holds, packets fit or do not fit
# paths of several links, and good packets are told from copies.
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failures=0 checks=0

# exits CODE SCENARIO ARGUMENTS...
exits() {
    wanted=$1 scenario=$2
    shift 2
    $B/phase2sim run "$scenario" --no-pcap -o "$out/run" "$@" >"$out/report.txt" 2>&1
    got=$?
    checks=$((checks + 1))
    [ $got -eq "$wanted" ] && return
    failures=$((failures + 1))
    echo "FAILED: exit code $got, not $wanted: $scenario $*"
    cat "$out/report.txt"
}

# says WORDS: in the report of the last run.
says() {
    checks=$((checks + 1))
    tr -s ' \n' ' ' <"$out/report.txt" | grep -q -e "$1" && return
    failures=$((failures + 1))
    echo "FAILED: the report does not say: $1"
    cat "$out/report.txt"
}

for name in replay-window-size replay-window-reorder ah-and-esp esn fragments-and-df; do
    exits 0 "scenarios/$name.xml"
    case $name in
    replay-window-size) says 'With 32 / copy, [0-9]* of 18040 packets are dropped by the replay window' ;;
    ah-and-esp) says 'A packet grows by 44.0 bytes with ah and by 84.0 with ah-aes' ;;
    fragments-and-df) says 'copy / true / after 600 0 600 600 - -' ;;
    esac
done
# Without priority nothing overtakes, so no window drops good packets, and what is expected of small ones fails.
exits 1 scenarios/replay-window-size.xml --runs 1 --set '//class/@priority=0'
says 'FAILS window=32,dscp=copy: false-positives'

# The same bytes from one process as from four, though queues decide what is sent next.
one=$out/one four=$out/four
$B/phase2sim run scenarios/replay-window-size.xml --runs 1 --jobs 1 -o "$one" >/dev/null 2>&1
$B/phase2sim run scenarios/replay-window-size.xml --runs 1 --jobs 4 -o "$four" >/dev/null 2>&1
checks=$((checks + 1))
if ! cmp "$one/summary.json" "$four/summary.json" || ! diff -rq "$one/captures" "$four/captures"; then
    failures=$((failures + 1))
    echo "FAILED: --jobs changes what comes out"
fi

# What Wireshark sees of the outer headers: DSCP 46 of the voice, copied or not, and its packets ahead of lower numbers.
esp() { # CASE FILTER
    tshark -r "$one/captures/$1-1/right.pcap" -Y "esp && ip.src == 203.0.113.1 $2" -T fields -e esp.sequence 2>/dev/null
}
counts() { # WHAT COUNT LOW HIGH
    checks=$((checks + 1))
    [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] && return
    failures=$((failures + 1))
    echo "FAILED: $1: $2, not $3 to $4"
}
overtaken() { awk '$1 < top { n++ } $1 > top { top = $1 } END { print n + 0 }'; }
counts "voice packets marked" "$(esp window=64,dscp=copy '&& ip.dsfield.dscp == 46' | wc -l)" 7500 7500
counts "other packets" "$(esp window=64,dscp=copy '&& ip.dsfield.dscp == 0' | wc -l)" 1520 1520
counts "packets marked with dscp=zero" "$(esp window=64,dscp=zero '&& ip.dsfield.dscp != 0' | wc -l)" 0 0
counts "packets that were overtaken" "$(esp window=64,dscp=copy | overtaken)" 1400 1520
counts "packets that were overtaken with dscp=zero" "$(esp window=64,dscp=zero | overtaken)" 0 0

# A path is as wide as its narrowest link, wherever that is. Cut up outside, inside, or not at all.
paths=tests/vectors/scenarios
for path in path path-nat; do
    for fragments in after before; do
        exits 0 $paths/$path.xml --set "//policy/@fragments=$fragments"
    done
    exits 0 $paths/$path.xml --set '//policy/@df-bit=clear' --set '//flow/@df=true'
    exits 1 $paths/$path.xml --set '//flow/@df=true'
    says 'base 400 0 400 400 - -'
done
# Tunnel mode, ESP, AES-CBC and HMAC-SHA1-96 make 20 + 8 + 16 + 12 bytes around whole blocks, the last two bytes of which
# are the trailer: of 1,300 bytes 1,244 are left, hence 77 blocks. Through a NAT UDP takes 8: of 1,280 just 76 blocks.
for fits in path:1230 path-nat:1214; do
    path=${fits%:*} size=${fits#*:}
    exits 0 $paths/$path.xml --set '//flow/@df=true' --set "//flow/@size=${size}B"
    exits 1 $paths/$path.xml --set '//flow/@df=true' --set "//flow/@size=$((size + 1))B"
    says 'base 400 0 400 400 - -'
done
# IPv6: the sender alone fragments, so ahead of protection all arrive; behind it the first one in each direction tells the
# sender what a router has no room for (RFC 8200 section 5).
exits 1 $paths/path6.xml
says 'base 400 398 2 '
exits 1 $paths/path6.xml --set '//flow/@df=true'
says 'base 400 0 400 400 - -'

# Copies that a link makes are rejected, and no good packet with them; without a window they come twice.
exits 0 $paths/copies.xml
exits 1 $paths/copies.xml --set '//policy/@replay-window=off'
says 'FAILS packets-received is equal to 2000 (seen: 2[0-9]* packets in case base)'
says 'holds packets-delivered is equal to 2000'

echo "$checks checks, $failures failed"
[ $failures -eq 0 ] && [ $checks -gt 0 ]
