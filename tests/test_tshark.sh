# Wireshark as the judge: tshark reads every frame of every capture of rekey-pfs without a malformed frame or an
# expert error, decrypts every encrypted ISAKMP message and every ESP packet with the tables beside the capture, and
# finds every ICV good.
#
# Exempt, and computed here: an encrypted ISAKMP message that is byte for byte an earlier one of the same capture. It
# is a resend; tshark 4.0 chains its IV a second time and then finds nonsense in it.
set -e
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
$B/phase2sim run scenarios/rekey-pfs.xml --runs 1 -o "$out/r" >/dev/null

cat >"$out/judge.sh" <<'EOF'
capture=$1
WIRESHARK_CONFIG_DIR=$(dirname "$capture") tshark -r "$capture" -T fields -E separator='|' -E occurrence=a \
    -e frame.number -e isakmp.flags -e isakmp.typepayload -e udp.payload -e esp.spi -e esp.protocol -e esp.icv_good \
    -e esp.icv_bad -e _ws.malformed -e _ws.expert.severity 2>"$2.err" >"$2.fields" || { cat "$2.err"; exit 1; }
awk -F'|' -v capture="$capture" '
function complain(what) { print capture " frame " $1 ": " what; bad++ }
{
    frames++
    encrypted = ($2 != "" && $2 % 2 == 1) || $2 == "0x01"
    if (encrypted) {
        isakmp++
        if (seen[$4]++) { resends++; next }
        if ($3 == "") complain("ISAKMP message not decrypted")
    }
    if ($5 != "") {
        esp++
        if ($6 == "") complain("ESP packet not decrypted")
        if ($7 !~ /^(1|True)/ || $8 ~ /^(1|True)/) complain("ICV not good")
    }
    if ($9 != "") complain("malformed")
    n = split($10, severity, ",")
    for (i = 1; i <= n; i++) if (severity[i] + 0 >= 8388608) complain("expert error")
}
END {
    if (frames == 0 || isakmp == 0 || esp == 0) { print capture ": nothing to judge"; bad++ }
    print capture ": " frames + 0 " frames, " isakmp + 0 " encrypted ISAKMP (" resends + 0 " resends exempt), " esp + 0 " ESP, " bad + 0 " bad"
    exit bad > 0
}' "$2.fields"
EOF

n=0
find "$out/r/captures" -name '*.pcap' | sort >"$out/list"
cases=$(find "$out/r/captures" -mindepth 1 -maxdepth 1 -type d | wc -l)
[ "$cases" -eq 5 ] || { echo "expected 5 cases with captures, found $cases"; exit 1; }
while read -r capture; do
    n=$((n + 1))
    printf '%s\0%s\0' "$capture" "$out/$n"
done <"$out/list" >"$out/jobs"
[ "$n" -eq 45 ] || { echo "expected 45 captures, found $n"; exit 1; }
xargs -0 -n 2 -P "$(nproc)" sh "$out/judge.sh" <"$out/jobs"
echo "all $n captures are good"
