"""Captures of explain_peers.py and explain_quick.py against what `phase2sim explain` says about them, field by field.

    explain_cases.py PHASE2SIM FOLDER [SEED]

A table of named cases, then random combinations. A field that the peers expect and explain does not say alike is a
failure; so are messages that should have been opened and were not."""
import json
import random
import subprocess
import sys

from explain_peers import *
from explain_quick import Quick

CASES = {}
RANDOM_CASES = 100
V6 = {"addresses": ("2001:db8::1", "2001:db8:1::2")}
V6_IDS = ("2001:db8:a::/64", "2001:db8:b::/64")


def case(name, peers=None, link="ethernet", **quick):
    """A case whose Quick Modes are told by a function; without one it is a plain Quick Mode with traffic."""
    def build(rnd):
        c = Case(rnd, link)
        Quick(Peers(c, **(peers or {})), **quick).run().traffic()
        return c
    CASES[name] = build


def scene(peers=None):
    """A case that is told step by step."""
    def take(function):
        def build(rnd):
            c = Case(rnd)
            function(c, Peers(c, **(peers or {})))
            return c
        CASES[function.__name__.replace("_", "-")] = build
        return function
    return take


def plain_cases():
    for cipher in IKE_CIPHERS:
        for hash in IKE_HASHES:
            case("isakmp-%s-%s" % (cipher, hash), {"cipher": cipher, "hash": hash, "padding": "block"})
    for cipher in ESP_CIPHERS:
        case("esp-" + cipher, esp=cipher, auth=None if "gcm" in cipher else "hmac-sha256-128")
    for auth in AUTHS:
        case("auth-" + auth, esp="aes-256-cbc", auth=auth)
        if auth != "aes-xcbc-96":
            case("ah-" + auth, esp=None, ah=auth, mode=2)
            case("ah-ipv6-" + auth, V6, esp=None, ah=auth, mode=1, ids=V6_IDS)
    for group in GROUP_LENGTHS:
        case("pfs-%d" % group, group=group)
    for mode in (3, 4, 61443, 61444):
        case("nat-mode-%d" % mode, {"nat": "port"}, mode=mode, nat_oa=mode in (4, 61444))
    case("nat-one-port", {"nat": "plain"}, mode=3)
    case("ah-with-esp", ah="hmac-sha1-96")
    case("ah-with-esp-transport", ah="hmac-sha256-128", mode=2, ids=None)
    case("ah-with-esp-ipv6", V6, ah="hmac-sha512-256", ids=V6_IDS)
    case("transport", mode=2, ids=None)
    case("ipv6", V6, ids=V6_IDS, link="raw")
    case("ipv4-in-ipv6", V6)
    case("no-ids", ids=None)
    case("ids-ranges", ids=("10.1.0.1-10.1.0.9", "10.2.0.0/16"))
    case("ids-ranges-ipv6", ids=("2001:db8::1-2001:db8::9", "2001:db8:b::/64"))
    case("ids-names", ids=((id_body(2, b"left")), id_body(2, b"right")))
    case("ids-first", group=14, ids_first=True)
    case("padding-random", {"padding": "random"}, group=5)
    case("vendor-ids", {"vendor": 6}, vendor=3)
    case("lifetimes-long", seconds=100000, kilobytes=5000000000, long=True)
    case("lifetime-kilobytes", seconds=0, kilobytes=1000)
    case("many-proposals", decoys=30)
    case("proposals-with-own-spis", decoys=7, own_spis=True)
    case("responder-lifetime", responder_lifetime=True)
    case("ipcomp", ipcomp=2, group=14)
    case("ipcomp-four-octets", ipcomp=4)
    case("commit", commit=True)
    case("aggressive", {"mode": "aggressive"})
    case("aggressive-clear", {"mode": "aggressive", "clear_third": True, "iv_in_keys": False})
    case("aggressive-nat", {"mode": "aggressive", "nat": "port"}, mode=3)
    case("no-phase1", {"shown": False})
    case("no-phase1-responder-starts", {"shown": False}, starter=1)
    case("responder-starts", starter=1, group=2)
    case("iv-of-capture", {"iv_in_keys": False})
    case("phase1-lost-part", {"lost": (1, 4)})


@scene()
def several_children(c, p):
    quicks = [Quick(p, starter=n % 2).run() for n in range(4)]
    for q in quicks:
        q.traffic(2)


