"""Two IKEv1 peers that share no code with our core, written from RFC 2407, 2408, 2409, 3947, 3948, 4302 and 4303 alone:
they write captures that look like those of daemons which we do not have, and what `explain` must say about them.

Everything comes from one seed. The shared secrets of Diffie-Hellman are random bytes of the group's length, since
`explain` is told them (keys.xml) and can not check them.
"""
import hashlib
import hmac
import ipaddress
import json
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
try:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
except ImportError:  # before 43
    from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES

SA, KE, ID, HASH, NONCE, NOTIFY, DELETE, VENDOR, ATTRIBUTES, NAT_D, NAT_OA = 1, 4, 5, 8, 10, 11, 12, 13, 14, 20, 21
MAIN, AGGRESSIVE, INFORMATIONAL, TRANSACTION, QUICK = 2, 4, 5, 6, 32
ENCRYPTED, COMMIT = 1, 2
ESP, AH, IPCOMP = 3, 2, 4

GROUP_LENGTHS = {1: 96, 2: 128, 5: 192, 14: 256, 15: 384, 16: 512, 17: 768, 18: 1024, 19: 64, 20: 96, 21: 132, 22: 128,
                 23: 256, 24: 256, 25: 48, 26: 56, 27: 56, 28: 64, 29: 96, 30: 128, 31: 32}
# IKE: name: number, key bytes, block
IKE_CIPHERS = {"des-cbc": (1, 8, 8), "3des-cbc": (5, 24, 8), "aes-128-cbc": (7, 16, 16), "aes-192-cbc": (7, 24, 16),
               "aes-256-cbc": (7, 32, 16)}
IKE_HASHES = {"md5": 1, "sha1": 2, "sha256": 4, "sha384": 5, "sha512": 6}
# ESP: name: transform, key bytes, salt, IV, padded to, ICV, whether the key length is an attribute
ESP_CIPHERS = {"null": (11, 0, 0, 0, 4, 0, False), "des-cbc": (2, 8, 0, 8, 8, 0, False),
               "3des-cbc": (3, 24, 0, 8, 8, 0, False)}
