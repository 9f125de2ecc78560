"""Broken scenarios, as strangers hand them in: every one ends `phase2sim check` and `phase2sim run` with exit status 2
and lines "FILE:LINE: what was found; what is allowed" in the order of the lines, leaves no directory behind, and touches
no network. Three sorts: rows of one slip each, with the line on which it is; files that are no XML, or too much of it;
and every attribute and element of the shipped scenarios spoilt once, where xmllint refuses nothing that phase2sim takes.

usage: broken_scenarios.py BUILD-DIRECTORY"""
import gzip
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIOS = os.path.join(os.path.dirname(HERE), "scenarios")
MEMORY_MAX = 1 << 21  # KiB, with a sanitizer's share
os.environ["PHASE2SIM_SCENARIOS"] = SCENARIOS  # wherever the program was built
checks = failures = 0


def check(ok, *what):
    global checks, failures
    checks += 1
    if not ok:
        failures += 1
        print("FAILED:", *what)
    return ok


def ask(verb, path):
    """The exit status and what is said on standard error; a program that hangs ends the test."""
    out = os.path.join(folder, "results")
    command = [BUILD + "/phase2sim", verb, path] + (["-o", out] if verb == "run" else [])
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    left = [name for name in os.listdir(folder) if "results" in name]
    check(not left, verb, path, "leaves", left)
    for name in left:
        shutil.rmtree(os.path.join(folder, name))
    return done.returncode, done.stderr.decode(errors="replace")


def lines_of(text, path):
    return [int(n) for n in re.findall("^%s:([0-9]+): " % re.escape(path), text, re.M)]


def refused(name, path, line=None, says="", verbs=("check", "run")):
    for verb in verbs:
        status, text = ask(verb, path)
        lines = lines_of(text, path)
        ok = status == 2 and lines and lines == sorted(lines) and "allowed" in text
        ok = ok and (line is None or line in lines) and says in text
        check(ok, name, verb, "ends with", status, "and says, where line", line, "and", repr(says), "should be:\n   ", text[:600])