@scene()
def interleaved(c, p):
    a, b = Quick(p, group=14), Quick(p, starter=1)
    for number in (1, 2, 3):
        a.send(number)
        b.send(number)
    a.traffic()
    b.traffic()


@scene()
def several_isakmp_sas(c, p):
    other, v6 = Peers(c, hash="sha256", addresses=("192.0.2.9", "198.51.100.2")), Peers(c, **V6)
    for peers, ids in ((p, ("10.1.0.0/16", "10.2.0.0/16")), (v6, V6_IDS), (other, ("10.3.0.0/16", "10.2.0.0/16"))):
        Quick(peers, ids=ids).run().traffic()


@scene()
def resent(c, p):
    Quick(p).run(times=3).traffic()


@scene()
def resent_after_answer(c, p):
    q = Quick(p)
    q.send(1)
    first = q.old
    q.send(2)
    p.send(0, first)
    q.on_wire += 1
    q.again(2)
    q.send(3)
    q.traffic()


@scene({"padding": "random"})
def resent_anew(c, p):
    Quick(p).run(anew=1).traffic()


@scene({"padding": "random"})
def resent_anew_answer_to_the_first(c, p):
    q = Quick(p)
    q.send(1, anew=1, keep_old=True)
    q.send(2, anew=1, keep_old=True)
    q.send(3)
    q.traffic()


@scene()
def lost_answer(c, p):
    q = Quick(p)
    q.send(1)
    q.send(2, lost=True)
    q.send(3, readable=False)


@scene()
def lost_third(c, p):
    q = Quick(p)
    q.send(1)
    q.send(2)
    q.traffic()


@scene()
def no_answer(c, p):
    Quick(p).send(1, times=4)


@scene()
def lost_first(c, p):
    q = Quick(p)
    q.send(1, lost=True)
    q.send(2, readable=False)
    q.send(3, readable=False)
    q.hashes = {"3": None}


@scene({"nat": "port"})
def first_of_phase1_once_more(c, p):
    p.resend_first()
    Quick(p, mode=3).run().traffic()


@scene()
def dpd_and_deletes(c, p):
    q = Quick(p).run().traffic()
    p.dpd(times=2)
    q.delete()
    q.delete(1)


@scene()
def delete_both_directions(c, p):
    Quick(p, ah="hmac-sha1-96").run().traffic().delete(both=True)


@scene()
def delete_ah(c, p):
    Quick(p, ah="hmac-sha1-96").run().delete(protocol=AH)


@scene()
def delete_with_forged_hash(c, p):
    q = Quick(p).run()
    p.other(0, [(DELETE, delete_body(ESP, [q.sas[1].spi]))], bad=True)


@scene({"shown": False})
def xauth_without_phase1(c, p):
    p.transaction()
    Quick(p).run()


@scene({"nat": "port", "mode": "aggressive"})
def xauth_and_mode_config(c, p):
    p.transaction(3)
    Quick(p, mode=3, ids=("10.9.0.1", "10.2.0.0/16")).run().traffic()


def refusal_cases():
    for name in ("NO-PROPOSAL-CHOSEN", "INVALID-ID-INFORMATION", "INVALID-KEY-INFORMATION", "PAYLOAD-MALFORMED",
                 "INVALID-HASH-INFORMATION", "AUTHENTICATION-FAILED", "BAD-PROPOSAL-SYNTAX", "INVALID-PAYLOAD-TYPE"):
        @scene()
        def refused(c, p, name=name):
            q = Quick(p)
            q.send(1)
            q.refuse(name)
        CASES["refused-" + name.lower()] = CASES.pop("refused")


refusal_cases()


@scene()
def refused_with_spi_among_two(c, p):
    a, b = Quick(p), Quick(p)
    a.send(1)
    b.send(1)
    a.refuse("NO-PROPOSAL-CHOSEN", spi=a.spis[ESP][0])
    b.send(2)
    b.send(3)


@scene()
def refused_without_spi_among_two(c, p):
    """The other one is answered, so that it is not the one that was refused."""
    a, b = Quick(p), Quick(p)
    a.send(1)
    b.send(1)
    a.refuse("NO-PROPOSAL-CHOSEN")
    b.send(2)
    b.send(3)


@scene()
def refused_in_clear(c, p):
    q = Quick(p)
    q.send(1)
    q.refuse("INVALID-ID-INFORMATION", clear=True)


@scene()
def refused_by_initiator(c, p):
    q = Quick(p)
    q.send(1)
    q.send(2)
    q.refuse("INVALID-HASH-INFORMATION", by=0)


