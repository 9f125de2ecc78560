#!/bin/sh
# Transport mode: what the gateways send each other from their own addresses is protected, and IKE and ESP are not.
. tests/world.sh

phase1='<phase1 pre-shared-key="k" group="group2" dpd-interval="2s"/>'
ends='<end gateway="left"/><end gateway="right"/>'
cbc='<proposal encryption="aes-128-cbc" authentication="hmac-sha1-96"/>'
both_ways="$(flow left right 500B)$(flow right left 3000B)"

# transport NAME LEFT RIGHT PROPOSAL [TUNNEL-ATTRIBUTES [ENDS [MORE-TUNNELS [FLOWS [REST]]]]]
transport() {
    scenario "$1" "<gateway name=\"left\" address=\"$2\" protects=\"10.1.0.0/24\"/>
                   <gateway name=\"right\" address=\"$3\" protects=\"10.2.0.0/24\"/>
                   <link from=\"left\" to=\"right\" delay=\"5ms\"/>" \
        "<tunnel name=\"vpn\" $5>$phase1<policy lifetime=\"5s\" mode=\"transport\">$4</policy>${6:-$ends}</tunnel>$7" \
        "${8:-$both_ways}" "${9:-$(all 160)}"
}

transport v4 203.0.113.1 203.0.113.2 "$cbc" '' '' '' '' \
    "<vary><axis name=\"p\" set=\"//proposal/@encryption\" values=\"aes-128-cbc aes-256-ctr null\"/></vary>$(all 160)"
run v4
judge v4 p=aes-128-cbc p=aes-256-ctr p=null
has v4 p=aes-128-cbc esp yes
transport v6 fd00::1 fd00::2 "$cbc" '' '' '' "$(flow left right 500B 'from-address="fd00::1" to-address="fd00::2"')
    $(flow right left 3000B 'from-address="fd00::2"')"
run v6
judge v6 base
has v6 base esp yes

# AH: the packets stay readable, and none is without it.
transport ah 203.0.113.1 203.0.113.2 '<proposal><ah authentication="hmac-sha256-128"/></proposal>'
run ah
judge ah base
has ah base ah yes
has ah base esp no
transport both fd00::1 fd00::2 \
    '<proposal><ah authentication="hmac-sha1-96"/><esp encryption="aes-128-gcm-16"/></proposal>'
run both
judge both base
has both base ah yes
has both base esp yes

# A tunnel for the networks beside it, over the same ISAKMP SA: each takes what is its own.
transport beside 203.0.113.1 203.0.113.2 "$cbc" '' '' "<tunnel name=\"nets\">$phase1<policy lifetime=\"5s\">
    <proposal use=\"nopfs-esp-3des-sha\"/></policy>$ends</tunnel>" "$both_ways
    $(flow left right 500B 'from-address="10.1.0.7" to-address="10.2.0.7"')" "$(all 240)"
run beside
judge beside base
has beside base esp yes

# Each with an SA for one service only: the rest goes in clear, and is counted.
transport service 203.0.113.1 203.0.113.2 "$cbc" '' '<end gateway="left"><proxy-id local="203.0.113.1"
    remote="203.0.113.2" protocol="udp" remote-port="7000"/></end><end gateway="right"/>' '' \
    "$(flow left right 500B 'port="7000"')$(flow right left 500B 'source-port="7000"')$(flow left right 500B)" \
    '<expect><that metric="packets-received" is="equal" value="240"/>
     <that metric="drops.bypassed" is="equal" value="80"/><that metric="failures" is="equal" value="0"/></expect>'
run service
judge service base
has service base esp yes

# What does not make sense is said so.
transport route 203.0.113.1 203.0.113.2 "$cbc" 'basis="route"'
refused route 'no route leads into a tunnel with mode="transport"'
transport nets 203.0.113.1 203.0.113.2 "$cbc" '' \
    '<end gateway="left"><proxy-id local="10.1.0.0/24" remote="10.2.0.0/24"/></end><end gateway="right"/>'
refused nets 'the proxy-id 10.1.0.0/24: it protects only what the gateways send each other'
finish
