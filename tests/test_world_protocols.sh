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
# What is wrong is said first, of runs that end before anybody gives up too. tells NAME TEXT: in what run prints.
tells() {
    checks=$((checks + 1))
    tr -s ' \n' '  ' <"$dir/$1.out" | grep -qF -e "$2" || complain "$1 does not tell: $2"
}
pair='<gateway name="left" address="203.0.113.1" protects="10.1.0.0/24"/>
      <gateway name="right" address="203.0.113.2" protects="10.2.0.0/24"/>'
wrong() { # NAME, what the right end does differently
    scenario "$1" "$pair<link from=\"left\" to=\"right\" delay=\"5ms\"/>" \
        "<tunnel name=\"vpn\"><phase1 pre-shared-key=\"k\" group=\"group2\"/><policy><proposal encryption=\"null\" $auth/></policy>
         <end gateway=\"left\"/><end gateway=\"right\">$2</end></tunnel>" "$(flow left right 500B)" ''
    run "$1"
}
wrong key '<phase1 pre-shared-key="K"/>'
tells key 'No tunnel came up. left and right: not over when the run ended: right waited for Main Mode message 5 of left; seen: 4'
wrong mode '<policy mode="transport"/>'
tells mode 'left offered mode tunnel, right accepts transport'
scenario clear "$pair<link from=\"left\" to=\"right\" delay=\"5ms\"/>" \
    "<tunnel name=\"vpn\" basis=\"policy\"><phase1 pre-shared-key=\"k\"/><policy><proposal encryption=\"null\" $auth/></policy>
     <end gateway=\"left\"><proxy-id local=\"10.1.0.0/24\" remote=\"10.2.0.0/24\" protocol=\"tcp\"/></end>
     <end gateway=\"right\"/></tunnel>" "$(flow left right 500B)" \
    '<expect><that metric="packets-in-clear" is="equal" value="80"/></expect>'
run clear
tells clear '80 of 80 packets went in clear, since no tunnel took them.'
scenario nat '<gateway name="left" address="192.168.1.2" protects="10.1.0.0/24"/><nat name="box" address="203.0.113.1"/>
    <gateway name="right" address="203.0.113.2" protects="10.2.0.0/24"/>
    <link from="left" to="box" delay="1ms"/><link from="box" to="right" delay="1ms"/>' \
    "<tunnel name=\"vpn\"><phase1 pre-shared-key=\"k\"/><policy><proposal protocol=\"ah\" $auth/></policy>
     <end gateway=\"left\"/><end gateway=\"right\"/></tunnel>" "$(flow left right 500B)" ''
run nat
tells nat '80 of 80 packets get lost between the gateways (nat-no-ports 80).'
finish