def write(name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as out:
        out.write(data if isinstance(data, bytes) else data.encode())
    return path


def read(name):
    with open(os.path.join(SCENARIOS, name), encoding="utf-8") as file:
        return file.read()


# --- one slip each, in the smallest scenario; the line is that of the slip ---

def slip(found, meant, says, where=None):
    """`found` in place of `meant`; said of the line on which `where` (else the slip) stands."""
    assert meant in PLAIN, meant
    text = PLAIN.replace(meant, found, 1)
    at = text.index(where) if where else PLAIN.index(meant)
    refused(repr(found), write("slip.xml", text), text.count("\n", 0, at) + 1, says, ("check",))


def slips():
    for value in ("10 sec", "5m", "1e9s", "0x10", "1.5.2ms", "\u0661s", "", " ", "-1ms", "10", "99999999999999999999s", "87601h"):
        slip('delay="%s"' % value, 'delay="10ms"', "allowed: a number and ns, us, ms, s, min or h")
    slip('delay="10 sec"', 'delay="10ms"', 'did you mean "10s"?')
    slip('rate="100 Mbit/s"', 'rate="100Mbps"', 'did you mean "100Mbps"?')
    slip('rate="100"', 'rate="100Mbps"', "allowed: a number and bps")
    slip('size="500"', 'size="500B"', "allowed: a whole number and B")
    slip('packets="10"', 'packets="10/s"', "such as 25/s")
    slip('soft="80"', 'soft="80%"', "0% to 100%")
    slip('group="group15000"', 'group="group14"', 'did you mean "group15"?')
    slip('hash="SHA-1"', 'hash="sha1"', 'did you mean "sha1"?')
    slip('encryption="rot13"', 'encryption="aes-128-cbc"', "allowed: ")
    slip('establish="imediately"', 'establish="immediately"', 'did you mean "immediately"?')
    slip('use="g2-esp-aes128-sha1"', 'use="g2-esp-aes128-sha"', 'did you mean "g2-esp-aes128-sha"?')
    slip('<polcy pfs', '<policy pfs', "not well-formed", "</policy>")
    slip('lifetme="10s"', 'lifetime="10s"', 'did you mean "lifetime"?')
    slip('<end gateway="rihgt"', '<end gateway="right"', 'did you mean "right"?')
    slip('<end gateway="left"', '<end gateway="right"', "the same gateway at both ends", None)
    slip('from="left[1]" to="right" delay', 'from="left" to="right" delay', "which has no count")
    slip('start="30s"', 'start="1s"', "the run is over by then")
    slip('start="1s" stop="31s"', 'start="1s"', "the run is over by then")
    slip('start="1s" stop="1s"', 'start="1s"', "not after start")
    slip('name="right" address="203.0.113.1"', 'name="right" address="198.51.100.1"', "do not overlap")
    slip('protects="10.1.0.128/25"', 'protects="10.2.0.0/24"', "do not overlap")
    slip('protects="10.2.0.1/24"', 'protects="10.2.0.0/24"', "allowed: 10.2.0.0/24")
    slip('protects="10.2.0.0/33"', 'protects="10.2.0.0/24"', "not a prefix")
    slip('address="256.1.1.1"', 'address="198.51.100.1"', "not an address")
    slip('name="left"', 'name="right"', "a second gateway of that name", None)
    slip('name="left" count="7" address="10.255.255.250" protects="10.1.0.0/24"', 'name="left" address="203.0.113.1" protects="10.1.0.0/24"',
         "number 7 would be outside")
    slip('name="left" count="4" address="223.255.255.253" protects="10.1.0.0/24"', 'name="left" address="203.0.113.1" protects="10.1.0.0/24"',
         "number 4 would be outside")
    slip('name="left" count="3" address="203.0.113.1" protects="192.168.254.0/24"', 'name="left" address="203.0.113.1" protects="10.1.0.0/24"',
         "number 3 would be outside")
    slip('name="left" count="300" address="203.0.113.1" protects="10.1.0.0/24"', 'name="left" address="203.0.113.1" protects="10.1.0.0/24"',
         "do not overlap", '<gateway name="right"')
    slip('<gateway name="island" address="192.0.2.1"/>\n<link ', "<link ", "no link leads to it", "island")
    slip('<link from="left" to="left"', '<link from="left" to="right"', "the same gateway at both ends")
    slip('<gateway name="third" address="192.0.2.1" protects="10.3.0.0/24"/><link from="third" to="left"', '<link from="left" to="right"',
         "no links lead from", '<tunnel name')
    slip('<cpu-profile name="p"><source cpu="x" method="y"/></cpu-profile>\n  <topology>', "<topology>", "no gateway uses it", '"p"')
    slip('<end gateway="left"><policy><proposal use="g2-esp-3des-sha"/></policy></end>\n'
         '<end gateway="right"><policy><proposal use="g2-esp-3des-sha"/></policy></end>\n',
         '<end gateway="left"/>\n      <end gateway="right"/>\n', "proposals that no end uses", "<proposal")
    for metric, says in (("rekey-latncy", 'did you mean "rekey-latency"?'), ("injected-as.NONSENSE", "no such reason"),
                         ("drops.no-saa", 'did you mean "no-sa"?'), ("cpu-utilisation.rigth", 'did you mean "right"?'),
                         ("failures.x", "no such reason"), ("packets-lost", "compared with")):
        slip('<expect><that metric="%s" is="below" value="1ms"/></expect>\n</scenario>' % metric, "</scenario>", says)
    slip('<timeline><at time="40s"><rekey tunnel="vpn"/></at></timeline>\n</scenario>', "</scenario>", "the run is over by then")
    slip('<timeline><at time="4s"><rekey tunnel="vnp"/></at></timeline>\n</scenario>', "</scenario>", 'did you mean "vpn"?')
    slip('<vary><axis name="a" set="//policy/@psf" values="none"/></vary>\n</scenario>', "</scenario>", 'did you mean "//policy/@pfs"?')
    slip('<vary><axis name="a" set="%s" values="none"/></vary>\n</scenario>' % ("(" * 20000), "</scenario>", "not XPath 1.0")
    slip('<link\n\n from="left"\n to="right"\n\n delay="soon"', '<link from="left" to="right" delay="10ms"', "a number and ns", "soon")
    slip('<link\n\n from="left"\n delay="1ms"', '<link from="left" to="right" delay="10ms"', "<link> without to", "<link")


def adversaries():
    """What strangers tried, and was taken, or blamed on something else."""
    attribute = "x" * 600
    slip('<link %s="1" from' % attribute, "<link from", '="1": no such attribute', None)
    slip("<end/>", '<end gateway="right"/>', "<end> without gateway")
    slip("<n%s/><topology>" % ("n" * 60000), "<topology>", "a name longer than 50000 bytes")
    slip('<link from="left" to="left\u202e\u009b"', '<link from="left" to="right"', 'to="left?????"')
    for path, says in (("foo()", "no such function"), ("p:foo()", "can not be evaluated"), ("//p:link/@delay", "no prefix"), ("//link[$x]/@delay", "no variables"),
                       ("/scenario/@seed", "the same in all cases"), ("/scenario/@runs", "the same in all cases"), ("//question", "the same in all cases"),
                       ("//axis/@name", "the same in all cases"), ("//@name", "the same in all cases")):
        slip('<vary><axis name="a" set="%s" values="1"/></vary>\n</scenario>' % path, "</scenario>", says)
    apart = "".join('<gateway name="%s" address="1.2.3.%d"/>' % (name, i + 1) for i, name in enumerate(("a-b", "c", "a", "b-c")))
    slip(apart + '<link from="a-b" to="c" delay="1ms"/>\n<link from="a" to="b-c" delay="1ms"/>\n<link ', "<link ", "also the name of the link", '<link from="a" ')
    v6 = PLAIN.replace("203.0.113.1", "fd00::1").replace("198.51.100.1", "fd00::2")
    refused("IPv6 over a small MTU", write("slip.xml", v6.replace('delay="10ms"', 'mtu="1279B" delay="10ms"')), 17, "at least 1280B", ("check",))
    check(ask("check", write("slip.xml", v6.replace('delay="10ms"', 'mtu="1280B" delay="10ms"')))[0] == 0, "IPv6 over the smallest MTU")
    for first, last, says in (("10", "9", "not one packet"), ("4294967296", "standard", "esn="), ("1", "4294967296", "esn=")):
        slip('lifetime="10s" sequence-first="%s" sequence-last="%s"' % (first, last), 'lifetime="10s"', says)
    for end, says in (('<phase1 encryption="aes-256-cbc"/>', "differ in encryption"), ('<phase1 pre-shared-key="y"/>', "differ in pre-shared-key"),
                      ('<phase1 hash="md5"/>', "differ in hash")):
        text = PLAIN.replace("<phase1 ", '<phase1 mode="preset" ').replace('<end gateway="right"/>', '<end gateway="right">%s</end>' % end)
        refused("preset, " + says, write("slip.xml", text), 21, says, ("check",))
    nat = PLAIN.replace("<phase1 ", '<phase1 mode="preset" ').replace("<link ", '<nat name="n" address="192.0.2.1"/><link from="left" to="n" delay="1ms"/>'
                                                                      '<link ').replace('<link from="left" to="right"', '<link from="n" to="right"')
    refused("preset behind a NAT", write("slip.xml", nat), 21, "look for NATs", ("check",))
    for host in ("10.1.0.0", "10.1.0.255"):
        slip('packets="10/s" from-address="%s"' % host, 'packets="10/s"', "no host there has it")
    for local, remote, says in (("127.0.0.0/8", "10.2.0.0/24", "no host can have"), ("224.0.0.0/4", "10.2.0.0/24", "no host can have"),
                                ("fe80::/10", "fd00::/8", "no host can have"), ("10.1.0.0/24", "10.1.0.0/24", "the same as local")):
        slip('<end gateway="left"><proxy-id local="%s" remote="%s"/></end>' % (local, remote), '<end gateway="left"/>', says)
    slip('address="169.254.0.1"', 'address="203.0.113.1"', "no host can have it")
    for end in ('encryption="des-cbc des-cbc" authentication="hmac-sha1-96"', 'encryption="des-cbc" authentication="hmac-sha1-96 hmac-sha1-96"'):
        slip(end, 'use="g2-esp-aes128-sha"', "twice")
    own = 'name="%s" encryption="des-cbc" authentication="hmac-sha1-96"'
    slip('%s/><proposal %s' % (own % "x", own % "x"), 'use="g2-esp-aes128-sha"', "a proposal of that name already")
    slip('use="g2-esp-aes128-sha"/><proposal use="g2-esp-aes128-sha"', 'use="g2-esp-aes128-sha"', "a proposal of that name already")
    slip(own % "g2-esp-aes128-sha", 'use="g2-esp-aes128-sha"', "a predefined proposal has that name")
    slip('<end gateway="left" strict="true"', '<end gateway="left"', "no vendor is named")
    slip('<expect><that metric="cpu-utilisation.left" is="below" value="50%"/></expect>\n</scenario>', "</scenario>", "computations take no time")
    axes = '<vary><axis name="a" set="//link/@loss" values="0% 1%"/><axis name="b" set="//link/@reorder" values="0%"/></vary>\n'
    expect = '<expect><that case="0%" metric="established" is="above" value="0"/></expect>\n</scenario>'
    slip(axes + expect, "</scenario>", "several axes have that value", "<that ")
    counted = PLAIN.replace('name="left" address', 'name="left" count="2" address').replace('protects="10.2.0.0/24"', 'protects="10.9.0.0/24"')
    for event in ('<rekey tunnel="vpn[1]" all="true"/>', '<cut link="left[1]-right" all="true" for="1s"/>', '<restart gateway="left[1]" all="true"/>'):
        at = '<timeline><at time="5s">%s</at></timeline>\n</scenario>' % event
        refused(event, write("slip.xml", counted.replace("</scenario>", at)), 40, "that is one", ("check",))
    text = PLAIN.replace("<topology>", "<foo/><topology>").replace("<traffic>", "<bar/><traffic>")
    lines = lines_of(ask("check", write("slip.xml", text))[1], os.path.join(folder, "slip.xml"))
    check(lines == [12, 35], "two unknown elements, told of lines", lines)


def overridden():
    """--set of what an axis sets would be lost without a word."""
    path = write("axis.xml", PLAIN.replace("</scenario>", '<vary><axis name="a" set="//link/@delay" values="20ms"/></vary>\n</scenario>'))
    for setting, expected, says in (("//link/@delay=1s", 2, "axis a sets it in every case"), ("//link/@*[name()='delay']=1s", 2, "axis a sets it"),
                                    ("//link/@rate=1Mbps", 0, ""), ("//question=Why?", 0, ""), ("//axis[@name='a']/@values=30ms", 0, "")):
        done = subprocess.run([BUILD + "/phase2sim", "check", path, "--set", setting], stderr=subprocess.PIPE, stdout=subprocess.PIPE, timeout=120)
        said = done.stderr.decode()
        check(done.returncode == expected and says in said and (not expected or lines_of(said, path)), "--set", setting, done.returncode, said)


def names_of_files():
    """A name that is no file gets a line of its own, the same as a file that is not right."""
    os.symlink("nowhere", "dangling")
    for name, says in (("missing.xml", "no such file"), ("two-gatewys", 'did you mean "two-gateways"?'), ("", '"":1: no such file'),
                       ("mis\nsing.xml", "mis?sing.xml:1: "), ("no/where\n.xml", "no/where?.xml:1: "), ("-", "-:1: no such file"),
                       ("dangling", "dangling:1: can not be read")):
        for verb in ("check", "run"):
            status, said = ask(verb, name)
            check(status == 2 and len(said.splitlines()) == 1 and ":1: " in said and "allowed: " in said and says in said, verb, repr(name), status, said)


def idle_tunnel():
    text = PLAIN.replace('"immediately"', '"on-traffic"')
    text = text[:text.index("<traffic>")] + "</scenario>"
    refused("a tunnel without traffic", write("idle.xml", text), 21, "nothing ever uses it")
    status, said = ask("check", write("idle.xml", PLAIN.replace('"immediately"', '"on-traffic"')))
    check(status == 0, "a tunnel with traffic:", said)
    # Who sets something tries it, and may leave the rest unused.
    for arguments, expected in (([], 2), (["--set", "//link/@loss=1%"], 0)):
        done = subprocess.run([BUILD + "/phase2sim", "check", "/dev/stdin"] + arguments, input=text.encode(), stderr=subprocess.PIPE,
                              stdout=subprocess.PIPE, timeout=120)
        check(done.returncode == expected, "an unused tunnel on a pipe", arguments, done.returncode, done.stderr)


def told_at_once():
    """Of the schema and of what is meant, in one go, in the order of the lines; of too many, how many more."""
    text = PLAIN
    for meant, found in (('group="group14"/', 'group="group15000"/'), ('gateway="right"/', 'gateway="rihgt"/'), ('lifetime="10s"', 'lifetime="10"'),
                         ('to="left"', 'to="lift"'), ('address="198.51.100.1"', 'address="198.51.100.300"'), ("500B\" start=\"1s\"", "500B\" start=\"31s\"")):
        assert meant in text, meant
        text = text.replace(meant, found, 1)
    status, said = ask("check", write("several.xml", text))
    lines = lines_of(said, os.path.join(folder, "several.xml"))
    check(status == 2 and len(lines) == 6 and lines == sorted(lines), "six slips, told:", said)
    links = "".join('<link from="left" to="nowhere" delay="1ms"/>\n' for _ in range(70))
    status, said = ask("check", write("many.xml", PLAIN.replace("<link ", links + "<link ", 1)))
    check(status == 2 and len(said.splitlines()) == 51 and said.endswith("... and 20 more\n"), "70 slips, told:", said[-300:])
    cases = PLAIN.replace("</scenario>", '<vary><axis name="PFS" set="//policy/@pfs" values="none group3 group99"/></vary></scenario>')
    status, said = ask("check", write("cases.xml", cases))
    check(status == 2 and "(case PFS=group3)" in said and "(case PFS=group99)" in said, "two wrong cases, told:", said)


# --- files that are no scenario, or too much of one ---

def bombs(url):
    entities = '<!ENTITY a "aaaaaaaaaa">\n' + "".join('<!ENTITY %s "%s">\n' % (b, "&%s;" % a * 10) for a, b in zip("abcdefgh", "bcdefghi"))
    doctype = '<!DOCTYPE scenario [\n%s]>\n<scenario'
    for name, text in (("bomb", doctype % entities), ("external", doctype % '<!ENTITY x SYSTEM "file:///etc/passwd">'),
                       ("parameter", doctype % ('<!ENTITY %% x SYSTEM "%s/x.dtd"> %%x;' % url)),
                       ("dtd", '<!DOCTYPE scenario SYSTEM "%s/x.dtd">\n<scenario' % url)):
        refused(name, write(name + ".xml", PLAIN.replace("<scenario", text, 1)), 4, "a DOCTYPE")
    instance = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="%s/x"/>\n'
    refused("xinclude", write("xi.xml", PLAIN.replace("<traffic>", include % url + "<traffic>")), 35, "no such element here")
    refused("file xinclude", write("xi.xml", PLAIN.replace("<traffic>", include % "file:///etc" + "<traffic>")), 35, "no such element here")
    spoilt = PLAIN.replace("10ms", "10m")
    refused("schemaLocation", write("xsi.xml", spoilt.replace("<scenario ", "<scenario " + instance + 'xsi:schemaLocation="urn:phase2sim:scenario:1 %s/x.xsd" ' % url)), 17)
    refused("xsi:type", write("xsi.xml", PLAIN.replace("<policy ", "<policy " + instance + 'xsi:type="end-type" ')), 25, "xsi:type")
    refused("xsi:nil", write("xsi.xml", PLAIN.replace("<topology>", "<topology " + instance + 'xsi:nil="true">')), 12, "xsi:nil")
    refused("style sheet", write("pi.xml", spoilt.replace("<scenario", '<?xml-stylesheet href="%s/x.xsl"?>\n<scenario' % url, 1)), 18)


def texts():
    spoilt = PLAIN.replace("10ms", "10m")
    whole = PLAIN.encode()
    refused("empty", write("f.xml", ""), 1, "nothing in it")
    refused("blank", write("f.xml", " \n\n"), 1, "nothing in it")
    refused("no XML", write("f.xml", "scenario: x\n"), 1, "not well-formed")
    refused("gzip", write("f.xml", gzip.compress(whole)), 1, "not in UTF-8")
    for code in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        refused(code, write("f.xml", PLAIN.encode(code)), 1, "not in UTF-8")
    refused("Latin-1", write("f.xml", PLAIN.replace("change me", "\u00e4ndern").encode("latin-1")), 23, "not in UTF-8")
    refused("declared Latin-1", write("f.xml", PLAIN.replace("UTF-8", "ISO-8859-1")), 1, 'encoding="ISO-8859-1"')
    refused("overlong UTF-8", write("f.xml", whole.replace(b"change me", b"\xc0\xaf")), 23, "not in UTF-8")
    refused("a surrogate", write("f.xml", whole.replace(b"change me", b"\xed\xa0\x80")), 23, "not in UTF-8")
    refused("byte order mark", write("f.xml", b"\xef\xbb\xbf" + spoilt.encode()), 17)
    refused("CRLF", write("f.xml", spoilt.replace("\n", "\r\n")), 17)
    refused("CR", write("f.xml", spoilt.replace("\n", "\r")), 17)
    refused("a zero byte", write("f.xml", whole.replace(b"10ms", b"10\0ms")), 17, "a byte of value 0")
    refused("a control character", write("f.xml", PLAIN.replace("10ms", "10\1ms")), 17, "not well-formed")
    refused("cut off", write("f.xml", whole[:whole.index(b"<tunnels>")]), None, "not well-formed")
    refused("cut off in a value", write("f.xml", whole[:whole.index(b"203.0") + 4]), 14, "not well-formed")
    refused("cut off in UTF-8", write("f.xml", PLAIN.replace("change me", "\u00e4").encode()[:whole.index(b"change me") + 1]), 23, "not in UTF-8")
    refused("two documents", write("f.xml", PLAIN + PLAIN), None, "not well-formed")
    refused("an attribute twice", write("f.xml", PLAIN.replace('delay="10ms"', 'delay="10ms" delay="1ms"')), 17, "redefined")
    refused("another namespace", write("f.xml", PLAIN.replace("scenario:1", "scenario:2")), 4, "the root is")
    refused("an unknown prefix", write("f.xml", PLAIN.replace("<link ", '<link q:x="1" ')), 17, "not well-formed")
    refused("CDATA between elements", write("f.xml", PLAIN.replace("<topology>", "<![CDATA[x]]>\n<topology>")), 4, "text in <scenario>")
    end = re.search("<end gateway=\"right\".*", PLAIN)
    refused("text in place of an end", write("f.xml", PLAIN.replace(end[0], "right")), PLAIN.count("\n", 0, PLAIN.rindex("<tunnel ", 0, end.start())) + 1,
            "text in <tunnel>")
    refused("xml:id", write("f.xml", PLAIN.replace("<topology>", '<topology xml:id="a">')), 12, "xml:id")
    for name, found in (("a reference", ("to=\"right\" delay", "to=\"rigth\" delay")), ("a value", ("10ms", "10m")), ("an element", ("<link ", "<lnik ")),
                        ("a policy", ('<proposal use="g2-esp-aes128-sha"/>', ""))):
        far = PLAIN.replace("<topology>", "\n" * 70000 + "<topology>")
        line = 70000 + PLAIN.count("\n", 0, PLAIN.index(found[0] if found[1] else "<policy")) + 1
        refused(name + " beyond line 65535", write("f.xml", far.replace(*found)), line)
    refused("line 70017, not well-formed", write("f.xml", far.replace('delay="10ms"', "delay=10ms")), 70017, "not well-formed")


def large():
    start = '<scenario xmlns="urn:phase2sim:scenario:1" name="x" duration="30s">\n'
    refused("50 MB", write("big.xml", start + "<a/>\n" * 10000000), 1, "longer than 16 MB")
    refused("many elements", write("big.xml", start + "<topology>\n" + "<gateway/>\n" * 300000), None, "too many elements", ("check",))
    refused("many gateways", write("big.xml", PLAIN.replace("<link ", "".join('<gateway name="g%d" address="1.0.0.1"/>\n' % i for i in range(30000)) + "<link ")),
            None, "too many gateways", ("check",))
    refused("100,000 deep", write("big.xml", start + "<a>" * 100000), 2, "deeper than 256")
    refused("100,000 attributes", write("big.xml", PLAIN.replace('name="left"', " ".join('a%d="1"' % i for i in range(100000)), 1)), 14, "attributes")
    refused("100,000 namespaces", write("big.xml", PLAIN.replace('name="left"', " ".join('xmlns:a%d="b"' % i for i in range(100000)), 1)), 14, "attributes")
    refused("a value of 12 MB", write("big.xml", PLAIN.replace("change me", "x" * 12000000)), 23, "a text longer than", ("check",))
    refused("a name of 1 MB", write("big.xml", PLAIN.replace('name="vpn"', 'name="%s"' % ("v" * 1000000))), 21, "a letter, then", ("check",))
    refused("a list of 1 MB", write("big.xml", PLAIN.replace('use="g2-esp-aes128-sha"', 'encryption="%s" authentication="hmac-sha1-96"' % ("des-cbc " * 100000))),
            26, "des-cbc twice", ("check",))
    blanks = '<timeline><at time="5s"><compromise on="left-right" knows="%s"/></at></timeline></scenario>' % (" " * 200000 + "skeyid-f")
    refused("200,000 blanks for a pattern", write("big.xml", PLAIN.replace("</scenario>", blanks)), 40, "knows=", ("check",))
    axes = "".join('<axis name="a%d" set="//link/@%s" values="%s"/>' % (i, a, " ".join("%d%s" % (v, u) for v in range(100)))
                   for i, (a, u) in enumerate((("delay", "ms"), ("jitter", "ms"))))
    gateways = "".join('<gateway name="g%d" address="%d.1.%d.1"/><link from="left" to="g%d" delay="1ms"/>\n' % (i, 20 + i // 250, i % 250, i) for i in range(9000))
    tunnels = "".join('<tunnel name="v%d"><phase1 pre-shared-key="x"/><policy mode="transport"><proposal use="g2-esp-3des-sha"/></policy>'
                      '<end gateway="left"/><end gateway="g%d"/></tunnel>\n' % (i, i) for i in range(9000))
    lesson = "<p>%s</p></lesson>" % ("x" * 8000000)
    refused("more than 16 MB with its defaults", write("big.xml", PLAIN.replace("</lesson>", lesson).replace("<link ", gateways + "<link ").replace(
        "</tunnels>", tunnels + "</tunnels>")), 1, "longer than 16 MB with what has a default", ("check",))
    lesson = "<p>%s</p></lesson>" % ("x" * 100000)
    refused("1 GB of cases", write("big.xml", PLAIN.replace("</lesson>", lesson).replace("</scenario>", "<vary>%s</vary></scenario>" % axes)), 40, "256 MB", ("check",))


def special():
    for name in ("fifo", "loop", "dangling", "link-to-zero"):
        path = os.path.join(folder, name + ".xml")
        if name == "fifo":
            os.mkfifo(path)
        else:
            os.symlink({"loop": path, "dangling": "nowhere", "link-to-zero": "/dev/zero"}[name], path)
        refused(name, path, 1, "can not be read")
    refused("a directory", folder, 1, "can not be read")
    refused("/dev/null", "/dev/null", 1, "can not be read")
    path = write("unreadable.xml", PLAIN)
    os.chmod(path, 0)
    if os.getuid() != 0:
        refused("unreadable", path, 1, "Permission denied")
    os.unlink(path)


def profiles():
    """A profile file's slips bear its own name; one that is no file, that of the scenario."""
    with_profile = PLAIN.replace("<topology>", '<cpu-profile name="p" base="p.xml"/>\n<topology>').replace(
        'protects="10.1.0.0/24"/>', 'protects="10.1.0.0/24"><cpu profile="p"/></gateway>')
    scenario = write("with.xml", with_profile)
    start = '<cpu-profile xmlns="urn:phase2sim:scenario:1" name="p">\n<source cpu="x" method="y"/>\n'
    for name, text, line in (("empty", "", 1), ("cut off", start, 3), ("an operation", start + '<price operation="hsah" algorithm="sha1" fixed="1us"/></cpu-profile>', 3),
                             ("a bomb", '<!DOCTYPE x [<!ENTITY a "b">]>' + start, 1), ("Latin-1", (start + "\u00e4").encode("latin-1"), 3),
                             ("a price", start + '\n<price operation="hash" algorithm="sha1" fixed="1 us"/></cpu-profile>', 4), ("a scenario", PLAIN, 4)):
        path = write("p.xml", text)
        for verb in ("check", "run"):
            status, said = ask(verb, scenario)
            check(status == 2 and line in lines_of(said, path), "profile file,", name, verb, status, said)
    os.unlink(path)
    refused("no profile file", scenario, 12, "no such file", ("check",))
    os.mkfifo(path)
    refused("a FIFO for a profile", scenario, 12, "a FIFO")
    os.unlink(path)


# --- every attribute and element of the shipped scenarios, spoilt once ---

ATTRIBUTE = re.compile(r'\s([a-z0-9-]+)="[^"]*"')
ELEMENT = re.compile(r'<([a-z0-9-]+)((?:\s+[a-z0-9-]+="[^"]*")*)\s*(/?)>')
ANY_TEXT = {"pre-shared-key", "text", "values"}  # axis values are wrong where they are set


def spoilt_once():
    """(what, text, line; None: it need not be wrong) for each kind of attribute and element, once."""
    seen = set()
    for name in sorted(os.listdir(SCENARIOS)):
        text = read(name) if name.endswith(".xml") else ""
        for element in ELEMENT.finditer(text):
            kind, begin = element.group(1), element.start()
            line = text.count("\n", 0, begin) + 1
            if kind not in seen:
                seen.add(kind)
                yield kind + " unknown", text[:begin] + "<x-%s/>" % kind + text[begin:], None if kind == "scenario" else line
                yield kind + " misplaced", text[:begin] + "<question>x</question>" + text[begin:], None if kind == "question" else line
                yield kind + " with text", text[:element.end()] + "x" + text[element.end():], None
            for attribute in ATTRIBUTE.finditer(element.group(2)):
                key = (kind, attribute.group(1))
                at = element.start(2) + attribute.start(1)
                value = element.start(2) + attribute.start(0) + attribute.group(0).index('"') + 1
                end = element.start(2) + attribute.end() - 1
                if key in seen or attribute.group(1) == "xmlns":
                    continue
                seen.add(key)
                line = text.count("\n", 0, value) + 1
                yield "%s %s unknown" % key, text[:at] + "x-" + text[at:], line
                for bad in ("", "\u00e9 \u0661", "-1", "99999999999999999999", "10 sec"):
                    yield "%s %s=%r" % (*key, bad), text[:value] + bad + text[end:], None if key[1] in ANY_TEXT and bad else line
                yield "%s %s gone" % key, text[:at] + text[end + 1:], None


def shipped():
    path = os.path.join(folder, "shipped.xml")
    schema = os.path.join(SCENARIOS, "phase2sim.xsd")
    lint = lambda file: subprocess.run(["xmllint", "--nonet", "--noout", "--schema", schema, file], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL).returncode
    for name in sorted(os.listdir(SCENARIOS)):
        if name.endswith(".xml"):
            check(lint(os.path.join(SCENARIOS, name)) == 0, "xmllint refuses", name)
    os.symlink(os.path.join(SCENARIOS, "profiles"), os.path.join(folder, "profiles"))
    num = taken = 0
    for what, text, line in spoilt_once():
        write("shipped.xml", text)
        status, said = ask("check", path)
        num += 1
        lines = lines_of(said, path)
        if status == 0:
            taken += 1
            check(line is None and lint(path) == 0, what, "is taken")
        else:
            check(status == 2 and lines and lines == sorted(lines) and (line is None or line in lines), what, "line", line, "ends with", status,
                  "and says\n   ", said[:400])
    check(num > 800 and taken < num / 4, num, "spoilt,", taken, "of them right")


PLAIN = read("two-gateways.xml")
folder = tempfile.mkdtemp(prefix="phase2sim-broken-")
os.chdir(folder)
try:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    listener.setblocking(False)
    slips()
    adversaries()
    overridden()
    names_of_files()
    idle_tunnel()
    told_at_once()
    bombs("http://127.0.0.1:%d" % listener.getsockname()[1])
    texts()
    large()
    special()
    profiles()
    shipped()
    try:
        listener.accept()
        check(False, "something was fetched from the network")
    except BlockingIOError:
        check(True)
    check(not os.path.exists("results"), "a directory of results is there")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    check(peak < MEMORY_MAX, "memory:", peak, "KiB")
finally:
    shutil.rmtree(folder)
print(checks, "checks,", failures, "failed")
sys.exit(failures > 0 or checks < 1000)
