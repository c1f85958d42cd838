# in_chroot.sh LOWER UPPER FOLDER PACKAGES COMMAND...
# Runs COMMAND in the overlay of UPPER over LOWER, in a mount namespace of its own, on the
# host's network, with PACKAGES as apt's archive. Nothing of it is left when COMMAND ends.
set -eu
lower=$1 upper=$2 folder=$3 packages=$4
shift 4
root=$folder/root
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mkdir -p "$root/var/cache/apt/archives"
mount --bind "$packages" "$root/var/cache/apt/archives"
# The host's resolver and proxies, for the time of this command only.
touch "$root/run/resolv.conf"
if [ -e /etc/resolv.conf ]; then cat /etc/resolv.conf > "$root/run/resolv.conf"; fi
[ -e "$root/etc/resolv.conf" ] || touch "$root/etc/resolv.conf"
mount --bind "$root/run/resolv.conf" "$root/etc/resolv.conf"
apt-config dump | grep -E '^Acquire::(http|https)::Proxy' > "$root/run/apt-proxy.conf" || true
exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive APT_CONFIG=/run/apt-proxy.conf "$@"
