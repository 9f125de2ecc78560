# Runs the test programs that are named, two at a time, and tells how many lines of model/ they reached: by file, and
# in all. Fails under 95 %. unreached.txt lists the functions that have lines which no test reaches, each with the
# reason; what is missing there fails, and so does what is there and is reached.
set -eu
least=95
list=tests/coverage/unreached.txt
find "$B/model" -name '*.gcda' -exec rm -f {} +
mkdir -p "$B/coverage"
printf '%s\n' "$@" | xargs -P 2 -I TEST sh -c 'TEST >TEST.txt 2>&1 || { tail -n 40 TEST.txt; echo "TEST failed"; exit 255; }'

# "model/x.c FUNCTION PERCENT LINES" for each function of the file itself, "model/x.c - PERCENT LINES" for all of it.
sed -n 's/^static inline.*[ *]\([a-z0-9_]*\)(.*/\1/p' model/*.h >"$B/coverage/inline.txt"
for object in "$B"/model/*.o; do
    source=model/$(basename "$object" .o).c
    gcov -f -n -o "$B/model" "$source" 2>/dev/null | tr -d "'" | awk -v source="$source" -v inline="$B/coverage/inline.txt" '
        BEGIN { while ((getline name < inline) > 0) of_header[name] = 1; name = "" }
        $1 == "Function" { name = $2 in of_header ? "" : $2 }
        $1 == "File" { name = $2 == source ? "-" : "" }
        /^Lines executed:/ && name != "" { sub("executed:", ""); print source, name, $2 + 0, $4; name = "" }'
done >"$B/coverage/functions.txt"

awk -v least=$least '
    $2 == "-" { hit = int($3 * $4 / 100 + 0.5); printf "%6.2f %% of %4d lines  %s\n", $3, $4, $1; sum += hit; all += $4 }
    END { if (!all) { print "no line was measured"; exit 1 }
          printf "%6.2f %% of %4d lines  model/\n", 100 * sum / all, all
          if (100 * sum < least * all) { printf "that is less than %d %%\n", least; exit 1 } }' "$B/coverage/functions.txt"

sort -u "$list" | sed -n 's/^\(model[^:]*\):\([^:]*\):.*/\1 \2/p' >"$B/coverage/listed.txt"
awk -v list="$B/coverage/listed.txt" '
    BEGIN { while ((getline key < list) > 0) listed[key] = 1 }
    $2 != "-" { known[$1 " " $2] = 1; full = $3 == 100; key = $1 " " $2 }
    $2 != "-" && !full && !(key in listed) { print key " has lines that no test reaches: test them, or say why in unreached.txt"; bad = 1 }
    $2 != "-" && full && key in listed { print key " is reached: take it off unreached.txt"; bad = 1 }
    END { for (key in listed) if (!(key in known)) { print key " is in unreached.txt and not in model/"; bad = 1 }
          exit bad }' "$B/coverage/functions.txt"
