"""Quick Modes of explain_peers.py (RFC 2409 section 5.5), and ESP and AH under their SAs (RFC 4303, 4302)."""
import hmac
import struct

from explain_peers import *
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
import ipaddress


class OneWay:
    """One SA, as its sender has it."""

    def __init__(self, quick, protocol, spi, to_starter):
        self.quick, self.protocol, self.spi, self.to_starter = quick, protocol, spi, to_starter
        self.sequence = self.packets = self.icv_ok = self.icv_bad = self.replayed = 0
        self.deleted, self.known = False, True

    def derive(self):
        """KEYMAT of RFC 2409 section 5.5."""
        q = self.quick
        self.cipher = ESP_CIPHERS[q.esp] if self.protocol == ESP else (0, 0, 0, 0, 4, 0, False)
        self.auth = AUTHS.get(q.auth if self.protocol == ESP else q.ah)
        lengths = [self.cipher[1] + self.cipher[2], self.auth[3] if self.auth else 0]
        seed = q.secret + bytes([self.protocol]) + self.spi + q.nonces[0] + q.nonces[1]
        keymat, block = b"", b""
        while len(keymat) < sum(lengths):
            block = q.peers.prf(q.peers.d, block, seed)
            keymat += block
        self.key, self.auth_key = keymat[:lengths[0]], keymat[lengths[0]:sum(lengths)]
        name = (q.auth if self.protocol == ESP else q.ah) or ""
        unknown_cipher = self.protocol == ESP and ("gcm-8" in q.esp or "gcm-12" in q.esp)
        self.known = not unknown_cipher and name != "aes-xcbc-96"

    def icv(self, data):
        return hmac.new(self.auth_key, data, self.auth[2]).digest()[:self.auth[4]] if self.auth else b""

    def seal_esp(self, next_header, payload, sequence):
        rnd, (_, key_len, _, iv_len, align, icv_len, _) = self.quick.peers, self.cipher
        head, iv = self.spi + struct.pack(">I", sequence), rnd.bytes(iv_len)
        need = -(len(payload) + 2) % align
        plain = payload + bytes(range(1, need + 1)) + bytes([need, next_header])
        key, salt = self.key[:key_len], self.key[key_len:]
        if icv_len:
            sealed = AESGCM(key).encrypt(salt + iv, plain, head)
            return head + iv + sealed[:len(plain) + icv_len]
        if "ctr" in self.quick.esp:
            worker = Cipher(algorithms.AES(key), modes.CTR(salt + iv + b"\0\0\0\1")).encryptor()
            data = worker.update(plain)
        else:
            data = cbc(self.quick.esp, key, iv, plain) if key_len else plain
        return head + iv + data + self.icv(head + iv + data)

    def seal_ah(self, packet, sequence):
        """RFC 4302 section 3.3.3: mutable fields count as zeros."""
        v6 = packet[0] >> 4 == 6
        at = 40 if v6 else 20
        total = 12 + self.auth[4] + (-(12 + self.auth[4]) % (8 if v6 else 4))
        following = packet[6] if v6 else packet[9]
        ah = struct.pack(">BBH", following, total // 4 - 2, 0) + self.spi + struct.pack(">I", sequence)
        pad = bytes(total - 12 - self.auth[4])
        head = bytearray(packet[:at])
        if v6:
            head[4:6], head[6] = struct.pack(">H", len(packet) - 40 + total), 51
            immutable = bytes([0x60, 0, 0, 0]) + bytes(head[4:7]) + b"\0" + bytes(head[8:])
        else:
            head[2:4], head[9], head[10:12] = struct.pack(">H", len(packet) + total), 51, b"\0\0"
            immutable = bytes([head[0], 0]) + bytes(head[2:6]) + b"\0\0\0" + bytes([51, 0, 0]) + bytes(head[12:])
            head[10:12] = struct.pack(">H", checksum(bytes(head)))
        value = self.icv(immutable + ah + bytes(self.auth[4]) + pad + packet[at:])
        return bytes(head) + ah + value + pad + packet[at:]

    def count(self, bad, replayed, early):
        self.packets += 1
        if self.known and not early:
            self.icv_bad += bad
            self.icv_ok += not bad
            self.replayed += replayed


class Quick:
    """One Quick Mode. Its messages are sent one by one, so that others can come between them."""

    def __init__(self, peers, starter=0, esp="aes-128-cbc", auth="hmac-sha1-96", ah=None, group=0, mode=1,
                 ids=("10.1.0.0/16", "10.2.0.0/16"), seconds=3600, kilobytes=0, long=False, decoys=0, own_spis=False,
                 ids_first=False, nat_oa=False, commit=False, vendor=0, responder_lifetime=False, ipcomp=0, spis=None):
        self.peers, self.starter, self.esp, self.ah, self.group, self.mode = peers, starter, esp, ah, group, mode
        self.auth = None if esp and "gcm" in esp else auth
        self.ids, self.seconds, self.kilobytes, self.long, self.decoys = ids, seconds, kilobytes, long, decoys
        self.own_spis, self.ids_first, self.nat_oa, self.commit, self.vendor = own_spis, ids_first, nat_oa, commit, vendor
        self.responder_lifetime, self.ipcomp = responder_lifetime, ipcomp
        self.message_id = peers.rnd.getrandbits(32) | 1
        self.nonces = [peers.bytes(peers.rnd.choice((16, 20, 32))) for _ in range(2)]
        self.secret = peers.bytes(GROUP_LENGTHS[group]) if group else b""
        self.kes = [peers.bytes(GROUP_LENGTHS[group]) if group else b"" for _ in range(2)]
        self.spis = spis or {p: [self.new_spi(), self.new_spi()] for p in (AH, ESP)}
        self.iv, self.on_wire, self.hashes, self.outcome, self.notify = None, 0, {}, "incomplete", None
        self.sas, self.times_established = [], 0
        peers.quicks.append(self)
        if peers.assumed == -1:
            peers.assumed = starter

    def new_spi(self):
        return struct.pack(">I", self.peers.rnd.randrange(0x1000, 1 << 32))

    def side(self, number):
        return self.starter if number != 2 else 1 - self.starter

    def attributes(self, cipher=None, auth=None, mode=None):
        out = attribute(3, self.group) if self.group else b""
        out = attribute(4, mode or self.mode) + out
        if self.seconds:
            out += attribute(1, 1) + attribute(2, self.seconds, self.long)
        if self.kilobytes:
            out += attribute(1, 2) + attribute(2, self.kilobytes, self.long)
        if auth:
            out += attribute(5, AUTHS[auth][0])
        if cipher and ESP_CIPHERS[cipher][6]:
            out += attribute(6, 8 * ESP_CIPHERS[cipher][1])
        return out

    def protocols(self):
        return ([(AH, (AUTHS[self.ah][1], self.attributes(None, self.ah)))] if self.ah else []) + (
            [(ESP, (ESP_CIPHERS[self.esp][0], self.attributes(self.esp, self.auth)))] if self.esp else [])

    def sa(self, number):
        """The choice stands behind the decoys."""
        proposals = []
        compression = [(self.decoys + 1, IPCOMP, self.peers.bytes(self.ipcomp), [(2, self.attributes())])]
        for k in range(self.decoys if number == 1 else 0):
            others = [c for c in ESP_CIPHERS if c != self.esp][k % 3:k % 3 + 3]
            transforms = [(ESP_CIPHERS[c][0], self.attributes(c, "hmac-md5-96")) for c in others]
            proposals.append((k + 1, ESP, self.new_spi() if self.own_spis else self.spis[ESP][0], transforms))
        proposals += compression if self.ipcomp else []
        for protocol, transform in self.protocols():
            proposals.append((self.decoys + 1, protocol, self.spis[protocol][number - 1], [transform]))
        return sa_body(proposals)

    def payloads(self, number):
        ids = [(ID, network_id(i) if isinstance(i, str) else i) for i in self.ids] if self.ids else []
        ke = [(KE, self.kes[number - 1])] if self.group else []
        out = [(SA, self.sa(number)), (NONCE, self.nonces[number - 1])] + (ids + ke if self.ids_first else ke + ids)
        if self.nat_oa:
            out += [(NAT_OA, id_body(1, self.peers.bytes(4))), (NAT_OA, id_body(1, self.peers.bytes(4)))]
        if self.responder_lifetime and number == 2:
            data = attribute(1, 1) + attribute(2, 600, True)
            out.append((NOTIFY, notify_body("RESPONDER-LIFETIME", self.spis[ESP][1], data)))
        return out + [(VENDOR, self.peers.bytes(12)) for _ in range(self.vendor)]

    def hash_of(self, number, rest):
        p, message_id = self.peers, struct.pack(">I", self.message_id)
        if number == 3:
            return p.prf(p.a, b"\0" + message_id, *self.nonces)
        return p.prf(p.a, message_id, self.nonces[0] if number == 2 else b"", chain(rest)[1])

    def message(self, number, iv):
        rest = self.payloads(number) if number < 3 else []
        flags = COMMIT if self.commit and number == 2 else 0
        return self.peers.encrypt([(HASH, self.hash_of(number, rest))] + rest, QUICK, self.message_id, iv, flags)

    def send(self, number, times=1, lost=False, readable=True, anew=0, source=None, keep_old=False):
        """times: byte for byte; anew: further times encrypted once more with the same IV, for other padding."""
        before = self.iv or self.peers.first_iv(self.message_id)
        message, after = self.message(number, before)
        self.old = message
        for _ in range(0 if lost else times):
            self.peers.send(self.side(number), message, source)
            self.on_wire += 1
        for _ in range(anew):
            again, last = self.message(number, before)
            self.peers.send(self.side(number), again)
            self.on_wire += 1
            after = after if keep_old else last
        self.iv = after
        if readable and not lost:
            self.hashes[str(number)] = True
        if number == 2:
            self.agree()
            self.known = readable and not lost and "1" in self.hashes
        if number == 3 and readable and not lost and self.known:
            self.outcome = "established"

    def again(self, number):
        self.peers.send(self.side(number), self.old)
        self.on_wire += 1

    def run(self, **options):
        for number in (1, 2, 3):
            self.send(number, **options)
        if self.commit:
            self.connected()
        return self

    def connected(self):
        payloads = [(NOTIFY, notify_body("CONNECTED", self.spis[ESP][1]))]
        self.peers.other(self.side(2), payloads, INFORMATIONAL, self.message_id, self.iv)
        self.on_wire += 1

    def agree(self):
        self.sas = [OneWay(self, protocol, self.spis[protocol][1 - to_starter], bool(to_starter))
                    for protocol, _ in self.protocols() for to_starter in (0, 1)]
        for sa in self.sas:
            sa.derive()

    def refuse(self, name, by=None, spi=None, clear=False, own_id=False, protocol=ESP):
        """By a notify: of the responder unless told, in an informational exchange of its own unless told."""
        side = self.side(2) if by is None else by
        body = notify_body(name, b"\0\0\0\0" if spi is None else spi, protocol=protocol)
        if clear:
            message_id = self.peers.rnd.getrandbits(32) | 1
            self.peers.clear(side, [(NOTIFY, body)], INFORMATIONAL, message_id)
            self.peers.others.append({"message_id": "%08x" % message_id, "messages": 1, "hash": None,
                                      "exchange": "Informational"})
        else:
            self.peers.other(side, [(NOTIFY, body)], INFORMATIONAL, self.message_id if own_id else None,
                             self.iv if own_id else None)
            self.on_wire += own_id
        self.outcome, self.notify = "rejected", name

    def delete(self, side=None, both=False, protocol=ESP):
        """The sender's inbound SAs, or both directions in one payload."""
        side = self.starter if side is None else side
        gone = [s for s in self.sas if s.protocol == protocol and (both or s.to_starter == (side == self.starter))]
        self.peers.other(side, [(DELETE, delete_body(protocol, [s.spi for s in gone]))])
        for sa in gone:
            sa.deleted = True

    # --- traffic ---

    def inner(self, source, destination):
        """An end's networks hold its tenth address."""
        def host(text):
            if "-" in text:
                return ipaddress.ip_address(text.split("-")[0])
            return ipaddress.ip_network(text)[10] if "/" in text else ipaddress.ip_address(text)
        return ip_packet(str(host(source)), str(host(destination)), 1, b"\x08\0\0\0" + self.peers.bytes(20))

    def packet(self, to_starter, bad=False, again=False, early=False, source=None):
        """One packet of traffic under the SAs of one direction."""
        p = self.peers
        mine = {s.protocol: s for s in self.sas if s.to_starter == to_starter}
        for sa in mine.values():
            sa.sequence += 0 if again else 1
            sa.count(bad and sa is list(mine.values())[0], again, early)
        side = 1 - self.starter if to_starter else self.starter
        a, b = source or p.addresses[side], p.addresses[1 - side]
        v6 = ipaddress.ip_address(a).version == 6
        if self.mode in (2, 4, 61444):
            following, data = 17, udp_packet(a, b, (5000, 5001), p.bytes(24))
        else:
            ids = self.ids if self.ids and isinstance(self.ids[0], str) else (p.addresses[self.starter],
                                                                            p.addresses[1 - self.starter])
            data = self.inner(*(ids[::-1] if to_starter else ids))
            following = 41 if data[0] >> 4 == 6 else 4
        if ESP in mine:
            data, following = mine[ESP].seal_esp(following, data, mine[ESP].sequence), 50
        if 4500 in p.ports and AH not in mine:
            ports = p.ports if side == 0 else p.ports[::-1]
            data, following = udp_packet(a, b, ports, data), 17
        packet = ip_packet(a, b, following, data, ident=mine[list(mine)[0]].sequence, tos=p.rnd.choice((0, 8)))
        if AH in mine:
            packet = mine[AH].seal_ah(packet, mine[AH].sequence)
        if bad:
            packet = packet[:-1] + bytes([packet[-1] ^ 1])
        p.wire.put(packet)

    def traffic(self, n=3, **options):
        for _ in range(n):
            self.packet(False, **options)
            self.packet(True, **options)
        return self

    # --- what must be said ---

    def expected(self):
        p = self.peers
        initiator = 0 if p.assumed is None else p.assumed
        out = {"message_id": "%08x" % self.message_id, "messages": self.on_wire, "outcome": self.outcome,
               "started_by": "initiator" if self.starter == initiator else "responder", "notify": self.notify,
               "pfs_group": "group%d" % self.group if self.group else None, "hashes": self.hashes,
               "proxy_ids": list(self.ids) if self.ids and isinstance(self.ids[0], str) else []}
        if "1" not in self.hashes:
            out.update(outcome=self.outcome, proxy_ids=[], started_by=None, pfs_group=None)
        out["sas"] = [self.expected_sa(s) for s in self.sas] if self.sas and self.known else []
        return out

    def expected_sa(self, sa):
        unknown = not sa.known
        out = {"spi": sa.spi.hex(), "protocol": "ah" if sa.protocol == AH else "esp",
               "mode": "tunnel" if self.mode in (1, 3, 61443) else "transport", "packets": sa.packets,
               "icv_ok": sa.icv_ok, "icv_bad": sa.icv_bad, "replayed": sa.replayed, "deleted": sa.deleted,
               "encryption_key": None if unknown else sa.key.hex(),
               "authentication_key": None if unknown else sa.auth_key.hex(), "outside_proxy_ids": 0,
               "lifetime_s": self.seconds or None, "lifetime_kb": self.kilobytes or None,
               "in_udp": self.mode > 2}
        if not unknown:
            out["encryption"] = self.esp if sa.protocol == ESP else None
            out["authentication"] = self.auth if sa.protocol == ESP else self.ah
        return out