for bits in (128, 192, 256):
    ESP_CIPHERS["aes-%d-cbc" % bits] = (12, bits // 8, 0, 16, 16, 0, True)
    ESP_CIPHERS["aes-%d-ctr" % bits] = (13, bits // 8, 4, 8, 4, 0, True)
    for octets, transform in ((8, 18), (12, 19), (16, 20)):
        ESP_CIPHERS["aes-%d-gcm-%d" % (bits, octets)] = (transform, bits // 8, 4, 8, 4, octets, True)
# name: attribute, AH transform, hash, key bytes, ICV
AUTHS = {"hmac-md5-96": (1, 2, "md5", 16, 12), "hmac-sha1-96": (2, 3, "sha1", 20, 12),
         "hmac-sha256-128": (5, 5, "sha256", 32, 16), "hmac-sha384-192": (6, 6, "sha384", 48, 24),
         "hmac-sha512-256": (7, 7, "sha512", 64, 32), "aes-xcbc-96": (9, 9, "md5", 16, 12)}
NOTIFIES = {"INVALID-PAYLOAD-TYPE": 1, "INVALID-SPI": 11, "NO-PROPOSAL-CHOSEN": 14, "BAD-PROPOSAL-SYNTAX": 15,
            "PAYLOAD-MALFORMED": 16, "INVALID-KEY-INFORMATION": 17, "INVALID-ID-INFORMATION": 18,
            "INVALID-HASH-INFORMATION": 23, "AUTHENTICATION-FAILED": 24, "CONNECTED": 16384,
            "RESPONDER-LIFETIME": 24576, "INITIAL-CONTACT": 24578, "R-U-THERE": 36136, "R-U-THERE-ACK": 36137}


# --- bytes ---

def block_cipher(name, key):
    # DES is 3DES with one key three times.
    return algorithms.AES(key) if name.startswith("aes") else TripleDES(key * 3 if len(key) == 8 else key)


def cbc(name, key, iv, data):
    worker = Cipher(block_cipher(name, key), modes.CBC(iv)).encryptor()
    return worker.update(data) + worker.finalize()


def expand(secret, length, block, first):
    """K1 = prf(secret, first), K2 = prf(secret, K1), ..."""
    out, last = b"", first
    while len(out) < length:
        last = hmac.new(secret, last, block).digest()
        out += last
    return out[:length]


def attribute(number, value, long=False):
    if value < 65536 and not long:
        return struct.pack(">HH", 0x8000 | number, value)
    data = value.to_bytes(max(4, (value.bit_length() + 7) // 8), "big")
    return struct.pack(">HH", number, len(data)) + data


def chain(payloads):
    """The number of the first payload, and all of them as bytes."""
    out = b""
    for i, (_, body) in enumerate(payloads):
        following = payloads[i + 1][0] if i + 1 < len(payloads) else 0
        out += struct.pack(">BBH", following, 0, 4 + len(body)) + body
    return (payloads[0][0] if payloads else 0), out


def sa_body(proposals):
    """proposals: (number, protocol, SPI, transforms); a transform: (id, attributes)."""
    out = struct.pack(">II", 1, 1)
    for i, (number, protocol, spi, transforms) in enumerate(proposals):
        inner = b""
        for k, (transform, attributes) in enumerate(transforms):
            more = 3 if k + 1 < len(transforms) else 0
            inner += struct.pack(">BBHBBH", more, 0, 8 + len(attributes), k + 1, transform, 0) + attributes
        head = struct.pack(">BBHBBBB", 2 if i + 1 < len(proposals) else 0, 0, 8 + len(spi) + len(inner), number,
                           protocol, len(spi), len(transforms))
        out += head + spi + inner
    return out


def notify_body(name, spi=b"", data=b"", protocol=ESP):
    return struct.pack(">IBBH", 1, protocol, len(spi), NOTIFIES.get(name, name)) + spi + data


def delete_body(protocol, spis):
    return struct.pack(">IBBH", 1, protocol, len(spis[0]), len(spis)) + b"".join(spis)


def id_body(kind, data, protocol=0, port=0):
    return struct.pack(">BBH", kind, protocol, port) + data


def network_id(text):
    """An address, a network, or a range "first-last"."""
    if "-" in text:
        first, last = (ipaddress.ip_address(t) for t in text.split("-"))
        return id_body(7 if first.version == 4 else 8, first.packed + last.packed)
    if "/" in text:
        network = ipaddress.ip_network(text)
        return id_body(4 if network.version == 4 else 6, network.network_address.packed + network.netmask.packed)
    address = ipaddress.ip_address(text)
    return id_body(1 if address.version == 4 else 5, address.packed)


# --- packets ---

def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff - total


def ip_packet(source, destination, protocol, payload, ident=0, ttl=64, tos=0):
    a, b = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if a.version == 6:
        return struct.pack(">IHBB", 6 << 28 | tos << 20, len(payload), protocol, ttl) + a.packed + b.packed + payload
    head = struct.pack(">BBHHHBBH", 0x45, tos, 20 + len(payload), ident, 0, ttl, protocol, 0) + a.packed + b.packed
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def udp_packet(source, destination, ports, payload):
    a, b = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    head = struct.pack(">HHHH", ports[0], ports[1], 8 + len(payload), 0)
    pseudo = a.packed + b.packed + struct.pack(">II", len(head) + len(payload), 17)
    return head[:6] + struct.pack(">H", checksum(pseudo + head + payload) or 0xffff) + payload


class Wire:
    """A capture. What is lost is not in it."""

    def __init__(self, link="ethernet"):
        self.link, self.now, self.packets, self.delayed = link, 1000.0, [], None

    def put(self, packet):
        self.now += 0.01
        if self.delayed is not None:
            self.delayed.append(packet)
        else:
            self.packets.append(packet)

    def release(self):
        """What was held back comes in now."""
        held, self.delayed = self.delayed, None
        for packet in held:
            self.put(packet)

    def save(self, path):
        with open(path, "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1 if self.link == "ethernet" else 101))
            for i, packet in enumerate(self.packets):
                if self.link == "ethernet":
                    packet = b"\2\0\0\0\0\1\2\0\0\0\0\2" + (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\0") + packet
                out.write(struct.pack("<IIII", 1000 + i // 100, i % 100 * 10000, len(packet), len(packet)) + packet)


# --- an ISAKMP SA ---

class Peers:
    """One ISAKMP SA between the initiator [0] and the responder [1]."""

    def __init__(self, case, cipher="aes-128-cbc", hash="sha1", addresses=("192.0.2.1", "198.51.100.2"), mode="main",
                 nat=False, padding="zero", shown=True, clear_third=False, vendor=0, iv_in_keys=True, lost=()):
        self.case, self.rnd, self.wire = case, case.rnd, case.wire
        self.cipher, self.hash, self.addresses, self.padding = cipher, hash, list(addresses), padding
        self.key_len, self.block = IKE_CIPHERS[cipher][1:]
        self.nat, self.ports, self.shown, self.vendor = nat, [500, 500], shown, vendor
        self.iv_in_keys, self.lost_in_phase1 = iv_in_keys, lost
        self.cookies = [self.bytes(8), self.bytes(8)]
        self.quicks, self.others, self.phantom = [], [], 0
        self.assumed = None if shown else -1  # who will be taken for the initiator
        getattr(self, mode)() if mode == "main" else self.aggressive(clear_third)
        case.peers.append(self)

    def bytes(self, n):
        return self.rnd.getrandbits(8 * n).to_bytes(n, "big") if n else b""

    def prf(self, key, *parts):
        return hmac.new(key, b"".join(parts), self.hash).digest()

    def digest(self, *parts):
        return hashlib.new(self.hash, b"".join(parts)).digest()

    def derive(self):
        """RFC 2409 section 5 and appendix B."""
        skeyid = self.prf(b"secret", *self.nonces)
        shared, cookies = self.bytes(128), b"".join(self.cookies)
        self.d = self.prf(skeyid, shared, cookies, b"\0")
        self.a = self.prf(skeyid, self.d, shared, cookies, b"\1")
        self.e = self.prf(skeyid, self.a, shared, cookies, b"\2")
        self.skeyid = skeyid
        self.key = self.e[:self.key_len] if len(self.e) >= self.key_len else expand(self.e, self.key_len, self.hash,
                                                                                     b"\0")
        self.last = self.digest(*self.kes)[:self.block]

    def header(self, first, exchange, flags, message_id, length, cookies=None):
        return b"".join(cookies or self.cookies) + struct.pack(">BBBBII", first, 0x10, exchange, flags, message_id,
                                                               28 + length)

    def pad(self, plain):
        need = -len(plain) % self.block
        if self.padding == "block":
            return plain + b"\0" * (need + self.block)
        if self.padding == "random":
            need = need or self.block
            return plain + self.bytes(need - 1) + bytes([need - 1])
        return plain + b"\0" * need

    def send(self, side, message, source=None):
        """From the initiator (0) or the responder (1)."""
        ports = self.ports if side == 0 else self.ports[::-1]
        marker = b"\0\0\0\0" if 4500 in self.ports else b""
        a, b = source or self.addresses[side], self.addresses[1 - side]
        self.wire.put(ip_packet(a, b, 17, udp_packet(a, b, ports, marker + message)))

    def clear(self, side, payloads, exchange, message_id=0, cookies=None, shown=True, times=1):
        first, body = chain(payloads)
        message = self.header(first, exchange, 0, message_id, len(body), cookies) + body
        for _ in range(times if shown else 0):
            self.send(side, message)
        return message

    def encrypt(self, payloads, exchange, message_id, iv, flags=0):
        """The message, and the IV of the next."""
        first, plain = chain(payloads)
        data = cbc(self.cipher, self.key, iv, self.pad(plain))
        return self.header(first, exchange, flags | ENCRYPTED, message_id, len(data)) + data, data[-self.block:]

    def first_iv(self, message_id):
        return self.digest(self.last, struct.pack(">I", message_id))[:self.block]

    def float_ports(self):
        if self.nat:
            self.ports = [4500 if self.nat == "plain" else 31337, 4500]

    def phase1_sa(self):
        number, length, _ = IKE_CIPHERS[self.cipher]
        attributes = attribute(1, number) + attribute(2, IKE_HASHES[self.hash]) + attribute(3, 1) + attribute(4, 2)
        if number == 7:
            attributes += attribute(14, 8 * length)
        return sa_body([(1, 1, b"", [(1, attributes + attribute(11, 1) + attribute(12, 86400, True))])])

    def vendors(self):
        return [(VENDOR, self.bytes(16)) for _ in range(self.vendor)]

    def open_phase1(self):
        self.kes, self.nonces = [self.bytes(128), self.bytes(128)], [self.bytes(20), self.bytes(16)]
        self.detections = [(NAT_D, self.bytes(20)), (NAT_D, self.bytes(20))] if self.nat else []
        return [self.cookies[0], b"\0" * 8], lambda n: self.shown and n not in self.lost_in_phase1

    def main(self):
        none, shown = self.open_phase1()
        self.first = self.clear(0, [(SA, self.phase1_sa())] + self.vendors(), MAIN, 0, none, shown(1))
        self.clear(1, [(SA, self.phase1_sa())] + self.vendors(), MAIN, shown=shown(2))
        for side in (0, 1):
            payloads = [(KE, self.kes[side]), (NONCE, self.nonces[side])] + self.detections
            self.clear(side, payloads, MAIN, shown=shown(3 + side))
        self.derive()
        self.float_ports()
        for side in (0, 1):
            body = id_body(1, self.bytes(4), 17, 500)
            payloads = [(ID, body), (HASH, self.prf(self.skeyid, self.bytes(8)))]
            if side == 0:
                payloads.append((NOTIFY, notify_body("INITIAL-CONTACT", b"".join(self.cookies), protocol=1)))
            message, self.last = self.encrypt(payloads, MAIN, 0, self.last)
            if shown(5 + side):
                self.send(side, message)

    def aggressive(self, clear_third):
        none, shown = self.open_phase1()
        self.first = self.clear(0, [(SA, self.phase1_sa()), (KE, self.kes[0]), (NONCE, self.nonces[0]),
                                    (ID, id_body(2, b"left.example"))] + self.vendors(), AGGRESSIVE, 0, none, shown(1))
        self.derive()
        self.clear(1, [(SA, self.phase1_sa()), (KE, self.kes[1]), (NONCE, self.nonces[1]),
                       (ID, id_body(2, b"right.example")), (HASH, self.prf(self.skeyid, b"r"))] + self.detections,
                   AGGRESSIVE, shown=shown(2))
        self.float_ports()
        third = [(HASH, self.prf(self.skeyid, b"i"))] + self.detections
        if clear_third:
            self.clear(0, third, AGGRESSIVE, shown=shown(3))
            return
        message, self.last = self.encrypt(third, AGGRESSIVE, 0, self.last)
        if shown(3):
            self.send(0, message)

    def other(self, side, payloads, exchange=INFORMATIONAL, message_id=None, iv=None, times=1, bad=False):
        """A message that is no Quick Mode's, under a message ID of its own unless told; returns the next IV."""
        own = message_id is None
        message_id = message_id or self.rnd.getrandbits(32) | 1
        value = self.prf(self.a, struct.pack(">I", message_id), chain(payloads)[1])
        if bad:
            value = bytes(len(value))
        message, iv = self.encrypt([(HASH, value)] + payloads, exchange, message_id, iv or self.first_iv(message_id))
        for _ in range(times):
            self.send(side, message)
        if own:
            self.others.append({"message_id": "%08x" % message_id, "messages": times, "hash": not bad,
                                "exchange": {5: "Informational", 6: "Transaction"}[exchange]})
        return message_id, iv

    def transaction(self, rounds=2):
        """XAUTH or mode config: request and reply under one message ID, its IV chained."""
        for kind in range(rounds):
            data = struct.pack(">BBH", 1, 0, 7) + attribute(16520 + kind, 0)
            message_id, iv = self.other(1, [(ATTRIBUTES, data)], TRANSACTION)
            data = struct.pack(">BBH", 2, 0, 7) + struct.pack(">HH", 16520 + kind, 4) + b"user"
            self.other(0, [(ATTRIBUTES, data)], TRANSACTION, message_id, iv)
            self.others[-1]["messages"] = 2

    def dpd(self, times=1):
        for side, name in ((0, "R-U-THERE"), (1, "R-U-THERE-ACK")):
            self.other(side, [(NOTIFY, notify_body(name, b"".join(self.cookies), self.bytes(4), 1))], times=times)

    def resend_first(self):
        """Message 1 of Phase 1 once more, late, as it was: without the responder's cookie."""
        self.send(0, self.first)

    def keys_xml(self):
        line = ('<isakmp-sa initiator-cookie="%s" responder-cookie="%s" cipher="%s" hash="%s" skeyid-d="%s" '
                'skeyid-a="%s" skeyid-e="%s"' % (self.cookies[0].hex(), self.cookies[1].hex(), self.cipher, self.hash,
                                                 self.d.hex(), self.a.hex(), self.e.hex()))
        if self.iv_in_keys:
            line += ' iv="%s"' % self.last.hex()
        secrets = "".join('<quick-mode message-id="%08x" dh-secret="%s"/>\n' % (q.message_id, q.secret.hex())
                          for q in self.quicks if q.secret)
        return line + ">\n" + secrets + "</isakmp-sa>\n"


class Case:
    """One capture and what must be said about it."""

    def __init__(self, rnd, link="ethernet"):
        self.rnd, self.wire, self.peers, self.unknown_spis = rnd, Wire(link), [], 0
        self.story_has = []

    def expected(self):
        quicks = [q.expected() for p in self.peers for q in p.quicks]
        sas = [s for q in quicks for s in q["sas"]]
        return {"quick_modes": quicks, "others": [o for p in self.peers for o in p.others],
                "isakmp_sas": len(self.peers), "story_has": self.story_has, "unknown_spi": self.unknown_spis,
                "icv_bad": sum(s["icv_bad"] for s in sas),
                "phase1_in_capture": [p.shown for p in self.peers]}

    def save(self, folder):
        os.makedirs(folder)
        self.wire.save(folder + "/capture.pcap")
        with open(folder + "/keys.xml", "w") as out:
            out.write('<keys xmlns="urn:phase2sim:keys:1">\n%s</keys>\n' % "".join(p.keys_xml() for p in self.peers))
        with open(folder + "/expected.json", "w") as out:
            json.dump(self.expected(), out, indent=1)
