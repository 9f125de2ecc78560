#!/bin/sh
# ESP, AH, and both, in both families, with packets that must be fragmented, and with a CPU that has to do them all.
. tests/world.sh

cp scenarios/profiles/xeon-emerald-rapids.xml "$dir/profile.xml"
profile='<cpu-profile name="cpu" base="profile.xml" scale="20"/>'
cpu='<cpu profile="cpu" data="shared"/>'
auth='authentication="hmac-sha1-96"'

# protocols NAME LEFT NETWORK RIGHT NETWORK PROPOSAL ESP AH: 3000B go out in three fragments, which only the other end
# puts together.
protocols() {
    scenario "$1" "<gateway name=\"left\" address=\"$2\" protects=\"$3\">$cpu</gateway>
                   <gateway name=\"right\" address=\"$4\" protects=\"$5\">$cpu</gateway>
                   <link from=\"left\" to=\"right\" delay=\"5ms\"/>" \
        "<tunnel name=\"vpn\"><phase1 pre-shared-key=\"k\" group=\"group2\"/>
         <policy lifetime=\"5s\" pfs=\"group19\" df-bit=\"clear\"><proposal $6</proposal></policy>
         <end gateway=\"left\"/><end gateway=\"right\"/></tunnel>" \
        "$(flow left right 500B)$(flow right left 3000B)" \
        "$(all 160 | sed 's,</expect>,<that metric="cpu-utilisation.left" is="above" value="0%"/></expect>,')"
    sed -i "s,<topology>,$profile<topology>," "$dir/$1.xml"
    run "$1"
    judge "$1" base
    has "$1" base esp "$7"
    has "$1" base ah "$8"
}

v4='203.0.113.1 10.1.0.0/24 203.0.113.2 10.2.0.0/24'
v6='fd00::1 fd00:1::/64 fd00::2 fd00:2::/64'
protocols gcm4 $v4 'encryption="aes-128-gcm-16">' yes no
protocols null6 $v6 "encryption=\"null\" $auth>" yes no
protocols ah4 $v4 "><ah $auth/>" no yes
protocols ah6 $v6 '><ah authentication="hmac-sha512-256"/>' no yes
protocols both4 $v4 "><ah $auth/><esp encryption=\"aes-256-cbc\" authentication=\"hmac-sha256-128\"/>" yes yes
protocols both6 $v6 "><ah $auth/><esp encryption=\"null\" $auth/>" yes yes
protocols bundle4 $v4 "><ah $auth/><esp encryption=\"aes-256-gcm-16\"/>" yes yes
finish
