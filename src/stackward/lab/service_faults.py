"""Faults of what all services of the controller need: its cache, its keys, its connections."""

from stackward.lab.client import connect
from stackward.lab.configuration import PASSWORD
from stackward.lab.machine import port_open
from stackward.lab.scene import ACCEPTED, Scene

CACHE_PORT = 11211
NOT_NOW = 503

# --- Keystone's keys ---

KEYS = "/etc/keystone/fernet-keys"
LOSE_KEYS = f"""
[ -e {KEYS}.before ] || mv {KEYS} {KEYS}.before
install -d -m 0700 -o keystone -g keystone {KEYS}
"""
FIND_KEYS = f"[ ! -e {KEYS}.before ] || {{ rm -rf {KEYS} && mv {KEYS}.before {KEYS}; }}"


def no_token_is_made(scene: Scene) -> bool:
    """Say whether Keystone answers, and gives no token."""
    ask = (
        "curl -s -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json'"
        f" -d '{LOGIN}' http://ctl:5000/v3/auth/tokens"
    )
    return scene.on("ctl", ask).startswith("5")


LOGIN = (
    '{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "admin",'
    f' "domain": {{"name": "Default"}}, "password": "{PASSWORD}"}}}}}}}}}}'
)

# --- memcached ---


def cache_is_away(scene: Scene) -> bool:
    """Say whether nothing answers on memcached's port."""
    return not port_open(scene.lab.control.address, CACHE_PORT)


def cache_is_back(scene: Scene) -> bool:
    """Say whether memcached answers, and new tokens are given and accepted."""
    return port_open(scene.lab.control.address, CACHE_PORT) and scene.grants()


# --- MariaDB's connections ---

_HOLDER = "lab-connections"
_BEFORE = f"/run/{_HOLDER}.before"
_LIMIT = 30
# As a user without rights of its own: the one connection above the limit stays for root.
_HOLD = f"""
import time
import pymysql
held = []
while True:
    try:
        held.append(pymysql.connect(host="ctl", user="nova", password="{PASSWORD}"))
    except pymysql.err.MySQLError:
        time.sleep(0.1)
"""
_OTHERS = (
    "SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist"
    " WHERE command = 'Sleep' AND db IS NOT NULL"
)
# Each connection that becomes free is taken; those of services are ended once, as a proxy would.
TAKE_CONNECTIONS = f"""
[ -s {_BEFORE} ] || mariadb -N -e "SELECT @@max_connections" > {_BEFORE}
mariadb -e "SET GLOBAL max_connections = {_LIMIT}"

cat > /run/{_HOLDER}.py <<'END'
{_HOLD}
END
systemd-run --quiet --collect --unit={_HOLDER} python3 /run/{_HOLDER}.py

mariadb -N -e "{_OTHERS}" | mariadb -f || true
"""
GIVE_CONNECTIONS = f"""
systemctl stop {_HOLDER} 2>/dev/null || true
give() {{ mariadb -e "SET GLOBAL max_connections = $(cat {_BEFORE})"; }}
tries=0
until [ ! -s {_BEFORE} ] || give; do
    # Services take what becomes free, also root's one. A start reads the old limit from its file.
    tries=$((tries + 1))
    [ $tries -lt 20 ] || {{ systemctl restart mariadb && break; }}
    sleep 0.5
done
rm -f /run/{_HOLDER}.py {_BEFORE}
"""
_ASK_AS_KEYSTONE = f"mariadb -h ctl -u keystone -p{PASSWORD} -e 'SELECT 1' 2>&1"


def no_connection_is_free(scene: Scene) -> bool:
    """Say whether MariaDB runs and refuses one connection more."""
    return "Too many connections" in scene.on("ctl", f"{_ASK_AS_KEYSTONE} || true")


def connections_are_free(scene: Scene) -> bool:
    """Say whether MariaDB takes connections, and all that needs it works."""
    return scene.holds("ctl", _ASK_AS_KEYSTONE) and scene.grants() and scene.all_work()


# --- Placement's login ---

_CONF = "/etc/placement/placement.conf"
MISTYPE_PASSWORD = f"""
[ -e {_CONF}.before ] || cp -p {_CONF} {_CONF}.before
sed -i '/^\\[keystone_authtoken\\]/,/^\\[/ s/^password = .*/password = mistyped/' {_CONF}
systemctl restart placement-api
"""
RIGHT_PASSWORD = f"""
[ ! -e {_CONF}.before ] || mv {_CONF}.before {_CONF}
systemctl restart placement-api
"""


def _answer_of_placement(scene: Scene) -> int:
    found = connect(scene.lab).placement.get("/resource_providers")
    return int(found.status_code)


def placement_is_refused(scene: Scene) -> bool:
    """Say whether Placement answers that it cannot ask Keystone about a good token."""
    return _answer_of_placement(scene) == NOT_NOW


def placement_is_accepted(scene: Scene) -> bool:
    """Say whether Placement accepts a new token."""
    return _answer_of_placement(scene) == ACCEPTED
