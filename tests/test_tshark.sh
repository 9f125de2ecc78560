# Wireshark as the judge: tshark reads every frame of every case of every scenario without a malformed frame or an
# expert error, decrypts every encrypted ISAKMP message and every ESP packet (those inside UDP and AH too) with the
# tables beside the capture, finds every ICV good, and parses every AH packet.
#
# Exempt, and computed here, not listed:
# - an encrypted ISAKMP message that is byte for byte an earlier one of the same capture, a resend: tshark 4.0 chains
#   its IV a second time and then finds nonsense in it, and in what follows in the same exchange;
# - messages under an ISAKMP SA whose Phase 1 is not in the capture (mode="preset"): tshark takes the IV from there;
# - encrypted messages of a Phase 1 after which nothing came under its cookies: the ends' keys differ.
# tshark does not compute the ICV of AH.
#
# Of each case that gateway's capture is judged that has most in it; PHASE2SIM_CAPTURES=100 judges as many
# of each, which takes minutes.
set -e
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

cat >"$out/judge.sh" <<'END'
capture=$1
WIRESHARK_CONFIG_DIR=$(dirname "$capture") tshark -r "$capture" -T fields -E separator='|' -E occurrence=a \
    -e frame.number -e isakmp.flags -e isakmp.typepayload -e udp.payload -e esp.spi -e esp.protocol -e esp.icv_good \
    -e esp.icv_bad -e _ws.malformed -e _ws.expert.severity -e isakmp.ispi -e isakmp.rspi -e isakmp.exchangetype \
    -e isakmp.messageid -e ah.spi -e ah.sequence -e ah.icv -e udp.port \
    2>"$2.err" >"$2.fields" || { cat "$2.err"; exit 1; }
awk -F'|' -v capture="$capture" '
function complain(what) { print capture " frame " $1 ": " what; bad++ }
# First pass: which ISAKMP SAs began here, and which came to anything.
FNR == NR {
    if ($13 == 2 || $13 == 4) begun[$11] = 1
    if ($13 == 32 || $13 == 5) used[$11 " " $12] = 1
    next
}
{
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
        if ($7 !~ /^(1|True)/ || $8 ~ /^(1|True)/) complain("ICV not good")
    }
    if ($15 != "") {
        ah++
        if ($16 + 0 == 0 || $17 == "") complain("AH packet not parsed")
    }
    # Nothing else is outside: no packet of a protected network in clear.
    if ($5 == "" && $15 == "" && $2 == "" && $18 !~ /4500/) complain("neither IKE nor IPsec")
    if ($9 != "") complain("malformed")
    n = split($10, severity, ",")
    for (i = 1; i <= n; i++) if (severity[i] + 0 >= 8388608) complain("expert error")
}
END {
    if (frames == 0) { print capture ": nothing to judge"; bad++ }
    print capture ": " frames + 0 " frames, " isakmp + 0 " encrypted ISAKMP (exempt: " resends + 0 " resent, " preset + 0 \
        " preset, " unkeyed + 0 " without keys), " esp + 0 " ESP, " ah + 0 " AH, " bad + 0 " bad"
    exit bad > 0
}' "$2.fields" "$2.fields"
END

for file in scenarios/*.xml; do
    name=$(basename "$file" .xml)
    set -- --runs 1 -o "$out/results/$name"
    case $name in
    rekey-storm) set -- "$@" --set "//gateway[@name='spoke']/@count=3" ;;
    rekey-pfs | lossy-rekey) set -- "$@" --set "/scenario/@duration=50s" ;;
    esac
    $B/phase2sim run "$file" "$@" >"$out/report" 2>&1 || { cat "$out/report"; exit 1; }
done

# Gateways that nobody speaks to have empty captures.
find "$out/results" -mindepth 3 -maxdepth 3 -type d | sort >"$out/cases"
while read -r case; do
    found=$(find "$case" -name '*.pcap' -size +24c -exec ls -S {} + | head -n "${PHASE2SIM_CAPTURES:-1}")
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
