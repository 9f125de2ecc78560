#!/bin/sh
# The machine fails: full disk, no permission, workers and phase2sim itself killed or hanging, broken stores. Finished
# work stays, the message names what is missing, the command it names completes it, and the result is then the same as
# if nothing had happened, byte for byte. Started in the top directory.
phase2sim=$(realpath "${B:-build}/phase2sim")
top=$PWD
dir=$(mktemp -d /tmp/phase2sim-fails.XXXXXX)
trap 'rm -rf "$dir"' EXIT
fake="$top/tests/vectors/fake-worker.sh"
unset FAKE_WORKER NO_COLOR PHASE2SIM_WORKER
failures=0 checks=0
cp scenarios/two-gateways.xml "$dir/real.xml"
cd "$dir" || exit 1
sed 's/runs="2"/runs="4"/' "$top/tests/vectors/scenarios/two-cases.xml" >fake.xml

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
holds() {
    what=$1; shift
    checks=$((checks + 1))
    "$@" >held 2>&1 && return
    failures=$((failures + 1))
    echo "FAILED: $what"
    sed 's/^/    /' held out err
}
fails() { ! "$@"; }
says() { holds "says: $1" grep -qF -e "$1" err; }
nothing_hidden() { holds "nothing hidden is left after $1" test -z "$(find . -maxdepth 1 -name '.*.??????')"; }
with_fake() { PHASE2SIM_WORKER=$fake FAKE_WORKER=$1; export PHASE2SIM_WORKER FAKE_WORKER; }
# The runs that a message says are missing, done by the command that it says.
completes() {
    sh -c "$(sed -n 's/^phase2sim: .*: \(phase2sim resume .*\)$/\1/p' err | tail -1 | sed "s|^phase2sim|'$phase2sim'|")" >out 2>err
    holds "it is completed" test $? -eq 0
}
same() { holds "the result is the same as ever" diff -r "$1" "$2"; }

with_fake ok
exits 0 "$phase2sim" run fake.xml -o whole --debug
exits 0 "$phase2sim" resume whole
holds "a whole result has nothing to resume" grep -q '^whole: all 8 runs are there already' out

# A worker that crashes, ends badly, hangs, or breaks off its records.
for how in crash:'was killed by signal 11' exit:'ended with exit code 5' hang:'showed no progress for 1 s and was ended' \
           silent:'end record'; do
    with_fake ${how%%:*}
    exits 3 "$phase2sim" run fake.xml -o failed --debug --jobs 3 --patience 1
    says "case PFS=none, run 2 failed: "
    says "${how#*:}"
    says '2 of 8 runs are missing: case PFS=none, run 2; case PFS=group14, run 2'
    holds "the others are kept" grep -q '"complete": false' failed/summary.json
    with_fake ok
    completes
    same whole failed
    rm -r failed
done

# phase2sim interrupted, and with it the runs that had begun.
with_fake slow
"$phase2sim" run fake.xml -o "it's cut" --debug --jobs 4 >out 2>err &
pid=$!
sleep 1
kill -TERM $pid
wait $pid
says 'are missing: case PFS=none, run 2 to 4; case PFS=group14, run 2 to 4'
says "phase2sim resume 'it'\\''s cut'"
with_fake ok
completes
same whole "it's cut"

# phase2sim killed: nothing can be said then, but the next one says it, and both names lead to it.
for name in killed hidden; do
    with_fake slow
    "$phase2sim" run fake.xml -o killed --debug --jobs 2 >out 2>err &
    pid=$!
    sleep 1
    kill -KILL $pid
    wait $pid 2>/dev/null
    holds "there is no half a result" test ! -e killed
    with_fake ok
    [ $name = hidden ] && name=$(echo .killed.??????)
    exits 0 "$phase2sim" resume "$name"
    same whole killed
    nothing_hidden "resume $name"
    rm -r killed
