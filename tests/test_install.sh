#!/bin/sh
# make install and make uninstall: what is installed works from there, a C program and an ns-3 program are built against
# it by pkg-config alone, and the uninstalled tree holds only what others put in it.
B=${B:-build}
unset MAKEFLAGS MFLAGS PHASE2SIM_WORKER PHASE2SIM_SCENARIOS # of the make that runs the tests
stage=$(mktemp -d /tmp/phase2sim-install.XXXXXX)
trap 'rm -rf "$stage"' EXIT
failures=0

holds() {
    what=$1; shift
    "$@" >"$stage/out" 2>&1 && return
    failures=$((failures + 1))
    echo "FAILED: $what"
    tail -20 "$stage/out" | sed 's/^/    /'
}

prefix=/opt/phase2sim here=$stage$prefix
must() { make -s "$1" B="$B" DESTDIR="$stage" PREFIX=$prefix; }
holds "make install" must install
mkdir -p "$stage/elsewhere" && cd "$stage/elsewhere" || exit 1

# The program, its worker and its library find each other.
holds "the program lists the library" sh -c "'$here/bin/phase2sim' list | grep -q '^rekey-pfs '"
holds "the program runs a scenario of the library" "$here/bin/phase2sim" run two-gateways --runs 1 -o result
holds "its result is whole" grep -q '"complete": true' result/summary.json
holds "a profile lies beside the scenarios" test -f "$here/share/phase2sim/scenarios/profiles/xeon-emerald-rapids.xml"
holds "the schema is there" grep -q 'urn:phase2sim:scenario:1' "$here/share/phase2sim/phase2sim.xsd"
holds "so is the man page" grep -q '^.Nm phase2sim' "$here/share/man/man1/phase2sim.1"

# Programs of others. Flags of the build that made the library (sanitizers) are needed again to link it.
export PKG_CONFIG_PATH="$here/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$stage"
examples=$here/share/doc/phase2sim/examples
build() {
    compiler=$1 flags=$2 source=$3 program=$4 packages=$5
    $compiler $flags -Wall -Wextra -Werror "$examples/$source" -o "$program" $LDFLAGS \
        $(pkg-config --cflags --libs $packages)
}
holds "the package has the program's version" \
    test "phase2sim $(pkg-config --modversion phase2sim)" = "$("$here/bin/phase2sim" --version)"
holds "a C program is built" build "${CC:-cc}" "-std=c11 $CFLAGS" by-hand.c by-hand phase2sim
holds "it negotiates" sh -c './by-hand | grep -c "inbound SA" | grep -qx 2'
holds "a C program with ns-3 is built" build "${CC:-cc}" "-std=c11 $CFLAGS" two-gateways.c two-gateways phase2sim-ns3
holds "it carries packets" sh -c './two-gateways | grep -q "590 packets sent each way: 590 arrived on the left, 590 on the right"'
holds "a C++ program compiles" ${CXX:-c++} -std=c++17 -fsyntax-only $(pkg-config --cflags phase2sim-ns3) "$examples/two-gateways.cc"

# The completion asks the program.
completes() { # wanted, then the words, of which the last is being typed
    PATH=$here/bin:$PATH bash -c '. "$0"; wanted=$1; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _phase2sim
        for reply in "${COMPREPLY[@]}"; do [[ $reply == "$wanted" ]] && exit; done; echo "${COMPREPLY[@]}"; exit 1' \
        "$here/share/bash-completion/completions/phase2sim" "$@"
}
holds "bash completes a verb" completes calibrate phase2sim cal
holds "bash completes a scenario" completes replay-flood phase2sim run replay-
holds "bash completes an option" completes --no-pcap phase2sim run --no
holds "bash completes a value" completes json phase2sim explain --format j
touch "a file" && holds "bash completes a file" completes "a file" phase2sim explain a

cd - >/dev/null || exit 1
unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
touch "$here/share/phase2sim/scenarios/mine.xml"
holds "make uninstall" must uninstall
holds "it leaves what is somebody else's, and nothing else" \
    test "$(find "$stage/opt" -type f)" = "$here/share/phase2sim/scenarios/mine.xml"
holds "nothing of it keeps a directory" test ! -e "$here/libexec/phase2sim" -a ! -e "$here/include/phase2sim"

[ $failures -eq 0 ] && echo "installs, is built upon, uninstalls"
[ $failures -eq 0 ]
