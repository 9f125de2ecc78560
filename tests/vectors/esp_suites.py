"""Makes esp_suites.inc: ESP packets of RFC 4303 by python3's cryptography, hmac and hashlib, beside this library.

Byte i of the encryption key (salt included) is i, of the authentication key 0x80 + i, of the IV 0xf0 + i, of
the payload 5 * i; the next header is 41.
"""
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HASHES = {"md5-96": ("md5", 16, 12), "sha1-96": ("sha1", 20, 12), "sha256-128": ("sha256", 32, 16),
          "sha384-192": ("sha384", 48, 24), "sha512-256": ("sha512", 64, 32)}

ROWS = [  # cipher, authentication, ESN, SPI, sequence number, bytes of payload
    ("null", "md5-96", False, 0x100, 1, 20), ("null", "sha1-96", True, 0x101, 0x1ffffffff, 21),
    ("des-cbc", "md5-96", False, 0x102, 2, 22), ("3des-cbc", "sha384-192", True, 0x103, 0x100000000, 23),
    ("aes-128-cbc", "sha512-256", False, 0x104, 0xffffffff, 24),
    ("aes-128-cbc", "sha1-96", True, 0x105, 0xfedcba9876543210, 25),
    ("aes-192-cbc", "sha384-192", False, 0x106, 3, 0), ("aes-256-cbc", "none", False, 0x107, 4, 1),
    ("aes-128-ctr", "sha1-96", False, 0x108, 5, 2), ("aes-192-ctr", "sha256-128", True, 0x109, 0x200000001, 3),
    ("aes-256-ctr", "sha512-256", False, 0x10a, 6, 4), ("aes-128-ctr", "none", False, 0x10b, 7, 33),
    ("aes-128-gcm-16", "none", False, 0x10c, 8, 5), ("aes-192-gcm-16", "none", True, 0x10d, 0x300000009, 6),
    ("aes-256-gcm-16", "none", False, 0x10e, 0xfffffffe, 34),
]


def encrypt(cipher, key, iv, text, aad):
    """Ciphertext, and GCM's ICV behind it."""
    if cipher == "null":
        return text
    if cipher.endswith("gcm-16"):
        return AESGCM(key[:-4]).encrypt(key[-4:] + iv, text, aad)
    if cipher.endswith("ctr"):
        algorithm, mode = algorithms.AES(key[:-4]), modes.CTR(key[-4:] + iv + bytes([0, 0, 0, 1]))
    elif cipher.startswith("aes"):
        algorithm, mode = algorithms.AES(key), modes.CBC(iv)
    else:  # one key three times is plain DES
        algorithm, mode = algorithms.TripleDES(key if cipher == "3des-cbc" else 3 * key), modes.CBC(iv)
    encryptor = Cipher(algorithm, mode).encryptor()
    return encryptor.update(text) + encryptor.finalize()


def packet(cipher, auth, esn, spi, sequence, length):
    counter = cipher.endswith(("ctr", "gcm-16"))
    block = 4 if counter or cipher == "null" else 16 if cipher.startswith("aes") else 8
    key_len = int(cipher.split("-")[1]) // 8 if cipher.startswith("aes") else {"n": 0, "d": 8, "3": 24}[cipher[0]]
    key = bytes(range(key_len + (4 if counter else 0)))
    iv = bytes(range(0xf0, 0xf0 + (0 if cipher == "null" else 8 if counter else block)))
    pad = -(length + 2) % block
    text = bytes(5 * i & 255 for i in range(length)) + bytes(range(1, pad + 1)) + bytes([pad, 41])
    high, low = (sequence >> 32).to_bytes(4, "big"), (sequence & 0xffffffff).to_bytes(4, "big")
    aad = spi.to_bytes(4, "big") + (high if esn else b"") + low
    out = spi.to_bytes(4, "big") + low + iv + encrypt(cipher, key, iv, text, aad)
    if auth != "none":
        name, auth_len, icv_len = HASHES[auth]
        mac = hmac.new(bytes(range(0x80, 0x80 + auth_len)), out + (high if esn else b""), getattr(hashlib, name))
        out += mac.digest()[:icv_len]
    return out.hex()


print("/* Made by esp_suites.py, which says how; not by hand. */")
for row in ROWS:
    cipher, auth, esn, spi, sequence, length = row
    hexes = packet(*row)
    lines = "\n     ".join('"%s"' % hexes[i:i + 96] for i in range(0, len(hexes), 96))
    print('{"%s", "%s", %s, 0x%x, UINT64_C(0x%x), %d,\n     %s},' % (
        cipher, auth if auth == "none" else "hmac-" + auth, str(esn).lower(), spi, sequence, length, lines))
