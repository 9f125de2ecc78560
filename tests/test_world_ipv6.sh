#!/bin/sh
# IPv6 outside, inside, and both; counted gateways; a hub with 20 spokes.
. tests/world.sh

phase1='<phase1 pre-shared-key="k" group="group2"/>'
policy='<policy lifetime="5s" df-bit="clear"><proposal use="nopfs-esp-aes128-sha"/></policy>'
ends='<end gateway="left"/><end gateway="right"/>'

# pair NAME LEFT ITS-NETWORK RIGHT ITS-NETWORK: by route and by policy; 3000B do not fit into the link's MTU
# (df-bit: IPv6 would else be told to send smaller packets).
pair() {
    scenario "$1" "<gateway name=\"left\" address=\"$2\" protects=\"$3\"/>
                   <gateway name=\"right\" address=\"$4\" protects=\"$5\"/>
                   <link from=\"left\" to=\"right\" delay=\"5ms\"/>" \
        "<tunnel name=\"vpn\" basis=\"route\">$phase1$policy$ends</tunnel>" \
        "$(flow left right 500B)$(flow right left 3000B)" \
        "<vary><axis name=\"basis\" set=\"//tunnel/@basis\" values=\"route policy\"/></vary>$(all 160)"
    run "$1"
    judge "$1" basis=route basis=policy
    has "$1" basis=policy esp yes
}

pair v6-in-v6 fd00::1 fd00:1::/64 fd00::2 fd00:2::/64
pair v4-in-v6 fd00::1 10.1.0.0/24 fd00::2 10.2.0.0/24
pair v6-in-v4 203.0.113.1 fd00:1::/64 203.0.113.2 fd00:2::/64

# Both families inside, a tunnel for each, over one ISAKMP SA.
scenario dual '<gateway name="left" address="fd00::1" protects="fd00:1::/64 10.1.0.0/24"/>
               <gateway name="right" address="fd00::2" protects="10.2.0.0/24 fd00:2::/64"/>
               <link from="left" to="right" delay="5ms"/>' \
    "<tunnel name=\"six\">$phase1$policy<end gateway=\"left\"><proxy-id local=\"fd00:1::/64\" remote=\"fd00:2::/64\"/></end>
     <end gateway=\"right\"/></tunnel>
     <tunnel name=\"four\" basis=\"policy\">$phase1$policy<end gateway=\"left\"><proxy-id local=\"10.1.0.0/24\"
     remote=\"10.2.0.0/24\"/></end><end gateway=\"right\"/></tunnel>" \
    "$(flow left right 500B 'from-address="fd00:1::9" to-address="fd00:2::9"')
     $(flow right left 500B 'from-address="fd00:2::9" to-address="fd00:1::9"')
     $(flow left right 500B 'from-address="10.1.0.9" to-address="10.2.0.9"')
     $(flow right left 500B 'from-address="10.2.0.9" to-address="10.1.0.9"')" "$(all 320)"
run dual
judge dual base

scenario hub '<gateway name="hub" address="fd00::1" protects="fd00:a::/64"/>
              <gateway name="spoke" count="20" address="fd00::ff" protects="fd00:b::/64"/>
              <link from="spoke" to="hub" delay="5ms"/>' \
    '<tunnel name="vpn"><phase1 pre-shared-key="k" group="group19"/>
     <policy lifetime="5s"><proposal encryption="aes-256-gcm-16"/></policy>
     <end gateway="spoke"/><end gateway="hub"/></tunnel>' \
    "$(flow spoke hub 500B)$(flow hub spoke 500B)" "$(all 3200)"
run hub
judge hub base
judge_capture hub base 'spoke[20]'
finish