@scene()
def refused_by_initiator_with_answers_spi(c, p):
    a, b = Quick(p), Quick(p)
    for q in (a, b):
        q.send(1)
        q.send(2)
    a.refuse("NO-PROPOSAL-CHOSEN", by=0, spi=a.spis[ESP][1])


@scene()
def refused_under_its_message_id(c, p):
    q = Quick(p)
    q.send(1)
    q.refuse("NO-PROPOSAL-CHOSEN", own_id=True)


@scene()
def refused_and_tried_again(c, p):
    for name in ("NO-PROPOSAL-CHOSEN", "NO-PROPOSAL-CHOSEN"):
        q = Quick(p)
        q.send(1)
        q.refuse(name)
    Quick(p, starter=1).run().traffic()


@scene()
def refused_by_one_that_offers_unknown_algorithms(c, p):
    q = Quick(p)
    q.send(1)
    q.refuse("NO-PROPOSAL-CHOSEN")
    Quick(p, starter=1, decoys=2, auth="aes-xcbc-96").run()


@scene()
def forged_refusal_in_clear(c, p):
    """It is established all the same: nobody heeded it."""
    q = Quick(p)
    q.send(1)
    q.refuse("NO-PROPOSAL-CHOSEN", clear=True)
    q.send(2)
    q.notify = None
    q.send(3)


@scene()
def invalid_spi_of_a_packet(c, p):
    """It is about a packet and no Quick Mode, although one waits."""
    q = Quick(p)
    q.send(1)
    p.other(1, [(NOTIFY, notify_body("INVALID-SPI", b"\x12\x34\x56\x78"))])
    q.send(2, lost=True)


@scene()
def spis_used_again(c, p):
    first = Quick(p).run().traffic()
    first.delete(both=True)
    Quick(p, spis=first.spis).run().traffic(4)


@scene()
def spi_of_both_directions(c, p):
    spi = b"\xc1\x23\x45\x67"
    Quick(p, spis={ESP: [spi, spi]}).run().traffic()


@scene()
def bad_and_replayed(c, p):
    q = Quick(p).run().traffic()
    q.traffic(2, again=True)
    q.traffic(2, bad=True)


@scene()
def third_from_another_address(c, p):
    q = Quick(p)
    q.send(1)
    q.send(2)
    q.send(3, source="203.0.113.7")


@scene()
def started_from_another_address(c, p):
    p.addresses[0] = "203.0.113.7"
    Quick(p).run().traffic()


@scene()
def packets_from_another_address(c, p):
    q = Quick(p).run().traffic()
    p.addresses[0] = "203.0.113.7"
    q.traffic()


@scene()
def packets_before_second_message(c, p):
    q = Quick(p)
    q.send(1)
    c.wire.delayed = []
    q.send(2)
    held, c.wire.delayed = c.wire.delayed, None
    q.packet(True, early=True)
    c.unknown_spi = 1
    c.wire.delayed = held
    c.wire.release()
    q.send(3)
    q.traffic()


def random_case(rnd):
    """Any of it together."""
    c = Case(rnd)
    for k in range(rnd.choice((1, 1, 2))):
        v6, nat = rnd.random() < 0.2, rnd.choice((False, False, "port", "plain"))
        options = {"addresses": ("2001:db8::%d" % k, "2001:db8:1::2")} if v6 else {"addresses": (
            "192.0.2.%d" % (k + 1), "198.51.100.2")}
        p = Peers(c, rnd.choice(list(IKE_CIPHERS)), rnd.choice(list(IKE_HASHES)), nat=nat, shown=rnd.random() < 0.8,
                  mode=rnd.choice(("main", "aggressive")), clear_third=rnd.random() < 0.5, vendor=rnd.randrange(3),
                  padding=rnd.choice(("zero", "block", "random")), **options)
        if rnd.random() < 0.3:
            p.transaction()
        for _ in range(rnd.randrange(1, 4)):
            random_quick(rnd, p, nat, v6)
    return c


