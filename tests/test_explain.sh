# `phase2sim explain` on the command line: what it takes and refuses, and that its outputs have the form that is promised.
# Started in the repository's top directory with $B set.
set -e
corpus=tests/vectors/corpus
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failures=0

fail() {
    echo "FAILED: $*"
    sed 's/^/    /' "$out/err"
    failures=$((failures + 1))
}

# exits CODE ARGUMENT...: of explain; its output is then in out and err.
exits() {
    wanted=$1; shift
    status=0
    $B/phase2sim explain "$@" >"$out/out" 2>"$out/err" </dev/null || status=$?
    [ $status -eq "$wanted" ] || fail "exit code $status, not $wanted: explain $*"
}

# refuses TEXT ARGUMENT...: exit code 2, and one line on stderr, which has the text in it; nothing on stdout.
refuses() {
    text=$1; shift
    exits 2 "$@"
    if [ "$(wc -l <"$out/err")" -ne 1 ] || [ -s "$out/out" ]; then fail "not one line: explain $*"; fi
    grep -qF -- "$text" "$out/err" || fail "no \"$text\" in the complaint: explain $*"
}

case=$corpus/qm-nopfs-aes128-sha1
exits 0 --help
grep -q '^Usage: phase2sim explain CAPTURE' "$out/out" || fail "no usage"
for option in --keys --format --window --verbose; do
    grep -q -- "^  $option" "$out/out" || fail "$option is not in the help"
done
grep -q '^Exit codes: 0 explained' "$out/out" || fail "exit codes are not told"

# --- what it refuses ---
refuses CAPTURE
refuses --colour $case/capture.pcap --colour
refuses xml $case/capture.pcap --format xml
refuses 131073 $case/capture.pcap --window 131073
refuses many $case/capture.pcap --window many
refuses -1 $case/capture.pcap --window -1
refuses --keys $case/capture.pcap --keys
refuses "$out/none.pcap" "$out/none.pcap"
refuses "$out/none.xml" $case/capture.pcap --keys "$out/none.xml"
refuses $case/keys.xml $case/keys.xml
echo '<keys xmlns="urn:phase2sim:keys:1"><isakmp-sa/></keys>' >"$out/wrong.xml"
refuses "$out/wrong.xml" $case/capture.pcap --keys "$out/wrong.xml"
echo 'neither one nor the other' >"$out/wrong.txt"
refuses "$out/wrong.txt" $case/capture.pcap --keys $case/keys.xml --keys "$out/wrong.txt"
: >"$out/empty.pcap"
refuses empty.pcap "$out/empty.pcap"
head -c 20 $case/capture.pcap >"$out/short.pcap"
refuses short.pcap "$out/short.pcap"
mkdir "$out/folder"
refuses "$out/folder" $case/capture.pcap --keys "$out/folder"

