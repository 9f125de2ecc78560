# scapy as the judge of ESP and AH, and tshark where it can: see tests/scapy/judge.py and gateways.py.
# P2_SCAPY_ROUNDS: how often each suite is tried instead of once; P2_SEED: another seed.
set -e
export PYTHONDONTWRITEBYTECODE=1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# Debian's scapy belongs to Debian's python3, which need not be the first one in PATH.
for python in python3 /usr/bin/python3; do
    $python -c 'import scapy.layers.ipsec, cryptography' 2>/dev/null && break
done
$python tests/scapy/judge.py "$B/tests/tools/sealer" "$out" "${P2_SCAPY_ROUNDS:-1}" "${P2_SEED:-1}"
$python tests/scapy/gateways.py "$B/tests/tools/gateways" "${P2_SEED:-1}"
