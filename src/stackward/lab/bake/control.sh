# Run once in the controller's image: what its services need beyond their configuration files.
set -eu
ln -sf /etc/stackward-lab/mount.nfs /sbin/mount.nfs
# Debian starts a uwsgi worker for each of many cores. A hung RPC call holds a worker of nova-api
# for a minute: three, so that two silent nodes still leave one, at 150 MiB each. Their number is
# fixed: workers that come and go with the load take seconds of CPU each time, when it is scarce.
for ini in /etc/*/*-uwsgi.ini; do
    case $ini in
        */nova-api-uwsgi.ini) processes=3 threads=1 ;;
        */neutron-api-uwsgi.ini) processes=1 threads=1 ;;
        *) processes=1 threads=4 ;;
    esac
    sed -i "s/^processes = .*/processes = $processes/; s/^threads = .*/threads = $threads/; /^cheaper/d" "$ini"
    # uwsgi closes each connection and does not say so: a client that reuses one after a 204 may be
    # reset in the middle of its next request.
    echo 'add-header = Connection: close' >> "$ini"
done
# At boot everything would start at once, on few cores, and all would be late. A nova-compute that
# finds no conductor asks again only after ten seconds: so the conductor comes first. Last comes
# what the first server can do without. Only the order at boot is given: nothing requires another.
after() {
    first=$1
    shift
    for unit in "$@"; do
        mkdir -p "/etc/systemd/system/$unit.service.d"
        printf '[Unit]\nAfter=%s.service\n' "$first" > "/etc/systemd/system/$unit.service.d/lab-order.conf"
    done
}
after nova-conductor nova-scheduler nova-api neutron-api placement-api glance-api
after nova-scheduler neutron-rpc-server cinder-api cinder-scheduler cinder-volume

# Stopped with work in hand, OpenStack's services wait for it up to a minute each.
for unit in keystone glance-api placement-api nova-api nova-conductor nova-scheduler neutron-api \
    neutron-rpc-server cinder-api cinder-scheduler cinder-volume masakari-api; do
    mkdir -p "/etc/systemd/system/$unit.service.d"
    printf '[Service]\nTimeoutStopSec=5\n' > "/etc/systemd/system/$unit.service.d/lab-stop.conf"
done
