"""scapy as the judge of ESP and AH: what it seals is opened by our code, what our code seals is opened by scapy, and
with the same IV both seal the same bytes. Every suite that the sealer knows, tunnel and transport mode, IPv4 and IPv6,
with and without extended sequence numbers; then tshark opens those ESP packets that it can.

    judge.py SEALER FOLDER [ROUNDS [SEED]]

What a judge can not do is found out here, not listed: an algorithm that scapy does not name is skipped and counted;
where its ESP leaves the upper half of the sequence number out of the ICV (2.5.0 does, but for combined ciphers),
python's HMAC is fed those four bytes too, as RFC 4303 section 2.2.1 has it; tshark knows no extended numbers.
"""
import copy
import os
import random
import subprocess
import sys
import warnings

warnings.filterwarnings("ignore")
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP, IPOption_Router_Alert, IPOption_RR
from scapy.layers.inet6 import (HBHOptUnknown, ICMPv6EchoRequest, IPv6, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting,
                                RouterAlert)
from scapy.layers.ipsec import AH, AUTH_ALGOS, CRYPT_ALGOS, ESP, IPSecIntegrityError, SecurityAssociation
from scapy.packet import Raw
from scapy.utils import RawPcapWriter

LINKTYPE_RAW = 101


class Program:
    """Our code, one request and one answer a line."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _send(self, words):
        self.process.stdin.write(" ".join(w.hex() or "-" if isinstance(w, bytes) else str(w) for w in words) + "\n")
        self.process.stdin.flush()

    def ask(self, *words):
        """Bytes, or the reason for which the packet was refused."""
        self._send(words)
        answer = self.process.stdout.readline().strip()
        if not answer:
            sys.exit("our program died at: %s" % (words,))
        try:
            return bytes.fromhex(answer)
        except ValueError:
            return answer

    def rows(self, what, splits):
        self._send([what])
        rows = []
        while True:
            line = self.process.stdout.readline().rstrip("\n")
            if not line:
                return rows
            rows.append(line.split(" ", splits))


class Cipher:
    def __init__(self, row):
        self.name, self.mode, self.wireshark = row[0], row[1], row[6]
        self.key_len, self.salt_len, self.iv_len, self.icv_len = map(int, row[2:6])
        self.scapy = self.name.split("-")[0].upper()
        if self.scapy == "AES":
            self.scapy += "-" + self.mode.upper()


class Auth:
    def __init__(self, row):
        self.name, self.wireshark = row[0], row[3]
        self.key_len, self.icv_len = map(int, row[1:3])
        self.scapy = self.name.upper()
        if self.scapy not in AUTH_ALGOS:  # RFC 4868's
            self.scapy = self.scapy.replace("HMAC-SHA", "SHA2-")
        if self.name == "none":
            self.scapy = "NULL"


# --- packets ---

V4 = ("192.0.2.1", "198.51.100.2")
V6 = ("2001:db8::1", "2001:db8:1::2")
# The third bit of the type says that the data may change on the way (RFC 8200 section 4.2).
MUTABLE, FIXED = HBHOptUnknown(otype=0x3e, optlen=6, optdata=b"change"), HBHOptUnknown(otype=0x1e, optlen=4,
                                                                                       optdata=b"same")


def header(r, family):
    if family == 4:
        return IP(src=V4[0], dst=V4[1], tos=r.randrange(256), ttl=r.randrange(1, 256), id=r.randrange(65536),
                  flags=r.choice(["", "DF"]))
    return IPv6(src=V6[0], dst=V6[1], tc=r.randrange(256), fl=r.randrange(1 << 20), hlim=r.randrange(1, 256))


def extended(r, family):
    """The same, now and then with options or extension headers, which stand ahead of ESP and AH in scapy and here."""
    packet = header(r, family)
    kind = r.randrange(4)
    if family == 4 and kind == 0:
        packet.options = [IPOption_NOP(), IPOption_Router_Alert(), IPOption_RR(pointer=4, routers=["0.0.0.0"])]
    if family == 6 and kind == 0:
        packet /= IPv6ExtHdrHopByHop(options=[RouterAlert(), MUTABLE, FIXED])
    if family == 6 and kind == 1:
        packet /= IPv6ExtHdrHopByHop(options=[MUTABLE]) / IPv6ExtHdrRouting(addresses=[])
    return packet


def outer(r, family):
    """scapy's outer headers may have options, but no extension headers."""
    return extended(r, family) if family == 4 else header(r, family)


