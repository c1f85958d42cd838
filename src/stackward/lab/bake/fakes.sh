# fakes.sh NAME... -- start one nova-compute with the fake driver for each NAME that does not run.
set -eu
cat > /etc/systemd/system/nova-fake@.service <<'UNIT'
[Unit]
Description=nova-compute with the fake driver, host %i

[Service]
User=nova
ExecStart=/usr/bin/nova-compute --config-file=/etc/nova/nova.conf --config-file=/etc/nova/fake/%i.conf --log-file=/var/log/nova/nova-compute-%i.log
UNIT
mkdir -p /etc/nova/fake
for name in "$@"; do
    mkdir -p "/var/lib/nova/$name/instances"
    chown -R nova: "/var/lib/nova/$name"
    # One migration at a time is Nova's default: fakes are there to see many.
    cat > "/etc/nova/fake/$name.conf" <<CONF
[DEFAULT]
host = $name
compute_driver = fake.FakeLiveMigrateDriver
state_path = /var/lib/nova/$name
instances_path = /var/lib/nova/$name/instances
reserved_host_memory_mb = 0
max_concurrent_live_migrations = 8
CONF
done
systemctl daemon-reload
for name in "$@"; do systemctl start "nova-fake@$name"; done
