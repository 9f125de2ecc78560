# Wireshark as the judge of the dissector: of every frame of the corpus, and of messages made here of the payloads that
# the corpus lacks, tshark's wire fields and ours are the same sequence of filter names and bytes; what both call a
# number means the same; and the tables of names agree with tshark's.
#
# Exempt, and computed, not listed: an encrypted message that is byte for byte an earlier one of its capture, a resend:
# tshark 4.0 chains its IV a second time and then finds nonsense in it, and in what follows in the same exchange. Of
# Phase 1's encrypted messages, which our side leaves encrypted, what is in front of the ciphertext is compared.
set -e
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export out

cat >"$out/judge.py" <<'END'
import hashlib, hmac, os, re, struct, subprocess, sys
import xml.etree.ElementTree as ET

TOOL = os.environ['B'] + '/tests/tools/explain_fields'
OUT = os.environ['out']
VECTORS = os.environ.get('P2_VECTORS', 'tests/vectors') + '/corpus'

# What tshark shows that is no field of its own on the wire, with the reason.
SKIP = {
    r'isakmp\.(mjver|mnver)': 'halves of isakmp.version',
    r'isakmp\.flag_[a-z]': 'bits of isakmp.flags',
    r'isakmp\.sa\.situation\..*': 'bits of isakmp.sa.situation',
    r'isakmp\.typepayload': 'a container, whose value repeats what is in it',
    r'isakmp\..*attr\.format': 'a bit of the attribute type',
    r'isakmp\.vid_string': 'repeats isakmp.vid_bytes',
    r'isakmp\.vid\..*': 'pieces of isakmp.vid_bytes',
    r'isakmp\.cfg\.attr\.(internal|xauth|unity|application|supported).*': 'repeats isakmp.cfg.attr.value',
    r'ip\.hdr_len': 'the same byte as ip.version',
    r'ip\.dsfield\..*': 'bits of ip.dsfield',
    r'ip\.flags.*': 'bits of what ip.frag_offset is taken from, which stands for both',
    r'(ip|udp)\.(checksum\.status|stream|time.*|payload)': 'derived',
    r'ip\.(addr|host|src_host|dst_host)|udp\.port': 'repeat the addresses and ports',
    r'ipv6\.(tclass.*|addr|host|src_host|dst_host)': 'bits of ipv6.version and ipv6.flow; repeats',
    r'ipv6\..*\.len_oct': 'derived',
    r'ipv6\.(fraghdr\.(more|reserved_bits)|opt.*|src_.*|dst_.*|.*_opt.*)': 'bits; options, which are one piece to us',
    r'(udpencap|esp|ah|udp|ip|ipv6)': 'containers',
    r'esp\.(pad|pad_len|protocol|icv.*|iv|encrypted_data|decrypted_data|contained_data|sequence-analysis.*)':
        'without keys of the SA both sides have SPI and sequence number only',
}
# Ours that PDML has without a value.
NO_VALUE = {'udpencap.non_esp_marker', 'udpencap.nat_keepalive', 'isakmp.cert.data'}
PROTOS = {'ip', 'ipv6', 'udp', 'isakmp', 'esp', 'ah', 'udpencap'}

# Where both mean the same and say it differently: tshark's words, ours.
ALIASES = {
    'none / No Next Payload': 'none', 'Security Association': 'SA', 'NAT-D (RFC 3947)': 'NAT-D',
    'NAT-OA (RFC 3947)': 'NAT-OA', 'NAT-D (draft-ietf-ipsec-nat-t-ike-01 to 03)': 'NAT-D (draft)',
    'NAT-OA (draft-ietf-ipsec-nat-t-ike-01 to 03)': 'NAT-OA (draft)', 'Cisco-Fragmentation': 'Fragment',
    'SA KEK Payload': 'SA KEK', 'SA TEK Payload': 'SA TEK',
    'Identity Protection (Main Mode)': 'Main Mode', 'New Group Mode': 'New Group',
    'Transaction (Config Mode)': 'Transaction', 'IPSEC_AH': 'ah', 'IPSEC_ESP': 'esp',
    'EC2N group on GP[2^155] group': 'EC2N group on GP[2^155]',
    'EC2N group on GP[2^185] group': 'EC2N group on GP[2^185]',
}
SYMBOLIC = re.compile(r'isakmp\.(nextpayload|exchangetype|notify\.msgtype|id\.type|.*\.protoid|trans\.id|.*\.doi|'
                      r'cfg\.type|cert\.encoding|certreq\.type|.*attr\.type|.*attr\.[a-z_]*(type|algorithm|method|'
                      r'description|mode|tunnel|nbr))$')

