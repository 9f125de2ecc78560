# The test programs and the worker under valgrind: B=build sh tests/valgrind.sh PROGRAM... What is drawn at random is
# drawn less often than elsewhere. Programs that bring an allocator of their own, or let every allocation fail in turn,
# are left to the sanitizers.
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
export P2_SCHEDULES=30 P2_ATTACKS=50
checked=0 failed=0
# under NAME INPUT COMMAND...
under() {
    name=$1 input=$2
    shift 2
    checked=$((checked + 1))
    valgrind -q --leak-check=full --errors-for-leak-kinds=definite,indirect --error-exitcode=99 "$@" \
        <"$input" >"$log/out" 2>&1
    status=$?
    if [ $status -eq 0 ]; then
        echo "ok    $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name (status $status)"
        tail -n 60 "$log/out"
    fi
}
for test; do
    case $test in
    */test_out_of_memory | */test_out_of_memory_program | */test_allocations) continue ;;
    esac
    case $test in # which wants its usual number
    */test_schedules) P2_SCHEDULES=300 ;;
    *) P2_SCHEDULES=30 ;;
    esac
    under "$(basename "$test")" /dev/null "./$test"
done
mkdir "$log/captures"
for scenario in memory attack-nat path6; do
    under "worker, $scenario" "tests/vectors/scenarios/$scenario.xml" "$B/phase2sim-worker" --case base --run 1 --seed 1 \
        --captures "$log/captures" --debug "$log/debug"
done
echo "$checked under valgrind, $failed failed"
[ $failed -eq 0 ] && [ $checked -gt 50 ]
