#!/bin/sh
# The command line from outside: test_cli.sh [PHASE2SIM], started in the top directory. Uses a fake worker, so it needs
# no ns-3.
phase2sim=$(realpath "${1:-${B:-build}/phase2sim}")
top=$PWD
dir=$(mktemp -d /tmp/phase2sim-cli.XXXXXX)
trap 'rm -rf "$dir"' EXIT
export PHASE2SIM_WORKER="$top/tests/vectors/fake-worker.sh" PHASE2SIM_SCENARIOS="$dir/library"
unset FAKE_WORKER NO_COLOR
failures=0 checks=0
cd "$dir" || exit 1

# exits CODE COMMAND...: output is then in out and err.
exits() {
    wanted=$1; shift
    "$@" >out 2>err </dev/null
    got=$?
    checks=$((checks + 1))
    [ $got -eq "$wanted" ] && return
    failures=$((failures + 1))
    echo "FAILED: exit code $got, not $wanted: $*"
    sed 's/^/    /' err
}

# holds WHAT COMMAND...
holds() {
    what=$1; shift
    checks=$((checks + 1))
    "$@" >/dev/null 2>&1 && return
    failures=$((failures + 1))
    echo "FAILED: $what"
    sed 's/^/    /' out err
}

fails() { ! "$@"; }
one_line() { [ "$(wc -l <"$1")" -eq 1 ]; }
no_escapes() { ! grep -q "$(printf '\033')" "$@"; }

mkdir library
cp "$top/tests/vectors/scenarios/two-cases.xml" library/two-cases.xml
sed 's/200ms/50ms/' library/two-cases.xml >strict.xml
sed 's/delay="20ms"/delay="20mss"/' library/two-cases.xml >wrong.xml
sed 's/rekey-latency/rekey-latncy/' library/two-cases.xml >metric.xml

# Help and version, for every verb; the man page knows each verb and option.
exits 0 "$phase2sim" --version
holds "the version is a line" one_line out
exits 0 "$phase2sim" --help
holds "help goes to stdout" test ! -s err
for verb in run resume check list report explain calibrate; do
    holds "help lists $verb" grep -q "^  $verb " out
done
for verb in run resume check list report explain calibrate; do
    exits 0 "$phase2sim" $verb --help
    holds "help of $verb starts with its usage" grep -q "^Usage: phase2sim $verb" out
    holds "help of $verb fits in 110 columns" fails grep -q '.\{111\}' out
    holds "the man page has $verb" grep -q "Cm $verb" "$top/analysis/phase2sim.1"
    for option in $(grep -o -e '^  --[a-z-]*' out | sed 's/^ *--//'); do
        holds "the man page has --$option" grep -q -e "Fl -$option" "$top/analysis/phase2sim.1"
    done
    exits 0 "$phase2sim" help $verb
done

# Usage errors: exit 2, one line that says what is right.
usage_error() {
    expected=$1; shift
    exits 2 "$phase2sim" "$@"
    holds "one line for: $*" one_line err
    holds "\"$expected\" for: $*" grep -qF -e "$expected" err
    holds "nothing on stdout for: $*" test ! -s out
}
exits 2 "$phase2sim"
usage_error 'unknown verb "rnu"; did you mean "run"? Allowed: run, resume, check, list, report, explain, calibrate' rnu
usage_error 'unknown verb "frobnicate"; allowed: run,' frobnicate
usage_error 'unknown option "--vresion"; did you mean "--version"?' --vresion
usage_error 'unknown option of run "--run"; did you mean "--runs"?' run two-cases --run 3
usage_error 'unknown option of list "--jobs"' list --jobs 3
usage_error 'run needs SCENARIO.xml' run
usage_error 'run takes one SCENARIO.xml' run a b
usage_error 'list takes no argument' list a
usage_error '--runs needs a number' run two-cases --runs
usage_error '--runs "0": not a whole number from 1 to 100000' run two-cases --runs 0
usage_error '--jobs "-3": not a whole number from 1 to 1024' run two-cases --jobs -3
usage_error '--seed "1x": not a whole number' run two-cases --seed=1x
usage_error '--no-pcap takes no value' run two-cases --no-pcap=yes
usage_error '--set "pfs": not PATH=VALUE' run two-cases --set pfs
usage_error 'no scenario of that name in the library; did you mean "two-cases"?' run two-csaes
usage_error 'no metric "rekey-latncy"; did you mean "rekey-latency"?' run ./metric.xml -o never
exits 2 "$phase2sim" check ./metric.xml
holds "the message has the expectation's line" grep -q '^./metric.xml:17: <that> no metric' err
sed 's/value="200ms"/value="200"/' library/two-cases.xml >unit.xml
exits 2 "$phase2sim" run unit.xml -o never
holds "a value without its unit is told" grep -q '^unit.xml:17: .*which is a plain number; allowed: a time' err
usage_error 'nowhere: no result directory of phase2sim (No such file or directory)' report nowhere

