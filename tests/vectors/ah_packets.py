"""Makes ah_packets.inc: AH packets by python3-scapy's SecurityAssociation (made with scapy 2.5.0).

Byte i of the key is 0x80 + i. The last column says whether scapy puts AH where RFC 4302 section 3.1.1 would have
it: like Linux, it leaves destination options in front of AH.
"""
from scapy.layers.inet import (IP, UDP, IPOption_NOP, IPOption_Router_Alert, IPOption_RR, IPOption_Security,
                               IPOption_Timestamp)
from scapy.layers.inet6 import (IPv6, HBHOptUnknown, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting,
                                PadN, RouterAlert)
from scapy.layers.ipsec import AH, SecurityAssociation
from scapy.packet import Raw

AUTHS = {"hmac-md5-96": ("HMAC-MD5-96", 16), "hmac-sha1-96": ("HMAC-SHA1-96", 20),
         "hmac-sha256-128": ("SHA2-256-128", 32), "hmac-sha384-192": ("SHA2-384-192", 48),
         "hmac-sha512-256": ("SHA2-512-256", 64)}

data = UDP(sport=4000, dport=53) / Raw(bytes(range(40)))
v4 = dict(src="192.0.2.1", dst="198.51.100.2", id=0x1234, tos=0xb9, ttl=61, flags="DF")
v6 = dict(src="2001:db8::1", dst="2001:db8:1::2", tc=0xb9, fl=0x12345, hlim=61)
inner4 = IP(src="10.0.0.1", dst="10.1.0.1", ttl=63) / data
options = [IPOption_NOP(), IPOption_Router_Alert(), IPOption_RR(pointer=8, routers=["10.9.8.7", "0.0.0.0"]),
           IPOption_NOP(), IPOption_Security(),
           IPOption_Timestamp(length=12, pointer=13, flg=1, internet_address="10.9.8.7", timestamp=0x01020304)]
mutable = HBHOptUnknown(otype=0x3e, optlen=6, optdata=b"mutabl")  # its third bit is set
fixed = HBHOptUnknown(otype=0x1e, optlen=4, optdata=b"same")
hop = IPv6ExtHdrHopByHop(options=[RouterAlert(), mutable, fixed])

ROWS = [  # authentication, ESN, SPI, sequence number, packet, tunnel header, AH is where we put it
    ("hmac-md5-96", False, 0x1001, 1, IP(**v4) / data, None, True),
    ("hmac-sha1-96", False, 0x1002, 0xffffffff, IP(options=options, **v4) / data, None, True),
    ("hmac-sha256-128", True, 0x1003, 0x500000002, inner4, IP(**v4), True),
    ("hmac-sha384-192", False, 0x1004, 3, IP(**v4) / data, None, True),
    ("hmac-sha512-256", True, 0x1005, 0x1fffffffe, IP(**v4) / data, None, True),
    ("hmac-sha1-96", False, 0x1006, 4, IPv6(**v6) / data, None, True),
    ("hmac-sha256-128", True, 0x1007, 0x900000005, IPv6(**v6) / hop / data, None, True),
    ("hmac-sha384-192", False, 0x1008, 6, IPv6(**v6) / hop / IPv6ExtHdrRouting(addresses=[]) / data, None, True),
    ("hmac-md5-96", False, 0x1009, 7, IPv6(**v6) / hop / IPv6ExtHdrRouting(addresses=[]) /
     IPv6ExtHdrDestOpt(options=[fixed]) / data, None, True),
    ("hmac-sha512-256", False, 0x100a, 8, inner4, IPv6(**v6), True),
    ("hmac-sha512-256", True, 0x100b, 9, IPv6(src="fd00::1", dst="fd00::2") / data, IPv6(**v6), True),
    ("hmac-sha256-128", False, 0x100c, 10, IPv6(**v6) / IPv6ExtHdrDestOpt(options=[mutable, fixed]) / data, None,
     False),
]


def text(packet):
    hexes = bytes(packet).hex()
    return "\n     ".join('"%s"' % hexes[i:i + 96] for i in range(0, len(hexes), 96))


print("/* Made by ah_packets.py, which says how; not by hand. */")
for auth, esn, spi, sequence, packet, tunnel, ours in ROWS:
    name, key_len = AUTHS[auth]
    sa = SecurityAssociation(AH, spi=spi, auth_algo=name, auth_key=bytes(range(0x80, 0x80 + key_len)),
                             tunnel_header=tunnel, esn_en=esn, esn=sequence >> 32)
    sealed = sa.encrypt(packet, seq_num=sequence & 0xffffffff)
    print('{"%s", %s, 0x%x, UINT64_C(0x%x), %s,\n     %s,\n     %s},' % (
        auth, str(esn).lower(), spi, sequence, str(ours).lower(), text(tunnel / packet if tunnel else packet),
        text(sealed)))
