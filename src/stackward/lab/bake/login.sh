# Run once in each image: the login that operators' tools have on a node. It is nobody's but for a
# few groups: the journal, and on the controller the settings by which services are called over RPC.
set -eu
useradd --create-home --shell /bin/sh --password '*' @{login}
groups=systemd-journal
for service in nova neutron cinder; do
    # A compute node's settings are nobody's business: what runs there is called through Nova's API.
    if [ -e /etc/keystone ] && getent group $service >/dev/null; then groups=$groups,$service; fi
done
usermod --append --groups "$groups" @{login}