bad = []
def complain(text):
    bad.append(text)

def plain_words(text):
    return re.sub(r'[^a-z0-9]', '', text.lower())
SAME = {plain_words(a): plain_words(b) for a, b in ALIASES.items()}
def normal(text):
    words = plain_words(text)
    return SAME.get(words, words)

def expanded(key, name, length):                     # RFC 2409 appendix B
    if len(key) >= length:
        return key[:length]
    block, stream = b'\0', b''
    while len(stream) < length:
        block = hmac.new(key, block, name).digest()
        stream += block
    return stream[:length]

def write_table(keys, folder):
    text = open(keys).read()
    get = lambda name: re.search(name + '="([^"]*)"', text)[1]
    length = {'aes-128-cbc': 16, 'aes-192-cbc': 24, 'aes-256-cbc': 32, '3des-cbc': 24}[get('cipher')]
    key = expanded(bytes.fromhex(get('skeyid-e')), get('hash').replace('-', ''), length)
    os.makedirs(folder, exist_ok=True)
    with open(folder + '/ikev1_decryption_table', 'w') as f:
        f.write('%s,%s\n' % (get('initiator-cookie'), key.hex()))

def leaves_of_tshark(proto):
    for field in proto.iter('field'):
        name, value = field.get('name', ''), field.get('value', '')
        if name == 'isakmp.enc.data' or name in NO_VALUE:
            value = '%s bytes' % field.get('size')
        if name in ('ip.frag_offset', 'ipv6.version', 'ipv6.flow', 'ipv6.fraghdr.offset'):
            value = field.get('unmaskedvalue', value)
        if not value or field.get('hide') == 'yes' or '.' not in name:
            continue
        if name != 'isakmp.cert.data' and any(re.fullmatch(p, name) for p in SKIP):
            continue
        yield [name, value, field.get('showname', ''), int(field.get('pos')), int(field.get('size'))]

# The whole before its parts, or the general name before the particular one: the particular one counts.
def without_repeats(fields):
    kept = []
    for i, f in enumerate(fields):
        later = [g[0] for g in fields[i + 1:] if f[3] <= g[3] < f[3] + f[4]]
        if f[0].endswith('attr.value') and any(g.startswith(f[0][:-len('value')]) for g in later[:1]):
            continue
        if f[0] == 'isakmp.notify.data' and any(g.startswith('isakmp.notify.data.') for g in later):
            continue
        kept.append(f)
    return kept

def run_tshark(capture, folder):
    env = dict(os.environ, WIRESHARK_CONFIG_DIR=folder)
    done = subprocess.run(['tshark', '-r', capture, '-T', 'pdml'], env=env, check=True, capture_output=True)
    frames = []
    for packet in ET.fromstring(done.stdout):
        fields, payload = [], None
        for proto in packet.findall('proto'):
            if proto.get('name') in PROTOS:
                fields += without_repeats(list(leaves_of_tshark(proto)))
            if proto.get('name') == 'udp':
                payload = next((f.get('value') for f in proto.iter('field') if f.get('name') == 'udp.payload'), None)
        frames.append((fields, payload))
    return frames

