# For tests that drive the program with small scenarios of their own: . tests/world.sh
#
#   scenario NAME TOPOLOGY TUNNELS FLOWS REST   writes $dir/NAME.xml, of ten seconds
#   flow FROM TO SIZE ATTRIBUTE...              prints a flow of 80 packets, from 1 s to 9 s
#   all N                   prints <expect>: so many packets arrive, and nothing fails, is lost or goes in clear
#   run NAME ARGUMENT...    runs $dir/NAME.xml into $dir/NAME; its expectations must hold
#   refused NAME TEXT       $dir/NAME.xml is refused, with this in the message
#   judge NAME CASE...      tshark decrypts every packet in the first capture of each of these cases (that of the
#                           gateway whose name sorts first) with the tables beside it, finds every ICV good that it
#                           can check, and no frame malformed
#   judge_capture NAME CASE GATEWAY             the same for another capture
#   finish                  the exit status; at least one check must have been made
#
# Exempt from decryption is an encrypted ISAKMP message that is byte for byte an earlier one: see test_tshark.sh.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0 checks=0

complain() {
    failures=$((failures + 1))
    echo "FAILED: $*"
}

scenario() {
    cat >"$dir/$1.xml" <<XML
<scenario xmlns="urn:phase2sim:scenario:1" name="$1" duration="10s">
  <topology>$2</topology>
  <tunnels>$3</tunnels>
  <traffic>$4</traffic>
  $5
</scenario>
XML
}

flow() {
    from=$1 to=$2 size=$3
    shift 3
    echo "<flow from=\"$from\" to=\"$to\" packets=\"10/s\" size=\"$size\" start=\"1s\" stop=\"9s\" $*/>"
}

all() {
    echo "<expect><that metric=\"packets-received\" is=\"equal\" value=\"$1\"/>"
    for metric in packets-lost failures sas-left-over drops.bypassed drops.unknown-spi drops.selector-mismatch; do
        echo "<that metric=\"$metric\" is=\"equal\" value=\"0\"/>"
    done
    echo "</expect>"
}

run() {
    name=$1
    shift
    checks=$((checks + 1))
    "$B/phase2sim" run "$dir/$name.xml" -o "$dir/$name" --runs 1 "$@" >"$dir/$name.out" 2>"$dir/$name.err" && return
    complain "run of $name"
    sed 's/^/    /' "$dir/$name.out" "$dir/$name.err"
}

refused() {
    checks=$((checks + 1))
    "$B/phase2sim" check "$dir/$1.xml" >"$dir/$1.out" 2>"$dir/$1.err"
    status=$?
    [ $status -eq 2 ] && grep -qF -e "$2" "$dir/$1.err" && return
    complain "$1 should be refused (status $status) with: $2"
    sed 's/^/    /' "$dir/$1.err"
}

# CAPTURE: a line for each thing that is wrong, then the counts.
judge_file() {
    WIRESHARK_CONFIG_DIR=$(dirname "$1") tshark -r "$1" -T fields -E separator='|' -E occurrence=a \
        -e frame.number -e isakmp.flags -e isakmp.typepayload -e udp.payload -e esp.spi -e esp.protocol \
        -e esp.icv_bad -e _ws.malformed -e _ws.expert.severity -e ah.spi -e frame.protocols 2>"$dir/tshark.err" |
        awk -F'|' -v capture="$1" '
    function complain(what) { print capture " frame " $1 ": " what; bad++ }
    {
        frames++
        if ($2 ~ /^0x0*[13579bdf]$/) {
            isakmp++
            if (seen[$4]++) next
            if ($3 == "") complain("ISAKMP message not decrypted")
        }
        if ($5 != "") {
            esp++
            if ($6 == "") complain("ESP packet not decrypted")
            if ($7 ~ /(1|True)/) complain("ICV not good")
        }
        if ($10 != "") ah++
        if ($11 ~ /udp:esp/ || $11 ~ /udpencap/) encapsulated++
        if ($8 != "") complain("malformed")
        n = split($9, severity, ",")
        for (i = 1; i <= n; i++) if (severity[i] + 0 >= 8388608) complain("expert error")
    }
    END {
        if (isakmp == 0) { print capture ": nothing to judge"; bad++ }
        print "frames=" frames + 0 " isakmp=" isakmp + 0 " esp=" esp + 0 " ah=" ah + 0 " udp=" encapsulated + 0
        exit bad > 0
    }'
}

judge_capture() {
    of=$dir/$1/captures/$2-1
    checks=$((checks + 1))
    judge_file "$of/$3.pcap" >"$dir/judged" || {
        complain "$1 $2, capture of $3"
        head -n 5 "$dir/judged" | sed 's/^/    /'
    }
    echo "$1 $2 $3: $(tail -n 1 "$dir/judged")"
    tail -n 1 "$dir/judged" >>"$of/judged" # a run that failed has no such folder, and is complained of already
} 2>/dev/null

judge() {
    judged=$1
    shift
    for case; do
        judge_capture "$judged" "$case" "$(ls "$dir/$judged/captures/$case-1" | sed -n 's/\.pcap$//p' | head -n 1)"
    done
}

# has NAME CASE KIND yes|no: every capture of a case that was judged has a packet of a KIND (esp, ah, udp), or none has.
has() {
    checks=$((checks + 1))
    pattern="$3=[1-9]"
    [ "$4" = yes ] || pattern="$3=0"
    lines=$(wc -l <"$dir/$1/captures/$2-1/judged" || echo 0)
    [ "$lines" -gt 0 ] && [ "$(grep -c "$pattern" "$dir/$1/captures/$2-1/judged")" -eq "$lines" ] ||
        complain "$1 $2: $3 in every capture: $4"
}

finish() {
    echo "$checks checks, $failures failed"
    [ $failures -eq 0 ] && [ $checks -gt 0 ]
    exit
}
