"""The BMC service with nodes that are one `sleep` each, asked by our client and by sushy."""

import base64
import gc
import http.client
import json
import logging
import os
import signal
import socket
import subprocess  # noqa: TID251  # a node is a process, here too
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path
from threading import enumerate as all_threads

import pytest
import sushy
from sushy.auth import BasicAuth

from processes import runs
from stackward.errors import (
    BadInput,
    Refused,
    StackwardError,
    StepFailed,
    Uncertain,
    Unreachable,
)
from stackward.lab.bmc import (
    Bmc,
    Fault,
    FaultKind,
    PowerState,
    ResetType,
    break_bmc,
    mend_bmc,
    power_state,
    reset,
    write_auth_file,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # webob, under sushy-tools, imports cgi
    from sushy_tools.emulator import memoize

    from stackward.lab import bmc_server

PASSWORD = "kennwort-der-bmc"  # noqa: S105  # of these tests alone
ON, OFF = PowerState.ON, PowerState.OFF
DEADLINE_S = 10.0


# --- a node that is one process, and its service ---


class SleepChassis:
    """A node whose only process is a `sleep`; files beside its pid file make it misbehave."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.pid_file = folder / f"{name}.pid"
        self.broken = folder / f"{name}.broken"  # every power change fails with what stands here
        self.undying = folder / f"{name}.undying"  # cutting its power does nothing
        self.held = folder / f"{name}.held"  # cutting its power takes until this is gone
        self.being_held = folder / f"{name}.being-held"
        self.no_bmc = folder / f"{name}.no-bmc"  # its BMC dies whenever it starts

    def is_on(self) -> bool:
        return runs(self.pid())

    def pid(self) -> int:
        return int(self.pid_file.read_text()) if self.pid_file.exists() else 0

    def power_on(self) -> None:
        self._fail_if_broken()
        node = subprocess.Popen(["sleep", "600"], start_new_session=True)  # noqa: S607
        draft = self.pid_file.with_suffix(".draft")
        draft.write_text(str(node.pid))
        draft.replace(self.pid_file)

    def cut_power(self) -> None:
        self._fail_if_broken()
        if self.held.exists():
            self.being_held.touch()
            wait_for(lambda: not self.held.exists())
        if self.is_on() and not self.undying.exists():
            os.kill(self.pid(), signal.SIGKILL)
            wait_for(lambda: not self.is_on())

    def press_power_button(self) -> None:
        self._fail_if_broken()
        os.kill(self.pid(), signal.SIGTERM)

    def _fail_if_broken(self) -> None:
        if self.broken.exists():
            raise StepFailed("the fuse is blown", says=self.broken.read_text())


@dataclass(frozen=True, slots=True)
class Rack:
    """A running service, its nodes and its log."""

    folder: Path
    service: ForkProcess
    bmcs: tuple[Bmc, ...]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def children(self) -> list[int]:
        return children_of(self.service.pid or 0)


@dataclass(frozen=True, slots=True)
class Node:
    """One node with its BMC."""

    bmc: Bmc
    chassis: SleepChassis

    @property
    def state(self) -> PowerState:
        return power_state(self.bmc, PASSWORD)

    def order(self, order: ResetType) -> None:
        reset(self.bmc, PASSWORD, order)


def bmcs_in(folder: Path) -> tuple[Bmc, ...]:
    """Return the BMCs that a folder's `spec` names, one `node address port` a line."""
    return tuple(
        Bmc(
            node=node,
            address=address,
            port=int(port),
            system_uuid=f"5d1c0000-0000-0000-0000-{number:012}",
            user="admin",
            auth_file=folder / "htpasswd",
            fault_file=folder / f"{node}.fault",
            macs=(f"52:54:00:00:00:{number:02x}", f"52:54:00:00:01:{number:02x}"),
        )
        for number, (node, address, port) in enumerate(
            line.split() for line in (folder / "spec").read_text().splitlines()
        )
    )


@contextmanager
def a_rack(folder: Path, *nodes: str) -> Iterator[Rack]:
    """Start a service for `nodes`; end it, and them, whatever happens."""
    addresses = {node: f"127.77.{250 - os.getpid() % 50}.{n}" for n, node in enumerate(nodes, 1)}
    spec = "".join(f"{node} {where} {free_port(where)}\n" for node, where in addresses.items())
    (folder / "spec").write_text(spec)
    write_auth_file(folder / "htpasswd", "admin", PASSWORD)
    # forked: what the service imports is here already, and importing it takes longer than a test
    service = get_context("fork").Process(target=be_the_service, args=(folder,))
    (folder / "log").touch()
    service.start()
    try:
        yield Rack(folder, service, bmcs_in(folder))
    finally:
        service.terminate()
        service.join(DEADLINE_S)
        for node in nodes:
            with suppress(ProcessLookupError):
                if pid := SleepChassis(folder, node).pid():
                    os.kill(pid, signal.SIGKILL)


def be_the_service(folder: Path) -> None:
    """Serve those that the folder names."""
    gc.freeze()  # what the tests hold is none of the service's: it need not look through it
    serve_forever(bmcs_in(folder), folder)


def serve_forever(bmcs: Sequence[Bmc], folder: Path) -> None:
    """Serve, as a process of its own would: with the log on stderr."""
    os.dup2(os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), sys.stderr.fileno())
    logging.getLogger().handlers.clear()  # pytest's
    warnings.simplefilter("ignore")  # a node is left behind on purpose, not forgotten

    def chassis_of(node: str) -> SleepChassis:
        chassis = SleepChassis(folder, node)
        if chassis.no_bmc.exists():
            raise StepFailed("the BMC's own fuse is blown")
        return chassis

    try:
        bmc_server.serve(bmcs, chassis_of)
    except StackwardError as failed:
        sys.exit(failed.message)