def run_ours(capture, keys):
    done = subprocess.run([TOOL, capture] + keys, check=True, capture_output=True, text=True, errors='replace')
    frames = {}
    for line in done.stdout.splitlines():
        frame, name, value, text = line.split('\t', 3)
        if name == 'isakmp.enc.data' or name in NO_VALUE:
            value = '%d bytes' % (len(value) // 2)
        if re.fullmatch(r'esp\.(iv|icv|encrypted_data)', name):
            continue
        frames.setdefault(int(frame), []).append([name, value, text])
    return frames

# Frame numbers of resends, and of what comes after them in their exchange.
def broken_by_resends(frames):
    seen, exchanges, broken = set(), set(), set()
    for number, (fields, payload) in enumerate(frames, 1):
        values = {f[0]: f[1] for f in reversed(fields)}
        if not payload or 'isakmp.enc.data' not in values:
            continue
        exchange = (values['isakmp.ispi'], values['isakmp.messageid'])
        if payload in seen:
            exchanges.add(exchange)
        if exchange in exchanges:
            broken.add(number)
        seen.add(payload)
    return broken

def until_ciphertext(fields):
    names = [f[0] for f in fields]
    return fields[:names.index('isakmp.enc.data') + 1]

def compare_meaning(where, theirs, ours):
    says = theirs[2].split(': ', 1)[-1]
    if not SYMBOLIC.match(theirs[0]) or not re.search(r'[A-Za-z]', says):
        return 0
    if theirs[0] == 'isakmp.id.protoid':             # IP protocols; tshark says "Unused" for any
        return 0
    if re.match('UNKNOWN-(AH|ESP)-TRANS-TYPE', says): # tshark 4.0 knows RFC 2407's and AES-CBC only
        return 0
    number = re.search(r'\((\d+)\)\s*$', says)
    mine = re.match(r'(.*?) ?\((\d+)\)', re.sub(r' \((?!\d+\))', ' <', ours[2]))
    if not number or not mine:
        complain('%s: %s: tshark says "%s", we say "%s"' % (where, theirs[0], theirs[2], ours[2]))
        return 1
    a, b = normal(says[:number.start()]), normal(mine[1])
    if theirs[0] == 'isakmp.trans.id':
        b = re.sub('^(esp|ah|ipcomp)(?!$)', '', b)
        a = re.sub('^(esp|ah|ipcomp)(?!$)', '', a)
    if a != b or number[1] != mine[2]:
        complain('%s: %s: tshark says "%s", we say "%s"' % (where, theirs[0], theirs[2], ours[2]))
    return 1

def compare(name, capture, keys, folder):
    theirs, ours = run_tshark(capture, folder), run_ours(capture, keys)
    broken = broken_by_resends(theirs)
    fields = meanings = 0
    for number, (t, _) in enumerate(theirs, 1):
        o, where = ours.get(number, []), '%s frame %d' % (name, number)
        encrypted = any(f[0] == 'isakmp.enc.data' for f in t)
        phase1 = encrypted and next(f[1] for f in t if f[0] == 'isakmp.messageid') == '00000000'
        if encrypted and (phase1 or number in broken):
            if not any(f[0] == 'isakmp.enc.data' for f in o):
                complain(where + ': not encrypted to us')
                continue
            t, o = until_ciphertext(t), until_ciphertext(o)
        for i in range(max(len(t), len(o))):
            a, b = (l[i] if i < len(l) else ['nothing', ''] for l in (t, o))
            if a[:2] != b[:2]:
                complain('%s field %d: tshark has %s %s, we have %s %s' % (where, i, a[0], a[1], b[0], b[1]))
                break
            fields += 1
            meanings += compare_meaning(where, a, b)
    return len(theirs), fields, meanings, len(broken)

# --- messages that the corpus lacks ---

def payload(next_type, body):
    return struct.pack('>BBH', next_type, 0, len(body) + 4) + body

def message(payloads, exchange=5, version=0x10):
    types = [t for t, _ in payloads] + [0]
    body = b''.join(payload(types[i + 1], b) for i, (_, b) in enumerate(payloads))
    return b'\x11' * 8 + b'\x22' * 8 + struct.pack('>BBBBII', types[0], version, exchange, 0, 7, 28 + len(body)) + body

def short(kind, value):
    return struct.pack('>HH', 0x8000 | kind, value)

def long(kind, value):
    return struct.pack('>HH', kind, len(value)) + value

def transform(last, number, transform_id, attributes):
    return payload(0 if last else 3, struct.pack('>BBH', number, transform_id, 0) + attributes)

def proposal(last, number, protocol, spi, transforms):
    return payload(0 if last else 2, struct.pack('>BBBB', number, protocol, len(spi), len(transforms)) + spi + b''.join(transforms))

def sa(proposals):
    return struct.pack('>II', 1, 1) + b''.join(proposals)

def identity(kind, data, protocol=0, port=0):
    return struct.pack('>BBH', kind, protocol, port) + data

def notify(protocol, spi, kind, data=b''):
    return struct.pack('>IBBH', 1, protocol, len(spi), kind) + spi + data

def made_messages():
    v6 = bytes.fromhex('20010db8000000000000000000000001')
    life = short(1, 1) + long(2, b'\0\0\x0e\x10') + short(4, 3) + short(5, 5) + short(6, 256) + short(11, 1) + short(3, 14)
    yield message([(1, sa([proposal(False, 1, 2, b'\0\0\1\0', [transform(False, 1, 3, life + short(10, 2)), transform(True, 2, 5, life)]),
                           proposal(False, 1, 3, b'\0\0\1\1', [transform(True, 1, 20, life)]),
                           proposal(True, 2, 4, b'\1\2', [transform(True, 1, 2, short(4, 1))])])),
                   (10, b'n' * 16), (4, b'k' * 96),
                   (5, identity(1, b'\x0a\0\0\1', 17, 500)), (5, identity(4, b'\x0a\0\0\0\xff\0\0\0'))], 32)
    hashes = [short(2, i) for i in range(1, 7)]
    ciphers = [short(1, i) for i in range(1, 9)]
    methods = [short(3, i) for i in (1, 2, 3, 4, 5, 9, 10, 11, 64221, 64222, 64223, 64224)] + [short(3, i) for i in range(65001, 65011)]
    groups = [short(4, i) for i in (1, 2, 3, 4, 5, *range(14, 31))]
    rest = [long(11, b'\0\2'), long(12, b'\0\1\0\0\0'), short(5, 2), short(14, 192), long(12, b'\0' * 9)]
    yield message([(1, sa([proposal(True, 1, 1, b'', [transform(True, 1, 1, b''.join(hashes + ciphers + methods + groups + rest))])]))], 2)
    values = b''.join(short(4, i) for i in (1, 2, 3, 4, 61443, 61444)) + b''.join(short(5, i) for i in range(1, 14))
    numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23]
    for protocol, ids in ((3, numbers), (2, range(2, 14)), (4, range(1, 5))):
        transforms = [transform(i == ids[-1], i, i, values) for i in ids]
        yield message([(1, sa([proposal(True, 1, protocol, b'abcd', transforms)]))], 32)
    names = ((2, b'vpn.example'), (3, b'a@vpn.example'), (5, v6), (6, v6 + b'\xff' * 8 + bytes(8)), (7, b'\x0a\0\0\1\x0a\0\0\x09'),
             (8, v6 + v6), (11, b'key'))
    yield message([(5, identity(kind, data)) for kind, data in names], 32)
    yield message([(11, notify(3, b'spi1', 24576, short(1, 1) + long(2, b'\0\0\x0e\x10'))),
                   (11, notify(1, b'c' * 16, 36136, b'\0\0\1\2')), (11, notify(1, b'c' * 16, 36137, b'\0\0\1\2')),
                   (11, notify(1, b'', 16384)), (11, notify(3, b'', 18, b'why')), (12, struct.pack('>IBBH', 1, 3, 4, 2) + b'spi1spi2')])
    for kind in (*range(1, 31), 16384, 24578):
        yield message([(11, notify(3, b'', kind))])
    for kind in (1, 4, 6):
        yield message([(7, bytes([kind])), (9, b's' * 64), (13, b'somebody'), (13, bytes.fromhex('4a131c81070358455c5728f20e95452f'))], 2)
    yield message([(20, b'h' * 20), (130, b'h' * 16), (21, b'\1\0\0\0\x0a\0\0\1'), (131, b'\5\0\0\0' + v6)], 4)
    yield message([(14, struct.pack('>BBH', 1, 0, 9) + long(1, b'\x0a\0\0\1') + long(16521, b'me') + short(16520, 0))], 6)
    for exchange in (0, 1, 2, 3, 4, 5, 6, 32, 33):
        yield message([(10, b'n' * 8)], exchange)

