#!/bin/sh
# Called by udhcpc: put a lease into effect and say so.
case $1 in
    deconfig)
        ip addr flush dev "$interface"
        rm -f "/run/net/$interface.lease"
        ;;
    bound | renew)
        [ -z "${mtu:-}" ] || ip link set "$interface" mtu "$mtu"
        ip addr replace "$ip/$mask" dev "$interface"
        gateway=${router%% *} # several may be offered
        [ -z "$gateway" ] || ip route replace default via "$gateway" dev "$interface"
        echo "$ip/$mask ${gateway:--}" >"/run/net/$interface.lease"
        read -r mtu_now <"/sys/class/net/$interface/mtu"
        read -r up _ </proc/uptime
        echo "net name=$interface event=$1 addr=$ip/$mask mtu=$mtu_now gw=${gateway:--} up=$up" >/dev/console
        ;;
esac