def children_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if runs(int(child))]


def free_port(address: str) -> int:
    with closing(socket.socket()) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def wait_for(is_so: Callable[[], object]) -> None:
    """Wait for a state; fail when it does not come."""
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)  # noqa: TID251  # between two looks


def answers(bmc: Bmc) -> bool:
    return answers_as(bmc, PASSWORD)


def answers_as(bmc: Bmc, password: str) -> bool:
    try:
        power_state(bmc, password)
    except Unreachable:
        return False
    return True


def ask(
    bmc: Bmc, method: str, path: str, body: object = None, authorization: str | None = None
) -> tuple[int, str, str]:
    """Send one raw request; return the status, the body and who is asked for."""
    headers = {"Content-Type": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    with closing(http.client.HTTPConnection(bmc.address, bmc.port, timeout=5)) as line:
        line.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = line.getresponse()
        return answer.status, answer.read().decode(), answer.headers.get("WWW-Authenticate", "")


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def sushy_system(bmc: Bmc) -> "sushy.resources.system.system.System":
    """Find the node as a Redfish client does, from the service root."""
    root = sushy.Sushy(bmc.url, auth=BasicAuth("admin", PASSWORD))
    [system] = root.get_system_collection().get_members()
    return system


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rack]:
    """Three nodes, served for all the tests of this file."""
    with a_rack(tmp_path_factory.mktemp("rack"), "c01", "c02", "c03") as rack:
        wait_for(lambda: all(answers(bmc) for bmc in rack.bmcs))
        yield rack


@pytest.fixture
def node(rack: Rack) -> Iterator[Node]:
    """Hand out a node of the rack that is on, and make it well again afterwards."""
    node = Node(rack.bmcs[0], SleepChassis(rack.folder, "c01"))
    node.order(ResetType.ON)
    yield node
    mend_bmc(node.bmc)
    for fault in (node.chassis.broken, node.chassis.undying, node.chassis.held):
        fault.unlink(missing_ok=True)
    node.chassis.being_held.unlink(missing_ok=True)
    wait_for(lambda: answers(node.bmc))
    node.order(ResetType.FORCE_OFF)


