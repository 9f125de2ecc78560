"""scapy in the place of one of two gateways: with the keys that were negotiated it opens what side 0 sends, and side 1
delivers what it seals. Every kind of tunnel of tests/sim/direct.c, over IPv4 and IPv6; extended sequence numbers cross
2^32 on the way.

    gateways.py GATEWAYS [SEED]
"""
import random
import sys

from judge import Auth, Cipher, Program, association, opened_by_scapy
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.ipsec import AH, ESP
from scapy.packet import Raw, bind_layers, split_layers

ROUNDS = 12


class Sa:
    """What side 0 sends with: one protocol of a tunnel."""

    def __init__(self, row):
        (self.tunnel, self.mode, protocol, spi, cipher, self.auth, esn, key, auth_key, self.source, self.destination,
         sequence, self.inner_source, self.inner_destination, inner_protocol) = row
        self.proto = {"esp": ESP, "ah": AH}[protocol]
        self.spi, self.sequence, self.esn = int(spi, 16), int(sequence, 16), esn == "1"
        self.key, self.auth_key = (bytes.fromhex(k.strip("-")) for k in (key, auth_key))
        self.inner_protocol = int(inner_protocol)
        self.cipher = "NULL" if cipher == "none" else scapys_cipher(cipher)

    def scapys(self, sequence, outermost_of_inner):
        """scapy's SA for this number. The tunnel's header is the business of the protocol that is applied first."""
        family = IPv6 if ":" in self.source else IP
        around = family(src=self.source, dst=self.destination) if self.mode == "tunnel" and outermost_of_inner else None
        arguments = {} if self.proto is AH else {"crypt_algo": self.cipher, "crypt_key": self.key or None}
        return association(sequence >> 32 if self.esn else None, proto=self.proto, spi=self.spi,
                           auth_algo=scapys_auth(self.auth), auth_key=self.auth_key, seq_num=sequence & 0xffffffff,
                           tunnel_header=around, **arguments)[0]


def scapys_cipher(name):
    """judge.py's rule; the other columns play no part in it."""
    mode = "gcm" if "gcm" in name else name.split("-")[-1]
    return Cipher([name, mode, 0, 0, 0, 0, ""]).scapy


def scapys_auth(name):
    return Auth([name, 0, 0, ""]).scapy


def clear_packet(r, sa):
    family = IPv6 if ":" in sa.inner_source else IP
    arguments = {"nh": sa.inner_protocol} if family is IPv6 else {"proto": sa.inner_protocol}
    return bytes(family(src=sa.inner_source, dst=sa.inner_destination, **arguments) /
                 Raw(bytes(8) + r.randbytes(r.randrange(200))))


def seal(layers, sequence, data):
    """layers: innermost last. Where scapy sees ESP in a packet it signs that instead of AH: it must not."""
    for i, sa in reversed(list(enumerate(layers))):
        scapys = sa.scapys(sequence, i == len(layers) - 1)
        blind = i < len(layers) - 1
        if blind:
            split_layers(IP, ESP, proto=50)
            split_layers(IPv6, ESP, nh=50)
        data = bytes(scapys.encrypt((IP if data[0] >> 4 == 4 else IPv6)(data)))
        if blind:
            bind_layers(IP, ESP, proto=50)
            bind_layers(IPv6, ESP, nh=50)
    return data


def open_(layers, sequence, data):
    for i, sa in enumerate(layers):
        if isinstance(data, bytes):
            data = opened_by_scapy(sa.scapys(sequence, i == len(layers) - 1), data)
    return data


def main():
    program, r = Program(sys.argv[1]), random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    tunnels = {}
    for row in program.rows("sas", 14):
        sa = Sa(row)
        tunnels.setdefault(sa.tunnel, []).append(sa)
    bad = judged = crossed = 0
    for name, layers in sorted(tunnels.items(), key=lambda item: int(item[0])):
        sequence = layers[0].sequence
        for n in range(ROUNDS):
            sequence += 1
            crossed += sequence == 1 << 32
            clear = clear_packet(r, layers[0])
            ours = program.ask("send", clear)
            # The next number is a gateway's, which is what scapy opens, or scapy's own: ours is lost then.
            verdict = open_(layers, sequence, ours) if n % 2 else clear
            delivered = program.ask("receive", ours if n % 2 else seal(layers, sequence, clear))
            judged += 1
            if verdict != clear or delivered != clear:
                bad += 1
                print("tunnel %s, number %x, %s: scapy found %s, side 1 found %s" % (
                    name, sequence, "by side 0" if n % 2 else "by scapy", verdict == clear or verdict,
                    delivered == clear or delivered))
    esn = sum(layers[0].esn for layers in tunnels.values())
    print("%6d packets between a gateway and scapy in %d tunnels, of which %d crossed 2^32; %d bad" % (
        judged, len(tunnels), crossed, bad))
    sys.exit(1 if bad or judged == 0 or esn == 0 or crossed != esn else 0)


main()
