# Run once in the controller's image: what its services need beyond their configuration files.
set -eu
ln -sf /etc/stackward-lab/mount.nfs /sbin/mount.nfs
# Debian starts a uwsgi worker for each of many cores. A hung RPC call holds a worker of nova-api
# for a minute, so that one may have more when they are asked for.
for ini in /etc/*/*-uwsgi.ini; do
    case $ini in
        */nova-api-uwsgi.ini) processes=4 threads=1 ;;
        */neutron-api-uwsgi.ini) processes=1 threads=1 ;;
        *) processes=1 threads=4 ;;
    esac
    sed -i "s/^processes = .*/processes = $processes/; s/^threads = .*/threads = $threads/; /^cheaper/d" "$ini"
    # uwsgi closes each connection and does not say so: a client that reuses one after a 204 may be
    # reset in the middle of its next request.
    echo 'add-header = Connection: close' >> "$ini"
    [ $processes = 1 ] || printf 'cheaper = 1\ncheaper-initial = 1\n' >> "$ini"
done
# At boot everything starts at once, on few cores. First what the others wait for: a nova-compute
# that finds no conductor asks again only after ten seconds. Last what the first server can do without.
for unit in mariadb:-10 rabbitmq-server:-10 nova-conductor:-10 keystone:-5 nova-scheduler:-5 \
    neutron-rpc-server:5 cinder-api:5 cinder-scheduler:5 cinder-volume:5; do
    folder=/etc/systemd/system/${unit%:*}.service.d
    mkdir -p "$folder"
    printf '[Service]\nNice=%s\n' "${unit#*:}" > "$folder/lab-nice.conf"
done
