# Run once in the compute image: what its services need beyond their configuration files.
set -eu
# Cold migration copies disks between the nova users by ssh.
home=/var/lib/nova/.ssh
if [ ! -e $home/id_ed25519 ]; then
    mkdir -p $home
    ssh-keygen -q -t ed25519 -N '' -C nova -f $home/id_ed25519
    cp $home/id_ed25519.pub $home/authorized_keys
    printf 'Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n  BatchMode yes\n' > $home/config
    chown -R nova:nova $home
    chmod 700 $home
    chmod 600 $home/*
fi
usermod --shell /bin/bash nova
usermod --password '*' nova   # no password, but not locked: sshd refuses locked users
ln -sf /etc/stackward-lab/mount.nfs /sbin/mount.nfs
rm -f /etc/libvirt/qemu/networks/autostart/default.xml

# Stopped with work in hand it waits for it up to a minute.
mkdir -p /etc/systemd/system/nova-compute.service.d
printf '[Service]\nTimeoutStopSec=5\n' > /etc/systemd/system/nova-compute.service.d/lab-stop.conf