# --- what it answers ---
for folder in $corpus/*/; do
    for format in text json; do
        exits 0 "$folder/capture.pcap" --keys "$folder" --format $format
        mv "$out/out" "$out/once"
        if [ -s "$out/err" ]; then fail "says something beside its answer: $folder"; fi
        exits 0 "$folder/capture.pcap" --keys "$folder" --format $format
        cmp -s "$out/once" "$out/out" || fail "not the same twice: $folder as $format"
        ! grep -q "$(printf '\033')" "$out/out" || fail "colours in a file: $folder as $format"
    done
    cp "$out/out" "$out/$(basename "$folder").json"
done
exits 0 $case/capture.pcap --keys $case/keys.xml --verbose
cp "$out/out" "$out/verbose.txt"
exits 0 $case/capture.pcap --keys $case/keys.xml --verbose --format json
cp "$out/out" "$out/verbose.json"
cat $case/capture.pcap | $B/phase2sim explain - --keys $case --format json >"$out/piped.json"
sed "s|\"file\": \"-\"|\"file\": \"$case//capture.pcap\"|" "$out/piped.json" |
    cmp -s - "$out/qm-nopfs-aes128-sha1.json" || fail "standard input says something else"
exits 0 $case/capture.pcap --window 0
! grep -q 'a window of 64' "$out/out" || fail "--window 0 has no effect"
exits 0 $case/capture.pcap --keys $case --window 7
grep -q 'window of 7: 0 replayed' "$out/out" || fail "--window 7 has no effect"

# Two --keys: each capture's own are found.
exits 0 $case/capture.pcap --keys $corpus/aggressive-mode --keys $case --format json
sed "s|$case/capture.pcap|$case//capture.pcap|" "$out/out" | cmp -s - "$out/qm-nopfs-aes128-sha1.json" || fail "more keys than needed change the answer"

# A capture that breaks off is explained up to there, and that is told.
head -c 3000 $case/capture.pcap >"$out/cut.pcap"
exits 0 "$out/cut.pcap" --keys $case
grep -q 'The capture breaks off' "$out/out" || fail "not told that the capture breaks off"

# An answer that does not reach its reader is no success.
for format in text json; do
    status=0
    $B/phase2sim explain $case/capture.pcap --format $format >/dev/full 2>"$out/err" || status=$?
    [ $status -eq 3 ] && [ "$(wc -l <"$out/err")" -eq 1 ] && grep -q 'cannot write' "$out/err" || fail "a full disk as $format: $status"
done

cat >"$out/judge.py" <<'END_OF_JUDGE'
import json, os, re, struct, sys

OUT, CORPUS = sys.argv[1], 'tests/vectors/corpus'
bad = []

def want(holds, what):
    if not holds:
        bad.append(what)

QUICK_MODE = {'initiator_cookie': str, 'message_id': str, 'started_by': str, 'messages': int, 'outcome': str,
              'notify': (str, type(None)), 'pfs_group': (str, type(None)), 'hashes': dict, 'sas': list}
SA = {name: str for name in ('spi', 'protocol', 'mode', 'encryption', 'authentication', 'encryption_key', 'authentication_key')}
IPSEC = {name: int for name in ('packets', 'icv_ok', 'icv_bad', 'unknown_spi', 'replayed', 'too_old')}

def shape(where, value, fields):
    for name, kind in fields.items():
        want(name in value and isinstance(value[name], kind), '%s: no %s' % (where, name))

def judge(case):
    told = json.load(open('%s/%s.json' % (OUT, case)))
    expect = json.load(open('%s/%s/expect.json' % (CORPUS, case)))
    refused, sas = not expect['sas'], {}
    want(told['format'] == 'phase2sim-explain/1', case + ': format')
    shape(case, told, {'quick_modes': list, 'informational': list, 'ipsec': dict})
    for q in told['quick_modes']:
        shape(case, q, QUICK_MODE)
        want(re.fullmatch('[0-9a-f]{16}', q['initiator_cookie']), case + ': cookie')
        want(q['started_by'] == 'initiator', case + ': started by')
        want(q['outcome'] == ('rejected' if refused else 'established'), case + ': outcome')
        want(q['notify'] == ('NO-PROPOSAL-CHOSEN' if refused else None), case + ': notify')
        want(q['pfs_group'] == ('group2' if expect['pfs'] else None), case + ': group')
        want(q['hashes'] == ({'1': True} if refused else {'1': True, '2': True, '3': True}), case + ': hashes')
        for sa in q['sas']:
            shape(case, sa, SA)
            sas[sa['spi']] = (sa['encryption_key'], sa['authentication_key'])
            want((sa['protocol'], sa['mode'], sa['encryption'], sa['authentication']) ==
                 ('esp', 'tunnel', 'aes-128-cbc', 'hmac-sha1-96'), case + ': algorithms')
    want({q['message_id']: q['messages'] for q in told['quick_modes']} == expect['quick_mode_message_ids'], case + ': messages')
    want(sas == {spi: (k['encr_key'], k['auth_key']) for spi, k in expect['sas'].items()}, case + ': keys')
    want(told['informational'] and all(i['hash'] is True for i in told['informational']), case + ': informational')
    shape(case, told['ipsec'], IPSEC)
    n = expect['ipsec_packets']
    want([told['ipsec'][name] for name in IPSEC] == [n, n, 0, 0, 0, 0], case + ': packets')

def isakmp_packets(case):
    """By frame: the IP packets with ISAKMP in them."""
    data, at, number, packets = open('%s/%s/capture.pcap' % (CORPUS, case), 'rb').read(), 24, 0, {}
    while at < len(data):
        length, number = struct.unpack('<I', data[at + 8:at + 12])[0], number + 1
        packet = data[at + 30:at + 16 + length]
        if packet[9] == 17:
            packets[number] = packet[:struct.unpack('>H', packet[2:4])[0]]
        at += 16 + length
    return packets

def cover(name, leaves, total):
    """Fields side by side from the first byte to the last."""
    at = 0
    for offset, data in leaves:
        want(offset == at, '%s: field at %d, not %d' % (name, offset, at))
        at = offset + len(data)
    want(at == total, '%s: %d of %d bytes are named' % (name, at, total))

def judge_fields(case):
    told, packets = json.load(open(OUT + '/verbose.json')), isakmp_packets(case)
    want({m['frame'] for m in told['messages']} == set(packets), 'other messages than in the capture')
    for m in told['messages']:
        packet, name = packets[m['frame']], 'frame %d' % m['frame']
        leaves = [(f['offset'], bytes.fromhex(f['bytes'])) for f in m['fields'] if f['bytes'] and not f['decrypted']]
        cover(name, leaves, len(packet))
        want(b''.join(data for _, data in leaves) == packet, name + ': other bytes than in the capture')
        plain = [(f['offset'], bytes.fromhex(f['bytes'])) for f in m['fields'] if f['bytes'] and f['decrypted']]
        want(bool(plain) == (packet[28 + 19] & 1 == 1), name + ': decrypted') # its flag says so
        if plain:
            cover(name + ' decrypted', plain, len(packet) - 56)

def judge_dump(case):
    """The text form: bytes of the packet, and with a star those that were decrypted."""
    text, packets = open(OUT + '/verbose.txt').read(), isakmp_packets(case)
    pieces = re.split(r'^Frame (\d+),.*\n', text[text.index('\nEvery byte'):], flags=re.M)
    frames = {int(number): body for number, body in zip(pieces[1::2], pieces[2::2])}
    want(set(packets) <= set(frames), 'messages are not in the dump')
    for number, packet in packets.items():
        shown = b''.join(bytes.fromhex(m.group(1)) for m in
                         re.finditer(r'^ [0-9a-f]{4}  ((?:[0-9a-f]{2}(?: |$))+)', frames[number], re.M))
        want(shown == packet, 'frame %d: %d bytes in the dump, %d in the packet' % (number, len(shown), len(packet)))

for case in sorted(os.listdir(CORPUS)):
    if os.path.isdir(CORPUS + '/' + case):
        judge(case)
judge_fields('qm-nopfs-aes128-sha1')
judge_dump('qm-nopfs-aes128-sha1')
print('\n'.join(bad[:40]))
sys.exit(len(bad) > 0)
END_OF_JUDGE
python3 "$out/judge.py" "$out" || failures=$((failures + 1))
[ $failures -eq 0 ]