# --- power ---


def test_the_power_state_is_the_nodes_own(node: Node) -> None:
    """A node that dies without its BMC's doing is seen as off."""
    before = node.state

    os.kill(node.chassis.pid(), signal.SIGKILL)
    wait_for(lambda: not node.chassis.is_on())

    assert (before, node.state) == (ON, OFF)


def test_a_power_off_is_answered_when_the_node_is_dead(node: Node) -> None:
    node.order(ResetType.FORCE_OFF)

    assert not node.chassis.is_on()


def test_a_redfish_client_finds_and_powers_the_node(node: Node) -> None:
    """The whole way of `sushy`, from the service root to a power cycle."""
    system = sushy_system(node.bmc)
    seen = [system.name, system.power_state]

    system.reset_system(sushy.RESET_TYPE_FORCE_OFF)
    died = not node.chassis.is_on()
    system.refresh()
    seen.append(system.power_state)
    system.reset_system(sushy.RESET_TYPE_ON)
    system.refresh()

    assert died
    assert [*seen, system.power_state] == [
        "c01", sushy.POWER_STATE_ON, sushy.POWER_STATE_OFF, sushy.POWER_STATE_ON
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("was", "order", "becomes", "boots"),
    [
        pytest.param(OFF, ResetType.ON, ON, True, id="On boots a node that is off"),
        pytest.param(ON, ResetType.ON, ON, False, id="On leaves a running node alone"),
        pytest.param(OFF, ResetType.FORCE_ON, ON, True, id="ForceOn boots"),
        pytest.param(ON, ResetType.FORCE_OFF, OFF, False, id="ForceOff kills"),
        pytest.param(OFF, ResetType.FORCE_OFF, OFF, False, id="ForceOff of a dead node is well"),
        pytest.param(ON, ResetType.GRACEFUL_SHUTDOWN, OFF, False, id="GracefulShutdown stops"),
        pytest.param(OFF, ResetType.GRACEFUL_SHUTDOWN, OFF, False, id="... also a dead node"),
        pytest.param(ON, ResetType.FORCE_RESTART, ON, True, id="ForceRestart boots anew"),
        pytest.param(OFF, ResetType.FORCE_RESTART, ON, True, id="... also a dead node"),
        pytest.param(ON, ResetType.GRACEFUL_RESTART, ON, True, id="GracefulRestart boots anew"),
        pytest.param(OFF, ResetType.GRACEFUL_RESTART, ON, True, id="... also a dead node"),
    ],
)
def test_what_each_power_order_does(
    node: Node,
    was: PowerState,
    order: ResetType,
    becomes: PowerState,
    boots: bool,  # noqa: FBT001  # a column of the table
) -> None:
    if was is OFF:
        node.order(ResetType.FORCE_OFF)
    pid = node.chassis.pid()

    node.order(order)
    wait_for(lambda: node.state is becomes and (node.chassis.pid() != pid) is boots)

    assert node.chassis.is_on() is (becomes is ON)


def test_the_allowed_orders_are_listed(node: Node) -> None:
    _, system, _ = ask(
        node.bmc, "GET", node.bmc.system_path, authorization=basic("admin", PASSWORD)
    )

    reset_action = json.loads(system)["Actions"]["#ComputerSystem.Reset"]
    assert reset_action["ResetType@Redfish.AllowableValues"] == list(ResetType)


@pytest.mark.parametrize("order", ["Nmi", "PushPowerButton", "forceoff", None, ["On"]])
def test_an_order_that_is_not_listed_is_refused(node: Node, order: object) -> None:
    body = {"ResetType": order}

    status, says, _ = ask(node.bmc, "POST", node.bmc.reset_path, body, basic("admin", PASSWORD))

    assert status == 400
    assert "allowed are On, ForceOn, ForceOff" in json.loads(says)["error"]["message"]
    assert node.state is ON


