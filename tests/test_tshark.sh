# Wireshark as the judge: tshark reads every frame of every case of every scenario without a malformed frame or an
# expert error, decrypts every encrypted ISAKMP message and every ESP packet (those inside UDP and AH too) with the
# tables beside the capture, finds every ICV good, and parses every AH packet.
#
# Exempt, and computed here, not listed:
# - an encrypted ISAKMP message that is byte for byte an earlier one of the same capture, a resend: tshark 4.0 chains
#   its IV a second time and then finds nonsense in it, and in what follows in the same exchange;
# - messages under an ISAKMP SA whose Phase 1 is not in the capture (mode="preset"): tshark takes the IV from there;
# - encrypted messages of a Phase 1 after which nothing came under its cookies: the ends' keys differ.
# - where a scenario has attackers, what came to a gateway without having left any other one (frames are known by
#   their MD5, each copy once): what was injected; tests/test_tshark_attacks.sh counts these.
# - the ICV of ESP where a Quick Mode of the capture spoke of extended sequence numbers: tshark does not know their upper
#   half, which the ICV covers (tests/test_scapy.sh judges those).
# tshark does not compute the ICV of AH.
#
# PHASE2SIM_CAPTURES=1 judges of each case that gateway's capture only which has most in it, in half the time.
set -e
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

cat >"$out/judge.sh" <<'END'
capture=$1 folder=$(dirname "$1")
: >"$2.sent"
own=
if [ -f "$folder/../../attacked" ]; then
    own=$(sed -n "s/.*<gateway name=\"$(basename "$capture" .pcap)\" address=\"\([^\"]*\)\".*/\1/p" \
        "$folder/../../scenario.xml")
    for other in "$folder"/*.pcap; do
        [ "$other" = "$capture" ] || tshark -o frame.generate_md5_hash:TRUE -r "$other" -T fields -e frame.md5_hash \
            2>"$2.err" >>"$2.sent"
    done
fi
WIRESHARK_CONFIG_DIR=$(dirname "$capture") tshark -o frame.generate_md5_hash:TRUE \
    -r "$capture" -T fields -E separator='|' -E occurrence=a \
    -e frame.number -e isakmp.flags -e isakmp.typepayload -e udp.payload -e esp.spi -e esp.protocol -e esp.icv_good \
    -e esp.icv_bad -e _ws.malformed -e _ws.expert.severity -e isakmp.ispi -e isakmp.rspi -e isakmp.exchangetype \
    -e isakmp.messageid -e ah.spi -e ah.sequence -e ah.icv -e udp.port -e frame.md5_hash -e ip.src \
    -e ip.flags.mf -e ipv6.fraghdr.more -e ip.frag_offset -e isakmp.ipsec.attr.type \
    2>"$2.err" >"$2.fields" || { cat "$2.err"; exit 1; }
awk -F'|' -v capture="$capture" -v own="$own" '
function complain(what) { print capture " frame " $1 ": " what; bad++ }
pass == 0 { sent[$1]++; next }
# First pass: which ISAKMP SAs began here, and which came to anything.
pass == 1 {
    if ($13 == 2 || $13 == 4) begun[$11] = 1
    if ($13 == 32 || $13 == 5) used[$11 " " $12] = 1
    if ($13 == 32 && ("," $24 ",") ~ /,11,/) esn = 1
    next
}
{
    split($20, source, ",") # the outer header comes first
    if (own != "" && source[1] != own && sent[$19]-- <= 0) { injected++; next }
    frames++
    encrypted = ($2 != "" && $2 % 2 == 1) || $2 ~ /^0x0[1357]$/
    if (encrypted) {
        isakmp++
        exchange = $11 " " $12 " " $14
        if (!($11 in begun)) { preset++; next }
        if (($13 == 2 || $13 == 4) && !(($11 " " $12) in used)) { unkeyed++; next }
        if (seen[$4]++) { resends++; broken[exchange] = 1; next }
        if (exchange in broken) { resends++; next }
        if ($3 == "") complain("ISAKMP message not decrypted")
    }
    if ($5 != "") {
        esp++
        if ($6 == "") complain("ESP packet not decrypted")
        if (!esn && ($7 !~ /^(1|True)/ || $8 ~ /^(1|True)/)) complain("ICV not good")
    }
    if ($15 != "") {
        ah++
        if ($16 + 0 == 0 || $17 == "") complain("AH packet not parsed")
    }
    # Nothing else is outside: no packet of a protected network in clear. Of fragments the last one shows what they are.
    piece = $21 ~ /^(1|True)/ || $22 ~ /^(1|True)/ || $23 + 0 > 0
    if ($5 == "" && $15 == "" && $2 == "" && $18 !~ /4500/ && !piece) complain("neither IKE nor IPsec")
    if ($9 != "") complain("malformed")
    n = split($10, severity, ",")
    for (i = 1; i <= n; i++) if (severity[i] + 0 >= 8388608) complain("expert error")
}
END {
    if (frames == 0) { print capture ": nothing to judge"; bad++ }
    print capture ": " frames + 0 " frames, " isakmp + 0 " encrypted ISAKMP (exempt: " resends + 0 " resent, " preset + 0 \
        " preset, " unkeyed + 0 " without keys), " esp + 0 " ESP, " ah + 0 " AH, " bad + 0 " bad"
    exit bad > 0
}' pass=0 "$2.sent" pass=1 "$2.fields" pass=2 "$2.fields"
END

for file in scenarios/*.xml; do
    name=$(basename "$file" .xml)
    set -- -o "$out/results/$name"
    case $name in # the others may promise totals of all their runs
    rekey-storm) set -- "$@" --runs 1 --set "//gateway[@name='spoke']/@count=3" ;;
    rekey-pfs | lossy-rekey) set -- "$@" --runs 1 --set "/scenario/@duration=50s" ;;
    esac
    $B/phase2sim run "$file" "$@" >"$out/report" 2>&1 || { cat "$out/report"; exit 1; }
    if grep -qE '<(replay|forge|flood) ' "$file"; then touch "$out/results/$name/attacked"; fi
done

# Gateways that nobody speaks to have empty captures.
find "$out/results" -mindepth 3 -maxdepth 3 -type d | sort >"$out/cases"
while read -r case; do
    found=$(find "$case" -name '*.pcap' -size +24c -exec ls -S {} + | head -n "${PHASE2SIM_CAPTURES:-1000}")
    [ -n "$found" ] || { echo "$case: no captures"; exit 1; }
    echo "$found"
done <"$out/cases" >"$out/list"
n=0
while read -r capture; do
    n=$((n + 1))
    printf '%s\0%s\0' "$capture" "$out/$n"
done <"$out/list" >"$out/jobs"
xargs -0 -n 2 -P "$(nproc)" sh "$out/judge.sh" <"$out/jobs" >"$out/verdicts" || { grep -v ' 0 bad$' "$out/verdicts"; exit 1; }
awk '{ for (i = 3; i <= NF; i++) {
           if ($i ~ /^(ESP|AH)/) sum[substr($i, 1, 2)] += $(i - 1)
           if ($i == "ISAKMP") opened += $(i - 2)
           if ($i ~ /^(resent|preset|without)/) { opened -= $(i - 1); exempt += $(i - 1) }
       } }
    END { print NR " captures are good: " opened " ISAKMP messages opened, " exempt " exempt, " sum["ES"] " ESP, " sum["AH"] " AH"
          exit NR < 150 || opened < 1500 || exempt > opened / 4 || sum["ES"] < 10000 || sum["AH"] < 60 }' "$out/verdicts"
