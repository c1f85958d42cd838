"""`cloud check`, `node check` and `metrics`: whole outputs, exit codes, and what goes wrong."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from fakes.apis import CTL, no_answer
from fakes.nodes import NO_ROUTE, refused
from fakes.site import Site
from fuzz.nodes import IP_ADDR, LIST, STATS
from stackward.app.figures import serve_figures
from stackward.app.journal import open_journal
from stackward.cli import main
from stackward.cli.outside import settings_here
from stackward.cli.watching import watch_cloud
from stackward.errors import BadInput
from stackward.facts.cloud_state import CheckRequest
from stackward.model.cloud_state import Failed, Failure, Rpc, RpcAnswer
from stackward.model.inventory import Inventory
from stackward.ports.probes import Probes
from texts import folded

INVENTORY = "[control]\nctl\n[compute]\nc01\nc02\n"


class Desk:
    """Where an operator types: a cloud, an inventory, and what is printed."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.site = Site()
        self._path = path
        self._capsys = capsys
        path.write_text(INVENTORY)

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run a command, and return its exit code and what it wrote."""
        code = main([*words, "--inventory", str(self._path)], open_probes=self._open)
        return (code, *self._capsys.readouterr())

    @contextmanager
    def _open(self, known: Inventory, os_cloud: str | None) -> Iterator[Probes]:
        yield self.site.probes()


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path / "inventory", capsys)


def deaf(desk: Desk) -> None:
    desk.site.apis.rpc["c01"] = RpcAnswer(outcome=Rpc.SILENT, took_s=5.0)


def broker_down(desk: Desk) -> None:
    desk.site.stop("ctl", "rabbitmq-server.service")
    desk.site.silence("nova-compute", "c01")


def locked_out(desk: Desk) -> None:
    for node in desk.site.nodes.told:
        desk.site.nodes.told[node] = refused("Permission denied (publickey).")
    desk.site.apis.login = Failed(how=Failure.REFUSED, says="wrong password", status=401)


def unusable(desk: Desk) -> None:
    says = "[Errno 2] No such file or directory: '/etc/ssl/ca.pem'"
    desk.site.apis.login = Failed(how=Failure.UNUSABLE, says=says)


@pytest.mark.parametrize(
    ("break_", "code"),
    [
        pytest.param(lambda _: None, 0, id="well"),
        pytest.param(unusable, 6, id="nobody could log in with these settings"),
        pytest.param(deaf, 6, id="one of several is broken"),
        pytest.param(broker_down, 7, id="a component is broken"),
        pytest.param(locked_out, 8, id="nothing could be looked at"),
    ],
)
def test_the_exit_code_says_how_the_cloud_is(desk: Desk, break_: object, code: int) -> None:
    assert callable(break_)
    break_(desk)

    assert desk.run("cloud", "check")[0] == code


def test_with_a_login_that_cannot_be_used_the_nodes_are_looked_at_all_the_same(desk: Desk) -> None:
    unusable(desk)
    desk.site.stop("ctl", "rabbitmq-server.service")

    code, out, _ = desk.run("cloud", "check")

    assert code == 7
    assert "broken: rabbitmq on ctl" in out
    assert (
        "unknown: keystone [login-unusable]\n"
        "  reason  Keystone cannot be asked: the settings of Stackward's login cannot be used: "
        "\"[Errno 2] No such file or directory: '/etc/ssl/ca.pem'\"" in out
    )


def no_right(desk: Desk) -> None:
    desk.site.command("ctl", "question ovn-northd 0", 1, err="sudo: a password is required\n")


def no_time(desk: Desk) -> None:
    desk.site.command("ctl", "rabbitmq vhosts", None, err="no answer in time")


@pytest.mark.parametrize(
    ("change", "words", "code"),
    [
        pytest.param(lambda _: None, ["--strict"], 6, id="not proved, and that counts"),
        pytest.param(no_right, [], 0, id="a right is missing: no fault of the cloud"),
        pytest.param(no_right, ["--strict"], 6, id="a right is missing, and that counts"),
        pytest.param(no_time, [], 6, id="the time was over"),
    ],
)
def test_what_was_not_shown_counts_only_where_it_should(
    desk: Desk, change: Callable[[Desk], None], words: list[str], code: int
) -> None:
    change(desk)

    assert desk.run("cloud", "check", *words)[0] == code


def test_what_was_not_proved_is_never_called_ok(desk: Desk) -> None:
    no_right(desk)

    _, out, _ = desk.run("cloud", "check")

    last = out.rstrip().splitlines()[-1]
    assert last == "ok as far as asked: 10 not proved, 1 unknown (the look took 0.0 s)"
    assert "the cloud is ok" not in out


def test_what_an_operator_reads(desk: Desk) -> None:
    deaf(desk)

    _, out, err = desk.run("node", "check", "c01")

    assert (out, err) == (
        dedent(
            """\
            +----------------+--------+-------+-------------------------------------------+----------+-----------+
            | Component      | State  | Nodes | Shown by                                  | Findings | Caused by |
            +----------------+--------+-------+-------------------------------------------+----------+-----------+
            | nova-compute   | broken | c01   | looks alive: heartbeat 3 s old, connected | rpc-deaf |           |
            | dbus           | ok     | c01   | 1 of 1 answer when asked                  |          |           |
            | logind         | ok     | c01   | 1 of 1 answer when asked                  |          |           |
            | machine        | ok     | c01   | 1 of 1 answer over SSH                    |          |           |
            | polkit         | ok     | c01   | 1 of 1 answer when asked                  |          |           |
            | openvswitch    | ok     | c01   | 1 of 1 answer when asked                  |          |           |
            | ovn-controller | ok     | c01   | 1 of 1 answer when asked                  |          |           |
            | libvirtd       | ok     | c01   | 1 of 1 answer: libvirt 11.3.0             |          |           |
            | virtlogd       | ok     | c01   | 1 of 1 answer when asked                  |          |           |
            +----------------+--------+-------+-------------------------------------------+----------+-----------+

            broken: nova-compute on c01 [rpc-deaf]
              reason  it reports, but does not answer over RPC: no answer within 5 s
              sign    heartbeat: its last heartbeat is 3 s old
              remedy  while no move is in progress there (`openstack server migration list --host c01`): look first what its log says since then; then `systemctl restart nova-compute` on its node: servers there keep running

            not proved:
              the kernel log, the clock (c01): the node is a container, and its host keeps these

            `c01` is broken: 1 broken, 8 ok; listed above: 2 not proved, 0 unknown; begin with nova-compute on c01 [rpc-deaf] (the look took 0.0 s)
            """  # noqa: E501  # as it is printed
        ),
        "",
    )


def test_what_a_broken_component_explains_stands_under_it(desk: Desk) -> None:
    broker_down(desk)

    _, out, _ = desk.run("cloud", "check")

    lines = out.splitlines()
    [root] = [n for n, line in enumerate(lines) if line.startswith("broken: rabbitmq on ctl")]
    also = [n for n, line in enumerate(lines) if line.startswith("          - nova-compute on c01")]
    assert also[0] > root
    assert not any(line.startswith("broken: nova-compute") for line in lines)


def test_as_json_it_is_one_document(desk: Desk) -> None:
    broker_down(desk)

    _, out, _ = desk.run("cloud", "check", "-f", "json")

    told = json.loads(out)
    compute = next(one for one in told["components"] if one["name"] == "nova-compute")
    assert (told["state"], compute["under"]) == ("broken", "rabbitmq")
    assert {"rule", "state", "reason", "evidence", "remedy", "under"} <= set(compute["findings"][0])


def test_as_values_it_is_a_row_for_each_component(desk: Desk) -> None:
    _, out, _ = desk.run("cloud", "check", "-f", "value", "-c", "Component", "-c", "State")

    assert "nova-api ok\n" in out


def test_a_node_that_the_inventory_lacks_is_refused_by_name(desk: Desk) -> None:
    assert desk.run("node", "check", "c99") == (
        2,
        "",
        (
            "error: the inventory does not name `c99`\n\n"
            "hint: `stackward node list` shows what is in it\n"
        ),
    )


def test_an_endpoint_that_hangs_costs_nothing_but_its_own_answer(desk: Desk) -> None:
    desk.site.together.hanging.add(("reach", f"{CTL}:9292"))

    code, out, _ = desk.run("cloud", "check")

    assert code == 6
    assert "endpoint-unanswered" in out
    assert "server list in 0.25 s" in out


def test_a_node_that_hangs_for_ever_is_given_up(desk: Desk) -> None:
    desk.site.together.hanging.add("node c02")

    code, out, _ = desk.run("cloud", "check")

    assert code == 6
    assert "node c02 [node-late] reason it is alive (ovn-controller reports" in folded(out)


def test_without_rpc_nobody_is_called(desk: Desk) -> None:
    desk.run("cloud", "check", "--no-rpc")

    assert desk.site.apis.called == []


def test_only_the_interfaces_that_are_named_are_tried(desk: Desk) -> None:
    inner = desk.site.apis.endpoints[1]
    desk.site.apis.endpoints = tuple(
        one
        if one != inner
        else type(one)(
            kind=one.kind, region=one.region, interface=one.interface, url="http://10.0.0.5:5000"
        )
        for one in desk.site.apis.endpoints
    )
    desk.site.apis.doors["http://10.0.0.5:5000"] = no_answer()

    codes = [desk.run("cloud", "check", *more)[0] for more in ([], ["--interface", "public"])]

    assert codes == [6, 0]


def dead_control_plane(desk: Desk) -> None:
    for binary, host in (
        ("nova-conductor", "ctl"),
        ("nova-scheduler", "ctl"),
        ("nova-compute", "c01"),
    ):
        desk.site.silence(binary, host)


@pytest.mark.parametrize(
    ("region", "interface", "there"),
    [
        pytest.param("RegionOne", "internalUrl", "`public`, `internal`, `admin` in `RegionOne`"),
        pytest.param("RegionTwo", "public", "`public`, `internal`, `admin` in `RegionOne`"),
    ],
)
def test_a_look_that_could_ask_no_api_is_not_well(
    desk: Desk, region: str, interface: str, there: str
) -> None:
    """With conductor, scheduler and a compute down it once said that the cloud was ok."""
    dead_control_plane(desk)
    desk.site.apis.region, desk.site.apis.interfaces = region, (interface,)

    code, out, _ = desk.run("cloud", "check")

    assert code == 6
    assert (
        "unknown: nova-api [no-endpoint]\n"
        "  reason  its API was not asked: the catalog has no endpoint of it in region "
        f"`{region}` for `{interface}`; it has {there}\n"
    ) in out
    unknown = out.partition("\nunknown:\n")[2]
    assert "everything that its API would show (" in unknown
    assert "it has no endpoint for us" in unknown
    assert "the cloud is unknown" in out


def test_a_look_at_a_node_without_the_heartbeats_of_nova_is_not_well(desk: Desk) -> None:
    desk.site.apis.interfaces = ("internalUrl",)

    code, out, _ = desk.run("node", "check", "c01")

    assert code == 6
    assert "nova-api [no-endpoint] reason its API was not asked" in folded(out)
    assert "glance-api" not in out


def test_an_empty_catalog_is_not_well_where_no_node_answers_either(desk: Desk) -> None:
    for node in desk.site.nodes.told:
        desk.site.nodes.told[node] = refused("Permission denied (publickey).")
    desk.site.apis.endpoints = ()

    code, out, _ = desk.run("cloud", "check")

    assert code == 8
    assert "keystone [no-api] reason Keystone's catalog has no API of it" in folded(out)


def test_an_api_that_runs_and_is_not_in_the_catalog_is_named(desk: Desk) -> None:
    desk.site.apis.endpoints = tuple(
        one for one in desk.site.apis.endpoints if one.kind != "compute"
    )

    code, out, _ = desk.run("cloud", "check")

    assert code == 6
    assert "nova-api [no-endpoint] reason its API was not asked" in folded(out)
    assert "it has none anywhere" in out


def test_an_endpoint_for_the_second_of_two_interfaces_is_asked(desk: Desk) -> None:
    desk.site.apis.interfaces = ("outer", "internal")

    assert desk.run("cloud", "check")[0] == 0


# --- again and again ----------------------------------------------------------------------------


def test_a_watch_tells_what_comes(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    deaf(desk)

    code = watch_cloud(desk.site.probes(), CheckRequest(), every_s=15, looks=2)

    told = capsys.readouterr().out.splitlines()
    assert code == 6
    assert [line for line in told if " new: " in line] == [
        (
            "2026-11-22 03:00:00 UTC new: broken: nova-compute on c01: it reports, but does not "
            "answer over RPC: no answer within 5 s [rpc-deaf]"
        )
    ]


def test_a_watch_does_not_call_again_who_is_still_waited_for(desk: Desk) -> None:
    """Nova waits a minute for an answer: a call at each look would take all its workers."""
    deaf(desk)

    watch_cloud(desk.site.probes(), CheckRequest(), every_s=15, looks=4)

    assert desk.site.apis.called.count("c01") == 1


def test_a_watch_calls_again_once_nova_has_given_up(desk: Desk) -> None:
    deaf(desk)

    watch_cloud(desk.site.probes(), CheckRequest(), every_s=15, looks=6)

    assert desk.site.apis.called.count("c01") == 2


# --- figures ------------------------------------------------------------------------------------


def test_metrics_are_told_whatever_they_say(desk: Desk) -> None:
    deaf(desk)

    code, out, err = desk.run("metrics")

    assert (code, err) == (0, "")
    assert 'stackward_component_state{component="nova-compute"} 1.0\n' in out


def test_metrics_are_written_for_node_exporter(desk: Desk, tmp_path: Path) -> None:
    code, out, _ = desk.run("metrics", "--textfile", str(tmp_path / "stackward.prom"))

    assert (code, out) == (0, "")
    assert "stackward_state -1.0\n" in (tmp_path / "stackward.prom").read_text()


def test_metrics_are_served_again_and_again(desk: Desk) -> None:
    serve_figures(desk.site.probes(), CheckRequest(), "127.0.0.1", 0, every_s=60, looks=2)

    assert desk.site.nodes.asked.count("ctl") == 2


def test_a_place_that_is_none_is_refused(desk: Desk) -> None:
    code, _, err = desk.run("metrics", "--listen", "9809")

    assert (code, err.splitlines()[0]) == (2, "error: `9809` is no HOST:PORT")


def test_what_is_wrong_with_the_settings_of_the_cloud_is_an_error(desk: Desk) -> None:
    desk.site.apis.unusable = BadInput("cannot find the cloud `nosuch`")

    assert desk.run("cloud", "check") == (2, "", "error: cannot find the cloud `nosuch`\n")


def test_a_node_that_is_gone_is_named_and_the_rest_is_looked_at(desk: Desk) -> None:
    desk.site.nodes.told["old-7"] = NO_ROUTE

    code, out, _ = desk.run("cloud", "check")

    assert code == 6
    assert "node old-7 [node-unreachable] reason cannot be reached: ssh: " in folded(out)


def kept(subject: str, node: str) -> list[Any]:
    with open_journal(settings_here()) as journal:
        return [one.value for one in journal.observations("cloud", subject) if one.node == node]


def test_a_look_keeps_which_machine_a_node_is_and_what_runs_there(desk: Desk) -> None:
    told = desk.site.told("c01")
    told["machine"] = {"uuid": "", "serial": "", "macs": ["52:54:00:12:34:56"]}
    instances = {"mount": "/var/lib/nova/instances", "type": "nfs4", "source": "nas:/instances"}
    told["mounts"] = [
        {"mount": "/", "root": "/", "type": "ext4", "source": "/dev/sda2"},
        {**instances, "root": "/c01"},
    ]
    for name, out in {"addresses": IP_ADDR, "guests": LIST, "guest facts": STATS}.items():
        told["commands"][name] = {"code": 0, "out": out, "err": ""}

    desk.run("cloud", "check")

    [machine], [addresses], [guests] = (
        kept(each, "c01") for each in ("machine", "addresses", "guests")
    )
    assert machine == {"host": "c01", "uuid": "", "serial": "", "macs": ["52:54:00:12:34:56"]}
    assert addresses["addresses"] == ["10.77.1.11", "fd00:77::11", "10.77.2.11"]
    assert {each["state"] for each in guests["guests"].values()} == {"running", "shut off"}
    disks = [disk for each in guests["guests"].values() for disk in each["disks"]]
    lies = {disk["path"]: (disk["storage"], disk["place"]) for disk in disks if disk["path"]}
    own = "ec4b4d8b-781e-49bd-a4a2-cd5afcaba928/disk"
    assert lies[f"/var/lib/nova/instances/{own}"] == ("nfs4 nas:/instances", f"/c01/{own}")
    assert kept("machine", "c02") == kept("machine", "ctl") == []  # they told nothing of it


def test_a_node_that_is_silent_keeps_what_was_seen_of_it(desk: Desk) -> None:
    desk.site.told("c01")["machine"] = {"uuid": "", "serial": "", "macs": ["52:54:00:12:34:56"]}
    desk.run("node", "check", "c01")

    desk.site.nodes.told["c01"] = NO_ROUTE
    desk.run("node", "check", "c01")

    assert len(kept("machine", "c01")) == 1


def test_what_cannot_be_kept_is_said_and_fails_no_look(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.site.told("c01")["machine"] = {"uuid": "", "serial": "", "macs": ["52:54:00:12:34:56"]}
    (tmp_path / "state").mkdir()
    (tmp_path / "state/journal.sqlite").write_text("no database")
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path / "state"))

    code, _, said = desk.run("cloud", "check")

    assert (code, "what was seen of the nodes is not kept" in folded(said)) == (0, True)