def payload(r, family):
    echo = ICMP() if family == 4 else ICMPv6EchoRequest()
    layer = r.choice([UDP(sport=9, dport=9), TCP(sport=9, dport=9), echo])  # discard: no dissector looks inside
    return layer / Raw(r.randbytes(r.choice([0, 1, 2, 3, r.randrange(64), r.randrange(1400)])))


def whole(packet):
    """As it is on the wire, and scapy's view of just that."""
    data = bytes(packet)
    return data, (IP if data[0] >> 4 == 4 else IPv6)(data)


# --- scapy's side ---

class UpperHalf:
    """A MAC over what it is fed and the upper half of the sequence number behind it."""

    def __init__(self, mac, upper):
        self.mac, self.upper = mac, upper

    def update(self, data):
        self.mac.update(data)

    def finalize(self):
        self.mac.update(self.upper.to_bytes(4, "big"))
        return self.mac.finalize()


def association(upper, **arguments):
    """scapy's SA with this upper half, and whether its ICV needed help."""
    def make(half):
        return SecurityAssociation(esn_en=upper is not None, esn=half or 0, **arguments)

    def differs():
        probe = IP(src=V4[0], dst=V4[1]) / UDP()
        iv = {"iv": bytes(make(1).crypt_algo.iv_size)} if arguments["proto"] is ESP else {}
        plain = {k: v for k, v in arguments.items() if k != "tunnel_header"}
        one, two = (SecurityAssociation(esn_en=True, esn=n, **plain).encrypt(probe, seq_num=1, **iv) for n in (1, 2))
        return bytes(one) != bytes(two)

    sa = make(upper)
    if upper is None or sa.auth_algo.mac is None or differs():
        return sa, False
    plain = sa.auth_algo.new_mac
    sa.auth_algo = copy.copy(sa.auth_algo)
    sa.auth_algo.new_mac = lambda key: UpperHalf(plain(key), upper)
    return sa, True


def opened_by_scapy(sa, data):
    packet = (IP if data[0] >> 4 == 4 else IPv6)(data)
    try:
        return bytes(sa.decrypt(packet, esn_en=sa.esn_en, esn=sa.esn))
    except IPSecIntegrityError:
        return "icv-mismatch"


# --- one case ---