done
with_fake slow
"$phase2sim" run fake.xml -o killed --debug --jobs 2 >out 2>err &
pid=$!
sleep 1
holds "what a living phase2sim works on is nothing to resume" fails "$phase2sim" resume killed
kill -KILL $pid
wait $pid 2>/dev/null
with_fake ok
exits 0 "$phase2sim" run fake.xml -o killed
says 'an earlier phase2sim was ended before it could finish killed; to complete it: phase2sim resume .killed.'
rm -rf .killed.??????

# Of another scenario: not mixed.
with_fake crash
exits 3 "$phase2sim" run fake.xml -o mixed
exits 3 "$phase2sim" run fake.xml -o other --seed 99
mv other .mixed.abcdef
with_fake ok
exits 2 "$phase2sim" resume mixed
says 'mixed and .mixed.abcdef are not of the same scenario'
rm -rf .mixed.abcdef

# Stores that are broken, or another program's.
exits 2 "$phase2sim" resume nowhere
says 'nowhere: no result directory of phase2sim'
for damage in garbage truncated version foreign; do
    rm -rf broken && cp -r whole broken
    case $damage in
    garbage) head -c 5000 "$top/analysis/store.c" >broken/results.sqlite; why='file is not a database' ;;
    truncated) head -c 5000 whole/results.sqlite >broken/results.sqlite; why='database disk image is malformed' ;;
    version) why='version 2 of the store; this program reads version 3' ;;
    foreign) why='not a result store of phase2sim' ;;
    esac
    case $damage in version | foreign)
        python3 - "$damage" <<'PY'
import sqlite3, sys
db = sqlite3.connect("broken/results.sqlite")
db.execute("PRAGMA user_version = 2" if sys.argv[1] == "version" else "PRAGMA application_id = 7")
db.commit()
PY
    esac
    exits 2 "$phase2sim" report broken
    says "$why"
    exits 0 "$phase2sim" resume broken
    says "$why"
    says 'none of its runs is kept'
    same whole broken
done

# The worker itself shows that it gets on.
"$(dirname "$phase2sim")/phase2sim-worker" --case base --run 1 --seed 1 --alive 3 <real.xml >records 3>alive
holds "a worker gives signs of life" test -s alive

# No permission, no directory, no room.
unset PHASE2SIM_WORKER FAKE_WORKER
exits 2 "$phase2sim" run real.xml -o /proc/phase2sim-result
says '/proc'
exits 2 "$phase2sim" run real.xml -o real.xml/below
says 'real.xml'
exits 0 "$phase2sim" run real.xml -o ample --runs 60 --no-pcap
(ulimit -f 400 && "$phase2sim" run real.xml -o limited --runs 6 >out 2>err)
holds "a limit on files ends it with 3" test $? -eq 3
says 'File too large'
if unshare -rm true 2>/dev/null; then
    mkdir small
    # The disk fills up while results are stored; then somebody makes room.
    unshare -rm sh -c '
        mount -t tmpfs -o size=168k none small && cd small || exit 1
        "$1" run ../real.xml -o full --runs 60 --no-pcap >../out 2>../err
        echo $? >../code
        mount -o remount,size=50m none .
        "$1" resume full >../out2 2>../err2
        cp -r full ../full' sh "$phase2sim"
    holds "a full disk ends it with 3" grep -qx 3 code
    says 'database or disk is full'
    holds "finished runs are kept, and the message says how to go on" \
        grep -qE '[1-9][0-9]* of 60 runs are finished and kept in .full[.].*: phase2sim resume .full[.]' err
    holds "a resume with more room completes it" diff -r ample full
    holds "it ran only what was missing" fails grep -q failed err2
else
    echo "no user namespaces here: no small disk to fill"
fi
if [ -w /dev/full ]; then
    "$phase2sim" run real.xml -o told >/dev/full 2>err
    holds "a report that nobody got is no success" test $? -eq 3
    says 'cannot write the output: No space left on device'
fi
nothing_hidden "all this"

echo "$checks checks, $failures failed"
[ $failures -eq 0 ] && [ $checks -gt 50 ]
