# Wireshark as the judge of captures with attackers in them: whatever a gateway's peer really sent is decrypted, its ICV is
# good, and nothing is malformed.
#
# Exempt, and computed here: what arrived at a gateway, but never left its peer (frames are known by their MD5, each copy
# once). That is just what was injected; the counts must be the scenario's.
set -e
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
$B/phase2sim run scenarios/replay-basic.xml -o "$out/replay" >/dev/null
$B/phase2sim run scenarios/forged-packets.xml -o "$out/forge" >/dev/null

judge() { # folder of captures, injected packets wanted
    for name in left right; do
        WIRESHARK_CONFIG_DIR="$1" tshark -o frame.generate_md5_hash:TRUE -r "$1/$name.pcap" -T fields -E separator='|' \
            -E occurrence=a -e ip.src -e frame.md5_hash -e esp.spi -e esp.protocol -e esp.icv_good -e _ws.malformed \
            -e isakmp.flags -e isakmp.typepayload 2>"$out/err" >"$out/$name.fields" || { cat "$out/err"; exit 1; }
    done
    cat "$out/left.fields" | sed 's/^/left|/' >"$out/both"
    sed 's/^/right|/' "$out/right.fields" >>"$out/both"
    awk -F'|' -v wanted="$2" -v folder="$1" '
    function complain(what) { print folder " " $1 " " $3 ": " what; bad++ }
    BEGIN { own["left"] = "203.0.113.1"; own["right"] = "198.51.100.1" }
    { first = split($2, source, ",") ; from = source[1] } # the outer header comes first
    pass == 1 { if (from == own[$1]) sent[$3]++; next }
    {
        if (from != own[$1] && sent[$3]-- <= 0) { injected++; next }
        legitimate++
        esp += $4 != ""
        if ($4 != "" && ($5 == "" || $6 !~ /^(1|True)/)) complain("ESP packet not decrypted, or its ICV not good")
        if ($7 != "") complain("malformed")
        if (($8 == "0x01" || $8 == "1") && $9 == "") complain("ISAKMP message not decrypted")
    }
    END {
        print folder ": " legitimate + 0 " legitimate, " injected + 0 " injected, " bad + 0 " bad"
        exit bad > 0 || esp < 1000 || injected != wanted
    }' pass=1 "$out/both" pass=2 "$out/both"
}
judge "$out/replay/captures/window=64-1" 1200
judge "$out/replay/captures/window=off-1" 1200
for kind in flip-bits truncate wrong-spi high-sequence random; do
    judge "$out/forge/captures/kind=$kind-1" 300
done
