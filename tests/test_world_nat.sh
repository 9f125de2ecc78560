#!/bin/sh
# A hub and two gateways behind one NAT, in ns-3: traffic both ways in main and aggressive mode, tunnel mode and
# transport mode, with keepalives and DPD; and what ESP without UDP comes to.
. tests/world.sh

# nat NAME TUNNELS FLOWS EXPECTATIONS: keepalives are what keeps the mapping, which lasts for 15 s.
nat() {
    cat >"$dir/$1.xml" <<XML
<scenario xmlns="urn:phase2sim:scenario:1" name="$1" duration="60s">
  <topology>
    <gateway name="hub" address="203.0.113.1" protects="10.0.0.0/24"/>
    <gateway name="spoke" count="2" address="192.168.1.2" protects="10.1.0.0/24"/>
    <nat name="home" address="203.0.113.7" timeout="15s"/>
    <link from="spoke" to="home" delay="1ms"/>
    <link from="home" to="hub" delay="10ms"/>
  </topology>
  <tunnels>
    $2
  </tunnels>
  <traffic>
    $3
  </traffic>
  <vary><axis name="mode" set="//phase1/@mode" values="main aggressive"/></vary>
  <expect>
    <that metric="drops.nat-fragments" is="equal" value="0"/>
    $4
  </expect>
</scenario>
XML
}

phase1='<phase1 mode="main" pre-shared-key="k" group="group2" dpd-interval="4s" dpd-tries="2" nat-keepalive="5s"/>'
policy='<policy lifetime="20s" pfs="none"><proposal use="nopfs-esp-aes128-sha"/></policy>'
tunnel="<tunnel name=\"vpn\">$phase1$policy<end gateway=\"spoke\"/><end gateway=\"hub\"/></tunnel>"

# Silence from 10 s on: after 45 s only the mapping that keepalives kept leads from the hub to the spokes.
nat quiet "$tunnel" '
    <flow from="spoke" to="hub" packets="10/s" size="500B" start="1s" stop="9s"/>
    <flow from="hub" to="spoke" packets="10/s" size="500B" start="1s" stop="9s"/>
    <flow from="hub" to="spoke" packets="10/s" size="500B" start="45s" stop="50s"/>' '
    <that metric="packets-received" is="equal" value="420"/>
    <that metric="packets-lost" is="equal" value="0"/>
    <that metric="failures" is="equal" value="0"/>
    <that metric="phase1-established" is="equal" value="2"/>
    <that metric="established" is="at-least" value="6"/>
    <that metric="drops.nat-unsolicited" is="equal" value="0"/>
    <that metric="drops.nat-no-ports" is="equal" value="0"/>
    <that metric="drops.unknown-spi" is="equal" value="0"/>
    <that metric="sas-left-over" is="equal" value="0"/>'
run quiet
judge quiet mode=main mode=aggressive
judge_capture quiet mode=main 'spoke[1]'
has quiet mode=main udp yes
has quiet mode=aggressive udp yes

# ESP has no ports: the NAT drops what comes from inside, and knows no way in for what comes from outside.
nat plain "$tunnel" '
    <flow from="spoke" to="hub" packets="10/s" size="500B" start="1s" stop="9s"/>
    <flow from="hub" to="spoke" packets="10/s" size="500B" start="1s" stop="9s"/>' '
    <that metric="established" is="at-least" value="6"/>
    <that metric="failures" is="equal" value="0"/>
    <that metric="packets-received" is="equal" value="0"/>
    <that metric="drops.nat-no-ports" is="equal" value="160"/>
    <that metric="drops.nat-unsolicited" is="equal" value="160"/>'
sed -i 's/dpd-interval/nat-traversal="false" dpd-interval/' "$dir/plain.xml"
run plain

# Transport mode: one spoke for each service, since they look alike from outside. The hub sends to the NAT's address.
transport='<policy lifetime="20s" mode="transport"><proposal use="nopfs-esp-aes128-sha"/></policy>'
pair() {
    echo "<tunnel name=\"t$1\">$phase1$transport<end gateway=\"spoke[$1]\"><proxy-id local=\"192.168.1.$2\"
        remote=\"203.0.113.1\" protocol=\"udp\" local-port=\"$3\"/></end><end gateway=\"hub\"/></tunnel>"
}
flows() {
    for i in 1 2; do
        echo "<flow from=\"spoke[$i]\" to=\"hub\" packets=\"10/s\" size=\"500B\" start=\"1s\" stop=\"41s\"
              source-port=\"600$i\"/>
              <flow from=\"hub\" to=\"spoke[$i]\" packets=\"10/s\" size=\"500B\" start=\"1s\" stop=\"41s\"
              port=\"600$i\"/>"
    done
}
nat transport "$(pair 1 2 6001)$(pair 2 3 6002)" "$(flows)" '
    <that metric="packets-received" is="equal" value="1600"/>
    <that metric="failures" is="equal" value="0"/>
    <that metric="established" is="at-least" value="6"/>
    <that metric="drops.nat-no-ports" is="equal" value="0"/>
    <that metric="drops.bypassed" is="equal" value="0"/>
    <that metric="sas-left-over" is="equal" value="0"/>'
run transport
judge transport mode=main mode=aggressive
judge_capture transport mode=main 'spoke[2]'
has transport mode=main udp yes

# Both for everything can not be told apart.
nat alike "<tunnel name=\"vpn\">$phase1$transport<end gateway=\"spoke\"/><end gateway=\"hub\"/></tunnel>" \
    '<flow from="spoke" to="hub" packets="10/s" size="500B"/>' ''
refused alike 'its packets look like those of vpn[1], from behind the same NAT'
finish