def udp(source, destination, data):
    return struct.pack('>HHHH', source, destination, 8 + len(data), 0) + data

def ipv4(protocol, data):
    return struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(data), 1, 0x4000, 64, protocol, 0, b'\x0a\1\0\1', b'\x0a\2\0\1') + data

def ipv6(protocol, data):
    return struct.pack('>IHBB', 0x61234567, len(data), protocol, 64) + bytes(15) + b'\1' + bytes(15) + b'\2' + data

def made_packets():
    messages = list(made_messages())
    for m in messages:
        yield ipv4(17, udp(500, 500, m))
    esp = b'\0\0\1\0' + b'\0\0\0\5' + b'e' * 40
    ah = struct.pack('>BBHII', 50, 4, 0, 0x1234, 7) + b'i' * 12
    yield ipv4(17, udp(4500, 4500, bytes(4) + messages[0]))
    yield ipv4(17, udp(4500, 4500, esp))
    yield ipv4(17, udp(4500, 4500, b'\xff'))
    yield ipv4(51, ah + esp)
    yield ipv6(17, udp(500, 500, messages[0]))
    yield ipv6(50, esp)
    yield ipv6(51, ah + esp)
    yield ipv6(0, b'\x3c\0\1\4\0\0\0\0' + b'\x11\0\1\4\0\0\0\0' + udp(500, 500, messages[0]))

