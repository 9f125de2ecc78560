#!/bin/sh
# Runs fuzzers for so many seconds each: sh tests/fuzz/run.sh SECONDS FOLDER FUZZER...
# Inputs that were new and findings stay in FOLDER; seeds are copies.
set -eu
seconds=$1 folder=$2
shift 2
seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
mkdir "$seeds/explain" "$seeds/keys" "$seeds/scenario" "$seeds/isakmp" "$seeds/sealed" "$seeds/esp" "$seeds/stream"
cp scenarios/*.xml "$seeds/scenario"
for case in tests/vectors/corpus/*/; do
    name=$(basename "$case")
    cp "$case/capture.pcap" "$seeds/explain/$name.pcap"
    cp "$case/keys.xml" "$seeds/keys/$name.xml"
done
cp tests/fuzz/esp_sa "$seeds/keys/esp_sa"
printf '%s\n' '615add7aeb332361,47dc733ce127510344dd611beb4f2b9d' >"$seeds/keys/ikev1_decryption_table"
# Debian's scapy belongs to Debian's python3, which need not be the first one in PATH.
for python in python3 /usr/bin/python3; do
    "$python" -c 'import scapy' 2>/dev/null && break
done
"$python" tests/fuzz/seeds.py "$seeds" tests/vectors/corpus/*/capture.pcap
for mode in ok refuse silent; do
    FAKE_WORKER=$mode sh tests/vectors/fake-worker.sh --case PFS=none --run 1 --seed 1 <scenarios/esn.xml >"$seeds/stream/$mode"
done
for fuzzer; do
    name=$(basename "$fuzzer" | sed 's/^fuzz_//')
    mkdir -p "$folder/new/$name"
    echo "== $name, $seconds s"
    "$fuzzer" -max_total_time="$seconds" -max_len=16384 -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 \
        -verbosity=0 -artifact_prefix="$folder/found-$name-" "$folder/new/$name" "$seeds/$name"
done