def test_a_second_power_order_is_refused_while_one_is_under_way(node: Node) -> None:
    """Reads are answered all the while, and the first order is carried out."""
    node.chassis.held.touch()
    with ThreadPoolExecutor() as threads:
        first = threads.submit(node.order, ResetType.FORCE_OFF)
        wait_for(node.chassis.being_held.exists)

        with pytest.raises(Refused) as refused:
            node.order(ResetType.FORCE_OFF)
        meanwhile = node.state
        node.chassis.held.unlink()
        first.result(DEADLINE_S)

    assert refused.value.says == "another power order for c01 is under way"
    assert (meanwhile, node.state) == (ON, OFF)


def test_a_failed_power_off_says_why_and_the_state_stays_true(node: Node) -> None:
    node.chassis.broken.write_text("smoke")

    with pytest.raises(StepFailed) as failed:
        node.order(ResetType.FORCE_OFF)

    assert failed.value.says == "ForceOff of c01 failed: the fuse is blown (smoke)"
    assert node.state is ON


def test_a_power_off_that_does_not_kill_is_no_success(node: Node) -> None:
    node.chassis.undying.touch()

    with pytest.raises(StepFailed, match="c01"):
        node.order(ResetType.FORCE_OFF)


class UnhurriedChassis:
    """A node that does not heed its power button until told to."""

    name = "c01"

    def __init__(self) -> None:
        self.on = True
        self.done: list[str] = []

    def is_on(self) -> bool:
        return self.on

    def power_on(self) -> None:
        self.on = True
        self.done.append("boot")

    def cut_power(self) -> None:
        self.on = False
        self.done.append("cut")

    def press_power_button(self) -> None:
        self.done.append("press")


@pytest.mark.parametrize("later", [ResetType.FORCE_OFF, ResetType.GRACEFUL_SHUTDOWN])
def test_no_graceful_restart_boots_a_node_that_was_ordered_off_later(
    rack: Rack, later: ResetType
) -> None:
    """A fenced node stays dead, though a restart was waiting for it to go down."""
    chassis = UnhurriedChassis()
    driver = bmc_server.NodeDriver(rack.bmcs[0], chassis)
    uuid = rack.bmcs[0].system_uuid
    driver.set_power_state(uuid, ResetType.GRACEFUL_RESTART)
    [restart] = [thread for thread in all_threads() if thread.name == "restart-c01"]

    driver.set_power_state(uuid, later)
    chassis.on = False
    restart.join(DEADLINE_S)

    assert not restart.is_alive()
    assert "boot" not in chassis.done


# --- who may use it ---


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(None, id="nobody"),
        pytest.param(basic("admin", "guess"), id="wrong password"),
        pytest.param(basic("admin", ""), id="no password"),
        pytest.param(basic("admin", PASSWORD + "x" * 100), id="longer than bcrypt takes"),
        pytest.param(basic("root", PASSWORD), id="unknown user"),
        pytest.param(basic("", ""), id="empty"),
        pytest.param("Basic", id="half a header"),
        pytest.param("Basic ===", id="malformed"),
        pytest.param("Bearer abc", id="another scheme"),
    ],
)
def test_strangers_are_kept_out(node: Node, authorization: str | None) -> None:
    """Neither reads nor orders; and the answer is Redfish's, with a way to log in."""
    order = {"ResetType": "ForceOff"}

    read = ask(node.bmc, "GET", node.bmc.system_path, None, authorization)
    ordered = ask(node.bmc, "POST", node.bmc.reset_path, order, authorization)

    assert [read[0], ordered[0]] == [401, 401]
    assert json.loads(read[1])["error"]["message"] == "wrong user or password"
    assert read[2].startswith("Basic")
    assert node.chassis.is_on()


def test_the_service_root_is_open(node: Node) -> None:
    status, _, _ = ask(node.bmc, "GET", "/redfish/v1/")

    assert status == 200