# A wrong scenario leaves nothing behind.
exits 2 "$phase2sim" run wrong.xml -o never
holds "the message has file and line" grep -q '^wrong.xml:7: ' err
holds "no directory after an error" test ! -e never
exits 2 "$phase2sim" check wrong.xml
printf '<scenario>\n<a b="x\0"/>\n</scenario>\n' >null.xml
exits 2 "$phase2sim" check null.xml
holds "a byte of value 0 is told as such" grep -q '^null.xml:2: a byte of value 0; allowed: ' err
exits 0 "$phase2sim" check two-cases
exits 2 "$phase2sim" check two-cases --set '//policy/@pfs=group99'

# A warning is told once, and changes neither the exit code nor stdout.
sed -e 's/ pfs="none"//' -e 's|values="none group14"|values="as-named group14"|' \
    -e 's|</policy>|<proposal use="nopfs-esp-3des-sha"/></policy>|' library/two-cases.xml >mixed.xml
exits 0 "$phase2sim" check mixed.xml
holds "one warning" one_line err
holds "it has file and line" grep -q '^mixed.xml:12: warning: <policy> pfs="as-named"' err
holds "the rest as ever" grep -q '^two-cases: valid: 2 cases' out
exits 0 "$phase2sim" run mixed.xml -o mixed --no-pcap
holds "run warns too" grep -q '^mixed.xml:12: warning' err

exits 0 "$phase2sim" list
holds "list shows name and question" grep -qx 'two-cases Does it run?' out

# A run, its files, its default directory.
exits 0 "$phase2sim" run two-cases
holds "nothing on stderr in a pipe" test ! -s err
holds "no escape codes in a pipe" no_escapes out
for file in scenario.xml results.sqlite summary.json rekeys.csv report.txt 'captures/PFS=none-1/hub.pcap' \
            'captures/PFS=group14-1/hub.pcap'; do
    holds "there is $file" test -s "results/two-cases-seed3/$file"
done
holds "captures of the first replication only" test ! -e 'results/two-cases-seed3/captures/PFS=none-2'
holds "no working directory is left" test "$(ls -A results)" = two-cases-seed3
holds "report.txt is what was printed" sh -c "grep -v '^Results: ' out | sed '\$d' | cmp - results/two-cases-seed3/report.txt"
holds "a row a negotiation" test "$(wc -l <results/two-cases-seed3/rekeys.csv)" -eq 33
holds "complete" grep -q '"complete": true' results/two-cases-seed3/summary.json

