# Captures of IKEv1 peers that share no code with our core, explained: see tests/scapy/explain_cases.py.
# P2_SEED: another seed.
set -e
export PYTHONDONTWRITEBYTECODE=1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for python in python3 /usr/bin/python3; do
    $python -c 'import cryptography' 2>/dev/null && break
done
$python tests/scapy/explain_cases.py "$B/phase2sim" "$out" "${P2_SEED:-1}"