def test_a_wrong_password_is_a_refusal(node: Node) -> None:
    with pytest.raises(Refused, match="does not let `admin` in"):
        reset(node.bmc, "guess", ResetType.FORCE_OFF)


def test_the_auth_file_is_private_and_holds_no_password(tmp_path: Path) -> None:
    auth_file = tmp_path / "htpasswd"

    write_auth_file(auth_file, "admin", PASSWORD)

    assert auth_file.stat().st_mode & 0o777 == 0o600
    assert auth_file.read_text().startswith("admin:$2b$")
    assert PASSWORD not in auth_file.read_text()
    assert list(tmp_path.iterdir()) == [auth_file]


@pytest.mark.parametrize(
    ("user", "password"),
    [
        pytest.param("", "x", id="no user"),
        pytest.param("a:b", "x", id="a user with a colon"),
        pytest.param("a\nb", "x", id="a user of two lines"),
        pytest.param("admin", "", id="no password"),
        pytest.param("admin", "x" * 73, id="a password that bcrypt would cut"),
    ],
)
def test_an_auth_file_that_would_not_work_is_not_written(
    tmp_path: Path, user: str, password: str
) -> None:
    with pytest.raises(BadInput):
        write_auth_file(tmp_path / "htpasswd", user, password)

    assert not list(tmp_path.iterdir())


# --- faults of the BMC itself ---


def test_a_deaf_bmc_takes_the_connection_and_never_answers(node: Node) -> None:
    """A read is merely unanswered; after an order nobody knows; and its neighbours hear well."""
    break_bmc(node.bmc, Fault(FaultKind.DEAF))

    with pytest.raises(Unreachable, match="does not answer"):
        power_state(node.bmc, PASSWORD, timeout_s=0.2)
    with pytest.raises(Uncertain):
        reset(node.bmc, PASSWORD, ResetType.FORCE_OFF, timeout_s=0.2)

    assert node.chassis.is_on()


def test_a_deaf_bmc_does_not_deafen_its_neighbours(node: Node, rack: Rack) -> None:
    break_bmc(node.bmc, Fault(FaultKind.DEAF))

    assert power_state(rack.bmcs[1], PASSWORD, timeout_s=5) is OFF


def test_a_mended_bmc_answers_and_drops_what_it_did_not_hear(node: Node, rack: Rack) -> None:
    """Thirty waiting requests neither wedge it nor take effect late."""
    unheard_before = rack.log.count("fault shown")
    break_bmc(node.bmc, Fault(FaultKind.DEAF))
    with ThreadPoolExecutor(30) as threads:
        unheard = [threads.submit(node.order, ResetType.FORCE_OFF) for _ in range(30)]
        wait_for(lambda: rack.log.count("fault shown") == unheard_before + 30)

        mend_bmc(node.bmc)
        ended = [order.exception(DEADLINE_S) for order in unheard]

    assert {type(error) for error in ended} == {Uncertain}
    assert node.state is ON


def test_a_deaf_bmc_forgets_who_has_hung_up(node: Node, rack: Rack) -> None:
    """Clients that gave up leave no thread behind."""
    at_rest = threads_of(rack)
    break_bmc(node.bmc, Fault(FaultKind.DEAF))

    for _ in range(5):
        with pytest.raises(Unreachable):
            power_state(node.bmc, PASSWORD, timeout_s=0.01)

    wait_for(lambda: threads_of(rack) <= at_rest)


def test_a_stuck_bmc_accepts_a_power_off_and_does_nothing(node: Node) -> None:
    """The lie that fencing must see through: the order is answered, the state is true."""
    break_bmc(node.bmc, Fault(FaultKind.STUCK))

    node.order(ResetType.FORCE_OFF)

    assert node.chassis.is_on()
    assert node.state is ON


