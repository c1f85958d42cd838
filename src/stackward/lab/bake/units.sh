# units.sh START... -- NEVER...: run in an image: exactly the units START start at boot, of those
# that may be disabled at all; the units NEVER cannot even be started by others.
set -eu
presets=/etc/systemd/system-preset
mkdir -p $presets
: > $presets/00-lab.preset
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in *.*) unit=$1 ;; *) unit=$1.service ;; esac
    echo "enable $unit" >> $presets/00-lab.preset
    shift
done
[ $# -eq 0 ] || shift
echo 'disable *' >> $presets/00-lab.preset
systemctl -q preset-all 2>/dev/null || true
# Old init scripts would be started through these links in spite of that.
rm -f /etc/rc[0-6].d/[SK]*
for unit in "$@"; do ln -sf /dev/null "/etc/systemd/system/$unit"; done
for unit in $(sed -n 's/^enable //p' $presets/00-lab.preset); do
    state=$(systemctl is-enabled "$unit" 2>/dev/null || true)
    case $state in
        enabled | static | indirect | alias | generated) ;;
        *) echo "unit $unit is ${state:-not there}" >&2; exit 1 ;;
    esac
done
