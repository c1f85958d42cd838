"""The anatomy is complete: whatever reads it finds what it needs, for every component."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import stackward.anatomy as anatomy_room
from stackward.anatomy import (
    FLAVOURS,
    PRIORITIES,
    PROBES,
    Component,
    Deployed,
    read_anatomy,
    to_anatomy,
)
from stackward.errors import BadInput
from stackward.ports.root import CONTAINERS, QUESTIONS, STORES

ALL = list(read_anatomy().components.values())
DEPLOYED = [
    pytest.param(deployed, id=f"{one.name}, {flavour}")
    for one in ALL
    for flavour, deployed in one.flavours.items()
]
NAMED = {
    "keystone", "glance-api", "placement-api", "nova-api", "nova-conductor", "nova-scheduler",
    "nova-compute", "nova-novncproxy", "nova-metadata", "neutron-api", "neutron-rpc-server",
    "neutron-l3-agent", "neutron-dhcp-agent", "neutron-ovn-metadata-agent", "ovn-controller",
    "ovn-northd", "cinder-api", "cinder-scheduler", "cinder-volume", "cinder-backup", "swift-proxy",
    "swift-account", "swift-container", "swift-object", "horizon", "mariadb", "rabbitmq",
    "memcached", "haproxy", "keepalived", "libvirtd", "virtlogd", "openvswitch", "dbus", "chrony",
    "logind", "polkit",
}  # fmt: skip


def test_no_component_of_a_cloud_is_missing() -> None:
    assert NAMED - {one.name for one in ALL} == set()


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_what_a_component_needs_exists(one: Component) -> None:
    assert {*one.depends_on, *one.rests_on, *one.holds} <= set(read_anatomy().components)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_every_component_has_a_priority_of_the_chapter(one: Component) -> None:
    assert one.restore in PRIORITIES


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_every_component_has_a_probe_that_can_be_carried_out(one: Component) -> None:
    assert PROBES[one.probe.kind].can(one)
    assert one.probe.shows


@pytest.mark.parametrize("kind", PROBES)
def test_every_probe_is_one_that_some_component_has(kind: str) -> None:
    assert kind in {one.probe.kind for one in ALL}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(
            {"probe": '{ kind = "lst", path = "/v1/secrets", shows = "list" }'},
            "there is no probe `lst`",
            id="a probe that does not exist",
        ),
        pytest.param(
            {"probe": '{ kind = "list", shows = "list" }'},
            "the probe `list` needs `catalog`, and a `path`",
            id="a list without its path",
        ),
        pytest.param(
            {"probe": '{ kind = "consumer", shows = "its queue" }'},
            "the probe `consumer` needs `topic`",
            id="a queue without its name",
        ),
        pytest.param(
            {"heartbeat": '"barbican-worker"'},
            "the API of `barbican` has no list of services",
            id="a heartbeat that no API lists",
        ),
        pytest.param({"hartbeat": '"x"'}, "it has no part `hartbeat`", id="a part misspelt"),
        pytest.param(
            {"http": '{ paths = ["/"], what = "its versions", hots = "x" }'},
            "a part of it (get) has no word `hots`",
            id="a word of a part misspelt",
        ),
        pytest.param(
            {"http": '{ paths = ["/"], what = "its versions" }'},
            "`http` needs `ports`",
            id="asked over HTTP, nobody knows where",
        ),
        pytest.param(
            {"http": '{ paths = ["v3"], what = "its versions" }', "ports": "[9311]"},
            "a path of `http` begins with a slash",
            id="a path that is none",
        ),
        pytest.param(
            {"call": '{ path = "/v1/workers", answer = "workers" }'},
            "`call` needs `heartbeat`, `topic`",
            id="a call of what does not report",
        ),
        pytest.param(
            {"http": '{ paths = [], what = "its versions" }', "ports": "[9311]"},
            "a path of `http` begins with a slash",
            id="no path at all",
        ),
    ],
)
def test_an_entry_that_would_be_passed_over_is_refused(words: dict[str, str], says: str) -> None:
    entry = {"probe": '{ kind = "unit", shows = "its unit" }', "catalog": '"key-manager"', **words}
    text = f"""
        [barbican-worker]
        is = "keeps secrets"
        service = "barbican"
        restore = 21
        upgrade = 4
        {"".join(f"{name} = {value}{chr(10)}" for name, value in entry.items())}
        """

    with pytest.raises(BadInput, match=f"`barbican-worker` cannot be read: .*{re.escape(says)}"):
        to_anatomy([text])


def shipped() -> list[str]:
    """Return the entries that we ship."""
    return [file.read_text() for file in sorted(Path(anatomy_room.__file__).parent.glob("*.toml"))]


ENTRY = """
[barbican-worker]
is = "keeps secrets"
service = "nova"
restore = 21
upgrade = 4
probe = { kind = "unit", shows = "its unit" }
[barbican-worker.debian]
units = ["barbican-worker.service"]
packages = ["barbican-worker"]
configuration = ["/etc/barbican/barbican.conf"]
logs = ["/var/log/barbican/worker.log"]
user = "barbican"
command = "barbican-worker"
"""
PROBE = 'kind = "unit"'


def asked(words: str) -> tuple[str, str]:
    """Return the change that gives the entry a question."""
    return "upgrade = 4", f"upgrade = 4\nquestions = [{{ {words} }}]"


def added(words: str) -> tuple[str, str]:
    """Return the change that gives the entry more words."""
    return "upgrade = 4", f"upgrade = 4\n{words}"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ((PROBE, 'kind = "port"'), "the probe `port` needs `ports`"),
        ((PROBE, 'kind = "mariadb"'), "to be that of `mariadb`"),
        ((PROBE, 'kind = "rabbitmq"'), "to be that of `rabbitmq`"),
        ((PROBE, 'kind = "memcached"'), "to be that of `memcached`"),
        ((PROBE, 'kind = "libvirt"'), "to be that of `libvirtd`"),
        ((PROBE, 'kind = "pacemaker"'), "to be that of `pacemaker`"),
        ((PROBE, 'kind = "node"'), "to be that of `machine`"),
        ((PROBE, 'kind = "unit", path = "/x"'), "only the probe `list` has a `path`"),
        ((PROBE, 'kind = "unit", version = "2.1"'), "only the probe `list` has a `path`"),
        (added('heartbeat = "x"\ncatalog = "object-store"'), "in the API of `compute`, not of"),
        (added('heartbeat = "nova-compute"'), "the heartbeat `nova-compute` too"),
        (added('catalog = "compute"'), "the type `compute` in the catalog too"),
        (added('exchange = "nova"'), "`exchange` needs `topic`"),
        (added('depends_on = ["nobody"]'), "`depends_on` names `nobody`"),
        (added('holds = ["nobody"]'), "`holds` names `nobody`"),
        (added('rests_on = ["nobody"]'), "`rests_on` names `nobody`"),
        (added('replaces = ["nobody"]'), "`replaces` names `nobody`"),
        (asked('ask = ["timeout", "4", "a"], what = "it", expects = "b", only_with = "c"'), "`c`"),
        (asked('ask = ["timeout", "4", "a"], what = "it", expects = "b", by_way_of = "c"'), "`c`"),
        (asked('ask = ["timeout", "4", "a"], what = "it", expects = "b", unit = "c"'), "`c`"),
        (asked('ask = ["timeout", "4", "a"], what = "it", expects = "("'), "`expects` is no regul"),
        (
            asked('ask = ["timeout", "4", "a"], what = "it", expects = "", refutes = "["'),
            "`refutes",
        ),
        (
            added('ports = [1]\nhttp = { paths = ["/"], what = "it", own = "(" }'),
            "`own` is no regu",
        ),
        (asked('ask = [], what = "it", expects = "b"'), "a question has no words"),
        (asked('ask = ["timeout", ""], what = "it", expects = "b"'), "has an empty word"),
        (asked('ask = ["a"], what = "it", expects = "b"'), "for it has no time limit"),
        (
            asked('ask = ["timeout", "4", "a"], what = "it", expects = "b", one_of_all = true'),
            "`one_of_all` needs `reserve`",
        ),
        (asked('ask = ["timeout", "4", "a"], what = "it"'), "(question) has no `expects`"),
        (("restore = 21", "restore = 7"), "there is no priority 7"),
        (("restore = 21\n", ""), "it has no `restore`"),
        (('is = "keeps secrets"\n', ""), "it has no `is`"),
        (('user = "barbican"\n', ""), "(deployed) has no `user`"),
        ((ENTRY[ENTRY.index("[barbican-worker.debian]") :], ""), "of no flavour"),
    ],
)
def test_what_nothing_would_read_is_refused_with_file_and_entry(
    change: tuple[str, str], says: str
) -> None:
    known = dict(enumerate(shipped()))
    given = {f"{number}.toml": text for number, text in known.items()}
    to_anatomy({**given, "own.toml": ENTRY})
    changed = ENTRY.replace(*change)
    assert changed != ENTRY

    with pytest.raises(BadInput, match=re.escape(says)) as caught:
        to_anatomy({**given, "own.toml": changed})

    entry = "the component `(barbican-worker|nova-api|nova-compute)` cannot be read"
    assert re.match(f"`.*[.]toml`: {entry}", caught.value.message)
    assert caught.value.hint


def test_a_component_that_stands_in_two_files_is_refused() -> None:
    with pytest.raises(BadInput, match=r"it is in `a[.]toml` too"):
        to_anatomy({"a.toml": ENTRY, "b.toml": ENTRY})


def test_nothing_depends_on_itself_in_the_end() -> None:
    assert [one.name for one in ALL if one.name in set(below(one))] == []


def below(one: Component) -> Iterator[str]:
    seen: set[str] = set()
    ahead = [*one.depends_on, *one.rests_on]
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            yield name
            needed = read_anatomy()[name]
            ahead += [*needed.depends_on, *needed.rests_on]


def test_every_component_rests_on_its_machine() -> None:
    assert [one.name for one in ALL if "machine" not in {*one.rests_on, one.name}] == []


@pytest.mark.parametrize("deployed", DEPLOYED)
def test_every_way_of_deploying_it_says_what_runs_and_where_it_writes(deployed: Deployed) -> None:
    assert deployed.units or deployed.containers or deployed.sites
    assert deployed.logs
    assert deployed.configuration
    assert deployed.user
    assert deployed.command


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_each_flavour_runs_a_cloud(flavour: str) -> None:
    """What a cloud cannot do without is deployed in each way; Kolla has no Swift any more."""
    needed = {"keystone", "glance-api", "placement-api", "nova-api", "nova-compute", "mariadb"}

    assert needed <= {one.name for one in ALL if flavour in one.flavours}


def test_components_come_in_the_order_of_a_restore() -> None:
    assert [one.restore for one in ALL] == sorted(one.restore for one in ALL)


def test_a_new_component_is_an_entry() -> None:
    anatomy = to_anatomy(
        [
            *shipped(),
            """
            [barbican-api]
            is = "keeps secrets"
            service = "barbican"
            depends_on = ["keystone"]
            restore = 21
            upgrade = 4
            ports = [9311]
            catalog = "key-manager"
            probe = { kind = "list", path = "/v1/secrets?limit=1", shows = "list of secrets" }
            [barbican-api.debian]
            units = ["barbican-api.service"]
            packages = ["barbican-api"]
            configuration = ["/etc/barbican/barbican.conf"]
            logs = ["/var/log/barbican/barbican-api.log"]
            user = "barbican"
            command = "/etc/init.d/barbican-api systemd-start"
            """,
        ]
    )

    assert anatomy["barbican-api"].flavours["debian"].units == ("barbican-api.service",)


def test_an_unknown_component_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="there is no component `nova`"):
        _ = read_anatomy()["nova"]


def test_what_only_root_may_ask_is_what_the_sudoers_file_allows() -> None:
    asked = [
        (question.container, question.ask, question.inside or question.ask)
        for one in ALL
        for question in one.questions
        if question.is_for_root
    ]

    assert {*asked} == {*QUESTIONS}


STORE = """
[barbican-api]
is = "keeps secrets"
service = "barbican"
restore = 99
upgrade = 9
probe = {{ kind = "unit", shows = "its unit" }}
[barbican-api.debian]
packages = ["barbican-api"]
configuration = []
logs = []
user = "barbican"
command = "barbican-api"
stores = [{{ kind = "{kind}", settings = "{settings}", path = "{path}" }}]
"""


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        pytest.param({"kind": "secrets"}, "there is no store `secrets`", id="an unknown kind"),
        pytest.param({"path": "images"}, "a store needs whole paths", id="half a path"),
        pytest.param({"settings": "x.conf"}, "a store needs whole paths", id="half a file"),
    ],
)
def test_a_store_that_nobody_could_judge_is_refused(entry: dict[str, str], says: str) -> None:
    usual = {"kind": "images", "settings": "/etc/x.conf", "path": "/var/lib/x"}
    assert to_anatomy([STORE.format(**usual)])["barbican-api"].flavours["debian"].stores

    with pytest.raises(BadInput, match=says):
        to_anatomy([STORE.format(**{**usual, **entry})])


def test_the_stores_of_the_anatomy_are_those_that_may_be_asked_for() -> None:
    """Exact words: another user, file, container or path would be refused on every node."""
    asked = {
        (
            packages.user,
            (packages.stores[0].settings, kolla.stores[0].settings),
            kolla.containers[0],
            packages.stores[0].path if packages.stores[0].kind != "volumes" else None,
        )
        for one in ALL
        if "kolla" in one.flavours and one.flavours["kolla"].stores
        for packages, kolla in [(one.flavours["debian"], one.flavours["kolla"])]
    }

    assert asked == {*STORES}


def test_of_a_component_with_several_processes_each_question_says_which_it_asks() -> None:
    """Its remedy restarts that one: another would interrupt what is well, and mend nothing."""
    several = [one for one in ALL if len({each.unit for each in one.questions}) > 1]
    units = {one.name: {each for how in one.flavours.values() for each in how.units}
             for one in several}  # fmt: skip

    assert several
    alone = [one for one in ALL if len(one.questions) > 1 and one not in several]
    assert [one.name for one in alone if not all(each.unit for each in one.questions)] == []
    assert all(each.unit in units[one.name] for one in several for each in one.questions)


def test_what_is_asked_in_a_container_is_for_root() -> None:
    """Who may run a program in a container is root: the sudoers file has each with its words."""
    others = [each for one in ALL for each in one.questions if not each.is_for_root]

    assert [each for each in others if each.container] == []


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_a_question_ends_by_itself(one: Component) -> None:
    """What sudo has started, an ordinary login cannot kill."""
    ends = [{"-T", "timeout", "/usr/bin/timeout"} & set(question.ask) for question in one.questions]

    assert all(ends)


def test_the_containers_whose_policy_is_asked_for_are_those_of_the_anatomy() -> None:
    """They stand in a sudoers file by name: a pattern would match others."""
    known = {name for _, deployed in read_anatomy().deployed() for name in deployed.containers}

    assert list(CONTAINERS) == sorted(known)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        pytest.param(
            'questions = [{ ask = ["timeout", "4"], what = "it", expects = "b", absent = "c" }]',
            "`absent` and `without` go together", id="nobody listens, and nothing says why",
        ),
        pytest.param(
            'questions = [{ ask = ["timeout", "4"], what = "it", expects = "b", without = "c" }]',
            "`absent` and `without` go together", id="a reason for nothing",
        ),
        pytest.param(
            'questions = [{ ask = ["timeout"], what = "it", expects = "b", reads = "paxos" }]',
            "nothing reads an answer as `paxos`", id="a reader that there is not",
        ),
    ],
)  # fmt: skip
def test_a_question_that_would_be_passed_over_is_refused(more: str, says: str) -> None:
    whole = STORE.format(kind="images", settings="/etc/x.conf", path="/var/lib/x")
    head, name, rest = whole.partition("[barbican-api]")
    to_anatomy([whole])

    with pytest.raises(BadInput, match=says):
        to_anatomy([f"{head}{name}\n{more}{rest}"])


def test_a_helper_that_is_no_container_of_its_component_is_refused() -> None:
    whole = STORE.format(kind="images", settings="/etc/x.conf", path="/var/lib/x")

    with pytest.raises(BadInput, match="`barbican_ssh` is no container of it"):
        to_anatomy([whole.replace("packages = ", 'helpers = ["barbican_ssh"]\npackages = ')])
