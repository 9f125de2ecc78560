# `explain` on every capture that the scenario library writes, with the keys that were written beside it: it reads every
# Quick Mode and Informational message that the gateways sent, finds every HASH and every ICV good, and derives exactly
# the keys that the gateways used, as the esp_sa table has them.
#
# Where a scenario has attackers, what they made may be bad. There a packet's ICV is good exactly when a gateway sent it:
# its own capture shows each packet that left it, so a packet is genuine when, byte for byte, it is one of those that some
# gateway of the case sent under its own address, however often it came.
#
# PHASE2SIM_CAPTURES=1 judges of each case that capture only which has most in it.
# P2_EXPLAIN_RESULTS=DIRECTORY judges what is there instead of running the scenarios (then as many as there are).
set -e
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
results=${P2_EXPLAIN_RESULTS:-$out/results}

if [ -z "$P2_EXPLAIN_RESULTS" ]; then
    for file in scenarios/*.xml; do
        name=$(basename "$file" .xml)
        set -- -o "$results/$name"
        case $name in # the others may promise totals of all their runs
        rekey-storm) set -- "$@" --runs 1 --set "//gateway[@name='spoke']/@count=3" ;;
        rekey-pfs | lossy-rekey) set -- "$@" --runs 1 --set "/scenario/@duration=50s" ;;
        esac
        $B/phase2sim run "$file" "$@" >"$out/report" 2>&1 || { cat "$out/report"; exit 1; }
    done
fi

cat >"$out/judge.py" <<'END_OF_JUDGE'
import collections, csv, glob, json, os, re, struct, subprocess, sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

PROGRAM = os.environ['B'] + '/phase2sim'
ONLY = int(os.environ.get('PHASE2SIM_CAPTURES') or 0)
EMPTY = 24                                          # bytes: a header and nothing behind it
ESP = 50

def explain(path):
    done = subprocess.run([PROGRAM, 'explain', path, '--keys', os.path.dirname(path), '--format', 'json'],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stderr.decode(), json.loads(done.stdout or b'null')

def exported_keys(folder):
    """By SPI: (cipher's key, authentication's key), as many as there are."""
    keys = collections.defaultdict(set)
    with open(folder + '/esp_sa', newline='') as table:
        for line in csv.reader(table):
            keys[line[3][2:]].add((line[5][2:], line[7][2:]))
    return keys

def ipv4_packets(path):
    """What the file holds, raw IP and IPv4 as the scenarios with attackers have it."""
    data = open(path, 'rb').read()
    assert struct.unpack('<I', data[:4])[0] == 0xa1b23c4d and struct.unpack('<I', data[20:24])[0] == 101, path
    at = 24
    while at < len(data):
        length = struct.unpack('<I', data[at + 8:at + 12])[0]
        packet = data[at + 16:at + 16 + length]
        assert packet[0] == 0x45 and not packet[6] & 0x20, path  # no options, no fragments
        yield packet
        at += 16 + length

def address_of(scenario, name):
    """Of a gateway, in bytes; the third one of a group is name[3], and has the third address."""
    base, number = re.fullmatch(r'([^[]*)(?:\[(\d+)\])?', name).groups()
    gateway = next(g for g in scenario.iter() if g.tag.endswith('}gateway') and g.get('name') == base)
    parts = list(map(int, gateway.get('address').split('.')))
    parts[3] += int(number or 1) - 1
    return bytes(parts)

def genuine_esp(folder, scenario):
    """What left the gateways of a case."""
    sent = set()
    for path in glob.glob(glob.escape(folder) + '/*.pcap'):
        own = address_of(scenario, os.path.basename(path)[:-5])
        sent.update(p for p in ipv4_packets(path) if p[9] == ESP and p[12:16] == own)
    return sent

class Judgement:
    def __init__(self, path):
        self.path, self.bad, self.counts = path, [], collections.Counter()

    def want(self, holds, what):
        if not holds:
            self.bad.append(what)

    def keys(self, told, exported):
        for sa in [sa for q in told['quick_modes'] for sa in q['sas'] if sa['protocol'] == 'esp']:
            pair = (sa['encryption_key'] or '', sa['authentication_key'] or '')
            self.want(pair in exported[sa['spi']], 'SA %s has keys %s, exported were %s' % (sa['spi'], pair, exported[sa['spi']]))
            self.counts['keys'] += 1

    def messages(self, told, attacked):
        for q in told['quick_modes']:
            name = 'Quick Mode ' + q['message_id']
            self.counts[q['outcome']] += 1
            if attacked and q['outcome'] != 'established':
                continue
            self.want(q['outcome'] in ('established', 'rejected', 'incomplete'), name + ' is ' + q['outcome'])
            self.want(q['outcome'] != 'established' or len(q['hashes']) >= 3, name + ' lacks a HASH')
            self.want(q['hashes'] and all(h is True for h in q['hashes'].values()), name + ': a HASH is not good')
            self.want(bool(q['sas']) == (q['outcome'] == 'established'), name + ': %d SAs' % len(q['sas']))
            self.counts['hashes'] += len(q['hashes'])
        for i in told['informational']:
            readable = i['reading'] == 'clear' or i['hash'] is True
            self.want(attacked or readable, 'Informational %s: %s, HASH %s' % (i['message_id'], i['reading'], i['hash']))
            self.counts['informational'] += i['hash'] is True

    def packets(self, told, folder, scenario, attacked):
        c = told['ipsec']
        good = c['icv_ok'] + c['no_icv']
        self.counts['packets'] += c['packets']
        self.want(sum(c[k] for k in ('icv_ok', 'icv_bad', 'no_icv', 'unknown_spi', 'no_keys')) == c['packets'], 'counts do not add up')
        if not attacked:
            self.want(good == c['packets'], '%d of %d ICVs are good' % (good, c['packets']))
            self.want(c['replay_window'] == 64, 'a window of %d' % c['replay_window'])
            return
        sent = genuine_esp(folder, scenario)
        genuine = sum(p[9] == ESP and p in sent for p in ipv4_packets(self.path))
        self.want(good == genuine, '%d ICVs are good, but gateways sent %d' % (good, genuine))
        self.counts['forged'] += c['packets'] - genuine

def judge(path):
    folder = os.path.dirname(path)
    root = ET.parse(os.path.dirname(os.path.dirname(folder)) + '/scenario.xml').getroot()
    attacked = any(re.search(r'\}(replay|forge|flood)$', element.tag) for element in root.iter())
    j = Judgement(path)
    status, errors, told = explain(path)
    j.want(status == 0 and not errors, 'exit %d: %s' % (status, errors))
    if not told:
        return j
    j.want(told['format'] == 'phase2sim-explain/1' and told['capture']['broken'] is None, 'broken')
    j.keys(told, exported_keys(folder))
    j.messages(told, attacked)
    j.packets(told, folder, root, attacked)
    j.counts['captures'] += 1
    j.counts['attacked'] += attacked
    return j

def captures(results):
    for folder in sorted(glob.glob(glob.escape(results) + '/*/captures/*/')):
        files = [f for f in glob.glob(glob.escape(folder) + '*.pcap') if os.path.getsize(f) > EMPTY]
        files.sort(key=lambda f: (-os.path.getsize(f), f))
        if not files:
            print(folder + ': no captures')
            sys.exit(1)
        yield from files[:ONLY or None]

total, bad = collections.Counter(), 0
with ThreadPoolExecutor(os.cpu_count()) as pool:     # the work is done by the program, a process each
    for j in pool.map(judge, captures(sys.argv[1])):
        total.update(j.counts)
        bad += bool(j.bad)
        for what in j.bad[:5]:
            print(j.path + ': ' + what)
print('%d captures, %d of them bad: %s' % (total['captures'], bad, dict(total)))
least = {'captures': 618, 'attacked': 50, 'established': 2400, 'rejected': 70, 'hashes': 7000, 'informational': 2000,
         'keys': 4000, 'packets': 1200000, 'forged': 50000}
if ONLY:
    least = {name: number // 4 for name, number in least.items()}
if not os.environ.get('P2_EXPLAIN_RESULTS'):
    for name in least:
        if total[name] < least[name]:
            print('too few to prove anything: %s, %d of at least %d' % (name, total[name], least[name]))
            bad += 1
sys.exit(bad > 0)
END_OF_JUDGE
python3 "$out/judge.py" "$results"
