#!/bin/sh
# Build the lab's guest: a raw BIOS disk that boots Debian's cloud kernel into a busybox initramfs.
#
#   build.sh OUTPUT
#
# Runs as root in a Debian trixie chroot that has the packages of `stackward.lab.guest.PACKAGES`
# and a /tmp of its own.
# The kernel package is fetched by apt into /var/cache/apt/archives and reused from there.
# The same kernel package and the same files give the same image, byte for byte.
set -eu

output=${1:?usage: build.sh OUTPUT}
here=$(cd "$(dirname "$0")" && pwd)
archives=/var/cache/apt/archives

# Repeated in stackward.lab.guest, which a test holds against this file.
# The guest keeps its state behind the FAT, where no file system has to be understood to reach it:
# it needs no file system module, and what it writes cannot be lost in a cache.
fat_mib=18
image_mib=20

# Direct needs only: modprobe adds what these depend on, in loading order.
# evdev and button: the power button, so that Nova's stop is graceful.
modules='virtio_blk virtio_net evdev button virtio_balloon'

fail() {
    echo "error: cannot build the guest image: $*" >&2
    exit 1
}

for tool in apt-get busybox cpio depmod mcopy mkfs.vfat modprobe syslinux xz; do
    command -v "$tool" >/dev/null || fail "\`$tool\` is missing in this root"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# -- the kernel -------------------------------------------------------------------------------

package=$(apt-cache depends linux-image-cloud-amd64 |
    sed -n 's/^ *Depends: \(linux-image-[0-9].*-cloud-amd64\)$/\1/p' | head -n 1)
[ -n "$package" ] || fail "apt knows no \`linux-image-cloud-amd64\`: run \`apt-get update\` in this root"
version=$(apt-cache show --no-all-versions "$package" | sed -n 's/^Version: //p' | head -n 1)
# apt writes an epoch's colon as %3a in file names
deb=$archives/${package}_$(echo "$version" | sed 's/:/%3a/')_amd64.deb
if [ ! -s "$deb" ]; then
    mkdir -p "$archives"
    # To a name of its own first: a download cut short must not be taken for the package later.
    mkdir "$work/download"
    # Sandbox::User: apt's own user may not be allowed to write here
    (cd "$work/download" && apt-get -q -o APT::Sandbox::User=root download "$package=$version") >&2 ||
        fail "apt could not download \`$package\` $version"
    mv "$work/download/"*.deb "$deb"
fi
kernel=$work/kernel
dpkg -x "$deb" "$kernel" || fail "\`$deb\` is damaged: remove it, then build again"
# modprobe looks for lib/modules, the package has it under usr
[ -d "$kernel/lib" ] || ln -s usr/lib "$kernel/lib"
release=$(ls "$kernel/lib/modules")
vmlinuz=$kernel/boot/vmlinuz-$release
[ -f "$vmlinuz" ] || fail "\`$package\` holds no kernel for \`$release\`"
depmod -b "$kernel" "$release"

# One moment for all files: the build of the kernel.
SOURCE_DATE_EPOCH=$(stat -c %Y "$vmlinuz")
export SOURCE_DATE_EPOCH

# -- the initramfs ----------------------------------------------------------------------------

root=$work/root
mkdir -p "$root/bin" "$root/dev" "$root/etc" "$root/lib/modules" "$root/proc" "$root/run" "$root/sys"
install -m 755 "$(command -v busybox)" "$root/bin/busybox"
"$root/bin/busybox" sh -c : || fail "busybox does not run by itself: \`busybox-static\` is needed"
ln -s busybox "$root/bin/sh"
for script in tick network udhcpc.sh peers power-button write dirty; do
    install -m 755 "$here/$script" "$root/bin/$script"
done
install -m 755 "$here/init" "$root/init"
install -m 644 "$here/inittab" "$here/profile" "$root/etc/"
install -m 644 "$here/disk.sh" "$root/lib/disk.sh"
echo "state_sector=$((fat_mib * 2048))" >"$root/etc/guest.conf"

order=$root/lib/modules/order
: >"$order"
for module in $modules; do
    # --show-depends prints `insmod PATH` for a module and `builtin NAME` for what the kernel has
    needed=$(modprobe -d "$kernel" -S "$release" --show-depends "$module") ||
        fail "the kernel $release has no module \`$module\`"
    echo "$needed" | while read -r kind path _; do
        [ "$kind" = insmod ] || continue
        name=$(basename "$path" .xz)
        grep -qx "$name" "$order" && continue
        # unpacked here: the guest's insmod would have to do it on every boot
        case $path in
            *.xz) xz -dc "$path" >"$root/lib/modules/$name" ;;
            *) cp "$path" "$root/lib/modules/$name" ;;
        esac
        echo "$name" >>"$order"
    done
done
for module in $modules; do
    grep -qx "$module.ko" "$order" || grep -q "/$module.ko\$" "$kernel/lib/modules/$release/modules.builtin" ||
        fail "module \`$module\` did not reach the initramfs"
done

find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet --reproducible --owner=0:0) >"$work/initrd"

# -- the disk ---------------------------------------------------------------------------------

disk=$work/disk
truncate -s "${fat_mib}M" "$disk"
# the volume id is fixed, else it would be the time of the build
mkfs.vfat --invariant -i 57ac4a2d -n GUEST "$disk" >/dev/null
install -m 644 "$vmlinuz" "$work/vmlinuz"
install -m 644 "$here/syslinux.cfg" "$work/syslinux.cfg"
touch -d "@$SOURCE_DATE_EPOCH" "$work/vmlinuz" "$work/initrd" "$work/syslinux.cfg"
syslinux --install "$disk"
mcopy -m -i "$disk" "$work/vmlinuz" "$work/initrd" "$work/syslinux.cfg" :: ||
    fail "the files do not fit into ${fat_mib} MiB"
truncate -s "${image_mib}M" "$disk"

# whole or not at all
cp --sparse=always "$disk" "$output.part"
mv "$output.part" "$output"
echo "image=$output bytes=$(stat -c %s "$output") kernel=$release modules=$(tr '\n' ',' <"$order" | sed 's/,$//')"