def random_quick(rnd, p, nat, v6):
    esp = rnd.choice(list(ESP_CIPHERS) + ([None] if not nat else []))
    ah = None if nat or (esp and rnd.random() < 0.7) else rnd.choice([a for a in AUTHS if a != "aes-xcbc-96"])
    q = Quick(p, rnd.randrange(2), esp, rnd.choice(list(AUTHS)), ah, rnd.choice([0, 0] + list(GROUP_LENGTHS)),
              rnd.choice((3, 4, 61443, 61444) if nat else (1, 2)), V6_IDS if v6 else ("10.1.0.0/16", "10.2.0.0/16"),
              seconds=rnd.randrange(1, 1 << 20), kilobytes=rnd.choice((0, 1 << 20)), long=rnd.random() < 0.5,
              decoys=rnd.randrange(4), ids_first=rnd.random() < 0.3, nat_oa=bool(nat), commit=rnd.random() < 0.2)
    q.send(1, times=rnd.randrange(1, 3))
    if rnd.random() < 0.2:
        q.refuse("NO-PROPOSAL-CHOSEN")
        return
    q.send(2, times=rnd.randrange(1, 3))
    q.send(3)
    if q.commit:
        q.connected()
    q.traffic(rnd.randrange(1, 4))
    if rnd.random() < 0.3:
        q.delete(protocol=ESP if esp else AH)


# --- the comparison ---

def differences(want, got, path=""):
    """Of objects the wanted fields, of arrays each item."""
    if isinstance(want, dict) and isinstance(got, dict) and not path.endswith(".hashes"):
        return [d for k in want for d in differences(want[k], got.get(k, "absent"), path + "." + k)]
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [d for i, w in enumerate(want) for d in differences(w, got[i], "%s[%d]" % (path, i))]
    return [] if want == got else ["%s: wanted %s, got %s" % (path, want, got)]


def in_order(objects, *keys):
    return sorted(objects, key=lambda o: [str(o[k]) for k in keys])


def compare(want, got):
    for one in (want, got):
        for q in one["quick_modes"]:
            q["sas"] = in_order(q["sas"], "protocol", "spi", "encryption_key")
        one["quick_modes"] = in_order(one["quick_modes"], "message_id")
    others = in_order([o for o in got["informational"]], "message_id")
    want["quick_modes"] = [{k: v for k, v in q.items() if k != "started_by" or v} for q in want["quick_modes"]]
    out = differences(want["quick_modes"], got["quick_modes"], "quick_modes")
    out += differences(in_order(want["others"], "message_id"), others, "informational")
    out += differences(want["isakmp_sas"], len(got["isakmp_sas"]), "isakmp_sas")
    out += differences(want["phase1_in_capture"], [i["phase1_in_capture"] for i in got["isakmp_sas"]], "phase1")
    out += differences([not shown for shown in want["phase1_in_capture"]],
                       [i["initiator_assumed"] for i in got["isakmp_sas"]], "assumed")
    unread = any(q["outcome"] == "undecryptable" or not q["hashes"].get("3") for q in want["quick_modes"])
    out += [] if unread else differences([0] * len(got["isakmp_sas"]), [i["not_opened"] for i in got["isakmp_sas"]])
    unknown = [s for q in got["quick_modes"] for s in q["sas"] if not s["encryption_key"] and s["encryption_key"] is None]
    told = sum("is not known here" in line for q in got["quick_modes"] for line in q["story"])
    return out + ([] if told >= len(unknown) else ["%d SAs of unknown algorithms, told of %d" % (len(unknown), told)])


def explain(program, folder):
    command = [program, "explain", folder + "/capture.pcap", "--keys", folder + "/keys.xml"]
    text = subprocess.run(command, capture_output=True, timeout=30)
    run = subprocess.run(command + ["--format", "json"], capture_output=True, timeout=30)
    if run.returncode or text.returncode:
        return ["it ends with %d and %d: %s" % (run.returncode, text.returncode, run.stderr.decode())]
    with open(folder + "/expected.json") as expected:
        return compare(json.load(expected), json.loads(run.stdout))


def main():
    program, folder, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1
    plain_cases()
    named = len(CASES)
    for k in range(RANDOM_CASES):
        CASES["random-%d" % k] = random_case
    failed = quicks = good = 0
    for name, build in CASES.items():
        made = build(random.Random("%d %s" % (seed, name)))
        made.save(folder + "/" + name)
        wrong = explain(program, folder + "/" + name)
        quicks += len(made.expected()["quick_modes"])
        good += sum(s["icv_ok"] for q in made.expected()["quick_modes"] for s in q["sas"])
        failed += bool(wrong)
        for line in wrong:
            print("%s: %s" % (name, line))
    print("%d named cases, %d random ones; %d Quick Modes, %d packets; %d failed" % (named, RANDOM_CASES, quicks, good,
                                                                                    failed))
    if failed or named < 140 or quicks < 350 or good < 1200:
        sys.exit("failed, or too little was looked at")


main()