# Determinism: jobs and finishing order do not show; another seed does.
exits 0 "$phase2sim" run two-cases -o a --jobs 1
exits 0 env FAKE_WORKER=mixed "$phase2sim" run two-cases -o b --jobs 4
holds "the same bytes" diff -r a b
exits 0 "$phase2sim" run two-cases -o c --seed 4
holds "another seed, other bytes" fails cmp -s a/rekeys.csv c/rekeys.csv
exits 0 "$phase2sim" run two-cases -o d --runs 1 --no-pcap --set '//link/@delay=30ms'
holds "no captures" test ! -e d/captures
holds "one run of each case" grep -q '"runs": 1,' d/summary.json
holds "the scenario as run" grep -q 'delay="30ms"' d/scenario.xml
exits 0 "$phase2sim" run two-cases -o e --runs 1 --no-pcap --set "//gateway[@name='hub']/@address=203.0.113.9"
holds "a path with a predicate" grep -q 'address="203.0.113.9"' e/scenario.xml

# report makes the same again.
cp -r a again
rm again/summary.json again/rekeys.csv again/report.txt
exits 0 "$phase2sim" report again
holds "report rebuilds the same" diff -r a again
holds "report prints it" cmp out a/report.txt
exits 2 "$phase2sim" report library

# Expectations.
exits 1 "$phase2sim" run strict.xml -o strict
holds "says which" grep -q 'FAILS  .*(seen: 101.[0-9] ms in case PFS=group14)' out
exits 1 "$phase2sim" report strict

# An older result is replaced, anything else is left alone.
exits 0 "$phase2sim" run two-cases -o a --runs 1
holds "replaced" grep -q '"runs": 1,' a/summary.json
mkdir precious empty
echo data >precious/thesis.txt
exits 2 "$phase2sim" run two-cases -o precious
holds "left alone" grep -qx data precious/thesis.txt
exits 2 "$phase2sim" run two-cases -o precious/thesis.txt
exits 2 "$phase2sim" run two-cases -o .
exits 0 "$phase2sim" run two-cases -o empty/
exits 0 "$phase2sim" run two-cases -o new/parents/too

# Failing runs.
exits 3 env FAKE_WORKER=crash "$phase2sim" run two-cases -o crashed
holds "names case and run" grep -qF 'case PFS=none, run 2 failed: was killed by signal 11' err
holds "incomplete" grep -q '"complete": false' crashed/summary.json
holds "the other runs are kept" test "$(wc -l <crashed/rekeys.csv)" -eq 17
exits 3 "$phase2sim" report crashed
exits 3 env FAKE_WORKER=exit "$phase2sim" run two-cases -o exited
holds "its last words are shown" grep -qx '    no memory for the world' err
exits 3 env FAKE_WORKER=broken "$phase2sim" run two-cases -o broken --runs 20
holds "gives up" grep -q 'the first 10 runs all failed' err
holds "no directory without results" test ! -e broken
exits 3 env PHASE2SIM_WORKER=/nonexistent "$phase2sim" run two-cases -o missing
holds "names the worker" grep -q '/nonexistent: No such file' err

# An interrupt keeps what was finished.
FAKE_WORKER=slow "$phase2sim" run two-cases -o cut --jobs 4 >out 2>err &
pid=$!
sleep 1
kill -INT $pid 2>/dev/null || kill -TERM $pid
wait $pid
code=$?
holds "an interrupt exits with 3, not $code" test $code -eq 3
holds "says how many" grep -q 'interrupted: 2 of 4 runs were finished and are kept' err
holds "keeps them" grep -q '"complete": false' cut/summary.json
FAKE_WORKER=half "$phase2sim" run two-cases -o half --jobs 4 >out 2>err &
pid=$!
sleep 1
kill -INT $pid 2>/dev/null || kill -TERM $pid
wait $pid
holds "the capture of a finished run stays" test "$(find half/captures -name hub.pcap | wc -l)" -eq 1
holds "a capture that was only begun does not" test "$(find half/captures -mindepth 1 -type d | wc -l)" -eq 1

# Output that cannot be written is no success.
if [ -w /dev/full ]; then
    "$phase2sim" --help >/dev/full 2>err
    holds "a full disk is told" test $? -ne 0 -a -s err
fi
holds "no working directory is left anywhere" test -z "$(find . -name '.*.??????')"

echo "$checks checks, $failures failed"
[ $failures -eq 0 ] && [ $checks -gt 0 ]