class Judge:
    def __init__(self, sealer, seed):
        self.sealer, self.random, self.bad, self.num = sealer, random.Random(seed), 0, {}
        self.for_tshark = []
        self.seen = set()

    def count(self, what):
        self.num[what] = self.num.get(what, 0) + 1

    def expect(self, got, wanted, what, case):
        self.count(what)
        if got != wanted:
            self.bad += 1
            wanted, got = (x.hex() if isinstance(x, bytes) else x for x in (wanted, got))
            print("%s: %s\n  wanted %s\n  got    %s" % (case, what, wanted, got))

    def number(self, esn):
        r = self.random
        lower = r.choice([1, 2, 0xffffffff, r.randrange(1, 1 << 32)] + ([0] if esn else []))
        return lower, r.choice([1, 0xffffffff, r.randrange(1, 1 << 32)]) if esn else None

    def exchange(self, case, sa, scapys, ours, open_, expected, upper, protected):
        """What both sealed, and open_(bytes, upper half), which is ours. protected: from what offset every bit is under
        the ICV; None if there is no ICV."""
        self.expect(ours, scapys, "both seal the same bytes", case)
        self.expect(open_(scapys, upper), expected, "ours opens scapy's", case)
        self.expect(opened_by_scapy(sa, ours), expected, "scapy opens ours", case)
        if protected is None:
            return
        at = self.random.randrange(protected, len(ours))
        touched = ours[:at] + bytes([ours[at] ^ 1 << self.random.randrange(8)]) + ours[at + 1:]
        self.expect(open_(touched, upper), "icv-mismatch", "ours refuses what was touched", case)
        self.expect(opened_by_scapy(sa, touched), "icv-mismatch", "scapy refuses what was touched", case)
        if upper is not None:
            self.expect(open_(scapys, upper ^ 1), "icv-mismatch", "ours refuses another upper half", case)

    def esp(self, cipher, auth, inner_family, outer_family, esn):
        """outer_family None: transport mode."""
        if cipher.scapy not in CRYPT_ALGOS or auth.scapy not in AUTH_ALGOS:
            return self.count("skipped: unknown to scapy")
        r = self.random
        key, auth_key, iv = (r.randbytes(n) for n in (cipher.key_len + cipher.salt_len, auth.key_len, cipher.iv_len))
        spi, (lower, upper) = r.randrange(256, 1 << 32), self.number(esn)
        tunnel = outer_family and outer(r, outer_family)
        data, packet = whole(extended(r, inner_family) / payload(r, inner_family))
        sa, helped = association(upper, proto=ESP, spi=spi, seq_num=lower, crypt_algo=cipher.scapy,
                                 crypt_key=key or None, auth_algo=auth.scapy, auth_key=auth_key, tunnel_header=tunnel)
        suite = (cipher.name, auth.name, int(esn), key, auth_key, "%x" % spi)

        def full(half):
            return "%x" % ((half or 0) << 32 | lower)

        around = [bytes(tunnel)] if tunnel else []
        scapys = bytes(sa.encrypt(packet, iv=iv))
        ours = self.sealer.ask("esp-seal", *suite, full(upper), iv, data, *around)

        def open_(sealed, half):
            return self.sealer.ask("esp-open", *suite, full(half), sealed, *(["tunnel"] if tunnel else []))

        authenticated = cipher.icv_len + auth.icv_len > 0
        at = len(around[0] if tunnel else data[:len(data) - len(last_payload(packet))])
        self.seen.update([cipher.name, auth.name])
        self.count("ESP whose ICV python's HMAC completed" if helped else "ESP by scapy alone")
        case = "ESP %s %s, IPv%d in %s, ESN %s" % (cipher.name, auth.name, inner_family, outer_family, upper)
        self.exchange(case, sa, scapys, ours, open_, data, upper, at + 4 if authenticated else None)
        if not esn:
            self.for_tshark.append((cipher, auth, key, auth_key, spi, ours, authenticated))

    def ah(self, auth, inner_family, outer_family, esn):
        if auth.scapy not in AUTH_ALGOS:
            return self.count("skipped: unknown to scapy")
        r = self.random
        key, spi, (lower, upper) = r.randbytes(auth.key_len), r.randrange(256, 1 << 32), self.number(esn)
        tunnel = outer_family and outer(r, outer_family)
        data, packet = whole(extended(r, inner_family) / payload(r, inner_family))
        sa, helped = association(upper, proto=AH, spi=spi, seq_num=lower, auth_algo=auth.scapy, auth_key=key,
                                 tunnel_header=tunnel)
        covered = bytes(tunnel / packet) if tunnel else data
        suite = (auth.name, int(esn), key, "%x" % spi)

        def full(half):
            return "%x" % ((half or 0) << 32 | lower)

        scapys = bytes(sa.encrypt(packet))
        ours = self.sealer.ask("ah-seal", *suite, full(upper), covered)

        def open_(sealed, half):
            """In a tunnel what comes out of AH still has its outer header."""
            opened = self.sealer.ask("ah-open", *suite, full(half), sealed)
            return opened if isinstance(opened, str) or not tunnel else inner_of(opened, covered, data)

        at = len(covered) - len(data) if tunnel else len(data) - len(last_payload(packet))
        self.seen.add("ah " + auth.name)
        self.count("AH whose ICV python's HMAC completed" if helped else "AH by scapy alone")
        case = "AH %s, IPv%d in %s, ESN %s" % (auth.name, inner_family, outer_family, upper)
        self.exchange(case, sa, scapys, ours, open_, data, upper, at + 8)


