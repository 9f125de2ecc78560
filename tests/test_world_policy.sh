#!/bin/sh
# Policy-based tunnels: of overlapping policies the narrower one takes a packet, services select, and what no policy
# takes goes in clear along the routes.
. tests/world.sh

topology() {
    echo "<gateway name=\"left\" address=\"$1\" protects=\"$2\"/><gateway name=\"right\" address=\"$3\" protects=\"$4\"/>
          <link from=\"left\" to=\"right\" delay=\"5ms\"/>"
}

# tunnel NAME PROXY-ID-ATTRIBUTES PROPOSAL
tunnel() {
    echo "<tunnel name=\"$1\" basis=\"policy\" establish=\"on-traffic\" waiting=\"5\">
          <phase1 pre-shared-key=\"k\" group=\"group2\"/><policy lifetime=\"60s\"><proposal use=\"$3\"/></policy>
          <end gateway=\"left\"><proxy-id $2/></end><end gateway=\"right\"/></tunnel>"
}

v4=$(topology 203.0.113.1 10.1.0.0/16 203.0.113.2 10.2.0.0/16)
wide=$(tunnel wide 'local="10.1.0.0/16" remote="10.2.0.0/16"' nopfs-esp-3des-sha)
narrow=$(tunnel narrow 'local="10.1.7.0/24" remote="10.2.7.0/24"' nopfs-esp-aes128-sha)
one_is() { echo "<expect><that metric=\"chosen-proposal\" is=\"equal\" text=\"$1\"/><that metric=\"established\"
    is=\"at-least\" value=\"1\"/></expect>"; }

# A tunnel comes up when the first packet wants it, so the proposal that was chosen tells which one was wanted.
in_narrow="$(flow left right 500B 'from-address="10.1.7.3" to-address="10.2.7.3"')
    $(flow right left 500B 'from-address="10.2.7.3" to-address="10.1.7.3"')"
expect() { all 160 | sed "s,</expect>,$(one_is "$1" | sed 's,</*expect>,,g' | tr -d '\n')</expect>,"; }
for order in "$wide$narrow" "$narrow$wide"; do
    scenario inside "$v4" "$order" "$in_narrow" "$(expect nopfs-esp-aes128-sha)"
    run inside
    judge inside base
    has inside base esp yes
done
# One end of the packet in the narrow one is not enough.
scenario beside "$v4" "$wide$narrow" "$(flow left right 500B 'from-address="10.1.7.3" to-address="10.2.8.3"')
    $(flow right left 500B 'from-address="10.2.8.3" to-address="10.1.7.3"')" "$(expect nopfs-esp-3des-sha)"
run beside

# Services, in both families: port 7000 of the right side is protected, whoever speaks first; another port, and
# another host, are not.
services() {
    scenario "$1" "$2" "$(tunnel web "local=\"$3\" remote=\"$4\" protocol=\"udp\" remote-port=\"7000\"" nopfs-esp-aes128-sha)" \
        "$(flow left right 500B 'port="7000"')$(flow right left 500B 'source-port="7000"')$(flow left right 500B)
         $(flow right left 500B 'port="7000"')" \
        '<expect><that metric="packets-received" is="equal" value="320"/>
         <that metric="drops.bypassed" is="equal" value="160"/><that metric="failures" is="equal" value="0"/>
         <that metric="sas-left-over" is="equal" value="0"/></expect>'
    run "$1"
    judge "$1" base
    has "$1" base esp yes
    # 160 packets in ESP, and as many in clear.
    checks=$((checks + 1))
    grep -q 'esp=160' "$dir/$1/captures/base-1/judged" || complain "$1: not 160 packets in ESP"
}
services services4 "$v4" 10.1.0.0/16 10.2.0.0/16
services services6 "$(topology fd00::1 fd00:1::/64 fd00::2 fd00:2::/64)" fd00:1::/64 fd00:2::/64

# A hub and spokes; a spoke's policy is for all of 10.0.0.0/8, the hub's for the spoke's part of it.
scenario hub '<gateway name="hub" address="203.0.113.1" protects="10.0.0.0/24"/>
              <gateway name="spoke" count="3" address="198.51.100.1" protects="10.1.0.0/24"/>
              <link from="spoke" to="hub" delay="5ms"/>' \
    '<tunnel name="vpn" basis="policy"><phase1 pre-shared-key="k" group="group2"/>
     <policy lifetime="5s"><proposal use="nopfs-esp-aes128-sha"/></policy>
     <end gateway="spoke"><proxy-id local="10.1.0.0/24" remote="10.0.0.0/8"/></end><end gateway="hub"/></tunnel>' \
    "$(flow spoke hub 500B)$(flow hub spoke 500B)" "$(all 480)"
run hub
judge hub base
finish