def write_made(path):
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, packet in enumerate(made_packets()):
            kind = 0x0800 if packet[0] >> 4 == 4 else 0x86dd
            frame = bytes(12) + struct.pack('>H', kind) + packet
            f.write(struct.pack('<IIII', i, 0, len(frame), len(frame)) + frame)

# --- tables of names ---

# Numbers that tshark has a name for and we do not.
UNNAMED = {
    'isakmp.ike.attr.type': {17: 'Cisco only', 20: 'Chinese national algorithms'},
    'isakmp.ike.attr.hash_algorithm': {20: 'Chinese national algorithms'},
    'isakmp.ike.attr.encryption_algorithm': {127: 'Chinese national algorithms', 128: 'the same', 129: 'the same'},
    'isakmp.ike.attr.authentication_method': {6: 'reserved', 7: 'reserved', 8: 'reserved'},
    'isakmp.ike.attr.group_description': {n: 'never an RFC for IKEv1' for n in (0, *range(6, 14), *range(31, 35))},
    'isakmp.ipsec.attr.group_description': {n: 'never an RFC for IKEv1' for n in (0, *range(6, 14), *range(31, 35))},
    'isakmp.ike.attr.group_type': {0: 'undefined'},
    'isakmp.ipsec.attr.type': {n: 'GDOI, or without IPsec meaning' for n in range(12, 16)},
    'isakmp.ipsec.attr.encap_mode': {61440: 'Check Point only'},
    'isakmp.nextpayload': {n: 'IKEv2, G-IKEv2 or GDOI' for n in (22, *range(33, 54))},
    'isakmp.exchangetype': {n: 'IKEv2' for n in range(34, 39)},
    'isakmp.prop.protoid': {5: 'GigaBeam radios'},
    'isakmp.notify.msgtype': {n: 'Cisco, Check Point, private' for n in (0, 40501, 40502, 40503)},
}

def compare_names():
    ours, theirs, over = {}, {}, set()
    for line in subprocess.run([TOOL, '--names'], check=True, capture_output=True, text=True).stdout.splitlines():
        name, number, text = line.split('\t')
        ours.setdefault(name, {})[int(number)] = text
    values = subprocess.run(['tshark', '-G', 'values'], check=True, capture_output=True, text=True, errors='replace').stdout
    for line in values.splitlines():
        row = line.split('\t')
        if len(row) > 3 and row[1] in ours:
            if row[0] == 'R' and row[2] != row[3]:
                continue
            # IKEv1's table comes first; IKEv2's has the same name and begins with a low number again.
            number, table = int(row[2], 0), theirs.setdefault(row[1], {})
            if row[1] not in over and (not table or number >= max(table)):
                table[number] = row[-1]
            else:
                over.add(row[1])
    num = 0
    for name, table in ours.items():
        for number, text in table.items():
            num += 1
            if normal(theirs.get(name, {}).get(number, 'nothing')) != normal(text):
                complain('%s %d: tshark has "%s", we have "%s"' % (name, number, theirs.get(name, {}).get(number), text))
        for number, text in theirs.get(name, {}).items():
            if number not in table and number not in UNNAMED.get(name, {}) and 'reserved' not in text.lower():
                complain('%s %d: tshark has "%s", we have nothing' % (name, number, text))
    return num

total = [0, 0, 0, 0]
def add(name, numbers):
    print('%s: %d frames, %d fields, %d meanings, %d frames exempt' % ((name,) + numbers))
    for i, n in enumerate(numbers):
        total[i] += n

for name in sorted(os.listdir(VECTORS)):
    folder = VECTORS + '/' + name
    if os.path.isdir(folder):
        write_table(folder + '/keys.xml', OUT + '/' + name)
        add(name, compare(name, folder + '/capture.pcap', [folder + '/keys.xml'], OUT + '/' + name))
corpus = list(total)
write_made(OUT + '/made.pcap')
os.makedirs(OUT + '/none', exist_ok=True)
add('made', compare('made', OUT + '/made.pcap', [], OUT + '/none'))
names = compare_names()
print('%d fields, %d meanings, %d names' % (total[1], total[2], names))
for text in bad[:60]:
    print(text)
# About a tenth less than there was when this was written.
enough = corpus[1] > 10000 and corpus[2] > 700 and total[1] - corpus[1] > 3400 and total[2] - corpus[2] > 1800 and names > 190
if not enough:
    print('too little was compared')
sys.exit(0 if enough and not bad else 1)
END
python3 "$out/judge.py"
