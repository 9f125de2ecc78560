# The scenarios about attackers: each one's expectations hold, the fates of what was injected add up, the same seed gives
# the same bytes and another one others, a capture has what was injected, and the debug log says why a packet went no
# further.
set -e
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for name in replay-basic replay-after-rekey replay-quick-mode forged-packets hash-flood replay-flood phase1-keys-compromised; do
    $B/phase2sim run scenarios/$name.xml -o "$out/$name" --no-pcap >"$out/$name.txt" || { cat "$out/$name.txt"; exit 1; }
    grep -q '^Attacks$' "$out/$name.txt"
    if grep -q FAILS "$out/$name.txt"; then exit 1; fi
done

# One of everything.
cat >"$out/all.xml" <<'XML'
<scenario xmlns="urn:phase2sim:scenario:1" name="all" duration="12s">
  <topology>
    <gateway name="left" address="203.0.113.1" protects="10.1.0.0/24"/>
    <gateway name="right" address="198.51.100.1" protects="10.2.0.0/24"/>
    <link from="left" to="right" delay="10ms" rate="100Mbps" loss="1%" jitter="1ms"/>
  </topology>
  <tunnels>
    <tunnel name="vpn" establish="immediately">
      <phase1 pre-shared-key="change me" group="group2"/>
      <policy pfs="none" lifetime="6s"><proposal use="nopfs-esp-aes128-sha"/></policy>
      <end gateway="left"/><end gateway="right"/>
    </tunnel>
  </tunnels>
  <traffic>
    <flow from="left" to="right" packets="50/s" size="200B" start="1s"/>
    <flow from="right" to="left" packets="50/s" size="200B" start="1s"/>
  </traffic>
  <timeline>
    <at time="4s">
      <replay on="left-right" order="random"/>
      <replay on="left-right" sent-by="left" toward="left"/>
      <forge on="left-right" kind="flip-bits"/>
      <forge on="left-right" kind="truncate" packets="40" rate="100/s"/>
      <flood on="left-right" toward="left" kind="quick-mode-bad-hash" rate="100/s" packets="50"/>
      <flood on="left-right" toward="left" kind="replayed-ike" rate="100/s" packets="50"/>
      <flood on="left-right" toward="left" kind="replayed-esp" rate="100/s" packets="50"/>
      <flood on="left-right" toward="left" kind="spoofed-esp" rate="100/s" packets="50"/>
    </at>
    <at time="10s"><compromise on="left-right" knows="skeyid-d skeyid-e"/></at>
  </timeline>
</scenario>
XML
worker() { # name, seed
    mkdir -p "$out/$1"
    $B/phase2sim-worker --case base --run 1 --seed $2 --captures "$out/$1" <"$out/all.xml" >"$out/$1.records" 2>"$out/$1.log"
    [ ! -s "$out/$1.log" ] || { echo "the worker says something by itself"; exit 1; }
}
worker one 1
worker two 1
worker other 2
cmp "$out/one.records" "$out/two.records"
cmp "$out/one/right.pcap" "$out/two/right.pcap"
for same in one.records one/left.pcap one/right.pcap; do
    other=$(echo $same | sed s/one/other/)
    if cmp -s "$out/$same" "$out/$other"; then echo "another seed gives the same $same"; exit 1; fi
done

# Every injected packet has one fate.
number() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }
grep '"type":"attack"' "$out/one.records" >"$out/attacks"
[ "$(wc -l <"$out/attacks")" -eq 8 ]
field() { echo "$record" | number $1; }
one_fate_each() {
    while read -r record; do
        injected=$(field injected) arrived=$(field arrived)
        sum=$(($(field replayed) + $(field too_old) + $(field icv_mismatch) + $(field unknown_spi)))
        sum=$((sum + $(field other) + $(field answered) + $(field unfinished) + $(field accepted)))
        if [ "$injected" -lt 7 ] || [ "$arrived" -ne "$injected" ] || [ "$sum" -ne "$arrived" ]; then
            echo "$injected injected, $arrived arrived, $sum fates: $record"
            exit 1
        fi
    done
}
one_fate_each <"$out/attacks"

# So too behind NATs with extended numbers, and in IPv6 with AH around ESP; and the keys open all of it.
for name in attack-nat attack-ipv6; do
    $B/phase2sim-worker --case base --run 1 --seed 1 <tests/vectors/scenarios/$name.xml >"$out/$name.records"
    grep '"type":"attack"' "$out/$name.records" >"$out/some"
    [ "$(wc -l <"$out/some")" -ge 5 ]
    one_fate_each <"$out/some"
    grep '"type":"compromise"' "$out/$name.records" | while read -r record; do
        if [ "$(field packets)" -le 1000 ] || [ "$(field packets)" -ne "$(field packets_read)" ]; then
            echo "not all was read: $record"
            exit 1
        fi
    done
done