def test_a_stuck_bmc_works_once_mended(node: Node) -> None:
    break_bmc(node.bmc, Fault(FaultKind.STUCK))
    node.order(ResetType.FORCE_OFF)

    mend_bmc(node.bmc)
    node.order(ResetType.FORCE_OFF)

    assert not node.chassis.is_on()


def test_a_slow_bmc_does_it_and_answers_late(node: Node) -> None:
    """The client gives up first and does not know; the node is dead all the same."""
    break_bmc(node.bmc, Fault(FaultKind.SLOW, 600))

    with pytest.raises(Uncertain):
        reset(node.bmc, PASSWORD, ResetType.FORCE_OFF, timeout_s=0.5)

    wait_for(lambda: not node.chassis.is_on())


def test_a_slow_bmc_is_late_by_what_was_asked(node: Node) -> None:
    break_bmc(node.bmc, Fault(FaultKind.SLOW, 0.3))
    asked = time.monotonic()

    state = node.state

    assert time.monotonic() - asked >= 0.3
    assert state is ON


def test_mending_a_slow_bmc_brings_its_answers_at_once(node: Node, rack: Rack) -> None:
    shown_before = rack.log.count("fault shown")
    break_bmc(node.bmc, Fault(FaultKind.SLOW, 600))
    with ThreadPoolExecutor() as threads:
        late = threads.submit(lambda: node.state)
        wait_for(lambda: rack.log.count("fault shown") > shown_before)

        mend_bmc(node.bmc)

        assert late.result(DEADLINE_S) is ON


def test_a_fault_that_nobody_knows_is_an_error_and_not_ignored(node: Node) -> None:
    node.bmc.fault_file.write_text("sulking\n")

    with pytest.raises(StepFailed) as failed:
        node.order(ResetType.FORCE_OFF)

    assert failed.value.says == "no BMC fault is called `sulking`"
    assert node.chassis.is_on()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.DEAF),
        Fault(FaultKind.STUCK),
        Fault(FaultKind.SLOW, 2.5),
        Fault(FaultKind.LIES_OFF),
        Fault(FaultKind.WRONG_NODE, node="c02"),
    ],
)
def test_a_fault_is_read_as_it_was_written(fault: Fault) -> None:
    assert Fault.parse(fault.text) == fault


@pytest.mark.parametrize(
    "text",
    ["", "sulking", "deaf 3", "slow", "slow -1", "slow x", "slow nan", "slow inf", "wrong-node"],
)
def test_a_fault_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        Fault.parse(text)


# --- the service as a process ---


def test_a_bmc_process_that_dies_is_started_again(node: Node, rack: Rack) -> None:
    """Its node does not notice."""
    before = rack.children()

    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: len(rack.children()) == 3 and rack.children() != before)

    assert node.state is ON


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_of_the_service_outlives_its_parent(tmp_path: Path, sent: signal.Signals) -> None:
    """Not even when it is killed; the nodes live on."""
    with a_rack(tmp_path, "c01", "c02") as rack:
        wait_for(lambda: all(answers(bmc) for bmc in rack.bmcs))
        reset(rack.bmcs[0], PASSWORD, ResetType.ON)
        children = rack.children()

        os.kill(rack.service.pid or 0, sent)
        rack.service.join(DEADLINE_S)

        wait_for(lambda: not any(runs(child) for child in children))
        assert len(children) == 2
        assert rack.service.exitcode == (-sent if sent is signal.SIGKILL else 0)
        assert SleepChassis(tmp_path, "c01").is_on()
        assert not answers(rack.bmcs[0])


def test_a_bmc_that_keeps_dying_is_given_up(tmp_path: Path) -> None:
    """Then its address refuses connections, and the log says why."""
    (tmp_path / "c01.no-bmc").touch()
    with a_rack(tmp_path, "c01", "c02") as rack:
        wait_for(lambda: "BMC given up node=c01" in rack.log)

        with pytest.raises(Unreachable, match="no BMC of `c01`"):
            power_state(rack.bmcs[0], PASSWORD)

        assert power_state(rack.bmcs[1], PASSWORD) is OFF
        assert "the BMC's own fuse is blown" in rack.log


