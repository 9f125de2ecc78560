# Same seed: byte-identical captures, rekeys.csv and summary.json, whatever --jobs; another seed differs.
set -e
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
run() { # name, further arguments
    name=$1
    shift
    $B/phase2sim run scenarios/rekey-pfs.xml --runs 2 --set '/scenario/@duration=30s' -o "$out/$name" "$@" >/dev/null
}
run one --jobs 1
run four --jobs 4
run other --seed 2
files=$(cd "$out/one" && find captures -type f | sort)
[ "$(echo "$files" | wc -l)" -eq 65 ] || { echo "expected 65 files of captures"; exit 1; }
for file in rekeys.csv summary.json $files; do
    cmp "$out/one/$file" "$out/four/$file"
    case $file in
    */preferences) continue ;;
    esac
    if cmp -s "$out/one/$file" "$out/other/$file"; then
        echo "another seed gives the same $file"
        exit 1
    fi
done
[ "$(wc -l <"$out/one/rekeys.csv")" -gt 100 ]
echo "identical: rekeys.csv, summary.json and $(echo "$files" | wc -l) files of captures"
