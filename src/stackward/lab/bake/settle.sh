# The last thing run on the controller: stop the services before what they depend on, and leave
# nothing in the logs that did not happen in the lab that will be made of this.
set -eu
systemctl stop nova-conductor nova-scheduler nova-api neutron-api glance-api placement-api \
    cinder-api cinder-scheduler cinder-volume keystone
rm -f /var/log/*/*.log
journalctl --rotate --vacuum-time=1s -q || true