def test_a_service_whose_last_bmc_is_given_up_ends(tmp_path: Path) -> None:
    (tmp_path / "c01.no-bmc").touch()
    with a_rack(tmp_path, "c01") as rack:
        rack.service.join(DEADLINE_S)

        assert rack.service.exitcode == 1
        assert rack.log.endswith("no BMC of the lab is left\n")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        pytest.param("192.0.2.1", "others could reach it", id="not a loopback address"),
        pytest.param(None, "cannot be served", id="an address that is taken"),
    ],
)
def test_an_address_that_cannot_be_had_is_refused_before_anything_starts(
    rack: Rack, address: str | None, why: str
) -> None:
    taken = rack.bmcs[0]
    bmc = Bmc(
        node="c09",
        address=address or taken.address,
        port=taken.port,
        system_uuid=taken.system_uuid,
        user="admin",
        auth_file=taken.auth_file,
        fault_file=taken.fault_file,
    )

    with pytest.raises(Refused, match=why):
        bmc_server.serve([bmc], lambda _: UnhurriedChassis())


def test_the_log_tells_the_orders_and_holds_no_credentials(node: Node, rack: Rack) -> None:
    """Nor does it fill with reads, or with warnings about the web server."""
    lines_before = rack.log.count("\n")
    _ = node.state

    node.order(ResetType.FORCE_OFF)
    wait_for(lambda: rack.log.count("\n") > lines_before)

    assert "node=c01 method=POST" in rack.log
    assert rack.log.count("\n") == lines_before + 1
    for secret in (PASSWORD, basic("admin", PASSWORD).split()[1], "htpasswd", "WARNING: This is"):
        assert secret not in rack.log


def test_a_bmc_keeps_its_led_in_memory_and_writes_no_file(node: Node) -> None:
    """The emulator alone would leave databases in the host's folder for temporary files."""
    databases = Path(memoize.PersistentDict.DBPATH)
    before = sorted((file, file.stat().st_mtime_ns) for file in databases.glob("*"))
    system = sushy_system(node.bmc)

    system.set_indicator_led(sushy.INDICATOR_LED_BLINKING)
    system.refresh()

    assert system.indicator_led is sushy.INDICATOR_LED_BLINKING
    assert sorted((file, file.stat().st_mtime_ns) for file in databases.glob("*")) == before


# --- a server that is no BMC ---


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n{}", StepFailed, id="no power state"),
        pytest.param(
            b'HTTP/1.0 200 OK\r\n\r\n{"PowerState": "PoweringOff"}', StepFailed, id="half off"
        ),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n[1]", StepFailed, id="no object"),
        pytest.param(b"HTTP/1.0 404 Not Found\r\n\r\nhm", Refused, id="knows no such node"),
        pytest.param(b"HTTP/1.0 799 What\r\n\r\nhm", StepFailed, id="a status nobody knows"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", Unreachable, id="another protocol"),
        pytest.param(b"", Unreachable, id="hangs up"),
    ],
)
def test_an_unclear_answer_is_never_taken_for_a_state(
    rack: Rack, answer: bytes, error: type[StackwardError]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor() as threads:
        bmc = Bmc(
            node="c09",
            address="127.0.0.1",
            port=server.getsockname()[1],
            system_uuid="5d1c0000-0000-0000-0000-000000000009",
            user="admin",
            auth_file=rack.bmcs[0].auth_file,
            fault_file=rack.bmcs[0].fault_file,
        )
        asked = threads.submit(power_state, bmc, PASSWORD, timeout_s=5)
        line, _ = server.accept()
        with line:
            line.recv(10_000)
            line.sendall(answer)

        assert type(asked.exception(DEADLINE_S)) is error


def threads_of(rack: Rack) -> int:
    """Count the threads of all the BMCs."""
    return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in rack.children())