def inner_of(opened, covered, data):
    """The inner packet, if its outer header is what it was."""
    return opened[len(covered) - len(data):] if opened == covered else opened


def last_payload(packet):
    """What stands behind the IP header and its extension headers."""
    layer = packet.payload
    while isinstance(layer, (IPv6ExtHdrHopByHop, IPv6ExtHdrRouting)):
        layer = layer.payload
    return bytes(layer)


# --- tshark ---

def ask_tshark(judge, folder):
    """Each packet has an SA of its own, by its SPI."""
    capture = os.path.join(folder, "esp.pcap")
    # Two SAs of one SPI can not be told apart in tshark's table.
    cases = list({case[4]: case for case in judge.for_tshark}.values())
    writer = RawPcapWriter(capture, linktype=LINKTYPE_RAW)
    with open(os.path.join(folder, "esp_sa"), "w") as table:
        for cipher, auth, key, auth_key, spi, packet, _ in cases:
            writer.write(packet)
            table.write('"IPv%d","*","*","0x%08x","%s","%s","%s","%s"\n' % (
                packet[0] >> 4, spi, cipher.wireshark, "0x" + key.hex() if key else "", auth.wireshark,
                "0x" + auth_key.hex() if auth_key else ""))
    writer.close()
    with open(os.path.join(folder, "preferences"), "w") as preferences:
        preferences.write("esp.enable_encryption_decode: TRUE\nesp.enable_authentication_check: TRUE\n")
    fields = ["frame.number", "esp.spi", "esp.icv_good", "esp.icv_bad", "esp.protocol"]
    arguments = ["tshark", "-r", capture, "-T", "fields", "-E", "separator=|", "-E", "occurrence=f"]
    for field in fields:
        arguments += ["-e", field]
    out = subprocess.run(arguments, env=dict(os.environ, WIRESHARK_CONFIG_DIR=folder), stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    if out.returncode != 0:
        sys.exit("tshark: " + out.stderr)
    lines = out.stdout.splitlines()
    judge.expect(len(lines), len(cases), "tshark saw each packet", "tshark")
    for line, (cipher, auth, key, _, spi, packet, authenticated) in zip(lines, cases):
        case = "tshark, frame %s" % line + " %s %s" % (cipher.name, auth.name)
        _, its_spi, good, bad, protocol = line.split("|")
        judge.expect(int(its_spi, 16), spi, "tshark reads the SPI", case)
        judge.expect(protocol != "", True, "tshark decrypts", case)
        if authenticated:
            found = good in ("1", "True"), bad in ("1", "True")
            judge.expect(found, (True, False), "tshark finds the ICV good", case)


def is_legal(cipher, auth):
    if cipher.icv_len > 0:  # it authenticates itself
        return auth.name == "none"
    return cipher.mode != "null" or auth.name != "none"


def judge_all(judge, ciphers, auths):
    for esn in (False, True):
        for inner, around in ((inner, around) for inner in (4, 6) for around in (None, 4, 6)):
            for auth in auths:
                for cipher in ciphers:
                    if is_legal(cipher, auth):
                        judge.esp(cipher, auth, inner, around, esn)
                if auth.name != "none":
                    judge.ah(auth, inner, around, esn)


def main():
    sealer = Program(sys.argv[1])
    judge = Judge(sealer, int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    ciphers = [Cipher(row) for row in sealer.rows("ciphers", 6)]
    auths = [Auth(row) for row in sealer.rows("auths", 3)]
    for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 1):
        judge_all(judge, ciphers, auths)
    ask_tshark(judge, sys.argv[2])
    for what in sorted(judge.num):
        print("%6d %s" % (judge.num[what], what))
    wanted = {c.name for c in ciphers} | {a.name for a in auths} | {"ah " + a.name for a in auths if a.icv_len > 0}
    if wanted - judge.seen:
        print("nobody judged: " + ", ".join(sorted(wanted - judge.seen)))
    print("%d bad" % judge.bad)
    sys.exit(1 if judge.bad or wanted - judge.seen else 0)


if __name__ == "__main__":
    main()
