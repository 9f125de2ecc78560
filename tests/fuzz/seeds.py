"""Seeds for the fuzzers of ISAKMP and ESP out of captures: seeds.py FOLDER CAPTURE... Each seed is what pieces.h takes
apart: a byte, a length, and the bytes of a datagram or packet."""
import os
import sys

from scapy.all import IP, UDP, rdpcap

ESP, AH = 50, 51


def piece(what, data):
    return bytes([what, len(data) >> 8, len(data) & 255]) + data


def write(folder, name, number, data):
    with open(os.path.join(folder, name, "%04d" % number), "wb") as out:
        out.write(data)


folder = sys.argv[1]
number = 0
for capture in sys.argv[2:]:
    story = b""
    for packet in rdpcap(capture):
        if IP not in packet:
            continue
        number += 1
        payload = bytes(packet[IP].payload)
        if UDP in packet and 500 in (packet[UDP].sport, packet[UDP].dport):
            data = bytes(packet[UDP].payload)
            story += piece(number & 1 | 4, data)
            write(folder, "isakmp", number, piece(1 | 2 | 4, data))
            # As plaintext it is noise with a payload's look; the fuzzer finds better ones from there.
            write(folder, "sealed", number, piece(number & 7, b"\x01" + data[28:]))
        elif packet[IP].proto in (ESP, AH) and number % 5 == 0:
            what = 2 | (4 if packet[IP].proto == AH else 0) | 8
            write(folder, "esp", number, piece(what | number & 1, payload) + piece(1, bytes(packet[IP])))
    if story:
        write(folder, "isakmp", 9000 + number, story)
