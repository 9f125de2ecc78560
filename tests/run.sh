# Runs test programs and scripts one after the other, shows the output of those that fail, and counts.
# PHASE2SIM_VERBOSE=1 shows everything.
passed=0 failed=0
log=$B/tests/log
mkdir -p "$log"
for test in "$@"; do
    name=$(basename "$test")
    case $test in
    *.sh) sh "$test" >"$log/$name.txt" 2>&1 ;;
    *) "./$test" >"$log/$name.txt" 2>&1 ;;
    esac
    status=$?
    if [ $status -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok    $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name (status $status)"
        tail -n 60 "$log/$name.txt"
    fi
    [ -n "$PHASE2SIM_VERBOSE" ] && cat "$log/$name.txt"
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