# Copies that overtake their originals are accepted in their place. The window then rejects the originals, which is no
# false positive; without one they come twice. What a cut link lost and an attacker brings has come, too.
overtake() { # window, link's timeline
    sed -e 's/delay="10ms" rate="100Mbps" loss="1%" jitter="1ms"/delay="100ms"/' -e '/<timeline>/,/<\/timeline>/d' \
        -e 's/lifetime="6s"/lifetime="60s" replay-window="'$1'"/' -e 's/start="1s"/& stop="11s"/' \
        -e "s|</traffic>|&<timeline>$2</timeline>|" "$out/all.xml" >"$out/overtake.xml"
    $B/phase2sim-worker --case base --run 1 --seed 1 <"$out/overtake.xml" >"$out/overtake.records"
    record=$(grep '"type":"attack"' "$out/overtake.records")
    seen="$(field injected) $(field accepted) $(field came_first)"
    for member in sent received delivered false_positives; do
        seen="$seen $(grep '"type":"flow"' "$out/overtake.records" | number $member | awk '{ n += $1 } END { print n }')"
    done
    echo "$seen"
}
burst='<at time="4s"><replay on="left-right" capture="90ms" order="burst"/></at>'
cut='<at time="3s"><cut link="left-right" for="1s"/></at><at time="4s"><replay on="left-right" capture="1s" rate="1000/s"/></at>'
is() { [ "$1" = "$2" ] || { echo "expected $2, seen $1"; exit 1; }; }
is "$(overtake 64 "$burst")" "10 10 10 1000 1000 1000 0"
is "$(overtake off "$burst")" "10 10 10 1000 1010 1000 0"
is "$(overtake 64 "$cut")" "100 100 100 1000 1000 1000 0"

# What waits for the CPU when the run is over was not rejected, and it does so for an SA that is there.
sed -e '/<topology>/i <cpu-profile name="slow" base="'$PWD'/scenarios/profiles/xeon-emerald-rapids.xml" scale="100000"/>' \
    -e 's|protects="10.2.0.0/24"/>|protects="10.2.0.0/24"><cpu profile="slow" data="shared"/></gateway>|' \
    -e 's/<phase1/& mode="preset"/; s/lifetime="6s"/lifetime="60s"/; s|packets="50/s"|packets="1/s"|' \
    -e '/<timeline>/,/<\/timeline>/d' \
    -e 's|</traffic>|&<timeline><at time="11s"><flood on="left-right" toward="right" kind="spoofed-esp" rate="1000/s" packets="500"/></at></timeline>|' \
    "$out/all.xml" >"$out/slow.xml"
$B/phase2sim run "$out/slow.xml" -o "$out/slow" --no-pcap >"$out/slow.txt" || [ $? -eq 1 ]
record=$(tr -s '\n ' ' ' <"$out/slow.txt" | sed -n 's/.* flood spoofed-esp: of //p')
echo "$record" | grep -qE '^500 packets injected, 500 reached an SA that was there; [1-9][0-9]? were rejected, 4[0-9]{2} still waiting' ||
    { echo "unfinished: $record"; exit 1; }

# What the SAs counted is what was dropped and delivered under them: legitimate packets and injected ones together.
sas() { grep '"type":"sa"' "$out/one.records" | grep '"direction":"inbound"' | number $1 | awk '{ n += $1 } END { print n }'; }
drops() { grep '"type":"drop"' "$out/one.records" | grep "\"reason\":\"$1\"" | number packets | awk '{ n += $1 } END { print n }'; }
[ "$(sas replayed)" -gt 0 ] && [ "$(sas replayed)" -eq "$(drops replayed)" ]
[ "$(sas too_old)" -gt 0 ] && [ "$(sas too_old)" -eq "$(drops too-old)" ]
[ "$(sas icv_mismatch)" -gt 0 ] && [ "$(sas icv_mismatch)" -eq "$(drops icv-mismatch)" ]

# A line for each that went no further, only when asked for.
$B/phase2sim run "$out/all.xml" --runs 1 --no-pcap --debug -o "$out/debugged" >/dev/null || [ $? -eq 1 ]
debug="$out/debugged/debug/base-1.log"
$B/phase2sim-worker --case base --run 1 --seed 1 --debug "$out/again" <"$out/all.xml" | cmp - "$out/one.records"
cmp "$debug" "$out/again"
[ "$(grep -c '^RT_IPSEC_REPLAY: ' "$debug")" -eq $(($(drops replayed) + $(drops too-old))) ]
grep -qE '^RT_IPSEC_REPLAY: [0-9]+\.[0-9]{9} right tunnel vpn spi 0x[0-9a-f]{8} seq [0-9]+ replayed, window top [0-9]+ width 64$' \
    "$debug"
grep -qE '^RT_IPSEC_DROP: .* tunnel vpn spi 0x[0-9a-f]{8} seq [0-9]+ icv-mismatch$' "$debug"
grep -qE '^RT_IKE_DROP: .* left hash-mismatch$' "$debug"
echo "seven scenarios hold; one fate for each of $(number injected <"$out/attacks" | awk '{ n += $1 } END { print n }') injected packets"
