# Latency by perturbation, through the whole program: 1 ms more delay on the link adds exactly 3 ms of network to every
# negotiation and nothing else; doubled prices double the CPU part exactly. The same for a core alone, and for the
# resend timer, in tests/test_latency.c.
set -e
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
run() { # name, further arguments
    name=$1
    shift
    $B/phase2sim run tests/vectors/scenarios/quiet.xml --no-pcap -o "$out/$name" "$@" >/dev/null
    # latency, network, cpu, cpu_wait, retransmission_wait
    awk -F, 'NR > 1 { print $11, $12, $13, $14, $15 }' "$out/$name/rekeys.csv" >"$out/$name.txt"
}
run base
run slower --set '//link/@delay=21ms'
run dearer --set '//cpu-profile/@scale=40'
rows=$(wc -l <"$out/base.txt")
[ "$rows" -ge 5 ] || { echo "only $rows negotiations"; exit 1; }
paste -d' ' "$out/base.txt" "$out/slower.txt" | awk '
    $6 != $1 + 3000000 || $7 != $2 + 3000000 || $8 != $3 || $9 != $4 || $10 != $5 { print "delay: " $0; bad++ }
    $1 != $2 + $3 + $4 + $5 || $3 == 0 { print "sum: " $0; bad++ }
    END { exit bad > 0 || NR < 5 }'
paste -d' ' "$out/base.txt" "$out/dearer.txt" | awk '
    $8 != 2 * $3 || $7 != $2 || $9 != 0 || $10 != 0 { print "prices: " $0; bad++ }
    END { exit bad > 0 || NR < 5 }'
echo "$rows negotiations hold"
