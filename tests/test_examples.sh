# The examples in bindings/examples are built and run, in C and in C++: five Quick Modes each (one and four rekeys), and
# every packet arrives; and, without ns-3, one Quick Mode.
set -e
for language in c cc; do
    out=$($B/bindings/examples/two-gateways-$language)
    echo "$out"
    [ "$(echo "$out" | grep -c 'phase 1 ready')" -eq 2 ]
    [ "$(echo "$out" | grep -c 'phase 2 ready')" -eq 10 ]
    [ "$(echo "$out" | tail -n 1)" = "590 packets sent each way: 590 arrived on the left, 590 on the right" ]
done
out=$($B/bindings/examples/by-hand-c)
echo "$out"
[ "$(echo "$out" | grep -c 'inbound SA')" -eq 2 ]
[ "$(echo "$out" | grep -c 'outbound SA')" -eq 2 ]
